/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Runs a bare-metal guest: metal_run plain|sev IMAGE. The image is 64 KiB of ROM below 4 GiB. Port
 * 0xE9 is standard output, a byte to port 0xF4 ends the guest and is the exit status. In a SEV run
 * the image is encrypted in place first, as a launch does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/cpu/cpu.h"
#include "tests/quiet_io.h"

#define IMAGE_SIZE 0x10000u
#define IMAGE_BASE 0xFFFF0000u
#define RAM_SIZE   0x400000u
#define ASID       1
#define LIMIT      50000000u /* instructions; a test takes a few thousand */

static struct cpu *cpu;
static int status = -1;

static void port_write(void *context, uint16_t port, uint32_t value, unsigned size)
{
    if (port == 0xE9)
        putchar((int)(value & 0xFF));
    if (port != 0xF4)
        return;
    status = (int)(value & 0xFF);
    cpu_kick(cpu);
}

static uint64_t tsc_read(void *context)
{
    return cpu_instructions(cpu);
}

static void page_changed(void *context, uint64_t gpa)
{
    if (cpu)
        cpu_invalidate_page(cpu, gpa);
}

static void load_image(const char *path, uint8_t image[IMAGE_SIZE])
{
    FILE *file = fopen(path, "rb");
    if (!file || fread(image, 1, IMAGE_SIZE, file) != IMAGE_SIZE) {
        fprintf(stderr, "%s: not an image of 64 KiB\n", path);
        exit(2);
    }
    fclose(file);
}

int main(int argc, char **argv)
{
    static const uint8_t seed[32] = {1}, key[MEMORY_KEY_SIZE] = "bare-metal guest";
    static uint8_t image[IMAGE_SIZE];
    if (argc != 3) {
        fprintf(stderr, "usage: metal_run plain|sev IMAGE\n");
        return 2;
    }
    bool sev = !strcmp(argv[1], "sev");
    load_image(argv[2], image);
    struct memory *memory = memory_create(seed);
    if (!memory || memory_add_ram(memory, 0, RAM_SIZE) ||
        memory_add_rom(memory, IMAGE_BASE, IMAGE_SIZE, image))
        return 2;
    memory_set_listener(memory, page_changed, NULL);
    if (sev) {
        memory_set_key(memory, ASID, key);
        memory_encrypt_in_place(memory, IMAGE_BASE, IMAGE_SIZE, ASID);
    }
    struct cpu_config config = {.sev = sev ? CPU_SEV_ON : CPU_SEV_OFF,
                                .asid = sev ? ASID : MEMORY_RAW,
                                .c_bit = 51,
                                .reduced_physical_bits = 1,
                                .physical_bits = 40,
                                .processors = 1,
                                .tsc_hz = 1000000000};
    struct cpu_io io = quiet_io;
    io.port_write = port_write;
    io.tsc_read = tsc_read;
    cpu = cpu_create(&config, memory, &io);
    if (!cpu)
        return 2;
    enum cpu_stop stop = CPU_STOP_DEADLINE;
    while (status < 0 && stop == CPU_STOP_DEADLINE && cpu_instructions(cpu) < LIMIT)
        stop = cpu_run(cpu, LIMIT);
    if (status < 0) {
        char text[2048];
        cpu_print_state(cpu, text, sizeof(text));
        printf("the guest did not end (%d): %s\n%s", (int)stop, cpu_error(cpu), text);
        status = 2;
    }
    cpu_destroy(cpu);
    cpu = NULL;
    memory_destroy(memory);
    return status;
}
