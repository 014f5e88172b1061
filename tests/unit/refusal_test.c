/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What is said of a refusal of the Secure Processor: states required and found, what to do next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cli/refusal.h"
#include "sev/status.h"

static void expect_line(struct refusal refusal, const char *expected)
{
    struct refusal_words words;
    refusal_describe(&refusal, &words);
    assert_string_equal(words.line, expected);
}

static void test_lines(void **state)
{
    (void)state;
    expect_line((struct refusal){ SEV_PEK_GEN, SEV_INVALID_PLATFORM_STATE,
                                  { SEV_PLATFORM_UNINIT, -1 } },
                "PEK_GEN: status 0x01 INVALID_PLATFORM_STATE: the platform's state does not allow the "
                "command (platform state: init required, uninit found); INIT leads from uninit to "
                "init, a launch to working, SHUTDOWN back to uninit");
    expect_line((struct refusal){ SEV_LAUNCH_SECRET, SEV_INVALID_GUEST_STATE,
                                  { SEV_PLATFORM_WORKING, SEV_GUEST_LUPDATE } },
                "LAUNCH_SECRET: status 0x02 INVALID_GUEST_STATE: the guest's state does not allow the "
                "command (platform state: working required, working found; guest state: launch-secret "
                "required, launch-update found); a launch goes by LAUNCH_UPDATE_DATA, LAUNCH_MEASURE, "
                "LAUNCH_SECRET, LAUNCH_FINISH, in this order");
    expect_line((struct refusal){ SEV_DF_FLUSH, SEV_WBINVD_REQUIRED, { SEV_PLATFORM_INIT, -1 } },
                "DF_FLUSH: status 0x0e WBINVD_REQUIRED: every core must execute WBINVD first (platform "
                "state: any required, init found); execute WBINVD on every core, then give DF_FLUSH");
    expect_line((struct refusal){ SEV_ATTESTATION, SEV_INVALID_GUEST_STATE, { -1, SEV_GUEST_RUPDATE } },
                "ATTESTATION: status 0x02 INVALID_GUEST_STATE: the guest's state does not allow the "
                "command (guest state: launch-secret, running, send-update or sent required, "
                "receive-update found); a launch goes by LAUNCH_UPDATE_DATA, LAUNCH_MEASURE, "
                "LAUNCH_SECRET, LAUNCH_FINISH, in this order");
    expect_line((struct refusal){ (enum sev_command)0x81, SEV_INVALID_COMMAND, { -1, -1 } },
                "unknown command: status 0x11 INVALID_COMMAND: the chip does not know the command; this "
                "chip has the commands of API 0.24");
}

/* Every status of this API's has its advice for every command, and every line has its room. */
static void test_all(void **state)
{
    (void)state;
    for (unsigned id = 0; id <= SEV_SWAP_IN; id++) {
        struct chip_requirement needs;
        if (!chip_requirement(id, &needs))
            continue;
        for (uint16_t status = SEV_INVALID_PLATFORM_STATE; status <= SEV_RING_BUFFER_EXIT; status++) {
            bool of_snp = status >= SEV_INVALID_PAGE_SIZE && status <= SEV_INVALID_PAGE_OWNER;
            struct refusal refusal = { (enum sev_command)id, status,
                                       { SEV_PLATFORM_WORKING, SEV_GUEST_RUPDATE } };
            struct refusal_words words;
            if (of_snp || strcmp(sev_status_name(status), "UNKNOWN") == 0)
                continue;
            refusal_describe(&refusal, &words);
            assert_non_null(words.advice);
            assert_true(strlen(words.line) < sizeof(words.line) - 1);
            const char *end = words.line + strlen(words.line) - strlen(words.advice);
            assert_string_equal(end, words.advice);
            assert_int_equal(*words.guest_required != '\0', needs.guest_states != 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
