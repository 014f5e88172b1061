/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Text to device paths. Texts are typed by people: arguments that are missing are zero, superfluous
 * ones are ignored, numbers are cut to their field, and what is no node of a known name is a file.
 * Nothing is read behind the text, nothing written behind a node.
 */
#include "firmware/uefi/devicepath_text.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

#define MAXIMUM_NODE 0xFFFFu
#define MAXIMUM_PATH 0x10000u
#define HEADER       sizeof(EFI_DEVICE_PATH_PROTOCOL)

struct span {
    const CHAR16 *text;
    size_t length;
};

static int digit_of(CHAR16 letter)
{
    if (letter >= '0' && letter <= '9')
        return letter - '0';
    letter |= 0x20;
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

static struct span skip_blanks(struct span span)
{
    while (span.length && *span.text == ' ') {
        span.text++;
        span.length--;
    }
    return span;
}

static uint64_t number_of(struct span span)
{
    uint64_t value = 0;
    int base = 10;
    span = skip_blanks(span);
    if (span.length > 2 && span.text[0] == '0' && (span.text[1] | 0x20) == 'x') {
        base = 16;
        span.text += 2;
        span.length -= 2;
    }
    for (size_t i = 0; i < span.length; i++) {
        int digit = digit_of(span.text[i]);
        if (digit < 0 || digit >= base)
            break;
        value = value * (unsigned)base + (unsigned)digit;
    }
    return value;
}

static void store(uint8_t *at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++, value >>= 8)
        at[i] = (uint8_t)value;
}

/* Pairs of digits, other characters between them skipped; an odd last digit is a byte. */
static size_t bytes_of(struct span span, uint8_t *out, size_t room)
{
    size_t count = 0;
    for (size_t i = 0; i < span.length && count < room; i++) {
        int high = digit_of(span.text[i]);
        if (high < 0)
            continue;
        int low = i + 1 < span.length ? digit_of(span.text[i + 1]) : -1;
        out[count++] = (uint8_t)(low < 0 ? high : high << 4 | low);
        i += low >= 0;
    }
    return count;
}

static void guid_of(struct span span, uint8_t *out)
{
    static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
    uint8_t bytes[16];
    if (span.length != 36 || bytes_of(span, bytes, sizeof(bytes)) != sizeof(bytes))
        return; /* the null GUID */
    for (size_t i = 0; i < sizeof(bytes); i++)
        out[order[i]] = bytes[i];
}

/* Is the span that word, which ends with `|`, a blank or NUL? */
static bool is_word(struct span span, const char *word)
{
    size_t i = 0;
    while (i < span.length && word[i] && span.text[i] == (uint8_t)word[i])
        i++;
    return i == span.length && (!word[i] || word[i] == '|' || word[i] == ' ');
}

static uint64_t word_of(struct span span, const char *words)
{
    for (uint64_t value = 0;; value++) {
        if (is_word(span, words))
            return value;
        while (*words && *words != '|' && *words != ' ')
            words++;
        if (*words != '|')
            return number_of(span);
        words++;
    }
}

static void ipv4_of(struct span span, uint8_t *out)
{
    for (size_t i = 0, part = 0; i < span.length && part < 4; i++) {
        if (span.text[i] == '.')
            part++;
        else if (digit_of(span.text[i]) >= 0)
            out[part] = (uint8_t)(out[part] * 10 + digit_of(span.text[i]));
    }
}

/* Groups of four digits; `::` stands for as many zero groups as are missing. */
static void ipv6_of(struct span span, uint8_t *out)
{
    uint16_t groups[8] = { 0 };
    size_t count = 0, gap = SIZE_MAX;
    bool in_group = false;
    for (size_t i = 0; i < span.length; i++) {
        int digit = digit_of(span.text[i]);
        if (digit < 0) {
            if (i > 0 && span.text[i] == ':' && span.text[i - 1] == ':')
                gap = count;
            in_group = false;
            continue;
        }
        if (!in_group && count == 8)
            break;
        count += !in_group;
        in_group = true;
        groups[count - 1] = (uint16_t)(groups[count - 1] << 4 | digit);
    }
    for (size_t i = 0; i < count; i++) {
        size_t place = i >= gap ? i + 8 - count : i;
        out[2 * place] = (uint8_t)(groups[i] >> 8);
        out[2 * place + 1] = (uint8_t)groups[i];
    }
}

static uint32_t eisa_of(struct span span)
{
    if (span.length <= 3 || !is_word((struct span){ span.text, 3 }, "PNP"))
        return (uint32_t)number_of(span);
    uint32_t product = 0;
    for (size_t i = 3; i < span.length && digit_of(span.text[i]) >= 0; i++)
        product = product << 4 | (uint32_t)digit_of(span.text[i]);
    return product << 16 | 0x41D0;
}

static uint64_t decimal(const char *text)
{
    uint64_t value = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        value = value * 10 + (unsigned)(*text - '0');
    return value;
}

/* --- a node under construction --- */

struct node {
    uint8_t *bytes; /* MAXIMUM_NODE of them, zero until written */
    size_t length;  /* with the header */
};

static uint8_t *data_at(struct node *node, size_t offset)
{
    return node->bytes + HEADER + offset;
}

static size_t room_behind(const struct node *node)
{
    return MAXIMUM_NODE - node->length;
}

static void add_ascii(struct node *node, struct span span, bool end)
{
    for (size_t i = 0; i < span.length && room_behind(node) > 1; i++)
        node->bytes[node->length++] = (uint8_t)span.text[i];
    node->length += end; /* the NUL */
}

static void read_item(struct node *node, const struct devicepath_item *item, struct span span)
{
    uint8_t *at = data_at(node, item->offset);
    switch (item->kind) {
    case 'x':
    case 'd':
        store(at, number_of(span), item->size);
        break;
    case 'D':
        store(at, is_word(span, "DEFAULT") ? decimal(item->argument) : number_of(span), item->size);
        break;
    case 'k':
        store(at, word_of(span, item->argument), item->size);
        break;
    case 'p':
        store(at,
              is_word(span, "UDP")   ? 17
              : is_word(span, "TCP") ? 6
                                     : number_of(span),
              item->size);
        break;
    case 'E':
        store(at, eisa_of(span), item->size);
        break;
    case 'h': {
        uint64_t value = 0;
        for (size_t i = 0; i < span.length && digit_of(span.text[i]) >= 0; i++)
            value = value << 4 | (unsigned)digit_of(span.text[i]);
        store(at, value, item->size);
        break;
    }
    case 'g':
        guid_of(span, at);
        break;
    case 'H':
        if (span.length > 2)
            bytes_of((struct span){ span.text + 2, span.length - 2 }, at, item->size);
        break;
    case 'b':
        if (item->size)
            bytes_of(span, at, item->size);
        else
            node->length += bytes_of(span, node->bytes + node->length, room_behind(node));
        break;
    case 'M':
        bytes_of(span, at, item->size);
        break;
    case 's':
    case 'z':
        add_ascii(node, span, item->kind == 'z');
        break;
    case '4':
        ipv4_of(span, at);
        break;
    case '6':
        ipv6_of(span, at);
        break;
    case 'N': {
        uint8_t bytes[16];
        size_t count = bytes_of(span, bytes, item->size);
        for (size_t i = 0; i < count; i++)
            at[item->size - 1 - i] = bytes[i];
        break;
    }
    }
}

/* The next argument, up to a comma outside of brackets. */
static struct span next_argument(struct span *rest)
{
    struct span argument = { rest->text, 0 };
    unsigned depth = 0;
    while (argument.length < rest->length) {
        CHAR16 letter = argument.text[argument.length];
        if (letter == ',' && depth == 0)
            break;
        depth += letter == '(';
        depth -= letter == ')' && depth > 0;
        argument.length++;
    }
    size_t used = argument.length + (argument.length < rest->length);
    rest->text += used;
    rest->length -= used;
    return argument;
}

static size_t count_arguments(struct span rest)
{
    size_t count = 0;
    for (; rest.length; count++)
        next_argument(&rest);
    return count;
}

/* The signature's type, then the signature: two arguments. */
static void read_signature(struct node *node, const struct devicepath_item *item,
                           struct span *arguments)
{
    uint8_t *at = data_at(node, item->offset);
    uint8_t type = (uint8_t)word_of(next_argument(arguments), "0|MBR|GPT");
    struct span signature = next_argument(arguments);
    at[16] = at[17] = type;
    if (type == 1)
        store(at, number_of(signature), 4);
    else if (type == 2)
        guid_of(signature, at);
}

static void read_numbers(struct node *node, const struct devicepath_item *item,
                         struct span *arguments)
{
    node->length = HEADER + item->offset;
    do {
        store(node->bytes + node->length, number_of(next_argument(arguments)), item->size);
        node->length += item->size;
    } while (arguments->length && room_behind(node) >= item->size);
}

static void read_kind(struct node *node, const struct devicepath_kind *kind, struct span arguments)
{
    const char *format = kind->format;
    struct devicepath_item item;
    size_t needed = 0;
    while (devicepath_next_item(&format, &item))
        needed += item.kind == '=' ? 0 : !item.optional;
    bool brief = count_arguments(arguments) <= needed;
    node->bytes[0] = kind->type;
    node->bytes[1] = kind->sub_type;
    node->length = HEADER + devicepath_kind_size(kind);
    format = kind->format;
    while (devicepath_next_item(&format, &item)) {
        if (item.kind == '=')
            devicepath_hex(item.argument, data_at(node, item.offset), item.size);
        else if (item.kind == 'S')
            read_signature(node, &item, &arguments);
        else if (item.kind == 'A')
            read_numbers(node, &item, &arguments);
        else if (item.kind == 's') /* commas belong to it */
            read_item(node, &item, arguments);
        else if (!(item.optional && brief))
            read_item(node, &item, next_argument(&arguments));
    }
}

/* NAME(sub-type,data), or Path(type,sub-type,data) for `type` 0 */
static void read_generic(struct node *node, uint8_t type, struct span arguments)
{
    node->bytes[0] = type ? type : (uint8_t)number_of(next_argument(&arguments));
    node->bytes[1] = (uint8_t)number_of(next_argument(&arguments));
    node->length = HEADER;
    node->length += bytes_of(next_argument(&arguments), node->bytes + HEADER, room_behind(node));
}

static void read_file(struct node *node, struct span span)
{
    node->bytes[0] = MEDIA_DEVICE_PATH;
    node->bytes[1] = MEDIA_FILEPATH_DP;
    node->length = HEADER;
    for (size_t i = 0; i < span.length && room_behind(node) >= 2 * sizeof(CHAR16); i++) {
        store(node->bytes + node->length, span.text[i], sizeof(CHAR16));
        node->length += sizeof(CHAR16);
    }
    node->length += sizeof(CHAR16);
}

static bool read_named(struct node *node, struct span name, struct span arguments)
{
    for (size_t i = 0; i < devicepath_kind_count; i++)
        if (is_word(name, devicepath_kinds[i].name)) {
            read_kind(node, &devicepath_kinds[i], arguments);
            return true;
        }
    for (uint8_t type = 1; devicepath_generic_name(type); type++)
        if (is_word(name, devicepath_generic_name(type))) {
            read_generic(node, type, arguments);
            return true;
        }
    if (!is_word(name, "Path"))
        return false;
    read_generic(node, 0, arguments);
    return true;
}

static void read_node(struct node *node, struct span span)
{
    size_t name = 0;
    while (name < span.length && span.text[name] != '(')
        name++;
    struct span arguments = { span.text + name + 1, span.length - name - 1 };
    while (name < span.length && arguments.length && arguments.text[arguments.length - 1] != ')')
        arguments.length--;
    if (name < span.length && arguments.length)
        arguments.length--; /* the closing bracket */
    if (name == span.length || !read_named(node, (struct span){ span.text, name }, arguments))
        read_file(node, span);
    store(node->bytes + 2, node->length, 2);
}

/* The text of the next node; *ret_end is `/`, `,` or NUL behind it. False: brackets stay open. */
static bool next_node(const CHAR16 **text, struct span *ret, CHAR16 *ret_end)
{
    unsigned depth = 0;
    size_t length = 0;
    const CHAR16 *at = *text;
    for (; at[length]; length++) {
        if (depth == 0 && (at[length] == '/' || at[length] == ','))
            break;
        depth += at[length] == '(';
        depth -= at[length] == ')' && depth > 0;
    }
    *ret = (struct span){ at, length };
    *ret_end = at[length];
    *text = at + length + (at[length] != 0);
    return depth == 0;
}

EFI_DEVICE_PATH_PROTOCOL *EFIAPI devicepath_node_from_text(const CHAR16 *text)
{
    struct span span;
    CHAR16 end;
    if (!text || !*text || !next_node(&text, &span, &end))
        return NULL;
    struct node node = { .bytes = pool_allocate(MEMORY_BOOT_DATA, MAXIMUM_NODE) };
    if (!node.bytes)
        return NULL;
    read_node(&node, span);
    EFI_DEVICE_PATH_PROTOCOL *result = pool_allocate(MEMORY_BOOT_DATA, node.length);
    if (result)
        memcpy(result, node.bytes, node.length);
    pool_free(node.bytes);
    return result;
}

/* The nodes of a text, one behind the other. Their length; 0: longer than a path may be. */
static size_t read_nodes(uint8_t *room, const CHAR16 *text)
{
    static const EFI_DEVICE_PATH_PROTOCOL next_instance = { END_DEVICE_PATH,
                                                            END_INSTANCE_DP,
                                                            { 4, 0 } };
    static const EFI_DEVICE_PATH_PROTOCOL path_end = { END_DEVICE_PATH, END_ENTIRE_DP, { 4, 0 } };
    struct span span;
    CHAR16 end;
    size_t used = 0;
    while (*text && next_node(&text, &span, &end)) {
        struct node node = { .bytes = room + used };
        if (span.length)
            read_node(&node, span);
        used += node.length;
        if (used > MAXIMUM_PATH - 2 * HEADER)
            return 0;
        if (end == ',') {
            memcpy(room + used, &next_instance, HEADER);
            used += HEADER;
        }
    }
    memcpy(room + used, &path_end, HEADER);
    return used + HEADER;
}

EFI_DEVICE_PATH_PROTOCOL *EFIAPI devicepath_from_text(const CHAR16 *text)
{
    if (!text || !*text)
        return NULL;
    uint8_t *room = pool_allocate(MEMORY_BOOT_DATA, MAXIMUM_PATH + MAXIMUM_NODE);
    if (!room)
        return NULL;
    EFI_DEVICE_PATH_PROTOCOL *path =
        read_nodes(room, text) ? devicepath_copy((EFI_DEVICE_PATH_PROTOCOL *)room) : NULL;
    pool_free(room);
    return path;
}
