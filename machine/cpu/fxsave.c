/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * MXCSR and the 512-byte state image of FXSAVE and FXRSTOR (APM 2 11.4.4, figures 11-8 and 11-9).
 */
#include "machine/cpu/simd.h"
#include "machine/cpu/xsave.h"

#define IMAGE_SIZE 416u /* the bytes that the processor reads and writes; the rest is software's */

void op_stmxcsr(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    hostfp_collect(cpu);
    store32(cpu, i, insn_address(cpu, i, 4, true), cpu->fpu.mxcsr);
    NEXT(cpu, i);
}

void op_ldmxcsr(struct cpu *cpu, const struct insn *i)
{
    sse_check(cpu, i);
    uint32_t value = load32(cpu, i, insn_address(cpu, i, 4, false));
    if (value & ~MXCSR_VALID)
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
    hostfp_load_guest(cpu, value);
    NEXT(cpu, i);
}

static void put16(uint8_t *image, unsigned offset, uint16_t value)
{
    memcpy(image + offset, &value, sizeof(value));
}

static void put32(uint8_t *image, unsigned offset, uint32_t value)
{
    memcpy(image + offset, &value, sizeof(value));
}

static void put64(uint8_t *image, unsigned offset, uint64_t value)
{
    memcpy(image + offset, &value, sizeof(value));
}

static uint16_t get16(const uint8_t *image, unsigned offset)
{
    uint16_t value;
    memcpy(&value, image + offset, sizeof(value));
    return value;
}

static uint32_t get32(const uint8_t *image, unsigned offset)
{
    uint32_t value;
    memcpy(&value, image + offset, sizeof(value));
    return value;
}

static uint64_t get64(const uint8_t *image, unsigned offset)
{
    uint64_t value;
    memcpy(&value, image + offset, sizeof(value));
    return value;
}

/* Checks common to both; returns the operand's address. */
static uint64_t fx_address(struct cpu *cpu, const struct insn *i, bool write)
{
    if (cpu->cr0 & CR0_EM)
        cpu_raise(cpu, i, VECTOR_UD);
    if (cpu->cr0 & CR0_TS)
        cpu_raise(cpu, i, VECTOR_NM);
    uint64_t address = insn_address(cpu, i, 512, write);
    if (address & 15)
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
    return address;
}

/* XMM registers in the image: none with EFER.FFXSR in 64-bit mode at CPL 0 (APM 2 11.4.4.3). */
static unsigned fx_xmm_count(const struct cpu *cpu)
{
    if (!cpu_64bit(cpu))
        return 8;
    return (cpu->efer & EFER_FFXSR) && cpu->cpl == 0 ? 0 : 16;
}

static void fx_put_pointers(const struct cpu *cpu, uint8_t *image, bool wide)
{
    const struct fpu *fpu = &cpu->fpu;

    /* AMD: only while an exception is pending. */
    if (!(fpu->status & FSW_ES))
        return;
    put16(image, 6, fpu->opcode);
    if (wide) {
        put64(image, 8, fpu->instruction_pointer);
        put64(image, 16, fpu->data_pointer);
        return;
    }
    put32(image, 8, (uint32_t)fpu->instruction_pointer);
    put16(image, 12, fpu->instruction_selector);
    put32(image, 16, (uint32_t)fpu->data_pointer);
    put16(image, 20, fpu->data_selector);
}

static void fx_get_pointers(struct cpu *cpu, const uint8_t *image, bool wide)
{
    struct fpu *fpu = &cpu->fpu;

    if (!(fpu->status & FSW_ES))
        return;
    fpu->opcode = get16(image, 6) & 0x7FF;
    fpu->instruction_pointer = wide ? get64(image, 8) : get32(image, 8);
    fpu->data_pointer = wide ? get64(image, 16) : get32(image, 16);
    fpu->instruction_selector = wide ? 0 : get16(image, 12);
    fpu->data_selector = wide ? 0 : get16(image, 20);
}

static void fx_put_registers(struct cpu *cpu, uint8_t *image)
{
    for (unsigned k = 0; k < 8; k++) {
        const struct x87_register *st = x87_st(cpu, k);
        put64(image, 32 + 16 * k, st->mantissa);
        put16(image, 40 + 16 * k, st->exponent);
    }
}

void fx_put_x87(struct cpu *cpu, uint8_t *image, bool wide)
{
    put16(image, 0, cpu->fpu.control);
    put16(image, 2, cpu->fpu.status);
    image[4] = cpu->fpu.valid;
    fx_put_pointers(cpu, image, wide);
    fx_put_registers(cpu, image);
}

void fx_get_x87(struct cpu *cpu, const uint8_t *image, bool wide)
{
    cpu->fpu.control = (get16(image, 0) & 0x1F3F) | 0x0040;
    cpu->fpu.status = get16(image, 2);
    cpu->fpu.valid = image[4];
    x87_update_summary(cpu);
    fx_get_pointers(cpu, image, wide);
    for (unsigned k = 0; k < 8; k++) {
        struct x87_register *st = x87_st(cpu, k);
        st->mantissa = get64(image, 32 + 16 * k);
        st->exponent = get16(image, 40 + 16 * k);
    }
}

void fx_store(struct cpu *cpu, const struct insn *i, uint64_t address, const void *data,
              unsigned size)
{
    for (unsigned k = 0; k < size; k += 8) {
        uint64_t part;
        memcpy(&part, (const uint8_t *)data + k, sizeof(part));
        store64(cpu, i, address + k, part);
    }
}

void fx_load(struct cpu *cpu, const struct insn *i, uint64_t address, void *data, unsigned size)
{
    for (unsigned k = 0; k < size; k += 8) {
        uint64_t part = load64(cpu, i, address + k);
        memcpy((uint8_t *)data + k, &part, sizeof(part));
    }
}

void op_fxsave(struct cpu *cpu, const struct insn *i)
{
    uint64_t address = fx_address(cpu, i, true);
    uint8_t image[IMAGE_SIZE] = {0};
    unsigned xmm_count = fx_xmm_count(cpu);
    unsigned size = 160 + 16 * xmm_count;

    hostfp_collect(cpu);
    fx_put_x87(cpu, image, i->flags & INSN_OP64);
    put32(image, 24, cpu->fpu.mxcsr);
    put32(image, 28, MXCSR_VALID);
    memcpy(image + 160, cpu->fpu.xmm, 16 * xmm_count);

    mmu_probe_write(cpu, i, address, size);
    fx_store(cpu, i, address, image, size);
    NEXT(cpu, i);
}

void op_fxrstor(struct cpu *cpu, const struct insn *i)
{
    uint64_t address = fx_address(cpu, i, false);
    uint8_t image[IMAGE_SIZE];
    unsigned xmm_count = fx_xmm_count(cpu);

    fx_load(cpu, i, address, image, 160 + 16 * xmm_count);
    if (get32(image, 24) & ~MXCSR_VALID)
        cpu_raise_error(cpu, i, VECTOR_GP, 0);

    fx_get_x87(cpu, image, i->flags & INSN_OP64);
    hostfp_load_guest(cpu, get32(image, 24));
    memcpy(cpu->fpu.xmm, image + 160, 16 * xmm_count);
    NEXT(cpu, i);
}
