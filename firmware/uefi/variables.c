/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Variables (UEFI 2.10 8.2) in a store in the image's data: it serves boot and runtime, needs no
 * pointer conversion, and is lost at reset, non-volatile variables included. Loaders judge by the
 * status codes: shim powers the machine off on the wrong one.
 */
#include "firmware/lib/log.h"
#include "firmware/uefi/services.h"

#define STORE_SIZE       0x40000u
#define MAXIMUM_VARIABLE 0x8000u /* name and data */
#define BS               EFI_VARIABLE_BOOTSERVICE_ACCESS
#define RT               EFI_VARIABLE_RUNTIME_ACCESS
#define NV               EFI_VARIABLE_NON_VOLATILE

/* Records follow each other without gaps; each is padded to 8 bytes. */
struct record {
    uint32_t size; /* of the whole record */
    uint32_t attributes;
    uint32_t name_size; /* bytes, with the NUL */
    uint32_t data_size;
    EFI_GUID vendor;
    CHAR16 name[];
};

static _Alignas(8) uint8_t store[STORE_SIZE];
static size_t store_used;

static uint8_t *data_of(struct record *r)
{
    return (uint8_t *)r->name + r->name_size;
}

static struct record *record_at(size_t offset)
{
    return (struct record *)(void *)(store + offset);
}

static bool visible(const struct record *r)
{
    return !boot_services_ended || (r->attributes & RT);
}

static struct record *find(const CHAR16 *name, const EFI_GUID *vendor)
{
    size_t name_size = (utf16_length(name) + 1) * sizeof(CHAR16);
    for (size_t offset = 0; offset < store_used; offset += record_at(offset)->size) {
        struct record *r = record_at(offset);
        if (r->name_size == name_size && guid_equal(&r->vendor, vendor) &&
            memcmp(r->name, name, name_size) == 0)
            return r;
    }
    return NULL;
}

EFI_STATUS EFIAPI rt_get_variable(CHAR16 *name, EFI_GUID *vendor, UINT32 *ret_attributes,
                                  UINTN *size, VOID *data)
{
    if (!name || !vendor || !size)
        return EFI_INVALID_PARAMETER;
    struct record *r = name[0] ? find(name, vendor) : NULL;
    if (!r || !visible(r))
        return EFI_NOT_FOUND;
    UINTN room = *size;
    *size = r->data_size;
    if (ret_attributes)
        *ret_attributes = r->attributes;
    if (room < r->data_size)
        return EFI_BUFFER_TOO_SMALL;
    if (!data)
        return EFI_INVALID_PARAMETER;
    memcpy(data, data_of(r), r->data_size);
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI rt_get_next_variable_name(UINTN *size, CHAR16 *name, EFI_GUID *vendor)
{
    if (!size || !name || !vendor)
        return EFI_INVALID_PARAMETER;
    size_t limit = *size / sizeof(CHAR16), length = 0;
    while (length < limit && name[length])
        length++;
    if (length == limit)
        return EFI_INVALID_PARAMETER; /* no NUL within the buffer */
    size_t offset = 0;
    if (name[0]) {
        struct record *previous = find(name, vendor);
        if (!previous || !visible(previous))
            return EFI_INVALID_PARAMETER;
        offset = (size_t)((uint8_t *)previous - store) + previous->size;
    }
    while (offset < store_used && !visible(record_at(offset)))
        offset += record_at(offset)->size;
    if (offset >= store_used)
        return EFI_NOT_FOUND;
    struct record *next = record_at(offset);
    UINTN room = *size;
    *size = next->name_size;
    if (room < next->name_size)
        return EFI_BUFFER_TOO_SMALL;
    memcpy(name, next->name, next->name_size);
    *vendor = next->vendor;
    return EFI_SUCCESS;
}

static void erase(struct record *r)
{
    size_t offset = (size_t)((uint8_t *)r - store), size = r->size;
    memmove(store + offset, store + offset + size, store_used - offset - size);
    store_used -= size;
    memset(store + store_used, 0, size);
}

static size_t record_size(size_t name_size, size_t data_size)
{
    return (sizeof(struct record) + name_size + data_size + 7) & ~(size_t)7;
}

/* Adds at the end; the caller checked for room. */
static void append(const CHAR16 *name, const EFI_GUID *vendor, uint32_t attributes,
                   const void *data, size_t data_size)
{
    size_t name_size = (utf16_length(name) + 1) * sizeof(CHAR16);
    struct record *r = record_at(store_used);
    r->size = (uint32_t)record_size(name_size, data_size);
    r->attributes = attributes;
    r->name_size = (uint32_t)name_size;
    r->data_size = (uint32_t)data_size;
    r->vendor = *vendor;
    memcpy(r->name, name, name_size);
    memcpy(data_of(r), data, data_size);
    store_used += r->size;
}

/* UEFI 2.10 3.3: what only the firmware writes. */
static bool read_only(const CHAR16 *name, const EFI_GUID *vendor)
{
    static const char *const names[] = { "SecureBoot",        "SetupMode",
                                         "AuditMode",         "DeployedMode",
                                         "SignatureSupport",  "OsIndicationsSupported",
                                         "BootOptionSupport", "PlatformLangCodes",
                                         "VendorKeys" };
    if (!guid_equal(vendor, &guid_global_variable))
        return false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t at = 0;
        while (names[i][at] && name[at] == (uint8_t)names[i][at])
            at++;
        if (!names[i][at] && !name[at])
            return true;
    }
    return false;
}

static EFI_STATUS check_attributes(uint32_t attributes)
{
    const uint32_t known = NV | BS | RT | EFI_VARIABLE_APPEND_WRITE;
    if (attributes & EFI_VARIABLE_AUTHENTICATED_WRITE_ACCESS)
        return EFI_UNSUPPORTED; /* deprecated, UEFI 2.10 8.2.3 */
    /* There are no keys to authenticate a writer with, and no error records. */
    if ((attributes & ~known) || ((attributes & RT) && !(attributes & BS)))
        return EFI_INVALID_PARAMETER;
    return EFI_SUCCESS;
}

/* After boot services volatile variables are read-only (UEFI 2.10 8.2.3). */
static EFI_STATUS check_runtime(const struct record *old, uint32_t attributes, bool removal)
{
    if (!boot_services_ended)
        return EFI_SUCCESS;
    if (old && !(old->attributes & NV))
        return EFI_WRITE_PROTECTED;
    if (!removal && (attributes & (RT | NV)) != (RT | NV))
        return EFI_INVALID_PARAMETER;
    return EFI_SUCCESS;
}

static EFI_STATUS write_record(struct record *old, const CHAR16 *name, const EFI_GUID *vendor,
                               uint32_t attributes, size_t size, const void *data)
{
    static uint8_t joined[MAXIMUM_VARIABLE];
    size_t name_size = (utf16_length(name) + 1) * sizeof(CHAR16);
    bool appending = attributes & EFI_VARIABLE_APPEND_WRITE;
    size_t kept = old && appending ? old->data_size : 0;
    if (size > MAXIMUM_VARIABLE || name_size > MAXIMUM_VARIABLE ||
        kept + size + name_size > MAXIMUM_VARIABLE)
        return size > MAXIMUM_VARIABLE ? EFI_INVALID_PARAMETER : EFI_OUT_OF_RESOURCES;
    size_t freed = old ? old->size : 0;
    if (store_used - freed + record_size(name_size, kept + size) > STORE_SIZE)
        return EFI_OUT_OF_RESOURCES;
    if (kept)
        memcpy(joined, data_of(old), kept);
    memcpy(joined + kept, data, size);
    if (old)
        erase(old);
    append(name, vendor, attributes & ~EFI_VARIABLE_APPEND_WRITE, joined, kept + size);
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI rt_set_variable(CHAR16 *name, EFI_GUID *vendor, UINT32 attributes, UINTN size,
                                  VOID *data)
{
    if (!name || !name[0] || !vendor || (size && !data))
        return EFI_INVALID_PARAMETER;
    EFI_STATUS status = check_attributes(attributes);
    if (status != EFI_SUCCESS)
        return status;
    if (read_only(name, vendor))
        return EFI_WRITE_PROTECTED;
    struct record *old = find(name, vendor);
    if (old && !visible(old))
        return EFI_WRITE_PROTECTED;
    bool appending = attributes & EFI_VARIABLE_APPEND_WRITE;
    bool removal = (size == 0 && !appending) || !(attributes & (BS | RT));
    status = check_runtime(old, attributes, removal);
    if (status != EFI_SUCCESS)
        return status;
    if (removal) {
        if (!old)
            return EFI_NOT_FOUND;
        erase(old);
        return EFI_SUCCESS;
    }
    if (old && old->attributes != (attributes & ~EFI_VARIABLE_APPEND_WRITE))
        return EFI_INVALID_PARAMETER;
    if (size == 0)
        return EFI_SUCCESS; /* nothing appended */
    return write_record(old, name, vendor, attributes, size, data);
}

EFI_STATUS EFIAPI rt_query_variable_info(UINT32 attributes, UINT64 *ret_maximum,
                                         UINT64 *ret_remaining, UINT64 *ret_maximum_size)
{
    if (!ret_maximum || !ret_remaining || !ret_maximum_size || attributes == 0 ||
        check_attributes(attributes) == EFI_INVALID_PARAMETER || !(attributes & BS))
        return EFI_INVALID_PARAMETER;
    if (check_attributes(attributes) != EFI_SUCCESS)
        return EFI_UNSUPPORTED;
    if (boot_services_ended && !(attributes & RT))
        return EFI_INVALID_PARAMETER;
    uint64_t left = STORE_SIZE - store_used;
    *ret_maximum = STORE_SIZE;
    *ret_remaining = left > sizeof(struct record) ? left - sizeof(struct record) : 0;
    *ret_maximum_size = MAXIMUM_VARIABLE;
    return EFI_SUCCESS;
}

static void create(const char *name, const void *data, size_t size)
{
    CHAR16 wide[32] = { 0 };
    for (size_t i = 0; name[i]; i++)
        wide[i] = (uint8_t)name[i];
    append(wide, &guid_global_variable, BS | RT, data, size);
}

void variables_init(void)
{
    static const uint64_t no_indications;
    create("OsIndicationsSupported", &no_indications, sizeof(no_indications));
    create("PlatformLangCodes", "en", 3);
    create("PlatformLang", "en", 3);
}
