/* SPDX-License-Identifier: ISC */
#include "ipc/journal.h"

#include <assert.h>
#include <stddef.h>

#include "base/wire.h"

enum {
    HEADER = 1 + 8,                            /* before the count */
    EVENT_MIN = 1 + 8 + 8 + 3 * 4 + 8 + 8 + 4, /* an event without texts */
};

/* The texts of an event in the order they travel, and how long they may be. A
 * bit for each says whether it is there. */
static const struct {
    size_t offset;
    size_t max;
} texts[] = {
    {offsetof(struct journal_event, session),   32  },
    {offsetof(struct journal_event, incident),  32  },
    {offsetof(struct journal_event, message),   32  },
    {offsetof(struct journal_event, related),   32  },
    {offsetof(struct journal_event, client),    64  },
    {offsetof(struct journal_event, user),      320 },
    {offsetof(struct journal_event, helo),      255 },
    {offsetof(struct journal_event, sender),    320 },
    {offsetof(struct journal_event, recipient), 2000},
    {offsetof(struct journal_event, alias),     320 },
    {offsetof(struct journal_event, reason),    64  },
    {offsetof(struct journal_event, rule),      64  },
    {offsetof(struct journal_event, option),    128 },
    {offsetof(struct journal_event, reply),     2000},
    {offsetof(struct journal_event, remote),    320 },
    {offsetof(struct journal_event, status),    16  },
    {offsetof(struct journal_event, protocol),  16  },
    {offsetof(struct journal_event, detail),    1000},
    {offsetof(struct journal_event, report),    8000},
};

enum { TEXTS = sizeof texts / sizeof *texts };

static const char *const kind_names[JOURNAL_KIND_COUNT] = {
    [JOURNAL_REFUSED] = "refused",     [JOURNAL_ACCEPTED] = "accepted",
    [JOURNAL_LOGIN] = "login",         [JOURNAL_LOGIN_FAILED] = "login-failed",
    [JOURNAL_EXPANDED] = "expanded",   [JOURNAL_DELIVERED] = "delivered",
    [JOURNAL_RELAYED] = "relayed",     [JOURNAL_DEFERRED] = "deferred",
    [JOURNAL_FAILED] = "failed",       [JOURNAL_BOUNCED] = "bounced",
    [JOURNAL_AUTOREPLY] = "autoreply", [JOURNAL_DECLINED] = "declined",
    [JOURNAL_REMOVED] = "removed",     [JOURNAL_REPEATED] = "repeated",
    [JOURNAL_DROPPED] = "dropped",
};

const char *
journal_kind_name(enum journal_kind kind)
{
    return kind < JOURNAL_KIND_COUNT ? kind_names[kind] : NULL;
}

enum journal_kind
journal_kind_from_name(struct str name)
{
    for (unsigned k = JOURNAL_NONE + 1; k < JOURNAL_KIND_COUNT; k++)
        if (str_eq(name, str_from(kind_names[k])))
            return (enum journal_kind)k;
    return JOURNAL_NONE;
}

void
journal_begin(struct buf *frame, uint64_t first)
{
    wire_add_u8(frame, JOURNAL_MSG_EVENTS);
    wire_add_u64(frame, first);
    wire_add_u32(frame, 0);
}

static struct str
text_at(const struct journal_event *e, size_t i)
{
    const char *at = (const char *)e + texts[i].offset;
    return str_first(*(const struct str *)(const void *)at, texts[i].max);
}

void
journal_add(struct buf *frame, const struct journal_event *e)
{
    uint32_t there = 0;

    wire_add_u8(frame, (uint8_t)e->kind);
    wire_add_i64(frame, e->at_ms);
    wire_add_i64(frame, e->until_ms);
    wire_add_u32(frame, e->count);
    wire_add_u32(frame, e->recipients);
    wire_add_u32(frame, e->line);
    wire_add_u64(frame, e->size);
    wire_add_i64(frame, e->next_ms);
    for (size_t i = 0; i < TEXTS; i++)
        if (text_at(e, i).n > 0)
            there |= 1U << i;
    wire_add_u32(frame, there);
    for (size_t i = 0; i < TEXTS; i++)
        if (there & (1U << i))
            wire_add_str(frame, text_at(e, i));
}

void
journal_end(struct buf *frame, uint32_t n)
{
    size_t whole = frame->n;

    assert(whole >= HEADER + 4 && n <= JOURNAL_BATCH);
    frame->n = HEADER;
    wire_add_u32(frame, n);
    frame->n = whole;
}

void
journal_encode_taken(struct buf *to, uint64_t seq)
{
    wire_add_u8(to, JOURNAL_MSG_TAKEN);
    wire_add_u64(to, seq);
}

static void
take_texts(struct wire *in, struct journal_event *e)
{
    uint32_t there = wire_u32(in);

    if (there >> TEXTS != 0)
        in->bad = true;
    for (size_t i = 0; i < TEXTS; i++) {
        char *at = (char *)e + texts[i].offset;
        struct str *text = (struct str *)(void *)at;
        *text = STR_EMPTY;
        if ((there & (1U << i)) == 0)
            continue;
        *text = wire_str(in);
        if (text->n == 0 || text->n > texts[i].max)
            in->bad = true;
    }
}

static void
take_event(struct wire *in, struct journal_event *e)
{
    uint8_t kind = wire_u8(in);

    if (kind == JOURNAL_NONE || kind >= JOURNAL_KIND_COUNT)
        in->bad = true;
    e->kind = in->bad ? JOURNAL_NONE : (enum journal_kind)kind;
    e->at_ms = wire_i64(in);
    e->until_ms = wire_i64(in);
    e->count = wire_u32(in);
    e->recipients = wire_u32(in);
    e->line = wire_u32(in);
    e->size = wire_u64(in);
    e->next_ms = wire_i64(in);
    take_texts(in, e);
}

bool
journal_decode(struct arena *a, struct str frame, struct journal_msg *m)
{
    struct wire in = wire_from(frame);
    uint8_t type = wire_u8(&in);

    *m = (struct journal_msg){.seq = wire_u64(&in)};
    if (type == JOURNAL_MSG_TAKEN) {
        m->type = JOURNAL_MSG_TAKEN;
        return wire_done(&in);
    }
    if (type != JOURNAL_MSG_EVENTS)
        return false;
    m->type = JOURNAL_MSG_EVENTS;
    uint32_t n = wire_count(&in, EVENT_MIN);
    if (n == 0 || n > JOURNAL_BATCH || m->seq == 0 || m->seq > UINT64_MAX - n)
        return false;
    m->events = arena_array(a, n, sizeof *m->events);
    while (m->n < n && !in.bad)
        take_event(&in, &m->events[m->n++]);
    return wire_done(&in);
}
