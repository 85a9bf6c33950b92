/* SPDX-License-Identifier: ISC */
#include "explain/judge.h"

#include "base/math.h"
#include "explain/spot.h"
#include "explain/voice.h"
#include "explain/where.h"
#include "mail/verdict.h"

enum {
    SAID_LONGEST = 1500,    /* octets of a reply that are shown */
    SENTENCE_LONGEST = 160, /* more explains at large what it may be */
};

static unsigned
number(struct str code)
{
    uint64_t n = 0;
    return str_to_u64(code, &n) ? (unsigned)n : 0;
}

/* Whoever waits can expect more of it. */
static bool
passes_by_itself(struct str klass)
{
    static const char *const classes[] = {
        "recipient-full", "rate",          "greylisted",  "timeout",
        "network",        "remote-system", "remote-full", "delayed"};
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (str_eq(klass, str_from(classes[i])))
            return true;
    return false;
}

static bool
is_permanent(const struct explained *e)
{
    if (e->reply.n > 0)
        return e->reply.p[0] == '5';
    if (e->status.n > 0 && e->status.p[0] == '4')
        return false;
    return !passes_by_itself(e->reason->klass);
}

/* The reason by the words of one voice after the other, those that say
 * something before those that are vague; own: of voices of this kind. */
static bool
find_by_words(struct voices *v, bool own, struct explained *e,
              const struct reason **vague)
{
    enum catalogue_stage stage = catalogue_stage_find(e->stage);
    for (size_t i = 0; i < v->n; i++) {
        if (v->list[i].own != own)
            continue;
        struct recognised r = *voice_read(&v->list[i], stage);
        if (r.by != BY_WORDING)
            continue;
        if (!r.vague) {
            e->reason = r.reason;
            e->wording_of = r.origin;
            e->confidence = EXPLAIN_HIGH;
            return true;
        }
        if (*vague == NULL)
            *vague = r.reason;
    }
    return false;
}

/* The enhanced code of the reply, else the report's. */
static struct recognised
find_code(const struct explained *e, struct str dsn_status)
{
    struct recognised code = {0}, dsn = {0};
    if (catalogue_by_status(status_find(e->status), &code) && !code.vague)
        return code;
    if (catalogue_by_status(status_find(dsn_status), &dsn) &&
        (code.reason == NULL || !dsn.vague))
        return dsn;
    return code;
}

static bool
find_reason(struct voices *v, struct str dsn_status, struct explained *e)
{
    const struct reason *vague = NULL;
    if (find_by_words(v, false, e, &vague))
        return true;
    struct recognised code = find_code(e, dsn_status);
    if ((code.reason == NULL || code.vague) &&
        find_by_words(v, true, e, &vague))
        return true;
    if (code.reason == NULL && vague == NULL)
        (void)catalogue_by_reply(number(e->reply), &code);
    // "550 5.7.9 Rejected": the code says of what kind, the word nothing.
    bool security = status_find(e->status).subject == 7;
    e->reason =
        code.reason != NULL && (!code.vague || security || vague == NULL)
            ? code.reason
            : vague;
    if (e->reason != NULL && str_eq(e->reason->id, STR("unclear")))
        e->reason = NULL;
    e->confidence = e->reason != NULL ? EXPLAIN_MEDIUM : EXPLAIN_LOW;
    return e->reason != NULL;
}

/* Of several replies in the words the one that says what the report's Status
 * says, to the front. */
static void
put_agreeing_first(struct voices *v, struct str dsn_status,
                   enum catalogue_stage stage)
{
    struct recognised dsn;
    if (!catalogue_by_status(status_find(dsn_status), &dsn) || dsn.vague)
        return;
    for (size_t i = 0; i < v->n; i++) {
        if (!v->list[i].reply ||
            voice_read(&v->list[i], stage)->reason != dsn.reason)
            continue;
        struct voice said = v->list[i];
        memmove(v->list + 1, v->list, i * sizeof said);
        v->list[0] = said;
        return;
    }
}

static bool
is_closer(const struct reason *r)
{
    static const char *const ids[] = {"recipient-disabled",
                                      "recipient-suspended", "recipient-moved",
                                      "recipient-full"};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        if (str_eq(r->id, str_from(ids[i])))
            return true;
    return false;
}

/* Nobody's wording, then, but what stands around it. */
static void
put_reason(struct explained *e, const struct reason *r)
{
    e->reason = r;
    e->wording_of = STR_EMPTY;
    if (e->confidence == EXPLAIN_LOW)
        e->confidence = EXPLAIN_MEDIUM;
}

/* What the notice says itself, words, may name the cause closer than the reply
 * does. */
static void
refine(struct str words, const struct claim *c, struct explained *e)
{
    struct recognised r;
    if (c->local &&
        (e->reason == NULL || str_eq(e->reason->klass, STR("remote-system"))))
        put_reason(e, catalogue_find(STR("mailbox-trouble")));
    if (e->reason == NULL)
        return;
    // Its own time ran out: what kept it from the server is a detail.
    if (e->reply.n == 0 && str_eq(e->reason->klass, STR("network")) &&
        catalogue_by_status(status_find(c->status), &r) &&
        str_eq(r.reason->id, STR("expired")))
        put_reason(e, r.reason);
    while (words.n > 0 && str_eq(e->reason->id, STR("unknown-recipient"))) {
        struct str line;
        (void)str_cut(words, '\n', &line, &words);
        if (line.n <= SENTENCE_LONGEST &&
            catalogue_read(line, CATALOGUE_ANYWHERE, &r) &&
            r.by == BY_WORDING && !r.vague && is_closer(r.reason)) {
            put_reason(e, r.reason);
            e->wording_of = r.origin;
        }
    }
}

bool
judge(struct arena *a, const struct claim *c, struct str before, bool alone,
      struct explained *e)
{
    struct voices v = {.a = a};
    struct str text = arena_dup(a, buf_str(&c->text)); // the record outlives c
    bool replied = voices_add_reply(&v, c->diagnostic);
    voices_add_replies(&v, text);
    if (!replied)
        voices_add(&v, c->diagnostic);
    if (!voices_add_reply(&v, c->status_text))
        voices_add(&v, c->status_text);
    voices_add_words(&v, text);
    if (alone) {
        voices_add_replies(&v, before);
        voices_add_words(&v, before);
    }
    e->stage = c->stage;
    if (e->stage.n == 0)
        e->stage = where_stage(text);
    if (e->stage.n == 0)
        e->stage = where_stage(c->diagnostic);
    if (replied)
        voices_mark_own(&v);
    else
        put_agreeing_first(&v, c->status, catalogue_stage_find(e->stage));
    e->remote_mta = c->remote_mta.n > 0 ? c->remote_mta
                    : c->host.n > 0     ? c->host
                                        : where_host(text);
    for (size_t i = 0; i < v.n && e->reply.n == 0; i++)
        if (v.list[i].reply)
            e->reply = str_first(v.list[i].text, 3);
    for (size_t i = 0; i < v.n && e->status.n == 0; i++)
        if (i == 0 || c->status.n == 0)
            (void)spot_status(v.list[i].text, &e->status);
    struct str dsn_status = c->status;
    bool found = find_reason(&v, dsn_status, e);
    refine(alone ? before : STR_EMPTY, c, e);
    if (e->status.n == 0)
        e->status = dsn_status;
    if (e->reason == NULL)
        e->reason = catalogue_find(STR("unclear"));
    e->said = v.n > 0 ? str_first(v.list[0].text, SAID_LONGEST) : STR_EMPTY;
    e->permanent = is_permanent(e);
    return found || e->reply.n > 0 || e->status.n > 0;
}
