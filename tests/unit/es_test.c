/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The pages with a SEV-ES guest's registers, as the chip's debugger finds them before and after a run;
 * what is kept of its VMGEXITs, and what is said of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "machine/hypervisor/describe.h"
#include "machine/hypervisor/es.h"
#include "sev/bytes.h"
#include "sev/command.h"
#include "sev/session.h"
#include "sev/status.h"
#include "sev/vmsa.h"

#define ASID       7
#define IMAGE_SIZE 65536u
#define CODE       0xF000u /* offset in the image and in its segment */
#define RESET2     0xFFFF1234u

struct scene {
    char folder[64];
    uint8_t image[IMAGE_SIZE];
    struct guest *guest;
};

/* By the GHCB MSR: asks twenty times about SEV, then for the guest's end. */
static const uint8_t code[] = {
    0xBB, 0x14, 0x00,                   /* mov bx, 20 */
    0x66, 0xB9, 0x30, 0x01, 0x01, 0xC0, /* mov ecx, 0xC0010130 */
    0x0F, 0x32,                         /* rdmsr */
    0x66, 0x89, 0xC6, 0x66, 0x89, 0xD7, /* mov esi, eax; mov edi, edx */
    0x66, 0x31, 0xD2,                   /* xor edx, edx */
    0x66, 0xB8, 0x02, 0x00, 0x00, 0x00, /* again: mov eax, 2 */
    0x0F, 0x30,                         /* wrmsr */
    0xF3, 0x0F, 0x01, 0xD9,             /* vmgexit */
    0x4B, 0x75, 0xF1,                   /* dec bx; jnz again */
    0x66, 0xBB, 0x44, 0x33, 0x22, 0x11, /* mov ebx, 0x11223344 */
    0x66, 0xB8, 0x00, 0x01, 0x00, 0x00, /* mov eax, 0x100 */
    0x0F, 0x30,                         /* wrmsr */
    0xF3, 0x0F, 0x01, 0xD9,             /* vmgexit */
    0xF4,                               /* hlt */
};
#define FIRST_EXIT 28u /* offset of the first VMGEXIT, and of the last one */
#define LAST_EXIT  49u

/* At the end of an image: where the second processor begins. */
static const uint8_t table[] = {
    0x34, 0x12, 0xFF, 0xFF, 22, 0, /* the reset block */
    0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a, 0xcb, 0x4f, 0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e,
    18 + 22, 0, /* the table's end */
    0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45, 0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d,
};

static void ignore_output(void *context, const uint8_t *bytes, size_t length)
{
}

static int set_up(void **state)
{
    static const uint8_t jump[] = { 0xE9, (uint8_t)(CODE - 0xFFF3), (CODE - 0xFFF3) >> 8 & 0xFF };
    struct scene *scene = calloc(1, sizeof(*scene));
    struct chip_failure failure;
    if (!scene)
        return -1;
    strcpy(scene->folder, "/tmp/privet-es-test.XXXXXX");
    if (!mkdtemp(scene->folder))
        return -1;
    memcpy(scene->image + CODE, code, sizeof(code));
    memcpy(scene->image + IMAGE_SIZE - 32 - sizeof(table), table, sizeof(table));
    memcpy(scene->image + IMAGE_SIZE - 16, jump, sizeof(jump));
    const struct guest_config config = {
        .board = { .ram_size = 64ull << 20, .processors = 2,
                   .firmware = { scene->image, IMAGE_SIZE }, .serial = ignore_output },
        .sev = CPU_SEV_ES,
        .c_bit = 51,
        .reduced_physical_bits = 1,
        .asid = ASID,
        .policy = SEV_POLICY_ES,
        .chip = { .state_folder = scene->folder, .api_minor = CHIP_API_MINOR,
                  .build = CHIP_BUILD, .max_asid = 509, .min_plain_asid = 100,
                  .deterministic = true },
    };
    scene->guest = guest_create(&config, &failure);
    if (!scene->guest)
        fail_msg("%s", failure.text);
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    char path[128];
    guest_destroy(scene->guest);
    snprintf(path, sizeof(path), "%s/chip-state", scene->folder);
    unlink(path);
    rmdir(scene->folder);
    free(scene);
    return 0;
}

/* What DBG_DECRYPT makes of a processor's page. */
static void look(struct scene *scene, unsigned processor, uint8_t page[SEV_VMSA_PAGE_SIZE])
{
    struct chip *chip = scene->guest->chip;
    struct sev_dbg command = { .handle = scene->guest->handle, .length = SEV_VMSA_PAGE_SIZE,
                               .src_paddr = es_vmsa(scene->guest->es, processor),
                               .dst_paddr = chip_map(chip, page, SEV_VMSA_PAGE_SIZE) };
    assert_int_equal(chip_command(chip, SEV_DBG_DECRYPT, &command), SEV_SUCCESS);
    chip_unmap(chip, command.dst_paddr);
}

static void expect_field(const uint8_t *page, unsigned field, uint64_t value)
{
    if (load_le64(page + field) != value)
        fail_msg("field 0x%x is 0x%llx", field, (unsigned long long)load_le64(page + field));
}

static void launch(struct scene *scene)
{
    struct launch_result launched;
    char error[256] = "";
    assert_int_equal(guest_launch(scene->guest, &launched, error, sizeof(error)), 0);
}

static void test_launched_registers(void **state)
{
    struct scene *scene = *state;
    uint8_t page[SEV_VMSA_PAGE_SIZE];
    launch(scene);
    look(scene, 0, page);
    expect_field(page, SEV_VMSA_RIP, 0xFFF0);
    expect_field(page, SEV_VMSA_RBX, 0);
    look(scene, 1, page);
    expect_field(page, SEV_VMSA_RIP, RESET2 & 0xFFFF);
}

/* After the last exit of all. */
static void test_last_registers(void **state)
{
    struct scene *scene = *state;
    uint8_t page[SEV_VMSA_PAGE_SIZE];
    struct run_result result;
    launch(scene);
    guest_run(scene->guest, &result);
    assert_int_equal(result.end, GUEST_TERMINATED);
    look(scene, 0, page);
    expect_field(page, SEV_VMSA_RIP, CODE + sizeof(code) - 1);
    expect_field(page, SEV_VMSA_RBX, 0x11223344);
    expect_field(page, SEV_VMSA_RCX, 0xC0010130);
    expect_field(page, SEV_VMSA_RSI, 0x33000001); /* what the GHCB MSR was: versions, C-bit */
    expect_field(page, SEV_VMSA_RDI, 0x00020001);
    look(scene, 1, page); /* it never ran */
    expect_field(page, SEV_VMSA_RIP, RESET2 & 0xFFFF);
}

/* Sixteen of the twenty-one. */
static void test_last_exits(void **state)
{
    struct scene *scene = *state;
    struct es_exit exits[ES_HISTORY];
    struct run_result result;
    launch(scene);
    assert_int_equal(es_last_exits(scene->guest->es, 0, exits), 0);
    guest_run(scene->guest, &result);
    assert_int_equal(es_last_exits(scene->guest->es, 1, exits), 0);
    assert_int_equal(es_last_exits(scene->guest->es, 0, exits), ES_HISTORY);
    assert_string_equal(exits[0].told.name, "terminate");
    assert_int_equal(exits[0].told.info1, 0x100);
    assert_int_equal(exits[0].told.rip, 0xFFFF0000 + CODE + LAST_EXIT);
    for (unsigned k = 1; k < ES_HISTORY; k++) {
        assert_string_equal(exits[k].told.name, "sev-info");
        assert_int_equal(exits[k].told.rip, 0xFFFF0000 + CODE + FIRST_EXIT);
        assert_true(exits[k].instructions < exits[k - 1].instructions);
    }
}

static void test_texts(void **state)
{
    static const struct {
        struct ghcb_told told;
        const char *text;
    } rows[] = {
        { { .page = 0 }, "without a page: the GHCB MSR is 0" },
        { { .page = 0xFEB00000 }, "page 00feb00000 is no memory" },
        { { .by_msr = true, .name = "sev-info", .code = 2, .info1 = 2, .result1 = 0xA },
          "msr sev-info value 2 answer a" },
        { { .by_msr = true, .code = 0x777, .info1 = 0x5777, .result1 = 0x5777 },
          "msr 777 value 5777 answer 5777" },
        { { .in_memory = true, .name = "ioio", .info1 = 0x3F80010, .rax = 1, .rcx = 2 },
          "ioio info 3f80010 0 answer 0 0" },
        { { .in_memory = true, .of_registers = true, .name = "msr", .info1 = 1, .rax = 7, .rcx = 0x1B,
            .result1 = 1, .result2 = 0x8000030D },
          "msr rax 7 rcx 1b info 1 0 answer 1 8000030d" },
        { { .in_memory = true, .page_private = true, .code = 0x1234, .result1 = 2, .result2 = 6 },
          "1234 info 0 0 answer 2 6 private page" },
    };
    for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
        char text[DESCRIBE_VMGEXIT_SIZE];
        assert_string_equal(describe_vmgexit(&rows[k].told, text), rows[k].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_launched_registers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_last_registers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_last_exits, set_up, tear_down),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
