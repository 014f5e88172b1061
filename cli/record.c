/* SPDX-License-Identifier: BSD-2-Clause-Patent */
#include "cli/record.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/print.h"
#include "owner/snp_certs.h"

#define VALUE_COLUMN 26

void print_json_string(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < ' ' || c > '~')
            printf("\\u%04x", c);
        else
            printf(c == '"' || c == '\\' ? "\\%c" : "%c", c);
    }
    putchar('"');
}

static void begin(struct record *record, const char *name)
{
    if (record->json)
        printf("%s\"%s\":", record->any ? "," : "", name);
    else
        printf("%*s%-*s", (int)record->indent, "", VALUE_COLUMN - (int)record->indent, name);
    record->any = true;
}

static void end(const struct record *record)
{
    if (!record->json)
        putchar('\n');
}

void record_text(struct record *record, const char *name, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    begin(record, name);
    if (record->json)
        print_json_string(text);
    else
        fputs(text, stdout);
    end(record);
}

void record_number(struct record *record, const char *name, uint64_t value)
{
    begin(record, name);
    printf("%llu", (unsigned long long)value);
    end(record);
}

void record_mask(struct record *record, const char *name, uint64_t value)
{
    record_text(record, name, "0x%llx", (unsigned long long)value);
}

void record_bool(struct record *record, const char *name, bool value)
{
    begin(record, name);
    fputs(record->json ? (value ? "true" : "false") : (value ? "yes" : "no"), stdout);
    end(record);
}

void record_hex(struct record *record, const char *name, const uint8_t *data, size_t size)
{
    begin(record, name);
    if (record->json)
        putchar('"');
    print_hex(data, size);
    if (record->json)
        putchar('"');
    end(record);
}

void record_tcb(struct record *record, const char *name, bool turin, const uint8_t *tcb)
{
    char text[128] = "";
    for (unsigned i = 0; i < OWNER_SNP_TCB_SIZE; i++) {
        const char *part = owner_snp_tcb_part(turin, i);
        size_t used = strlen(text);
        if (part)
            snprintf(text + used, sizeof(text) - used, "%s%s=%u", used ? " " : "", part, tcb[i]);
    }
    record_text(record, name, "%s", text);
}
