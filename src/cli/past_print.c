/* SPDX-License-Identifier: ISC */
/* How an event looks: as a line of a story, as a page of its own, as JSON. */
#include "cli/past.h"

#include "base/columns.h"
#include "catalogue/catalogue.h"
#include "cli/cupboard.h"
#include "gate/report.h"

enum { WIDTH = 78, LABEL = 12, STORY_INDENT = 32 };

struct str
past_time(struct arena *a, int64_t ms)
{
    struct str date = cupboard_date(a, ms);

    if (date.n < 19)
        return date;
    return arena_printf(a, "%.*s %.*s", STR_ARG(str_first(date, 10)),
                        STR_ARG(str_first(str_from_pos(date, 11), 8)));
}

/* What strangers said must not drive the terminal. */
static struct str
harmless(struct arena *a, struct str s)
{
    struct buf b = {0};

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 32 || c == 127)
            buf_addf(&b, "\\x%02x", c);
        else
            buf_add_char(&b, s.p[i]);
    }
    struct str own = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return own;
}

static struct str
angled(struct arena *a, struct str address)
{
    if (address.n > 0 && address.p[0] == '<')
        return harmless(a, address);
    return arena_printf(a, "<%.*s>", STR_ARG(harmless(a, address)));
}

/* ---- a line of a story ----------------------------------------------------
 */

static void
add(struct buf *b, const char *label, struct str s)
{
    if (s.n > 0)
        buf_addf(b, "%s%.*s", label, STR_ARG(s));
}

static void
add_who(struct buf *b, struct arena *a, const struct journal_event *e)
{
    add(b, ", client ", e->client);
    add(b, ", login ", harmless(a, e->user));
    add(b, ", session ", e->session);
}

static void
add_recipients(struct buf *b, struct arena *a, const struct journal_event *e)
{
    struct str rest = e->recipient, one;
    uint32_t n = 0;

    while (rest.n > 0) {
        (void)str_cut(rest, '\n', &one, &rest);
        buf_addf(b, "%s%.*s", n++ == 0 ? "to " : ", ", STR_ARG(angled(a, one)));
    }
    if (n > 0 && n < e->recipients)
        buf_addf(b, " and %u more", e->recipients - n);
}

static void
describe_refusal(struct buf *b, struct arena *a, const struct journal_event *e)
{
    buf_addf(b, "%.*s", STR_ARG(e->reason));
    add(b, ", incident ", e->incident);
    if (e->sender.n > 0)
        add(b, ", from ", angled(a, e->sender));
    if (e->recipient.n > 0)
        add(b, ", to ", angled(a, e->recipient));
    add_who(b, a, e);
    if (e->count > 1)
        buf_addf(b, "; %u times until %.*s", e->count,
                 STR_ARG(past_time(a, e->until_ms)));
}

static void
describe_accepted(struct buf *b, struct arena *a, const struct journal_event *e)
{
    buf_addf(b, "from %.*s ", STR_ARG(angled(a, e->sender)));
    add_recipients(b, a, e);
    buf_addf(b, ", %llu octets", (unsigned long long)e->size);
    add(b, ", ", e->protocol);
    add_who(b, a, e);
}

static void
describe_outcome(struct buf *b, struct arena *a, const struct journal_event *e)
{
    add_recipients(b, a, e);
    if (e->alias.n > 0)
        add(b, " (by ", angled(a, e->alias)), buf_add_char(b, ')');
    add(b, " at ", e->remote);
    add(b, ", ", e->reason);
    if (e->kind == JOURNAL_DEFERRED && e->next_ms > 0)
        add(b, ", next attempt ", past_time(a, e->next_ms));
    add(b, ", ", harmless(a, e->detail));
}

static void
describe(struct buf *b, struct arena *a, const struct journal_event *e)
{
    switch (e->kind) {
    case JOURNAL_REFUSED:
    case JOURNAL_LOGIN_FAILED:
        describe_refusal(b, a, e);
        break;
    case JOURNAL_ACCEPTED:
        describe_accepted(b, a, e);
        break;
    case JOURNAL_LOGIN:
        buf_addf(b, "%.*s", STR_ARG(harmless(a, e->user)));
        add(b, ", client ", e->client);
        add(b, ", session ", e->session);
        break;
    case JOURNAL_EXPANDED:
        add_recipients(b, a, e);
        buf_addf(b, ", %u targets", e->recipients);
        break;
    case JOURNAL_BOUNCED:
    case JOURNAL_AUTOREPLY:
        add_recipients(b, a, e);
        add(b, " as message ", e->related);
        break;
    case JOURNAL_REMOVED:
        add(b, "from ", angled(a, e->sender));
        break;
    case JOURNAL_NONE:
    case JOURNAL_DELIVERED:
    case JOURNAL_RELAYED:
    case JOURNAL_DEFERRED:
    case JOURNAL_FAILED:
    case JOURNAL_DECLINED:
    case JOURNAL_REPEATED:
    case JOURNAL_DROPPED:
    case JOURNAL_KIND_COUNT:
        describe_outcome(b, a, e);
        break;
    }
}

/* Lines of a reply, whichever way they end. */
static void
print_lines(struct arena *a, struct str text, int indent)
{
    struct str one;

    while (text.n > 0) {
        (void)str_cut(text, '\n', &one, &text);
        one = str_trim(one);
        if (one.n > 0)
            (void)printf("%*s%.*s\n", indent, "", STR_ARG(harmless(a, one)));
    }
}

void
past_print(struct arena *a, const struct history_event *x)
{
    const struct journal_event *e = &x->e;
    const char *kind = journal_kind_name(e->kind);
    struct buf b = {0};

    describe(&b, a, e);
    (void)printf("%.*s %-12s %.*s\n", STR_ARG(past_time(a, e->at_ms)),
                 kind == NULL ? "?" : kind, STR_ARG(buf_str(&b)));
    if (e->kind == JOURNAL_DEFERRED || e->kind == JOURNAL_FAILED ||
        e->kind == JOURNAL_RELAYED)
        print_lines(a, e->reply, STORY_INDENT);
    buf_fini(&b);
}

/* ---- a page ---------------------------------------------------------------
 */

static void
print_field(struct arena *a, const char *label, struct str text)
{
    struct str one;

    for (bool first = true; text.n > 0; first = false) {
        (void)str_cut(text, '\n', &one, &text);
        (void)printf("  %-*s %.*s\n", LABEL, first ? label : "",
                     STR_ARG(harmless(a, str_trim(one))));
    }
}

static void
print_wrapped(const char *label, struct str text)
{
    for (bool first = true; text.n > 0; first = false) {
        struct str line = columns_take(&text, WIDTH - LABEL - 3);
        (void)printf("  %-*s %.*s\n", LABEL, first ? label : "", STR_ARG(line));
    }
}

static struct reason_params
params_of(const struct journal_event *e, struct str hostname)
{
    ssize_t at = str_rfind_char(e->recipient, '@');
    return (struct reason_params){
        .sender = e->sender,
        .recipient = e->recipient,
        .recipient_domain =
            at < 0 ? STR_EMPTY : str_from_pos(e->recipient, (size_t)at + 1),
        .domain = hostname,
        .user = e->user,
        .host = e->remote.n > 0 ? e->remote : e->client,
        .detail = e->detail,
        .incident = e->incident,
    };
}

static struct str
filled(struct arena *a, struct str text, const struct reason_params *p)
{
    struct buf b = {0};
    catalogue_fill(&b, text, p);
    struct str own = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return own;
}

static void
print_check(struct arena *a, const struct gate_report_line *l)
{
    (void)printf("    %-20.*s %s", STR_ARG(l->check),
                 l->result == GATE_REFUSED ? "REFUSED"
                                           : gate_result_name(l->result));
    if (l->option.n > 0)
        (void)printf("  %.*s", STR_ARG(l->option));
    if (l->option.n > 0 && l->line > 0)
        (void)printf(" (line %u)", l->line);
    if (l->note.n > 0)
        (void)printf("  %.*s", STR_ARG(harmless(a, l->note)));
    (void)puts(l->decided ? "  <- decided" : "");
}

static void
print_checks(struct arena *a, const struct journal_event *e)
{
    struct str rest = e->report;
    struct gate_report_line l;

    if (rest.n > 0)
        (void)puts("  checks");
    while (gate_report_take(&rest, &l))
        print_check(a, &l);
}

static void
print_advice(struct arena *a, const struct journal_event *e,
             struct str hostname)
{
    const struct reason *r = catalogue_find(e->reason);
    const struct reason_params p = params_of(e, hostname);

    if (r == NULL)
        return;
    print_wrapped("it means", filled(a, r->meaning, &p));
    print_wrapped("who acts", r->who);
    print_wrapped("what to do", filled(a, r->next, &p));
}

void
past_print_all(struct arena *a, const struct history_event *x,
               struct str hostname)
{
    const struct journal_event *e = &x->e;
    const char *kind = journal_kind_name(e->kind);
    struct str rule = e->option;

    (void)printf("%s  %.*s UTC\n", kind == NULL ? "?" : kind,
                 STR_ARG(past_time(a, e->at_ms)));
    print_field(a, "incident", e->incident);
    print_field(a, "reason", e->reason);
    if (rule.n > 0 && e->line > 0)
        rule = arena_printf(a, "%.*s, line %u of the config", STR_ARG(rule),
                            e->line);
    print_field(a, "check", e->rule);
    print_field(a, "set by", rule);
    print_field(a, "message", e->message);
    print_field(a, "client", e->client.n > 0 ? e->client : STR("local"));
    print_field(a, "helo", e->helo);
    print_field(a, "login", e->user);
    print_field(a, "from", e->sender);
    print_field(a, "to", e->recipient);
    print_field(a, "session", e->session);
    print_field(a, "detail", e->detail);
    if (e->count > 1)
        print_field(a, "repeated",
                    arena_printf(a, "%u times in this session, last %.*s",
                                 e->count, STR_ARG(past_time(a, e->until_ms))));
    print_field(a, "reply", e->reply);
    print_checks(a, e);
    print_advice(a, e, hostname);
}

/* ---- JSON -----------------------------------------------------------------
 */

static void
put(json_t *o, const char *key, struct str s)
{
    if (s.n > 0)
        (void)json_object_set_new(o, key, cupboard_json(s));
}

static void
put_number(json_t *o, const char *key, uint64_t n)
{
    if (n > 0)
        (void)json_object_set_new(o, key, json_integer((json_int_t)n));
}

static void
put_checks(json_t *o, struct str report)
{
    struct gate_report_line l;
    json_t *list = json_array();

    while (gate_report_take(&report, &l)) {
        json_t *c = json_object();
        put(c, "check", l.check);
        put(c, "result", str_from(gate_result_name(l.result)));
        put(c, "option", l.option);
        put_number(c, "line", l.line);
        put(c, "reason", l.reason);
        put(c, "note", l.note);
        if (l.decided)
            (void)json_object_set_new(c, "decided", json_true());
        (void)json_array_append_new(list, c);
    }
    if (json_array_size(list) > 0)
        (void)json_object_set(o, "checks", list);
    json_decref(list);
}

static void
put_recipients(json_t *o, struct str rest)
{
    json_t *list = json_array();
    struct str one;

    while (rest.n > 0) {
        (void)str_cut(rest, '\n', &one, &rest);
        (void)json_array_append_new(list, cupboard_json(one));
    }
    if (json_array_size(list) > 0)
        (void)json_object_set(o, "recipients", list);
    json_decref(list);
}

static void
put_time(json_t *o, struct arena *a, const char *key, int64_t ms)
{
    if (ms > 0)
        put(o, key, cupboard_date(a, ms));
}

void
past_print_json(struct arena *a, const struct history_event *x,
                struct str hostname)
{
    const struct journal_event *e = &x->e;
    const struct reason *r = catalogue_find(e->reason);
    const struct reason_params p = params_of(e, hostname);
    json_t *o = json_object();

    put_time(o, a, "time", e->at_ms);
    put(o, "event", str_from(journal_kind_name(e->kind)));
    put(o, "room", x->room);
    put(o, "incident", e->incident);
    put(o, "message", e->message);
    put(o, "related", e->related);
    put(o, "session", e->session);
    put(o, "client", e->client);
    put(o, "helo", e->helo);
    put(o, "login", e->user);
    put(o, "sender", e->sender);
    put_recipients(o, e->recipient);
    put(o, "alias", e->alias);
    put_number(o, "recipient_count", e->recipients);
    put(o, "reason", e->reason);
    put(o, "check", e->rule);
    put(o, "option", e->option);
    put_number(o, "line", e->line);
    put(o, "status", e->status);
    put(o, "remote", e->remote);
    put(o, "reply", e->reply);
    put(o, "detail", e->detail);
    put(o, "protocol", e->protocol);
    put_number(o, "size", e->size);
    put_number(o, "count", e->count);
    put_time(o, a, "last", e->until_ms);
    put_time(o, a, "next_attempt", e->next_ms);
    put_checks(o, e->report);
    if (r != NULL) {
        put(o, "who", r->who);
        put(o, "meaning", filled(a, r->meaning, &p));
        put(o, "next", filled(a, r->next, &p));
    }
    cupboard_print(o);
}
