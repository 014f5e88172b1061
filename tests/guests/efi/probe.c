/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * An EFI program for tests of boot managers: says which file it was started from, with which
 * options and as which boot option, then does what the text file beside it says (\A.EFI: \A.TXT),
 * a command a line:
 *   option NAME PATH [OPTIONS]   Boot####, SysPrep#### for a file of this volume, by partition if
 *                                there is one
 *   set NAME NUMBER...           a global variable of 16-bit numbers, hexadecimal, kept at reset
 *   wide NAME NUMBER             one of a 64-bit number
 *   delete NAME
 *   watchdog SECONDS, hang, reset, off, return NUMBER
 *   idle, clock                  waits for an event that never comes; says the time
 *   secret                       says where the launch secret lies and what it is
 * Without a file, options "do COMMAND" are obeyed in its place; else it returns.
 */
#include "firmware/uefi/efi.h"

#define TEXT_ROOM 4096u
#define LASTING   7u

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

static EFI_GUID loaded_image_guid = {
    0x5b1b31a1, 0x9562, 0x11d2, { 0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b }
};
static EFI_GUID file_system_guid = {
    0x964e5b22, 0x6459, 0x11d2, { 0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b }
};
static EFI_GUID device_path_guid = {
    0x09576e91, 0x6d3f, 0x11d2, { 0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b }
};
static EFI_GUID global = {
    0x8be4df61, 0x93ca, 0x11d2, { 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c }
};

static EFI_SYSTEM_TABLE *system;
static EFI_LOADED_IMAGE_PROTOCOL *self;

/* The compiler may call it. */
void *memset(void *to, int value, size_t length);
void *memset(void *to, int value, size_t length)
{
    for (size_t i = 0; i < length; i++)
        ((volatile uint8_t *)to)[i] = (uint8_t)value;
    return to;
}

static void say_wide(const CHAR16 *text)
{
    system->ConOut->OutputString(system->ConOut, (CHAR16 *)text);
}

static void say(const char *text)
{
    CHAR16 wide[2] = { 0 };
    for (; *text; text++) {
        wide[0] = (CHAR16)*text;
        say_wide(wide);
    }
}

static void say_hex(uint64_t value, unsigned digits)
{
    char text[17] = { 0 };
    for (unsigned i = 0; i < digits; i++)
        text[i] = "0123456789ABCDEF"[value >> 4 * (digits - 1 - i) & 15];
    say(text);
}

static size_t node_length(const EFI_DEVICE_PATH_PROTOCOL *node)
{
    return (size_t)node->Length[0] | (size_t)node->Length[1] << 8;
}

/* The name of the file that we are, from the nodes of our path. */
static void own_name(CHAR16 *name, size_t room)
{
    size_t length = 0;
    const EFI_DEVICE_PATH_PROTOCOL *node = self->FilePath;
    for (; node && node->Type == MEDIA_DEVICE_PATH && node->SubType == MEDIA_FILEPATH_DP;
         node = (const void *)((const uint8_t *)node + node_length(node))) {
        const uint8_t *text = (const uint8_t *)(node + 1);
        for (size_t i = 0; i + 6 < node_length(node) && length + 1 < room; i += 2)
            name[length++] = (CHAR16)(text[i] | text[i + 1] << 8);
    }
    name[length] = 0;
}

static void say_variable(const char *label, CHAR16 *name)
{
    UINT16 number;
    UINTN size = sizeof(number);
    say(label);
    if (system->RuntimeServices->GetVariable(name, &global, NULL, &size, &number) == EFI_SUCCESS)
        say_hex(number, 4);
    else
        say("none");
}

static void introduce(const CHAR16 *name)
{
    CHAR16 current[] = u"BootCurrent", next[] = u"BootNext";
    say("probe: ");
    say_wide(name);
    say_variable(" current ", current);
    say_variable(" next ", next);
    say(" options '");
    if (self->LoadOptionsSize >= 2)
        say_wide(self->LoadOptions);
    say("'\r\n");
}

/* Reads \NAME.TXT; empty when there is none. */
static void read_script(CHAR16 *name, char *text, UINTN room)
{
    EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *volume;
    EFI_FILE_PROTOCOL *root, *file;
    size_t length = 0;
    text[0] = 0;
    while (name[length])
        length++;
    if (length < 4 || system->BootServices->HandleProtocol(self->DeviceHandle, &file_system_guid,
                                                           (void **)&volume) != EFI_SUCCESS)
        return;
    name[length - 3] = 'T';
    name[length - 2] = 'X';
    name[length - 1] = 'T';
    if (volume->OpenVolume(volume, &root) != EFI_SUCCESS ||
        root->Open(root, &file, name, EFI_FILE_MODE_READ, 0) != EFI_SUCCESS)
        return;
    room--;
    if (file->Read(file, &room, text) == EFI_SUCCESS)
        text[room] = 0;
    file->Close(file);
    root->Close(root);
}

/* The next word of the line, cut off; an empty one at its end. */
static char *word(char **line)
{
    char *start = *line;
    while (*start == ' ')
        start++;
    char *end = start;
    while (*end && *end != ' ')
        end++;
    *line = *end ? end + 1 : end;
    *end = 0;
    return start;
}

static uint64_t hex(const char *text)
{
    uint64_t value = 0;
    for (; *text; text++)
        value = value << 4 | (uint64_t)(*text <= '9' ? *text - '0' : (*text & ~0x20) - 'A' + 10);
    return value;
}

static void widen(const char *text, CHAR16 *wide)
{
    do
        *wide++ = (CHAR16)*text;
    while (*text++);
}

static void set(const char *name, const void *data, size_t size)
{
    CHAR16 wide[64];
    widen(name, wide);
    EFI_STATUS status = system->RuntimeServices->SetVariable(wide, &global, LASTING, size,
                                                             (void *)data);
    say("probe: set ");
    say(name);
    say(": ");
    say_hex(status, 16);
    say("\r\n");
}

static size_t copy(uint8_t *to, const void *from, size_t length)
{
    for (size_t i = 0; i < length; i++)
        to[i] = ((const uint8_t *)from)[i];
    return length;
}

/* Our volume: its partition alone if it has one, else the whole path. */
static const EFI_DEVICE_PATH_PROTOCOL *volume_path(size_t *ret_length)
{
    EFI_DEVICE_PATH_PROTOCOL *start = NULL, *node;
    system->BootServices->HandleProtocol(self->DeviceHandle, &device_path_guid, (void **)&start);
    for (node = start; node->Type != END_DEVICE_PATH;
         node = (void *)((uint8_t *)node + node_length(node)))
        if (node->Type == MEDIA_DEVICE_PATH && node->SubType == MEDIA_HARDDRIVE_DP)
            start = node;
    *ret_length = (size_t)((uint8_t *)node - (uint8_t *)start);
    return start;
}

static void make_option(char *line)
{
    static uint8_t data[1024];
    CHAR16 path[128], options[128];
    char *name = word(&line);
    widen(word(&line), path);
    widen(line, options);
    size_t path_length = 0, options_length = 0, device_length;
    while (path[path_length++])
        ;
    while (options[options_length++])
        ;
    const EFI_DEVICE_PATH_PROTOCOL *device = volume_path(&device_length);
    size_t node = 4 + 2 * path_length, list = device_length + node + 4;
    const uint8_t head[] = { 1, 0, 0, 0, (uint8_t)list, (uint8_t)(list >> 8), 'p', 0, 0, 0 };
    const uint8_t file[] = { MEDIA_DEVICE_PATH, MEDIA_FILEPATH_DP, (uint8_t)node,
                             (uint8_t)(node >> 8) };
    const uint8_t end[] = { END_DEVICE_PATH, END_ENTIRE_DP, 4, 0 };
    size_t size = copy(data, head, sizeof(head));
    size += copy(data + size, device, device_length);
    size += copy(data + size, file, sizeof(file));
    size += copy(data + size, path, 2 * path_length);
    size += copy(data + size, end, sizeof(end));
    if (options_length > 1)
        size += copy(data + size, options, 2 * options_length);
    set(name, data, size);
}

static void set_list(char *line)
{
    UINT16 list[32];
    size_t count = 0;
    char *name = word(&line);
    while (*line && count < 32)
        list[count++] = (UINT16)hex(word(&line));
    set(name, list, 2 * count);
}

static void set_wide(char *line)
{
    char *name = word(&line);
    uint64_t value = hex(word(&line));
    set(name, &value, sizeof(value));
}

static void say_clock(void)
{
    EFI_TIME time = { 0 };
    system->RuntimeServices->GetTime(&time, NULL);
    say("probe: clock ");
    say_hex(((UINTN)time.Hour * 60 + time.Minute) * 60 + time.Second, 8);
    say("\r\n");
}

static void idle(void)
{
    EFI_EVENT event;
    UINTN index;
    system->BootServices->CreateEvent(0, 0, NULL, NULL, &event);
    system->BootServices->WaitForEvent(1, &event, &index);
}

static UINT32 memory_type(UINT64 address)
{
    static union {
        EFI_MEMORY_DESCRIPTOR first;
        UINT8 room[16384];
    } map;
    UINTN size = sizeof(map), key, step;
    UINT32 version;
    if (system->BootServices->GetMemoryMap(&size, &map.first, &key, &step, &version) != EFI_SUCCESS)
        return ~0u;
    for (UINTN at = 0; at < size; at += step) {
        const EFI_MEMORY_DESCRIPTOR *d = (const void *)(map.room + at);
        if (address >= d->PhysicalStart && (address - d->PhysicalStart) >> 12 < d->NumberOfPages)
            return d->Type;
    }
    return ~0u;
}

static void say_secret(void)
{
    static EFI_GUID guid = {
        0xadf956ad, 0xe98c, 0x484c, { 0xae, 0x11, 0xb5, 0x1c, 0x7d, 0x33, 0x64, 0x47 }
    };
    for (UINTN i = 0; i < system->NumberOfTableEntries; i++) {
        const UINT64 *where = system->ConfigurationTable[i].VendorTable;
        const UINT64 *id = (const UINT64 *)&system->ConfigurationTable[i].VendorGuid;
        if (id[0] != ((const UINT64 *)&guid)[0] || id[1] != ((const UINT64 *)&guid)[1])
            continue;
        const UINT8 *area = (const UINT8 *)(UINTN)where[0];
        UINTN length = area[16] | (UINTN)area[17] << 8; /* GUID, length of all */
        say("probe: secret of ");
        say_hex(where[1], 4);
        say(" bytes, memory type ");
        say_hex(memory_type(where[0]), 2);
        say(": ");
        for (UINTN at = 0; at < length && at < where[1]; at++)
            say_hex(area[at], 2);
        say("\r\n");
    }
}

static bool same(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

/* True: return to the firmware with the status. */
static bool run_line(char *line, EFI_STATUS *ret_status)
{
    EFI_RUNTIME_SERVICES *runtime = system->RuntimeServices;
    char *command = word(&line);
    if (same(command, "option"))
        make_option(line);
    else if (same(command, "set"))
        set_list(line);
    else if (same(command, "wide"))
        set_wide(line);
    else if (same(command, "delete"))
        set(word(&line), NULL, 0);
    else if (same(command, "watchdog"))
        system->BootServices->SetWatchdogTimer((UINTN)hex(word(&line)), 0x10000, 0, NULL);
    else if (same(command, "reset"))
        runtime->ResetSystem(EfiResetCold, EFI_SUCCESS, 0, NULL);
    else if (same(command, "off"))
        runtime->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL);
    else if (same(command, "idle"))
        idle();
    else if (same(command, "clock"))
        say_clock();
    else if (same(command, "secret"))
        say_secret();
    else if (same(command, "hang"))
        for (;;)
            __asm__ volatile("pause");
    *ret_status = EFI_ERROR_BIT | hex(word(&line));
    return same(command, "return");
}

/* A command after "do "; empty when there is none. */
static void read_options(char *text, UINTN room)
{
    const CHAR16 *options = self->LoadOptions;
    UINTN count = self->LoadOptionsSize / sizeof(CHAR16), length = 0;
    if (count < 4 || options[0] != 'd' || options[1] != 'o' || options[2] != ' ')
        return;
    for (UINTN i = 3; i < count && options[i] && length + 1 < room; i++)
        text[length++] = (char)options[i];
    text[length] = 0;
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
    static CHAR16 name[256];
    static char text[TEXT_ROOM];
    EFI_STATUS status = EFI_SUCCESS;
    system = table;
    if (table->BootServices->HandleProtocol(image, &loaded_image_guid, (void **)&self) !=
        EFI_SUCCESS)
        return EFI_UNSUPPORTED;
    own_name(name, sizeof(name) / sizeof(name[0]));
    introduce(name);
    read_script(name, text, sizeof(text));
    if (!text[0])
        read_options(text, sizeof(text));
    for (char *line = text; *line;) {
        char *end = line;
        while (*end && *end != '\n')
            end++;
        char *next = *end ? end + 1 : end;
        *end = 0;
        if (run_line(line, &status))
            return status;
        line = next;
    }
    return EFI_SUCCESS;
}
