/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The variable services (UEFI 2.10 8.2): who may do what, over two stores, one of volatile variables
 * and one of those that last when there is flash for them. Loaders judge by the status codes: shim
 * powers the machine off on the wrong one. Where the specification leaves room, they are edk2's.
 */
#include <stddef.h>

#include "firmware/boot/direct.h"
#include "firmware/lib/log.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"
#include "firmware/uefi/variable_flash.h"
#include "firmware/uefi/variable_rules.h"

#define VOLATILE_SIZE 0x20000u
#define VARIABLE_MAX  0x8400u /* name, data and header, as OVMF */
#define CONTENT_MAX   (VARIABLE_MAX - sizeof(struct variable))
#define BS            EFI_VARIABLE_BOOTSERVICE_ACCESS
#define RT            EFI_VARIABLE_RUNTIME_ACCESS
#define NV            EFI_VARIABLE_NON_VOLATILE
#define APPEND        EFI_VARIABLE_APPEND_WRITE
#define AUTHENTICATED                                                                              \
    (EFI_VARIABLE_AUTHENTICATED_WRITE_ACCESS |                                                     \
     EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS |                                          \
     EFI_VARIABLE_ENHANCED_AUTHENTICATED_ACCESS)

static _Alignas(8) uint8_t volatile_bytes[VOLATILE_SIZE], lasting_bytes[VARIABLE_STORE_MAX];
static struct variable_store volatile_store, lasting_store;
static struct flash_chip chip;

/* A variable on its way into a store. */
static _Alignas(8) uint8_t scratch[VARIABLE_MAX];

/* Variable services may be called up to TPL_CALLBACK, and not while one is at work. */
static EFI_TPL lock(void)
{
    if (boot_services_ended)
        return TPL_APPLICATION;
    EFI_TPL old = bs_raise_tpl(TPL_HIGH_LEVEL);
    if (old < TPL_NOTIFY)
        bs_restore_tpl(TPL_NOTIFY); /* time goes on while flash is written */
    return old;
}

static EFI_STATUS unlock(EFI_TPL old, EFI_STATUS status)
{
    if (!boot_services_ended)
        bs_restore_tpl(old);
    return status;
}

static bool visible(const struct variable *v)
{
    return !boot_services_ended || (v->attributes & RT);
}

static struct variable *find(const CHAR16 *name, const EFI_GUID *vendor,
                             struct variable_store **ret_store)
{
    struct variable *v = store_find(&volatile_store, name, vendor);
    *ret_store = &volatile_store;
    if (v)
        return v;
    *ret_store = &lasting_store;
    return store_find(&lasting_store, name, vendor);
}

static EFI_STATUS get(const CHAR16 *name, const EFI_GUID *vendor, UINT32 *ret_attributes,
                      UINTN *size, void *data)
{
    struct variable_store *store;
    struct variable *v = find(name, vendor, &store);
    if (!v || !visible(v))
        return EFI_NOT_FOUND;
    UINTN room = *size;
    if (room >= v->data_size && !data)
        return EFI_INVALID_PARAMETER;
    *size = v->data_size;
    if (ret_attributes)
        *ret_attributes = v->attributes;
    if (room < v->data_size)
        return EFI_BUFFER_TOO_SMALL;
    memcpy(data, variable_data(v), v->data_size);
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI rt_get_variable(CHAR16 *name, EFI_GUID *vendor, UINT32 *ret_attributes,
                                  UINTN *size, VOID *data)
{
    if (!name || !vendor || !size)
        return EFI_INVALID_PARAMETER;
    if (!name[0])
        return EFI_NOT_FOUND;
    EFI_TPL old = lock();
    return unlock(old, get(name, vendor, ret_attributes, size, data));
}

/* The next one that the caller may see, volatile ones first. */
static const struct variable *next(const struct variable *v, const struct variable_store *store)
{
    do {
        v = store_next(store, v);
        if (!v && store == &volatile_store) {
            store = &lasting_store;
            v = store_next(store, NULL);
        }
    } while (v && !visible(v));
    return v;
}

static EFI_STATUS get_next(UINTN *size, CHAR16 *name, EFI_GUID *vendor)
{
    struct variable_store *store = &volatile_store;
    const struct variable *v = NULL;
    if (name[0]) {
        v = find(name, vendor, &store);
        if (!v || !visible(v))
            return EFI_INVALID_PARAMETER;
    }
    v = next(v, store);
    if (!v)
        return EFI_NOT_FOUND;
    UINTN room = *size;
    *size = v->name_size;
    if (room < v->name_size)
        return EFI_BUFFER_TOO_SMALL;
    memcpy(name, v->content, v->name_size);
    *vendor = v->vendor;
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
    EFI_TPL old = lock();
    return unlock(old, get_next(size, name, vendor));
}

static EFI_STATUS check_attributes(uint32_t attributes)
{
    const uint32_t known = NV | BS | RT | APPEND | EFI_VARIABLE_HARDWARE_ERROR_RECORD |
                           EFI_VARIABLE_AUTHENTICATED_WRITE_ACCESS |
                           EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS;
    if (attributes & ~known)
        return EFI_INVALID_PARAMETER;
    if (attributes & EFI_VARIABLE_AUTHENTICATED_WRITE_ACCESS)
        return EFI_UNSUPPORTED; /* deprecated, UEFI 2.10 8.2.3 */
    if ((attributes & (RT | BS)) == RT || attributes == NV)
        return EFI_INVALID_PARAMETER;
    /* Without Secure Boot's keys no signature is a good one; there are no error records. */
    if (attributes & EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS)
        return EFI_SECURITY_VIOLATION;
    if (attributes & EFI_VARIABLE_HARDWARE_ERROR_RECORD)
        return EFI_INVALID_PARAMETER;
    return EFI_SUCCESS;
}

/* Rules that depend on the variable that is there (UEFI 2.10 8.2.3). */
static EFI_STATUS check_old(const struct variable *old, uint32_t attributes)
{
    if (!visible(old))
        return EFI_WRITE_PROTECTED;
    if (attributes && (attributes & ~APPEND) != old->attributes)
        return EFI_INVALID_PARAMETER;
    if (old->attributes & AUTHENTICATED)
        return EFI_WRITE_PROTECTED; /* of another firmware; there is no key here to check with */
    if (boot_services_ended && !(old->attributes & NV))
        return EFI_WRITE_PROTECTED;
    return EFI_SUCCESS;
}

static bool unchanged(const struct variable *old, size_t size, const void *data)
{
    return old->data_size == size && memcmp(variable_data(old), data, size) == 0;
}

/* Builds the variable in the scratch memory; NULL: it would be too large. */
static struct variable *build(const struct variable *old, const CHAR16 *name,
                              const EFI_GUID *vendor, uint32_t attributes, size_t size,
                              const void *data)
{
    size_t name_size = (utf16_length(name) + 1) * sizeof(CHAR16);
    size_t kept = old && (attributes & APPEND) ? old->data_size : 0;
    struct variable *v = (struct variable *)(void *)scratch;
    if (kept > CONTENT_MAX || name_size + kept + size > CONTENT_MAX)
        return NULL;
    *v = (struct variable){ .attributes = attributes & ~APPEND,
                            .name_size = (uint32_t)name_size,
                            .data_size = (uint32_t)(kept + size),
                            .vendor = *vendor };
    memcpy(v->content, name, name_size);
    if (kept)
        memcpy(v->content + name_size, variable_data(old), kept);
    memcpy(v->content + name_size + kept, data, size);
    return v;
}

static EFI_STATUS set(const CHAR16 *name, const EFI_GUID *vendor, uint32_t attributes, size_t size,
                      const void *data)
{
    struct variable_store *store;
    struct variable *old = find(name, vendor, &store);
    EFI_STATUS status = old ? check_old(old, attributes) : EFI_SUCCESS;
    if (status != EFI_SUCCESS)
        return status;
    if (size == 0 && (attributes & APPEND) && (!old || (attributes & BS)))
        return EFI_SUCCESS; /* nothing appended */
    if (size == 0 || !(attributes & BS))
        return old ? store_delete(store, old) : EFI_NOT_FOUND;
    if (boot_services_ended && (attributes & (RT | NV)) != (RT | NV))
        return EFI_INVALID_PARAMETER;
    if (old && !(attributes & APPEND) && unchanged(old, size, data))
        return EFI_SUCCESS;
    struct variable *v = build(old, name, vendor, attributes, size, data);
    if (!v)
        return EFI_INVALID_PARAMETER;
    return store_put((attributes & NV) ? &lasting_store : &volatile_store, old, v);
}

EFI_STATUS EFIAPI rt_set_variable(CHAR16 *name, EFI_GUID *vendor, UINT32 attributes, UINTN size,
                                  VOID *data)
{
    if (!name || !name[0] || !vendor || (size && !data))
        return EFI_INVALID_PARAMETER;
    EFI_STATUS status = check_attributes(attributes);
    if (status != EFI_SUCCESS)
        return status;
    if (size > CONTENT_MAX || (utf16_length(name) + 1) * sizeof(CHAR16) > CONTENT_MAX - size)
        return EFI_INVALID_PARAMETER;
    status = variable_check(name, vendor, attributes, size, data);
    if (status != EFI_SUCCESS)
        return status;
    EFI_TPL old = lock();
    return unlock(old, set(name, vendor, attributes, size, data));
}

EFI_STATUS EFIAPI rt_query_variable_info(UINT32 attributes, UINT64 *ret_maximum,
                                         UINT64 *ret_remaining, UINT64 *ret_maximum_size)
{
    const uint32_t unsupported = AUTHENTICATED | EFI_VARIABLE_HARDWARE_ERROR_RECORD;
    if (!ret_maximum || !ret_remaining || !ret_maximum_size || attributes == 0)
        return EFI_INVALID_PARAMETER;
    if (attributes & EFI_VARIABLE_AUTHENTICATED_WRITE_ACCESS)
        return EFI_UNSUPPORTED;
    if (attributes == NV || (attributes & (RT | BS)) == RT ||
        (boot_services_ended && !(attributes & RT)) ||
        (attributes & (NV | EFI_VARIABLE_HARDWARE_ERROR_RECORD)) ==
            EFI_VARIABLE_HARDWARE_ERROR_RECORD)
        return EFI_INVALID_PARAMETER;
    if ((attributes & unsupported) || !(attributes & (NV | BS | RT | APPEND)))
        return EFI_UNSUPPORTED;
    const struct variable_store *store = (attributes & NV) ? &lasting_store : &volatile_store;
    EFI_TPL old = lock();
    uint64_t left = store_free(store), header = sizeof(struct variable);
    *ret_maximum = store->size - sizeof(struct variable_store_header);
    *ret_remaining = left;
    *ret_maximum_size = left < header              ? 0
                        : left - header < CONTENT_MAX ? left - header
                                                      : CONTENT_MAX;
    return unlock(old, EFI_SUCCESS);
}

/* A variable of the firmware's own, which no rule forbids it to make. */
static void create(const char *name, uint32_t attributes, const void *data, size_t size)
{
    CHAR16 wide[32] = { 0 };
    for (size_t i = 0; name[i]; i++)
        wide[i] = (uint8_t)name[i];
    struct variable_store *store;
    if (!find(wide, &guid_global_variable, &store))
        (void)set(wide, &guid_global_variable, attributes, size, data);
}

static void EFIAPI on_address_change(EFI_EVENT event, void *context)
{
    (void)event;
    (void)context;
    (void)rt_convert_pointer(0, (void **)&volatile_store.bytes);
    (void)rt_convert_pointer(0, (void **)&lasting_store.bytes);
    void *base = (void *)(uintptr_t)chip.base;
    if (!lasting_store.lasting)
        return;
    if (rt_convert_pointer(0, &base) == EFI_SUCCESS)
        flash_move((uintptr_t)base);
    else
        lasting_store.failed = true; /* an operating system that did not map it */
}

/* Variables of which the firmware alone decides do not come out of the host's flash. */
static void drop_forged(void)
{
    struct variable *v = NULL;
    while ((v = store_next(&lasting_store, v)) != NULL) {
        EFI_GUID vendor = v->vendor;
        if (!variable_may_last((const CHAR16 *)(const void *)v->content, &vendor))
            (void)store_delete(&lasting_store, v);
    }
}

/* Makes room before the operating system needs it, where a quarter and more is deleted ones. */
static void tidy(void)
{
    uint32_t left = lasting_store.size - lasting_store.used;
    if (left < lasting_store.size / 4 && store_free(&lasting_store) - left >= lasting_store.size / 4)
        (void)store_tidy(&lasting_store);
}

static void announce(void)
{
    EFI_EVENT event;
    if (bs_create_event(EVT_SIGNAL_VIRTUAL_ADDRESS_CHANGE, TPL_NOTIFY, on_address_change, NULL,
                        &event) != EFI_SUCCESS)
        panic("no memory for the variables' event");
    if (lasting_store.lasting)
        memory_add(chip.base, chip.size, MEMORY_MMIO);
}

static void open_flash(void)
{
    switch (variable_flash_open(&lasting_store, lasting_bytes, &chip)) {
    case VARIABLE_FLASH_ABSENT:
        log_line("variables: no flash store, they are lost at power off");
        break;
    case VARIABLE_FLASH_UNKNOWN:
        log_line("variables: not kept in flash, they are lost at power off");
        break;
    case VARIABLE_FLASH_READ_ONLY:
        log_line("variables: the flash store is read-only, changes are lost at power off");
        break;
    case VARIABLE_FLASH_WRITABLE:
        log_debug("variables: flash store at 0x%lx, %u of %u bytes in use",
                  (unsigned long)chip.base, lasting_store.used, lasting_store.size);
        tidy();
        break;
    }
    drop_forged();
}

void variables_init(void)
{
    /* UEFI 2.10 8.5.4: EFI_OS_INDICATIONS_BOOT_TO_FW_UI; a measured boot has no menu. */
    const uint64_t indications = direct_measured() ? 0 : 1;
    /* UEFI 2.10 3.3: applications and SysPrep####; no hot keys */
    static const uint32_t boot_options = 0x12;
    store_format(&volatile_store, volatile_bytes, sizeof(volatile_bytes));
    store_format(&lasting_store, lasting_bytes, sizeof(lasting_bytes));
    if (direct_measured())
        log_line("variables: nothing in the host's flash counts in a measured boot; they are lost "
                 "at power off");
    else
        open_flash();
    announce();
    create("OsIndicationsSupported", BS | RT, &indications, sizeof(indications));
    create("BootOptionSupport", BS | RT, &boot_options, sizeof(boot_options));
    create("PlatformLangCodes", BS | RT, "en", 3);
    create("PlatformLang", NV | BS | RT, "en", 3);
}
