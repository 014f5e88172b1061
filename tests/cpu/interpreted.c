/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Privet's processor in the surroundings that the cases expect: long mode, CPL 3, the same pages at
 * the same addresses, an IDT whose handlers halt. The vector is the address of the HLT that was
 * reached; the state is what the exception pushed, so delivery is tested along the way.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/cpu/flags.h"
#include "machine/cpu/mmu.h"
#include "machine/cpu/form.h"
#include "tests/quiet_io.h"
#include "tests/cpu/case.h"

#define RAM_SIZE       0x100000u
#define TABLES_GPA     0x1000u /* page tables, one page each, from here */
#define CODE_GPA       0x40000u
#define DATA_GPA       0x41000u
#define SYSTEM_GPA     0x50000u /* GDT, IDT, TSS, handlers, stack: four pages */
#define SYSTEM_ADDRESS 0xFFFF800000000000ull
#define GDT_OFFSET     0x000u
#define TSS_OFFSET     0x800u
#define IDT_OFFSET     0x1000u
#define HALT_OFFSET    0x2000u
#define STACK_OFFSET   0x4000u
#define HALT_STRIDE    16u
#define RUN_MAX        100000u

enum page_bit { PAGE_PRESENT = 1, PAGE_WRITE = 2, PAGE_USER = 4 };
#define PAGE_NX (1ull << 63)

static struct memory *memory;
static struct cpu *cpu;
static uint64_t tables_used = TABLES_GPA + 0x1000;
static uint8_t *code_page, *data_page, *system_page;


static uint64_t table_entry(uint64_t table, unsigned index)
{
    uint64_t entry = 0;
    memory_read(memory, table + index * 8, &entry, sizeof(entry), MEMORY_RAW);
    return entry;
}

static void map(uint64_t address, uint64_t gpa, uint64_t bits)
{
    uint64_t table = TABLES_GPA;
    for (unsigned shift = 39; shift > 12; shift -= 9) {
        unsigned index = (address >> shift) & 511;
        uint64_t entry = table_entry(table, index);
        if (!entry) {
            entry = tables_used | PAGE_PRESENT | PAGE_WRITE | PAGE_USER;
            tables_used += 0x1000;
            memory_write(memory, table + index * 8, &entry, sizeof(entry), MEMORY_RAW);
        }
        table = entry & ~0xFFFull;
    }
    uint64_t entry = gpa | bits | PAGE_PRESENT | 0x60; /* accessed, dirty */
    memory_write(memory, table + ((address >> 12) & 511) * 8, &entry, sizeof(entry), MEMORY_RAW);
}

/* Gates to the HLT of each vector: present, interrupt gate, DPL 3 (APM 2 4.8.4). */
static void fill_system_pages(void)
{
    static const uint64_t gdt[] = {
        0,
        0,
        0x00AF9B000000FFFFull, /* 0x10: kernel code */
        0x00CF93000000FFFFull, /* 0x18: kernel data */
        0x00CFFB000000FFFFull, /* 0x20: 32-bit user code */
        0x00CFF3000000FFFFull, /* 0x28: user data */
        0x00AFFB000000FFFFull, /* 0x30: 64-bit user code */
    };
    uint8_t *system = system_page;
    memcpy(system + GDT_OFFSET, gdt, sizeof(gdt));
    uint64_t stack = SYSTEM_ADDRESS + STACK_OFFSET;
    memcpy(system + TSS_OFFSET + 4, &stack, sizeof(stack));
    uint16_t io_map = 0x68;
    memcpy(system + TSS_OFFSET + 0x66, &io_map, sizeof(io_map));
    for (unsigned vector = 0; vector < 256; vector++) {
        uint64_t target = SYSTEM_ADDRESS + HALT_OFFSET + vector * HALT_STRIDE;
        uint64_t gate[2] = {
            (target & 0xFFFF) | 0x10ull << 16 | 0xEE00ull << 32 | (target >> 16 & 0xFFFF) << 48,
            target >> 32,
        };
        memcpy(system + IDT_OFFSET + vector * 16, gate, sizeof(gate));
        system[HALT_OFFSET + vector * HALT_STRIDE] = 0xF4;
    }
}

int interpreted_prepare(void)
{
    static const uint8_t seed[32];
    static const struct cpu_config config = {
        .sev = CPU_SEV_OFF, .c_bit = 51, .physical_bits = 40, .processors = 1, .tsc_hz = 1000000000,
    };
    memory = memory_create(seed);
    if (!memory || memory_add_ram(memory, 0, RAM_SIZE))
        return -1;
    map(CODE_ADDRESS, CODE_GPA, PAGE_USER);
    for (unsigned k = 0; k < DATA_SIZE; k += 0x1000)
        map(DATA_ADDRESS + k, DATA_GPA + k, PAGE_USER | PAGE_WRITE | PAGE_NX);
    for (unsigned k = 0; k < STACK_OFFSET; k += 0x1000)
        map(SYSTEM_ADDRESS + k, SYSTEM_GPA + k, PAGE_WRITE);
    /* One view, one region: the pages stay where they are. */
    code_page = memory_page(memory, CODE_GPA, MEMORY_RAW);
    data_page = memory_page(memory, DATA_GPA, MEMORY_RAW);
    system_page = memory_page(memory, SYSTEM_GPA, MEMORY_RAW);
    fill_system_pages();
    cpu = cpu_create(&config, memory, &quiet_io);
    if (!cpu)
        return -1;
    cpu_reset(cpu);
    return 0;
}

bool interpreted_offers(const struct form *form)
{
    return cpu_has_feature(cpu, form->feature);
}

static void load_segments(bool code32)
{
    static const struct segment data = {
        .limit = 0xFFFFFFFF, .selector = SELECTOR_DATA, .attributes = 0xCF3,
    };
    cpu->seg[ES] = cpu->seg[SS] = cpu->seg[DS] = data;
    cpu->seg[FS] = cpu->seg[GS] = (struct segment){ 0 };
    cpu->seg[CS] = (struct segment){
        .limit = 0xFFFFFFFF,
        .selector = code32 ? SELECTOR_CODE32 : SELECTOR_CODE64,
        .attributes = code32 ? 0xCFB : 0xAFB,
    };
    cpu->cpl = 3;
}

static void load_system(void)
{
    cpu->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG;
    cpu->cr4 = CR4_PAE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_FSGSBASE | CR4_UMIP;
    cpu->cr4 |= CR4_OSXSAVE;
    cpu->xcr0 = XCR0_X87 | XCR0_SSE | XCR0_YMM;
    cpu->efer = EFER_LME | EFER_LMA | EFER_NXE | EFER_SCE;
    cpu->cr3 = TABLES_GPA;
    cpu->gdtr = (struct table_register){ SYSTEM_ADDRESS + GDT_OFFSET, 0x7F };
    cpu->idtr = (struct table_register){ SYSTEM_ADDRESS + IDT_OFFSET, 0xFFF };
    cpu->tr = (struct segment){
        .base = SYSTEM_ADDRESS + TSS_OFFSET, .limit = 0x67, .selector = 0x40, .attributes = 0x8B,
    };
}

static void load_fpu(const uint8_t *image)
{
    struct fpu *fpu = &cpu->fpu;
    memcpy(&fpu->control, image, 2);
    memcpy(&fpu->status, image + 2, 2);
    fpu->valid = image[4];
    memcpy(&fpu->mxcsr, image + 24, 4);
    unsigned top = fpu->status >> 11 & 7;
    for (unsigned k = 0; k < 8; k++) {
        memcpy(&fpu->st[(top + k) & 7].mantissa, image + 32 + 16 * k, 8);
        memcpy(&fpu->st[(top + k) & 7].exponent, image + 40 + 16 * k, 2);
    }
    memcpy(fpu->xmm, image + 160, 256);
    fpu->opcode = 0;
    fpu->instruction_pointer = fpu->data_pointer = 0;
    fpu->instruction_selector = fpu->data_selector = 0;
}

static void store_fpu(uint8_t *image)
{
    const struct fpu *fpu = &cpu->fpu;
    memset(image, 0, 512);
    memcpy(image, &fpu->control, 2);
    memcpy(image + 2, &fpu->status, 2);
    image[4] = fpu->valid;
    memcpy(image + 24, &fpu->mxcsr, 4);
    unsigned top = fpu->status >> 11 & 7;
    for (unsigned k = 0; k < 8; k++) {
        memcpy(image + 32 + 16 * k, &fpu->st[(top + k) & 7].mantissa, 8);
        memcpy(image + 40 + 16 * k, &fpu->st[(top + k) & 7].exponent, 2);
    }
    memcpy(image + 160, fpu->xmm, 256);
}

/* What the handler finds on its stack: APM 2 8.9.3. */
static void store_frame(struct outcome *outcome)
{
    static const bool has_error[32] = {
        [VECTOR_DF] = true, [VECTOR_TS] = true, [VECTOR_NP] = true, [VECTOR_SS] = true,
        [VECTOR_GP] = true, [VECTOR_PF] = true, [VECTOR_AC] = true,
    };
    uint64_t frame[6];
    memcpy(frame, system_page + STACK_OFFSET - sizeof(frame), sizeof(frame));
    outcome->error = outcome->vector < 32 && has_error[outcome->vector] ? frame[0] : 0;
    outcome->state.rip = frame[1];
    outcome->state.rflags = frame[3];
    outcome->state.gpr[RSP] = frame[4];
}

void interpreted_run(const struct test_case *test, struct outcome *outcome)
{
    load_system();
    load_segments(test->code32);
    for (unsigned k = 0; k < 16; k++)
        cpu->gpr[k] = test->state.gpr[k];
    cpu->rip = test->state.rip;
    flags_set(cpu, (uint32_t)test->state.rflags);
    load_fpu(test->state.fxsave);
    memcpy(cpu->fpu.ymm_high, test->state.high, sizeof(cpu->fpu.ymm_high));
    memset(code_page, 0xCC, CODE_SIZE);
    memcpy(code_page + (test->state.rip - CODE_ADDRESS), test->code, test->length);
    memcpy(data_page, test->data, DATA_SIZE);
    cpu->halted = false;
    cpu_invalidate_page(cpu, CODE_GPA);
    cpu_update_mode(cpu);

    enum cpu_stop stop = cpu_run(cpu, cpu_instructions(cpu) + RUN_MAX);
    outcome->done = stop == CPU_STOP_HALT;
    for (unsigned k = 0; k < 16; k++)
        outcome->state.gpr[k] = cpu->gpr[k];
    uint64_t halt = cpu->rip - SYSTEM_ADDRESS - HALT_OFFSET;
    outcome->vector = (uint32_t)(halt / HALT_STRIDE);
    outcome->cr2 = cpu->cr2;
    store_fpu(outcome->state.fxsave);
    memcpy(outcome->state.high, cpu->fpu.ymm_high, sizeof(outcome->state.high));
    memcpy(outcome->data, data_page, DATA_SIZE);
    if (outcome->done)
        store_frame(outcome);
    else
        fprintf(stderr, "cpu_run: stop %d: %s\n", stop, cpu_error(cpu) ? cpu_error(cpu) : "");
}
