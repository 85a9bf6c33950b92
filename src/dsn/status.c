/* SPDX-License-Identifier: ISC */
/* The status for machines: RFC 3464, with utf-8 addresses RFC 6533. */
#include "base/ascii.h"
#include "dsn/dsn_internal.h"
#include "mail/date.h"
#include "mail/field.h"

/* xtext (RFC 3461, 4): "+" and two hexadecimal digits are an octet. */
static void
add_xtext(struct buf *to, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        int high = i + 2 < s.n ? ascii_hex((unsigned char)s.p[i + 1]) : -1;
        int low = i + 2 < s.n ? ascii_hex((unsigned char)s.p[i + 2]) : -1;
        if (s.p[i] == '+' && high >= 0 && low >= 0) {
            buf_add_char(to, (char)(high * 16 + low));
            i += 2;
        } else {
            buf_add_char(to, s.p[i]);
        }
    }
}

enum { UTF8_LONGEST = 900 }; /* octets in one line, which is not folded */

/* A field whose value is cleaned first: it may hold anything. Where UTF-8 is
 * allowed it is written raw, as encoded words have no meaning here. */
static void
add_field(struct buf *to, const char *name, struct str value, bool utf8)
{
    struct buf clean = {0};
    dsn_add_clean(&clean, value, utf8 && value.n <= UTF8_LONGEST);
    if (field_is_ascii(buf_str(&clean))) {
        field_add(to, str_from(name), buf_str(&clean));
    } else {
        buf_addf(to, "%s: ", name);
        buf_add(to, buf_str(&clean));
        buf_add(to, STR("\r\n"));
    }
    buf_fini(&clean);
}

static void
add_date(struct buf *to, const char *name, int64_t ms)
{
    buf_addf(to, "%s: ", name);
    date_add_mail(to, ms, 0);
    buf_add(to, STR("\r\n"));
}

static void
add_original_recipient(struct buf *to, struct str orcpt, bool utf8)
{
    struct str type, address;
    struct buf value = {0};
    if (!str_cut(orcpt, ';', &type, &address) || address.n == 0)
        return;
    buf_add(&value, type);
    buf_add(&value, STR("; "));
    add_xtext(&value, address);
    add_field(to, "Original-Recipient", buf_str(&value), utf8);
    buf_fini(&value);
}

static void
add_final_recipient(struct buf *to, struct str address, bool utf8)
{
    struct buf value = {0};
    buf_add(&value, utf8 && !field_is_ascii(address) ? STR("utf-8; ")
                                                     : STR("rfc822; "));
    buf_add(&value, address);
    add_field(to, "Final-Recipient", buf_str(&value), utf8);
    buf_fini(&value);
}

/* "mx.example.net [192.0.2.7]:25" */
static void
add_remote(struct buf *to, struct str remote, bool utf8)
{
    struct str host, rest;
    struct buf value = {0};
    (void)str_cut(remote, ' ', &host, &rest);
    if (host.n == 0)
        return;
    buf_add(&value, STR("dns; "));
    buf_add(&value, host);
    add_field(to, "Remote-MTA", buf_str(&value), utf8);
    buf_fini(&value);
}

static void
add_diagnostic(struct buf *to, const struct verdict *v, bool utf8)
{
    struct buf value = {0};
    struct str text = str_trim(v->text);
    if (text.n == 0)
        return;
    buf_add(&value, v->code != 0 ? STR("smtp; ") : STR("x-gatepost; "));
    buf_add(&value, text);
    add_field(to, "Diagnostic-Code", buf_str(&value), utf8);
    buf_fini(&value);
}

static void
add_recipient(struct buf *to, const struct dsn_rcpt *rcpt, bool utf8)
{
    char status[16];
    buf_add(to, STR("\r\n"));
    add_original_recipient(to, rcpt->orcpt, utf8);
    add_final_recipient(to, rcpt->address, utf8);
    buf_addf(to, "Action: %s\r\n",
             rcpt->verdict.outcome == OUTCOME_DELIVERED ? "delivered"
             : rcpt->verdict.outcome == OUTCOME_RELAYED ? "relayed"
                                                        : "failed");
    add_field(to, "Status", status_format(dsn_status(&rcpt->verdict), status),
              false);
    add_remote(to, rcpt->verdict.remote, utf8);
    add_diagnostic(to, &rcpt->verdict, utf8);
    if (rcpt->last_attempt_ms > 0)
        add_date(to, "Last-Attempt-Date", rcpt->last_attempt_ms);
}

void
dsn_add_status(struct buf *to, const struct dsn_report *r, bool utf8)
{
    struct buf value = {0};
    buf_add(&value, STR("dns; "));
    buf_add(&value, r->hostname);
    add_field(to, "Reporting-MTA", buf_str(&value), utf8);
    if (r->envid.n > 0) {
        buf_clear(&value);
        add_xtext(&value, r->envid);
        add_field(to, "Original-Envelope-Id", buf_str(&value), utf8);
    }
    if (r->arrived_ms > 0)
        add_date(to, "Arrival-Date", r->arrived_ms);
    buf_fini(&value);
    for (size_t i = 0; i < r->n_rcpts; i++)
        add_recipient(to, &r->rcpts[i], utf8);
}
