/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What the programs of this folder do with KVM's interface and with /dev/sev. */
#ifndef PRIVET_TESTS_SEV_GUEST_H
#define PRIVET_TESTS_SEV_GUEST_H

#include <linux/kvm.h>
#include <linux/psp-sev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE 4096u

struct guest {
    int kvm, sev, vm;
    uint32_t status; /* the firmware's, of the last command */
};

/* What the kernel is asked with an address in a number. */
uint64_t address_of(const void *data);

/* Opens all three; the program ends if it cannot. */
struct guest guest_open(void);
void guest_close(struct guest *g);

/* KVM_MEMORY_ENCRYPT_OP: 0 or the errno. */
int guest_command(struct guest *g, uint32_t id, void *data);
/* SEV_ISSUE_CMD: 0 or the errno; *ret_status is the firmware's. */
int device_command(int fd, uint32_t id, void *data, uint32_t *ret_status);

/* KVM_SEV_INIT to LAUNCH_FINISH without a session; `size` bytes at `memory` are the guest's. */
int guest_launch(struct guest *g, uint32_t policy, void *memory, uint32_t size);
/* Pages of their own. */
void *pages_new(size_t count);

#endif
