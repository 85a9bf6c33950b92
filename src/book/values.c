/* SPDX-License-Identifier: ISC */
/* The values of the snapshot. They come from another process, so each length
 * is checked. */
#include "book/book.h"

#include "base/wire.h"

/* The first octet of an account: flags, and the state above them. Behind it
 * comes the note, unless the account is active, as nearly all are; behind that
 * the limits, if it has any of its own. */
enum {
    FLAG_ON_VACATION = 1,
    FLAG_RECEIVE_ONLY = 2,
    FLAG_KICKED = 4,
    FLAG_LIMITS = 8,
    STATE_SHIFT = 4,
};

static const struct str state_names[] = {
    [BOOK_ACTIVE] = {"active",    6},
      [BOOK_DISABLED] = {"disabled",  8},
    [BOOK_SUSPENDED] = {"suspended", 9},
      [BOOK_FULL] = {"full",      4},
    [BOOK_MOVED] = {"moved",     5},
};
enum { N_STATES = sizeof state_names / sizeof *state_names };

struct str
book_state_name(enum book_state state)
{
    return state_names[state];
}

bool
book_state_parse(struct str name, enum book_state *state)
{
    for (size_t i = 0; i < N_STATES; i++)
        if (str_eq(name, state_names[i])) {
            *state = (enum book_state)i;
            return true;
        }
    return false;
}

void
book_domain_encode(struct buf *to, const struct book_domain *d)
{
    wire_add_u8(to, 0); // no flags yet; keeps the value from being empty
    wire_add_str(to, d->delivery);
}

bool
book_domain_decode(struct str value, struct book_domain *d)
{
    struct wire in = wire_from(value);
    (void)wire_u8(&in);
    *d = (struct book_domain){.delivery = wire_str(&in)};
    return wire_done(&in);
}

static bool
has_limits(const struct book_limits *l)
{
    bool any = false;
    for (size_t i = 0; i < BOOK_LIMITS; i++)
        any = any || l->n[i] != 0;
    return any;
}

void
book_account_encode(struct buf *to, const struct book_account *x)
{
    bool limits = has_limits(&x->limits);
    unsigned first = (unsigned)x->state << STATE_SHIFT;
    first |= x->on_vacation ? FLAG_ON_VACATION : 0u;
    first |= x->receive_only ? FLAG_RECEIVE_ONLY : 0u;
    first |= x->kicked ? FLAG_KICKED : 0u;
    first |= limits ? FLAG_LIMITS : 0u;
    wire_add_u8(to, (uint8_t)first);
    if (x->state != BOOK_ACTIVE)
        wire_add_str(to, x->note);
    for (size_t i = 0; limits && i < BOOK_LIMITS; i++)
        wire_add_u32(to, x->limits.n[i]);
}

bool
book_account_decode(struct str value, struct book_account *x)
{
    struct wire in = wire_from(value);
    unsigned first = wire_u8(&in), state = first >> STATE_SHIFT;
    bool limits = (first & FLAG_LIMITS) != 0;

    if (state >= N_STATES)
        return false;
    *x = (struct book_account){.on_vacation = (first & FLAG_ON_VACATION) != 0,
                               .receive_only = (first & FLAG_RECEIVE_ONLY) != 0,
                               .kicked = (first & FLAG_KICKED) != 0,
                               .state = (enum book_state)state};
    if (x->state != BOOK_ACTIVE)
        x->note = wire_str(&in);
    for (size_t i = 0; limits && i < BOOK_LIMITS; i++)
        x->limits.n[i] = wire_u32(&in);
    return wire_done(&in) && limits == has_limits(&x->limits);
}

static void
add_list(struct buf *to, const struct str *list, size_t n)
{
    wire_add_u32(to, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        wire_add_str(to, list[i]);
}

static struct str *
take_list(struct wire *in, struct arena *a, size_t *n)
{
    enum { STR_LEAST = 4 }; // the length of an empty one
    *n = wire_count(in, STR_LEAST);
    struct str *list = arena_array(a, *n, sizeof *list);
    for (size_t i = 0; i < *n; i++)
        list[i] = wire_str(in);
    return list;
}

/* The list of members is there only if it means something. */
void
book_alias_encode(struct buf *to, const struct book_alias *x)
{
    add_list(to, x->targets, x->n_targets);
    if (x->members_only)
        add_list(to, x->members, x->n_members);
}

bool
book_alias_decode(struct arena *a, struct str value, struct book_alias *x)
{
    struct wire in = wire_from(value);

    *x = (struct book_alias){0};
    x->targets = take_list(&in, a, &x->n_targets);
    x->members_only = !in.bad && in.n > 0;
    if (x->members_only)
        x->members = take_list(&in, a, &x->n_members);
    return wire_done(&in);
}

void
book_names_encode(struct buf *to, const struct str *names, size_t n)
{
    add_list(to, names, n);
}

struct str *
book_names_decode(struct arena *a, struct str value, size_t *n)
{
    struct wire in = wire_from(value);
    struct str *names = take_list(&in, a, n);

    if (wire_done(&in) && *n > 0)
        return names;
    *n = 0;
    return NULL;
}
