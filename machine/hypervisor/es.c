/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SEV-ES: see es.h. The pages with the registers are host memory which the chip encrypts in place;
 * plaintext of one exists only while the processor takes or leaves its registers.
 */
#include "machine/hypervisor/es.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/hypervisor/checker.h"
#include "machine/hypervisor/trace.h"
#include "sev/command.h"
#include "sev/ghcb.h"
#include "sev/guid_table.h"
#include "sev/vmsa.h"

/* A ring: exit number n is at n % ES_HISTORY. */
struct history {
    uint64_t count;
    struct es_exit exits[ES_HISTORY];
};

struct es {
    struct guest *guest;
    void *tmr;
    uint64_t tmr_address;
    uint8_t (*pages)[SEV_VMSA_PAGE_SIZE]; /* one for each processor */
    uint64_t address; /* of the first */
    bool started[BOARD_MAX_PROCESSORS];
    struct ghcb_common common;
    struct ghcb ghcb[BOARD_MAX_PROCESSORS];
    struct history history[BOARD_MAX_PROCESSORS];
    bool ended;
};

/* --- VMGEXIT -------------------------------------------------------------------------------- */

/* The reasons of set 0; other sets belong to the guest's software. */
static const char *reason_name(uint64_t set, uint64_t reason)
{
    static const char *const names[] = { "general", "the protocol's versions do not fit",
                                         "SEV-SNP features are missing" };
    if (set || reason >= sizeof(names) / sizeof(names[0]))
        return "the guest's own";
    return names[reason];
}

static void guest_ended(void *context, unsigned processor, enum ghcb_end how, uint64_t set,
                        uint64_t reason)
{
    struct es *es = context;
    struct guest *guest = es->guest;
    es->ended = true;
    if (how == GHCB_END_TERMINATE)
        snprintf(guest->detail, sizeof(guest->detail),
                 "processor %u: reason set %u, code %u (%s)", processor, (unsigned)set,
                 (unsigned)reason, reason_name(set, reason));
    else if (set)
        snprintf(guest->detail, sizeof(guest->detail),
                 "processor %u made the GHCB MSR request 0x%llx, which only SEV-SNP guests have",
                 processor, (unsigned long long)reason);
    else
        snprintf(guest->detail, sizeof(guest->detail),
                 "processor %u says that it cannot handle #VC with code 0x%llx", processor,
                 (unsigned long long)reason);
    cpu_kick(guest->cpus[processor]);
}

static void told(void *context, unsigned processor, const struct ghcb_told *told)
{
    struct es *es = context;
    struct history *history = &es->history[processor];
    history->exits[history->count++ % ES_HISTORY] =
        (struct es_exit){ cpu_instructions(es->guest->cpus[processor]), *told };
    if (es->guest->trace)
        trace_vmgexit(es->guest->trace, processor, told);
    if (es->guest->checker)
        checker_vmgexit(es->guest->checker, processor, told);
}

/*
 * Guest time that an exit takes, by the order of magnitude of hardware: the registers go through the
 * engine both ways. A guest that polls a timer by exits so does it a bounded number of times.
 */
#define VMGEXIT_NS 4000u

uint64_t es_vmgexit(void *context, unsigned processor, uint64_t ghcb)
{
    const struct guest *guest = context;
    board_spend(guest->board, VMGEXIT_NS);
    return ghcb_exit(&guest->es->ghcb[processor], ghcb);
}

bool es_ended(const struct es *es)
{
    return es->ended;
}

unsigned es_last_exits(const struct es *es, unsigned index, struct es_exit ret[ES_HISTORY])
{
    const struct history *history = &es->history[index];
    unsigned count = history->count < ES_HISTORY ? (unsigned)history->count : ES_HISTORY;
    for (unsigned k = 0; k < count; k++)
        ret[k] = history->exits[(history->count - 1 - k) % ES_HISTORY];
    return count;
}

/* --- life ----------------------------------------------------------------------------------- */

static bool map(struct es *es)
{
    struct chip *chip = es->guest->chip;
    unsigned count = es->guest->config.board.processors;
    es->tmr_address = chip_map(chip, es->tmr, SEV_TMR_SIZE);
    es->address = chip_map(chip, es->pages, count * sizeof(*es->pages));
    return es->tmr_address && es->address;
}

struct es *es_create(struct guest *guest, char *error, size_t error_size)
{
    struct es *es = calloc(1, sizeof(*es));
    if (es) {
        es->guest = guest;
        es->tmr = calloc(1, SEV_TMR_SIZE);
        es->pages = calloc(guest->config.board.processors, sizeof(*es->pages));
        es->common = (struct ghcb_common){ .memory = guest->memory, .c_bit = guest->config.c_bit,
                                           .host = { es, guest_ended, told } };
    }
    if (es && es->tmr && es->pages && map(es))
        return es;
    snprintf(error, error_size, "SEV-ES: out of memory");
    es_destroy(es);
    return NULL;
}

void es_destroy(struct es *es)
{
    if (!es)
        return;
    free(es->pages);
    free(es->tmr);
    free(es);
}

uint64_t es_tmr(const struct es *es)
{
    return es->tmr_address;
}

void es_attach(struct es *es, unsigned index, const struct cpu_io *io)
{
    ghcb_init(&es->ghcb[index], &es->common, index, es->guest->cpus[index], io);
}

/* --- registers ------------------------------------------------------------------------------ */

bool es_build(struct es *es, uint32_t *ret_signature, char *error, size_t error_size)
{
    const struct guest_config *config = &es->guest->config;
    const struct board_blob *firmware = &config->board.firmware;
    struct sev_vmsa_config vmsa = { .fpu = true }; /* as hosts that begin guests by KVM_SEV_INIT2 */
    uint32_t reset = 0, leaf[4];
    if (config->board.processors > 1 &&
        !sev_guid_table_reset_address(firmware->data, firmware->size, &reset)) {
        snprintf(error, error_size, "the firmware's GUIDed table has no SEV-ES reset block, so more "
                 "than one processor cannot start; use another firmware or --cpus 1");
        return false;
    }
    cpu_cpuid(es->guest->cpus[0], 1, 0, leaf);
    *ret_signature = vmsa.signature = leaf[0];
    for (unsigned i = 0; i < config->board.processors; i++)
        sev_vmsa_build(&vmsa, i ? reset : SEV_VMSA_RESET, es->pages[i]);
    return true;
}

uint64_t es_vmsa(const struct es *es, unsigned index)
{
    return es->address + index * sizeof(*es->pages);
}

bool es_enter(struct es *es, unsigned index)
{
    struct guest *guest = es->guest;
    uint8_t page[CHIP_VMSA_SIZE];
    char why[256];
    bool entered = chip_vmsa_load(guest->chip, guest->config.asid, es_vmsa(es, index), page, why,
                                  sizeof(why)) &&
                   cpu_vmsa_load(guest->cpus[index], page, why, sizeof(why));
    OPENSSL_cleanse(page, sizeof(page));
    cpu_msr_write(guest->cpus[index], SEV_MSR_GHCB, ghcb_sev_info(&es->ghcb[index]));
    if (!entered)
        snprintf(guest->detail, sizeof(guest->detail), "processor %u may not run: %s", index, why);
    es->started[index] = entered;
    return entered;
}

/* KVM: the first startup begins with the launched registers; later ones end an AP reset hold. */
bool es_startup(struct es *es, unsigned index)
{
    if (!es->started[index])
        return es_enter(es, index);
    ghcb_start(&es->ghcb[index]);
    return true;
}

bool es_was_started(const struct es *es, unsigned index)
{
    return es->started[index];
}

void es_leave(struct es *es)
{
    struct guest *guest = es->guest;
    uint8_t page[CHIP_VMSA_SIZE];
    char why[256];
    for (unsigned i = 0; i < guest->cpu_count; i++) {
        if (!es->started[i] || !chip_vmsa_load(guest->chip, guest->config.asid, es_vmsa(es, i),
                                               page, why, sizeof(why)))
            continue;
        cpu_vmsa_save(guest->cpus[i], page);
        chip_vmsa_store(guest->chip, guest->config.asid, es_vmsa(es, i), page);
    }
    OPENSSL_cleanse(page, sizeof(page));
}
