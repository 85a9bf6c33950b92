/* SPDX-License-Identifier: ISC */
#include "ipc/job.h"

#include "base/wire.h"
#include "ipc/nested.h"

enum {
    RCPT_MIN = 4 + 4 + 4 + 4 + 1, /* of WORK */
    RUNNING_MIN = 4,              /* index */
    VERDICT_MIN = 4 + 4 + 4 * 4,  /* index, nested verdict of four strings */
    NOTIFY_ALL = NOTIFY_NEVER | NOTIFY_SUCCESS | NOTIFY_FAILURE | NOTIFY_DELAY,
};

static void
add_id(struct buf *to, const struct job_msg *m)
{
    wire_add_u64(to, m->job);
    wire_add_u64(to, m->id.writer);
    wire_add_u64(to, m->id.seq);
}

static void
take_id(struct wire *in, struct job_msg *m)
{
    m->job = wire_u64(in);
    m->id.writer = wire_u64(in);
    m->id.seq = wire_u64(in);
}

static void
add_work(struct buf *to, const struct job_msg *m)
{
    add_id(to, m);
    wire_add_u64(to, m->at.segment);
    wire_add_u64(to, m->at.generation);
    wire_add_u64(to, m->at.offset);
    wire_add_u64(to, m->at.content_at);
    wire_add_u64(to, m->at.content_size);
    wire_add_u64(to, m->at.large);
    wire_add_u8(to, m->at.needs_stuffing);
    wire_add_str(to, m->destination);
    wire_add_str(to, m->sender);
    wire_add_str(to, m->envid);
    wire_add_u8(to, (uint8_t)m->ret);
    wire_add_u8(to, (uint8_t)m->body);
    wire_add_u8(to, m->smtputf8);
    wire_add_str(to, m->session);
    wire_add_u64(to, m->size);
    wire_add_i64(to, m->arrived_ms);
    wire_add_u32(to, (uint32_t)m->n_rcpts);
    for (size_t i = 0; i < m->n_rcpts; i++) {
        wire_add_u32(to, m->rcpts[i].index);
        wire_add_u32(to, m->rcpts[i].attempts);
        wire_add_str(to, m->rcpts[i].address);
        wire_add_str(to, m->rcpts[i].orcpt);
        wire_add_u8(to, (uint8_t)m->rcpts[i].notify);
    }
}

/* A flag is 0 or 1; anything else means that the peer speaks garbage. */
static bool
take_flag(struct wire *in)
{
    uint8_t v = wire_u8(in);
    if (v > 1)
        in->bad = true;
    return v == 1;
}

static uint8_t
take_choice(struct wire *in, uint8_t most)
{
    uint8_t v = wire_u8(in);
    if (v > most) {
        in->bad = true;
        return 0;
    }
    return v;
}

static void
take_work(struct arena *a, struct wire *in, struct job_msg *m)
{
    take_id(in, m);
    m->at.segment = wire_u64(in);
    m->at.generation = wire_u64(in);
    m->at.offset = wire_u64(in);
    m->at.content_at = wire_u64(in);
    m->at.content_size = wire_u64(in);
    m->at.large = wire_u64(in);
    m->at.needs_stuffing = take_flag(in);
    m->destination = wire_str(in);
    m->sender = wire_str(in);
    m->envid = wire_str(in);
    m->ret = (enum dsn_ret)take_choice(in, DSN_RET_HDRS);
    m->body = (enum body_type)take_choice(in, BODY_BINARYMIME);
    m->smtputf8 = take_flag(in);
    m->session = wire_str(in);
    m->size = wire_u64(in);
    m->arrived_ms = wire_i64(in);
    m->n_rcpts = wire_count(in, RCPT_MIN);
    m->rcpts = arena_array(a, m->n_rcpts, sizeof *m->rcpts);
    for (size_t i = 0; i < m->n_rcpts; i++) {
        m->rcpts[i].index = wire_u32(in);
        m->rcpts[i].attempts = wire_u32(in);
        m->rcpts[i].address = wire_str(in);
        m->rcpts[i].orcpt = wire_str(in);
        m->rcpts[i].notify = take_choice(in, NOTIFY_ALL);
    }
}

static void
add_running(struct buf *to, const struct job_msg *m)
{
    add_id(to, m);
    wire_add_u32(to, (uint32_t)m->n_rcpts);
    for (size_t i = 0; i < m->n_rcpts; i++)
        wire_add_u32(to, m->rcpts[i].index);
}

static void
take_running(struct arena *a, struct wire *in, struct job_msg *m)
{
    take_id(in, m);
    m->n_rcpts = wire_count(in, RUNNING_MIN);
    m->rcpts = arena_array(a, m->n_rcpts, sizeof *m->rcpts);
    for (size_t i = 0; i < m->n_rcpts; i++)
        m->rcpts[i].index = wire_u32(in);
}

static void
add_outcomes(struct buf *to, const struct job_msg *m)
{
    add_id(to, m);
    wire_add_u32(to, (uint32_t)m->n_rcpts);
    for (size_t i = 0; i < m->n_rcpts; i++) {
        wire_add_u32(to, m->rcpts[i].index);
        size_t at = nested_begin(to);
        verdict_encode(to, &m->rcpts[i].verdict);
        nested_end(to, at);
    }
}

static void
take_outcomes(struct arena *a, struct wire *in, struct job_msg *m)
{
    take_id(in, m);
    m->n_rcpts = wire_count(in, VERDICT_MIN);
    m->rcpts = arena_array(a, m->n_rcpts, sizeof *m->rcpts);
    for (size_t i = 0; i < m->n_rcpts; i++) {
        m->rcpts[i].index = wire_u32(in);
        if (!verdict_decode(wire_str(in), &m->rcpts[i].verdict))
            in->bad = true;
    }
}

void
job_encode(struct buf *to, const struct job_msg *m)
{
    wire_add_u8(to, (uint8_t)m->type);
    switch (m->type) {
    case JOB_SEGMENT:
    case JOB_FORGET:
    case JOB_FORGOTTEN:
        wire_add_u64(to, m->segment);
        wire_add_u64(to, m->generation);
        break;
    case JOB_LARGE:
        wire_add_u64(to, m->large);
        break;
    case JOB_WORK:
        add_work(to, m);
        break;
    case JOB_RUNNING:
        add_running(to, m);
        break;
    case JOB_OUTCOMES:
        add_outcomes(to, m);
        break;
    case JOB_TAKEN:
    case JOB_HELLO:
        wire_add_u64(to, m->job);
        break;
    case JOB_LEAVING:
    case JOB_NONE:
        break;
    }
}

bool
job_decode(struct arena *a, struct str frame, struct job_msg *m)
{
    struct wire in = wire_from(frame);
    uint8_t type = wire_u8(&in);

    *m = (struct job_msg){0};
    m->type = (enum job_type)type;
    switch (m->type) {
    case JOB_SEGMENT:
    case JOB_FORGET:
    case JOB_FORGOTTEN:
        m->segment = wire_u64(&in);
        m->generation = wire_u64(&in);
        break;
    case JOB_LARGE:
        m->large = wire_u64(&in);
        break;
    case JOB_WORK:
        take_work(a, &in, m);
        break;
    case JOB_RUNNING:
        take_running(a, &in, m);
        break;
    case JOB_OUTCOMES:
        take_outcomes(a, &in, m);
        break;
    case JOB_TAKEN:
    case JOB_HELLO:
        m->job = wire_u64(&in);
        break;
    case JOB_LEAVING:
        break;
    case JOB_NONE:
    default:
        return false;
    }
    return wire_done(&in);
}
