/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The program's end of the socket. */
#include "preload/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int client_connect(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const char *path = getenv(WIRE_SOCKET);
    if (!path || strlen(path) >= sizeof(address.sun_path)) {
        errno = ENODEV;
        return -1;
    }
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    errno = ENODEV;
    return -1;
}

static bool transmit(int fd, const void *data, size_t size)
{
    const char *at = data;
    while (size) {
        ssize_t done = send(fd, at, size, MSG_NOSIGNAL);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        at += done;
        size -= (size_t)done;
    }
    return true;
}

static bool receive(int fd, void *data, size_t size)
{
    char *at = data;
    while (size) {
        ssize_t done = recv(fd, at, size, 0);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        at += done;
        size -= (size_t)done;
    }
    return true;
}

/* Out of step, as after a pointer that leads nowhere: the chip shall not wait for the rest. */
static int broken(int fd, struct wire *wire)
{
    shutdown(fd, SHUT_RDWR);
    wire->status = WIRE_NO_FIRMWARE;
    errno = ENODEV;
    return -1;
}

int client_request(int fd, struct wire *wire, const void *const in[WIRE_PARTS],
                   void *const out[WIRE_PARTS], const uint32_t capacity[WIRE_PARTS])
{
    bool sent = transmit(fd, wire, sizeof(*wire));
    for (unsigned i = 0; sent && i < WIRE_PARTS; i++)
        sent = transmit(fd, in ? in[i] : NULL, wire->size[i]);
    if (!sent || !receive(fd, wire, sizeof(*wire)))
        return broken(fd, wire);
    for (unsigned i = 0; i < WIRE_PARTS; i++) {
        if (wire->size[i] && (!out || wire->size[i] > capacity[i]))
            return broken(fd, wire);
        if (!receive(fd, out ? out[i] : NULL, wire->size[i]))
            return broken(fd, wire);
    }
    errno = wire->error;
    return wire->error ? -1 : 0;
}
