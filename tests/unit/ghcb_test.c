/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The hypervisor's side of VMGEXIT: every request by page and by MSR with good input, and with what a
 * hostile guest may put there instead. ghcb_memory_test.c has ports, scratch areas and MMIO.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "machine/cpu/observer.h"
#include "machine/cpu/system.h"
#include "sev/bytes.h"
#include "tests/unit/ghcb_rig.h"

/* --- what a request must have ----------------------------------------------------------------- */

static const struct {
    const char *name;
    struct ask ask; /* has: what it needs, no more */
} requests[] = {
    { "dr7-read", { SEV_EXIT_DR7_READ } },
    { "dr7-write", { SEV_EXIT_DR7_WRITE, .has = RAX_ } },
    { "rdtsc", { SEV_EXIT_RDTSC } },
    { "rdpmc", { SEV_EXIT_RDPMC, .has = RCX_ } },
    { "cpuid", { SEV_EXIT_CPUID, .has = RAX_ | RCX_ } },
    { "cpuid", { SEV_EXIT_CPUID, .has = RAX_ | RCX_ | XCR0_, .rax = 0xD } },
    { "invd", { SEV_EXIT_INVD } },
    { "ioio", { SEV_EXIT_IOIO, .info1 = IN(1u) } },
    { "ioio", { SEV_EXIT_IOIO, .info1 = OUT(4u), .has = RAX_ } },
    { "ioio", { SEV_EXIT_IOIO, .info1 = INS(1u), .info2 = 1, .has = SCRATCH_ } },
    { "ioio", { SEV_EXIT_IOIO, .info1 = OUTS(1u), .info2 = 1, .has = SCRATCH_ } },
    { "msr", { SEV_EXIT_MSR, .has = RCX_, .rcx = 0x1B } },
    { "msr", { SEV_EXIT_MSR, .info1 = 1, .has = RAX_ | RCX_ | RDX_, .rcx = 0x1B } },
    { "vmmcall", { SEV_EXIT_VMMCALL, .has = RAX_ | CPL_ } },
    { "rdtscp", { SEV_EXIT_RDTSCP } },
    { "wbinvd", { SEV_EXIT_WBINVD } },
    { "monitor", { SEV_EXIT_MONITOR, .has = RAX_ | RCX_ | RDX_ } },
    { "mwait", { SEV_EXIT_MWAIT, .has = RAX_ | RCX_ } },
    { "mmio-read", { SEV_EXIT_MMIO_READ, .info1 = DEVICE, .info2 = 8, .has = SCRATCH_ } },
    { "mmio-write", { SEV_EXIT_MMIO_WRITE, .info1 = DEVICE, .info2 = 8, .has = SCRATCH_ } },
    { "nmi-complete", { SEV_EXIT_NMI_COMPLETE } },
    { "ap-reset-hold", { SEV_EXIT_AP_RESET_HOLD } },
    { "ap-jump-table", { SEV_EXIT_AP_JUMP_TABLE } },
    { "hypervisor-features", { SEV_EXIT_HYPERVISOR_FEATURES } },
    { "terminate", { SEV_EXIT_TERMINATE } },
    { "unsupported", { SEV_EXIT_UNSUPPORTED } },
};

static struct ask request(size_t k)
{
    struct ask ask = requests[k].ask;
    ask.scratch = BUFFER;
    return ask;
}

/* With what it needs a request is carried out, and is told by its name. */
static void needs_no_more(void **state)
{
    struct machine *m = *state;
    for (size_t k = 0; k < COUNT(requests); k++) {
        struct ask ask = request(k);
        struct answer answer = go(m, &ask);
        assert_int_equal(answer.result1, ask.code == SEV_EXIT_RDPMC ? SEV_GHCB_INJECT : SEV_GHCB_DONE);
        assert_string_equal(m->told.name, requests[k].name);
        cpu_set_halted(m->cpu[0], false);
    }
}

static void needs_no_less(void **state)
{
    struct machine *m = *state;
    for (size_t k = 0; k < COUNT(requests); k++) {
        struct ask ask = request(k);
        unsigned has = ask.has;
        for (unsigned bit = 1; bit < FIELDS; bit <<= 1) {
            ask.has = has & ~bit;
            if (has & bit)
                expect_error(m, &ask, SEV_GHCB_ERROR_MISSING_INPUT);
        }
        ask.has = has;
        for (ask.lacks = 1; ask.lacks <= 3; ask.lacks++)
            expect_error(m, &ask, SEV_GHCB_ERROR_MISSING_INPUT);
    }
}

/* KVM's order: a page that is laid out otherwise is not looked at, nor is what is not valid. */
static void usage(void **state)
{
    struct machine *m = *state;
    for (unsigned bit = 0; bit < 32; bit++) {
        struct ask ask = { .code = 0x12345, .usage = 1u << bit, .lacks = 1 };
        expect_error(m, &ask, SEV_GHCB_ERROR_USAGE);
    }
}

static void unknown_codes(void **state)
{
    struct machine *m = *state;
    static const uint64_t codes[] = { 0, 0x73, SEV_EXIT_NPF, 0x80000000, 0x80000010, 0x80000013,
                                      0x8000FFFC, 1ull << 32 | SEV_EXIT_CPUID, UINT64_MAX };
    for (size_t k = 0; k < COUNT(codes); k++) {
        struct ask ask = { .code = codes[k], .has = FIELDS - 1, .scratch = BUFFER };
        expect_error(m, &ask, SEV_GHCB_ERROR_EVENT);
        assert_null(m->told.name);
        assert_int_equal(m->told.code, codes[k]);
        ask.lacks = 3;
        expect_error(m, &ask, SEV_GHCB_ERROR_MISSING_INPUT);
    }
}

static void tells(void **state)
{
    struct machine *m = *state;
    struct ask ask = { SEV_EXIT_CPUID, 0x11, 0x22, RAX_ | RCX_ | SCRATCH_, .rax = 7, .rcx = 1,
                       .scratch = 0x33 };
    m->cpu[0]->rip = 0x1234;
    expect_done(m, &ask);
    assert_false(m->told.by_msr);
    assert_true(m->told.in_memory);
    assert_true(m->told.of_registers);
    assert_false(m->told.page_private);
    assert_int_equal(m->told.rip, cpu_vmgexit_rip(m->cpu[0]));
    assert_int_equal(m->told.page, GHCB);
    assert_int_equal(m->told.code, SEV_EXIT_CPUID);
    assert_int_equal(m->told.info1, 0x11);
    assert_int_equal(m->told.info2, 0x22);
    assert_int_equal(m->told.rax, 7);
    assert_int_equal(m->told.rcx, 1);
    assert_int_equal(m->told.scratch, 0x33);
    assert_int_equal(m->told.scratch_read, 0);
    ask = (struct ask){ SEV_EXIT_IOIO, OUTS(4u), 3, SCRATCH_, .scratch = BUFFER };
    expect_done(m, &ask);
    assert_false(m->told.of_registers);
    assert_int_equal(m->told.scratch_read, 12);
    m->common.host.told = NULL; /* nobody listens */
    assert_int_equal(ghcb_exit(&m->ghcb[0], GHCB), GHCB);
    assert_int_equal(ghcb_exit(&m->ghcb[0], DEVICE), DEVICE);
    assert_int_equal(ghcb_exit(&m->ghcb[0], 0xFFF), 0xFFF);
}

/* --- registers -------------------------------------------------------------------------------- */

static void cpuid(void **state)
{
    struct machine *m = *state;
    /* Upper halves count for nothing. */
    struct ask ask = { SEV_EXIT_CPUID, .has = RAX_ | RCX_, .rax = 0xFFFFFFFF00000000 };
    struct answer answer = expect_done(m, &ask);
    assert_true(answer.rax >= 0xD);
    assert_int_equal(answer.rbx, 0x68747541); /* AuthenticAMD */
    assert_int_equal(answer.rcx, 0x444D4163);
    assert_int_equal(answer.rdx, 0x69746E65);
    for (uint32_t subleaf = 0; subleaf < 3; subleaf++) {
        uint32_t leaf[4];
        cpu_cpuid(m->cpu[0], 0xD, subleaf, leaf);
        ask = (struct ask){ SEV_EXIT_CPUID, .has = RAX_ | RCX_ | XCR0_, .rax = 1ull << 32 | 0xD,
                            .rcx = 1ull << 63 | subleaf };
        answer = expect_done(m, &ask);
        assert_int_equal(answer.rax, leaf[0]);
        assert_int_equal(answer.rbx, leaf[1]);
        assert_int_equal(answer.rcx, leaf[2]);
        assert_int_equal(answer.rdx, leaf[3]);
    }
    ask.has = RAX_ | RCX_;
    expect_error(m, &ask, SEV_GHCB_ERROR_MISSING_INPUT);
}

/* Each processor answers for itself. */
static void cpuid_of_the_processor(void **state)
{
    struct machine *m = *state;
    for (unsigned n = 0; n < 2; n++) {
        struct ask ask = { SEV_EXIT_CPUID, .has = RAX_ | RCX_, .rax = 1 };
        struct answer answer = go_on(m, n, GHCB, &ask);
        assert_int_equal(answer.rbx >> 24, n);
    }
}

static void msr_reads(void **state)
{
    struct machine *m = *state;
    struct ask ask = { SEV_EXIT_MSR, .has = RAX_ | RCX_ | RDX_, .rax = 5, .rdx = 6,
                       .rcx = 0xFFFFFFFF0000001B };
    m->apic_base = 0x123456789ABCDEF0;
    struct answer answer = expect_done(m, &ask);
    assert_int_equal(answer.rax, 0x9ABCDEF0);
    assert_int_equal(answer.rdx, 0x12345678);
    assert_int_equal(answer.rcx, ask.rcx);
    ask.rcx = UNKNOWN;
    answer = go(m, &ask);
    expect_results(&answer, SEV_GHCB_INJECT, GP);
    assert_int_equal(answer.rax, 5);
    assert_int_equal(answer.rdx, 6);
}

static void msr_writes(void **state)
{
    struct machine *m = *state;
    struct ask ask = { SEV_EXIT_MSR, .info1 = 1, .has = RAX_ | RCX_ | RDX_, .rcx = 0x1B,
                       .rax = 0xFFFFFFFF89ABCDEF, .rdx = 0xFFFFFFFF01234567 };
    struct answer answer = expect_done(m, &ask);
    assert_int_equal(m->apic_base, 0x0123456789ABCDEF);
    assert_int_equal(answer.rax, ask.rax);
    assert_int_equal(answer.rdx, ask.rdx);
    ask.info1 = 1ull << 32; /* KVM: whatever is not 0 */
    ask.rax = 1;
    expect_done(m, &ask);
    assert_int_equal(m->apic_base, 0x0123456700000001);
    static const uint32_t refused[] = { UNKNOWN, 0x2FF /* its reserved bits */, 0xFE /* constant */ };
    for (size_t k = 0; k < COUNT(refused); k++) {
        ask.rcx = refused[k];
        answer = go(m, &ask);
        expect_results(&answer, SEV_GHCB_INJECT, GP);
    }
}

/* Those that the guest has for itself: the hypervisor has none, and changes none. */
static void msrs_of_the_guest(void **state)
{
    struct machine *m = *state;
    static const uint32_t msrs[] = { 0x174, 0x277, 0xC0000080, 0xC0000082, 0xC0000100, 0xC0000103,
                                     SEV_MSR_GHCB, SEV_MSR_STATUS };
    for (size_t k = 0; k < COUNT(msrs); k++) {
        uint64_t before, after;
        struct ask ask = { SEV_EXIT_MSR, .info1 = 1, .has = RAX_ | RCX_ | RDX_, .rcx = msrs[k],
                           .rax = 0x1000, .rdx = 1 };
        assert_true(cpu_msr_read(m->cpu[0], msrs[k], &before));
        expect_done(m, &ask);
        assert_true(cpu_msr_read(m->cpu[0], msrs[k], &after));
        assert_int_equal(before, after);
        cpu_msr_write(m->cpu[0], msrs[k], 0x1000);
        ask.info1 = 0;
        struct answer answer = expect_done(m, &ask);
        assert_int_equal(answer.rax, 0);
        assert_int_equal(answer.rdx, 0);
    }
}

static void time_stamps(void **state)
{
    struct machine *m = *state;
    struct ask ask = { SEV_EXIT_RDTSC, .has = RAX_ | RCX_ | RDX_, .rax = 1, .rcx = 2, .rdx = 3 };
    struct answer answer = expect_done(m, &ask);
    assert_int_equal(answer.rax, (uint32_t)TSC);
    assert_int_equal(answer.rdx, TSC >> 32);
    assert_int_equal(answer.rcx, 2);
    assert_true(cpu_msr_write(m->cpu[0], 0xC0000103, 77));
    ask.code = SEV_EXIT_RDTSCP;
    answer = expect_done(m, &ask);
    assert_int_equal(answer.rax, (uint32_t)TSC);
    assert_int_equal(answer.rdx, TSC >> 32);
    assert_int_equal(answer.rcx, 77);
}

static void performance_counters(void **state)
{
    struct ask ask = { SEV_EXIT_RDPMC, .has = RCX_, .rcx = 1 };
    struct answer answer = go(*state, &ask);
    expect_results(&answer, SEV_GHCB_INJECT, GP);
}

static void debug_register(void **state)
{
    struct machine *m = *state;
    struct ask read = { SEV_EXIT_DR7_READ }, write = { SEV_EXIT_DR7_WRITE, .has = RAX_ };
    assert_int_equal(expect_done(m, &read).rax, 0x400);
    write.rax = 0xFFFFFFFF;
    assert_int_equal(expect_done(m, &write).rax, 0xFFFFFFFF);
    assert_int_equal(expect_done(m, &read).rax, 0xFFFF2FFF);
    write.rax = 1ull << 32;
    struct answer answer = go(m, &write);
    expect_results(&answer, SEV_GHCB_INJECT, GP);
    assert_int_equal(expect_done(m, &read).rax, 0xFFFF2FFF);
    assert_int_equal(go_on(m, 1, GHCB, &read).rax, 0x400);
    write.rax = 0;
    expect_done(m, &write);
    assert_int_equal(expect_done(m, &read).rax, 0x400);
    assert_int_equal(m->cpu[0]->dr[7], m->cpu[1]->dr[7]); /* the guest's own */
}

static void hypercalls(void **state)
{
    struct machine *m = *state;
    struct ask ask = { SEV_EXIT_VMMCALL, .has = RAX_ | CPL_, .rax = 12 };
    assert_int_equal(expect_done(m, &ask).rax, -1000);
    for (ask.cpl = 1; ask.cpl < 4; ask.cpl++)
        assert_int_equal(expect_done(m, &ask).rax, -1);
}

/* Of registers that are not valid, 0 comes back; of the others, what was given. */
static void registers_come_back(void **state)
{
    struct machine *m = *state;
    static const enum sev_exit codes[] = { SEV_EXIT_MONITOR, SEV_EXIT_MWAIT, SEV_EXIT_INVD,
                                           SEV_EXIT_WBINVD, SEV_EXIT_NMI_COMPLETE };
    for (size_t k = 0; k < COUNT(codes); k++) {
        struct ask ask = { codes[k], 1, 2, RAX_ | RBX_ | RCX_ | RDX_, 0x1A, 0x1B, 0x1C, 0x1D };
        struct answer answer = expect_done(m, &ask);
        assert_int_equal(answer.rax, 0x1A);
        assert_int_equal(answer.rbx, 0x1B);
        assert_int_equal(answer.rcx, 0x1C);
        assert_int_equal(answer.rdx, 0x1D);
        assert_int_equal(m->count, 0);
    }
    assert_int_equal(m->flushes, 2);
    struct ask ask = { SEV_EXIT_INVD, 1, 2, 0, 0x1A, 0x1B, 0x1C, 0x1D };
    struct answer answer = expect_done(m, &ask);
    assert_int_equal(answer.rax | answer.rbx | answer.rcx | answer.rdx, 0);
}

/* --- processors ------------------------------------------------------------------------------- */

static void nmi_complete(void **state)
{
    struct machine *m = *state;
    struct ask ask = { SEV_EXIT_NMI_COMPLETE };
    m->cpu[0]->nmi_blocked = m->cpu[1]->nmi_blocked = true;
    expect_done(m, &ask);
    assert_false(m->cpu[0]->nmi_blocked);
    assert_true(m->cpu[1]->nmi_blocked);
}

#define SECOND 0x7000u /* the page of processor 1 */

static void hold_by_page(void **state)
{
    struct machine *m = *state;
    struct ask ask = { SEV_EXIT_AP_RESET_HOLD };
    struct answer answer = go_on(m, 1, SECOND, &ask);
    expect_results(&answer, SEV_GHCB_DONE, 0);
    assert_true(m->cpu[1]->halted);
    assert_false(m->cpu[0]->halted);
    ghcb_start(&m->ghcb[0]); /* another one */
    assert_int_equal(quadword(m, SECOND + SEV_GHCB_EXIT_INFO_2), 0);
    ghcb_start(&m->ghcb[1]);
    assert_false(m->cpu[1]->halted);
    assert_int_equal(quadword(m, SECOND + SEV_GHCB_EXIT_INFO_1), 0);
    assert_int_equal(quadword(m, SECOND + SEV_GHCB_EXIT_INFO_2), 1);
    uint64_t msr;
    assert_true(cpu_msr_read(m->cpu[1], SEV_MSR_GHCB, &msr));
    assert_int_equal(msr, 0);
    fill(m, SECOND, SEV_GHCB_SIZE, 0);
    ghcb_start(&m->ghcb[1]); /* it waits no more */
    assert_int_equal(quadword(m, SECOND + SEV_GHCB_EXIT_INFO_2), 0);
}

static void hold_by_msr(void **state)
{
    struct machine *m = *state;
    uint64_t msr;
    assert_int_equal(ghcb_exit(&m->ghcb[1], 0xABC000 | SEV_GHCB_MSR_AP_HOLD_ASK), SEV_GHCB_MSR_AP_HOLD);
    assert_true(m->cpu[1]->halted);
    ghcb_start(&m->ghcb[1]);
    assert_false(m->cpu[1]->halted);
    assert_true(cpu_msr_read(m->cpu[1], SEV_MSR_GHCB, &msr));
    assert_int_equal(msr, 0x1000 | SEV_GHCB_MSR_AP_HOLD);
    assert_true(cpu_msr_write(m->cpu[1], SEV_MSR_GHCB, SECOND));
    ghcb_start(&m->ghcb[1]);
    assert_true(cpu_msr_read(m->cpu[1], SEV_MSR_GHCB, &msr));
    assert_int_equal(msr, SECOND);
}

/* What woke otherwise and made another request or executed anything is not answered as a hold. */
static void hold_is_over(void **state)
{
    struct machine *m = *state;
    struct ask hold = { SEV_EXIT_AP_RESET_HOLD }, other = { SEV_EXIT_WBINVD };
    uint64_t msr;
    m->cpu[1]->instructions = 100;
    go_on(m, 1, SECOND, &hold);
    cpu_set_halted(m->cpu[1], false);
    go_on(m, 1, SECOND, &other);
    ghcb_start(&m->ghcb[1]);
    assert_int_equal(quadword(m, SECOND + SEV_GHCB_EXIT_INFO_2), 0);
    for (unsigned executed = 1; executed <= 2; executed++) { /* VMGEXIT itself; one more */
        go_on(m, 1, SECOND, &hold);
        m->cpu[1]->instructions += executed;
        ghcb_start(&m->ghcb[1]);
        assert_int_equal(quadword(m, SECOND + SEV_GHCB_EXIT_INFO_2), executed == 1);
        assert_int_equal(m->ghcb[1].hold, GHCB_HOLD_NONE);
        assert_false(m->cpu[1]->halted);
    }
    ghcb_exit(&m->ghcb[1], SEV_GHCB_MSR_AP_HOLD_ASK);
    m->cpu[1]->instructions += 2;
    ghcb_start(&m->ghcb[1]);
    assert_true(cpu_msr_read(m->cpu[1], SEV_MSR_GHCB, &msr));
    assert_int_equal(msr, 0);
}

/* The page in which it waits has become ROM. */
static void hold_in_rom(void **state)
{
    struct machine *m = *state;
    struct ask ask = { SEV_EXIT_AP_RESET_HOLD };
    route_to_ram(m);
    go_on(m, 1, 0xF8000, &ask);
    memory_route(m->memory, SHADOW, HIGH - SHADOW, MEMORY_ROUTE_ROM);
    ghcb_start(&m->ghcb[1]);
    assert_false(m->cpu[1]->halted);
    assert_int_equal(quadword(m, 0xF8000 + SEV_GHCB_EXIT_INFO_2), 0x9999999999999999);
}

static void jump_table(void **state)
{
    struct machine *m = *state;
    struct ask ask = { SEV_EXIT_AP_JUMP_TABLE, 1 };
    expect_done(m, &ask);
    ask = (struct ask){ SEV_EXIT_AP_JUMP_TABLE, 0, 0xFEDCBA987654321F };
    expect_done(m, &ask);
    ask = (struct ask){ SEV_EXIT_AP_JUMP_TABLE, 2, 5 };
    expect_error(m, &ask, SEV_GHCB_ERROR_INPUT);
    ask.info1 = 1ull << 32;
    expect_error(m, &ask, SEV_GHCB_ERROR_INPUT);
    ask.info1 = 1;
    struct answer answer = go_on(m, 1, SECOND, &ask);
    expect_results(&answer, SEV_GHCB_DONE, 0xFEDCBA987654321F);
}

static void features(void **state)
{
    struct ask ask = { SEV_EXIT_HYPERVISOR_FEATURES, 3, 5 };
    expect_done(*state, &ask);
}

static void expect_end(const struct machine *m, unsigned count, struct ghcb_end_note end)
{
    assert_int_equal(m->ends, count);
    assert_int_equal(m->end.processor, end.processor);
    assert_int_equal(m->end.how, end.how);
    assert_int_equal(m->end.set, end.set);
    assert_int_equal(m->end.reason, end.reason);
    assert_true(m->cpu[end.processor]->halted);
}

static void ends(void **state)
{
    struct machine *m = *state;
    struct ask ask = { SEV_EXIT_TERMINATE, 0xF3, 0x1A5 };
    expect_done(m, &ask);
    expect_end(m, 1, (struct ghcb_end_note){ 0, GHCB_END_TERMINATE, 3, 0xA5 });
    assert_false(m->cpu[1]->halted);
    ask = (struct ask){ SEV_EXIT_UNSUPPORTED, 0x12345678F, 2 };
    go_on(m, 1, SECOND, &ask);
    expect_end(m, 2, (struct ghcb_end_note){ 1, GHCB_END_UNSUPPORTED, 0, 0x12345678F });
}

/* --- the MSR ---------------------------------------------------------------------------------- */

static void expect_msr(struct machine *m, uint64_t asked, uint64_t answer, const char *name)
{
    unsigned tells = m->tells;
    assert_int_equal(ghcb_exit(&m->ghcb[0], asked), answer);
    assert_int_equal(m->tells, tells + 1);
    assert_true(m->told.by_msr);
    assert_int_equal(m->told.info1, asked);
    assert_int_equal(m->told.code, asked & 0xFFF);
    assert_int_equal(m->told.result1, answer);
    if (name)
        assert_string_equal(m->told.name, name);
    else
        assert_null(m->told.name);
}

static void msr_protocol(void **state)
{
    struct machine *m = *state;
    uint32_t leaf[4];
    expect_msr(m, 0x002, 0x0002000133000001, "sev-info");
    expect_msr(m, UINT64_MAX - 0xFFF + 0x002, 0x0002000133000001, "sev-info");
    cpu_cpuid(m->cpu[0], 0x8000001F, 0, leaf);
    assert_int_not_equal(leaf[0], leaf[1]);
    for (uint64_t n = 0; n < 4; n++) {
        expect_msr(m, 0x8000001F00000004 | n << 30, (uint64_t)leaf[n] << 32 | n << 30 | 5, "cpuid");
        expect_msr(m, 0x8000001F2ABCD004 | n << 30, (uint64_t)leaf[n] << 32 | n << 30 | 0x2ABCD005,
                   "cpuid");
    }
    expect_msr(m, 0xFF080, 0x081, "hypervisor-features");
    assert_false(m->cpu[0]->halted);
    expect_msr(m, 0xFFFFFFFFFFFFF006, 0x007, "ap-reset-hold");
    assert_true(m->cpu[0]->halted);
    expect_msr(m, 0xFFA57100, 0xFFA57100, "terminate");
    expect_end(m, 1, (struct ghcb_end_note){ 0, GHCB_END_TERMINATE, 7, 0xA5 });
}

/* KVM ends a guest without SEV-SNP that asks so. */
static void msr_of_snp(void **state)
{
    struct machine *m = *state;
    expect_msr(m, 0x123010, 0x123010, "preferred-page");
    expect_end(m, 1, (struct ghcb_end_note){ 0, GHCB_END_UNSUPPORTED, 1, 0x010 });
    expect_msr(m, 0x123012, 0x123012, "register-page");
    expect_end(m, 2, (struct ghcb_end_note){ 0, GHCB_END_UNSUPPORTED, 1, 0x012 });
    expect_msr(m, 0x10000000005014, 0x10000000005014, "page-state");
    expect_end(m, 3, (struct ghcb_end_note){ 0, GHCB_END_UNSUPPORTED, 1, 0x014 });
}

/* Among them are addresses of pages that are not aligned. */
static void msr_unknown(void **state)
{
    struct machine *m = *state;
    static const uint16_t known[] = { 0x002, 0x004, 0x006, 0x010, 0x012, 0x014, 0x080, 0x100 };
    for (uint64_t info = 1, next = 0; info < 0x1000; info++) {
        if (next < COUNT(known) && info == known[next])
            next++;
        else
            expect_msr(m, GHCB | info, GHCB | info, NULL);
    }
    assert_int_equal(m->ends, 0);
    assert_false(m->cpu[0]->halted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(needs_no_more),
        TEST(needs_no_less),
        TEST(usage),
        TEST(unknown_codes),
        TEST(tells),
        TEST(cpuid),
        TEST(cpuid_of_the_processor),
        TEST(msr_reads),
        TEST(msr_writes),
        TEST(msrs_of_the_guest),
        TEST(time_stamps),
        TEST(performance_counters),
        TEST(debug_register),
        TEST(hypercalls),
        TEST(registers_come_back),
        TEST(nmi_complete),
        TEST(hold_by_page),
        TEST(hold_by_msr),
        TEST(hold_is_over),
        TEST(hold_in_rom),
        TEST(jump_table),
        TEST(features),
        TEST(ends),
        TEST(msr_protocol),
        TEST(msr_of_snp),
        TEST(msr_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
