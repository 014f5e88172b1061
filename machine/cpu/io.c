/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Port I/O: IN, OUT, INS, OUTS with IOPL and the TSS's I/O bitmap (APM 2 12.2.4). In a SEV guest
 * INS and OUTS raise #UD, as KVM has it: the hypervisor would have to touch private memory. With
 * SEV-ES all of them are the guest's own to emulate, by #VC.
 */
#include "machine/cpu/block.h"
#include "machine/cpu/observer.h"
#include "machine/cpu/operations.h"
#include "machine/cpu/system.h"

static void check_bitmap(struct cpu *cpu, const struct insn *i, unsigned port, unsigned size)
{
    unsigned type = cpu->tr.attributes & SEG_TYPE;
    if (type != TYPE_TSS32_BUSY || cpu->tr.limit < 0x67)
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
    unsigned offset = (unsigned)mmu_load_system(cpu, i, cpu->tr.base + 0x66, 2) + port / 8;
    if (offset + 1 > cpu->tr.limit)
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
    uint64_t bits = mmu_load_system(cpu, i, cpu->tr.base + offset, 2);
    if (bits >> (port & 7) & ((1u << size) - 1))
        cpu_raise_error(cpu, i, VECTOR_GP, 0);
}

/* These exceptions go before the intercept, all others after it: APM 2 15.10.2. */
static void check_port(struct cpu *cpu, const struct insn *i, unsigned port, unsigned size)
{
    if (cpu->cr0 & CR0_PE && (cpu->cpl > cpu_iopl(cpu) || cpu_v86(cpu)))
        check_bitmap(cpu, i, port, size);
    cpu_intercept(cpu, i, SEV_EXIT_IOIO);
}

static void observe_port(struct cpu *cpu, const struct insn *i, unsigned port, unsigned size,
                         uint32_t value, bool write)
{
    const struct cpu_observer *observer = cpu->observer;
    if (__builtin_expect(observer && observer->port, 0))
        observer->port(observer->context, cpu, insn_rip(cpu, i) + cpu->seg[CS].base, port, size,
                       value, write);
}

static uint32_t port_in(struct cpu *cpu, const struct insn *i, unsigned port, unsigned size)
{
    check_port(cpu, i, port, size);
    cpu->current = i;
    if (cpu->watch.port_armed)
        breakpoints_port(cpu, port, size);
    uint32_t value = cpu->io.port_read(cpu->io.context, (uint16_t)port, size);
    observe_port(cpu, i, port, size, value, false);
    return value;
}

static void port_out(struct cpu *cpu, const struct insn *i, unsigned port, uint32_t value,
                     unsigned size)
{
    check_port(cpu, i, port, size);
    cpu->current = i;
    if (cpu->watch.port_armed)
        breakpoints_port(cpu, port, size);
    cpu->io.port_write(cpu->io.context, (uint16_t)port, value, size);
    observe_port(cpu, i, port, size, value, true);
}

static unsigned wide_size(const struct insn *i)
{
    return i->flags & INSN_OP16 ? 2 : 4; /* REX.W has no effect */
}

static void set_accumulator(struct cpu *cpu, uint32_t value, unsigned size)
{
    if (size == 4)
        cpu->gpr[RAX] = value;
    else if (size == 2)
        cpu->gpr[RAX] = (cpu->gpr[RAX] & ~0xFFFFull) | (uint16_t)value;
    else
        cpu->gpr[RAX] = (cpu->gpr[RAX] & ~0xFFull) | (uint8_t)value;
}

#define PORT_IMM(i) ((unsigned)((i)->imm & 0xFF))
#define PORT_DX     ((unsigned)(cpu->gpr[RDX] & 0xFFFF))

#define DEFINE(suffix, port, size)                                                                 \
    void op_in_##suffix(struct cpu *cpu, const struct insn *i)                                     \
    {                                                                                              \
        unsigned bytes = size;                                                                     \
        set_accumulator(cpu, port_in(cpu, i, port, bytes), bytes);                                 \
        NEXT(cpu, i);                                                                              \
    }                                                                                              \
    void op_out_##suffix(struct cpu *cpu, const struct insn *i)                                    \
    {                                                                                              \
        unsigned bytes = size;                                                                     \
        uint32_t mask = bytes == 4 ? 0xFFFFFFFF : (1u << 8 * bytes) - 1;                           \
        port_out(cpu, i, port, (uint32_t)cpu->gpr[RAX] & mask, bytes);                             \
        NEXT(cpu, i);                                                                              \
    }
DEFINE(imm_byte, PORT_IMM(i), 1)
DEFINE(imm_wide, PORT_IMM(i), wide_size(i))
DEFINE(dx_byte, PORT_DX, 1)
DEFINE(dx_wide, PORT_DX, wide_size(i))
#undef DEFINE

/* --- string I/O ----------------------------------------------------------------------------- */

static uint64_t address_mask(const struct insn *i)
{
    if (i->flags & INSN_ADDR16)
        return 0xFFFF;
    return i->flags2 & INSN_ADDR32 ? 0xFFFFFFFF : UINT64_MAX;
}

static void add_to_register(struct cpu *cpu, unsigned number, uint64_t mask, uint64_t value)
{
    uint64_t sum = (cpu->gpr[number] + value) & mask;
    cpu->gpr[number] = mask == 0xFFFF ? (cpu->gpr[number] & ~mask) | sum : sum;
}

static void string_in(struct cpu *cpu, const struct insn *i, unsigned size)
{
    uint64_t mask = address_mask(i);
    check_port(cpu, i, PORT_DX, size);
    uint64_t address = segment_address(cpu, i, ES, cpu->gpr[RDI] & mask, size, true);
    mmu_probe_write(cpu, i, address, size); /* the port is read only if the store will work */
    uint32_t value = port_in(cpu, i, PORT_DX, size);
    mmu_store_slow(cpu, i, address, size, value);
    add_to_register(cpu, RDI, mask, cpu->eflags & EFLAGS_DF ? 0 - (uint64_t)size : size);
}

static void string_out(struct cpu *cpu, const struct insn *i, unsigned size)
{
    uint64_t mask = address_mask(i);
    check_port(cpu, i, PORT_DX, size);
    uint64_t address = segment_address(cpu, i, i->seg, cpu->gpr[RSI] & mask, size, false);
    uint32_t value = (uint32_t)mmu_load_slow(cpu, i, address, size);
    port_out(cpu, i, PORT_DX, value, size);
    add_to_register(cpu, RSI, mask, cpu->eflags & EFLAGS_DF ? 0 - (uint64_t)size : size);
}

typedef void string_element(struct cpu *cpu, const struct insn *i, unsigned size);

/* Leaves for the run loop when something is due and at the latest after REPEAT_LIMIT elements. */
#define REPEAT_LIMIT 4096u

static void string_io(struct cpu *cpu, const struct insn *i, string_element *element,
                      unsigned size)
{
    const struct cpu_observer *observer = cpu->observer;
    uint64_t mask = address_mask(i);
    if (observer && observer->string_io && cpu->config.sev != CPU_SEV_ES)
        observer->string_io(observer->context, cpu, insn_rip(cpu, i) + cpu->seg[CS].base,
                            PORT_DX, size, element == string_out);
    if (cpu->config.sev == CPU_SEV_ON)
        cpu_raise(cpu, i, VECTOR_UD);
    if (!(i->flags & (INSN_REP | INSN_REPNE))) {
        element(cpu, i, size);
        leave_block(cpu, i, insn_return_rip(cpu, i));
        return;
    }
    for (unsigned n = 0; cpu->gpr[RCX] & mask; n++) {
        if (n == REPEAT_LIMIT || (n && cpu->deadline == 0)) {
            cpu->instructions++; /* or a guest's endless repetition would have no deadline */
            repeat_later(cpu, i);
            return;
        }
        element(cpu, i, size);
        add_to_register(cpu, RCX, mask, UINT64_MAX);
    }
    leave_block(cpu, i, insn_return_rip(cpu, i));
}

void op_insb(struct cpu *cpu, const struct insn *i)
{
    string_io(cpu, i, string_in, 1);
}

void op_ins(struct cpu *cpu, const struct insn *i)
{
    string_io(cpu, i, string_in, wide_size(i));
}

void op_outsb(struct cpu *cpu, const struct insn *i)
{
    string_io(cpu, i, string_out, 1);
}

void op_outs(struct cpu *cpu, const struct insn *i)
{
    string_io(cpu, i, string_out, wide_size(i));
}
