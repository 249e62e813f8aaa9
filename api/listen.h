/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets. */
#ifndef MUNKEY_API_LISTEN_H
#define MUNKEY_API_LISTEN_H

#include <stdbool.h>
#include <stdint.h>

/* address: numeric IPv4 or IPv6.  MK_EIO with a sentence; MK_EINPUT: no address. */
int listen_tcp(const char *address, uint16_t port, int *ret_fd);

/* A unix socket that only this user may open; replaces what a dead process left there. */
int listen_unix(const char *path, int *ret_fd);

uint16_t listen_port(int fd); /* 0 for a unix socket */

/* What stands for a peer's address where requests are counted: an IPv4 address, or the /64 of an
 * IPv6 one, which is what one customer has.  0 for a unix socket. */
struct sockaddr;
uint64_t address_number(const struct sockaddr *address);

/* Whether the process at the other end of a unix socket is this user's or root's. */
bool peer_is_ours(int fd);

#endif
