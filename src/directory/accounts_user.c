/* SPDX-License-Identifier: ISC */
#include "directory/accounts_internal.h"

enum accounts_result
accounts_user_add(struct accounts *a, struct str address, struct str hash,
                  int64_t now_ms, struct err *e)
{
    struct query q;
    struct str domain = accounts_domain_of(address);

    if (!query_begin(&q, a,
                     "INSERT INTO account (address, local, domain, password,"
                     " created_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
                     e))
        return ACCOUNTS_TROUBLE;
    query_text(&q, 1, address);
    query_text(&q, 2, str_first(address, address.n - domain.n - 1));
    query_text(&q, 3, domain);
    query_text(&q, 4, hash);
    query_number(&q, 5, now_ms);
    enum query_result result = query_step(&q, e);
    if (query_end(&q))
        return ACCOUNTS_DONE;
    return result == QUERY_CLASH ? ACCOUNTS_EXISTS : ACCOUNTS_TROUBLE;
}

#define SELECT_USER                                                            \
    "SELECT address, created_ms,"                                              \
    " EXISTS (SELECT 1 FROM vacation WHERE vacation.account = address),"       \
    " state, note, kicked, receive_only,"                                      \
    " ifnull(messages_hour, 0), ifnull(messages_day, 0),"                      \
    " ifnull(recipients_hour, 0), ifnull(recipients_day, 0)"                   \
    " FROM account LEFT JOIN sending_limit ON sending_limit.account = address"

/* Whoever writes into the table by hand may write anything. */
static uint32_t
limit_of(int64_t n)
{
    return n < 0 || n > BOOK_UNLIMITED ? BOOK_UNLIMITED : (uint32_t)n;
}

static struct accounts_user
user_of_row(struct query *q)
{
    struct accounts_user u = {
        .address = query_column(q, 0),
        .created_ms = query_column_number(q, 1),
        .is = {.on_vacation = query_column_number(q, 2) != 0}};

    // The schema lets no other word in.
    (void)book_state_parse(query_column(q, 3), &u.is.state);
    u.is.note = query_column(q, 4);
    u.is.kicked = query_column_number(q, 5) != 0;
    u.is.receive_only = query_column_number(q, 6) != 0;
    for (int i = 0; i < BOOK_LIMITS; i++)
        u.is.limits.n[i] = limit_of(query_column_number(q, 7 + i));
    return u;
}

enum accounts_result
accounts_user_get(struct accounts *a, struct arena *to, struct str address,
                  struct accounts_user *out, struct err *e)
{
    struct query q;
    enum query_result found;

    if (!query_begin(&q, a, SELECT_USER " WHERE address = ?1", e))
        return ACCOUNTS_TROUBLE;
    query_text(&q, 1, address);
    found = query_step(&q, e);
    if (found == QUERY_ROW) {
        *out = user_of_row(&q);
        out->address = arena_dup(to, address);
        out->is.note = arena_dup(to, out->is.note);
    }
    if (!query_end(&q))
        return ACCOUNTS_TROUBLE;
    return found == QUERY_ROW ? ACCOUNTS_DONE : ACCOUNTS_MISSING;
}

enum accounts_result
accounts_user_passwd(struct accounts *a, struct str address, struct str hash,
                     struct err *e)
{
    const struct str text[] = {address, hash};
    return query_change(
        a, "UPDATE account SET password = ?2, scram = '' WHERE address = ?1",
        text, 2, e);
}

enum accounts_result
accounts_user_set_scram(struct accounts *a, struct str address, struct str hash,
                        struct str verifier, struct err *e)
{
    const struct str text[] = {address, verifier, hash};
    return query_change(a,
                        "UPDATE account SET scram = ?2"
                        " WHERE address = ?1 AND password = ?3",
                        text, 3, e);
}

enum accounts_result
accounts_user_set_state(struct accounts *a, struct str address,
                        const struct book_account *is, struct err *e)
{
    bool noted = is->state == BOOK_SUSPENDED || is->state == BOOK_MOVED;
    const struct str text[] = {
        address, book_state_name(is->state), noted ? is->note : STR_EMPTY,
        is->kicked && is->state != BOOK_ACTIVE ? STR("1") : STR("0")};
    return query_change(a,
                        "UPDATE account SET state = ?2, note = ?3,"
                        " kicked = CAST(?4 AS INTEGER) WHERE address = ?1",
                        text, 4, e);
}

enum accounts_result
accounts_user_set_receive_only(struct accounts *a, struct str address,
                               bool receive_only, struct err *e)
{
    return query_change(
        a,
        receive_only ? "UPDATE account SET receive_only = 1 WHERE address = ?1"
                     : "UPDATE account SET receive_only = 0 WHERE address = ?1",
        &address, 1, e);
}

enum accounts_result
accounts_user_set_limits(struct accounts *a, struct str address,
                         const struct book_limits *limits, struct err *e)
{
    struct query q;
    enum query_result result;

    if (!query_begin(&q, a,
                     "INSERT INTO sending_limit (account, messages_hour,"
                     " messages_day, recipients_hour, recipients_day)"
                     " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (account)"
                     " DO UPDATE SET messages_hour = ?2, messages_day = ?3,"
                     " recipients_hour = ?4, recipients_day = ?5",
                     e))
        return ACCOUNTS_TROUBLE;
    query_text(&q, 1, address);
    for (int i = 0; i < BOOK_LIMITS; i++)
        query_number(&q, 2 + i, limits->n[i]);
    result = query_step(&q, e);
    if (query_end(&q))
        return ACCOUNTS_DONE;
    return result == QUERY_CLASH ? ACCOUNTS_MISSING : ACCOUNTS_TROUBLE;
}

enum accounts_result
accounts_user_remove(struct accounts *a, struct str address, struct err *e)
{
    return query_change(a, "DELETE FROM account WHERE address = ?1", &address,
                        1, e);
}

bool
accounts_user_list(struct accounts *a, struct str domain, accounts_user_fn fn,
                   void *ctx, struct err *e)
{
    struct query q;

    if (!query_begin(&q, a,
                     domain.n > 0 ? SELECT_USER
                         " WHERE domain = ?1 ORDER BY address"
                                  : SELECT_USER " ORDER BY address",
                     e))
        return false;
    if (domain.n > 0)
        query_text(&q, 1, domain);
    while (query_step(&q, e) == QUERY_ROW) {
        struct accounts_user u = user_of_row(&q);
        fn(ctx, &u);
    }
    return query_end(&q);
}

/* The one text that a statement finds under a key. */
static enum accounts_result
read_text(struct accounts *a, const char *sql, struct str key, struct buf *to,
          struct err *e)
{
    struct query q;
    enum query_result found;

    if (!query_begin(&q, a, sql, e))
        return ACCOUNTS_TROUBLE;
    query_text(&q, 1, key);
    found = query_step(&q, e);
    if (found == QUERY_ROW) {
        struct str text = query_column(&q, 0);
        (void)buf_reserve(to, text.n + 1); // none is left behind by growing
        buf_add(to, text);
    }
    if (!query_end(&q))
        return ACCOUNTS_TROUBLE;
    return found == QUERY_ROW ? ACCOUNTS_DONE : ACCOUNTS_MISSING;
}

enum accounts_result
accounts_user_hash(struct accounts *a, struct str address, struct buf *hash,
                   struct err *e)
{
    return read_text(a, "SELECT password FROM account WHERE address = ?1",
                     address, hash, e);
}

enum accounts_result
accounts_user_scram(struct accounts *a, struct str address,
                    struct buf *verifier, struct err *e)
{
    return read_text(a, "SELECT scram FROM account WHERE address = ?1", address,
                     verifier, e);
}

bool
accounts_secret(struct accounts *a, struct str name, struct buf *to,
                struct err *e)
{
    switch (
        read_text(a, "SELECT value FROM secret WHERE name = ?1", name, to, e)) {
    case ACCOUNTS_DONE:
        return true;
    case ACCOUNTS_MISSING:
        return err_set(e, "accounts database: its secret \"%.*s\" is gone",
                       STR_ARG(name));
    case ACCOUNTS_EXISTS:
    case ACCOUNTS_TROUBLE:
        break;
    }
    return false;
}

bool
accounts_with_local_part(struct accounts *a, struct str local, size_t max,
                         accounts_address_fn fn, void *ctx, struct err *e)
{
    struct query q;

    if (!query_begin(
            &q, a, "SELECT address FROM account WHERE local = ?1 LIMIT ?2", e))
        return false;
    query_text(&q, 1, local);
    query_number(&q, 2, (int64_t)max);
    while (query_step(&q, e) == QUERY_ROW)
        fn(ctx, query_column(&q, 0));
    return query_end(&q);
}
