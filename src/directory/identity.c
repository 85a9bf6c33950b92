/* SPDX-License-Identifier: ISC */
#include "directory/identity.h"

#include <string.h>

#include "mail/address.h"
#include "os/digest.h"

/* Accounts that share a local part. More than that are not searched for the
 * one whose domain is hosted: somebody's "info" stands in thousands. */
enum { CANDIDATES_MAX = 16 };
/* Domains of which one stands for a local part that nobody has. */
enum { DOMAINS_MAX = 64 };
/* The longest name that is looked at. */
enum { NAME_MAX_OCTETS = 320 };

static bool
is_hosted(const struct hosting *h, struct accounts *a, struct str account,
          bool *hosted, struct err *e)
{
    struct buf key = {0}, value = {0};
    ssize_t at = str_rfind_char(account, '@');

    buf_addf(&key, "d:%.*s", STR_ARG(str_from_pos(account, (size_t)at + 1)));
    bool ok = at >= 0 && hosting_value(h, a, buf_str(&key), &value, e);
    *hosted = value.n > 0;
    buf_fini(&key);
    buf_fini(&value);
    return ok;
}

struct candidates {
    struct arena *arena;
    struct str list[CANDIDATES_MAX + 1];
    size_t n;
};

static void
on_candidate(void *ctx, struct str address)
{
    struct candidates *c = ctx;
    if (c->n <= CANDIDATES_MAX)
        c->list[c->n++] = arena_dup(c->arena, address);
}

/* The domain that would be meant: always the same for the same local part, and
 * as good as random otherwise. */
struct pick {
    struct arena *arena;
    struct str local, best;
    unsigned char score[DIGEST_OCTETS];
    size_t seen;
};

static void
on_domain(void *ctx, struct str domain)
{
    struct pick *p = ctx;
    const struct str parts[] = {p->local, domain};
    unsigned char score[DIGEST_OCTETS];

    if (p->seen++ >= DOMAINS_MAX)
        return;
    digest_keyed(STR("domain"), parts, 2, score);
    if (p->best.n > 0 && memcmp(score, p->score, sizeof score) <= 0)
        return;
    memcpy(p->score, score, sizeof score);
    p->best = arena_dup(p->arena, domain);
}

static bool
pick_domain(const struct hosting *h, struct accounts *a, struct pick *p,
            struct err *e)
{
    for (size_t i = 0; i < h->n_domains; i++)
        on_domain(p, h->domains[i].name);
    return accounts_domain_names(a, DOMAINS_MAX, on_domain, p, e);
}

/* The one account of our domains with that local part; else empty. */
static bool
find_by_local_part(const struct hosting *h, struct accounts *a,
                   struct arena *arena, struct str local, struct identity *out,
                   struct err *e)
{
    struct candidates c = {.arena = arena};
    struct pick pick = {.arena = arena, .local = local};
    size_t n = 0;

    if (!accounts_with_local_part(a, local, CANDIDATES_MAX + 1, on_candidate,
                                  &c, e))
        return false;
    for (size_t i = 0; i < c.n && c.n <= CANDIDATES_MAX; i++) {
        bool hosted;
        if (!is_hosted(h, a, c.list[i], &hosted, e))
            return false;
        if (hosted) {
            out->account = c.list[i];
            n++;
        }
    }
    if (n == 1) {
        out->name = out->account;
        return true;
    }
    out->account = STR_EMPTY;
    if (!pick_domain(h, a, &pick, e))
        return false;
    out->name =
        arena_printf(arena, "%.*s@%.*s", STR_ARG(local), STR_ARG(pick.best));
    return true;
}

static bool
find_by_address(const struct hosting *h, struct accounts *a,
                struct arena *arena, struct str said, struct identity *out,
                struct err *e)
{
    struct address address;
    struct accounts_user user;
    bool hosted;

    if (!address_parse(said, &address))
        return true;
    struct str key = address_key(arena, &address);
    if (key.n == 0)
        return true;
    out->name = key;
    if (!is_hosted(h, a, key, &hosted, e))
        return false;
    if (!hosted)
        return true;
    enum accounts_result found = accounts_user_get(a, arena, key, &user, e);
    if (found == ACCOUNTS_DONE)
        out->account = key;
    return found != ACCOUNTS_TROUBLE;
}

bool
identity_find(const struct hosting *h, struct accounts *a, struct arena *arena,
              struct str said, struct identity *out, struct err *e)
{
    said = str_first(said, NAME_MAX_OCTETS);
    *out = (struct identity){.account = STR_EMPTY,
                             .name = arena_dup_lower(arena, said)};
    return str_find_char(said, '@') >= 0
               ? find_by_address(h, a, arena, said, out, e)
               : find_by_local_part(h, a, arena, out->name, out, e);
}

bool
identity_salt(struct accounts *a, struct str name,
              unsigned char salt[SCRAM_SALT], struct err *e)
{
    unsigned char digest[DIGEST_OCTETS];
    struct buf secret = {0};
    bool ok = accounts_secret(a, STR("salt"), &secret, e);

    if (ok) {
        digest_keyed(buf_str(&secret), &name, 1, digest);
        memcpy(salt, digest, SCRAM_SALT);
    }
    buf_wipe(&secret);
    return ok;
}
