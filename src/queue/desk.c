/* SPDX-License-Identifier: ISC */
#include "queue/desk.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "os/conn.h"
#include "os/log.h"
#include "os/net.h"
#include "queue/listing.h"

enum {
    LINE_OCTETS_MAX = 4096,
    CLIENTS_MAX = 64,
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
    struct client *next;
    struct desk *all;
    struct conn *conn; /* NULL: gone, freed when the turn ends */
    enum verb verb;    /* NONE: it has asked nothing, or all is answered */
    json_t *request;   /* owns what the filter points to */
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
    int listener;
    struct watch *watch;
    struct client *clients;
    size_t n_clients;
};

/* ---- answers ------------------------------------------------------------- */

static void
send_json(struct client *c, json_t *j)
{
    char *line = json_dumps(j, JSON_COMPACT | JSON_ENSURE_ASCII);

    json_decref(j);
    if (line == NULL)
        return;
    conn_write(c->conn, str_from(line));
    conn_write(c->conn, STR("\n"));
    free(line);
}

static void
answer_end(struct client *c)
{
    send_json(c,
              json_pack("{s:b,s:I,s:I}", "done", 1, "matched",
                        (json_int_t)c->matched, "busy", (json_int_t)c->busy));
    c->verb = VERB_NONE;
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
    struct desk *all = c->all;
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
answer_some(struct client *c)
{
    for (unsigned i = 0; i < STEP_MESSAGES; i++) {
        struct arena a = {0};
        struct spool_view v;
        struct msgid id;
        if (c->at == c->ids.n) {
            answer_end(c);
            return;
        }
        if (conn_unsent(c->conn) > UNSENT_MAX)
            return;
        memcpy(&id, c->ids.p + c->at, sizeof id);
        c->at += sizeof id;
        if (spool_show(c->all->store, id, &a, &v) &&
            listing_match(&c->filter, &v))
            answer_message(c, &v);
        arena_fini(&a);
    }
    conn_again(c->conn);
    loop_again(c->all->loop);
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
        spool_ids(c->all->store, on_id, &c->ids);
    else if (msgid_parse(id_text, &id))
        on_id(&c->ids, id);
}

static void
obey(struct client *c, struct str line)
{
    json_error_t why;
    json_t *request = json_loadb(line.p, line.n, 0, &why);
    struct str verb = member(request, "verb");

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
    begin(c, request);
}

/* ---- connections --------------------------------------------------------- */

static void
end_client(struct client *c)
{
    conn_free(c->conn);
    c->conn = NULL;
    json_decref(c->request);
    c->request = NULL;
    buf_fini(&c->ids);
}

/* The next whole line of the input; false: none yet. */
static bool
take_line(struct client *c)
{
    struct str in = conn_input(c->conn);
    ssize_t end = str_find_char(in, '\n');

    if (end < 0)
        return false;
    obey(c, str_first(in, (size_t)end));
    conn_consume(c->conn, (size_t)end + 1);
    return true;
}

static void
on_step(void *ctx)
{
    struct client *c = ctx;

    if (c->conn == NULL)
        return;
    if (c->verb != VERB_NONE)
        answer_some(c);
    while (c->verb == VERB_NONE && take_line(c))
        if (c->verb != VERB_NONE)
            answer_some(c);
    if (conn_state(c->conn) == CONN_FAILED ||
        (conn_state(c->conn) == CONN_EOF && c->verb == VERB_NONE) ||
        (c->verb == VERB_NONE && conn_input(c->conn).n > LINE_OCTETS_MAX))
        end_client(c);
}

static void
reap(void *ctx)
{
    struct desk *all = ctx;
    struct client **at = &all->clients;

    while (*at != NULL) {
        struct client *c = *at;
        if (c->conn != NULL) {
            at = &c->next;
            continue;
        }
        *at = c->next;
        all->n_clients--;
        free(c);
    }
}

static void
on_listener(void *ctx, unsigned ready)
{
    struct desk *all = ctx;
    int fd;

    (void)ready;
    while ((fd = net_accept(all->listener, NULL, NULL)) >= 0) {
        if (all->n_clients == CLIENTS_MAX) {
            (void)close(fd);
            continue;
        }
        struct client *c = alloc_zero(sizeof *c);
        c->all = all;
        c->conn = conn_new(all->loop, fd, on_step, c);
        c->next = all->clients;
        all->clients = c;
        all->n_clients++;
    }
}

struct desk *
desk_new(struct loop *l, struct spool_store *store, struct schedule *s,
         struct diary *diary)
{
    struct desk *all = alloc_zero(sizeof *all);

    all->loop = l;
    all->store = store;
    all->schedule = s;
    all->diary = diary;
    all->listener = -1;
    loop_at_turn_end(l, reap, all);
    return all;
}

void
desk_listen(struct desk *all, int listener)
{
    watch_free(all->watch);
    if (all->listener >= 0)
        (void)close(all->listener);
    all->listener = listener;
    all->watch = watch_new(all->loop, listener, on_listener, all);
    watch_want(all->watch, LOOP_READ);
}
