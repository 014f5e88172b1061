/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Whole input files: bounded, named in every complaint. */
#include "cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/error.h"

static bool complain(const char *path, const char *what, const char *fact)
{
    error_say("%s: %s: %s", path, what, fact);
    return false;
}

static bool too_large(const char *path, const char *what, size_t limit)
{
    char fact[96];
    snprintf(fact, sizeof(fact), "larger than the limit of %zu bytes", limit);
    return complain(path, what, fact);
}

static bool grow(struct file *file, size_t *room, size_t limit)
{
    size_t next = *room ? *room * 2 : 65536;
    if (next > limit + 1)
        next = limit + 1;
    uint8_t *data = realloc(file->data, next);
    if (!data)
        return false;
    file->data = data;
    *room = next;
    return true;
}

/* 0, or an errno value; EFBIG past the limit. */
static int read_all(int fd, size_t limit, struct file *file)
{
    size_t room = 0;
    struct stat status;
    if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
        return EISDIR;
    for (;;) {
        if (file->size == room && !grow(file, &room, limit))
            return ENOMEM;
        ssize_t got = read(fd, file->data + file->size, room - file->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno;
        if (got == 0)
            return 0;
        file->size += (size_t)got;
        if (file->size > limit)
            return EFBIG;
    }
}

bool file_read(const char *path, const char *what, size_t limit, struct file *ret)
{
    struct file file = { 0 };
    int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    int failure = fd < 0 ? errno : read_all(fd, limit, &file);
    if (fd >= 0)
        close(fd);
    if (failure == 0 && file.size) {
        *ret = file;
        return true;
    }
    file_free(&file);
    if (failure == 0)
        return complain(path, what, "the file is empty");
    if (failure != EFBIG)
        return complain(path, what, strerror(failure));
    return too_large(path, what, limit);
}

static bool is_base64_text(const struct file *file)
{
    for (size_t at = 0; at < file->size; at++) {
        uint8_t c = file->data[at];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!letter && c != '+' && c != '/' && c != '=' && c != '\n' && c != '\r')
            return false;
    }
    return true;
}

static bool decode_base64(struct file *file)
{
    uint8_t *data = malloc(file->size + 3);
    EVP_ENCODE_CTX *context = EVP_ENCODE_CTX_new();
    int length = 0, tail = 0;
    bool done = data && context;
    if (done) {
        EVP_DecodeInit(context);
        done = EVP_DecodeUpdate(context, data, &length, file->data, (int)file->size) >= 0 &&
               EVP_DecodeFinal(context, data + length, &tail) >= 0 && length + tail > 0;
    }
    EVP_ENCODE_CTX_free(context);
    if (!done) {
        free(data);
        return false;
    }
    free(file->data);
    file->data = data;
    file->size = (size_t)(length + tail);
    return true;
}

static bool undo_base64(const char *path, const char *what, struct file *file)
{
    if (!is_base64_text(file) || decode_base64(file))
        return true;
    file_free(file);
    return complain(path, what, "damaged base64");
}

/* The file had room for text: the value itself is bounded here. */
static bool check_limit(const char *path, const char *what, size_t limit, struct file *file)
{
    if (file->size <= limit)
        return true;
    file_free(file);
    return too_large(path, what, limit);
}

bool file_read_base64(const char *path, const char *what, size_t limit, struct file *ret)
{
    /* Base64 with line ends takes at most 1.5 times the bytes it stands for. */
    return file_read(path, what, limit + limit / 2 + 64, ret) && undo_base64(path, what, ret) &&
           check_limit(path, what, limit, ret);
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place, passing over white space; false and unchanged if there is anything else in it. */
static bool undo_hex(struct file *file)
{
    size_t digits = 0;
    for (size_t i = 0; i < file->size; i++) {
        bool space = file->data[i] == ' ' || (file->data[i] >= '\t' && file->data[i] <= '\r');
        if (!space && hex_digit(file->data[i]) < 0)
            return false;
        digits += !space;
    }
    if (digits == 0 || digits % 2)
        return false;
    size_t done = 0;
    for (size_t i = 0; i < file->size; i++) {
        int digit = hex_digit(file->data[i]);
        if (digit < 0)
            continue;
        uint8_t high = done % 2 ? file->data[done / 2] : 0;
        file->data[done / 2] = (uint8_t)(high << 4 | digit);
        done++;
    }
    file->size = digits / 2;
    return true;
}

bool file_read_value(const char *path, const char *what, size_t limit, struct file *ret)
{
    return file_read(path, what, 2 * limit + limit / 2 + 64, ret) &&
           (undo_hex(ret) || undo_base64(path, what, ret)) && check_limit(path, what, limit, ret);
}

static bool copy(const void *data, size_t size, struct file *ret)
{
    *ret = (struct file){ .data = malloc(size + 1), .size = size };
    if (!ret->data)
        return false;
    memcpy(ret->data, data, size);
    return true;
}

bool text_value(const void *text, size_t length, size_t wanted, struct file *ret)
{
    struct file hex = { 0 }, base64 = { 0 };
    bool is_hex = copy(text, length, &hex) && undo_hex(&hex);
    bool is_base64 = length && copy(text, length, &base64) && is_base64_text(&base64) &&
                     decode_base64(&base64);
    /* Few digits may be both; then the right number of bytes decides. */
    bool use_base64 = is_base64 && (!is_hex || (hex.size != wanted && base64.size == wanted));
    bool found = is_hex || is_base64;
    if (found)
        *ret = use_base64 ? base64 : hex;
    if (!found || use_base64)
        file_free(&hex);
    if (!found || !use_base64)
        file_free(&base64);
    return found;
}

void file_free(struct file *file)
{
    free(file->data);
    file->data = NULL;
    file->size = 0;
}
