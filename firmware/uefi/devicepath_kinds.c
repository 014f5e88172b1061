/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The kinds of device path nodes that have a text of their own (UEFI 2.10 10.3, 10.6.1.6). Rows
 * with constant bytes stand before the general row of their type. Kinds that no guest of ours meets
 * (AcpiEx, iSCSI, SasEx, UsbWwid, Wi-Fi, Dns) have the generic form, which loses nothing.
 */
#include "firmware/uefi/devicepath_text.h"

#include <string.h>

#define HID     "=4@0:"
#define USB_ID  "x2@0 x2@2 "
#define USB_SUB USB_ID "x1@5 x1@6 =1@4:"
#define ORIGIN6 "Static|StatelessAutoConfigure|StatefulAutoConfigure"
#define BBS     "0x0|Floppy|HD|CDROM|PCMCIA|USB|Network"

const struct devicepath_kind devicepath_kinds[] = {
    { 1, 1, "Pci", "x1@1 x1@0" },
    { 1, 2, "PcCard", "x1@0" },
    { 1, 3, "MemoryMapped", "x4@0 x8@4 x8@12" },
    { 1, 4, "VenHw", "g0@0 ?b0@16" },
    { 1, 5, "Ctrl", "x4@0" },
    { 1, 6, "BMC", "x1@0 x8@1" },
    { 2, 1, "PciRoot", HID "d041030a x4@4" },
    { 2, 1, "PcieRoot", HID "d041080a x4@4" },
    { 2, 1, "Floppy", HID "d0410406 x4@4" },
    { 2, 1, "Keyboard", HID "d0410103 x4@4" },
    { 2, 1, "Serial", HID "d0410105 x4@4" },
    { 2, 1, "ParallelPort", HID "d0410104 x4@4" },
    { 2, 1, "Acpi", "E4@0 x4@4" },
    { 2, 3, "AcpiAdr", "A4@0" },
    { 3, 1, "Ata", "?k1@0:Primary|Secondary ?k1@1:Master|Slave x2@2" },
    { 3, 2, "Scsi", "x2@0 x2@2" },
    { 3, 3, "Fibre", "x8@4 x8@12" },
    { 3, 4, "I1394", "h8@4" },
    { 3, 5, "USB", "x1@0 x1@1" },
    { 3, 6, "I2O", "x4@0" },
    { 3, 9, "Infiniband", "x4@0 g0@4 x8@20 x8@28 x8@36" },
    { 3, 10, "VenPcAnsi", "=0@0:5347c1e0bef9d2119a0c0090273fc14d" },
    { 3, 10, "VenVt100", "=0@0:6560a6df19b4d3119a2d0090273fc14d" },
    { 3, 10, "VenVt100Plus", "=0@0:0bc7ae7be057764c8e872f9e28088343" },
    { 3, 10, "VenUtf8", "=0@0:d6a015adec8bcf4aa073d01de77e2d88" },
    { 3, 10, "DebugPort", "=0@0:d2e8a4eb5838ec41a2812647ba9660d0" },
    { 3, 10, "VenMsg", "g0@0 ?b0@16" },
    { 3, 11, "MAC", "M0@0 x1@32" },
    { 3, 12, "IPv4", "44@4 ?p2@12 ?k1@14:DHCP|Static ?44@0 ?44@15 ?44@19" },
    { 3, 13, "IPv6", "60@16 ?p2@36 ?k1@38:" ORIGIN6 " ?60@0 ?x1@39 ?60@40" },
    { 3, 14, "Uart", "D8@4:115200 D1@12:8 k1@13:D|N|E|O|M|S k1@14:D|1|1.5|2" },
    { 3, 15, "UsbAudio", USB_SUB "01" },
    { 3, 15, "UsbCDCControl", USB_SUB "02" },
    { 3, 15, "UsbHID", USB_SUB "03" },
    { 3, 15, "UsbImage", USB_SUB "06" },
    { 3, 15, "UsbPrinter", USB_SUB "07" },
    { 3, 15, "UsbMassStorage", USB_SUB "08" },
    { 3, 15, "UsbHub", USB_SUB "09" },
    { 3, 15, "UsbCDCData", USB_SUB "0a" },
    { 3, 15, "UsbSmartCard", USB_SUB "0b" },
    { 3, 15, "UsbVideo", USB_SUB "0e" },
    { 3, 15, "UsbDiagnostic", USB_SUB "dc" },
    { 3, 15, "UsbWireless", USB_SUB "e0" },
    { 3, 15, "UsbDeviceFirmwareUpdate", USB_ID "x1@6 =2@4:fe01" },
    { 3, 15, "UsbIrdaBridge", USB_ID "x1@6 =2@4:fe02" },
    { 3, 15, "UsbTestAndMeasurement", USB_ID "x1@6 =2@4:fe03" },
    { 3, 15, "UsbClass", USB_ID "x1@4 x1@5 x1@6" },
    { 3, 17, "Unit", "x1@0" },
    { 3, 18, "Sata", "x2@0 x2@2 x2@4" },
    { 3, 20, "Vlan", "d2@0" },
    { 3, 21, "FibreEx", "H8@4 H8@12" },
    { 3, 23, "NVMe", "x4@0 N8@4" },
    { 3, 24, "Uri", "s0@0" },
    { 3, 25, "UFS", "x1@0 x1@1" },
    { 3, 26, "SD", "x1@0" },
    { 3, 27, "Bluetooth", "b6@0" },
    { 3, 29, "eMMC", "x1@0" },
    { 3, 30, "BluetoothLE", "b6@0 H1@6" },
    { 4, 1, "HD", "d4@0 S0@20 x8@4 x8@12" },
    { 4, 2, "CDROM", "x4@0 ?x8@4 ?x8@12" },
    { 4, 3, "VenMedia", "g0@0 ?b0@16" },
    { 4, 5, "Media", "g0@0" },
    { 4, 6, "FvFile", "g0@0" },
    { 4, 7, "Fv", "g0@0" },
    { 4, 8, "Offset", "x8@4 x8@12" },
    { 4, 9, "VirtualDisk", "x8@0 x8@8 d2@32 =0@16:5a53ab77fc454b625560f7b281d1f96e" },
    { 4, 9, "VirtualCD", "x8@0 x8@8 d2@32 =0@16:1ef5d93ddb884941af8ec5a13ac46c05" },
    { 4, 9, "RamDisk", "x8@0 x8@8 d2@32 g0@16" },
    { 5, 1, "BBS", "k2@0:" BBS " z0@4 ?x2@2" },
};
const size_t devicepath_kind_count = sizeof(devicepath_kinds) / sizeof(devicepath_kinds[0]);

const char *devicepath_generic_name(uint8_t type)
{
    static const char *const names[] = { NULL,  "HardwarePath", "AcpiPath",
                                         "Msg", "MediaPath",    "BbsPath" };
    return type < sizeof(names) / sizeof(names[0]) ? names[type] : NULL;
}

/* Items whose size goes without saying. */
static unsigned size_of(char kind, unsigned size)
{
    switch (kind) {
    case 'g':
    case '6':
    case '=':
        return size ? size : 16;
    case 'M':
        return 32;
    case 'S':
        return 18; /* with both of the type bytes behind it */
    default:
        return size;
    }
}

bool devicepath_next_item(const char **format, struct devicepath_item *ret)
{
    const char *at = *format;
    while (*at == ' ')
        at++;
    if (!*at)
        return false;
    ret->optional = *at == '?';
    at += ret->optional;
    ret->kind = *at++;
    ret->size = size_of(ret->kind, (unsigned)(*at++ - '0'));
    ret->offset = 0;
    for (at++; *at >= '0' && *at <= '9'; at++) /* behind the @ */
        ret->offset = ret->offset * 10 + (unsigned)(*at - '0');
    ret->argument = *at == ':' ? at + 1 : "";
    while (*at && *at != ' ')
        at++;
    *format = at;
    return true;
}

size_t devicepath_kind_size(const struct devicepath_kind *kind)
{
    const char *format = kind->format;
    struct devicepath_item item;
    size_t size = 0;
    while (devicepath_next_item(&format, &item))
        if (item.offset + item.size > size)
            size = item.offset + item.size;
    return size;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t devicepath_hex(const char *text, uint8_t *out, size_t room)
{
    size_t count = 0;
    for (; count < room && digit(text[0]) >= 0; text += 2)
        out[count++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
    return count;
}
