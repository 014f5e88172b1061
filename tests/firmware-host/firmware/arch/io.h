/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Stands in for firmware/arch/io.h where firmware code is built for the host: each access goes to a
 * function of the test, which plays the device. Use: `include_directories: [firmware_host_inc,
 * root_inc]`, in this order, and define those of the four functions that the code under test needs.
 * `size` is 1, 2, 4 or 8 bytes; of a value that is read, the low bytes count.
 */
#ifndef PRIVET_FIRMWARE_IO_H
#define PRIVET_FIRMWARE_IO_H

#include <stdint.h>

uint64_t test_mmio_read(uint64_t address, unsigned size);
void test_mmio_write(uint64_t address, unsigned size, uint64_t value);
uint32_t test_port_read(uint16_t port, unsigned size);
void test_port_write(uint16_t port, unsigned size, uint32_t value);

#define TEST_ACCESS(address_type, read, write, test, bits)                                   \
    static inline uint##bits##_t read##bits(address_type address)                                  \
    {                                                                                              \
        return (uint##bits##_t)test##_read(address, bits / 8);                                     \
    }                                                                                              \
    static inline void write##bits(address_type address, uint##bits##_t value)                     \
    {                                                                                              \
        test##_write(address, bits / 8, value);                                                    \
    }
#define TEST_PORT(bits) TEST_ACCESS(uint16_t, in, out, test_port, bits)
#define TEST_MMIO(bits) TEST_ACCESS(uint64_t, mmio_read, mmio_write, test_mmio, bits)
TEST_PORT(8)
TEST_PORT(16)
TEST_PORT(32)
TEST_MMIO(8)
TEST_MMIO(16)
TEST_MMIO(32)
TEST_MMIO(64)
#undef TEST_MMIO
#undef TEST_PORT
#undef TEST_ACCESS

#endif
