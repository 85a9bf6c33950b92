/* SPDX-License-Identifier: ISC */
#include "ipc/lookup.h"

#include "base/wire.h"

void
lookup_encode(struct buf *to, const struct lookup_msg *m)
{
    wire_add_u8(to, (uint8_t)m->type);
    wire_add_u64(to, m->seq);
    if (m->type == LOOKUP_ASK) {
        wire_add_u8(to, (uint8_t)m->list);
        wire_add_u32(to, (uint32_t)m->n_keys);
        for (size_t i = 0; i < m->n_keys; i++)
            wire_add_str(to, m->keys[i]);
    } else {
        wire_add_u8(to, (uint8_t)m->found);
        wire_add_u32(to, m->key);
        wire_add_str(to, m->value);
    }
}

static void
decode_keys(struct arena *a, struct wire *in, struct lookup_msg *m)
{
    m->n_keys = wire_count(in, 4);
    struct str *keys = arena_array(a, m->n_keys, sizeof *keys);
    for (size_t i = 0; i < m->n_keys; i++)
        keys[i] = wire_str(in);
    m->keys = keys;
}

bool
lookup_decode(struct arena *a, struct str frame, struct lookup_msg *m)
{
    struct wire in = wire_from(frame);
    unsigned type = wire_u8(&in);

    *m = (struct lookup_msg){.seq = wire_u64(&in)};
    if (type == LOOKUP_ASK) {
        m->type = LOOKUP_ASK;
        unsigned list = wire_u8(&in);
        if (list >= LIST_COUNT)
            return false;
        m->list = (enum list_id)list;
        decode_keys(a, &in, m);
    } else if (type == LOOKUP_ANSWER) {
        m->type = LOOKUP_ANSWER;
        unsigned found = wire_u8(&in);
        if (found > LIST_TROUBLE)
            return false;
        m->found = (enum list_found)found;
        m->key = wire_u32(&in);
        m->value = wire_str(&in);
    }
    return m->type != LOOKUP_NONE && wire_done(&in);
}
