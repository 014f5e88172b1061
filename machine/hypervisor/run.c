/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The run loop: turns of the processors between the board's timers, until the guest ends. All run
 * on one host thread, each for a fixed number of instructions in the order of their numbers, so
 * that two runs do the same.
 */
#include "machine/cpu/inspect.h"
#include "machine/hypervisor/checker.h"
#include "machine/hypervisor/es.h"
#include "machine/hypervisor/gdb.h"
#include "machine/hypervisor/host_clock.h"
#include "machine/hypervisor/trace.h"

#include <stdio.h>
#include <string.h>

/* After so many instructions of the guest, host input and the time limit are looked at. */
#define LOOK_INSTRUCTIONS 20000000ull

/* With the checker a turn is shorter: it looks for what firmware sets up. */
#define CHECKER_TURN 2000000ull

/*
 * Turn of one among several runnable processors: long against the cost of changing turns (about
 * 100 ns), short against what an interrupt from one processor to another may take.
 */
#define TURN_INSTRUCTIONS 10000ull

/* And after so many the guest's time is compared with the host's, if it is to follow that. */
#define HOST_CLOCK_INSTRUCTIONS 500000ull

/* A guest that retires no instruction for this long of guest time will never wake. */
#define DEAD_HALT_NS (120 * 1000000000ull)

struct run {
    struct guest *guest;
    double start;
    uint64_t next_look;
    uint64_t awake_instructions, awake_ns; /* when an instruction was last seen to retire */
    enum guest_end end;                    /* once a function said that the guest ended */
};

enum step {
    STEP_ON,
    STEP_OVER,  /* the turn is over */
    STEP_WAITS, /* the turn is over early: the processor waits for another one */
    STEP_ENDED, /* the guest ended: run.end */
};

static enum step ends(struct run *run, enum guest_end end)
{
    run->end = end;
    return STEP_ENDED;
}

uint64_t guest_instructions(const struct guest *guest)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < guest->cpu_count; i++)
        sum += cpu_instructions(guest->cpus[i]);
    return sum;
}

static bool time_is_up(const struct guest *guest, double start)
{
    uint64_t limit = guest->config.timeout_seconds;
    return limit && host_seconds() - start > (double)limit;
}

/* A guest that sleeps with interrupts on may sleep until something comes from the host. */
static bool waits_for_host(const struct guest *guest)
{
    enum { INTERRUPTS_ON = 1 << 9 };
    struct cpu_registers registers;
    if (!board_expects_host(guest->board))
        return false;
    for (unsigned i = 0; i < guest->cpu_count; i++) {
        cpu_get_registers(guest->cpus[i], &registers);
        if ((registers.rflags & INTERRUPTS_ON) && !board_waits_for_startup(guest->board, i))
            return true;
    }
    return false;
}

/* Nobody runs: jump to what wakes a processor. */
static enum step wait_for_event(struct run *run)
{
    struct guest *guest = run->guest;
    uint64_t instructions = guest_instructions(guest);
    board_poll_host(guest->board);
    if (guest->config.host_clock)
        host_clock_wait(guest);
    if (instructions != run->awake_instructions) {
        run->awake_instructions = instructions;
        run->awake_ns = board_now_ns(guest->board);
    } else if (board_now_ns(guest->board) - run->awake_ns > DEAD_HALT_NS &&
               !waits_for_host(guest)) {
        return ends(run, GUEST_DEAD_HALT);
    }
    run->next_look = 0;
    return board_skip_idle(guest->board) ? STEP_OVER : ends(run, GUEST_DEAD_HALT);
}

static void reset_all(struct guest *guest)
{
    char error[128];
    board_reset(guest->board);
    for (unsigned i = 0; i < guest->cpu_count; i++)
        cpu_reset(guest->cpus[i]);
    if (guest->checker)
        checker_reset(guest->checker);
    guest_start_image(guest, error, sizeof(error)); /* guest_create has seen that it can */
    if (guest->trace)
        trace_wake(guest->trace, guest->current, "reset");
}

/* False: the guest may not run as that wants it. */
static bool wake(struct guest *guest, unsigned index, enum board_wake wake, uint8_t vector)
{
    if (guest->trace)
        trace_wake(guest->trace, index, wake == BOARD_WAKE_STARTUP ? "startup" : "init");
    /* The host cannot change the registers: INIT does nothing to them, and the vector counts for
     * nothing. */
    if (guest->es)
        return wake != BOARD_WAKE_STARTUP || es_startup(guest->es, index);
    cpu_init(guest->cpus[index]);
    if (wake == BOARD_WAKE_STARTUP)
        cpu_startup(guest->cpus[index], vector);
    return true;
}

/* INIT and startup interrupts that arrived. STEP_WAITS: the processor waits to be started. */
static enum step take_wake(struct run *run, unsigned index)
{
    uint8_t vector;
    struct board *board = run->guest->board;
    enum board_wake what = board_take_wake(board, index, &vector);
    if (what != BOARD_WAKE_NONE && !wake(run->guest, index, what, vector))
        return ends(run, GUEST_REFUSED);
    return board_waits_for_startup(board, index) ? STEP_OVER : STEP_ON;
}

static bool another_runs(const struct guest *guest, unsigned index)
{
    for (unsigned i = 0; i < guest->cpu_count; i++) {
        if (i != index && board_processor_runs(guest->board, i))
            return true;
    }
    return false;
}

/* Where a turn that begins now ends, in instructions of the processor. */
static uint64_t turn_end(const struct run *run, unsigned index)
{
    const struct guest *guest = run->guest;
    uint64_t alone = guest->config.host_clock ? HOST_CLOCK_INSTRUCTIONS : LOOK_INSTRUCTIONS;
    uint64_t turn = guest->cpu_count > 1 ? TURN_INSTRUCTIONS : alone;
    uint64_t limit = guest->config.instruction_limit, done = guest_instructions(guest);
    if (guest->checker && turn > CHECKER_TURN)
        turn = CHECKER_TURN;
    if (limit && limit - done < turn)
        turn = limit - done;
    return cpu_instructions(guest->cpus[index]) + turn;
}

/* The rest of the turn passes for this processor while it waits and others work. */
static void give_away(struct guest *guest, unsigned index, unsigned sharing, uint64_t end)
{
    uint64_t done = cpu_instructions(guest->cpus[index]);
    if (done < end)
        board_spend(guest->board, (end - done) / sharing);
}

static enum step after_reset(struct run *run)
{
    struct guest *guest = run->guest;
    if (!guest->config.reboot)
        return ends(run, GUEST_RESET);
    if (guest->es) { /* QEMU ends such a guest, too */
        snprintf(guest->detail, sizeof(guest->detail), "a SEV-ES guest cannot be started again, for "
                 "the host cannot reset its registers");
        return ends(run, GUEST_RESET);
    }
    panic_forget(&guest->panic);
    reset_all(guest);
    return STEP_OVER;
}

static enum step after_request(struct run *run)
{
    switch (board_take_request(run->guest->board)) {
    case BOARD_POWER_OFF:
        return ends(run, GUEST_POWER_OFF);
    case BOARD_RESET:
        return after_reset(run);
    case BOARD_EXIT:
        return ends(run, GUEST_EXITED);
    case BOARD_RUNNING:
        break;
    }
    return run->guest->es && es_ended(run->guest->es) ? ends(run, GUEST_TERMINATED) : STEP_ON;
}

static enum step after_stop(struct run *run, unsigned index, enum cpu_stop stop)
{
    switch (stop) {
    case CPU_STOP_SHUTDOWN:
        return ends(run, GUEST_SHUTDOWN);
    case CPU_STOP_UNIMPLEMENTED:
        return ends(run, GUEST_STOPPED);
    case CPU_STOP_HALT:
        return another_runs(run->guest, index) ? STEP_WAITS : STEP_OVER;
    case CPU_STOP_PAUSE:
        return another_runs(run->guest, index) ? STEP_WAITS : STEP_ON;
    case CPU_STOP_DEADLINE:
    case CPU_STOP_BREAKPOINT: /* the debugger was told */
        break;
    }
    return STEP_ON;
}

/* VMRUN with an ASID that is not enabled ends with VMEXIT_INVALID (APM 2 15.34.3; SEV API, ACTIVATE). */
static bool may_enter(struct guest *guest, unsigned index)
{
    char why[128];
    if (!guest->chip ||
        chip_check_run(guest->chip, guest->config.asid, index, why, sizeof(why)))
        return true;
    snprintf(guest->detail, sizeof(guest->detail), "processor %u may not run ASID %u: %s", index,
             (unsigned)guest->config.asid, why);
    return false;
}

/* Runs a processor, and lets trace and debugger have their say. */
static enum step run_processor(struct run *run, unsigned index, uint64_t deadline,
                               enum cpu_stop *ret_stop)
{
    struct guest *guest = run->guest;
    if (!may_enter(guest, index))
        return ends(run, GUEST_REFUSED);
    if (guest->trace)
        trace_before_run(guest->trace, index, deadline);
    *ret_stop = guest->gdb ? gdb_run_processor(guest->gdb, index, deadline)
                           : cpu_run(guest->cpus[index], deadline);
    if (guest->checker && *ret_stop == CPU_STOP_BREAKPOINT &&
        checker_breakpoint(guest->checker, index))
        *ret_stop = CPU_STOP_DEADLINE;
    if (guest->trace)
        trace_after_run(guest->trace, index, *ret_stop);
    if (guest->gdb && !gdb_after_run(guest->gdb, index, *ret_stop))
        return ends(run, GUEST_KILLED);
    return STEP_ON;
}

/* One processor's turn, as one of `sharing` that run side by side. */
static enum step run_turn(struct run *run, unsigned index, unsigned sharing)
{
    struct guest *guest = run->guest;
    struct cpu *cpu = guest->cpus[index];
    uint64_t end = turn_end(run, index);
    enum step step = guest->gdb && gdb_holds(guest->gdb, index) ? STEP_WAITS : STEP_ON;
    guest->current = index;
    board_begin_turn(guest->board, index, sharing);
    if (guest->config.host_clock)
        host_clock_push(guest);
    while (step == STEP_ON && (step = take_wake(run, index)) == STEP_ON &&
           cpu_instructions(cpu) < end) {
        uint64_t deadline = board_next_deadline(guest->board);
        enum cpu_stop stop;
        step = run_processor(run, index, deadline < end ? deadline : end, &stop);
        if (step != STEP_ON)
            return step;
        if (guest->stop_asked)
            return ends(run, GUEST_ENDED_BY_HOST);
        board_run_timers(guest->board);
        step = after_request(run);
        if (step == STEP_ON)
            step = after_stop(run, index, stop);
    }
    if (step == STEP_WAITS)
        give_away(guest, index, sharing, end);
    return step;
}

/* A turn of each processor that runs now, in the order of their numbers. */
static enum step run_round(struct run *run)
{
    struct guest *guest = run->guest;
    unsigned runs[BOARD_MAX_PROCESSORS], count = 0;
    for (unsigned i = 0; i < guest->cpu_count; i++) {
        if (board_processor_runs(guest->board, i))
            runs[count++] = i;
    }
    for (unsigned k = 0; k < count; k++) {
        if (run_turn(run, runs[k], count) == STEP_ENDED)
            return STEP_ENDED;
    }
    return count ? STEP_OVER : wait_for_event(run);
}

/* Host input and limits, now and then. */
static enum step look(struct run *run)
{
    uint64_t instructions = guest_instructions(run->guest);
    uint64_t limit = run->guest->config.instruction_limit;
    struct gdb *gdb = run->guest->gdb;
    if (run->guest->checker)
        checker_look(run->guest->checker, instructions);
    if (limit && instructions >= limit)
        return ends(run, GUEST_TIMEOUT);
    if (instructions < run->next_look && !(gdb && gdb_holds_any(gdb)))
        return STEP_OVER;
    run->next_look = instructions + LOOK_INSTRUCTIONS;
    board_poll_host(run->guest->board);
    if (gdb && !gdb_poll(gdb))
        return ends(run, GUEST_KILLED);
    return time_is_up(run->guest, run->start) ? ends(run, GUEST_TIMEOUT) : STEP_OVER;
}

static enum guest_end run_loop(struct guest *guest)
{
    struct run run = { .guest = guest, .start = host_seconds(), .awake_instructions = UINT64_MAX };
    if (guest->gdb && !gdb_start(guest->gdb))
        return GUEST_KILLED;
    if (guest->config.host_clock)
        host_clock_start(guest);
    while (run_round(&run) != STEP_ENDED && look(&run) != STEP_ENDED)
        continue;
    return run.end;
}

void guest_stop(struct guest *guest)
{
    guest->stop_asked = true;
    cpu_kick(guest->cpus[guest->current]);
}

/* What the end of the loop means for a guest whose kernel panicked. */
static enum guest_end panic_end(const struct guest *guest, enum guest_end end)
{
    bool dead = end == GUEST_RESET || end == GUEST_DEAD_HALT ||
                (end == GUEST_ENDED_BY_HOST && guest->panic.final);
    return dead && guest->panic.why[0] ? GUEST_PANIC : end;
}

static bool died(enum guest_end end)
{
    return end != GUEST_POWER_OFF && end != GUEST_RESET && end != GUEST_EXITED &&
           end != GUEST_ENDED_BY_HOST && end != GUEST_KILLED && end != GUEST_CHECK_FAILED &&
           end != GUEST_REFUSED;
}

void guest_run(struct guest *guest, struct run_result *result)
{
    double start = host_seconds();
    memset(result, 0, sizeof(*result));
    for (unsigned i = 0; i < guest->cpu_count; i++) {
        cpu_reset(guest->cpus[i]);
        cpu_yield_on_pause(guest->cpus[i], guest->cpu_count > 1);
    }
    if (guest->checker)
        checker_start(guest->checker);
    guest_start_image(guest, guest->detail, sizeof(guest->detail)); /* as in reset_all */
    guest->detail[0] = '\0';
    result->end = guest->es && !es_enter(guest->es, 0) ? GUEST_REFUSED
                                                       : panic_end(guest, run_loop(guest));
    if (guest->es)
        es_leave(guest->es);
    result->status = board_exit_status(guest->board);
    if (guest->gdb)
        gdb_end(guest->gdb, died(result->end));
    if (guest->checker)
        checker_finish(guest->checker);
    if (guest->check_failed && !died(result->end))
        result->end = GUEST_CHECK_FAILED;
    result->instructions = guest_instructions(guest);
    result->seconds = host_seconds() - start;
    if (result->end == GUEST_SHUTDOWN || result->end == GUEST_STOPPED)
        snprintf(guest->detail, sizeof(guest->detail), "%s", cpu_error(guest->cpus[guest->current]));
    /* A kernel that panicked has told more than its last registers can. */
    result->died = died(result->end) && result->end != GUEST_PANIC;
    result->detail = guest->detail;
}
