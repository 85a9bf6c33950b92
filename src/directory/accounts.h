/* SPDX-License-Identifier: ISC */
/*
 * The accounts database, `<state>/directory/accounts.db`: domains, accounts,
 * aliases, vacations and who was told of them. directory reads it, the command
 * line changes it, also while no server runs. Triggers keep a log of the keys
 * of the address book that changed, so a running directory learns of them.
 *
 * A struct accounts is one connection: one thread at a time. Names and
 * addresses are keys (mail/address.h) throughout; the caller has made them.
 * What is handed to a callback dies when it returns.
 *
 *     struct accounts *a = accounts_open(path, &e);
 *     switch (accounts_user_add(a, STR("ann@b.example"), hash, now, &e)) ...
 *     accounts_close(a);
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "book/book.h"

struct accounts;

enum accounts_result {
    ACCOUNTS_DONE = 0,
    ACCOUNTS_MISSING, /* no such thing */
    ACCOUNTS_EXISTS,  /* there is one already */
    ACCOUNTS_TROUBLE, /* *e says what */
};

/* path is absolute; made if it is missing, mode 0600. NULL with *e. */
struct accounts *accounts_open(const char *path, struct err *e);
void accounts_close(struct accounts *a);

/* Several changes as one. begin takes the write lock; exactly one of commit
 * (which undoes all when it fails) and abort follows. */
bool accounts_begin(struct accounts *a, struct err *e);
bool accounts_commit(struct accounts *a, struct err *e);
void accounts_abort(struct accounts *a);

/* Domains of this database; those of the config are directory/hosting.h's. */
struct accounts_domain {
    struct str name;
    struct str deliver; /* pattern; empty: the default of the config */
};
enum accounts_result accounts_domain_add(struct accounts *a,
                                         const struct accounts_domain *d,
                                         struct err *e);
enum accounts_result accounts_domain_get(struct accounts *a, struct arena *to,
                                         struct str name,
                                         struct accounts_domain *out,
                                         struct err *e);
enum accounts_result accounts_domain_remove(struct accounts *a, struct str name,
                                            struct err *e);
typedef void (*accounts_domain_fn)(void *ctx, const struct accounts_domain *d);
bool accounts_domain_list(struct accounts *a, accounts_domain_fn fn, void *ctx,
                          struct err *e);
/* Accounts and aliases in a domain. */
bool accounts_domain_count(struct accounts *a, struct str name,
                           uint64_t *accounts, uint64_t *aliases,
                           struct err *e);

struct accounts_user {
    struct str address;
    int64_t created_ms;
    struct book_account is; /* state, vacation, … */
};
enum accounts_result accounts_user_add(struct accounts *a, struct str address,
                                       struct str hash, int64_t now_ms,
                                       struct err *e);
enum accounts_result accounts_user_get(struct accounts *a, struct arena *to,
                                       struct str address,
                                       struct accounts_user *out,
                                       struct err *e);
/* An earlier verifier for SCRAM goes with the earlier password. */
enum accounts_result accounts_user_passwd(struct accounts *a,
                                          struct str address, struct str hash,
                                          struct err *e);
/* MISSING, too, if that is not the hash of the account any more: a verifier
 * must be of the same password. */
enum accounts_result
accounts_user_set_scram(struct accounts *a, struct str address, struct str hash,
                        struct str verifier, struct err *e);
/* state, note and kicked of `is`; the rest of it is not looked at. */
enum accounts_result accounts_user_set_state(struct accounts *a,
                                             struct str address,
                                             const struct book_account *is,
                                             struct err *e);
enum accounts_result accounts_user_set_receive_only(struct accounts *a,
                                                    struct str address,
                                                    bool receive_only,
                                                    struct err *e);
/* 0: as the config says. */
enum accounts_result accounts_user_set_limits(struct accounts *a,
                                              struct str address,
                                              const struct book_limits *limits,
                                              struct err *e);
/* Its vacation and what it remembers go with it. */
enum accounts_result accounts_user_remove(struct accounts *a,
                                          struct str address, struct err *e);
typedef void (*accounts_user_fn)(void *ctx, const struct accounts_user *u);
/* domain empty: all. */
bool accounts_user_list(struct accounts *a, struct str domain,
                        accounts_user_fn fn, void *ctx, struct err *e);

/* For login: the password hash of an account, its verifier for SCRAM (nothing
 * if it has none; directory/scram.h), and at most `max` accounts with
 * this local part (fn: each address). */
enum accounts_result accounts_user_hash(struct accounts *a, struct str address,
                                        struct buf *hash, struct err *e);
enum accounts_result accounts_user_scram(struct accounts *a, struct str address,
                                         struct buf *verifier, struct err *e);
typedef void (*accounts_address_fn)(void *ctx, struct str address);
bool accounts_with_local_part(struct accounts *a, struct str local, size_t max,
                              accounts_address_fn fn, void *ctx, struct err *e);

/* A secret of this database by its name ("salt"), made with it. */
bool accounts_secret(struct accounts *a, struct str name, struct buf *to,
                     struct err *e);
/* Names of at most `max` domains, in their order. */
bool accounts_domain_names(struct accounts *a, size_t max,
                           accounts_address_fn fn, void *ctx, struct err *e);

struct accounts_alias {
    struct str address;  /* "@example.com": the catch-all */
    struct str *targets; /* as written; `keys` of the same order */
    struct str *keys;
    size_t n_targets;
    bool members_only;
    struct str *members; /* keys, or "@example.com"; none: the targets */
    size_t n_members;
};
enum accounts_result accounts_alias_add(struct accounts *a,
                                        const struct accounts_alias *alias,
                                        struct err *e);
enum accounts_result accounts_alias_get(struct accounts *a, struct arena *to,
                                        struct str address,
                                        struct accounts_alias *out,
                                        struct err *e);
/* members_only and members of `alias` replace what was there. */
enum accounts_result
accounts_alias_set_members(struct accounts *a,
                           const struct accounts_alias *alias, struct err *e);
enum accounts_result accounts_alias_remove(struct accounts *a,
                                           struct str address, struct err *e);
typedef void (*accounts_alias_fn)(void *ctx, const struct accounts_alias *x);
bool accounts_alias_list(struct accounts *a, struct str domain,
                         accounts_alias_fn fn, void *ctx, struct err *e);
/* The aliases that name this key as a target. */
bool accounts_aliases_to(struct accounts *a, struct str key,
                         accounts_address_fn fn, void *ctx, struct err *e);

struct accounts_vacation {
    struct str subject, body; /* UTF-8 */
    int64_t since_ms;
};
/* MISSING: no such account. An earlier one is replaced. */
enum accounts_result accounts_vacation_set(struct accounts *a,
                                           struct str account,
                                           const struct accounts_vacation *v,
                                           struct err *e);
enum accounts_result accounts_vacation_get(struct accounts *a, struct arena *to,
                                           struct str account,
                                           struct accounts_vacation *out,
                                           struct err *e);
enum accounts_result accounts_vacation_clear(struct accounts *a,
                                             struct str account, struct err *e);

/* May this sender be told now, and is that noted? DONE: yes, noted under
 * `notice` (again, if that very notice asks again). EXISTS: told less than
 * seven days ago. */
enum accounts_result accounts_tell(struct accounts *a, struct str account,
                                   struct str sender, struct str notice,
                                   int64_t now_ms, struct err *e);
/* Forgets who was told longer ago than that. */
bool accounts_tell_sweep(struct accounts *a, int64_t now_ms, struct err *e);

/* The address book (book/book.h). A domain's value holds its own pattern,
 * which may be empty; the config's part is directory/hosting.h's. */

/* The value under a key, appended; nothing is appended when there is none. */
bool accounts_value(struct accounts *a, struct str key, struct buf *to,
                    struct err *e);
/* All of them, from one moment in time, in no order. fn returns false to end
 * with its own *e. */
typedef bool (*accounts_value_fn)(void *ctx, struct str key, struct str value,
                                  struct err *e);
bool accounts_each_value(struct accounts *a, accounts_value_fn fn, void *ctx,
                         struct err *e);

/* The log of changed keys: each once, under the number of its last change. */
bool accounts_last_change(struct accounts *a, int64_t *seq, struct err *e);
typedef void (*accounts_change_fn)(void *ctx, int64_t seq, struct str key);
bool accounts_changes(struct accounts *a, int64_t after, size_t max,
                      accounts_change_fn fn, void *ctx, struct err *e);
bool accounts_forget_changes(struct accounts *a, int64_t upto, struct err *e);
/* A number that changes whenever another connection has committed. */
bool accounts_data_version(struct accounts *a, int64_t *version, struct err *e);
