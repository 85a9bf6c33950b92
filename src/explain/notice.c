/* SPDX-License-Identifier: ISC */
#include "explain/notice.h"

#include "base/ascii.h"
#include "base/math.h"
#include "explain/formats.h"
#include "mail/charset.h"
#include "mail/encoded.h"
#include "mail/html.h"
#include "mail/mime.h"

enum {
    HEADER_LOOKED_AT = 64 << 10,
    FIELD_LONGEST = 2048,
    PLAIN_ENOUGH = 40 /* octets of text/plain that make HTML needless */
};

struct str
notice_field(struct arena *a, struct fields *header, struct str name)
{
    struct str value;
    struct buf out = {0};
    if (!fields_find(header, a, name, &value))
        return STR_EMPTY;
    encoded_add_decoded(&out, str_first(value, FIELD_LONGEST));
    struct str field = arena_dup(a, str_trim(buf_str(&out)));
    buf_fini(&out);
    return field;
}

static bool
is_message_field(struct str name)
{
    static const char *const names[] = {"from",
                                        "to",
                                        "subject",
                                        "date",
                                        "received",
                                        "return-path",
                                        "message-id",
                                        "content-type",
                                        "mime-version",
                                        "reply-to",
                                        "x-mailer",
                                        "delivered-to",
                                        "auto-submitted",
                                        "sender",
                                        "cc",
                                        "x-original-to",
                                        "envelope-to",
                                        "content-transfer-encoding",
                                        "x-failed-recipients"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_eq_nocase(name, str_from(names[i])))
            return true;
    return false;
}

bool
notice_has_header(struct str text)
{
    struct str rest = str_first(text, HEADER_LOOKED_AT);
    struct field f;
    unsigned known = 0, all = 0, enough = 2;
    while (all < 60 && mime_next_field(&rest, &f)) {
        known += is_message_field(f.name);
        // "Note: the following …" is prose, "Newsgroups:" a header.
        if (all++ == 0 && known == 0 && str_find_char(f.name, '-') < 0)
            enough = 4;
        if (known >= enough)
            return true;
    }
    return known > 0 && known == all &&
           str_starts_nocase(text, STR("content-"));
}

bool
notice_speaks_of_delivery(struct arena *a, struct fields *header)
{
    struct str value;
    if (fields_find(header, a, STR("content-type"), &value) &&
        str_find_nocase(value, STR("multipart/report")) >= 0)
        return true;
    if (fields_find(header, a, STR("x-failed-recipients"), &value))
        return true;
    if (fields_find(header, a, STR("return-path"), &value) &&
        str_eq(str_trim(value), STR("<>")))
        return true;
    return formats_is_sender(notice_field(a, header, STR("from"))) ||
           formats_is_subject(notice_field(a, header, STR("subject")));
}

/* What a walk gathers. */
struct gathering {
    struct notice *n;
    struct arena *a;
    struct buf plain, html, report, feedback, decoded;
    unsigned inside; /* depth of the message that came back, 0: none */
    bool status_seen;
};

static void
add_text(struct gathering *g, const struct mime_part *p, bool html)
{
    struct buf *to = html ? &g->html : &g->plain;
    struct str charset = STR_EMPTY;
    if (to->n >= NOTICE_PROSE_LONGEST) {
        g->n->cut = true;
        return;
    }
    (void)mime_param(p->params, STR("charset"), &charset);
    buf_clear(&g->decoded);
    mime_decode(&g->decoded, p->encoding, p->body, NOTICE_PROSE_LONGEST);
    if (html && charset.n == 0)
        charset = html_charset(buf_str(&g->decoded));
    struct buf text = {0};
    charset_to_utf8(&text, charset, buf_str(&g->decoded));
    if (html)
        html_to_text(to, buf_str(&text));
    else
        buf_add(to, buf_str(&text));
    buf_add(to, STR("\n\n"));
    buf_fini(&text);
}

static void
add_report(struct gathering *g, const struct mime_part *p, struct buf *to)
{
    if (to->n >= NOTICE_REPORT_LONGEST) {
        g->n->cut = true;
        return;
    }
    struct str charset = STR_EMPTY;
    (void)mime_param(p->params, STR("charset"), &charset);
    buf_clear(&g->decoded);
    mime_decode(&g->decoded, p->encoding, p->body, NOTICE_REPORT_LONGEST);
    charset_to_utf8(to, charset, buf_str(&g->decoded));
    buf_add(to, STR("\n\n"));
}

static void
take_returned(struct gathering *g, struct str header)
{
    if (g->n->returned.header.n == 0 && header.n > 0)
        g->n->returned = fields_of(header);
}

static struct str
decoded_copy(struct gathering *g, const struct mime_part *p, size_t longest)
{
    if (p->encoding == MIME_IDENTITY)
        return str_first(p->body, longest);
    buf_clear(&g->decoded);
    mime_decode(&g->decoded, p->encoding, p->body, longest);
    return arena_dup(g->a, buf_str(&g->decoded));
}

static bool
is_type(const struct mime_part *p, struct str type, struct str subtype)
{
    return str_eq_nocase(p->type, type) && str_eq_nocase(p->subtype, subtype);
}

/* "message-headers.txt" */
static bool
is_named_header(const struct mime_part *p)
{
    struct buf name = {0};
    bool is = mime_param_add(&name, p->params, STR("name")) &&
              str_find_nocase(buf_str(&name), STR("header")) >= 0;
    buf_fini(&name);
    return is;
}

static void
take_message_leaf(struct gathering *g, const struct mime_part *p)
{
    if (str_find_nocase(p->subtype, STR("delivery-status")) >= 0 ||
        str_eq_nocase(p->subtype, STR("global-delivery-status")))
        add_report(g, p, &g->report);
    else if (str_eq_nocase(p->subtype, STR("feedback-report")))
        add_report(g, p, &g->feedback);
    else if (str_find_nocase(p->subtype, STR("disposition-notification")) >= 0)
        g->n->disposition = true;
    else
        take_returned(g, decoded_copy(g, p, HEADER_LOOKED_AT));
}

static void
take_leaf(struct gathering *g, const struct mime_part *p)
{
    if (str_eq_nocase(p->type, STR("message"))) {
        take_message_leaf(g, p);
        return;
    }
    if (!str_eq_nocase(p->type, STR("text"))) {
        if (p->type.n == 0)
            add_text(g, p, false);
        return;
    }
    if (str_find_nocase(p->subtype, STR("rfc822-headers")) >= 0 ||
        str_eq_nocase(p->subtype, STR("global-headers"))) {
        take_returned(g, decoded_copy(g, p, HEADER_LOOKED_AT));
        return;
    }
    if (is_named_header(p) && notice_has_header(str_trim(p->body))) {
        take_returned(g, decoded_copy(g, p, HEADER_LOOKED_AT));
        return;
    }
    add_text(g, p, str_eq_nocase(p->subtype, STR("html")));
}

/* The message that came back, or one handed on: its header counts, its parts
 * do not. */
static void
enter_message(struct gathering *g, struct mime_walk *w,
              const struct mime_part *p)
{
    struct str body = p->body;
    while (str_skip(&body, STR("\r\n")) || str_skip(&body, STR("\n")))
        continue;
    if (g->n->inner.n == 0 && notice_has_header(body))
        g->n->inner = body;
    struct str rest = body;
    struct field f;
    (void)mime_next_field_of(&rest, '\0', &f);
    take_returned(g, str_first(body, body.n - rest.n));
    mime_skip(w);
}

void
notice_take(struct notice *n, struct arena *a, struct str message)
{
    struct gathering g = {.n = n, .a = a};
    struct mime_walk w;
    struct mime_part p;
    *n = (struct notice){0};
    mime_begin(&w, message);
    while (mime_next(&w, &p)) {
        if (p.depth == 0) {
            n->header = fields_of(str_first(p.header, NOTICE_HEADER_LONGEST));
            n->cut = n->cut || p.header.n > NOTICE_HEADER_LONGEST;
        }
        if (p.leaf)
            take_leaf(&g, &p);
        else if (is_type(&p, STR("multipart"), STR("report")))
            (void)mime_param(p.params, STR("report-type"), &n->report_type);
        else if (str_eq_nocase(p.type, STR("message")))
            enter_message(&g, &w, &p);
    }
    n->cut = n->cut || w.cut;
    bool enough = str_trim(buf_str(&g.plain)).n >= PLAIN_ENOUGH;
    n->prose = arena_dup(a, buf_str(enough         ? &g.plain
                                    : g.html.n > 0 ? &g.html
                                                   : &g.plain));
    n->report = arena_dup(a, buf_str(&g.report));
    n->feedback = arena_dup(a, buf_str(&g.feedback));
    buf_fini(&g.plain);
    buf_fini(&g.html);
    buf_fini(&g.report);
    buf_fini(&g.feedback);
    buf_fini(&g.decoded);
}
