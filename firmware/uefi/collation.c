/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Unicode collation (UEFI 2.10 13.6): case as of Latin-1, everything else by its code. The protocol
 * of EFI 1.10 differs in its GUID and in how it names the language.
 */
#include "firmware/uefi/efi_console.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

static CHAR16 upper(CHAR16 letter)
{
    bool lower =
        (letter >= 'a' && letter <= 'z') || (letter >= 0xE0 && letter <= 0xFE && letter != 0xF7);
    return lower ? letter - 0x20 : letter;
}

static CHAR16 lower(CHAR16 letter)
{
    bool capital =
        (letter >= 'A' && letter <= 'Z') || (letter >= 0xC0 && letter <= 0xDE && letter != 0xD7);
    return capital ? letter + 0x20 : letter;
}

static INTN EFIAPI compare(EFI_UNICODE_COLLATION_PROTOCOL *this, CHAR16 *one, CHAR16 *two)
{
    (void)this;
    while (*one && upper(*one) == upper(*two)) {
        one++;
        two++;
    }
    return (INTN)upper(*one) - (INTN)upper(*two);
}

/* `[abc]` or `[a-z]` behind the bracket; *pattern advances. False also when it stays open. */
static bool in_set(CHAR16 letter, const CHAR16 **pattern)
{
    const CHAR16 *at = *pattern;
    bool found = false;
    CHAR16 first = 0;
    for (; *at && *at != ']'; at++) {
        if (*at == '-' && first) {
            at++;
            if (!*at || *at == ']')
                return false; /* a range without an end matches nothing */
            found |= upper(letter) >= upper(first) && upper(letter) <= upper(*at);
            first = 0;
        } else {
            first = *at;
            found |= upper(letter) == upper(first);
        }
    }
    if (!*at)
        return false;
    *pattern = at + 1;
    return found;
}

/*
 * Without recursion: when a match fails, the last `*` takes one letter more. An earlier `*` needs
 * no second try, since what it took is the shortest that lets the rest of its part match.
 */
static BOOLEAN EFIAPI match(EFI_UNICODE_COLLATION_PROTOCOL *this, CHAR16 *text, CHAR16 *pattern)
{
    const CHAR16 *at = text, *want = pattern, *star = NULL, *star_at = NULL;
    (void)this;
    while (*at) {
        const CHAR16 *after = want + 1;
        if (*want == '*') {
            star = after;
            star_at = at;
            want = after;
            continue;
        }
        if (*want &&
            (*want == '?' || (*want == '[' ? in_set(*at, &after) : upper(*want) == upper(*at)))) {
            at++;
            want = after;
            continue;
        }
        if (!star)
            return false;
        at = ++star_at;
        want = star;
    }
    while (*want == '*')
        want++;
    return !*want;
}

static VOID EFIAPI to_lower(EFI_UNICODE_COLLATION_PROTOCOL *this, CHAR16 *text)
{
    (void)this;
    for (; *text; text++)
        *text = lower(*text);
}

static VOID EFIAPI to_upper(EFI_UNICODE_COLLATION_PROTOCOL *this, CHAR16 *text)
{
    (void)this;
    for (; *text; text++)
        *text = upper(*text);
}

static VOID EFIAPI from_fat(EFI_UNICODE_COLLATION_PROTOCOL *this, UINTN size, CHAR8 *fat,
                            CHAR16 *text)
{
    (void)this;
    for (UINTN i = 0; i < size && fat[i]; i++)
        *text++ = (uint8_t)fat[i];
    *text = 0;
}

static bool allowed_in_fat(CHAR16 letter)
{
    static const char others[] = "\\_^$~!#%&-{}()@`'";
    if ((letter >= '0' && letter <= '9') || (upper(letter) >= 'A' && upper(letter) <= 'Z'))
        return true;
    for (const char *other = others; *other; other++)
        if (letter == (uint8_t)*other)
            return true;
    return false;
}

/* Dots and blanks vanish, what FAT does not allow becomes `_`; true: that happened. */
static BOOLEAN EFIAPI to_fat(EFI_UNICODE_COLLATION_PROTOCOL *this, CHAR16 *text, UINTN size,
                             CHAR8 *fat)
{
    bool replaced = false;
    (void)this;
    for (; *text && size > 0; text++) {
        if (*text == '.' || *text == ' ')
            continue;
        bool allowed = allowed_in_fat(*text);
        *fat++ = allowed ? (CHAR8)upper(*text) : '_';
        replaced |= !allowed;
        size--;
    }
    return replaced;
}

void collation_init(void)
{
    static CHAR8 rfc4646[] = "en", iso639[] = "eng";
    static EFI_UNICODE_COLLATION_PROTOCOL now, old;
    static EFI_HANDLE handle;
    now = (EFI_UNICODE_COLLATION_PROTOCOL){ .StriColl = compare,
                                            .MetaiMatch = match,
                                            .StrLwr = to_lower,
                                            .StrUpr = to_upper,
                                            .FatToStr = from_fat,
                                            .StrToFat = to_fat,
                                            .SupportedLanguages = rfc4646 };
    old = now;
    old.SupportedLanguages = iso639;
    handle_install(&handle, &guid_unicode_collation2, &now);
    handle_install(&handle, &guid_unicode_collation, &old);
}
