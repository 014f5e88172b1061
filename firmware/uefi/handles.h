/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The records of the protocol database, shared by handles.c, locate.c, open.c and connect.c only. */
#ifndef PRIVET_FIRMWARE_HANDLES_H
#define PRIVET_FIRMWARE_HANDLES_H

#include "firmware/uefi/efi.h"

struct open {
    struct open *next;
    EFI_HANDLE agent, controller;
    UINT32 attributes, count;
};

struct protocol {
    struct protocol *next;
    EFI_GUID guid;
    void *interface;
    struct open *opens;
    uint64_t order; /* of its installation */
};

struct handle {
    struct handle *next;
    struct protocol *protocols;
};

struct notification {
    struct notification *next;
    EFI_GUID guid;
    EFI_EVENT event;
    uint64_t seen; /* order of the last installation that was handed out */
};

struct handle *handle_first(void);
struct handle *handle_get(EFI_HANDLE handle); /* NULL: there is no such handle */
/* The record of a protocol on a handle; NULL: not there, or no such handle. */
struct protocol *handle_find(EFI_HANDLE handle, const EFI_GUID *guid);
/* The next handle for a RegisterProtocolNotify registration, or NULL. */
EFI_HANDLE handle_next_registered(void *registration);
/*
 * open.c: asks the drivers that use an interface to let go, and finds its record. EFI_NOT_FOUND: it
 * is not there, or went with a driver; EFI_ACCESS_DENIED: somebody keeps it.
 */
EFI_STATUS open_release(EFI_HANDLE handle, const EFI_GUID *protocol, const void *interface,
                        struct protocol **ret);
/* An event is being closed: no more notifications to it. */
void handle_forget_event(EFI_EVENT event);

#endif
