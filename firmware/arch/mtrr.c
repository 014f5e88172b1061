/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Memory type range registers (APM 2 7.7): everything write-back but the legacy display window and
 * the device space below 4 GiB. Linux needs them enabled, or it does without PAT. In a SEV guest
 * only the default type is set, as OVMF does: there hosts offer no working ranges.
 */
#include "firmware/arch/cpu.h"
#include "firmware/arch/paging.h"
#include "firmware/platform/q35.h"
#include "firmware/sev/sev.h"

enum {
    CPUID_MTRR = 12,
    MTRR_CAPABILITIES = 0xFE, MTRR_RANGE = 0x200, MTRR_FIXED_64K = 0x250, MTRR_FIXED_16K = 0x258,
    MTRR_FIXED_4K = 0x268, MTRR_DEFAULT = 0x2FF,
    TYPE_UNCACHED = 0, TYPE_WRITE_BACK = 6, DEFAULT_FIXED = 0x400, DEFAULT_ENABLE = 0x800,
    RANGE_VALID = 0x800, RANGES = 2,
};
#define ALL_WRITE_BACK 0x0606060606060606ull

static void set_range(unsigned index, uint64_t base, uint64_t size)
{
    unsigned bits = cpuid(0x80000000, 0).eax >= 0x80000008 ? cpuid(0x80000008, 0).eax & 0xFF : 36;
    uint64_t width = (1ull << (bits < 52 ? bits : 52)) - 1;

    msr_write(MTRR_RANGE + 2 * index, base | TYPE_UNCACHED);
    msr_write(MTRR_RANGE + 2 * index + 1, (~(size - 1) & width) | RANGE_VALID);
}

void mtrr_init(void)
{
    if ((cpuid(1, 0).edx >> CPUID_MTRR & 1) == 0) {
        return;
    }
    if (sev_active()) {
        msr_write(MTRR_DEFAULT, DEFAULT_ENABLE | TYPE_WRITE_BACK);
        return;
    }
    if ((msr_read(MTRR_CAPABILITIES) & 0xFF) >= RANGES) {
        set_range(0, Q35_ECAM_BASE, Q35_ECAM_SIZE);
        set_range(1, Q35_MMIO_BASE, (1ull << 32) - Q35_MMIO_BASE);
    }
    msr_write(MTRR_FIXED_64K, ALL_WRITE_BACK);
    msr_write(MTRR_FIXED_16K, ALL_WRITE_BACK);
    msr_write(MTRR_FIXED_16K + 1, 0); /* 0xA0000 to 0xBFFFF */
    for (unsigned i = 0; i < 8; i++) {
        msr_write(MTRR_FIXED_4K + i, ALL_WRITE_BACK);
    }
    msr_write(MTRR_DEFAULT, DEFAULT_ENABLE | DEFAULT_FIXED | TYPE_WRITE_BACK);
}
