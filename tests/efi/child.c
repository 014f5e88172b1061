/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* An application that the checks of images load: its load options say how it ends. */
#include "firmware/uefi/efi.h"

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

static EFI_GUID loaded_image = {
    0x5B1B31A1, 0x9562, 0x11d2, { 0x8E, 0x3F, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B }
};

/* Exit takes the data over, UEFI 2.10 7.4.4: pool memory. */
static EFI_STATUS leave(EFI_HANDLE image, EFI_BOOT_SERVICES *bs)
{
    static const CHAR16 text[] = L"good bye";
    VOID *data;
    if (bs->AllocatePool(4, sizeof(text), &data) != EFI_SUCCESS)
        return EFI_OUT_OF_RESOURCES;
    bs->CopyMem(data, (VOID *)(uintptr_t)text, sizeof(text));
    bs->Exit(image, EFI_TIMEOUT, sizeof(text), data);
    return EFI_DEVICE_ERROR; /* not reached */
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
    EFI_BOOT_SERVICES *bs = table->BootServices;
    EFI_LOADED_IMAGE_PROTOCOL *loaded;
    VOID *interface;
    if (bs->HandleProtocol(image, &loaded_image, &interface) != EFI_SUCCESS)
        return EFI_NOT_STARTED;
    loaded = interface;
    switch (loaded->LoadOptionsSize ? *(CHAR16 *)loaded->LoadOptions : 0) {
    case 'a':
        return EFI_ABORTED;
    case 'w':
        return 5; /* a warning */
    case 'e':
        return leave(image, bs);
    case 'u': /* a running image cannot be unloaded */
        return bs->UnloadImage(image);
    case 'p': /* nor may it end its parent */
        return bs->Exit(loaded->ParentHandle, EFI_SUCCESS, 0, NULL);
    case 's': /* nor start once more */
        return bs->StartImage(image, NULL, NULL);
    default:
        return EFI_SUCCESS;
    }
}
