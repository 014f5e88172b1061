/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The table of UEFI's own variables. Where the specification leaves room, the rules and the status
 * codes are those of edk2 (VarCheckUefiLib), which operating systems know.
 */
#include "firmware/uefi/variable_rules.h"

#include "firmware/uefi/guids.h"

#define BS_RT    (EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS)
#define NV_BS_RT (EFI_VARIABLE_NON_VOLATILE | BS_RT)
#define SIGNED   (NV_BS_RT | EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS)

enum content {
    FIXED,       /* of this size */
    LIST,        /* elements of this size */
    TEXT,        /* ASCII, with a NUL */
    PATH,        /* a device path */
    LOAD_OPTION, /* EFI_LOAD_OPTION, UEFI 2.10 3.1.3 */
    KEY_OPTION,  /* EFI_KEY_OPTION, UEFI 2.10 3.1.6 */
    ANY,
    READ_ONLY,
};

/* No pointers: the table is read at virtual addresses, too. '#' stands for a hexadecimal digit. */
struct rule {
    char name[23];
    uint8_t attributes, content, size;
};
static const struct rule rules[] = {
    { "LangCodes", BS_RT, TEXT, 1 },
    { "Lang", NV_BS_RT, TEXT, 1 },
    { "Timeout", NV_BS_RT, FIXED, 2 },
    { "PlatformLangCodes", BS_RT, READ_ONLY, 1 },
    { "PlatformLang", NV_BS_RT, TEXT, 1 },
    { "ConIn", NV_BS_RT, PATH, 4 },
    { "ConOut", NV_BS_RT, PATH, 4 },
    { "ErrOut", NV_BS_RT, PATH, 4 },
    { "ConInDev", BS_RT, PATH, 4 },
    { "ConOutDev", BS_RT, PATH, 4 },
    { "ErrOutDev", BS_RT, PATH, 4 },
    { "BootOrder", NV_BS_RT, LIST, 2 },
    { "BootNext", NV_BS_RT, FIXED, 2 },
    { "BootCurrent", BS_RT, FIXED, 2 },
    { "BootOptionSupport", BS_RT, FIXED, 4 },
    { "Boot####", NV_BS_RT, LOAD_OPTION, 6 },
    { "DriverOrder", NV_BS_RT, LIST, 2 },
    { "Driver####", NV_BS_RT, LOAD_OPTION, 6 },
    { "SysPrepOrder", NV_BS_RT, LIST, 2 },
    { "SysPrep####", NV_BS_RT, LOAD_OPTION, 6 },
    { "Key####", NV_BS_RT, KEY_OPTION, 10 },
    { "PlatformRecovery####", BS_RT, READ_ONLY, 6 },
    { "HwErrRecSupport", NV_BS_RT, FIXED, 2 },
    { "OsIndicationsSupported", BS_RT, READ_ONLY, 8 },
    { "OsIndications", NV_BS_RT, FIXED, 8 },
    { "PK", SIGNED, ANY, 1 },
    { "KEK", SIGNED, ANY, 1 },
    { "SetupMode", BS_RT, READ_ONLY, 1 },
    { "AuditMode", BS_RT, READ_ONLY, 1 },
    { "DeployedMode", BS_RT, READ_ONLY, 1 },
    { "SecureBoot", BS_RT, READ_ONLY, 1 },
    { "SignatureSupport", BS_RT, READ_ONLY, 1 },
    { "PKDefault", BS_RT, READ_ONLY, 1 },
    { "KEKDefault", BS_RT, READ_ONLY, 1 },
    { "dbDefault", BS_RT, READ_ONLY, 1 },
    { "dbxDefault", BS_RT, READ_ONLY, 1 },
    { "dbtDefault", BS_RT, READ_ONLY, 1 },
    { "VendorKeys", BS_RT, READ_ONLY, 1 },
};

static bool matches(const char *pattern, const CHAR16 *name)
{
    for (; *pattern; pattern++, name++) {
        bool digit = (*name >= '0' && *name <= '9') || (*name >= 'A' && *name <= 'F');
        if (*pattern == '#' ? !digit : *name != (uint8_t)*pattern)
            return false;
    }
    return *name == 0;
}

static const struct rule *rule_of(const CHAR16 *name)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (matches(rules[i].name, name))
            return &rules[i];
    return NULL;
}

static uint16_t u16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static bool text_valid(const uint8_t *data, size_t size)
{
    while (size && data[size - 1])
        size--;
    return size != 0;
}

static bool path_valid(const uint8_t *data, size_t size)
{
    while (size >= sizeof(EFI_DEVICE_PATH_PROTOCOL)) {
        size_t length = u16(data + 2);
        if (length < sizeof(EFI_DEVICE_PATH_PROTOCOL) || length > size)
            return false;
        if (data[0] == END_DEVICE_PATH && data[1] == END_ENTIRE_DP)
            return true;
        data += length;
        size -= length;
    }
    return false;
}

static bool load_option_valid(const uint8_t *data, size_t size)
{
    size_t path = u16(data + 4), at = 6;
    while (at + 2 <= size && u16(data + at))
        at += 2;
    if (at + 2 > size)
        return false;
    at += 2;
    return path <= size - at && path_valid(data + at, path);
}

static bool content_valid(const struct rule *rule, const uint8_t *data, size_t size)
{
    if (size < rule->size)
        return false;
    switch ((enum content)rule->content) {
    case FIXED:
        return size == rule->size;
    case LIST:
        return size % rule->size == 0;
    case TEXT:
        return text_valid(data, size);
    case PATH:
        return path_valid(data, size);
    case LOAD_OPTION:
        return load_option_valid(data, size);
    case KEY_OPTION:
        return (size - rule->size) % 4 == 0;
    case ANY:
    case READ_ONLY:
        break;
    }
    return true;
}

EFI_STATUS variable_check(const CHAR16 *name, const EFI_GUID *vendor, uint32_t attributes,
                          size_t size, const uint8_t *data)
{
    if (!guid_equal(vendor, &guid_global_variable))
        return EFI_SUCCESS;
    const struct rule *rule = rule_of(name);
    bool appending = attributes & EFI_VARIABLE_APPEND_WRITE;
    if (rule && rule->content == READ_ONLY)
        return EFI_WRITE_PROTECTED;
    if (attributes == 0 || (size == 0 && !appending))
        return EFI_SUCCESS;
    if (!rule || (attributes & ~EFI_VARIABLE_APPEND_WRITE) != rule->attributes)
        return EFI_INVALID_PARAMETER;
    return size == 0 || content_valid(rule, data, size) ? EFI_SUCCESS : EFI_INVALID_PARAMETER;
}

bool variable_may_last(const CHAR16 *name, const EFI_GUID *vendor)
{
    const struct rule *rule = guid_equal(vendor, &guid_global_variable) ? rule_of(name) : NULL;
    return !rule || (rule->attributes & EFI_VARIABLE_NON_VOLATILE);
}
