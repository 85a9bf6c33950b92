/* SPDX-License-Identifier: ISC */
#include "os/log.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/ascii.h"
#include "base/buf.h"

enum {
    GATHERED_MAX = 256 << 10, /* octets that may wait for a slow reader */
    CHUNK = 4096,             /* a pipe takes this much whole or not at all */
};

/* stderr may be shared with other processes, so its flags stay as they are;
 * what a write may block on depends on what it is. */
enum sink { SINK_UNKNOWN = 0, SINK_SOCKET, SINK_FILE, SINK_PIPE, SINK_POLLED };

static struct {
    char room[32];
    bool json;
    enum log_level from;
    enum sink sink;
    struct buf lines;
    uint64_t dropped, dropped_told;
    time_t second; /* for which `stamp` holds "2026-11-24T05:30:52." */
    char stamp[32];
} logs = {.room = "gatepost", .from = LOG_INFO};

static const char *const level_names[] = {"debug", "info", "warning", "error"};

void
log_open(const char *room, bool json, enum log_level from)
{
    (void)snprintf(logs.room, sizeof logs.room, "%s", room);
    logs.json = json;
    logs.from = from;
}

static void
add_time(struct buf *b)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec != logs.second || logs.stamp[0] == '\0') {
        struct tm tm;
        (void)gmtime_r(&now.tv_sec, &tm);
        (void)strftime(logs.stamp, sizeof logs.stamp, "%Y-%m-%dT%H:%M:%S.",
                       &tm);
        logs.second = now.tv_sec;
    }
    long ms = now.tv_nsec / 1000000;
    const char tail[] = {(char)('0' + ms / 100), (char)('0' + ms / 10 % 10),
                         (char)('0' + ms % 10), 'Z'};
    buf_add(b, str_from(logs.stamp));
    buf_add(b, str_from_n(tail, sizeof tail));
}

/*
 * Octets of the UTF-8 character s begins with if it may stand in a log as it
 * is: valid, no C1 control (terminals obey them), no line separator. Else 0.
 */
static size_t
harmless_utf8(struct str s)
{
    static const struct {
        unsigned char mask, lead, n;
        uint32_t from;
    } forms[] = {
        {0xe0, 0xc0, 2, 0xa0   },
        {0xf0, 0xe0, 3, 0x800  },
        {0xf8, 0xf0, 4, 0x10000},
    };
    unsigned char first = (unsigned char)s.p[0];
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        if ((first & forms[f].mask) != forms[f].lead)
            continue;
        uint32_t c = first & (unsigned char)~forms[f].mask;
        if (s.n < forms[f].n)
            return 0;
        for (size_t i = 1; i < forms[f].n; i++) {
            unsigned char next = (unsigned char)s.p[i];
            if ((next & 0xc0) != 0x80)
                return 0;
            c = c << 6 | (next & 0x3f);
        }
        bool bad = c < forms[f].from || c > 0x10ffff ||
                   (c >= 0xd800 && c <= 0xdfff) || c == 0x2028 || c == 0x2029;
        return bad ? 0 : forms[f].n;
    }
    return 0;
}

static void
add_escaped(struct buf *b, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char text[] = {'\\', 'x', hex[c >> 4], hex[c & 15]};
    char code[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    if (c == '\n')
        buf_add(b, STR("\\n"));
    else if (c == '\r')
        buf_add(b, STR("\\r"));
    else if (c == '\t')
        buf_add(b, STR("\\t"));
    else if (c == '"' || c == '\\')
        buf_add(b, str_from_n((char[]){'\\', (char)c}, 2));
    else if (!logs.json)
        buf_add(b, str_from_n(text, sizeof text));
    else if (c < 128)
        buf_add(b, str_from_n(code, sizeof code));
    else // JSON has no octets, only characters
        buf_add(b, STR("\\ufffd"));
}

static bool
is_harmless(unsigned char c)
{
    return c < 128 && !ascii_is_control(c) && c != '"' && c != '\\';
}

static void
add_quoted(struct buf *b, struct str s)
{
    buf_add_char(b, '"');
    while (s.n > 0) {
        size_t n = 0;
        while (n < s.n && is_harmless((unsigned char)s.p[n]))
            n++;
        if (n == 0 && (unsigned char)s.p[0] >= 128)
            n = harmless_utf8(s);
        if (n == 0)
            add_escaped(b, (unsigned char)s.p[0]);
        else
            buf_add(b, str_first(s, n));
        s = str_from_pos(s, n == 0 ? 1 : n);
    }
    buf_add_char(b, '"');
}

/* May stand unquoted: printable ASCII without what gives a line its form. */
static bool
is_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c >= 127 || c == '"' || c == '\\' || c == '=')
            return false;
    }
    return s.n > 0;
}

static void
add_number(struct buf *b, int64_t v)
{
    if (v < 0)
        buf_add_char(b, '-');
    buf_add_number(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

static void
add_field(struct buf *b, const struct log_field *f)
{
    if (logs.json) {
        buf_add(b, STR(",\""));
        buf_add(b, str_from(f->key));
        buf_add(b, STR("\":"));
    } else {
        buf_add_char(b, ' ');
        buf_add(b, str_from(f->key));
        buf_add_char(b, '=');
    }
    if (f->is_number)
        add_number(b, f->number);
    else if (!logs.json && is_plain(f->text))
        buf_add(b, f->text);
    else
        add_quoted(b, f->text);
}

static void
add_head(struct buf *b, enum log_level level, const char *event)
{
    const char *head[] = {level_names[level], logs.room, event};
    const char *keys[] = {"\",\"level\":\"", "\",\"room\":\"",
                          "\",\"event\":\""};
    if (logs.json)
        buf_add(b, STR("{\"time\":\""));
    add_time(b);
    for (size_t i = 0; i < sizeof head / sizeof *head; i++) {
        buf_add(b, str_from(logs.json ? keys[i] : " "));
        buf_add(b, str_from(head[i]));
    }
    if (logs.json)
        buf_add_char(b, '"');
}

static void
add_line_end(struct buf *b)
{
    buf_add(b, logs.json ? STR("}\n") : STR("\n"));
}

static void
tell_dropped(void)
{
    struct log_field f =
        LOG_N("lines", (int64_t)(logs.dropped - logs.dropped_told));
    add_head(&logs.lines, LOG_WARNING, "log-dropped");
    add_field(&logs.lines, &f);
    add_line_end(&logs.lines);
    logs.dropped_told = logs.dropped;
}

void
log_event(enum log_level level, const char *event, ...)
{
    if (level < logs.from)
        return;
    if (logs.lines.n > GATHERED_MAX) {
        logs.dropped++;
        return;
    }
    if (logs.dropped > logs.dropped_told)
        tell_dropped();
    add_head(&logs.lines, level, event);
    va_list args;
    va_start(args, event);
    for (;;) {
        struct log_field f = va_arg(args, struct log_field);
        if (f.key == NULL)
            break;
        add_field(&logs.lines, &f);
    }
    va_end(args);
    add_line_end(&logs.lines);
}

void
log_error(const char *text)
{
    log_event(LOG_ERROR, "error", LOG_S("error", str_from(text)), LOG_END);
}

void
log_plain(struct str line)
{
    struct buf b = {0};
    buf_add(&b, line);
    buf_add_char(&b, '\n');
    while (b.n > 0) {
        ssize_t n = write(STDERR_FILENO, b.p, b.n);
        if (n < 0 && errno != EINTR)
            break;
        buf_consume(&b, n > 0 ? (size_t)n : 0);
    }
    buf_fini(&b);
}

static enum sink
find_sink(void)
{
    struct stat st;
    if (fstat(STDERR_FILENO, &st) < 0)
        return SINK_POLLED;
    if (S_ISSOCK(st.st_mode))
        return SINK_SOCKET;
    if (S_ISREG(st.st_mode))
        return SINK_FILE;
    return S_ISFIFO(st.st_mode) ? SINK_PIPE : SINK_POLLED;
}

static ssize_t
write_when_ready(struct str chunk)
{
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
    int n = poll(&p, 1, 0);
    if (n == 0)
        errno = EAGAIN;
    return n <= 0 ? -1 : write(STDERR_FILENO, chunk.p, chunk.n);
}

/* -1 with EAGAIN: the reader is behind. */
static ssize_t
write_chunk(struct str chunk)
{
    struct iovec part = {.iov_base = (char *)(uintptr_t)chunk.p,
                         .iov_len = chunk.n};
    ssize_t n;
    if (logs.sink == SINK_UNKNOWN)
        logs.sink = find_sink();
    switch (logs.sink) {
    case SINK_SOCKET:
        return send(STDERR_FILENO, chunk.p, chunk.n,
                    MSG_DONTWAIT | MSG_NOSIGNAL);
    case SINK_FILE:
        return write(STDERR_FILENO, chunk.p, chunk.n);
    case SINK_PIPE:
        n = pwritev2(STDERR_FILENO, &part, 1, -1, RWF_NOWAIT);
        if (n >= 0 || errno != EOPNOTSUPP)
            return n;
        logs.sink = SINK_POLLED; // an older kernel
        break;
    case SINK_UNKNOWN:
    case SINK_POLLED:
        break;
    }
    return write_when_ready(chunk);
}

/* Whole lines as far as they fit, so that lines of several processes that
 * share a pipe do not mix. */
static struct str
next_chunk(struct str lines)
{
    if (logs.sink == SINK_FILE || lines.n <= CHUNK)
        return lines;
    struct str chunk = str_first(lines, CHUNK);
    ssize_t end = str_rfind_char(chunk, '\n');
    return end < 0 ? chunk : str_first(chunk, (size_t)end + 1);
}

static uint64_t
count_lines(struct str s)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == '\n';
    return n;
}

void
log_flush(void)
{
    struct str left = buf_str(&logs.lines);
    if (left.n == 0)
        return;
    while (left.n > 0) {
        ssize_t n = write_chunk(next_chunk(left));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (n < 0) { // nobody reads: a closed pipe, a full disk
            logs.dropped += count_lines(left);
            left.n = 0;
            break;
        }
        left = str_from_pos(left, (size_t)n);
    }
    buf_consume(&logs.lines, logs.lines.n - left.n);
}

size_t
log_backlog(void)
{
    return logs.lines.n;
}

uint64_t
log_dropped(void)
{
    return logs.dropped;
}
