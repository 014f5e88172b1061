/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Processor models and what hangs on them: names, CPUID, #UD for what is taken away; and state
 * that the differential test cannot compare: XSAVE areas, XCR0, CR4, time stamp counter, deadline.
 * Code runs in real mode; each vector's handler is a HLT of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "machine/cpu/model.h"
#include "machine/cpu/system.h"
#include "machine/cpu/x87.h"
#include "machine/cpu/xsave.h"
#include "tests/quiet_io.h"

#define CODE    0x1000u
#define HANDLER 0x2000u
#define AREA    0x3000u

static struct memory *memory;
static struct cpu *cpu;
static uint64_t deadline;

static bool apic_read(void *context, uint32_t msr, uint64_t *value)
{
    *value = msr == 0x6E0 ? deadline : 0;
    return true;
}
static bool apic_write(void *context, uint32_t msr, uint64_t value)
{
    deadline = value;
    return true;
}
/* A processor of this model in real mode with flat segments. */
static void start(const char *model)
{
    static const uint8_t seed[32];
    struct cpu_io io = quiet_io;
    io.apic_msr_read = apic_read;
    io.apic_msr_write = apic_write;
    struct cpu_config config = {.physical_bits = 40, .processors = 1, .tsc_hz = 1000000000};
    char error[1200];
    assert_true(cpu_model_parse(model, &config.model, error, sizeof(error)));
    memory = memory_create(seed);
    assert_int_equal(memory_add_ram(memory, 0, 1 << 20), 0);
    for (uint32_t vector = 0; vector < 256; vector++) {
        uint32_t handler = HANDLER + vector;
        memory_write(memory, vector * 4, &handler, 4, MEMORY_RAW);
        memory_write(memory, handler, "\xF4", 1, MEMORY_RAW);
    }
    cpu = cpu_create(&config, memory, &io);
    assert_non_null(cpu);
    cpu->gpr[RDX] = 0; /* the signature, after reset */
}

static int stop(void **state)
{
    cpu_destroy(cpu);
    memory_destroy(memory);
    cpu = NULL;
    deadline = 0;
    return 0;
}

/* Runs the code and a HLT behind it. The vector of the exception, -1 if there was none. */
static int run_code(const char *code, size_t size)
{
    memory_write(memory, CODE, code, size, MEMORY_RAW);
    memory_write(memory, CODE + size, "\xF4", 1, MEMORY_RAW);
    cpu_invalidate_page(cpu, CODE);
    for (unsigned segment = 0; segment < 6; segment++)
        cpu->seg[segment] = (struct segment){.limit = 0xFFFF, .attributes = segment == CS ? 0x9B
                                                                                          : 0x93};
    cpu->gpr[RSP] = 0x8000;
    cpu->rip = CODE;
    cpu->halted = false;
    cpu_update_mode(cpu);
    assert_int_equal(cpu_run(cpu, cpu_instructions(cpu) + 100), CPU_STOP_HALT);
    return cpu->rip >= HANDLER ? (int)(cpu->rip - 1 - HANDLER) : -1;
}
#define RUN(code) run_code((code), sizeof(code) - 1)

static bool cpuid_bit(uint32_t leaf, unsigned reg, unsigned bit)
{
    uint32_t values[4];
    cpu_cpuid(cpu, leaf, 0, values);
    return values[reg] >> bit & 1;
}

static void names(void **state)
{
    struct cpu_model model;
    char error[1200];
    assert_true(cpu_model_parse("epyc", &model, error, sizeof(error)));
    assert_int_equal(model.off, 0);
    assert_true(cpu_model_parse("+sse4.1,-sse4-2", &model, error, sizeof(error)));
    assert_int_equal(model.off & ~(1ull << FEATURE_AVX | 1ull << FEATURE_AVX2),
                     1ull << FEATURE_SSE42);
    assert_true(cpu_model_parse("baseline,+sse4_2", &model, error, sizeof(error)));
    assert_int_equal(model.off >> FEATURE_SSSE3 & 1, 0); /* comes along */
    assert_int_equal(model.off >> FEATURE_AES & 1, 1);
    assert_true(cpu_model_parse("epyc,-sse3", &model, error, sizeof(error)));
    assert_int_equal(model.off >> FEATURE_SSE42 & 1, 1); /* goes along */
    assert_true(cpu_model_parse("epyc,-sse3,+sse4_2", &model, error, sizeof(error)));
    assert_int_equal(model.off >> FEATURE_SSE3 & 1, 0);
}

static void bad_names(void **state)
{
    static const char *const wrong[] = {"pentium", "epyc,smap", "epyc,+", "epyc,+ss",
                                        "baseline,,", "epyc,-base", "+"};
    struct cpu_model model;
    char error[1200];
    for (unsigned k = 0; k < sizeof(wrong) / sizeof(wrong[0]); k++) {
        error[0] = 0;
        assert_false(cpu_model_parse(wrong[k], &model, error, sizeof(error)));
        assert_true(error[0]);
    }
}

static void taken_away(void **state)
{
    start("epyc,-popcnt,-sse4_2,-bmi1,-xsave");
    assert_false(cpuid_bit(1, 2, 23));
    assert_false(cpuid_bit(1, 2, 26));
    assert_int_equal(RUN("\xF3\x0F\xB8\xC1"), VECTOR_UD);         /* popcnt ax, cx */
    cpu->cr4 |= CR4_OSFXSR;
    assert_int_equal(RUN("\xF2\x0F\x38\xF0\xC1"), VECTOR_UD);     /* crc32 */
    assert_int_equal(RUN("\xF2\x0F\x38\xF0\x06\x00\x30"), VECTOR_UD); /* not MOVBE either */
    assert_int_equal(RUN("\x0F\x38\xF0\x06\x00\x30"), -1);        /* movbe ax, [3000h] */
    cpu->gpr[RCX] = 0x8000;
    flags_set(cpu, 2);
    assert_int_equal(RUN("\xF3\x0F\xBC\xC1"), -1); /* tzcnt is bsf: no CF, ZF by the source */
    assert_int_equal(cpu->gpr[RAX] & 0xFFFF, 15);
    assert_int_equal(RUN("\x0F\x01\xD0"), VECTOR_UD);             /* xgetbv */
    assert_int_equal(RUN("\x66\xB8\x00\x00\x04\x00\x0F\x22\xE0"), VECTOR_GP); /* CR4.OSXSAVE */
}

static void control_bits(void **state)
{
    start("epyc,-smap,-umip");
    assert_int_equal(RUN("\x66\xB8\x00\x00\x02\x00\x0F\x22\xE0"), VECTOR_GP); /* PCIDE */
    assert_int_equal(RUN("\x66\xB8\x00\x00\x20\x00\x0F\x22\xE0"), VECTOR_GP); /* SMAP */
    assert_int_equal(RUN("\x66\xB8\x00\x08\x00\x00\x0F\x22\xE0"), VECTOR_GP); /* UMIP */
    assert_int_equal(RUN("\x66\xB8\x00\x00\x14\x00\x0F\x22\xE0"), -1); /* OSXSAVE, SMEP */
    assert_true(cpuid_bit(1, 2, 27));
}

static void xcr0(void **state)
{
    start("epyc");
    assert_int_equal(RUN("\x0F\x01\xD0"), VECTOR_UD); /* without CR4.OSXSAVE */
    cpu->cr4 |= CR4_OSXSAVE;
    cpu->gpr[RAX] = 2;
    assert_int_equal(RUN("\x0F\x01\xD1"), VECTOR_GP); /* x87 is not an option */
    cpu->gpr[RAX] = 3 | 1u << 9;
    assert_int_equal(RUN("\x0F\x01\xD1"), VECTOR_GP);
    cpu->gpr[RAX] = 3;
    cpu->gpr[RCX] = 1;
    assert_int_equal(RUN("\x0F\x01\xD1"), VECTOR_GP);
    cpu->gpr[RCX] = 0;
    assert_int_equal(RUN("\x0F\x01\xD1"), -1);
    cpu->gpr[RAX] = 0;
    assert_int_equal(RUN("\x0F\x01\xD0"), -1);
    assert_int_equal(cpu->gpr[RAX], 3);
}

#define XSAVE   "\x0F\xAE\x26\x00\x30"
#define XRSTOR  "\x0F\xAE\x2E\x00\x30"
#define XSAVEC  "\x0F\xC7\x26\x00\x30"
#define XRSTORS "\x0F\xC7\x1E\x00\x30"

static uint64_t area(unsigned offset)
{
    uint64_t value = 0;
    memory_read(memory, AREA + offset, &value, sizeof(value), MEMORY_RAW);
    return value;
}

static void put_area(unsigned offset, uint64_t value)
{
    memory_write(memory, AREA + offset, &value, sizeof(value), MEMORY_RAW);
}

static void start_xsave(const char *model)
{
    start(model);
    cpu->cr4 |= CR4_OSXSAVE | CR4_OSFXSR;
    cpu->xcr0 = 3;
    cpu->gpr[RAX] = 3;
    cpu->gpr[RDX] = 0;
    cpu->fpu.xmm[5].u64[1] = 0xABCD;
    cpu->fpu.control = 0x27F;
}

static void save_and_restore(void **state)
{
    start_xsave("epyc");
    put_area(512, 4); /* not asked for: stays */
    assert_int_equal(RUN(XSAVE), -1);
    assert_int_equal(area(512), 4 | 3);
    assert_int_equal(area(160 + 16 * 5 + 8), 0xABCD);
    assert_int_equal(area(0) & 0xFFFF, 0x27F);
    assert_int_equal(area(24) & 0xFFFFFFFF, 0x1F80);
    put_area(512, 1); /* SSE to its initial state, MXCSR from memory */
    put_area(24, 0x9F80);
    cpu->fpu.control = 0x37F;
    assert_int_equal(RUN(XRSTOR), -1);
    assert_int_equal(cpu->fpu.xmm[5].u64[1], 0);
    assert_int_equal(cpu->fpu.control, 0x27F);
    assert_int_equal(cpu->fpu.mxcsr, 0x9F80);
}

static void save_compacted(void **state)
{
    start_xsave("epyc");
    x87_initialize(cpu);
    memset(cpu->fpu.st, 0, sizeof(cpu->fpu.st));
    put_area(0, 0x1111);
    assert_int_equal(RUN(XSAVEC), -1);
    assert_int_equal(area(512), 2); /* x87 is in its initial configuration */
    assert_int_equal(area(520), 1ull << 63 | 3);
    assert_int_equal(area(0), 0x1111);
    cpu->fpu.xmm[5].u64[1] = 1;
    cpu->fpu.control = 0x27F;
    assert_int_equal(RUN(XRSTORS), -1);
    assert_int_equal(cpu->fpu.xmm[5].u64[1], 0xABCD);
    assert_int_equal(cpu->fpu.control, 0x37F);
}

static void bad_headers(void **state)
{
    static const struct {
        unsigned offset;
        uint64_t value;
    } wrong[] = {{512, 4}, {520, 1}, {528, 1}, {520, 1ull << 63 | 4}, {24, 0x10000}};
    start_xsave("epyc");
    for (unsigned k = 0; k < sizeof(wrong) / sizeof(wrong[0]); k++) {
        for (unsigned offset = 512; offset < 576; offset += 8)
            put_area(offset, 0);
        put_area(24, 0x1F80);
        assert_int_equal(RUN(XRSTOR), -1);
        put_area(wrong[k].offset, wrong[k].value);
        cpu->fpu.xmm[5].u64[1] = 0xABCD;
        assert_int_equal(RUN(XRSTOR), VECTOR_GP);
        assert_int_equal(cpu->fpu.xmm[5].u64[1], 0xABCD);
    }
    put_area(24, 0x1F80);
    assert_int_equal(RUN(XRSTORS), VECTOR_GP);                  /* not the compacted form */
    assert_int_equal(RUN("\x0F\xAE\x2E\x20\x30"), VECTOR_GP);   /* 32 is not a multiple of 64 */
    cpu->cr0 |= CR0_TS;
    assert_int_equal(RUN(XRSTOR), VECTOR_NM);
}

static void leaf_d(void **state)
{
    uint32_t values[4];
    start("epyc");
    cpu_cpuid(cpu, 0xD, 0, values);
    assert_int_equal(values[0] & 3, 3);
    assert_int_equal(values[1], 576); /* XCR0 is 1 */
    cpu_cpuid(cpu, 0xD, 1, values);
    assert_int_equal(values[0], 15);
    cpu->missing |= 1ull << FEATURE_XSAVE | 1ull << FEATURE_XSAVEC;
    cpu_cpuid(cpu, 0xD, 0, values);
    assert_int_equal(values[0], 0);
}

/* The deadline is one of the counter as the guest has set it. */
static void tsc_deadline(void **state)
{
    uint64_t value = 0;
    start("epyc");
    assert_true(cpu_msr_write(cpu, 0x10, 5000)); /* the real counter shows 1000 */
    assert_true(cpu_msr_read(cpu, 0x3B, &value));
    assert_int_equal(value, 4000);
    assert_true(cpu_msr_write(cpu, 0x6E0, 6000));
    assert_int_equal(deadline, 2000);
    assert_true(cpu_msr_read(cpu, 0x6E0, &value));
    assert_int_equal(value, 6000);
    assert_true(cpu_msr_write(cpu, 0x3B, 4500)); /* the counter jumps ahead: sooner */
    assert_int_equal(deadline, 1500);
    assert_true(cpu_msr_write(cpu, 0x6E0, 10)); /* long ago, but not "disarmed" */
    assert_int_equal(deadline, 1);
    assert_true(cpu_msr_write(cpu, 0x6E0, 0));
    assert_int_equal(deadline, 0);
}

static void msrs_of_features(void **state)
{
    uint64_t value;
    start("epyc,-tsc_deadline,-tsc_adjust,-rdtscp,-nx,-x2apic");
    assert_false(cpu_msr_read(cpu, 0x6E0, &value));
    assert_false(cpu_msr_read(cpu, 0x3B, &value));
    assert_false(cpu_msr_write(cpu, 0xC0000103, 0));
    assert_false(cpu_msr_write(cpu, 0xC0000080, EFER_NXE));
    assert_false(cpu_msr_write(cpu, 0x1B, 0xFEE00C00));
    assert_true(cpu_msr_write(cpu, 0x1B, 0xFEE00800));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, stop)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names), cmocka_unit_test(bad_names), TEST(taken_away),
        TEST(control_bits),      TEST(xcr0),                  TEST(save_and_restore),
        TEST(save_compacted),    TEST(bad_headers),           TEST(leaf_d),
        TEST(tsc_deadline),      TEST(msrs_of_features),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
