/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Seeding (SP 800-90A 8.6): each seed has 1024 bits of the processor, or 512 of the host's, where
 * 384 are due at the start and 256 later; clocks come on top and count for nothing.
 */
#include "firmware/uefi/entropy.h"

#include <string.h>

#include "firmware/arch/cpu.h"
#include "firmware/arch/time.h"
#include "firmware/lib/hmac_drbg.h"
#include "firmware/lib/log.h"
#include "firmware/sev/sev.h"

#define RETRIES 64u

enum { CPU_WORDS = 16, HOST_BYTES = 64, CLOCKS = 32 };

struct material {
    uint64_t cpu[CPU_WORDS], clock[CLOCKS];
    uint8_t host[HOST_BYTES];
};

static bool have_rdseed, have_rdrand, seeded;
static bool (*host_read)(uint8_t *bytes, size_t size); /* NULL: not needed */
static struct hmac_drbg drbg;

/* Some processors fail with all ones and carry set; a source that repeats its last word is stuck. */
static bool plausible(uint64_t word, uint64_t *last)
{
    bool repeated = word == *last;
    *last = word;
    return word != 0 && word != UINT64_MAX && !repeated;
}

static bool random_word(uint64_t *ret)
{
    static uint64_t last_rdseed, last_rdrand;
    for (unsigned i = 0; have_rdseed && i < RETRIES; i++)
        if (cpu_rdseed(ret) && plausible(*ret, &last_rdseed))
            return true;
    for (unsigned i = 0; have_rdrand && i < RETRIES; i++)
        if (cpu_rdrand(ret) && plausible(*ret, &last_rdrand))
            return true;
    return false;
}

static bool gather(struct material *material)
{
    bool from_cpu = have_rdseed || have_rdrand;
    memset(material, 0, sizeof(*material));
    for (unsigned i = 0; i < CLOCKS; i++) /* how long does a read of the PM timer take? */
        material->clock[i] = cpu_tsc() ^ time_now_100ns() << 32;
    for (unsigned i = 0; from_cpu && i < CPU_WORDS; i++)
        if (!random_word(&material->cpu[i]))
            return false;
    return from_cpu || (host_read && host_read(material->host, sizeof(material->host)));
}

static bool seed(void)
{
    struct material material;
    bool good = gather(&material);
    if (good && seeded)
        hmac_drbg_reseed(&drbg, &material, sizeof(material));
    else if (good)
        hmac_drbg_start(&drbg, &material, sizeof(material));
    seeded |= good;
    memset(&material, 0, sizeof(material));
    return good;
}

void entropy_init(void)
{
    have_rdrand = cpuid(1, 0).ecx & 1u << 30;
    have_rdseed = cpuid(0, 0).eax >= 7 && (cpuid(7, 0).ebx & 1u << 18);
    (void)seed();
}

bool entropy_add_host(bool (*read)(uint8_t *bytes, size_t size))
{
    uint8_t bytes[HOST_BYTES];
    if (have_rdseed || have_rdrand) {
        if (seeded && read(bytes, sizeof(bytes)))
            hmac_drbg_reseed(&drbg, bytes, sizeof(bytes));
        return false;
    }
    if (sev_active() || host_read)
        return false; /* the host must not know a guest's random numbers */
    host_read = read;
    return seed();
}

bool entropy_available(void)
{
    return seeded;
}

bool entropy_fill(uint8_t *bytes, size_t size, bool direct)
{
    const size_t limit = direct ? SHA256_SIZE : HMAC_DRBG_REQUEST_MAXIMUM;
    if (!direct && !seed())
        return false;
    while (size > 0) {
        size_t piece = size < limit ? size : limit;
        if (direct && !seed())
            return false;
        hmac_drbg_generate(&drbg, NULL, 0, bytes, piece);
        bytes += piece;
        size -= piece;
    }
    return true;
}
