/* SPDX-License-Identifier: ISC */
#include "directory/hosting.h"

#include <stdlib.h>

static int
by_name(const void *a, const void *b)
{
    const struct conf_domain *x = a, *y = b;
    return str_compare(x->name, y->name);
}

static void
fill(struct hosting *h, struct str deliver, const struct conf_domain *domains,
     size_t n)
{
    *h = (struct hosting){.n_domains = n};
    h->deliver = arena_dup(&h->arena, deliver);
    h->domains = arena_array(&h->arena, n, sizeof *h->domains);
    for (size_t i = 0; i < n; i++)
        h->domains[i] =
            (struct conf_domain){arena_dup(&h->arena, domains[i].name),
                                 arena_dup(&h->arena, domains[i].deliver)};
}

void
hosting_init(struct hosting *h, const struct conf *conf)
{
    fill(h, conf->deliver, conf->domains, conf->n_domains);
    if (h->n_domains > 0)
        qsort(h->domains, h->n_domains, sizeof *h->domains, by_name);
}

void
hosting_copy(struct hosting *h, const struct hosting *from)
{
    fill(h, from->deliver, from->domains, from->n_domains);
}

void
hosting_fini(struct hosting *h)
{
    arena_fini(&h->arena);
    *h = (struct hosting){0};
}

const struct conf_domain *
hosting_configured(const struct hosting *h, struct str domain)
{
    const struct conf_domain wanted = {.name = domain};
    return h->n_domains == 0 ? NULL
                             : bsearch(&wanted, h->domains, h->n_domains,
                                       sizeof *h->domains, by_name);
}

static void
encode(struct str deliver, struct buf *to)
{
    book_domain_encode(to, &(struct book_domain){.delivery = deliver});
}

/* What the database says of a domain that the config does not name. */
static void
complete(const struct hosting *h, struct str value, struct buf *to)
{
    struct book_domain d;
    if (book_domain_decode(value, &d))
        encode(d.delivery.n > 0 ? d.delivery : h->deliver, to);
}

static bool
domain_value(const struct hosting *h, struct accounts *a, struct str key,
             struct buf *to, struct err *e)
{
    struct buf stored = {0};
    const struct conf_domain *d = hosting_configured(h, str_from_pos(key, 2));

    if (d != NULL) {
        encode(d->deliver.n > 0 ? d->deliver : h->deliver, to);
        return true;
    }
    bool ok = accounts_value(a, key, &stored, e);
    if (ok)
        complete(h, buf_str(&stored), to);
    buf_fini(&stored);
    return ok;
}

bool
hosting_value(const struct hosting *h, struct accounts *a, struct str key,
              struct buf *to, struct err *e)
{
    return str_starts(key, STR("d:")) ? domain_value(h, a, key, to, e)
                                      : accounts_value(a, key, to, e);
}

struct walk {
    const struct hosting *h;
    accounts_value_fn fn;
    void *ctx;
    struct buf value;
};

static bool
on_value(void *ctx, struct str key, struct str value, struct err *e)
{
    struct walk *w = ctx;

    if (!str_starts(key, STR("d:")))
        return w->fn(w->ctx, key, value, e);
    if (hosting_configured(w->h, str_from_pos(key, 2)) != NULL)
        return true; // came with the config
    buf_clear(&w->value);
    complete(w->h, value, &w->value);
    return w->fn(w->ctx, key, buf_str(&w->value), e);
}

static bool
configured_values(struct walk *w, struct err *e)
{
    struct buf key = {0};
    bool ok = true;

    for (size_t i = 0; i < w->h->n_domains && ok; i++) {
        const struct conf_domain *d = &w->h->domains[i];
        buf_clear(&key);
        buf_clear(&w->value);
        buf_addf(&key, "d:%.*s", STR_ARG(d->name));
        encode(d->deliver.n > 0 ? d->deliver : w->h->deliver, &w->value);
        ok = w->fn(w->ctx, buf_str(&key), buf_str(&w->value), e);
    }
    buf_fini(&key);
    return ok;
}

bool
hosting_each_value(const struct hosting *h, struct accounts *a,
                   accounts_value_fn fn, void *ctx, struct err *e)
{
    struct walk w = {.h = h, .fn = fn, .ctx = ctx};
    bool ok =
        configured_values(&w, e) && accounts_each_value(a, on_value, &w, e);
    buf_fini(&w.value);
    return ok;
}

struct report {
    accounts_address_fn fn;
    void *ctx;
    struct buf key;
};

static void
report(struct report *r, struct str domain)
{
    buf_clear(&r->key);
    buf_addf(&r->key, "d:%.*s", STR_ARG(domain));
    r->fn(r->ctx, buf_str(&r->key));
}

static void
report_stored(void *ctx, const struct accounts_domain *d)
{
    if (d->deliver.n == 0)
        report(ctx, d->name);
}

/* Domains of `one` that `other` lacks; where `changed`, also those that differ
 * there. */
static void
report_missing(const struct hosting *one, const struct hosting *other,
               bool changed, struct report *r)
{
    for (size_t i = 0; i < one->n_domains; i++) {
        const struct conf_domain *d = &one->domains[i];
        const struct conf_domain *there = hosting_configured(other, d->name);
        if (there == NULL || (changed && !str_eq(d->deliver, there->deliver)))
            report(r, d->name);
    }
}

bool
hosting_differences(const struct hosting *before, const struct hosting *after,
                    struct accounts *a, accounts_address_fn fn, void *ctx,
                    struct err *e)
{
    struct report r = {.fn = fn, .ctx = ctx};
    bool ok = true;

    report_missing(before, after, false, &r);
    report_missing(after, before, true, &r);
    if (!str_eq(before->deliver, after->deliver))
        ok = accounts_domain_list(a, report_stored, &r, e);
    buf_fini(&r.key);
    return ok;
}
