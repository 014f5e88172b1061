/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * See load_file.h. The card is ours only while LoadFile runs: in between it is stopped and belongs
 * to whoever opens it, as loaders with network drivers of their own do.
 */
#include "firmware/net/load_file.h"

#include "firmware/boot/attempt.h"
#include "firmware/boot/direct.h"
#include "firmware/net/netboot.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/services.h"

struct load_file {
    EFI_LOAD_FILE_PROTOCOL protocol; /* first: This is the load file */
    EFI_HANDLE handle, card, driver;
    EFI_DEVICE_PATH_PROTOCOL *path;
    EFI_SIMPLE_NETWORK_PROTOCOL *snp;
    struct netboot netboot;
    bool at_work;
};

static EFI_STATUS failed(const struct port_failure *failure)
{
    report_now("network boot: %s", failure->text);
    return failure->status;
}

/*
 * The first of the two calls of 7.4.1 asks the network, the second fetches what the first found. A
 * call without a buffer always asks: a new attempt to boot shall not meet old answers.
 */
static EFI_STATUS load(struct load_file *l, UINTN *size, VOID *buffer)
{
    struct port_failure failure;
    if ((!buffer || !l->netboot.known) && !netboot_ask(&l->netboot, l->snp, &failure))
        return failed(&failure);
    UINTN needed = l->netboot.size;
    bool fits = buffer && *size >= needed;
    *size = needed;
    if (!fits)
        return EFI_BUFFER_TOO_SMALL;
    return netboot_fetch(&l->netboot, l->snp, buffer, &failure) ? EFI_SUCCESS : failed(&failure);
}

static EFI_STATUS EFIAPI load_file(EFI_LOAD_FILE_PROTOCOL *this, EFI_DEVICE_PATH_PROTOCOL *path,
                                   BOOLEAN policy, UINTN *size, VOID *buffer)
{
    struct load_file *l = (struct load_file *)this;
    EFI_GUID guid = guid_simple_network;
    VOID *interface;
    if (!this || !size || !path || !devicepath_is_end(path)) /* what boots is the server's choice */
        return EFI_INVALID_PARAMETER;
    if (!policy)
        return EFI_UNSUPPORTED;
    if (bs_open_protocol(l->card, &guid, &interface, l->driver, l->card,
                         EFI_OPEN_PROTOCOL_BY_DRIVER) != EFI_SUCCESS) {
        report_now("network boot: another program uses the network card");
        return EFI_DEVICE_ERROR;
    }
    l->at_work = true;
    EFI_STATUS status = load(l, size, buffer);
    l->at_work = false;
    (void)bs_close_protocol(l->card, &guid, l->driver, l->card);
    return status;
}

/* What it is allocated with; the handle is none any more. */
static void destroy(struct load_file *l)
{
    pool_free(l->path);
    pool_free(l);
}

static EFI_STATUS open_as_child(struct load_file *l)
{
    EFI_GUID guid = guid_simple_network;
    VOID *interface;
    return bs_open_protocol(l->card, &guid, &interface, l->driver, l->handle,
                            EFI_OPEN_PROTOCOL_BY_CHILD_CONTROLLER);
}

static EFI_STATUS uninstall(struct load_file *l)
{
    return bs_uninstall_multiple(l->handle, &guid_device_path, l->path, &guid_load_file,
                                 &l->protocol, NULL);
}

static EFI_STATUS install(struct load_file *l)
{
    EFI_STATUS status = bs_install_multiple(&l->handle, &guid_device_path, l->path,
                                            &guid_load_file, &l->protocol, NULL);
    if (status != EFI_SUCCESS)
        return status;
    status = open_as_child(l);
    if (status != EFI_SUCCESS)
        (void)uninstall(l);
    return status;
}

struct load_file *load_file_publish(EFI_HANDLE card, const EFI_DEVICE_PATH_PROTOCOL *path,
                                    EFI_SIMPLE_NETWORK_PROTOCOL *snp, EFI_HANDLE driver)
{
    const IPv4_DEVICE_PATH node = { .Header = { MESSAGING_DEVICE_PATH, MSG_IPv4_DP,
                                                { sizeof(node), 0 } } };
    struct load_file *l = direct_measured() ? NULL : pool_allocate(MEMORY_BOOT_DATA, sizeof(*l));
    if (!l)
        return NULL;
    *l = (struct load_file){ .protocol = { load_file },
                             .card = card,
                             .driver = driver,
                             .snp = snp,
                             .path = devicepath_append(path, &node.Header) };
    if (!l->path || install(l) != EFI_SUCCESS) {
        destroy(l);
        return NULL;
    }
    return l;
}

bool load_file_withdraw(struct load_file *l)
{
    EFI_GUID guid = guid_simple_network;
    if (!l)
        return true;
    if (l->at_work)
        return false;
    (void)bs_close_protocol(l->card, &guid, l->driver, l->handle); /* while there is the handle */
    if (uninstall(l) != EFI_SUCCESS) {
        (void)open_as_child(l);
        return false;
    }
    destroy(l);
    return true;
}
