/* SPDX-License-Identifier: ISC */
#include "receive/trace.h"

#include "base/ascii.h"
#include "mail/address.h"
#include "mail/date.h"

struct str
trace_protocol(bool esmtp, bool tls, bool auth, bool utf8)
{
    static const char *const ascii[] = {"ESMTP", "ESMTPS", "ESMTPA", "ESMTPSA"};
    static const char *const international[] = {"UTF8SMTP", "UTF8SMTPS",
                                                "UTF8SMTPA", "UTF8SMTPSA"};
    size_t at = (tls ? 1U : 0U) + (auth ? 2U : 0U);
    if (!esmtp)
        return STR("SMTP");
    return str_from(utf8 ? international[at] : ascii[at]);
}

static bool
is_literal(struct str s)
{
    return s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']' &&
           str_find_char(s, '(') < 0;
}

/* What a comment may not hold is shown as "?": parentheses could close it. */
static void
add_word(struct buf *to, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool fine = c > ' ' && c < 127 && c != '(' && c != ')' && c != '\\';
        buf_add_char(to, fine ? (char)c : '?');
    }
}

static void
add_literal(struct buf *to, struct str client)
{
    bool v6 = str_find_char(client, ':') >= 0;
    buf_addf(to, "[%s%.*s]", v6 ? "IPv6:" : "", STR_ARG(client));
}

/* From-domain: a name that is none goes into the comment. */
static void
add_from(struct buf *to, const struct trace *t)
{
    bool valid = domain_valid(t->helo) || is_literal(t->helo);
    buf_add(to, STR("Received: from "));
    if (valid)
        add_word(to, t->helo);
    else if (t->client.n > 0)
        add_literal(to, t->client);
    else
        buf_add(to, STR("localhost"));
    buf_add(to, STR(" ("));
    if (!valid && t->helo.n > 0) {
        buf_add(to, STR("helo "));
        add_word(to, t->helo);
        buf_add_char(to, ' ');
    }
    if (t->client.n > 0)
        add_literal(to, t->client);
    else if (t->uid >= 0)
        buf_addf(to, "local user %lld", (long long)t->uid);
    else
        buf_add(to, STR("local user"));
    buf_add(to, STR(")\r\n"));
}

void
trace_add_received(struct buf *to, const struct trace *t)
{
    char id[MSGID_TEXT];
    add_from(to, t);
    buf_addf(to, "\tby %.*s (Gatepost) with %.*s", STR_ARG(t->hostname),
             STR_ARG(t->protocol));
    if (t->tls_version.n > 0)
        buf_addf(to, " (%.*s)", STR_ARG(t->tls_version));
    (void)msgid_format(t->id, id);
    buf_addf(to, " id %s", id);
    if (t->recipient.n > 0)
        buf_addf(to, "\r\n\tfor <%.*s>", STR_ARG(t->recipient));
    if (t->tls_cipher.n > 0) // RFC 8314, 4.3
        buf_addf(to, "\r\n\ttls %.*s", STR_ARG(t->tls_cipher));
    buf_add(to, STR(";\r\n\t"));
    date_add_mail(to, t->wall_ms, 0);
    buf_add(to, STR("\r\n"));
}

/* The time keeps ids apart should a spool be made anew and count from one. */
void
trace_add_message_id(struct buf *to, const struct trace *t)
{
    char id[MSGID_TEXT];
    (void)msgid_format(t->id, id);
    buf_addf(to, "Message-ID: <%lld.%s@%.*s>\r\n", (long long)t->wall_ms, id,
             STR_ARG(t->hostname));
}

void
trace_add_date(struct buf *to, const struct trace *t)
{
    buf_add(to, STR("Date: "));
    date_add_mail(to, t->wall_ms, 0);
    buf_add(to, STR("\r\n"));
}
