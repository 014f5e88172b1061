/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Unicode collation of the firmware: patterns with many stars take no time, buffers have ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <uchar.h>

#include <cmocka.h>

#include "firmware/uefi/efi_console.h"
#include "firmware/uefi/services.h"

static EFI_UNICODE_COLLATION_PROTOCOL *collation;

void handle_install(EFI_HANDLE *handle, const EFI_GUID *protocol, void *interface)
{
    (void)handle;
    if (guid_equal(protocol, &guid_unicode_collation2))
        collation = interface;
}

static bool match(const char16_t *text, const char16_t *pattern)
{
    return collation->MetaiMatch(collation, (CHAR16 *)(uintptr_t)text,
                                 (CHAR16 *)(uintptr_t)pattern);
}

static void patterns(void **state)
{
    (void)state;
    assert_true(match(u"kernel.efi", u"K*.E?I"));
    assert_true(match(u"", u"**"));
    assert_true(match(u"aXbXc", u"a*X*c"));
    assert_true(match(u"a]b", u"a]b"));
    assert_false(match(u"abc", u"a*d"));
    assert_false(match(u"a", u"[a"));
    assert_false(match(u"a", u"[a-"));
}

static void many_stars(void **state)
{
    (void)state;
    CHAR16 text[2001], pattern[2001];
    for (size_t i = 0; i < 2000; i++) {
        text[i] = 'a';
        pattern[i] = i % 2 ? 'a' : '*';
    }
    text[2000] = pattern[2000] = 0;
    assert_true(collation->MetaiMatch(collation, text, pattern));
    pattern[1999] = 'b';
    assert_false(collation->MetaiMatch(collation, text, pattern));
}

static void fat_names(void **state)
{
    (void)state;
    char fat[12] = "###########";
    CHAR16 text[9];
    CHAR16 name[] = u"my file.txt";
    assert_false(collation->StrToFat(collation, name, 8, fat));
    assert_memory_equal(fat, "MYFILETX###", 11);
    memset(fat, 'x', sizeof(fat)); /* no NUL: the size is the end */
    collation->FatToStr(collation, 8, fat, text);
    assert_int_equal(text[8], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns),
        cmocka_unit_test(many_stars),
        cmocka_unit_test(fat_names),
    };
    collation_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
