/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * `privet firmware vars` and `new-vars`: what is in a guest's variable store, and an empty one. What a
 * guest wrote is printed as numbers and escaped text only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/error.h"
#include "cli/file.h"
#include "cli/firmware.h"
#include "cli/print.h"
#include "cli/vars_image.h"
#include "sev/bytes.h"

#define IMAGE_LIMIT (8u << 20)

enum { SHOWN = 24 /* bytes of data on a line of text */ };

static const char *const attribute_names[] = { "NV", "BS", "RT", "HR", "AW", "AT", "AP", "EA" };

/* ASCII as it is, everything else as JSON's \uXXXX. */
static void print_name(const struct vars_variable *variable)
{
    for (size_t i = 0; i + 2 < variable->name_size; i += 2) {
        uint16_t unit = load_le16(variable->name + i);
        bool plain = unit > ' ' && unit < 127 && unit != '"' && unit != '\\';
        printf(plain ? "%c" : "\\u%04x", unit);
    }
}

static void print_attributes(uint32_t attributes)
{
    const char *separator = "";
    for (unsigned i = 0; i < sizeof(attribute_names) / sizeof(attribute_names[0]); i++) {
        if (attributes >> i & 1) {
            printf("%s%s", separator, attribute_names[i]);
            separator = "+";
        }
    }
}

static void print_line(const struct vars_variable *variable)
{
    size_t shown = variable->data_size < SHOWN ? variable->data_size : SHOWN;
    print_guid(variable->guid);
    putchar(' ');
    print_name(variable);
    putchar(' ');
    print_attributes(variable->attributes);
    printf(" %zu bytes: ", variable->data_size);
    print_hex(variable->data, shown);
    printf("%s\n", shown < variable->data_size ? "..." : "");
}

static void print_object(const struct vars_variable *variable)
{
    printf("{\"guid\":\"");
    print_guid(variable->guid);
    printf("\",\"name\":\"");
    print_name(variable);
    printf("\",\"attributes\":%u,\"attribute-names\":\"", variable->attributes);
    print_attributes(variable->attributes);
    printf("\",\"size\":%zu,\"data\":\"", variable->data_size);
    print_hex(variable->data, variable->data_size);
    printf("\"}");
}

int firmware_vars(const char *path, bool json)
{
    struct file file;
    struct vars_image image;
    struct vars_variable variable;
    const char *separator = "";
    if (!file_read(path, "variable store", IMAGE_LIMIT, &file))
        return 1;
    const char *reason = vars_open(file.data, file.size, &image);
    if (reason) {
        error_say("%s: %s", path, reason);
        file_free(&file);
        return 1;
    }
    if (json)
        printf("{\"store-size\":%zu,\"variables\":[", image.size);
    while (vars_next(&image, &variable)) {
        printf("%s", separator);
        (json ? print_object : print_line)(&variable);
        separator = json ? "," : "";
    }
    if (json)
        printf("],\"damaged\":%s}\n", image.damaged ? "true" : "false");
    bool damaged = image.damaged;
    file_free(&file);
    if (!output_flush())
        return 1;
    if (damaged)
        error_verdict("%s: the variable store is damaged, there may be more variables", path);
    return damaged ? 1 : 0;
}

int firmware_new_vars(const char *path, bool small)
{
    size_t size = small ? VARS_SIZE_2M : VARS_SIZE_4M;
    if (strcmp(path, "-") != 0 && access(path, F_OK) == 0) {
        error_say("%s: is there already; its variables would be lost", path);
        return 1;
    }
    uint8_t *data = malloc(size);
    if (!data) {
        error_say("out of memory");
        return 1;
    }
    vars_make(data, size);
    bool done = file_write(path, data, size, 0666);
    free(data);
    return done ? 0 : 1;
}
