/* SPDX-License-Identifier: ISC */
/*
 * The tables. `change` is filled by triggers only, so that whoever writes, be
 * it a person with the sqlite3 shell, is noticed by a running directory.
 */
#include "directory/accounts_internal.h"

#include <stdio.h>

/* One row a key: the log stays as small as the book. AUTOINCREMENT: a number
 * is never given twice, even after the log was emptied. */
#define NOTE_CHANGE(name, event, key)                                          \
    "CREATE TRIGGER note_" name " AFTER " event " BEGIN"                       \
    " DELETE FROM change WHERE key = " key ";"                                 \
    " INSERT INTO change (key) VALUES (" key "); END"

static const char *const version_1[] = {
    "CREATE TABLE domain ("
    " name TEXT PRIMARY KEY,"
    " deliver TEXT NOT NULL"
    ") STRICT, WITHOUT ROWID",

    "CREATE TABLE account ("
    " address TEXT PRIMARY KEY,"
    " local TEXT NOT NULL,"
    " domain TEXT NOT NULL,"
    " password TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID",
    "CREATE INDEX account_local ON account (local)",
    "CREATE INDEX account_domain ON account (domain)",

    "CREATE TABLE alias ("
    " address TEXT PRIMARY KEY,"
    " domain TEXT NOT NULL"
    ") STRICT, WITHOUT ROWID",
    "CREATE INDEX alias_domain ON alias (domain)",
    "CREATE TABLE target ("
    " alias TEXT NOT NULL REFERENCES alias ON DELETE CASCADE,"
    " position INTEGER NOT NULL,"
    " address TEXT NOT NULL,"
    " key TEXT NOT NULL,"
    " PRIMARY KEY (alias, position)"
    ") STRICT, WITHOUT ROWID",
    "CREATE INDEX target_key ON target (key)",

    "CREATE TABLE vacation ("
    " account TEXT PRIMARY KEY REFERENCES account ON DELETE CASCADE,"
    " subject TEXT NOT NULL,"
    " body TEXT NOT NULL,"
    " since_ms INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID",
    "CREATE TABLE told ("
    " account TEXT NOT NULL REFERENCES account ON DELETE CASCADE,"
    " sender TEXT NOT NULL,"
    " notice TEXT NOT NULL,"
    " at_ms INTEGER NOT NULL,"
    " PRIMARY KEY (account, sender)"
    ") STRICT, WITHOUT ROWID",
    "CREATE INDEX told_at ON told (at_ms)",

    "CREATE TABLE change ("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " key TEXT NOT NULL UNIQUE"
    ") STRICT",
    NOTE_CHANGE("domain_added", "INSERT ON domain", "'d:' || new.name"),
    NOTE_CHANGE("domain_changed", "UPDATE ON domain", "'d:' || new.name"),
    NOTE_CHANGE("domain_gone", "DELETE ON domain", "'d:' || old.name"),
    NOTE_CHANGE("account_added", "INSERT ON account", "'a:' || new.address"),
    NOTE_CHANGE("account_gone", "DELETE ON account", "'a:' || old.address"),
    NOTE_CHANGE("vacation_set", "INSERT ON vacation", "'a:' || new.account"),
    NOTE_CHANGE("vacation_gone", "DELETE ON vacation", "'a:' || old.account"),
    NOTE_CHANGE("target_added", "INSERT ON target", "'l:' || new.alias"),
    NOTE_CHANGE("target_changed", "UPDATE ON target", "'l:' || new.alias"),
    NOTE_CHANGE("target_gone", "DELETE ON target", "'l:' || old.alias"),
    NULL,
};

/* States of accounts, aliases for members only. */
static const char *const version_2[] = {
    "ALTER TABLE account ADD COLUMN state TEXT NOT NULL DEFAULT 'active'"
    " CHECK (state IN ('active', 'disabled', 'suspended', 'full', 'moved'))",
    "ALTER TABLE account ADD COLUMN note TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE account ADD COLUMN kicked INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE account ADD COLUMN receive_only INTEGER NOT NULL DEFAULT 0",
    NOTE_CHANGE("account_state",
                "UPDATE OF state, note, kicked, receive_only ON account",
                "'a:' || new.address"),

    "ALTER TABLE alias ADD COLUMN members_only INTEGER NOT NULL DEFAULT 0",
    "CREATE TABLE member ("
    " alias TEXT NOT NULL REFERENCES alias ON DELETE CASCADE,"
    " position INTEGER NOT NULL,"
    " key TEXT NOT NULL,"
    " PRIMARY KEY (alias, position)"
    ") STRICT, WITHOUT ROWID",
    NOTE_CHANGE("alias_changed", "UPDATE OF members_only ON alias",
                "'l:' || new.address"),
    NOTE_CHANGE("member_added", "INSERT ON member", "'l:' || new.alias"),
    NOTE_CHANGE("member_changed", "UPDATE ON member", "'l:' || new.alias"),
    NOTE_CHANGE("member_gone", "DELETE ON member", "'l:' || old.alias"),
    NULL,
};

/* SCRAM, and what an account may send (0: as the config says). A salt is made
 * from a secret and the address, so that nobody's looks like anybody's. */
static const char *const version_3[] = {
    "ALTER TABLE account ADD COLUMN scram TEXT NOT NULL DEFAULT ''",
    "CREATE TABLE secret ("
    " name TEXT PRIMARY KEY,"
    " value TEXT NOT NULL"
    ") STRICT, WITHOUT ROWID",
    "INSERT INTO secret VALUES ('salt', lower(hex(randomblob(32))))",
    "CREATE TABLE sending_limit ("
    " account TEXT PRIMARY KEY REFERENCES account ON DELETE CASCADE,"
    " messages_hour INTEGER NOT NULL DEFAULT 0,"
    " messages_day INTEGER NOT NULL DEFAULT 0,"
    " recipients_hour INTEGER NOT NULL DEFAULT 0,"
    " recipients_day INTEGER NOT NULL DEFAULT 0"
    ") STRICT, WITHOUT ROWID",
    NOTE_CHANGE("limit_added", "INSERT ON sending_limit",
                "'a:' || new.account"),
    NOTE_CHANGE("limit_changed", "UPDATE ON sending_limit",
                "'a:' || new.account"),
    NOTE_CHANGE("limit_gone", "DELETE ON sending_limit", "'a:' || old.account"),
    NULL,
};

/* An address's aliases are in the book, too. */
static const char *const version_4[] = {
    NOTE_CHANGE("name_added", "INSERT ON target", "'n:' || new.key"),
    NOTE_CHANGE("name_changed", "UPDATE ON target", "'n:' || new.key"),
    NOTE_CHANGE("name_moved", "UPDATE OF key ON target", "'n:' || old.key"),
    NOTE_CHANGE("name_gone", "DELETE ON target", "'n:' || old.key"),
    NULL,
};

/* Each leads from the version before it to its own; an empty database has
 * version 0. What was released is never edited, only followed by another. */
static const char *const *const versions[] = {version_1, version_2, version_3,
                                              version_4};
enum { SCHEMA_VERSION = sizeof versions / sizeof *versions };

static bool
read_version(struct accounts *a, int64_t *version, struct err *e)
{
    struct query q;
    if (!query_begin(&q, a, "PRAGMA user_version", e))
        return false;
    *version = 0;
    if (query_step(&q, e) == QUERY_ROW)
        *version = query_column_number(&q, 0);
    return query_end(&q);
}

static bool
run_all(struct accounts *a, const char *const *statements, struct err *e)
{
    for (size_t i = 0; statements[i] != NULL; i++)
        if (query_run(a, statements[i], NULL, 0, NULL, e) != QUERY_DONE)
            return false;
    return true;
}

static bool
upgrade(struct accounts *a, int64_t from, struct err *e)
{
    char mark[40];

    for (int64_t v = from; v < SCHEMA_VERSION; v++)
        if (!run_all(a, versions[v], e))
            return false;
    (void)snprintf(mark, sizeof mark, "PRAGMA user_version = %d",
                   SCHEMA_VERSION);
    return query_run(a, mark, NULL, 0, NULL, e) == QUERY_DONE;
}

static bool
is_older(int64_t version)
{
    return version >= 0 && version < SCHEMA_VERSION;
}

bool
accounts_prepare_schema(struct accounts *a, struct err *e)
{
    int64_t version;

    if (!read_version(a, &version, e))
        return false;
    if (is_older(version)) { // under the lock: two may open an old one at once
        if (!accounts_begin(a, e))
            return false;
        if (!read_version(a, &version, e) ||
            (is_older(version) && !upgrade(a, version, e))) {
            accounts_abort(a);
            return false;
        }
        if (!accounts_commit(a, e) || !read_version(a, &version, e))
            return false;
    }
    if (version != SCHEMA_VERSION)
        return err_set(e,
                       "accounts database: its schema is version %lld, this "
                       "Gatepost knows version %d",
                       (long long)version, SCHEMA_VERSION);
    return true;
}
