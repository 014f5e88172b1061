/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Where the board touches the host while it runs: the network card's other end and the consoles'
 * input. See machine/devices/host.h for what that means for time.
 */
#include "machine/board/board_state.h"

#include <string.h>

#define CONSOLE_SLOT 17u

static void deliver(void *context, const uint8_t *frame, size_t length)
{
    virtio_net_receive(context, frame, length);
}

static unsigned room(void *context)
{
    return virtio_net_room(context);
}

static void settle(void *context)
{
    virtio_net_deliver(context);
}

static bool add_net(struct board *board, char *error, size_t size)
{
    const struct board_net *config = board->config.net;
    const struct net_card card = { deliver, room, settle, &board->net };
    struct host_source source;

    board->net_user = net_user_create(&config->user, &board->clock, &card, error, size);
    if (!board->net_user)
        return false;
    source = net_user_source(board->net_user);
    return host_add(&board->host, &source) &&
           virtio_net_init(&board->net, &board->q35.pci, BOARD_NET_SLOT, board->config.sev,
                           config->mac, net_user_transmit, board->net_user);
}

static void console_output(void *context, const uint8_t *bytes, size_t length)
{
    const struct board_config *config = &((struct board *)context)->config;

    if (config->watch.console)
        config->watch.console(config->watch.context, 1, bytes, length);
    config->console(config->output_context, bytes, length);
}

bool board_add_host_devices(struct board *board, char *error, size_t size)
{
    const struct board_config *config = &board->config;

    host_init(&board->host, &board->clock);
    board_fail(error, size, "board: no memory or no PCI slot for network and console");
    if (config->net && !add_net(board, error, size))
        return false;
    return !config->console ||
           virtio_console_init(&board->console, &board->q35.pci, CONSOLE_SLOT, config->sev,
                               console_output, board);
}

void board_free_host_devices(struct board *board)
{
    net_user_destroy(board->net_user);
    virtio_net_free(&board->net);
}

bool board_add_host_source(struct board *board, const struct host_source *source)
{
    return host_add(&board->host, source);
}

void board_poll_host(struct board *board)
{
    host_poll(&board->host);
}

bool board_expects_host(const struct board *board)
{
    return host_expects(&board->host);
}

bool board_wait_host(struct board *board, uint64_t due)
{
    uint64_t now = clock_now(&board->clock);

    if (!host_expects(&board->host))
        return false;
    host_wait(&board->host, due > now ? due - now : 0);
    clock_run(&board->clock);
    return true;
}

size_t board_serial_input(struct board *board, const uint8_t *bytes, size_t length)
{
    return serial_input(&board->serial, bytes, length);
}

size_t board_serial_room(const struct board *board)
{
    return SERIAL_INPUT_SIZE - board->serial.input_count;
}

size_t board_console_input(struct board *board, const uint8_t *bytes, size_t length)
{
    return board->config.console ? virtio_console_input(&board->console, bytes, length) : 0;
}

size_t board_console_room(const struct board *board)
{
    return board->config.console ? virtio_console_room(&board->console) : 0;
}
