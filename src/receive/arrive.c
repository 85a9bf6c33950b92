/* SPDX-License-Identifier: ISC */
#include "receive/arrive.h"

#include "os/log.h"
#include "receive/decide.h"
#include "receive/facts.h"
#include "receive/note.h"
#include "room/crowd.h"

static int64_t
now_ms(const struct session *s)
{
    return loop_now(s->worker->room->loop).mono_ms;
}

static void
refuse(struct session *s, const struct gate_verdict *v)
{
    buf_clear(&s->smtp.out); // no greeting before it
    smtp_server_close(
        &s->smtp, decide_reply(s, v->reason, STR_EMPTY, STR_EMPTY, v->detail));
}

static void
judge(struct session *s)
{
    struct gate_facts f = facts_of(s);
    if (!facts_at_hand(s, GATE_CONNECT, &f)) {
        s->unjudged = true;
        return;
    }
    struct gate_verdict v = gate_judge(GATE_CONNECT, &f, NULL);
    if (v.reason.n > 0) {
        note_verdict(s, GATE_CONNECT, &f, &v);
        refuse(s, &v);
    }
    arena_reset(&s->worker->scratch);
}

static void
count(struct session *s)
{
    struct gate_session *who = &s->who;
    if (who->local || who->loopback)
        return;
    s->network = crowd_enter(s->worker->crowd, who->client, now_ms(s));
    if (s->network == NULL)
        return;
    who->connections = crowd_connections(s->worker->crowd, s->network);
    who->rate = crowd_rate(s->worker->crowd, s->network, now_ms(s));
}

void
arrive_begin(struct session *s, const struct net_address *peer)
{
    const struct gate_policy *p = &s->worker->policy;
    s->who.loopback = !s->who.local && net_is_loopback(peer);
    count(s);
    if (s->smtp.tls || !gate_greets_late(p, &s->who)) {
        judge(s);
        return;
    }
    s->wait = WAIT_GREETING;
    s->resume_ms = now_ms(s) + p->greeting_delay_ms;
}

void
arrive_greet(struct session *s)
{
    s->wait = WAIT_NOTHING;
    s->who.early = conn_input(s->conn).n > 0;
    judge(s);
}

bool
arrive_complete(struct session *s, const struct smtp_event *ev)
{
    struct gate_facts f = facts_of(s);
    if (!s->unjudged)
        return true;
    if (!facts_complete(s, GATE_CONNECT, &f, ev))
        return false;
    struct gate_verdict v = gate_judge(GATE_CONNECT, &f, NULL);
    if (v.reason.n > 0) {
        note_verdict(s, GATE_CONNECT, &f, &v);
        decide_refuse(s, v.reason, STR_EMPTY, v.detail);
        return false;
    }
    s->unjudged = false;
    return true;
}

void
arrive_end(struct session *s)
{
    crowd_leave(s->network);
    s->network = NULL;
}
