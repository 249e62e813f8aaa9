/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets: TCP for callers, a unix socket for the operator. */
#include "api/listen.h"

#include <endian.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/err.h"

enum { BACKLOG = 1024 };

/* where: for people */
static int open_socket(const struct sockaddr *address, socklen_t len, const char *where,
                       int *ret_fd)
{
    int yes = 1,
        fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail(MK_EIO, "open a socket: %s", strerror(errno));
    if (address->sa_family != AF_UNIX)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, address, len) < 0 || listen(fd, BACKLOG) < 0) {
        int rc = fail(MK_EIO, "listen on %s: %s", where, strerror(errno));
        close(fd);
        return rc;
    }
    *ret_fd = fd;
    return 0;
}

int listen_tcp(const char *address, uint16_t port, int *ret_fd)
{
    struct addrinfo *found,
        hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    char service[8], where[96];
    snprintf(service, sizeof service, "%u", port);
    snprintf(where, sizeof where, "%s port %u", address, port);
    if (getaddrinfo(address, service, &hints, &found) != 0)
        return fail(MK_EINPUT,
                    "listen on %s: not a numeric address, such as 127.0.0.1 or ::1",
                    address);
    int rc = open_socket(found->ai_addr, found->ai_addrlen, where, ret_fd);
    freeaddrinfo(found);
    return rc;
}

int listen_unix(const char *path, int *ret_fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return fail(MK_EINPUT,
                    "the path of the admin socket is longer than %zu bytes: choose a "
                    "shorter state folder",
                    sizeof address.sun_path - 1);
    strcpy(address.sun_path, path);
    /* The state folder is locked: whoever left this here is dead. */
    unlink(path);
    mode_t mask = umask(0177);
    int rc = open_socket((struct sockaddr *)&address, sizeof address, "the admin socket",
                         ret_fd);
    umask(mask);
    return rc;
}

uint16_t listen_port(int fd)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        return 0;
    if (address.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return address.ss_family == AF_INET
               ? ntohs(((struct sockaddr_in *)&address)->sin_port)
               : 0;
}

/* IPv4 as in the block 0:ffff::/32, whose first eight bits no IPv6 network has (RFC 4291, 2.4). */
static uint64_t ipv4_number(uint32_t address)
{
    return UINT64_C(0xffff) << 32 | address;
}

uint64_t address_number(const struct sockaddr *address)
{
    uint64_t number = 0;
    if (address && address->sa_family == AF_INET)
        return ipv4_number(((const struct sockaddr_in *)address)->sin_addr.s_addr);
    if (!address || address->sa_family != AF_INET6)
        return 0;
    const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(six))
        return ipv4_number(six->s6_addr32[3]);
    memcpy(&number, six, sizeof number);
    return be64toh(number);
}

bool peer_is_ours(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        return false;
    return peer.uid == geteuid() || peer.uid == 0;
}
