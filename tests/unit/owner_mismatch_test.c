/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Each usual mistake is made for real: the guest as it was launched is measured, then compared with
 * what its owner expects. The reason must name that mistake and no other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "owner/mismatch.h"
#include "owner/setup_header.h"
#include "sev/session.h"

#define KERNEL_SIZE 5000u
#define STORE_SIZE  0x800u
#define CODE_SIZE   0x1000u

static const uint8_t tik[OWNER_KEY_SIZE] = "transport integ", tek[OWNER_KEY_SIZE] = "transport encry";
static const uint8_t no_session[OWNER_KEY_SIZE];
static uint8_t code[CODE_SIZE], store[STORE_SIZE], joined[STORE_SIZE + CODE_SIZE];
static uint8_t kernel[KERNEL_SIZE], patched[KERNEL_SIZE], initrd[3000];
static uint8_t first_page[OWNER_VMSA_SIZE], other_page[OWNER_VMSA_SIZE];

static void store_32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

/* A bzImage's header of protocol 2.15 that can be loaded anywhere. */
static void make_kernel(void)
{
    memset(kernel, 0x5a, sizeof(kernel));
    memcpy(kernel + 0x202, "HdrS\x0f\x02", 6);
    kernel[0x210] = 0;
    kernel[0x211] = 1;
    store_32(kernel + 0x22c, 0x7fffffff);
    kernel[0x236] = 0x3f;
    kernel[0x237] = 0;
}

static int setup(void **state)
{
    static const uint8_t guid[16] = { 0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b, 0x4c,
                                      0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50 };
    (void)state;
    memset(code, 0xc0, sizeof(code));
    memset(store, 0xff, sizeof(store));
    memset(store, 0, 16);
    memcpy(store + 16, guid, sizeof(guid));
    store_32(store + 32, STORE_SIZE);
    store_32(store + 36, 0);
    memcpy(store + 40, "_FVH", 4);
    memcpy(joined, store, STORE_SIZE);
    memcpy(joined + STORE_SIZE, code, CODE_SIZE);
    memset(initrd, 0x77, sizeof(initrd));
    memset(first_page, 1, sizeof(first_page));
    memset(other_page, 2, sizeof(other_page));
    make_kernel();
    return 0;
}

static struct owner_guest plain_guest(void)
{
    return (struct owner_guest){
        .firmware = { code, sizeof(code) }, .policy = 1, .api_minor = 24, .build = 15 };
}

static struct owner_guest kernel_guest(void)
{
    struct owner_guest guest = plain_guest();
    guest.kernel_hashes = true;
    guest.kernel = (struct owner_blob){ kernel, sizeof(kernel) };
    guest.initrd = (struct owner_blob){ initrd, sizeof(initrd) };
    guest.command_line = "console=ttyS0 quiet";
    return guest;
}

static struct owner_guest es_guest(unsigned processors)
{
    struct owner_guest guest = plain_guest();
    guest.policy = SEV_POLICY_NODBG | SEV_POLICY_ES;
    guest.vmsa_first = first_page;
    guest.vmsa_others = other_page;
    guest.processors = processors;
    return guest;
}

static void launch(const struct owner_guest *launched, const uint8_t *key, uint8_t reported[48])
{
    uint8_t digest[OWNER_DIGEST_SIZE];
    memset(reported + OWNER_MEASURE_SIZE, 0x4e, OWNER_NONCE_SIZE);
    owner_launch_digest(launched, digest);
    owner_measurement(launched, digest, key, reported + OWNER_MEASURE_SIZE, reported);
}

static void expect_with(const struct owner_guest *launched, const uint8_t *launch_key,
                        struct owner_claim claim, const char *reason)
{
    uint8_t reported[OWNER_MEASURE_SIZE + OWNER_NONCE_SIZE];
    char text[OWNER_REASON_SIZE];
    launch(launched, launch_key, reported);
    claim.reported = reported;
    assert_false(owner_verify(claim.guest, claim.tik ? claim.tik : no_session, reported));
    assert_int_equal(owner_mismatch_find(&claim, text), reason != NULL);
    if (reason)
        assert_string_equal(text, reason);
}

static void expect(const struct owner_guest *launched, const struct owner_guest *expected,
                   const char *reason)
{
    expect_with(launched, tik, (struct owner_claim){ .guest = expected, .tik = tik }, reason);
}

static void test_platform(void **state)
{
    const struct owner_guest expected = kernel_guest();
    struct owner_guest launched = expected;
    launched.build = 7;
    expect(&launched, &expected, "the platform's build id is 7, not 15");
    launched = expected;
    launched.api_minor = 22;
    expect(&launched, &expected, "the platform's API version is 0.22, not 0.24");
    launched.api_minor = 16; /* a form of its own, without the version bytes */
    expect(&launched, &expected, "the platform's API version is older than 0.17");
    launched.api_major = 1;
    launched.api_minor = 55;
    launched.build = 21;
    expect(&launched, &expected,
           "the platform's API version is 1.55, not 0.24; the platform's build id is 21, not 15");
    launched = expected;
    launched.policy = SEV_POLICY_NODBG | SEV_POLICY_NOKS;
    expect(&launched, &expected, "the guest's policy is 0x3 (nodbg,noks), not 0x1");
    launched.build = 255;
    expect(&launched, &expected,
           "the guest's policy is 0x3 (nodbg,noks), not 0x1; the platform's build id is 255, not 15");
}

static void test_minimum_version_in_policy(void **state)
{
    struct owner_guest expected = plain_guest(), launched = expected;
    expected.policy = 0x18000001;
    expect(&launched, &expected, "the guest's policy is 0x1 (nodbg), not 0x18000001");
    launched.policy = 0x17000001; /* a version that nobody asked for is not guessed */
    expect(&launched, &expected, NULL);
}

static void test_keys(void **state)
{
    const struct owner_guest guest = plain_guest();
    const struct owner_claim both = { .guest = &guest, .tik = tik, .tek = tek };
    const struct owner_claim none = { .guest = &guest };
    expect_with(&guest, tek, both, "TIK and TEK are swapped");
    expect_with(&guest, no_session, both, "the guest was launched without the owner's session");
    expect_with(&guest, tek, (struct owner_claim){ .guest = &guest, .tik = tik }, NULL);
    expect_with(&guest, tik, none, NULL);
}

static void test_command_line(void **state)
{
    static const struct {
        const char *launched, *expected, *reason;
    } cases[] = {
        { "quiet\n", "quiet", "the command line that was measured ends in a newline more" },
        { "quiet", "quiet\n", "the command line that was measured has no newline at its end" },
        { "quiet ", "quiet", "the command line that was measured ends in a space more" },
        { "quiet", " quiet ", "the command line that was measured has no white space around it" },
        { "quiet", " quiet", "the command line that was measured has no white space around it" },
        { "", "quiet", "an empty command line was measured" },
        { "\n", "", "the command line that was measured ends in a newline more" },
        { "quiet splash", "quiet", NULL },
        { "quiet", "", NULL },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct owner_guest launched = kernel_guest(), expected = launched;
        launched.command_line = cases[i].launched;
        expected.command_line = cases[i].expected;
        expect(&launched, &expected, cases[i].reason);
    }
}

static void test_hashes_and_initrd(void **state)
{
    const struct owner_guest with = kernel_guest();
    struct owner_guest other = with;
    other.kernel_hashes = false;
    expect(&other, &with, "the guest was launched without kernel hashes");
    expect(&with, &other, "the guest was launched with kernel hashes");
    other = with;
    other.initrd = (struct owner_blob){ NULL, 0 };
    expect(&other, &with, "no initrd was measured");
    expect(&with, &other, NULL);
}

#define PATCHED_REASON                                                                             \
    "the kernel was hashed after QEMU had written boot parameters into its setup header"

/* The bytes that QEMU 7.2 writes, for an initrd at `address`. */
static void patch_kernel(uint32_t address, uint32_t size)
{
    memcpy(patched, kernel, sizeof(kernel));
    patched[0x210] = 0xb0;
    patched[0x211] = 0x81;
    patched[0x224] = 0x00;
    patched[0x225] = 0xfe;
    store_32(patched + 0x228, 0x20000);
    if (size) {
        store_32(patched + 0x218, address);
        store_32(patched + 0x21c, size);
    }
}

static void test_patched_kernel(void **state)
{
    struct owner_guest expected = kernel_guest(), launched = expected;
    launched.kernel = (struct owner_blob){ patched, sizeof(patched) };
    patch_kernel((0x40000000u - 0x28000 - 1 - sizeof(initrd)) & ~0xfffu, sizeof(initrd));
    expect(&launched, &expected, PATCHED_REASON);
    patched[0x21a] ^= 1; /* where no usual size of memory puts it */
    expect(&launched, &expected, NULL);
    launched.initrd = expected.initrd = (struct owner_blob){ NULL, 0 };
    patch_kernel(0, 0);
    expect(&launched, &expected, PATCHED_REASON);
    launched.build = 3;
    expect(&launched, &expected, PATCHED_REASON "; the platform's build id is 3, not 15");
    expected.kernel.size = launched.kernel.size = SETUP_HEADER_SIZE - 1;
    launched.build = 15;
    expect(&launched, &expected, NULL);
}

static void test_setup_header(void **state)
{
    uint8_t header[SETUP_HEADER_SIZE];
    memcpy(header, kernel, sizeof(header));
    assert_false(setup_header_patch(header, 256u << 20, 0x10000000));
    header[0x207] = 1; /* protocol 1.15 */
    assert_false(setup_header_patch(header, 256u << 20, 0));
    memcpy(header, kernel, sizeof(header));
    header[0x211] = 0; /* not loaded high */
    assert_false(setup_header_patch(header, 256u << 20, 0));
    memcpy(header, kernel, sizeof(header));
    header[0x202] = 'h';
    assert_false(setup_header_patch(header, 256u << 20, 0));
    memcpy(header, kernel, sizeof(header));
    header[0x236] = 0; /* the kernel's own limit counts */
    assert_true(setup_header_patch(header, 0xC0000000u, 0x1000));
    assert_int_equal(header[0x21b], 0x7f);
    assert_int_equal(header[0x21a], 0xff);
    assert_int_equal(header[0x219], 0xe0);
}

static void test_images(void **state)
{
    static uint8_t reversed[CODE_SIZE + STORE_SIZE];
    const struct owner_guest plain = plain_guest();
    const struct owner_claim with_store = {
        .guest = &plain, .variables = { store, sizeof(store) }, .tik = tik };
    struct owner_guest whole = plain, launched = plain;
    whole.firmware = (struct owner_blob){ joined, sizeof(joined) };
    memcpy(reversed, code, CODE_SIZE);
    memcpy(reversed + CODE_SIZE, store, STORE_SIZE);
    expect(&plain, &whole,
           "the code image alone was measured, but the firmware file is variable store and code "
           "joined");
    expect_with(&whole, tik, with_store, "variables and code were measured joined in one image");
    launched.firmware = (struct owner_blob){ reversed, sizeof(reversed) };
    expect_with(&launched, tik, with_store,
                "code and variables were measured joined in one image, the code first");
    launched.firmware = (struct owner_blob){ store, sizeof(store) };
    expect_with(&launched, tik, with_store,
                "the image of the variables was measured in place of the firmware: the two are "
                "swapped");
    expect(&launched, &whole,
           "the variable store was measured in place of the code: the images were swapped at "
           "launch");
    expect(&whole, &plain, NULL);
}

/* An image that is absent is nothing to join another one with. */
static void test_absent_image(void **state)
{
    struct owner_guest launched = plain_guest(), expected = launched;
    const struct owner_claim claim = {
        .guest = &expected, .variables = { store, sizeof(store) }, .tik = tik };
    expected.firmware = (struct owner_blob){ NULL, 0 };
    launched.firmware = claim.variables;
    expect_with(&launched, tik, claim,
                "the image of the variables was measured in place of the firmware: the two are "
                "swapped");
}

/* Lengths in the image are not believed. */
static void test_damaged_image(void **state)
{
    static uint8_t damaged[STORE_SIZE];
    struct owner_guest expected = plain_guest(), launched = expected;
    memcpy(damaged, store, sizeof(damaged));
    memset(damaged + 32, 0xff, 8);
    expected.firmware = (struct owner_blob){ damaged, sizeof(damaged) };
    expect(&launched, &expected, NULL);
    memset(damaged + 32, 0, 8);
    expect(&launched, &expected, NULL);
    for (size_t size = 1; size <= 57; size += 8) {
        expected.firmware = (struct owner_blob){ store, size };
        expect(&launched, &expected, NULL);
    }
}

static void test_processors(void **state)
{
    const struct owner_guest four = es_guest(4), one = es_guest(1);
    struct owner_guest launched = one, alone = one;
    expect(&four, &one, "the guest has 4 processors, not 1");
    expect(&one, &four, "the guest has 1 processor, not 4");
    launched = es_guest(OWNER_PROCESSORS);
    expect(&launched, &four, "the guest has 512 processors, not 4");
    alone.vmsa_others = NULL; /* nothing to count others with */
    expect(&four, &alone, NULL);
    launched = plain_guest();
    expect(&launched, &four,
           "no processor's page was measured: the guest is not SEV-ES; the guest's policy is 0x1 "
           "(nodbg), not 0x5");
}

/* As the machine's owner builds pages: of these processors, in a guest of three. */
struct built_guest {
    struct sev_vmsa_config config;
    uint8_t first[OWNER_VMSA_SIZE], others[OWNER_VMSA_SIZE];
    struct owner_guest guest;
};

static void build(struct built_guest *ret, uint32_t signature, bool fpu)
{
    ret->config = (struct sev_vmsa_config){ .signature = signature, .fpu = fpu };
    ret->guest = es_guest(3);
    ret->guest.reset = 0x80B004;
    sev_vmsa_build(&ret->config, SEV_VMSA_RESET, ret->first);
    sev_vmsa_build(&ret->config, ret->guest.reset, ret->others);
    ret->guest.vmsa_first = ret->first;
    ret->guest.vmsa_others = ret->others;
    ret->guest.built = &ret->config;
}

static void test_numbers_of_processors(void **state)
{
    static const struct {
        unsigned family, model, stepping;
        bool fpu;
        const char *reason;
    } launches[] = {
        { 25, 1, 2, true, "the processors are of stepping 2, not 0" },
        { 25, 1, 15, false,
          "the processors are of stepping 15, not 0, and the host's kind is --fpu-state off" },
        { 25, 8, 0, true, "the processors are of model 8, not 1" },
        { 25, 160, 1, true, "the processors are of model 160, not 1, of stepping 1, not 0" },
        { 23, 1, 0, true, "the processors are of family 23, not 25" },
        { 26, 31, 2, true,
          "the processors are of family 26, not 25, of model 31, not 1, of stepping 2, not 0" },
        { 25, 1, 1, true, "the processors are of model EPYC-Milan" },
        { 25, 33, 0, true, NULL }, /* no server processor */
    };
    struct built_guest expected, launched;
    build(&expected, sev_cpu_signature(25, 1, 0), true);
    for (size_t i = 0; i < sizeof(launches) / sizeof(launches[0]); i++) {
        build(&launched, sev_cpu_signature(launches[i].family, launches[i].model,
                                           launches[i].stepping), launches[i].fpu);
        expect(&launched.guest, &expected.guest, launches[i].reason);
    }
    build(&launched, sev_cpu_signature(25, 33, 2), true);
    build(&expected, sev_cpu_signature(25, 33, 0), true);
    expect(&launched.guest, &expected.guest, "the processors are of stepping 2, not 0");
    build(&expected, sev_cpu_signature(25, 33, 2) | 1u << 31, true); /* a reserved bit */
    expect(&launched.guest, &expected.guest, "the processors' signature is 0xa20f12");
    build(&launched, sev_cpu_signature(25, 1, 2), true);
    expected.guest.built = NULL; /* pages as they were given: nothing to build others like */
    expect(&launched.guest, &expected.guest, NULL);
}

static void build_again(struct built_guest *guest)
{
    sev_vmsa_build(&guest->config, SEV_VMSA_RESET, guest->first);
    sev_vmsa_build(&guest->config, guest->guest.reset, guest->others);
}

/* Amazon's pages are the same for all models: none is named. */
static void test_another_vmm(void **state)
{
    struct built_guest expected, launched;
    build(&expected, sev_cpu_signature(25, 1, 0), true);
    build(&launched, sev_cpu_signature(25, 1, 1), true);
    expected.config.vmm = launched.config.vmm = SEV_VMM_EC2;
    launched.guest.build = 9;
    build_again(&expected);
    build_again(&launched);
    expect(&launched.guest, &expected.guest, "the platform's build id is 9, not 15");
    launched.guest.build = 15;
    launched.config.features = 0x20;
    build_again(&launched);
    expect(&launched.guest, &expected.guest,
           "the host sets debug swap in the processors' pages: --guest-features 0x20");
}

static void test_two_mistakes(void **state)
{
    struct owner_guest expected = kernel_guest(), launched = expected;
    const struct owner_claim claim = { .guest = &expected, .tik = tik, .tek = tek };
    launched.command_line = "console=ttyS0 quiet\n";
    launched.build = 9;
    expect(&launched, &expected,
           "the command line that was measured ends in a newline more; the platform's build id is "
           "9, not 15");
    expect_with(&launched, tek, claim,
                "TIK and TEK are swapped; the command line that was measured ends in a newline "
                "more; the platform's build id is 9, not 15");
    launched.initrd = (struct owner_blob){ NULL, 0 };
    expect(&launched, &expected, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_platform),
        cmocka_unit_test(test_minimum_version_in_policy),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_command_line),
        cmocka_unit_test(test_hashes_and_initrd),
        cmocka_unit_test(test_patched_kernel),
        cmocka_unit_test(test_setup_header),
        cmocka_unit_test(test_images),
        cmocka_unit_test(test_absent_image),
        cmocka_unit_test(test_damaged_image),
        cmocka_unit_test(test_processors),
        cmocka_unit_test(test_numbers_of_processors),
        cmocka_unit_test(test_another_vmm),
        cmocka_unit_test(test_two_mistakes),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
