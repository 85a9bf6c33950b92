/* SPDX-License-Identifier: ISC */
#include "ipc/login.h"

#include "base/wire.h"

void
login_encode(struct buf *to, const struct login_msg *m)
{
    wire_add_u8(to, (uint8_t)m->type);
    wire_add_u64(to, m->seq);
    if (m->type == LOGIN_ASK) {
        wire_add_str(to, m->user);
        wire_add_str(to, m->password);
        wire_add_str(to, m->client);
        wire_add_str(to, m->session);
    } else {
        wire_add_u8(to, (uint8_t)m->result);
        wire_add_str(to, m->account);
    }
}

bool
login_decode(struct str frame, struct login_msg *m)
{
    struct wire in = wire_from(frame);
    unsigned type = wire_u8(&in);

    *m = (struct login_msg){.seq = wire_u64(&in)};
    if (type == LOGIN_ASK) {
        m->type = LOGIN_ASK;
        m->user = wire_str(&in);
        m->password = wire_str(&in);
        m->client = wire_str(&in);
        m->session = wire_str(&in);
    } else if (type == LOGIN_ANSWER) {
        unsigned result = wire_u8(&in);
        if (result > LOGIN_TROUBLE)
            return false;
        m->type = LOGIN_ANSWER;
        m->result = (enum login_result)result;
        m->account = wire_str(&in);
    } else {
        return false;
    }
    return wire_done(&in);
}
