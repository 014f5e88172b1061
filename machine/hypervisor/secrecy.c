/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What the guest holds and what DRAM shows: the marker search and the memory dump. */
#define _GNU_SOURCE
#include "machine/hypervisor/guest.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static uint64_t count_in_page(const uint8_t *page, const char *text)
{
    size_t length = strlen(text);
    const uint8_t *from = page, *end = page + MEMORY_PAGE_SIZE;
    uint64_t count = 0;
    while ((from = memmem(from, (size_t)(end - from), text, length))) {
        count++;
        from += length;
    }
    return count;
}

/* Occurrences inside pages of RAM, each page in the current view or all in the raw one. */
static uint64_t count_in_ram(struct memory *memory, const char *text, bool raw)
{
    uint8_t page[MEMORY_PAGE_SIZE];
    uint64_t count = 0, base, size;
    for (unsigned range = 0; memory_ram_range(memory, range, &base, &size); range++) {
        for (uint64_t gpa = base; gpa < base + size; gpa += MEMORY_PAGE_SIZE) {
            memory_view view = raw ? MEMORY_RAW : memory_current_view(memory, gpa);
            if (!memory_touched(memory, gpa))
                continue;
            if (memory_read(memory, gpa, page, sizeof(page), view) == 0)
                count += count_in_page(page, text);
        }
    }
    return count;
}

void guest_search(struct guest *guest, const char *text, struct secrecy *ret)
{
    ret->in_guest_view = count_in_ram(guest->memory, text, false);
    ret->in_dram = count_in_ram(guest->memory, text, true);
}

static int write_all(int fd, const uint8_t *data, size_t length)
{
    while (length) {
        ssize_t written = write(fd, data, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return -1;
        data += written;
        length -= (size_t)written;
    }
    return 0;
}

int guest_dump(struct guest *guest, int fd)
{
    uint8_t page[MEMORY_PAGE_SIZE];
    uint64_t base, size;
    for (unsigned range = 0; memory_ram_range(guest->memory, range, &base, &size); range++) {
        for (uint64_t gpa = base; gpa < base + size; gpa += MEMORY_PAGE_SIZE) {
            if (memory_read(guest->memory, gpa, page, sizeof(page), MEMORY_RAW) != 0 ||
                write_all(fd, page, sizeof(page)) != 0)
                return -1;
        }
    }
    return 0;
}
