/* SPDX-License-Identifier: ISC */
#include "explain/voice.h"

#include "base/buf.h"
#include "explain/spot.h"

static void
add(struct voices *v, struct str text, bool reply)
{
    text = str_trim(text);
    if (text.n == 0 || v->n == VOICES_MOST)
        return;
    for (size_t i = 0; i < v->n; i++)
        if (str_eq(v->list[i].text, text))
            return;
    v->list[v->n++] = (struct voice){.text = text, .reply = reply};
}

void
voices_add(struct voices *v, struct str words)
{
    add(v, words, false);
}

/* Where the words about a reply begin that are not the remote's own. */
static struct str
without_comment(struct str text)
{
    ssize_t at = str_find_nocase(text, STR(" (in reply to "));
    if (at > 0)
        text = str_first(text, (size_t)at);
    at = str_find(text, STR("\nGiving up on "));
    if (at > 0)
        text = str_first(text, (size_t)at);
    return str_trim(text);
}

/* "550-5.1.1 a 550 5.1.1 b", lines of a reply that a program has joined: one a
 * line again. */
static struct str
split_lines(struct arena *a, struct str reply)
{
    struct str code;
    struct buf out = {0};
    if (!spot_code_at(reply, &code) || reply.n < 5 || reply.p[3] != '-')
        return reply;
    for (size_t i = 0; i < reply.n; i++) {
        struct str rest = str_from_pos(reply, i + 1);
        bool blank = reply.p[i] == ' ' && str_starts(rest, code) &&
                     rest.n > 3 && (rest.p[3] == '-' || rest.p[3] == ' ');
        buf_add_char(&out, blank ? '\n' : reply.p[i]);
    }
    struct str lines = arena_dup(a, buf_str(&out));
    buf_fini(&out);
    return lines;
}

/* A paragraph in one line, but a new line for each that opens with a code. */
static struct str
joined(struct arena *a, struct str paragraph)
{
    struct buf out = {0};
    struct str line, code;
    while (paragraph.n > 0) {
        (void)str_cut(paragraph, '\n', &line, &paragraph);
        line = str_trim(line);
        if (line.n == 0)
            continue;
        bool opens =
            spot_code_at(line, &code) || str_starts(line, STR("Giving up on "));
        if (out.n > 0)
            buf_add_char(&out, opens ? '\n' : ' ');
        buf_add(&out, line);
    }
    struct str text = arena_dup(a, buf_str(&out));
    buf_fini(&out);
    return text;
}

static struct str
next_paragraph(struct str *text)
{
    while (str_skip_char(text, '\n'))
        continue;
    ssize_t end = str_find(*text, STR("\n\n"));
    struct str p = end < 0 ? *text : str_first(*text, (size_t)end);
    *text = str_from_pos(*text, p.n);
    return p;
}

/* Brackets and quotes that a program has put around the reply. */
static struct str
without_brackets(struct str reply)
{
    reply = str_trim(reply);
    if (reply.n > 0 && strchr("]'\")", reply.p[reply.n - 1]) != NULL &&
        str_find_char(reply, '[') < 0 && str_find_char(reply, '(') < 0)
        reply.n--;
    return reply;
}

/* The first of several replies that stand on lines of their own: up to one with
 * another code. */
static struct str
first_reply(struct str text)
{
    struct str code, other;
    if (!spot_code_at(text, &code))
        return text;
    for (size_t i = 1; i < text.n; i++)
        if (text.p[i - 1] == '\n' &&
            spot_code_at(str_from_pos(text, i), &other) && !str_eq(code, other))
            return str_first(text, i - 1);
    return text;
}

bool
voices_add_reply(struct voices *v, struct str text)
{
    ssize_t at = spot_reply(text);
    if (at < 0)
        return false;
    struct str reply = without_comment(str_from_pos(text, (size_t)at));
    if (at > 0)
        reply = without_brackets(reply);
    reply = split_lines(v->a, reply);
    while (reply.n > 0) {
        struct str one = first_reply(reply);
        add(v, one, true);
        reply = str_trim(str_from_pos(reply, one.n));
    }
    return true;
}

void
voices_add_replies(struct voices *v, struct str text)
{
    while (text.n > 0 && v->n < VOICES_MOST) {
        struct str p = joined(v->a, next_paragraph(&text));
        // Exchange's own word on its queue, before the remote's last reply.
        ssize_t expired = str_find(p, STR("QUEUE.Expired"));
        if (expired >= 0 && spot_reply(str_from_pos(p, (size_t)expired)) >= 0)
            p = str_from_pos(p, (size_t)expired);
        (void)voices_add_reply(v, p);
    }
}

void
voices_add_words(struct voices *v, struct str text)
{
    voices_add(v, joined(v->a, next_paragraph(&text)));
    voices_add(v, joined(v->a, text));
}

/* A server that is a sendmail answers so, too. */
static bool
is_sendmails(struct str reply)
{
    ssize_t dots = str_find(reply, STR(">... "));
    struct str before = str_first(reply, dots < 0 ? 0 : (size_t)dots);
    ssize_t opens = str_rfind_char(before, '<');
    return opens >= 0 &&
           str_find_char(str_from_pos(before, (size_t)opens), ' ') < 0;
}

void
voices_mark_own(struct voices *v)
{
    for (size_t i = 1; i < v->n; i++)
        v->list[i].own = is_sendmails(v->list[i].text);
}

const struct recognised *
voice_read(struct voice *v, enum catalogue_stage stage)
{
    if (!v->was_read)
        (void)catalogue_read(v->text, stage, &v->reading);
    v->was_read = true;
    return &v->reading;
}
