/* SPDX-License-Identifier: ISC */
#include "queue/route.h"

#include "mail/address.h"

struct verdict
route_refusal(struct status status, struct str reason, struct str text)
{
    return (struct verdict){.outcome = OUTCOME_REFUSED,
                            .status = status,
                            .reason = reason,
                            .text = text};
}

static void
refuse(struct route *out, struct status status, struct str reason,
       struct str text)
{
    out->kind = ROUTE_REFUSED;
    out->verdict = route_refusal(status, reason, text);
}

/* "postmaster" without a domain: the only bare address that is accepted. */
static bool
parse(struct str text, struct address *a)
{
    if (address_parse(text, a))
        return true;
    *a = (struct address){.whole = text, .local = text};
    return str_eq_nocase(text, STR("postmaster"));
}

/* Mail that was accepted before the account came into that state, or that an
 * alias led there. A full mailbox may have room the next time. */
static void
refuse_by_state(struct route *out, struct arena *a,
                const struct book_route *found)
{
    switch (found->state) {
    case BOOK_ACTIVE:
        return;
    case BOOK_DISABLED:
        refuse(out, (struct status){5, 2, 1}, STR("recipient-disabled"),
               STR("The mailbox is switched off."));
        return;
    case BOOK_SUSPENDED:
        refuse(out, (struct status){5, 2, 1}, STR("recipient-suspended"),
               STR("The mailbox is suspended by its admin."));
        return;
    case BOOK_FULL:
        refuse(out, (struct status){4, 2, 2}, STR("recipient-full"),
               STR("The mailbox is full."));
        out->verdict.outcome = OUTCOME_LATER;
        return;
    case BOOK_MOVED:
    default:
        refuse(out, (struct status){5, 1, 6}, STR("recipient-moved"),
               found->note.n == 0
                   ? STR("The recipient has moved.")
                   : arena_printf(a, "The recipient has moved to <%.*s>.",
                                  STR_ARG(found->note)));
    }
}

void
route_find(const struct book *b, struct str smarthost, struct arena *a,
           struct str text, struct route *out)
{
    struct address address;
    struct book_route found;

    *out = (struct route){0};
    if (!parse(text, &address)) {
        refuse(out, (struct status){5, 1, 3}, STR("bad-recipient-address"),
               STR("The recipient's address is not a valid mail address."));
        return;
    }
    book_resolve(b, a, &address, &found);
    switch (found.answer) {
    case BOOK_ACCOUNT:
    case BOOK_POSTMASTER_BOX:
        out->kind = ROUTE_MAILBOX;
        out->destination = found.delivery;
        out->account = found.account;
        out->on_vacation = found.on_vacation;
        refuse_by_state(out, a, &found);
        return;
    case BOOK_ALIAS:
        out->kind = ROUTE_ALIAS;
        out->targets = found.targets;
        out->n_targets = found.n_targets;
        return;
    case BOOK_REMOTE:
        out->kind = ROUTE_SEND;
        out->destination =
            smarthost.n > 0 ? smarthost : domain_key(a, address.domain);
        if (out->destination.n == 0)
            refuse(out, (struct status){5, 1, 2}, STR("domain-unknown"),
                   STR("The recipient's domain is not a valid domain name."));
        return;
    case BOOK_UNKNOWN:
    default:
        refuse(out, (struct status){5, 1, 1}, STR("unknown-recipient"),
               STR("There is no mailbox of that name here."));
    }
}
