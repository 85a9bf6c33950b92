/* SPDX-License-Identifier: ISC */
/* gatepost rejects: what was refused lately, counted by reason, rule or sender.
 */
#include "cli/commands.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "catalogue/catalogue.h"
#include "cli/cupboard.h"
#include "cli/past.h"

enum { DAY_MS = 24 * 60 * 60 * 1000, LINES = 50 };

static const struct command_option options[] = {
    {"--by",    "WHAT", "reason (default), rule or sender"       },
    PAST_FILTERS,
    {"--limit", "N",    "the N most frequent, default 50; 0: all"},
    {NULL,      NULL,   NULL                                     },
};

enum by { BY_REASON = 0, BY_RULE, BY_SENDER };

struct tally {
    struct str key;
    uint64_t count;
    int64_t last_ms;
};

struct count {
    struct invocation *in;
    enum by by;
    struct map by_key;
    uint64_t total;
};

static struct str
key_of(const struct count *c, const struct journal_event *e)
{
    switch (c->by) {
    case BY_RULE:
        return e->rule.n > 0 ? e->rule : STR("-");
    case BY_SENDER:
        return e->sender.n > 0 ? e->sender : STR("-");
    case BY_REASON:
    default:
        return e->reason;
    }
}

static bool
on_refusal(void *ctx, const struct history_event *x)
{
    struct count *c = ctx;

    if (x->e.kind != JOURNAL_REFUSED && x->e.kind != JOURNAL_LOGIN_FAILED)
        return true;
    struct str key = key_of(c, &x->e);
    struct tally *t = map_get(&c->by_key, key);
    if (t == NULL) {
        t = arena_alloc(&c->in->arena, sizeof *t);
        t->key = arena_dup(&c->in->arena, key);
        (void)map_put(&c->by_key, key, t);
    }
    t->count += x->e.count;
    c->total += x->e.count;
    if (x->e.at_ms > t->last_ms)
        t->last_ms = x->e.at_ms;
    return true;
}

static int
most_first(const void *a, const void *b)
{
    const struct tally *x = *(const struct tally *const *)a;
    const struct tally *y = *(const struct tally *const *)b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return str_compare(x->key, y->key);
}

static void
print_line(const struct count *c, const struct tally *t)
{
    static const char *const names[] = {"reason", "rule", "sender"};
    struct arena *a = &c->in->arena;

    if (c->in->json) {
        cupboard_print(json_pack("{s:o, s:I, s:o}", names[c->by],
                                 cupboard_json(t->key), "count",
                                 (json_int_t)t->count, "last",
                                 cupboard_json(cupboard_date(a, t->last_ms))));
        return;
    }
    (void)printf("%9llu  %.*s  ", (unsigned long long)t->count,
                 STR_ARG(past_time(a, t->last_ms)));
    for (size_t i = 0; i < t->key.n; i++) // foreign octets are only shown
        (void)putchar((unsigned char)t->key.p[i] < 32 || t->key.p[i] == 127
                          ? '?'
                          : t->key.p[i]);
    const struct reason *r = c->by == BY_REASON ? catalogue_find(t->key) : NULL;
    if (r != NULL)
        (void)printf("  (who acts: %.*s)", STR_ARG(r->who));
    (void)putchar('\n');
}

static void
print_all(struct count *c, size_t limit)
{
    size_t n = 0, i = 0;
    struct tally **list =
        alloc_array(c->by_key.count + 1, sizeof(struct tally *));
    struct str key;
    void *value;

    while (map_next(&c->by_key, &i, &key, &value))
        list[n++] = value;
    qsort(list, n, sizeof *list, most_first);
    for (i = 0; i < n && i < limit; i++)
        print_line(c, list[i]);
    if (!c->in->json)
        (void)printf("%9llu  in all%s\n", (unsigned long long)c->total,
                     n > limit ? ", not all are shown (--limit)" : "");
    free(list);
}

static bool
read_by(struct invocation *in, enum by *by)
{
    const char *text = command_value(in, "--by");

    *by = BY_REASON;
    if (text == NULL || strcmp(text, "reason") == 0)
        return true;
    if (strcmp(text, "rule") == 0)
        *by = BY_RULE;
    else if (strcmp(text, "sender") == 0)
        *by = BY_SENDER;
    else
        return command_fail(0,
                            "rejects: --by \"%s\", expected reason, rule or "
                            "sender",
                            text) != 0;
    return true;
}

static bool
has_words(const struct history_query *q)
{
    return q->sender.n + q->recipient.n + q->domain.n + q->client.n +
               q->user.n + q->reason.n >
           0;
}

static int
run_rejects(struct invocation *in)
{
    struct count c = {.in = in};
    struct history_query q;
    struct history *h;
    const char *limit_text = command_value(in, "--limit");
    uint64_t limit = LINES;

    if (!past_query(in, &q) || !read_by(in, &c.by))
        return COMMAND_USAGE;
    if (limit_text != NULL && !str_to_u64(str_from(limit_text), &limit))
        return command_fail(COMMAND_USAGE,
                            "rejects: --limit \"%s\", expected a number",
                            limit_text);
    if (q.since_ms == 0)
        q.since_ms =
            (q.until_ms == 0 ? cupboard_now_ms() : q.until_ms) - DAY_MS;
    int status = past_open(in, &h);
    if (status != COMMAND_DONE)
        return status;
    if (has_words(&q))
        history_find(h, &q, on_refusal, &c);
    else
        history_refusals(h, q.since_ms, q.until_ms, on_refusal, &c);
    history_pause(h);
    if (c.total > 0)
        print_all(&c, limit == 0 ? SIZE_MAX : (size_t)limit);
    (void)past_print_gaps(in, h, &q, in->json ? stdout : stderr);
    if (c.total == 0)
        status = command_fail(COMMAND_NOTHING, "nothing was refused");
    map_fini(&c.by_key);
    past_close(h);
    return status;
}

const struct command rejects_commands[] = {
    {.noun = "rejects",
     .help = "what was refused in the last 24 hours, counted",
     .options = options,
     .run = run_rejects},
    {0},
};
