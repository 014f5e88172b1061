/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The guest-hypervisor communication block of SEV-ES (GHCB, publication 56421 revision 2.03): one page
 * that a guest shares with its hypervisor, the protocol in the GHCB MSR for when there is none yet,
 * and the codes of exits (APM 2 appendix C).
 */
#ifndef PRIVET_SEV_GHCB_H
#define PRIVET_SEV_GHCB_H

#define SEV_MSR_GHCB   0xC0010130u
#define SEV_MSR_STATUS 0xC0010131u
#define SEV_STATUS_SEV 1u
#define SEV_STATUS_ES  2u

#define SEV_VECTOR_VC 29u /* its error code is that of the exit */

#define SEV_EXIT_EXCEPTION(vector) (0x40u + (vector)) /* an exception that the hypervisor intercepts */

/* Exits: what raises #VC, and what a guest puts into SW_EXITCODE. */
enum sev_exit {
    SEV_EXIT_DR7_READ = 0x27,
    SEV_EXIT_DR7_WRITE = 0x37,
    SEV_EXIT_RDTSC = 0x6E,
    SEV_EXIT_RDPMC = 0x6F,
    SEV_EXIT_CPUID = 0x72,
    SEV_EXIT_INVD = 0x76,
    SEV_EXIT_IOIO = 0x7B,
    SEV_EXIT_MSR = 0x7C,
    SEV_EXIT_TASK_SWITCH = 0x7D,
    SEV_EXIT_VMMCALL = 0x81,
    SEV_EXIT_RDTSCP = 0x87,
    SEV_EXIT_WBINVD = 0x89,
    SEV_EXIT_MONITOR = 0x8A,
    SEV_EXIT_MWAIT = 0x8B,
    SEV_EXIT_NPF = 0x400, /* #VC only: an access to a device's memory */
    /* Of the guest alone: GHCB 4.1.1, table 7. */
    SEV_EXIT_MMIO_READ = 0x80000001,
    SEV_EXIT_MMIO_WRITE = 0x80000002,
    SEV_EXIT_NMI_COMPLETE = 0x80000003,
    SEV_EXIT_AP_RESET_HOLD = 0x80000004,
    SEV_EXIT_AP_JUMP_TABLE = 0x80000005,
    SEV_EXIT_HYPERVISOR_FEATURES = 0x8000FFFD,
    SEV_EXIT_TERMINATE = 0x8000FFFE,
    SEV_EXIT_UNSUPPORTED = 0x8000FFFF,
};

/* The page: where its fields are (GHCB 2.6, table 3). All are 8 bytes but where it says so. */
enum sev_ghcb_field {
    SEV_GHCB_CPL = 0x0CB, /* 1 byte */
    SEV_GHCB_RAX = 0x1F8,
    SEV_GHCB_RCX = 0x308,
    SEV_GHCB_RDX = 0x310,
    SEV_GHCB_RBX = 0x318,
    SEV_GHCB_EXIT_CODE = 0x390,
    SEV_GHCB_EXIT_INFO_1 = 0x398,
    SEV_GHCB_EXIT_INFO_2 = 0x3A0,
    SEV_GHCB_SCRATCH = 0x3A8,
    SEV_GHCB_XCR0 = 0x3E8,
    SEV_GHCB_VALID = 0x3F0,  /* 16 bytes: bit n is for the field at 8 * n */
    SEV_GHCB_BUFFER = 0x800, /* shared by both sides */
    SEV_GHCB_VERSION = 0xFFA, /* 2 bytes */
    SEV_GHCB_USAGE = 0xFFC,   /* 4 bytes; 0: as laid out here */
};

#define SEV_GHCB_SIZE        4096u
#define SEV_GHCB_BUFFER_SIZE 0x7F0u
#define SEV_GHCB_VERSION_MIN 1u
#define SEV_GHCB_VERSION_MAX 2u

/* SW_EXITINFO1 of an answer, low dword (GHCB 4.1.4). */
enum sev_ghcb_result {
    SEV_GHCB_DONE = 0,
    SEV_GHCB_INJECT = 1,      /* SW_EXITINFO2 is an event as in EVENTINJ (APM 2 15.20) */
    SEV_GHCB_MALFORMED = 2,   /* SW_EXITINFO2 says what: enum sev_ghcb_error */
};

enum sev_ghcb_error {
    SEV_GHCB_ERROR_NOT_REGISTERED = 1,
    SEV_GHCB_ERROR_USAGE = 2,
    SEV_GHCB_ERROR_SCRATCH = 3,
    SEV_GHCB_ERROR_MISSING_INPUT = 4,
    SEV_GHCB_ERROR_INPUT = 5,
    SEV_GHCB_ERROR_EVENT = 6,
};

/* EVENTINJ: an exception (type 3) with or without an error code of 0. */
#define SEV_EVENT_EXCEPTION(vector)       ((uint64_t)(vector) | 3u << 8 | 1u << 31)
#define SEV_EVENT_EXCEPTION_ERROR(vector) (SEV_EVENT_EXCEPTION(vector) | 1u << 11)

/* SW_EXITINFO1 of SEV_EXIT_IOIO (APM 2 15.10.2); the port is in bits 31:16. */
enum sev_ioio {
    SEV_IOIO_IN = 1 << 0,
    SEV_IOIO_STRING = 1 << 2,
    SEV_IOIO_REP = 1 << 3,
    SEV_IOIO_SIZE_8 = 1 << 4,
    SEV_IOIO_SIZE_16 = 1 << 5,
    SEV_IOIO_SIZE_32 = 1 << 6,
    SEV_IOIO_ADDRESS_16 = 1 << 7,
    SEV_IOIO_ADDRESS_32 = 1 << 8,
    SEV_IOIO_ADDRESS_64 = 1 << 9,
};

/* The GHCB MSR: bits 11:0 say what the rest is (GHCB 2.3.1). 0: the page's address. */
#define SEV_GHCB_MSR_INFO 0xFFFu
enum sev_ghcb_msr {
    SEV_GHCB_MSR_PAGE = 0x000,
    SEV_GHCB_MSR_SEV_INFO = 0x001, /* C-bit 31:24, lowest version 47:32, highest 63:48 */
    SEV_GHCB_MSR_SEV_INFO_ASK = 0x002,
    SEV_GHCB_MSR_CPUID_ASK = 0x004, /* register 31:30 (EAX EBX ECX EDX), function 63:32 */
    SEV_GHCB_MSR_CPUID = 0x005,     /* register 31:30, value 63:32 */
    SEV_GHCB_MSR_AP_HOLD_ASK = 0x006,
    SEV_GHCB_MSR_AP_HOLD = 0x007,   /* 63:12 not zero: the processor was started */
    SEV_GHCB_MSR_PAGE_ASK = 0x010,  /* preferred page 63:12 */
    SEV_GHCB_MSR_PAGE_PREFERRED = 0x011, /* all ones: none */
    SEV_GHCB_MSR_REGISTER_ASK = 0x012,
    SEV_GHCB_MSR_REGISTER = 0x013,
    SEV_GHCB_MSR_STATE_ASK = 0x014, /* a page's state: SEV-SNP */
    SEV_GHCB_MSR_FEATURES_ASK = 0x080,
    SEV_GHCB_MSR_FEATURES = 0x081,  /* bits 63:12 */
    SEV_GHCB_MSR_TERMINATE = 0x100, /* reason's set 15:12, reason 23:16 */
};

#endif
