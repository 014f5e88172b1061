/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * #VC in the firmware: requests and hostile answers (firmware/sev/ghcb.c, vc.c), and the instructions
 * behind them (instruction.c), which are compared with the host's own processor.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "firmware/arch/io.h"
#include "firmware/arch/layout.h"
#include "firmware/arch/paging.h"
#include "firmware/sev/ghcb.h"
#include "firmware/sev/instruction.h"
#include "firmware/sev/sev.h"
#include "firmware/sev/vc.h"
#include "ghcb_model.h"

#define DEVICE  0xFED00000ull /* shared, seen by the host at DEVICE + MOVED */
#define MOVED   0x100000000ull
#define PRIVATE 0x5000ull

static struct trap_frame frame;
static const char *problem;
static uint8_t device[4096], ram[4096]; /* behind DEVICE; what strings read and write at PRIVATE */

bool paging_shared(uint64_t address, uint64_t *ret_physical)
{
    *ret_physical = address + MOVED;
    return address >= DEVICE && address < DEVICE + sizeof(device);
}

uint64_t sev_c_mask(void)
{
    return 1ull << 51;
}

/* Moves of the firmware's own, in string instructions: memory, or nested #VCs that a device answers. */
static uint8_t *at(uint64_t address, unsigned size)
{
    uint8_t *base = address < DEVICE ? ram : device;
    uint64_t offset = address - (address < DEVICE ? PRIVATE : DEVICE);
    assert_true(offset + size <= sizeof(ram));
    return base + offset;
}

static unsigned nested, nested_most; /* #VCs that the host injects into each other's loads */

/* The host injects the same #VC into what the handler of the first does. */
static void nest(void)
{
    const char *why = NULL;
    struct trap_frame inner = frame;
    nested++;
    nested_most = nested > nested_most ? nested : nested_most;
    if (nested < 1000)
        (void)vc_handle(&inner, &why);
    nested--;
}

uint64_t test_mmio_read(uint64_t address, unsigned size)
{
    uint64_t value = 0;
    if (nested)
        nest();
    memcpy(&value, at(address, size), size);
    return value;
}

void test_mmio_write(uint64_t address, unsigned size, uint64_t value)
{
    memcpy(at(address, size), &value, size);
}

/* The device at DEVICE; ports give 0x5A, 0x5B, ... and add up in `data` of what is written. */
static uint64_t ports_written;

static void serve(void)
{
    struct ghcb_model *m = &ghcb_model;
    switch (m->code) {
    case EXIT_MMIO_READ:
        m->gives_data = 0xEEEEEEEEEEEEEEEE; /* the host's choice behind the value */
        memcpy(&m->gives_data, at(m->info_1 - MOVED, (unsigned)m->info_2), m->info_2);
        break;
    case EXIT_MMIO_WRITE:
        memcpy(at(m->info_1 - MOVED, (unsigned)m->info_2), &m->data, m->info_2);
        break;
    case EXIT_PORT:
        m->gives[GHCB_MODEL_RAX] = 0xEEEEEEEE12340059 + m->requests;
        ports_written = ports_written << 8 | (m->registers[GHCB_MODEL_RAX] & 0xFF);
        break;
    default:
        break;
    }
}

static int reset(void **state)
{
    (void)state;
    ghcb_model_reset();
    ghcb_model.serve = serve;
    ghcb_init();
    memset(&frame, 0, sizeof(frame));
    problem = NULL;
    ports_written = 0;
    for (unsigned i = 0; i < sizeof(device); i++) {
        device[i] = (uint8_t)(i * 7 + 1);
        ram[i] = (uint8_t)(i * 5 + 3);
    }
    return 0;
}

/* A #VC with this code at these bytes, which are the last of what can be read. */
static bool raise(uint64_t code, const uint8_t *bytes, size_t length)
{
    static uint8_t *pages;
    if (!pages) {
        pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_true(pages != MAP_FAILED && mprotect(pages + 4096, 4096, PROT_NONE) == 0);
    }
    uint8_t *code_at = pages + 4096 - length;
    memcpy(code_at, bytes, length);
    frame.vector = VECTOR_VC;
    frame.error = code;
    frame.rip = (uintptr_t)code_at;
    frame.cs = 0x18;
    problem = NULL;
    bool done = vc_handle(&frame, &problem);
    if (done)
        frame.rip -= (uintptr_t)code_at; /* how far it went */
    return done;
}
#define RAISE(code, ...)                                                                           \
    raise(code, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static bool is_valid(unsigned offset)
{
    return ghcb_model.valid[offset / 512] >> (offset / 8 % 64) & 1;
}

/* --- the start --- */

/* What the host says of its versions, and which the firmware takes; 0: the guest ends. */
static void check_version(uint64_t info, uint16_t version)
{
    ghcb_model_reset();
    ghcb_model.sev_info = info;
    if (setjmp(ghcb_model.end) == 0) {
        ghcb_init();
        assert_int_equal(ghcb_model.msr, GHCB_PAGE);
        assert_int_equal(ghcb_model_page()[0x123], 0);
        assert_int_equal(ghcb_mmio_write(0x1000, 1, 0), true);
        assert_int_equal(ghcb_model.version, version);
        assert_int_equal(ghcb_model.usage, 0);
    } else {
        assert_int_equal(version, 0);
        assert_int_equal(ghcb_model.terminated, 0x10100); /* set 0, reason 1 */
    }
}

static void test_versions(void **state)
{
    static const struct {
        uint64_t info;
        uint16_t version;
    } cases[] = {
        { 0x0002000133000001, 2 }, { 0x0001000133000001, 1 }, { 0x0003000133000001, 2 },
        { 0x0002000233000001, 2 }, { 0x0003000333000001, 0 }, { 0x0001000233000001, 0 },
        { 0x0000000033000001, 0 }, { 0x0002000133000002, 0 }, { 0x0002000133000101, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_version(cases[i].info, cases[i].version);
}

static void test_termination_names_its_reason(void **state)
{
    (void)state;
    if (setjmp(ghcb_model.end) == 0)
        ghcb_terminate(TERMINATE_VC);
    assert_int_equal(ghcb_model.terminated, 0x100 | 2 << 12 | 'T' << 16);
}

/* --- requests --- */

static void test_cpuid(void **state)
{
    (void)state;
    frame.rax = 0x1122334455667788;
    frame.rcx = 0xFFFFFFFF00000002;
    frame.rbx = frame.rdx = UINT64_MAX;
    ghcb_model.gives[GHCB_MODEL_RAX] = 0xDEAD00000001;
    ghcb_model.gives[GHCB_MODEL_RBX] = 0xDEAD00000002;
    ghcb_model.gives[GHCB_MODEL_RCX] = 0xDEAD00000003;
    ghcb_model.gives[GHCB_MODEL_RDX] = 0xDEAD00000004;
    assert_true(RAISE(EXIT_CPUID, 0x0F, 0xA2));
    assert_int_equal(frame.rip, 2);
    assert_int_equal(ghcb_model.code, 0x72);
    assert_int_equal(ghcb_model.registers[GHCB_MODEL_RAX], 0x55667788); /* no more than it takes */
    assert_int_equal(ghcb_model.registers[GHCB_MODEL_RCX], 2);
    assert_int_equal(ghcb_model.xcr0, 1);
    assert_true(is_valid(0x1F8) && is_valid(0x308) && is_valid(0x3E8) && is_valid(0x390)
                && is_valid(0x398) && is_valid(0x3A0));
    assert_false(is_valid(0x318) || is_valid(0x310) || is_valid(0x3A8));
    assert_int_equal(frame.rax, 1);
    assert_int_equal(frame.rbx, 2);
    assert_int_equal(frame.rcx, 3);
    assert_int_equal(frame.rdx, 4);
    assert_int_equal(ghcb_model.msr, GHCB_PAGE);
    assert_true(ghcb_model.interrupts);
    ghcb_model.osxsave = true;
    assert_true(RAISE(EXIT_CPUID, 0x0F, 0xA2));
    assert_int_equal(ghcb_model.xcr0, 0x207);
}

static void test_answers_without_a_register(void **state)
{
    (void)state;
    for (unsigned i = 0; i < GHCB_MODEL_REGISTERS; i++) {
        const struct trap_frame before = frame;
        ghcb_model.withholds[i] = true;
        assert_false(RAISE(EXIT_CPUID, 0x0F, 0xA2));
        assert_non_null(problem);
        assert_int_equal(frame.rax, before.rax);
        assert_int_equal(frame.vector, VECTOR_VC);
        ghcb_model.withholds[i] = false;
    }
}

/* What the reset code proved, the C-bit's position, is not denied to those that come after it. */
static void test_cpuid_does_not_deny_encryption(void **state)
{
    static const struct {
        uint64_t leaf, rax, rbx, rdx;
        bool believed;
    } cases[] = {
        { 0x80000000, 0x8000001F, 0, 0, true },
        { 0x80000000, 0x80000021, 0, 0, true },
        { 0x80000000, 0x8000001E, 0, 0, false },
        { 0x80000000, 0xFF00000000 + 8, 0, 0, false },
        { 0x8000001F, 0xA, 51, 0, true },
        { 0x8000001F, 0x2, 0xFFFFFFC0 + 51, 0, true },
        { 0xFFFFFFFF8000001F, 0x8, 51, 0, false },
        { 0x8000001F, 0x2, 47, 0, false },
        { 0x8000001F, 0x2, 0, 0, false },
        { 0x80000001, 0, 0, 0x100000, true }, /* NX */
        { 0x80000001, 0, 0, 0xFFEFFFFF, false },
        { 0x8000001E, 0, 0, 0, true },
        { 1, 0, 0, 0, true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        frame.rax = cases[i].leaf;
        ghcb_model.gives[GHCB_MODEL_RAX] = cases[i].rax;
        ghcb_model.gives[GHCB_MODEL_RBX] = cases[i].rbx;
        ghcb_model.gives[GHCB_MODEL_RDX] = cases[i].rdx;
        assert_int_equal(RAISE(EXIT_CPUID, 0x0F, 0xA2), cases[i].believed);
        assert_int_equal(frame.rax, cases[i].believed ? (uint32_t)cases[i].rax : cases[i].leaf);
    }
}

static void test_msr(void **state)
{
    (void)state;
    frame.rcx = 0x1B;
    ghcb_model.gives[GHCB_MODEL_RAX] = 0xFEE00900;
    ghcb_model.gives[GHCB_MODEL_RDX] = 7;
    assert_true(RAISE(EXIT_MSR, 0x0F, 0x32));
    assert_int_equal(ghcb_model.info_1, 0);
    assert_int_equal(ghcb_model.registers[GHCB_MODEL_RCX], 0x1B);
    assert_false(is_valid(0x1F8));
    assert_int_equal(frame.rax, 0xFEE00900);
    assert_int_equal(frame.rdx, 7);
    frame.rax = 0x11;
    frame.rdx = 0x22;
    assert_true(RAISE(EXIT_MSR, 0x0F, 0x30));
    assert_int_equal(ghcb_model.info_1, 1);
    assert_int_equal(ghcb_model.registers[GHCB_MODEL_RAX], 0x11);
    assert_int_equal(ghcb_model.registers[GHCB_MODEL_RDX], 0x22);
    assert_int_equal(frame.rax, 0x11);
}

static void test_exceptions(void **state)
{
    static const struct {
        uint64_t result, event;
        unsigned vector; /* 0: refused */
    } cases[] = {
        { 1, 0x8000030D, 13 }, { 1, 0x80000306, 6 },  { 1, 0x80000B0D, 13 },
        { 1, 0x0000030D, 0 },  { 1, 0x8000000D, 0 },  { 1, 0x8000030E, 0 }, { 1, 0x8000031D, 0 },
        { 1, 0x8000040D, 0 },  { 2, 0x8000030D, 0 },  { 2, 5, 0 },          { 0xFFFFFFFF, 0, 0 },
        { 0xABCD00000001, 0x8000030D, 13 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ghcb_model.result = cases[i].result;
        ghcb_model.event = cases[i].event;
        assert_false(RAISE(EXIT_MSR, 0x0F, 0x32));
        assert_int_equal(frame.vector, cases[i].vector ? cases[i].vector : VECTOR_VC);
        assert_int_equal(problem == NULL, cases[i].vector != 0);
        assert_int_equal(frame.error, cases[i].vector ? 0 : EXIT_MSR);
        assert_int_equal(frame.rax, 0);
    }
}

static void test_others(void **state)
{
    (void)state;
    ghcb_model.gives[GHCB_MODEL_RAX] = 0x1111111122222222;
    ghcb_model.gives[GHCB_MODEL_RDX] = 4;
    ghcb_model.gives[GHCB_MODEL_RCX] = 5;
    assert_true(RAISE(EXIT_RDTSC, 0x0F, 0x31));
    assert_int_equal(frame.rax, 0x22222222);
    assert_int_equal(frame.rcx, 0);
    assert_true(RAISE(EXIT_RDTSCP, 0x0F, 0x01, 0xF9));
    assert_int_equal(frame.rip, 3);
    assert_int_equal(frame.rcx, 5);
    assert_true(RAISE(EXIT_RDPMC, 0x0F, 0x33));
    assert_int_equal(ghcb_model.registers[GHCB_MODEL_RCX], 5);
    assert_true(RAISE(EXIT_INVD, 0x0F, 0x08));
    assert_true(RAISE(EXIT_WBINVD, 0x0F, 0x09));
    assert_int_equal(ghcb_model.code, 0x89);
    frame.rbx = 0x77;
    assert_true(RAISE(EXIT_VMMCALL, 0x0F, 0x01, 0xD9));
    assert_int_equal(ghcb_model.registers[GHCB_MODEL_RBX], 0x77);
    assert_true(is_valid(0xC8));
    assert_int_equal(ghcb_model.cpl, 0);
    assert_int_equal(frame.rax, 0x1111111122222222);
    unsigned before = ghcb_model.requests;
    assert_true(RAISE(EXIT_MONITOR, 0x0F, 0x01, 0xC8));
    assert_true(RAISE(EXIT_MWAIT, 0x0F, 0x01, 0xC9));
    assert_int_equal(ghcb_model.requests, before);
}

static void test_debug_register(void **state)
{
    (void)state;
    assert_true(RAISE(EXIT_DR7_READ, 0x41, 0x0F, 0x21, 0xF8)); /* mov %dr7, %r8 */
    assert_int_equal(frame.r8, 0x400);
    assert_int_equal(ghcb_model.requests, 0);
    frame.rdx = 0x401;
    assert_true(RAISE(EXIT_DR7_WRITE, 0x0F, 0x23, 0xFA)); /* mov %rdx, %dr7 */
    assert_int_equal(ghcb_model.registers[GHCB_MODEL_RAX], 0x401);
    assert_true(RAISE(EXIT_DR7_READ, 0x0F, 0x21, 0x39)); /* whatever its mod says */
    assert_int_equal(frame.rip, 3);
    assert_int_equal(frame.rcx, 0x401);
    ghcb_model.result = 2;
    frame.rdx = 0x400;
    assert_false(RAISE(EXIT_DR7_WRITE, 0x0F, 0x23, 0xFA));
    ghcb_model.result = 0;
    assert_true(RAISE(EXIT_DR7_READ, 0x0F, 0x21, 0xF9));
    assert_int_equal(frame.rcx, 0x401);
    assert_true(RAISE(EXIT_DR7_WRITE, 0x0F, 0x23, 0xFA));
    assert_false(RAISE(EXIT_DR7_READ, 0x0F, 0x21, 0xF1)); /* DR6 */
}

/* The host chooses code and moment; the instruction is somebody's who did not ask for that. */
static void test_codes_that_do_not_fit(void **state)
{
    static const uint8_t instructions[][3] = {
        { 0x0F, 0xA2 }, { 0x0F, 0x32 }, { 0x0F, 0x30 }, { 0x0F, 0x31 }, { 0x0F, 0x33 },
        { 0x0F, 0x08 }, { 0x0F, 0x09 }, { 0x0F, 0x01, 0xD9 }, { 0x0F, 0x01, 0xF9 },
        { 0x0F, 0x01, 0xC8 }, { 0x0F, 0x01, 0xC9 }, { 0xEC }, { 0x6C }, { 0x8B, 0x03 },
        { 0x0F, 0x21, 0xF8 }, { 0x0F, 0x23, 0xF8 }, { 0x90 }, { 0x0F, 0x05 }, { 0x0F, 0x01, 0xC1 },
    };
    static const struct {
        uint16_t code;
        uint8_t fits[2]; /* indices of instructions */
    } codes[] = {
        { EXIT_CPUID, { 0, 0 } }, { EXIT_MSR, { 1, 2 } }, { EXIT_RDTSC, { 3, 3 } },
        { EXIT_RDPMC, { 4, 4 } }, { EXIT_INVD, { 5, 5 } }, { EXIT_WBINVD, { 6, 6 } },
        { EXIT_VMMCALL, { 7, 7 } }, { EXIT_RDTSCP, { 8, 8 } }, { EXIT_MONITOR, { 9, 9 } },
        { EXIT_MWAIT, { 10, 10 } }, { EXIT_PORT, { 11, 12 } },
        { EXIT_NESTED_PAGE_FAULT, { 13, 13 } }, { EXIT_DR7_READ, { 14, 14 } },
        { EXIT_DR7_WRITE, { 15, 15 } }, { 0x78, { 99, 99 } }, { 0, { 99, 99 } },
    };
    (void)state;
    for (size_t c = 0; c < sizeof(codes) / sizeof(codes[0]); c++) {
        for (size_t i = 0; i < sizeof(instructions) / sizeof(instructions[0]); i++) {
            memset(&frame, 0, sizeof(frame));
            frame.rbx = DEVICE;
            frame.rdi = PRIVATE;
            unsigned before = ghcb_model.requests;
            bool fits = codes[c].fits[0] == i || codes[c].fits[1] == i;
            assert_int_equal(raise(codes[c].code, instructions[i], sizeof(instructions[i])), fits);
            if (!fits) {
                assert_non_null(problem);
                assert_int_equal(ghcb_model.requests, before);
            }
        }
    }
    ghcb_model.code32 = true;
    assert_false(RAISE(EXIT_CPUID, 0x0F, 0xA2));
    assert_int_equal(frame.error, EXIT_CPUID);
}

/* Hardware never raises these: a host that injects them would see registers and choose results. */
static void test_what_is_never_raised(void **state)
{
    (void)state;
    assert_false(RAISE(EXIT_VMMCALL, 0xF3, 0x0F, 0x01, 0xD9)); /* VMGEXIT */
    assert_non_null(problem);
    for (uint64_t msr = 0xC0010130; msr <= 0xC0010131; msr++) { /* GHCB, SEV_STATUS */
        frame.rcx = 0xFF00000000 | msr;
        assert_false(RAISE(EXIT_MSR, 0x0F, 0x32));
        assert_false(RAISE(EXIT_MSR, 0x0F, 0x30));
        assert_non_null(problem);
    }
    assert_int_equal(ghcb_model.requests, 0);
    frame.rcx = 0xC0010132;
    assert_true(RAISE(EXIT_MSR, 0x0F, 0x32));
    frame.rcx = 0xC001012F;
    assert_true(RAISE(EXIT_MSR, 0x0F, 0x32));
}

/* --- ports --- */

static void test_ports(void **state)
{
    static const struct {
        uint8_t bytes[4];
        unsigned length, info; /* SW_EXITINFO1 */
        uint64_t rax;          /* after an IN */
    } cases[] = {
        { { 0xEC }, 1, 0x03F80211, 0xAAAAAAAAAAAAAA5A },
        { { 0xED }, 1, 0x03F80241, 0x1234005A },
        { { 0x66, 0xED }, 2, 0x03F80221, 0xAAAAAAAAAAAA005A },
        { { 0x48, 0xED }, 2, 0x03F80241, 0x1234005A },
        { { 0xE4, 0x92 }, 2, 0x00920211, 0xAAAAAAAAAAAAAA5A },
        { { 0xE5, 0x92 }, 2, 0x00920241, 0x1234005A },
        { { 0xEE }, 1, 0x03F80210, 0 },
        { { 0xEF }, 1, 0x03F80240, 0 },
        { { 0x66, 0xEF }, 2, 0x03F80220, 0 },
        { { 0xE6, 0x92 }, 2, 0x00920210, 0 },
        { { 0xE7, 0x92 }, 2, 0x00920240, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reset(NULL);
        frame.rax = 0xAAAAAAAAAAAAAAAA;
        frame.rdx = 0xFFFF03F8;
        assert_true(raise(EXIT_PORT, cases[i].bytes, cases[i].length));
        assert_int_equal(frame.rip, cases[i].length);
        assert_int_equal(ghcb_model.info_1, cases[i].info);
        assert_true(is_valid(0x1F8));
        unsigned size = cases[i].info >> 4 & 7;
        assert_int_equal(ghcb_model.registers[GHCB_MODEL_RAX],
                         cases[i].rax ? 0 : 0xAAAAAAAA & (UINT32_MAX >> (32 - 8 * size)));
        assert_int_equal(frame.rax, cases[i].rax ? cases[i].rax : 0xAAAAAAAAAAAAAAAA);
    }
    ghcb_model.withholds[GHCB_MODEL_RAX] = true;
    assert_false(RAISE(EXIT_PORT, 0xEC));
}

static void test_port_strings(void **state)
{
    (void)state;
    frame.rdx = 0x1F0;
    frame.rcx = 3;
    frame.rdi = PRIVATE;
    assert_true(RAISE(EXIT_PORT, 0xF3, 0x6C)); /* rep insb */
    assert_int_equal(frame.rip, 2);
    assert_int_equal(frame.rcx, 0);
    assert_int_equal(frame.rdi, PRIVATE + 3);
    assert_memory_equal(ram, "\x5A\x5B\x5C", 3);
    assert_int_equal(ghcb_model.info_1, 0x01F00211);
    frame.rcx = 2;
    frame.rsi = PRIVATE + 1;
    frame.rflags = 0x400; /* downwards */
    assert_true(RAISE(EXIT_PORT, 0xF3, 0x6E));
    assert_int_equal(frame.rsi, PRIVATE - 1);
    assert_int_equal(ports_written & 0xFFFF, 0x5B5A);
    frame.rflags = 0;
    frame.rdi = PRIVATE;
    assert_true(RAISE(EXIT_PORT, 0x66, 0x6D)); /* one word */
    assert_int_equal(frame.rdi, PRIVATE + 2);
    assert_int_equal(frame.rcx, 0);
    /* Many: in pieces, so that interrupts come in between. */
    frame.rcx = 1000;
    frame.rdi = PRIVATE;
    unsigned rounds = 0;
    do {
        assert_true(RAISE(EXIT_PORT, 0xF3, 0x6C));
        rounds++;
    } while (frame.rip == 0);
    assert_int_equal(frame.rcx, 0);
    assert_int_equal(frame.rdi, PRIVATE + 1000);
    assert_true(rounds > 1);
    /* An exception in the middle leaves what was done. */
    frame.rcx = 5;
    ghcb_model.result = 1;
    ghcb_model.event = 0x8000030D;
    assert_false(RAISE(EXIT_PORT, 0xF3, 0x6C));
    assert_int_equal(frame.vector, 13);
    assert_int_equal(frame.rcx, 5);
}

/* --- device memory --- */

static void test_private_memory_stays(void **state)
{
    (void)state;
    frame.rbx = PRIVATE;
    frame.rax = 0x5EC2E7;
    assert_false(RAISE(EXIT_NESTED_PAGE_FAULT, 0x89, 0x03)); /* mov %eax, (%rbx) */
    assert_non_null(problem);
    assert_false(RAISE(EXIT_NESTED_PAGE_FAULT, 0x8B, 0x03));
    assert_int_equal(frame.rax, 0x5EC2E7);
    frame.rbx = DEVICE + 4093;
    assert_false(RAISE(EXIT_NESTED_PAGE_FAULT, 0x89, 0x03)); /* into the next page */
    assert_false(RAISE(EXIT_NESTED_PAGE_FAULT, 0x89, 0xC3)); /* no memory at all */
    assert_int_equal(ghcb_model.requests, 0);
    frame.rbx = DEVICE + 4092;
    assert_true(RAISE(EXIT_NESTED_PAGE_FAULT, 0x89, 0x03));
    assert_int_equal(ghcb_model.info_1, DEVICE + MOVED + 4092);
    assert_int_equal(ghcb_model.info_2, 4);
    assert_int_equal(ghcb_model.scratch, GHCB_PAGE + 0x800);
    assert_true(is_valid(0x3A8));
}

static void test_addresses(void **state)
{
    (void)state;
    frame.r13 = DEVICE;
    frame.r12 = 3;
    assert_true(RAISE(EXIT_NESTED_PAGE_FAULT, 0x43, 0x8A, 0x44, 0xA5, 0x10)); /* 0x10(%r13,%r12,4) */
    assert_int_equal(ghcb_model.info_1, DEVICE + MOVED + 0x1C);
    assert_int_equal(frame.rax, device[0x1C]);
    frame.rsp = DEVICE + 8;
    assert_true(RAISE(EXIT_NESTED_PAGE_FAULT, 0x8B, 0x0C, 0x24)); /* (%rsp) */
    assert_int_equal(ghcb_model.info_1, DEVICE + MOVED + 8);
    frame.rcx = DEVICE / 2;
    assert_true(RAISE(EXIT_NESTED_PAGE_FAULT, 0x8B, 0x04, 0x4D, 4, 0, 0, 0)); /* 4(,%rcx,2) */
    assert_int_equal(ghcb_model.info_1, DEVICE + MOVED + 4);
    frame.rbp = DEVICE + 0x80;
    assert_true(RAISE(EXIT_NESTED_PAGE_FAULT, 0x8B, 0x45, 0x80)); /* -0x80(%rbp) */
    assert_int_equal(ghcb_model.info_1, DEVICE + MOVED);
    assert_true(RAISE(EXIT_NESTED_PAGE_FAULT, 0xA1, 0x10, 0, 0xD0, 0xFE, 0, 0, 0, 0));
    assert_int_equal(ghcb_model.info_1, DEVICE + MOVED + 0x10);
    assert_true(RAISE(EXIT_NESTED_PAGE_FAULT, 0x67, 0xA2, 0x11, 0, 0xD0, 0xFE));
    assert_int_equal(ghcb_model.info_1, DEVICE + MOVED + 0x11);
    frame.rax = 0xFFFFFFFF00000000 + DEVICE;
    assert_true(RAISE(EXIT_NESTED_PAGE_FAULT, 0x67, 0x8B, 0x08)); /* (%eax) */
    assert_int_equal(ghcb_model.info_1, DEVICE + MOVED);
    /* Relative to the next instruction, behind the immediate. */
    struct instruction insn;
    frame.rip = DEVICE;
    static const uint8_t relative[] = { 0xC7, 0x05, 0xF6, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4 };
    assert_true(instruction_decode(relative, sizeof(relative), &frame, &insn));
    assert_int_equal(insn.address, DEVICE);
    assert_int_equal(insn.immediate, 0x04030201);
}

static void test_device_strings(void **state)
{
    (void)state;
    frame.rsi = PRIVATE;
    frame.rdi = DEVICE;
    frame.rcx = 2;
    assert_true(RAISE(EXIT_NESTED_PAGE_FAULT, 0xF3, 0x48, 0xA5)); /* rep movsq */
    assert_memory_equal(device, ram, 16);
    assert_int_equal(frame.rsi, PRIVATE + 16);
    assert_int_equal(frame.rdi, DEVICE + 16);
    assert_int_equal(frame.rcx, 0);
    frame.rax = 0x11223344;
    frame.rcx = 3;
    assert_true(RAISE(EXIT_NESTED_PAGE_FAULT, 0xF3, 0xAB)); /* rep stosl */
    assert_int_equal(frame.rdi, DEVICE + 28);
    assert_memory_equal(device + 16, "\x44\x33\x22\x11\x44\x33\x22\x11\x44\x33\x22\x11\xC5", 13);
    frame.rsi = DEVICE + 100;
    assert_true(RAISE(EXIT_NESTED_PAGE_FAULT, 0xAC)); /* lodsb */
    assert_int_equal(frame.rax, 0x11223300 | device[100]);
    assert_int_equal(frame.rsi, DEVICE + 101);
    frame.rcx = 0;
    assert_true(RAISE(EXIT_NESTED_PAGE_FAULT, 0xF3, 0xA4));
    assert_int_equal(frame.rsi, DEVICE + 101);
    /* With 32-bit addresses the registers' upper halves are neither used nor kept. */
    frame.rsi = 0xFFFFFFFF00000000 + PRIVATE;
    frame.rdi = 0xFFFFFFFF00000000 + DEVICE;
    frame.rcx = 0xFFFFFFFF00000001;
    assert_true(RAISE(EXIT_NESTED_PAGE_FAULT, 0x67, 0xF3, 0xA4));
    assert_int_equal(frame.rsi, PRIVATE + 1);
    assert_int_equal(frame.rcx, 0);
}

static void test_the_depth_is_limited(void **state)
{
    (void)state;
    frame.rsi = PRIVATE;
    nested = 1;
    nested_most = 0;
    (void)RAISE(EXIT_NESTED_PAGE_FAULT, 0xAC); /* lodsb, and again in its load */
    nested = 0;
    assert_true(nested_most > 1 && nested_most < 8);
    frame.rsi = PRIVATE;
    assert_true(RAISE(EXIT_NESTED_PAGE_FAULT, 0xAC)); /* it recovers */
}

static void test_a_refused_access_changes_nothing(void **state)
{
    (void)state;
    ghcb_model.result = 2;
    frame.rbx = DEVICE;
    frame.rax = 7;
    assert_false(RAISE(EXIT_NESTED_PAGE_FAULT, 0x8B, 0x03));
    assert_false(RAISE(EXIT_NESTED_PAGE_FAULT, 0x01, 0x03));
    assert_int_equal(frame.rax, 7);
    assert_int_equal(frame.rflags, 0);
}

/* --- against the processor --- */

static uint64_t seed = 0x9E3779B97F4A7C15;

static uint64_t random_number(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

/* Interesting numbers as often as any. */
static uint64_t random_operand(void)
{
    static const uint64_t special[] = { 0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0x7FFFFFFF,
                                        0x80000000, UINT32_MAX, INT64_MAX, 1ull << 63, UINT64_MAX };
    uint64_t pick = random_number();
    return pick & 1 ? special[pick / 2 % (sizeof(special) / sizeof(special[0]))] : random_number();
}

static uint8_t *code_page;

/* Runs an instruction here, with the registers and flags of `f`. */
static void run(struct trap_frame *f, const uint8_t *bytes, size_t length)
{
    memcpy(code_page, bytes, length);
    code_page[length] = 0xC3;
    register uint64_t r8 __asm__("r8") = f->r8;
    register uint64_t r9 __asm__("r9") = f->r9;
    uint64_t flags = (f->rflags & 0x8D5) | 2;
    __asm__ volatile("lea -128(%%rsp), %%rsp\n"
                     "push %[flags]\n"
                     "push %[code]\n"
                     "popq %[code]\n"
                     "popfq\n"
                     "call *%[code]\n"
                     "pushfq\n"
                     "popq %[flags]\n"
                     "lea 128(%%rsp), %%rsp\n"
                     : "+a"(f->rax), "+b"(f->rbx), "+c"(f->rcx), "+d"(f->rdx), "+S"(f->rsi),
                       "+D"(f->rdi), "+r"(r8), "+r"(r9), [flags] "+r"(flags)
                     : [code] "r"(code_page)
                     : "memory", "cc");
    f->r8 = r8;
    f->r9 = r9;
    f->rflags = flags;
}

struct pattern {
    uint16_t opcode;
    int member;         /* of a group: the ModRM's middle field; -1: a register */
    uint8_t immediate;  /* bytes; 4: two with the operand size prefix */
    bool byte, unclear; /* operands of one byte; AF is undefined */
};

static size_t encode(const struct pattern *p, uint8_t *out)
{
    static const uint8_t prefixes[] = { 0, 0x66, 0x40, 0x44, 0x48, 0x4C };
    uint8_t prefix = prefixes[random_number() % sizeof(prefixes)];
    uint8_t reg = (uint8_t)(random_number() % 8), kind = (uint8_t)(random_number() % 4);
    size_t n = 0;
    bool high = p->byte && (prefix == 0 || prefix == 0x66); /* AH to DH */
    if (prefix == 0x44 || prefix == 0x4C)
        reg &= 1; /* r8, r9 */
    else if (reg == 3 || ((reg == 4 || reg == 5) && !high) || (reg == 7 && high))
        reg = 1; /* neither the stack's nor the address */
    if (prefix)
        out[n++] = prefix;
    if (p->opcode > 0xFF)
        out[n++] = 0x0F;
    out[n++] = (uint8_t)p->opcode;
    uint8_t middle = (uint8_t)((p->member >= 0 ? (unsigned)p->member : reg) << 3);
    switch (kind) {
    case 0:
        out[n++] = middle | 3; /* (%rbx) */
        break;
    case 1:
        out[n++] = middle | 0x43;
        out[n++] = (uint8_t)random_number();
        break;
    case 2:
        out[n++] = middle | 0x83;
        out[n++] = (uint8_t)random_number();
        out[n++] = 1;
        out[n++] = 0;
        out[n++] = 0;
        break;
    default:
        out[n++] = middle | 0x44; /* (%rbx,%rsi,2) */
        out[n++] = 0x73;
        out[n++] = 8;
    }
    unsigned bytes = p->immediate == 4 && prefix == 0x66 ? 2 : p->immediate;
    for (unsigned i = 0; i < bytes; i++)
        out[n++] = (uint8_t)(random_operand() >> (8 * (i & 1)));
    return n;
}

static void compare(const struct pattern *p)
{
    uint8_t bytes[15];
    size_t length = encode(p, bytes);
    struct trap_frame native = { 0 };
    for (unsigned i = 0; i < 16; i++)
        *register_at(&native, i) = random_operand();
    native.rsi = random_number() % 64;
    native.rflags = random_number() & 0x8D5;
    for (unsigned i = 0; i < 512; i += 8) {
        uint64_t value = random_operand();
        memcpy(device + 1024 + i, &value, 8);
    }
    uint8_t before[sizeof(device)], after[sizeof(device)];
    memcpy(before, device, sizeof(device));
    frame = native;
    frame.rbx = DEVICE + 1024 + 128;
    native.rbx = (uintptr_t)device + 1024 + 128;
    run(&native, bytes, length);
    memcpy(after, device, sizeof(device));
    memcpy(device, before, sizeof(device));
    assert_true(raise(EXIT_NESTED_PAGE_FAULT, bytes, length));
    assert_int_equal(frame.rip, length);
    assert_memory_equal(device, after, sizeof(device));
    uint64_t flags = p->unclear ? 0x8C5 : 0x8D5;
    assert_int_equal(frame.rflags & flags, native.rflags & flags);
    for (unsigned i = 0; i < 16; i++) {
        uint64_t mine = *register_at(&frame, i), theirs = *register_at(&native, i);
        if (i < 3 || i > 5)
            assert_int_equal(mine, theirs);
    }
}

static void test_against_the_processor(void **state)
{
    static const struct pattern moves[] = {
        { 0x88, -1, 0, true, false },  { 0x89, -1, 0, false, false }, { 0x8A, -1, 0, true, false },
        { 0x8B, -1, 0, false, false }, { 0x63, -1, 0, false, false }, { 0xC6, 0, 1, true, false },
        { 0xC7, 0, 4, false, false },  { 0x86, -1, 0, true, false },  { 0x87, -1, 0, false, false },
        { 0x84, -1, 0, true, true },   { 0x85, -1, 0, false, true },  { 0xF6, 0, 1, true, true },
        { 0xF7, 0, 4, false, true },   { 0xF6, 1, 1, true, true },    { 0x1B6, -1, 0, false, false },
        { 0x1B7, -1, 0, false, false }, { 0x1BE, -1, 0, false, false },
        { 0x1BF, -1, 0, false, false },
    };
    (void)state;
    code_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                     0);
    assert_true(code_page != MAP_FAILED);
    for (unsigned round = 0; round < 400; round++) {
        for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
            compare(&moves[i]);
        for (unsigned function = 0; function < 8; function++) {
            bool logic = function == 1 || function == 4 || function == 6;
            for (unsigned form = 0; form < 4; form++)
                compare(&(struct pattern){ (uint16_t)(function << 3 | form), -1, 0, !(form & 1),
                                           logic });
            compare(&(struct pattern){ 0x80, (int)function, 1, true, logic });
            compare(&(struct pattern){ 0x81, (int)function, 4, false, logic });
            compare(&(struct pattern){ 0x83, (int)function, 1, false, logic });
        }
    }
}

static void test_no_byte_too_many(void **state)
{
    static const uint8_t endless[20] = { 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
                                         0x66, 0x66, 0x66, 0x66, 0x66, 0x8B, 0x03 };
    struct instruction insn;
    (void)state;
    frame.rbx = DEVICE;
    assert_false(instruction_decode(endless, sizeof(endless), &frame, &insn));
    assert_true(instruction_decode(endless + 2, 15, &frame, &insn));
    assert_int_equal(insn.length, 15);
    assert_false(instruction_decode(endless + 2, 14, &frame, &insn));
    assert_false(RAISE(EXIT_NESTED_PAGE_FAULT, 0x64, 0x8B, 0x03)); /* FS */
    assert_false(RAISE(EXIT_NESTED_PAGE_FAULT, 0xC7, 0x4B, 0, 0, 0, 0, 0)); /* C7 /1 */
    assert_false(RAISE(EXIT_NESTED_PAGE_FAULT, 0xF7, 0x13, 0, 0, 0, 0));    /* NOT */
    assert_int_equal(ghcb_model.requests, 0);
}

/* --- at runtime --- the last test: there is no way back */

static void test_the_kernels_page(void **state)
{
    static uint8_t kernels[4096] __attribute__((aligned(4096)));
    (void)state;
    ghcb_model.msr = (uintptr_t)kernels;
    assert_true(ghcb_mmio_write(DEVICE + MOVED, 1, 0x77)); /* still in our hands */
    assert_int_equal(device[0], 0x77);
    assert_int_equal(ghcb_model.scratch, GHCB_PAGE + 0x800);
    assert_int_equal(ghcb_model.msr, (uintptr_t)kernels);
    ghcb_leave();
    assert_true(ghcb_mmio_write(DEVICE + MOVED + 1, 1, 0x78));
    assert_int_equal(device[1], 0x78);
    assert_int_equal(ghcb_model.scratch, (uintptr_t)kernels + 0x800);
    unsigned before = ghcb_model.requests;
    ghcb_model.msr = 0x0002000133000001; /* the rest of a conversation */
    assert_false(ghcb_mmio_write(DEVICE + MOVED + 1, 1, 0x79));
    ghcb_model.msr = 0;
    assert_false(ghcb_mmio_write(DEVICE + MOVED + 1, 1, 0x79));
    assert_int_equal(ghcb_model.requests, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_versions, reset),
        cmocka_unit_test_setup(test_termination_names_its_reason, reset),
        cmocka_unit_test_setup(test_cpuid, reset),
        cmocka_unit_test_setup(test_answers_without_a_register, reset),
        cmocka_unit_test_setup(test_cpuid_does_not_deny_encryption, reset),
        cmocka_unit_test_setup(test_msr, reset),
        cmocka_unit_test_setup(test_exceptions, reset),
        cmocka_unit_test_setup(test_others, reset),
        cmocka_unit_test_setup(test_debug_register, reset),
        cmocka_unit_test_setup(test_codes_that_do_not_fit, reset),
        cmocka_unit_test_setup(test_what_is_never_raised, reset),
        cmocka_unit_test_setup(test_ports, reset),
        cmocka_unit_test_setup(test_port_strings, reset),
        cmocka_unit_test_setup(test_private_memory_stays, reset),
        cmocka_unit_test_setup(test_addresses, reset),
        cmocka_unit_test_setup(test_device_strings, reset),
        cmocka_unit_test_setup(test_the_depth_is_limited, reset),
        cmocka_unit_test_setup(test_a_refused_access_changes_nothing, reset),
        cmocka_unit_test_setup(test_against_the_processor, reset),
        cmocka_unit_test_setup(test_no_byte_too_many, reset),
        cmocka_unit_test_setup(test_the_kernels_page, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
