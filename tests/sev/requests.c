/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Below `privet chip exec`: what Linux answers to programs that do not do as they should, what it does
 * with copies of descriptors, and memory through the debugger at any address.
 *
 * usage: sev-requests [inherited SEV-FD KVM-FD]
 */
#define _GNU_SOURCE /* dup3, close_range, vfork */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/sev/guest.h"

static unsigned passed, failed;

static void check(bool condition, const char *what, unsigned line)
{
    passed += condition;
    failed += !condition;
    if (!condition)
        printf("line %u: %s (errno %d)\n", line, what, errno);
}
#define CHECK(condition) check(condition, #condition, __LINE__)
#define IS(expected, call) check((call) == (expected), #call " is " #expected, __LINE__)

/* ---- addresses that lead nowhere ---- */

static void *nowhere[4]; /* null, low, behind a page that is there, kernel's */

static void find_nowhere(void)
{
    uint8_t *pages = pages_new(2);
    mprotect(pages + PAGE, PAGE, PROT_NONE);
    nowhere[1] = (void *)16;
    nowhere[2] = pages + PAGE - 4; /* a structure that begins where memory is */
    nowhere[3] = (void *)(uintptr_t)0xffffffff80000000;
}

static void test_command_addresses(struct guest *g)
{
    static const uint32_t ids[] = {
        KVM_SEV_LAUNCH_START, KVM_SEV_LAUNCH_UPDATE_DATA, KVM_SEV_LAUNCH_SECRET,
        KVM_SEV_LAUNCH_MEASURE, KVM_SEV_SEND_START, KVM_SEV_SEND_UPDATE_DATA, KVM_SEV_RECEIVE_START,
        KVM_SEV_RECEIVE_UPDATE_DATA, KVM_SEV_GUEST_STATUS, KVM_SEV_DBG_DECRYPT, KVM_SEV_DBG_ENCRYPT,
        KVM_SEV_GET_ATTESTATION_REPORT,
    };
    for (size_t k = 0; k < 4; k++) {
        for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
            IS(EFAULT, guest_command(g, ids[i], nowhere[k]));
        if (nowhere[k])
            CHECK(ioctl(g->vm, KVM_MEMORY_ENCRYPT_OP, nowhere[k]) == -1 && errno == EFAULT);
        CHECK(ioctl(g->vm, KVM_MEMORY_ENCRYPT_REG_REGION, nowhere[k]) == -1 && errno == EFAULT);
        CHECK(ioctl(g->sev, SEV_ISSUE_CMD, nowhere[k]) == -1 && errno == EFAULT);
    }
    CHECK(ioctl(g->vm, KVM_MEMORY_ENCRYPT_OP, NULL) == 0); /* "is it there?" */
}

static void test_device_addresses(struct guest *g)
{
    static const uint32_t ids[] = { SEV_PLATFORM_STATUS, SEV_PEK_CSR, SEV_PDH_CERT_EXPORT,
                                    SEV_PEK_CERT_IMPORT, SEV_GET_ID, SEV_GET_ID2 };
    uint32_t status;
    for (size_t k = 0; k < 4; k++) {
        for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
            IS(EFAULT, device_command(g->sev, ids[i], nowhere[k], &status));
    }
    struct sev_user_data_get_id2 id = { address_of(nowhere[3]), 64 };
    IS(EFAULT, device_command(g->sev, SEV_GET_ID2, &id, &status));
    struct sev_user_data_pek_cert_import import = { 0 };
    IS(EINVAL, device_command(g->sev, SEV_PEK_CERT_IMPORT, &import, &status));
    import = (struct sev_user_data_pek_cert_import){ 16, 0x824, 16, 0x824 };
    IS(EFAULT, device_command(g->sev, SEV_PEK_CERT_IMPORT, &import, &status));
}

/* What structures point to: blobs are EFAULT, guest memory, which Linux pins, is ENOMEM. */
static void test_inner_addresses(struct guest *g)
{
    uint8_t *page = pages_new(1);
    struct kvm_sev_launch_update_data update = { 16, PAGE };
    IS(ENOMEM, guest_command(g, KVM_SEV_LAUNCH_UPDATE_DATA, &update));
    update = (struct kvm_sev_launch_update_data){ address_of(page), 0 };
    IS(EINVAL, guest_command(g, KVM_SEV_LAUNCH_UPDATE_DATA, &update));
    struct kvm_sev_launch_start start = { .dh_uaddr = 16, .dh_len = 0x824, .session_uaddr = 16,
                                          .session_len = 0x80 };
    IS(EFAULT, guest_command(g, KVM_SEV_LAUNCH_START, &start));
    start.dh_len = 0x10000;
    IS(EINVAL, guest_command(g, KVM_SEV_LAUNCH_START, &start));
    struct kvm_sev_launch_secret secret = { 16, 0x34, address_of(page), 16, 16, 16 };
    IS(EFAULT, guest_command(g, KVM_SEV_LAUNCH_SECRET, &secret));
    secret.trans_len = 0;
    IS(EINVAL, guest_command(g, KVM_SEV_LAUNCH_SECRET, &secret));
    struct kvm_enc_region region = { .addr = 4096, .size = PAGE };
    CHECK(ioctl(g->vm, KVM_MEMORY_ENCRYPT_REG_REGION, &region) == -1 && errno == ENOMEM);
    region = (struct kvm_enc_region){ address_of(page), PAGE };
    CHECK(ioctl(g->vm, KVM_MEMORY_ENCRYPT_UNREG_REGION, &region) == -1 && errno == EINVAL);
    CHECK(ioctl(g->vm, KVM_MEMORY_ENCRYPT_REG_REGION, &region) == 0);
    CHECK(ioctl(g->vm, KVM_MEMORY_ENCRYPT_UNREG_REGION, &region) == 0);
}

/* ---- order ---- */

static void test_order(void)
{
    struct guest g = guest_open();
    uint8_t *page = pages_new(1);
    struct kvm_sev_launch_update_data update = { address_of(page), PAGE };
    struct kvm_sev_launch_start start = { 0 };
    struct kvm_enc_region region = { address_of(page), PAGE };
    g.status = 0;
    IS(ENOTTY, guest_command(&g, KVM_SEV_LAUNCH_START, &start));
    IS(ENOTTY, guest_command(&g, KVM_SEV_SEND_FINISH, NULL));
    IS(EINVAL, guest_command(&g, KVM_SEV_RECEIVE_UPDATE_DATA, NULL));
    CHECK(ioctl(g.vm, KVM_MEMORY_ENCRYPT_REG_REGION, &region) == -1 && errno == ENOTTY);
    IS(0, guest_command(&g, KVM_SEV_INIT, NULL));
    IS(EINVAL, guest_command(&g, KVM_SEV_INIT, NULL));
    IS(EINVAL, guest_command(&g, KVM_SEV_ES_INIT, NULL));
    IS(ENOTTY, guest_command(&g, KVM_SEV_LAUNCH_UPDATE_VMSA, NULL));
    IS(EINVAL, guest_command(&g, KVM_SEV_SEND_UPDATE_VMSA, page));
    IS(EINVAL, guest_command(&g, KVM_SEV_RECEIVE_UPDATE_VMSA, page));
    IS(EINVAL, guest_command(&g, KVM_SEV_CERT_EXPORT, page));
    IS(EINVAL, guest_command(&g, 22, page)); /* KVM_SEV_INIT2 on a VM of the default type */
    IS(EINVAL, guest_command(&g, 1000, page));
    IS(EBADF, guest_command(&g, KVM_SEV_LAUNCH_UPDATE_DATA, &update));
    int sev = g.sev;
    g.sev = g.kvm;
    IS(EBADF, guest_command(&g, KVM_SEV_LAUNCH_START, &start));
    g.sev = sev;
    start.policy = 4;
    CHECK(guest_command(&g, KVM_SEV_LAUNCH_START, &start) == EIO && g.status == 0x0d); /* its ASID */
    start.policy = 0;
    IS(0, guest_command(&g, KVM_SEV_LAUNCH_START, &start));
    CHECK(guest_command(&g, KVM_SEV_LAUNCH_START, &start) == EIO && g.status == 0x0c); /* ASID_OWNED */
    IS(0, guest_command(&g, KVM_SEV_LAUNCH_UPDATE_DATA, &update));
    struct kvm_sev_launch_measure measure = { 0 };
    CHECK(guest_command(&g, KVM_SEV_LAUNCH_MEASURE, &measure) == EIO && g.status == 4 &&
          measure.len == 48);
    guest_close(&g);
    g = guest_open();
    CHECK(ioctl(g.vm, KVM_CREATE_VCPU, 0) >= 0);
    IS(EINVAL, guest_command(&g, KVM_SEV_INIT, NULL)); /* too late */
    guest_close(&g);
}

/* SEV-ES guests: the processors' state is in the launch. */
static void test_es(void)
{
    struct guest g = guest_open();
    struct kvm_sev_launch_start start = { 0 };
    uint8_t measurement[48];
    struct kvm_sev_launch_measure measure = { address_of(measurement), sizeof(measurement) };
    IS(ENOTTY, guest_command(&g, KVM_SEV_LAUNCH_UPDATE_VMSA, NULL));
    IS(0, guest_command(&g, KVM_SEV_ES_INIT, NULL));
    IS(EINVAL, guest_command(&g, KVM_SEV_ES_INIT, NULL));
    IS(EINVAL, guest_command(&g, KVM_SEV_INIT, NULL));
    IS(0, guest_command(&g, KVM_SEV_LAUNCH_UPDATE_VMSA, NULL)); /* of no vCPU */
    int vcpu = ioctl(g.vm, KVM_CREATE_VCPU, 0), second = ioctl(g.vm, KVM_CREATE_VCPU, 1);
    CHECK(vcpu >= 0 && second >= 0);
    IS(EBADF, guest_command(&g, KVM_SEV_LAUNCH_UPDATE_VMSA, NULL));
    CHECK(guest_command(&g, KVM_SEV_LAUNCH_START, &start) == EIO && g.status == 0x0d);
    start.policy = 4;
    IS(0, guest_command(&g, KVM_SEV_LAUNCH_START, &start));
    struct kvm_debugregs debug = { .dr6 = 0xffff0ff0, .dr7 = 0x402 }, none = { .dr7 = 0x400 };
    CHECK(ioctl(second, KVM_SET_DEBUGREGS, &debug) == 0);
    IS(EINVAL, guest_command(&g, KVM_SEV_LAUNCH_UPDATE_VMSA, NULL)); /* a breakpoint */
    CHECK(ioctl(second, KVM_SET_DEBUGREGS, &none) == 0);
    close(second);
    IS(0, guest_command(&g, KVM_SEV_LAUNCH_UPDATE_VMSA, NULL));
    IS(0, guest_command(&g, KVM_SEV_LAUNCH_MEASURE, &measure));
    CHECK(guest_command(&g, KVM_SEV_LAUNCH_UPDATE_VMSA, NULL) == EIO && g.status == 2);
    close(vcpu);
    guest_close(&g);
}

static void test_report(struct guest *g)
{
    uint8_t bytes[1024] = { 0 };
    struct kvm_sev_attestation_report report = { .mnonce = "fifteen letters" };
    CHECK(guest_command(g, KVM_SEV_GET_ATTESTATION_REPORT, &report) == EIO && g->status == 4);
    CHECK(report.len > 100 && report.len < sizeof(bytes));
    report.uaddr = address_of(bytes);
    IS(0, guest_command(g, KVM_SEV_GET_ATTESTATION_REPORT, &report));
    CHECK(memcmp(bytes, "fifteen letters", 16) == 0);
    struct kvm_sev_send_update_data update = { 0 };
    CHECK(guest_command(g, KVM_SEV_SEND_UPDATE_DATA, &update) == EIO && g->status == 2);
}

/* ---- the debugger ---- */

/* A write of each alignment and some lengths, then the same bytes read at another. */
static void test_debug(struct guest *g, uint8_t *memory)
{
    static const uint32_t lengths[] = { 1, 7, 15, 16, 17, 33, 100, PAGE - 5, PAGE, PAGE + 9 };
    static uint8_t model[3 * PAGE], plain[3 * PAGE + 32], source[2 * PAGE];
    struct kvm_sev_dbg dbg = { address_of(memory), address_of(model), sizeof(model) };
    IS(0, guest_command(g, KVM_SEV_DBG_DECRYPT, &dbg));
    for (uint32_t i = 0; i < sizeof(source); i++)
        source[i] = (uint8_t)(i * 167 + i / 251);
    for (uint32_t offset = 0; offset < 16; offset += 3) {
        for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
            uint32_t at = PAGE - 8 + offset, from = offset * 5 % 16;
            dbg = (struct kvm_sev_dbg){ address_of(source + from), address_of(memory + at), lengths[i] };
            IS(0, guest_command(g, KVM_SEV_DBG_ENCRYPT, &dbg));
            memcpy(model + at, source + from, lengths[i]);
            dbg = (struct kvm_sev_dbg){ address_of(memory + offset), address_of(plain + i),
                                        (uint32_t)sizeof(model) - offset };
            IS(0, guest_command(g, KVM_SEV_DBG_DECRYPT, &dbg));
            CHECK(memcmp(plain + i, model + offset, sizeof(model) - offset) == 0);
        }
    }
    dbg.len = 0;
    IS(EINVAL, guest_command(g, KVM_SEV_DBG_DECRYPT, &dbg));
    dbg = (struct kvm_sev_dbg){ address_of(memory), 0, 16 };
    IS(EINVAL, guest_command(g, KVM_SEV_DBG_DECRYPT, &dbg));
    dbg.dst_uaddr = 16;
    IS(ENOMEM, guest_command(g, KVM_SEV_DBG_DECRYPT, &dbg));
    dbg = (struct kvm_sev_dbg){ 16, address_of(memory), 16 };
    IS(ENOMEM, guest_command(g, KVM_SEV_DBG_ENCRYPT, &dbg));
}

/* ---- descriptors ---- */

static bool is_sev(int fd)
{
    struct sev_user_data_status data;
    uint32_t status;
    return device_command(fd, SEV_PLATFORM_STATUS, &data, &status) == 0 && data.api_minor == 24;
}

static bool is_kvm(int fd)
{
    return ioctl(fd, KVM_GET_API_VERSION, 0) == 12;
}

static void test_copies(void)
{
    int sev = open("/dev/sev", O_RDONLY), kvm = open("/dev/kvm", O_RDWR);
    int file = open("/dev/null", O_RDWR);
    int copies[] = { dup(sev), dup3(sev, 200, O_CLOEXEC), fcntl(sev, F_DUPFD, 210),
                     fcntl(sev, F_DUPFD_CLOEXEC, 220) };
    for (int i = 0; i < 4; i++)
        CHECK(is_sev(copies[i]));
    CHECK(copies[3] >= 220 && fcntl(copies[3], F_GETFD) == FD_CLOEXEC);
    close(sev);
    CHECK(!is_sev(sev) && is_sev(copies[0]));
    uint32_t status;
    IS(EPERM, device_command(copies[0], SEV_PDH_GEN, NULL, &status)); /* reading only */
    CHECK(dup2(kvm, copies[0]) == copies[0] && is_kvm(copies[0]) && !is_sev(copies[0]));
    CHECK(dup2(file, copies[0]) == copies[0] && !is_kvm(copies[0]) && is_kvm(kvm));
    CHECK(dup2(kvm, kvm) == kvm && is_kvm(kvm));
    CHECK(dup2(-1, kvm) == -1 && is_kvm(kvm));
    CHECK(close_range(200, 215, 0) == 0 && !is_sev(copies[1]) && !is_sev(copies[2]));
    CHECK(is_sev(copies[3]));
    /* Behind our back: the number is another file's now. */
    syscall(SYS_close, copies[3]);
    CHECK(syscall(SYS_dup3, file, copies[3], 0) == copies[3] && !is_sev(copies[3]));
    FILE *stream = fdopen(kvm, "r");
    CHECK(stream && fclose(stream) == 0 && !is_kvm(kvm));
    close(file);
    closefrom(100);
}

static int exit_code(pid_t child)
{
    int status = -1;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static uint32_t guests_on_platform(int sev)
{
    struct sev_user_data_status data = { 0 };
    uint32_t status;
    device_command(sev, SEV_PLATFORM_STATUS, &data, &status);
    return data.guest_count;
}

static void test_children(struct guest *g)
{
    struct kvm_sev_guest_status data;
    pid_t child = fork();
    if (child == 0) {
        bool good = guest_command(g, KVM_SEV_GUEST_STATUS, &data) == EIO && is_sev(g->sev) &&
                    is_kvm(g->kvm);
        guest_close(g);
        _exit(good ? 0 : 1);
    }
    IS(0, exit_code(child));
    IS(0, guest_command(g, KVM_SEV_GUEST_STATUS, &data)); /* the child's close is the child's */
    child = vfork();
    if (child == 0) {
        close_range(3, ~0u, 0);
        _exit(0);
    }
    IS(0, exit_code(child));
    CHECK(is_sev(g->sev) && guest_command(g, KVM_SEV_GUEST_STATUS, &data) == 0);
}

static void test_exec(const char *self)
{
    char words[2][16];
    int sev = open("/dev/sev", O_RDONLY), kvm = open("/dev/kvm", O_RDWR);
    snprintf(words[0], sizeof(words[0]), "%d", sev);
    snprintf(words[1], sizeof(words[1]), "%d", kvm);
    pid_t child = fork();
    if (child == 0) {
        execl(self, self, "inherited", words[0], words[1], (char *)NULL);
        _exit(9);
    }
    IS(0, exit_code(child));
    close(sev);
    close(kvm);
}

static void test_lifetime(void)
{
    struct guest g = guest_open();
    struct guest other = guest_open();
    uint8_t *memory = pages_new(1);
    uint32_t before = guests_on_platform(other.sev);
    IS(0, guest_launch(&g, 0, memory, PAGE));
    IS(before + 1, guests_on_platform(other.sev));
    int copy = dup(g.vm);
    guest_close(&g);
    IS(before + 1, guests_on_platform(other.sev));
    syscall(SYS_close, copy); /* the kernel closes the connection, whoever asks it to */
    for (int i = 0; i < 100 && guests_on_platform(other.sev) != before; i++)
        usleep(10000);
    IS(before, guests_on_platform(other.sev));
    guest_close(&other);
}

/* Programs that stop within a message, or talk nonsense, are no trouble to others. */
static void test_hostile(int sev)
{
    static const uint8_t nonsense[4096] = { 0xff };
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const char *path = getenv("PRIVET_CHIP_SOCKET");
    time_t before = time(NULL);
    int fds[8];
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path ? path : "");
    for (int i = 0; i < 8; i++) {
        fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(connect(fds[i], (const struct sockaddr *)&address, sizeof(address)) == 0);
        CHECK(send(fds[i], nonsense + (i & 1), 30, MSG_NOSIGNAL) == 30);
        CHECK(is_sev(sev));
    }
    memset(&address, 0xff, sizeof(address));
    send(fds[0], &address, sizeof(address), MSG_NOSIGNAL); /* sizes without measure */
    uint8_t byte;
    CHECK(recv(fds[0], &byte, 1, 0) <= 0); /* hung up */
    CHECK(is_sev(sev));
    for (int i = 0; i < 8; i++)
        close(fds[i]);
    CHECK(time(NULL) - before < 5);
}

/* ---- files ---- */

static void test_files(void)
{
    static const struct {
        const char *path;
        unsigned minor;
    } rows[] = { { "/dev/sev", 124 }, { "/dev/kvm", 232 } };
    for (int i = 0; i < 2; i++) {
        struct stat s[4];
        struct statx x;
        int fd = openat(AT_FDCWD, rows[i].path, O_RDWR | O_CLOEXEC);
        CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR);
        CHECK(stat(rows[i].path, &s[0]) == 0 && lstat(rows[i].path, &s[1]) == 0 &&
              fstat(fd, &s[2]) == 0 && fstatat(AT_FDCWD, rows[i].path, &s[3], 0) == 0);
        for (int k = 0; k < 4; k++)
            CHECK(S_ISCHR(s[k].st_mode) && s[k].st_rdev == makedev(10, rows[i].minor));
        CHECK(statx(AT_FDCWD, rows[i].path, 0, STATX_BASIC_STATS, &x) == 0 && S_ISCHR(x.stx_mode) &&
              x.stx_rdev_major == 10 && x.stx_rdev_minor == rows[i].minor);
        CHECK(statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &x) == 0 && x.stx_rdev_major == 10);
        CHECK(access(rows[i].path, R_OK | W_OK) == 0 && access(rows[i].path, X_OK) == -1);
        CHECK(open(rows[i].path, O_RDONLY | O_DIRECTORY) == -1 && errno == ENOTDIR);
        close(fd);
    }
    struct stat null;
    CHECK(stat("/dev/null", &null) == 0 && null.st_rdev == makedev(1, 3));
}

/* /dev/sev by any name, and what only looks like it. */
static void test_names(void)
{
    static const char *const others[] = { "/dev/seven", "/sev", "/dev/sev/", "/tmp/sev",
                                          "/dev/sev/sev" };
    int dev = open("/dev", O_RDONLY | O_DIRECTORY), root = open("/", O_PATH);
    int fds[] = { openat(dev, "sev", O_RDWR), openat(root, "dev/sev", O_RDWR),
                  openat(dev, "/dev/sev", O_RDWR), open("//dev/./sev", O_RDWR),
                  open("/proc/self/root/dev/sev", O_RDWR) };
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        CHECK(is_sev(fds[i]));
        close(fds[i]);
    }
    struct stat s;
    CHECK(fstatat(dev, "sev", &s, 0) == 0 && s.st_rdev == makedev(10, 124));
    CHECK(faccessat(dev, "kvm", R_OK | W_OK, 0) == 0);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        CHECK(open(others[i], O_RDONLY) == -1 && (errno == ENOENT || errno == ENOTDIR));
    CHECK(openat(root, "sev", O_RDONLY) == -1 && errno == ENOENT);
    CHECK(openat(-1, "sev", O_RDONLY) == -1 && errno == EBADF);
    CHECK(fstatat(root, "sev", &s, 0) == -1 && errno == ENOENT);
    CHECK(fchdir(dev) == 0);
    int here = open("sev", O_RDONLY);
    CHECK(is_sev(here) && stat("./kvm", &s) == 0 && s.st_rdev == makedev(10, 232));
    CHECK(chdir("/") == 0 && stat("sev", &s) == -1);
    close(here);
    close(dev);
    close(root);
}

static void test_streams(void)
{
    uint32_t status;
    FILE *reader = fopen("/dev/sev", "re"), *writer = fopen("/dev/sev", "r+");
    CHECK(reader && fcntl(fileno(reader), F_GETFD) == FD_CLOEXEC && is_sev(fileno(reader)));
    IS(EPERM, device_command(fileno(reader), SEV_PDH_GEN, NULL, &status));
    IS(0, device_command(fileno(writer), SEV_PDH_GEN, NULL, &status));
    int fd = fileno(reader);
    CHECK(fclose(reader) == 0 && fclose(writer) == 0 && !is_sev(fd));
    CHECK(fopen("/dev/sev", "wx") == NULL && errno == EEXIST);
    FILE *other = fopen("/dev/null", "r");
    CHECK(other && fclose(other) == 0);
}

/* A descriptor that comes through a socket is of the same device. */
static void test_received(void)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
    char byte = 1;
    struct iovec part = { &byte, 1 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
                              .msg_controllen = sizeof(control) };
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    int pair[2] = { -1, -1 }, fd = open("/dev/sev", O_RDWR), got = -1;
    *c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(fd)), .cmsg_level = SOL_SOCKET,
                           .cmsg_type = SCM_RIGHTS };
    memcpy(CMSG_DATA(c), &fd, sizeof(fd));
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && sendmsg(pair[0], &message, 0) == 1);
    close(fd);
    memset(control, 0, sizeof(control));
    CHECK(recvmsg(pair[1], &message, 0) == 1 && CMSG_FIRSTHDR(&message));
    memcpy(&got, CMSG_DATA(c), sizeof(got));
    CHECK(is_sev(got));
    close(got);
    close(pair[0]);
    close(pair[1]);
}

static int inherited(char *const *words)
{
    return is_sev(atoi(words[0])) && is_kvm(atoi(words[1])) ? 0 : 1;
}

int main(int count, char **words)
{
    if (count == 4 && strcmp(words[1], "inherited") == 0)
        return inherited(words + 2);
    find_nowhere();
    struct guest g = guest_open();
    uint8_t *memory = pages_new(3);
    IS(0, guest_launch(&g, 0, memory, 3 * PAGE));
    test_command_addresses(&g);
    test_device_addresses(&g);
    test_inner_addresses(&g);
    test_order();
    test_es();
    test_report(&g);
    test_debug(&g, memory);
    test_children(&g);
    test_exec(words[0]);
    test_lifetime();
    test_hostile(g.sev);
    test_files();
    test_names();
    test_streams();
    test_received();
    guest_close(&g);
    test_copies(); /* closes what is open */
    printf("%u passed, %u failed\n", passed, failed);
    return failed ? 1 : 0;
}
