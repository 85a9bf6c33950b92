/* SPDX-License-Identifier: ISC */
/*
 * The octets of an envelope (all integers little-endian, str = u32 + bytes):
 *
 *     u8 version = 1, str sender, str envid, u8 ret, u8 body, u8 smtputf8,
 *     i64 arrived_ms, str client, str helo, str auth_user, str protocol,
 *     str session, str notice,
 *     u32 count, then for each recipient: str address, str orcpt, u8 notify
 *
 * It lies in spool records: a new form gets a new version number, and this
 * one stays readable.
 */
#include "mail/envelope.h"

#include <assert.h>

#include "base/wire.h"

enum { VERSION = 1, RECIPIENT_MIN = 4 + 4 + 1, NOTIFY_ALL = 15 };

void
envelope_encode(struct buf *to, const struct envelope *e)
{
    assert(e->n_rcpts <= UINT32_MAX);
    wire_add_u8(to, VERSION);
    wire_add_str(to, e->sender);
    wire_add_str(to, e->envid);
    wire_add_u8(to, (uint8_t)e->ret);
    wire_add_u8(to, (uint8_t)e->body);
    wire_add_u8(to, e->smtputf8);
    wire_add_i64(to, e->arrived_ms);
    wire_add_str(to, e->client);
    wire_add_str(to, e->helo);
    wire_add_str(to, e->auth_user);
    wire_add_str(to, e->protocol);
    wire_add_str(to, e->session);
    wire_add_str(to, e->notice);
    wire_add_u32(to, (uint32_t)e->n_rcpts);
    for (size_t i = 0; i < e->n_rcpts; i++) {
        wire_add_str(to, e->rcpts[i].address);
        wire_add_str(to, e->rcpts[i].orcpt);
        wire_add_u8(to, (uint8_t)e->rcpts[i].notify);
    }
}

/* One octet that is at most `max`; anything more makes the whole bad. */
static uint8_t
take_small(struct wire *in, uint8_t max)
{
    uint8_t v = wire_u8(in);
    if (v > max) {
        in->bad = true;
        return 0;
    }
    return v;
}

bool
envelope_decode(struct arena *a, struct str bytes, struct envelope *e)
{
    struct wire in = wire_from(bytes);
    *e = (struct envelope){0};
    if (wire_u8(&in) != VERSION)
        return false;
    e->sender = wire_str(&in);
    e->envid = wire_str(&in);
    e->ret = (enum dsn_ret)take_small(&in, DSN_RET_HDRS);
    e->body = (enum body_type)take_small(&in, BODY_BINARYMIME);
    e->smtputf8 = take_small(&in, 1) != 0;
    e->arrived_ms = wire_i64(&in);
    e->client = wire_str(&in);
    e->helo = wire_str(&in);
    e->auth_user = wire_str(&in);
    e->protocol = wire_str(&in);
    e->session = wire_str(&in);
    e->notice = wire_str(&in);
    e->n_rcpts = wire_count(&in, RECIPIENT_MIN);
    e->rcpts = arena_array(a, e->n_rcpts, sizeof *e->rcpts);
    for (size_t i = 0; i < e->n_rcpts; i++) {
        e->rcpts[i].address = wire_str(&in);
        e->rcpts[i].orcpt = wire_str(&in);
        e->rcpts[i].notify = take_small(&in, NOTIFY_ALL);
    }
    return wire_done(&in);
}
