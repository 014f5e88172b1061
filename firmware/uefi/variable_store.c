/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The variable store in memory. Order of a replacement, each step a few bytes in memory and in
 * flash: old one "being deleted"; new header, then its bit; name and data, then the bit that makes
 * it count; old one deleted. Cut anywhere, either the old one counts or the new one.
 */
#include "firmware/uefi/variable_store.h"

#include <stddef.h>
#include <string.h>

#include "firmware/uefi/guids.h"
#include "firmware/uefi/variable_flash.h"

#define STORE_FORMATTED 0x5Au
#define STORE_HEALTHY   0xFEu
#define BLANK           0xFFu
#define STATE_COUNTS    (BLANK & ~(VARIABLE_HEADER_VALID | VARIABLE_ADDED))

/* edk2's two formats; only the authenticated one is written by OVMF since 2014. */
static const struct guid guid_authenticated = {
    0xaaf32c78, 0x947b, 0x439a, { 0xa1, 0x80, 0x2e, 0x14, 0x4e, 0xc3, 0x77, 0x92 }
};
static const struct guid guid_plain = {
    0xddcf3616, 0x3275, 0x4164, { 0x98, 0xb6, 0xfe, 0x85, 0x70, 0x7f, 0xfe, 0x7d }
};

static struct variable *at(const struct variable_store *store, uint32_t offset)
{
    return (struct variable *)(void *)(store->bytes + offset);
}

static uint32_t offset_of(const struct variable_store *store, const struct variable *v)
{
    return (uint32_t)((const uint8_t *)v - store->bytes);
}

uint32_t variable_size(uint32_t name_size, uint32_t data_size)
{
    return ((uint32_t)sizeof(struct variable) + name_size + data_size + 3) & ~3u;
}

static uint32_t size_of(const struct variable *v)
{
    return variable_size(v->name_size, v->data_size);
}

const uint8_t *variable_data(const struct variable *v)
{
    return v->content + v->name_size;
}

static bool counts(const struct variable *v)
{
    return (v->state | VARIABLE_BEING_DELETED) == STATE_COUNTS;
}

static bool same_name(const struct variable *v, const void *name, uint32_t name_size,
                      const EFI_GUID *vendor)
{
    EFI_GUID copy = v->vendor; /* packed: may lie at any address */
    return v->name_size == name_size && guid_equal(&copy, vendor) &&
           memcmp(v->content, name, name_size) == 0;
}

struct variable *store_next(const struct variable_store *store, const struct variable *previous)
{
    uint32_t offset = previous ? offset_of(store, previous) + size_of(previous)
                               : (uint32_t)sizeof(struct variable_store_header);
    while (offset < store->used) {
        struct variable *v = at(store, offset);
        if (counts(v))
            return v;
        offset += size_of(v);
    }
    return NULL;
}

struct variable *store_find(const struct variable_store *store, const CHAR16 *name,
                            const EFI_GUID *vendor)
{
    size_t length = 0;
    while (name[length])
        length++;
    if (length > UINT32_MAX / sizeof(CHAR16) - 1)
        return NULL;
    uint32_t name_size = (uint32_t)((length + 1) * sizeof(CHAR16));
    struct variable *v = NULL;
    while ((v = store_next(store, v)) != NULL)
        if (same_name(v, name, name_size, vendor))
            return v;
    return NULL;
}

static uint32_t live_bytes(const struct variable_store *store)
{
    uint32_t total = 0;
    const struct variable *v = NULL;
    while ((v = store_next(store, v)) != NULL)
        total += size_of(v);
    return total;
}

uint32_t store_free(const struct variable_store *store)
{
    return store->size - (uint32_t)sizeof(struct variable_store_header) - live_bytes(store);
}

void store_format(struct variable_store *store, uint8_t *bytes, uint32_t size)
{
    struct variable_store_header header = { .format = guid_authenticated,
                                            .size = size,
                                            .formatted = STORE_FORMATTED,
                                            .healthy = STORE_HEALTHY };
    memset(bytes, BLANK, size);
    memcpy(bytes, &header, sizeof(header));
    *store = (struct variable_store){ .bytes = bytes, .size = size, .used = sizeof(header) };
}

/* Is the name a string that ends where it says, and are the attributes some that we know? */
static bool content_valid(const struct variable *v)
{
    const uint32_t access = EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS;
    const uint32_t known = access | EFI_VARIABLE_NON_VOLATILE |
                           EFI_VARIABLE_HARDWARE_ERROR_RECORD |
                           EFI_VARIABLE_AUTHENTICATED_WRITE_ACCESS |
                           EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS |
                           EFI_VARIABLE_ENHANCED_AUTHENTICATED_ACCESS;
    if ((v->attributes & ~known) || !(v->attributes & EFI_VARIABLE_BOOTSERVICE_ACCESS) ||
        !(v->attributes & EFI_VARIABLE_NON_VOLATILE))
        return false;
    for (uint32_t i = 0; i + 1 < v->name_size; i += 2) {
        bool last = i + 2 == v->name_size, nul = !v->content[i] && !v->content[i + 1];
        if (last != nul)
            return false;
    }
    return true;
}

/* Could there be a variable of these sizes in the `left` bytes? */
static bool sizes_valid(const struct variable *v, uint32_t left)
{
    return v->name_size >= 2 * sizeof(CHAR16) && v->name_size % sizeof(CHAR16) == 0 &&
           v->name_size <= left && v->data_size != 0 && v->data_size <= left &&
           size_of(v) <= left;
}

/*
 * Two of one name: of one that is being deleted and another, the other counts; else the first, as in
 * edk2, and there is damage.
 */
static enum store_state drop_double(const struct variable_store *store, struct variable *v)
{
    struct variable *other = NULL;
    EFI_GUID vendor = v->vendor;
    while ((other = store_next(store, other)) != v) {
        if (!same_name(other, v->content, v->name_size, &vendor))
            continue;
        bool old = !(other->state & VARIABLE_BEING_DELETED);
        bool new_too = v->state & VARIABLE_BEING_DELETED;
        (old ? other : v)->state &= (uint8_t)~VARIABLE_DELETED;
        return !old && new_too ? STORE_DAMAGED : STORE_UNTIDY;
    }
    return STORE_GOOD;
}

/* Both are multiples of four, like every place in a store. */
static bool is_blank(const uint8_t *bytes, uint32_t length)
{
    const uint32_t *word = (const void *)bytes;
    for (; length; length -= sizeof(*word))
        if (*word++ != UINT32_MAX)
            return false;
    return true;
}

static enum store_state check_header(const struct variable_store_header *header, uint32_t size)
{
    EFI_GUID format = header->format;
    if (guid_equal(&format, &guid_plain))
        return STORE_FOREIGN;
    if (!guid_equal(&format, &guid_authenticated) || header->size != size ||
        header->formatted != STORE_FORMATTED || header->healthy != STORE_HEALTHY)
        return STORE_BROKEN;
    return STORE_GOOD;
}

static enum store_state worse(enum store_state a, enum store_state b)
{
    return a > b ? a : b;
}

static enum store_state adopt_one(const struct variable_store *store, struct variable *v)
{
    if (content_valid(v))
        return drop_double(store, v);
    v->state &= (uint8_t)~VARIABLE_DELETED;
    return STORE_DAMAGED;
}

enum store_state store_adopt(struct variable_store *store, uint8_t *bytes, uint32_t size)
{
    struct variable_store s = { .bytes = bytes, .size = size };
    enum store_state state = check_header((const void *)bytes, size);
    if (state != STORE_GOOD)
        return state;
    s.used = sizeof(struct variable_store_header);
    while (size - s.used >= sizeof(struct variable)) {
        struct variable *v = at(&s, s.used);
        if (v->start != VARIABLE_START || (v->state & VARIABLE_HEADER_VALID))
            break; /* the end, or a header that was never finished */
        if (!sizes_valid(v, size - s.used)) {
            state = STORE_DAMAGED;
            break;
        }
        s.used += size_of(v);
        if (counts(v))
            state = worse(state, adopt_one(&s, v));
    }
    if (!is_blank(bytes + s.used, size - s.used)) {
        state = worse(state, STORE_UNTIDY);
        memset(bytes + s.used, BLANK, size - s.used);
    }
    *store = s;
    return state;
}

/* Bytes to an offset, in flash first. False: that failed, now or before. */
static bool change(struct variable_store *store, uint32_t offset, const void *data, size_t length)
{
    if (store->failed)
        return false;
    if (store->lasting && !variable_flash_program(offset, data, length)) {
        store->failed = true;
        return false;
    }
    memcpy(store->bytes + offset, data, length);
    return true;
}

/* Clears a bit of a variable's state. */
static bool advance(struct variable_store *store, uint32_t variable, uint8_t bit)
{
    uint8_t state = at(store, variable)->state & (uint8_t)~bit;
    return change(store, variable + offsetof(struct variable, state), &state, sizeof(state));
}

static bool append(struct variable_store *store, struct variable *v)
{
    uint32_t place = store->used, header = sizeof(*v);
    v->start = VARIABLE_START;
    v->reserved = 0;
    v->state = BLANK;
    if (!change(store, place, v, header) || !advance(store, place, VARIABLE_HEADER_VALID) ||
        !change(store, place + header, v->content, v->name_size + v->data_size) ||
        !advance(store, place, VARIABLE_ADDED))
        return false;
    store->used += size_of(v);
    return true;
}

/* Moves what counts together, in memory only. */
static void compact(struct variable_store *store)
{
    uint32_t to = sizeof(struct variable_store_header);
    struct variable *v, *next = store_next(store, NULL);
    while ((v = next) != NULL) {
        uint32_t size = size_of(v);
        next = store_next(store, v); /* lies behind all that is overwritten now */
        v->state |= VARIABLE_BEING_DELETED;
        memmove(store->bytes + to, v, size);
        to += size;
    }
    memset(store->bytes + to, BLANK, store->used - to);
    store->used = to;
}

static EFI_STATUS replace_flash(struct variable_store *store)
{
    if (store->lasting && !variable_flash_replace(store->bytes, store->used)) {
        store->failed = true;
        return EFI_DEVICE_ERROR;
    }
    return EFI_SUCCESS;
}

EFI_STATUS store_tidy(struct variable_store *store)
{
    if (store->failed)
        return EFI_DEVICE_ERROR;
    compact(store);
    return replace_flash(store);
}

/* The whole store anew, with `v` instead of `old`: where there is no room for both. */
static EFI_STATUS put_tidy(struct variable_store *store, struct variable *old, struct variable *v)
{
    bool lasting = store->lasting;
    uint32_t room = store_free(store) + (old ? size_of(old) : 0);
    if (store->failed)
        return EFI_DEVICE_ERROR;
    if (size_of(v) > room)
        return EFI_OUT_OF_RESOURCES;
    if (old)
        old->state &= (uint8_t)~VARIABLE_DELETED;
    compact(store);
    store->lasting = false;
    (void)append(store, v);
    store->lasting = lasting;
    return replace_flash(store);
}

EFI_STATUS store_put(struct variable_store *store, struct variable *old, struct variable *v)
{
    uint32_t old_place = old ? offset_of(store, old) : 0;
    if (size_of(v) > store->size - store->used)
        return put_tidy(store, old, v);
    if ((old && !advance(store, old_place, VARIABLE_BEING_DELETED)) || !append(store, v) ||
        (old && !advance(store, old_place, VARIABLE_DELETED)))
        return EFI_DEVICE_ERROR;
    return EFI_SUCCESS;
}

EFI_STATUS store_delete(struct variable_store *store, struct variable *v)
{
    return advance(store, offset_of(store, v), VARIABLE_DELETED) ? EFI_SUCCESS : EFI_DEVICE_ERROR;
}
