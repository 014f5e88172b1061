/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Device paths to text. A node that does not fit its kind exactly, or has no kind, is written in
 * the generic form with all its bytes, so that no text hides what a path contains. Text is written
 * twice: first only counted, then into memory of that size.
 */
#include "firmware/uefi/devicepath_text.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

struct sink {
    CHAR16 *out; /* NULL: only count */
    size_t length;
};

static void put(struct sink *sink, CHAR16 letter)
{
    if (sink->out)
        sink->out[sink->length] = letter;
    sink->length++;
}

static void put_text(struct sink *sink, const char *text)
{
    for (; *text; text++)
        put(sink, (uint8_t)*text);
}

static void put_number(struct sink *sink, uint64_t value, unsigned base, unsigned width)
{
    char digits[24];
    unsigned count = 0;
    do {
        digits[count++] = "0123456789ABCDEF"[value % base];
        value /= base;
    } while (value || count < width);
    while (count > 0)
        put(sink, (uint8_t)digits[--count]);
}

static void put_hex(struct sink *sink, uint64_t value)
{
    put_text(sink, "0x");
    put_number(sink, value, 16, 1);
}

static void put_bytes(struct sink *sink, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_number(sink, bytes[i], 16, 2);
}

static void put_guid(struct sink *sink, const uint8_t *bytes)
{
    static const struct {
        uint8_t first, count, dash;
        int8_t step;
    } groups[] = {
        { 3, 4, 1, -1 }, { 5, 2, 1, -1 }, { 7, 2, 1, -1 }, { 8, 2, 1, 1 }, { 10, 6, 0, 1 }
    };
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        for (int at = groups[i].first, n = 0; n < groups[i].count; n++, at += groups[i].step)
            put_number(sink, bytes[at], 16, 2);
        if (groups[i].dash)
            put(sink, '-');
    }
}

static uint64_t number(const uint8_t *bytes, size_t size)
{
    uint64_t value = 0;
    while (size-- > 0)
        value = value << 8 | bytes[size];
    return value;
}

/* ASCII up to NUL; what cannot be printed becomes '?'. */
static void put_ascii(struct sink *sink, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count && bytes[i]; i++)
        put(sink, bytes[i] >= ' ' && bytes[i] < 0x7F ? bytes[i] : '?');
}

static void put_word(struct sink *sink, uint64_t value, const char *words)
{
    for (uint64_t i = 0; i < value; i++) {
        while (*words && *words != '|' && *words != ' ')
            words++;
        if (*words != '|') {
            put_hex(sink, value);
            return;
        }
        words++;
    }
    for (; *words && *words != '|' && *words != ' '; words++)
        put(sink, (uint8_t)*words);
}

static void put_eisa(struct sink *sink, uint32_t id)
{
    if ((id & 0xFFFF) != 0x41D0) { /* "PNP" in five bits a letter */
        put_text(sink, "0x");
        put_number(sink, id, 16, 8);
        return;
    }
    put_text(sink, "PNP");
    put_number(sink, id >> 16, 16, 4);
}

static void put_ipv4(struct sink *sink, const uint8_t *bytes)
{
    for (unsigned i = 0; i < 4; i++) {
        put_number(sink, bytes[i], 10, 1);
        if (i < 3)
            put(sink, '.');
    }
}

static void put_ipv6(struct sink *sink, const uint8_t *bytes)
{
    for (unsigned i = 0; i < 16; i += 2) {
        put_bytes(sink, bytes + i, 2);
        if (i < 14)
            put(sink, ':');
    }
}

static void put_protocol(struct sink *sink, uint64_t protocol)
{
    if (protocol == 17)
        put_text(sink, "UDP");
    else if (protocol == 6)
        put_text(sink, "TCP");
    else
        put_hex(sink, protocol);
}

/* The signature's 16 bytes, then the partition table's and the signature's type. */
static void put_signature(struct sink *sink, const uint8_t *bytes)
{
    switch (bytes[17]) {
    case 1:
        put_text(sink, "MBR,0x");
        put_number(sink, number(bytes, 4), 16, 8);
        break;
    case 2:
        put_text(sink, "GPT,");
        put_guid(sink, bytes);
        break;
    default:
        put_number(sink, bytes[17], 10, 1);
        put_text(sink, ",0");
    }
}

static void put_reversed(struct sink *sink, const uint8_t *bytes, size_t count)
{
    while (count-- > 0) {
        put_number(sink, bytes[count], 16, 2);
        if (count)
            put(sink, '-');
    }
}

static void put_numbers(struct sink *sink, const uint8_t *bytes, size_t count, size_t size)
{
    for (size_t i = 0; i + size <= count; i += size) {
        if (i)
            put(sink, ',');
        put_hex(sink, number(bytes + i, size));
    }
}

static void put_item(struct sink *sink, const struct devicepath_item *item, const uint8_t *data,
                     size_t length)
{
    const uint8_t *at = data + item->offset;
    size_t rest = length - item->offset, size = item->size;
    switch (item->kind) {
    case 'x':
        put_hex(sink, number(at, size));
        break;
    case 'd':
        put_number(sink, number(at, size), 10, 1);
        break;
    case 'h':
        put_number(sink, number(at, size), 16, (unsigned)size * 2);
        break;
    case 'g':
        put_guid(sink, at);
        break;
    case 'b':
        put_bytes(sink, at, size ? size : rest);
        break;
    case 'H':
        put_text(sink, "0x");
        put_bytes(sink, at, size);
        break;
    case 's':
    case 'z':
        put_ascii(sink, at, rest);
        break;
    case 'A':
        put_numbers(sink, at, rest, size);
        break;
    case 'k':
        put_word(sink, number(at, size), item->argument);
        break;
    case '4':
        put_ipv4(sink, at);
        break;
    case '6':
        put_ipv6(sink, at);
        break;
    case 'p':
        put_protocol(sink, number(at, size));
        break;
    case 'E':
        put_eisa(sink, (uint32_t)number(at, size));
        break;
    case 'M':
        put_bytes(sink, at, at[32] <= 1 ? 6 : 32);
        break;
    case 'N':
        put_reversed(sink, at, size);
        break;
    case 'S':
        put_signature(sink, at);
        break;
    case 'D':
        if (number(at, size))
            put_number(sink, number(at, size), 10, 1);
        else
            put_text(sink, "DEFAULT");
        break;
    }
}

/* Has the node all that the kind needs, its constants, and nothing that it would not show? */
static bool fits(const struct devicepath_kind *kind, const uint8_t *data, size_t length)
{
    const char *format = kind->format;
    struct devicepath_item item;
    size_t shown = 0;
    bool rest = false;
    while (devicepath_next_item(&format, &item)) {
        uint8_t constant[16];
        size_t end = item.offset + item.size;
        if (!item.optional && end > length)
            return false;
        if (item.kind == '=' && memcmp(data + item.offset, constant,
                                       devicepath_hex(item.argument, constant, item.size)) != 0)
            return false;
        if (item.kind == 'A' && (length == 0 || length % item.size != 0))
            return false;
        rest |= item.kind == 'A' || item.size == 0;
        shown = end <= length && end > shown ? end : shown;
    }
    return rest ? length >= shown : length == shown;
}

static void put_kind(struct sink *sink, const struct devicepath_kind *kind, const uint8_t *data,
                     size_t length, bool display)
{
    const char *format = kind->format;
    struct devicepath_item item;
    bool first = true;
    put_text(sink, kind->name);
    put(sink, '(');
    while (devicepath_next_item(&format, &item)) {
        bool there = item.offset + item.size <= length && (item.size || item.offset < length);
        if (item.kind == '=' || (item.optional && (!there || (display && item.kind != 'b'))))
            continue;
        if (!first)
            put(sink, ',');
        put_item(sink, &item, data, length);
        first = false;
    }
    put(sink, ')');
}

static void put_generic(struct sink *sink, const EFI_DEVICE_PATH_PROTOCOL *node,
                        const uint8_t *data, size_t length)
{
    const char *name = devicepath_generic_name(node->Type);
    put_text(sink, name ? name : "Path");
    put(sink, '(');
    if (!name) {
        put_number(sink, node->Type, 10, 1);
        put(sink, ',');
    }
    put_number(sink, node->SubType, 10, 1);
    if (length)
        put(sink, ',');
    put_bytes(sink, data, length);
    put(sink, ')');
}

static void put_file(struct sink *sink, const uint8_t *data, size_t length)
{
    for (size_t i = 0; i + 2 <= length && (data[i] || data[i + 1]); i += 2)
        put(sink, (CHAR16)(data[i] | data[i + 1] << 8));
}

static void put_node(struct sink *sink, const EFI_DEVICE_PATH_PROTOCOL *node, bool display)
{
    const uint8_t *data = (const uint8_t *)(node + 1);
    size_t length = devicepath_node_length(node) - sizeof(*node);
    if (node->Type == MEDIA_DEVICE_PATH && node->SubType == MEDIA_FILEPATH_DP) {
        put_file(sink, data, length);
        return;
    }
    for (size_t i = 0; i < devicepath_kind_count; i++) {
        const struct devicepath_kind *kind = &devicepath_kinds[i];
        if (kind->type == node->Type && kind->sub_type == node->SubType &&
            fits(kind, data, length)) {
            put_kind(sink, kind, data, length, display);
            return;
        }
    }
    put_generic(sink, node, data, length);
}

static void put_path(struct sink *sink, const EFI_DEVICE_PATH_PROTOCOL *path, bool display)
{
    for (bool first = true; !devicepath_is_end(path); path = devicepath_next(path)) {
        if (path->Type == END_DEVICE_PATH) { /* the next instance */
            put(sink, ',');
            first = true;
            continue;
        }
        if (!first)
            put(sink, '/');
        put_node(sink, path, display);
        first = false;
    }
}

static CHAR16 *convert(void (*write)(struct sink *, const EFI_DEVICE_PATH_PROTOCOL *, bool),
                       const EFI_DEVICE_PATH_PROTOCOL *what, bool display)
{
    struct sink sink = { 0 };
    write(&sink, what, display);
    sink.out = pool_allocate(MEMORY_BOOT_DATA, (sink.length + 1) * sizeof(CHAR16));
    sink.length = 0;
    if (sink.out)
        write(&sink, what, display);
    return sink.out;
}

CHAR16 *EFIAPI devicepath_node_to_text(const EFI_DEVICE_PATH_PROTOCOL *node, BOOLEAN display,
                                       BOOLEAN shortcuts)
{
    (void)shortcuts; /* the short names say the same as the long ones */
    if (!node || devicepath_node_length(node) < sizeof(*node))
        return NULL;
    return convert(put_node, node, display);
}

CHAR16 *EFIAPI devicepath_to_text(const EFI_DEVICE_PATH_PROTOCOL *path, BOOLEAN display,
                                  BOOLEAN shortcuts)
{
    (void)shortcuts;
    return devicepath_size(path) ? convert(put_path, path, display) : NULL;
}
