/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * First process of a guest that works with UEFI variables by Linux' efivarfs. What it does stands on
 * the kernel's command line, in this order of words (names are of our GUID, non-volatile):
 *
 *   var.set=NAME:TEXT  var.append=NAME:TEXT  var.big=NAME:BYTES  var.delete=NAME
 *   var.expect=NAME:TEXT  var.absent=NAME  var.next=NUMBER (BootNext)  var.count
 *   var.fill=NAME   as many variables of 8 KiB as Linux allows; then they are deleted
 *   var.churn=NAME  sets it to 0, 1, 2, ... until somebody pulls the plug
 *   var.reset       resets the machine, once: the real-time clock's year tells
 *
 * Prints "guest: WORD: ok" or why not, and switches the machine off.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/rtc.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define FOLDER  "/sys/firmware/efi/efivars"
#define OURS    "6e2c2a40-3a5c-4b0e-9d0e-7d6f0a1c2b3e"
#define GLOBAL  "8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define LASTING 7u
#define APPEND  0x40u

enum { BIG = 0x8000, FILL = 8192, RESET_YEAR = 2061 };

static char path[512];

static const char *path_of(const char *name, const char *guid)
{
    snprintf(path, sizeof(path), FOLDER "/%s-%s", name, guid);
    return path;
}

/* Linux protects what it does not know from being deleted by accident. */
static void unprotect(const char *file)
{
    int flags = 0, fd = open(file, O_RDONLY);
    if (fd < 0)
        return;
    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
        flags &= ~FS_IMMUTABLE_FL;
        (void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
    }
    close(fd);
}

/* 0 or an errno value. */
static int put(const char *file, uint32_t attributes, const void *data, size_t size)
{
    static uint8_t whole[4 + BIG];
    unprotect(file);
    int fd = open(file, O_WRONLY | O_CREAT, 0644);
    if (fd < 0)
        return errno;
    memcpy(whole, &attributes, sizeof(attributes));
    memcpy(whole + sizeof(attributes), data, size);
    ssize_t done = write(fd, whole, sizeof(attributes) + size);
    int failure = done < 0 ? errno : (size_t)done != sizeof(attributes) + size ? EIO : 0;
    close(fd);
    return failure;
}

static int drop(const char *file)
{
    unprotect(file);
    return unlink(file) == 0 ? 0 : errno;
}

static int expect(const char *file, const char *text)
{
    static char data[4 + BIG];
    int fd = open(file, O_RDONLY);
    if (fd < 0)
        return errno;
    ssize_t size = read(fd, data, sizeof(data));
    close(fd);
    if (size == (ssize_t)(4 + strlen(text)) && memcmp(data + 4, text, strlen(text)) == 0)
        return 0;
    printf("guest: it is '%.*s'\n", size > 4 ? (int)size - 4 : 0, data + 4);
    return EBADMSG;
}

static int fill(const char *name)
{
    static const uint8_t data[FILL];
    char numbered[64];
    int failure = 0, count = 0;
    while (!failure && count < 1000) {
        snprintf(numbered, sizeof(numbered), "%s.%d", name, count);
        failure = put(path_of(numbered, OURS), LASTING, data, sizeof(data));
        count += !failure;
    }
    printf("guest: %d variables of %d bytes, then: %s\n", count, FILL, strerror(failure));
    for (int i = 0; i < count; i++) {
        snprintf(numbered, sizeof(numbered), "%s.%d", name, i);
        if (drop(path_of(numbered, OURS)) != 0)
            return EIO;
    }
    return failure == ENOSPC && count ? 0 : EIO;
}

static int churn(const char *name)
{
    for (unsigned i = 0;; i++) {
        char text[16];
        int length = snprintf(text, sizeof(text), "%u", i);
        int failure = put(path_of(name, OURS), LASTING, text, (size_t)length);
        if (failure)
            return failure;
        if (i % 100 == 0)
            printf("guest: churned to %u\n", i);
    }
}

/* How many files, and is each there once? */
static int count_all(void)
{
    static char names[512][256];
    unsigned count = 0, twice = 0;
    DIR *folder = opendir(FOLDER);
    struct dirent *entry;
    while (folder && (entry = readdir(folder)) != NULL && count < 512) {
        if (entry->d_name[0] == '.')
            continue;
        for (unsigned i = 0; i < count; i++)
            twice += strcmp(names[i], entry->d_name) == 0;
        snprintf(names[count++], sizeof(names[0]), "%s", entry->d_name);
    }
    printf("guest: %u variables, %u twice\n", count, twice);
    return count && !twice ? 0 : EIO;
}

static int reset_once(void)
{
    struct rtc_time time;
    int fd = open("/dev/rtc0", O_RDONLY);
    if (fd < 0 || ioctl(fd, RTC_RD_TIME, &time) != 0)
        return errno;
    if (time.tm_year == RESET_YEAR - 1900)
        return 0;
    time.tm_year = RESET_YEAR - 1900;
    if (ioctl(fd, RTC_SET_TIME, &time) != 0)
        return errno;
    printf("guest: resetting\n");
    sync();
    reboot(RB_AUTOBOOT);
    return EIO;
}

/* `word` is "command=name:text", or a part of that. */
static int obey(char *word)
{
    static uint8_t big[BIG];
    char *name = strchr(word, '=');
    if (name)
        *name++ = '\0';
    char *text = name ? strchr(name, ':') : NULL;
    if (text)
        *text++ = '\0';
    size_t number = text ? strtoul(text, NULL, 0) : name ? strtoul(name, NULL, 0) : 0;
    uint16_t next = (uint16_t)number;
    if (strcmp(word, "count") == 0)
        return count_all();
    if (strcmp(word, "reset") == 0)
        return reset_once();
    if (!name)
        return EINVAL;
    if (strcmp(word, "next") == 0)
        return put(path_of("BootNext", GLOBAL), LASTING, &next, sizeof(next));
    const char *file = path_of(name, OURS);
    if (strcmp(word, "delete") == 0)
        return drop(file);
    if (strcmp(word, "absent") == 0)
        return access(file, F_OK) == 0 ? EEXIST : 0;
    if (strcmp(word, "fill") == 0)
        return fill(name);
    if (strcmp(word, "churn") == 0)
        return churn(name);
    if (!text)
        return EINVAL;
    if (strcmp(word, "set") == 0)
        return put(file, LASTING, text, strlen(text));
    if (strcmp(word, "append") == 0)
        return put(file, LASTING | APPEND, text, strlen(text));
    if (strcmp(word, "big") == 0)
        return put(file, LASTING, big, number < BIG ? number : BIG);
    if (strcmp(word, "expect") == 0)
        return expect(file, text);
    return EINVAL;
}

static void print_complaints(void)
{
    static char log[1 << 20];
    int size = klogctl(3, log, sizeof(log) - 1); /* SYSLOG_ACTION_READ_ALL */
    log[size > 0 ? size : 0] = '\0';
    for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n"))
        if (strstr(line, "irmware bug") || strstr(line, "Firmware Bug") ||
            strstr(line, "Page fault caused by firmware") || strstr(line, "efi: Remove mem"))
            printf("guest: the kernel says: %s\n", line);
}

int main(void)
{
    static char line[4096];
    setvbuf(stdout, NULL, _IONBF, 0);
    mount("proc", "/proc", "proc", 0, NULL);
    mount("sys", "/sys", "sysfs", 0, NULL);
    mount("dev", "/dev", "devtmpfs", 0, NULL);
    int module = open("/efivarfs.ko", O_RDONLY), commands = open("/proc/cmdline", O_RDONLY);
    if (syscall(SYS_finit_module, module, "", 0) != 0 ||
        mount("efivarfs", FOLDER, "efivarfs", 0, NULL) != 0)
        printf("guest: efivarfs: %s\n", strerror(errno));
    ssize_t size = read(commands, line, sizeof(line) - 1);
    line[size > 0 ? size : 0] = '\0';
    char *rest = line, *word;
    while ((word = strsep(&rest, " \n")) != NULL) {
        char copy[256];
        if (strncmp(word, "var.", 4) != 0)
            continue;
        snprintf(copy, sizeof(copy), "%s", word);
        int failure = obey(word + 4);
        printf("guest: %s: %s\n", copy, failure ? strerror(failure) : "ok");
    }
    print_complaints();
    printf("guest: PRIVET-VARIABLES-DONE\n");
    reboot(RB_POWER_OFF);
    return 1;
}
