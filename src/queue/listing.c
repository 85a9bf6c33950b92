/* SPDX-License-Identifier: ISC */
#include "queue/listing.h"

#include "mail/date.h"

static bool
is_final(const struct spool_rcpt *r)
{
    return r->state == RCPT_DONE || r->state == RCPT_EXPANDED;
}

static struct str
domain_of(struct str address)
{
    ssize_t at = str_rfind_char(address, '@');
    return at < 0 ? STR_EMPTY : str_from_pos(address, (size_t)at + 1);
}

bool
listing_match(const struct listing_filter *f, const struct spool_view *v)
{
    struct str from = str_eq(f->from, STR("<>")) ? STR_EMPTY : f->from;

    if (f->has_from && !str_eq_nocase(v->envelope.sender, from))
        return false;
    if (f->auth.n > 0 && !str_eq_nocase(v->envelope.auth_user, f->auth))
        return false;
    if (f->to.n == 0 && f->domain.n == 0)
        return true;
    for (size_t i = 0; i < v->n_rcpts; i++) {
        const struct spool_rcpt *r = &v->rcpts[i];
        if (!is_final(r) &&
            (f->to.n == 0 || str_eq_nocase(r->address, f->to)) &&
            (f->domain.n == 0 ||
             str_eq_nocase(domain_of(r->address), f->domain)))
            return true;
    }
    return false;
}

/* Replies are what strangers wrote: octets that are no UTF-8 become "?". */
static json_t *
text(struct str s)
{
    json_t *j = json_stringn(s.p, s.n);
    struct buf ascii = {0};

    if (j != NULL)
        return j;
    for (size_t i = 0; i < s.n; i++)
        buf_add_char(&ascii, (unsigned char)s.p[i] < 128 ? s.p[i] : '?');
    j = json_stringn(ascii.p, ascii.n);
    buf_fini(&ascii);
    return j;
}

/* RFC 3339; INT64_MAX: there is none. */
static json_t *
date(int64_t wall_ms)
{
    struct buf b = {0};
    json_t *j;

    if (wall_ms == INT64_MAX)
        return json_null();
    date_add_log(&b, wall_ms);
    j = text(buf_str(&b));
    buf_fini(&b);
    return j;
}

static const char *
state_name(enum rcpt_state state)
{
    switch (state) {
    case RCPT_DUE:
        return "waiting";
    case RCPT_LEASED:
        return "active";
    case RCPT_HELD:
        return "held";
    case RCPT_EXPANDED:
        return "expanded";
    case RCPT_OWES:
        return "notice owed";
    case RCPT_DONE:
    default:
        return "done";
    }
}

static int64_t
next_of(const struct spool_rcpt *r)
{
    return r->state == RCPT_DUE || r->state == RCPT_LEASED ? r->next_ms
                                                           : INT64_MAX;
}

static json_t *
rcpt_json(const struct spool_rcpt *r)
{
    json_t *j = json_object();

    (void)json_object_set_new(j, "address", text(r->address));
    (void)json_object_set_new(j, "state", json_string(state_name(r->state)));
    (void)json_object_set_new(j, "attempts", json_integer(r->attempts));
    (void)json_object_set_new(j, "next_attempt", date(next_of(r)));
    (void)json_object_set_new(j, "last_reply", text(r->last.text));
    (void)json_object_set_new(j, "reason", text(r->last.reason));
    (void)json_object_set_new(j, "remote", text(r->last.remote));
    return j;
}

json_t *
listing_json(const struct spool_view *v, bool details)
{
    json_t *j = json_object(), *rcpts = json_array(), *each = json_array();
    int64_t next = INT64_MAX;
    uint32_t attempts = 0;
    struct str reply = STR_EMPTY;
    char id[MSGID_TEXT];

    for (size_t i = 0; i < v->n_rcpts; i++) {
        const struct spool_rcpt *r = &v->rcpts[i];
        if (details)
            (void)json_array_append_new(each, rcpt_json(r));
        if (is_final(r))
            continue;
        (void)json_array_append_new(rcpts, text(r->address));
        if (next_of(r) < next)
            next = next_of(r);
        if (r->attempts > attempts)
            attempts = r->attempts;
        if (r->last.text.n > 0)
            reply = r->last.text;
    }
    (void)json_object_set_new(j, "id", text(msgid_format(v->id, id)));
    (void)json_object_set_new(j, "sender", text(v->envelope.sender));
    (void)json_object_set_new(j, "recipients", rcpts);
    (void)json_object_set_new(j, "size", json_integer((json_int_t)v->size));
    (void)json_object_set_new(j, "arrived", date(v->envelope.arrived_ms));
    (void)json_object_set_new(j, "next_attempt", date(next));
    (void)json_object_set_new(j, "attempts", json_integer(attempts));
    (void)json_object_set_new(j, "last_reply", text(reply));
    if (v->held)
        (void)json_object_set_new(j, "held", text(v->hold_reason));
    if (details) {
        (void)json_object_set_new(j, "session", text(v->envelope.session));
        (void)json_object_set_new(j, "client", text(v->envelope.client));
        (void)json_object_set_new(j, "login", text(v->envelope.auth_user));
        (void)json_object_set(j, "details", each);
    }
    json_decref(each);
    return j;
}
