/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

void
gate_facts_sender(struct gate_facts *f, const struct address *sender,
                  uint64_t declared)
{
    f->sender = sender;
    f->declared = declared;
    f->sender_key = STR_EMPTY;
    f->sender_ours = false;
    if (sender->whole.n == 0)
        return;
    f->sender_key = address_key(f->arena, sender);
    f->sender_ours = f->sender_key.n > 0 && sender->domain.n > 0 &&
                     book_is_ours(f->book, f->arena, sender->domain);
}

void
gate_facts_recipient(struct gate_facts *f, const struct address *recipient,
                     size_t accepted)
{
    f->recipient = recipient;
    f->accepted = accepted;
    f->recipient_key = address_key(f->arena, recipient);
    book_resolve(f->book, f->arena, recipient, &f->route);
}
