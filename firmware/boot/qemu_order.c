/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A line is /NAME@UNIT/NAME@UNIT/... with hexadecimal numbers in UNIT, the root bridge first:
 *   /pci@i0cf8/scsi@3/disk@0,0                    virtio-blk
 *   /pci@i0cf8/scsi@4/channel@0/disk@2,1          virtio-scsi: target, LUN
 *   /pci@i0cf8/pci8086,2922@1f,2/drive@1/disk@0   AHCI: port
 *   /pci@i0cf8/pci1b36,10@5/namespace@1,0         NVMe: namespace
 *   /pci@i0cf8/pci-bridge@1c/ethernet@0/ethernet-phy@0
 * (QEMU: get_boot_devices_list and each bus' get_fw_dev_path). Every such node either stands for
 * the path's next node or, as "channel", for none. What has another form names no device of ours.
 */
#include "firmware/boot/qemu_order.h"

#include <string.h>

#include "firmware/uefi/services.h"

/* What is left of a line. */
struct line {
    const char *at, *end;
};

static bool take_text(struct line *line, const char *text)
{
    size_t length = strlen(text);
    if ((size_t)(line->end - line->at) < length || memcmp(line->at, text, length) != 0)
        return false;
    line->at += length;
    return true;
}

static bool take_number(struct line *line, uint32_t *ret)
{
    const char *start = line->at;
    uint32_t value = 0;
    for (; line->at < line->end && line->at - start < 8; line->at++) {
        char c = *line->at;
        if (c >= '0' && c <= '9')
            value = value << 4 | (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value << 4 | (uint32_t)(c - 'a' + 10);
        else
            break;
    }
    *ret = value;
    return line->at > start;
}

/* NUMBER[,NUMBER], to the end of the node. */
static bool take_unit(struct line *line, uint32_t *ret_first, uint32_t *ret_second)
{
    *ret_second = 0;
    if (!take_number(line, ret_first) ||
        (take_text(line, ",") && !take_number(line, ret_second)))
        return false;
    return line->at == line->end || *line->at == '/';
}

static bool is_node(const EFI_DEVICE_PATH_PROTOCOL *node, uint8_t type, uint8_t sub_type,
                    size_t length)
{
    return node->Type == type && node->SubType == sub_type &&
           devicepath_node_length(node) >= length;
}

static bool match_pci(const EFI_DEVICE_PATH_PROTOCOL *node, uint32_t device, uint32_t function)
{
    PCI_DEVICE_PATH pci;
    if (!is_node(node, HARDWARE_DEVICE_PATH, HW_PCI_DP, sizeof(pci)))
        return false;
    memcpy(&pci, node, sizeof(pci));
    return pci.Device == device && pci.Function == function;
}

static bool match_scsi(const EFI_DEVICE_PATH_PROTOCOL *node, uint32_t target, uint32_t lun)
{
    SCSI_DEVICE_PATH scsi;
    if (!is_node(node, MESSAGING_DEVICE_PATH, MSG_SCSI_DP, sizeof(scsi)))
        return false;
    memcpy(&scsi, node, sizeof(scsi));
    return scsi.Target == target && scsi.Lun == lun;
}

static bool match_sata(const EFI_DEVICE_PATH_PROTOCOL *node, uint32_t port, uint32_t unused)
{
    SATA_DEVICE_PATH sata;
    (void)unused;
    if (!is_node(node, MESSAGING_DEVICE_PATH, MSG_SATA_DP, sizeof(sata)))
        return false;
    memcpy(&sata, node, sizeof(sata));
    return sata.Port == port;
}

static bool match_nvme(const EFI_DEVICE_PATH_PROTOCOL *node, uint32_t id, uint32_t unused)
{
    NVME_NAMESPACE_DEVICE_PATH nvme;
    (void)unused;
    if (!is_node(node, MESSAGING_DEVICE_PATH, MSG_NVME_DP, sizeof(nvme)))
        return false;
    memcpy(&nvme, node, sizeof(nvme));
    return nvme.NamespaceId == id;
}

/* Names that are not PCI functions. `after`: only behind a node of that name; match NULL: stands
 * for no node of the path. */
static const struct kind {
    const char *name, *after;
    bool (*match)(const EFI_DEVICE_PATH_PROTOCOL *node, uint32_t first, uint32_t second);
} kinds[] = { { "channel", NULL, NULL },
              { "disk", "channel", match_scsi },
              { "disk", NULL, NULL },
              { "drive", NULL, match_sata },
              { "namespace", NULL, match_nvme },
              { "ethernet-phy", NULL, NULL } };
static const struct kind pci_kind = { "", NULL, match_pci };

static const struct kind *find_kind(const char *name, size_t length, const struct kind *previous)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strlen(kinds[i].name) == length && memcmp(kinds[i].name, name, length) == 0 &&
            (!kinds[i].after || strcmp(kinds[i].after, previous->name) == 0))
            return &kinds[i];
    return &pci_kind;
}

static bool is_root(const EFI_DEVICE_PATH_PROTOCOL *node)
{
    ACPI_HID_DEVICE_PATH acpi;
    if (!is_node(node, ACPI_DEVICE_PATH, ACPI_DP, sizeof(acpi)))
        return false;
    memcpy(&acpi, node, sizeof(acpi));
    return acpi.UID == 0;
}

static bool match_line(struct line line, const EFI_DEVICE_PATH_PROTOCOL *node)
{
    const struct kind *kind = &pci_kind;
    if (!take_text(&line, "/pci@i0cf8/") || !is_root(node))
        return false;
    node = devicepath_next(node);
    for (;;) {
        const char *name = line.at;
        uint32_t first, second;
        while (line.at < line.end && *line.at != '@' && *line.at != '/')
            line.at++;
        kind = find_kind(name, (size_t)(line.at - name), kind);
        if (!take_text(&line, "@") || !take_unit(&line, &first, &second))
            return false;
        if (kind->match) {
            if (!kind->match(node, first, second))
                return false;
            node = devicepath_next(node);
        }
        if (line.at == line.end)
            return true;
        line.at++; /* the slash */
    }
}

/* Cuts the next line off. False: no more. */
static bool next_line(struct line *rest, struct line *ret)
{
    if (rest->at >= rest->end || *rest->at == '\0')
        return false;
    const char *at = rest->at;
    while (at < rest->end && *at != '\n' && *at != '\0')
        at++;
    *ret = (struct line){ rest->at, at };
    rest->at = at < rest->end && *at == '\n' ? at + 1 : rest->end;
    return true;
}

static struct line whole(const struct qemu_order *order)
{
    return (struct line){ order->text, order->text ? order->text + order->length : NULL };
}

size_t qemu_order_rank(const struct qemu_order *order, const EFI_DEVICE_PATH_PROTOCOL *path)
{
    struct line rest = whole(order), line;
    for (size_t number = 0; next_line(&rest, &line); number++)
        if (match_line(line, path))
            return number;
    return QEMU_ORDER_NONE;
}

bool qemu_order_strict(const struct qemu_order *order)
{
    struct line rest = whole(order), line;
    while (next_line(&rest, &line))
        if (line.end - line.at == 4 && memcmp(line.at, "HALT", 4) == 0)
            return true;
    return false;
}
