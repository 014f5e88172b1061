/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The virtio entropy device (virtio 1.2 5.4): a queue of buffers that the device fills, as far as it
 * likes. What comes is the host's, so it is only ever mixed in.
 */
#include "firmware/drivers/virtio_rng.h"

#include <string.h>

#include "firmware/drivers/drivers.h"
#include "firmware/drivers/virtio.h"
#include "firmware/lib/log.h"
#include "firmware/sev/dma.h"
#include "firmware/uefi/entropy.h"
#include "firmware/uefi/services.h"

enum { KIND_ENTROPY = 4, QUEUE_SIZE = 2, BUFFER = 64, ATTEMPTS = 16 };

static struct virtio device;
static struct virtio_queue queue;
static uint8_t *buffer; /* shared */
static uint64_t buffer_device;

/* Short answers are right (5.4.6.1), endless ones are not. */
static bool read(uint8_t *bytes, size_t size)
{
    for (unsigned i = 0; size > 0 && i < ATTEMPTS; i++) {
        uint32_t written, wanted = size < BUFFER ? (uint32_t)size : BUFFER;
        struct virtio_segment segment = { buffer_device, wanted, true };
        if (!virtio_request(&queue, &segment, 1, &written))
            return false;
        memcpy(bytes, buffer, written);
        bytes += written;
        size -= written;
    }
    return size == 0;
}

static bool start(const struct pci_function *function)
{
    if (!virtio_open(function, "virtio-rng", 0, &device))
        return false;
    buffer = dma_alloc(BUFFER, &buffer_device);
    if (!buffer) {
        virtio_refuse(&device, "there is no memory for it");
        return false;
    }
    return virtio_queue_open(&device, 0, QUEUE_SIZE, &queue) && virtio_ready(&device);
}

static void use(void)
{
    if (!entropy_add_host(read)) {
        virtio_stop(&device); /* the processor has enough of its own */
        dma_free(buffer, BUFFER);
        return;
    }
    log_line("random numbers: no RDRAND in this guest; they come from the host's virtio-rng and "
             "from the clocks");
    rng_init();
}

void virtio_rng_init(void)
{
    const struct pci_function *function;
    for (size_t i = 0; pci_function_at(i, &function); i++) {
        if (virtio_is(function, KIND_ENTROPY) && start(function)) {
            use();
            return;
        }
    }
}
