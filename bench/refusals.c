/* SPDX-License-Identifier: ISC */
/*
 * Asks a server for recipients as fast as it answers, and costs little beside
 * it: one thread, CONNECTIONS sessions, each pipelining BATCH RCPT commands at
 * a time (RFC 2920), a new transaction every 900 of them.
 *
 *   refusals PORT CONNECTIONS SECONDS BATCH PREFIX DOMAIN
 *
 * The addresses are PREFIX, seven digits at random below a million, @DOMAIN.
 * Prints "refused accepted seconds"; a reply other than 2xx or 5xx, or the end
 * of a connection, ends it with status 1.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PER_TRANSACTION = 900, CONNECTIONS_MAX = 256 };

struct session {
    int fd;
    bool greeted, helloed, over;
    int expected;   /* replies until the next commands are sent */
    int uncounted;  /* of these, the first so many answer no RCPT */
    int left;       /* recipients in this transaction */
    size_t partial; /* octets of an unfinished line in `line` */
    char line[512]; /* its beginning, for messages and the code */
};

static const char *prefix, *domain;
static int batch;
static long refused, accepted;
static unsigned long dice = 88172645463325252UL;

static double
now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void
fail(const char *why, const char *detail)
{
    (void)fprintf(stderr, "refusals: %s: %s\n", why, detail);
    exit(1);
}

static unsigned long
roll(void)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return dice;
}

static char *
put(char *to, const char *text)
{
    size_t n = strlen(text);
    memcpy(to, text, n);
    return to + n;
}

static char *
put_rcpt(char *to)
{
    unsigned long n = roll() % 1000000;
    to = put(put(to, "RCPT TO:<"), prefix);
    for (int i = 6; i >= 0; i--, n /= 10)
        to[i] = (char)('0' + n % 10);
    to = put(put(to + 7, "@"), domain);
    return put(to, ">\r\n");
}

static void
speak(struct session *s, bool go_on)
{
    static char out[1 << 17];
    char *to = out;
    s->uncounted = 0;
    s->expected = go_on ? batch : 1;
    if (!s->helloed) {
        to = put(to, "EHLO load.test\r\n");
        s->helloed = true;
        s->expected = s->uncounted = 1;
    } else if (!go_on) {
        to = put(to, "QUIT\r\n");
        s->uncounted = 1;
        s->over = true;
    } else {
        if (s->left < batch) {
            to = put(to, "RSET\r\nMAIL FROM:<a@relay.test>\r\n");
            s->uncounted = 2;
            s->expected += 2;
            s->left = PER_TRANSACTION;
        }
        s->left -= batch;
        for (int i = 0; i < batch; i++)
            to = put_rcpt(to);
    }
    // Less than the socket's buffer holds, and everything before is answered.
    if (write(s->fd, out, (size_t)(to - out)) != to - out)
        fail("write", strerror(errno));
}

/* The last line of a reply. */
static void
take_reply(struct session *s, const char *line)
{
    if (line[0] != '2' && line[0] != '5')
        fail("unexpected reply", line);
    s->expected--;
    if (s->uncounted > 0) {
        if (line[0] != '2')
            fail("unexpected reply", line);
        s->uncounted--;
    } else if (line[0] == '2') {
        accepted++;
    } else {
        refused++;
    }
}

static void
take_line(struct session *s, const char *p, size_t n)
{
    if (s->partial == 0 && n >= 4) {
        if (p[3] != '-')
            take_reply(s, p);
        return;
    }
    size_t room = sizeof s->line - 1 - s->partial;
    memcpy(s->line + s->partial, p, n < room ? n : room);
    s->line[s->partial + (n < room ? n : room)] = '\0';
    s->partial = 0;
    if (s->line[3] != '-')
        take_reply(s, s->line);
}

static void
keep_partial(struct session *s, const char *p, size_t n)
{
    size_t room = sizeof s->line - 1 - s->partial;
    memcpy(s->line + s->partial, p, n < room ? n : room);
    s->partial += n < room ? n : room;
}

static void
hear(struct session *s)
{
    static char in[1 << 18];
    ssize_t n = read(s->fd, in, sizeof in - 1);
    if (n <= 0)
        fail("connection ended", n < 0 ? strerror(errno) : "EOF");
    in[n] = '\0';
    char *at = in, *end = in + n, *lf;
    while ((lf = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        *lf = '\0';
        take_line(s, at, (size_t)(lf - at));
        at = lf + 1;
    }
    if (at < end)
        keep_partial(s, at, (size_t)(end - at));
}

static void
dial(struct session *s, int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    int on = 1;
    to.sin_port = htons((unsigned short)port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *s = (struct session){.fd = socket(AF_INET, SOCK_STREAM, 0)};
    if (s->fd < 0 || connect(s->fd, (struct sockaddr *)&to, sizeof to) < 0)
        fail("connect", strerror(errno));
    (void)setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    s->expected = s->uncounted = 1; // the greeting
}

int
main(int argc, char **argv)
{
    static struct session all[CONNECTIONS_MAX];
    static struct pollfd polled[CONNECTIONS_MAX];
    if (argc != 7)
        fail("usage", "PORT CONNECTIONS SECONDS BATCH PREFIX DOMAIN");
    int n = atoi(argv[2]), open = n;
    batch = atoi(argv[4]);
    prefix = argv[5];
    domain = argv[6];
    if (n < 1 || n > CONNECTIONS_MAX || batch < 1 || batch > PER_TRANSACTION)
        fail("usage", "at most 256 connections, batches of at most 900");
    for (int i = 0; i < n; i++) {
        dial(&all[i], atoi(argv[1]));
        polled[i] = (struct pollfd){.fd = all[i].fd, .events = POLLIN};
    }
    double begin = now(), end = begin + atof(argv[3]);
    while (open > 0) {
        if (poll(polled, (nfds_t)n, 30000) <= 0)
            fail("no answer", "30 seconds");
        bool go_on = now() < end;
        for (int i = 0; i < n; i++) {
            if (polled[i].revents == 0)
                continue;
            hear(&all[i]);
            if (all[i].expected > 0)
                continue;
            if (!all[i].over) {
                speak(&all[i], go_on);
                continue;
            }
            (void)close(all[i].fd);
            polled[i].fd = -1;
            open--;
        }
    }
    (void)printf("%ld %ld %.4f\n", refused, accepted, now() - begin);
    return 0;
}
