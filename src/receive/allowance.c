/* SPDX-License-Identifier: ISC */
#include "receive/allowance.h"

#include "mail/date.h"
#include "receive/decide.h"

/* Those of the account itself go before the config's. false: nobody counts. */
static bool
find_limits(struct session *s, struct book_limits *l)
{
    struct worker *w = s->worker;
    const struct conf *c = w->room->conf;
    struct book_account account;

    if (w->ledger == NULL || s->who.user.n == 0 ||
        !book_find_account(&w->book, &w->scratch, s->who.user, &account))
        return false;
    const uint32_t usual[BOOK_LIMITS] = {
        [BOOK_MESSAGES_HOUR] = c->login.messages_hour,
        [BOOK_MESSAGES_DAY] = c->login.messages_day,
        [BOOK_RECIPIENTS_HOUR] = c->login.recipients_hour,
        [BOOK_RECIPIENTS_DAY] = c->login.recipients_day};
    *l = account.limits;
    for (size_t i = 0; i < BOOK_LIMITS; i++)
        if (l->n[i] == 0)
            l->n[i] = usual[i];
    return true;
}

static struct str
describe(struct session *s, const struct ledger_full *full)
{
    static const char *const kinds[BOOK_LIMITS] = {
        [BOOK_MESSAGES_HOUR] = "messages an hour",
        [BOOK_MESSAGES_DAY] = "messages a day",
        [BOOK_RECIPIENTS_HOUR] = "recipients an hour",
        [BOOK_RECIPIENTS_DAY] = "recipients a day"};
    struct buf until = {0};

    date_add_log(&until, full->until_ms); // "2026-11-24T05:47:43.123Z"
    struct str text =
        arena_printf(&s->worker->scratch,
                     "It is %lu %s, and counted anew from %.*s %.*s UTC on.",
                     (unsigned long)full->limit, kinds[full->which], 10,
                     buf_cstr(&until), 8, buf_cstr(&until) + 11);
    buf_fini(&until);
    return text;
}

static bool
take(struct session *s, const struct ledger_want *want, struct str sender,
     struct str about)
{
    struct worker *w = s->worker;
    struct book_limits limits;
    struct ledger_full full;

    if (!find_limits(s, &limits))
        return true;
    if (!ledger_take(w->ledger, s->who.user, &limits, want,
                     loop_now(w->room->loop), &full)) {
        smtp_server_refuse(&s->smtp,
                           decide_reply(s, STR("sending-limit"), sender, about,
                                        describe(s, &full)));
        return false;
    }
    for (size_t i = 0; i < BOOK_LIMITS; i++)
        s->taken.n[i] += want->n[i];
    return true;
}

bool
allowance_take_message(struct session *s, struct str sender)
{
    static const struct ledger_want want = {
        {[BOOK_MESSAGES_HOUR] = 1, [BOOK_MESSAGES_DAY] = 1}
    };
    return take(s, &want, sender, STR_EMPTY);
}

static const struct ledger_want one_recipient = {
    {[BOOK_RECIPIENTS_HOUR] = 1, [BOOK_RECIPIENTS_DAY] = 1}
};

bool
allowance_take_recipient(struct session *s, struct str recipient)
{
    return take(s, &one_recipient, s->envelope.sender, recipient);
}

/* What was taken before is still known by then. */
static void
give_back(struct session *s, const struct ledger_want *n)
{
    struct book_limits limits;
    bool any = false;

    for (size_t i = 0; i < BOOK_LIMITS; i++)
        any = any || (n->n[i] > 0 && s->taken.n[i] >= n->n[i]);
    if (!any)
        return;
    if (find_limits(s, &limits))
        ledger_give_back(s->worker->ledger, s->who.user, &limits, n,
                         loop_now(s->worker->room->loop));
    for (size_t i = 0; i < BOOK_LIMITS; i++)
        s->taken.n[i] -= s->taken.n[i] < n->n[i] ? s->taken.n[i] : n->n[i];
}

void
allowance_return_recipient(struct session *s)
{
    give_back(s, &one_recipient);
}

void
allowance_spend(struct session *s)
{
    s->taken = (struct ledger_want){0};
}

void
allowance_give_back(struct session *s)
{
    const struct ledger_want all = s->taken;
    give_back(s, &all);
}
