/* SPDX-License-Identifier: ISC */
#include "receive/facts.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "receive/ahead.h"

/* One question of a parked session. */
struct open_question {
    struct session *session;
    enum gate_lookup lookup;
    struct shelf_question *list;
    struct domain_question *domain;
};

struct parked {
    struct arena arena; /* the event and the answers live in it */
    struct smtp_event event;
    struct gate_answer answers[GATE_LOOKUPS];
    struct open_question questions[GATE_LOOKUPS];
    unsigned open; /* 1U << lookup: asked, not answered */
};

/* ---- the event --------------------------------------------------------- */

static void
keep_address(struct arena *a, struct address *x)
{
    x->whole = arena_dup(a, x->whole);
    x->local = arena_dup(a, x->local);
    x->domain = arena_dup(a, x->domain);
}

static struct smtp_event
keep_event(struct arena *a, const struct smtp_event *ev)
{
    struct smtp_event e = *ev;
    e.name = arena_dup(a, e.name);
    e.mechanism = STR_EMPTY;
    e.bytes = STR_EMPTY;
    keep_address(a, &e.mail.sender);
    e.mail.envid = arena_dup(a, e.mail.envid);
    keep_address(a, &e.rcpt.recipient);
    e.rcpt.orcpt = arena_dup(a, e.rcpt.orcpt);
    return e;
}

/* ---- answers ----------------------------------------------------------- */

static void
take_answer(struct open_question *q, struct gate_answer answer)
{
    struct session *s = q->session;
    struct parked *p = s->parked;
    q->list = NULL;
    q->domain = NULL;
    answer.key = arena_dup(&p->arena, answer.key);
    answer.value = arena_dup(&p->arena, answer.value);
    p->answers[q->lookup] = answer;
    p->open &= ~(1U << q->lookup);
    if (p->open == 0)
        conn_again(s->conn);
}

enum gate_known
facts_known(enum list_found found)
{
    if (found == LIST_YES)
        return GATE_YES;
    return found == LIST_NO ? GATE_NO : GATE_TROUBLE;
}

static void
on_list(void *ctx, enum list_found found, struct str key, struct str value)
{
    take_answer(ctx, (struct gate_answer){.known = facts_known(found),
                                          .key = key,
                                          .value = value});
}

static void
on_domain(void *ctx, enum domain_answer a)
{
    struct gate_answer answer = {.known = GATE_NO};
    if (a == DOMAIN_YES)
        answer.known = GATE_YES;
    else if (a == DOMAIN_TROUBLE)
        answer.known = GATE_TROUBLE;
    else if (a == DOMAIN_NULL_MX)
        answer.value = STR("null MX");
    take_answer(ctx, answer);
}

/* ---- questions --------------------------------------------------------- */

/* What is mapped here or was asked ahead. LIST_ASK leaves the answer open. */
static void
look_into_list(struct session *s, struct gate_facts *f, enum list_id list)
{
    struct gate_answer *a = &f->answers[list];
    struct str keys[GATE_KEYS_MAX];
    size_t n = gate_keys(f, (enum gate_lookup)list, keys);
    a->known = GATE_NO;
    for (size_t i = 0; i < n; i++) {
        enum list_found found =
            shelf_list_find(s->worker->shelf, list, keys[i], &a->value);
        if (found == LIST_NO)
            continue;
        if (found == LIST_ASK && ahead_find(s, list, keys, n, a))
            return;
        a->known = found == LIST_ASK ? GATE_NOT_ASKED : facts_known(found);
        a->key = keys[i];
        return;
    }
}

static void
ask(struct session *s, const struct gate_facts *f, enum gate_lookup lookup)
{
    struct worker *w = s->worker;
    struct parked *p = s->parked;
    struct open_question *q = &p->questions[lookup];
    struct str keys[GATE_KEYS_MAX];
    size_t n = gate_keys(f, lookup, keys);

    *q = (struct open_question){.session = s, .lookup = lookup};
    p->answers[lookup].known = n == 0 ? GATE_NO : GATE_TROUBLE;
    if (n == 0)
        return;
    bool list = (unsigned)lookup < LIST_COUNT, ahead = false;
    if (list)
        ahead = ahead_wait(s, (enum list_id)lookup, keys, n, on_list, q);
    if (list && !ahead)
        q->list =
            shelf_list_ask(w->shelf, (enum list_id)lookup, keys, n, on_list, q);
    else if (!list && w->dns != NULL)
        q->domain = domain_ask(
            w->dns, keys[0],
            lookup == GATE_ASK_SENDER_DOMAIN ? DOMAIN_EXISTS : DOMAIN_IS_HERE,
            w->room->conf->hostname, on_domain, q);
    if (ahead || q->list != NULL || q->domain != NULL)
        p->open |= 1U << lookup;
}

unsigned
facts_missing(struct session *s, enum gate_stage stage, struct gate_facts *f)
{
    unsigned needs = gate_needs(stage, f);
    for (unsigned i = 0; i < LIST_COUNT; i++)
        if ((needs & 1U << i) != 0)
            look_into_list(s, f, (enum list_id)i);
    return needs == 0 ? 0 : gate_needs(stage, f);
}

struct gate_facts
facts_of(struct session *s)
{
    struct worker *w = s->worker;
    return (struct gate_facts){.policy = &w->policy,
                               .session = &s->who,
                               .book = &w->book,
                               .arena = &w->scratch};
}

void
facts_sender(const struct session *s, struct address *sender)
{
    if (!address_parse(s->envelope.sender, sender))
        *sender = (struct address){.whole = STR_EMPTY};
}

bool
facts_at_hand(struct session *s, enum gate_stage stage, struct gate_facts *f)
{
    return facts_missing(s, stage, f) == 0;
}

bool
facts_complete(struct session *s, enum gate_stage stage, struct gate_facts *f,
               const struct smtp_event *ev)
{
    if (s->parked != NULL)
        for (unsigned i = 0; i < GATE_LOOKUPS; i++)
            f->answers[i] = s->parked->answers[i];
    unsigned needs = facts_missing(s, stage, f);
    if (needs == 0)
        return true;
    if (s->parked == NULL) {
        s->parked = alloc_zero(sizeof *s->parked);
        s->parked->event = keep_event(&s->parked->arena, ev);
    }
    for (unsigned i = 0; i < GATE_LOOKUPS; i++)
        if ((needs & 1U << i) != 0)
            ask(s, f, (enum gate_lookup)i);
    s->wait = WAIT_FACTS;
    if (s->parked->open == 0) // nobody could be asked: go on at once
        conn_again(s->conn);
    return false;
}

bool
facts_ready(const struct session *s)
{
    return s->parked != NULL && s->parked->open == 0;
}

const struct smtp_event *
facts_event(const struct session *s)
{
    return &s->parked->event;
}

void
facts_late(struct session *s)
{
    struct parked *p = s->parked;
    ahead_leave(s);
    for (unsigned i = 0; i < GATE_LOOKUPS; i++) {
        struct open_question *q = &p->questions[i];
        if ((p->open & 1U << i) == 0)
            continue;
        shelf_list_cancel(q->list);
        domain_cancel(q->domain);
        take_answer(q, (struct gate_answer){.known = GATE_TROUBLE});
    }
}

void
facts_end(struct session *s)
{
    struct parked *p = s->parked;
    if (p == NULL)
        return;
    ahead_leave(s);
    for (unsigned i = 0; i < GATE_LOOKUPS; i++) {
        shelf_list_cancel(p->questions[i].list);
        domain_cancel(p->questions[i].domain);
    }
    arena_fini(&p->arena);
    free(p);
    s->parked = NULL;
}
