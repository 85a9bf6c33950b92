/* SPDX-License-Identifier: ISC */
#include "gate/gate.h"

struct str
gate_mail(const struct gate_session *s, const struct gate_limits *l,
          const struct book *b, struct arena *a, const struct address *sender,
          uint64_t declared)
{
    struct str reason = gate_login(s);
    if (reason.n == 0)
        reason = gate_size(l, declared);
    if (reason.n == 0)
        reason = gate_sender(s, b, a, sender);
    return reason;
}

struct str
gate_rcpt(const struct gate_session *s, const struct gate_limits *l,
          const struct book *b, struct arena *a,
          const struct address *recipient, size_t accepted)
{
    struct book_route route;
    struct str reason = gate_count(l, accepted);
    if (reason.n == 0)
        reason = gate_address(a, recipient);
    if (reason.n > 0)
        return reason;
    book_resolve(b, a, recipient, &route);
    reason = gate_relay(s, &route);
    return reason.n > 0 ? reason : gate_recipient(&route);
}

struct str
gate_end(const struct gate_content *c)
{
    struct str reason = gate_form(c);
    return reason.n > 0 ? reason : gate_loop(c);
}
