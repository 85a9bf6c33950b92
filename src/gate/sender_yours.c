/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

enum { SENDERS_MAX = 200 };

static const char *
skip(const struct gate_facts *f)
{
    if (f->session->user.n == 0)
        return "not logged in";
    // Receipts (RFC 8098) must have it, and nobody is impersonated.
    return f->sender->whole.n > 0 ? NULL : "the null sender is everybody's";
}

/* Behind the account's own address in the reply: "[, ALIAS]...[ and more]". It
 * must not make the line so long that addresses lose their middle. */
static struct str
others(const struct gate_facts *f, const struct str *names, size_t n, bool more)
{
    enum { SHOWN_MAX = 5, LONGEST = 80 };
    struct buf text = {0};
    size_t shown = 1;

    while (shown < n && shown < SHOWN_MAX &&
           names[0].n + text.n + names[shown].n <= LONGEST) {
        buf_addf(&text, ", %.*s", STR_ARG(names[shown]));
        shown++;
    }
    if (more)
        buf_add(&text, STR(" and others"));
    else if (shown < n)
        buf_addf(&text, " and %zu more", n - shown);
    struct str kept = arena_dup(f->arena, buf_str(&text));
    buf_fini(&text);
    return kept;
}

/* For the admin: all of them. */
static struct str
all(const struct gate_facts *f, const struct str *names, size_t n, bool more)
{
    struct buf text = {0};

    buf_add(&text, STR("may send as"));
    for (size_t i = 0; i < n; i++)
        buf_addf(&text, " %.*s", STR_ARG(names[i]));
    if (more)
        buf_add(&text, STR(" ..."));
    struct str kept = arena_dup(f->arena, buf_str(&text));
    buf_fini(&text);
    return kept;
}

static struct gate_verdict
refuse(const struct gate_facts *f)
{
    struct str names[SENDERS_MAX];
    bool more;
    size_t n = book_senders(f->book, f->arena, f->session->user, names,
                            SENDERS_MAX, &more);
    struct gate_verdict v = gate_refuse(STR("sender-not-yours"));

    v.detail = others(f, names, n, more);
    if (f->thorough)
        v.rule = all(f, names, n, more);
    return v;
}

/* Who logged in writes as themselves, by their own addresses and aliases. */
static struct gate_verdict
judge(const struct gate_facts *f)
{
    if (book_may_send_as(f->book, f->arena, f->session->user, f->sender))
        return gate_pass();
    return refuse(f);
}

const struct gate_check gate_sender_yours = {
    .name = "sender-yours", .stage = GATE_MAIL, .skip = skip, .judge = judge};
