/* SPDX-License-Identifier: ISC */
/* What is looked for in a list: an address, its domain, every domain above. */
#include "book/network.h"
#include "gate/checks.h"

#include "book/network.h"

/* ".b.example", ".example" for "a.b.example". */
static size_t
add_above(struct str domain, struct str keys[GATE_KEYS_MAX], size_t n)
{
    ssize_t dot;
    while (n < GATE_KEYS_MAX && (dot = str_find_char(domain, '.')) >= 0) {
        keys[n++] = str_from_pos(domain, (size_t)dot);
        domain = str_from_pos(domain, (size_t)dot + 1);
    }
    return n;
}

static struct str
domain_of(struct str key)
{
    ssize_t at = str_rfind_char(key, '@');
    return at < 0 ? STR_EMPTY : str_from_pos(key, (size_t)at + 1);
}

static size_t
address_keys(struct str key, struct str keys[GATE_KEYS_MAX])
{
    size_t n = 0;
    if (key.n == 0)
        return 0;
    keys[n++] = key;
    ssize_t at = str_rfind_char(key, '@');
    if (at >= 0)
        keys[n++] = str_from_pos(key, (size_t)at);
    return n;
}

static size_t
sender_keys(const struct gate_facts *f, struct str keys[GATE_KEYS_MAX])
{
    size_t n = address_keys(f->sender_key, keys);
    if (f->sender->literal)
        return n;
    return add_above(domain_of(f->sender_key), keys, n);
}

static size_t
validrcptto_keys(const struct gate_facts *f, struct str keys[GATE_KEYS_MAX])
{
    size_t n = 0;
    struct str base = book_without_detail(f->arena, f->recipient_key);
    if (!str_eq(base, f->recipient_key))
        keys[n++] = f->recipient_key;
    return n + address_keys(base, keys + n);
}

static size_t
rcpthosts_keys(const struct gate_facts *f, struct str keys[GATE_KEYS_MAX])
{
    keys[0] = domain_of(f->recipient_key);
    return keys[0].n == 0 ? 0 : add_above(keys[0], keys, 1);
}

size_t
gate_keys(const struct gate_facts *f, enum gate_lookup lookup,
          struct str keys[GATE_KEYS_MAX])
{
    switch ((unsigned)lookup) {
    case LIST_BADMAILFROM:
    case LIST_SENDER_DENY:
        return sender_keys(f, keys);
    case LIST_RCPTHOSTS:
        return rcpthosts_keys(f, keys);
    case LIST_VALIDRCPTTO:
        return validrcptto_keys(f, keys);
    case LIST_CLIENTS_REFUSED:
        return network_keys(f->arena, f->session->client, keys);
    case GATE_ASK_SENDER_DOMAIN:
        keys[0] = domain_of(f->sender_key);
        return keys[0].n > 0 ? 1 : 0;
    case GATE_ASK_RECIPIENT_MX:
        keys[0] = domain_of(f->recipient_key);
        return keys[0].n > 0 ? 1 : 0;
    default:
        return 0;
    }
}
