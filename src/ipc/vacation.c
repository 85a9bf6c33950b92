/* SPDX-License-Identifier: ISC */
#include "ipc/vacation.h"

#include "base/wire.h"

void
vacation_encode(struct buf *to, const struct vacation_msg *m)
{
    wire_add_u8(to, (uint8_t)m->type);
    wire_add_u64(to, m->seq);
    if (m->type == VACATION_ASK) {
        wire_add_str(to, m->account);
        wire_add_str(to, m->sender);
        wire_add_str(to, m->key);
        wire_add_str(to, m->named);
    } else {
        wire_add_u8(to, (uint8_t)m->result);
        wire_add_str(to, m->subject);
        wire_add_str(to, m->body);
        wire_add_str(to, m->addresses);
    }
}

bool
vacation_decode(struct str frame, struct vacation_msg *m)
{
    struct wire in = wire_from(frame);
    unsigned type = wire_u8(&in);

    *m = (struct vacation_msg){.seq = wire_u64(&in)};
    if (type == VACATION_ASK) {
        m->type = VACATION_ASK;
        m->account = wire_str(&in);
        m->sender = wire_str(&in);
        m->key = wire_str(&in);
        m->named = wire_str(&in);
    } else if (type == VACATION_ANSWER) {
        unsigned result = wire_u8(&in);
        if (result > VACATION_NOT_NAMED)
            return false;
        m->type = VACATION_ANSWER;
        m->result = (enum vacation_result)result;
        m->subject = wire_str(&in);
        m->body = wire_str(&in);
        m->addresses = wire_str(&in);
    } else {
        return false;
    }
    return wire_done(&in);
}
