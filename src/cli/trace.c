/* SPDX-License-Identifier: ISC */
/* gatepost trace: the stories of the messages that match, and what else
 * happened. */
#include "cli/commands.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "cli/past.h"

enum { STORIES = 50, STORIES_MAX = 100000, EVENTS_MAX = 5000 };

static const struct command_option options[] = {
    PAST_FILTERS,
    {"--id",    "ID", "of this incident, session or message"},
    {"--limit", "N",  "the newest N, default 50; 0: all"    },
    {NULL,      NULL, NULL                                  },
};

/* A message with all that became of it, or one event that is about none. */
struct story {
    struct history_event *event; /* that matched */
    struct history_event **events;
    size_t n, cap;
};

struct trace_run {
    struct invocation *in;
    size_t limit;
    struct map messages; /* whose story is there */
    struct story *stories;
    size_t n, cap;
    bool more;
};

static bool
on_match(void *ctx, const struct history_event *e)
{
    struct trace_run *t = ctx;

    if (e->e.message.n > 0 && map_get(&t->messages, e->e.message) != NULL)
        return true;
    if (t->n == t->limit) {
        t->more = true;
        return false;
    }
    if (t->n == t->cap) {
        t->cap = t->cap == 0 ? 64 : 2 * t->cap;
        t->stories = alloc_resize(t->stories, t->cap * sizeof *t->stories);
    }
    struct story *s = &t->stories[t->n++];
    *s = (struct story){.event = past_keep(&t->in->arena, e)};
    if (e->e.message.n > 0)
        (void)map_put(&t->messages, e->e.message, t);
    return true;
}

struct telling {
    struct trace_run *run;
    struct story *story;
};

static bool
on_chapter(void *ctx, const struct history_event *e)
{
    struct telling *x = ctx;
    struct story *s = x->story;

    if (s->n == s->cap) {
        s->cap = s->cap == 0 ? 8 : 2 * s->cap;
        s->events = alloc_resize(s->events, s->cap * sizeof(void *));
    }
    s->events[s->n++] = past_keep(&x->run->in->arena, e);
    return s->n < EVENTS_MAX;
}

static void
print_one(const struct trace_run *t, const struct history_event *e)
{
    if (t->in->json)
        past_print_json(&t->in->arena, e, t->in->conf->hostname);
    else
        past_print(&t->in->arena, e);
}

static void
gather(struct trace_run *t, struct history *h, struct story *s)
{
    struct telling x = {.run = t, .story = s};
    struct str message = s->event->e.message;

    if (message.n > 0)
        history_find(
            h, &(struct history_query){.id = message, .whole_story = true},
            on_chapter, &x);
}

static void
tell(const struct trace_run *t, const struct story *s)
{
    struct str message = s->event->e.message;

    if (message.n == 0) {
        print_one(t, s->event);
        return;
    }
    if (!t->in->json)
        (void)printf("%.*s message %.*s\n",
                     STR_ARG(past_time(&t->in->arena, s->event->e.at_ms)),
                     STR_ARG(message));
    for (size_t i = s->n; i > 0; i--) {
        if (!t->in->json)
            (void)fputs("  ", stdout);
        print_one(t, s->events[i - 1]);
    }
}

/* The oldest first, and nothing is said before all is read: who pages through
 * it must not keep the files open so long. */
static void
tell_all(struct trace_run *t, struct history *h)
{
    for (size_t i = 0; i < t->n; i++)
        gather(t, h, &t->stories[i]);
    history_pause(h);
    for (size_t i = t->n; i > 0; i--) {
        tell(t, &t->stories[i - 1]);
        free(t->stories[i - 1].events);
    }
}

static bool
read_limit(struct invocation *in, size_t *limit)
{
    const char *text = command_value(in, "--limit");
    uint64_t n = STORIES;

    if (text != NULL && (!str_to_u64(str_from(text), &n) || n > STORIES_MAX)) {
        (void)command_fail(0, "trace: --limit \"%s\", expected 0 to %d", text,
                           STORIES_MAX);
        return false;
    }
    *limit = n == 0 ? SIZE_MAX : (size_t)n;
    return true;
}

static int
finish(struct trace_run *t, struct history *h, const struct history_query *q)
{
    bool asked_for_time = q->since_ms > 0 || q->until_ms > 0;

    if (t->more && !t->in->json)
        (void)command_fail(0,
                           "there is more: these are the newest %zu "
                           "(--limit)",
                           t->n);
    if (t->n > 0 && !asked_for_time)
        return COMMAND_DONE;
    size_t gaps = past_print_gaps(t->in, h, q, t->in->json ? stdout : stderr);
    if (t->n > 0)
        return COMMAND_DONE;
    return command_fail(COMMAND_NOTHING,
                        gaps > 0 ? "nothing else is kept that matches"
                                 : "nothing is kept that matches");
}

static int
run_trace(struct invocation *in)
{
    struct trace_run t = {.in = in};
    struct history_query q;
    struct history *h;

    if (!past_query(in, &q) || !read_limit(in, &t.limit))
        return COMMAND_USAGE;
    int status = past_open(in, &h);
    if (status != COMMAND_DONE)
        return status;
    history_find(h, &q, on_match, &t);
    tell_all(&t, h);
    status = finish(&t, h, &q);
    free(t.stories);
    map_fini(&t.messages);
    past_close(h);
    return status;
}

const struct command trace_commands[] = {
    {.noun = "trace",
     .help = "what happened: whole stories of messages, refusals, logins",
     .options = options,
     .run = run_trace},
    {0},
};
