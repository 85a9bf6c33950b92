/* SPDX-License-Identifier: ISC */
#include "ipc/bookpipe.h"

#include "base/wire.h"

void
book_msg_encode(struct buf *to, const struct book_msg *m)
{
    wire_add_u8(to, (uint8_t)m->type);
    wire_add_u64(to, m->version);
    if (m->type == BOOK_CHANGE || m->type == BOOK_LIST)
        wire_add_str(to, m->key);
    if (m->type == BOOK_CHANGE)
        wire_add_str(to, m->value);
}

bool
book_msg_decode(struct str frame, struct book_msg *m)
{
    struct wire in = wire_from(frame);
    unsigned type = wire_u8(&in);

    *m = (struct book_msg){.version = wire_u64(&in)};
    if (type == BOOK_NONE || type > BOOK_LIST)
        return false;
    m->type = (enum book_type)type;
    if (m->type == BOOK_CHANGE || m->type == BOOK_LIST)
        m->key = wire_str(&in);
    if (m->type == BOOK_CHANGE)
        m->value = wire_str(&in);
    return wire_done(&in);
}
