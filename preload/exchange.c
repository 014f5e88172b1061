/* SPDX-License-Identifier: BSD-2-Clause-Patent */
#include "preload/exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "preload/client.h"
#include "preload/kvm.h"
#include "preload/user_memory.h"

struct exchange *exchange_new(int fd, uint32_t request, uint64_t data)
{
    struct exchange *x = malloc(sizeof(*x)); /* parts: as many bytes as are used are written */
    if (x) {
        x->fd = fd;
        x->data = data;
        x->vm = NULL;
        x->wire = (struct wire){ .request = request, .status = WIRE_NO_FIRMWARE };
    }
    return x;
}

void exchange_again(struct exchange *x)
{
    x->wire = (struct wire){ .request = x->wire.request, .status = WIRE_NO_FIRMWARE };
}

int exchange_get(const struct exchange *x, void *structure, size_t size)
{
    return user_read(structure, x->data, size) ? 0 : -1;
}

int exchange_put(const struct exchange *x, const void *structure, size_t size)
{
    return user_write(x->data, structure, size) ? 0 : -1;
}

int exchange_blob(struct exchange *x, unsigned part, uint64_t address, uint32_t size)
{
    if (!address || !size || size > EXCHANGE_BLOB_MAX)
        return kvm_error(EINVAL);
    x->wire.size[part] = size;
    return user_read(x->part[part], address, size) ? 0 : -1;
}

int exchange_memory(struct exchange *x, unsigned part, uint64_t address, uint32_t size)
{
    x->wire.size[part] = size;
    return user_read(x->part[part], address, size) ? 0 : kvm_error(ENOMEM);
}

int exchange_run(struct exchange *x)
{
    const void *const in[WIRE_PARTS] = { x->part[0], x->part[1], x->part[2] };
    void *const out[WIRE_PARTS] = { x->part[0], x->part[1], x->part[2] };
    const uint32_t capacity[WIRE_PARTS] = { WIRE_PART_MAX, WIRE_PART_MAX, WIRE_PART_MAX };
    return client_request(x->fd, &x->wire, in, out, capacity);
}

int exchange_give(struct exchange *x, unsigned part, uint64_t address, uint32_t size)
{
    uint32_t have = x->wire.size[part];
    if (size > WIRE_PART_MAX)
        return kvm_error(EFAULT);
    if (size > have)
        memset(x->part[part] + have, 0, size - have);
    return user_write(address, x->part[part], size) ? 0 : -1;
}
