/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The instruction decoder (APM 3, chapter 1). The rows of the form tables are compiled once into
 * candidate lists, one per opcode map and opcode; an instruction takes the first candidate whose
 * prefixes, ModRM and mode fit, in order of how specific the row is. No candidate: #UD. Opcodes
 * behind a VEX prefix have lists of their own.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "machine/cpu/block.h"
#include "machine/cpu/fused.h"
#include "machine/cpu/lean.h"

enum row_prefix { PREFIX_ANY, PREFIX_NONE, PREFIX_66, PREFIX_F2, PREFIX_F3 };
enum row_mod { MOD_ANY, MOD_MEMORY, MOD_REGISTER, MOD_IGNORED };
enum row_length { LENGTH_IGNORED = -1, LENGTH_128 = 0, LENGTH_256 = 1, LENGTH_SLOT = 2 };
enum row_immediate {
    IMM_NONE, IMM_BYTE, IMM_SBYTE, IMM_WORD, IMM_Z, IMM_V, IMM_JB, IMM_JZ, IMM_OFFSET, IMM_FAR,
    IMM_ONE,
};

struct row {
    const struct form *form;
    uint16_t number;
    uint8_t map, opcode;
    uint8_t cover; /* opcodes the row covers: 1, 8 (+r) or 16 (+c) */
    uint8_t prefix, mod, modrm;
    int16_t extension; /* -1: none */
    int16_t fixed;     /* whole ModRM byte, -1: none */
    int8_t w;          /* -1: either */
    bool vsib;         /* the index is a vector register */
    bool vex, vvvv;    /* behind a VEX prefix; its vvvv field is an operand */
    int8_t length;     /* enum row_length: VEX.L */
    uint8_t immediate[2];
    bool byte_reg, byte_rm; /* 8-bit general registers: number becomes a byte offset */
    bool reg3, rm3;         /* REX does not extend the number (segments, MMX, x87) */
    bool no_rex_b;  /* REX.B selects another row */
    bool no_repeat; /* F2 and F3 belong to other rows or to none */
    bool opcode_register, string, segment_override;
    uint8_t score;
};

#define ROWS_MAX  3072u
#define LIST_MAX  8192u
#define VEX_MAP   3u /* added to the map number of opcodes behind a VEX prefix */
#define MAP_COUNT 7u

static struct row rows[ROWS_MAX];
static uint16_t lists[LIST_MAX];
static struct {
    uint16_t first, count;
} heads[MAP_COUNT][256];
static bool initialised;

static bool is_hex(const char *token)
{
    return strlen(token) == 2 && strspn(token, "0123456789ABCDEF") == 2;
}

static unsigned hex(const char *token)
{
    return (unsigned)strtoul(token, NULL, 16);
}

/* One token that is not a plain hexadecimal byte. */
static void parse_modifier(struct row *row, const char *token)
{
    if (!strcmp(token, "NP")) {
        row->prefix = PREFIX_NONE;
    } else if (!strcmp(token, "NB")) {
        row->no_rex_b = true;
    } else if (!strcmp(token, "NR")) {
        row->no_repeat = true;
    } else if (!strcmp(token, "VEX")) {
        row->vex = true;
    } else if (!strcmp(token, "VSIB")) {
        row->vsib = true;
        row->modrm = 1;
        row->mod = MOD_MEMORY;
    } else if (!strcmp(token, "Lx")) {
        row->length = LENGTH_SLOT;
    } else if (!strcmp(token, "L0") || !strcmp(token, "L1")) {
        row->length = (int8_t)(token[1] - '0');
    } else if (!strcmp(token, "+r")) {
        row->cover = 8;
        row->opcode_register = true;
    } else if (!strcmp(token, "+c")) {
        row->cover = 16;
    } else if (!strcmp(token, "/r")) {
        row->modrm = 1;
    } else if (token[0] == '/') {
        row->modrm = 1;
        row->extension = (int16_t)(token[1] - '0');
    } else if (!strcmp(token, "mod3")) {
        row->modrm = 1;
        row->mod = MOD_REGISTER;
    } else if (!strcmp(token, "mem")) {
        row->modrm = 1;
        row->mod = MOD_MEMORY;
    } else if (token[0] == '=') {
        row->modrm = 1;
        row->fixed = (int16_t)hex(token + 1);
    } else if (token[0] == 'W') {
        row->w = (int8_t)(token[1] - '0');
    } else {
        assert(!"unknown token in a form's code");
    }
}

static void parse_code(struct row *row, const char *code)
{
    char text[64];
    char *tokens[12];
    unsigned count = 0;
    assert(strlen(code) < sizeof(text));
    strcpy(text, code);
    for (char *token = strtok(text, " "); token && count < 12; token = strtok(NULL, " "))
        tokens[count++] = token;
    bool opcode_seen = false;
    for (unsigned k = 0; k < count; k++) {
        const char *token = tokens[k];
        bool more = k + 1 < count && is_hex(tokens[k + 1]);
        if (!is_hex(token))
            parse_modifier(row, token);
        else if (!opcode_seen && !row->map && more && !strcmp(token, "66"))
            row->prefix = PREFIX_66;
        else if (!opcode_seen && !row->map && more && !strcmp(token, "F2"))
            row->prefix = PREFIX_F2;
        else if (!opcode_seen && !row->map && more && !strcmp(token, "F3"))
            row->prefix = PREFIX_F3;
        else if (!opcode_seen && !row->map && more && !strcmp(token, "0F"))
            row->map = 1;
        else if (!opcode_seen && row->map == 1 && more && !strcmp(token, "38"))
            row->map = 2;
        else if (!opcode_seen && row->map == 1 && more && !strcmp(token, "3A"))
            row->map = 3;
        else {
            assert(!opcode_seen);
            row->opcode = (uint8_t)hex(token);
            opcode_seen = true;
        }
    }
    assert(opcode_seen);
    if (row->vex)
        row->map = (uint8_t)(row->map + VEX_MAP);
}

static void add_immediate(struct row *row, enum row_immediate kind)
{
    row->immediate[row->immediate[0] ? 1 : 0] = (uint8_t)kind;
}

static void parse_immediate(struct row *row, const char *operand)
{
    static const struct {
        const char *code;
        enum row_immediate kind;
    } kinds[] = {
        { "Ib", IMM_BYTE }, { "Ibs", IMM_SBYTE }, { "Iw", IMM_WORD }, { "Iz", IMM_Z },
        { "Iv", IMM_V },    { "Jb", IMM_JB },     { "Jz", IMM_JZ },
    };
    for (unsigned k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        if (!strcmp(operand, kinds[k].code)) {
            add_immediate(row, kinds[k].kind);
            return;
        }
    }
    assert(!"unknown immediate in a form's operands");
}

static void parse_operand(struct row *row, const char *operand)
{
    bool byte = operand[1] == 'b' && !operand[2];
    if (!strcmp(operand, "1")) {
        add_immediate(row, IMM_ONE);
        return;
    }
    /* Fixed registers are known to the handler. */
    if (!strncmp(operand, "ST", 2)) {
        row->rm3 = true;
        return;
    }
    if (!strcmp(operand, "AL") || !strcmp(operand, "AX") || !strcmp(operand, "eAX") ||
        !strcmp(operand, "rAX") || !strcmp(operand, "CL") || !strcmp(operand, "DX"))
        return;
    switch (operand[0]) {
    case 'G':
        row->byte_reg = byte;
        break;
    case 'E':
    case 'Z':
        row->byte_rm |= byte;
        break;
    case 'I':
    case 'J':
        parse_immediate(row, operand);
        break;
    case 'M':
        row->mod = MOD_MEMORY;
        break;
    case 'R':
        row->byte_rm |= byte;
        if (row->mod == MOD_ANY)
            row->mod = MOD_REGISTER;
        break;
    case 'U':
        row->mod = MOD_REGISTER;
        break;
    case 'N':
        row->mod = MOD_REGISTER;
        row->rm3 = true;
        break;
    case 'Q':
        row->rm3 = true;
        break;
    case 'P':
    case 'S':
        row->reg3 = true;
        break;
    case 'C':
    case 'D':
        row->mod = MOD_IGNORED; /* APM 3: MOV CRn, MOV DRn */
        break;
    case 'O':
        add_immediate(row, IMM_OFFSET);
        break;
    case 'F':
        add_immediate(row, IMM_FAR);
        break;
    case 'X':
    case 'Y':
        row->string = true;
        break;
    case 'B':
    case 'H':
        row->vvvv = true;
        break;
    case 'L':
        add_immediate(row, IMM_BYTE); /* a register number in bits 7:4 */
        break;
    case 'V':
    case 'W':
        break;
    default:
        assert(!"unknown operand in a form's operands");
    }
}

static void parse_row(struct row *row, const struct form *form, unsigned number)
{
    *row = (struct row){ .form = form, .number = (uint16_t)number, .cover = 1 };
    row->extension = row->fixed = -1;
    row->w = -1;
    row->length = LENGTH_IGNORED;
    parse_code(row, form->code);
    char text[48];
    assert(strlen(form->operands) < sizeof(text));
    strcpy(text, form->operands);
    for (char *token = strtok(text, ", "); token; token = strtok(NULL, ", "))
        parse_operand(row, token);
    row->score = (uint8_t)((row->fixed >= 0 ? 16 : 0) + (row->prefix > PREFIX_NONE ? 8 : 0) +
                           (row->prefix == PREFIX_NONE ? 4 : 0) + (row->cover == 1 ? 2 : 0) +
                           (row->mod != MOD_ANY ? 1 : 0));
}

/* Appends to the list of one opcode the rows that cover it, most specific first. */
static unsigned build_list(unsigned map, unsigned opcode, unsigned used, unsigned total)
{
    unsigned first = used;
    for (unsigned k = 0; k < total; k++) {
        const struct row *row = &rows[k];
        if (row->map != map || opcode < row->opcode || opcode >= row->opcode + row->cover)
            continue;
        assert(used < LIST_MAX);
        unsigned at = used++;
        while (at > first && rows[lists[at - 1]].score < row->score) {
            lists[at] = lists[at - 1];
            at--;
        }
        lists[at] = (uint16_t)k;
    }
    heads[map][opcode].first = (uint16_t)first;
    heads[map][opcode].count = (uint16_t)(used - first);
    return used;
}

void decode_initialise(void)
{
    if (initialised)
        return;
    unsigned total = form_total();
    assert(total <= ROWS_MAX);
    for (unsigned k = 0; k < total; k++)
        parse_row(&rows[k], form_by_number(k), k);
    unsigned used = 0;
    for (unsigned map = 0; map < MAP_COUNT; map++) {
        for (unsigned opcode = 0; opcode < 256; opcode++)
            used = build_list(map, opcode, used, total);
    }
    fused_initialise();
    lean_initialise();
    initialised = true;
}

/* What is known of the instruction while it is taken apart. */
struct decoding {
    const uint8_t *code;
    unsigned size, at;
    bool short_of; /* a byte beyond `size` was wanted */
    uint32_t mode;
    uint8_t rex, opcode, map, modrm;
    uint8_t vvvv, length; /* of a VEX prefix; register 0 if unused */
    bool vex, undefined;
    bool operand_prefix, address_prefix, lock;
    uint8_t repeat; /* 0xF2, 0xF3 or 0: the last one counts */
    int segment;    /* override, -1: none */
    unsigned address_size; /* log2 of bytes */
};

static uint8_t next_byte(struct decoding *d)
{
    if (d->at >= d->size) {
        d->short_of = true;
        return 0;
    }
    return d->code[d->at++];
}

/* Little-endian and sign-extended; `bytes` 1, 2, 4 or 8. */
static uint64_t next_signed(struct decoding *d, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned k = 0; k < bytes; k++)
        value |= (uint64_t)next_byte(d) << (8 * k);
    if (bytes == 8)
        return value;
    uint64_t sign = 1ull << (8 * bytes - 1);
    return (value ^ sign) - sign;
}

static bool take_prefix(struct decoding *d, uint8_t byte)
{
    switch (byte) {
    case 0x26:
        d->segment = ES;
        break;
    case 0x2E:
        d->segment = CS;
        break;
    case 0x36:
        d->segment = SS;
        break;
    case 0x3E:
        d->segment = DS;
        break;
    case 0x64:
        d->segment = FS;
        break;
    case 0x65:
        d->segment = GS;
        break;
    case 0x66:
        d->operand_prefix = true;
        break;
    case 0x67:
        d->address_prefix = true;
        break;
    case 0xF0:
        d->lock = true;
        break;
    case 0xF2:
    case 0xF3:
        d->repeat = byte;
        break;
    default:
        return false;
    }
    return true;
}

/*
 * C4 and C5 are LES and LDS outside 64-bit mode unless the next byte would be a ModRM byte with
 * mod 3; and always in real and virtual-8086 mode (APM 3 1.10).
 */
static bool starts_vex(struct decoding *d, uint8_t byte)
{
    if ((byte & 0xFE) != 0xC4 || !(d->mode & MODE_PROTECTED))
        return false;
    if (d->mode & MODE_64)
        return true;
    d->short_of |= d->at >= d->size;
    return !d->short_of && d->code[d->at] >= 0xC0;
}

/* The VEX prefix stands for REX, a mandatory prefix and the opcode map: APM 3 1.10.2. */
static void take_vex(struct decoding *d, uint8_t byte)
{
    static const uint8_t repeats[4] = { 0, 0, 0xF3, 0xF2 };
    uint8_t first = next_byte(d), last = first, map = 1;
    d->undefined = d->operand_prefix || d->repeat || d->lock || d->rex;
    if (byte == 0xC4) {
        last = next_byte(d);
        map = first & 31;
        d->rex = (~first >> 5 & 7) | (last >> 4 & 8);
    } else {
        d->rex = ~first >> 5 & 4;
    }
    d->undefined |= map < 1 || map > 3;
    d->vex = true;
    d->map = (uint8_t)((map & 3) + VEX_MAP);
    d->vvvv = ~last >> 3 & 15;
    d->length = last >> 2 & 1;
    d->operand_prefix = (last & 3) == 1;
    d->repeat = repeats[last & 3];
    if (!(d->mode & MODE_64)) {
        d->rex &= 8;
        d->vvvv &= 7;
    }
}

static void take_prefixes_and_opcode(struct decoding *d)
{
    uint8_t byte;
    for (;;) {
        byte = next_byte(d);
        if (d->short_of)
            return;
        if (take_prefix(d, byte)) {
            d->rex = 0; /* only a REX right before the opcode counts: APM 3 1.2.7 */
            continue;
        }
        if (!(d->mode & MODE_64) || (byte & 0xF0) != 0x40)
            break;
        d->rex = byte;
    }
    if (starts_vex(d, byte)) {
        take_vex(d, byte);
        byte = next_byte(d);
    } else if (byte == 0x0F) {
        byte = next_byte(d);
        d->map = 1;
        if (byte == 0x38 || byte == 0x3A) {
            d->map = byte == 0x38 ? 2 : 3;
            byte = next_byte(d);
        }
    }
    d->opcode = byte;
    if ((d->mode & MODE_64) && d->segment >= 0 && d->segment < FS)
        d->segment = -1;
    if (d->mode & MODE_64)
        d->address_size = d->address_prefix ? 2 : 3;
    else
        d->address_size = !(d->mode & MODE_CODE32) != d->address_prefix ? 1 : 2;
}

static bool prefix_fits(const struct decoding *d, const struct row *row)
{
    switch (row->prefix) {
    case PREFIX_ANY:
        return true;
    case PREFIX_NONE:
        return !d->operand_prefix && !d->repeat;
    case PREFIX_66:
        return d->operand_prefix && !d->repeat;
    case PREFIX_F2:
        return d->repeat == 0xF2;
    default:
        return d->repeat == 0xF3;
    }
}

/* log2 of the operand size in bytes: APM 3 1.2.2, 1.2.7. */
static unsigned operand_size(const struct decoding *d, const struct row *row)
{
    uint16_t attributes = row->form->attributes;
    if (attributes & FORM_BYTE)
        return 0;
    if (row->vex && row->length == LENGTH_SLOT)
        return d->length ? 3 : 2;
    if (row->vex)
        return (d->mode & MODE_64) && (d->rex & 8) ? 3 : 2;
    bool narrow = d->operand_prefix && row->prefix != PREFIX_66;
    if (d->mode & MODE_64) {
        if ((d->rex & 8) || (attributes & FORM_F64))
            return 3;
        if (narrow)
            return 1;
        return attributes & FORM_D64 ? 3 : 2;
    }
    return !(d->mode & MODE_CODE32) != narrow ? 1 : 2;
}

static bool row_fits(const struct cpu *cpu, const struct decoding *d, const struct row *row)
{
    uint16_t attributes = row->form->attributes;
    if (!prefix_fits(d, row))
        return false;
    if (attributes & (d->mode & MODE_64 ? FORM_NO64 : FORM_ONLY64))
        return false;
    if (row->w >= 0 && (d->rex >> 3 & 1) != row->w)
        return false;
    if ((row->no_rex_b && d->rex & 1) || (row->no_repeat && d->repeat))
        return false;
    if (row->vex && attributes & FORM_SSE && !(d->mode & MODE_AVX))
        return false;
    if (row->vsib && ((d->modrm & 7) != 4 || d->address_size == 1))
        return false;
    if (row->vex && ((!row->vvvv && d->vvvv) || (row->length >= 0 && row->length < LENGTH_SLOT &&
                                                 row->length != d->length)))
        return false;
    bool memory = false;
    if (row->modrm) {
        if (row->fixed >= 0 && d->modrm != row->fixed)
            return false;
        if (row->extension >= 0 && (d->modrm >> 3 & 7) != row->extension)
            return false;
        memory = d->modrm < 0xC0 && row->mod != MOD_IGNORED;
        if ((row->mod == MOD_MEMORY && !memory) || (row->mod == MOD_REGISTER && memory))
            return false;
    }
    if (!row->form->fn[memory][operand_size(d, row)])
        return false;
    return cpu_has_feature(cpu, row->form->feature);
}

static const struct row *find_row(const struct cpu *cpu, const struct decoding *d)
{
    const uint16_t *list = &lists[heads[d->map][d->opcode].first];
    for (unsigned k = 0; k < heads[d->map][d->opcode].count; k++) {
        if (row_fits(cpu, d, &rows[list[k]]))
            return &rows[list[k]];
    }
    return NULL;
}

/* Does any form of this opcode have a ModRM byte? All of one opcode agree but for the mode. */
static bool opcode_has_modrm(const struct decoding *d)
{
    const uint16_t *list = &lists[heads[d->map][d->opcode].first];
    for (unsigned k = 0; k < heads[d->map][d->opcode].count; k++) {
        const struct row *row = &rows[list[k]];
        if (row->modrm && !(row->form->attributes & (d->mode & MODE_64 ? FORM_NO64 : FORM_ONLY64)))
            return true;
    }
    return false;
}

static void address_16(struct decoding *d, struct insn *i)
{
    static const uint8_t bases[8] = { RBX, RBX, RBP, RBP, RSI, RDI, RBP, RBX };
    static const uint8_t indexes[8] = {
        RSI, RDI, RSI, RDI, REG_ZERO, REG_ZERO, REG_ZERO, REG_ZERO
    };
    unsigned mod = d->modrm >> 6, rm = d->modrm & 7;
    i->base = bases[rm];
    i->index = indexes[rm];
    if (mod == 0 && rm == 6)
        i->base = REG_ZERO;
    if (mod == 1)
        i->disp = (int32_t)next_signed(d, 1);
    else if (mod == 2 || (mod == 0 && rm == 6))
        i->disp = (int32_t)next_signed(d, 2);
    i->seg = i->base == RBP ? SS : DS;
}

static void address_32_64(struct decoding *d, struct insn *i, bool vsib)
{
    unsigned mod = d->modrm >> 6, rm = d->modrm & 7;
    bool wide = mod == 2;
    if (rm == 4) {
        uint8_t sib = next_byte(d);
        unsigned index = (sib >> 3 & 7) | (d->rex & 2) << 2;
        i->scale = sib >> 6;
        i->index = index == RSP && !vsib ? REG_ZERO : (uint8_t)index;
        i->base = (uint8_t)((sib & 7) | (d->rex & 1) << 3);
        if ((sib & 7) == RBP && mod == 0) {
            i->base = REG_ZERO;
            wide = true;
        }
    } else if (rm == RBP && mod == 0) {
        i->base = d->mode & MODE_64 ? REG_RIP : REG_ZERO;
        wide = true;
    } else {
        i->base = (uint8_t)(rm | (d->rex & 1) << 3);
    }
    if (wide)
        i->disp = (int32_t)next_signed(d, 4);
    else if (mod == 1)
        i->disp = (int32_t)next_signed(d, 1);
    i->seg = i->base == RSP || i->base == RBP ? SS : DS;
}

/* Segment of a memory operand and whether its address needs the slow way. */
static void choose_segment(const struct decoding *d, struct insn *i, bool string)
{
    bool slow = d->address_size != 3;
    if (string)
        i->seg = DS;
    if (d->segment >= 0)
        i->seg = (uint8_t)d->segment;
    if (d->mode & MODE_64) {
        if (i->seg != FS && i->seg != GS)
            i->seg = SEG_FLAT;
    } else if ((d->mode & MODE_FLAT) && d->segment < 0 && d->address_size == 2) {
        i->seg = SEG_FLAT; /* the MMU wraps the address at 4 GiB */
        slow = false;
    }
    if (slow)
        i->flags |= INSN_SLOW_EA;
}

static uint64_t take_immediate(struct decoding *d, enum row_immediate kind, unsigned size)
{
    unsigned z = size == 1 ? 2 : 4;
    switch (kind) {
    case IMM_BYTE:
        return next_byte(d);
    case IMM_SBYTE:
    case IMM_JB:
        return next_signed(d, 1);
    case IMM_WORD:
        return next_signed(d, 2) & 0xFFFF;
    case IMM_Z:
    case IMM_JZ:
        return next_signed(d, z);
    case IMM_V:
        return next_signed(d, 1u << size);
    case IMM_OFFSET:
        return next_signed(d, 1u << d->address_size);
    case IMM_FAR: {
        uint64_t offset = next_signed(d, z) & (z == 2 ? 0xFFFF : 0xFFFFFFFF);
        return offset | (next_signed(d, 2) & 0xFFFF) << 32;
    }
    case IMM_ONE:
        return 1;
    default:
        return 0;
    }
}

static uint8_t byte_register(unsigned number, bool rex)
{
    if (!rex && number >= 4 && number < 8)
        return (uint8_t)((number - 4) * 8 + 1);
    return (uint8_t)(number * 8);
}

static void set_registers(const struct decoding *d, const struct row *row, struct insn *i)
{
    unsigned reg = d->modrm >> 3 & 7, rm = d->modrm & 7;
    if (row->opcode_register && !row->modrm)
        rm = d->opcode & 7;
    if (!row->reg3)
        reg |= (d->rex & 4u) << 1;
    if (!row->rm3)
        rm |= (d->rex & 1u) << 3;
    if (!row->modrm)
        reg = 0;
    if (!row->modrm && !row->opcode_register)
        rm = 0;
    i->reg = row->byte_reg ? byte_register(reg, d->rex) : (uint8_t)reg;
    i->rm = row->byte_rm ? byte_register(rm, d->rex) : (uint8_t)rm;
}

static void take_operands(struct decoding *d, const struct row *row, struct insn *i, unsigned size)
{
    bool memory = row->modrm && d->modrm < 0xC0 && row->mod != MOD_IGNORED;
    set_registers(d, row, i);
    if (memory) {
        i->flags |= INSN_MEM;
        if (d->address_size == 1)
            address_16(d, i);
        else
            address_32_64(d, i, row->vsib);
        choose_segment(d, i, false);
    } else if (row->string || row->immediate[0] == IMM_OFFSET) {
        choose_segment(d, i, true);
    } else if (d->segment >= 0) {
        i->seg = (uint8_t)d->segment; /* XLAT */
    } else {
        i->seg = d->mode & MODE_64 ? SEG_FLAT : DS;
    }
    i->imm = take_immediate(d, row->immediate[0], size);
    if (row->immediate[1])
        i->imm |= take_immediate(d, row->immediate[1], size) << 16;
    if (d->vex)
        i->imm |= (uint64_t)d->vvvv << 8;
}

/* RIP-relative operands and branches become relative to the block's start. */
static void relocate(const struct decoding *d, const struct row *row, struct insn *i)
{
    int64_t end = i->ip + i->length;
    if (row->immediate[0] == IMM_JB || row->immediate[0] == IMM_JZ)
        i->imm += (uint64_t)end;
    if (!(i->flags & INSN_MEM) || i->base != REG_RIP || (i->flags & INSN_SLOW_EA))
        return;
    int64_t disp = i->disp + end;
    if (disp > INT32_MAX)
        i->flags |= INSN_SLOW_EA; /* which adds the offset itself */
    else
        i->disp = (int32_t)disp;
}

static enum decode_status decode_error(const struct decoding *d, struct insn *i, unsigned limit)
{
    i->length = (uint8_t)d->at;
    if (!d->short_of)
        return DECODE_UNDEFINED;
    return limit == 15 ? DECODE_TOO_LONG : DECODE_MORE;
}

enum decode_status decode_insn(const struct cpu *cpu, const uint8_t *code, unsigned size,
                               uint32_t mode, struct insn *ret)
{
    unsigned limit = size < 15 ? size : 15;
    struct decoding d = { .code = code, .size = limit, .mode = mode, .segment = -1 };
    uint8_t ip = ret->ip;
    *ret = (struct insn){ .ip = ip, .base = REG_ZERO, .index = REG_ZERO, .seg = SEG_FLAT };
    take_prefixes_and_opcode(&d);
    if (!d.short_of && opcode_has_modrm(&d))
        d.modrm = next_byte(&d);
    if (d.short_of)
        return decode_error(&d, ret, limit);
    const struct row *row = d.undefined ? NULL : find_row(cpu, &d);
    if (!row)
        return decode_error(&d, ret, limit);
    unsigned op_size = operand_size(&d, row);
    uint16_t attributes = row->form->attributes;
    ret->flags2 = (uint8_t)((d.opcode & 15) << 4 | (d.address_size == 2 ? INSN_ADDR32 : 0) |
                            (d.rex ? INSN_REX : 0));
    ret->flags = (uint8_t)((op_size == 1 ? INSN_OP16 : 0) | (op_size == 3 ? INSN_OP64 : 0) |
                           (d.address_size == 1 ? INSN_ADDR16 : 0));
    if (attributes & FORM_REP)
        ret->flags |= d.repeat == 0xF3 ? INSN_REP : d.repeat == 0xF2 ? INSN_REPNE : 0;
    take_operands(&d, row, ret, op_size);
    if (d.short_of)
        return decode_error(&d, ret, limit);
    bool memory = ret->flags & INSN_MEM;
    if (d.lock && !(memory && (attributes & FORM_LOCK)))
        return decode_error(&d, ret, limit);
    if (d.lock)
        ret->flags |= INSN_LOCK;
    ret->length = (uint8_t)d.at;
    ret->form = row->number;
    ret->fn = row->form->fn[memory][op_size];
    relocate(&d, row, ret);
    return DECODE_OK;
}
