/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The Simple Network Protocol (UEFI 2.10 24.1) on virtio network devices, and the driver binding
 * (11.1) that makes it: a loader with a driver of its own can disconnect ours and take the device.
 * Sending copies; the filter is ours, for a virtio device delivers whatever arrives.
 */
#include <string.h>

#include "firmware/drivers/drivers.h"
#include "firmware/drivers/virtio_net.h"
#include "firmware/lib/log.h"
#include "firmware/net/load_file.h"
#include "firmware/uefi/efi_net.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/pci_protocols.h"
#include "firmware/uefi/services.h"

#define FILTERS                                                                                    \
    (EFI_SIMPLE_NETWORK_RECEIVE_UNICAST | EFI_SIMPLE_NETWORK_RECEIVE_MULTICAST |                   \
     EFI_SIMPLE_NETWORK_RECEIVE_BROADCAST | EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS |               \
     EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS_MULTICAST)

/* Until ReceiveFilters says something else; loaders that never call it expect to hear answers. */
#define INITIAL_FILTERS                                                                            \
    (EFI_SIMPLE_NETWORK_RECEIVE_UNICAST | EFI_SIMPLE_NETWORK_RECEIVE_BROADCAST)

struct adapter {
    EFI_SIMPLE_NETWORK_PROTOCOL snp; /* first: This is the adapter */
    EFI_SIMPLE_NETWORK_MODE mode;
    EFI_NETWORK_STATISTICS statistics;
    struct virtio_net net;
    struct adapter *next;
    EFI_HANDLE controller, child;
    EFI_DEVICE_PATH_PROTOCOL *path;
    struct load_file *load_file; /* NULL: no network boot */
    uint32_t interrupts;             /* since the last GetStatus */
    size_t length;                   /* of the frame that waits; 0: none */
    uint8_t frame[NET_FRAME_MAXIMUM]; /* private copy */
};

static const uint8_t broadcast[NET_ADDRESS] = { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF };
static struct adapter *adapters;
static EFI_HANDLE driver_handle;

static struct adapter *adapter_of(EFI_SIMPLE_NETWORK_PROTOCOL *this)
{
    return (struct adapter *)this;
}

/* Calls that need an initialized adapter (UEFI 2.10 24.1, each "Status Codes Returned"). */
static EFI_STATUS initialized(const struct adapter *adapter)
{
    static const EFI_STATUS table[] = { [EfiSimpleNetworkStopped] = EFI_NOT_STARTED,
                                        [EfiSimpleNetworkStarted] = EFI_DEVICE_ERROR,
                                        [EfiSimpleNetworkInitialized] = EFI_SUCCESS };
    return table[adapter->mode.State];
}

static EFI_STATUS EFIAPI start(EFI_SIMPLE_NETWORK_PROTOCOL *this)
{
    if (!this)
        return EFI_INVALID_PARAMETER;
    struct adapter *adapter = adapter_of(this);
    if (adapter->mode.State != EfiSimpleNetworkStopped)
        return EFI_ALREADY_STARTED;
    adapter->mode.State = EfiSimpleNetworkStarted;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI stop(EFI_SIMPLE_NETWORK_PROTOCOL *this)
{
    if (!this)
        return EFI_INVALID_PARAMETER;
    struct adapter *adapter = adapter_of(this);
    if (adapter->mode.State == EfiSimpleNetworkStopped)
        return EFI_NOT_STARTED;
    if (adapter->mode.State == EfiSimpleNetworkInitialized)
        return EFI_DEVICE_ERROR; /* Shutdown comes first */
    adapter->mode.State = EfiSimpleNetworkStopped;
    return EFI_SUCCESS;
}

static EFI_STATUS open(struct adapter *adapter)
{
    adapter->length = 0;
    adapter->interrupts = 0;
    if (!virtio_net_open(&adapter->net))
        return EFI_DEVICE_ERROR;
    adapter->mode.MediaPresent = virtio_net_link(&adapter->net);
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI initialize(EFI_SIMPLE_NETWORK_PROTOCOL *this, UINTN extra_receive,
                                    UINTN extra_send)
{
    (void)extra_receive; /* a wish: the buffers are as many as they are */
    (void)extra_send;
    if (!this)
        return EFI_INVALID_PARAMETER;
    struct adapter *adapter = adapter_of(this);
    if (adapter->mode.State != EfiSimpleNetworkStarted)
        return adapter->mode.State == EfiSimpleNetworkStopped ? EFI_NOT_STARTED : EFI_SUCCESS;
    EFI_TPL tpl = bs_raise_tpl(TPL_NOTIFY);
    EFI_STATUS status = open(adapter);
    if (status == EFI_SUCCESS)
        adapter->mode.State = EfiSimpleNetworkInitialized;
    bs_restore_tpl(tpl);
    return status;
}

static EFI_STATUS EFIAPI reset(EFI_SIMPLE_NETWORK_PROTOCOL *this, BOOLEAN extended)
{
    (void)extended;
    if (!this)
        return EFI_INVALID_PARAMETER;
    struct adapter *adapter = adapter_of(this);
    EFI_STATUS status = initialized(adapter);
    if (status != EFI_SUCCESS)
        return status;
    EFI_TPL tpl = bs_raise_tpl(TPL_NOTIFY);
    virtio_net_close(&adapter->net);
    status = open(adapter);
    if (status != EFI_SUCCESS)
        adapter->mode.State = EfiSimpleNetworkStarted;
    bs_restore_tpl(tpl);
    return status;
}

static EFI_STATUS EFIAPI shut_down(EFI_SIMPLE_NETWORK_PROTOCOL *this)
{
    if (!this)
        return EFI_INVALID_PARAMETER;
    struct adapter *adapter = adapter_of(this);
    EFI_STATUS status = initialized(adapter);
    if (status != EFI_SUCCESS)
        return status;
    EFI_TPL tpl = bs_raise_tpl(TPL_NOTIFY);
    virtio_net_close(&adapter->net);
    adapter->mode.State = EfiSimpleNetworkStarted;
    adapter->mode.ReceiveFilterSetting = INITIAL_FILTERS;
    adapter->mode.MCastFilterCount = 0;
    bs_restore_tpl(tpl);
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI receive_filters(EFI_SIMPLE_NETWORK_PROTOCOL *this, UINT32 enable,
                                         UINT32 disable, BOOLEAN reset_list, UINTN count,
                                         EFI_MAC_ADDRESS *list)
{
    if (!this)
        return EFI_INVALID_PARAMETER;
    EFI_SIMPLE_NETWORK_MODE *mode = &adapter_of(this)->mode;
    EFI_STATUS status = initialized(adapter_of(this));
    if (status != EFI_SUCCESS)
        return status;
    bool lists = (enable & ~disable & EFI_SIMPLE_NETWORK_RECEIVE_MULTICAST) && !reset_list;
    if (((enable | disable) & ~FILTERS) || (lists && (count == 0 || !list)) ||
        count > MAX_MCAST_FILTER_CNT)
        return EFI_INVALID_PARAMETER;
    for (UINTN i = 0; lists && i < count; i++)
        if (!(list[i].Addr[0] & 1))
            return EFI_INVALID_PARAMETER; /* not a multicast address */
    mode->ReceiveFilterSetting = (mode->ReceiveFilterSetting | enable) & ~disable;
    if (reset_list) {
        mode->MCastFilterCount = 0;
        mode->ReceiveFilterSetting &= ~EFI_SIMPLE_NETWORK_RECEIVE_MULTICAST;
    }
    if (lists) {
        mode->MCastFilterCount = (UINT32)count;
        memcpy(mode->MCastFilter, list, count * sizeof(*list));
    }
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI station_address(EFI_SIMPLE_NETWORK_PROTOCOL *this, BOOLEAN to_permanent,
                                         EFI_MAC_ADDRESS *address)
{
    if (!this || (!to_permanent && !address))
        return EFI_INVALID_PARAMETER;
    EFI_STATUS status = initialized(adapter_of(this));
    if (status != EFI_SUCCESS)
        return status;
    return to_permanent ? EFI_SUCCESS : EFI_UNSUPPORTED; /* Mode.MacAddressChangeable is false */
}

static EFI_STATUS EFIAPI statistics(EFI_SIMPLE_NETWORK_PROTOCOL *this, BOOLEAN clear, UINTN *size,
                                    EFI_NETWORK_STATISTICS *table)
{
    if (!this)
        return EFI_INVALID_PARAMETER;
    struct adapter *adapter = adapter_of(this);
    EFI_STATUS status = initialized(adapter);
    if (status != EFI_SUCCESS || (!size && !table))
        goto out;
    if (!size)
        return EFI_INVALID_PARAMETER;
    EFI_NETWORK_STATISTICS now = adapter->statistics;
    now.RxDroppedFrames = adapter->net.bad_frames;
    size_t copied = *size < sizeof(now) ? *size : sizeof(now);
    status = *size < sizeof(now) || !table ? EFI_BUFFER_TOO_SMALL : EFI_SUCCESS;
    if (table)
        memcpy(table, &now, copied);
    *size = sizeof(now);
out:
    if (status == EFI_SUCCESS && clear) {
        /* UEFI 2.10 24.1.9: what is not collected reads as all ones */
        memset(&adapter->statistics, 0xFF, sizeof(adapter->statistics));
        EFI_NETWORK_STATISTICS *s = &adapter->statistics;
        s->RxTotalFrames = s->RxGoodFrames = s->RxTotalBytes = 0;
        s->TxTotalFrames = s->TxGoodFrames = s->TxTotalBytes = 0;
        adapter->net.bad_frames = 0;
    }
    return status;
}

static EFI_STATUS EFIAPI multicast_address(EFI_SIMPLE_NETWORK_PROTOCOL *this, BOOLEAN ipv6,
                                           EFI_IP_ADDRESS *ip, EFI_MAC_ADDRESS *mac)
{
    if (!this || !ip || !mac)
        return EFI_INVALID_PARAMETER;
    EFI_STATUS status = initialized(adapter_of(this));
    if (status != EFI_SUCCESS)
        return status;
    if (ipv6 ? ip->v6[0] != 0xFF : (ip->v4[0] & 0xF0) != 0xE0)
        return EFI_INVALID_PARAMETER;
    memset(mac, 0, sizeof(*mac));
    if (ipv6) /* RFC 2464 7 */
        memcpy(mac->Addr, (uint8_t[]){ 0x33, 0x33, ip->v6[12], ip->v6[13], ip->v6[14], ip->v6[15] },
               NET_ADDRESS);
    else /* RFC 1112 6.4 */
        memcpy(mac->Addr, (uint8_t[]){ 0x01, 0x00, 0x5E, ip->v4[1] & 0x7F, ip->v4[2], ip->v4[3] },
               NET_ADDRESS);
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI nv_data(EFI_SIMPLE_NETWORK_PROTOCOL *this, BOOLEAN read, UINTN offset,
                                 UINTN size, VOID *buffer)
{
    (void)read;
    (void)offset;
    (void)size;
    (void)buffer;
    if (!this)
        return EFI_INVALID_PARAMETER;
    EFI_STATUS status = initialized(adapter_of(this));
    return status == EFI_SUCCESS ? EFI_UNSUPPORTED : status; /* Mode.NvRamSize is 0 */
}

static bool in_multicast_list(const EFI_SIMPLE_NETWORK_MODE *mode, const uint8_t *address)
{
    for (UINT32 i = 0; i < mode->MCastFilterCount; i++)
        if (memcmp(mode->MCastFilter[i].Addr, address, NET_ADDRESS) == 0)
            return true;
    return false;
}

/* Does the receive filter let a frame with this destination in? */
static bool wanted(const EFI_SIMPLE_NETWORK_MODE *mode, const uint8_t *address)
{
    UINT32 filters = mode->ReceiveFilterSetting;
    if (filters & EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS)
        return true;
    if (memcmp(address, broadcast, NET_ADDRESS) == 0)
        return filters & EFI_SIMPLE_NETWORK_RECEIVE_BROADCAST;
    if (address[0] & 1)
        return (filters & EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS_MULTICAST) ||
               ((filters & EFI_SIMPLE_NETWORK_RECEIVE_MULTICAST) &&
                in_multicast_list(mode, address));
    return (filters & EFI_SIMPLE_NETWORK_RECEIVE_UNICAST) &&
           memcmp(mode->CurrentAddress.Addr, address, NET_ADDRESS) == 0;
}

/* Is there a frame for the caller? Unwanted ones are dropped, a bounded number per call. */
static bool fetch(struct adapter *adapter)
{
    for (unsigned i = 0; adapter->length == 0 && i < 2 * NET_RECEIVE_SLOTS; i++) {
        size_t length;
        if (!virtio_net_receive(&adapter->net, adapter->frame, &length))
            break;
        if (!wanted(&adapter->mode, adapter->frame))
            continue;
        adapter->length = length;
        adapter->interrupts |= EFI_SIMPLE_NETWORK_RECEIVE_INTERRUPT;
        adapter->statistics.RxTotalFrames++;
        adapter->statistics.RxGoodFrames++;
        adapter->statistics.RxTotalBytes += length;
    }
    return adapter->length != 0;
}

static EFI_STATUS EFIAPI get_status(EFI_SIMPLE_NETWORK_PROTOCOL *this, UINT32 *ret_interrupts,
                                    VOID **ret_buffer)
{
    if (!this || (!ret_interrupts && !ret_buffer))
        return EFI_INVALID_PARAMETER;
    struct adapter *adapter = adapter_of(this);
    EFI_STATUS status = initialized(adapter);
    if (status != EFI_SUCCESS)
        return status;
    EFI_TPL tpl = bs_raise_tpl(TPL_NOTIFY);
    adapter->mode.MediaPresent = virtio_net_link(&adapter->net);
    if (ret_buffer) {
        *ret_buffer = NULL;
        if (virtio_net_sent(&adapter->net, ret_buffer))
            adapter->interrupts |= EFI_SIMPLE_NETWORK_TRANSMIT_INTERRUPT;
    }
    (void)fetch(adapter);
    if (ret_interrupts) {
        *ret_interrupts = adapter->interrupts;
        adapter->interrupts = 0;
    }
    bs_restore_tpl(tpl);
    return adapter->net.device.failed ? EFI_DEVICE_ERROR : EFI_SUCCESS;
}

static void fill_header(const struct adapter *adapter, uint8_t *frame, const EFI_MAC_ADDRESS *from,
                        const EFI_MAC_ADDRESS *to, UINT16 protocol)
{
    memcpy(frame, to->Addr, NET_ADDRESS);
    memcpy(frame + NET_ADDRESS, (from ? from : &adapter->mode.CurrentAddress)->Addr, NET_ADDRESS);
    frame[12] = (uint8_t)(protocol >> 8);
    frame[13] = (uint8_t)protocol;
}

static EFI_STATUS EFIAPI transmit(EFI_SIMPLE_NETWORK_PROTOCOL *this, UINTN header, UINTN size,
                                  VOID *buffer, EFI_MAC_ADDRESS *from, EFI_MAC_ADDRESS *to,
                                  UINT16 *protocol)
{
    if (!this || !buffer)
        return EFI_INVALID_PARAMETER;
    struct adapter *adapter = adapter_of(this);
    EFI_STATUS status = initialized(adapter);
    if (status != EFI_SUCCESS)
        return status;
    if (size < NET_HEADER)
        return EFI_BUFFER_TOO_SMALL;
    if (size > NET_FRAME_MAXIMUM || (header && (header != NET_HEADER || !to || !protocol)))
        return EFI_INVALID_PARAMETER;
    EFI_TPL tpl = bs_raise_tpl(TPL_NOTIFY);
    if (header)
        fill_header(adapter, buffer, from, to, *protocol);
    if (adapter->net.device.failed)
        status = EFI_DEVICE_ERROR;
    else if (!virtio_net_send(&adapter->net, buffer, size, buffer))
        status = EFI_NOT_READY; /* GetStatus recycles */
    if (status == EFI_SUCCESS) {
        adapter->statistics.TxTotalFrames++;
        adapter->statistics.TxGoodFrames++;
        adapter->statistics.TxTotalBytes += size;
    }
    bs_restore_tpl(tpl);
    return status;
}

/* Hands the waiting frame over. The caller's memory may be anything: only the copy is parsed. */
static EFI_STATUS deliver(struct adapter *adapter, UINTN *ret_header, UINTN *size, VOID *buffer,
                          EFI_MAC_ADDRESS *ret_from, EFI_MAC_ADDRESS *ret_to, UINT16 *ret_protocol)
{
    const uint8_t *frame = adapter->frame;
    bool fits = *size >= adapter->length;
    *size = adapter->length;
    if (!fits)
        return EFI_BUFFER_TOO_SMALL; /* it stays for a call with more room */
    memcpy(buffer, frame, adapter->length);
    adapter->length = 0;
    if (ret_header)
        *ret_header = NET_HEADER;
    if (ret_to) {
        memset(ret_to, 0, sizeof(*ret_to));
        memcpy(ret_to->Addr, frame, NET_ADDRESS);
    }
    if (ret_from) {
        memset(ret_from, 0, sizeof(*ret_from));
        memcpy(ret_from->Addr, frame + NET_ADDRESS, NET_ADDRESS);
    }
    if (ret_protocol)
        *ret_protocol = (UINT16)(frame[12] << 8 | frame[13]);
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI receive(EFI_SIMPLE_NETWORK_PROTOCOL *this, UINTN *ret_header, UINTN *size,
                                 VOID *buffer, EFI_MAC_ADDRESS *ret_from, EFI_MAC_ADDRESS *ret_to,
                                 UINT16 *ret_protocol)
{
    if (!this || !size || !buffer)
        return EFI_INVALID_PARAMETER;
    struct adapter *adapter = adapter_of(this);
    EFI_STATUS status = initialized(adapter);
    if (status != EFI_SUCCESS)
        return status;
    EFI_TPL tpl = bs_raise_tpl(TPL_NOTIFY);
    if (fetch(adapter))
        status = deliver(adapter, ret_header, size, buffer, ret_from, ret_to, ret_protocol);
    else
        status = adapter->net.device.failed ? EFI_DEVICE_ERROR : EFI_NOT_READY;
    bs_restore_tpl(tpl);
    return status;
}

static VOID EFIAPI look_for_packet(EFI_EVENT event, VOID *context)
{
    struct adapter *adapter = context;
    if (adapter->mode.State == EfiSimpleNetworkInitialized && fetch(adapter))
        (void)bs_signal_event(event);
}

static void describe(struct adapter *adapter)
{
    EFI_SIMPLE_NETWORK_MODE *mode = &adapter->mode;
    adapter->snp = (EFI_SIMPLE_NETWORK_PROTOCOL){ .Revision = EFI_SIMPLE_NETWORK_PROTOCOL_REVISION,
                                                  .Start = start,
                                                  .Stop = stop,
                                                  .Initialize = initialize,
                                                  .Reset = reset,
                                                  .Shutdown = shut_down,
                                                  .ReceiveFilters = receive_filters,
                                                  .StationAddress = station_address,
                                                  .Statistics = statistics,
                                                  .MCastIpToMac = multicast_address,
                                                  .NvData = nv_data,
                                                  .GetStatus = get_status,
                                                  .Transmit = transmit,
                                                  .Receive = receive,
                                                  .Mode = mode };
    *mode = (EFI_SIMPLE_NETWORK_MODE){ .HwAddressSize = NET_ADDRESS,
                                       .MediaHeaderSize = NET_HEADER,
                                       .MaxPacketSize = NET_FRAME_MAXIMUM - NET_HEADER,
                                       .ReceiveFilterMask = FILTERS,
                                       .ReceiveFilterSetting = INITIAL_FILTERS,
                                       .MaxMCastFilterCount = MAX_MCAST_FILTER_CNT,
                                       .IfType = NET_IFTYPE_ETHERNET,
                                       .MultipleTxSupported = true,
                                       .MediaPresentSupported = true,
                                       .MediaPresent = true };
    memcpy(mode->CurrentAddress.Addr, adapter->net.address, NET_ADDRESS);
    memcpy(mode->PermanentAddress.Addr, adapter->net.address, NET_ADDRESS);
    memcpy(mode->BroadcastAddress.Addr, broadcast, NET_ADDRESS);
    memset(&adapter->statistics, 0xFF, sizeof(adapter->statistics));
    adapter->statistics.RxTotalFrames = adapter->statistics.RxGoodFrames = 0;
    adapter->statistics.RxTotalBytes = adapter->statistics.TxTotalBytes = 0;
    adapter->statistics.TxTotalFrames = adapter->statistics.TxGoodFrames = 0;
}

static EFI_DEVICE_PATH_PROTOCOL *path_of(const struct adapter *adapter)
{
    MAC_ADDR_DEVICE_PATH node = { { MESSAGING_DEVICE_PATH, MSG_MAC_DP, { sizeof(node), 0 } },
                                  adapter->mode.PermanentAddress,
                                  NET_IFTYPE_ETHERNET };
    EFI_DEVICE_PATH_PROTOCOL *parent = devicepath_of_pci(adapter->net.function->address);
    EFI_DEVICE_PATH_PROTOCOL *path = parent ? devicepath_append(parent, &node.Header) : NULL;
    pool_free(parent);
    return path;
}

static void offer_boot(struct adapter *adapter)
{
    adapter->load_file =
        load_file_publish(adapter->child, adapter->path, &adapter->snp, driver_handle);
}

static EFI_STATUS open_as_child(struct adapter *adapter)
{
    EFI_GUID pci = guid_pci_io;
    void *interface;
    return bs_open_protocol(adapter->controller, &pci, &interface, driver_handle, adapter->child,
                            EFI_OPEN_PROTOCOL_BY_CHILD_CONTROLLER);
}

static EFI_STATUS publish(struct adapter *adapter)
{
    adapter->path = path_of(adapter);
    if (!adapter->path ||
        bs_create_event(EVT_NOTIFY_WAIT, TPL_NOTIFY, look_for_packet, adapter,
                        &adapter->snp.WaitForPacket) != EFI_SUCCESS)
        return EFI_OUT_OF_RESOURCES;
    EFI_STATUS status = bs_install_multiple(&adapter->child, &guid_device_path, adapter->path,
                                            &guid_simple_network, &adapter->snp, NULL);
    if (status != EFI_SUCCESS)
        return status;
    status = open_as_child(adapter);
    if (status != EFI_SUCCESS)
        (void)bs_uninstall_multiple(adapter->child, &guid_device_path, adapter->path,
                                    &guid_simple_network, &adapter->snp, NULL);
    else
        offer_boot(adapter);
    return status;
}

static void destroy(struct adapter *adapter)
{
    if (adapter->snp.WaitForPacket)
        (void)bs_close_event(adapter->snp.WaitForPacket);
    pool_free(adapter->path);
    pool_free(adapter);
}

static EFI_STATUS EFIAPI binding_supported(EFI_DRIVER_BINDING_PROTOCOL *this, EFI_HANDLE controller,
                                           EFI_DEVICE_PATH_PROTOCOL *remaining)
{
    EFI_GUID pci = guid_pci_io;
    void *interface;
    (void)remaining;
    const struct pci_function *function = pci_io_function(controller);
    if (!function || !virtio_net_is(function))
        return EFI_UNSUPPORTED;
    EFI_STATUS status = bs_open_protocol(controller, &pci, &interface, this->DriverBindingHandle,
                                         controller, EFI_OPEN_PROTOCOL_BY_DRIVER);
    if (status == EFI_SUCCESS)
        (void)bs_close_protocol(controller, &pci, this->DriverBindingHandle, controller);
    return status;
}

static EFI_STATUS EFIAPI binding_start(EFI_DRIVER_BINDING_PROTOCOL *this, EFI_HANDLE controller,
                                       EFI_DEVICE_PATH_PROTOCOL *remaining)
{
    EFI_GUID pci = guid_pci_io;
    void *interface;
    (void)remaining;
    EFI_STATUS status = bs_open_protocol(controller, &pci, &interface, this->DriverBindingHandle,
                                         controller, EFI_OPEN_PROTOCOL_BY_DRIVER);
    if (status != EFI_SUCCESS)
        return status;
    struct adapter *adapter = pool_allocate(MEMORY_BOOT_DATA, sizeof(*adapter));
    status = EFI_OUT_OF_RESOURCES;
    if (adapter) {
        memset(adapter, 0, sizeof(*adapter));
        adapter->controller = controller;
        status = EFI_DEVICE_ERROR;
        if (virtio_net_probe(pci_io_function(controller), &adapter->net)) {
            describe(adapter);
            status = publish(adapter);
        }
    }
    if (status == EFI_SUCCESS) {
        adapter->next = adapters;
        adapters = adapter;
        return EFI_SUCCESS;
    }
    if (adapter)
        destroy(adapter);
    (void)bs_close_protocol(controller, &pci, this->DriverBindingHandle, controller);
    return status;
}

/* Takes the adapter off its controller; whoever uses its protocol may refuse. */
static EFI_STATUS withdraw(EFI_DRIVER_BINDING_PROTOCOL *this, struct adapter *adapter)
{
    EFI_GUID pci = guid_pci_io;
    if (!load_file_withdraw(adapter->load_file))
        return EFI_DEVICE_ERROR;
    /* First, while there is the child: an open of a handle that is gone cannot be closed. */
    (void)bs_close_protocol(adapter->controller, &pci, this->DriverBindingHandle, adapter->child);
    if (bs_uninstall_multiple(adapter->child, &guid_device_path, adapter->path,
                              &guid_simple_network, &adapter->snp, NULL) != EFI_SUCCESS) {
        (void)open_as_child(adapter);
        offer_boot(adapter);
        return EFI_DEVICE_ERROR;
    }
    if (adapter->mode.State == EfiSimpleNetworkInitialized)
        virtio_net_close(&adapter->net);
    for (struct adapter **link = &adapters; *link; link = &(*link)->next)
        if (*link == adapter) {
            *link = adapter->next;
            break;
        }
    destroy(adapter);
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI binding_stop(EFI_DRIVER_BINDING_PROTOCOL *this, EFI_HANDLE controller,
                                      UINTN count, EFI_HANDLE *children)
{
    EFI_GUID pci = guid_pci_io;
    struct adapter *adapter = adapters;
    while (adapter && adapter->controller != controller)
        adapter = adapter->next;
    bool asked = count == 0 || (children && adapter && children[0] == adapter->child);
    if (adapter && asked && withdraw(this, adapter) != EFI_SUCCESS)
        return EFI_DEVICE_ERROR;
    if (count == 0)
        return bs_close_protocol(controller, &pci, this->DriverBindingHandle, controller);
    return asked ? EFI_SUCCESS : EFI_DEVICE_ERROR;
}

void simple_network_init(void)
{
    static EFI_DRIVER_BINDING_PROTOCOL binding = { .Supported = binding_supported,
                                                   .Start = binding_start,
                                                   .Stop = binding_stop,
                                                   .Version = 0x10 };
    const struct pci_function *function;
    handle_install(&driver_handle, &guid_driver_binding, &binding);
    binding.ImageHandle = firmware_image;
    binding.DriverBindingHandle = driver_handle;
    for (size_t i = 0; pci_function_at(i, &function); i++)
        if (virtio_net_is(function))
            (void)binding_start(&binding, pci_io_handle(function->address), NULL);
}
