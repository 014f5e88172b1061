/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The firmware's network driver, whose buffers stay with the device, against a hostile one. */
#include <string.h>

#include "drivers_harness.h"
#include "firmware/drivers/virtio_net.h"
#include "virtio_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROUNDS = 3, FRAMES = 20, FRAME = 60, PREFIX = 12 };

static struct virtio_model model;
static struct virtio_net net;

static uint32_t serve(struct virtio_model *m, const struct virtio_model_request *request)
{
    uint8_t frame[PREFIX + FRAME] = { 0 };
    (void)m;
    virtio_model_give(request, 0, frame, sizeof(frame));
    return request->queue == 0 ? sizeof(frame) : 0;
}

static void add(uint8_t options)
{
    (void)options;
    model = (struct virtio_model){ .offered = VIRTIO_MODEL_VERSION_1 |
                                              VIRTIO_MODEL_ACCESS_PLATFORM | 1 << 5 | 1 << 16,
                                   .config = { 2, 0, 0, 0, 0, 1, 1 },
                                   .config_length = 8,
                                   .queue_size = 64,
                                   .serve = serve };
    virtio_model_add(&model, 1);
}

/* What was not asked for must not come back. */
static void exchange(void)
{
    uint8_t frame[NET_FRAME_MAXIMUM] = { 0 };
    void *token;
    size_t length;
    for (unsigned i = 0; i < FRAMES; i++) {
        (void)virtio_net_send(&net, frame, FRAME + i, &net);
        if (virtio_net_receive(&net, frame, &length) &&
            (length < NET_HEADER || length > NET_FRAME_MAXIMUM))
            __builtin_trap();
        if (virtio_net_sent(&net, &token) && token != &net)
            __builtin_trap();
    }
}

static void run(void)
{
    if (!virtio_net_probe(&fakes.function[0], &net))
        return;
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (!virtio_net_open(&net))
            return;
        (void)virtio_net_link(&net);
        exchange();
        if (i + 1 < ROUNDS)
            virtio_net_close(&net);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    drivers_fuzz(data, size, add, run);
    return 0;
}
