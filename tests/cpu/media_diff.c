/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Differential test of the x87, MMX and SSE operations against the host's processor: every form of
 * the two tables, random encodings, control words, flags and operands with many special values.
 * Everything FXSAVE shows is compared (but the x87 pointers), with registers, flags and memory.
 *
 * usage: media_diff [ROUNDS [SEED [NAME]]]
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/cpu/block.h"
#include "machine/cpu/flags.h"
#include "machine/cpu/simd.h"
#include "tests/cpu/host_step.h"
#include "tests/cpu/vendor.h"

#define MAX_REPORTS 3u
#define ARITHMETIC EFLAGS_ARITHMETIC

static uint64_t random_state;

static uint64_t random64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545F4914F6CDD1D;
}

static unsigned below(unsigned limit)
{
    return (unsigned)((random64() >> 33) % limit);
}

/* Eight bytes that are interesting as doubles, as pairs of floats, or as integers. */
static uint64_t random_lanes(void)
{
    static const uint64_t doubles[] = {
        0x0000000000000000, 0x8000000000000000, 0x3FF0000000000000, 0xBFF0000000000000,
        0x7FF0000000000000, 0xFFF0000000000000, 0x7FF8000000000000, 0xFFF8000000000001,
        0x7FF0000000000001, 0xFFF4000000000000, 0x0000000000000001, 0x8000000000000001,
        0x000FFFFFFFFFFFFF, 0x0010000000000000, 0x7FEFFFFFFFFFFFFF, 0x41E0000000000000,
        0xC1E0000000000000, 0x43E0000000000000, 0xC3E0000000000000, 0x3FE0000000000000,
        0x36A0000000000000, 0x3690000000000000, 0x47EFFFFFFFFFFFFF, 0x0038000000000001,
        0x3810000000000000, 0x3800000000000000,
    };
    static const uint32_t floats[] = {
        0x00000000, 0x80000000, 0x3F800000, 0xBF800000, 0x7F800000, 0xFF800000,
        0x7FC00000, 0xFFC00001, 0x7F800001, 0xFFA00000, 0x00000001, 0x80000001,
        0x007FFFFF, 0x00800000, 0x7F7FFFFF, 0x4F000000, 0xCF000000, 0x5F000000,
        0x3F000000, 0x34000000, 0x1F800000, 0x20000000,
    };
    const unsigned float_count = sizeof(floats) / sizeof(floats[0]);
    uint64_t value = random64();

    switch (below(8)) {
    case 0:
    case 1:
        return doubles[below(sizeof(doubles) / sizeof(doubles[0]))];
    case 2:
    case 3:
        return (uint64_t)floats[below(float_count)] << 32 | floats[below(float_count)];
    case 4:
        return value;
    case 5:
        return (value & 0x800FFFFFFFFFFFFF) | (uint64_t)(993 + below(60)) << 52;
    case 6:
        return (value & 0x807FFFFF807FFFFF) | (uint64_t)(107 + below(40)) << 55 |
               (uint64_t)(107 + below(40)) << 23;
    default:
        return below(2) ? value & 0x0101010101010101ull * below(256) : below(300);
    }
}

static void random_x87(uint8_t *image)
{
    const uint64_t one = 1ull << 63;
    uint64_t mantissa = 0, bits = random64();
    unsigned exponent = 0;

    switch (below(12)) {
    case 0:
        break;
    case 1: /* infinity */
        mantissa = one, exponent = 0x7FFF;
        break;
    case 2: /* quiet NaN, often the default one */
        mantissa = 3ull << 62 | (below(2) ? bits >> 2 : 0), exponent = 0x7FFF;
        break;
    case 3: /* signalling NaN */
        mantissa = one | bits >> 2 | 1, exponent = 0x7FFF;
        break;
    case 4: /* denormal */
        mantissa = bits >> 1;
        break;
    case 5: /* pseudo-denormal */
        mantissa = one | bits;
        break;
    case 6: /* anything, unsupported formats included */
        mantissa = bits, exponent = below(0x8000);
        break;
    case 7:
        mantissa = one, exponent = 16381 + below(5);
        break;
    case 8: /* near the ends of the range */
        mantissa = one | bits, exponent = below(2) ? 1 + below(70) : 0x7FFE - below(70);
        break;
    case 9: /* short mantissa: exact results */
        mantissa = one | bits << 40, exponent = 16343 + below(120);
        break;
    default:
        mantissa = one | bits, exponent = 16313 + below(140);
        break;
    }
    uint16_t packed = (uint16_t)(exponent | below(2) << 15);
    memcpy(image, &mantissa, 8);
    memcpy(image + 8, &packed, 2);
}

/* Encodes a form at random. RBX points to the data; RSP, RBX and RDI are no other operands. */
struct encoding {
    uint8_t bytes[16];
    unsigned length;
    bool byte_register;
};

struct shape {
    uint8_t prefix, opcode[4];
    unsigned opcode_count;
    bool modrm, immediate, gpr_reg, gpr_rm, byte_rm, word;
    int extension, fixed, mod; /* -1: free */
};

static void shape_code(struct shape *shape, const char *code)
{
    char text[64];

    snprintf(text, sizeof(text), "%s", code);
    for (char *token = strtok(text, " "); token; token = strtok(NULL, " ")) {
        uint8_t value = (uint8_t)strtoul(token, NULL, 16);
        if (!strcmp(token, "NP"))
            continue;
        if (!strcmp(token, "mod3") || !strcmp(token, "mem"))
            shape->mod = token[1] == 'o' ? 3 : 0;
        else if (token[0] == '=')
            shape->modrm = true, shape->fixed = (int)strtoul(token + 1, NULL, 16), shape->mod = 3;
        else if (token[0] == '/')
            shape->modrm = true, shape->extension = token[1] == 'r' ? -1 : token[1] - '0';
        else if (!shape->opcode_count && (value == 0x66 || value == 0xF2 || value == 0xF3))
            shape->prefix = value;
        else
            shape->opcode[shape->opcode_count++] = value;
    }
}

static void shape_operands(struct shape *shape, const char *operands)
{
    char text[64];

    snprintf(text, sizeof(text), "%s", operands);
    for (char *token = strtok(text, ","); token; token = strtok(NULL, ",")) {
        shape->immediate |= token[0] == 'I';
        shape->gpr_reg |= token[0] == 'G';
        shape->gpr_rm |= token[0] == 'E' || token[0] == 'R';
        shape->byte_rm |= !strcmp(token, "Eb");
        shape->word |= !strcmp(token, "Ev");
        if (token[0] == 'M')
            shape->mod = 0;
        if (strchr("UNR", token[0]))
            shape->mod = 3;
    }
}

static bool reserved_register(const struct shape *shape, unsigned number)
{
    return number == 3 || number == 4 || (shape->byte_rm && number == 7);
}

static void encode(const struct form *form, struct encoding *ret)
{
    struct shape shape = {.extension = -1, .fixed = -1, .mod = -1};
    uint8_t *at = ret->bytes;

    shape_code(&shape, form->code);
    shape_operands(&shape, form->operands);
    bool memory = shape.modrm && (shape.mod < 0 ? below(2) : shape.mod == 0);
    uint8_t rex = (form->attributes & FORM_X87) || below(2) ? 0 : (uint8_t)(0x40 | below(16));
    unsigned reg = below(8), rm = below(8);

    if (memory)
        rex &= (uint8_t)~1u;
    while (shape.gpr_reg && reserved_register(&shape, reg))
        reg = below(8);
    while (!memory && shape.gpr_rm && reserved_register(&shape, rm))
        rm = below(8);
    if (shape.extension >= 0)
        reg = (unsigned)shape.extension;
    if (shape.word && !below(3))
        *at++ = 0x66;
    if (shape.prefix)
        *at++ = shape.prefix;
    if (rex)
        *at++ = rex;
    memcpy(at, shape.opcode, shape.opcode_count);
    at += shape.opcode_count;
    if (shape.fixed >= 0) {
        *at++ = (uint8_t)shape.fixed;
    } else if (memory) { /* [rbx + disp8] */
        *at++ = (uint8_t)(0x43 | reg << 3);
        bool aligned = (form->attributes & FORM_ALIGN16) && below(50);
        bool image = !strcmp(form->name, "fxrstor");
        *at++ = (uint8_t)(image ? 0 : aligned ? below(8) * 16 - 64 : below(128) - 64);
    } else if (shape.modrm) {
        *at++ = (uint8_t)(0xC0 | reg << 3 | rm);
    }
    if (shape.immediate)
        *at++ = (uint8_t)(below(3) ? random64() : below(20));
    ret->length = (unsigned)(at - ret->bytes);
}

/* Control words: often the default, else with random rounding, precision and masks. */
static void random_control(uint8_t *fx, bool pushes)
{
    uint16_t fcw = (uint16_t)(below(3) ? 0x037F : 0x0040 | below(16) << 8 |
                                                      (below(2) ? 0x3F : below(64)));
    uint16_t fsw = (uint16_t)(random64() & 0x7F00);
    uint32_t mxcsr = below(2) ? 0x1F80
                              : (uint32_t)(random64() & 0xE040) |
                                    (below(2) ? 0x1F80 : (uint32_t)random64() & 0x1F80);
    unsigned free_register = ((fsw >> 11) + 7) & 7;

    if (!below(4))
        fsw |= (uint16_t)below(128);
    if (below(30) && (fsw & ~fcw & 0x3F))
        fsw &= (uint16_t)~0x3Fu;
    if (!below(3))
        mxcsr |= below(64);
    if (below(30) && (mxcsr & ~(mxcsr >> 7) & 0x3F))
        mxcsr &= ~0x3Fu;
    memcpy(fx, &fcw, 2);
    memcpy(fx + 2, &fsw, 2);
    fx[4] = (uint8_t)(below(3) ? 0xFF : random64());
    if (pushes && below(8))
        fx[4] &= (uint8_t)~(1u << free_register);
    memcpy(fx + 24, &mxcsr, 4);
}

/* A state image for FXRSTOR, with a loadable MXCSR most of the time. */
static void random_image(uint8_t *image)
{
    memset(image, 0, 32);
    random_control(image, false);
    if (!below(10))
        image[26] = 4;
    for (unsigned k = 0; k < 8; k++)
        random_x87(image + 32 + 16 * k);
}

static void random_input(struct host_step *step, const struct form *form)
{
    static const char *const pushing[] = {"fld", "fild", "fbld", "fptan", "fsincos", "fxtract"};
    bool pushes = false;

    for (unsigned k = 0; k < sizeof(pushing) / sizeof(pushing[0]); k++)
        pushes |= !strncmp(form->name, pushing[k], strlen(pushing[k]));
    memset(step->in.fx, 0, sizeof(step->in.fx));
    random_control(step->in.fx, pushes);
    for (unsigned k = 0; k < 8; k++)
        random_x87(step->in.fx + 32 + 16 * k);
    for (unsigned k = 0; k < 32; k++) {
        uint64_t lanes = random_lanes();
        memcpy(step->in.fx + 160 + 8 * k, &lanes, 8);
    }
    for (unsigned k = 0; k < 16; k++)
        step->in.gpr[k] = below(2) ? random64() : below(40) - 20ull;
    step->in.gpr[RBX] = (uint64_t)(uintptr_t)step->page + 2048;
    step->in.gpr[RDI] = (uint64_t)(uintptr_t)step->page + 1024;
    step->in.flags = 0x202 | (random64() & ARITHMETIC);
    for (unsigned k = 1900; k < 2300; k += 8) {
        uint64_t lanes = random_lanes();
        memcpy(step->page + k + (k & 8) / 8, &lanes, 8);
    }
    for (unsigned k = 1904; below(2) && k < 2200; k += 16)
        random_x87(step->page + k);
    if (!strcmp(form->name, "fxrstor"))
        random_image(step->page + 2048);
    for (unsigned k = 1900; !strcmp(form->name, "fbld") && k < 2300; k++)
        step->page[k] = (uint8_t)(below(10) | below(10) << 4);
}

/* The interpreter's side: a bare processor whose TLB maps the data page to itself. */
static void interpreter_end(struct cpu *cpu, const struct insn *i)
{
}

static struct cpu *interpreter_create(const struct host_step *step)
{
    struct cpu *cpu = calloc(1, sizeof(*cpu));
    uint64_t page = (uint64_t)(uintptr_t)step->page;

    if (!cpu)
        return NULL;
    cpu->tlb = cpu->tlb_banks[TLB_SUPERVISOR];
    for (unsigned k = 0; k < TLB_SIZE; k++)
        cpu->tlb[k].read = cpu->tlb[k].write = ~0ull;
    mmu_entry(cpu, page)->read = mmu_entry(cpu, page)->write = page;
    cpu->cr0 = CR0_PE | CR0_NE | CR0_MP | CR0_PG;
    cpu->cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT;
    cpu->efer = EFER_LMA | EFER_LME;
    cpu->seg[CS].attributes = SEG_L;
    cpu->mode = MODE_64;
    return cpu;
}

static void interpreter_load(struct cpu *cpu, const struct host_step *step)
{
    struct fpu *fpu = &cpu->fpu;

    memcpy(&fpu->control, step->in.fx, 2);
    memcpy(&fpu->status, step->in.fx + 2, 2);
    fpu->valid = step->in.fx[4];
    x87_update_summary(cpu);
    for (unsigned k = 0; k < 8; k++) {
        memcpy(&x87_st(cpu, k)->mantissa, step->in.fx + 32 + 16 * k, 8);
        memcpy(&x87_st(cpu, k)->exponent, step->in.fx + 40 + 16 * k, 2);
    }
    memcpy(&fpu->mxcsr, step->in.fx + 24, 4);
    memcpy(fpu->xmm, step->in.fx + 160, sizeof(fpu->xmm));
    memcpy(cpu->gpr, step->in.gpr, sizeof(step->in.gpr));
    cpu->gpr[REG_ZERO] = 0;
    cpu->gpr[REG_RIP] = step->code;
    flags_set(cpu, (uint32_t)step->in.flags);
}

/* Returns the vector, -1 for none, -2 if the decoder does not know the encoding. */
static int interpreter_run(struct cpu *cpu, const struct encoding *encoding)
{
    struct insn insn[2] = {{0}};
    volatile int vector = -1;

    if (decode_insn(cpu, encoding->bytes, encoding->length, MODE_64, &insn[0]) != DECODE_OK)
        return -2;
    insn[1].fn = interpreter_end;
    hostfp_enter(cpu);
    if (!setjmp(cpu->fault_exit))
        insn[0].fn(cpu, insn);
    else
        vector = (int)cpu->fault.vector;
    hostfp_leave(cpu);
    return vector;
}

/* Comparison: one line per difference, into a buffer. */
struct differences {
    char text[1024];
    size_t length;
};

static void differ(struct differences *d, const char *what, unsigned number, uint64_t in,
                   uint64_t host, uint64_t ours)
{
    if (host == ours || d->length >= sizeof(d->text) - 128)
        return;
    d->length += (size_t)snprintf(d->text + d->length, sizeof(d->text) - d->length,
                                  "    %s%u: was %llx host %llx ours %llx\n", what, number,
                                  (unsigned long long)in, (unsigned long long)host,
                                  (unsigned long long)ours);
}

static uint64_t field(const uint8_t *fx, unsigned offset, unsigned size)
{
    uint64_t value = 0;
    memcpy(&value, fx + offset, size);
    return value;
}

static void compare(struct differences *d, struct cpu *cpu, const struct host_step *step,
                    const struct form *form)
{
    const uint8_t *in = step->in.fx, *out = step->out.fx;
    uint32_t flags = ARITHMETIC & ~form->undefined;

    differ(d, "fcw", 0, field(in, 0, 2), field(out, 0, 2), cpu->fpu.control);
    differ(d, "fsw", 0, field(in, 2, 2), field(out, 2, 2), cpu->fpu.status);
    differ(d, "ftw", 0, in[4], out[4], cpu->fpu.valid);
    differ(d, "mxcsr", 0, field(in, 24, 4), field(out, 24, 4), cpu->fpu.mxcsr);
    for (unsigned k = 0; k < 8; k++) {
        const struct x87_register *st = x87_st(cpu, k);
        unsigned at = 32 + 16 * k;
        differ(d, "st-low", k, field(in, at, 8), field(out, at, 8), st->mantissa);
        differ(d, "st-high", k, field(in, at + 8, 2), field(out, at + 8, 2), st->exponent);
    }
    for (unsigned k = 0; k < 32; k++)
        differ(d, k & 1 ? "xmm-high" : "xmm-low", k / 2, field(in, 160 + 8 * k, 8),
               field(out, 160 + 8 * k, 8), cpu->fpu.xmm[k / 2].u64[k & 1]);
    for (unsigned k = 0; k < 16; k++)
        if (k != RSP)
            differ(d, "r", k, step->in.gpr[k], step->out.gpr[k], cpu->gpr[k]);
    differ(d, "flags", 0, step->in.flags & flags, step->out.flags & flags,
           flags_arithmetic(cpu) & flags);
}

static void compare_memory(struct differences *d, const uint8_t *before, const uint8_t *host,
                           const uint8_t *ours)
{
    for (unsigned k = 0; k < HOST_PAGE; k++)
        differ(d, "memory+", k, before[k], host[k], ours[k]);
}

/*
 * FNSTENV, FNSAVE and FXSAVE store the pointers, which tell where each side ran; FXSAVE also stores
 * which MXCSR bits the processor has.
 */
static void hide_pointers(const struct form *form, const struct encoding *encoding, uint8_t *page)
{
    uint8_t *operand = page + 2048 + (int8_t)encoding->bytes[encoding->length - 1];

    if (!strcmp(form->name, "fnstenv") || !strcmp(form->name, "fnsave"))
        memset(operand + 12, 0, 16);
    if (!strcmp(form->name, "fxsave")) {
        memset(operand + 6, 0, 18);
        memset(operand + 28, 0, 4);
    }
}

/* Not for every test, but this one knows how to treat the state images. */
static bool is_testable(const struct form *form)
{
    return !(form->attributes & FORM_NO_TEST) || !strncmp(form->name, "fx", 2);
}

/*
 * MXCSR bit 17, which this processor does not have, may be loadable on the host; other makers want
 * the operands of the SHA extensions aligned.
 */
static bool excused(const struct host_step *step, const struct form *form, int vector)
{
    if (vendor_is_other() && !strncmp(form->name, "sha", 3) && step->vector == VECTOR_GP)
        return true;
    return !strcmp(form->name, "ldmxcsr") && step->vector == -1 && vector == VECTOR_GP &&
           (field(step->out.fx, 24, 4) & 0x20000);
}

static bool test_once(struct host_step *step, struct cpu *cpu, const struct form *form, bool report)
{
    static uint8_t before[HOST_PAGE], host[HOST_PAGE];
    struct encoding encoding;
    struct differences d = {.length = 0};

    encode(form, &encoding);
    random_input(step, form);
    memcpy(before, step->page, HOST_PAGE);
    host_step_run(step, encoding.bytes, encoding.length);
    memcpy(host, step->page, HOST_PAGE);
    memcpy(step->page, before, HOST_PAGE);
    interpreter_load(cpu, step);
    int vector = interpreter_run(cpu, &encoding);
    if (excused(step, form, vector))
        return true;
    differ(&d, "vector", 0, 0, (uint64_t)step->vector, (uint64_t)vector);
    if (vendor_is_other() && !strncmp(form->name, "dpp", 3))
        vendor_take_nans(step->out.fx + 160, (const uint8_t *)cpu->fpu.xmm, sizeof(cpu->fpu.xmm),
                         !strcmp(form->name, "dpps") ? 4 : 8);
    if (!d.length) {
        hide_pointers(form, &encoding, host);
        hide_pointers(form, &encoding, step->page);
        compare(&d, cpu, step, form);
        compare_memory(&d, before, host, step->page);
    }
    if (d.length && report) {
        printf("%s (%s):", form->name, form->code);
        for (unsigned k = 0; k < encoding.length; k++)
            printf(" %02x", encoding.bytes[k]);
        printf(" fcw %04x mxcsr %04x\n%s", (unsigned)field(step->in.fx, 0, 2),
               (unsigned)field(step->in.fx, 24, 4), d.text);
    }
    return !d.length;
}

int main(int argc, char **argv)
{
    static const struct form_table *const tables[] = {&forms_x87, &forms_simd};
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : 200;
    random_state = 0x9E3779B97F4A7C15 * (argc > 2 ? strtoul(argv[2], NULL, 0) | 1 : 1);
    struct host_step *step = host_step_create();
    struct cpu *cpu = step ? interpreter_create(step) : NULL;
    unsigned long forms = 0, failed_forms = 0;

    if (!cpu) {
        fprintf(stderr, "media_diff: the host gives no executable low memory\n");
        return 77; /* skipped */
    }
    decode_initialise();
    for (unsigned t = 0; t < 2; t++)
        for (unsigned k = 0; k < tables[t]->count; k++) {
            const struct form *form = &tables[t]->forms[k];
            unsigned failures = 0;
            if (!is_testable(form) || !cpu_has_feature(cpu, form->feature) ||
                (argc > 3 && strcmp(argv[3], form->name)))
                continue;
            for (unsigned long round = 0; round < rounds; round++)
                failures += !test_once(step, cpu, form, failures < MAX_REPORTS);
            forms++;
            failed_forms += failures != 0;
        }
    printf("%lu forms, %lu rounds each, %lu forms differ\n", forms, rounds, failed_forms);
    free(cpu);
    return failed_forms ? 1 : 0;
}
