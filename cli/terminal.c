/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Terminals of the guest. */
#define _GNU_SOURCE /* accept4 */
#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#define CLIENT_PATIENCE_MS 1000 /* a client that does not read this long is cut off */

/* --- the user's own terminal: key by key, without echo --- */

static struct termios saved;
static bool is_raw;

static void restore(void)
{
    if (is_raw)
        tcsetattr(STDIN_FILENO, TCSANOW, &saved);
    is_raw = false;
}

static void end_by_signal(int number)
{
    restore();
    signal(number, SIG_DFL);
    raise(number);
}

/* Ctrl-C stays ours: it ends Privet. */
static void take_keys(void)
{
    struct termios raw;

    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &saved) != 0)
        return;
    raw = saved;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_iflag &= ~(tcflag_t)(ICRNL | IXON);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    raw.c_cc[VSUSP] = _POSIX_VDISABLE;
    if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) != 0)
        return;
    is_raw = true;
    atexit(restore);
    signal(SIGINT, end_by_signal);
    signal(SIGTERM, end_by_signal);
    signal(SIGHUP, end_by_signal);
}

/* --- output --- */

static void drop_client(struct terminal *terminal)
{
    if (terminal->input >= 0)
        close(terminal->input);
    terminal->input = -1;
}

/* Nobody there: the bytes are lost, as on a line. */
static void send_to_client(struct terminal *terminal, const uint8_t *bytes, size_t length)
{
    while (length && terminal->input >= 0) {
        ssize_t sent = send(terminal->input, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        struct pollfd room = { .fd = terminal->input, .events = POLLOUT };

        if (sent > 0) {
            bytes += sent;
            length -= (size_t)sent;
        } else if ((errno != EAGAIN && errno != EINTR) ||
                   poll(&room, 1, CLIENT_PATIENCE_MS) <= 0) {
            drop_client(terminal);
        }
    }
}

void terminal_write(struct terminal *terminal, const uint8_t *bytes, size_t length)
{
    if (terminal->path)
        send_to_client(terminal, bytes, length);
    else if (terminal->file && (fwrite(bytes, 1, length, terminal->file) != length ||
                                fflush(terminal->file) != 0))
        terminal->failed = true;
}

/* --- input --- */

static unsigned fill(void *context, struct pollfd *fds, unsigned room)
{
    struct terminal *terminal = context;
    int fd = terminal->input >= 0 ? terminal->input : terminal->listener;

    if (fd < 0 || room == 0 ||
        (fd == terminal->input && guest_type_room(terminal->guest, terminal->console) == 0))
        return 0;
    *fds = (struct pollfd){ .fd = fd, .events = POLLIN };
    return 1;
}

static void take(struct terminal *terminal)
{
    uint8_t bytes[256];
    size_t room = guest_type_room(terminal->guest, terminal->console);
    ssize_t got = read(terminal->input, bytes, room < sizeof(bytes) ? room : sizeof(bytes));

    if (got > 0) {
        terminal->waits = true;
        guest_type(terminal->guest, terminal->console, bytes, (size_t)got);
    } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
        if (terminal->path)
            drop_client(terminal);
        terminal->input = -1;
    }
}

static void ready(void *context, const struct pollfd *fds, unsigned count)
{
    struct terminal *terminal = context;

    if (count == 0 || !(fds->revents & (POLLIN | POLLHUP | POLLERR)))
        return;
    if (terminal->input >= 0)
        take(terminal);
    else
        terminal->input = accept4(terminal->listener, NULL, NULL, SOCK_CLOEXEC);
}

static bool expects(void *context)
{
    const struct terminal *terminal = context;

    return terminal->input >= 0 && terminal->waits;
}

struct host_source terminal_source(struct terminal *terminal)
{
    return (struct host_source){ fill, ready, expects, terminal };
}

/* --- opening --- */

/* A socket that nobody listens on any more is left over from a run that was killed. */
static bool bind_or_replace(int fd, const struct sockaddr_un *address)
{
    const struct sockaddr *any = (const struct sockaddr *)address;
    struct stat status;
    int probe;

    if (bind(fd, any, sizeof(*address)) == 0)
        return true;
    if (errno != EADDRINUSE)
        return false;
    if (stat(address->sun_path, &status) != 0 || !S_ISSOCK(status.st_mode)) {
        errno = EEXIST;
        return false;
    }
    if ((probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
        return false;
    bool stale = connect(probe, any, sizeof(*address)) != 0 && errno == ECONNREFUSED;
    close(probe);
    errno = EADDRINUSE;
    return stale && unlink(address->sun_path) == 0 && bind(fd, any, sizeof(*address)) == 0;
}

static bool listen_on(struct terminal *terminal, const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (!*path || strlen(path) >= sizeof(address.sun_path)) {
        errno = *path ? ENAMETOOLONG : EINVAL;
        return false;
    }
    memcpy(address.sun_path, path, strlen(path));
    terminal->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (terminal->listener < 0 ||
        !bind_or_replace(terminal->listener, &address))
        return false;
    terminal->path = path;
    terminal->waits = true;
    return listen(terminal->listener, 1) == 0;
}

static void open_stdio(struct terminal *terminal, bool asked_for, bool keyboard)
{
    terminal->file = stdout;
    /* A job in the background that touches its terminal is stopped. */
    bool tty = isatty(STDIN_FILENO), background = tty && tcgetpgrp(STDIN_FILENO) != getpgrp();
    if (!keyboard || background || !(asked_for || tty))
        return;
    terminal->input = STDIN_FILENO;
    terminal->waits = asked_for;
    take_keys();
}

bool terminal_open(struct terminal *terminal, const char *option, const char *target,
                   bool keyboard)
{
    bool good = true;

    terminal->listener = terminal->input = -1;
    if (!target || strcmp(target, "stdio") == 0)
        open_stdio(terminal, target, keyboard);
    else if (strncmp(target, "unix:", 5) == 0)
        good = listen_on(terminal, target + 5);
    else if (strcmp(target, "none") != 0)
        good = (terminal->file = fopen(target, "we")) != NULL;
    if (!good)
        fprintf(stderr, "privet: --%s: %s: %s\n", option, target, strerror(errno));
    return good;
}

bool terminal_close(struct terminal *terminal)
{
    if (terminal->path) {
        drop_client(terminal);
        unlink(terminal->path);
    }
    if (terminal->listener >= 0)
        close(terminal->listener);
    terminal->listener = -1;
    if (terminal->file && terminal->file != stdout && fclose(terminal->file) != 0)
        terminal->failed = true;
    terminal->file = NULL;
    if (terminal->failed)
        fprintf(stderr, "privet: console: output was lost\n");
    return !terminal->failed;
}
