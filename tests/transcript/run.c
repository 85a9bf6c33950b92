/* SPDX-License-Identifier: ISC */
/*
 * Plays the transcripts of a folder against the SMTP server machine, each
 * twice: with every group of client lines in one piece, and octet by octet. A
 * TAP line for each.
 *
 *     # comment
 *     option max-size N | max-errors N | forgiving |
 *            no-starttls | no-auth | tls
 *     policy refuse sender|rcpt ADDR REPLY
 *     policy refuse content|end|hello NAME REPLY    (NAME only for hello)
 *     policy login USER PASSWORD                    (what AUTH accepts)
 *     C: a line; CR LF is added
 *     c: octets as they are, nothing added
 *     C 1000: RCPT TO:<u%d@x>                       (N times, %d counts)
 *     S: 250 2.1.0 *     one whole reply; its first line matches, be it the
 *                        last ("250 ") or not ("250-")
 *     S 1000: 250 *      N such replies
 *     S| SIZE *          a line of that reply matches (behind the code)
 *     S! AUTH *          no line of it does
 *     M: a line          the message accepted last has this content: these
 *     m: octets          lines and octets one after another
 *     tls                the handshake after STARTTLS
 *     closed             the server hung up, and said no more
 *
 * In C, c, M and m: \r \n \t \0 \\ \xNN. Every S must follow at once: what the
 * server says beyond them fails, as do replies without their enhanced code.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "dialogue.h"

struct player {
    struct dialogue d;
    bool by_octet;
    struct str reply; /* the one that S matched, all lines */
    size_t at;        /* how much of d.out was matched */
    struct buf want;  /* M lines */
    bool checks_message;
    struct buf group; /* C lines of one group go out together */
    size_t number;
    char trouble[300];
};

static bool
fail(struct player *p, const char *what, struct str detail)
{
    (void)snprintf(p->trouble, sizeof p->trouble, "line %zu: %s: %.*s",
                   p->number, what, STR_ARG(str_first(detail, 200)));
    return false;
}

static char
escape(struct str *s)
{
    char c = s->p[0];
    *s = str_from_pos(*s, 1);
    if (c == 'x' && s->n >= 2) {
        int v = ascii_hex((unsigned char)s->p[0]) * 16 +
                ascii_hex((unsigned char)s->p[1]);
        *s = str_from_pos(*s, 2);
        return (char)(unsigned char)v;
    }
    return c == 'r'   ? '\r'
           : c == 'n' ? '\n'
           : c == 't' ? '\t'
           : c == '0' ? 0
                      : c;
}

/* s with its escapes, and %d as the number. */
static void
unescape(struct buf *to, struct str s, size_t number)
{
    while (s.n > 0) {
        if (str_skip(&s, STR("%d"))) {
            buf_addf(to, "%zu", number);
        } else if (s.n > 1 && str_skip_char(&s, '\\')) {
            buf_add_char(to, escape(&s));
        } else {
            buf_add_char(to, s.p[0]);
            s = str_from_pos(s, 1);
        }
    }
}

/* "*" stands for anything. */
static bool
matches(struct str pattern, struct str text)
{
    struct str head, tail;
    if (!str_cut(pattern, '*', &head, &tail))
        return str_eq(pattern, text);
    if (!str_skip(&text, head))
        return false;
    if (tail.n == 0)
        return true;
    for (size_t i = 0; i <= text.n; i++)
        if (matches(tail, str_from_pos(text, i)))
            return true;
    return false;
}

static void
send_octets(struct player *p, struct str bytes)
{
    size_t piece = p->by_octet ? 1 : bytes.n;
    for (size_t i = 0; i < bytes.n && !p->d.closed; i += piece)
        dialogue_send(&p->d, str_first(str_from_pos(bytes, i), piece));
}

static void
send_group(struct player *p)
{
    send_octets(p, buf_str(&p->group));
    buf_clear(&p->group);
}

static bool
take_line(struct str *text, struct str *line)
{
    ssize_t end = str_find(*text, STR("\r\n"));
    if (end < 0)
        return false;
    *line = str_first(*text, (size_t)end);
    *text = str_from_pos(*text, (size_t)end + 2);
    return true;
}

/* Does this line say what its code says in the enhanced form? */
static bool
is_enhanced(struct str line)
{
    return line.n > 9 &&
           (line.p[0] == '2' || line.p[0] == '4' || line.p[0] == '5') &&
           line.p[4] == line.p[0] && line.p[5] == '.' &&
           ascii_is_digit((unsigned char)line.p[6]);
}

/* Greeting, EHLO, HELO, 334 and 354 have none. */
static bool
may_be_bare(const struct player *p, struct str line)
{
    struct str host = p->d.options.hostname;
    return str_starts(str_from_pos(line, 4), host) || line.p[0] == '3';
}

/* The next whole reply, its form checked. */
static bool
take_reply(struct player *p, struct str *first)
{
    struct str rest = str_from_pos(buf_str(&p->d.out), p->at), line;
    bool bare = false;
    p->reply = rest;
    *first = STR_EMPTY;
    do {
        if (!take_line(&rest, &line))
            return fail(p, "no reply", str_from_pos(buf_str(&p->d.out), p->at));
        if (line.n < 4 || (line.p[3] != ' ' && line.p[3] != '-'))
            return fail(p, "no reply line", line);
        if (first->n == 0) {
            *first = line;
            bare = may_be_bare(p, line);
        }
        if (!str_eq(str_first(line, 3), str_first(*first, 3)))
            return fail(p, "two codes in one reply", line);
        if (!bare && !is_enhanced(line))
            return fail(p, "no enhanced code", line);
    } while (line.p[3] == '-');
    p->reply.n -= rest.n;
    p->at += p->reply.n;
    return true;
}

static bool
expect_reply(struct player *p, struct str pattern)
{
    struct str line;
    if (!take_reply(p, &line))
        return false;
    if (pattern.n < 4 || !str_eq(str_first(pattern, 3), str_first(line, 3)) ||
        !matches(str_from_pos(pattern, 4), str_from_pos(line, 4)))
        return fail(p, "another reply", line);
    return true;
}

static bool
expect_in_reply(struct player *p, struct str pattern, bool wanted)
{
    struct str rest = p->reply, line;
    while (take_line(&rest, &line))
        if (matches(pattern, str_from_pos(line, 4)))
            return wanted ? true : fail(p, "line not wanted", line);
    return wanted ? fail(p, "no such line", p->reply) : true;
}

static bool
nothing_left(struct player *p)
{
    struct str rest = str_from_pos(buf_str(&p->d.out), p->at);
    return rest.n == 0 ? true : fail(p, "unexpected", rest);
}

static bool
run_policy(struct player *p, struct str args)
{
    struct str verb, kind, name, reply;
    (void)str_cut(args, ' ', &verb, &args);
    if (str_eq(verb, STR("login"))) {
        (void)str_cut(args, ' ', &p->d.login_user, &p->d.login_password);
        return true;
    }
    (void)str_cut(args, ' ', &kind, &reply);
    name = kind;
    if (!str_eq(kind, STR("content")) && !str_eq(kind, STR("end"))) {
        struct str rest = reply, address;
        (void)str_cut(rest, ' ', &address, &reply);
        name.n = (size_t)(address.p + address.n - kind.p);
    }
    if (!str_eq(verb, STR("refuse")))
        return fail(p, "bad policy", args);
    dialogue_refuse(&p->d, name,
                    reply.n > 0 ? reply : STR("550 5.7.1 not welcome"));
    return true;
}

static bool
run_option(struct player *p, struct str args, bool *tls)
{
    struct str name, value;
    uint64_t n = 0;
    (void)str_cut(args, ' ', &name, &value);
    (void)str_to_u64(value, &n);
    if (str_eq(name, STR("max-size")))
        p->d.options.max_size = n;
    else if (str_eq(name, STR("max-errors")))
        p->d.options.max_errors = (uint32_t)n;
    else if (str_eq(name, STR("forgiving")))
        p->d.forgiving = true;
    else if (str_eq(name, STR("no-starttls")))
        p->d.options.starttls = false;
    else if (str_eq(name, STR("no-auth")))
        p->d.options.mechanisms = STR_EMPTY;
    else if (str_eq(name, STR("tls")))
        *tls = true;
    else
        return fail(p, "bad option", args);
    return true;
}

static bool
check_message(struct player *p)
{
    if (!p->checks_message)
        return true;
    p->checks_message = false;
    bool same = str_eq(buf_str(&p->want), buf_str(&p->d.message));
    buf_clear(&p->want);
    return same ? true : fail(p, "other content", buf_str(&p->d.message));
}

static bool
run_server_line(struct player *p, char kind, size_t times, struct str text)
{
    send_group(p);
    if (kind == '|' || kind == '!')
        return expect_in_reply(p, text, kind == '|');
    for (size_t i = 0; i < times; i++)
        if (!expect_reply(p, text))
            return false;
    return true;
}

/* "C: text", "C 10: text", "S| text": the letter, what is behind it, text. */
static bool
run_spoken(struct player *p, struct str line)
{
    char who = line.p[0], kind = ':';
    struct str head, text;
    uint64_t times = 1;
    if (line.n > 1 && (line.p[1] == '|' || line.p[1] == '!')) {
        kind = line.p[1];
        text = str_from_pos(line, 2);
    } else {
        if (!str_cut(line, ':', &head, &text) ||
            (head.n > 1 && !str_to_u64(str_from_pos(head, 2), &times)))
            return fail(p, "not understood", line);
    }
    (void)str_skip_char(&text, ' ');
    if (who == 'S')
        return run_server_line(p, kind, (size_t)times, text);
    if (who == 'C' || who == 'c') {
        if (p->group.n == 0 && !nothing_left(p))
            return false;
        for (size_t i = 0; i < times; i++) {
            unescape(&p->group, text, i);
            if (who == 'C')
                buf_add(&p->group, STR("\r\n"));
        }
        return true;
    }
    for (size_t i = 0; i < times; i++)
        unescape(&p->want, text, i);
    if (who == 'M')
        buf_add(&p->want, STR("\r\n"));
    p->checks_message = true;
    return true;
}

static bool
run_line(struct player *p, struct str line, bool *tls)
{
    if (line.n == 0 || line.p[0] == '#')
        return true;
    if (str_skip(&line, STR("option ")))
        return run_option(p, line, tls);
    if (str_skip(&line, STR("policy "))) {
        while (str_skip_char(&line, ' '))
            continue;
        return run_policy(p, line);
    }
    if (!p->d.started)
        dialogue_start(&p->d, *tls);
    if (line.p[0] != 'M' && line.p[0] != 'm' && !check_message(p))
        return false;
    if (str_eq(line, STR("tls"))) {
        if (p->d.server.state != SMTP_TLS)
            return fail(p, "no TLS now", line);
        dialogue_tls(&p->d);
        return true;
    }
    if (str_eq(line, STR("closed")))
        return p->d.closed ? nothing_left(p) : fail(p, "still open", line);
    return str_find_char(STR("CcSMm"), line.p[0]) >= 0
               ? run_spoken(p, line)
               : fail(p, "not understood", line);
}

static bool
play(struct player *p, struct str script)
{
    struct str line;
    bool tls = false;
    while (script.n > 0) {
        (void)str_cut(script, '\n', &line, &script);
        p->number++;
        if (!run_line(p, line, &tls))
            return false;
    }
    send_group(p);
    return check_message(p) && nothing_left(p);
}

static bool
play_file(const char *path, bool by_octet, char trouble[300])
{
    struct player p = {.by_octet = by_octet};
    struct buf script = {0};
    FILE *f = fopen(path, "rb");
    size_t n;
    if (f == NULL) {
        perror(path);
        return false;
    }
    while ((n = fread(buf_reserve(&script, 4096), 1, 4096, f)) > 0)
        script.n += n;
    (void)fclose(f);
    dialogue_init(&p.d);
    bool ok = play(&p, buf_str(&script));
    memcpy(trouble, p.trouble, sizeof p.trouble);
    dialogue_fini(&p.d);
    buf_fini(&p.want);
    buf_fini(&p.group);
    buf_fini(&script);
    return ok;
}

static int
is_transcript(const struct dirent *d)
{
    return str_ends(str_from(d->d_name), STR(".txt"));
}

static bool
report(const char *folder, const char *name, bool by_octet, int number)
{
    char trouble[300] = "";
    struct buf path = {0};
    buf_addf(&path, "%s/%s", folder, name);
    bool ok = play_file(buf_cstr(&path), by_octet, trouble);
    (void)printf("%s %d - %s %s\n", ok ? "ok" : "not ok", number, name,
                 by_octet ? "by octet" : "whole");
    if (!ok)
        (void)printf("# %s\n", trouble);
    buf_fini(&path);
    return ok;
}

int
main(int argc, char **argv)
{
    struct dirent **files = NULL;
    int n = argc == 2 ? scandir(argv[1], &files, is_transcript, alphasort) : -1;
    bool ok = n > 0;
    for (int i = 0; i < n; i++) {
        ok &= report(argv[1], files[i]->d_name, false, 2 * i + 1);
        ok &= report(argv[1], files[i]->d_name, true, 2 * i + 2);
        free(files[i]);
    }
    free(files);
    (void)printf("1..%d\n", n > 0 ? 2 * n : 0);
    return ok ? 0 : 1;
}
