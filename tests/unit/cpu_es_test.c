/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A SEV-ES guest's processor: which instructions are #VC and with what code, VMGEXIT, the MSRs that no
 * hypervisor sees, NMIs, and the save area in and out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "machine/cpu/flags.h"
#include "machine/cpu/system.h"
#include "machine/cpu/x87.h"
#include "sev/bytes.h"
#include "sev/vmsa.h"
#include "tests/quiet_io.h"

#define ASID    3u
#define CODE    0x1000u
#define HANDLER 0x2000u
#define DEVICE  0xC0000u /* nothing is there */
#define ROM     0xF0000u

struct machine {
    struct memory *memory;
    struct cpu *cpu;
    uint64_t asked, answer; /* VMGEXIT's GHCB MSR */
    unsigned exits;
};

static uint64_t vmgexit(void *context, uint64_t ghcb)
{
    struct machine *machine = context;
    machine->exits++;
    machine->asked = ghcb;
    return machine->answer;
}

static void page_changed(void *context, uint64_t gpa)
{
    struct machine *machine = context;
    if (machine->cpu)
        cpu_invalidate_page(machine->cpu, gpa);
}

static void create(struct machine *machine, enum cpu_sev_mode sev)
{
    static const uint8_t seed[32], key[MEMORY_KEY_SIZE] = { 1 }, rom[MEMORY_PAGE_SIZE];
    const struct cpu_config config = { .sev = sev, .asid = ASID, .c_bit = 51, .physical_bits = 40,
                                       .processors = 1, .tsc_hz = 1000000000 };
    struct cpu_io io = quiet_io;
    io.context = machine;
    io.vmgexit = vmgexit;
    machine->memory = memory_create(seed);
    assert_non_null(machine->memory);
    assert_int_equal(memory_add_ram(machine->memory, 0, DEVICE), 0);
    assert_int_equal(memory_add_rom(machine->memory, ROM, sizeof(rom), rom), 0);
    memory_set_listener(machine->memory, page_changed, machine);
    memory_set_key(machine->memory, ASID, key);
    machine->cpu = cpu_create(&config, machine->memory, &io);
    assert_non_null(machine->cpu);
}

static void destroy(struct machine *machine)
{
    cpu_destroy(machine->cpu);
    memory_destroy(machine->memory);
    memset(machine, 0, sizeof(*machine));
}

static int setup(void **state)
{
    static struct machine machine;
    create(&machine, CPU_SEV_ES);
    *state = &machine;
    return 0;
}

static int teardown(void **state)
{
    destroy(*state);
    return 0;
}

static void load(struct machine *machine, uint64_t gpa, const char *code, size_t size)
{
    assert_int_equal(memory_write(machine->memory, gpa, code, size, ASID), 0);
}

/* In real mode, every handler a HLT, DS at `ds` << 4. */
static struct cpu *start(struct machine *machine, const char *code, size_t size, unsigned ds)
{
    struct cpu *cpu = machine->cpu;
    for (unsigned vector = 0; vector < 256; vector++)
        load(machine, vector * 4, "\x00\x20\x00\x00", 4);
    load(machine, HANDLER, "\xF4", 1);
    load(machine, CODE, code, size);
    cpu_reset(cpu);
    cpu->efer |= EFER_SVME;
    for (unsigned segment = 0; segment < 6; segment++)
        cpu->seg[segment].base = 0;
    cpu->seg[DS].base = ds << 4;
    cpu_update_mode(cpu);
    cpu->gpr[RSP] = 0x8000;
    cpu->gpr[RDX] = 0; /* the signature, after a reset */
    cpu->rip = CODE;
    return cpu;
}

struct encoding {
    const char *code;
    unsigned size;
    enum sev_exit exit;
    unsigned ds;
    uint64_t rcx;
};

#define CODE_OF(bytes) bytes, sizeof(bytes) - 1

static const struct encoding intercepted[] = {
    { CODE_OF("\x0F\xA2"), SEV_EXIT_CPUID, 0, 0 },
    { CODE_OF("\xE4\x80"), SEV_EXIT_IOIO, 0, 0 },
    { CODE_OF("\xE7\x80"), SEV_EXIT_IOIO, 0, 0 },
    { CODE_OF("\xEC"), SEV_EXIT_IOIO, 0, 0 },
    { CODE_OF("\xEE"), SEV_EXIT_IOIO, 0, 0 },
    { CODE_OF("\x6C"), SEV_EXIT_IOIO, 0, 0 },
    { CODE_OF("\xF3\x6F"), SEV_EXIT_IOIO, 0, 4 },
    { CODE_OF("\x0F\x32"), SEV_EXIT_MSR, 0, 0x1B },
    { CODE_OF("\x0F\x30"), SEV_EXIT_MSR, 0, 0x2FF },
    { CODE_OF("\x0F\x32"), SEV_EXIT_MSR, 0, 0xDEAD },
    { CODE_OF("\x0F\x21\xF8"), SEV_EXIT_DR7_READ, 0, 0 },
    { CODE_OF("\x0F\x23\xF8"), SEV_EXIT_DR7_WRITE, 0, 0 },
    { CODE_OF("\x0F\x33"), SEV_EXIT_RDPMC, 0, 0 },
    { CODE_OF("\x0F\x08"), SEV_EXIT_INVD, 0, 0 },
    { CODE_OF("\x0F\x09"), SEV_EXIT_WBINVD, 0, 0 },
    { CODE_OF("\x0F\x01\xD9"), SEV_EXIT_VMMCALL, 0, 0 },
    { CODE_OF("\xA0\x00\x00"), SEV_EXIT_NPF, DEVICE >> 4, 0 },
    { CODE_OF("\xA2\x00\x00"), SEV_EXIT_NPF, DEVICE >> 4, 0 },
    { CODE_OF("\xFF\x06\x00\x00"), SEV_EXIT_NPF, DEVICE >> 4, 0 },
    { CODE_OF("\x0F\xAE\x3E\x00\x00"), SEV_EXIT_NPF, DEVICE >> 4, 0 }, /* clflush */
};

/* Nothing of the instruction has happened, and the handler would come back to it. */
static void communicates(void **state)
{
    struct machine *machine = *state;
    for (size_t k = 0; k < sizeof(intercepted) / sizeof(intercepted[0]); k++) {
        const struct encoding *e = &intercepted[k];
        struct cpu *cpu = start(machine, e->code, e->size, e->ds);
        uint8_t frame[2];
        cpu->gpr[RCX] = e->rcx;
        assert_int_equal(cpu_run(cpu, cpu_instructions(cpu) + 100), CPU_STOP_HALT);
        assert_int_equal(cpu->fault.vector, VECTOR_VC);
        assert_int_equal(cpu->fault.error, e->exit);
        assert_int_equal(cpu->gpr[RCX], e->rcx);
        assert_int_equal(memory_read(machine->memory, 0x8000 - 6, frame, 2, ASID), 0);
        assert_int_equal(load_le16(frame), CODE);
    }
    assert_int_equal(machine->exits, 0);
}

static const struct cpu_event *event_after(const struct cpu *cpu, uint64_t used)
{
    assert_true(cpu->history_used > used);
    return &cpu->history[used % CPU_HISTORY];
}

/* What the next instruction raises first. */
static struct cpu_event first_event(struct cpu *cpu)
{
    uint64_t used = cpu->history_used;
    cpu_run(cpu, cpu_instructions(cpu) + 10);
    return *event_after(cpu, used);
}

/* At CPL 3, in flat segments; what is raised cannot be delivered. */
static struct cpu *start_user(struct machine *machine, const char *code, size_t size)
{
    struct cpu *cpu = start(machine, code, size, 0);
    cpu->cr0 |= CR0_PE;
    cpu->cpl = 3;
    for (unsigned segment = 0; segment < 6; segment++)
        cpu->seg[segment] = (struct segment){ .limit = 0xFFFFFFFF, .attributes = 0xCF3 };
    cpu->seg[CS].attributes = 0xCFB;
    cpu->tr.limit = 0; /* no port is allowed */
    cpu_update_mode(cpu);
    return cpu;
}

struct ring3 {
    const char *code;
    unsigned size;
    uint32_t iopl; /* EFLAGS */
    unsigned vector;
    uint32_t error;
};

/* What the instruction's own exceptions refuse does not get to the intercept. */
static void exceptions_first(void **state)
{
    static const struct ring3 rows[] = {
        { CODE_OF("\xE4\x80"), 0, VECTOR_GP, 0 },
        { CODE_OF("\xE4\x80"), EFLAGS_IOPL, VECTOR_VC, SEV_EXIT_IOIO },
        { CODE_OF("\x6C"), 0, VECTOR_GP, 0 },
        { CODE_OF("\x0F\x32"), 0, VECTOR_GP, 0 },
        { CODE_OF("\x0F\x09"), 0, VECTOR_GP, 0 },
        { CODE_OF("\x0F\x33"), 0, VECTOR_GP, 0 },
        { CODE_OF("\x0F\x21\xF8"), 0, VECTOR_GP, 0 },
        { CODE_OF("\x0F\xA2"), 0, VECTOR_VC, SEV_EXIT_CPUID },
        { CODE_OF("\x0F\x01\xD9"), 0, VECTOR_VC, SEV_EXIT_VMMCALL },
        { CODE_OF("\xF0\x0F\xA2"), 0, VECTOR_UD, 0 },
    };
    for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
        struct cpu *cpu = start_user(*state, rows[k].code, rows[k].size);
        cpu->eflags |= rows[k].iopl;
        const struct cpu_event event = first_event(cpu);
        assert_int_equal(event.vector, rows[k].vector);
        assert_int_equal(event.error, rows[k].error);
    }
}

/* OUTSB from beyond the segment's limit: the handler finds that out. */
static void other_exceptions_later(void **state)
{
    struct cpu *cpu = start(*state, "\x67\x6E", 2, 0);
    cpu->gpr[RSI] = 0x12345;
    const struct cpu_event event = first_event(cpu);
    assert_int_equal(event.vector, VECTOR_VC);
    assert_int_equal(event.error, SEV_EXIT_IOIO);
}

/* KVM intercepts #DB and #AC; ICEBP is another intercept, which it does not ask for. */
static void exceptions_intercepted(void **state)
{
    struct cpu *cpu = start(*state, "\x90\xF4", 2, 0);
    cpu->eflags |= EFLAGS_TF;
    struct cpu_event event = first_event(cpu);
    assert_int_equal(event.vector, VECTOR_VC);
    assert_int_equal(event.error, SEV_EXIT_EXCEPTION(VECTOR_DB));
    assert_int_equal(event.rip, CODE + 1);
    assert_true(cpu->dr[6] & DR6_BS);

    cpu = start_user(*state, "\xA1\x01\x30\x00\x00", 5);
    cpu->cr0 |= CR0_AM;
    cpu->eflags |= EFLAGS_AC;
    cpu_update_mode(cpu);
    event = first_event(cpu);
    assert_int_equal(event.vector, VECTOR_VC);
    assert_int_equal(event.error, SEV_EXIT_EXCEPTION(VECTOR_AC));
    assert_int_equal(event.rip, CODE);

    cpu = start(*state, "\xF1\xF4", 2, 0);
    assert_int_equal(first_event(cpu).vector, VECTOR_DB);
}

/* A fault on the way to the handler is a double fault: #VC is contributory. */
static void no_handler(void **state)
{
    struct cpu *cpu = start(*state, "\x0F\xA2", 2, 0);
    cpu->idtr.limit = 4 * VECTOR_VC - 1;
    uint64_t used = cpu->history_used;
    assert_int_equal(cpu_run(cpu, cpu_instructions(cpu) + 10), CPU_STOP_HALT);
    assert_int_equal(event_after(cpu, used)->vector, VECTOR_VC);
    assert_int_equal(event_after(cpu, used + 1)->vector, VECTOR_DF);
    cpu = start(*state, "\x0F\xA2", 2, 0);
    cpu->idtr.limit = 0;
    assert_int_equal(cpu_run(cpu, cpu_instructions(cpu) + 10), CPU_STOP_SHUTDOWN);
}

/* A store across the end of memory leaves nothing behind. */
static void partly_device(void **state)
{
    struct machine *machine = *state;
    static const struct encoding stores[] = {
        { CODE_OF("\x66\xA3\x0E\x00"), SEV_EXIT_NPF, (DEVICE - 16) >> 4, 0 },
        { CODE_OF("\x0F\x01\x06\x0C\x00"), SEV_EXIT_NPF, (DEVICE - 16) >> 4, 0 }, /* sgdt */
    };
    for (size_t k = 0; k < sizeof(stores) / sizeof(stores[0]); k++) {
        uint32_t before = 0x55AA55AA, after;
        load(machine, DEVICE - 4, (const char *)&before, 4);
        struct cpu *cpu = start(machine, stores[k].code, stores[k].size, stores[k].ds);
        const struct cpu_event event = first_event(cpu);
        assert_int_equal(event.vector, VECTOR_VC);
        assert_int_equal(event.error, SEV_EXIT_NPF);
        assert_int_equal(memory_read(machine->memory, DEVICE - 4, &after, 4, ASID), 0);
        assert_int_equal(after, before);
    }
}

/* The registers that a #VC handler finds. */
struct registers {
    uint64_t gpr[16], flags, rip;
    struct segment seg[6];
    struct fpu fpu;
};

static void get_registers(const struct cpu *cpu, struct registers *ret)
{
    memset(ret, 0, sizeof(*ret));
    memcpy(ret->gpr, cpu->gpr, sizeof(ret->gpr));
    memcpy(ret->seg, cpu->seg, sizeof(ret->seg));
    memcpy(&ret->fpu, &cpu->fpu, sizeof(ret->fpu));
    ret->flags = flags_get(cpu);
    ret->rip = cpu->rip;
    ret->fpu.mxcsr &= ~0x3Fu; /* its flags lag */
    ret->fpu.host_mxcsr = 0;
    memset(ret->fpu.xmm + SCRATCH_A, 0, 2 * sizeof(ret->fpu.xmm[0]));
}

/* A prefix, an opcode of any map, the operand [at] and an immediate byte. */
static unsigned random_instruction(uint8_t code[16], uint32_t at, uint32_t random)
{
    static const uint8_t prefixes[] = { 0x90, 0x66, 0xF2, 0xF3 };
    unsigned map = random >> 2 & 7, n = 0;
    code[n++] = map > 4 ? 0xC4 : prefixes[random & 3];
    if (map == 4) {
        code[n++] = 0x0F;
        code[n++] = random & 32 ? 0x38 : 0x3A;
    } else if (map > 4) { /* VEX */
        code[n++] = (uint8_t)(0xE1 + (random >> 5) % 3);
        code[n++] = 0x78 | (random >> 24 & 7);
    } else if (map > 1) {
        code[n++] = 0x0F;
    }
    code[n++] = (uint8_t)(random >> 8);
    code[n++] = 5 | (random >> 16 & 0x38);
    store_le32(code + n, at);
    code[n + 4] = 1;
    return n + 5;
}

/* A 32-bit kernel, all of whose registers but RCX point to `at`, and which cannot take an exception. */
static struct cpu *start_kernel(struct machine *machine, const uint8_t *code, unsigned size,
                                uint32_t at)
{
    struct cpu *cpu = start_user(machine, (const char *)code, size);
    cpu->cpl = 0;
    cpu->cr4 = CR4_OSFXSR | CR4_OSXSAVE | CR4_OSXMMEXCPT;
    cpu->xcr0 = XCR0_X87 | XCR0_SSE | XCR0_YMM;
    cpu->idtr.limit = 0;
    for (unsigned n = 0; n < 6; n++)
        cpu->seg[n].attributes = n == CS ? 0xC9B : 0xC93;
    for (unsigned n = 0; n < 8; n++)
        cpu->gpr[n] = at;
    cpu->gpr[RCX] = 1;
    memset(cpu->fpu.xmm, 0xFF, sizeof(cpu->fpu.xmm));
    memset(cpu->fpu.ymm_high, 0xFF, sizeof(cpu->fpu.ymm_high));
    cpu->fpu.control = 0x37F;
    cpu->fpu.valid = at & 1 ? 0xFF : 0;
    cpu_update_mode(cpu);
    return cpu;
}

/* True: it was #VC, and nothing else had happened. */
static bool leaves_no_trace(struct machine *machine, uint32_t random, uint32_t at)
{
    uint8_t code[16], before[64], after[64];
    memset(before, (int)random, sizeof(before));
    load(machine, DEVICE - sizeof(before), (const char *)before, sizeof(before));
    struct cpu *cpu = start_kernel(machine, code, random_instruction(code, at, random), at);
    uint64_t used = cpu->history_used;
    struct registers found, had;
    get_registers(cpu, &had);
    cpu_run(cpu, cpu_instructions(cpu) + 2);
    if (cpu->history_used == used)
        return false;
    const struct cpu_event *event = event_after(cpu, used);
    had.rip = CODE + (code[0] == 0x90);
    if (event->vector != VECTOR_VC || event->error != SEV_EXIT_NPF || event->rip != had.rip)
        return false;
    get_registers(cpu, &found);
    assert_memory_equal(&found, &had, sizeof(had));
    memory_read(machine->memory, DEVICE - sizeof(after), after, sizeof(after), ASID);
    assert_memory_equal(after, before, sizeof(before));
    return true;
}

/* Operands in a device, and partly in one: whatever the handler decides, nothing is half done. */
static void no_trace(void **state)
{
    uint64_t random = 1;
    unsigned count = 0;
    for (unsigned round = 0; round < 200000; round++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint32_t at = DEVICE - 48 + (random >> 26 & 63);
        count += leaves_no_trace(*state, (uint32_t)(random >> 32), at);
    }
    assert_in_range(count, 10000, 200000);
}

/* A far jump to a task: the registers are still the old one's. */
static void task_switch_intercepted(void **state)
{
    struct machine *machine = *state;
    struct cpu *cpu = start_user(machine, "\xEA\x00\x00\x00\x00\x08\x00", 7);
    load(machine, 0x4008, "\x67\x00\x00\x50\x00\xE9\x00\x00", 8); /* available, DPL 3, at 0x5000 */
    cpu->gdtr = (struct table_register){ .base = 0x4000, .limit = 15 };
    cpu->tr = (struct segment){ .base = 0x6000, .limit = 0x67, .attributes = 0x8B };
    const struct cpu_event event = first_event(cpu);
    assert_int_equal(event.vector, VECTOR_VC);
    assert_int_equal(event.error, SEV_EXIT_TASK_SWITCH);
    assert_int_equal(event.rip, CODE);
}

static void runs_to_its_end(struct machine *machine, const struct encoding *e)
{
    struct cpu *cpu = start(machine, e->code, e->size, e->ds);
    cpu->gpr[RCX] = e->rcx;
    assert_int_equal(cpu_run(cpu, cpu_instructions(cpu) + 100), CPU_STOP_HALT);
    assert_int_equal(cpu->rip, CODE + e->size);
}

/* What KVM leaves to the guest, and a repetition of no elements. */
static const struct encoding passed[] = {
    { CODE_OF("\x0F\x31\xF4"), 0, 0, 0 },                /* rdtsc */
    { CODE_OF("\x0F\x32\xF4"), 0, 0, 0xC0000080 },       /* EFER */
    { CODE_OF("\x0F\x32\xF4"), 0, 0, 0xC0000101 },       /* GS.base */
    { CODE_OF("\x0F\x30\xF4"), 0, 0, 0xC0000102 },
    { CODE_OF("\x0F\x20\xC0\xF4"), 0, 0, 0 },            /* mov eax, cr0 */
    { CODE_OF("\x0F\x21\xF0\xF4"), 0, 0, 0 },            /* mov eax, dr6 */
    { CODE_OF("\xF3\x6E\xF4"), 0, 0, 0 },                /* rep outsb, cx = 0 */
    { CODE_OF("\xA0\x00\x00\xF4"), 0, ROM >> 4, 0 },     /* a load from ROM */
};

static void passes(void **state)
{
    for (size_t k = 0; k < sizeof(passed) / sizeof(passed[0]); k++)
        runs_to_its_end(*state, &passed[k]);
}

/* The same instructions in a guest without SEV-ES. */
static void plain_sev(void **state)
{
    struct machine machine = { 0 };
    const struct encoding cpuid = { CODE_OF("\x0F\xA2\xF4"), 0, 0, 0 };
    create(&machine, CPU_SEV_ON);
    runs_to_its_end(&machine, &cpuid);
    struct cpu *cpu = start(&machine, "\xF3\x0F\x01\xD9", 4, 0);
    assert_int_equal(cpu_run(cpu, cpu_instructions(cpu) + 100), CPU_STOP_HALT);
    assert_int_equal(cpu->fault.vector, VECTOR_UD);
    uint64_t value;
    assert_false(cpu_msr_read(cpu, SEV_MSR_GHCB, &value));
    assert_true(cpu_msr_read(cpu, SEV_MSR_STATUS, &value));
    assert_int_equal(value, SEV_STATUS_SEV);
    destroy(&machine);
}

static void exits(void **state)
{
    struct machine *machine = *state;
    /* mov ecx, GHCB; mov eax, 2; xor edx, edx; wrmsr; rep vmmcall; rdmsr; hlt */
    static const char code[] = "\x66\xB9\x30\x01\x01\xC0\x66\xB8\x02\x00\x00\x00\x66\x31\xD2\x0F\x30"
                               "\xF3\x0F\x01\xD9\x0F\x32\xF4";
    struct cpu *cpu = start(machine, code, sizeof(code) - 1, 0);
    machine->answer = 0x0002000133000001;
    assert_int_equal(cpu_run(cpu, cpu_instructions(cpu) + 100), CPU_STOP_HALT);
    assert_int_equal(machine->exits, 1);
    assert_int_equal(machine->asked, SEV_GHCB_MSR_SEV_INFO_ASK);
    assert_int_equal(cpu->gpr[RAX], 0x33000001);
    assert_int_equal(cpu->gpr[RDX], 0x00020001);
    assert_int_equal(cpu->rip, CODE + sizeof(code) - 1);
}

static void says_what_it_is(void **state)
{
    struct machine *machine = *state;
    uint32_t leaf[4];
    uint64_t status;
    cpu_cpuid(machine->cpu, 0x8000001F, 0, leaf);
    assert_int_equal(leaf[0], 0xA);
    assert_true(cpu_msr_read(machine->cpu, SEV_MSR_STATUS, &status));
    assert_int_equal(status, SEV_STATUS_SEV | SEV_STATUS_ES);
    assert_false(cpu_msr_write(machine->cpu, SEV_MSR_STATUS, 0));
}

/* mov ecx, EFER; rdmsr; and ah, 0xEF; wrmsr */
static void must_keep_svme(void **state)
{
    static const char code[] = "\x66\xB9\x80\x00\x00\xC0\x0F\x32\x80\xE4\xEF\x0F\x30\xF4";
    struct cpu *cpu = start(*state, code, sizeof(code) - 1, 0);
    assert_int_equal(cpu_run(cpu, cpu_instructions(cpu) + 100), CPU_STOP_SHUTDOWN);
    assert_non_null(strstr(cpu_error(cpu), "EFER.SVME"));
}

static void must_not_store_to_rom(void **state)
{
    struct cpu *cpu = start(*state, "\xA2\x00\x00\xF4", 4, ROM >> 4);
    assert_int_equal(cpu_run(cpu, cpu_instructions(cpu) + 100), CPU_STOP_SHUTDOWN);
    assert_non_null(strstr(cpu_error(cpu), "GHCB"));
}

/* IRET does not let the next NMI in; the guest's word does. */
static void nmi(void **state)
{
    struct machine *machine = *state;
    struct cpu *cpu = start(machine, "\xEB\xFE", 2, 0);
    load(machine, HANDLER, "\x46\xCF", 2); /* inc si; iret */
    cpu->gpr[RSI] = 0;
    cpu_set_nmi(cpu);
    cpu_run(cpu, cpu_instructions(cpu) + 100);
    cpu_set_nmi(cpu);
    cpu_run(cpu, cpu_instructions(cpu) + 100);
    assert_int_equal(cpu->gpr[RSI], 1);
    cpu_nmi_complete(cpu);
    cpu_run(cpu, cpu_instructions(cpu) + 100);
    assert_int_equal(cpu->gpr[RSI], 2);
}

/* --- the save area -------------------------------------------------------------------------- */

static void build(uint8_t vmsa[SEV_VMSA_PAGE_SIZE])
{
    const struct sev_vmsa_config config = { .signature = 0xA00F11 };
    sev_vmsa_build(&config, SEV_VMSA_RESET, vmsa);
}

static void starts_at_reset(void **state)
{
    struct machine *machine = *state;
    uint8_t vmsa[SEV_VMSA_PAGE_SIZE];
    char why[128];
    build(vmsa);
    assert_true(cpu_vmsa_load(machine->cpu, vmsa, why, sizeof(why)));
    assert_int_equal(machine->cpu->rip, 0xFFF0);
    assert_int_equal(machine->cpu->seg[CS].base, 0xFFFF0000);
    assert_int_equal(machine->cpu->gpr[RDX], 0xA00F11);
    assert_int_equal(machine->cpu->efer, EFER_SVME);
    assert_int_equal(machine->cpu->cr4, CR4_MCE);
    assert_int_equal(machine->cpu->xcr0, 1);
}

/* The form of x87 registers in memory that KVM found hardware to have. */
static void x87_form(void **state)
{
    struct machine *machine = *state;
    uint8_t vmsa[SEV_VMSA_PAGE_SIZE];
    char why[128];
    build(vmsa);
    assert_true(cpu_vmsa_load(machine->cpu, vmsa, why, sizeof(why)));
    assert_int_equal(machine->cpu->fpu.valid, 0); /* all empty */
    store_le16(vmsa + SEV_VMSA_X87_FTW, 0x80);
    store_le16(vmsa + SEV_VMSA_X87_FSW, 7 << 11);
    store_le64(vmsa + 0x420, 0xC90FDAA22168C235); /* pi */
    store_le16(vmsa + 0x460, 0x4000);
    assert_true(cpu_vmsa_load(machine->cpu, vmsa, why, sizeof(why)));
    assert_int_equal(machine->cpu->fpu.valid, 0x80);
    assert_int_equal(machine->cpu->fpu.st[7].mantissa, 0xC90FDAA22168C235);
    assert_int_equal(machine->cpu->fpu.st[7].exponent, 0x4000);
}

/* Bases are made canonical, and outside protected mode nothing is virtual-8086 mode. */
static void settles(void **state)
{
    struct machine *machine = *state;
    uint8_t vmsa[SEV_VMSA_PAGE_SIZE];
    char why[128];
    build(vmsa);
    store_le64(vmsa + SEV_VMSA_FS + 8, 0x0123800000000000);
    store_le64(vmsa + SEV_VMSA_IDTR + 8, 0xFFFF000000001000);
    store_le64(vmsa + SEV_VMSA_RFLAGS, EFLAGS_VM | 2);
    vmsa[SEV_VMSA_CPL] = 3;
    assert_true(cpu_vmsa_load(machine->cpu, vmsa, why, sizeof(why)));
    assert_int_equal(machine->cpu->seg[FS].base, 0xFFFF800000000000);
    assert_int_equal(machine->cpu->idtr.base, 0x1000);
    assert_int_equal(machine->cpu->cpl, 0);
    assert_false(cpu_v86(machine->cpu));
}

/* VMRUN alone enters real mode with paging (APM 2 15.19): page 0 is at 0x1000. */
static void paged_real_mode(void **state)
{
    struct machine *machine = *state;
    uint8_t vmsa[SEV_VMSA_PAGE_SIZE];
    char why[128];
    build(vmsa);
    load(machine, 0x10000, "\x03\x10\x01\x00", 4); /* a directory, its table at 0x11000 */
    load(machine, 0x11000, "\x03\x10\x00\x00", 4);
    load(machine, CODE, "\x40\xF4", 2); /* inc ax; hlt */
    store_le64(vmsa + SEV_VMSA_CR0, CR0_PG | CR0_ET);
    store_le64(vmsa + SEV_VMSA_CR3, 0x10000);
    store_le64(vmsa + SEV_VMSA_CS + 8, 0);
    store_le64(vmsa + SEV_VMSA_RIP, 0);
    assert_true(cpu_vmsa_load(machine->cpu, vmsa, why, sizeof(why)));
    assert_int_equal(cpu_run(machine->cpu, cpu_instructions(machine->cpu) + 10), CPU_STOP_HALT);
    assert_int_equal(machine->cpu->gpr[RAX], 1);
    assert_int_equal(machine->cpu->rip, 2);
}

/* Every register that there is goes in and comes out again. */
static void round_trip(void **state)
{
    struct machine *machine = *state;
    uint8_t vmsa[SEV_VMSA_PAGE_SIZE], out[SEV_VMSA_PAGE_SIZE] = { 0 };
    char why[128];
    build(vmsa);
    for (unsigned at = SEV_VMSA_X87; at < SEV_VMSA_YMM + 256; at++)
        vmsa[at] = (uint8_t)(at * 7 + 1);
    for (unsigned at = SEV_VMSA_STAR; at < SEV_VMSA_CR2 + 8; at++)
        vmsa[at] = (uint8_t)(at * 5 + 3);
    static const uint16_t registers[] = { SEV_VMSA_RAX, SEV_VMSA_RCX, SEV_VMSA_RDX, SEV_VMSA_RBX,
                                          SEV_VMSA_RSP, SEV_VMSA_RBP, SEV_VMSA_RSI, SEV_VMSA_RDI };
    for (unsigned k = 0; k < 8; k++) {
        store_le64(vmsa + registers[k], 0x0101010101010101u * (k + 1));
        store_le64(vmsa + SEV_VMSA_R8 + 8 * k, 0x1010101010101010u * (k + 1));
    }
    store_le64(vmsa + SEV_VMSA_RFLAGS, 0x246);
    store_le32(vmsa + SEV_VMSA_TSC_AUX, 77);
    store_le32(vmsa + SEV_VMSA_MXCSR, 0x1FA0);
    store_le16(vmsa + SEV_VMSA_X87_FCW, 0x37F);
    store_le16(vmsa + SEV_VMSA_X87_FTW, 0xA5);
    store_le16(vmsa + SEV_VMSA_X87_FSW, 3 << 11);
    store_le64(vmsa + SEV_VMSA_X87_RIP, 0x1234);
    assert_true(cpu_vmsa_load(machine->cpu, vmsa, why, sizeof(why)));
    assert_int_equal(machine->cpu->gpr[R15], 0x8080808080808080u);
    cpu_vmsa_save(machine->cpu, out);
    assert_memory_equal(out, vmsa, SEV_VMSA_PAGE_SIZE);
}

struct fault {
    uint16_t at;
    uint64_t value;
    const char *names;
};

static const struct fault faults[] = {
    { SEV_VMSA_EFER, 0, "EFER.SVME" },
    { SEV_VMSA_EFER, 0x1002, "EFER has reserved" },
    { SEV_VMSA_CR0, 1ull << 32, "CR0 has bits" },
    { SEV_VMSA_CR0, 0x20000010, "CR0.NW" },
    { SEV_VMSA_CR3, 1ull << 45, "CR3" },
    { SEV_VMSA_CR4, 1ull << 31, "CR4" },
    { SEV_VMSA_DR7, 1ull << 32, "DR7" },
    { SEV_VMSA_XCR0, 0, "XCR0" },
    { SEV_VMSA_XCR0, 5, "XCR0" },
    { SEV_VMSA_XSS, 1, "XSS" },
    { SEV_VMSA_G_PAT, 2, "G_PAT" },
    { SEV_VMSA_DEBUGCTL, 1, "DebugCtl" },
    { SEV_VMSA_SEV_FEATURES, SEV_FEATURE_SNP, "SEV_FEATURES" },
    { SEV_VMSA_SEV_FEATURES, 1ull << 63, "SEV_FEATURES" },
};

static void refuses(void **state)
{
    struct machine *machine = *state;
    uint8_t vmsa[SEV_VMSA_PAGE_SIZE];
    for (size_t k = 0; k < sizeof(faults) / sizeof(faults[0]); k++) {
        char why[128] = "";
        build(vmsa);
        store_le64(vmsa + faults[k].at, faults[k].value);
        assert_false(cpu_vmsa_load(machine->cpu, vmsa, why, sizeof(why)));
        assert_non_null(strstr(why, faults[k].names));
    }
}

static void refuses_long_mode(void **state)
{
    struct machine *machine = *state;
    uint8_t vmsa[SEV_VMSA_PAGE_SIZE];
    char why[128] = "";
    build(vmsa);
    store_le64(vmsa + SEV_VMSA_EFER, EFER_SVME | EFER_LME);
    store_le64(vmsa + SEV_VMSA_CR0, CR0_PG | CR0_PE);
    assert_false(cpu_vmsa_load(machine->cpu, vmsa, why, sizeof(why)));
    assert_non_null(strstr(why, "without CR4.PAE"));
    store_le64(vmsa + SEV_VMSA_CR4, CR4_PAE);
    store_le16(vmsa + SEV_VMSA_CS + 2, 0x69B | SEG_L);
    assert_false(cpu_vmsa_load(machine->cpu, vmsa, why, sizeof(why)));
    assert_non_null(strstr(why, "64-bit and a 32-bit"));
    store_le16(vmsa + SEV_VMSA_CS + 2, 0x29B);
    assert_true(cpu_vmsa_load(machine->cpu, vmsa, why, sizeof(why)));
    assert_true(machine->cpu->efer & EFER_LMA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(communicates, setup, teardown),
        cmocka_unit_test_setup_teardown(passes, setup, teardown),
        cmocka_unit_test_setup_teardown(exceptions_first, setup, teardown),
        cmocka_unit_test_setup_teardown(other_exceptions_later, setup, teardown),
        cmocka_unit_test_setup_teardown(exceptions_intercepted, setup, teardown),
        cmocka_unit_test_setup_teardown(no_handler, setup, teardown),
        cmocka_unit_test_setup_teardown(partly_device, setup, teardown),
        cmocka_unit_test_setup_teardown(no_trace, setup, teardown),
        cmocka_unit_test_setup_teardown(task_switch_intercepted, setup, teardown),
        cmocka_unit_test(plain_sev),
        cmocka_unit_test_setup_teardown(exits, setup, teardown),
        cmocka_unit_test_setup_teardown(says_what_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(must_keep_svme, setup, teardown),
        cmocka_unit_test_setup_teardown(must_not_store_to_rom, setup, teardown),
        cmocka_unit_test_setup_teardown(nmi, setup, teardown),
        cmocka_unit_test_setup_teardown(starts_at_reset, setup, teardown),
        cmocka_unit_test_setup_teardown(x87_form, setup, teardown),
        cmocka_unit_test_setup_teardown(settles, setup, teardown),
        cmocka_unit_test_setup_teardown(paged_real_mode, setup, teardown),
        cmocka_unit_test_setup_teardown(round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_long_mode, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
