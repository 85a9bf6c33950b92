/* SPDX-License-Identifier: ISC */
/*
 * The whole address book: the domains of the config together with what the
 * accounts database holds. A domain that both name is delivered as the config
 * says. directory publishes it, the command line asks it in place.
 */
#pragma once

#include "book/book.h"
#include "conf/conf.h"
#include "directory/accounts.h"

/* Plain data once made, so a task on another thread may read it. */
struct hosting {
    struct arena arena;
    struct str deliver;          /* where nothing else is said */
    struct conf_domain *domains; /* sorted by name */
    size_t n_domains;
};

/* A copy of what the config says. */
void hosting_init(struct hosting *h, const struct conf *conf);
void hosting_copy(struct hosting *h, const struct hosting *from);
void hosting_fini(struct hosting *h);

/* The config's entry for a domain key; NULL: it has none. */
const struct conf_domain *hosting_configured(const struct hosting *h,
                                             struct str domain);

/* The value under a key of the book, appended; nothing when there is none. */
bool hosting_value(const struct hosting *h, struct accounts *a, struct str key,
                   struct buf *to, struct err *e);

/* All values, as accounts_each_value(). */
bool hosting_each_value(const struct hosting *h, struct accounts *a,
                        accounts_value_fn fn, void *ctx, struct err *e);

/* For changes of the config: calls fn with the "d:" key of each domain that
 * one has and the other has not, or delivers elsewhere. If the default changed,
 * with those of the database too. */
bool hosting_differences(const struct hosting *before,
                         const struct hosting *after, struct accounts *a,
                         accounts_address_fn fn, void *ctx, struct err *e);
