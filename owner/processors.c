/* SPDX-License-Identifier: BSD-2-Clause-Patent */
#include "owner/processors.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "owner/launch.h"

#define MODELS    16u /* of one generation: they differ in the low digit */
#define STEPPINGS 16u

/* Families and first models by generation (AMD's processor programming references). */
static const struct generation {
    unsigned family, model;
} servers[] = {
    { 23, 0x00 }, /* Naples */
    { 23, 0x30 }, /* Rome */
    { 25, 0x00 }, /* Milan */
    { 25, 0x10 }, /* Genoa */
    { 25, 0xA0 }, /* Bergamo and Siena */
    { 26, 0x00 }, { 26, 0x10 }, /* Turin */
};

struct search {
    const struct owner_claim *claim;
    EVP_MD_CTX *begun;
    struct sev_vmsa_config config; /* the present guess */
};

static bool fits(const struct search *search)
{
    static const uint8_t no_session[OWNER_KEY_SIZE];
    const struct owner_claim *claim = search->claim;
    uint8_t first[OWNER_VMSA_SIZE], others[OWNER_VMSA_SIZE];
    uint8_t digest[OWNER_DIGEST_SIZE], measure[OWNER_MEASURE_SIZE];
    struct owner_guest guest = *claim->guest;
    sev_vmsa_build(&search->config, SEV_VMSA_RESET, first);
    sev_vmsa_build(&search->config, guest.reset, others);
    guest.vmsa_first = first;
    guest.vmsa_others = others;
    launch_end(search->begun, &guest, digest);
    owner_measurement(&guest, digest, claim->tik ? claim->tik : no_session,
                      claim->reported + OWNER_MEASURE_SIZE, measure);
    return CRYPTO_memcmp(measure, claim->reported, sizeof(measure)) == 0;
}

static bool find_in(struct search *search, const struct generation *generation)
{
    for (unsigned i = 0; i < MODELS * STEPPINGS; i++) {
        search->config.signature = sev_cpu_signature(generation->family,
                                                     generation->model + i / STEPPINGS,
                                                     i % STEPPINGS);
        if (fits(search))
            return true;
    }
    return false;
}

/* The expected generation first: a stepping is the usual mistake. */
static bool find(struct search *search)
{
    const struct sev_cpu_numbers expected = sev_cpu_numbers(search->config.signature);
    const struct generation own = { expected.family, expected.model / MODELS * MODELS };
    bool found = find_in(search, &own);
    for (size_t i = 0; !found && i < sizeof(servers) / sizeof(servers[0]); i++)
        found = find_in(search, &servers[i]);
    return found;
}

static void describe(const struct sev_vmsa_config *found, const struct sev_vmsa_config *expected,
                     char *phrase, size_t size)
{
    const struct sev_cpu_numbers is = sev_cpu_numbers(found->signature);
    const struct sev_cpu_numbers was = sev_cpu_numbers(expected->signature);
    const struct {
        const char *name;
        unsigned is, was;
    } numbers[] = { { "family", is.family, was.family }, { "model", is.model, was.model },
                    { "stepping", is.stepping, was.stepping } };
    const char *before = "the processors are of";
    size_t used = 0;
    phrase[0] = '\0';
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (numbers[i].is == numbers[i].was)
            continue;
        snprintf(phrase + used, size - used, "%s %s %u, not %u", before, numbers[i].name,
                 numbers[i].is, numbers[i].was);
        used = strlen(phrase);
        before = ", of";
    }
    if (used == 0) /* bits that no processor has were expected */
        used = (size_t)snprintf(phrase, size, "the processors' signature is 0x%x", found->signature);
    if (found->fpu != expected->fpu)
        snprintf(phrase + used, size - used, ", and the host's kind is --fpu-state %s",
                 found->fpu ? "on" : "off");
}

bool processors_find(const struct owner_claim *claim, const struct sev_kernel_hashes *hashes,
                     char *phrase, size_t size)
{
    const struct sev_vmsa_config *built = claim->guest->built;
    if (!built || built->vmm != SEV_VMM_QEMU)
        return false;
    struct search search = { claim, launch_begin(claim->guest, hashes), *built };
    bool found = find(&search);
    if (!found) {
        search.config = *built;
        search.config.fpu = !built->fpu;
        found = find(&search);
    }
    if (found)
        describe(&search.config, built, phrase, size);
    EVP_MD_CTX_free(search.begun);
    return found;
}
