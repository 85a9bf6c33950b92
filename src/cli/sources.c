/* SPDX-License-Identifier: ISC */
#include "cli/sources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "conf/value.h"
#include "room/domain.h"

struct sources {
    struct invocation *in;
    struct loop *loop;
    struct dns *dns; /* made with the first question */
    enum domain_answer domain;
};

struct sources *
sources_new(struct invocation *in)
{
    struct sources *s = alloc_zero(sizeof *s);
    s->in = in;
    return s;
}

void
sources_free(struct sources *s)
{
    if (s == NULL)
        return;
    dns_free(s->dns);
    if (s->loop != NULL)
        loop_free(s->loop);
    free(s);
}

/* ---- lists ------------------------------------------------------------- */

struct search {
    enum list_id list;
    const struct str *keys; /* the most specific first */
    size_t n;
    size_t best; /* the key found; n: none yet */
    struct arena *arena;
    struct str value;
};

static void
look_at_line(struct search *x, struct str line, struct arena *scratch)
{
    struct list_entry entry;
    struct str expected;
    if (list_parse_line(x->list, line, scratch, &entry, &expected) !=
        LIST_LINE_ENTRY)
        return;
    for (size_t i = 0; i < x->best; i++) {
        if (!str_eq(x->keys[i], entry.key))
            continue;
        x->best = i;
        x->value = arena_dup(x->arena, entry.remark);
    }
}

static void
look_through(struct search *x, FILE *f)
{
    struct arena scratch = {0};
    char line[LIST_LINE_MAX];
    while (fgets(line, sizeof line, f) != NULL) {
        look_at_line(x, str_from(line), &scratch);
        arena_reset(&scratch);
    }
    arena_fini(&scratch);
}

static struct gate_answer
look_into_file(struct sources *s, struct search *x, struct str path)
{
    struct gate_answer a = {.known = GATE_TROUBLE};
    const char *name = arena_cstr(&s->in->arena, path);
    FILE *f = fopen(name, "rbe");
    if (f != NULL) {
        look_through(x, f);
        if (ferror(f) == 0)
            a.known = x->best < x->n ? GATE_YES : GATE_NO;
    }
    if (a.known == GATE_TROUBLE)
        (void)command_fail(0, "%s: %s", name, strerror(errno));
    if (f != NULL)
        (void)fclose(f);
    if (a.known == GATE_YES)
        a.key = arena_dup(x->arena, x->keys[x->best]);
    a.value = x->value;
    return a;
}

static struct gate_answer
look_into_list(struct sources *s, struct gate_facts *f, enum list_id list,
               const struct str *keys, size_t n)
{
    struct search x = {
        .list = list, .keys = keys, .n = n, .best = n, .arena = f->arena};
    struct value_source source;
    struct conf_list at;
    for (size_t i = 0; conf_list_at(s->in->conf, i, &at); i++) {
        if (at.id != list || !value_source(at.source, &source))
            continue;
        if (source.kind == SOURCE_FILE)
            return look_into_file(s, &x, source.place);
        (void)command_fail(0,
                           "gate.%.*s: a database, which this command "
                           "does not ask",
                           STR_ARG(list_name(list)));
        return (struct gate_answer){.known = GATE_TROUBLE};
    }
    return (struct gate_answer){.known = GATE_NO};
}

/* ---- the DNS ----------------------------------------------------------- */

static void
on_domain(void *ctx, enum domain_answer answer)
{
    struct sources *s = ctx;
    s->domain = answer;
    loop_stop(s->loop);
}

static bool
open_dns(struct sources *s)
{
    const struct conf *c = s->in->conf;
    struct err e;
    if (s->dns != NULL)
        return true;
    s->loop = loop_new();
    s->dns = dns_new(s->loop, c->dns.servers, c->dns.n_servers,
                     c->dns.timeout_ms, &e);
    if (s->dns == NULL) {
        (void)command_fail(0, "%s", e.text);
        loop_free(s->loop);
        s->loop = NULL;
    }
    return s->dns != NULL;
}

static struct gate_answer
ask_dns(struct sources *s, enum domain_subject subject, struct str domain)
{
    struct gate_answer a = {.known = GATE_TROUBLE};
    if (!open_dns(s))
        return a;
    (void)domain_ask(s->dns, domain, subject, s->in->conf->hostname, on_domain,
                     s);
    loop_run(s->loop);
    if (s->domain == DOMAIN_YES)
        a.known = GATE_YES;
    else if (s->domain != DOMAIN_TROUBLE)
        a.known = GATE_NO;
    if (s->domain == DOMAIN_NULL_MX)
        a.value = STR("null MX");
    return a;
}

/* ------------------------------------------------------------------------ */

static struct gate_answer
answer_one(struct sources *s, struct gate_facts *f, enum gate_lookup lookup)
{
    struct str keys[GATE_KEYS_MAX];
    size_t n = gate_keys(f, lookup, keys);
    if (n == 0)
        return (struct gate_answer){.known = GATE_NO};
    if ((unsigned)lookup < LIST_COUNT)
        return look_into_list(s, f, (enum list_id)lookup, keys, n);
    return ask_dns(
        s, lookup == GATE_ASK_SENDER_DOMAIN ? DOMAIN_EXISTS : DOMAIN_IS_HERE,
        keys[0]);
}

void
sources_answer(struct sources *s, enum gate_stage stage, struct gate_facts *f)
{
    unsigned needs;
    while ((needs = gate_needs(stage, f)) != 0)
        for (unsigned i = 0; i < GATE_LOOKUPS; i++)
            if ((needs & 1U << i) != 0)
                f->answers[i] = answer_one(s, f, (enum gate_lookup)i);
}
