/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The run loop: turns of the processor between the board's timers, until the guest ends. */
#include "machine/hypervisor/guest.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A turn is at most this long, so that host input and the time limit are looked at. */
#define TURN_INSTRUCTIONS 20000000ull

/* A halted processor that takes no interrupt for this long of guest time will never wake. */
#define DEAD_HALT_NS (120 * 1000000000ull)

uint64_t guest_instructions(const struct guest *guest)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < guest->cpu_count; i++)
        sum += cpu_instructions(guest->cpus[i]);
    return sum;
}

static bool time_is_up(const struct guest *guest, double start)
{
    uint64_t instructions = guest->config.instruction_limit;
    if (instructions && guest_instructions(guest) >= instructions)
        return true;
    uint64_t limit = guest->config.timeout_seconds;
    return limit && host_seconds() - start > (double)limit;
}

static void take_input(struct guest *guest)
{
    struct pollfd poll_input = { .fd = guest->config.input_fd, .events = POLLIN };
    uint8_t bytes[16];
    if (guest->config.input_fd < 0 || poll(&poll_input, 1, 0) <= 0)
        return;
    ssize_t got = read(guest->config.input_fd, bytes, sizeof(bytes));
    if (got > 0)
        board_serial_input(guest->board, bytes, (size_t)got);
    else if (got == 0 || errno != EINTR)
        guest->config.input_fd = -1;
}

/* The processor halted: jump to what wakes it. False: nothing will. */
static bool wait_for_event(struct guest *guest, uint64_t *awake_instructions, uint64_t *awake_ns)
{
    uint64_t instructions = guest_instructions(guest);
    if (instructions != *awake_instructions) {
        *awake_instructions = instructions;
        *awake_ns = board_now_ns(guest->board);
    } else if (board_now_ns(guest->board) - *awake_ns > DEAD_HALT_NS) {
        return false;
    }
    return board_skip_idle(guest->board);
}

static enum guest_end run_loop(struct guest *guest)
{
    double start = host_seconds();
    uint64_t awake_instructions = UINT64_MAX, awake_ns = 0;
    uint64_t turn = TURN_INSTRUCTIONS;
    if (guest->config.instruction_limit && guest->config.instruction_limit < turn)
        turn = guest->config.instruction_limit;
    uint64_t next_look = turn;
    for (;;) {
        uint64_t deadline = board_next_deadline(guest->board);
        if (deadline > next_look)
            deadline = next_look;
        enum cpu_stop stop = cpu_run(guest->cpus[0], deadline);
        if (guest->stop_asked)
            return GUEST_ENDED_BY_HOST;
        board_run_timers(guest->board);
        switch (board_take_request(guest->board)) {
        case BOARD_POWER_OFF:
            return GUEST_POWER_OFF;
        case BOARD_RESET:
            if (!guest->config.reboot)
                return GUEST_RESET;
            board_reset(guest->board);
            cpu_reset(guest->cpus[0]);
            continue;
        case BOARD_RUNNING:
            break;
        }
        switch (stop) {
        case CPU_STOP_SHUTDOWN:
            return GUEST_SHUTDOWN;
        case CPU_STOP_UNIMPLEMENTED:
            return GUEST_STOPPED;
        case CPU_STOP_HALT:
            take_input(guest);
            if (!wait_for_event(guest, &awake_instructions, &awake_ns))
                return GUEST_DEAD_HALT;
            break;
        case CPU_STOP_DEADLINE:
            break;
        }
        if (guest_instructions(guest) >= next_look || stop == CPU_STOP_HALT) {
            next_look = guest_instructions(guest) + turn;
            take_input(guest);
            if (time_is_up(guest, start))
                return GUEST_TIMEOUT;
        }
    }
}

void guest_stop(struct guest *guest)
{
    guest->stop_asked = true;
    cpu_kick(guest->cpus[0]);
}

static bool died(enum guest_end end)
{
    return end != GUEST_POWER_OFF && end != GUEST_RESET && end != GUEST_ENDED_BY_HOST;
}

void guest_run(struct guest *guest, struct run_result *result)
{
    double start = host_seconds();
    memset(result, 0, sizeof(*result));
    cpu_reset(guest->cpus[0]);
    result->end = run_loop(guest);
    result->instructions = guest_instructions(guest);
    result->seconds = host_seconds() - start;
    guest->detail[0] = guest->state[0] = '\0';
    if (result->end == GUEST_SHUTDOWN || result->end == GUEST_STOPPED)
        snprintf(guest->detail, sizeof(guest->detail), "%s", cpu_error(guest->cpus[0]));
    if (died(result->end))
        cpu_print_state(guest->cpus[0], guest->state, sizeof(guest->state));
    result->state = guest->state;
    result->detail = guest->detail;
}
