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

static bool complain(const char *path, const char *what, const char *fact)
{
    fprintf(stderr, "privet: %s: %s: %s\n", path, what, fact);
    return false;
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
    char fact[96];
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
    snprintf(fact, sizeof(fact), "larger than the limit of %zu bytes", limit);
    return complain(path, what, fact);
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
               EVP_DecodeFinal(context, data + length, &tail) >= 0;
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

bool file_read_base64(const char *path, const char *what, size_t limit, struct file *ret)
{
    struct file file = { 0 };
    /* Base64 with line ends takes at most 1.5 times the bytes it stands for. */
    if (!file_read(path, what, limit + limit / 2 + 64, &file))
        return false;
    if (is_base64_text(&file) && !decode_base64(&file)) {
        file_free(&file);
        return complain(path, what, "damaged base64");
    }
    *ret = file;
    return true;
}

void file_free(struct file *file)
{
    free(file->data);
    file->data = NULL;
    file->size = 0;
}
