/* SPDX-License-Identifier: ISC */
#include "dsn/dsn.h"

#include <assert.h>

#include "base/map.h"
#include "dsn/dsn_internal.h"
#include "mail/date.h"
#include "mail/field.h"
#include "mail/header.h"
#include "mail/quoted.h"

enum {
    SUBJECT_LONGEST = 2000,
    ADDRESS_LONGEST = 320 /* more is no address: RFC 5321, 4.5.3.1 */
};

/* What the three parts have in common, seen before the first is written. */
struct plan {
    struct str header, copy;
    bool whole;       /* the copy is the message, not its header */
    bool utf8_rcpts;  /* some address of a recipient is not ASCII */
    bool utf8_header; /* an internationalised message (RFC 6532) */
    bool eight_bit;   /* the copy has octets above 127 */
};

/* CR and LF only as line ends, and no NUL: what every host on the way can
 * carry. A message that came as BINARYMIME can be otherwise. */
static bool
is_carriable(struct str s)
{
    struct str line;
    if (str_find_char(s, '\0') >= 0)
        return false;
    while (s.n > 0) {
        bool ended = str_cut(s, '\n', &line, &s);
        if (ended && !str_ends(line, STR("\r")))
            return false;
        if (str_find_char(str_first(line, line.n - ended), '\r') >= 0)
            return false;
    }
    return true;
}

static struct plan
make_plan(const struct dsn_report *r)
{
    struct plan p = {.header = header_of(r->original, NULL)};
    p.whole = r->ret != DSN_RET_HDRS && is_carriable(r->original);
    p.copy = p.whole ? r->original : p.header;
    if (!p.whole && !is_carriable(p.header))
        p.copy = STR_EMPTY;
    for (size_t i = 0; i < r->n_rcpts; i++)
        if (!field_is_ascii(r->rcpts[i].address))
            p.utf8_rcpts = true;
    p.utf8_header = r->smtputf8 && !field_is_ascii(p.header);
    p.eight_bit = !field_is_ascii(p.copy);
    return p;
}

static void
add_address(struct buf *to, struct str address)
{
    dsn_add_clean(to, str_first(address, ADDRESS_LONGEST), true);
}

/* Each address once, though an alias can fail for several targets. */
static void
add_failed_recipients(struct buf *to, const struct dsn_report *r)
{
    struct map seen = {0};
    buf_add(to, STR("X-Failed-Recipients:"));
    for (size_t i = 0; i < r->n_rcpts; i++) {
        struct str address = r->rcpts[i].address;
        if (map_put(&seen, address, r->rcpts) != NULL)
            continue;
        buf_add(to, seen.count > 1 ? STR(",\r\n ") : STR(" "));
        add_address(to, address);
    }
    buf_add(to, STR("\r\n"));
    map_fini(&seen);
}

static void
add_subject(struct buf *to, const struct dsn_report *r, struct str header)
{
    struct buf value = {0};
    struct str subject = STR_EMPTY;
    bool success = dsn_is_success(&r->rcpts[0].verdict);
    buf_add(&value, success ? STR("Mail delivery report")
                            : STR("Mail delivery failed"));
    if (!success && r->rcpts[0].verdict.code != 0)
        buf_addf(&value, " (%u)", r->rcpts[0].verdict.code);
    (void)header_find(header, STR("subject"), &subject);
    if (subject.n > 0) {
        buf_add(&value, STR(": "));
        header_unfold(&value, str_first(subject, SUBJECT_LONGEST));
    }
    field_add(to, STR("Subject"), buf_str(&value));
    buf_fini(&value);
}

static void
add_header(struct buf *to, const struct dsn_report *r, const struct plan *p)
{
    buf_addf(to, "Received: by %.*s (Gatepost)\r\n\tid %.*s\r\n\tfor <",
             STR_ARG(r->hostname), STR_ARG(r->id));
    add_address(to, r->to);
    buf_add(to, STR(">; "));
    date_add_mail(to, r->now_ms, 0);
    buf_add(to, STR("\r\n"));
    if (!dsn_is_success(&r->rcpts[0].verdict))
        add_failed_recipients(to, r);
    buf_addf(to,
             "Auto-Submitted: auto-replied\r\n"
             "From: Mail Delivery System <Mailer-Daemon@%.*s>\r\n"
             "To: ",
             STR_ARG(r->hostname));
    add_address(to, r->to);
    buf_add(to, STR("\r\n"));
    add_subject(to, r, p->header);
    buf_add(to, STR("Date: "));
    date_add_mail(to, r->now_ms, 0);
    buf_addf(to,
             "\r\nMessage-ID: <%.*s>\r\n"
             "MIME-Version: 1.0\r\n"
             "Content-Type: multipart/report; report-type=%s;\r\n"
             "\tboundary=\"%.*s\"\r\n"
             "Content-Transfer-Encoding: %s\r\n\r\n",
             STR_ARG(r->message_id),
             p->utf8_rcpts ? "global-delivery-status" : "delivery-status",
             STR_ARG(r->boundary),
             p->eight_bit || p->utf8_rcpts ? "8bit" : "7bit");
}

static void
add_part(struct buf *to, const struct dsn_report *r, const char *type,
         const char *encoding, const char *description)
{
    buf_addf(to,
             "--%.*s\r\nContent-Type: %s\r\nContent-Description: %s\r\n"
             "Content-Transfer-Encoding: %s\r\n\r\n",
             STR_ARG(r->boundary), type, description, encoding);
}

static void
add_text_part(struct buf *to, const struct dsn_report *r, const struct plan *p)
{
    struct buf text = {0};
    dsn_add_text(&text, r, p->whole);
    bool quoted = quoted_needed(buf_str(&text));
    add_part(to, r, "text/plain; charset=utf-8",
             quoted ? "quoted-printable" : "7bit", "Notification");
    quoted_add(to, buf_str(&text), quoted);
    buf_add(to, STR("\r\n"));
    buf_fini(&text);
}

static const char *
copy_type(const struct plan *p)
{
    if (p->whole)
        return p->utf8_header ? "message/global" : "message/rfc822";
    return p->utf8_header ? "message/global-headers" : "text/rfc822-headers";
}

static void
set_needs(const struct dsn_report *r, const struct plan *p, bool *eight_bit,
          bool *smtputf8)
{
    *smtputf8 = !field_is_ascii(r->to) || p->utf8_rcpts;
    *eight_bit = p->eight_bit || *smtputf8;
}

void
dsn_needs(const struct dsn_report *r, bool *eight_bit, bool *smtputf8)
{
    struct plan p = make_plan(r);
    set_needs(r, &p, eight_bit, smtputf8);
}

void
dsn_write(const struct dsn_report *r, struct dsn_message *m)
{
    assert(r->n_rcpts > 0 && r->to.n > 0);
    struct plan p = make_plan(r);

    add_header(&m->head, r, &p);
    set_needs(r, &p, &m->eight_bit, &m->smtputf8);
    add_text_part(&m->head, r, &p);
    add_part(&m->head, r,
             p.utf8_rcpts ? "message/global-delivery-status"
                          : "message/delivery-status",
             p.utf8_rcpts ? "8bit" : "7bit", "Delivery report");
    dsn_add_status(&m->head, r, p.utf8_rcpts);
    buf_add(&m->head, STR("\r\n"));
    add_part(&m->head, r, copy_type(&p), p.eight_bit ? "8bit" : "7bit",
             dsn_is_success(&r->rcpts[0].verdict) ? "Message headers"
             : p.whole                            ? "Undelivered message"
                       : "Undelivered message headers");
    m->copy = p.copy;
    buf_addf(&m->tail, "\r\n--%.*s--\r\n", STR_ARG(r->boundary));
}

void
dsn_message_fini(struct dsn_message *m)
{
    buf_fini(&m->head);
    buf_fini(&m->tail);
    m->copy = STR_EMPTY;
}
