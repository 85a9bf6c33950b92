/* SPDX-License-Identifier: ISC */
/* Sockets: names and numbers to descriptors and back. All are non-blocking
 * and close-on-exec. */
#pragma once

#include "base/err.h"
#include "base/str.h"

enum { NET_TEXT = 64 };

/* An address and a port, IPv4 or IPv6; opaque octets of sockaddr. */
struct net_address {
    unsigned char bytes[28];
    uint8_t n; /* 0: none */
};

/* "192.0.2.1", "2001:db8::1" (brackets allowed), with a port. */
bool net_parse(struct str ip, uint16_t port, struct net_address *out);
/* "192.0.2.1" or "2001:db8::1", without the port. */
struct str net_format(const struct net_address *a, char out[NET_TEXT]);
uint16_t net_port(const struct net_address *a);
bool net_is_loopback(const struct net_address *a);
/* Is it an address of this machine, whatever the port? */
bool net_is_own(const struct net_address *a);
/* Is a inside "192.0.2.0/24", "::1"? IPv4-mapped IPv6 counts as IPv4. */
bool net_in_network(const struct net_address *a, struct str network);
/* Is "10.0.0.0/8" such a network? */
bool net_network_valid(struct str network);

/* Listening TCP sockets for "*:25" (both families), "127.0.0.1:2525",
 * "[::1]:25"; at most `max`. reuse_port: several sockets may share it.
 * The number opened, or 0 with *e. */
size_t net_listen(struct str address, bool reuse_port, int *fds, size_t max,
                  struct err *e);
/* A UNIX stream socket at path, mode given; an old one is replaced. -1: *e. */
int net_listen_unix(const char *path, unsigned mode, struct err *e);

/* The next connection; -1: none now. peer may be NULL. */
int net_accept(int listener, struct net_address *peer, struct net_address *own);
/* uid of the process at the other end of a UNIX socket; -1: unknown. */
int64_t net_peer_uid(int fd);
/* Starts connecting; -1 with *e. */
int net_connect(const struct net_address *to, struct err *e);
int net_connect_unix(const char *path, struct err *e);
