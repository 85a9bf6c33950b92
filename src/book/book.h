/* SPDX-License-Identifier: ISC */
/*
 * The address book: which domains are ours, which addresses exist, where each
 * leads. Pure: it asks an injected look-up (the mapped snapshot plus the
 * changes since) and follows the rules that receive, queue, the command line
 * and `check` must agree on.
 *
 * Keys and values of the snapshot (docs/directory.md has the exact form):
 *     "d:example.com"      a hosted domain: how to deliver, flags
 *     "a:ann@example.com"  an account: state, on vacation or not
 *     "l:sales@example.com" an alias: its targets, who may write to it;
 *                          "l:@example.com" catches all
 *     "n:ann@example.com"  the aliases with that address among their targets
 * A value is never empty, so an empty one can mean "gone" in a list of changes.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "mail/address.h"

/* false: no such key. The value lives as long as the book is not changed. */
typedef bool (*book_find_fn)(void *ctx, struct str key, struct str *value);

struct book {
    book_find_fn find;
    void *ctx;
    /* May be NULL: is this address (its key) in the admin's list of addresses
     * that exist? Then it has a mailbox in its domain without an account. A
     * list that cannot be looked into here says yes: the gate has asked it. */
    bool (*listed)(void *ctx, struct str key);
    struct str hostname;            /* bare postmaster is postmaster@hostname */
    struct str postmaster;          /* config `postmaster`, or empty */
    struct str postmaster_delivery; /* "maildir:<state>/postmaster" */
};

enum book_answer {
    BOOK_REMOTE = 0,     /* not our domain */
    BOOK_ACCOUNT,        /* a mailbox of ours */
    BOOK_ALIAS,          /* leads to `targets` */
    BOOK_UNKNOWN,        /* our domain, no such recipient */
    BOOK_POSTMASTER_BOX, /* the Maildir of last resort */
};

/* What an admin said about an account. Only an active one is written to;
 * disabled and suspended ones neither log in nor send. */
enum book_state {
    BOOK_ACTIVE = 0,
    BOOK_DISABLED,
    BOOK_SUSPENDED, /* note: why, for its owner's eyes */
    BOOK_FULL,      /* no room: refused for now */
    BOOK_MOVED,     /* note: the new address, or empty */
};

/* Words of the database and the command line: "active", "disabled", … */
struct str book_state_name(enum book_state state);
bool book_state_parse(struct str name, enum book_state *state);

/* What an account may send: 0 as the config says. */
enum book_limit {
    BOOK_MESSAGES_HOUR = 0,
    BOOK_MESSAGES_DAY,
    BOOK_RECIPIENTS_HOUR,
    BOOK_RECIPIENTS_DAY,
    BOOK_LIMITS
};
#define BOOK_UNLIMITED UINT32_MAX

struct book_limits {
    uint32_t n[BOOK_LIMITS];
};

struct book_route {
    enum book_answer answer;
    struct str account;    /* ACCOUNT: its key, without +detail */
    struct str delivery;   /* ACCOUNT, POSTMASTER_BOX: "maildir:/var/mail/…",
                              %{domain} and %{user} filled in */
    bool on_vacation;      /* ACCOUNT */
    enum book_state state; /* ACCOUNT; else active */
    struct str note;       /* ACCOUNT: see the state */
    struct str alias;      /* ALIAS: key of the one that matched, "@example.com"
                              for a catch-all; empty: config `postmaster` */
    struct str *targets;   /* ALIAS: addresses, local and remote */
    size_t n_targets;
    bool members_only;   /* ALIAS: only book_is_member() may write to it */
    struct str *members; /* keys, "@example.com" for all of a domain; */
    size_t n_members;    /* none: the targets are the members */
};

/* Where mail for this address goes, one step (aliases are not followed).
 * Order: account, alias, without +detail the same, postmaster's rule,
 * catch-all, listed. Slices live in the arena. */
void book_resolve(const struct book *b, struct arena *a,
                  const struct address *address, struct book_route *route);

/* May this account use that envelope sender: its own address (with any
 * +detail), or an alias that leads to it, through others if need be? In short:
 * would mail to that address reach it? The null sender is nobody's. */
bool book_may_send_as(const struct book *b, struct arena *a, struct str account,
                      const struct address *sender);

/* What this account may send as: itself first, then the aliases that lead to
 * it, nearest first, "@example.com" for a catch-all. At most max (not 0) keys,
 * in the arena; *more: there are others. */
size_t book_senders(const struct book *b, struct arena *a, struct str account,
                    struct str *names, size_t max, bool *more);

/* May this sender write to an alias that is for members only? As a member is
 * known by its own address (with any +detail), or by another name of the very
 * account that is one. The null sender is no member. */
bool book_is_member(const struct book *b, struct arena *a,
                    const struct book_route *alias,
                    const struct address *sender);

/* Does this alias (its key) lead back to itself, or into another loop? Then the
 * way there is appended, "a@b.example -> c@b.example -> a@b.example". */
bool book_find_loop(const struct book *b, struct arena *a, struct str alias,
                    struct buf *way);

bool book_is_ours(const struct book *b, struct arena *a, struct str domain);

/* A key without the +detail of its local part; the key itself without one. */
struct str book_without_detail(struct arena *a, struct str key);

/* Can this user name (a local part in key form) stand in a path: not empty, no
 * "/", no "." in front, no control octet? Nothing else is ever filled into a
 * delivery pattern. */
bool book_user_valid(struct str user);

/* Values of the snapshot. Encoders append; decoders borrow from the value. */
struct book_domain {
    struct str delivery; /* pattern with %{domain} and %{user} */
};
struct book_account {
    bool on_vacation;
    bool receive_only; /* may log in, may not send */
    bool kicked;       /* not active: its sessions end at once, not at the
                          next message */
    enum book_state state;
    struct str note; /* empty while active */
    struct book_limits limits;
};
struct book_alias {
    struct str *targets;
    size_t n_targets;
    bool members_only;
    struct str *members; /* none unless members_only */
    size_t n_members;
};
void book_domain_encode(struct buf *to, const struct book_domain *d);
bool book_domain_decode(struct str value, struct book_domain *d);
void book_account_encode(struct buf *to, const struct book_account *x);
bool book_account_decode(struct str value, struct book_account *x);
void book_alias_encode(struct buf *to, const struct book_alias *x);
bool book_alias_decode(struct arena *a, struct str value, struct book_alias *x);
/* Of the aliases that lead to one address at most so many are told. */
enum { BOOK_NAMES_MAX = 1000 };
void book_names_encode(struct buf *to, const struct str *names, size_t n);
/* NULL: malformed, or none. */
struct str *book_names_decode(struct arena *a, struct str value, size_t *n);

/* What is known of this account (a key) itself, whether its domain is hosted
 * or not; false: nothing. note lives in the arena. */
bool book_find_account(const struct book *b, struct arena *a,
                       struct str account, struct book_account *out);
