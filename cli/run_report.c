/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What `privet run` says on stderr: one fact a line. */
#include "cli/run.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "owner/measure.h"
#include "sev/guid_table.h"
#include "sev/vmsa.h"

void describe_refusal(const struct launch_result *launch, struct refusal_words *ret)
{
    const struct refusal refusal = { (enum sev_command)launch->command_id, launch->status,
                                     launch->found };
    refusal_describe(&refusal, ret);
}

void report_launch(const struct launch_result *launch)
{
    char text[4 * ((GUEST_MEASUREMENT_SIZE + 2) / 3) + 1];
    struct refusal_words words;
    if (launch->command) {
        describe_refusal(launch, &words);
        fprintf(stderr, "privet: launch refused: %s\n", words.line);
        return;
    }
    fprintf(stderr, "privet: launch: policy 0x%x, %llu bytes encrypted, %.3f s\n", launch->policy,
            (unsigned long long)launch->encrypted_bytes, launch->seconds);
    if (launch->cpu_signature)
        fprintf(stderr, "privet: launch: processors' pages are of CPU signature 0x%x\n",
                launch->cpu_signature);
    EVP_EncodeBlock((unsigned char *)text, launch->measurement, GUEST_MEASUREMENT_SIZE);
    fprintf(stderr, "privet: launch measurement: %s\n", text);
}

static bool find_symbol(void *context, uint64_t address, char *text, size_t size)
{
    return symbols_find(context, address, text, size);
}

char *report_death_text(struct guest *guest, const struct symbols *symbols)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    guest_describe_death(guest, out, find_symbol, (void *)(uintptr_t)symbols);
    return fclose(out) == 0 ? text : NULL;
}

/* Each line marked as ours. */
void report_death(const char *text)
{
    for (const char *line = text; line && *line;) {
        int length = (int)strcspn(line, "\n");
        fprintf(stderr, "privet: report: %.*s\n", length, line);
        line += length;
        line += *line == '\n';
    }
}

void report_end(const struct run_result *result)
{
    static const char *const ends[] = {
        [GUEST_POWER_OFF] = "powered off",
        [GUEST_RESET] = "asked for a reset",
        [GUEST_SHUTDOWN] = "died of a triple fault",
        [GUEST_STOPPED] = "stopped: the processor lacks an instruction",
        [GUEST_DEAD_HALT] = "halted for good: no interrupt will ever wake it",
        [GUEST_TIMEOUT] = "stopped at the time limit",
        [GUEST_EXITED] = "ended the run",
        [GUEST_PANIC] = "its kernel panicked",
        [GUEST_KILLED] = "killed by the debugger",
        [GUEST_CHECK_FAILED] = "ended: the checker found a violation",
        [GUEST_ENDED_BY_HOST] = "ended: the console said what --stop-at waits for",
        [GUEST_TERMINATED] = "asked to be ended",
        [GUEST_REFUSED] = "refused by the chip",
    };
    fprintf(stderr, "privet: guest: %s%s%s\n", ends[result->end], *result->detail ? ": " : "",
            result->detail);
    double rate = result->seconds > 0 ? (double)result->instructions / result->seconds / 1e6 : 0;
    fprintf(stderr, "privet: guest instructions: %llu in %.2f s, %.0f million a second\n",
            (unsigned long long)result->instructions, result->seconds, rate);
}

void report_memory(struct guest *guest)
{
    struct memory_statistics statistics;
    memory_get_statistics(guest_memory(guest), &statistics);
    fprintf(stderr, "privet: memory: %llu private pages, %llu shared pages, %llu conversions\n",
            (unsigned long long)statistics.private_pages,
            (unsigned long long)statistics.shared_pages,
            (unsigned long long)statistics.conversions);
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        fprintf(stderr, "privet: host memory: %ld MiB at most\n", usage.ru_maxrss / 1024);
}

void report_secrecy(struct guest *guest, const char *marker)
{
    struct secrecy found;
    guest_search(guest, marker, &found);
    fprintf(stderr,
            "privet: secrecy: the marker is %llu times in the guest's view and %llu times in the "
            "DRAM dump\n",
            (unsigned long long)found.in_guest_view, (unsigned long long)found.in_dram);
}

void report_chip(struct guest *guest, const struct launch_result *launch)
{
    uint8_t identity[CHIP_ID_SIZE];
    const struct chip *chip = guest_chip(guest);
    chip_identity(chip, identity);
    fprintf(stderr, "privet: chip: %s, API %u.%u build %u, identity ", chip_model(chip),
            launch->api_major, launch->api_minor, launch->build);
    for (unsigned i = 0; i < 16; i++)
        fprintf(stderr, "%02x", identity[i]);
    fprintf(stderr, "...\n");
}

/* A SEV-ES guest's processors as its owner expects them: as hosts with KVM_SEV_INIT2 make them. */
struct processor_pages {
    uint8_t first[SEV_VMSA_PAGE_SIZE], others[SEV_VMSA_PAGE_SIZE];
};

static void build_pages(const struct run_inputs *inputs, const struct launch_result *launch,
                        struct processor_pages *ret)
{
    const struct sev_vmsa_config config = { .signature = launch->cpu_signature, .fpu = true };
    uint32_t reset = 0;
    sev_guid_table_reset_address(inputs->firmware.data, inputs->firmware.size, &reset);
    sev_vmsa_build(&config, SEV_VMSA_RESET, ret->first);
    sev_vmsa_build(&config, reset, ret->others);
}

void report_owner_view(const struct run_options *options, const struct run_inputs *inputs,
                       const struct launch_result *launch)
{
    static const uint8_t no_session[OWNER_KEY_SIZE];
    struct processor_pages pages;
    build_pages(inputs, launch, &pages);
    const struct owner_guest expected = {
        .processors = options->es ? options->processors : 0,
        .vmsa_first = pages.first,
        .vmsa_others = pages.others,
        .firmware = { inputs->firmware.data, inputs->firmware.size },
        .kernel_hashes = options->kernel_hashes,
        .kernel = { inputs->kernel.data, inputs->kernel.size },
        .initrd = { inputs->initrd.data, inputs->initrd.size },
        .command_line = options->append,
        .policy = launch->policy,
        .api_major = launch->api_major,
        .api_minor = launch->api_minor,
        .build = launch->build,
    };
    if (options->session && !options->tik) {
        fprintf(stderr, "privet: owner measure: not computed: the session's --tik was not given\n");
        return;
    }
    bool same = owner_verify(&expected, options->tik ? inputs->tik.data : no_session,
                             launch->measurement);
    fprintf(stderr, "privet: owner measure: computes %s\n",
            same ? "the same value" : "ANOTHER value: what was launched is not what was expected");
}
