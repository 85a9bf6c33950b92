/* SPDX-License-Identifier: ISC */
#include "ipc/notice.h"

#include "base/wire.h"
#include "ipc/nested.h"
#include "spool/spool.h"

enum { RCPT_MIN = 3 * 4 + 4 + 4 + 8 }; /* three strings, verdict, numbers */

static void
add_owed(struct buf *to, const struct notice_msg *m)
{
    wire_add_u8(to, (uint8_t)m->kind);
    wire_add_u64(to, m->original.writer);
    wire_add_u64(to, m->original.seq);
    wire_add_u8(to, m->headers_only);

    struct envelope bare = m->envelope;
    bare.rcpts = NULL;
    bare.n_rcpts = 0;
    size_t at = nested_begin(to);
    envelope_encode(to, &bare);
    nested_end(to, at);

    wire_add_u32(to, (uint32_t)m->n_rcpts);
    for (size_t i = 0; i < m->n_rcpts; i++) {
        const struct notice_rcpt *r = &m->rcpts[i];
        wire_add_str(to, r->address);
        wire_add_str(to, r->final);
        wire_add_str(to, r->orcpt);
        at = nested_begin(to);
        verdict_encode(to, &r->verdict);
        nested_end(to, at);
        wire_add_u32(to, r->attempts);
        wire_add_i64(to, r->last_attempt_ms);
    }
}

static void
take_owed(struct arena *a, struct wire *in, struct notice_msg *m)
{
    m->kind = wire_u8(in);
    if (m->kind != NOTICE_BOUNCE && m->kind != NOTICE_AUTOREPLY &&
        m->kind != NOTICE_SUCCESS)
        in->bad = true;
    m->original.writer = wire_u64(in);
    m->original.seq = wire_u64(in);
    uint8_t headers_only = wire_u8(in);
    if (headers_only > 1)
        in->bad = true;
    m->headers_only = headers_only == 1;
    if (!envelope_decode(a, wire_str(in), &m->envelope))
        in->bad = true;

    m->n_rcpts = wire_count(in, RCPT_MIN);
    m->rcpts = arena_array(a, m->n_rcpts, sizeof *m->rcpts);
    for (size_t i = 0; i < m->n_rcpts; i++) {
        struct notice_rcpt *r = &m->rcpts[i];
        r->address = wire_str(in);
        r->final = wire_str(in);
        r->orcpt = wire_str(in);
        if (!verdict_decode(wire_str(in), &r->verdict))
            in->bad = true;
        r->attempts = wire_u32(in);
        r->last_attempt_ms = wire_i64(in);
    }
}

void
notice_encode(struct buf *to, const struct notice_msg *m)
{
    wire_add_u8(to, (uint8_t)m->type);
    wire_add_str(to, m->key);
    if (m->type == NOTICE_MSG_OWED)
        add_owed(to, m);
    else
        wire_add_str(to, m->why);
}

bool
notice_decode(struct arena *a, struct str frame, struct notice_msg *m)
{
    struct wire in = wire_from(frame);
    uint8_t type = wire_u8(&in);

    *m = (struct notice_msg){0};
    if (type != NOTICE_MSG_OWED && type != NOTICE_MSG_DECLINED)
        return false;
    m->type = (enum notice_type)type;
    m->key = wire_str(&in);
    if (m->type == NOTICE_MSG_OWED)
        take_owed(a, &in, m);
    else
        m->why = wire_str(&in);
    return wire_done(&in);
}
