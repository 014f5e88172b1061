/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The framing of GDB's protocol: examples of the manual, damage, and every length of a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "machine/hypervisor/gdb_packet.h"

static struct gdb_decoder decoder;

/* The last event of a text. */
static enum gdb_event feed(const char *text, size_t length)
{
    enum gdb_event last = GDB_NOTHING;
    for (size_t k = 0; k < length; k++)
        last = gdb_decode(&decoder, (uint8_t)text[k]);
    return last;
}

static void plain_packets(void **state)
{
    decoder = (struct gdb_decoder){ 0 };
    assert_int_equal(feed("$g#67", 5), GDB_PACKET);
    assert_string_equal(decoder.data, "g");
    assert_int_equal(feed("noise$qC#b4", 11), GDB_PACKET);
    assert_string_equal(decoder.data, "qC");
    assert_int_equal(feed("$#00", 4), GDB_PACKET);
    assert_int_equal(decoder.length, 0);
    assert_int_equal(feed("+", 1), GDB_ACCEPTED);
    assert_int_equal(feed("-", 1), GDB_REJECTED);
    assert_int_equal(feed("\x03", 1), GDB_INTERRUPT);
    /* Inside a packet 3 is data, and a second "$" begins anew. */
    assert_int_equal(feed("$abc$\x03#03", 9), GDB_PACKET);
    assert_int_equal(decoder.length, 1);
    /* A star in a request is a star. */
    assert_int_equal(feed("$0* #7a", 7), GDB_PACKET);
    assert_string_equal(decoder.data, "0* ");
}

static void damage(void **state)
{
    decoder = (struct gdb_decoder){ 0 };
    assert_int_equal(feed("$g#68", 5), GDB_DAMAGED);
    assert_int_equal(feed("$g#6x", 5), GDB_DAMAGED);
    assert_int_equal(feed("$g#x7", 5), GDB_DAMAGED);
    assert_int_equal(feed("$}#7d", 5), GDB_DAMAGED);
    for (unsigned k = 0; k < GDB_PACKET_MAX + 2; k++)
        assert_int_equal(gdb_decode(&decoder, k ? 0 : '$'), GDB_NOTHING);
    assert_int_equal(feed("#00", 3), GDB_DAMAGED);
    decoder = (struct gdb_decoder){ .expand_runs = true };
    assert_int_equal(feed("$* #4a", 6), GDB_DAMAGED);   /* nothing to repeat */
    assert_int_equal(feed("$0*\x1f#79", 7), GDB_DAMAGED); /* a count below 3 */
    assert_int_equal(feed("$0*#5a", 6), GDB_DAMAGED);
    assert_int_equal(feed("$0* #7a", 7), GDB_PACKET); /* the manual's example: 0000 */
    assert_string_equal(decoder.data, "0000");
}

static void round_trip(const char *data, size_t length)
{
    static char out[GDB_ENCODED_SIZE(GDB_PACKET_MAX)];
    size_t size = gdb_encode(data, length, out);
    assert_true(size <= GDB_ENCODED_SIZE(length));
    assert_null(memchr(out + 1, '$', size - 1));
    assert_ptr_equal(memchr(out, '#', size), out + size - 3);
    assert_int_equal(feed(out, size), GDB_PACKET);
    assert_int_equal(decoder.length, length);
    assert_memory_equal(decoder.data, data, length);
}

static void encoding(void **state)
{
    static char data[GDB_PACKET_MAX];
    decoder = (struct gdb_decoder){ .expand_runs = true };
    round_trip("", 0);
    round_trip("#$*}", 4);
    round_trip("}}}}}}}}}}", 10);
    for (size_t length = 1; length < 300; length++) {
        memset(data, '0', length);
        data[length - 1] = 'x';
        round_trip(data, length);
        round_trip(data, length - 1);
    }
    srand(1);
    for (unsigned round = 0; round < 200; round++) {
        for (size_t k = 0; k < sizeof(data); k++)
            data[k] = (char)(rand() % (round & 1 ? 2 : 256));
        round_trip(data, (size_t)rand() % (sizeof(data) + 1));
    }
}

static void numbers(void **state)
{
    uint8_t bytes[3];
    char text[7];
    const char *at = "7fF0,2";
    uint64_t value;
    assert_true(gdb_take_number(&at, &value));
    assert_int_equal(value, 0x7FF0);
    assert_string_equal(at, ",2");
    assert_false(gdb_take_number(&at, &value));
    at = "12345678123456780";
    assert_false(gdb_take_number(&at, &value));
    assert_true(gdb_from_hex("00fFa5", bytes, 3));
    gdb_to_hex(bytes, 3, text);
    assert_string_equal(text, "00ffa5");
    assert_false(gdb_from_hex("00f", bytes, 2));
    assert_false(gdb_from_hex("0g", bytes, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_packets),
        cmocka_unit_test(damage),
        cmocka_unit_test(encoding),
        cmocka_unit_test(numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
