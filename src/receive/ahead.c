/* SPDX-License-Identifier: ISC */
#include "receive/ahead.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "proto/smtp/peek.h"
#include "receive/facts.h"

enum {
    SESSION_MAX = 256, /* questions of one look ahead */
    /* Of all workers together, and so less than a table keeps waiting. */
    PROCESSES_MAX = 2048,
};

struct entry {
    struct entry *next;
    struct ahead *ahead;
    struct shelf_question *question; /* NULL: answered */
    struct gate_answer answer;
    shelf_list_fn fn; /* NULL: nobody waits for it */
    void *ctx;
};

struct ahead {
    struct session *session;
    struct arena arena;
    struct map by_name;    /* list and keys -> struct entry */
    struct entry *entries; /* in the arena */
    size_t n;
    size_t left; /* octets of the input that were looked at */
};

/* ---- entries ----------------------------------------------------------- */

static struct str
name_of(struct arena *a, enum list_id list, const struct str *keys, size_t n)
{
    struct buf b = {0};
    buf_add_char(&b, (char)('0' + (int)list));
    for (size_t i = 0; i < n; i++) {
        buf_add_char(&b, '\n'); // no key has one: it comes out of a command
        buf_add(&b, keys[i]);
    }
    struct str name = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return name;
}

static struct entry *
find(struct session *s, enum list_id list, const struct str *keys, size_t n)
{
    if (s->ahead == NULL)
        return NULL;
    return map_get(&s->ahead->by_name,
                   name_of(&s->worker->scratch, list, keys, n));
}

static void
on_answer(void *ctx, enum list_found found, struct str key, struct str value)
{
    struct entry *e = ctx;
    struct ahead *a = e->ahead;
    shelf_list_fn fn = e->fn;

    e->question = NULL;
    a->session->worker->asked_ahead--;
    e->answer = (struct gate_answer){.known = facts_known(found),
                                     .key = arena_dup(&a->arena, key),
                                     .value = arena_dup(&a->arena, value)};
    e->fn = NULL;
    if (fn != NULL)
        fn(e->ctx, found, key, value);
}

static bool
may_ask(const struct session *s)
{
    const struct worker *w = s->worker;
    uint32_t share = PROCESSES_MAX / w->room->conf->receive.workers;
    return s->ahead->n < SESSION_MAX && w->asked_ahead < share;
}

static void
ask(struct session *s, enum list_id list, const struct gate_facts *f)
{
    struct ahead *a = s->ahead;
    struct str keys[GATE_KEYS_MAX];
    size_t n = gate_keys(f, (enum gate_lookup)list, keys);

    if (n == 0 || find(s, list, keys, n) != NULL)
        return;
    struct entry *e = arena_alloc(&a->arena, sizeof *e);
    e->ahead = a;
    e->question = shelf_list_ask(s->worker->shelf, list, keys, n, on_answer, e);
    if (e->question == NULL)
        return; // directory is away: whose turn it is finds out
    e->next = a->entries;
    a->entries = e;
    a->n++;
    s->worker->asked_ahead++;
    (void)map_put(&a->by_name, name_of(&s->worker->scratch, list, keys, n), e);
}

/* ---- commands ---------------------------------------------------------- */

static void
ask_for(struct session *s, enum gate_stage stage, struct gate_facts *f)
{
    unsigned lists = facts_missing(s, stage, f);
    for (unsigned i = 0; i < LIST_COUNT; i++)
        if ((lists & 1U << i) != 0)
            ask(s, (enum list_id)i, f);
}

/* sender: of the transaction in which a recipient stands. */
static void
look_ahead(struct session *s, struct str input)
{
    struct str rest = input;
    struct address sender;
    struct smtp_mail mail;
    struct smtp_rcpt rcpt;
    enum smtp_peek what = SMTP_PEEK_OTHER;

    facts_sender(s, &sender);
    while (may_ask(s) &&
           (what = smtp_peek(&rest, &mail, &rcpt)) != SMTP_PEEK_END) {
        struct gate_facts f = facts_of(s);
        if (what == SMTP_PEEK_MAIL) {
            sender = mail.sender;
            gate_facts_sender(&f, &sender, mail.size);
            ask_for(s, GATE_MAIL, &f);
        } else if (what == SMTP_PEEK_RCPT) {
            f.sender = &sender;
            gate_facts_recipient(&f, &rcpt.recipient, s->envelope.n_rcpts);
            ask_for(s, GATE_RCPT, &f);
        }
        arena_reset(&s->worker->scratch);
    }
    s->ahead->left = input.n - rest.n;
}

static void
begin(struct session *s)
{
    struct str input = conn_input(s->conn);
    if (input.n == 0 || !shelf_asks(s->worker->shelf))
        return;
    s->ahead = alloc_zero(sizeof *s->ahead);
    s->ahead->session = s;
    look_ahead(s, input);
    if (s->ahead->left == 0)
        ahead_end(s);
}

/* ------------------------------------------------------------------------ */

void
ahead_passed(struct session *s, size_t n)
{
    if (s->ahead != NULL)
        s->ahead->left -= n < s->ahead->left ? n : s->ahead->left;
}

static bool
is_waited_for(const struct ahead *a)
{
    for (const struct entry *e = a->entries; e != NULL; e = e->next)
        if (e->fn != NULL)
            return true;
    return false;
}

void
ahead_step(struct session *s)
{
    if (s->ahead != NULL && s->ahead->left == 0 && !is_waited_for(s->ahead))
        ahead_end(s);
    if (s->ahead == NULL && s->wait == WAIT_FACTS)
        begin(s);
}

bool
ahead_find(struct session *s, enum list_id list, const struct str *keys,
           size_t n, struct gate_answer *answer)
{
    const struct entry *e = find(s, list, keys, n);
    if (e == NULL || e->question != NULL)
        return false;
    *answer = e->answer;
    return true;
}

bool
ahead_wait(struct session *s, enum list_id list, const struct str *keys,
           size_t n, shelf_list_fn fn, void *ctx)
{
    struct entry *e = find(s, list, keys, n);
    if (e == NULL || e->question == NULL)
        return false;
    e->fn = fn;
    e->ctx = ctx;
    return true;
}

void
ahead_leave(struct session *s)
{
    if (s->ahead == NULL)
        return;
    for (struct entry *e = s->ahead->entries; e != NULL; e = e->next)
        e->fn = NULL;
}

void
ahead_end(struct session *s)
{
    struct ahead *a = s->ahead;
    if (a == NULL)
        return;
    for (struct entry *e = a->entries; e != NULL; e = e->next) {
        if (e->question == NULL)
            continue;
        shelf_list_cancel(e->question);
        s->worker->asked_ahead--;
    }
    map_fini(&a->by_name);
    arena_fini(&a->arena);
    free(a);
    s->ahead = NULL;
}
