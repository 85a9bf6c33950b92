/* SPDX-License-Identifier: ISC */
#include "ipc/login.h"

#include "base/wire.h"

void
login_encode(struct buf *to, const struct login_msg *m)
{
    wire_add_u8(to, (uint8_t)m->type);
    wire_add_u64(to, m->seq);
    switch (m->type) {
    case LOGIN_ASK:
        wire_add_str(to, m->user);
        wire_add_str(to, m->password);
        wire_add_str(to, m->client);
        wire_add_str(to, m->session);
        return;
    case LOGIN_ANSWER:
        wire_add_u8(to, (uint8_t)m->result);
        wire_add_str(to, m->account);
        wire_add_str(to, m->detail);
        return;
    case LOGIN_START:
        wire_add_u8(to, m->plus ? 1 : 0);
        wire_add_str(to, m->unique);
        wire_add_str(to, m->exporter);
        wire_add_str(to, m->client);
        wire_add_str(to, m->session);
        wire_add_str(to, m->bytes);
        return;
    case LOGIN_CHALLENGE:
    case LOGIN_RESPONSE:
        wire_add_str(to, m->bytes);
        return;
    case LOGIN_NONE:
    case LOGIN_FORGET:
    case LOGIN_LEDGER:
        return;
    }
}

static void
take_start(struct wire *in, struct login_msg *m)
{
    unsigned plus = wire_u8(in);

    in->bad = in->bad || plus > 1;
    m->plus = plus == 1;
    m->unique = wire_str(in);
    m->exporter = wire_str(in);
    m->client = wire_str(in);
    m->session = wire_str(in);
    m->bytes = wire_str(in);
}

static void
take_answer(struct wire *in, struct login_msg *m)
{
    unsigned result = wire_u8(in);

    in->bad = in->bad || result >= LOGIN_RESULTS;
    m->result = (enum login_result)result;
    m->account = wire_str(in);
    m->detail = wire_str(in);
}

bool
login_decode(struct str frame, struct login_msg *m)
{
    struct wire in = wire_from(frame);
    unsigned type = wire_u8(&in);

    if (type == LOGIN_NONE || type > LOGIN_LEDGER)
        return false;
    *m =
        (struct login_msg){.type = (enum login_type)type, .seq = wire_u64(&in)};
    switch (m->type) {
    case LOGIN_ASK:
        m->user = wire_str(&in);
        m->password = wire_str(&in);
        m->client = wire_str(&in);
        m->session = wire_str(&in);
        break;
    case LOGIN_ANSWER:
        take_answer(&in, m);
        break;
    case LOGIN_START:
        take_start(&in, m);
        break;
    case LOGIN_CHALLENGE:
    case LOGIN_RESPONSE:
        m->bytes = wire_str(&in);
        break;
    case LOGIN_NONE:
    case LOGIN_FORGET:
    case LOGIN_LEDGER:
        break;
    }
    return wire_done(&in);
}
