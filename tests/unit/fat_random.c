/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * usage: fat_random IMAGE SEED OPERATIONS FOLDER   the firmware's file system against a model:
 *            random operations on the volume in IMAGE; FOLDER becomes what it should hold
 *        fat_random IMAGE SEED OPERATIONS --cut    the same, with the power cut after each write:
 *            fsck.fat may find lost clusters, and only what was being changed may differ
 * The model is a list of paths with contents.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware/storage/fat.h"
#include "firmware/uefi/guids.h"
#include "tests/unit/fat_fakes.h"

#define FILES_MOST 40u
#define PATH_ROOM  600u
#define SIZE_MOST  20000u

struct item {
    char path[PATH_ROOM]; /* \a\b, UTF-8; empty: unused */
    bool directory;
    uint8_t *data;
    uint32_t size;
};

static struct item model[FILES_MOST];
static EFI_FILE_PROTOCOL *root;
static unsigned failures;
static uint64_t state; /* of the random numbers */

/* --- the power cut's record --- */

struct write {
    uint64_t offset;
    size_t length;
    uint8_t *data;
    unsigned operation;
};
struct operation {
    struct item before[FILES_MOST];
    char touched[2][PATH_ROOM];
};
static struct write *writes;
static size_t write_count;
static struct operation *operations;
static unsigned operation_count;

static uint32_t random_number(uint32_t limit)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % limit;
}

static void __attribute__((format(printf, 1, 2))) bad(const char *fmt, ...)
{
    va_list arguments;
    va_start(arguments, fmt);
    vfprintf(stderr, fmt, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    failures++;
}

static void to_wide(const char *text, CHAR16 *wide)
{
    while (*text) {
        const uint8_t *at = (const uint8_t *)text;
        unsigned more = at[0] < 0x80 ? 0 : at[0] < 0xE0 ? 1 : 2;
        uint32_t letter = more == 0 ? at[0] : at[0] & (more == 1 ? 0x1Fu : 0x0Fu);
        for (unsigned i = 1; i <= more; i++)
            letter = letter << 6 | (at[i] & 0x3Fu);
        *wide++ = (CHAR16)letter;
        text += 1 + more;
    }
    *wide = 0;
}

/* --- the model --- */

static struct item *find(struct item *list, const char *path)
{
    for (unsigned i = 0; i < FILES_MOST; i++)
        if (list[i].path[0] && strcasecmp(list[i].path, path) == 0)
            return &list[i];
    return NULL;
}

static struct item *pick(bool directory)
{
    for (unsigned tries = 0; tries < 200; tries++) {
        struct item *item = &model[random_number(FILES_MOST)];
        if (item->path[0] && item->directory == directory)
            return item;
    }
    return NULL;
}

static bool is_below(const char *path, const char *directory)
{
    size_t length = strlen(directory);
    return strncasecmp(path, directory, length) == 0 && path[length] == '\\';
}

static bool is_empty(const char *directory)
{
    for (unsigned i = 0; i < FILES_MOST; i++)
        if (model[i].path[0] && is_below(model[i].path, directory))
            return false;
    return true;
}

/* A path in a directory of the model that is not in use. */
static bool new_path(char *path)
{
    static const char *const patterns[] = {
        "FILE%u.TXT",  "lower%u.txt",         "A Long Name %u.config", "entry+%u-1.conf",
        "Grüße %u",    "日本%u.efi",          ".hidden%u",             "two.dots.%u.tar.gz",
        "MixedCase%u.Txt",
    };
    const struct item *directory = random_number(3) ? pick(true) : NULL;
    unsigned number = random_number(100), length;
    unsigned kind = random_number(11);
    char name[260];
    if (kind < 9) {
        snprintf(name, sizeof(name), patterns[kind], number);
    } else { /* over one unit, or nearly the longest */
        length = kind == 9 ? 150 + random_number(40) : 190 + random_number(60);
        memset(name, 'a' + (int)(number % 26), length);
        snprintf(name + length, sizeof(name) - length, "%u", number);
    }
    const char *in = directory ? directory->path : "";
    if (strlen(in) + strlen(name) + 2 > PATH_ROOM)
        return false;
    snprintf(path, PATH_ROOM, "%s\\%s", in, name);
    return !find(model, path);
}

static struct item *add(const char *path, bool directory)
{
    for (unsigned i = 0; i < FILES_MOST; i++)
        if (!model[i].path[0]) {
            model[i] = (struct item){ .directory = directory };
            strcpy(model[i].path, path);
            return &model[i];
        }
    return NULL;
}

static void begin(const char *a, const char *b)
{
    if (!operations)
        return;
    struct operation *operation = &operations[operation_count++];
    strcpy(operation->touched[0], a);
    strcpy(operation->touched[1], b);
    for (unsigned i = 0; i < FILES_MOST; i++) {
        operation->before[i] = model[i];
        operation->before[i].data = malloc(model[i].size + 1);
        if (model[i].size)
            memcpy(operation->before[i].data, model[i].data, model[i].size);
    }
}

/* --- operations --- */

static EFI_FILE_PROTOCOL *open_path(const char *path, uint64_t mode, uint64_t attributes,
                                    EFI_STATUS *ret_status)
{
    CHAR16 wide[PATH_ROOM];
    EFI_FILE_PROTOCOL *file = NULL;
    to_wide(path, wide);
    *ret_status = root->Open(root, &file, wide, mode, attributes);
    return *ret_status == EFI_SUCCESS ? file : NULL;
}

static EFI_FILE_PROTOCOL *must_open(const char *path)
{
    EFI_STATUS status;
    EFI_FILE_PROTOCOL *file = open_path(path, 3, 0, &status);
    if (!file) {
        bad("%s: not there: %llx", path, (unsigned long long)status);
        exit(1);
    }
    return file;
}

static void write_piece(struct item *item, EFI_FILE_PROTOCOL *file)
{
    static uint8_t data[SIZE_MOST];
    uint32_t offset = random_number(4) ? random_number(item->size + 1) : random_number(SIZE_MOST);
    UINTN length = random_number(SIZE_MOST - offset + 1);
    for (uint32_t i = 0; i < length; i++)
        data[i] = (uint8_t)random_number(256);
    UINTN done = length;
    file->SetPosition(file, offset);
    EFI_STATUS status = file->Write(file, &done, data);
    if (status == EFI_VOLUME_FULL)
        return;
    if (status != EFI_SUCCESS || done != length)
        bad("%s: write: %llx", item->path, (unsigned long long)status);
    if (length && offset + length > item->size) {
        item->data = realloc(item->data, offset + length);
        if (offset > item->size)
            memset(item->data + item->size, 0, offset - item->size);
        item->size = (uint32_t)(offset + length);
    }
    if (length)
        memcpy(item->data + offset, data, length);
}

static void make_file(void)
{
    char path[PATH_ROOM];
    EFI_STATUS status;
    bool directory = random_number(4) == 0;
    if (!new_path(path))
        return;
    begin(path, "");
    struct item *item = add(path, directory);
    if (!item)
        return;
    EFI_FILE_PROTOCOL *file =
        open_path(path, 3 | EFI_FILE_MODE_CREATE, directory ? EFI_FILE_DIRECTORY : 0, &status);
    if (!file) {
        if (status != EFI_VOLUME_FULL)
            bad("%s: create: %llx", path, (unsigned long long)status);
        item->path[0] = 0;
        return;
    }
    if (!directory)
        write_piece(item, file);
    file->Close(file);
}

static void change_file(void)
{
    struct item *item = pick(false);
    if (!item)
        return;
    begin(item->path, "");
    EFI_FILE_PROTOCOL *file = must_open(item->path);
    for (unsigned i = random_number(3); i > 0; i--)
        write_piece(item, file);
    write_piece(item, file);
    if (random_number(2))
        file->Flush(file);
    file->Close(file);
}

static EFI_FILE_INFO *info_of(EFI_FILE_PROTOCOL *file)
{
    static union {
        EFI_FILE_INFO info;
        uint8_t room[sizeof(EFI_FILE_INFO) + 2 * PATH_ROOM];
    } buffer;
    UINTN size = sizeof(buffer);
    EFI_GUID guid = guid_file_info;
    if (file->GetInfo(file, &guid, &size, &buffer) != EFI_SUCCESS)
        bad("no information");
    return &buffer.info;
}

static EFI_STATUS set_info(EFI_FILE_PROTOCOL *file, EFI_FILE_INFO *info)
{
    EFI_GUID guid = guid_file_info;
    size_t length = 0;
    while (info->FileName[length])
        length++;
    info->Size = sizeof(*info) + 2 * (length + 1);
    return file->SetInfo(file, &guid, info->Size, info);
}

static void resize_file(void)
{
    struct item *item = pick(false);
    if (!item)
        return;
    uint32_t size = random_number(3) ? random_number(SIZE_MOST) : 0;
    begin(item->path, "");
    EFI_FILE_PROTOCOL *file = must_open(item->path);
    EFI_FILE_INFO *info = info_of(file);
    info->FileSize = size;
    EFI_STATUS status = set_info(file, info);
    file->Close(file);
    if (status == EFI_VOLUME_FULL)
        return;
    if (status != EFI_SUCCESS)
        bad("%s: resize: %llx", item->path, (unsigned long long)status);
    item->data = realloc(item->data, size + 1);
    if (size > item->size)
        memset(item->data + item->size, 0, size - item->size);
    item->size = size;
}

static void rename_item(void)
{
    char path[PATH_ROOM], old[PATH_ROOM];
    struct item *item = pick(random_number(3) == 0);
    if (!item || !new_path(path) || is_below(path, item->path))
        return;
    strcpy(old, item->path);
    if (random_number(2)) { /* in the same directory */
        char name[PATH_ROOM];
        strcpy(name, strrchr(path, '\\'));
        if (strlen(old) + strlen(name) + 1 > PATH_ROOM)
            return;
        strcpy(path, old);
        strcpy(strrchr(path, '\\'), name);
        if (find(model, path))
            return;
    }
    for (unsigned i = 0; i < FILES_MOST; i++)
        if (strlen(model[i].path) + strlen(path) > PATH_ROOM - 1)
            return;
    begin(old, path);
    EFI_FILE_PROTOCOL *file = must_open(old);
    EFI_FILE_INFO *info = info_of(file);
    to_wide(path, info->FileName);
    EFI_STATUS status = set_info(file, info);
    file->Close(file);
    if (status == EFI_VOLUME_FULL)
        return;
    if (status != EFI_SUCCESS)
        bad("%s: rename to %s: %llx", old, path, (unsigned long long)status);
    size_t length = strlen(old);
    for (unsigned i = 0; i < FILES_MOST; i++)
        if (is_below(model[i].path, old) || strcasecmp(model[i].path, old) == 0) {
            char moved[2 * PATH_ROOM];
            snprintf(moved, sizeof(moved), "%s%s", path, model[i].path + length);
            memcpy(model[i].path, moved, PATH_ROOM);
        }
}

static void delete_item(void)
{
    struct item *item = pick(random_number(3) == 0);
    if (!item)
        return;
    begin(item->path, "");
    EFI_FILE_PROTOCOL *file = must_open(item->path);
    bool possible = !item->directory || is_empty(item->path);
    EFI_STATUS status = file->Delete(file);
    if (status != (possible ? EFI_SUCCESS : EFI_WARN_DELETE_FAILURE))
        bad("%s: delete: %llx", item->path, (unsigned long long)status);
    if (possible) {
        free(item->data);
        *item = (struct item){ .size = 0 };
    }
}

static void set_label(void)
{
    CHAR16 label[12];
    char text[12] = "";
    EFI_GUID guid = guid_file_volume_label;
    if (random_number(4))
        snprintf(text, sizeof(text), "label %u", random_number(1000));
    to_wide(text, label);
    begin("", "");
    EFI_STATUS status = root->SetInfo(root, &guid, sizeof(label), label);
    if (status != EFI_SUCCESS && status != EFI_VOLUME_FULL)
        bad("label: %llx", (unsigned long long)status);
}

/* --- what is on the disk --- */

static void check_items(EFI_FILE_PROTOCOL *from, struct item *list, const char *a, const char *b)
{
    static uint8_t data[2 * SIZE_MOST];
    EFI_FILE_PROTOCOL *old_root = root;
    root = from;
    for (unsigned i = 0; i < FILES_MOST; i++) {
        const struct item *item = &list[i];
        if (!item->path[0] || strcasecmp(item->path, a) == 0 || is_below(item->path, a) ||
            strcasecmp(item->path, b) == 0)
            continue;
        EFI_STATUS status;
        EFI_FILE_PROTOCOL *file = open_path(item->path, 1, 0, &status);
        if (!file) {
            bad("%s: gone: %llx", item->path, (unsigned long long)status);
            continue;
        }
        UINTN size = sizeof(data);
        if (!item->directory && (file->Read(file, &size, data) != EFI_SUCCESS ||
                                 size != item->size ||
                                 (size && memcmp(data, item->data, size) != 0)))
            bad("%s: other content", item->path);
        if (item->directory != ((info_of(file)->Attribute & EFI_FILE_DIRECTORY) != 0))
            bad("%s: a directory or not?", item->path);
        file->Close(file);
    }
    root = old_root;
}

/* A disk writes sectors; those of a FAT12 table, whose entries may straddle two, together. */
static bool torn;

static void record_write(uint64_t offset, const void *data, size_t length)
{
    size_t room = 512 - offset % 512;
    if (torn && length > room) {
        record_write(offset, data, room);
        record_write(offset + room, (const uint8_t *)data + room, length - room);
        return;
    }
    writes = realloc(writes, (write_count + 1) * sizeof(*writes));
    writes[write_count] = (struct write){ offset, length, malloc(length), operation_count - 1 };
    memcpy(writes[write_count++].data, data, length);
}

/* A name whose entries do not fit in one unit may leave pieces behind when it goes. */
static bool has_longest_name(const struct operation *operation)
{
    for (unsigned i = 0; i < 2; i++) {
        const char *name = strrchr(operation->touched[i], '\\');
        if (name && strlen(name + 1) > 195)
            return true;
    }
    return false;
}

/* Lines of fsck.fat -n that a power cut may cause: what is lost, and what was being changed. */
static bool is_harmless(const char *line, const struct operation *operation)
{
    if (strncmp(line, "Long filename fragment", 22) == 0 || strncmp(line, "Orphaned", 8) == 0)
        return has_longest_name(operation);
    if (strstr(line, "abel") && operation->touched[0][0] == 0)
        return true; /* it is in two places */
    static const char *const texts[] = {
        "fsck.fat", "Dirty bit", " Automatically removing dirty", "Free cluster summary",
        "  Auto-correcting", " Auto-setting", "Reclaimed", "FATs differ", "  Automatically using",
        "Using first FAT", "Leaving filesystem", "Filesystem was changed", "There are differences",
        "This is mostly harmless", "  65:01/00", "1) ", "2) ", "  Not automatically fixing",
    };
    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strncmp(line, texts[i], strlen(texts[i])) == 0)
            return true;
    return strstr(line, " files, ") != NULL || line[0] == '\n';
}

static void check_cut(const char *image, size_t number)
{
    const struct operation *operation = &operations[writes[number].operation];
    EFI_FILE_PROTOCOL *mounted = test_mount(test_disk.bytes, test_disk.size);
    char command[PATH_ROOM], line[2 * PATH_ROOM], whole[0x4000] = "";
    if (!mounted) {
        bad("write %zu: no volume", number);
        return;
    }
    check_items(mounted, operations[writes[number].operation].before, operation->touched[0],
                operation->touched[1]);
    mounted->Close(mounted);
    snprintf(command, sizeof(command), "fsck.fat -n %s 2>&1", image);
    FILE *pipe = popen(command, "r");
    bool harmless = true, tail = false;
    while (fgets(line, sizeof(line), pipe)) {
        strncat(whole, line, sizeof(whole) - strlen(whole) - 1);
        /* A chain longer than its file: the file that was being extended or cut. */
        tail = tail || strstr(line, "cluster chain length is >");
        harmless = harmless && (is_harmless(line, operation) || line[0] == '/' || line[0] == ' ');
    }
    pclose(pipe);
    if (!harmless || strstr(whole, "share") || strstr(whole, "Bad") ||
        strstr(whole, "Wrong") || (strstr(whole, "chain length is") && !tail))
        bad("write %zu of operation %u (%s, %s): %s", number, writes[number].operation,
            operation->touched[0], operation->touched[1], whole);
}

static uint8_t *map(const char *path, int how, uint64_t *ret_size)
{
    struct stat status;
    int fd = open(path, O_RDWR);
    if (fd < 0 || fstat(fd, &status) < 0) {
        perror(path);
        exit(1);
    }
    *ret_size = (uint64_t)status.st_size;
    uint8_t *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, how, fd, 0);
    if (bytes == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return bytes;
}

static void cut_after_each_write(const char *image)
{
    uint64_t size;
    uint8_t *bytes = map(image, MAP_SHARED, &size);
    test_disk.on_write = NULL;
    test_disk.bytes = bytes;
    for (size_t i = 0; i < write_count; i++) {
        memcpy(bytes + writes[i].offset, writes[i].data, writes[i].length);
        check_cut(image, i);
    }
}

static void make_folder(const char *folder)
{
    /* Parents come before what is in them when sorted by length. */
    for (size_t length = 1; length < PATH_ROOM; length++)
        for (unsigned i = 0; i < FILES_MOST; i++) {
            char path[2 * PATH_ROOM];
            if (strlen(model[i].path) != length)
                continue;
            snprintf(path, sizeof(path), "%s%s", folder, model[i].path);
            for (char *at = path; *at; at++)
                *at = *at == '\\' ? '/' : *at;
            if (model[i].directory) {
                mkdir(path, 0700);
                continue;
            }
            FILE *file = fopen(path, "w");
            if (!file || (model[i].size &&
                          fwrite(model[i].data, 1, model[i].size, file) != model[i].size))
                bad("%s: cannot be written", path);
            if (file)
                fclose(file);
        }
}

int main(int argc, char **argv)
{
    static void (*const kinds[])(void) = { make_file,   make_file,   make_file,   change_file,
                                           change_file, resize_file, rename_item, rename_item,
                                           delete_item, set_label };
    if (argc != 5) {
        fputs("usage: fat_random IMAGE SEED OPERATIONS FOLDER|--cut\n", stderr);
        return 1;
    }
    bool cut = strcmp(argv[4], "--cut") == 0;
    unsigned count = (unsigned)atoi(argv[3]);
    uint64_t size;
    uint8_t *bytes = map(argv[1], cut ? MAP_PRIVATE : MAP_SHARED, &size);
    state = strtoull(argv[2], NULL, 10);
    root = test_mount(bytes, size);
    if (!root) {
        bad("%s: no volume", argv[1]);
        return 1;
    }
    if (cut) {
        operations = calloc(count, sizeof(*operations));
        test_disk.on_write = record_write;
        torn = memcmp(bytes + 54, "FAT12", 5) != 0;
    }
    for (unsigned i = 0; i < count; i++)
        kinds[random_number(sizeof(kinds) / sizeof(kinds[0]))]();
    check_items(root, model, "?", "?");
    root->Close(root);
    if (cut)
        cut_after_each_write(argv[1]);
    else
        make_folder(argv[4]);
    if (cut)
        printf("%zu power cuts\n", write_count);
    return failures != 0;
}
