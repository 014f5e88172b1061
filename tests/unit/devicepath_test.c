/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Device paths of the firmware as text and back. The forms are those of UEFI 2.10 10.6 as OVMF
 * prints them; texts and nodes that are damaged must lose nothing and reach nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/uefi/devicepath_text.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

void *pool_allocate(enum memory_type type, size_t size)
{
    (void)type;
    return calloc(1, size ? size : 1);
}

void pool_free(void *data)
{
    free(data);
}

/* The path as ASCII. */
static char *text_of(const EFI_DEVICE_PATH_PROTOCOL *path, bool display)
{
    static char ascii[512];
    CHAR16 *text = devicepath_to_text(path, display, false);
    assert_non_null(text);
    size_t length = utf16_length(text);
    assert_true(length < sizeof(ascii));
    for (size_t i = 0; i <= length; i++)
        ascii[i] = (char)text[i];
    free(text);
    return ascii;
}

static EFI_DEVICE_PATH_PROTOCOL *path_of(const char *text)
{
    CHAR16 *wide = utf16_from_ascii(text);
    EFI_DEVICE_PATH_PROTOCOL *path = devicepath_from_text(wide);
    free(wide);
    return path;
}

static void texts_come_back(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "PciRoot(0x0)/Pci(0x1F,0x2)/Sata(0x1,0xFFFF,0x0)",
        "PciRoot(0x0)/Pci(0x3,0x0)/Scsi(0x1,0x2)/CDROM(0x1,0x23,0x640)",
        "PciRoot(0x0)/Pci(0x4,0x0)/NVMe(0x1,00-11-22-33-44-55-66-77)",
        "HD(1,GPT,01234567-89AB-CDEF-0123-456789ABCDEF,0x800,0x100000)/\\EFI\\BOOT\\BOOTX64.EFI",
        "HD(2,MBR,0x12345678,0x3F,0x1000)",
        "PciRoot(0x0)/Pci(0x2,0x0)/MAC(525400123456,0x1)/IPv4(10.0.2.2,UDP,DHCP,10.0.2.15,"
        "10.0.2.1,255.255.255.0)/Uri(http://10.0.2.2/a,b.efi)",
        "IPv6(2001:0DB8:0000:0000:0000:0000:0000:0002,TCP,Static,FE80:0000:0000:0000:0000:0000:"
        "0000:0001,0x40,FE80:0000:0000:0000:0000:0000:0000:0003)",
        "PciRoot(0x0)/Pci(0x1F,0x0)/Serial(0x0)/Uart(115200,8,N,1)/VenUtf8()",
        "VenMedia(01234567-89AB-CDEF-0123-456789ABCDEF,0102FE)/Fv(01234567-89AB-CDEF-0123-"
        "456789ABCDEF)",
        "Path(200,3,0102)",
        "HardwarePath(77)",
        "Msg(99,00)",
        "AcpiAdr(0x1,0x80010100)",
        "BBS(HD,disk,0x1)",
        "UsbMassStorage(0x1234,0x5678,0x6,0x50)",
        "Acpi(0x04030201,0x5)",
        "Pci(0x1,0x0),Pci(0x2,0x0)",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        EFI_DEVICE_PATH_PROTOCOL *path = path_of(texts[i]);
        assert_non_null(path);
        assert_true(devicepath_size(path) > 0);
        assert_string_equal(text_of(path, false), texts[i]);
        free(path);
    }
}

static void typed_texts_are_forgiven(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        { "Pci( 31 ,2,9)", "Pci(0x1F,0x2)" },
        { "PciRoot()", "PciRoot(0x0)" },
        { "Ata(5)", "Ata(Primary,Master,0x5)" },
        { "IPv6(::1)",
          "IPv6(0000:0000:0000:0000:0000:0000:0000:0001,0x0,Static,0000:0000:0000:0000:"
          "0000:0000:0000:0000,0x0,0000:0000:0000:0000:0000:0000:0000:0000)" },
        { "Uart(DEFAULT,DEFAULT,D,D)", "Uart(115200,8,D,D)" },
        { "Strange(1,2)", "Strange(1,2)" },
        { "Pci(1,0)/Pci(2", "Pci(0x1,0x0)" },
        { "HD(1,GPT,xyz)", "HD(1,GPT,00000000-0000-0000-0000-000000000000,0x0,0x0)" },
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        EFI_DEVICE_PATH_PROTOCOL *path = path_of(pairs[i][0]);
        assert_non_null(path);
        assert_string_equal(text_of(path, false), pairs[i][1]);
        free(path);
    }
    assert_null(path_of(""));
    assert_null(devicepath_from_text(NULL));
}

/* A node of a known kind with bytes too few or too many shows all of them. */
static void damaged_nodes_hide_nothing(void **state)
{
    (void)state;
    static const uint8_t few[] = { 1, 1, 5, 0, 7, 0x7F, 0xFF, 4, 0 };
    static const uint8_t many[] = { 1, 1, 7, 0, 0, 3, 9, 0x7F, 0xFF, 4, 0 };
    static const uint8_t no_file_end[] = { 4, 4, 7, 0, 'a', 0, 'b', 0x7F, 0xFF, 4, 0 };
    assert_string_equal(text_of((const void *)few, false), "HardwarePath(1,07)");
    assert_string_equal(text_of((const void *)many, false), "HardwarePath(1,000309)");
    assert_string_equal(text_of((const void *)no_file_end, false), "a");
}

static void display_form_is_short(void **state)
{
    (void)state;
    EFI_DEVICE_PATH_PROTOCOL *path = path_of("CDROM(0x0,0x23,0x640)");
    assert_string_equal(text_of(path, true), "CDROM(0x0)");
    free(path);
}

static void too_long_is_refused(void **state)
{
    (void)state;
    const size_t letters = 0x30000;
    CHAR16 *text = calloc(letters + 1, sizeof(*text));
    for (size_t i = 0; i < letters; i++)
        text[i] = i % 8 ? 'a' : '/';
    assert_null(devicepath_from_text(text));
    for (size_t i = 0; i < letters; i++)
        text[i] = 'a';
    EFI_DEVICE_PATH_PROTOCOL *path = devicepath_from_text(text);
    assert_true(!path || devicepath_size(path) > 0);
    free(path);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_come_back),
        cmocka_unit_test(typed_texts_are_forgiven),
        cmocka_unit_test(damaged_nodes_hide_nothing),
        cmocka_unit_test(display_form_is_short),
        cmocka_unit_test(too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
