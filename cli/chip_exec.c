/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * `privet chip exec`: runs a program that finds /dev/sev and KVM, answered by the emulated chip, which
 * this process serves until the program ends.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/chip.h"
#include "cli/error.h"
#include "machine/driver/driver.h"
#include "machine/driver/wire.h"

#define ARCH_SET_CPUID 0x1012

static int complain(const char *what)
{
    error_say("chip exec: %s: %s", what, strerror(errno));
    return 1;
}

/* Beside the program when it runs from where it was built, else where it was installed. */
static bool find_library(char *path, size_t size)
{
    char self[3072];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (length > 0) {
        self[length] = '\0';
        *strrchr(self, '/') = '\0';
        snprintf(path, size, "%s/../preload/libprivet-sev.so", self);
        if (access(path, R_OK) == 0)
            return true;
    }
    snprintf(path, size, "%s/libprivet-sev.so", PRIVET_LIBRARY_FOLDER);
    if (access(path, R_OK) == 0)
        return true;
    complain(path);
    return false;
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
        listen(fd, 64) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* CPUID's leaf of memory encryption is the host's where it cannot be trapped. */
static void warn_of_cpuid(void)
{
    if (syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0) == 0) {
        syscall(SYS_arch_prctl, ARCH_SET_CPUID, 1);
        return;
    }
    fprintf(stderr, "privet: chip exec: this processor cannot trap CPUID: the program sees the "
                    "host's own; give QEMU's sev-guest the cbitpos that it finds there\n");
}

static _Noreturn void run_program(char *const *words, const char *library, const char *path)
{
    const char *others = getenv("LD_PRELOAD");
    char preload[8192];
    snprintf(preload, sizeof(preload), "%s%s%s", library, others && *others ? ":" : "",
             others ? others : "");
    setenv("LD_PRELOAD", preload, 1);
    setenv(WIRE_SOCKET, path, 1);
    execvp(words[0], words);
    complain(words[0]);
    _exit(errno == ENOENT ? 127 : 126);
}

/* The program's limit stays what it was; here each of its VMs is a descriptor. */
static void allow_connections(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit); /* refused: fewer can connect */
    }
}

/* The pipe's end closes when the program, which inherits it in no other way, is gone. */
static int serve(struct driver *driver, int listener, const char *library, const char *path,
                 char *const *words)
{
    int ends[2], status;
    if (pipe(ends) != 0)
        return complain("pipe");
    pid_t child = fork();
    if (child == 0) {
        pid_t program = fork();
        if (program == 0) {
            close(ends[0]);
            close(ends[1]);
            run_program(words, library, path);
        }
        close(ends[0]);
        if (program < 0 || waitpid(program, &status, 0) < 0)
            _exit(1);
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
    close(ends[1]);
    if (child < 0)
        return complain("fork");
    allow_connections();
    driver_serve(driver, listener, ends[0]);
    close(ends[0]);
    if (waitpid(child, &status, 0) < 0)
        return complain("waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int chip_exec(struct chip_session *s, const char *const *words)
{
    char folder[] = "/tmp/privet-XXXXXX", path[sizeof(folder) + 8], library[4096];
    int code = 1;
    if (!find_library(library, sizeof(library)))
        return 1;
    if (!mkdtemp(folder))
        return complain(folder);
    snprintf(path, sizeof(path), "%s/chip", folder);
    int listener = listen_at(path);
    struct driver *driver = driver_create(s->chip, s->memory, CHIP_FIRST_PLAIN_ASID, CHIP_ASIDS);
    if (listener < 0)
        complain(path);
    else if (!driver)
        complain("the chip's memory");
    else {
        warn_of_cpuid();
        signal(SIGINT, SIG_IGN); /* the program's to heed: the chip ends after it */
        code = serve(driver, listener, library, path, (char *const *)(const void *)words);
    }
    driver_destroy(driver);
    if (listener >= 0)
        close(listener);
    unlink(path);
    rmdir(folder);
    return code;
}
