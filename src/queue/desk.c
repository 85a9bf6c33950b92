/* SPDX-License-Identifier: ISC */
#include "queue/desk.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "os/log.h"
#include "queue/listing.h"
#include "room/hatch.h"

enum {
    UNSENT_MAX = 64 << 10, /* octets before the next message is looked at */
    STEP_MESSAGES = 200,   /* in one turn, whether they match or not */
};

enum verb { VERB_NONE = 0, VERB_LIST, VERB_SHOW, VERB_RETRY, VERB_REMOVE };

static const struct {
    const char *name;
    enum verb verb;
} verbs[] = {
    {"list",   VERB_LIST  },
    {"show",   VERB_SHOW  },
    {"retry",  VERB_RETRY },
    {"remove", VERB_REMOVE},
};

struct client {
    struct hatch_client hatch; /* first */
    enum verb verb;
    json_t *request; /* owns what the filter points to */
    struct listing_filter filter;
    struct buf ids; /* struct msgid of the messages to look at */
    size_t at;      /* octets of ids done */
    uint64_t matched, busy;
};

struct desk {
    struct loop *loop;
    struct spool_store *store;
    struct schedule *schedule;
    struct diary *diary; /* or NULL */
    struct hatch *hatch;
};

/* ---- answers ------------------------------------------------------------- */

static void
send_json(struct client *c, json_t *j)
{
    char *line = json_dumps(j, JSON_COMPACT | JSON_ENSURE_ASCII);

    json_decref(j);
    if (line == NULL)
        return;
    conn_write(c->hatch.conn, str_from(line));
    conn_write(c->hatch.conn, STR("\n"));
    free(line);
}

static void
answer_end(struct client *c)
{
    send_json(c,
              json_pack("{s:b,s:I,s:I}", "done", 1, "matched",
                        (json_int_t)c->matched, "busy", (json_int_t)c->busy));
    c->hatch.busy = false;
    json_decref(c->request);
    c->request = NULL;
    buf_fini(&c->ids);
    c->at = 0;
}

/* A worker may have it in hand: then it is too late, or too early. */
static bool
remove_message(struct desk *all, const struct spool_view *v)
{
    char id[MSGID_TEXT];
    bool leased = false;

    for (size_t i = 0; i < v->n_rcpts; i++)
        leased = leased || v->rcpts[i].state == RCPT_LEASED;
    if (leased &&
        !schedule_give_back(all->schedule, v->id, loop_now(all->loop)))
        return false;
    if (!spool_remove(all->store, v->id))
        return false;
    diary_note(
        all->diary,
        &(struct journal_event){
            .kind = JOURNAL_REMOVED,
            .message = msgid_format(v->id, id),
            .session = v->envelope.session,
            .sender = v->envelope.sender.n > 0 ? v->envelope.sender : STR("<>"),
            .detail = STR("gatepost queue remove"),
        });
    log_event(LOG_WARNING, "removed", LOG_S("id", msgid_format(v->id, id)),
              LOG_S("session", v->envelope.session),
              LOG_S("sender", v->envelope.sender), LOG_END);
    return true;
}

static void
answer_message(struct client *c, const struct spool_view *v)
{
    struct desk *all = c->hatch.room;
    json_t *j = listing_json(v, c->verb == VERB_SHOW);

    if (c->verb == VERB_RETRY && v->held)
        (void)spool_release(all->store, v->id, loop_now(all->loop).wall_ms);
    else if (c->verb == VERB_RETRY)
        (void)spool_reschedule(all->store, v->id, loop_now(all->loop).wall_ms);
    if (c->verb == VERB_REMOVE && !remove_message(all, v)) {
        c->busy++;
        (void)json_object_set_new(j, "busy", json_true());
    } else {
        c->matched++;
    }
    send_json(c, j);
}

/* Some of the messages; the rest when the client has read these. */
static void
answer_some(struct hatch_client *h)
{
    struct client *c = (struct client *)h;
    struct desk *all = h->room;

    for (unsigned i = 0; i < STEP_MESSAGES; i++) {
        struct arena a = {0};
        struct spool_view v;
        struct msgid id;
        if (c->at == c->ids.n) {
            answer_end(c);
            return;
        }
        if (conn_unsent(h->conn) > UNSENT_MAX)
            return;
        memcpy(&id, c->ids.p + c->at, sizeof id);
        c->at += sizeof id;
        if (spool_show(all->store, id, &a, &v) && listing_match(&c->filter, &v))
            answer_message(c, &v);
        arena_fini(&a);
    }
    conn_again(h->conn);
    loop_again(all->loop);
}

/* ---- questions ----------------------------------------------------------- */

static void
refuse(struct client *c, const char *why)
{
    send_json(c, json_pack("{s:s}", "error", why));
}

static void
on_id(void *ctx, struct msgid id)
{
    struct buf *ids = ctx;
    buf_add(ids, str_from_n(&id, sizeof id));
}

static struct str
member(const json_t *request, const char *name)
{
    return str_from(json_string_value(json_object_get(request, name)));
}

static void
begin(struct client *c, json_t *request)
{
    struct desk *all = c->hatch.room;
    struct str id_text = member(request, "id");
    struct msgid id;

    c->filter = (struct listing_filter){
        .from = member(request, "from"),
        .to = member(request, "to"),
        .domain = member(request, "domain"),
        .auth = member(request, "auth"),
        .has_from = json_object_get(request, "from") != NULL,
    };
    c->matched = c->busy = 0;
    if (id_text.n == 0)
        spool_ids(all->store, on_id, &c->ids);
    else if (msgid_parse(id_text, &id))
        on_id(&c->ids, id);
}

static void
obey(struct hatch_client *h, struct str line)
{
    struct client *c = (struct client *)h;
    json_error_t why;
    json_t *request = json_loadb(line.p, line.n, 0, &why);
    struct str verb = member(request, "verb");

    c->verb = VERB_NONE;
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (str_eq(verb, str_from(verbs[i].name)))
            c->verb = verbs[i].verb;
    if (c->verb == VERB_NONE) {
        refuse(c, request == NULL
                      ? "not a JSON object on one line"
                      : "unknown verb, expected list, show, retry or remove");
        json_decref(request);
        return;
    }
    c->request = request;
    h->busy = true;
    begin(c, request);
}

/* ---- the hatch ----------------------------------------------------------- */

static void
forget(struct hatch_client *h)
{
    struct client *c = (struct client *)h;

    json_decref(c->request);
    buf_fini(&c->ids);
}

static const struct hatch_calls calls = {.size = sizeof(struct client),
                                         .line = obey,
                                         .more = answer_some,
                                         .gone = forget};

struct desk *
desk_new(struct loop *l, struct spool_store *store, struct schedule *s,
         struct diary *diary)
{
    struct desk *all = alloc_zero(sizeof *all);

    all->loop = l;
    all->store = store;
    all->schedule = s;
    all->diary = diary;
    all->hatch = hatch_new(l, &calls, all);
    return all;
}

void
desk_listen(struct desk *all, int listener)
{
    hatch_listen(all->hatch, listener);
}
