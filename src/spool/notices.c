/* SPDX-License-Identifier: ISC */
/*
 * What is owed to senders. An outcome carries its debt in its own record; a
 * debt ends when the message that carries its key has come (R3 -> R4). The
 * keys name recipients, so that it does not matter in which groups a debt was
 * asked for before and after a crash.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "spool/key.h"
#include "spool/store_internal.h"

static bool
is_owed(const struct table_rcpt *r, unsigned kind)
{
    unsigned handed = r->owes >> 4;
    return r->state == RCPT_OWES && (r->owes & kind & ~handed) != 0;
}

/* Puts the entry into the list, if any of its debts was not handed out. */
void
notices_owe(struct log_store *s, uint32_t i)
{
    struct table_entry *t = table_at(&s->table, i);
    bool owing = false;

    if ((t->flags & TABLE_OWING) != 0)
        return;
    for (uint32_t k = 0; k < t->n_rcpts && !owing; k++)
        owing = is_owed(table_rcpt(&s->table, i, k), NOTICE_ALL);
    if (!owing)
        return;
    if (s->n_owing == s->cap_owing) {
        s->cap_owing = s->cap_owing * 2 + 64;
        s->owing = alloc_resize(s->owing, s->cap_owing * sizeof *s->owing);
    }
    s->owing[s->n_owing++] = t->id;
    t->flags |= TABLE_OWING;
}

/* All bounces of a message together, and all reports of success; an autoreply
 * for each recipient. */
static bool
take_owed(struct log_store *s, uint32_t i, unsigned kind, struct arena *a,
          struct spool_notice *out)
{
    const struct table_entry *t = table_at(&s->table, i);
    struct buf key = {0};

    *out = (struct spool_notice){.original = t->id, .kind = kind};
    for (uint32_t k = 0; k < t->n_rcpts; k++) {
        struct table_rcpt *r = table_rcpt(&s->table, i, k);
        if (!is_owed(r, kind))
            continue;
        if (out->rcpts == NULL)
            out->rcpts = arena_array(a, t->n_rcpts - k, sizeof *out->rcpts);
        r->owes |= (uint8_t)(kind << 4);
        out->rcpts[out->n_rcpts++] = k;
        if (kind == NOTICE_AUTOREPLY)
            break;
    }
    if (out->n_rcpts == 0)
        return false;
    key_format(&key, t->id, kind, out->rcpts, out->n_rcpts);
    out->key = arena_dup(a, buf_str(&key));
    buf_fini(&key);
    return true;
}

bool
log_store_next_notice(struct spool_store *base, struct arena *a,
                      struct spool_notice *out)
{
    struct log_store *s = store_of(base);

    // Until all was read, its message may lie in a segment still unread.
    while (s->recovered && s->first_owing < s->n_owing) {
        uint32_t i = table_find(&s->table, s->owing[s->first_owing]);
        bool lives =
            i != TABLE_NONE && table_at(&s->table, i)->segment != TABLE_NONE;
        if (lives && (take_owed(s, i, NOTICE_BOUNCE, a, out) ||
                      take_owed(s, i, NOTICE_SUCCESS, a, out) ||
                      take_owed(s, i, NOTICE_AUTOREPLY, a, out)))
            return true;
        if (lives)
            table_at(&s->table, i)->flags &= (uint8_t)~TABLE_OWING;
        if (++s->first_owing == s->n_owing)
            s->first_owing = s->n_owing = 0;
    }
    return false;
}

void
log_store_notices_again(struct spool_store *base)
{
    struct log_store *s = store_of(base);
    for (uint32_t i = 0; table_next(&s->table, &i); i++) {
        const struct table_entry *t = table_at(&s->table, i);
        if (t->segment == TABLE_NONE)
            continue;
        for (uint32_t k = 0; k < t->n_rcpts; k++)
            table_rcpt(&s->table, i, k)->owes &= 15;
        notices_owe(s, i);
    }
}

/* Its original may be in a segment that was not read yet. */
static void
pay_later(struct log_store *s, struct str key)
{
    if (s->n_payments == s->cap_payments) {
        s->cap_payments = s->cap_payments * 2 + 16;
        s->payments =
            alloc_resize(s->payments, s->cap_payments * sizeof *s->payments);
    }
    struct buf *b = &s->payments[s->n_payments++];
    *b = (struct buf){0};
    buf_add(b, key);
}

/* R3 -> R4. */
void
notices_pay(struct log_store *s, struct str text)
{
    struct record_event x = {.text = text};
    struct spool_key key;
    uint32_t first, last;
    bool any = false;

    if (!key_parse(text, &key))
        return;
    if (!s->recovered) {
        pay_later(s, text);
        return;
    }
    uint32_t i = table_find(&s->table, key.original);
    if (i == TABLE_NONE)
        return;
    struct table_entry *t = table_at(&s->table, i);
    x.id = key.original;
    while (key.ranges.n > 0 && key_next(&key.ranges, &first, &last))
        for (uint32_t k = first; k < t->n_rcpts && k <= last; k++) {
            struct table_rcpt *r = table_rcpt(&s->table, i, k);
            if (r->state != RCPT_OWES || (r->owes & key.kind) == 0)
                continue;
            any = true;
            r->owes &= (uint8_t) ~(key.kind | key.kind << 4);
            if ((r->owes & 15) == 0) {
                table_set_state(&s->table, i, k, RCPT_DONE);
            }
        }
    if (!any)
        return;
    ledger_add_event(s, RECORD_PAID, &x);
    settle_done(s, i);
}

void
log_store_notice_declined(struct spool_store *base, struct str key)
{
    notices_pay(store_of(base), key);
}
