/* SPDX-License-Identifier: ISC */
#include "cli/past.h"

#include <string.h>

#include "cli/cupboard.h"
#include "cli/moment.h"
#include "os/net.h"

enum { AROUND_MS = 5 * 60 * 1000 };

/* ---- filters --------------------------------------------------------------
 */

static struct str
address_of(struct invocation *in, const char *name)
{
    struct str s = str_from(command_value(in, name));

    if (command_value(in, name) == NULL)
        return STR_EMPTY;
    if (s.n == 0 || str_eq(s, STR("<>")))
        return STR("<>");
    if (s.n > 2 && s.p[0] == '<' && s.p[s.n - 1] == '>')
        s = str_from_n(s.p + 1, s.n - 2);
    return s;
}

static bool
read_moment(struct invocation *in, const char *name, struct moment *m,
            bool *given)
{
    const char *text = command_value(in, name);

    *given = text != NULL;
    if (text == NULL || moment_parse(str_from(text), cupboard_now_ms(), m))
        return true;
    (void)command_fail(0,
                       "%s: %s \"%s\" is no time, expected 24h (ago), 10:32, "
                       "2026-11-24 or 2026-11-24T10:32, all in UTC",
                       in->command->noun, name, text);
    return false;
}

static bool
read_times(struct invocation *in, struct history_query *q)
{
    struct moment since, until, at;
    bool has_since, has_until, has_at;

    if (!read_moment(in, "--since", &since, &has_since) ||
        !read_moment(in, "--until", &until, &has_until) ||
        !read_moment(in, "--at", &at, &has_at))
        return false;
    if (has_at && (has_since || has_until)) {
        (void)command_fail(0, "%s: expected --at, or --since and --until",
                           in->command->noun);
        return false;
    }
    if (has_since)
        q->since_ms = since.from_ms;
    if (has_until)
        q->until_ms = until.until_ms;
    if (has_at) {
        q->since_ms = at.from_ms - AROUND_MS;
        q->until_ms = at.until_ms + AROUND_MS;
    }
    if (q->since_ms < 0)
        q->since_ms = 0;
    return true;
}

static bool
read_client(struct invocation *in, struct history_query *q)
{
    const char *text = command_value(in, "--ip");
    struct net_address address;
    char form[NET_TEXT];

    if (text == NULL)
        return true;
    if (!net_parse(str_from(text), 0, &address)) {
        (void)command_fail(0,
                           "%s: --ip \"%s\" is no address, expected one such "
                           "as 192.0.2.1 or 2001:db8::1",
                           in->command->noun, text);
        return false;
    }
    q->client = arena_dup(&in->arena, net_format(&address, form));
    return true;
}

bool
past_query(struct invocation *in, struct history_query *q)
{
    *q = (struct history_query){
        .sender = address_of(in, "--from"),
        .recipient = address_of(in, "--to"),
        .domain = str_from(command_value(in, "--domain")),
        .user = str_from(command_value(in, "--auth")),
        .reason = str_from(command_value(in, "--reason")),
        .id = str_from(command_value(in, "--id")),
    };
    if (q->domain.n > 1 && q->domain.p[q->domain.n - 1] == '.')
        q->domain.n--;
    return read_client(in, q) && read_times(in, q);
}

/* ---- the journal ----------------------------------------------------------
 */

int
past_open(struct invocation *in, struct history **h)
{
    const struct conf *conf = command_config(in);
    struct err e;

    *h = NULL;
    if (conf == NULL)
        return COMMAND_USAGE;
    *h = history_open(
        arena_cstr(&in->arena, arena_printf(&in->arena, "%.*s/journal",
                                            STR_ARG(conf->state))),
        &e);
    if (*h == NULL)
        return command_fail(COMMAND_REFUSED, "%s", e.text);
    return COMMAND_DONE;
}

void
past_close(struct history *h)
{
    struct str rest = history_problems(h), one;

    while (str_cut(rest, '\n', &one, &rest))
        (void)command_fail(0, "%.*s: this day is left out", STR_ARG(one));
    history_close(h);
}

/* The codec knows all texts of an event: a frame is its copy. */
struct history_event *
past_keep(struct arena *a, const struct history_event *e)
{
    struct history_event *own = arena_alloc(a, sizeof *own);
    struct journal_event one = e->e;
    struct journal_msg m;
    struct buf frame = {0};

    if (one.kind == JOURNAL_NONE) // of a later Gatepost
        one.kind = JOURNAL_DECLINED;
    journal_begin(&frame, 1);
    journal_add(&frame, &one);
    journal_end(&frame, 1);
    *own =
        (struct history_event){.room = arena_dup(a, e->room), .slot = e->slot};
    if (journal_decode(a, arena_dup(a, buf_str(&frame)), &m) && m.n == 1)
        own->e = m.events[0];
    buf_fini(&frame);
    return own;
}

/* ---- losses ---------------------------------------------------------------
 */

struct gaps {
    struct invocation *in;
    FILE *to;
    size_t n;
};

/* "14:02", with its date if that is another than the first's. */
static struct str
minute_of(struct arena *a, int64_t ms, int64_t first_ms)
{
    struct str whole = past_time(a, ms), first = past_time(a, first_ms);
    bool same =
        ms != first_ms && str_eq(str_first(whole, 10), str_first(first, 10));
    return same ? str_first(str_from_pos(whole, 11), 5) : str_first(whole, 16);
}

static bool
print_gap(void *ctx, const struct history_event *g)
{
    struct gaps *x = ctx;
    struct arena *a = &x->in->arena;

    x->n++;
    if (x->in->json) {
        cupboard_print(json_pack(
            "{s:s, s:o, s:o, s:I, s:o}", "event", "dropped", "from",
            cupboard_json(cupboard_date(a, g->e.at_ms)), "until",
            cupboard_json(cupboard_date(a, g->e.until_ms)), "count",
            (json_int_t)g->e.count, "detail", cupboard_json(g->e.detail)));
        return true;
    }
    if (g->e.count > 0)
        (void)fprintf(x->to, "%u event%s dropped", g->e.count,
                      g->e.count == 1 ? "" : "s");
    else
        (void)fputs("an unknown number of events lost", x->to);
    (void)fprintf(x->to, " between %.*s and %.*s UTC: %.*s\n",
                  STR_ARG(minute_of(a, g->e.at_ms, g->e.at_ms)),
                  STR_ARG(minute_of(a, g->e.until_ms, g->e.at_ms)),
                  STR_ARG(g->e.detail));
    return true;
}

size_t
past_print_gaps(struct invocation *in, struct history *h,
                const struct history_query *q, FILE *to)
{
    struct gaps x = {.in = in, .to = to};

    history_gaps(h, q->since_ms, q->until_ms, print_gap, &x);
    return x.n;
}
