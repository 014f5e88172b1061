/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Rules about what a hypervisor must do for the guest: it cannot read private memory, so all it
 * has of an instruction are the bytes that the processor saved (decode assists, APM 2 15.8.4) and
 * the one guest-physical address of the fault; or, of a SEV-ES guest, what that wrote to shared
 * memory.
 */
#include <string.h>

#include "machine/hypervisor/checker_rules.h"
#include "machine/hypervisor/ghcb.h"
#include "machine/hypervisor/guest.h"
#include "sev/ghcb.h"

/*
 * Mnemonics with one memory operand that KVM's emulator knows (its opcode tables, as of Linux 6.1).
 * Whatever else reads or writes memory twice, or touches it as more than an integer or a vector
 * move, has no chance.
 */
static const char *const emulated[] = {
    "adc",    "add",    "and",    "bt",     "btc",       "btr",       "bts",    "cmp",
    "cmpxchg", "cmpxchg8b", "dec", "div",   "idiv",      "imul",      "inc",    "lods",   "lodsb",
    "mov",    "movaps", "movapd", "movbe",  "movdqa",    "movdqu",    "movnti", "movntps",
    "movntpd", "movntdq", "movq", "movsx",  "movsxd",    "movups",    "movupd", "movzx",
    "mul",    "neg",    "not",    "or",     "rcl",       "rcr",       "rol",    "ror",
    "sar",    "sbb",    "shl",    "shld",   "shr",       "shrd",      "stos",   "stosb",  "sub",
    "test",   "xadd",   "xchg",   "xor",
};

static bool is_emulated(const char *mnemonic)
{
    for (size_t n = 0; n < sizeof(emulated) / sizeof(emulated[0]); n++) {
        if (strcmp(emulated[n], mnemonic) == 0)
            return true;
    }
    return false;
}

/* NULL, or why the hypervisor cannot do it. */
static const char *obstacle(const struct cpu_mmio *mmio)
{
    if (mmio->implicit)
        return "the processor's own tables lie in MMIO";
    if (mmio->repeated)
        return "a repeated string instruction needs the guest's page tables";
    if (!is_emulated(mmio->mnemonic))
        return "a second memory operand, or a form that the hypervisor's emulator lacks";
    return NULL;
}

void rule_mmio(void *context, struct cpu *cpu, const struct cpu_mmio *mmio)
{
    struct checker_cpu *watch = context;
    const struct checker_at at = { watch, mmio->rip, &mmio->linear, &mmio->gpa };
    checker_secret_mmio(watch, mmio);
    if (mmio->by_request) {
        checker_vc_mmio(watch, mmio);
        return;
    }
    const char *why = obstacle(mmio);
    /* Flash in its array mode is mapped as memory: KVM reads it without an exit. */
    if (!mmio->write && memory_page_kind(watch->checker->memory, mmio->gpa) != MEMORY_NONE)
        return;
    if (mmio->encrypted && board_answers(watch->checker->guest->board, watch->number, mmio->gpa))
        checker_report(watch->checker, CHECK_MMIO_ENCRYPTED, &at,
                       "MMIO %s of %u bytes through a mapping with C=1: expected C=0",
                       mmio->write ? "write" : "read", mmio->size);
    if (why)
        checker_report(watch->checker, CHECK_EMULATION, &at,
                       "MMIO %s by %s: %s; expected MOV or another form with one memory operand",
                       mmio->write ? "write" : "read", mmio->mnemonic ? mmio->mnemonic : "itself",
                       why);
}

void rule_string_io(void *context, struct cpu *cpu, uint64_t rip, unsigned port, unsigned size,
                    bool write)
{
    struct checker_cpu *watch = context;
    const struct checker_at at = { watch, rip, NULL, NULL };
    checker_report(watch->checker, CHECK_EMULATION, &at,
                   "%s of %u bytes at port 0x%x: the hypervisor cannot reach the private buffer "
                   "and raises #UD; expected IN and OUT, one at a time",
                   write ? "OUTS" : "INS", size, port);
}

/* --- requests ------------------------------------------------------------------------------- */

/* Memory that the hypervisor has read as shared; `what` names it. False: it was not; reported. */
static bool look_at_shared(struct checker *checker, unsigned processor, uint64_t rip, uint64_t gpa,
                           uint64_t size, const char *what)
{
    for (uint64_t end = gpa + size, next; gpa < end; gpa = next) {
        struct page_verdict verdict;
        next = (gpa | (MEMORY_PAGE_SIZE - 1)) + 1;
        check_pages_look(checker->pages, gpa, (next < end ? next : end) - gpa, false, &verdict);
        const struct checker_at at = { &checker->cpus[processor], rip, NULL, &verdict.gpa };
        if (!verdict.foreign)
            continue;
        checker_report(checker, CHECK_GHCB_PRIVATE, &at,
                       "VMGEXIT with %s that was last written as private (C=1): the hypervisor reads "
                       "ciphertext; expected it mapped with C=0 and written so", what);
        return false;
    }
    return true;
}

/* What of the page tells whether a request is one: the rest may be as old as it likes. */
void checker_vmgexit(struct checker *checker, unsigned processor, const struct ghcb_told *told)
{
    static const struct {
        uint16_t offset, size;
    } parts[] = { { SEV_GHCB_EXIT_CODE, 24 }, { SEV_GHCB_VALID, 16 }, { SEV_GHCB_USAGE, 4 } };
    if (told->by_msr || !told->in_memory)
        return;
    for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); k++) {
        if (!look_at_shared(checker, processor, told->rip, told->page + parts[k].offset,
                            parts[k].size, "a GHCB page"))
            return;
    }
    look_at_shared(checker, processor, told->rip, told->scratch, told->scratch_read,
                   "a scratch area");
}
