/* SPDX-License-Identifier: ISC */
#include "os/net.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

union any {
    struct sockaddr base;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
    struct sockaddr_storage storage;
};

static union any
to_sockaddr(const struct net_address *a)
{
    union any s = {0};
    memcpy(&s, a->bytes, a->n);
    return s;
}

static struct net_address
from_sockaddr(const union any *s)
{
    struct net_address a = {0};
    if (s->base.sa_family == AF_INET)
        a.n = sizeof s->v4;
    else if (s->base.sa_family == AF_INET6)
        a.n = sizeof s->v6;
    static_assert(sizeof s->v6 == sizeof a.bytes, "sockaddr_in6 fits");
    memcpy(a.bytes, s, a.n);
    return a;
}

/* Addresses as text and as numbers */

static bool
parse_ip(struct str ip, union any *out)
{
    char text[INET6_ADDRSTRLEN];
    bool brackets = ip.n > 1 && ip.p[0] == '[' && ip.p[ip.n - 1] == ']';
    if (brackets)
        ip = str_from_n(ip.p + 1, ip.n - 2);
    if (ip.n == 0 || ip.n >= sizeof text || memchr(ip.p, '\0', ip.n) != NULL)
        return false;
    memcpy(text, ip.p, ip.n);
    text[ip.n] = '\0';

    *out = (union any){0};
    if (!brackets && inet_pton(AF_INET, text, &out->v4.sin_addr) == 1) {
        out->v4.sin_family = AF_INET;
        return true;
    }
    if (inet_pton(AF_INET6, text, &out->v6.sin6_addr) != 1)
        return false;
    out->v6.sin6_family = AF_INET6;
    return true;
}

bool
net_parse(struct str ip, uint16_t port, struct net_address *out)
{
    union any s;
    *out = (struct net_address){0};
    if (!parse_ip(ip, &s))
        return false;
    if (s.base.sa_family == AF_INET)
        s.v4.sin_port = htons(port);
    else
        s.v6.sin6_port = htons(port);
    *out = from_sockaddr(&s);
    return true;
}

/* The address alone: 4 octets, IPv4-mapped IPv6 too, or 16; 0: none. */
static size_t
ip_octets(const union any *s, unsigned char out[16])
{
    if (s->base.sa_family == AF_INET) {
        memcpy(out, &s->v4.sin_addr, 4);
        return 4;
    }
    if (s->base.sa_family != AF_INET6)
        return 0;
    memcpy(out, &s->v6.sin6_addr, 16);
    if (!IN6_IS_ADDR_V4MAPPED(&s->v6.sin6_addr))
        return 16;
    memmove(out, out + 12, 4);
    return 4;
}

struct str
net_format(const struct net_address *a, char out[NET_TEXT])
{
    union any s = to_sockaddr(a);
    unsigned char ip[16];
    size_t n = ip_octets(&s, ip);
    out[0] = '\0';
    if (n > 0)
        (void)inet_ntop(n == 4 ? AF_INET : AF_INET6, ip, out, NET_TEXT);
    return str_from(out);
}

uint16_t
net_port(const struct net_address *a)
{
    union any s = to_sockaddr(a);
    if (s.base.sa_family == AF_INET)
        return ntohs(s.v4.sin_port);
    return s.base.sa_family == AF_INET6 ? ntohs(s.v6.sin6_port) : 0;
}

bool
net_is_loopback(const struct net_address *a)
{
    return net_in_network(a, STR("127.0.0.0/8")) ||
           net_in_network(a, STR("::1"));
}

bool
net_is_own(const struct net_address *a)
{
    union any s = to_sockaddr(a);
    int fd = socket(s.base.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool own;

    // The kernel binds to its own addresses and to no other.
    if (s.base.sa_family == AF_INET)
        s.v4.sin_port = 0;
    else
        s.v6.sin6_port = 0;
    own = a->n > 0 && fd >= 0 && bind(fd, &s.base, a->n) == 0;
    if (fd >= 0)
        (void)close(fd);
    return own;
}

struct network {
    unsigned char ip[16];
    size_t n;      /* octets of ip */
    unsigned bits; /* of them that count */
};

static bool
parse_network(struct str text, struct network *net)
{
    struct str ip, length;
    union any s;
    uint64_t bits;
    bool given = str_cut(text, '/', &ip, &length);
    if (!parse_ip(ip, &s))
        return false;
    net->n = ip_octets(&s, net->ip);
    uint64_t most = net->n * 8;
    bool mapped = s.base.sa_family == AF_INET6 && net->n == 4;
    bits = mapped ? 128 : most;
    if (given && !str_to_u64(length, &bits))
        return false;
    if (mapped && bits < 96) // wider than the mapped range: not a network
        return false;
    if (mapped)
        bits -= 96;
    if (bits > most)
        return false;
    net->bits = (unsigned)bits;
    return true;
}

bool
net_network_valid(struct str network)
{
    struct network net;
    return parse_network(network, &net);
}

bool
net_in_network(const struct net_address *a, struct str network)
{
    struct network net;
    union any s = to_sockaddr(a);
    unsigned char ip[16];
    size_t n = ip_octets(&s, ip);
    if (!parse_network(network, &net) || n != net.n)
        return false;
    size_t whole = net.bits / 8;
    if (memcmp(ip, net.ip, whole) != 0)
        return false;
    unsigned rest = net.bits % 8;
    return rest == 0 || ((ip[whole] ^ net.ip[whole]) >> (8 - rest)) == 0;
}

/* Listening */

static bool
set_on(int fd, int level, int option)
{
    int on = 1;
    return setsockopt(fd, level, option, &on, sizeof on) == 0;
}

/* No delay and keep-alive are inherited by what is accepted. */
static bool
listen_on(int fd, const union any *s, socklen_t n, bool reuse_port)
{
    if (s->base.sa_family == AF_INET6 && !set_on(fd, IPPROTO_IPV6, IPV6_V6ONLY))
        return false;
    if (reuse_port && !set_on(fd, SOL_SOCKET, SO_REUSEPORT))
        return false;
    return set_on(fd, SOL_SOCKET, SO_REUSEADDR) &&
           set_on(fd, SOL_SOCKET, SO_KEEPALIVE) &&
           set_on(fd, IPPROTO_TCP, TCP_NODELAY) && bind(fd, &s->base, n) == 0 &&
           listen(fd, BACKLOG) == 0;
}

static int
listen_address(const struct net_address *a, const char *text, bool reuse_port,
               struct err *e)
{
    union any s = to_sockaddr(a);
    int fd =
        socket(s.base.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        (void)err_sys(e, "open a socket for", text);
        return -1;
    }
    if (!listen_on(fd, &s, a->n, reuse_port)) {
        (void)err_sys(e, "listen on", text);
        (void)close(fd);
        return -1;
    }
    return fd;
}

static bool
parse_listen(struct str address, struct str *ip, uint16_t *port)
{
    uint64_t number;
    ssize_t colon = str_rfind_char(address, ':');
    if (colon < 0 ||
        !str_to_u64(str_from_pos(address, (size_t)colon + 1), &number) ||
        number > UINT16_MAX)
        return false;
    *ip = str_first(address, (size_t)colon);
    *port = (uint16_t)number;
    return true;
}

/* On a machine without IPv6 "*" means IPv4. */
static size_t
listen_any(uint16_t port, const char *text, bool reuse_port, int *fds,
           struct err *e)
{
    struct net_address a;
    (void)net_parse(STR("0.0.0.0"), port, &a);
    fds[0] = listen_address(&a, text, reuse_port, e);
    if (fds[0] < 0)
        return 0;
    (void)net_parse(STR("::"), port, &a);
    fds[1] = listen_address(&a, text, reuse_port, e);
    if (fds[1] >= 0)
        return 2;
    if (e->code == EAFNOSUPPORT || e->code == EADDRNOTAVAIL)
        return 1;
    (void)close(fds[0]);
    return 0;
}

size_t
net_listen(struct str address, bool reuse_port, int *fds, size_t max,
           struct err *e)
{
    char text[128];
    struct net_address a;
    struct str ip;
    uint16_t port;

    (void)snprintf(text, sizeof text, "%.*s", STR_ARG(address));
    if (!parse_listen(address, &ip, &port) || max < 2) {
        (void)err_set(e, "expected ADDRESS:PORT to listen on, found \"%s\"",
                      text);
        return 0;
    }
    if (str_eq(ip, STR("*")))
        return listen_any(port, text, reuse_port, fds, e);
    if (!net_parse(ip, port, &a)) {
        (void)err_set(e,
                      "expected an IP address or * to listen on, found "
                      "\"%s\"",
                      text);
        return 0;
    }
    fds[0] = listen_address(&a, text, reuse_port, e);
    return fds[0] >= 0;
}

/*
 * UNIX socket paths are short. A longer one is reached through its folder's
 * descriptor: *dir is to be closed after use; -1: not needed.
 */
static bool
unix_address(const char *path, union any *s, int *dir, struct err *e)
{
    const char *slash = strrchr(path, '/');
    char folder[4096];
    int n;

    *dir = -1;
    *s = (union any){.local = {.sun_family = AF_UNIX}};
    if (strlen(path) < sizeof s->local.sun_path) {
        memcpy(s->local.sun_path, path, strlen(path) + 1);
        return true;
    }
    errno = ENAMETOOLONG;
    if (slash == NULL || (size_t)(slash - path) >= sizeof folder)
        return err_sys(e, "use socket", path);
    memcpy(folder, path, (size_t)(slash - path));
    folder[slash - path] = '\0';
    *dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*dir < 0)
        return err_sys(e, "open", folder);
    n = snprintf(s->local.sun_path, sizeof s->local.sun_path,
                 "/proc/self/fd/%d%s", *dir, slash);
    if (n < 0 || (size_t)n >= sizeof s->local.sun_path) {
        (void)close(*dir);
        errno = ENAMETOOLONG;
        return err_sys(e, "use socket", path);
    }
    return true;
}

static int
unix_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* Nobody can connect before listen(), so the mode is right from the start. */
int
net_listen_unix(const char *path, unsigned mode, struct err *e)
{
    union any s;
    int dir, fd;
    if (!unix_address(path, &s, &dir, e))
        return -1;
    (void)unlink(path);
    fd = unix_socket();
    if (fd < 0 || bind(fd, &s.base, sizeof s.local) < 0 ||
        chmod(path, (mode_t)mode) < 0 || listen(fd, BACKLOG) < 0) {
        (void)err_sys(e, "listen on", path);
        if (fd >= 0)
            (void)close(fd);
        fd = -1;
    }
    if (dir >= 0)
        (void)close(dir);
    return fd;
}

/* Connections */

/*
 * Without a free descriptor accept() fails and the connection stays in line,
 * so that the listener would be ready for ever: one descriptor is kept aside,
 * with which it is taken and hung up.
 */
static void
turn_away(int listener)
{
    static int spare = -1;
    if (spare >= 0) {
        (void)close(spare);
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            (void)close(fd);
    }
    spare = fcntl(listener, F_DUPFD_CLOEXEC, 3);
}

int
net_accept(int listener, struct net_address *peer, struct net_address *own)
{
    union any s = {0};
    socklen_t n = sizeof s;
    int fd = accept4(listener, &s.base, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE)
            turn_away(listener);
        return -1;
    }
    if (peer != NULL)
        *peer = from_sockaddr(&s);
    if (own != NULL) {
        s = (union any){0};
        n = sizeof s;
        (void)getsockname(fd, &s.base, &n);
        *own = from_sockaddr(&s);
    }
    return fd;
}

int64_t
net_peer_uid(int fd)
{
    struct ucred c;
    socklen_t n = sizeof c;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &n) < 0 ||
        c.uid == (uid_t)-1)
        return -1;
    return (int64_t)c.uid;
}

int
net_connect(const struct net_address *to, struct err *e)
{
    union any s = to_sockaddr(to);
    char text[NET_TEXT];
    int fd =
        socket(s.base.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        (void)set_on(fd, IPPROTO_TCP, TCP_NODELAY);
        if (connect(fd, &s.base, to->n) == 0 || errno == EINPROGRESS)
            return fd;
    }
    (void)err_sys(e, "connect to", net_format(to, text).p);
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

int
net_connect_unix(const char *path, struct err *e)
{
    union any s;
    int dir, fd;
    if (!unix_address(path, &s, &dir, e))
        return -1;
    fd = unix_socket();
    if (fd < 0 || connect(fd, &s.base, sizeof s.local) < 0) {
        (void)err_sys(e, "connect to", path);
        if (fd >= 0)
            (void)close(fd);
        fd = -1;
    }
    if (dir >= 0)
        (void)close(dir);
    return fd;
}
