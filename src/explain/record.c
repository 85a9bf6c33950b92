/* SPDX-License-Identifier: ISC */
#include "explain/record.h"

#include "base/ascii.h"
#include "base/map.h"
#include "base/math.h"
#include "base/utf8.h"

enum { ADDRESS_HASHED = 640 }; /* octets: no spot is longer */

static const struct reason *
reason_of(const char *id)
{
    const struct reason *r = catalogue_find(str_from(id));
    return r != NULL ? r : catalogue_find(STR("unclear"));
}

/* A copy in the arena: UTF-8 without controls. */
static void
own(struct arena *a, struct str *s, bool lines)
{
    struct buf mended = {0};
    if (s->n == 0)
        return;
    utf8_add_mended(&mended, *s);
    for (size_t i = 0; i < mended.n; i++)
        if (ascii_is_control((unsigned char)mended.p[i]) &&
            !(lines && mended.p[i] == '\n'))
            mended.p[i] = ' ';
    *s = arena_dup(a, buf_str(&mended));
    buf_fini(&mended);
}

static void
own_others(struct arena *a, struct explained *e)
{
    struct str *const fields[] = {&e->reply,      &e->status,        &e->action,
                                  &e->stage,      &e->agent,         &e->sender,
                                  &e->message_id, &e->reporting_mta, &e->date,
                                  &e->subject,    &e->remote_mta};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        own(a, fields[i], false);
    own(a, &e->said, true);
}

/* Of an address without regard to case: a record is looked for once a line of
 * a log, among two thousand. */
static uint64_t
hash_of(struct str recipient)
{
    char lower[ADDRESS_HASHED];
    size_t n = math_min(recipient.n, sizeof lower);
    for (size_t i = 0; i < n; i++)
        lower[i] = (char)ascii_lower((unsigned char)recipient.p[i]);
    return map_hash(str_from_n(lower, n));
}

static struct explained *
find_record(struct explanation *out, struct str recipient, uint64_t hash)
{
    for (size_t i = 0; i < out->n; i++)
        if (out->hashes[i] == hash &&
            str_eq_nocase(out->list[i].recipient, recipient))
            return &out->list[i];
    return NULL;
}

static void
make_room(struct explanation *out, struct arena *a)
{
    size_t room = out->n == 0 ? 4 : out->n * 2;
    struct explained *list = arena_array(a, room, sizeof *list);
    uint64_t *hashes = arena_array(a, room, sizeof *hashes);
    if (out->n > 0) {
        memcpy(list, out->list, out->n * sizeof *list);
        memcpy(hashes, out->hashes, out->n * sizeof *hashes);
    }
    out->list = list;
    out->hashes = hashes;
    out->room = room;
}

/* Of one recipient the first word counts, or, in a log, the last. */
void
record_add(struct explanation *out, struct arena *a, struct explained e,
           bool last_counts)
{
    own(a, &e.recipient, false);
    uint64_t hash = hash_of(e.recipient);
    struct explained *known = find_record(out, e.recipient, hash);
    if (known != NULL) {
        if (last_counts) {
            own_others(a, &e);
            *known = e;
        }
        return;
    }
    if (out->n == RECORDS_MOST) {
        out->cut = true;
        return;
    }
    if (out->n == out->room)
        make_room(out, a);
    own_others(a, &e);
    out->hashes[out->n] = hash;
    out->list[out->n++] = e;
}

static void
set_reason(struct explained *e, const char *id)
{
    e->reason = reason_of(id);
    e->confidence = EXPLAIN_HIGH;
    e->permanent = false;
}

/* The last two labels: good enough to tell one's own server from a stranger's.
 */
static struct str
site_of(struct str host)
{
    if (host.n == 0)
        return host;
    ssize_t at = str_rfind_char(host, '@');
    host = str_from_pos(host, (size_t)(at + 1));
    ssize_t dot = str_rfind_char(host, '.');
    if (dot > 0)
        dot = str_rfind_char(str_first(host, (size_t)dot), '.');
    return dot < 0 ? host : str_from_pos(host, (size_t)dot + 1);
}

/* Who will not relay: the sender's own outgoing server, which wants a login, or
 * the recipient's, which does not know the domain? */
static void
tell_relays_apart(struct explained *e)
{
    struct str refuser = site_of(e->remote_mta);
    if (refuser.n > 0 && str_eq(e->reason->klass, STR("relay-denied")) &&
        str_eq_nocase(refuser, site_of(e->sender)) &&
        !str_eq_nocase(refuser, site_of(e->recipient)))
        e->reason = reason_of("login-needed");
}

void
record_finish(struct explained *e)
{
    switch (e->kind) {
    case EXPLAIN_SUCCESS:
        set_reason(e, "delivered");
        break;
    case EXPLAIN_RELAYED:
        set_reason(e, "relayed");
        break;
    case EXPLAIN_DELAY:
        e->permanent = false;
        if (str_eq(e->reason->klass, STR("unclear")))
            set_reason(e, "delayed");
        break;
    case EXPLAIN_AUTOREPLY:
        set_reason(e, "automatic-reply");
        break;
    case EXPLAIN_COMPLAINT:
        set_reason(e, "complaint");
        break;
    case EXPLAIN_OTHER:
        set_reason(e, "not-a-bounce");
        break;
    case EXPLAIN_FAILURE:
    default:
        tell_relays_apart(e);
        break;
    }
}
