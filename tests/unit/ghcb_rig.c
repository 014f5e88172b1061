/* SPDX-License-Identifier: BSD-2-Clause-Patent */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/ghcb_rig.h"

#include "machine/cpu/observer.h"
#include "machine/cpu/system.h"
#include "sev/bytes.h"
#include "tests/quiet_io.h"

/* --- the outside ------------------------------------------------------------------------------ */

static void record(struct machine *m, struct access access)
{
    if (m->count < sizeof(m->accesses) / sizeof(m->accesses[0]))
        m->accesses[m->count] = access;
    m->last = access;
    m->count++;
}

uint64_t device_bytes(uint64_t address, unsigned size)
{
    uint64_t value = 0;
    for (unsigned k = 0; k < size; k++)
        value |= (uint64_t)(uint8_t)(0x40 + address + k) << 8 * k;
    return value;
}

static uint64_t mmio_read(void *context, uint64_t gpa, unsigned size)
{
    record(context, (struct access){ true, false, size, gpa, 0 });
    return device_bytes(gpa, size);
}

static void mmio_write(void *context, uint64_t gpa, uint64_t value, unsigned size)
{
    record(context, (struct access){ true, true, size, gpa, value });
}

static void reroute(struct machine *m)
{
    if (m->reroute)
        memory_route(m->memory, m->reroute, HIGH - m->reroute, MEMORY_ROUTE_ROM);
    m->reroute = 0;
}

/* As a careless device does, with all bits set above the size. */
static uint32_t port_read(void *context, uint16_t port, unsigned size)
{
    struct machine *m = context;
    reroute(m);
    record(m, (struct access){ false, false, size, port, 0 });
    return 0xA1B2C3D4u + (m->count - 1);
}

static void port_write(void *context, uint16_t port, uint32_t value, unsigned size)
{
    reroute(context);
    record(context, (struct access){ false, true, size, port, value });
}

static uint64_t tsc_read(void *context)
{
    return TSC;
}

static bool apic_msr_read(void *context, uint32_t msr, uint64_t *value)
{
    const struct machine *m = context;
    *value = m->apic_base;
    return msr == 0x1B;
}

static bool apic_msr_write(void *context, uint32_t msr, uint64_t value)
{
    struct machine *m = context;
    if (msr == 0x1B)
        m->apic_base = value;
    return msr == 0x1B;
}

static void saw_port(void *context, struct cpu *cpu, uint64_t rip, unsigned port, unsigned size,
                     uint64_t value, bool write)
{
    ((struct machine *)context)->observed_ports++;
}

static void saw_mmio(void *context, struct cpu *cpu, const struct cpu_mmio *mmio)
{
    struct machine *m = context;
    m->observed_mmio++;
    assert_true(mmio->by_request);
    assert_int_equal(mmio->gpa, m->last.address);
    assert_int_equal(mmio->write, m->last.write);
}

static void saw_flush(void *context, struct cpu *cpu)
{
    ((struct machine *)context)->flushes++;
}

static void ended(void *context, unsigned processor, enum ghcb_end how, uint64_t set, uint64_t reason)
{
    struct machine *m = context;
    m->ends++;
    m->end = (struct ghcb_end_note){ processor, how, set, reason };
}

static void told(void *context, unsigned processor, const struct ghcb_told *what)
{
    struct machine *m = context;
    m->tells++;
    m->told = *what;
}

static void page_changed(void *context, uint64_t gpa)
{
    struct machine *m = context;
    for (unsigned n = 0; n < 2; n++) {
        if (m->cpu[n])
            cpu_invalidate_page(m->cpu[n], gpa);
    }
}

void expect_access(const struct machine *m, unsigned k, struct access expected)
{
    assert_true(k < m->count);
    const struct access *access = &m->accesses[k];
    assert_int_equal(access->memory, expected.memory);
    assert_int_equal(access->write, expected.write);
    assert_int_equal(access->size, expected.size);
    assert_int_equal(access->address, expected.address);
    assert_int_equal(access->value, expected.value);
}


/* --- the machine ------------------------------------------------------------------------------ */

static void make_memory(struct machine *m)
{
    static const uint8_t seed[32], key[MEMORY_KEY_SIZE] = { 1 };
    static uint8_t rom[HIGH - ROM];
    memset(rom, 0x99, sizeof(rom));
    m->memory = memory_create(seed);
    assert_non_null(m->memory);
    assert_int_equal(memory_add_ram(m->memory, 0, SHADOW), 0);
    assert_int_equal(memory_add_shadow(m->memory, SHADOW, HIGH - SHADOW, rom, HIGH - ROM), 0);
    assert_int_equal(memory_add_ram(m->memory, HIGH, RAM_END - HIGH), 0);
    assert_int_equal(memory_add_rom(m->memory, FLASH, FLASH_END - FLASH, rom), 0);
    memory_set_listener(m->memory, page_changed, m);
    memory_set_key(m->memory, ASID, key);
}

int rig_setup(void **state)
{
    static struct machine machine;
    static struct cpu_io io;
    static struct cpu_observer observer;
    struct machine *m = &machine;
    struct cpu_config config = { .sev = CPU_SEV_ES, .asid = ASID, .c_bit = 51, .physical_bits = 40,
                                 .processors = 2, .tsc_hz = 1000000000 };
    memset(m, 0, sizeof(*m));
    make_memory(m);
    io = quiet_io;
    io.context = m;
    io.mmio_read = mmio_read;
    io.mmio_write = mmio_write;
    io.port_read = port_read;
    io.port_write = port_write;
    io.tsc_read = tsc_read;
    io.apic_msr_read = apic_msr_read;
    io.apic_msr_write = apic_msr_write;
    observer = (struct cpu_observer){ .context = m, .caches_flushed = saw_flush, .port = saw_port,
                                      .mmio = saw_mmio };
    m->common = (struct ghcb_common){ .memory = m->memory, .c_bit = 51, .host = { m, ended, told } };
    for (unsigned n = 0; n < 2; n++) {
        config.apic_id = n;
        config.sibling = m->cpu[0];
        m->cpu[n] = cpu_create(&config, m->memory, &io);
        assert_non_null(m->cpu[n]);
        cpu_set_observer(m->cpu[n], &observer);
        ghcb_init(&m->ghcb[n], &m->common, n, m->cpu[n], &io);
    }
    *state = m;
    return 0;
}

int rig_teardown(void **state)
{
    struct machine *m = *state;
    cpu_destroy(m->cpu[1]);
    cpu_destroy(m->cpu[0]);
    memory_destroy(m->memory);
    return 0;
}

void put_bytes(struct machine *m, uint64_t gpa, const void *bytes, size_t size)
{
    assert_int_equal(memory_write(m->memory, gpa, bytes, size, MEMORY_RAW), 0);
}

uint64_t quadword(struct machine *m, uint64_t gpa)
{
    uint8_t bytes[8];
    assert_int_equal(memory_read(m->memory, gpa, bytes, sizeof(bytes), MEMORY_RAW), 0);
    return load_le64(bytes);
}

void fill(struct machine *m, uint64_t gpa, size_t size, uint8_t byte)
{
    static uint8_t bytes[LIMIT + 2];
    memset(bytes, byte, size);
    put_bytes(m, gpa, bytes, size);
}

void route_to_ram(struct machine *m)
{
    memory_route(m->memory, SHADOW, HIGH - SHADOW, MEMORY_ROUTE_READS | MEMORY_ROUTE_WRITES);
}

/* --- a page's request and answer -------------------------------------------------------------- */

static void set_valid(uint8_t *page, unsigned field)
{
    page[SEV_GHCB_VALID + field / 64] |= (uint8_t)(1u << field / 8 % 8);
}

static void set(uint8_t *page, unsigned field, uint64_t value, bool valid)
{
    store_le64(page + field, value);
    if (valid)
        set_valid(page, field);
}

void build_page(const struct ask *ask, uint8_t page[SEV_GHCB_SIZE])
{
    memset(page, NOISE, SEV_GHCB_SIZE);
    memset(page + SEV_GHCB_VALID, 0, 16);
    set(page, SEV_GHCB_EXIT_CODE, ask->code, ask->lacks != 1);
    set(page, SEV_GHCB_EXIT_INFO_1, ask->info1, ask->lacks != 2);
    set(page, SEV_GHCB_EXIT_INFO_2, ask->info2, ask->lacks != 3);
    set(page, SEV_GHCB_RAX, ask->rax, ask->has & RAX_);
    set(page, SEV_GHCB_RBX, ask->rbx, ask->has & RBX_);
    set(page, SEV_GHCB_RCX, ask->rcx, ask->has & RCX_);
    set(page, SEV_GHCB_RDX, ask->rdx, ask->has & RDX_);
    set(page, SEV_GHCB_XCR0, ask->xcr0, ask->has & XCR0_);
    set(page, SEV_GHCB_SCRATCH, ask->scratch, ask->has & SCRATCH_);
    page[SEV_GHCB_CPL] = (uint8_t)ask->cpl;
    if (ask->has & CPL_)
        set_valid(page, SEV_GHCB_CPL);
    store_le32(page + SEV_GHCB_USAGE, ask->usage);
}

/* Of an answer; everything else in the page is as it was, but for the shared buffer. */
static void check_page(const uint8_t before[SEV_GHCB_SIZE], const uint8_t after[SEV_GHCB_SIZE])
{
    static const uint16_t answers[] = { SEV_GHCB_RAX, SEV_GHCB_RBX, SEV_GHCB_RCX, SEV_GHCB_RDX,
                                        SEV_GHCB_EXIT_INFO_1, SEV_GHCB_EXIT_INFO_2 };
    uint8_t expected[SEV_GHCB_SIZE];
    memcpy(expected, before, SEV_GHCB_SIZE);
    memset(expected + SEV_GHCB_VALID, 0, 16);
    for (size_t k = 0; k < sizeof(answers) / sizeof(answers[0]); k++)
        set(expected, answers[k], load_le64(after + answers[k]), true);
    memcpy(expected + SEV_GHCB_BUFFER, after + SEV_GHCB_BUFFER, SEV_GHCB_BUFFER_SIZE);
    assert_memory_equal(after, expected, SEV_GHCB_SIZE);
}

struct answer go_on(struct machine *m, unsigned processor, uint64_t gpa, const struct ask *ask)
{
    uint8_t before[SEV_GHCB_SIZE], after[SEV_GHCB_SIZE], buffer[SEV_GHCB_BUFFER_SIZE];
    unsigned tells = m->tells;
    build_page(ask, before);
    memory_read(m->memory, gpa + SEV_GHCB_BUFFER, buffer, sizeof(buffer), MEMORY_RAW);
    memcpy(before + SEV_GHCB_BUFFER, buffer, sizeof(buffer)); /* a test fills it beforehand */
    put_bytes(m, gpa, before, sizeof(before));
    m->count = 0;
    assert_int_equal(ghcb_exit(&m->ghcb[processor], gpa), gpa);
    assert_int_equal(m->tells, tells + 1);
    assert_int_equal(memory_read(m->memory, gpa, after, sizeof(after), MEMORY_RAW), 0);
    check_page(before, after);
    return (struct answer){
        load_le64(after + SEV_GHCB_EXIT_INFO_1), load_le64(after + SEV_GHCB_EXIT_INFO_2),
        load_le64(after + SEV_GHCB_RAX),         load_le64(after + SEV_GHCB_RBX),
        load_le64(after + SEV_GHCB_RCX),         load_le64(after + SEV_GHCB_RDX),
    };
}

struct answer go(struct machine *m, const struct ask *ask)
{
    return go_on(m, 0, GHCB, ask);
}

void expect_results(const struct answer *answer, uint64_t result1, uint64_t result2)
{
    assert_int_equal(answer->result1, result1);
    assert_int_equal(answer->result2, result2);
}

struct answer expect_done(struct machine *m, const struct ask *ask)
{
    struct answer answer = go(m, ask);
    expect_results(&answer, SEV_GHCB_DONE, 0);
    return answer;
}

void expect_error(struct machine *m, const struct ask *ask, enum sev_ghcb_error error)
{
    struct answer answer = go(m, ask);
    expect_results(&answer, SEV_GHCB_MALFORMED, error);
    assert_int_equal(answer.rax, ask->has & RAX_ ? ask->rax : 0);
    assert_int_equal(answer.rbx, ask->has & RBX_ ? ask->rbx : 0);
    assert_int_equal(answer.rcx, ask->has & RCX_ ? ask->rcx : 0);
    assert_int_equal(answer.rdx, ask->has & RDX_ ? ask->rdx : 0);
    assert_int_equal(m->count, 0);
    assert_int_equal(m->ends, 0);
    assert_int_equal(m->flushes, 0);
    assert_false(m->cpu[0]->halted);
    assert_int_equal(m->told.result1, SEV_GHCB_MALFORMED);
    assert_int_equal(m->told.result2, error);
}
