/* SPDX-License-Identifier: ISC */
/*
 * A load generator that costs little beside the server it measures: one
 * thread, one epoll, many sessions that pipeline (RFC 2920), each sending its
 * share of equal messages over one connection. Where the server does not
 * offer PIPELINING it waits for each reply.
 *
 *   load PORT SESSIONS MESSAGES SIZE SENDER RECIPIENT [lockstep]
 *
 * A "%d" in RECIPIENT becomes the message's number modulo 100. Prints
 * "accepted SECONDS"; anything but the replies expected ends it with status 1.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_STEPS = 5 };

struct session {
    int fd;
    int step; /* which reply comes next */
    char line[1024];
    size_t line_n;
    char *out;
    size_t out_n, out_done;
};

static long left, accepted, started;
static const char *sender, *recipient;
static char *body;
static size_t body_n;
static bool lockstep, can_pipeline;

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
    (void)fprintf(stderr, "load: %s: %s\n", why, detail);
    exit(1);
}

static void
flush(struct session *s)
{
    while (s->out_done < s->out_n) {
        ssize_t n = write(s->fd, s->out + s->out_done, s->out_n - s->out_done);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n < 0)
            fail("write", strerror(errno));
        s->out_done += (size_t)n;
    }
    s->out_n = s->out_done = 0;
}

static void
put(struct session *s, const void *p, size_t n)
{
    memcpy(s->out + s->out_n, p, n);
    s->out_n += n;
}

static void
put_rcpt(struct session *s)
{
    char text[600];
    int n = snprintf(text, sizeof text, "RCPT TO:<%.500s>\r\n", recipient);
    char *mark = strstr(text, "%d");
    if (mark != NULL) { // two characters for two digits
        long k = started % 100;
        mark[0] = (char)('0' + k / 10);
        mark[1] = (char)('0' + k % 10);
    }
    put(s, text, (size_t)n);
}

static void
put_mail(struct session *s)
{
    char text[600];
    int n = snprintf(text, sizeof text, "MAIL FROM:<%.500s>\r\n", sender);
    put(s, text, (size_t)n);
}

/* Begins the next message, or says goodbye. Steps: 0 MAIL, 1 RCPT, 2 DATA,
 * 3 end of data, 4 QUIT. */
static void
next_message(struct session *s)
{
    if (left == 0) {
        put(s, "QUIT\r\n", 6);
        s->step = 4;
        return;
    }
    left--;
    started++;
    s->step = 0;
    put_mail(s);
    if (can_pipeline) {
        put_rcpt(s);
        put(s, "DATA\r\n", 6);
    }
}

/* One whole reply has come. false: the session is over. */
static bool
on_reply(struct session *s, int code)
{
    static const int want[MAX_STEPS] = {250, 250, 354, 250, 221};
    if (s->step == -2) { // greeting
        if (code != 220)
            fail("greeting", s->line);
        put(s, "EHLO load.test\r\n", 16);
        s->step = -1;
        return true;
    }
    if (s->step == -1) {
        if (code != 250)
            fail("EHLO", s->line);
        next_message(s);
        return true;
    }
    if (code != want[s->step])
        fail("unexpected reply", s->line);
    switch (s->step++) {
    case 0:
        if (!can_pipeline)
            put_rcpt(s);
        return true;
    case 1:
        if (!can_pipeline)
            put(s, "DATA\r\n", 6);
        return true;
    case 2:
        put(s, body, body_n);
        return true;
    case 3:
        accepted++;
        next_message(s);
        return true;
    default:
        return false;
    }
}

static bool
on_line(struct session *s)
{
    s->line[s->line_n] = '\0';
    if (s->step == -1 && strstr(s->line, "PIPELINING") != NULL && !lockstep)
        can_pipeline = true;
    bool more = s->line_n > 3 && s->line[3] == '-';
    bool goes_on = more || on_reply(s, atoi(s->line));
    s->line_n = 0;
    return goes_on;
}

/* Everything that came. false: the session is over. */
static bool
read_all(struct session *s)
{
    char in[16384];
    for (;;) {
        ssize_t n = read(s->fd, in, sizeof in);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (n <= 0)
            fail("connection ended", n < 0 ? strerror(errno) : "EOF");
        for (ssize_t i = 0; i < n; i++) {
            if (in[i] == '\n') {
                if (!on_line(s))
                    return false;
            } else if (in[i] != '\r' && s->line_n < sizeof s->line - 1) {
                s->line[s->line_n++] = in[i];
            }
        }
        flush(s);
        if (n < (ssize_t)sizeof in)
            return true; // edge-triggered: a short read took all there was
    }
}

static bool
on_ready(struct session *s)
{
    flush(s);
    return read_all(s);
}

static void
open_session(struct session *s, int epoll, int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    int on = 1;
    to.sin_port = htons((unsigned short)port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (s->fd < 0 || connect(s->fd, (struct sockaddr *)&to, sizeof to) < 0)
        fail("connect", strerror(errno));
    (void)setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (fcntl(s->fd, F_SETFL, O_NONBLOCK) < 0)
        fail("fcntl", strerror(errno));
    s->step = -2;
    s->out = malloc(body_n + 4096);
    if (s->out == NULL)
        fail("malloc", "out of memory");
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET,
                            .data.ptr = s};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, s->fd, &e) < 0)
        fail("epoll_ctl", strerror(errno));
}

static void
make_body(size_t size)
{
    static const char head[] = "From: <a@relay.test>\r\nTo: <u@relay.test>\r\n"
                               "Subject: load\r\nMessage-ID: <1@load.test>\r\n"
                               "Date: Tue, 24 Nov 2026 00:00:00 +0000\r\n\r\n";
    body = malloc(sizeof head + size + 128);
    if (body == NULL)
        fail("malloc", "out of memory");
    memcpy(body, head, sizeof head - 1);
    body_n = sizeof head - 1;
    while (body_n < size) {
        size_t i;
        for (i = 0; i < 70; i++)
            body[body_n++] = 'X';
        body[body_n++] = '\r';
        body[body_n++] = '\n';
    }
    memcpy(body + body_n, ".\r\n", 3);
    body_n += 3;
}

int
main(int argc, char **argv)
{
    if (argc < 7)
        fail("usage",
             "PORT SESSIONS MESSAGES SIZE SENDER RECIPIENT [lockstep]");
    int port = atoi(argv[1]), sessions = atoi(argv[2]), open = sessions;
    left = atol(argv[3]);
    sender = argv[5];
    recipient = argv[6];
    lockstep = argc > 7;
    make_body((size_t)atol(argv[4]));
    int epoll = epoll_create1(0);
    struct session *all = calloc((size_t)sessions, sizeof *all);
    if (all == NULL || epoll < 0)
        fail("start", strerror(errno));
    double begin = now();
    for (int i = 0; i < sessions; i++)
        open_session(&all[i], epoll, port);
    while (open > 0) {
        struct epoll_event events[256];
        int n = epoll_wait(epoll, events, 256, 60000);
        if (n == 0)
            fail("no answer", "60 seconds");
        for (int i = 0; i < n; i++) {
            struct session *s = events[i].data.ptr;
            if (!on_ready(s)) {
                (void)close(s->fd);
                open--;
            }
        }
    }
    (void)printf("%ld %.4f\n", accepted, now() - begin);
    return 0;
}
