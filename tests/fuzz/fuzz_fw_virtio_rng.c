/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The firmware's virtio entropy driver against a hostile device. */
#include "drivers_harness.h"
#include "firmware/drivers/virtio_rng.h"
#include "firmware/uefi/entropy.h"
#include "firmware/uefi/services.h"
#include "virtio_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct virtio_model model;
static bool needed;

bool entropy_add_host(bool (*read)(uint8_t *bytes, size_t size))
{
    uint8_t bytes[64];
    return read(bytes, sizeof(bytes)) && needed;
}

void rng_init(void)
{
}

static uint32_t serve(struct virtio_model *m, const struct virtio_model_request *request)
{
    return request->in_length;
}

static void add(uint8_t options)
{
    needed = options & 1;
    model = (struct virtio_model){ .offered = VIRTIO_MODEL_VERSION_1 | VIRTIO_MODEL_ACCESS_PLATFORM,
                                   .queue_size = 8,
                                   .serve = serve };
    virtio_model_add(&model, 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    drivers_fuzz(data, size, add, virtio_rng_init);
    return 0;
}
