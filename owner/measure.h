/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the guest owner expects: launch digest and measurement of a guest (SEV API 11.1, 11.2), and
 * whether a reported measurement is that one. Knows nothing of the machine.
 */
#ifndef PRIVET_OWNER_MEASURE_H
#define PRIVET_OWNER_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sev/hashes.h"
#include "sev/vmsa.h"

#define OWNER_DIGEST_SIZE  32u
#define OWNER_MEASURE_SIZE 32u
#define OWNER_NONCE_SIZE   16u
#define OWNER_KEY_SIZE     16u
#define OWNER_VMSA_SIZE    4096u
#define OWNER_PROCESSORS   512u /* more than any host gives a guest */

struct owner_blob {
    const uint8_t *data; /* NULL: absent, hashed as nothing */
    size_t size;
};

/* What is measured. Blobs belong to the caller. */
struct owner_guest {
    struct owner_blob firmware;
    bool kernel_hashes;
    struct owner_blob kernel, initrd;
    const char *command_line; /* NULL: empty */
    /* SEV-ES: pages of the first processor and of each other one. 0 processors: SEV, no pages. */
    const uint8_t *vmsa_first, *vmsa_others;
    unsigned processors;
    /* How the pages were built (sev/vmsa.h), NULL: they are as given; where the others begin. */
    const struct sev_vmsa_config *built;
    enum sev_vmm vmm; /* of a SEV-SNP guest: how the firmware's sections are launched */
    uint32_t reset;
    uint32_t policy;
    uint8_t api_major, api_minor, build;
};

/* What the table of hashes says of the guest's kernel, initrd and command line. */
void owner_kernel_hashes(const struct owner_guest *guest, struct sev_kernel_hashes *ret);

/*
 * SHA-256 over everything that the launch commands get: the firmware, the table of hashes, the
 * processors' pages.
 */
void owner_launch_digest(const struct owner_guest *guest, uint8_t digest[OWNER_DIGEST_SIZE]);

/* The same with hashes that are known already; used only if guest->kernel_hashes. */
void owner_launch_digest_of(const struct owner_guest *guest, const struct sev_kernel_hashes *hashes,
                            uint8_t digest[OWNER_DIGEST_SIZE]);

/* MEASURE = HMAC(TIK, 04h, API, build, policy, digest, nonce). */
void owner_measurement(const struct owner_guest *guest, const uint8_t digest[OWNER_DIGEST_SIZE],
                       const uint8_t tik[OWNER_KEY_SIZE], const uint8_t nonce[OWNER_NONCE_SIZE],
                       uint8_t measure[OWNER_MEASURE_SIZE]);

/* `reported` is what LAUNCH_MEASURE gave: measure, then nonce. */
bool owner_verify(const struct owner_guest *guest, const uint8_t tik[OWNER_KEY_SIZE],
                  const uint8_t reported[OWNER_MEASURE_SIZE + OWNER_NONCE_SIZE]);

#endif
