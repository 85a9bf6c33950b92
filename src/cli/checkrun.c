/* SPDX-License-Identifier: ISC */
#include "cli/checkrun.h"

#include <stdio.h>

#include "catalogue/catalogue.h"
#include "room/policy.h"

static const char *const stage_names[GATE_STAGES] = {
    [GATE_CONNECT] = "connect", [GATE_HELLO] = "hello", [GATE_MAIL] = "mail",
    [GATE_RCPT] = "rcpt",       [GATE_DATA] = "data",
};

void
checkrun_init(struct checkrun *x, struct cupboard *c)
{
    *x = (struct checkrun){.cupboard = c, .policy = policy_from(c->conf)};
    x->sources = sources_new(c->in);
    x->facts = (struct gate_facts){
        .policy = &x->policy,
        .session = &x->session,
        .book = &c->book,
        .arena = &c->in->arena,
        .thorough = true,
    };
}

void
checkrun_fini(struct checkrun *x)
{
    sources_free(x->sources);
}

void
checkrun_stage(struct checkrun *x, enum gate_stage stage)
{
    size_t before = x->report.n;
    sources_answer(x->sources, stage, &x->facts);
    struct gate_verdict v = gate_judge(stage, &x->facts, &x->report);
    bool decided = x->verdict.reason.n > 0;
    for (size_t i = before; i < x->report.n; i++) {
        x->stages[i] = stage;
        if (decided)
            x->report.lines[i].decided = false;
    }
    if (!decided)
        x->verdict = v;
}

void
checkrun_refuse(struct checkrun *x, enum gate_stage stage, const char *check,
                struct str reason, struct str note)
{
    if (x->report.n == GATE_CHECKS_MAX)
        return;
    bool first = x->verdict.reason.n == 0;
    x->stages[x->report.n] = stage;
    x->report.lines[x->report.n++] =
        (struct gate_report_line){.check = str_from(check),
                                  .result = GATE_REFUSED,
                                  .reason = reason,
                                  .note = note,
                                  .decided = first};
    if (first)
        x->verdict = (struct gate_verdict){.reason = reason};
}

/* ---- the reply --------------------------------------------------------- */

static struct str
domain_of(struct str address)
{
    ssize_t at = str_rfind_char(address, '@');
    return at < 0 ? STR_EMPTY : str_from_pos(address, (size_t)at + 1);
}

static void
add_reply(const struct checkrun *x, struct buf *to)
{
    const struct reason *r = catalogue_find(x->verdict.reason);
    const struct conf *c = x->cupboard->conf;
    const struct gate_facts *f = &x->facts;
    struct reason_params p = {
        .domain = c->hostname,
        .user = x->session.user,
        .host = x->session.client,
        .detail = x->verdict.detail,
    };
    if (r == NULL)
        return;
    if (f->sender != NULL)
        p.sender = f->sender->whole;
    if (f->recipient != NULL && x->verdict.check != NULL &&
        x->verdict.check->stage == GATE_RCPT) {
        p.recipient = f->recipient->whole;
        p.recipient_domain = domain_of(p.recipient);
    }
    struct str domain = domain_of(p.recipient.n > 0 ? p.recipient : p.sender);
    catalogue_reply(to, r, &p,
                    conf_reply_text(c, r->id, domain_key(f->arena, domain)));
}

/* ---- printing ---------------------------------------------------------- */

static void
print_line(const struct checkrun *x, size_t i)
{
    const struct gate_report_line *l = &x->report.lines[i];
    (void)printf("%s %-8s %-18s %-8s", l->decided ? ">" : " ",
                 stage_names[x->stages[i]], l->check.p,
                 gate_result_name(l->result));
    if (l->reason.n > 0)
        (void)printf(" %.*s", STR_ARG(l->reason));
    if (l->note.n > 0)
        (void)printf(" %s%.*s%s", l->reason.n > 0 ? "(" : "", STR_ARG(l->note),
                     l->reason.n > 0 ? ")" : "");
    if (l->option.n > 0) {
        (void)printf("  [%.*s", STR_ARG(l->option));
        if (l->line > 0)
            (void)printf(", %s:%u", x->cupboard->in->config, l->line);
        (void)printf("]");
    }
    (void)printf("\n");
}

static void
print_text(const struct checkrun *x, struct str reply)
{
    for (size_t i = 0; i < x->report.n; i++)
        print_line(x, i);
    if (x->verdict.reason.n == 0)
        (void)printf("accepted\n");
    else
        (void)printf("refused: %.*s\n%.*s", STR_ARG(x->verdict.reason),
                     STR_ARG(reply));
}

static void
set_text(json_t *o, const char *name, struct str text)
{
    if (text.n > 0)
        (void)json_object_set_new(o, name, cupboard_json(text));
}

static json_t *
line_json(const struct checkrun *x, size_t i)
{
    const struct gate_report_line *l = &x->report.lines[i];
    json_t *o = json_object();
    (void)json_object_set_new(o, "stage",
                              json_string(stage_names[x->stages[i]]));
    set_text(o, "check", l->check);
    (void)json_object_set_new(o, "result",
                              json_string(gate_result_name(l->result)));
    set_text(o, "reason", l->reason);
    set_text(o, "note", l->note);
    set_text(o, "option", l->option);
    if (l->line > 0) {
        (void)json_object_set_new(o, "file",
                                  json_string(x->cupboard->in->config));
        (void)json_object_set_new(o, "line", json_integer(l->line));
    }
    (void)json_object_set_new(o, "decided", json_boolean(l->decided));
    return o;
}

static void
print_json(const struct checkrun *x, struct str reply, json_t *extra)
{
    json_t *o = json_object(), *checks = json_array();
    bool refused = x->verdict.reason.n > 0;
    (void)json_object_set_new(o, "verdict",
                              json_string(refused ? "refused" : "accepted"));
    set_text(o, "reason", x->verdict.reason);
    set_text(o, "detail", x->verdict.detail);
    set_text(o, "reply", reply);
    for (size_t i = 0; i < x->report.n; i++)
        (void)json_array_append_new(checks, line_json(x, i));
    (void)json_object_set_new(o, "checks", checks);
    if (extra != NULL)
        (void)json_object_update(o, extra);
    cupboard_print(o);
}

int
checkrun_print(struct checkrun *x, json_t *extra)
{
    struct buf reply = {0};
    bool refused = x->verdict.reason.n > 0;
    if (refused)
        add_reply(x, &reply);
    if (x->cupboard->in->json)
        print_json(x, buf_str(&reply), extra);
    else
        print_text(x, buf_str(&reply));
    json_decref(extra);
    buf_fini(&reply);
    return refused ? COMMAND_REFUSED : COMMAND_DONE;
}
