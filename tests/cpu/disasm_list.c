/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Random instructions and what the disassembler makes of them, for tests/cpu/disasm to compare with
 * objdump: a binary file of 32-byte slots, each one instruction and then NOPs, and on standard
 * output a line per slot, its offset and the text.
 * usage: disasm-list BITS SEED COUNT FILE
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/cpu/block.h"
#include "tests/quiet_io.h"

#define SLOT 32u

static uint64_t random_state;

/* splitmix64 */
static uint64_t rnd(void)
{
    uint64_t z = random_state += 0x9E3779B97F4A7C15ull;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
}

static bool is_prefix(uint8_t byte, unsigned bits)
{
    static const uint8_t prefixes[] = { 0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x66, 0x67, 0xF0,
                                        0xF2, 0xF3 };
    return memchr(prefixes, byte, sizeof(prefixes)) || (bits == 64 && (byte & 0xF0) == 0x40);
}

/* A prefix now and then, one of the opcode maps, each opcode equally often, random bytes. */
static void make(uint8_t code[15], unsigned bits)
{
    static const uint8_t prefixes[] = { 0x66, 0xF2, 0xF3, 0x67, 0x64, 0x65, 0xF0, 0x66 };
    unsigned at = 0, map = rnd() % 8;
    for (unsigned k = 0; k < 15; k++)
        code[k] = (uint8_t)rnd();
    if (rnd() % 3 == 0)
        code[at++] = prefixes[rnd() % sizeof(prefixes)];
    if (bits == 64 && rnd() % 2)
        code[at++] = 0x40 | (rnd() & 15);
    if (map >= 3)
        code[at++] = 0x0F;
    if (map == 6)
        code[at++] = 0x38;
    if (map == 7)
        code[at++] = 0x3A;
    while (map < 3 && is_prefix(code[at], bits)) /* objdump takes such apart in another way */
        code[at] = (uint8_t)rnd();
}

static struct cpu *make_cpu(unsigned bits, struct memory **memory)
{
    static const uint8_t seed[32];
    const struct cpu_config config = { .physical_bits = 40, .processors = 1 };
    *memory = memory_create(seed);
    if (!*memory)
        return NULL;
    struct cpu *cpu = cpu_create(&config, *memory, &quiet_io);
    if (!cpu)
        return NULL;
    cpu->mode = MODE_PROTECTED | MODE_SSE | MODE_FLAT |
                (bits == 64 ? MODE_64 : bits == 32 ? MODE_CODE32 | MODE_STACK32 : 0);
    return cpu;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 1;
    unsigned bits = (unsigned)atoi(argv[1]);
    uint64_t count = strtoull(argv[3], NULL, 0), offset = 0;
    struct memory *memory;
    struct cpu *cpu = make_cpu(bits, &memory);
    FILE *file = fopen(argv[4], "wb");
    if (!cpu || !file)
        return 1;
    random_state = strtoull(argv[2], NULL, 0);
    while (offset < count * SLOT) {
        uint8_t slot[SLOT], code[15];
        char text[128];
        struct insn i = { .ip = 0 };
        make(code, bits);
        if (decode_insn(cpu, code, sizeof(code), cpu->mode, &i) != DECODE_OK)
            continue;
        memset(slot, 0x90, sizeof(slot));
        memcpy(slot, code, i.length);
        fwrite(slot, 1, sizeof(slot), file);
        disassemble(&i, offset, text, sizeof(text));
        printf("%" PRIx64 " %u %s\n", offset, i.length, text);
        offset += SLOT;
    }
    cpu_destroy(cpu);
    memory_destroy(memory);
    return fclose(file) == 0 ? 0 : 1;
}
