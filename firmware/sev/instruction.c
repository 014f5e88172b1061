/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* One table of opcodes; prefixes, ModRM, SIB, displacement and immediate once for all of them. */
#include "firmware/sev/instruction.h"

#include <stddef.h>

enum {
    FORM_MODRM = 1,
    FORM_WIDTH = 2,       /* bit 0 of the opcode clear: operands of one byte */
    FORM_IMMEDIATE8 = 4,
    FORM_IMMEDIATE = 8,   /* of the operand's size, 4 bytes at most */
    FORM_OFFSET = 16,     /* an address behind the opcode */
};

struct form {
    uint16_t first, last; /* opcodes */
    uint8_t flags, operation;
};

static const struct form forms[] = {
    { 0x63, 0x63, FORM_MODRM, OPERATION_LOAD_SIGN },
    { 0x6C, 0x6D, FORM_WIDTH, OPERATION_INS },
    { 0x6E, 0x6F, FORM_WIDTH, OPERATION_OUTS },
    { 0x80, 0x80, FORM_MODRM | FORM_WIDTH | FORM_IMMEDIATE8, OPERATION_ALU_IMMEDIATE },
    { 0x81, 0x81, FORM_MODRM | FORM_IMMEDIATE, OPERATION_ALU_IMMEDIATE },
    { 0x83, 0x83, FORM_MODRM | FORM_IMMEDIATE8, OPERATION_ALU_IMMEDIATE },
    { 0x84, 0x85, FORM_MODRM | FORM_WIDTH, OPERATION_ALU_STORE },
    { 0x86, 0x87, FORM_MODRM | FORM_WIDTH, OPERATION_EXCHANGE },
    { 0x88, 0x89, FORM_MODRM | FORM_WIDTH, OPERATION_STORE },
    { 0x8A, 0x8B, FORM_MODRM | FORM_WIDTH, OPERATION_LOAD },
    { 0xA0, 0xA1, FORM_OFFSET | FORM_WIDTH, OPERATION_LOAD },
    { 0xA2, 0xA3, FORM_OFFSET | FORM_WIDTH, OPERATION_STORE },
    { 0xA4, 0xA5, FORM_WIDTH, OPERATION_MOVS },
    { 0xAA, 0xAB, FORM_WIDTH, OPERATION_STOS },
    { 0xAC, 0xAD, FORM_WIDTH, OPERATION_LODS },
    { 0xC6, 0xC7, FORM_MODRM | FORM_WIDTH | FORM_IMMEDIATE, OPERATION_STORE_IMMEDIATE },
    { 0xE4, 0xE5, FORM_WIDTH | FORM_IMMEDIATE8, OPERATION_IN },
    { 0xE6, 0xE7, FORM_WIDTH | FORM_IMMEDIATE8, OPERATION_OUT },
    { 0xEC, 0xED, FORM_WIDTH, OPERATION_IN },
    { 0xEE, 0xEF, FORM_WIDTH, OPERATION_OUT },
    { 0xF6, 0xF7, FORM_MODRM | FORM_WIDTH | FORM_IMMEDIATE, OPERATION_ALU_IMMEDIATE },
    { 0x0F01, 0x0F01, FORM_MODRM, OPERATION_PLAIN },
    { 0x0F08, 0x0F09, 0, OPERATION_PLAIN },
    { 0x0F21, 0x0F21, FORM_MODRM, OPERATION_PLAIN },
    { 0x0F23, 0x0F23, FORM_MODRM, OPERATION_PLAIN },
    { 0x0F30, 0x0F33, 0, OPERATION_PLAIN },
    { 0x0FA2, 0x0FA2, 0, OPERATION_PLAIN },
    { 0x0FB6, 0x0FB7, FORM_MODRM | FORM_WIDTH, OPERATION_LOAD_ZERO },
    { 0x0FBE, 0x0FBF, FORM_MODRM | FORM_WIDTH, OPERATION_LOAD_SIGN },
    { 0x0FC3, 0x0FC3, FORM_MODRM, OPERATION_STORE }, /* MOVNTI */
};
/* 00 to 3B, two of each eight: the register is source or destination. */
static const struct form alu_store = { 0, 0, FORM_MODRM | FORM_WIDTH, OPERATION_ALU_STORE };
static const struct form alu_load = { 0, 0, FORM_MODRM | FORM_WIDTH, OPERATION_ALU_LOAD };

struct reader {
    const uint8_t *bytes;
    unsigned at, limit;
    bool failed;
    uint8_t rex;
    bool operand16;
};

enum { REX_W = 8, REX_R = 4, REX_X = 2, REX_B = 1 };

static uint8_t next(struct reader *reader)
{
    if (reader->at == reader->limit) {
        reader->failed = true;
        return 0;
    }
    return reader->bytes[reader->at++];
}

/* Little-endian and sign-extended. */
static uint64_t number(struct reader *reader, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)next(reader) << (8 * i);
    }
    unsigned unused = 64 - 8 * size;
    return (uint64_t)((int64_t)(value << unused) >> unused);
}

/* The opcode's first byte. Segment overrides with a base (FS, GS) are nobody's way to a device. */
static uint8_t prefixes(struct reader *reader, struct instruction *ret)
{
    for (;;) {
        uint8_t byte = next(reader);
        if ((byte & 0xF0) == 0x40) {
            reader->rex = byte;
            return next(reader); /* the last prefix, or it does not count */
        }
        switch (byte) {
        case 0x66:
            reader->operand16 = true;
            break;
        case 0x67:
            ret->address32 = true;
            break;
        case 0xF2:
        case 0xF3:
            ret->repeat = true;
            break;
        case 0x26:
        case 0x2E:
        case 0x36:
        case 0x3E:
        case 0xF0:
            break;
        default:
            return byte;
        }
    }
}

static const struct form *find(uint16_t opcode)
{
    if (opcode < 0x40 && (opcode & 7) < 4) {
        return (opcode & 2) != 0 ? &alu_load : &alu_store;
    }
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (opcode >= forms[i].first && opcode <= forms[i].last) {
            return &forms[i];
        }
    }
    return NULL;
}

/* SIB: base and index; with mod 0 and base 5 a displacement instead of the base. */
static uint64_t sib(struct reader *reader, struct trap_frame *frame, unsigned mod,
                    unsigned *ret_displacement)
{
    uint8_t byte = next(reader);
    unsigned index = (byte >> 3 & 7) | ((reader->rex & REX_X) ? 8u : 0);
    unsigned base = byte & 7;
    uint64_t address = 0;

    if (index != 4) {
        address = *register_at(frame, index) << (byte >> 6);
    }
    if (mod == 0 && base == 5) {
        *ret_displacement = 4;
        return address;
    }
    return address + *register_at(frame, base | ((reader->rex & REX_B) ? 8u : 0));
}

/* The operand of ModRM; RIP-relative ones are finished by the caller, who knows the length. */
static void modrm(struct reader *reader, struct trap_frame *frame, struct instruction *ret,
                  bool *ret_relative)
{
    uint8_t byte = ret->modrm = next(reader);
    unsigned mod = byte >> 6, rm = byte & 7, displacement = mod == 1 ? 1 : mod == 2 ? 4 : 0;

    ret->reg = (uint8_t)((byte >> 3 & 7) | ((reader->rex & REX_R) ? 8 : 0));
    ret->rm = (uint8_t)(rm | ((reader->rex & REX_B) ? 8 : 0));
    if (mod == 3 || (ret->opcode & ~3u) == 0x0F20) { /* control and debug registers: mod is ignored */
        return;
    }
    ret->memory = true;
    if (rm == 4) {
        ret->address = sib(reader, frame, mod, &displacement);
    } else if (mod == 0 && rm == 5) {
        *ret_relative = true;
        displacement = 4;
    } else {
        ret->address = *register_at(frame, ret->rm);
    }
    if (displacement != 0) {
        ret->address += number(reader, displacement);
    }
}

/* Size of the operand, of the register, and which arithmetic it is. */
static void sizes(const struct reader *reader, const struct form *form, struct instruction *ret)
{
    uint8_t whole = (reader->rex & REX_W) != 0 ? 8 : reader->operand16 ? 2 : 4;

    ret->target_size = whole;
    ret->size = (form->flags & FORM_WIDTH) != 0 && (ret->opcode & 1) == 0 ? 1 : whole;
    if (ret->operation == OPERATION_LOAD_ZERO
        || (ret->operation == OPERATION_LOAD_SIGN && ret->opcode != 0x63)) {
        ret->size = (ret->opcode & 1) != 0 ? 2 : 1;
    } else if (ret->operation == OPERATION_LOAD_SIGN) {
        ret->size = 4; /* MOVSXD */
    } else {
        ret->target_size = ret->size;
    }
    ret->high_byte = reader->rex == 0;
}

/* False: the group has no such member here. */
static bool group(struct instruction *ret)
{
    uint8_t member = ret->modrm >> 3 & 7;

    switch (ret->opcode) {
    case 0x80:
    case 0x81:
    case 0x83:
        ret->function = member;
        return true;
    case 0x84:
    case 0x85:
        ret->function = FUNCTION_TEST;
        return true;
    case 0xC6:
    case 0xC7:
        return member == 0;
    case 0xF6:
    case 0xF7:
        ret->function = FUNCTION_TEST; /* others of the group have no immediate */
        return member < 2;
    default:
        ret->function = ret->opcode >> 3 & 7;
        return true;
    }
}

bool instruction_decode(const uint8_t *bytes, unsigned limit, struct trap_frame *frame,
                        struct instruction *ret)
{
    struct reader reader = { .bytes = bytes, .limit = limit < INSTRUCTION_MAX ? limit
                                                                              : INSTRUCTION_MAX };
    bool relative = false;

    *ret = (struct instruction){ 0 };
    ret->opcode = prefixes(&reader, ret);
    if (ret->opcode == 0x0F) {
        ret->opcode = (uint16_t)(0x0F00 | next(&reader));
    }
    const struct form *form = find(ret->opcode);
    if (form == NULL) {
        return false;
    }
    ret->operation = form->operation;
    sizes(&reader, form, ret);
    if ((form->flags & FORM_MODRM) != 0) {
        modrm(&reader, frame, ret, &relative);
    }
    if ((form->flags & FORM_OFFSET) != 0) {
        ret->memory = true;
        ret->address = number(&reader, ret->address32 ? 4 : 8);
    }
    if ((form->flags & FORM_IMMEDIATE8) != 0) {
        ret->immediate = number(&reader, 1);
    } else if ((form->flags & FORM_IMMEDIATE) != 0) {
        ret->immediate = number(&reader, ret->size < 4 ? ret->size : 4);
    }
    ret->length = (uint8_t)reader.at;
    ret->address += relative ? frame->rip + ret->length : 0;
    if (ret->address32) {
        ret->address = (uint32_t)ret->address;
    }
    return !reader.failed && group(ret);
}

/* Pushed in the order of their numbers, RSP by the processor: `rax` is the last of the row. */
uint64_t *register_at(struct trap_frame *frame, unsigned number)
{
    enum { RSP = 4 };
    uint64_t *row = (uint64_t *)frame;

    return number == RSP ? &frame->rsp : row + (number < RSP ? 14 : 15) - number;
}

static uint64_t mask_of(uint8_t size)
{
    return size == 8 ? UINT64_MAX : (1ull << (8 * size)) - 1;
}

static bool is_high(const struct instruction *insn, uint8_t number, uint8_t size)
{
    return insn->high_byte && size == 1 && number >= 4;
}

uint64_t register_read(struct trap_frame *frame, const struct instruction *insn, uint8_t number,
                       uint8_t size)
{
    if (is_high(insn, number, size)) {
        return *register_at(frame, number - 4u) >> 8 & 0xFF;
    }
    return *register_at(frame, number) & mask_of(size);
}

void register_write(struct trap_frame *frame, const struct instruction *insn, uint8_t number,
                    uint8_t size, uint64_t value)
{
    bool high = is_high(insn, number, size);
    uint64_t *to = register_at(frame, high ? number - 4u : number);
    uint64_t mask = size == 4 ? UINT64_MAX : mask_of(size) << (high ? 8 : 0);

    value = high ? value << 8 : size == 4 ? (uint32_t)value : value;
    *to = (*to & ~mask) | (value & mask);
}

enum { CF = 1, PF = 4, AF = 0x10, ZF = 0x40, SF = 0x80, OF = 0x800 };
#define FLAGS_COMPUTED ((uint64_t)(CF | PF | AF | ZF | SF | OF))

static uint64_t parity(uint64_t value)
{
    value ^= value >> 4;
    return (0x9669u >> (value & 15) & 1) != 0 ? PF : 0;
}

enum { ADD, OR, ADC, SBB, AND, SUB, XOR };

/* Bits of carries out of each position; of borrows, where it is a subtraction. */
static uint64_t carries(bool subtracts, uint64_t left, uint64_t right, uint64_t result)
{
    return subtracts ? (~left & right) | ((~left | right) & result)
                     : (left & right) | ((left | right) & ~result);
}

uint64_t instruction_compute(struct trap_frame *frame, uint8_t function, uint8_t size,
                             uint64_t left, uint64_t right)
{
    bool subtracts = function == SBB || function == SUB || function == FUNCTION_CMP;
    uint64_t carry = function == ADC || function == SBB ? frame->rflags & CF : 0;
    uint64_t flags = 0, result;
    unsigned top = 8u * size - 1;

    switch (function) {
    case OR:
        result = left | right;
        break;
    case XOR:
        result = left ^ right;
        break;
    case AND:
    case FUNCTION_TEST:
        result = left & right;
        break;
    default:
        result = subtracts ? left - right - carry : left + right + carry;
        uint64_t out = carries(subtracts, left, right, result);
        flags = (out >> top & 1 ? CF : 0) | (out >> 3 & 1 ? AF : 0)
                | ((out >> top ^ out >> (top - 1)) & 1 ? OF : 0);
        break;
    }
    result &= mask_of(size);
    flags |= parity(result & 0xFF) | (result == 0 ? ZF : 0) | (result >> top & 1 ? SF : 0);
    frame->rflags = (frame->rflags & ~FLAGS_COMPUTED) | flags;
    return result;
}
