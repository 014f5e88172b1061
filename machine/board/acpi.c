/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Builds the ACPI tables and the table-loader script. */
#include "machine/board/acpi.h"

#include <stdlib.h>
#include <string.h>

#include "machine/board/aml.h"
#include "machine/board/hpet.h"
#include "machine/board/pvpanic.h"
#include "machine/devices/pci.h"

#define TABLES_CAPACITY 32768u
#define MAX_COMMANDS    64u
#define COMMAND_SIZE    128u
#define FILE_NAME_SIZE  56u
#define HEADER_SIZE     36u
#define RSDP_SIZE       36u
#define MAX_ROOT_TABLES 8u

/* Registers of the ICH9 power management block (x86 board map: PMBASE 0x600). */
#define PM_EVENT   0x600u
#define PM_CONTROL 0x604u
#define PM_TIMER   0x608u
#define PM_GPE0    0x620u

#define RCBA_BASE   0xFED1C000u /* where firmware puts the chipset registers */
#define IOAPIC_BASE 0xFEC00000u
#define LAPIC_BASE  0xFEE00000u

#define PCI_GSI_BASE 16u /* of PIRQ A */

static const char tables_file[] = "etc/acpi/tables";
static const char rsdp_file[] = "etc/acpi/rsdp";

/* QEMU's table-loader commands. */
enum loader_command { LOADER_ALLOCATE = 1, LOADER_ADD_POINTER = 2, LOADER_ADD_CHECKSUM = 3 };
enum loader_zone { ZONE_HIGH = 1, ZONE_FSEG = 2 };

struct builder {
    uint8_t tables[TABLES_CAPACITY];
    size_t size;
    uint8_t rsdp[RSDP_SIZE];
    uint8_t loader[MAX_COMMANDS * COMMAND_SIZE];
    unsigned commands;
    uint32_t roots[MAX_ROOT_TABLES]; /* what RSDT and XSDT list */
    unsigned root_count;
    bool overflow;
};

static void put(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/* The loader script. */

static uint8_t *new_command(struct builder *b, enum loader_command command)
{
    if (b->commands == MAX_COMMANDS) {
        b->overflow = true;
        return b->loader;
    }
    uint8_t *at = b->loader + COMMAND_SIZE * b->commands++;
    put(at, command, 4);
    return at + 4;
}

static void add_allocate(struct builder *b, const char *file, uint32_t alignment,
                         enum loader_zone zone)
{
    uint8_t *at = new_command(b, LOADER_ALLOCATE);
    memcpy(at, file, strlen(file));
    put(at + FILE_NAME_SIZE, alignment, 4);
    at[FILE_NAME_SIZE + 4] = (uint8_t)zone;
}

/* The number at `offset` of `file` is a table offset; the firmware makes it an address. */
static void add_pointer(struct builder *b, const char *file, uint32_t offset, uint8_t size)
{
    uint8_t *at = new_command(b, LOADER_ADD_POINTER);
    memcpy(at, file, strlen(file));
    memcpy(at + FILE_NAME_SIZE, tables_file, sizeof(tables_file));
    put(at + 2 * FILE_NAME_SIZE, offset, 4);
    at[2 * FILE_NAME_SIZE + 4] = size;
}

static void add_checksum(struct builder *b, const char *file, uint32_t result, uint32_t start,
                         uint32_t length)
{
    uint8_t *at = new_command(b, LOADER_ADD_CHECKSUM);
    memcpy(at, file, strlen(file));
    put(at + FILE_NAME_SIZE, result, 4);
    put(at + FILE_NAME_SIZE + 4, start, 4);
    put(at + FILE_NAME_SIZE + 8, length, 4);
}

/* Tables. */

static uint8_t *room(struct builder *b, size_t size)
{
    if (size > sizeof(b->tables) - b->size) {
        b->overflow = true;
        return b->tables;
    }
    uint8_t *at = b->tables + b->size;
    b->size += size;
    return at;
}

/* Header of ACPI 6.4 5.2.6; the checksum is left to the loader. Returns the table's start. */
static uint8_t *new_table(struct builder *b, const char *signature, uint8_t revision, size_t size)
{
    b->size = (b->size + 7) & ~(size_t)7;
    uint8_t *table = room(b, size);
    uint32_t offset = (uint32_t)(table - b->tables);
    memcpy(table, signature, 4);
    put(table + 4, size, 4);
    table[8] = revision;
    memcpy(table + 10, "PRIVET", 6);
    memcpy(table + 16, "PRIVETPC", 8);
    put(table + 24, 1, 4);
    memcpy(table + 28, "PRVT", 4);
    put(table + 32, 1, 4);
    add_checksum(b, tables_file, offset + 9, offset, (uint32_t)size);
    return table;
}

static uint32_t offset_of(const struct builder *b, const uint8_t *table)
{
    return (uint32_t)(table - b->tables);
}

static void list_in_root(struct builder *b, const uint8_t *table)
{
    b->roots[b->root_count++] = offset_of(b, table);
}

/* ACPI 6.4 5.2.10. */
static uint32_t build_facs(struct builder *b)
{
    uint8_t *facs = room(b, 64);
    memcpy(facs, "FACS", 4);
    put(facs + 4, 64, 4);
    facs[32] = 1;
    return offset_of(b, facs);
}

static void describe_bridge_windows(struct aml *aml, const struct acpi_config *config)
{
    aml_open_resources(aml, "_CRS");
    aml_resource_word(aml, AML_BUS, 0, 0xFF);
    aml_resource_io(aml, 0xCF8, 8);
    aml_resource_word(aml, AML_IO, 0x0000, 0x0CF7);
    aml_resource_word(aml, AML_IO, 0x0D00, 0xFFFF);
    aml_resource_dword(aml, AML_MEMORY, 0xA0000, 0xBFFFF);
    aml_resource_dword(aml, AML_MEMORY, config->pci32_base, config->pci32_limit);
    if (config->pci64_size)
        aml_resource_qword(aml, AML_MEMORY, config->pci64_base,
                           config->pci64_base + config->pci64_size - 1);
    aml_close_resources(aml);
}

/* ACPI 6.4 6.2.13: slot and pin to global system interrupt. */
static void describe_interrupt_routing(struct aml *aml)
{
    aml_name(aml, "_PRT");
    aml_open_package(aml, 31 * 4);
    for (unsigned slot = 1; slot < 32; slot++) {
        for (unsigned pin = 0; pin < 4; pin++) {
            aml_open_package(aml, 4);
            aml_integer(aml, slot << 16 | 0xFFFF);
            aml_integer(aml, pin);
            aml_integer(aml, 0);
            aml_integer(aml, PCI_GSI_BASE + pci_pirq(slot, pin + 1));
            aml_close(aml);
        }
    }
    aml_close(aml);
}

/* name |= bits */
static void set_bits(struct aml *aml, const char *name, unsigned bits)
{
    aml_operator(aml, AML_OR);
    aml_path(aml, name);
    aml_integer(aml, bits);
    aml_path(aml, name);
}

/*
 * Which features the operating system may control itself (PCI Firmware 3.2 4.5.1): all that need
 * nobody else, which leaves out native hot plug and latency tolerance, as QEMU's q35 does.
 */
static void describe_control(struct aml *aml)
{
    static const uint8_t pci_uuid[] = { 0x5B, 0x4D, 0xDB, 0x33, 0xF7, 0x1F, 0x1C, 0x40,
                                        0x96, 0x57, 0x74, 0x41, 0xC0, 0x3D, 0xD7, 0x66 };
    enum { GRANTED = 0x1E, UNKNOWN_UUID = 4, UNKNOWN_REVISION = 8, MASKED = 0x10 };

    aml_open_method(aml, "_OSC", 4);
    aml_dword_field(aml, 3, 0, "CDW1");
    aml_open_if(aml);
    aml_operator(aml, AML_EQUAL);
    aml_argument(aml, 0);
    aml_buffer(aml, pci_uuid, sizeof(pci_uuid));
    aml_dword_field(aml, 3, 8, "CDW3");
    aml_operator(aml, AML_AND);
    aml_path(aml, "CDW3");
    aml_integer(aml, GRANTED);
    aml_local(aml, 0);
    aml_open_if(aml);
    aml_operator(aml, AML_NOT);
    aml_operator(aml, AML_EQUAL);
    aml_path(aml, "CDW3");
    aml_local(aml, 0);
    set_bits(aml, "CDW1", MASKED);
    aml_close(aml);
    aml_operator(aml, AML_STORE);
    aml_local(aml, 0);
    aml_path(aml, "CDW3");
    aml_open_if(aml);
    aml_operator(aml, AML_NOT);
    aml_operator(aml, AML_EQUAL);
    aml_argument(aml, 1);
    aml_integer(aml, 1);
    set_bits(aml, "CDW1", UNKNOWN_REVISION);
    aml_close(aml);
    aml_close(aml);
    aml_open_else(aml);
    set_bits(aml, "CDW1", UNKNOWN_UUID);
    aml_close(aml);
    aml_operator(aml, AML_RETURN);
    aml_argument(aml, 3);
    aml_close(aml);
}

static void describe_isa_devices(struct aml *aml)
{
    aml_open_device(aml, "ISA_");
    aml_name_integer(aml, "_ADR", 0x001F0000);
    aml_open_device(aml, "COM1");
    aml_name(aml, "_HID");
    aml_eisa_id(aml, "PNP0501");
    aml_name_integer(aml, "_UID", 1);
    aml_open_resources(aml, "_CRS");
    aml_resource_io(aml, 0x3F8, 8);
    aml_resource_irq(aml, 4);
    aml_close_resources(aml);
    aml_close(aml);
    aml_open_device(aml, "RTC_");
    aml_name(aml, "_HID");
    aml_eisa_id(aml, "PNP0B00");
    aml_open_resources(aml, "_CRS");
    aml_resource_io(aml, 0x70, 8);
    aml_resource_irq(aml, 8);
    aml_close_resources(aml);
    aml_close(aml);
    aml_open_device(aml, "PEVT");
    aml_name(aml, "_HID");
    aml_string(aml, "QEMU0001");
    aml_open_resources(aml, "_CRS");
    aml_resource_io(aml, PVPANIC_PORT, 1);
    aml_close_resources(aml);
    aml_close(aml);
    aml_close(aml);
}

/* The configuration window is a motherboard resource, as PCI Firmware 3.2 4.1.2 asks. */
static void describe_board(struct aml *aml, const struct acpi_config *config)
{
    aml_open_device(aml, "MBRD");
    aml_name(aml, "_HID");
    aml_eisa_id(aml, "PNP0C02");
    aml_name_integer(aml, "_UID", 1);
    aml_open_resources(aml, "_CRS");
    aml_resource_memory32_fixed(aml, (uint32_t)config->ecam_base, (uint32_t)config->ecam_size);
    aml_resource_memory32_fixed(aml, RCBA_BASE, 0x4000);
    aml_resource_io(aml, PM_EVENT, 0x80);
    aml_close_resources(aml);
    aml_close(aml);
}

static void describe_hpet(struct aml *aml)
{
    aml_open_device(aml, "HPET");
    aml_name(aml, "_HID");
    aml_eisa_id(aml, "PNP0103");
    aml_name_integer(aml, "_UID", 0);
    aml_open_resources(aml, "_CRS");
    aml_resource_memory32_fixed(aml, HPET_BASE, HPET_SIZE);
    aml_close_resources(aml);
    aml_close(aml);
}

static void describe_processors(struct aml *aml, unsigned processors)
{
    static const char digits[] = "0123456789ABCDEF";
    for (unsigned i = 0; i < processors; i++) {
        const char name[] = { 'C', '0', digits[i >> 4 & 0xF], digits[i & 0xF], '\0' };
        aml_open_device(aml, name);
        aml_name(aml, "_HID");
        aml_string(aml, "ACPI0007");
        aml_name_integer(aml, "_UID", i);
        aml_close(aml);
    }
}

static void describe_system(struct aml *aml, const struct acpi_config *config)
{
    aml_open_scope(aml, "\\_SB_");
    aml_open_device(aml, "PCI0");
    aml_name(aml, "_HID");
    aml_eisa_id(aml, "PNP0A08");
    aml_name(aml, "_CID");
    aml_eisa_id(aml, "PNP0A03");
    aml_name_integer(aml, "_UID", 0);
    aml_name_integer(aml, "_SEG", 0);
    aml_name_integer(aml, "_BBN", 0);
    describe_bridge_windows(aml, config);
    describe_control(aml);
    describe_interrupt_routing(aml);
    describe_isa_devices(aml);
    aml_close(aml);
    describe_board(aml, config);
    describe_hpet(aml);
    describe_processors(aml, config->processors);
    aml_close(aml);
    /* Soft off: sleep type 0 in PM1 control (ACPI 6.4 7.4.2). */
    aml_name(aml, "\\_S5_");
    aml_open_package(aml, 4);
    for (unsigned i = 0; i < 4; i++)
        aml_integer(aml, 0);
    aml_close(aml);
}

static uint32_t build_dsdt(struct builder *b, const struct acpi_config *config)
{
    struct aml *aml = calloc(1, sizeof(*aml));
    if (!aml) {
        b->overflow = true;
        return 0;
    }
    describe_system(aml, config);
    uint8_t *dsdt = new_table(b, "DSDT", 2, HEADER_SIZE + aml->size);
    if (aml->overflow || aml->depth)
        b->overflow = true;
    if (!b->overflow)
        memcpy(dsdt + HEADER_SIZE, aml->bytes, aml->size);
    free(aml);
    return offset_of(b, dsdt);
}

/* Generic address structure in I/O space (ACPI 6.4 5.2.3.2). */
static void put_gas(uint8_t *at, uint8_t bits, uint8_t access, uint64_t port)
{
    at[0] = 1;
    at[1] = bits;
    at[3] = access;
    put(at + 4, port, 8);
}

/* Offsets of ACPI 6.4 table 5.9; revision 3 ends at 244. */
static void build_fadt(struct builder *b, const struct acpi_config *config, uint32_t facs,
                       uint32_t dsdt)
{
    enum {
        WBINVD = 1 << 0, PROC_C1 = 1 << 2, NO_POWER_BUTTON = 1 << 4, NO_SLEEP_BUTTON = 1 << 5,
        FIX_RTC = 1 << 6, RESET_REG_SUP = 1 << 10,
        LEGACY_DEVICES = 1 << 0, NO_VGA = 1 << 2,
    };
    uint8_t *fadt = new_table(b, "FACP", 3, 244);
    uint32_t at = offset_of(b, fadt);
    put(fadt + 36, facs, 4);
    put(fadt + 40, dsdt, 4);
    put(fadt + 46, config->sci, 2);
    put(fadt + 56, PM_EVENT, 4);
    put(fadt + 64, PM_CONTROL, 4);
    put(fadt + 76, PM_TIMER, 4);
    put(fadt + 80, PM_GPE0, 4);
    fadt[88] = 4;  /* PM1 event block */
    fadt[89] = 2;  /* PM1 control block */
    fadt[91] = 4;  /* PM timer block */
    fadt[92] = 16; /* GPE0 block */
    put(fadt + 96, 0xFFF, 2);  /* no C2 */
    put(fadt + 98, 0xFFF, 2);  /* no C3 */
    fadt[108] = 0x32; /* RTC century register */
    put(fadt + 109, LEGACY_DEVICES | NO_VGA, 2);
    put(fadt + 112,
        WBINVD | PROC_C1 | NO_POWER_BUTTON | NO_SLEEP_BUTTON | FIX_RTC | RESET_REG_SUP, 4);
    put_gas(fadt + 116, 8, 1, 0xCF9);
    fadt[128] = 0x0F; /* full reset */
    put(fadt + 140, dsdt, 8);
    put_gas(fadt + 148, 32, 2, PM_EVENT);
    put_gas(fadt + 172, 16, 2, PM_CONTROL);
    put_gas(fadt + 208, 32, 3, PM_TIMER);
    put_gas(fadt + 220, 128, 1, PM_GPE0);
    add_pointer(b, tables_file, at + 36, 4);
    add_pointer(b, tables_file, at + 40, 4);
    add_pointer(b, tables_file, at + 140, 8);
    list_in_root(b, fadt);
}

/* ACPI 6.4 5.2.12.5: an ISA interrupt that is not identity-mapped, edge, active high. */
static uint8_t *put_override(uint8_t *at, uint8_t irq, uint32_t gsi, uint16_t flags)
{
    at[0] = 2;
    at[1] = 10;
    at[3] = irq;
    put(at + 4, gsi, 4);
    put(at + 8, flags, 2);
    return at + 10;
}

static void build_madt(struct builder *b, const struct acpi_config *config)
{
    enum { LEVEL_ACTIVE_HIGH = 0x0D };
    size_t size = 44 + 8 * config->processors + 12 + 2 * 10 + 6;
    uint8_t *madt = new_table(b, "APIC", 3, size);
    put(madt + 36, LAPIC_BASE, 4);
    put(madt + 40, 1, 4); /* PCAT_COMPAT: a pair of 8259 */
    uint8_t *at = madt + 44;
    for (unsigned i = 0; i < config->processors && !b->overflow; i++) {
        at[1] = 8;
        at[2] = at[3] = (uint8_t)i;
        put(at + 4, 1, 4);
        at += 8;
    }
    at[0] = 1;
    at[1] = 12;
    put(at + 4, IOAPIC_BASE, 4);
    at = put_override(at + 12, 0, 2, 0);
    at = put_override(at, (uint8_t)config->sci, config->sci, LEVEL_ACTIVE_HIGH);
    at[0] = 4; /* local APIC NMI of all processors: LINT1 */
    at[1] = 6;
    at[2] = 0xFF;
    at[5] = 1;
    list_in_root(b, madt);
}

static void build_mcfg(struct builder *b, const struct acpi_config *config)
{
    uint8_t *mcfg = new_table(b, "MCFG", 1, 60);
    put(mcfg + 44, config->ecam_base, 8);
    mcfg[55] = (uint8_t)(config->ecam_size / 0x100000 - 1); /* last bus */
    list_in_root(b, mcfg);
}

/* IA-PC HPET 1.0a 3.2.4. */
static void build_hpet(struct builder *b)
{
    uint8_t *hpet = new_table(b, "HPET", 1, 56);
    put(hpet + 36, HPET_ID, 4);
    put(hpet + 44, HPET_BASE, 8); /* the address space before it is 0: memory */
    list_in_root(b, hpet);
}

/* Windows ACPI emulated devices table: RTC and PM timer need no workarounds. */
static void build_waet(struct builder *b)
{
    uint8_t *waet = new_table(b, "WAET", 1, 40);
    put(waet + 36, 3, 4);
    list_in_root(b, waet);
}

/* RSDT or XSDT: addresses of all root tables, `width` bytes each. Returns where it is. */
static uint32_t build_list(struct builder *b, const char *name, unsigned width)
{
    uint8_t *list = new_table(b, name, 1, HEADER_SIZE + width * b->root_count);
    uint32_t at = offset_of(b, list);
    for (unsigned i = 0; i < b->root_count && !b->overflow; i++) {
        put(list + HEADER_SIZE + width * i, b->roots[i], width);
        add_pointer(b, tables_file, at + HEADER_SIZE + width * i, (uint8_t)width);
    }
    return at;
}

/* GRUB reads the RSDT only. */
static void build_root(struct builder *b)
{
    uint32_t rsdt = build_list(b, "RSDT", 4), xsdt = build_list(b, "XSDT", 8);
    /* ACPI 6.4 5.2.5.3 */
    memcpy(b->rsdp, "RSD PTR ", 8);
    memcpy(b->rsdp + 9, "PRIVET", 6);
    b->rsdp[15] = 2;
    put(b->rsdp + 20, RSDP_SIZE, 4);
    put(b->rsdp + 16, rsdt, 4);
    add_pointer(b, rsdp_file, 16, 4);
    put(b->rsdp + 24, xsdt, 8);
    add_pointer(b, rsdp_file, 24, 8);
    add_checksum(b, rsdp_file, 8, 0, 20);
    add_checksum(b, rsdp_file, 32, 0, RSDP_SIZE);
}

static uint8_t *copy(const void *data, size_t size)
{
    uint8_t *bytes = malloc(size);
    if (bytes)
        memcpy(bytes, data, size);
    return bytes;
}

/*
 * The script runs in order, and a checksum must see every patched pointer: checksums are moved
 * behind all other commands.
 */
static void order_commands(struct builder *b)
{
    uint8_t *ordered = calloc(1, sizeof(b->loader));
    unsigned count = 0;
    if (!ordered) {
        b->overflow = true;
        return;
    }
    for (unsigned last = 0; last < 2; last++) {
        for (unsigned i = 0; i < b->commands; i++) {
            const uint8_t *command = b->loader + COMMAND_SIZE * i;
            if ((command[0] == LOADER_ADD_CHECKSUM) == last)
                memcpy(ordered + COMMAND_SIZE * count++, command, COMMAND_SIZE);
        }
    }
    memcpy(b->loader, ordered, sizeof(b->loader));
    free(ordered);
}

bool acpi_build(const struct acpi_config *config, struct acpi_blobs *ret)
{
    struct builder *b = calloc(1, sizeof(*b));
    memset(ret, 0, sizeof(*ret));
    if (!b)
        return false;
    add_allocate(b, tables_file, 64, ZONE_HIGH);
    add_allocate(b, rsdp_file, 16, ZONE_FSEG);
    uint32_t facs = build_facs(b);
    uint32_t dsdt = build_dsdt(b, config);
    build_fadt(b, config, facs, dsdt);
    build_madt(b, config);
    build_mcfg(b, config);
    build_hpet(b);
    build_waet(b);
    build_root(b);
    order_commands(b);
    bool done = !b->overflow;
    if (done) {
        *ret = (struct acpi_blobs){
            .tables = copy(b->tables, b->size), .tables_size = b->size,
            .rsdp = copy(b->rsdp, RSDP_SIZE), .rsdp_size = RSDP_SIZE,
            .loader = copy(b->loader, COMMAND_SIZE * b->commands),
            .loader_size = COMMAND_SIZE * b->commands,
        };
        done = ret->tables && ret->rsdp && ret->loader;
    }
    if (!done)
        acpi_free(ret);
    free(b);
    return done;
}

void acpi_free(struct acpi_blobs *blobs)
{
    free(blobs->tables);
    free(blobs->rsdp);
    free(blobs->loader);
    memset(blobs, 0, sizeof(*blobs));
}
