/* SPDX-License-Identifier: ISC */
/* gatepost why ID: one refusal, by the id in its reply; or the story of one
 * message, or of one session. */
#include "cli/commands.h"

#include "base/ascii.h"
#include "cli/past.h"

enum { EVENTS_MAX = 1000 };

struct answer {
    struct invocation *in;
    struct str id;
    struct history_event *incident; /* NULL: it names none */
    struct history_event *events[EVENTS_MAX];
    size_t n;
};

/* An incident's name is unique: nothing else has to be looked for. */
static bool
on_event(void *ctx, const struct history_event *e)
{
    struct answer *w = ctx;

    if (str_eq(e->e.incident, w->id)) {
        w->incident = past_keep(&w->in->arena, e);
        return false;
    }
    w->events[w->n++] = past_keep(&w->in->arena, e);
    return w->n < EVENTS_MAX;
}

/* As it was read aloud: small letters, no dash, O for 0, I or L for 1. */
static struct str
as_incident(struct arena *a, struct str typed)
{
    struct buf b = {0};
    struct str own = STR_EMPTY;

    for (size_t i = 0; i < typed.n; i++) {
        unsigned char c = ascii_lower((unsigned char)typed.p[i]);
        if (c == '-' || c == ' ')
            continue;
        c = c == 'o' ? '0' : c == 'i' || c == 'l' ? '1' : c;
        if (b.n == 5)
            buf_add_char(&b, '-');
        buf_add_char(&b, (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
    }
    if (b.n == 11)
        own = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return own;
}

static bool
look_up(struct history *h, struct answer *w, struct str id)
{
    w->id = id;
    if (id.n > 0)
        history_find(h, &(struct history_query){.id = id}, on_event, w);
    return w->incident != NULL || w->n > 0;
}

static void
print(struct answer *w)
{
    struct str hostname = w->in->conf->hostname;
    struct arena *a = &w->in->arena;

    if (w->incident != NULL) {
        if (w->in->json)
            past_print_json(a, w->incident, hostname);
        else
            past_print_all(a, w->incident, hostname);
        return;
    }
    for (size_t i = w->n; i > 0; i--) {
        if (w->in->json)
            past_print_json(a, w->events[i - 1], hostname);
        else
            past_print(a, w->events[i - 1]);
    }
}

/* What was lost may be what was asked for: then it is not unknown. */
static int
not_found(struct invocation *in, struct history *h)
{
    const struct history_query all = {0};

    if (history_is_empty(h))
        return command_fail(COMMAND_NOTHING,
                            "the journal of state %.*s holds nothing yet",
                            STR_ARG(in->conf->state));
    (void)command_fail(0, "nothing is kept about %s", in->objects[0]);
    if (past_print_gaps(in, h, &all, in->json ? stdout : stderr) > 0)
        (void)command_fail(0, "it may be among what was lost");
    return COMMAND_NOTHING;
}

static int
run_why(struct invocation *in)
{
    struct answer *w = arena_alloc(&in->arena, sizeof *w);
    struct str typed = str_trim(str_from(in->objects[0]));
    struct str incident = as_incident(&in->arena, typed);
    struct history *h;
    int status = past_open(in, &h);

    if (status != COMMAND_DONE)
        return status;
    w->in = in;
    if (str_eq(incident, typed))
        incident = STR_EMPTY; // once is enough
    if (look_up(h, w, typed) || look_up(h, w, incident)) {
        history_pause(h);
        print(w);
    } else {
        status = not_found(in, h);
    }
    past_close(h);
    return status;
}

const struct command why_commands[] = {
    {.noun = "why",
     .objects = "ID",
     .min = 1,
     .max = 1,
     .help = "why a reply said no (its incident id), what became of a message",
     .run = run_why},
    {0     },
};
