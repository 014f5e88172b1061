/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Where a debugger may connect: TCP on one address, or a Unix socket. */
#define _GNU_SOURCE
#include "machine/hypervisor/gdb_socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static bool is_port(const char *text)
{
    size_t length = strlen(text);
    return length >= 1 && length <= 5 && strspn(text, "0123456789") == length &&
           strtoul(text, NULL, 10) <= 65535;
}

static bool parse_tcp(const char *text, size_t length, struct gdb_address *ret)
{
    const char *colon = memrchr(text, ':', length);
    const char *port = colon ? colon + 1 : text;
    size_t port_length = length - (size_t)(port - text);
    size_t host_length = colon ? (size_t)(colon - text) : 0;
    if (host_length >= 2 && text[0] == '[' && colon[-1] == ']') {
        text++;
        host_length -= 2;
    }
    if (port_length >= sizeof(ret->port) || host_length >= sizeof(ret->host))
        return false;
    snprintf(ret->host, sizeof(ret->host), "%.*s", (int)host_length, text);
    snprintf(ret->port, sizeof(ret->port), "%.*s", (int)port_length, port);
    if (!host_length)
        strcpy(ret->host, "127.0.0.1");
    return is_port(ret->port);
}

bool gdb_address_parse(const char *text, struct gdb_address *ret, char *error, size_t error_size)
{
    static const char suffix[] = ",nowait";
    size_t length = strlen(text), cut = sizeof(suffix) - 1;
    *ret = (struct gdb_address){ .no_wait = false };
    if (length >= cut && !strcmp(text + length - cut, suffix)) {
        ret->no_wait = true;
        length -= cut;
    }
    bool good;
    if (!strncmp(text, "unix:", 5) && length >= 5) {
        good = length > 5 && length - 5 < sizeof(ret->path);
        if (good)
            snprintf(ret->path, sizeof(ret->path), "%.*s", (int)(length - 5), text + 5);
    } else {
        size_t skip = !strncmp(text, "tcp:", 4) && length >= 4 ? 4 : 0;
        good = parse_tcp(text + skip, length - skip, ret);
    }
    if (!good)
        snprintf(error, error_size, "--gdb %s: give tcp:HOST:PORT, :PORT, PORT or unix:PATH, and "
                 "perhaps ,nowait", text);
    return good;
}

static int listen_on(int family, const void *address, socklen_t size)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    if (fd < 0)
        return -1;
    if (family != AF_UNIX)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, address, size) == 0 && listen(fd, 1) == 0)
        return fd;
    int failure = errno;
    close(fd);
    errno = failure;
    return -1;
}

static int listen_unix(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct stat status;
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (stat(path, &status) == 0 && S_ISSOCK(status.st_mode))
        unlink(path);
    return listen_on(AF_UNIX, &address, sizeof(address));
}

/* The port as bound: port 0 asks for any. */
static void name_of(int fd, const struct gdb_address *address, char *name, size_t size)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage room;
    } bound = { .room = { 0 } };
    socklen_t length = sizeof(bound);
    unsigned port = 0;
    if (getsockname(fd, &bound.any, &length) == 0)
        port = ntohs(bound.any.sa_family == AF_INET6 ? bound.v6.sin6_port : bound.v4.sin_port);
    snprintf(name, size, strchr(address->host, ':') ? "[%s]:%u" : "%s:%u", address->host, port);
}

int gdb_listen(const struct gdb_address *address, char *name, size_t name_size, char *error,
               size_t error_size)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *found = NULL;
    int fd = -1;
    if (*address->path) {
        fd = listen_unix(address->path);
        snprintf(name, name_size, "%s", address->path);
        if (fd < 0)
            snprintf(error, error_size, "--gdb: %s: %s", address->path, strerror(errno));
        return fd;
    }
    int failure = getaddrinfo(address->host, address->port, &hints, &found);
    if (failure) {
        snprintf(error, error_size, "--gdb: %s: %s", address->host, gai_strerror(failure));
        return -1;
    }
    for (struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
        fd = listen_on(at->ai_family, at->ai_addr, at->ai_addrlen);
    if (fd < 0)
        snprintf(error, error_size, "--gdb: %s:%s: %s", address->host, address->port,
                 strerror(errno));
    else
        name_of(fd, address, name, name_size);
    freeaddrinfo(found);
    return fd;
}
