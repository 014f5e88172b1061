/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What the chip says before a processor of a guest runs: on its own ASID, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "machine/hypervisor/guest.h"
#include "sev/command.h"
#include "sev/status.h"

#define ASID       7
#define IMAGE_SIZE 65536u
#define EXIT_PORT  0xF4

struct scene {
    char folder[64];
    uint8_t image[IMAGE_SIZE];
    struct guest *guest;
};

static void ignore_output(void *context, const uint8_t *bytes, size_t length)
{
}

/* A guest whose first instructions are mov al, 0x21; out EXIT_PORT, al. */
static int set_up(void **state)
{
    static const uint8_t code[] = { 0xB0, 0x21, 0xE6, EXIT_PORT, 0xF4 };
    struct scene *scene = calloc(1, sizeof(*scene));
    struct chip_failure failure;
    if (!scene)
        return -1;
    strcpy(scene->folder, "/tmp/privet-entry-test.XXXXXX");
    if (!mkdtemp(scene->folder))
        return -1;
    memcpy(scene->image + IMAGE_SIZE - 16, code, sizeof(code));
    const struct guest_config config = {
        .board = { .ram_size = 64ull << 20, .processors = 2, .exit_port = EXIT_PORT,
                   .firmware = { scene->image, IMAGE_SIZE }, .serial = ignore_output },
        .sev = CPU_SEV_ON,
        .c_bit = 51,
        .reduced_physical_bits = 1,
        .asid = ASID,
        .chip = { .state_folder = scene->folder, .api_minor = CHIP_API_MINOR,
                  .build = CHIP_BUILD, .max_asid = 509, .min_plain_asid = 1,
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

static void launch(struct scene *scene)
{
    struct launch_result launched;
    char error[256] = "";
    assert_int_equal(guest_launch(scene->guest, &launched, error, sizeof(error)), 0);
}

static void on_guest(struct scene *scene, enum sev_command command)
{
    struct sev_handle buffer = { scene->guest->handle };
    assert_int_equal(chip_command(scene->guest->chip, command, &buffer), SEV_SUCCESS);
}

static void runs(struct scene *scene)
{
    struct run_result result;
    guest_run(scene->guest, &result);
    assert_int_equal(result.end, GUEST_EXITED);
    assert_string_equal(result.detail, "");
}

/* No instruction may have retired, and the one line says why. */
static void refused(struct scene *scene, const char *detail)
{
    struct run_result result;
    uint64_t before = guest_instructions(scene->guest);
    guest_run(scene->guest, &result);
    assert_int_equal(result.end, GUEST_REFUSED);
    assert_string_equal(result.detail, detail);
    assert_int_equal(result.instructions, before);
    assert_false(result.died);
}

static void test_not_launched(void **state)
{
    refused(*state, "processor 0 may not run ASID 7: the platform is not initialised (INIT)");
}

static void test_launched(void **state)
{
    struct scene *scene = *state;
    launch(scene);
    runs(scene);
}

static void test_deactivated(void **state)
{
    struct scene *scene = *state;
    launch(scene);
    on_guest(scene, SEV_DEACTIVATE);
    refused(scene, "processor 0 may not run ASID 7: no guest is activated on it, and it is not "
                   "flushed (WBINVD on every core, DF_FLUSH)");
}

/* Launch after launch on one ASID: decommissioning leaves it clean, not merely free. */
static void test_next_guest(void **state)
{
    struct scene *scene = *state;
    for (unsigned i = 0; i < 3; i++) {
        launch(scene);
        runs(scene);
        guest_decommission(scene->guest);
        refused(scene, "processor 0 may not run ASID 7: no guest is activated on it (ACTIVATE)");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_not_launched, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_launched, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_deactivated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_next_guest, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
