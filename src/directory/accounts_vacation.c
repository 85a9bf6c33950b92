/* SPDX-License-Identifier: ISC */
#include "directory/accounts_internal.h"

#define TELL_AGAIN_MS ((int64_t)7 * 24 * 3600 * 1000)

enum accounts_result
accounts_vacation_set(struct accounts *a, struct str account,
                      const struct accounts_vacation *v, struct err *e)
{
    struct query q;

    if (!query_begin(&q, a,
                     "INSERT INTO vacation (account, subject, body, since_ms)"
                     " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (account) DO UPDATE"
                     " SET subject = ?2, body = ?3, since_ms = ?4",
                     e))
        return ACCOUNTS_TROUBLE;
    query_text(&q, 1, account);
    query_text(&q, 2, v->subject);
    query_text(&q, 3, v->body);
    query_number(&q, 4, v->since_ms);
    enum query_result result = query_step(&q, e);
    if (query_end(&q))
        return ACCOUNTS_DONE;
    return result == QUERY_CLASH ? ACCOUNTS_MISSING : ACCOUNTS_TROUBLE;
}

enum accounts_result
accounts_vacation_get(struct accounts *a, struct arena *to, struct str account,
                      struct accounts_vacation *out, struct err *e)
{
    struct query q;
    enum query_result found;

    if (!query_begin(&q, a,
                     "SELECT subject, body, since_ms FROM vacation"
                     " WHERE account = ?1",
                     e))
        return ACCOUNTS_TROUBLE;
    query_text(&q, 1, account);
    found = query_step(&q, e);
    if (found == QUERY_ROW)
        *out = (struct accounts_vacation){
            .subject = arena_dup(to, query_column(&q, 0)),
            .body = arena_dup(to, query_column(&q, 1)),
            .since_ms = query_column_number(&q, 2)};
    if (!query_end(&q))
        return ACCOUNTS_TROUBLE;
    return found == QUERY_ROW ? ACCOUNTS_DONE : ACCOUNTS_MISSING;
}

enum accounts_result
accounts_vacation_clear(struct accounts *a, struct str account, struct err *e)
{
    return query_change(a, "DELETE FROM vacation WHERE account = ?1", &account,
                        1, e);
}

/* Once told, a sender is not told again for seven days, except by the same
 * notice: whoever wrote it may have died before it was sent. A clock that was
 * set back must not silence an account for ever. */
enum accounts_result
accounts_tell(struct accounts *a, struct str account, struct str sender,
              struct str notice, int64_t now_ms, struct err *e)
{
    struct query q;
    enum query_result result;

    if (!query_begin(&q, a,
                     "INSERT INTO told (account, sender, notice, at_ms)"
                     " VALUES (?1, ?2, ?3, ?4)"
                     " ON CONFLICT (account, sender) DO UPDATE"
                     " SET notice = ?3, at_ms = ?4"
                     " WHERE notice <> ?3"
                     " AND (at_ms <= ?5 OR at_ms > ?4)"
                     " RETURNING 1",
                     e))
        return ACCOUNTS_TROUBLE;
    query_text(&q, 1, account);
    query_text(&q, 2, sender);
    query_text(&q, 3, notice);
    query_number(&q, 4, now_ms);
    query_number(&q, 5, now_ms - TELL_AGAIN_MS);
    bool noted = false;
    while ((result = query_step(&q, e)) == QUERY_ROW)
        noted = true;
    (void)query_end(&q);
    if (result != QUERY_DONE)
        return ACCOUNTS_TROUBLE;
    if (noted)
        return ACCOUNTS_DONE;

    if (!query_begin(&q, a,
                     "SELECT 1 FROM told WHERE account = ?1 AND sender = ?2"
                     " AND notice = ?3",
                     e))
        return ACCOUNTS_TROUBLE;
    query_text(&q, 1, account);
    query_text(&q, 2, sender);
    query_text(&q, 3, notice);
    result = query_step(&q, e);
    if (!query_end(&q))
        return ACCOUNTS_TROUBLE;
    return result == QUERY_ROW ? ACCOUNTS_DONE : ACCOUNTS_EXISTS;
}

bool
accounts_tell_sweep(struct accounts *a, int64_t now_ms, struct err *e)
{
    struct query q;

    if (!query_begin(&q, a, "DELETE FROM told WHERE at_ms <= ?1", e))
        return false;
    query_number(&q, 1, now_ms - TELL_AGAIN_MS);
    (void)query_step(&q, e);
    return query_end(&q);
}
