/* SPDX-License-Identifier: ISC */
#include "cli/sources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "conf/value.h"
#include "directory/table.h"
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

static struct loop *
need_loop(struct sources *s)
{
    if (s->loop == NULL)
        s->loop = loop_new();
    return s->loop;
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

/* A question to a database, and the command that waits for it. */
struct question {
    struct lookup lookup; /* first */
    struct sources *sources;
    struct arena *arena;
    struct gate_answer answer;
};

static void
on_answer(struct lookup *lookup, enum list_found found, uint32_t key,
          struct str value)
{
    struct question *q = (struct question *)lookup;

    q->answer.known = found == LIST_YES  ? GATE_YES
                      : found == LIST_NO ? GATE_NO
                                         : GATE_TROUBLE;
    if (found == LIST_YES)
        q->answer.key = arena_dup(q->arena, str_from(lookup->keys[key]));
    q->answer.value = arena_dup(q->arena, value);
    loop_stop(q->sources->loop);
}

/* The table says on stderr, as its log, why it cannot be asked. */
static struct gate_answer
look_into_database(struct sources *s, const struct search *x,
                   const struct value_source *source)
{
    struct question q = {.sources = s,
                         .arena = x->arena,
                         .answer.known = GATE_NOT_ASKED,
                         .lookup.answer = on_answer,
                         .lookup.n_keys = (uint32_t)x->n};
    struct table *t = table_open(need_loop(s), x->list, source);

    q.lookup.keys = arena_array(x->arena, x->n, sizeof *q.lookup.keys);
    for (size_t i = 0; i < x->n; i++)
        q.lookup.keys[i] = arena_cstr(x->arena, x->keys[i]);
    table_ask(t, &q.lookup);
    table_flush(t);
    if (q.answer.known == GATE_NOT_ASKED)
        loop_run(s->loop);
    table_close(t);
    buf_fini(&q.lookup.value);
    return q.answer;
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
        return source.kind == SOURCE_FILE ? look_into_file(s, &x, source.place)
                                          : look_into_database(s, &x, &source);
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
    s->dns = dns_new(need_loop(s), c->dns.servers, c->dns.n_servers,
                     c->dns.timeout_ms, &e);
    if (s->dns == NULL)
        (void)command_fail(0, "%s", e.text);
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
