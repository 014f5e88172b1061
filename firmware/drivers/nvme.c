/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * NVM Express 1.4 over PCI: the admin queues and one pair of I/O queues of two entries each, so
 * that one command is on its way at a time and its completion has only one right form.
 */
#include "firmware/drivers/nvme.h"

#include <string.h>

#include "firmware/arch/cpu.h"
#include "firmware/arch/io.h"
#include "firmware/arch/paging.h"
#include "firmware/arch/time.h"
#include "firmware/drivers/drive.h"
#include "firmware/drivers/drivers.h"
#include "firmware/lib/log.h"
#include "firmware/platform/pci.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

enum {
    CLASS_NVME = 0x010802,
    PAGE = 4096,
    ENTRIES = 2, /* the least that NVMe 1.4 4.1.3 allows */
    PRP_ENTRIES = DRIVE_PIECE / PAGE,
    CAPABILITIES = 0x00, /* NVMe 1.4 3.1 */
    CONFIGURATION = 0x14,
    STATUS = 0x1C,
    ADMIN_SIZES = 0x24,
    ADMIN_SUBMISSION = 0x28,
    ADMIN_COMPLETION = 0x30,
    DOORBELLS = 0x1000,
    ENABLE = 1,
    ENTRY_SIZES = 6 << 16 | 4 << 20, /* 64 and 16 bytes */
    SHUTDOWN = 1 << 14,
    READY = 1,
    FATAL = 2,
    SHUTDOWN_MASK = 3 << 2,
    SHUTDOWN_DONE = 2 << 2,
    CREATE_SUBMISSION = 0x01, /* NVMe 1.4 5 */
    CREATE_COMPLETION = 0x05,
    IDENTIFY = 0x06,
    SET_FEATURES = 0x09,
    FEATURE_QUEUES = 0x07,
    IDENTIFY_NAMESPACE = 0, /* NVMe 1.4 5.15.1 */
    IDENTIFY_CONTROLLER = 1,
    IDENTIFY_NAMESPACES = 2,
    FLUSH = 0x00, /* NVMe 1.4 6 */
    WRITE = 0x01,
    READ = 0x02,
    CONTIGUOUS = 1, /* of queues */
    NAMESPACES_MAXIMUM = 16,
    READY_WAIT_MAXIMUM = 30000000, /* microseconds */
    READY_UNIT = 500000,
    SHUTDOWN_WAIT = 2000000,
    COMMAND_WAIT = 30000000,
};

struct submission {
    uint32_t operation; /* command number << 16 */
    uint32_t namespace;
    uint64_t reserved, metadata;
    uint64_t prp[2];
    uint32_t arguments[6];
};
_Static_assert(sizeof(struct submission) == 64, "NVMe 1.4 4.2");

struct completion {
    uint32_t result, reserved;
    uint16_t head, queue, command, status; /* status: phase in bit 0 */
};
_Static_assert(sizeof(struct completion) == 16, "NVMe 1.4 4.6");

/* What is shared with the controller; queues begin pages. */
struct memory {
    struct {
        struct submission submissions[ENTRIES];
        uint8_t rest[PAGE - ENTRIES * sizeof(struct submission)];
        struct completion completions[ENTRIES];
        uint8_t rest2[PAGE - ENTRIES * sizeof(struct completion)];
    } queues[2]; /* admin, I/O */
    uint64_t prp_list[PRP_ENTRIES];
};

struct queue {
    uint16_t tail, head, phase, command;
};

struct controller {
    uint16_t address;
    uint64_t registers;
    uint32_t stride; /* bytes from one doorbell to the next */
    uint32_t ready_wait;
    uint32_t piece;
    bool write_cache;
    bool dead;
    struct memory *memory; /* shared */
    uint64_t memory_device;
    struct queue queues[2];
};

struct namespace {
    struct drive drive; /* first */
    struct controller *controller;
    uint32_t number;
    uint64_t eui;
};

static uint32_t get(const struct controller *controller, unsigned offset)
{
    return mmio_read32(controller->registers + offset);
}

static void set(const struct controller *controller, unsigned offset, uint32_t value)
{
    mmio_write32(controller->registers + offset, value);
}

static void set_address(const struct controller *controller, unsigned offset, uint64_t address)
{
    set(controller, offset, (uint32_t)address);
    set(controller, offset + 4, (uint32_t)(address >> 32));
}

/* All ones is a controller that is no longer there. */
static bool broken(const struct controller *controller)
{
    uint32_t status = get(controller, STATUS);
    return status == UINT32_MAX || (status & FATAL);
}

static bool wait_status(const struct controller *controller, uint32_t bits, uint32_t value,
                        uint32_t microseconds)
{
    uint64_t end = time_now_100ns() + 10ull * microseconds;
    while ((get(controller, STATUS) & bits) != value) {
        if (time_now_100ns() > end)
            return false;
        time_delay_us(10);
    }
    return true;
}

/* No command runs any more and no memory is written. */
static bool disable(const struct controller *controller)
{
    set(controller, CONFIGURATION, 0);
    return wait_status(controller, READY, 0, controller->ready_wait);
}

static void stop(const struct controller *controller)
{
    if (!disable(controller))
        device_cut_off(controller->address);
}

static bool bury(struct controller *controller, const char *why)
{
    controller->dead = true;
    stop(controller);
    log_line("NVMe at " PCI_PLACE " %s; it is not used any more", PCI_PLACE_OF(controller->address),
             why);
    return false;
}

/* The completion with the phase that is awaited, copied out. */
static bool wait_completion(struct controller *controller, unsigned index, struct completion *ret)
{
    const struct queue *queue = &controller->queues[index];
    const struct completion *from = &controller->memory->queues[index].completions[queue->head];
    uint64_t end = time_now_100ns() + 10ull * COMMAND_WAIT;
    while ((*(const volatile uint16_t *)&from->status & 1) != queue->phase) {
        if (broken(controller))
            return bury(controller, "reports a fatal error");
        if (time_now_100ns() > end)
            return bury(controller, "does not answer");
        cpu_pause();
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    dma_copy_out(ret, from, sizeof(*ret));
    return true;
}

static void ring(const struct controller *controller, unsigned doorbell, uint16_t value)
{
    set(controller, DOORBELLS + doorbell * controller->stride, value);
}

/* One command on the admin (0) or I/O queue (1); its number is filled in here. */
static bool issue(struct controller *controller, unsigned index, const struct submission *command)
{
    struct queue *queue = &controller->queues[index];
    struct completion completion;
    if (controller->dead)
        return false;
    struct submission numbered = *command;
    numbered.operation |= (uint32_t)++queue->command << 16;
    memcpy(&controller->memory->queues[index].submissions[queue->tail], &numbered,
           sizeof(numbered));
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    queue->tail = (uint16_t)((queue->tail + 1) % ENTRIES);
    ring(controller, 2 * index, queue->tail);
    if (!wait_completion(controller, index, &completion))
        return false;
    queue->head = (uint16_t)((queue->head + 1) % ENTRIES);
    queue->phase ^= queue->head == 0;
    ring(controller, 2 * index + 1, queue->head);
    if (completion.command != queue->command || completion.queue != index)
        return bury(controller, "answers what was not asked");
    return completion.status >> 1 == 0;
}

/* Physical region pages (NVMe 1.4 4.3): the first, then the second or a list of the others. */
static void describe(struct controller *controller, const struct dma_mapping *data,
                     struct submission *command)
{
    uint64_t next = (data->device & ~(uint64_t)(PAGE - 1)) + PAGE;
    uint64_t end = data->device + data->length;
    command->prp[0] = data->device;
    if (end <= next)
        return;
    if (end <= next + PAGE) {
        command->prp[1] = next;
        return;
    }
    command->prp[1] = controller->memory_device + offsetof(struct memory, prp_list);
    for (unsigned i = 0; next < end; i++, next += PAGE) {
        assert(i < PRP_ENTRIES);
        controller->memory->prp_list[i] = next;
    }
}

static bool identify(struct controller *controller, uint32_t what, uint32_t namespace,
                     uint8_t page[PAGE])
{
    struct dma_mapping data;
    struct submission command = { .operation = IDENTIFY,
                                  .namespace = namespace,
                                  .arguments = { what } };
    if (!drive_map(page, PAGE, DMA_FROM_DEVICE, &data))
        return false;
    describe(controller, &data, &command);
    bool done = issue(controller, 0, &command);
    dma_unmap(&data);
    return done;
}

static bool transfer(struct drive *drive, uint64_t block, uint32_t count,
                     const struct dma_mapping *data)
{
    struct namespace *namespace = (struct namespace *)drive;
    struct submission command = { .operation = data->direction == DMA_TO_DEVICE ? WRITE : READ,
                                  .namespace = namespace->number,
                                  .arguments = { (uint32_t)block, (uint32_t)(block >> 32),
                                                 count - 1 } };
    describe(namespace->controller, data, &command);
    return issue(namespace->controller, 1, &command);
}

static bool flush(struct drive *drive)
{
    struct namespace *namespace = (struct namespace *)drive;
    return issue(namespace->controller, 1,
                 &(struct submission){ .operation = FLUSH, .namespace = namespace->number });
}

static uint64_t get64(const uint8_t *from)
{
    uint64_t value;
    memcpy(&value, from, sizeof(value));
    return value;
}

/* NVMe 1.4 5.15.2.1. NULL: the namespace is a disk that can be used. */
static const char *read_namespace(struct namespace *namespace, const uint8_t page[PAGE])
{
    uint8_t format = page[26] & 15;
    const uint8_t *lba_format = page + 128 + 4 * format;
    unsigned shift = lba_format[2];
    if (format > page[25])
        return "a namespace has an unknown format";
    if (lba_format[0] | lba_format[1])
        return "the blocks of a namespace carry metadata";
    memcpy(&namespace->eui, page + 120, sizeof(namespace->eui));
    namespace->drive.block.read_only = page[99] & 1;
    namespace->drive.transfer = transfer;
    namespace->drive.flush = namespace->controller->write_cache ? flush : NULL;
    if (shift > 12 || !drive_init(&namespace->drive, get64(page), 1u << shift))
        return "a namespace has an impossible size";
    return NULL;
}

static void publish(struct namespace *namespace)
{
    NVME_NAMESPACE_DEVICE_PATH node = { { MESSAGING_DEVICE_PATH, MSG_NVME_DP, { sizeof(node), 0 } },
                                        namespace->number,
                                        namespace->eui };
    EFI_DEVICE_PATH_PROTOCOL *controller = devicepath_of_pci(namespace->controller->address);
    EFI_DEVICE_PATH_PROTOCOL *path = devicepath_append(controller, &node.Header);
    pool_free(controller);
    if (path)
        block_publish(&namespace->drive.block, path);
}

static void try_namespace(struct controller *controller, uint32_t number, uint8_t page[PAGE])
{
    if (!identify(controller, IDENTIFY_NAMESPACE, number, page))
        return;
    struct namespace *namespace = pool_allocate(MEMORY_BOOT_DATA, sizeof(*namespace));
    if (!namespace)
        return;
    *namespace = (struct namespace){ .controller = controller, .number = number };
    namespace->drive.driver = "NVMe";
    namespace->drive.address = controller->address;
    namespace->drive.piece = controller->piece;
    const char *reason = read_namespace(namespace, page);
    if (!reason) {
        publish(namespace);
        return;
    }
    device_refuse(controller->address, "NVMe", reason);
    pool_free(namespace);
}

/* The active namespaces; a controller before NVMe 1.1 has no list, and one namespace. */
static void scan(struct controller *controller, uint8_t page[PAGE])
{
    uint32_t numbers[NAMESPACES_MAXIMUM + 1] = { 1 };
    if (identify(controller, IDENTIFY_NAMESPACES, 0, page))
        memcpy(numbers, page, sizeof(numbers));
    for (unsigned i = 0; i < NAMESPACES_MAXIMUM && numbers[i] != 0 && !drive_scan_late(); i++)
        try_namespace(controller, numbers[i], page);
    if (numbers[NAMESPACES_MAXIMUM] != 0)
        log_line("NVMe: more than %d namespaces are not looked at", NAMESPACES_MAXIMUM);
}

static bool create_queues(struct controller *controller)
{
    uint64_t queues = controller->memory_device + offsetof(struct memory, queues[1]);
    const uint32_t size = (ENTRIES - 1) << 16 | 1; /* of queue 1 */
    struct submission number = { .operation = SET_FEATURES, .arguments = { FEATURE_QUEUES, 0 } };
    struct submission completion = { .operation = CREATE_COMPLETION,
                                     .prp = { queues + PAGE },
                                     .arguments = { size, CONTIGUOUS } };
    struct submission submission = { .operation = CREATE_SUBMISSION,
                                     .prp = { queues },
                                     .arguments = { size, 1 << 16 | CONTIGUOUS } };
    return issue(controller, 0, &number) && issue(controller, 0, &completion) &&
           issue(controller, 0, &submission);
}

static bool enable(struct controller *controller)
{
    controller->queues[0].phase = controller->queues[1].phase = 1;
    set(controller, ADMIN_SIZES, (ENTRIES - 1) << 16 | (ENTRIES - 1));
    set_address(controller, ADMIN_SUBMISSION, controller->memory_device);
    set_address(controller, ADMIN_COMPLETION, controller->memory_device + PAGE);
    set(controller, CONFIGURATION, ENTRY_SIZES);
    set(controller, CONFIGURATION, ENTRY_SIZES | ENABLE);
    return wait_status(controller, READY | FATAL, READY, controller->ready_wait);
}

/* NVMe 1.4 5.15.2.2: how much one command may move, in pages of the least size. */
static void read_controller(struct controller *controller, const uint8_t page[PAGE])
{
    unsigned shift = page[77];
    controller->piece = shift > 0 && shift < 6 ? (uint32_t)PAGE << shift : DRIVE_PIECE;
    controller->write_cache = page[525] & 1;
}

static VOID EFIAPI shut_down(EFI_EVENT event, VOID *context)
{
    struct controller *controller = context;
    (void)event;
    if (!controller->dead) {
        controller->dead = true;
        set(controller, CONFIGURATION, get(controller, CONFIGURATION) | SHUTDOWN);
        (void)wait_status(controller, SHUTDOWN_MASK, SHUTDOWN_DONE, SHUTDOWN_WAIT);
    }
    (void)disable(controller);
}

/* What the registers say. NULL: a controller that can be used. */
static const char *read_capabilities(struct controller *controller, const struct pci_bar *bar)
{
    if (bar->io || bar->base == 0 || bar->size < DOORBELLS + PAGE)
        return "its registers are missing";
    paging_map_device(bar->base, bar->size);
    controller->registers = bar->base;
    uint32_t low = get(controller, CAPABILITIES), high = get(controller, CAPABILITIES + 4);
    controller->stride = 4u << (high & 15);
    controller->ready_wait = ((low >> 24) + 1) * READY_UNIT;
    if (controller->ready_wait > READY_WAIT_MAXIMUM)
        controller->ready_wait = READY_WAIT_MAXIMUM;
    if (!(high >> 5 & 1))
        return "it does not have the NVM command set";
    if (high >> 16 & 15)
        return "it does not use pages of 4 KiB";
    if ((low & 0xFFFF) < ENTRIES - 1 || DOORBELLS + 4ull * controller->stride > bar->size)
        return "its queues are impossible";
    return NULL;
}

static const char *start(struct controller *controller, const struct pci_bar *bar,
                         uint8_t page[PAGE])
{
    EFI_EVENT event;
    const char *reason = read_capabilities(controller, bar);
    if (reason)
        return reason;
    controller->memory = dma_alloc(sizeof(struct memory), &controller->memory_device);
    if (!controller->memory || bs_create_event(EVT_SIGNAL_EXIT_BOOT_SERVICES, TPL_NOTIFY, shut_down,
                                               controller, &event) != EFI_SUCCESS)
        return "there is no memory for it";
    if (!disable(controller) || !enable(controller))
        return "it does not become ready";
    if (!identify(controller, IDENTIFY_CONTROLLER, 0, page) || !create_queues(controller))
        return "it does not accept the driver's first commands";
    read_controller(controller, page);
    return NULL;
}

static void try_controller(const struct pci_function *function)
{
    uint8_t *page = pool_allocate(MEMORY_BOOT_DATA, PAGE);
    struct controller *controller = pool_allocate(MEMORY_BOOT_DATA, sizeof(*controller));
    const char *reason = "there is no memory for it";
    if (controller)
        *controller = (struct controller){ .address = function->address };
    if (page && controller)
        reason = start(controller, &function->bars[0], page);
    if (!reason) {
        scan(controller, page);
    } else {
        if (controller && controller->memory) {
            stop(controller);
            dma_free(controller->memory, sizeof(struct memory));
        }
        if (controller)
            controller->dead = true; /* it stays: an event may refer to it */
        device_refuse(function->address, "NVMe", reason);
    }
    pool_free(page);
}

void nvme_init(void)
{
    const struct pci_function *function;
    for (size_t i = 0; pci_function_at(i, &function); i++)
        if (function->class_code == CLASS_NVME && drive_scan_begin(function->address, "NVMe")) {
            try_controller(function);
            drive_scan_end(function->address, "NVMe");
        }
}
