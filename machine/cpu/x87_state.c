/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * x87 control instructions and the environment and state images of FNSTENV, FLDENV, FNSAVE and
 * FRSTOR in their four formats (APM 2 11.4.2, figures 11-2 to 11-5).
 */
#include "machine/cpu/hostfp.h"
#include "machine/cpu/x87.h"

void x87_pending(struct cpu *cpu, const struct insn *i)
{
    if ((cpu->fpu.status & FSW_ES) && (cpu->cr0 & CR0_NE))
        cpu_raise(cpu, i, VECTOR_MF);
}

void x87_check_slow(struct cpu *cpu, const struct insn *i)
{
    x87_check_control(cpu, i);
    x87_pending(cpu, i);
}

void x87_update_summary(struct cpu *cpu)
{
    cpu->fpu.status &= (uint16_t)~(FSW_ES | FSW_B);
    if (cpu->fpu.status & ~cpu->fpu.control & FSW_EXCEPTIONS)
        cpu->fpu.status |= FSW_ES | FSW_B;
}

void x87_initialize(struct cpu *cpu)
{
    cpu->fpu.control = FCW_INITIAL;
    cpu->fpu.status = 0;
    cpu->fpu.valid = 0;
    cpu->fpu.opcode = 0;
    cpu->fpu.instruction_selector = cpu->fpu.data_selector = 0;
    cpu->fpu.instruction_pointer = cpu->fpu.data_pointer = 0;
}

void fpu_reset(struct cpu *cpu)
{
    cpu->fpu = (struct fpu){
        .control = 0x0040, .valid = 0xFF, .mxcsr = MXCSR_DEFAULT, .host_mxcsr = MXCSR_DEFAULT};
}

static void set_control(struct cpu *cpu, uint16_t control)
{
    cpu->fpu.control = (control & 0x1F3F) | 0x0040;
    x87_update_summary(cpu);
}

uint16_t x87_full_tags(const struct cpu *cpu)
{
    unsigned tags = 0;

    for (unsigned k = 0; k < 8; k++) {
        const struct x87_register *st = &cpu->fpu.st[k];
        unsigned exponent = st->exponent & X87_EXPONENT, tag = 0;
        if (!(cpu->fpu.valid >> k & 1))
            tag = 3;
        else if (exponent == 0 && st->mantissa == 0)
            tag = 1;
        else if (exponent == 0 || exponent == X87_EXPONENT || !(st->mantissa >> 63))
            tag = 2;
        tags |= tag << 2 * k;
    }
    return (uint16_t)tags;
}

uint8_t x87_abridged_tags(uint16_t full)
{
    unsigned valid = 0;

    for (unsigned k = 0; k < 8; k++)
        if ((full >> 2 * k & 3) != 3)
            valid |= 1u << k;
    return (uint8_t)valid;
}

static void set_full_tags(struct cpu *cpu, uint16_t tags)
{
    cpu->fpu.valid = x87_abridged_tags(tags);
}

void op_fwait(struct cpu *cpu, const struct insn *i)
{
    if ((cpu->cr0 & (CR0_TS | CR0_MP)) == (CR0_TS | CR0_MP))
        cpu_raise(cpu, i, VECTOR_NM);
    x87_pending(cpu, i);
    NEXT(cpu, i);
}

void op_fninit(struct cpu *cpu, const struct insn *i)
{
    x87_check_control(cpu, i);
    x87_initialize(cpu);
    NEXT(cpu, i);
}

void op_fnclex(struct cpu *cpu, const struct insn *i)
{
    x87_check_control(cpu, i);
    cpu->fpu.status &= (uint16_t)~(FSW_EXCEPTIONS | FSW_SF | FSW_ES | FSW_B);
    NEXT(cpu, i);
}

/* The 8087's and 80287's FENI, FDISI, FSETPM: accepted and ignored. */
void op_fnop_control(struct cpu *cpu, const struct insn *i)
{
    x87_check_control(cpu, i);
    NEXT(cpu, i);
}

void op_fnstcw(struct cpu *cpu, const struct insn *i)
{
    x87_check_control(cpu, i);
    store16(cpu, i, insn_address(cpu, i, 2, true), cpu->fpu.control);
    NEXT(cpu, i);
}

void op_fldcw(struct cpu *cpu, const struct insn *i)
{
    x87_check(cpu, i);
    set_control(cpu, load16(cpu, i, insn_address(cpu, i, 2, false)));
    NEXT(cpu, i);
}

void op_fnstsw(struct cpu *cpu, const struct insn *i)
{
    x87_check_control(cpu, i);
    store16(cpu, i, insn_address(cpu, i, 2, true), cpu->fpu.status);
    NEXT(cpu, i);
}

void op_fnstsw_ax(struct cpu *cpu, const struct insn *i)
{
    x87_check_control(cpu, i);
    cpu->gpr[RAX] = (cpu->gpr[RAX] & ~0xFFFFull) | cpu->fpu.status;
    NEXT(cpu, i);
}

/*
 * The environment: seven words, or seven doublewords. Real mode and virtual-8086 mode have linear
 * pointers, protected mode selectors and offsets.
 */
struct environment {
    uint32_t field[7];
    bool wide;
    unsigned size;
};

static void environment_layout(const struct insn *i, struct environment *env)
{
    env->wide = !(i->flags & INSN_OP16);
    env->size = env->wide ? 28 : 14;
}

static bool linear_pointers(const struct cpu *cpu)
{
    return cpu_real_mode(cpu) || cpu_v86(cpu);
}

static void environment_get(const struct cpu *cpu, struct environment *env)
{
    const struct fpu *fpu = &cpu->fpu;
    uint32_t ip = (uint32_t)fpu->instruction_pointer, dp = (uint32_t)fpu->data_pointer;
    uint32_t upper = env->wide ? 0xFFFF0000 : 0;

    env->field[0] = fpu->control | upper;
    env->field[1] = fpu->status | upper;
    env->field[2] = x87_full_tags(cpu) | upper;
    if (linear_pointers(cpu)) {
        ip += (uint32_t)fpu->instruction_selector << 4;
        dp += (uint32_t)fpu->data_selector << 4;
        env->field[3] = ip;
        env->field[4] = (ip >> 16 & 0xFFFF) << 12 | fpu->opcode;
        env->field[5] = dp;
        env->field[6] = (dp >> 16 & 0xFFFF) << 12;
        return;
    }
    env->field[3] = ip;
    env->field[4] = fpu->instruction_selector | (uint32_t)(env->wide ? fpu->opcode : 0) << 16;
    env->field[5] = dp;
    env->field[6] = fpu->data_selector | upper;
}

static void environment_set(struct cpu *cpu, const struct environment *env)
{
    struct fpu *fpu = &cpu->fpu;

    fpu->status = (uint16_t)env->field[1];
    set_control(cpu, (uint16_t)env->field[0]);
    set_full_tags(cpu, (uint16_t)env->field[2]);
    if (linear_pointers(cpu)) {
        fpu->instruction_pointer = (env->field[3] & 0xFFFF) | (env->field[4] >> 12 & 0xFFFF) << 16;
        fpu->data_pointer = (env->field[5] & 0xFFFF) | (env->field[6] >> 12 & 0xFFFF) << 16;
        fpu->instruction_selector = fpu->data_selector = 0;
        fpu->opcode = env->field[4] & 0x7FF;
        return;
    }
    fpu->instruction_pointer = env->field[3];
    fpu->instruction_selector = (uint16_t)env->field[4];
    fpu->data_pointer = env->field[5];
    fpu->data_selector = (uint16_t)env->field[6];
    if (env->wide)
        fpu->opcode = env->field[4] >> 16 & 0x7FF;
}

/*
 * Address of an image of the environment and `more` bytes, after the access check: processors try
 * its first field, then its last byte, which shows in CR2 if it reaches into a missing page.
 */
static uint64_t image_address(struct cpu *cpu, const struct insn *i, const struct environment *env,
                              unsigned more, bool write)
{
    unsigned size = env->size + more;
    uint64_t address = insn_address(cpu, i, size, write);

    if (write) {
        mmu_probe_write(cpu, i, address, env->wide ? 4 : 2);
        mmu_probe_write(cpu, i, address + size - 1, 1);
        return address;
    }
    if (env->wide)
        load32(cpu, i, address);
    else
        load16(cpu, i, address);
    load8(cpu, i, address + size - 1);
    return address;
}

static void environment_store(struct cpu *cpu, const struct insn *i, uint64_t address,
                              const struct environment *env)
{
    for (unsigned k = 0; k < 7; k++) {
        if (env->wide)
            store32(cpu, i, address + 4 * k, env->field[k]);
        else
            store16(cpu, i, address + 2 * k, (uint16_t)env->field[k]);
    }
}

static void environment_load(struct cpu *cpu, const struct insn *i, uint64_t address,
                             struct environment *env)
{
    for (unsigned k = 0; k < 7; k++)
        env->field[k] = env->wide ? load32(cpu, i, address + 4 * k)
                                  : load16(cpu, i, address + 2 * k);
}

void op_fnstenv(struct cpu *cpu, const struct insn *i)
{
    struct environment env;

    x87_check_control(cpu, i);
    environment_layout(i, &env);
    uint64_t address = image_address(cpu, i, &env, 0, true);
    environment_get(cpu, &env);
    environment_store(cpu, i, address, &env);
    /* All exceptions are masked afterwards. */
    cpu->fpu.control |= FSW_EXCEPTIONS;
    x87_update_summary(cpu);
    NEXT(cpu, i);
}

void op_fldenv(struct cpu *cpu, const struct insn *i)
{
    struct environment env;

    x87_check(cpu, i);
    environment_layout(i, &env);
    environment_load(cpu, i, image_address(cpu, i, &env, 0, false), &env);
    environment_set(cpu, &env);
    NEXT(cpu, i);
}

void op_fnsave(struct cpu *cpu, const struct insn *i)
{
    struct environment env;

    x87_check_control(cpu, i);
    environment_layout(i, &env);
    uint64_t address = image_address(cpu, i, &env, 80, true);
    environment_get(cpu, &env);
    environment_store(cpu, i, address, &env);
    for (unsigned k = 0; k < 8; k++) {
        store64(cpu, i, address + env.size + 10 * k, x87_st(cpu, k)->mantissa);
        store16(cpu, i, address + env.size + 10 * k + 8, x87_st(cpu, k)->exponent);
    }
    x87_initialize(cpu);
    NEXT(cpu, i);
}

void op_frstor(struct cpu *cpu, const struct insn *i)
{
    struct environment env;
    struct x87_register st[8];

    x87_check(cpu, i);
    environment_layout(i, &env);
    uint64_t address = image_address(cpu, i, &env, 80, false);
    environment_load(cpu, i, address, &env);
    for (unsigned k = 0; k < 8; k++) {
        st[k].mantissa = load64(cpu, i, address + env.size + 10 * k);
        st[k].exponent = load16(cpu, i, address + env.size + 10 * k + 8);
    }
    environment_set(cpu, &env);
    for (unsigned k = 0; k < 8; k++)
        *x87_st(cpu, k) = st[k];
    NEXT(cpu, i);
}
