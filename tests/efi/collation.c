/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Unicode collation, the old and the new protocol (UEFI 2.10 13.6). */
#include "tests/efi/conformance.h"

typedef struct COLLATION {
    INTN(EFIAPI *StriColl)(struct COLLATION *This, CHAR16 *One, CHAR16 *Two);
    BOOLEAN(EFIAPI *MetaiMatch)(struct COLLATION *This, CHAR16 *Text, CHAR16 *Pattern);
    VOID(EFIAPI *StrLwr)(struct COLLATION *This, CHAR16 *Text);
    VOID(EFIAPI *StrUpr)(struct COLLATION *This, CHAR16 *Text);
    VOID(EFIAPI *FatToStr)(struct COLLATION *This, UINTN Size, CHAR8 *Fat, CHAR16 *Text);
    BOOLEAN(EFIAPI *StrToFat)(struct COLLATION *This, CHAR16 *Text, UINTN Size, CHAR8 *Fat);
    CHAR8 *SupportedLanguages;
} COLLATION;

static const struct {
    CHAR16 *text, *pattern;
} matches[] = {
    { L"", L"" }, { L"", L"*" }, { L"a", L"" }, { L"file.efi", L"*.EFI" }, { L"file.efi", L"f??e.*" },
    { L"file.efi", L"*" }, { L"file.efi", L"*.txt" }, { L"file", L"fil" }, { L"fil", L"file" },
    { L"abc", L"a[a-c]c" }, { L"abc", L"a[xyB]c" }, { L"abc", L"a[d-z]c" }, { L"abc", L"a[b" },
    { L"aaab", L"*ab" }, { L"a*b", L"a*b" }, { L"a", L"??" }, { L"a-b", L"a[a-]b" }, { L"x", L"[]" },
};

static const struct {
    CHAR16 *one, *two;
} pairs[] = { { L"", L"" }, { L"abc", L"ABC" }, { L"abc", L"abd" }, { L"b", L"abc" }, { L"ab", L"abc" },
              { L"\x00E4", L"\x00C4" }, { L"\x00DF", L"SS" }, { L"\x0451", L"\x0401" } };

static void one(const char *name, EFI_GUID *guid)
{
    COLLATION *c = find_protocol(guid);
    CHAR16 text[32];
    CHAR8 fat[16];
    check_true(name, c != NULL);
    if (!c)
        return;
    check_text(name_of(name, "languages"), c->SupportedLanguages);
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        INTN order = c->StriColl(c, pairs[i].one, pairs[i].two);
        check_text(name_number(name_of(name, "order"), i),
                   order < 0 ? "less" : order > 0 ? "more" : "same");
    }
    for (size_t i = 0; i < ARRAY_SIZE(matches); i++)
        check_true(name_number(name_of(name, "match"), i),
                   c->MetaiMatch(c, matches[i].text, matches[i].pattern));
    memcpy(text, L"AbC-\x00C4\x00E9", sizeof(L"AbC-\x00C4\x00E9"));
    c->StrLwr(c, text);
    check_wide(name_of(name, "lower"), text);
    c->StrUpr(c, text);
    check_wide(name_of(name, "upper"), text);
    memset(text, 0x55, sizeof(text));
    c->FatToStr(c, 8, "AB C\0DEF", text);
    check_wide(name_of(name, "from-fat"), text);
    memset(text, 0x55, sizeof(text));
    c->FatToStr(c, 3, "ABCDEF", text);
    check_wide(name_of(name, "from-fat-full"), text);
    memset(fat, 0x55, sizeof(fat));
    check_true(name_of(name, "to-fat"), c->StrToFat(c, L"readme", 8, fat));
    check_bytes(name_of(name, "to-fat.bytes"), fat, 9);
    memset(fat, 0x55, sizeof(fat));
    check_true(name_of(name, "to-fat-odd"), c->StrToFat(c, L"a.b c+\x3042;z", 8, fat));
    check_bytes(name_of(name, "to-fat-odd.bytes"), fat, 9);
    memset(fat, 0x55, sizeof(fat));
    check_true(name_of(name, "to-fat-long"), c->StrToFat(c, L"abcdefghijk", 8, fat));
    check_bytes(name_of(name, "to-fat-long.bytes"), fat, 9);
}

void test_collation(void)
{
    one("two", &collation2_guid);
    one("one", &collation_guid);
}
