/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What an instruction asks of the hypervisor, and what comes back. The host chooses when there is a #VC
 * and with which code: the instruction is decoded first and must be one that raises it (CVE-2024-25742).
 * An access to memory is emulated only where the page tables say that it is shared, so no private data
 * leaves. Everything that takes more than one access is a loop of single ones, which may be #VCs in
 * their turn: that is how string instructions reach devices on either side.
 */
#include "firmware/sev/vc.h"

#include <stddef.h>

#include "firmware/arch/cpu.h"
#include "firmware/arch/io.h"
#include "firmware/arch/paging.h"
#include "firmware/lib/log.h"
#include "firmware/sev/ghcb.h"
#include "firmware/sev/instruction.h"
#include "firmware/sev/sev.h"

enum {
    CR4_OSXSAVE = 0x40000, PAGE = 4096, STRING_STEPS = 64, DEPTH_MAX = 3, DR7 = 7, DR7_RESET = 0x400,
};
#define DIRECTION_FLAG 0x400u

enum { RAX = 0, RCX = 1, RDX = 2, RBX = 3, RSI = 6, RDI = 7 };

/* Exits that move nothing but registers. */
struct row {
    uint16_t exit, opcode;
    uint8_t modrm; /* with opcode 0F 01 */
    uint8_t sends, wants, info;
    bool silent; /* not for the hypervisor: nothing happens */
};

#define AX GHCB_RAX
#define CX GHCB_RCX
#define DX GHCB_RDX
#define BX GHCB_RBX
static const struct row rows[] = {
    { EXIT_RDTSC, 0x0F31, 0, 0, AX | DX, 0, false },
    { EXIT_RDPMC, 0x0F33, 0, CX, AX | DX, 0, false },
    { EXIT_CPUID, 0x0FA2, 0, AX | CX | GHCB_XCR0, AX | BX | CX | DX, 0, false },
    { EXIT_INVD, 0x0F08, 0, 0, 0, 0, false },
    { EXIT_MSR, 0x0F32, 0, CX, AX | DX, 0, false },
    { EXIT_MSR, 0x0F30, 0, AX | CX | DX, 0, 1, false },
    { EXIT_VMMCALL, 0x0F01, 0xD9, AX | BX | CX | DX | GHCB_CPL, AX, 0, false },
    { EXIT_RDTSCP, 0x0F01, 0xF9, 0, AX | CX | DX, 0, false },
    { EXIT_WBINVD, 0x0F09, 0, 0, 0, 0, false },
    /* A hint, and an address that the host need not know. */
    { EXIT_MONITOR, 0x0F01, 0xC8, 0, 0, 0, true },
    { EXIT_MWAIT, 0x0F01, 0xC9, 0, 0, 0, true },
};
#undef AX
#undef CX
#undef DX
#undef BX

/* --- what a host that injects #VCs must not get at --------------------------------------------- */

#define MSR_GHCB_OR_STATUS 0xC0010130u /* and 0xC0010131 */
#define CPUID_EXTENDED     0x80000000u
#define CPUID_ENCRYPTION   0x8000001Fu
#define CPUID_FEATURES     0x80000001u
enum { CPUID_SEV = 2, CPUID_C_BIT = 0x3F, CPUID_NX = 1 << 20 };

/*
 * F3 before VMMCALL makes it VMGEXIT, and the MSRs by which a guest knows that it is encrypted are not
 * intercepted (APM 2 15.35.4, 15.34.10): hardware raises no #VC for any of them.
 */
static bool never_raised(const struct trap_frame *frame, const struct instruction *insn)
{
    return (insn->opcode == 0x0F01 && insn->repeat)
           || (frame->error == EXIT_MSR && ((uint32_t)frame->rcx & ~1u) == MSR_GHCB_OR_STATUS);
}

/*
 * #VC itself proves that there is SEV, and no processor with it lacks NX; the reset code proved where
 * the C-bit is. What runs on this handler, as the stubs of kernels do, is not told otherwise.
 */
static bool believable(const struct trap_frame *frame, const struct ghcb_request *answer)
{
    uint32_t eax = (uint32_t)answer->fields[RAX], ebx = (uint32_t)answer->fields[RBX];
    uint32_t edx = (uint32_t)answer->fields[RDX];

    switch ((uint32_t)frame->rax) {
    case CPUID_EXTENDED:
        return eax >= CPUID_ENCRYPTION;
    case CPUID_FEATURES:
        return (edx & CPUID_NX) != 0;
    case CPUID_ENCRYPTION:
        return (eax & CPUID_SEV) != 0 && 1ull << (ebx & CPUID_C_BIT) == sev_c_mask();
    default:
        return true;
    }
}

/* --- one request ------------------------------------------------------------------------------ */

enum outcome { OUTCOME_DONE, OUTCOME_EXCEPTION, OUTCOME_STUCK };

static const char *problem; /* of OUTCOME_STUCK */

static enum outcome stuck(const char *why)
{
    problem = why;
    return OUTCOME_STUCK;
}

static enum outcome call(struct trap_frame *frame, struct ghcb_request *request)
{
    switch (ghcb_call(request)) {
    case GHCB_DONE:
        return OUTCOME_DONE;
    case GHCB_EXCEPTION:
        frame->vector = request->exception;
        frame->error = 0;
        return OUTCOME_EXCEPTION;
    default:
        return stuck("the hypervisor refuses it or answers nonsense");
    }
}

static enum outcome registers(struct trap_frame *frame, const struct row *row)
{
    struct ghcb_request request = { .code = row->exit, .info_1 = row->info, .sends = row->sends,
                                    .wants = row->wants };

    if (row->silent) {
        return OUTCOME_DONE;
    }
    for (unsigned i = RAX; i <= RBX; i++) {
        uint64_t value = *register_at(frame, i);
        request.fields[i] = row->exit == EXIT_VMMCALL ? value : (uint32_t)value;
    }
    if ((row->sends & GHCB_XCR0) != 0) { /* 1: what it is before anybody sets it */
        request.fields[GHCB_FIELD_XCR0] = (cr4_read() & CR4_OSXSAVE) != 0 ? xcr0_read() : 1;
    }
    enum outcome outcome = call(frame, &request);
    if (outcome == OUTCOME_DONE && row->exit == EXIT_CPUID && !believable(frame, &request)) {
        return stuck("CPUID denies what this processor has");
    }
    for (unsigned i = RAX; outcome == OUTCOME_DONE && i <= RBX; i++) {
        if ((row->wants >> i & 1) != 0) {
            *register_at(frame, i) = row->exit == EXIT_VMMCALL ? request.fields[i]
                                                              : (uint32_t)request.fields[i];
        }
    }
    return outcome;
}

/* The value is kept here: with no breakpoints there is nothing that the host could do with it. */
static enum outcome debug_register(struct trap_frame *frame, const struct instruction *insn)
{
    static uint64_t dr7 = DR7_RESET;
    bool write = insn->opcode == 0x0F23;
    uint64_t *operand = register_at(frame, insn->rm);
    struct ghcb_request request = { .code = EXIT_DR7_WRITE, .sends = GHCB_RAX,
                                    .fields = { *operand } };

    if (!write) {
        *operand = dr7;
        return OUTCOME_DONE;
    }
    enum outcome outcome = call(frame, &request);
    if (outcome == OUTCOME_DONE) {
        dr7 = *operand;
    }
    return outcome;
}

/* --- ports ------------------------------------------------------------------------------------ */

/* GHCB 2.03 4.1.2; SW_EXITINFO1 as in APM 2 15.10.2. */
enum { PORT_IN = 1, PORT_SIZE_SHIFT = 4, PORT_ADDRESS64 = 0x200, PORT_SHIFT = 16 };

static enum outcome port(struct trap_frame *frame, bool in, uint8_t size, uint16_t number,
                         uint64_t *value)
{
    struct ghcb_request request = {
        .code = EXIT_PORT,
        .info_1 = (in ? PORT_IN : 0) | (uint64_t)size << PORT_SIZE_SHIFT | PORT_ADDRESS64
                  | (uint64_t)number << PORT_SHIFT,
        .sends = GHCB_RAX,
        .wants = in ? GHCB_RAX : 0,
        .fields = { in ? 0 : *value },
    };
    enum outcome outcome = call(frame, &request);

    *value = request.fields[RAX];
    return outcome;
}

static uint64_t memory_load(uint64_t address, uint8_t size)
{
    return size == 1   ? mmio_read8(address)
           : size == 2 ? mmio_read16(address)
           : size == 4 ? mmio_read32(address)
                       : mmio_read64(address);
}

static void memory_store(uint64_t address, uint8_t size, uint64_t value)
{
    if (size == 1) {
        mmio_write8(address, (uint8_t)value);
    } else if (size == 2) {
        mmio_write16(address, (uint16_t)value);
    } else if (size == 4) {
        mmio_write32(address, (uint32_t)value);
    } else {
        mmio_write64(address, value);
    }
}

static enum outcome ports(struct trap_frame *frame, struct instruction *insn)
{
    bool in = insn->operation == OPERATION_IN;
    bool fixed = insn->opcode < 0xE8; /* E4 to E7: the port is in the instruction */
    uint16_t number = fixed ? (uint8_t)insn->immediate : (uint16_t)frame->rdx;
    uint8_t size = insn->size == 8 ? 4 : insn->size; /* REX.W means nothing here */
    uint64_t value = register_read(frame, insn, RAX, size);
    enum outcome outcome = port(frame, in, size, number, &value);

    if (in && outcome == OUTCOME_DONE) {
        register_write(frame, insn, RAX, size, value);
    }
    return outcome;
}

/* --- string instructions ---------------------------------------------------------------------- */

static uint64_t address_of(const struct trap_frame *frame, const struct instruction *insn,
                           bool destination)
{
    uint64_t address = destination ? frame->rdi : frame->rsi;

    return insn->address32 ? (uint32_t)address : address;
}

static void advance(struct trap_frame *frame, const struct instruction *insn, bool destination)
{
    uint64_t *reg = destination ? &frame->rdi : &frame->rsi;
    uint64_t step = (frame->rflags & DIRECTION_FLAG) != 0 ? -(uint64_t)insn->size : insn->size;

    *reg = insn->address32 ? (uint32_t)(*reg + step) : *reg + step;
}

static enum outcome string_step(struct trap_frame *frame, struct instruction *insn)
{
    bool reads = insn->operation == OPERATION_MOVS || insn->operation == OPERATION_LODS
                 || insn->operation == OPERATION_OUTS;
    bool writes = insn->operation == OPERATION_MOVS || insn->operation == OPERATION_STOS
                  || insn->operation == OPERATION_INS;
    uint64_t value = frame->rax;
    enum outcome outcome = OUTCOME_DONE;

    if (reads) {
        value = memory_load(address_of(frame, insn, false), insn->size);
    }
    if (insn->operation == OPERATION_INS || insn->operation == OPERATION_OUTS) {
        outcome = port(frame, insn->operation == OPERATION_INS, insn->size, (uint16_t)frame->rdx,
                       &value);
    }
    if (outcome != OUTCOME_DONE) {
        return outcome;
    }
    if (writes) {
        memory_store(address_of(frame, insn, true), insn->size, value);
        advance(frame, insn, true);
    } else if (insn->operation == OPERATION_LODS) {
        register_write(frame, insn, RAX, insn->size, value);
    }
    if (reads) {
        advance(frame, insn, false);
    }
    return OUTCOME_DONE;
}

/* A repeated one is interrupted after some steps, as any is by interrupts, and then goes on. */
static enum outcome string(struct trap_frame *frame, struct instruction *insn)
{
    enum outcome outcome = OUTCOME_DONE;

    if (insn->size == 8 && (insn->operation == OPERATION_INS || insn->operation == OPERATION_OUTS)) {
        insn->size = 4;
    }
    if (!insn->repeat) {
        return string_step(frame, insn);
    }
    for (unsigned i = 0; i < STRING_STEPS && outcome == OUTCOME_DONE; i++) {
        uint64_t count = insn->address32 ? (uint32_t)frame->rcx : frame->rcx;
        if (count == 0) {
            return OUTCOME_DONE;
        }
        outcome = string_step(frame, insn);
        if (outcome == OUTCOME_DONE) {
            frame->rcx = count - 1;
        }
    }
    if (outcome == OUTCOME_DONE) {
        insn->length = 0; /* to be continued */
    }
    return outcome;
}

/* --- device memory ---------------------------------------------------------------------------- */

static enum outcome mmio(struct trap_frame *frame, const struct instruction *insn, bool write,
                         uint64_t *value)
{
    struct ghcb_request request = { .code = write ? EXIT_MMIO_WRITE : EXIT_MMIO_READ,
                                    .info_2 = insn->size, .buffer = true,
                                    .data = write ? *value : 0 };

    if ((insn->address & (PAGE - 1)) + insn->size > PAGE) {
        return stuck("an access to a device crosses a page");
    }
    if (!paging_shared(insn->address, &request.info_1)) {
        return stuck("the page is private, or not mapped: no device can be there");
    }
    enum outcome outcome = call(frame, &request);
    if (outcome == OUTCOME_DONE && !write) {
        unsigned unused = 64 - 8u * insn->size;
        *value = request.data << unused >> unused;
    }
    return outcome;
}

static uint64_t sign_extend(uint64_t value, uint8_t size)
{
    unsigned unused = 64 - 8u * size;

    return (uint64_t)((int64_t)(value << unused) >> unused);
}

/* What is stored, after the memory's old value and the register are known; registers change. */
static uint64_t combine(struct trap_frame *frame, const struct instruction *insn, uint64_t old)
{
    uint64_t reg = register_read(frame, insn, insn->reg, insn->size), value = reg;

    switch (insn->operation) {
    case OPERATION_STORE_IMMEDIATE:
        return insn->immediate;
    case OPERATION_LOAD:
    case OPERATION_LOAD_ZERO:
    case OPERATION_EXCHANGE:
        register_write(frame, insn, insn->reg, insn->target_size, old);
        break;
    case OPERATION_LOAD_SIGN:
        register_write(frame, insn, insn->reg, insn->target_size, sign_extend(old, insn->size));
        break;
    case OPERATION_ALU_STORE:
        return instruction_compute(frame, insn->function, insn->size, old, reg);
    case OPERATION_ALU_IMMEDIATE:
        return instruction_compute(frame, insn->function, insn->size, old, insn->immediate);
    case OPERATION_ALU_LOAD:
        value = instruction_compute(frame, insn->function, insn->size, reg, old);
        if (insn->function != FUNCTION_CMP) {
            register_write(frame, insn, insn->reg, insn->size, value);
        }
        break;
    default:
        break;
    }
    return value;
}

static bool loads(const struct instruction *insn)
{
    return insn->operation != OPERATION_STORE && insn->operation != OPERATION_STORE_IMMEDIATE;
}

static bool stores(const struct instruction *insn)
{
    switch (insn->operation) {
    case OPERATION_LOAD:
    case OPERATION_LOAD_ZERO:
    case OPERATION_LOAD_SIGN:
    case OPERATION_ALU_LOAD:
        return false;
    default:
        return insn->function != FUNCTION_CMP && insn->function != FUNCTION_TEST;
    }
}

static enum outcome memory(struct trap_frame *frame, struct instruction *insn)
{
    struct trap_frame after = *frame;
    uint64_t value = 0;
    enum outcome outcome = OUTCOME_DONE;

    if (insn->operation >= OPERATION_MOVS && insn->operation <= OPERATION_LODS) {
        return string(frame, insn);
    }
    if (!insn->memory || insn->operation == OPERATION_PLAIN) {
        return stuck("not an instruction that reaches a device");
    }
    if (loads(insn)) {
        outcome = mmio(frame, insn, false, &value);
    }
    if (outcome != OUTCOME_DONE) {
        return outcome;
    }
    value = combine(&after, insn, value);
    if (stores(insn)) {
        outcome = mmio(frame, insn, true, &value);
    }
    if (outcome == OUTCOME_DONE) {
        *frame = after;
    }
    return outcome;
}

/* --- all of it -------------------------------------------------------------------------------- */

static enum outcome by_row(struct trap_frame *frame, const struct instruction *insn)
{
    bool raises = !never_raised(frame, insn);

    for (size_t i = 0; raises && i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        if (row->exit == frame->error && row->opcode == insn->opcode
            && (insn->opcode != 0x0F01 || row->modrm == insn->modrm)) {
            return registers(frame, row);
        }
    }
    return stuck("the instruction does not raise it");
}

static enum outcome handle(struct trap_frame *frame, struct instruction *insn)
{
    if (!segment_is_64bit(frame->cs)) {
        return stuck("not in 64-bit code");
    }
    if (!instruction_decode((const uint8_t *)(uintptr_t)frame->rip, INSTRUCTION_MAX, frame, insn)) {
        return stuck("an instruction that this firmware does not know");
    }
    switch (frame->error) {
    case EXIT_NESTED_PAGE_FAULT:
        return memory(frame, insn);
    case EXIT_PORT:
        switch (insn->operation) {
        case OPERATION_IN:
        case OPERATION_OUT:
            return ports(frame, insn);
        case OPERATION_INS:
        case OPERATION_OUTS:
            return string(frame, insn);
        default:
            return stuck("the instruction does not raise it");
        }
    case EXIT_DR7_READ:
    case EXIT_DR7_WRITE:
        if (insn->opcode != (frame->error == EXIT_DR7_READ ? 0x0F21 : 0x0F23)
            || insn->reg != DR7) {
            return stuck("the instruction does not raise it");
        }
        return debug_register(frame, insn);
    default:
        return by_row(frame, insn);
    }
}

/*
 * A string instruction's #VC has one of its move's within, and a message about that one's trouble has
 * those of ports. Without a limit the host could inject one into the other until the stack overflows.
 */
bool vc_handle(struct trap_frame *frame, const char **ret_problem)
{
    static unsigned depth;
    struct instruction insn;
    enum outcome outcome;

    depth++;
    outcome = depth > DEPTH_MAX ? stuck("one within the other, too deep") : handle(frame, &insn);
    depth--;
    if (outcome == OUTCOME_DONE) {
        frame->rip += insn.length;
    } else if (outcome == OUTCOME_STUCK) {
        *ret_problem = problem;
    }
    return outcome == OUTCOME_DONE;
}
