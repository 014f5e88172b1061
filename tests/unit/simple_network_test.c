/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The Simple Network Protocol (UEFI 2.10 24.1) over the firmware's own handles: which frames the
 * receive filter lets in, what Receive and Transmit do with a frame, what is counted, and that a
 * network that never stops does not hold a call up. The card is played here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "firmware/drivers/virtio_net.h"
#include "firmware/net/load_file.h"
#include "firmware/uefi/efi_net.h"
#include "firmware/uefi/memory.h"
#include "firmware/uefi/pci_protocols.h"
#include "firmware/uefi/services.h"

enum { RAM_SIZE = 16 << 20, FLOOD = 1000, LENGTH = 60 };
enum {
    UNICAST = EFI_SIMPLE_NETWORK_RECEIVE_UNICAST,
    MULTICAST = EFI_SIMPLE_NETWORK_RECEIVE_MULTICAST,
    BROADCAST = EFI_SIMPLE_NETWORK_RECEIVE_BROADCAST,
    ALL = EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS,
    ALL_MULTICAST = EFI_SIMPLE_NETWORK_RECEIVE_PROMISCUOUS_MULTICAST,
};

bool boot_services_ended;
EFI_HANDLE firmware_image;
static EFI_HANDLE card;
static EFI_SIMPLE_NETWORK_PROTOCOL *snp;
static const struct pci_function function = { .address = 0x18 };
static const struct {
    ACPI_HID_DEVICE_PATH root;
    EFI_DEVICE_PATH_PROTOCOL end;
} path = { { { ACPI_DEVICE_PATH, ACPI_DP, { 12, 0 } }, 0x0A0341D0, 0 },
           { END_DEVICE_PATH, END_ENTIRE_DP, { 4, 0 } } };

/* The card: a frame of this destination, so many times; what was sent last. */
static struct {
    uint8_t to[NET_ADDRESS];
    unsigned waiting, taken;
    uint8_t sent[NET_FRAME_MAXIMUM];
    size_t sent_length;
    void *token;
    bool busy, open;
} wire;

static const uint8_t own[NET_ADDRESS] = { 2, 0, 0, 0, 0, 1 }, other[] = { 2, 0, 0, 0, 0, 2 },
                     everybody[] = { 255, 255, 255, 255, 255, 255 },
                     group[] = { 1, 0, 0x5E, 0, 0, 1 }, stranger[] = { 1, 0, 0x5E, 0, 0, 2 };

/* --- fakes --- */

_Noreturn void panic(const char *fmt, ...);
void panic(const char *fmt, ...)
{
    fprintf(stderr, "panic: %s\n", fmt);
    abort();
}

void log_line(const char *fmt, ...);
void log_line(const char *fmt, ...)
{
}

void events_signal_group(const EFI_GUID *event_group)
{
}

uint64_t interrupts_save(void)
{
    return 0;
}

void interrupts_restore(uint64_t flags)
{
}

EFI_TPL EFIAPI bs_raise_tpl(EFI_TPL tpl)
{
    return tpl;
}

VOID EFIAPI bs_restore_tpl(EFI_TPL tpl)
{
}

EFI_STATUS EFIAPI bs_signal_event(EFI_EVENT event)
{
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI bs_create_event(UINT32 type, EFI_TPL tpl, EFI_EVENT_NOTIFY notify, VOID *context,
                                  EFI_EVENT *ret_event)
{
    *ret_event = &wire;
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI bs_close_event(EFI_EVENT event)
{
    return EFI_SUCCESS;
}

EFI_DEVICE_PATH_PROTOCOL *devicepath_of_pci(uint16_t address)
{
    assert_int_equal(address, function.address);
    return devicepath_copy(&path.root.Header);
}

bool pci_function_at(size_t index, const struct pci_function **ret)
{
    *ret = &function;
    return index == 0;
}

EFI_HANDLE pci_io_handle(uint16_t address)
{
    return card;
}

const struct pci_function *pci_io_function(EFI_HANDLE handle)
{
    return handle == card ? &function : NULL;
}

struct load_file *load_file_publish(EFI_HANDLE handle, const EFI_DEVICE_PATH_PROTOCOL *card_path,
                                    EFI_SIMPLE_NETWORK_PROTOCOL *protocol, EFI_HANDLE driver)
{
    return NULL;
}

bool load_file_withdraw(struct load_file *load_file)
{
    return true;
}

bool virtio_net_is(const struct pci_function *which)
{
    return which == &function;
}

bool virtio_net_probe(const struct pci_function *which, struct virtio_net *ret)
{
    *ret = (struct virtio_net){ .function = which };
    memcpy(ret->address, own, NET_ADDRESS);
    return true;
}

bool virtio_net_open(struct virtio_net *net)
{
    wire.open = true;
    return true;
}

void virtio_net_close(struct virtio_net *net)
{
    wire.open = false;
}

bool virtio_net_link(const struct virtio_net *net)
{
    return true;
}

bool virtio_net_receive(struct virtio_net *net, void *frame, size_t *ret_length)
{
    assert_true(wire.open);
    if (wire.taken == wire.waiting)
        return false;
    wire.taken++;
    memset(frame, 0x77, LENGTH);
    memcpy(frame, wire.to, NET_ADDRESS);
    memcpy((uint8_t *)frame + NET_ADDRESS, other, NET_ADDRESS);
    *ret_length = LENGTH;
    return true;
}

bool virtio_net_send(struct virtio_net *net, const void *frame, size_t length, void *token)
{
    if (wire.busy)
        return false;
    memcpy(wire.sent, frame, length);
    wire.sent_length = length;
    wire.token = token;
    return true;
}

bool virtio_net_sent(struct virtio_net *net, void **ret_token)
{
    *ret_token = wire.token;
    wire.token = NULL;
    return *ret_token != NULL;
}

/* --- tests --- */

static int prepare(void **state)
{
    EFI_GUID pci = guid_pci_io, network = guid_simple_network;
    static int interface;
    if (!snp) {
        void *memory = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_true(memory != MAP_FAILED);
        memory_init();
        memory_add((uint64_t)(uintptr_t)memory, RAM_SIZE, MEMORY_CONVENTIONAL);
        assert_int_equal(bs_install_protocol_interface(&card, &pci, 0, &interface), EFI_SUCCESS);
        handle_install(&firmware_image, &guid_loaded_image, &interface);
        simple_network_init();
        assert_int_equal(bs_locate_protocol(&network, NULL, (void **)&snp), EFI_SUCCESS);
        assert_int_equal(snp->Start(snp), EFI_SUCCESS);
    }
    memset(&wire, 0, sizeof(wire));
    if (snp->Mode->State == EfiSimpleNetworkInitialized)
        assert_int_equal(snp->Shutdown(snp), EFI_SUCCESS); /* filters are as at first again */
    assert_int_equal(snp->Initialize(snp, 0, 0), EFI_SUCCESS);
    return 0;
}

/* Does a frame for this address arrive? */
static bool arrives(const uint8_t *to)
{
    uint8_t frame[NET_FRAME_MAXIMUM];
    UINTN size = sizeof(frame);
    memcpy(wire.to, to, NET_ADDRESS);
    wire.taken = 0;
    wire.waiting = 1;
    EFI_STATUS status = snp->Receive(snp, NULL, &size, frame, NULL, NULL, NULL);
    assert_int_equal(wire.taken, 1); /* an unwanted one is gone */
    assert_true(status == EFI_SUCCESS ? size == LENGTH : status == EFI_NOT_READY);
    return status == EFI_SUCCESS;
}

static void set_filters(uint32_t filters)
{
    EFI_MAC_ADDRESS list = { { 0 } };
    memcpy(list.Addr, group, NET_ADDRESS);
    bool lists = filters & MULTICAST;
    assert_int_equal(snp->ReceiveFilters(snp, 0, 0x1F, true, 0, NULL), EFI_SUCCESS);
    assert_int_equal(snp->ReceiveFilters(snp, filters, 0, false, lists, lists ? &list : NULL),
                     EFI_SUCCESS);
    assert_int_equal(snp->Mode->ReceiveFilterSetting, filters);
    assert_int_equal(snp->Mode->MCastFilterCount, lists);
}

static void filters_decide(void **state)
{
    static const uint32_t settings[] = { 0, UNICAST, BROADCAST, UNICAST | BROADCAST, MULTICAST,
                                         MULTICAST | UNICAST, ALL_MULTICAST, ALL };
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        uint32_t f = settings[i];
        set_filters(f);
        assert_int_equal(arrives(own), (f & (UNICAST | ALL)) != 0);
        assert_int_equal(arrives(other), (f & ALL) != 0);
        assert_int_equal(arrives(everybody), (f & (BROADCAST | ALL)) != 0);
        assert_int_equal(arrives(group), (f & (MULTICAST | ALL_MULTICAST | ALL)) != 0);
        assert_int_equal(arrives(stranger), (f & (ALL_MULTICAST | ALL)) != 0);
    }
}

static void filters_at_first(void **state)
{
    assert_true(arrives(own) && arrives(everybody));
    assert_false(arrives(other) || arrives(group));
    set_filters(ALL);
    prepare(state);
    assert_false(arrives(other));
}

static void filters_refuse(void **state)
{
    EFI_MAC_ADDRESS list[MAX_MCAST_FILTER_CNT + 1] = { { { 1 } } };
    assert_int_equal(snp->ReceiveFilters(snp, 0x20, 0, false, 0, NULL), EFI_INVALID_PARAMETER);
    assert_int_equal(snp->ReceiveFilters(snp, MULTICAST, 0, false, 0, list), EFI_INVALID_PARAMETER);
    assert_int_equal(snp->ReceiveFilters(snp, MULTICAST, 0, false, 1, NULL), EFI_INVALID_PARAMETER);
    assert_int_equal(snp->ReceiveFilters(snp, MULTICAST, 0, false, MAX_MCAST_FILTER_CNT + 1, list),
                     EFI_INVALID_PARAMETER);
    assert_int_equal(snp->ReceiveFilters(snp, MULTICAST, 0, false, 2, list),
                     EFI_INVALID_PARAMETER); /* the second is no group's */
    assert_false(arrives(group));
}

static void receive_has_it_all(void **state)
{
    uint8_t frame[LENGTH] = { 0 };
    UINTN size = LENGTH - 1, header = 0;
    EFI_MAC_ADDRESS from, to;
    UINT16 protocol = 0;
    memcpy(wire.to, own, NET_ADDRESS);
    wire.waiting = 1;
    assert_int_equal(snp->Receive(snp, NULL, &size, frame, NULL, NULL, NULL), EFI_BUFFER_TOO_SMALL);
    assert_int_equal(size, LENGTH); /* it waits for more room */
    assert_int_equal(snp->Receive(snp, &header, &size, frame, &from, &to, &protocol), EFI_SUCCESS);
    assert_int_equal(header, NET_HEADER);
    assert_memory_equal(from.Addr, other, NET_ADDRESS);
    assert_memory_equal(to.Addr, own, NET_ADDRESS);
    assert_int_equal(protocol, 0x7777);
    assert_int_equal(frame[LENGTH - 1], 0x77);
    assert_int_equal(snp->Receive(snp, NULL, &size, frame, NULL, NULL, NULL), EFI_NOT_READY);
}

static void a_flood_ends(void **state)
{
    uint8_t frame[NET_FRAME_MAXIMUM];
    UINTN size = sizeof(frame);
    memcpy(wire.to, other, NET_ADDRESS);
    wire.waiting = FLOOD;
    assert_int_equal(snp->Receive(snp, NULL, &size, frame, NULL, NULL, NULL), EFI_NOT_READY);
    assert_true(wire.taken < FLOOD);
}

static void transmit(void **state)
{
    uint8_t frame[NET_FRAME_MAXIMUM] = { 0 };
    EFI_MAC_ADDRESS to = { { 0 } };
    UINT16 protocol = 0x0806;
    void *back = NULL;
    memcpy(to.Addr, other, NET_ADDRESS);
    assert_int_equal(snp->Transmit(snp, 0, NET_HEADER - 1, frame, NULL, NULL, NULL),
                     EFI_BUFFER_TOO_SMALL);
    assert_int_equal(snp->Transmit(snp, 0, NET_FRAME_MAXIMUM + 1, frame, NULL, NULL, NULL),
                     EFI_INVALID_PARAMETER);
    assert_int_equal(snp->Transmit(snp, 13, LENGTH, frame, NULL, &to, &protocol),
                     EFI_INVALID_PARAMETER);
    assert_int_equal(snp->Transmit(snp, NET_HEADER, LENGTH, frame, NULL, NULL, &protocol),
                     EFI_INVALID_PARAMETER);
    assert_int_equal(snp->Transmit(snp, NET_HEADER, LENGTH, frame, NULL, &to, &protocol),
                     EFI_SUCCESS);
    assert_int_equal(wire.sent_length, LENGTH);
    assert_memory_equal(wire.sent, other, NET_ADDRESS);
    assert_memory_equal(wire.sent + NET_ADDRESS, own, NET_ADDRESS);
    assert_int_equal(wire.sent[12] << 8 | wire.sent[13], protocol);
    assert_int_equal(snp->GetStatus(snp, NULL, &back), EFI_SUCCESS);
    assert_ptr_equal(back, frame);
    assert_int_equal(snp->GetStatus(snp, NULL, &back), EFI_SUCCESS);
    assert_null(back);
    wire.busy = true;
    assert_int_equal(snp->Transmit(snp, 0, LENGTH, frame, NULL, NULL, NULL), EFI_NOT_READY);
}

static void what_is_counted(void **state)
{
    uint8_t frame[LENGTH] = { 0 };
    EFI_NETWORK_STATISTICS table;
    UINTN size = sizeof(table);
    assert_int_equal(snp->Statistics(snp, true, NULL, NULL), EFI_SUCCESS);
    assert_true(arrives(own) && arrives(everybody));
    assert_false(arrives(other));
    assert_int_equal(snp->Transmit(snp, 0, LENGTH, frame, NULL, NULL, NULL), EFI_SUCCESS);
    assert_int_equal(snp->Statistics(snp, false, &size, &table), EFI_SUCCESS);
    assert_int_equal(table.RxTotalFrames, 2);
    assert_int_equal(table.RxTotalBytes, 2 * LENGTH);
    assert_int_equal(table.TxTotalFrames, 1);
    assert_int_equal(table.TxTotalBytes, LENGTH);
    assert_int_equal(table.Collisions, UINT64_MAX); /* nobody counts them */
    size = 8;
    assert_int_equal(snp->Statistics(snp, false, &size, &table), EFI_BUFFER_TOO_SMALL);
    assert_int_equal(size, sizeof(table));
}

/* A loader's own driver takes the card. */
static void goes_when_told(void **state)
{
    EFI_GUID network = guid_simple_network;
    void *interface;
    assert_int_equal(bs_disconnect_controller(card, NULL, NULL), EFI_SUCCESS);
    assert_false(wire.open);
    assert_int_equal(bs_locate_protocol(&network, NULL, &interface), EFI_NOT_FOUND);
    assert_int_equal(bs_connect_controller(card, NULL, NULL, true), EFI_SUCCESS);
    assert_int_equal(bs_locate_protocol(&network, NULL, &interface), EFI_SUCCESS);
    snp = interface;
    assert_int_equal(snp->Mode->State, EfiSimpleNetworkStopped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(filters_at_first, prepare),
        cmocka_unit_test_setup(filters_decide, prepare),
        cmocka_unit_test_setup(filters_refuse, prepare),
        cmocka_unit_test_setup(receive_has_it_all, prepare),
        cmocka_unit_test_setup(a_flood_ends, prepare),
        cmocka_unit_test_setup(transmit, prepare),
        cmocka_unit_test_setup(what_is_counted, prepare),
        cmocka_unit_test_setup(goes_when_told, prepare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
