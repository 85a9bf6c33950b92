/* SPDX-License-Identifier: ISC */
/* The beginning of a titled section: a place for it, and its title judged. */
#include "conf/parse_internal.h"

#include <string.h>

#include "base/ascii.h"
#include "catalogue/catalogue.h"
#include "conf/value.h"
#include "mail/address.h"

void *
parse_grow(struct arena *a, void *array, size_t n, size_t size)
{
    enum { FIRST = 4 };

    if (n != 0 && (n < FIRST || (n & (n - 1)) != 0))
        return array;
    void *wider = arena_array(a, n == 0 ? FIRST : 2 * n, size);
    if (n > 0)
        memcpy(wider, array, n * size);
    return wider;
}

/* The struct of the titled section being read. */
void *
parse_record(struct parse *p, enum section s)
{
    struct conf *c = p->conf;

    if (s == SECTION_LISTEN)
        return &c->listens[c->n_listens - 1];
    if (s == SECTION_DOMAIN)
        return &c->domains[c->n_domains - 1];
    return &c->replies[c->n_replies - 1];
}

static void
begin_listen(struct parse *p, struct str title, uint32_t line)
{
    struct conf *c = p->conf;
    size_t n = c->n_listens;
    bool ok = title.n > 0 && title.n <= 32;

    c->listens = parse_grow(&c->arena, c->listens, n, sizeof *c->listens);
    p->listen_lines =
        parse_grow(&c->arena, p->listen_lines, n, sizeof *p->listen_lines);
    c->listens[n] = (struct conf_listen){.name = arena_dup(&c->arena, title)};
    p->listen_lines[n] = line;
    c->n_listens++;
    for (size_t i = 0; i < title.n; i++)
        ok = ok && (ascii_is_alnum((unsigned char)title.p[i]) ||
                    title.p[i] == '-' || title.p[i] == '_');
    if (!ok || str_eq(title, STR("submit")) || str_eq(title, STR("control")))
        parse_problem(p, line,
                      "listen \"%.*s\": expected a name of up to 32 letters, "
                      "digits and hyphens, not \"submit\" or \"control\"",
                      STR_ARG(title));
}

static void
begin_domain(struct parse *p, struct str title, uint32_t line)
{
    struct conf *c = p->conf;
    size_t n = c->n_domains;
    struct str key = STR_EMPTY;

    c->domains = parse_grow(&c->arena, c->domains, n, sizeof *c->domains);
    p->domain_lines =
        parse_grow(&c->arena, p->domain_lines, n, sizeof *p->domain_lines);
    p->domain_lines[n] = line;
    if (domain_valid(title))
        key = domain_key(&c->arena, title);
    if (key.n == 0)
        parse_problem(p, line,
                      "domain \"%.*s\": expected a domain such as "
                      "\"example.com\"",
                      STR_ARG(title));
    else if (map_put(&p->domains, key, p) != NULL)
        parse_problem(p, line, "domain \"%.*s\" is there twice",
                      STR_ARG(title));
    c->domains[n] = (struct conf_domain){.name = key};
    c->n_domains++;
}

static const char *
nearest_reason(struct str id, struct arena *a)
{
    size_t best = id.n / 3 + 2;
    const char *nearest = NULL;

    for (size_t i = 0; i < catalogue_count(); i++) {
        struct str other = catalogue_at(i)->id;
        size_t n = value_distance(id, other, best);
        if (n < best) {
            best = n;
            nearest = arena_cstr(a, other);
        }
    }
    return nearest;
}

static void
begin_reply(struct parse *p, struct str title, uint32_t line, bool nested)
{
    struct conf *c = p->conf;
    size_t n = c->n_replies;
    size_t domain = c->n_domains - (p->in_section ? 1 : 0);

    c->replies = parse_grow(&c->arena, c->replies, n, sizeof *c->replies);
    p->reply_lines =
        parse_grow(&c->arena, p->reply_lines, n, sizeof *p->reply_lines);
    p->reply_domains =
        parse_grow(&c->arena, p->reply_domains, n, sizeof *p->reply_domains);
    p->reply_lines[n] = line;
    p->reply_domains[n] = nested ? domain + 1 : 0;
    c->replies[n] = (struct conf_reply){.reason = arena_dup(&c->arena, title),
                                        .line = line};
    c->n_replies++;
    const struct reason *r = catalogue_find(title);
    if (r != NULL && r->code == 0)
        parse_problem(p, line,
                      "reply \"%.*s\": that is no failure and never replied; "
                      "expected a reason with a reply code, gatepost reasons "
                      "lists them",
                      STR_ARG(title));
    if (r != NULL)
        return;
    const char *near = nearest_reason(title, &p->result->arena);
    parse_problem(p, line,
                  "reply \"%.*s\": no such reason, %s%s%s; gatepost reasons "
                  "lists them",
                  STR_ARG(title), near != NULL ? "did you mean \"" : "expected",
                  near != NULL ? near : " an id of the catalogue",
                  near != NULL ? "\"" : "");
}

void
parse_begin(struct parse *p, enum section s, const char *title, uint32_t line,
            bool nested)
{
    struct str t = str_from(title);

    if (s == SECTION_LISTEN)
        begin_listen(p, t, line);
    else if (s == SECTION_DOMAIN)
        begin_domain(p, t, line);
    else
        begin_reply(p, t, line, nested);
    parse_defaults(p, s, parse_record(p, s));
}
