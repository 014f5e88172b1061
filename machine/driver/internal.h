/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What the files of the driver share: the request that is being answered, and whose it is. */
#ifndef PRIVET_MACHINE_DRIVER_INTERNAL_H
#define PRIVET_MACHINE_DRIVER_INTERNAL_H

#include "machine/driver/driver.h"
#include "machine/driver/wire.h"
#include "sev/command.h"
#include "sev/status.h"

#define DRIVER_CONNECTIONS     1024u
#define DRIVER_CERTIFICATE_MAX 0x4000u /* linux: SEV_FW_BLOB_MAX_SIZE */
#define DRIVER_VMSAS           4096u   /* processors of all SEV-ES guests */

/* The kernel's own pages, from DRIVER_MEMORY on: the trusted memory region, then the VMSAs. */
#define DRIVER_VMSA_BASE (DRIVER_MEMORY + SEV_TMR_SIZE)
#define DRIVER_OWN       (SEV_TMR_SIZE + (uint64_t)DRIVER_VMSAS * SEV_VMSA_SIZE)

/* A request on its way in, or its answer on its way out. */
struct message {
    bool answered;
    size_t done; /* bytes received, or sent */
    struct wire wire;
    uint8_t part[WIRE_PARTS][WIRE_PART_MAX];
};

struct connection {
    int fd;
    struct message *message; /* NULL: nothing is under way */
    uint32_t handle, asid;   /* 0: no guest yet; KVM_SEV_INIT was not done */
};

/* An ASID of a guest that ended is dirty until WBINVD and DF_FLUSH. */
enum driver_asid_state { DRIVER_ASID_FREE, DRIVER_ASID_TAKEN, DRIVER_ASID_DIRTY };

/* Whose a VMSA's page is: the guest's handle, 0: nobody's; the vCPU's number there. */
struct driver_vmsa {
    uint32_t handle;
    uint64_t vcpu;
};

struct driver {
    struct chip *chip;
    struct memory *memory;
    struct connection connections[DRIVER_CONNECTIONS];
    unsigned count;
    bool full; /* no descriptor is left for another: nobody is let in until somebody goes */
    uint8_t *asid; /* enum driver_asid_state of 0 to max_asid; 0 is nobody's */
    unsigned min_plain_asid, max_asid;
    struct driver_vmsa vmsas[DRIVER_VMSAS];
    /* Of the request that is being answered. */
    struct wire *wire;
    uint8_t (*part)[WIRE_PART_MAX];
};

/* driver.c */

/* One command: a firmware's refusal is EIO with the status beside it, as in Linux. */
void driver_command(struct driver *d, enum sev_command id, void *buffer);
/* The request ends with an errno; the firmware was not asked. */
void driver_refuse(struct driver *d, int error);
/* Linux initialises a platform that is not when a request needs it. False: the chip refused. */
bool driver_initialise(struct driver *d);
uint8_t driver_platform_state(struct driver *d);

/* device.c: a request of SEV_ISSUE_CMD; `size`: of the parts that came. */
void driver_device_request(struct driver *d, const uint32_t size[WIRE_PARTS]);

/* guest.c: a request of struct kvm_sev_cmd, and the end of a connection's guest. */
void driver_guest_request(struct driver *d, struct connection *c, const uint32_t size[WIRE_PARTS]);
void driver_guest_end(struct driver *d, struct connection *c);

/* Where a page of a program is on the platform. */
uint64_t driver_address(uint64_t address);
/* Within one page, and not over its end: what is contiguous for sure. */
bool driver_within_page(uint64_t address, uint64_t size);
/* The handle of a new guest, made by LAUNCH_START or RECEIVE_START, gets the connection's ASID. */
void driver_guest_bind(struct driver *d, struct connection *c, uint32_t handle);

/* transfer.c: the requests of migration. */
typedef void driver_guest_handler(struct driver *d, struct connection *c, const uint32_t *size);
driver_guest_handler driver_send_start, driver_send_update, driver_send_finish, driver_send_cancel,
    driver_receive_start, driver_receive_update, driver_receive_finish;

/* debug.c: requests for any guest's memory, whole blocks within a page. */
void driver_decrypt(struct driver *d, uint32_t handle, const uint32_t *size);
void driver_encrypt(struct driver *d, uint32_t handle, const uint32_t *size);

#endif
