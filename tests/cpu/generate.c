/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Makes cases from the rows of the instruction table: prefixes, ModRM forms, immediates and, around
 * them, register, flag, x87, SSE and memory contents with a taste for edge values. The encoder here
 * reads the rows on its own, so that it does not share the decoder's mistakes.
 */
#include <stdlib.h>
#include <string.h>

#include "machine/cpu/form.h"
#include "tests/cpu/case.h"

/* splitmix64 */
static uint64_t random_state;

static uint64_t rnd(void)
{
    uint64_t z = random_state += 0x9E3779B97F4A7C15ull;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
}

static unsigned below(unsigned limit)
{
    return (unsigned)((rnd() >> 32) % limit);
}

static bool one_in(unsigned n)
{
    return below(n) == 0;
}

/* What the code column says. */
struct shape {
    uint8_t mandatory; /* 0x66, 0xF2, 0xF3 or 0 */
    bool no_prefix;    /* NP */
    bool no_rex_b;     /* NB */
    bool no_repeat;    /* NR */
    bool vsib;         /* the memory operand's index is a vector */
    bool vex, vvvv;    /* behind a VEX prefix; its vvvv field is an operand */
    int length;        /* VEX.L: 0, 1, or -1 for either */
    uint8_t opcode[3];
    unsigned opcode_length;
    unsigned cover; /* 1, 8 (+r), 16 (+c) */
    bool modrm, mod3, memory_only;
    int extension, fixed, w;
    unsigned immediate_bytes; /* 0xFF: by operand size, 4 at most; 0xFE: up to 8 */
    unsigned second_immediate;
    bool bit_string; /* BT and friends: the register moves the address */
    bool branch;
};

enum { IMM_BY_SIZE = 0xFF, IMM_FULL = 0xFE };

static bool is_hex(const char *token)
{
    return strlen(token) == 2 && strspn(token, "0123456789ABCDEF") == 2;
}

static void shape_token(struct shape *shape, const char *token)
{
    if (!strcmp(token, "NP"))
        shape->no_prefix = true;
    else if (!strcmp(token, "+r"))
        shape->cover = 8;
    else if (!strcmp(token, "+c"))
        shape->cover = 16;
    else if (!strcmp(token, "NB"))
        shape->no_rex_b = true;
    else if (!strcmp(token, "NR"))
        shape->no_repeat = true;
    else if (!strcmp(token, "VSIB"))
        shape->vsib = shape->modrm = shape->memory_only = true;
    else if (!strcmp(token, "VEX"))
        shape->vex = true;
    else if (!strcmp(token, "Lx"))
        shape->length = -1;
    else if (!strcmp(token, "L0") || !strcmp(token, "L1"))
        shape->length = token[1] - '0';
    else if (!strcmp(token, "W0") || !strcmp(token, "W1"))
        shape->w = token[1] - '0';
    else
        shape->modrm = true;
    if (!strcmp(token, "mod3"))
        shape->mod3 = true;
    if (!strcmp(token, "mem"))
        shape->memory_only = true;
    if (token[0] == '/' && token[1] != 'r')
        shape->extension = token[1] - '0';
    if (token[0] == '=')
        shape->fixed = (int)strtol(token + 1, NULL, 16);
}

static void shape_operand(struct shape *shape, const char *operand)
{
    static const struct {
        const char *code;
        unsigned bytes;
    } immediates[] = {
        { "Ib", 1 }, { "Ibs", 1 }, { "Iw", 2 }, { "Id", 4 }, { "Iz", IMM_BY_SIZE },
        { "Iv", IMM_FULL }, { "Jb", 1 }, { "Jz", IMM_BY_SIZE },
    };
    for (unsigned k = 0; k < sizeof(immediates) / sizeof(immediates[0]); k++) {
        if (strcmp(operand, immediates[k].code))
            continue;
        if (shape->immediate_bytes)
            shape->second_immediate = immediates[k].bytes;
        else
            shape->immediate_bytes = immediates[k].bytes;
    }
    if (operand[0] == 'B' || operand[0] == 'H')
        shape->vvvv = true;
    if (operand[0] == 'L')
        shape->immediate_bytes = 1;
    if (operand[0] == 'J')
        shape->branch = true;
    if (operand[0] == 'M')
        shape->memory_only = true;
    if (operand[0] == 'R' || operand[0] == 'U' || operand[0] == 'N')
        shape->mod3 = true;
}

static void shape_of(struct shape *shape, const struct form *form)
{
    char text[64];
    *shape = (struct shape){ .cover = 1, .extension = -1, .fixed = -1, .w = -1, .length = -1 };
    strncpy(text, form->code, sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    char *tokens[12];
    unsigned count = 0;
    for (char *token = strtok(text, " "); token && count < 12; token = strtok(NULL, " "))
        tokens[count++] = token;
    for (unsigned k = 0; k < count; k++) {
        if (!is_hex(tokens[k])) {
            shape_token(shape, tokens[k]);
            continue;
        }
        uint8_t byte = (uint8_t)strtol(tokens[k], NULL, 16);
        bool prefix = byte == 0x66 || byte == 0xF2 || byte == 0xF3;
        if (prefix && !shape->opcode_length && k + 1 < count && is_hex(tokens[k + 1]))
            shape->mandatory = byte;
        else if (shape->opcode_length < 3)
            shape->opcode[shape->opcode_length++] = byte;
    }
    strncpy(text, form->operands, sizeof(text) - 1);
    for (char *token = strtok(text, ", "); token; token = strtok(NULL, ", "))
        shape_operand(shape, token);
    shape->bit_string = !strncmp(form->name, "bt", 2);
}

/*
 * Not comparable on a host under an operating system: they enter the kernel, depend on its tables
 * or on registers of the C library, or differ from one reading to the next.
 */
bool form_is_tested(const struct form *form)
{
    static const char *const excluded[] = {
        "int", "syscall", "sysenter", "sysret", "sysexit", "iret", "retf", "callf", "jmpf",
        "sgdt", "sidt", "sldt", "str", "smsw", "lar", "lsl", "verr", "verw", "rdtsc", "rdtscp",
        "rdpid", "rdpmc", "cpuid", "rdrand", "rdseed", "rdfsbase", "rdgsbase", "wrfsbase",
        "wrgsbase", "lds", "les", "lss", "lfs", "lgs", "xgetbv", "xsetbv", "xsave", "xrstor",
        "xsavec", "xsaveopt", "xsaves", "xrstors", "monitor", "mwait", "monitorx", "mwaitx",
        "vmmcall", "vmcall", "fxsave64", "call far", "jmp far", "in", "out", "ins", "outs",
        "swapgs", "clzero", "rdpru",
    };
    if (form->attributes & FORM_NO_TEST)
        return false;
    for (unsigned k = 0; k < sizeof(excluded) / sizeof(excluded[0]); k++) {
        if (!strcmp(form->name, excluded[k]))
            return false;
    }
    /* Loads of segment registers and far pointers. */
    return form->operands[0] != 'S' || form->operands[1] == 'T';
}

static uint64_t edge_integer(void)
{
    static const uint64_t edges[] = {
        0, 1, 2, 7, 8, 15, 16, 31, 32, 63, 64, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF,
        0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x100000000, 0x7FFFFFFFFFFFFFFF,
        0x8000000000000000, 0xFFFFFFFFFFFFFFFF, 0xFFFFFFFF80000000, 0xFFFFFFFFFFFFFF80, 0x99,
        0x0909090909090909, 0x5555555555555555, 0xAAAAAAAAAAAAAAAA,
    };
    return edges[below(sizeof(edges) / sizeof(edges[0]))];
}

static uint64_t integer(void)
{
    switch (below(4)) {
    case 0:
        return edge_integer();
    case 1:
        return rnd() >> below(64);
    case 2:
        return (uint64_t)((int64_t)rnd() >> below(64));
    default:
        return rnd();
    }
}

static uint32_t single(void)
{
    static const uint32_t edges[] = {
        0, 0x80000000, 0x3F800000, 0xBF800000, 0x7F800000, 0xFF800000, 0x7FC00000, 0x7FA00001,
        0xFFC12345, 1, 0x807FFFFF, 0x00800000, 0x7F7FFFFF, 0x4F000000, 0xCF000000, 0x5F000000,
        0x3F000000, 0x40200000, 0x4EFFFFFF, 0x34000000,
    };
    if (one_in(3))
        return edges[below(sizeof(edges) / sizeof(edges[0]))];
    if (one_in(2))
        return (uint32_t)(rnd() & 0x807FFFFF) | (uint32_t)(0x70 + below(32)) << 23;
    return (uint32_t)rnd();
}

static uint64_t real(void)
{
    static const uint64_t edges[] = {
        0, 0x8000000000000000, 0x3FF0000000000000, 0xBFF0000000000000, 0x7FF0000000000000,
        0xFFF0000000000000, 0x7FF8000000000000, 0x7FF4000000000001, 0xFFF8123456789ABC, 1,
        0x800FFFFFFFFFFFFF, 0x0010000000000000, 0x7FEFFFFFFFFFFFFF, 0x41E0000000000000,
        0x41DFFFFFFFE00000, 0xC1E0000000200000, 0x43E0000000000000, 0x3FE0000000000000,
        0x4004000000000000, 0x36A0000000000000, 0x47EFFFFFF0000000,
    };
    if (one_in(3))
        return edges[below(sizeof(edges) / sizeof(edges[0]))];
    if (one_in(2))
        return (rnd() & 0x800FFFFFFFFFFFFF) | (uint64_t)(0x3F0 + below(32)) << 52;
    return rnd();
}

static void lane(uint8_t *where)
{
    uint64_t value;
    switch (below(4)) {
    case 0:
        value = integer();
        break;
    case 1:
        value = (uint64_t)single() << 32 | single();
        break;
    case 2:
        value = real();
        break;
    default:
        value = rnd();
    }
    memcpy(where, &value, sizeof(value));
}

static void extended(uint8_t *where)
{
    static const struct {
        uint16_t exponent;
        uint64_t mantissa;
    } edges[] = {
        { 0, 0 },           { 0x8000, 0 },          { 0x3FFF, 1ull << 63 }, { 0xBFFF, 1ull << 63 },
        { 0x7FFF, 1ull << 63 },                     { 0xFFFF, 1ull << 63 },
        { 0x7FFF, 3ull << 62 },                     { 0xFFFF, 3ull << 62 },
        { 0x7FFF, 0xA000000000000001 },             { 0, 1 },
        { 0, 1ull << 63 },  { 1, 1ull << 63 },      { 0x7FFE, ~0ull },      { 0x3FFF, 1 },
        { 0x7FFF, 0 },      { 0x3FFE, 1ull << 63 }, { 0x403E, 1ull << 63 }, { 0x4000, 5ull << 61 },
        { 0x401E, 0x8000000080000000 },             { 0x4000, 0xC90FDAA22168C235 },
    };
    unsigned k = below(sizeof(edges) / sizeof(edges[0]));
    uint64_t mantissa = edges[k].mantissa;
    uint16_t exponent = edges[k].exponent;
    if (!one_in(4)) {
        mantissa = rnd() | (one_in(64) ? 0 : 1ull << 63);
        exponent = one_in(4) ? (uint16_t)rnd() : (uint16_t)(0x3FE0 + below(96));
        if (one_in(2))
            exponent |= 0x8000;
        if (one_in(4))
            mantissa &= ~0ull << below(64);
        if (exponent & 0x7FFF)
            mantissa |= one_in(100) ? 0 : 1ull << 63;
    }
    memcpy(where, &mantissa, 8);
    memcpy(where + 8, &exponent, 2);
}

static void fill_fpu(struct test_case *test)
{
    uint8_t *image = test->state.fxsave;
    memset(image, 0, 512);
    uint16_t control = 0x037F, status = 0;
    if (one_in(2))
        control = (uint16_t)((rnd() & 0x0F00) | 0x7F);
    if (one_in(8))
        control = (uint16_t)((rnd() & 0x0F3F) | 0x40);
    status = (uint16_t)(rnd() & 0x7F00);
    if (one_in(4))
        status |= (uint16_t)(rnd() & 0x7F);
    status &= (uint16_t)~0x8080;
    if (status & ~control & 0x3F) {
        if (one_in(4))
            status |= 0x8080; /* ES and B: an unmasked exception is pending */
        else
            status &= (uint16_t)~(~control & 0x3F);
    }
    if (!(status & 1))
        status &= (uint16_t)~0x40;
    memcpy(image, &control, 2);
    memcpy(image + 2, &status, 2);
    image[4] = one_in(4) ? (uint8_t)rnd() : 0xFF;
    if (one_in(8))
        image[4] = 0;
    uint32_t mxcsr = 0x1F80;
    if (one_in(2))
        mxcsr = (uint32_t)(rnd() & 0xE040) | 0x1F80;
    if (one_in(8))
        mxcsr = (uint32_t)(rnd() & 0xFFFF);
    if (one_in(4))
        mxcsr |= (uint32_t)(rnd() & 0x3F);
    memcpy(image + 24, &mxcsr, 4);
    for (unsigned k = 0; k < 8; k++)
        extended(image + 32 + 16 * k);
    for (unsigned k = 0; k < 32; k++)
        lane(image + 160 + 8 * k);
    for (unsigned k = 0; k < 32; k++)
        lane(test->state.high[k / 2] + 8 * (k & 1));
}

static bool has_prefix(const char *name, const char *prefix)
{
    return !strncmp(name, prefix, strlen(prefix));
}

/* Where a memory operand goes: mostly inside, sometimes over a page boundary or over the end. */
static uint64_t choose_target(void)
{
    unsigned offset = 64 + below(DATA_SIZE - 1024);
    if (one_in(16))
        offset = DATA_SIZE / 2 - below(16);
    else if (one_in(40))
        offset = DATA_SIZE - below(16);
    else if (one_in(60))
        offset = (unsigned)-below(16);
    if (one_in(2))
        offset &= ~15u;
    return DATA_ADDRESS + (uint64_t)(int64_t)(int32_t)offset;
}

struct emitter {
    struct test_case *test;
    struct shape shape;
    uint8_t rex;
    bool operand16, address_short; /* the 66 and 67 prefixes */
    unsigned reserved;             /* registers that already have a purpose, as a bit set */
};

static void emit(struct emitter *e, uint64_t value, unsigned bytes)
{
    for (unsigned k = 0; k < bytes && e->test->length < 15; k++)
        e->test->code[e->test->length++] = (uint8_t)(value >> (8 * k));
}

static unsigned pick_base(struct emitter *e)
{
    for (unsigned tries = 0; tries < 64; tries++) {
        unsigned base = below(e->test->code32 ? 8 : 16);
        if (!(e->reserved >> base & 1))
            return base;
    }
    return RBX;
}

static void aim(struct emitter *e, unsigned base, uint64_t value)
{
    uint64_t *gpr = &e->test->state.gpr[base];
    *gpr = e->address_short && !e->test->code32 && one_in(2) ? (rnd() << 32) | (uint32_t)value
                                                             : value;
    if (e->test->code32)
        *gpr = (uint32_t)value;
}

/* Indexes of a gather: small ones, which as 64-bit elements are mostly out of reach. */
static void fill_index(struct test_case *test, unsigned index)
{
    bool wide = strstr(test->form->name, "gatherq");
    for (unsigned k = 0; k < 8; k++) {
        uint32_t value = wide && k & 1 ? 0 : one_in(100) ? (uint32_t)rnd() : below(64);
        uint8_t *where = k < 4 ? test->state.fxsave + 160 + 16 * index + 4 * k
                               : test->state.high[index] + 4 * (k - 4);
        memcpy(where, &value, sizeof(value));
    }
}

/* ModRM, SIB and displacement of a memory operand at the target; sets REX.X, REX.B and bases. */
static unsigned encode_memory(struct emitter *e, unsigned reg, uint8_t out[6], unsigned tail)
{
    struct test_case *test = e->test;
    unsigned mod = below(3), length = 0;
    uint64_t target = test->target;
    /* Registers that the instruction itself uses as a pointer or a count stay as they are. */
    unsigned kind = e->shape.vsib ? 7 : below(8);
    if (kind == 0 &&
        !test->code32) { /* RIP-relative; fixed up by the caller, which knows the end */
        out[length++] = (uint8_t)(reg << 3 | 5);
        return length | 0x100;
    }
    if (kind == 1) { /* absolute */
        out[length++] = (uint8_t)(reg << 3 | (test->code32 ? 5 : 4));
        if (!test->code32)
            out[length++] = 0x25;
        for (unsigned k = 0; k < 4; k++)
            out[length++] = (uint8_t)(target >> (8 * k));
        return length;
    }
    unsigned base = pick_base(e), index = 4, scale = 0;
    if ((base & 7) == 4 || kind >= 5) {
        index = below(test->code32 ? 8 : 16);
        scale = below(4);
        if (!e->shape.vsib && (index == base || (e->reserved >> index & 1 && index != 4)))
            index = 4;
    }
    if ((base & 7) == 5 && mod == 0)
        mod = 1;
    int32_t disp = mod == 0 ? 0 : mod == 1 ? (int8_t)rnd() : (int32_t)rnd() >> below(32);
    if (e->shape.vsib)
        fill_index(test, index);
    bool sib = e->shape.vsib || (base & 7) == 4 || index != 4 || one_in(8);
    out[length++] = (uint8_t)(mod << 6 | reg << 3 | (sib ? 4 : base & 7));
    if (sib)
        out[length++] = (uint8_t)(scale << 6 | (index & 7) << 3 | (base & 7));
    for (unsigned k = 0; k < (mod == 1 ? 1u : mod == 2 ? 4u : 0u); k++)
        out[length++] = (uint8_t)((uint32_t)disp >> (8 * k));
    if (index != 4 && !e->shape.vsib) {
        uint64_t value = one_in(2) ? below(64) : rnd();
        test->state.gpr[index] = test->code32 ? (uint32_t)value : value;
        target -= test->state.gpr[index] << scale;
    }
    aim(e, base, target - (uint64_t)(int64_t)disp);
    if (index > 7)
        e->rex |= 0x42;
    if (base > 7)
        e->rex |= 0x41;
    return length;
}

/* Operand size in bytes as far as the immediate needs it. */
static unsigned operand_bytes(const struct emitter *e)
{
    const struct form *form = e->test->form;
    if (!e->test->code32 && ((e->rex & 8) || (form->attributes & FORM_F64)))
        return 8;
    if (e->operand16)
        return 2;
    return !e->test->code32 && (form->attributes & FORM_D64) ? 8 : 4;
}

static void emit_immediate(struct emitter *e, unsigned kind)
{
    unsigned size = operand_bytes(e);
    unsigned bytes = kind == IMM_BY_SIZE ? (size == 2 ? 2 : 4) : kind == IMM_FULL ? size : kind;
    uint64_t value = integer();
    if (e->shape.branch && bytes > 1)
        value = (uint64_t)((int64_t)rnd() >> (48 + below(12)));
    /* A branch into its own instruction may never end. */
    int64_t distance = bytes == 1 ? (int8_t)value : (int64_t)value;
    if (e->shape.branch && distance < 0 && distance >= -16)
        value = 16;
    emit(e, value, bytes);
}

static void emit_prefixes(struct emitter *e)
{
    const struct form *form = e->test->form;
    const struct shape *shape = &e->shape;
    bool near_branch = form->attributes & FORM_F64;
    bool vex_misfit = shape->vex && one_in(200);
    /* Near branches: AMD and Intel disagree about 66 in 64-bit mode. */
    if (vex_misfit) /* #UD: APM 3 1.10.2 */
        emit(e, one_in(2) ? 0x66 : one_in(2) ? 0xF2 : 0xF3, 1);
    if (!shape->mandatory && !shape->no_prefix && !near_branch && !shape->branch && one_in(4))
        e->operand16 = true;
    if (one_in(24))
        e->address_short = !e->test->code32;
    if (e->operand16)
        emit(e, 0x66, 1);
    if (e->address_short)
        emit(e, 0x67, 1);
    if (one_in(24) && !shape->branch)
        emit(e, one_in(2) ? 0x3E : 0x26, 1);
    if (shape->no_repeat && one_in(50)) /* #UD */
        emit(e, one_in(2) ? 0xF2 : 0xF3, 1);
    bool locks = (form->attributes & FORM_LOCK) && e->test->memory && one_in(3);
    if (locks || one_in(400))
        emit(e, 0xF0, 1);
    if (form->attributes & FORM_REP && one_in(2) && !shape->mandatory)
        emit(e, one_in(2) ? 0xF2 : 0xF3, 1);
    if (shape->mandatory && !shape->vex)
        emit(e, shape->mandatory, 1);
}

/* The VEX prefix, which takes the place of REX, mandatory prefix and opcode map: APM 3 1.10.2. */
static void emit_vex(struct emitter *e)
{
    const struct shape *shape = &e->shape;
    unsigned pp = shape->mandatory == 0x66   ? 1
                  : shape->mandatory == 0xF3 ? 2
                  : shape->mandatory == 0xF2 ? 3
                                             : 0;
    unsigned map = shape->opcode_length == 2 ? 1 : shape->opcode[1] == 0x38 ? 2 : 3;
    unsigned vvvv = shape->vvvv ? below(16) : 0;
    unsigned length = shape->length >= 0 ? (unsigned)shape->length : below(2);
    if (one_in(200))
        vvvv = below(e->test->code32 ? 8 : 16);
    /* Hosts may have VAES and VPCLMULQDQ, of 256 bits. */
    if (one_in(200) && !has_prefix(e->test->form->name, "vaes") &&
        !has_prefix(e->test->form->name, "vpclmul"))
        length = below(2);
    if (length) /* of an unmasked exception, Privet tells the flags of one half */
        e->test->state.fxsave[24] |= 0x80, e->test->state.fxsave[25] |= 0x1F;
    unsigned last = (~vvvv & 15) << 3 | length << 2 | pp;
    bool two_bytes = map == 1 && !(e->rex & 11) && !(e->test->code32 && vvvv > 7);
    if (two_bytes && one_in(2)) {
        emit(e, 0xC5, 1);
        emit(e, (e->rex & 4 ? 0 : 0x80) | last, 1);
        return;
    }
    emit(e, 0xC4, 1);
    emit(e, (~(unsigned)e->rex & 7) << 5 | map, 1);
    emit(e, (e->rex & 8u) << 4 | last, 1);
}


/* The memory operand's bytes: what registers of the form's kind would hold. */
static void fill_operand(struct test_case *test)
{
    uint64_t offset = test->target - DATA_ADDRESS;
    if (offset > DATA_SIZE - 32)
        return;
    uint8_t *where = test->data + offset;
    if (test->form->attributes & FORM_X87 && one_in(2)) {
        extended(where);
    } else {
        lane(where);
        lane(where + 8);
    }
    if (has_prefix(test->form->name, "fbld")) {
        for (unsigned k = 0; k < 9; k++)
            where[k] = (uint8_t)(below(10) << 4 | below(10));
    }
    /* MXCSR.MM exists on some hosts only. */
    if (strstr(test->form->name, "ldmxcsr"))
        where[2] = one_in(8) ? 1 : 0, where[3] = 0;
    if (has_prefix(test->form->name, "fxrstor") && offset + 512 <= DATA_SIZE) {
        memcpy(where, test->state.fxsave, 416);
        if (one_in(16))
            where[26] = 1;
    }
}

static void fill_state(struct test_case *test)
{
    struct processor_state *state = &test->state;
    for (unsigned k = 0; k < 16; k++) {
        state->gpr[k] = integer();
        if (test->code32)
            state->gpr[k] = k < 8 ? (uint32_t)state->gpr[k] : 0;
    }
    state->gpr[RSP] = DATA_ADDRESS + 0x400 + 8 * below(0x300) + (one_in(8) ? below(8) : 0);
    if (one_in(100))
        state->gpr[RSP] = DATA_ADDRESS + below(16);
    if (one_in(2))
        state->gpr[RBP] = DATA_ADDRESS + 0x400 + 8 * below(0x300);
    state->rip = CODE_ADDRESS + CODE_OFFSET;
    state->rflags = 0x202 | (rnd() & EFLAGS_ARITHMETIC);
    if (one_in(4))
        state->rflags |= EFLAGS_DF;
    /* Operands of 10 bytes and more have rules of their own for alignment checks; the order of
     * #AC and #SS is not tested. */
    bool aligned = test->form->attributes & FORM_X87 || test->form->name[0] == 'v' ||
                   has_prefix(test->form->name, "maskmov") ||
                   has_prefix(test->form->name, "leave");
    if (one_in(100) && !aligned)
        state->rflags |= EFLAGS_AC;
    fill_fpu(test);
    for (unsigned k = 0; k < DATA_SIZE; k += 8) {
        uint64_t value = rnd();
        memcpy(test->data + k, &value, sizeof(value));
    }
}

/* Registers with a meaning of their own in some families. */
static void adjust(struct emitter *e)
{
    struct test_case *test = e->test;
    uint64_t *gpr = test->state.gpr;
    const char *name = test->form->name;
    if (strpbrk(test->form->operands, "XY") || has_prefix(name, "maskmov") ||
        has_prefix(name, "vmaskmovdqu")) {
        gpr[RSI] = DATA_ADDRESS + below(DATA_SIZE - 8);
        gpr[RDI] = DATA_ADDRESS + below(DATA_SIZE - 8);
        if (one_in(4))
            gpr[RDI] = gpr[RSI] + below(17) - 8;
        gpr[RCX] = one_in(20) ? below(12000) : below(70);
        e->reserved |= 1u << RSI | 1u << RDI | 1u << RCX;
    }
    if (has_prefix(name, "xlat"))
        gpr[RBX] = DATA_ADDRESS + below(DATA_SIZE - 256);
    if (has_prefix(name, "div") || has_prefix(name, "idiv")) {
        if (one_in(2))
            gpr[RDX] = below(3);
        else if (one_in(2))
            gpr[RDX] = (uint64_t)((int64_t)gpr[RAX] >> 63);
        e->reserved |= 1u << RAX | 1u << RDX;
    }
    /* A count above the width leaves the result undefined: APM 3, SHLD. */
    if (has_prefix(name, "shld") || has_prefix(name, "shrd")) {
        gpr[RCX] = below(16);
        e->reserved |= 1u << RCX;
    }
    if (has_prefix(name, "cmpxchg") && one_in(2) && test->target - DATA_ADDRESS < DATA_SIZE - 16) {
        memcpy(&gpr[RAX], test->data + (test->target - DATA_ADDRESS), 8);
        memcpy(&gpr[RDX], test->data + (test->target - DATA_ADDRESS) + 8, 8);
        if (has_prefix(name, "cmpxchg8") || test->code32) {
            memcpy(&gpr[RDX], test->data + (test->target - DATA_ADDRESS) + 4, 4);
            gpr[RAX] = (uint32_t)gpr[RAX];
            gpr[RDX] = (uint32_t)gpr[RDX];
        }
        e->reserved |= 1u << RAX | 1u << RDX;
    }
    if (has_prefix(name, "enter"))
        gpr[RBP] = DATA_ADDRESS + 0x800;
    /* Nothing that a sanitizer may have mapped on the host. */
    if (has_prefix(name, "leave") && gpr[RBP] - DATA_ADDRESS >= DATA_SIZE)
        gpr[RBP] = one_in(3) ? 0 : one_in(2) ? 0xFFFFFFFD : 1ull << 63;
    if (test->code32) {
        for (unsigned k = 0; k < 16; k++)
            gpr[k] = (uint32_t)gpr[k];
    }
}

static uint8_t choose_rex(const struct emitter *e)
{
    uint8_t rex = 0;
    if (e->test->code32)
        return 0;
    if (one_in(2))
        rex = (uint8_t)(0x40 | below(16));
    if (e->shape.no_rex_b)
        rex &= (uint8_t)~1;
    if (e->shape.w == 1)
        rex |= 0x48;
    if (e->shape.w == 0)
        rex &= (uint8_t)~8;
    return rex;
}

/* The bit number moves the address: keep it within the data pages, away from the base. */
static void tame_bit_string(struct emitter *e, unsigned reg)
{
    if (!e->shape.bit_string || e->shape.immediate_bytes || !e->test->memory)
        return;
    e->test->state.gpr[reg] = one_in(2) ? (uint64_t)below(2000) : (uint64_t)0 - below(500);
    if (e->test->code32)
        e->test->state.gpr[reg] = (uint32_t)e->test->state.gpr[reg];
    e->reserved |= 1u << reg;
}

static void encode(struct emitter *e)
{
    struct test_case *test = e->test;
    struct shape *shape = &e->shape;
    uint8_t tail[6];
    unsigned tail_length = 0, modrm_reg = 0;
    bool relative = false, offset_operand = test->form->operands[0] == 'O' ||
                                            strstr(test->form->operands, ",O") ||
                                            strstr(test->form->operands, ", O");
    test->memory = shape->modrm && shape->fixed < 0 && !shape->mod3 &&
                   (shape->memory_only || one_in(2));
    test->target = choose_target();
    /* Over the end of a flat segment; x87 stores of ten bytes come in parts. */
    if (test->code32 && one_in(100) && !(test->form->attributes & FORM_X87))
        test->target = (1ull << 32) - below(16);
    e->rex = choose_rex(e);
    emit_prefixes(e);
    adjust(e);
    if (shape->modrm && shape->fixed >= 0) {
        tail[tail_length++] = (uint8_t)shape->fixed;
    } else if (shape->modrm) {
        modrm_reg = shape->extension >= 0 ? (unsigned)shape->extension : below(8);
        tame_bit_string(e, modrm_reg | (e->rex & 4 ? 8 : 0));
        if (test->memory) {
            e->rex &= (uint8_t)~3;
            unsigned length = encode_memory(e, modrm_reg, tail, 0);
            relative = length & 0x100;
            tail_length = length & 0xFF;
        } else {
            tail[tail_length++] = (uint8_t)(0xC0 | modrm_reg << 3 | below(8));
        }
    }
    if (shape->vex)
        emit_vex(e);
    else if (e->rex)
        emit(e, e->rex, 1);
    for (unsigned k = shape->vex ? shape->opcode_length - 1 : 0; k < shape->opcode_length; k++) {
        uint8_t byte = shape->opcode[k];
        if (k + 1 == shape->opcode_length)
            byte = (uint8_t)(byte + below(shape->cover));
        emit(e, byte, 1);
    }
    for (unsigned k = 0; k < tail_length; k++)
        emit(e, tail[k], 1);
    unsigned displacement_at = test->length;
    if (relative)
        emit(e, 0, 4);
    if (offset_operand)
        emit(e, test->target, e->address_short || test->code32 ? 4 : 8);
    if (shape->immediate_bytes) {
        emit_immediate(e, shape->immediate_bytes);
        if (has_prefix(test->form->name, "shld") || has_prefix(test->form->name, "shrd"))
            test->code[test->length - 1] &= 0xEF;
        if (has_prefix(test->form->name, "enter"))
            test->code[test->length - 1] = (uint8_t)(rnd() & 0xFF),
                                      test->code[test->length - 2] &= 3;
    }
    if (shape->second_immediate)
        emit_immediate(e, shape->second_immediate);
    if (relative) {
        uint32_t displacement = (uint32_t)(test->target - (test->state.rip + test->length));
        memcpy(test->code + displacement_at, &displacement, sizeof(displacement));
    }
    if (test->memory || offset_operand)
        fill_operand(test);
}

bool generate(struct test_case *test, const struct form *form, unsigned form_number, uint64_t seed,
              uint64_t number)
{
    random_state = seed * 0xD1342543DE82EF95ull + number;
    (void)rnd();
    bool code32 = one_in(4);
    if (form->attributes & FORM_NO64)
        code32 = true;
    if (form->attributes & FORM_ONLY64)
        code32 = false;
    memset(test, 0, offsetof(struct test_case, data));
    test->form = form;
    test->form_number = form_number;
    test->seed = seed;
    test->number = number;
    test->code32 = code32;
    struct emitter e = { .test = test };
    shape_of(&e.shape, form);
    if (e.shape.w == 1 && code32)
        test->code32 = false;
    fill_state(test);
    encode(&e);
    return test->length > 0;
}
