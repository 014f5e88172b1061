/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * How a SEV-ES guest talks to its hypervisor (GHCB, AMD publication 56421 revision 2.03): one shared
 * page for requests, and a protocol in the GHCB MSR. What comes back is the host's: it is read once,
 * and what was not promised ends the request.
 */
#ifndef PRIVET_FIRMWARE_GHCB_H
#define PRIVET_FIRMWARE_GHCB_H

#include <stdbool.h>
#include <stdint.h>

/* Exits: error codes of #VC and codes of requests (APM 2 appendix C; GHCB 2.03 4.1). */
enum ghcb_exit_code {
    EXIT_DR7_READ = 0x27,
    EXIT_DR7_WRITE = 0x37,
    EXIT_RDTSC = 0x6E,
    EXIT_RDPMC = 0x6F,
    EXIT_CPUID = 0x72,
    EXIT_INVD = 0x76,
    EXIT_PORT = 0x7B,
    EXIT_MSR = 0x7C,
    EXIT_VMMCALL = 0x81,
    EXIT_RDTSCP = 0x87,
    EXIT_WBINVD = 0x89,
    EXIT_MONITOR = 0x8A,
    EXIT_MWAIT = 0x8B,
    EXIT_NESTED_PAGE_FAULT = 0x400,
};
/* Requests that no #VC asks for. */
#define EXIT_MMIO_READ     0x80000001u
#define EXIT_MMIO_WRITE    0x80000002u
#define EXIT_AP_JUMP_TABLE 0x80000005u

/* Fields of a request or an answer: four registers in the order of their numbers, XCR0, CPL. */
enum {
    GHCB_RAX = 1, GHCB_RCX = 2, GHCB_RDX = 4, GHCB_RBX = 8, GHCB_XCR0 = 16, GHCB_CPL = 32,
    GHCB_FIELDS = 6, GHCB_FIELD_XCR0 = 4,
};

struct ghcb_request {
    uint64_t code, info_1, info_2;
    uint8_t sends, wants; /* GHCB_*: registers that go out, and that must come back */
    bool buffer;          /* `data` goes along in the shared buffer, and comes back */
    uint8_t exception;    /* of GHCB_EXCEPTION: its vector, that of #UD or #GP */
    uint64_t fields[GHCB_FIELDS];
    uint64_t data;
};

enum ghcb_result {
    GHCB_DONE,
    GHCB_EXCEPTION, /* the instruction raises one */
    GHCB_REFUSED,   /* anything else; nothing of the request is to be used */
};

/* Agrees on a version, or ends the guest. Before the first #VC of C code. */
void ghcb_init(void);
enum ghcb_result ghcb_call(struct ghcb_request *request);
/* A store to device memory at a guest physical address, of 1, 2, 4 or 8 bytes. */
bool ghcb_mmio_write(uint64_t address, unsigned size, uint64_t value);
/*
 * SetVirtualAddressMap: from now on requests go through the GHCB in the MSR, which the operating system
 * maps at its physical address while it calls runtime services. Ours is mapped no more.
 */
void ghcb_leave(void);

/* Why the guest ends, for the host to print: set and reason of GHCB 2.03 2.3.1. Set 2 is our own. */
#define TERMINATE_PROTOCOL 0x10000u /* set 0, reason 1: no version in common */
#define TERMINATE_VC       (0x2000u | 'T' << 16) /* a #VC that cannot be handled */
_Noreturn void ghcb_terminate(uint32_t reason);

#endif
