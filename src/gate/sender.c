/* SPDX-License-Identifier: ISC */
#include "gate/gate.h"

struct str
gate_sender(const struct gate_session *s, const struct book *b, struct arena *a,
            const struct address *sender)
{
    if (s->user.n == 0 || sender->whole.n == 0 ||
        book_may_send_as(b, a, s->user, sender))
        return STR_EMPTY;
    return STR("sender-not-yours");
}
