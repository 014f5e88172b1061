/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Random numbers (UEFI 2.10 37.5). */
#include "tests/efi/conformance.h"

void test_rng(void)
{
    EFI_RNG_PROTOCOL *rng = find_protocol(&rng_guid);
    EFI_GUID list[16];
    UINT8 one[32] = { 0 }, two[32] = { 0 };
    UINTN size = 0;
    check_true("there", rng != NULL);
    if (!rng)
        return;
    check_status("info.ask", rng->GetInfo(rng, &size, NULL));
    check_true("info.size", size && size % sizeof(EFI_GUID) == 0 && size <= sizeof(list));
    size = sizeof(list);
    check_status("info", rng->GetInfo(rng, &size, list));
    check_status("info.no-size", rng->GetInfo(rng, NULL, list));
    bool raw = false;
    for (UINTN i = 0; i < size / sizeof(EFI_GUID); i++)
        raw |= guid_same(&list[i], &rng_raw_guid);
    check_true("info.raw", raw);
    check_status("get", rng->GetRNG(rng, NULL, sizeof(one), one));
    check_status("get.raw", rng->GetRNG(rng, &rng_raw_guid, sizeof(two), two));
    check_true("differs", memcmp(one, two, sizeof(one)) != 0);
    check_status("get.unknown", rng->GetRNG(rng, &test_guid_1, sizeof(one), one));
    check_status("get.nothing", rng->GetRNG(rng, NULL, 0, one));
    check_status("get.no-buffer", rng->GetRNG(rng, NULL, 8, NULL));
}
