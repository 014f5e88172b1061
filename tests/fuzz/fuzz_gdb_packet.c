/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What comes from a GDB connection: any bytes; and what was decoded survives encoding. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "machine/hypervisor/gdb_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const struct gdb_decoder *packet)
{
    static char out[GDB_ENCODED_SIZE(GDB_PACKET_MAX)];
    static struct gdb_decoder back;
    size_t length = gdb_encode(packet->data, packet->length, out);
    enum gdb_event last = GDB_NOTHING;
    memset(&back, 0, offsetof(struct gdb_decoder, data));
    back.expand_runs = true;
    for (size_t k = 0; k < length; k++)
        last = gdb_decode(&back, (uint8_t)out[k]);
    if (last != GDB_PACKET || back.length != packet->length ||
        memcmp(back.data, packet->data, back.length) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct gdb_decoder decoder;
    memset(&decoder, 0, offsetof(struct gdb_decoder, data));
    decoder.expand_runs = size & 1;
    for (size_t k = 0; k < size; k++) {
        if (gdb_decode(&decoder, data[k]) != GDB_PACKET)
            continue;
        if (decoder.data[decoder.length] != '\0')
            abort();
        round_trip(&decoder);
    }
    return 0;
}
