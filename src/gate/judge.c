/* SPDX-License-Identifier: ISC */
/* Running the table. */
#include "gate/checks.h"
#include "gate/report.h"

static unsigned
missing(const struct gate_facts *f, unsigned needs)
{
    unsigned open = 0;
    for (unsigned i = 0; i < GATE_LOOKUPS; i++)
        if ((needs & 1U << i) != 0 && f->answers[i].known == GATE_NOT_ASKED)
            open |= 1U << i;
    return open;
}

/* Who is refused anyway costs no question. Once one check must ask, those
 * behind it ask at the same time. */
unsigned
gate_needs(enum gate_stage stage, const struct gate_facts *f)
{
    const struct gate_check *c;
    unsigned needs = 0;
    for (size_t i = 0; (c = gate_check_at(i)) != NULL; i++) {
        if (c->stage != stage || (c->skip != NULL && c->skip(f) != NULL))
            continue;
        needs |= missing(f, c->needs);
        if (needs == 0 && !f->thorough && c->judge(f).reason.n > 0)
            return 0;
    }
    return needs;
}

static void
note(struct gate_report *r, const struct gate_facts *f,
     const struct gate_check *c, const char *skipped,
     const struct gate_verdict *v, bool decided)
{
    if (r == NULL || r->n == GATE_CHECKS_MAX)
        return;
    struct gate_report_line *l = &r->lines[r->n++];
    *l = (struct gate_report_line){
        .check = str_from(c->name),
        .option = str_from(c->option),
        .reason = v->reason,
        .note = skipped != NULL ? str_from(skipped) : v->rule,
        .decided = decided,
    };
    if (skipped != NULL)
        l->result = GATE_SKIPPED;
    else if (v->reason.n > 0)
        l->result = GATE_REFUSED;
    if (c->option != NULL && f->policy->line != NULL)
        l->line = f->policy->line(f->policy->ctx, l->option);
}

struct gate_verdict
gate_judge(enum gate_stage stage, const struct gate_facts *f,
           struct gate_report *report)
{
    struct gate_verdict first = gate_pass();
    const struct gate_check *c;
    for (size_t i = 0; (c = gate_check_at(i)) != NULL; i++) {
        struct gate_verdict v = gate_pass();
        if (c->stage != stage)
            continue;
        const char *skipped = c->skip != NULL ? c->skip(f) : NULL;
        bool refused = first.reason.n > 0;
        if (skipped == NULL && refused && !f->thorough)
            skipped = "refused before";
        if (skipped == NULL && missing(f, c->needs) != 0)
            skipped = "not looked up";
        if (skipped == NULL)
            v = c->judge(f);
        v.check = c;
        note(report, f, c, skipped, &v, !refused && v.reason.n > 0);
        if (!refused && v.reason.n > 0)
            first = v;
        if (first.reason.n > 0 && report == NULL)
            break;
    }
    return first;
}

struct gate_verdict
gate_listed(const struct gate_answer *a, struct str reason)
{
    if (a->known == GATE_TROUBLE)
        return gate_refuse(STR("list-trouble"));
    if (a->known != GATE_YES)
        return gate_pass();
    return (struct gate_verdict){.reason = reason, .rule = a->key};
}

const char *
gate_skip_sender_list(const struct gate_facts *f, enum list_id list)
{
    if ((f->policy->lists & 1U << list) == 0)
        return "not in the config";
    return f->sender->whole.n > 0 ? NULL : "the null sender";
}
