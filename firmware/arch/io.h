/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Port and device-memory access. One access per call, never REP INS/OUTS: under plain SEV the host
 * cannot read the guest's buffer (APM 2 15.34.9). Device memory by plain MOV with one register,
 * which every hypervisor decodes.
 */
#ifndef PRIVET_FIRMWARE_IO_H
#define PRIVET_FIRMWARE_IO_H

#include <stdint.h>

static inline void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void out16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t in8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline uint16_t in16(uint16_t port)
{
    uint16_t value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline uint32_t in32(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

#define MMIO_ACCESS(bits, suffix, constraint)                                                      \
    static inline uint##bits##_t mmio_read##bits(uint64_t address)                                 \
    {                                                                                              \
        uint##bits##_t value;                                                                      \
        __asm__ volatile("mov" suffix " (%1), %0" : constraint(value) : "r"(address) : "memory");  \
        return value;                                                                              \
    }                                                                                              \
    static inline void mmio_write##bits(uint64_t address, uint##bits##_t value)                    \
    {                                                                                              \
        __asm__ volatile("mov" suffix " %0, (%1)" : : "r"(value), "r"(address) : "memory");        \
    }
MMIO_ACCESS(8, "b", "=q")
MMIO_ACCESS(16, "w", "=r")
MMIO_ACCESS(32, "l", "=r")
MMIO_ACCESS(64, "q", "=r")
#undef MMIO_ACCESS

#endif
