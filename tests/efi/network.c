/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The Simple Network Protocol (UEFI 2.10 24.1): states and arguments, and an ARP request to the
 * router 10.0.2.2 of the user network that is answered. The Load File Protocol of the card (13.1): what
 * it refuses before it asks the network.
 */
#include "firmware/uefi/efi_net.h"
#include "tests/efi/conformance.h"

enum { HEADER = 14, FRAME = 60, POLLS = 2000, ETHERTYPE_ARP = 0x0806 };

/* What needs an initialized interface; in every other state a call changes nothing. */
static void refused(EFI_SIMPLE_NETWORK_PROTOCOL *net, const char *state)
{
    static uint8_t frame[FRAME];
    EFI_IP_ADDRESS ip = { .v4 = { 239, 255, 1, 2 } };
    EFI_MAC_ADDRESS mac = { { 0 } };
    UINTN size = sizeof(frame);
    UINT32 status;
    check_status(name_of(state, "filters"), net->ReceiveFilters(net, 5, 0, false, 0, NULL));
    check_status(name_of(state, "station"), net->StationAddress(net, true, NULL));
    check_status(name_of(state, "statistics"), net->Statistics(net, true, NULL, NULL));
    check_status(name_of(state, "multicast"), net->MCastIpToMac(net, false, &ip, &mac));
    check_status(name_of(state, "nv-data"), net->NvData(net, true, 0, 0, frame));
    check_status(name_of(state, "status"), net->GetStatus(net, &status, NULL));
    check_status(name_of(state, "send"), net->Transmit(net, 0, FRAME, frame, NULL, NULL, NULL));
    check_status(name_of(state, "receive"), net->Receive(net, NULL, &size, frame, NULL, NULL, NULL));
}

static void statistics(EFI_SIMPLE_NETWORK_PROTOCOL *net)
{
    EFI_NETWORK_STATISTICS s = { 0 };
    UINTN size = 0;
    check_status("statistics.null", net->Statistics(NULL, false, &size, &s));
    check_status("statistics.no-size", net->Statistics(net, false, NULL, &s));
    check_status("statistics.nothing", net->Statistics(net, false, NULL, NULL));
    EFI_STATUS status = net->Statistics(net, false, &size, NULL);
    check_status("statistics.ask", status);
    if (status != EFI_BUFFER_TOO_SMALL)
        return;
    check_value("statistics.ask.size", size);
    size = 16;
    check_status("statistics.small", net->Statistics(net, false, &size, &s));
    check_true("statistics.small.part", s.RxGoodFrames != 0 && s.TxTotalFrames == 0);
    check_value("statistics.small.size", size);
    check_status("statistics", net->Statistics(net, false, &size, &s));
    check_true("statistics.counts", s.RxTotalFrames >= 1 && s.RxTotalBytes >= 42);
    check_true("statistics.sent", s.TxTotalFrames == 1 && s.TxTotalBytes == FRAME);
    check_true("statistics.unknown", s.RxCrcErrorFrames == UINT64_MAX);
    check_status("statistics.clear", net->Statistics(net, true, NULL, NULL));
    check_status("statistics.cleared", net->Statistics(net, false, &size, &s));
    check_value("statistics.cleared.sent", s.TxTotalFrames);
}

static void states(EFI_SIMPLE_NETWORK_PROTOCOL *net)
{
    check_value("state", net->Mode->State);
    check_status("stopped.stop", net->Stop(net));
    refused(net, "stopped");
    check_status("stopped.initialize", net->Initialize(net, 0, 0));
    check_status("stopped.shutdown", net->Shutdown(net));
    check_status("stopped.reset", net->Reset(net, false));
    check_status("start", net->Start(net));
    check_status("start.again", net->Start(net));
    check_status("started.shutdown", net->Shutdown(net));
    check_status("started.reset", net->Reset(net, false));
    refused(net, "started");
    check_status("null", net->Start(NULL));
    check_status("initialize", net->Initialize(net, 0, 0));
    check_status("initialized.start", net->Start(net));
    check_status("initialized.stop", net->Stop(net));
    check_value("initialized.state", net->Mode->State);
}

static void mode(const EFI_SIMPLE_NETWORK_MODE *m)
{
    check_value("address-size", m->HwAddressSize);
    check_value("header-size", m->MediaHeaderSize);
    check_value("packet-size", m->MaxPacketSize);
    check_value("nv-ram", m->NvRamSize);
    check_value("if-type", m->IfType);
    check_bytes("current", m->CurrentAddress.Addr, 6);
    check_bytes("broadcast", m->BroadcastAddress.Addr, 6);
    check_true("permanent", memcmp(m->PermanentAddress.Addr, m->CurrentAddress.Addr, 32) == 0);
    check_true("changeable", m->MacAddressChangeable);
    check_true("several", m->MultipleTxSupported);
    check_true("media", m->MediaPresent);
}

static void addresses(EFI_SIMPLE_NETWORK_PROTOCOL *net)
{
    EFI_IP_ADDRESS ip = { .v4 = { 239, 255, 1, 2 } };
    EFI_MAC_ADDRESS mac;
    check_status("multicast.null", net->MCastIpToMac(net, false, NULL, &mac));
    check_status("multicast.no-result", net->MCastIpToMac(net, false, &ip, NULL));
    check_status("multicast", net->MCastIpToMac(net, false, &ip, &mac));
    check_bytes("multicast.value", mac.Addr, 6);
    ip.v4[0] = 10;
    check_status("multicast.unicast", net->MCastIpToMac(net, false, &ip, &mac));
    EFI_IP_ADDRESS six = { .v6 = { 0xFF, 2, [13] = 1, [15] = 2 } };
    check_status("multicast.six", net->MCastIpToMac(net, true, &six, &mac));
    check_bytes("multicast.six.value", mac.Addr, 6);
    six.v6[0] = 0xFE;
    check_status("multicast.six.unicast", net->MCastIpToMac(net, true, &six, &mac));
    check_status("station.null", net->StationAddress(net, false, NULL));
    check_status("station.reset", net->StationAddress(net, true, NULL));
    check_status("nv-data", net->NvData(net, true, 0, 0, &mac));
    check_status("filters.foreign", net->ReceiveFilters(net, 0x80, 0, false, 0, NULL));
    check_status("filters", net->ReceiveFilters(net, 5, 0, false, 0, NULL));
    check_status("filters.disable", net->ReceiveFilters(net, 0, 8, false, 0, NULL));
    EFI_MAC_ADDRESS group = { { 1, 0, 0x5E, 1, 2, 3 } }, single = { { 2, 0, 0x5E, 1, 2, 3 } };
    check_status("filters.list-none", net->ReceiveFilters(net, 2, 0, false, 0, NULL));
    check_status("filters.list-single", net->ReceiveFilters(net, 2, 0, false, 1, &single));
    check_status("filters.list-long", net->ReceiveFilters(net, 2, 0, false, 1000, &group));
    check_status("filters.list", net->ReceiveFilters(net, 2, 0, false, 1, &group));
    check_value("filters.list.count", net->Mode->MCastFilterCount);
    check_value("filters.list.setting", net->Mode->ReceiveFilterSetting);
    check_status("filters.list-reset", net->ReceiveFilters(net, 0, 0, true, 0, NULL));
    check_value("filters.list-reset.count", net->Mode->MCastFilterCount);
}

static void arguments(EFI_SIMPLE_NETWORK_PROTOCOL *net, uint8_t *frame)
{
    EFI_MAC_ADDRESS to = net->Mode->BroadcastAddress;
    UINT16 protocol = ETHERTYPE_ARP;
    UINTN size = FRAME;
    check_status("send.null", net->Transmit(net, HEADER, FRAME, NULL, NULL, &to, &protocol));
    check_status("send.header", net->Transmit(net, 5, FRAME, frame, NULL, &to, &protocol));
    check_status("send.no-target", net->Transmit(net, HEADER, FRAME, frame, NULL, NULL, &protocol));
    check_status("send.no-protocol", net->Transmit(net, HEADER, FRAME, frame, NULL, &to, NULL));
    check_status("send.short", net->Transmit(net, HEADER, 5, frame, NULL, &to, &protocol));
    check_status("receive.no-size", net->Receive(net, NULL, NULL, frame, NULL, NULL, NULL));
    check_status("receive.null", net->Receive(net, NULL, &size, NULL, NULL, NULL, NULL));
    check_status("status.nothing", net->GetStatus(net, NULL, NULL));
}

/* The next ARP reply, or a status that is not NOT_READY. */
static EFI_STATUS wait_for_reply(EFI_SIMPLE_NETWORK_PROTOCOL *net, uint8_t *frame, UINTN *size)
{
    EFI_STATUS status = EFI_NOT_READY;
    for (unsigned i = 0; i < POLLS; i++) {
        UINTN room = *size;
        status = net->Receive(net, NULL, &room, frame, NULL, NULL, NULL);
        if (status == EFI_NOT_READY) {
            bs->Stall(1000);
            continue;
        }
        if (status != EFI_SUCCESS ||
            (frame[12] == ETHERTYPE_ARP >> 8 && frame[13] == (ETHERTYPE_ARP & 0xFF) &&
             frame[21] == 2)) {
            *size = room;
            return status;
        }
    }
    return status;
}

static void request(EFI_SIMPLE_NETWORK_PROTOCOL *net, uint8_t *frame)
{
    static const uint8_t arp[] = { 0, 1, 8, 0, 6, 4, 0, 1 };
    EFI_MAC_ADDRESS to = net->Mode->BroadcastAddress;
    UINT16 protocol = ETHERTYPE_ARP;
    VOID *done = NULL;
    memset(frame, 0, FRAME);
    memcpy(frame + 14, arp, sizeof(arp));
    memcpy(frame + 22, net->Mode->CurrentAddress.Addr, 6);
    memcpy(frame + 28, (uint8_t[]){ 10, 0, 2, 15 }, 4);
    memcpy(frame + 38, (uint8_t[]){ 10, 0, 2, 2 }, 4);
    check_status("send", net->Transmit(net, HEADER, FRAME, frame, NULL, &to, &protocol));
    check_bytes("send.header-made", frame, HEADER);
    for (unsigned i = 0; i < POLLS && !done; i++) {
        net->GetStatus(net, NULL, &done);
        bs->Stall(100);
    }
    check_true("send.recycled", done == frame);
    UINTN size = 10;
    uint8_t reply[1514];
    check_status("receive.small", wait_for_reply(net, reply, &size));
    check_true("receive.needed", size >= 42);
    size = sizeof(reply);
    check_status("receive", wait_for_reply(net, reply, &size));
    check_bytes("receive.for", reply, 6);
    check_bytes("receive.arp", reply + 14, 8);
    check_bytes("receive.from", reply + 28, 4);
}

/* The last node of a path that has two at least, without its end. */
static const EFI_DEVICE_PATH_PROTOCOL *last_node(const EFI_DEVICE_PATH_PROTOCOL *path)
{
    const EFI_DEVICE_PATH_PROTOCOL *last = path;
    while (path && path->Type != END_DEVICE_PATH) {
        last = path;
        path = (const void *)((const uint8_t *)path + path->Length[0] + path->Length[1] * 256);
    }
    return last;
}

/* The handle from which the card boots by DHCP and TFTP, NULL: none. OVMF has others beside it. */
static EFI_HANDLE boot_handle(const EFI_DEVICE_PATH_PROTOCOL **ret_node)
{
    EFI_HANDLE *handles = NULL, found = NULL;
    UINTN count = 0;
    bs->LocateHandleBuffer(ByProtocol, &load_file_guid, NULL, &count, &handles);
    for (UINTN i = 0; i < count && !found; i++) {
        VOID *path = NULL;
        bs->HandleProtocol(handles[i], &device_path_guid, &path);
        *ret_node = last_node(path);
        if (path && (*ret_node)->Type == MESSAGING_DEVICE_PATH &&
            (*ret_node)->SubType == MSG_IPv4_DP)
            found = handles[i];
    }
    give(handles);
    return found;
}

static void load_file(void)
{
    const EFI_DEVICE_PATH_PROTOCOL *node = NULL;
    EFI_DEVICE_PATH_PROTOCOL end = { END_DEVICE_PATH, END_ENTIRE_DP, { 4, 0 } };
    EFI_LOAD_FILE_PROTOCOL *l = NULL;
    UINTN size = 0;
    EFI_HANDLE handle = boot_handle(&node);
    check_true("load-file", handle != NULL);
    if (!handle)
        return;
    VOID *interface = NULL;
    check_status("load-file.open", bs->HandleProtocol(handle, &load_file_guid, &interface));
    l = interface;
    check_bytes("load-file.node", node, sizeof(IPv4_DEVICE_PATH));
    check_status("load-file.null", l->LoadFile(NULL, &end, true, &size, NULL));
    check_status("load-file.no-path", l->LoadFile(l, NULL, true, &size, NULL));
    check_status("load-file.no-size", l->LoadFile(l, &end, true, NULL, NULL));
    check_status("load-file.exact", l->LoadFile(l, &end, false, &size, NULL));
    check_value("load-file.size", size);
}

void test_network(void)
{
    EFI_SIMPLE_NETWORK_PROTOCOL *net = NULL;
    EFI_HANDLE *handles = NULL;
    UINTN count = 0;
    bs->LocateHandleBuffer(ByProtocol, &simple_network_guid, NULL, &count, &handles);
    check_true("there", count != 0);
    if (count == 0)
        return;
    load_file();
    /* Whatever the firmware's own network stack has done to the card ends here. */
    check_status("open", bs->OpenProtocol(handles[0], &simple_network_guid, (VOID **)&net, self,
                                          NULL, EFI_OPEN_PROTOCOL_EXCLUSIVE));
    give(handles);
    if (!net)
        return;
    uint8_t *frame = take(1514);
    states(net);
    mode(net->Mode);
    addresses(net);
    arguments(net, frame);
    request(net, frame);
    statistics(net);
    check_status("reset", net->Reset(net, false));
    check_status("shutdown", net->Shutdown(net));
    check_status("shutdown.again", net->Shutdown(net));
    check_status("stop", net->Stop(net));
    give(frame);
}
