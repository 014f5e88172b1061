/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A boot services driver that the checks of images load: it stays, with a protocol on its handle,
 * and can be unloaded unless its load options say otherwise.
 */
#include "firmware/uefi/efi.h"

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

static EFI_GUID loaded_image = {
    0x5B1B31A1, 0x9562, 0x11d2, { 0x8E, 0x3F, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B }
};
static EFI_GUID mark = {
    0x5a3f0c11, 0x1c2d, 0x4e5f, { 0x90, 0x01, 0x70, 0x72, 0x69, 0x76, 0x65, 0x74 }
};
static EFI_BOOT_SERVICES *bs;
static EFI_LOADED_IMAGE_PROTOCOL *loaded;

static CHAR16 option(void)
{
    return loaded->LoadOptionsSize ? *(CHAR16 *)loaded->LoadOptions : 0;
}

static EFI_STATUS EFIAPI unload(EFI_HANDLE image)
{
    if (option() == 'k')
        return EFI_ACCESS_DENIED;
    return bs->UninstallProtocolInterface(image, &mark, &mark);
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
    VOID *interface;
    EFI_HANDLE handle = image;
    bs = table->BootServices;
    bs->HandleProtocol(image, &loaded_image, &interface);
    loaded = interface;
    if (option() == 'f')
        return EFI_UNSUPPORTED; /* no device for it: unloaded again */
    if (option() != 'n')
        loaded->Unload = unload;
    return bs->InstallProtocolInterface(&handle, &mark, 0, &mark);
}
