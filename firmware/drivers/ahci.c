/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Serial ATA AHCI 1.3.1, command slot 0 only: ATA disks with 48-bit addresses (ACS-3), and packet
 * devices, which speak SCSI. A port without a device costs one register read.
 */
#include "firmware/drivers/ahci.h"

#include <string.h>

#include "firmware/arch/cpu.h"
#include "firmware/arch/io.h"
#include "firmware/arch/paging.h"
#include "firmware/arch/time.h"
#include "firmware/drivers/drivers.h"
#include "firmware/drivers/scsi.h"
#include "firmware/lib/log.h"
#include "firmware/platform/pci.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

enum {
    CLASS_AHCI = 0x010601,
    BAR_REGISTERS = 5,
    PORTS = 32,
    HOST_CAPABILITIES = 0x00, /* AHCI 1.3.1 3.1 */
    HOST_CONTROL = 0x04,
    HOST_PORTS = 0x0C,
    PORT_REGISTERS = 0x100,
    PORT_LENGTH = 0x80,
    PORT_LIST = 0x00, /* AHCI 1.3.1 3.3 */
    PORT_RECEIVED = 0x08,
    PORT_INTERRUPTS = 0x10,
    PORT_COMMAND = 0x18,
    PORT_TASK_FILE = 0x20,
    PORT_SIGNATURE = 0x24,
    PORT_LINK = 0x28,
    PORT_LINK_CONTROL = 0x2C,
    PORT_ERRORS = 0x30,
    PORT_ISSUE = 0x38,
    COMMAND_START = 1 << 0,
    COMMAND_SPIN_UP = 1 << 1,
    COMMAND_POWER = 1 << 2,
    COMMAND_RECEIVE = 1 << 4,
    COMMAND_RECEIVING = 1 << 14,
    COMMAND_RUNNING = 1 << 15,
    TASK_ERROR = 1 << 0,
    TASK_BUSY = 1 << 7 | 1 << 3, /* BSY, DRQ */
    LINK_DETECT = 0xF,
    LINK_UP = 3,
    LINK_RESET = 1,
    INTERRUPT_FATAL = 1 << 30 | 1 << 29 | 1 << 28 | 1 << 27, /* task file, bus, interface */
    SIGNATURE_ATA = 0x00000101,
    SIGNATURE_PACKET = (int)0xEB140101,
    HEADER_PACKET = 1 << 5, /* AHCI 1.3.1 4.2.2 */
    HEADER_WRITE = 1 << 6,
    HEADER_ENTRIES = 1 << 16,
    FIS_DWORDS = 5,
    FIS_TO_DEVICE = 0x27, /* Serial ATA 3.0 10.3.5 */
    FIS_COMMAND = 0x80,
    READ_DMA_EXT = 0x25,
    WRITE_DMA_EXT = 0x35,
    PACKET = 0xA0,
    FLUSH_CACHE_EXT = 0xEA,
    IDENTIFY_DEVICE = 0xEC,
    FEATURE_DMA = 1,   /* of PACKET */
    DEVICE_LBA = 0x40, /* of the device register */
    IDENTIFY_LENGTH = 512,
    WORD_FEATURES = 83, /* ACS-3 7.12.7 */
    WORD_SECTORS = 100,
    WORD_SECTOR_SIZE = 106,
    WORD_SECTOR_WORDS = 117,
    ENGINE_WAIT_US = 500000, /* AHCI 1.3.1 10.1.2 */
    READY_WAIT_US = 3000000,
    COMMAND_WAIT_US = 30000000,
    RESET_US = 1000, /* AHCI 1.3.1 10.4.2 */
};
#define HOST_64_BIT  (1u << 31)
#define HOST_ENABLED (1u << 31)

/* What a port and its device share with the firmware; each part aligned as AHCI 1.3.1 3.3.1 to
 * 3.3.3 and 4.2.3 ask for. */
struct memory {
    struct {
        uint32_t flags, moved;
        uint64_t table;
        uint32_t reserved[4];
    } list[32];
    uint8_t received[256];
    struct {
        uint8_t fis[64];
        uint8_t packet[16];
        uint8_t reserved[48];
        struct {
            uint64_t address;
            uint32_t reserved, length; /* length: minus 1 */
        } entry;
    } table;
};
_Static_assert(offsetof(struct memory, received) == 1024, "AHCI 1.3.1 3.3.3");
_Static_assert(offsetof(struct memory, table) % 128 == 0, "AHCI 1.3.1 4.2.2");
_Static_assert(offsetof(struct memory, table.entry) - offsetof(struct memory, table) == 128,
               "AHCI 1.3.1 4.2.3");

struct port {
    struct scsi_unit unit; /* first; of a disk only its drive */
    uint64_t registers;
    uint8_t number;
    bool dead;
    volatile struct memory *memory; /* shared */
    uint64_t memory_device;
};

static uint32_t get(const struct port *port, unsigned offset)
{
    return mmio_read32(port->registers + offset);
}

static void set(const struct port *port, unsigned offset, uint32_t value)
{
    mmio_write32(port->registers + offset, value);
}

static void set_address(const struct port *port, unsigned offset, uint64_t address)
{
    set(port, offset, (uint32_t)address);
    set(port, offset + 4, (uint32_t)(address >> 32));
}

/* Waits until the bits of a register have a value. */
static bool wait(const struct port *port, unsigned offset, uint32_t bits, uint32_t value,
                 uint32_t microseconds)
{
    uint64_t end = time_now_100ns() + 10ull * microseconds;
    while ((get(port, offset) & bits) != value) {
        if (time_now_100ns() > end)
            return false;
        cpu_pause();
    }
    return true;
}

/* No command runs any more; then nothing is received. False: the device goes on. */
static bool stop(const struct port *port)
{
    set(port, PORT_COMMAND, get(port, PORT_COMMAND) & ~(uint32_t)COMMAND_START);
    bool stopped = wait(port, PORT_COMMAND, COMMAND_RUNNING, 0, ENGINE_WAIT_US);
    set(port, PORT_COMMAND, get(port, PORT_COMMAND) & ~(uint32_t)COMMAND_RECEIVE);
    return wait(port, PORT_COMMAND, COMMAND_RECEIVING, 0, ENGINE_WAIT_US) && stopped;
}

static void receive(const struct port *port)
{
    set(port, PORT_ERRORS, UINT32_MAX);
    set(port, PORT_INTERRUPTS, UINT32_MAX);
    set(port, PORT_COMMAND,
        get(port, PORT_COMMAND) | COMMAND_RECEIVE | COMMAND_POWER | COMMAND_SPIN_UP);
}

static bool reset_link(const struct port *port)
{
    set(port, PORT_LINK_CONTROL, LINK_RESET);
    time_delay_us(RESET_US);
    set(port, PORT_LINK_CONTROL, 0);
    return wait(port, PORT_LINK, LINK_DETECT, LINK_UP, ENGINE_WAIT_US);
}

/* AHCI 1.3.1 6.2.2: after an error the port stops and starts, a device that hangs is reset. */
static bool restart(const struct port *port)
{
    if (!stop(port))
        return false;
    bool hangs = get(port, PORT_TASK_FILE) & TASK_BUSY;
    if (hangs && !reset_link(port))
        return false;
    receive(port);
    if (!wait(port, PORT_TASK_FILE, TASK_BUSY, 0, hangs ? READY_WAIT_US : 0))
        return false;
    set(port, PORT_COMMAND, get(port, PORT_COMMAND) | COMMAND_START);
    return true;
}

/* A port that goes on takes the controller's other ports with it. */
static void give_up(struct port *port)
{
    port->dead = true;
    if (!stop(port) && port->memory)
        device_cut_off(port->unit.drive.address);
}

static void bury(struct port *port, const char *why)
{
    give_up(port);
    log_line("AHCI port %u at " PCI_PLACE " %s; it is not used any more", port->number,
             PCI_PLACE_OF(port->unit.drive.address), why);
}

/* Until the command in slot 0 is over. False: it failed, and the port is ready for the next. */
static bool complete(struct port *port)
{
    uint64_t end = time_now_100ns() + 10ull * COMMAND_WAIT_US;
    for (;;) {
        bool over = !(get(port, PORT_ISSUE) & 1);
        if (get(port, PORT_INTERRUPTS) & INTERRUPT_FATAL)
            break;
        if (over && !(get(port, PORT_TASK_FILE) & TASK_ERROR))
            return true;
        if (over)
            break;
        if ((get(port, PORT_LINK) & LINK_DETECT) != LINK_UP) {
            bury(port, "lost its device");
            return false;
        }
        if (time_now_100ns() > end) {
            bury(port, "does not answer");
            return false;
        }
        cpu_pause();
    }
    if (!restart(port))
        bury(port, "does not recover from an error");
    return false;
}

struct command {
    uint8_t code, features;
    uint64_t block;
    uint16_t count;
    const uint8_t *packet;          /* SCSI_CDB_SIZE bytes, or NULL */
    const struct dma_mapping *data; /* or NULL */
};

static void fill_fis(volatile uint8_t fis[64], const struct command *command)
{
    uint64_t block = command->block;
    const uint8_t bytes[FIS_DWORDS * 4] = {
        FIS_TO_DEVICE,
        FIS_COMMAND,
        command->code,
        command->features,
        (uint8_t)block,
        (uint8_t)(block >> 8),
        (uint8_t)(block >> 16),
        DEVICE_LBA,
        (uint8_t)(block >> 24),
        (uint8_t)(block >> 32),
        (uint8_t)(block >> 40),
        0,
        (uint8_t)command->count,
        (uint8_t)(command->count >> 8),
    };
    for (unsigned i = 0; i < sizeof(bytes); i++)
        fis[i] = bytes[i];
}

/* One command; *ret_moved is how many bytes of data the controller says it moved. */
static bool issue(struct port *port, const struct command *command, uint32_t *ret_moved)
{
    volatile struct memory *memory = port->memory;
    const struct dma_mapping *data = command->data;
    uint32_t flags = FIS_DWORDS;
    *ret_moved = 0;
    if (port->dead)
        return false;
    fill_fis(memory->table.fis, command);
    if (command->packet) {
        flags |= HEADER_PACKET;
        for (unsigned i = 0; i < SCSI_CDB_SIZE; i++)
            memory->table.packet[i] = command->packet[i];
    }
    if (data) {
        flags |= HEADER_ENTRIES | (data->direction == DMA_TO_DEVICE ? HEADER_WRITE : 0);
        memory->table.entry.address = data->device;
        memory->table.entry.length = (uint32_t)data->length - 1;
    }
    memory->list[0].flags = flags;
    memory->list[0].moved = 0;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    set(port, PORT_INTERRUPTS, UINT32_MAX);
    set(port, PORT_ISSUE, 1);
    if (!complete(port))
        return false;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    uint32_t moved = memory->list[0].moved;
    *ret_moved = !data ? 0 : moved < data->length ? moved : (uint32_t)data->length;
    return true;
}

static enum scsi_result execute(struct scsi_unit *unit, struct scsi_command *scsi)
{
    struct port *port = (struct port *)unit;
    struct command command = { .code = PACKET,
                               .features = scsi->data ? FEATURE_DMA : 0,
                               .packet = scsi->cdb,
                               .data = scsi->data };
    if (issue(port, &command, &scsi->moved))
        return SCSI_DONE;
    return port->dead ? SCSI_FAILED : SCSI_CHECK;
}

static bool transfer(struct drive *drive, uint64_t block, uint32_t count,
                     const struct dma_mapping *data)
{
    uint32_t moved;
    struct command command = { .code =
                                   data->direction == DMA_TO_DEVICE ? WRITE_DMA_EXT : READ_DMA_EXT,
                               .block = block,
                               .count = (uint16_t)count,
                               .data = data };
    return issue((struct port *)drive, &command, &moved) && moved == data->length;
}

static bool flush(struct drive *drive)
{
    uint32_t moved;
    return issue((struct port *)drive, &(struct command){ .code = FLUSH_CACHE_EXT }, &moved);
}

static bool identify(struct port *port, uint16_t words[IDENTIFY_LENGTH / 2])
{
    struct dma_mapping data;
    uint32_t moved;
    if (!drive_map(words, IDENTIFY_LENGTH, DMA_FROM_DEVICE, &data))
        return false;
    bool done = issue(port, &(struct command){ .code = IDENTIFY_DEVICE, .data = &data }, &moved);
    dma_unmap(&data);
    return done && moved == IDENTIFY_LENGTH;
}

/* A disk's size, from its own words. NULL: it can be used. */
static const char *start_disk(struct port *port)
{
    uint16_t words[IDENTIFY_LENGTH / 2];
    uint64_t sectors = 0;
    uint32_t size = 512;
    if (!identify(port, words))
        return "a disk does not say what it is";
    if ((words[WORD_FEATURES] & 0xC400) != 0x4400)
        return "a disk has no 48-bit addresses";
    for (unsigned i = 4; i-- > 0;)
        sectors = sectors << 16 | words[WORD_SECTORS + i];
    if ((words[WORD_SECTOR_SIZE] & 0xD000) == 0x5000)
        size = 2 * (words[WORD_SECTOR_WORDS] | (uint32_t)words[WORD_SECTOR_WORDS + 1] << 16);
    port->unit.drive.transfer = transfer;
    port->unit.drive.flush = flush;
    if (sectors >> 48 || !drive_init(&port->unit.drive, sectors, size))
        return "a disk has an impossible size";
    return NULL;
}

static VOID EFIAPI stop_at_exit(EFI_EVENT event, VOID *context)
{
    struct port *port = context;
    (void)event;
    port->dead = true;
    (void)stop(port);
}

static bool start_port(struct port *port)
{
    EFI_EVENT event;
    volatile struct memory *memory = dma_alloc(sizeof(*memory), &port->memory_device);
    if (!memory)
        return false;
    if (!stop(port)) {
        dma_free((void *)(uintptr_t)memory, sizeof(*memory));
        return false;
    }
    port->memory = memory;
    memory->list[0].table = port->memory_device + offsetof(struct memory, table);
    set_address(port, PORT_LIST, port->memory_device);
    set_address(port, PORT_RECEIVED, port->memory_device + offsetof(struct memory, received));
    receive(port);
    if (!wait(port, PORT_TASK_FILE, TASK_BUSY, 0, READY_WAIT_US) ||
        bs_create_event(EVT_SIGNAL_EXIT_BOOT_SERVICES, TPL_NOTIFY, stop_at_exit, port, &event) !=
            EFI_SUCCESS)
        return false;
    set(port, PORT_COMMAND, get(port, PORT_COMMAND) | COMMAND_START);
    return true;
}

static void publish(struct port *port)
{
    SATA_DEVICE_PATH node = { { MESSAGING_DEVICE_PATH, MSG_SATA_DP, { sizeof(node), 0 } },
                              port->number,
                              0xFFFF, /* no port multiplier (UEFI 2.10 10.3.4.6) */
                              0 };
    EFI_DEVICE_PATH_PROTOCOL *controller = devicepath_of_pci(port->unit.drive.address);
    EFI_DEVICE_PATH_PROTOCOL *path = devicepath_append(controller, &node.Header);
    pool_free(controller);
    if (path)
        block_publish(&port->unit.drive.block, path);
}

/* A drive without a medium is no news; what else cannot be used is named. */
static void try_port(struct port *port)
{
    const char *reason = NULL;
    bool usable = false;
    if (!start_port(port)) {
        reason = "a port does not start";
    } else if (get(port, PORT_SIGNATURE) == SIGNATURE_ATA) {
        reason = start_disk(port);
        usable = !reason;
    } else if (get(port, PORT_SIGNATURE) == (uint32_t)SIGNATURE_PACKET) {
        port->unit.execute = execute;
        usable = scsi_start(&port->unit);
    } else {
        reason = "a device is neither a disk nor a packet device";
    }
    if (reason) {
        give_up(port);
        if (port->memory)
            dma_free((void *)(uintptr_t)port->memory, sizeof(*port->memory));
        device_refuse(port->unit.drive.address, "AHCI", reason);
    }
    if (usable)
        publish(port);
}

static void find_device(const struct pci_function *function, unsigned number)
{
    uint64_t registers =
        function->bars[BAR_REGISTERS].base + PORT_REGISTERS + number * (uint64_t)PORT_LENGTH;
    if ((mmio_read32(registers + PORT_LINK) & LINK_DETECT) != LINK_UP)
        return;
    /* For good: an event may refer to it. */
    struct port *port = pool_allocate(MEMORY_BOOT_DATA, sizeof(*port));
    if (!port)
        return;
    *port = (struct port){ .registers = registers, .number = (uint8_t)number };
    port->unit.drive.driver = "AHCI";
    port->unit.drive.address = function->address;
    port->unit.target = (uint8_t)number;
    try_port(port);
}

static void start_controller(const struct pci_function *function)
{
    const struct pci_bar *bar = &function->bars[BAR_REGISTERS];
    if (bar->io || bar->base == 0 || bar->size < PORT_REGISTERS + PORT_LENGTH) {
        device_refuse(function->address, "AHCI", "its registers are missing");
        return;
    }
    paging_map_device(bar->base, bar->size);
    if (!(mmio_read32(bar->base + HOST_CAPABILITIES) & HOST_64_BIT)) {
        device_refuse(function->address, "AHCI", "it does not address 64 bits");
        return;
    }
    mmio_write32(bar->base + HOST_CONTROL, HOST_ENABLED);
    uint32_t ports = mmio_read32(bar->base + HOST_PORTS);
    for (unsigned i = 0; i < PORTS && !drive_scan_late(); i++)
        if ((ports >> i & 1) && PORT_REGISTERS + (i + 1) * PORT_LENGTH <= bar->size)
            find_device(function, i);
}

void ahci_init(void)
{
    const struct pci_function *function;
    for (size_t i = 0; pci_function_at(i, &function); i++)
        if (function->class_code == CLASS_AHCI && drive_scan_begin(function->address, "AHCI")) {
            start_controller(function);
            drive_scan_end(function->address, "AHCI");
        }
}
