/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Device paths as text and back (UEFI 2.10 10.6): one node of each kind, in every variant that has
 * a text of its own; then texts that somebody may type.
 */
#include "tests/efi/conformance.h"

static EFI_DEVICE_PATH_TO_TEXT_PROTOCOL *to_text;
static EFI_DEVICE_PATH_FROM_TEXT_PROTOCOL *from_text;

#define GUID_TEXT "112233445566778899aabbccddeeff00"

/* Type, sub-type, then the node's data in hexadecimal. */
static const struct {
    const char *name;
    uint8_t type, sub_type;
    const char *data;
} nodes[] = {
    { "pci", 1, 1, "021f" },
    { "pccard", 1, 2, "05" },
    { "memory", 1, 3, "0b000000" "0000c0fe00000000" "ff0fc0fe00000000" },
    { "vendor-hw", 1, 4, GUID_TEXT },
    { "vendor-hw-data", 1, 4, GUID_TEXT "0102fe" },
    { "controller", 1, 5, "07000000" },
    { "bmc", 1, 6, "02" "00000000fe000000" },
    { "hardware-unknown", 1, 9, "0102" },
    { "acpi", 2, 1, "d0411234" "05000000" },
    { "acpi-root", 2, 1, "d041030a" "00000000" },
    { "acpi-pcie-root", 2, 1, "d041080a" "01000000" },
    { "acpi-floppy", 2, 1, "d0410406" "01000000" },
    { "acpi-keyboard", 2, 1, "d0410103" "00000000" },
    { "acpi-serial", 2, 1, "d0410105" "02000000" },
    { "acpi-parallel", 2, 1, "d0410104" "00000000" },
    { "acpi-foreign", 2, 1, "01020304" "05000000" },
    { "acpi-extended", 2, 2, "d041030a" "01000000" "d041080a" "000000" },
    { "acpi-extended-text", 2, 2, "00000000" "00000000" "00000000" "41424331323300" "5549443100"
                                  "43494400" },
    { "acpi-extended-hid", 2, 2, "00000000" "00000000" "00000000" "41424331323300" "0000" },
    { "acpi-address", 2, 3, "00010180" },
    { "acpi-addresses", 2, 3, "00010180" "10020180" },
    { "acpi-nvdimm", 2, 4, "11000000" },
    { "atapi", 3, 1, "01000000" },
    { "atapi-slave", 3, 1, "00010500" },
    { "scsi", 3, 2, "01000200" },
    { "fibre", 3, 3, "00000000" "8877665544332211" "0100000000000000" },
    { "firewire", 3, 4, "00000000" "8877665544332211" },
    { "usb", 3, 5, "0201" },
    { "i2o", 3, 6, "05000000" },
    { "infiniband", 3, 9, "01000000" GUID_TEXT "0100000000000000" "0200000000000000"
                          "0300000000000000" },
    { "vendor-messaging", 3, 10, GUID_TEXT },
    { "vendor-messaging-data", 3, 10, GUID_TEXT "aabb" },
    { "vendor-pc-ansi", 3, 10, "53c70ee0be42f94dad9caf2c9e4f6e1b" },
    { "mac-ethernet", 3, 11, "525400123456" "0000000000000000000000000000000000000000000000000000"
                             "01" },
    { "mac-other", 3, 11, "525400123456" "0102000000000000000000000000000000000000000000000000" "07" },
    { "ipv4", 3, 12, "0a00020f" "c0a80001" "0000" "0000" "1100" "00" "0a000202" "ffffff00" },
    { "ipv4-static", 3, 12, "0a00020f" "c0a80001" "0000" "0000" "0600" "01" "0a000202" "ffffff00" },
    { "ipv4-old", 3, 12, "0a00020f" "c0a80001" "0000" "0000" "1100" "00" },
    { "ipv6", 3, 13, "fe800000000000000000000000000001" "20010db8000000000000000000000002"
                     "0000" "0000" "0600" "00" "40" "fe800000000000000000000000000003" },
    { "uart", 3, 14, "00000000" "00c2010000000000" "08" "01" "01" },
    { "uart-defaults", 3, 14, "00000000" "0000000000000000" "00" "00" "00" },
    { "uart-even-2", 3, 14, "00000000" "8025000000000000" "07" "02" "03" },
    { "usb-class", 3, 15, "3412" "7856" "ff" "01" "02" },
    { "usb-class-storage", 3, 15, "ffff" "ffff" "08" "06" "50" },
    { "usb-class-hid", 3, 15, "ffff" "ffff" "03" "01" "01" },
    { "usb-wwid", 3, 16, "0100" "3412" "7856" "410042004300" },
    { "lun", 3, 17, "05" },
    { "sata", 3, 18, "0100" "ffff" "0000" },
    { "iscsi", 3, 19, "0000" "0000" "0001020304050607" "0100" "69716e2e7465737400" },
    { "vlan", 3, 20, "6400" },
    { "fibre-ex", 3, 21, "00000000" "1122334455667788" "0102030405060708" },
    { "sas-ex", 3, 22, "1122334455667788" "0102030405060708" "3100" "0500" },
    { "nvme", 3, 23, "01000000" "1122334455667788" },
    { "uri", 3, 24, "687474703a2f2f612f622e656669" },
    { "ufs", 3, 25, "0103" },
    { "sd", 3, 26, "02" },
    { "bluetooth", 3, 27, "112233445566" },
    { "wifi", 3, 28, "6e616d65" "00000000000000000000000000000000000000000000000000000000" },
    { "emmc", 3, 29, "03" },
    { "bluetooth-le", 3, 30, "112233445566" "01" },
    { "dns", 3, 31, "00" "08080808000000000000000000000000" },
    { "dns6", 3, 31, "01" "20010db8000000000000000000000002" },
    { "nvdimm-namespace", 3, 32, GUID_TEXT },
    { "rest-service", 3, 33, "0101" },
    { "messaging-unknown", 3, 99, "01020304" },
    { "disk-gpt", 4, 1, "01000000" "0008000000000000" "0000100000000000" GUID_TEXT "02" "02" },
    { "disk-mbr", 4, 1, "02000000" "0008000000000000" "0000100000000000"
                        "78563412000000000000000000000000" "01" "01" },
    { "disk-other", 4, 1, "02000000" "0008000000000000" "0000100000000000"
                          "78563412000000000000000000000000" "01" "00" },
    { "cdrom", 4, 2, "00000000" "2300000000000000" "4006000000000000" },
    { "vendor-media", 4, 3, GUID_TEXT },
    { "vendor-media-data", 4, 3, GUID_TEXT "010203" },
    { "file", 4, 4, "5c004500460049005c0041002e0045004600490000" "00" },
    { "media-protocol", 4, 5, GUID_TEXT },
    { "firmware-file", 4, 6, GUID_TEXT },
    { "firmware-volume", 4, 7, GUID_TEXT },
    { "offset", 4, 8, "00000000" "0010000000000000" "ff1f000000000000" },
    { "ram-disk", 4, 9, "0000100000000000" "ffff1f0000000000"
                        "d02bd877a53f4344a4b3fd5dcbaadbd6" "0000" },
    { "bbs", 5, 1, "0200" "0100" "6469736b00" },
    { "bbs-floppy", 5, 1, "0100" "0000" "00" },
    { "bbs-other", 5, 1, "7700" "0000" "58595a00" },
    { "unknown-type", 9, 1, "01" },
    { "empty-unknown", 3, 98, "" },
};

static unsigned digit(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a') + 10;
}

/* A path of that node and an end node. */
static EFI_DEVICE_PATH_PROTOCOL *build(size_t index, uint8_t *room)
{
    const char *data = nodes[index].data;
    size_t length = 4 + strlen(data) / 2;
    room[0] = nodes[index].type;
    room[1] = nodes[index].sub_type;
    room[2] = (uint8_t)length;
    room[3] = (uint8_t)(length >> 8);
    for (size_t i = 4; i < length; i++, data += 2)
        room[i] = (uint8_t)(digit(data[0]) << 4 | digit(data[1]));
    memcpy(room + length, (uint8_t[]){ 0x7F, 0xFF, 4, 0 }, 4);
    return (EFI_DEVICE_PATH_PROTOCOL *)room;
}

static size_t length_of(const EFI_DEVICE_PATH_PROTOCOL *node)
{
    return (size_t)(node->Length[0] | node->Length[1] << 8);
}

static void one_node(size_t index)
{
    _Alignas(8) uint8_t room[256];
    EFI_DEVICE_PATH_PROTOCOL *path = build(index, room);
    CHAR16 *full = to_text->ConvertDeviceNodeToText(path, false, false);
    check_wide(nodes[index].name, full);
    CHAR16 *display = to_text->ConvertDeviceNodeToText(path, true, true);
    if (!full || !display || !wide_equal(full, display))
        check_wide(name_of(nodes[index].name, "short"), display);
    if (full && from_text) {
        EFI_DEVICE_PATH_PROTOCOL *back = from_text->ConvertTextToDeviceNode(full);
        bool same = back && length_of(back) == length_of(path) &&
                    memcmp(back, path, length_of(path)) == 0;
        if (same)
            check_true(name_of(nodes[index].name, "back"), true);
        else
            check_bytes(name_of(nodes[index].name, "back"), back, back ? length_of(back) : 0);
        give(back);
    }
    give(full);
    give(display);
}

/* What may be typed: other spellings, missing and superfluous arguments, nonsense. */
static const struct {
    const char *name;
    const CHAR16 *text;
} texts[] = {
    { "empty", L"" },
    { "slash", L"/" },
    { "slashes", L"PciRoot(0)//Pci(1,0)" },
    { "file-only", L"\\EFI\\BOOT\\BOOTX64.EFI" },
    { "file-plain", L"file.efi" },
    { "decimal", L"PciRoot(0)/Pci(31,2)" },
    { "hex", L"PciRoot(0x0)/Pci(0x1F,0x2)" },
    { "lower-name", L"pciroot(0)" },
    { "no-argument", L"PciRoot()" },
    { "no-bracket", L"PciRoot" },
    { "open-bracket", L"Pci(1,2" },
    { "too-many", L"Pci(1,2,3,4)" },
    { "too-few", L"Pci(1)" },
    { "not-a-number", L"Pci(x,y)" },
    { "big-number", L"Pci(0x1FF,0x102)" },
    { "blanks", L"Pci( 1 , 2 )" },
    { "two-instances", L"PciRoot(0)/Pci(1,0),PciRoot(0)/Pci(2,0)" },
    { "comma-end", L"PciRoot(0)," },
    { "slash-end", L"PciRoot(0)/" },
    { "uart-letters", L"Uart(115200,8,N,1)" },
    { "uart-d", L"Uart(DEFAULT,DEFAULT,D,D)" },
    { "uart-1.5", L"Uart(9600,7,E,1.5)" },
    { "vt100", L"VenVt100()" },
    { "vt100-plus", L"VenVt100Plus()" },
    { "utf8", L"VenUtf8()" },
    { "pcansi", L"VenPcAnsi()" },
    { "debug-port", L"DebugPort()" },
    { "hd-gpt", L"HD(1,GPT,11223344-5566-7788-99AA-BBCCDDEEFF00,0x800,0x1000)" },
    { "hd-mbr", L"HD(1,MBR,0x12345678,0x800,0x1000)" },
    { "hd-short", L"HD(1,MBR,0x12345678)" },
    { "hd-number", L"HD(1)" },
    { "hd-bad-guid", L"HD(1,GPT,1122,0x800,0x1000)" },
    { "ata-names", L"Ata(Primary,Master,0)" },
    { "ata-lun", L"Ata(5)" },
    { "sata", L"Sata(0x1,0xFFFF,0x0)" },
    { "nvme", L"NVMe(0x1,00-11-22-33-44-55-66-77)" },
    { "usb", L"USB(2,1)" },
    { "usb-class", L"UsbClass(0x1234,0x5678,3,1,2)" },
    { "usb-mass", L"UsbMassStorage(0xFFFF,0xFFFF,6,0x50)" },
    { "usb-hid", L"UsbHID(0xFFFF,0xFFFF,1,1)" },
    { "usb-hub", L"UsbHub(0xFFFF,0xFFFF,1,1)" },
    { "mac", L"MAC(525400123456,0x1)" },
    { "ipv4-one", L"IPv4(192.168.0.1)" },
    { "ipv4", L"IPv4(192.168.0.1,TCP,Static,10.0.2.15,10.0.2.2,255.255.255.0)" },
    { "ipv4-dhcp", L"IPv4(192.168.0.1,UDP,DHCP,10.0.2.15)" },
    { "ipv6", L"IPv6(2001:DB8::2,TCP,Static,FE80::1,FE80::3,64)" },
    { "uri", L"Uri(http://host/file)" },
    { "uri-empty", L"Uri()" },
    { "vlan", L"Vlan(100)" },
    { "path", L"Path(3,99,0102)" },
    { "path-empty", L"Path(3,99)" },
    { "hardware-path", L"HardwarePath(9,0102)" },
    { "acpi-path", L"AcpiPath(9,0102)" },
    { "msg", L"Msg(99,0102)" },
    { "media-path", L"MediaPath(99,0102)" },
    { "bbs-path", L"BbsPath(9,0102)" },
    { "acpi", L"Acpi(PNP0A03,0)" },
    { "acpi-number", L"Acpi(0x0A0341D0,0)" },
    { "acpi-ex", L"AcpiEx(PNP0A03,PNP0A08,0x1,@,@,@)" },
    { "acpi-exp", L"AcpiExp(PNP0A03,PNP0A08,UID1)" },
    { "acpi-adr", L"AcpiAdr(0x80010100,0x80010210)" },
    { "floppy", L"Floppy(1)" },
    { "keyboard", L"Keyboard(0)" },
    { "serial", L"Serial(0)" },
    { "pcie-root", L"PcieRoot(0)" },
    { "cdrom", L"CDROM(0,0x23,0x640)" },
    { "cdrom-one", L"CDROM(0)" },
    { "fv", L"Fv(11223344-5566-7788-99AA-BBCCDDEEFF00)" },
    { "fv-file", L"FvFile(11223344-5566-7788-99AA-BBCCDDEEFF00)" },
    { "media", L"Media(11223344-5566-7788-99AA-BBCCDDEEFF00)" },
    { "offset", L"Offset(0x1000,0x1FFF)" },
    { "virtual-disk", L"VirtualDisk(0x100000,0x1FFFFF,0)" },
    { "ram-disk", L"RamDisk(0x100000,0x1FFFFF,0,11223344-5566-7788-99AA-BBCCDDEEFF00)" },
    { "bbs", L"BBS(HD,disk)" },
    { "bbs-number", L"BBS(0x77,disk,0x1)" },
    { "ctrl", L"Ctrl(7)" },
    { "memory", L"MemoryMapped(0xB,0xFEC00000,0xFEC00FFF)" },
    { "ven-hw", L"VenHw(11223344-5566-7788-99AA-BBCCDDEEFF00,0102FE)" },
    { "ven-msg", L"VenMsg(11223344-5566-7788-99AA-BBCCDDEEFF00)" },
    { "ven-media", L"VenMedia(11223344-5566-7788-99AA-BBCCDDEEFF00,01)" },
    { "unknown-name", L"Strange(1,2)" },
};

static size_t whole_length(const EFI_DEVICE_PATH_PROTOCOL *path)
{
    size_t total = 0;
    for (;;) {
        const EFI_DEVICE_PATH_PROTOCOL *node =
            (const EFI_DEVICE_PATH_PROTOCOL *)((const uint8_t *)path + total);
        total += length_of(node);
        if ((node->Type == 0x7F && node->SubType == 0xFF) || length_of(node) < 4 || total > 4096)
            return total;
    }
}

static void from_texts(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        EFI_DEVICE_PATH_PROTOCOL *path = from_text->ConvertTextToDevicePath(texts[i].text);
        check_bytes(name_of("parse", texts[i].name), path, path ? whole_length(path) : 0);
        give(path);
    }
    EFI_DEVICE_PATH_PROTOCOL *node = from_text->ConvertTextToDeviceNode(L"Pci(1,2)");
    check_bytes("parse-node", node, node ? length_of(node) : 0);
    give(node);
    check_true("parse.null", from_text->ConvertTextToDevicePath(NULL) == NULL);
    check_true("parse-node.null", from_text->ConvertTextToDeviceNode(NULL) == NULL);
}

void test_path_text(void)
{
    to_text = find_protocol(&path_to_text_guid);
    from_text = find_protocol(&path_from_text_guid);
    check_true("there", to_text != NULL);
    check_true("from-text-there", from_text != NULL);
    for (size_t i = 0; to_text && i < ARRAY_SIZE(nodes); i++)
        one_node(i);
    if (to_text) {
        check_true("null-node", to_text->ConvertDeviceNodeToText(NULL, false, false) == NULL);
        check_true("null-path", to_text->ConvertDevicePathToText(NULL, false, false) == NULL);
        static uint8_t whole[] = { 2, 1, 12, 0, 0xD0, 0x41, 3, 10, 0, 0, 0, 0, 1, 1, 6, 0, 2, 31,
                                   0x7F, 1, 4, 0, 1, 1, 6, 0, 0, 3, 0x7F, 0xFF, 4, 0 };
        CHAR16 *text = to_text->ConvertDevicePathToText((EFI_DEVICE_PATH_PROTOCOL *)whole, false,
                                                        false);
        check_wide("whole", text);
        give(text);
        text = to_text->ConvertDevicePathToText((EFI_DEVICE_PATH_PROTOCOL *)(whole + 28), false,
                                                false);
        check_wide("only-end", text);
        give(text);
    }
    if (from_text)
        from_texts();
}
