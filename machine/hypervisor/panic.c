/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Lines of the guest's consoles, looked at as they end. Bytes are the guest's: only shown ones stay. */
#include "machine/hypervisor/panic.h"

#include <ctype.h>
#include <string.h>

static const char panic_words[] = "Kernel panic - not syncing: ";
static const char final_words[] = "---[ end Kernel panic - not syncing: ";

static bool begins(const char *text, const char *words)
{
    return strncmp(text, words, strlen(words)) == 0;
}

/* printk's own: "<0>", and "[    1.234567] " or with a caller, "[    1.234567][    T1] ". */
static const char *behind_stamp(const char *line)
{
    if (line[0] == '<' && isdigit((unsigned char)line[1]) && line[2] == '>')
        line += 3;
    while (*line == '[') {
        const char *end = strchr(line, ']');
        if (!end)
            return line;
        line = end + 1;
    }
    return *line == ' ' ? line + 1 : line;
}

static enum panic_news look_at(struct panic_watch *watch, const char *line)
{
    const char *text = behind_stamp(line);
    if (begins(text, panic_words) && !watch->why[0]) {
        memcpy(watch->why, text, strlen(text) + 1);
        return PANIC_SEEN;
    }
    if (begins(text, final_words) && watch->why[0] && !watch->final) {
        watch->final = true;
        return PANIC_FINAL;
    }
    return PANIC_NOTHING;
}

enum panic_news panic_character(struct panic_watch *watch, unsigned index, char c)
{
    char *text = watch->line[index].text;
    size_t *length = &watch->line[index].length;
    if (c == '\r')
        return PANIC_NOTHING;
    if (c != '\n') {
        if (*length < PANIC_LINE_SIZE - 1)
            text[(*length)++] = c >= ' ' && c <= '~' ? c : '?';
        return PANIC_NOTHING;
    }
    text[*length] = '\0';
    *length = 0;
    return look_at(watch, text);
}

void panic_forget(struct panic_watch *watch)
{
    memset(watch, 0, sizeof(*watch));
}
