/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * ACPI 6.5 chapter 5. Static tables are written field by field at their specified offsets, the DSDT
 * by aml.c. What the DSDT leaves out, it leaves out on purpose: fw_cfg, hot plug of anything, sleep.
 */
#include "firmware/platform/acpi_tables.h"

#include "firmware/lib/log.h"
#include "firmware/lib/string.h"
#include "firmware/platform/aml.h"
#include "firmware/platform/q35.h"

enum {
    RSDP_SIZE = 36, HEADER_SIZE = 36, FACS_OFFSET = 64, FACS_SIZE = 64, FADT_SIZE = 244,
    ROOT_TABLES_MAX = 4, FIXED_ROOM = 8192, PROCESSOR_ROOM = 64, SCI = 9, HPET_SIZE = 0x400,
    RCBA_SIZE = 0x4000, PM_GPE0 = Q35_PM_BASE + 0x20, PM_SIZE = 0x80, FIRST_PCI_GSI = 16,
};

struct tables {
    struct aml out;
    uint64_t roots[ROOT_TABLES_MAX]; /* what RSDT and XSDT list */
    unsigned root_count;
};

static void put(uint8_t *at, uint64_t value, unsigned bytes)
{
    memcpy(at, &value, bytes);
}

static void set_checksum(uint8_t *table, size_t size, unsigned offset)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < size; i++) {
        sum = (uint8_t)(sum + table[i]);
    }
    table[offset] = (uint8_t)-sum;
}

static uint8_t *open_table(struct tables *t, const char *signature, uint8_t revision)
{
    t->out.at = (uint8_t *)(((uintptr_t)t->out.at + 15) & ~(uintptr_t)15);
    uint8_t *table = t->out.at;
    aml_bytes(&t->out, signature, 4);
    aml_number(&t->out, 0, 4);
    aml_number(&t->out, revision, 2); /* and the checksum */
    aml_bytes(&t->out, "PRIVETFIRMWARE", 14);
    aml_number(&t->out, 1, 4);
    aml_bytes(&t->out, "PRVT", 4);
    aml_number(&t->out, 1, 4);
    return table;
}

/* A table of fixed size, whose fields the caller writes at their offsets before the close. */
static uint8_t *open_fixed_table(struct tables *t, const char *signature, uint8_t revision,
                                 size_t size)
{
    uint8_t *table = open_table(t, signature, revision);

    assert(size - HEADER_SIZE <= (size_t)(t->out.end - t->out.at));
    t->out.at = table + size;
    return table;
}

static void close_table(struct tables *t, uint8_t *table)
{
    put(table + 4, (uint64_t)(t->out.at - table), 4);
    set_checksum(table, (size_t)(t->out.at - table), 9);
}

static void close_root_table(struct tables *t, uint8_t *table)
{
    close_table(t, table);
    assert(t->root_count < ROOT_TABLES_MAX);
    t->roots[t->root_count++] = (uintptr_t)table;
}

/* The windows of the PCI host bridge: what pci.c places BARs in, and the ranges of a PC. */
static void bridge_windows(struct aml *aml, const struct acpi_board *board)
{
    uint8_t *resources = aml_open_resources(aml);

    aml_window(aml, AML_SPACE_BUS, 2, 0, Q35_ECAM_SIZE / 0x100000 - 1);
    aml_io(aml, 0xCF8, 8);
    aml_window(aml, AML_SPACE_IO, 2, 0, 0xCF7);
    aml_window(aml, AML_SPACE_IO, 2, 0xD00, 0xFFFF);
    aml_window(aml, AML_SPACE_MEMORY, 4, 0xA0000, 0xBFFFF);
    aml_window(aml, AML_SPACE_MEMORY, 4, Q35_MMIO_BASE, Q35_MMIO_END - 1);
    if (board->high_end > board->high_base) {
        aml_window(aml, AML_SPACE_MEMORY, 8, board->high_base, board->high_end - 1);
    }
    aml_close_resources(aml, resources);
}

/*
 * ICH9 10.1.33: pins of devices below 25 rotate over PIRQ E to H, those of 25 to 31 are A to D in
 * order, but 30 has E to H. PIRQ A is interrupt 16 of the I/O APIC, H 23.
 */
static unsigned interrupt_of(unsigned device, unsigned pin)
{
    unsigned pirq = device < 25 ? 4 + ((device + pin) & 3) : device == 30 ? 4 + pin : pin;

    return FIRST_PCI_GSI + pirq;
}

/* ACPI 6.5 6.2.13. Behind bridges pins rotate by the PCI rule, which needs no table. */
static void interrupt_routing(struct aml *aml)
{
    aml_number(aml, AML_NAME, 1);
    aml_bytes(aml, "_PRT", 4);
    uint8_t *routes = aml_open(aml, AML_PACKAGE, NULL);
    aml_number(aml, 31 * 4, 1);
    for (unsigned i = 4; i < 32 * 4; i++) {
        uint8_t *route = aml_open(aml, AML_PACKAGE, NULL);
        aml_number(aml, 4, 1);
        aml_integer(aml, (uint64_t)(i / 4) << 16 | 0xFFFF);
        aml_integer(aml, i % 4);
        aml_integer(aml, 0);
        aml_integer(aml, interrupt_of(i / 4, i % 4));
        aml_close(aml, route);
    }
    aml_close(aml, routes);
}

/*
 * Which features the operating system may control (PCI Firmware 3.3 4.5.1): SHPC hot plug, PME, AER
 * and the PCIe capability; neither native hot plug nor latency tolerance.
 */
static void control_method(struct aml *aml)
{
    static const uint8_t body[] = {
        4 | 1 << 3,                                    /* four arguments, serialized */
        0x8A, 0x6B, 0x00, 'C', 'D', 'W', '1',          /* CreateDWordField (Arg3, 0, CDW1) */
        0xA0, 0x43, 0x05, 0x93, 0x68,                  /* If (Arg0 == ToUUID ("33DB4D5B-1FF7- */
        0x11, 0x13, 0x0A, 0x10,                        /*     401C-9657-7441C03DD766")) { */
        0x5B, 0x4D, 0xDB, 0x33, 0xF7, 0x1F, 0x1C, 0x40,
        0x96, 0x57, 0x74, 0x41, 0xC0, 0x3D, 0xD7, 0x66,
        0x8A, 0x6B, 0x0A, 0x08, 'C', 'D', 'W', '3',    /* CreateDWordField (Arg3, 8, CDW3) */
        0x7B, 'C', 'D', 'W', '3', 0x0A, 0x1E, 0x60,    /* Local0 = CDW3 & 0x1E */
        0xA0, 0x13, 0x92, 0x93, 'C', 'D', 'W', '3', 0x60, /* If (CDW3 != Local0) */
        0x7D, 'C', 'D', 'W', '1', 0x0A, 0x10, 'C', 'D', 'W', '1', /* CDW1 |= 0x10: masked */
        0xA0, 0x10, 0x92, 0x93, 0x69, 0x01,            /* If (Arg1 != 1) */
        0x7D, 'C', 'D', 'W', '1', 0x0A, 0x08, 'C', 'D', 'W', '1', /* CDW1 |= 8: revision */
        0x70, 0x60, 'C', 'D', 'W', '3',                /* CDW3 = Local0 } */
        0xA1, 0x0C,                                    /* Else */
        0x7D, 'C', 'D', 'W', '1', 0x0A, 0x04, 'C', 'D', 'W', '1', /* CDW1 |= 4: unknown UUID */
        0xA4, 0x6B,                                    /* Return (Arg3) */
    };
    uint8_t *method = aml_open(aml, AML_METHOD, "_OSC");

    aml_bytes(aml, body, sizeof(body));
    aml_close(aml, method);
}

/* A device with one port range and one interrupt (0: none). */
static void port_device(struct aml *aml, const char *name, const char *id, uint16_t port,
                        uint8_t length, unsigned irq)
{
    uint8_t *device = aml_open(aml, AML_DEVICE, name);

    aml_name_eisa(aml, "_HID", id);
    uint8_t *resources = aml_open_resources(aml);
    if (length != 0) {
        aml_io(aml, port, length);
    }
    if (irq != 0) {
        aml_irq(aml, irq);
    }
    aml_close_resources(aml, resources);
    aml_close(aml, device);
}

/* The 8042 has its keyboard half at ports 0x60 and 0x64. */
static void keyboard_devices(struct aml *aml)
{
    uint8_t *device = aml_open(aml, AML_DEVICE, "KBD_");

    aml_name_eisa(aml, "_HID", "PNP0303");
    uint8_t *resources = aml_open_resources(aml);
    aml_io(aml, 0x60, 1);
    aml_io(aml, 0x64, 1);
    aml_irq(aml, 1);
    aml_close_resources(aml, resources);
    aml_close(aml, device);
    port_device(aml, "MOU_", "PNP0F13", 0, 0, 12);
}

/* Reports of a panic to the host; the device does nothing else. */
static void panic_device(struct aml *aml)
{
    uint8_t *device = aml_open(aml, AML_DEVICE, "PEVT");

    aml_name_string(aml, "_HID", "QEMU0001");
    uint8_t *resources = aml_open_resources(aml);
    aml_io(aml, Q35_PANIC_PORT, 1);
    aml_close_resources(aml, resources);
    aml_close(aml, device);
}

static void isa_devices(struct aml *aml, const struct acpi_board *board)
{
    uint8_t *bridge = aml_open(aml, AML_DEVICE, "ISA_");

    aml_name_integer(aml, "_ADR", 31u << 16);
    port_device(aml, "COM1", "PNP0501", 0x3F8, 8, 4);
    port_device(aml, "RTC_", "PNP0B00", 0x70, 8, 8);
    if (board->keyboard) {
        keyboard_devices(aml);
    }
    if (board->panic_port) {
        panic_device(aml);
    }
    aml_close(aml, bridge);
}

static void host_bridge(struct aml *aml, const struct acpi_board *board)
{
    uint8_t *bridge = aml_open(aml, AML_DEVICE, "PCI0");

    aml_name_eisa(aml, "_HID", "PNP0A08");
    aml_name_eisa(aml, "_CID", "PNP0A03");
    aml_name_integer(aml, "_UID", 0);
    aml_name_integer(aml, "_SEG", 0);
    aml_name_integer(aml, "_BBN", 0);
    bridge_windows(aml, board);
    control_method(aml);
    interrupt_routing(aml);
    isa_devices(aml, board);
    aml_close(aml, bridge);
}

/* What no driver may take: PCI Firmware 3.3 4.1.2 wants the ECAM here. */
static void board_resources(struct aml *aml)
{
    uint8_t *device = aml_open(aml, AML_DEVICE, "MBRD");

    aml_name_eisa(aml, "_HID", "PNP0C02");
    uint8_t *resources = aml_open_resources(aml);
    aml_memory32(aml, Q35_ECAM_BASE, Q35_ECAM_SIZE);
    aml_memory32(aml, Q35_RCBA, RCBA_SIZE);
    aml_io(aml, Q35_PM_BASE, PM_SIZE);
    aml_close_resources(aml, resources);
    aml_close(aml, device);
}

static void hpet_device(struct aml *aml)
{
    uint8_t *device = aml_open(aml, AML_DEVICE, "HPET");

    aml_name_eisa(aml, "_HID", "PNP0103");
    uint8_t *resources = aml_open_resources(aml);
    aml_memory32(aml, Q35_HPET_BASE, HPET_SIZE);
    aml_close_resources(aml, resources);
    aml_close(aml, device);
}

static void processor_devices(struct aml *aml, unsigned count)
{
    char name[5];

    for (unsigned i = 0; i < count; i++) {
        format(name, sizeof(name), "C%03x", i);
        for (char *c = name; *c != '\0'; c++) {
            *c = (char)(*c >= 'a' ? *c - 'a' + 'A' : *c);
        }
        uint8_t *device = aml_open(aml, AML_DEVICE, name);
        aml_name_string(aml, "_HID", "ACPI0007");
        aml_name_integer(aml, "_UID", i);
        aml_close(aml, device);
    }
}

static uint8_t *build_dsdt(struct tables *t, const struct acpi_board *board)
{
    static const uint8_t soft_off[] = { AML_NAME, '_', 'S', '5', '_', AML_PACKAGE, 6, 4,
                                        0, 0, 0, 0 }; /* sleep type 0 (q35), ACPI 6.5 7.4.2 */
    uint8_t *table = open_table(t, "DSDT", 2);
    uint8_t *scope = aml_open(&t->out, AML_SCOPE, "\\_SB_");

    host_bridge(&t->out, board);
    board_resources(&t->out);
    if (board->hpet != 0) {
        hpet_device(&t->out);
    }
    processor_devices(&t->out, board->processors);
    aml_close(&t->out, scope);
    aml_bytes(&t->out, soft_off, sizeof(soft_off));
    close_table(t, table);
    return table;
}

/* A register in I/O space (ACPI 6.5 5.2.3.2). */
static void put_port(uint8_t *at, uint8_t bits, uint8_t access, uint16_t port)
{
    at[0] = 1;
    at[1] = bits;
    at[3] = access;
    put(at + 4, port, 8);
}

/* Offsets of ACPI 6.5 table 5.9, which ends here with revision 3. */
static void build_fadt(struct tables *t, const struct acpi_board *board, const uint8_t *facs,
                       const uint8_t *dsdt)
{
    enum { WBINVD = 1, C1 = 1 << 2, NO_SLEEP_BUTTON = 1 << 5, RTC_NOT_FIXED = 1 << 6,
           RESET_REGISTER = 1 << 10, PLATFORM_CLOCK = 1 << 15, PHYSICAL_APIC = 1 << 19,
           LEGACY_DEVICES = 1, HAS_8042 = 2, FLAT_LOGICAL_MAX = 8, NEVER = 0xFFF };
    uint8_t *fadt = open_fixed_table(t, "FACP", 3, FADT_SIZE);

    put(fadt + 36, (uintptr_t)facs, 4);
    put(fadt + 40, (uintptr_t)dsdt, 4);
    put(fadt + 46, SCI, 2); /* no SMI command: q35_init put the board into ACPI mode */
    put(fadt + 56, Q35_PM_BASE, 4);
    put(fadt + 64, Q35_PM_CONTROL, 4);
    put(fadt + 76, Q35_PM_TIMER, 4);
    put(fadt + 80, PM_GPE0, 4);
    fadt[88] = 4;
    fadt[89] = 2;
    fadt[91] = 4;
    fadt[92] = 16;
    put(fadt + 96, NEVER, 2); /* C2 and C3 are not there */
    put(fadt + 98, NEVER, 2);
    fadt[108] = 0x32; /* century in CMOS */
    put(fadt + 109, LEGACY_DEVICES | (board->keyboard ? HAS_8042 : 0), 2);
    put(fadt + 112, WBINVD | C1 | NO_SLEEP_BUTTON | RTC_NOT_FIXED | RESET_REGISTER | PLATFORM_CLOCK
        | (board->processors > FLAT_LOGICAL_MAX ? PHYSICAL_APIC : 0), 4);
    put_port(fadt + 116, 8, 1, 0xCF9);
    fadt[128] = 0x0F; /* power cycle */
    put(fadt + 140, (uintptr_t)dsdt, 8);
    put_port(fadt + 148, 32, 2, Q35_PM_BASE);
    put_port(fadt + 172, 16, 2, Q35_PM_CONTROL);
    put_port(fadt + 208, 32, 3, Q35_PM_TIMER);
    put_port(fadt + 220, 128, 1, PM_GPE0);
    close_root_table(t, fadt);
}

static uint32_t apic_id(const struct acpi_board *board, unsigned index)
{
    unsigned core = index / board->threads;

    return (uint32_t)(core / board->cores) << board->package_shift
           | (core % board->cores) << board->core_shift | index % board->threads;
}

/* ACPI 6.5 5.2.12.2, or 5.2.12.12 for what does not fit into eight bits. Returns which. */
static bool processor_entry(struct aml *out, uint32_t uid, uint32_t id)
{
    if (id >= 0xFF || uid >= 0xFF) {
        aml_number(out, 0x1009, 4);
        aml_number(out, id, 4);
        aml_number(out, 1, 4); /* enabled */
        aml_number(out, uid, 4);
        return true;
    }
    aml_number(out, 0x0800, 2);
    aml_number(out, uid | id << 8, 2);
    aml_number(out, 1, 4);
    return false;
}

/* An ISA interrupt that is not wired one to one, edge and high (ACPI 6.5 5.2.12.5). */
static void override_entry(struct aml *out, uint8_t irq, uint32_t gsi, uint16_t flags)
{
    aml_number(out, 0x0A02, 2);
    aml_number(out, (uint64_t)irq << 8, 2);
    aml_number(out, gsi, 4);
    aml_number(out, flags, 2);
}

static void build_madt(struct tables *t, const struct acpi_board *board)
{
    enum { LEVEL_HIGH = 0x0D, HAS_8259 = 1 };
    uint8_t *madt = open_table(t, "APIC", 3);
    struct aml *out = &t->out;
    bool wide = false;

    aml_number(out, Q35_APIC_BASE, 4);
    aml_number(out, HAS_8259, 4);
    for (unsigned i = 0; i < board->processors; i++) {
        wide |= processor_entry(out, i, apic_id(board, i));
    }
    aml_number(out, 0x0C01, 4); /* the I/O APIC, id 0 */
    aml_number(out, Q35_IOAPIC_BASE, 8);
    override_entry(out, 0, 2, 0);
    override_entry(out, SCI, SCI, LEVEL_HIGH);
    aml_number(out, 0x00FF0604, 5); /* NMI of all processors: LINT1 */
    aml_number(out, 1, 1);
    if (wide) {
        aml_number(out, 0xFFFFFFFF00000C0A, 8);
        aml_number(out, 1, 4);
    }
    close_root_table(t, madt);
}

static void build_mcfg(struct tables *t)
{
    uint8_t *mcfg = open_fixed_table(t, "MCFG", 1, 60);

    put(mcfg + 44, Q35_ECAM_BASE, 8);
    mcfg[55] = Q35_ECAM_SIZE / 0x100000 - 1;
    close_root_table(t, mcfg);
}

/* IA-PC HPET 1.0a 3.2.4. */
static void build_hpet(struct tables *t, uint32_t capabilities)
{
    uint8_t *hpet = open_fixed_table(t, "HPET", 1, 56);

    put(hpet + 36, capabilities, 4);
    put(hpet + 44, Q35_HPET_BASE, 8); /* in memory: address space 0 */
    close_root_table(t, hpet);
}

static uint8_t *build_root(struct tables *t, const char *signature, unsigned bytes)
{
    uint8_t *table = open_table(t, signature, 1);

    for (unsigned i = 0; i < t->root_count; i++) {
        aml_number(&t->out, t->roots[i], bytes);
    }
    close_table(t, table);
    return table;
}

size_t acpi_tables_size(const struct acpi_board *board)
{
    return FIXED_ROOM + (size_t)board->processors * PROCESSOR_ROOM;
}

uint8_t *acpi_tables_build(const struct acpi_board *board, uint8_t *memory, size_t size)
{
    struct tables t = { .out = { memory + FACS_OFFSET + FACS_SIZE, memory + size } };
    uint8_t *rsdp = memory, *facs = memory + FACS_OFFSET;

    memcpy(facs, "FACS", 4);
    put(facs + 4, FACS_SIZE, 4);
    facs[32] = 1; /* version */
    const uint8_t *dsdt = build_dsdt(&t, board);
    build_fadt(&t, board, facs, dsdt);
    build_madt(&t, board);
    build_mcfg(&t);
    if (board->hpet != 0) {
        build_hpet(&t, board->hpet);
    }
    memcpy(rsdp, "RSD PTR \0PRIVET\2", 16); /* ACPI 6.5 5.2.5.3 */
    put(rsdp + 16, (uintptr_t)build_root(&t, "RSDT", 4), 4);
    put(rsdp + 20, RSDP_SIZE, 4);
    put(rsdp + 24, (uintptr_t)build_root(&t, "XSDT", 8), 8);
    set_checksum(rsdp, 20, 8);
    set_checksum(rsdp, RSDP_SIZE, 32);
    return rsdp;
}
