/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The packets of GDB's remote protocol (GDB manual, E.2 to E.6) that this server knows. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "machine/hypervisor/gdb_session.h"
#include "machine/hypervisor/gdb_target.h"

/* --- answers -------------------------------------------------------------------------------- */

static void __attribute__((format(printf, 2, 3))) answer(struct gdb *gdb, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(gdb->answer, sizeof(gdb->answer), format, arguments);
    va_end(arguments);
    gdb->answer_length = length < (int)sizeof(gdb->answer) ? (size_t)length
                                                           : sizeof(gdb->answer) - 1;
}

static void answer_ok(struct gdb *gdb)
{
    answer(gdb, "OK");
}

/* Numbers after E have no agreed meaning: errno's are used. */
enum { ERROR_NO_THREAD = 3, ERROR_MEMORY = 14, ERROR_ARGUMENT = 22, ERROR_NO_ROOM = 28 };

static void answer_error(struct gdb *gdb, unsigned number)
{
    answer(gdb, "E%02x", number);
}

/* --- registers ------------------------------------------------------------------------------ */

static void serve_registers(struct gdb *gdb, const char *text)
{
    struct cpu_registers registers;
    uint8_t value[GDB_REGISTER_MAX];
    char *at = gdb->answer;
    cpu_get_registers(gdb_cpu(gdb), &registers);
    for (unsigned n = 0; n < gdb_register_count(); n++) {
        size_t size = gdb_register_get(&registers, n, value);
        gdb_to_hex(value, size, at);
        at += 2 * size;
    }
    gdb->answer_length = (size_t)(at - gdb->answer);
}

/* What cannot be set stays as it is: GDB sends all registers back when it changes one. */
static void serve_set_registers(struct gdb *gdb, const char *text)
{
    struct cpu_registers registers;
    uint8_t value[GDB_REGISTER_MAX];
    cpu_get_registers(gdb_cpu(gdb), &registers);
    for (unsigned n = 0; n < gdb_register_count(); n++) {
        unsigned size = gdb_register_size(n);
        if (!gdb_from_hex(text, value, size)) {
            answer_error(gdb, ERROR_ARGUMENT);
            return;
        }
        gdb_register_set(&registers, n, value);
        text += 2 * size;
    }
    cpu_set_registers(gdb_cpu(gdb), &registers);
    answer_ok(gdb);
}

static void serve_register(struct gdb *gdb, const char *text)
{
    struct cpu_registers registers;
    uint8_t value[GDB_REGISTER_MAX];
    uint64_t number;
    if (!gdb_take_number(&text, &number) || number >= gdb_register_count()) {
        answer_error(gdb, ERROR_ARGUMENT);
        return;
    }
    cpu_get_registers(gdb_cpu(gdb), &registers);
    gdb->answer_length = 2 * gdb_register_get(&registers, (unsigned)number, value);
    gdb_to_hex(value, gdb->answer_length / 2, gdb->answer);
}

static void serve_set_register(struct gdb *gdb, const char *text)
{
    struct cpu_registers registers;
    uint8_t value[GDB_REGISTER_MAX];
    uint64_t number;
    cpu_get_registers(gdb_cpu(gdb), &registers);
    if (!gdb_take_number(&text, &number) || number >= gdb_register_count() || *text != '=' ||
        !gdb_from_hex(text + 1, value, gdb_register_size((unsigned)number)) ||
        !gdb_register_set(&registers, (unsigned)number, value)) {
        answer_error(gdb, ERROR_ARGUMENT);
        return;
    }
    cpu_set_registers(gdb_cpu(gdb), &registers);
    answer_ok(gdb);
}

/* --- memory --------------------------------------------------------------------------------- */

static bool take_range(const char **text, uint64_t *address, uint64_t *length)
{
    if (!gdb_take_number(text, address) || *(*text)++ != ',')
        return false;
    return gdb_take_number(text, length);
}

static void serve_read_memory(struct gdb *gdb, const char *text)
{
    uint8_t data[GDB_PACKET_MAX / 2];
    uint64_t address, length;
    if (!take_range(&text, &address, &length) || *text) {
        answer_error(gdb, ERROR_ARGUMENT);
        return;
    }
    size_t got = gdb_memory_read(gdb, address, data, length < sizeof(data) ? length : sizeof(data));
    if (!got && length) {
        answer_error(gdb, ERROR_MEMORY);
        return;
    }
    gdb_to_hex(data, got, gdb->answer);
    gdb->answer_length = 2 * got;
}

static void write_memory(struct gdb *gdb, uint64_t address, const uint8_t *data, uint64_t length)
{
    if (gdb_memory_write(gdb, address, data, length))
        answer_ok(gdb);
    else
        answer_error(gdb, ERROR_MEMORY);
}

static void serve_write_memory(struct gdb *gdb, const char *text)
{
    uint8_t data[GDB_PACKET_MAX / 2];
    uint64_t address, length;
    if (!take_range(&text, &address, &length) || *text != ':' || length > sizeof(data) ||
        !gdb_from_hex(text + 1, data, length)) {
        answer_error(gdb, ERROR_ARGUMENT);
        return;
    }
    write_memory(gdb, address, data, length);
}

static void serve_write_binary(struct gdb *gdb, const char *text)
{
    uint64_t address, length;
    if (!take_range(&text, &address, &length) || *text++ != ':' ||
        (size_t)(gdb->in.data + gdb->in.length - text) != length) {
        answer_error(gdb, ERROR_ARGUMENT);
        return;
    }
    write_memory(gdb, address, (const uint8_t *)text, length);
}

static void serve_point(struct gdb *gdb, const char *text)
{
    bool insert = gdb->in.data[0] == 'Z';
    uint64_t address, size;
    char kind = *text;
    if (kind < '0' || kind > '4')
        return; /* an empty answer: not supported */
    text++;
    if (*text++ != ',' || !take_range(&text, &address, &size)) {
        answer_error(gdb, ERROR_ARGUMENT);
        return;
    }
    if (insert ? gdb_insert_point(gdb, kind, address, size)
               : gdb_remove_point(gdb, kind, address, size))
        answer_ok(gdb);
    else
        answer_error(gdb, ERROR_NO_ROOM);
}

/* --- threads: processor n is thread n + 1 ---------------------------------------------------- */

/* -1 (all) and 0 (any) stand for processor `any`. */
static bool take_thread(struct gdb *gdb, const char **text, unsigned any, unsigned *ret)
{
    uint64_t number;
    if (!strncmp(*text, "-1", 2)) {
        *text += 2;
        *ret = any;
        return true;
    }
    if (!gdb_take_number(text, &number) || number > gdb->guest->cpu_count)
        return false;
    *ret = number ? (unsigned)number - 1 : any;
    return true;
}

static void serve_select(struct gdb *gdb, const char *text)
{
    char what = *text++;
    unsigned thread;
    if (what != 'g' && what != 'c') {
        answer_error(gdb, ERROR_ARGUMENT);
    } else if (!take_thread(gdb, &text, gdb->stopped, &thread)) {
        answer_error(gdb, ERROR_NO_THREAD);
    } else {
        if (what == 'g')
            gdb->general = thread;
        answer_ok(gdb);
    }
}

static void serve_is_alive(struct gdb *gdb, const char *text)
{
    unsigned thread;
    if (take_thread(gdb, &text, 0, &thread))
        answer_ok(gdb);
    else
        answer_error(gdb, ERROR_NO_THREAD);
}

static void list_threads(struct gdb *gdb)
{
    size_t at = 0;
    for (unsigned n = 0; n < gdb->guest->cpu_count; n++)
        at += (size_t)snprintf(gdb->answer + at, sizeof(gdb->answer) - at, "%c%x", n ? ',' : 'm',
                               n + 1);
    gdb->answer_length = at;
}

static void describe_thread(struct gdb *gdb, const char *text)
{
    struct cpu_registers registers;
    char line[64];
    unsigned thread;
    if (!take_thread(gdb, &text, 0, &thread)) {
        answer_error(gdb, ERROR_NO_THREAD);
        return;
    }
    cpu_get_registers(gdb->guest->cpus[thread], &registers);
    snprintf(line, sizeof(line), "processor %u%s", thread, registers.halted ? ", halted" : "");
    gdb_to_hex(line, strlen(line), gdb->answer);
    gdb->answer_length = 2 * strlen(line);
}

/* --- going on ------------------------------------------------------------------------------- */

static void set_all(struct gdb *gdb, enum gdb_action action)
{
    for (unsigned n = 0; n < gdb->guest->cpu_count; n++)
        gdb->action[n] = action;
}

static void go_on(struct gdb *gdb)
{
    gdb->holds = false;
    for (unsigned n = 0; n < gdb->guest->cpu_count; n++)
        gdb->holds = gdb->holds || gdb->action[n] == GDB_HOLD;
    gdb->resume = true;
}

/* c, s, C, S: the stopped processor steps or all continue; an address to go on at may follow. */
static void serve_resume(struct gdb *gdb, const char *text)
{
    char what = gdb->in.data[0];
    uint64_t signal, address;
    if ((what == 'C' || what == 'S') && gdb_take_number(&text, &signal) && *text == ';')
        text++;
    if (*text && gdb_take_number(&text, &address)) {
        struct cpu_registers registers;
        cpu_get_registers(gdb_cpu(gdb), &registers);
        registers.rip += address - registers.linear_rip;
        cpu_set_registers(gdb_cpu(gdb), &registers);
    }
    set_all(gdb, GDB_CONTINUE);
    if (what == 's' || what == 'S')
        gdb->action[gdb->general] = GDB_STEP;
    go_on(gdb);
}

static bool action_of(char letter, enum gdb_action *ret)
{
    switch (letter) {
    case 'c':
    case 'C':
        *ret = GDB_CONTINUE;
        return true;
    case 's':
    case 'S':
        *ret = GDB_STEP;
        return true;
    case 't':
        *ret = GDB_HOLD;
        return true;
    default:
        return false;
    }
}

/* vCont;ACTION[:THREAD]...: the first that names a processor counts for it; the rest is held. */
static void serve_vcont(struct gdb *gdb, const char *text)
{
    bool chosen[BOARD_MAX_PROCESSORS] = { false };
    set_all(gdb, GDB_HOLD);
    while (*text == ';') {
        enum gdb_action action;
        uint64_t signal;
        unsigned first = 0, last = gdb->guest->cpu_count - 1;
        char letter = *++text;
        if (!action_of(letter, &action))
            break;
        text++;
        if ((letter == 'C' || letter == 'S') && !gdb_take_number(&text, &signal))
            break;
        if (*text == ':') {
            text++;
            bool all = !strncmp(text, "-1", 2);
            if (!take_thread(gdb, &text, gdb->stopped, &first))
                break;
            last = all ? last : first;
            first = all ? 0 : first;
        }
        for (unsigned n = first; n <= last; n++) {
            if (!chosen[n])
                gdb->action[n] = action;
            chosen[n] = true;
        }
    }
    bool moves = false;
    for (unsigned n = 0; n < gdb->guest->cpu_count; n++)
        moves = moves || gdb->action[n] != GDB_HOLD;
    if (*text || !moves) {
        set_all(gdb, GDB_CONTINUE);
        answer_error(gdb, ERROR_ARGUMENT);
        return;
    }
    go_on(gdb);
}

static void serve_v(struct gdb *gdb, const char *text)
{
    if (!strcmp(text, "Cont?"))
        answer(gdb, "vCont;c;C;s;S;t");
    else if (!strncmp(text, "Cont", 4))
        serve_vcont(gdb, text + 4);
    else if (!strncmp(text, "Kill", 4)) {
        answer_ok(gdb);
        gdb->killed = true;
    }
}

static void serve_kill(struct gdb *gdb, const char *text)
{
    gdb->killed = true;
}

static void serve_detach(struct gdb *gdb, const char *text)
{
    answer_ok(gdb);
    gdb_send(gdb);
    gdb->resume = true;
    gdb_disconnect(gdb);
}

static void serve_why(struct gdb *gdb, const char *text)
{
    answer(gdb, "%s", gdb->stop_reply);
}

/* --- queries -------------------------------------------------------------------------------- */

static void query_supported(struct gdb *gdb, const char *text)
{
    gdb->reports_kind = strstr(text, "swbreak+") && strstr(text, "hwbreak+");
    answer(gdb, "PacketSize=%x;qXfer:features:read+;QStartNoAckMode+;vContSupported+%s",
           GDB_PACKET_MAX, gdb->reports_kind ? ";swbreak+;hwbreak+" : "");
}

static void query_features(struct gdb *gdb, const char *text)
{
    static const char annex[] = "target.xml:";
    char xml[GDB_XML_MAX];
    uint64_t offset, length;
    if (strncmp(text, annex, sizeof(annex) - 1) != 0) {
        answer(gdb, "E00");
        return;
    }
    text += sizeof(annex) - 1;
    if (!take_range(&text, &offset, &length)) {
        answer_error(gdb, ERROR_ARGUMENT);
        return;
    }
    size_t size = gdb_target_xml(xml);
    size_t left = offset < size ? size - offset : 0;
    size_t most = length < GDB_PACKET_MAX / 2 ? length : GDB_PACKET_MAX / 2;
    bool last = left <= most;
    answer(gdb, "%c%.*s", last ? 'l' : 'm', (int)(last ? left : most), xml + size - left);
}

/* The monitor's text goes ahead of the final OK, as console output. */
static void query_command(struct gdb *gdb, const char *text)
{
    char command[128], *output = NULL;
    size_t length = strlen(text) / 2, size = 0;
    if (length >= sizeof(command) || !gdb_from_hex(text, command, length)) {
        answer_error(gdb, ERROR_ARGUMENT);
        return;
    }
    command[length] = '\0';
    FILE *out = open_memstream(&output, &size);
    if (!out) {
        answer_error(gdb, ERROR_NO_ROOM);
        return;
    }
    gdb_monitor(gdb, command, out);
    fclose(out);
    for (size_t at = 0; at < size;) {
        size_t piece = size - at < 4096 ? size - at : 4096;
        gdb->answer[0] = 'O';
        gdb_to_hex(output + at, piece, gdb->answer + 1);
        gdb->answer_length = 1 + 2 * piece;
        gdb_send(gdb);
        at += piece;
    }
    free(output);
    answer_ok(gdb);
}

static void query_first_threads(struct gdb *gdb, const char *text)
{
    list_threads(gdb);
}

static void query_more_threads(struct gdb *gdb, const char *text)
{
    answer(gdb, "l");
}

static void query_current(struct gdb *gdb, const char *text)
{
    answer(gdb, "QC%x", gdb->stopped + 1);
}

static void query_attached(struct gdb *gdb, const char *text)
{
    answer(gdb, "1"); /* so that GDB detaches when it quits */
}

static void query_physical(struct gdb *gdb, const char *text)
{
    answer(gdb, "%d", gdb->physical);
}

static void set_physical(struct gdb *gdb, const char *text)
{
    gdb->physical = *text == '1';
    answer_ok(gdb);
}

static void set_no_acks(struct gdb *gdb, const char *text)
{
    answer_ok(gdb);
    gdb_send(gdb);
    gdb->no_acks = true;
    gdb->answer_length = GDB_NO_ANSWER;
}

static const struct query {
    const char *name;
    void (*serve)(struct gdb *gdb, const char *text); /* text: what follows the name */
} queries[] = {
    { "qSupported", query_supported },
    { "qXfer:features:read:", query_features },
    { "qRcmd,", query_command },
    { "qfThreadInfo", query_first_threads },
    { "qsThreadInfo", query_more_threads },
    { "qThreadExtraInfo,", describe_thread },
    { "qC", query_current },
    { "qAttached", query_attached },
    { "qqemu.PhyMemMode", query_physical },
    { "Qqemu.PhyMemMode:", set_physical },
    { "QStartNoAckMode", set_no_acks },
};

static void serve_query(struct gdb *gdb, const char *text)
{
    for (size_t k = 0; k < sizeof(queries) / sizeof(queries[0]); k++) {
        size_t length = strlen(queries[k].name);
        if (!strncmp(gdb->in.data, queries[k].name, length)) {
            queries[k].serve(gdb, gdb->in.data + length);
            return;
        }
    }
}

static const struct {
    char letter;
    void (*serve)(struct gdb *gdb, const char *text); /* text: what follows the letter */
} packets[] = {
    { '?', serve_why },          { 'g', serve_registers },    { 'G', serve_set_registers },
    { 'p', serve_register },     { 'P', serve_set_register }, { 'm', serve_read_memory },
    { 'M', serve_write_memory }, { 'X', serve_write_binary }, { 'Z', serve_point },
    { 'z', serve_point },        { 'H', serve_select },       { 'T', serve_is_alive },
    { 'c', serve_resume },       { 's', serve_resume },       { 'C', serve_resume },
    { 'S', serve_resume },       { 'v', serve_v },            { 'k', serve_kill },
    { 'D', serve_detach },       { 'q', serve_query },        { 'Q', serve_query },
};

void gdb_serve_packet(struct gdb *gdb)
{
    gdb->answer_length = 0; /* what is not understood gets an empty answer: GDB manual, E.1 */
    for (size_t k = 0; k < sizeof(packets) / sizeof(packets[0]); k++) {
        if (gdb->in.data[0] == packets[k].letter) {
            packets[k].serve(gdb, gdb->in.data + 1);
            break;
        }
    }
    if (!gdb->resume && gdb->answer_length != GDB_NO_ANSWER &&
        !(gdb->killed && gdb->in.data[0] == 'k'))
        gdb_send(gdb);
}
