/* SPDX-License-Identifier: ISC */
/* What old ledgers tell, told again, so that they become needless. */
#include <stdlib.h>

#include "spool/move_internal.h"

enum {
    SCAN_BUDGET = 4 << 20, /* octets looked at */
    NEWS_BUDGET = 1024,    /* recipients written again in one turn */
    ENTRY_BUDGET = 8192,   /* entries looked at */
    PAUSE_MS = 10000,      /* after trouble */
};

/* ---- TOMBS --------------------------------------------------------------- */

void
mover_tell_ends(struct log_store *s)
{
    struct store_mover *m = s->mover;
    struct scan_record r;
    struct msgid id;
    struct err e;
    uint64_t stop = m->scan.at + SCAN_BUDGET, before = s->ledger.octets;

    while (m->scan.at < stop) {
        enum scan_result got = scan_next(&m->scan, &r, &e);
        if (got == SCAN_END || got == SCAN_ERROR) {
            if (got == SCAN_END)
                m->victim->tomb_since = m->since;
            else
                m->again = s->now.mono_ms + PAUSE_MS;
            mover_end_job(m);
            break;
        }
        if (got != SCAN_RECORD || !record_id(r.meta, &id) ||
            table_find(&s->table, id) != TABLE_NONE)
            continue;
        struct record_event x = {.id = id};
        ledger_add_event(s, RECORD_DONE, &x);
    }
    m->so_far.tombs += s->ledger.octets - before;
}

/* ---- NEWS ---------------------------------------------------------------- */

/* What is known of the message itself. */
static void
events_again(struct log_store *s, uint32_t i)
{
    const struct table_entry *t = table_at(&s->table, i);
    struct record_event x = {.id = t->id};

    if (t->crashes > 0) {
        x.a = t->crashes;
        ledger_add_event(s, RECORD_CRASHED, &x);
    }
    if ((t->flags & TABLE_HELD) != 0) {
        x.text = notes_hold(s, t->id);
        ledger_add_event(s, RECORD_HOLD, &x);
    }
}

/* All that the ledgers know of a message, as of now. Until that is complete
 * the old places count. false: there is more, for the next turn. */
static bool
write_again(struct log_store *s, uint32_t i, size_t *budget)
{
    struct store_mover *m = s->mover;
    const struct table_entry *t = table_at(&s->table, i);
    uint32_t k = m->part.rcpt;

    if (k == 0 || !msgid_eq(m->part.id, t->id)) {
        k = 0;
        m->part.id = t->id;
        m->part.ordinal = ledger_ordinal(s);
    }
    for (; k<t->n_rcpts && * budget> 0; k++, --*budget) {
        struct arena a = {0};
        struct record_note n;
        (void)notes_read(s, i, k, &a, &n); // none: it was never tried
        settle_note(s, i, k, &n.last);
        arena_fini(&a);
    }
    m->part.rcpt = k;
    if (k < t->n_rcpts)
        return false;
    m->part.rcpt = 0;
    events_again(s, i);
    notes_retouch(s, i, m->part.ordinal);
    return true;
}

void
mover_tell_news(struct log_store *s)
{
    struct store_mover *m = s->mover;
    uint32_t stop = m->cursor + ENTRY_BUDGET;
    uint64_t before = s->ledger.octets;
    size_t budget = NEWS_BUDGET;
    bool more;

    while ((more = table_next(&s->table, &m->cursor))) {
        const struct table_entry *t = table_at(&s->table, m->cursor);
        if (m->cursor >= stop || budget == 0)
            break;
        if (t->segment != TABLE_NONE && t->since <= m->since &&
            !write_again(s, m->cursor, &budget))
            break;
        m->cursor++;
    }
    m->so_far.news += s->ledger.octets - before;
    if (!more)
        mover_end_job(m);
}
