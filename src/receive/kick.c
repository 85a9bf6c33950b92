/* SPDX-License-Identifier: ISC */
#include "receive/kick.h"

#include "os/log.h"
#include "receive/facts.h"
#include "receive/session.h"

void
kick_note_change(struct worker *w)
{
    w->book_changed = true;
}

static bool
is_kicked(struct worker *w, const struct session *s)
{
    struct book_account account;
    return s->who.user.n > 0 && s->conn != NULL && !s->lingering &&
           book_find_account(&w->book, &w->scratch, s->who.user, &account) &&
           account.kicked;
}

/* A message at its end is still kept; its client hears that at least. */
static void
kick(struct session *s)
{
    if (s->wait == WAIT_STORED)
        return;
    log_event(LOG_INFO, "kicked", LOG_S("session", str_from(s->id)),
              LOG_S("user", s->who.user), LOG_END);
    smtp_server_close(&s->smtp, STR("421 4.7.13 Your account was taken out of "
                                    "service, this session ends\r\n"));
    facts_end(s);
    s->wait = WAIT_NOTHING;
    conn_again(s->conn);
}

void
kick_at_turn_end(struct worker *w)
{
    if (!w->book_changed)
        return;
    w->book_changed = false;
    for (struct session *s = w->sessions; s != NULL; s = s->next)
        if (is_kicked(w, s))
            kick(s);
    arena_reset(&w->scratch);
    loop_again(w->room->loop);
}
