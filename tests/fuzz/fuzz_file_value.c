/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Values as the owner's tools read them, from files and from text: raw, hexadecimal digits, base64.
 * What is read has from one byte to the limit; what is no text stays as it is; bytes written as text
 * are read back.
 *
 * Input: a byte, a byte of detail, then
 *   0: the file or the text as it is; the detail gives the limit and the size that is wanted
 *   1: bytes to write as hexadecimal digits; the detail: their case, the white space between them
 *   2: bytes to write as base64; the detail: the length of lines, and how they end
 */
#define _GNU_SOURCE /* memfd_create */
#include <ctype.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "cli/error.h"
#include "cli/file.h"
#include "tests/fuzz/memory_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct text {
    char *bytes;
    size_t size;
};

typedef bool reader(const char *path, const char *what, size_t limit, struct file *ret);

static unsigned complaints;

void error_say(const char *format, ...)
{
    (void)format;
    complaints++;
}

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

/* One complaint or a value. */
static bool read_back(reader *read, const void *data, size_t size, size_t limit, struct file *ret)
{
    char path[MEMORY_FILE_PATH];
    int fd = memory_file(data, size, path);
    complaints = 0;
    bool done = read(path, "a value", limit, ret);
    close(fd);
    require(complaints == !done, "one complaint, or a value");
    require(!done || (ret->size >= 1 && ret->size <= limit), "a value's size");
    return done;
}

static bool is_same(const struct file *file, const void *data, size_t size)
{
    return file->size == size && memcmp(file->data, data, size) == 0;
}

/* Letters, digits, signs of base64 and white space only. */
static bool is_text(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] >= 0x80 || !(isalnum(data[i]) || isspace(data[i]) || memchr("+/=", data[i], 3)))
            return false;
    }
    return true;
}

static void read_as_is(unsigned detail, const uint8_t *data, size_t size)
{
    static reader *const readers[] = { file_read, file_read_base64, file_read_value };
    const size_t limit = 1 + 8 * (size_t)detail;
    struct file file = { 0 };
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        bool done = read_back(readers[i], data, size, limit, &file);
        if (i == 0 || !is_text(data, size)) {
            require(done == (size >= 1 && size <= limit), "the limit of bytes");
            require(!done || is_same(&file, data, size), "bytes as they are");
        }
        if (done)
            file_free(&file);
    }
    if (text_value(data, size, detail, &file)) {
        require(is_text(data, size), "text of a value");
        require(file.size >= 1 && file.size <= size, "the size of text's value");
        file_free(&file);
    }
}

/* `is_certain`: the text can be read in one way only, or the size that is wanted decides. */
static void expect_text(const struct text *text, const uint8_t *data, size_t size, bool is_certain)
{
    struct file file = { 0 };
    require(text_value(text->bytes, text->size, size, &file), "text of bytes is refused");
    require(is_same(&file, data, size), "text of bytes");
    file_free(&file);
    if (!is_certain)
        return;
    require(read_back(file_read_value, text->bytes, text->size, size, &file),
            "a file of text is refused");
    require(is_same(&file, data, size), "a file of text");
    file_free(&file);
}

static void put(struct text *text, char c)
{
    text->bytes[text->size++] = c;
}

static void read_hex(unsigned detail, const uint8_t *data, size_t size)
{
    static const char spaces[] = " \t\n\v\f\r";
    const char *digits = detail & 1 ? "0123456789ABCDEF" : "0123456789abcdef";
    const size_t every = detail >> 1 & 15;
    struct text text = { malloc(3 * size), 0 };
    /* White space that the reader's room for a file is enough for. */
    for (size_t i = 0; text.bytes && i < size; i++) {
        put(&text, digits[data[i] >> 4]);
        put(&text, digits[data[i] & 15]);
        if (every > 1 && i % every == 0)
            put(&text, spaces[(detail + i) % (sizeof(spaces) - 1)]);
    }
    if (text.bytes)
        expect_text(&text, data, size, true);
    free(text.bytes);
}

static bool has_digits_only(const struct text *text)
{
    for (size_t i = 0; i < text->size; i++) {
        if (!isxdigit((unsigned char)text->bytes[i]) && !isspace((unsigned char)text->bytes[i]))
            return false;
    }
    return true;
}

static void read_base64(unsigned detail, const uint8_t *data, size_t size)
{
    const size_t line = 16 + (detail >> 1);
    uint8_t *plain = malloc(size / 3 * 4 + 5);
    struct text text = { malloc(2 * size + 16), 0 };
    int length = plain && text.bytes ? EVP_EncodeBlock(plain, data, (int)size) : 0;
    for (size_t i = 0; i < (size_t)length; i++) {
        put(&text, (char)plain[i]);
        if (i % line != line - 1)
            continue;
        if (detail & 1)
            put(&text, '\r');
        put(&text, '\n');
    }
    if (length)
        expect_text(&text, data, size, !has_digits_only(&text));
    free(plain);
    free(text.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    if (data[0] == 0)
        read_as_is(data[1], data + 2, size - 2);
    else if (data[0] == 1)
        read_hex(data[1], data + 2, size - 2);
    else
        read_base64(data[1], data + 2, size - 2);
    return 0;
}
