/* SPDX-License-Identifier: ISC */
#include "spool/record.h"

#include "base/wire.h"

static void
add_id(struct buf *to, struct msgid id)
{
    wire_add_u64(to, id.writer);
    wire_add_u64(to, id.seq);
}

static struct msgid
take_id(struct wire *in)
{
    uint64_t writer = wire_u64(in);
    return (struct msgid){writer, wire_u64(in)};
}

bool
record_id(struct str meta, struct msgid *id)
{
    struct wire in = wire_from(meta);
    *id = take_id(&in);
    return !in.bad;
}

void
record_add_message(struct buf *to, const struct record_message *m)
{
    add_id(to, m->id);
    wire_add_u64(to, m->size);
    wire_add_u64(to, m->large);
    buf_add(to, m->envelope);
}

bool
record_parse_message(struct str meta, struct record_message *m)
{
    struct wire in = wire_from(meta);
    m->id = take_id(&in);
    m->size = wire_u64(&in);
    m->large = wire_u64(&in);
    m->envelope = str_from_n(in.p, in.n);
    return !in.bad && in.n > 0;
}

void
record_add_note(struct buf *to, const struct record_note *n)
{
    add_id(to, n->id);
    wire_add_u32(to, n->rcpt);
    wire_add_u32(to, n->parent);
    wire_add_u32(to, n->attempts);
    wire_add_i64(to, n->next_ms);
    wire_add_u8(to, (uint8_t)n->state);
    wire_add_u8(to, (uint8_t)n->owes);
    wire_add_str(to, n->address);
    verdict_encode(to, &n->last);
}

bool
record_parse_note(struct str meta, struct record_note *n)
{
    struct wire in = wire_from(meta);
    n->id = take_id(&in);
    n->rcpt = wire_u32(&in);
    n->parent = wire_u32(&in);
    n->attempts = wire_u32(&in);
    n->next_ms = wire_i64(&in);
    uint8_t state = wire_u8(&in);
    n->owes = wire_u8(&in);
    n->address = wire_str(&in);
    if (in.bad || state > RCPT_OWES || state == RCPT_LEASED ||
        state == RCPT_HELD || n->owes > NOTICE_ALL)
        return false;
    n->state = (enum rcpt_state)state;
    return verdict_decode(str_from_n(in.p, in.n), &n->last);
}

void
record_add_expanded(struct buf *to, const struct record_expanded *x)
{
    add_id(to, x->id);
    wire_add_u32(to, x->rcpt);
    wire_add_u32(to, x->first);
    wire_add_i64(to, x->next_ms);
    wire_add_u32(to, (uint32_t)x->n);
    for (size_t i = 0; i < x->n; i++)
        wire_add_str(to, x->targets[i]);
}

bool
record_parse_expanded(struct arena *a, struct str meta,
                      struct record_expanded *x)
{
    struct wire in = wire_from(meta);
    x->id = take_id(&in);
    x->rcpt = wire_u32(&in);
    x->first = wire_u32(&in);
    x->next_ms = wire_i64(&in);
    x->n = wire_count(&in, 4);
    x->targets = arena_array(a, x->n, sizeof *x->targets);
    for (size_t i = 0; i < x->n; i++)
        x->targets[i] = wire_str(&in);
    return wire_done(&in);
}

void
record_add_event(struct buf *to, const struct record_event *x)
{
    add_id(to, x->id);
    wire_add_u64(to, x->a);
    wire_add_u64(to, x->b);
    wire_add_u64(to, x->c);
    wire_add_i64(to, x->time);
    wire_add_str(to, x->text);
}

bool
record_parse_event(struct str meta, struct record_event *x)
{
    struct wire in = wire_from(meta);
    x->id = take_id(&in);
    x->a = wire_u64(&in);
    x->b = wire_u64(&in);
    x->c = wire_u64(&in);
    x->time = wire_i64(&in);
    x->text = wire_str(&in);
    return wire_done(&in);
}
