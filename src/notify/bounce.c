/* SPDX-License-Identifier: ISC */
#include "notify/bounce.h"

#include "mail/address.h"
#include "spool/spool.h"

const char *
bounce_forbidden(const struct notice_msg *m)
{
    struct address a;
    if (m->envelope.sender.n == 0)
        return "the sender is empty: it was a notice itself";
    if (!address_parse(m->envelope.sender, &a))
        return "the sender's address is not one";
    if (m->n_rcpts == 0)
        return "no recipient is named";
    return NULL;
}

struct dsn_report
bounce_report(struct arena *a, const struct notice_msg *m, struct str content)
{
    struct dsn_report r = {
        .to = m->envelope.sender,
        .rcpts = arena_array(a, m->n_rcpts, sizeof *r.rcpts),
        .n_rcpts = m->n_rcpts,
        .original = content,
        .arrived_ms = m->envelope.arrived_ms,
        .envid = m->envelope.envid,
        // RFC 3461 4.3: RET is about failures.
        .ret = m->headers_only || m->kind == NOTICE_SUCCESS ? DSN_RET_HDRS
                                                            : m->envelope.ret,
        .smtputf8 = m->envelope.smtputf8,
    };
    for (size_t i = 0; i < m->n_rcpts; i++)
        r.rcpts[i] = (struct dsn_rcpt){
            .address = m->rcpts[i].address,
            .orcpt = m->rcpts[i].orcpt,
            .verdict = m->rcpts[i].verdict,
            .attempts = m->rcpts[i].attempts,
            .last_attempt_ms = m->rcpts[i].last_attempt_ms,
        };
    return r;
}
