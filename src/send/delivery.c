/* SPDX-License-Identifier: ISC */
#include "send/delivery.h"

#include "os/log.h"

struct delivery *
delivery_new(struct work *w)
{
    struct job_msg *m = &w->msg;
    struct delivery *d = arena_alloc(&w->arena, sizeof *d);

    d->work = w;
    d->at = arena_array(&w->arena, m->n_rcpts, sizeof *d->at);
    d->envelope = (struct envelope){
        .sender = m->sender,
        .envid = m->envid,
        .ret = m->ret,
        .body = m->body,
        .smtputf8 = m->smtputf8,
        .rcpts = arena_array(&w->arena, m->n_rcpts, sizeof *d->envelope.rcpts),
        .n_rcpts = m->n_rcpts};
    for (size_t i = 0; i < m->n_rcpts; i++) {
        d->at[i] = (uint32_t)i;
        d->envelope.rcpts[i] =
            (struct recipient){.address = m->rcpts[i].address,
                               .orcpt = m->rcpts[i].orcpt,
                               .notify = m->rcpts[i].notify};
    }
    return d;
}

static void
complain(struct delivery *d, const struct err *e)
{
    char id[MSGID_TEXT];
    log_event(LOG_ERROR, "unreadable",
              LOG_S("id", msgid_format(d->work->msg.id, id)),
              LOG_S("error", str_from(e->text)), LOG_END);
}

bool
delivery_open(struct delivery *d, const struct disk *disk)
{
    // An attempt, unlike OUTCOME_NONE: it must not come back at once.
    static const struct verdict unreadable = {
        .outcome = OUTCOME_LATER,
        .status = {4, 3,                                          0},
        .reason = {"spool-trouble", 13                            },
        .text = {"the message cannot be read from the spool", 41}
    };
    struct work *w = d->work;
    struct err e;

    d->reading = spool_reader_open(&d->reader, disk, w->segment_fd, w->large_fd,
                                   w->msg.id, &w->msg.at, &e);
    if (!d->reading) {
        complain(d, &e);
        delivery_give_up(d, &unreadable);
    }
    return d->reading;
}

bool
delivery_read(struct delivery *d, struct str *bytes)
{
    struct err e;
    bool ok = spool_reader_next(&d->reader, bytes, &e);
    if (!ok)
        complain(d, &e);
    return ok;
}

void
delivery_close(struct delivery *d)
{
    if (d->reading)
        spool_reader_close(&d->reader);
    d->reading = false;
}

/* RFC 5321 4.5.3.1.10: the client may go on with the rest at once. */
static bool
too_many(const struct verdict *v)
{
    bool says_so = v->status.subject == 5 && v->status.detail == 3;
    return v->outcome == OUTCOME_LATER && str_eq(v->command, STR("RCPT TO")) &&
           (says_so || (v->code == 452 && v->status.klass == 0));
}

bool
delivery_settle(struct delivery *d, const struct verdict *verdicts)
{
    struct work *w = d->work;
    size_t left = 0, relayed = 0, n = d->envelope.n_rcpts;

    for (size_t i = 0; i < n; i++)
        relayed += verdicts[i].outcome == OUTCOME_RELAYED;
    for (size_t i = 0; i < n; i++) {
        w->msg.rcpts[d->at[i]].verdict = verdicts[i];
        left += relayed > 0 && too_many(&verdicts[i]);
    }
    // Mostly all is reported at once, before the peer's words are forgotten.
    if (left == 0)
        return false;
    left = 0;
    for (size_t i = 0; i < n; i++) {
        w->msg.rcpts[d->at[i]].verdict = verdict_dup(&w->arena, &verdicts[i]);
        if (!too_many(&verdicts[i]))
            continue;
        d->at[left] = d->at[i];
        d->envelope.rcpts[left++] = d->envelope.rcpts[i];
    }
    d->envelope.n_rcpts = left;
    return true;
}

void
delivery_give_up(struct delivery *d, const struct verdict *v)
{
    struct work *w = d->work;
    for (size_t i = 0; i < d->envelope.n_rcpts; i++)
        w->msg.rcpts[d->at[i]].verdict = *v;
}

void
delivery_report(struct delivery *d, struct jobs *jobs)
{
    delivery_close(d);
    jobs_done(jobs, d->work);
}
