/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The firmware's reading of launch secrets: the table and its damages, and the archive of
 * credentials, which cpio must unpack to what went in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/boot/credentials.h"
#include "owner/secret_table.h"

int format(char *text, size_t size, const char *fmt, ...);
int format(char *text, size_t size, const char *fmt, ...)
{
    va_list list;
    va_start(list, fmt);
    int length = vsnprintf(text, size, fmt, list);
    va_end(list);
    return length;
}

/* A table as the owner's tools make it: a passphrase and two credentials. */
static size_t make(uint8_t area[OWNER_SECRET_MAX])
{
    static struct owner_secret_table table;
    static struct owner_credentials credentials;
    credentials.used = 0;
    owner_secret_begin(&table);
    assert_null(owner_secret_add(&table, "736869e5-84f0-4973-92ec-06879ce3da0b",
                                 (const uint8_t *)"open sesame", 11));
    assert_null(owner_credential_add(&credentials, "first", (const uint8_t *)"one\0two", 7));
    assert_null(owner_credential_add(&credentials, "second.key", (const uint8_t *)"", 0));
    assert_null(owner_secret_add(&table, OWNER_CREDENTIALS_GUID, credentials.bytes,
                                 credentials.used));
    memcpy(area, table.bytes, sizeof(table.bytes));
    return table.used;
}

static void finds_the_entry(void **state)
{
    uint8_t area[OWNER_SECRET_MAX];
    struct secret_entry entry;
    struct guid other = secret_credentials_guid;
    (void)state;
    make(area);
    assert_int_equal(secret_check(area, sizeof(area)), SECRET_PRESENT);
    assert_true(secret_find(area, &secret_credentials_guid, &entry));
    assert_string_equal((const char *)entry.data, "first");
    assert_int_equal(entry.size, 6 + 4 + 7 + 11 + 4);
    other.a ^= 1;
    assert_false(secret_find(area, &other, &entry));
}

static void damaged_tables_are_refused(void **state)
{
    uint8_t area[OWNER_SECRET_MAX];
    (void)state;
    size_t used = make(area);
    assert_int_equal(secret_check(area, used), SECRET_PRESENT);
    assert_int_equal(secret_check(area, used - 1), SECRET_MALFORMED);
    assert_int_equal(secret_check(area, 19), SECRET_ABSENT);
    area[20 + 16] += 1; /* the first entry reaches into the second */
    assert_int_equal(secret_check(area, sizeof(area)), SECRET_MALFORMED);
    make(area);
    area[20 + 16] = 19;
    assert_int_equal(secret_check(area, sizeof(area)), SECRET_MALFORMED);
    make(area);
    area[20 + 19] = 0xFF;
    assert_int_equal(secret_check(area, sizeof(area)), SECRET_MALFORMED);
    make(area);
    area[16] = 19;
    area[17] = 0;
    assert_int_equal(secret_check(area, sizeof(area)), SECRET_MALFORMED);
    make(area);
    area[0] ^= 1;
    assert_int_equal(secret_check(area, sizeof(area)), SECRET_ABSENT);
}

static void cpio_unpacks_it(void **state)
{
    uint8_t area[OWNER_SECRET_MAX], archive[4096];
    char folder[] = "/tmp/privet-credentials-XXXXXX", command[1024];
    struct secret_entry entry;
    (void)state;
    make(area);
    assert_true(secret_find(area, &secret_credentials_guid, &entry));
    size_t size = credentials_archive(entry.data, entry.size, NULL);
    assert_true(size > 0 && size <= sizeof(archive));
    assert_int_equal(credentials_archive(entry.data, entry.size, archive), size);
    assert_non_null(mkdtemp(folder));
    snprintf(command, sizeof(command), "%s/archive", folder);
    FILE *file = fopen(command, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(archive, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    snprintf(command, sizeof(command),
             "cd %s && mkdir -p conf/conf.d && cpio -i --quiet <archive && "
             "printf 'one\\0two' | cmp - .extra/credentials/first.cred && "
             "cmp /dev/null .extra/credentials/second.key.cred && "
             "[ $(ls .extra/credentials | wc -l) -eq 2 ] && "
             "[ \"$(stat -c %%a .extra/credentials .extra/credentials/first.cred)\" = '500\n400' ] && "
             "sh -n conf/conf.d/privet-credentials && chmod -R u+w . && rm -r %s",
             folder, folder);
    assert_int_equal(system(command), 0);
}

/* One credential of this name, its value's length as given. */
static size_t archive_of(const char *name, size_t name_size, uint32_t length, size_t value)
{
    uint8_t data[600] = { 0 };
    memcpy(data, name, name_size);
    memcpy(data + name_size, &length, 4);
    return credentials_archive(data, name_size + 4 + value, NULL);
}

static void bad_credentials_are_refused(void **state)
{
    char name[300];
    (void)state;
    assert_true(archive_of("a", 2, 3, 3) > 0);
    assert_true(archive_of("a", 2, 4, 3) == 0);
    assert_true(archive_of("a", 2, 0xFFFFFFFF, 3) == 0);
    assert_true(archive_of("a", 1, 0xFFFFFFFF, 0) == 0); /* no NUL */
    assert_true(archive_of("", 1, 0, 0) == 0);
    assert_true(archive_of("..", 3, 0, 0) == 0);
    assert_true(archive_of("a/b", 4, 0, 0) == 0);
    assert_true(archive_of("a:b", 4, 0, 0) == 0);
    assert_true(archive_of("a\n", 3, 0, 0) == 0);
    memset(name, 'x', sizeof(name));
    name[255] = 0;
    assert_true(archive_of(name, 256, 0, 0) > 0);
    name[255] = 'x';
    name[256] = 0;
    assert_true(archive_of(name, 257, 0, 0) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_entry),
        cmocka_unit_test(damaged_tables_are_refused),
        cmocka_unit_test(cpio_unpacks_it),
        cmocka_unit_test(bad_credentials_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
