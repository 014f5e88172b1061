/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Instructions that raise #VC in 64-bit code: a decoder for them, table driven, and access to the
 * registers that they name (APM 3 1.2 to 1.4, appendix A).
 */
#ifndef PRIVET_FIRMWARE_INSTRUCTION_H
#define PRIVET_FIRMWARE_INSTRUCTION_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/arch/interrupts.h"

enum { INSTRUCTION_MAX = 15 };

enum operation {
    /* No operands that the decoder looks at; `opcode` says which. */
    OPERATION_PLAIN,
    /* Moves: `memory` and a register or the immediate. */
    OPERATION_LOAD, OPERATION_LOAD_ZERO, OPERATION_LOAD_SIGN,
    OPERATION_STORE, OPERATION_STORE_IMMEDIATE,
    OPERATION_EXCHANGE,
    /* Arithmetic, `function` says which: ADD OR ADC SBB AND SUB XOR CMP, TEST. */
    OPERATION_ALU_STORE, OPERATION_ALU_LOAD, OPERATION_ALU_IMMEDIATE,
    /* String instructions. */
    OPERATION_MOVS, OPERATION_STOS, OPERATION_LODS, OPERATION_INS, OPERATION_OUTS,
    OPERATION_IN, OPERATION_OUT,
};
enum { FUNCTION_CMP = 7, FUNCTION_TEST = 8 };

struct instruction {
    enum operation operation;
    uint8_t length;
    uint16_t opcode; /* 0x0Fxx: of the second map */
    uint8_t modrm;
    uint8_t size;        /* of memory or port, in bytes: 1, 2, 4 or 8 */
    uint8_t target_size; /* of the register: larger with LOAD_ZERO and LOAD_SIGN */
    uint8_t function;
    uint8_t reg; /* the register operand's number, REX included; rm: where it is no memory */
    uint8_t rm;
    bool high_byte; /* no REX: registers 4 to 7 of one byte are AH, CH, DH, BH */
    bool memory, repeat, address32;
    uint64_t address;   /* of the memory operand */
    uint64_t immediate; /* sign-extended */
};

/*
 * `bytes` are read one after the other, none behind the instruction's last. False: not one of those
 * that the table knows, or it is longer than `limit`.
 */
bool instruction_decode(const uint8_t *bytes, unsigned limit, struct trap_frame *frame,
                        struct instruction *ret);

/* Registers by number; a register of 4 bytes loses its upper half when it is written (APM 1 3.1.2). */
uint64_t register_read(struct trap_frame *frame, const struct instruction *insn, uint8_t number,
                       uint8_t size);
void register_write(struct trap_frame *frame, const struct instruction *insn, uint8_t number,
                    uint8_t size, uint64_t value);
/* A whole register. */
uint64_t *register_at(struct trap_frame *frame, unsigned number);

/* The result of arithmetic on operands of `size` bytes; RFLAGS of the frame change. */
uint64_t instruction_compute(struct trap_frame *frame, uint8_t function, uint8_t size,
                             uint64_t left, uint64_t right);

#endif
