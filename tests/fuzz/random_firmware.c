/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Guests of random bytes as firmware: whatever they do, the machine goes on. Every second guest
 * gets a prologue into protected mode, so that more of the machine is reached than from real mode,
 * where random code soon dies. usage: random-firmware [SEEDS [FIRST]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine/hypervisor/hypervisor.h"

#define IMAGE_SIZE        65536u
#define INSTRUCTION_LIMIT 30000u
#define RAM_SIZE          (64ull << 20)

static uint64_t state;

static uint64_t rnd(void)
{
    uint64_t z = state += 0x9E3779B97F4A7C15ull;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
}

static void ignore_output(void *context, const uint8_t *bytes, size_t length)
{
}

/*
 * At the reset vector a jump back to: lgdt cs:[0xFFC0]; mov eax, cr0; or al, 1; mov cr0, eax;
 * jmp far 8:0xFFFF0000 with flat 32-bit segments; the GDT is at 0xFFFFFFC8.
 */
static void protected_mode_prologue(uint8_t *image)
{
    static const uint8_t code[] = {
        0x66, 0x2E, 0x0F, 0x01, 0x16, 0xC0, 0xFF,       /* lgdt */
        0x0F, 0x20, 0xC0, 0x0C, 0x01, 0x0F, 0x22, 0xC0, /* CR0.PE */
        0x66, 0xEA, 0x00, 0x00, 0xFF, 0xFF, 0x08, 0x00,
    };
    static const uint8_t table_pointer[] = { 0x17, 0x00, 0xC8, 0xFF, 0xFF, 0xFF };
    static const uint64_t table[] = { 0, 0x00CF9B000000FFFFull, 0x00CF93000000FFFFull };
    static const uint8_t jump[] = { 0xE9, 0x8D, 0xFF }; /* from FFF0 to FF80 */
    static const uint8_t segments[] = { 0x66, 0xB8, 0x10, 0x00, 0x8E, 0xD8, 0x8E, 0xC0,
                                        0x8E, 0xD0, 0xBC, 0x00, 0x00, 0x10, 0x00 };
    memcpy(image, segments, sizeof(segments));
    memcpy(image + 0xFF80, code, sizeof(code));
    memcpy(image + 0xFFC0, table_pointer, sizeof(table_pointer));
    memcpy(image + 0xFFC8, table, sizeof(table));
    memcpy(image + 0xFFF0, jump, sizeof(jump));
}

static int one(uint64_t seed, unsigned ends[GUEST_TIMEOUT + 1])
{
    static uint8_t image[IMAGE_SIZE];
    struct chip_failure failure;
    state = seed * 0xD1342543DE82EF95ull;
    for (unsigned k = 0; k < IMAGE_SIZE; k += 8) {
        uint64_t value = rnd();
        memcpy(image + k, &value, sizeof(value));
    }
    if (seed & 1)
        protected_mode_prologue(image);
    struct guest_config config = {
        .board = { .ram_size = RAM_SIZE,
                   .processors = 1,
                   .firmware = { image, IMAGE_SIZE },
                   .serial = ignore_output },
        .sev = CPU_SEV_OFF,
        .c_bit = 51,
        .reduced_physical_bits = 1,
        .asid = 1,
        .policy = 1,
        .instruction_limit = INSTRUCTION_LIMIT,
    };
    struct guest *guest = guest_create(&config, &failure);
    if (!guest) {
        fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, failure.text);
        return -1;
    }
    struct run_result result;
    guest_run(guest, &result);
    ends[result.end]++;
    if (result.end == GUEST_STOPPED && getenv("VERBOSE"))
        printf("seed %llu: %s\n", (unsigned long long)seed, result.detail);
    guest_destroy(guest);
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t seeds = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000;
    uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    unsigned ends[GUEST_TIMEOUT + 1] = { 0 };
    unsigned failed = 0;
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        alarm(60); /* a guest that hangs the machine ends the test, by its seed */
        if (isatty(2))
            fprintf(stderr, "\rseed %llu", (unsigned long long)seed);
        failed += one(seed, ends) != 0;
    }
    printf("powered off %u, reset %u, triple fault %u, not implemented %u, dead halt %u, "
           "instruction limit %u\n",
           ends[GUEST_POWER_OFF], ends[GUEST_RESET], ends[GUEST_SHUTDOWN], ends[GUEST_STOPPED],
           ends[GUEST_DEAD_HALT], ends[GUEST_TIMEOUT]);
    printf("%llu passed, %u failed\n", (unsigned long long)(seeds - failed), failed);
    return failed != 0;
}
