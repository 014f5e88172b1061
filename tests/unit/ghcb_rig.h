/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * For the tests of VMGEXIT: two processors of a SEV-ES guest that execute nothing, a small memory with
 * something of every kind, an outside that records, and the GHCB page from the guest's side.
 */
#ifndef PRIVET_TESTS_GHCB_RIG_H
#define PRIVET_TESTS_GHCB_RIG_H

#include "machine/hypervisor/ghcb.h"
#include "sev/ghcb.h"

#define ASID      3u
#define GHCB      0x5000u /* the page of processor 0 */
#define RAM       0x20000u
#define SHADOW    0xC0000u /* RAM or ROM, as routed; the ROM is its upper half */
#define ROM       0xE0000u
#define HIGH      0x100000u
#define RAM_END   0x180000u
#define DEVICE    0xFEB00000u
#define FLASH     0xFFC00000u
#define FLASH_END (FLASH + 0x10000u)
#define LIMIT     0x10000u /* KVM: 16 pages */
#define NOISE     0xEE     /* what a page holds beside its fields */

#define TSC     0x1122334455667788u
#define GP      0x8000030Du /* EVENTINJ: valid, exception, 13 */
#define UNKNOWN 0xDEADu     /* an MSR that is none */

struct access {
    bool memory, write;
    unsigned size;
    uint64_t address, value;
};

struct machine {
    struct memory *memory;
    struct cpu *cpu[2];
    struct ghcb_common common;
    struct ghcb ghcb[2];
    struct access accesses[64], last; /* the first ones; the last one */
    unsigned count;                   /* all of them */
    unsigned observed_ports, observed_mmio, flushes;
    uint64_t apic_base;
    uint64_t reroute; /* at the next port access the shadow is ROM from here on; 0: it stays */
    unsigned tells, ends;
    struct ghcb_told told;
    struct ghcb_end_note {
        unsigned processor;
        enum ghcb_end how;
        uint64_t set, reason;
    } end;
};

/* What may be marked valid beside exit code and information. */
enum field {
    RAX_ = 1 << 0,
    RBX_ = 1 << 1,
    RCX_ = 1 << 2,
    RDX_ = 1 << 3,
    CPL_ = 1 << 4,
    XCR0_ = 1 << 5,
    SCRATCH_ = 1 << 6,
    FIELDS = 1 << 7,
};

struct ask {
    uint64_t code, info1, info2;
    unsigned has; /* enum field */
    uint64_t rax, rbx, rcx, rdx, cpl, xcr0, scratch;
    uint32_t usage;
    unsigned lacks; /* 1 to 3: exit code, information 1, 2 */
};

struct answer {
    uint64_t result1, result2, rax, rbx, rcx, rdx;
};

/* SW_EXITINFO1 of IOIO. */
#define PORT       0x3F8u
#define IN(size)   (PORT << 16 | (size) << 4 | SEV_IOIO_IN)
#define OUT(size)  (PORT << 16 | (size) << 4)
#define INS(size)  (IN(size) | SEV_IOIO_STRING | SEV_IOIO_REP)
#define OUTS(size) (OUT(size) | SEV_IOIO_STRING | SEV_IOIO_REP)
#define BUFFER     (GHCB + SEV_GHCB_BUFFER)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* For cmocka; *state becomes the struct machine. */
int rig_setup(void **state);
int rig_teardown(void **state);
#define TEST(function) cmocka_unit_test_setup_teardown(function, rig_setup, rig_teardown)

/* What a device answers to an MMIO read: each byte tells its address. */
uint64_t device_bytes(uint64_t address, unsigned size);
void expect_access(const struct machine *m, unsigned k, struct access expected);

/* Memory as the host sees it. */
void put_bytes(struct machine *m, uint64_t gpa, const void *bytes, size_t size);
uint64_t quadword(struct machine *m, uint64_t gpa);
void fill(struct machine *m, uint64_t gpa, size_t size, uint8_t byte);
/* All that the chip set shares between RAM and ROM is RAM from now on. */
void route_to_ram(struct machine *m);

/* The page of a request. Values stand there, valid or not; what nobody names is noise. */
void build_page(const struct ask *ask, uint8_t page[SEV_GHCB_SIZE]);

/*
 * Writes the page but for its shared buffer, makes the VMGEXIT, looks whether anything of the page
 * changed that is none of the answer's. `go`: processor 0, page GHCB.
 */
struct answer go_on(struct machine *m, unsigned processor, uint64_t gpa, const struct ask *ask);
struct answer go(struct machine *m, const struct ask *ask);
void expect_results(const struct answer *answer, uint64_t result1, uint64_t result2);
/* It is carried out, with both results 0. */
struct answer expect_done(struct machine *m, const struct ask *ask);
/* It is answered with the error, and nothing was done. */
void expect_error(struct machine *m, const struct ask *ask, enum sev_ghcb_error error);

#endif
