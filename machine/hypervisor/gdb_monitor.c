/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* `monitor COMMAND` of the debugger: what only this machine can tell. */
#include <inttypes.h>
#include <string.h>

#include "machine/hypervisor/describe.h"
#include "machine/hypervisor/gdb_session.h"

struct monitor {
    struct gdb *gdb;
    FILE *out;
    bool has_address;
    uint64_t address;
};

static void monitor_walk(const struct monitor *m)
{
    describe_walk(m->out, m->gdb->guest, gdb_cpu(m->gdb), m->address);
}

static void monitor_page(const struct monitor *m)
{
    describe_page(m->out, m->gdb->guest, m->address);
}

static void monitor_tlb(const struct monitor *m)
{
    describe_tlb(m->out, m->gdb->guest, gdb_cpu(m->gdb), m->has_address ? &m->address : NULL);
}

static void monitor_chip(const struct monitor *m)
{
    describe_chip(m->out, m->gdb->guest);
    if (gdb_memory_is_sealed(m->gdb))
        fprintf(m->out, "the debugger sees private memory as ciphertext: the policy forbids "
                        "debugging\n");
}

static void monitor_regs(const struct monitor *m)
{
    describe_registers(m->out, gdb_cpu(m->gdb));
}

static void monitor_cpus(const struct monitor *m)
{
    describe_processors(m->out, m->gdb->guest);
}

static void monitor_help(const struct monitor *m);

enum argument { ARGUMENT_NONE, ARGUMENT_MAY, ARGUMENT_MUST };

static const struct command {
    const char *name;
    enum argument argument;
    void (*run)(const struct monitor *m);
    const char *help;
} commands[] = {
    { "walk", ARGUMENT_MUST, monitor_walk,
      "walk ADDRESS    page walk of a linear address: every entry, C-bits, views" },
    { "page", ARGUMENT_MUST, monitor_page,
      "page ADDRESS    a physical page: how it is stored, whether it was used" },
    { "tlb", ARGUMENT_MAY, monitor_tlb,
      "tlb [ADDRESS]   translations the processor holds, or those of one linear page" },
    { "chip", ARGUMENT_NONE, monitor_chip,
      "chip            the Secure Processor and the guest's state there" },
    { "regs", ARGUMENT_NONE, monitor_regs,
      "regs            all registers, segments with their hidden parts" },
    { "cpus", ARGUMENT_NONE, monitor_cpus, "cpus            a line per processor" },
    { "help", ARGUMENT_NONE, monitor_help, "help            this list" },
};

#define COUNT (sizeof(commands) / sizeof(commands[0]))

static void monitor_help(const struct monitor *m)
{
    for (size_t k = 0; k < COUNT; k++)
        fprintf(m->out, "monitor %s\n", commands[k].help);
    fprintf(m->out, "Numbers are decimal, or hexadecimal after 0x.\n");
}

/* Decimal or 0x hexadecimal, to the end of the text. */
static bool parse_number(const char *text, uint64_t *ret)
{
    uint64_t value = 0;
    if (!strncmp(text, "0x", 2) || !strncmp(text, "0X", 2)) {
        text += 2;
        return gdb_take_number(&text, ret) && !*text;
    }
    if (!*text)
        return false;
    for (; *text >= '0' && *text <= '9'; text++) {
        uint64_t digit = (uint64_t)(*text - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *ret = value;
    return !*text;
}

static void run_command(const struct command *command, struct monitor *m, const char *argument)
{
    m->has_address = argument != NULL;
    if (command->argument == ARGUMENT_NONE && argument)
        fprintf(m->out, "%s takes no argument\n", command->name);
    else if (command->argument == ARGUMENT_MUST && !argument)
        fprintf(m->out, "%s wants an address\n", command->name);
    else if (argument && !parse_number(argument, &m->address))
        fprintf(m->out, "%s: not a number: decimal, or hexadecimal after 0x\n", command->name);
    else
        command->run(m);
}

void gdb_monitor(struct gdb *gdb, const char *text, FILE *out)
{
    struct monitor m = { .gdb = gdb, .out = out };
    char words[128];
    snprintf(words, sizeof(words), "%s", text);
    char *rest = words;
    const char *name = strtok_r(rest, " \t\n", &rest);
    const char *argument = name ? strtok_r(NULL, " \t\n", &rest) : NULL;
    if (argument && strtok_r(NULL, " \t\n", &rest)) {
        fprintf(out, "one argument at most; see `monitor help`\n");
        return;
    }
    for (size_t k = 0; k < COUNT; k++) {
        if (!strcmp(name ? name : "help", commands[k].name)) {
            run_command(&commands[k], &m, argument);
            return;
        }
    }
    fprintf(out, "no such command; see `monitor help`\n");
}
