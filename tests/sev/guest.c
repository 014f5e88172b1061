/* SPDX-License-Identifier: BSD-2-Clause-Patent */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "tests/sev/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

uint64_t address_of(const void *data)
{
    return (uintptr_t)data;
}

struct guest guest_open(void)
{
    struct guest g = { .kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC),
                       .sev = open("/dev/sev", O_RDWR | O_CLOEXEC) };
    g.vm = g.kvm < 0 ? -1 : ioctl(g.kvm, KVM_CREATE_VM, 0);
    if (g.vm < 0 || g.sev < 0) {
        fprintf(stderr, "no device: %s\n", strerror(errno));
        exit(1);
    }
    return g;
}

void guest_close(struct guest *g)
{
    close(g->vm);
    close(g->kvm);
    close(g->sev);
}

int guest_command(struct guest *g, uint32_t id, void *data)
{
    struct kvm_sev_cmd command = { .id = id, .data = address_of(data), .sev_fd = (uint32_t)g->sev };
    int result = ioctl(g->vm, KVM_MEMORY_ENCRYPT_OP, &command);
    g->status = command.error;
    return result == 0 ? 0 : errno;
}

int device_command(int fd, uint32_t id, void *data, uint32_t *ret_status)
{
    struct sev_issue_cmd command = { .cmd = id, .data = address_of(data) };
    int result = ioctl(fd, SEV_ISSUE_CMD, &command);
    *ret_status = command.error;
    return result == 0 ? 0 : errno;
}

int guest_launch(struct guest *g, uint32_t policy, void *memory, uint32_t size)
{
    uint8_t measured[48];
    struct kvm_sev_launch_start start = { .policy = policy };
    struct kvm_sev_launch_update_data update = { address_of(memory), size };
    struct kvm_sev_launch_measure measure = { address_of(measured), sizeof(measured) };
    int error = guest_command(g, KVM_SEV_INIT, NULL);
    if (!error)
        error = guest_command(g, KVM_SEV_LAUNCH_START, &start);
    if (!error)
        error = guest_command(g, KVM_SEV_LAUNCH_UPDATE_DATA, &update);
    if (!error)
        error = guest_command(g, KVM_SEV_LAUNCH_MEASURE, &measure);
    return error ? error : guest_command(g, KVM_SEV_LAUNCH_FINISH, NULL);
}

void *pages_new(size_t count)
{
    void *pages = mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        exit(1);
    return pages;
}
