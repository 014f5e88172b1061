/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* `privet chip exec PROGRAM...`: the program meets the emulated chip behind /dev/sev and /dev/kvm. */
#define _GNU_SOURCE /* asprintf */
#include <cpuid.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/chip_exec.h"


enum { ARCH_SET_CPUID_CODE = 0x1012 }; /* linux: asm/prctl.h */

static const char library_name[] = "libprivet-sev.so";

/* Beside a command that was built, not installed; else where it is installed. */
static bool find_library(char path[PATH_MAX])
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    struct stat file;
    if (length > 0) {
        self[length] = 0;
        *strrchr(self, '/') = 0;
        int n = snprintf(path, PATH_MAX, "%s/../preload/%s", self, library_name);
        if (n < PATH_MAX && stat(path, &file) == 0)
            return true;
    }
    snprintf(path, PATH_MAX, "%s/%s", PRIVET_LIBRARY_FOLDER, library_name);
    return stat(path, &file) == 0;
}

/* Where CPUID cannot be trapped the program sees the host's leaf: say which C-bit that is. */
static void tell_c_bit(void)
{
    uint32_t eax, ebx = 0, ecx, edx;
    if (syscall(SYS_arch_prctl, ARCH_SET_CPUID_CODE, 0) == 0) {
        syscall(SYS_arch_prctl, ARCH_SET_CPUID_CODE, 1);
        return;
    }
    __cpuid_count(0x8000001f, 0, eax, ebx, ecx, edx);
    fprintf(stderr, "privet: chip exec: CPUID cannot be trapped here, the program sees the host's: "
                    "give QEMU cbitpos=%u\n", ebx & 63);
}

static bool preload(const char *path)
{
    const char *before = getenv("LD_PRELOAD");
    char *list = NULL;
    int n = before != NULL && before[0] != 0 ? asprintf(&list, "%s:%s", path, before)
                                             : asprintf(&list, "%s", path);
    bool done = n >= 0 && setenv("LD_PRELOAD", list, 1) == 0;
    if (n >= 0)
        free(list);
    return done;
}

int chip_exec(const char *state, char **words)
{
    char library[PATH_MAX];
    if (words[0] == NULL) {
        fprintf(stderr, "privet: chip exec: a program is missing; try 'privet chip --help'\n");
        return 1;
    }
    if (!find_library(library)) {
        fprintf(stderr, "privet: chip exec: %s: %s; install Privet whole\n", library, strerror(errno));
        return 1;
    }
    if (state == NULL || !preload(library) || setenv("PRIVET_SEV_STATE", state, 1) != 0) {
        fprintf(stderr, "privet: chip exec: the environment cannot be set; give --state\n");
        return 1;
    }
    tell_c_bit();
    execvp(words[0], words);
    fprintf(stderr, "privet: chip exec: %s: %s\n", words[0], strerror(errno));
    return 1;
}
