/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The input files of `privet run`: read once, and refused here if they cannot be what they must. */
#include "cli/run.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB (1024u * 1024u)

/* QEMU's limit for both flash units together (conventions of pc_sysfw). */
#define FLASH_LIMIT (8u * MIB)
#define KERNEL_LIMIT (256u * MIB)
#define INITRD_LIMIT (1024u * MIB)

/* Linux/x86 boot protocol: setup_sects, "HdrS". */
#define SETUP_SECTS 0x1F1
#define SYSTEM_SIZE 0x1F4
#define SETUP_MAGIC 0x202

static bool refuse(const char *path, const char *fact)
{
    fprintf(stderr, "privet: %s: %s\n", path, fact);
    return false;
}

static bool check_flash(const char *path, const struct file *file)
{
    char fact[128];
    if (file->size % 4096 == 0)
        return true;
    snprintf(fact, sizeof(fact),
             "%zu bytes: a flash image is a multiple of 4096 bytes; is it a firmware image?",
             file->size);
    return refuse(path, fact);
}

/* A kernel that starts without firmware. */
static bool check_image(const struct run_options *o, const struct file *file)
{
    struct boot_image image;
    const char *wrong = boot_image_parse(file->data, file->size, &image);
    if (wrong)
        return refuse(o->kernel, wrong);
    if (o->sev)
        return refuse(o->kernel, "a multiboot or PVH kernel starts without firmware, and what a "
                                 "SEV launch encrypts and measures is the firmware; give --sev off");
    if (o->firmware_given || o->variables)
        return refuse(o->kernel, "a multiboot or PVH kernel starts without firmware; leave out "
                                 "--firmware and --vars");
    return true;
}

/* A multiboot kernel's name comes first in its command line, as QEMU has it. */
static char *image_line(const struct run_options *o, enum boot_image_kind kind)
{
    const char *text = o->append ? o->append : "";
    if (kind == BOOT_IMAGE_PVH)
        return strdup(text);
    size_t size = strlen(o->kernel) + strlen(text) + 2;
    char *line = malloc(size);
    if (line)
        snprintf(line, size, "%s%s%s", o->kernel, *text ? " " : "", text);
    return line;
}

static bool is_linux(const struct file *file)
{
    return file->size >= SETUP_MAGIC + 4 && memcmp(file->data + SETUP_MAGIC, "HdrS", 4) == 0;
}

/*
 * A Linux kernel is its setup part and the rest, whose length the header has in units of 16 bytes
 * (boot protocol 1.2). Firmware also starts EFI programs that are none.
 */
static bool check_kernel(const char *path, const struct file *file)
{
    if (!is_linux(file))
        return (file->size > 2 && memcmp(file->data, "MZ", 2) == 0) ||
               refuse(path, "neither a Linux kernel nor an EFI program; "
                            "give a bzImage such as /boot/vmlinuz");
    uint32_t units;
    memcpy(&units, file->data + SYSTEM_SIZE, sizeof(units));
    size_t sectors = file->data[SETUP_SECTS] ? file->data[SETUP_SECTS] : 4;
    if (file->size <= (sectors + 1) * 512)
        return refuse(path, "the kernel is truncated inside its setup part");
    if (file->size + 15 < (sectors + 1) * 512 + (uint64_t)units * 16)
        return refuse(path, "the kernel is truncated: its header says that it is longer");
    return true;
}

static bool check_size(const char *path, const struct file *file, size_t size, const char *what)
{
    char fact[128];
    if (!file->data || file->size == size)
        return true;
    snprintf(fact, sizeof(fact), "%zu bytes, %s has %zu", file->size, what, size);
    return refuse(path, fact);
}

static bool load(const char *path, const char *what, size_t limit, struct file *ret)
{
    return !path || file_read(path, what, limit, ret);
}

static bool load_base64(const char *path, const char *what, size_t size, struct file *ret)
{
    return !path || (file_read_base64(path, what, size * 2, ret) &&
                     check_size(path, ret, size, what));
}

static bool load_files(const struct run_options *options, struct run_inputs *ret)
{
    for (unsigned i = 0; i < options->file_count; i++)
        if (!run_fw_cfg_load(&options->files[i], &ret->fw_cfg[i]))
            return false;
    return true;
}

static bool open_disks(const struct run_options *options, struct run_inputs *ret)
{
    for (unsigned i = 0; i < options->disk_count; i++) {
        ret->images[i] = run_disk_open(&options->disks[i]);
        if (!ret->images[i])
            return false;
    }
    return true;
}

/* Locked before it is read, so that no other run changes it in between. */
static bool open_flash(const struct run_options *o, struct run_flash *flash)
{
    unsigned use = o->variables_use;
    bool keep_variables = o->variables && (use == RUN_FLASH_DEFAULT || use == RUN_FLASH_KEPT);

    return (o->firmware_use != RUN_FLASH_KEPT ||
            run_flash_open(flash, BOARD_FLASH_FIRMWARE, o->firmware)) &&
           (!keep_variables || run_flash_open(flash, BOARD_FLASH_VARIABLES, o->variables));
}

static bool load_flash(const struct run_options *o, struct run_inputs *ret)
{
    if (!open_flash(o, &ret->flash) ||
        !load(o->firmware, "firmware image", FLASH_LIMIT, &ret->firmware) ||
        !check_flash(o->firmware, &ret->firmware) ||
        !load(o->variables, "variable store", FLASH_LIMIT, &ret->variables) ||
        (o->variables && !check_flash(o->variables, &ret->variables)))
        return false;
    if (ret->firmware.size + ret->variables.size > FLASH_LIMIT)
        return refuse(o->variables, "firmware and variable store exceed 8 MiB of flash");
    return true;
}

bool run_inputs_load(const struct run_options *o, struct run_inputs *ret)
{
    memset(ret, 0, sizeof(*ret));
    ret->flash.fd[BOARD_FLASH_FIRMWARE] = ret->flash.fd[BOARD_FLASH_VARIABLES] = -1;
    if (!load(o->kernel, "kernel", KERNEL_LIMIT, &ret->kernel))
        return false;
    if (o->kernel)
        ret->image = boot_image_recognise(ret->kernel.data, ret->kernel.size);
    if (o->kernel && !(ret->image ? check_image(o, &ret->kernel)
                                  : check_kernel(o->kernel, &ret->kernel)))
        return false;
    if (ret->image && !(ret->image_line = image_line(o, ret->image)))
        return refuse(o->kernel, "out of memory");
    if (!ret->image && !load_flash(o, ret))
        return false;
    return load(o->initrd, "initrd", INITRD_LIMIT, &ret->initrd) &&
           load(o->hashed_kernel, "kernel to hash", KERNEL_LIMIT, &ret->hashed_kernel) &&
           load(o->hashed_initrd, "initrd to hash", INITRD_LIMIT, &ret->hashed_initrd) &&
           load_base64(o->session, "a launch session", 0x80, &ret->session) &&
           load_base64(o->dh_cert, "a guest owner's DH certificate", 0x824, &ret->dh_cert) &&
           load_base64(o->secret_header, "a secret header", 0x34, &ret->secret_header) &&
           (!o->secret || file_read_base64(o->secret, "a launch secret", 0x4000, &ret->secret)) &&
           (!o->tik || (file_read(o->tik, "a transport integrity key", 16, &ret->tik) &&
                        check_size(o->tik, &ret->tik, 16, "a transport integrity key"))) &&
           load_files(o, ret) && open_disks(o, ret);
}

void run_inputs_free(struct run_inputs *inputs)
{
    run_flash_close(&inputs->flash);
    free(inputs->image_line);
    struct file *files[] = { &inputs->firmware, &inputs->variables, &inputs->kernel,
                             &inputs->initrd, &inputs->hashed_kernel, &inputs->hashed_initrd,
                             &inputs->session, &inputs->dh_cert,
                             &inputs->secret_header, &inputs->secret, &inputs->tik };
    OPENSSL_cleanse(inputs->tik.data, inputs->tik.size);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        file_free(files[i]);
    for (unsigned i = 0; i < BOARD_MAX_FILES; i++)
        file_free(&inputs->fw_cfg[i]);
    for (unsigned i = 0; i < BOARD_MAX_DISKS; i++)
        image_close(inputs->images[i]);
}
