/* SPDX-License-Identifier: ISC */
/*
 * One flat object a recipient, written here and not by a library: an mbox has
 * a hundred thousand of them.
 */
#include "cli/explain_view.h"

#include "base/utf8.h"
#include "catalogue/language.h"

/* Octets of a string that stand for themselves. */
static size_t
plain(struct str s)
{
    size_t n = 0;
    while (n < s.n && (unsigned char)s.p[n] >= 0x20 &&
           (unsigned char)s.p[n] < 0x7F && s.p[n] != '"' && s.p[n] != '\\')
        n++;
    return n;
}

/* The character at the front of s, which is not plain; its octets. C1 controls
 * are escaped, too: a terminal obeys them. */
static size_t
add_special(struct buf *to, struct str s)
{
    size_t n = utf8_first(s);
    unsigned char c = (unsigned char)s.p[0];

    if (c == '\n')
        buf_add(to, STR("\\n"));
    else if (c == '\t')
        buf_add(to, STR("\\t"));
    else if (c == '"' || c == '\\')
        buf_addf(to, "\\%c", c);
    else if (c < 0x20 || c == 0x7F)
        buf_addf(to, "\\u%04x", c);
    else if (n == 2 && c == 0xC2 && (unsigned char)s.p[1] < 0xA0)
        buf_addf(to, "\\u%04x", (unsigned char)s.p[1]);
    else if (n == 0)
        buf_add(to, STR("\357\277\275"));
    else
        buf_add(to, str_first(s, n));
    return n == 0 ? 1 : n;
}

void
explain_add_json_string(struct buf *to, struct str s)
{
    buf_add_char(to, '"');
    while (s.n > 0) {
        size_t n = plain(s);
        buf_add(to, str_first(s, n));
        s = str_from_pos(s, n);
        if (s.n > 0)
            s = str_from_pos(s, add_special(to, s));
    }
    buf_add_char(to, '"');
}

/* ,"name":"value" unless the value is empty. */
static void
add_field(struct buf *to, struct str name, struct str value)
{
    if (value.n == 0)
        return;
    buf_add(to, to->n > 0 && to->p[to->n - 1] == '{' ? STR("\"") : STR(",\""));
    buf_add(to, name);
    buf_add(to, STR("\":"));
    explain_add_json_string(to, value);
}

static void
add_text(struct buf *to, struct str name, const struct explained *e,
         unsigned lang, enum catalogue_which which)
{
    struct buf text = {0};
    explain_add_text(&text, e, lang, which);
    add_field(to, name, buf_str(&text));
    buf_fini(&text);
}

void
explain_add_json(struct buf *to, unsigned lang, const struct explained *e,
                 struct str place)
{
    buf_add_char(to, '{');
    add_field(to, STR("file"), place);
    add_field(to, STR("kind"), explain_kind_name(e->kind));
    add_field(to, STR("recipient"), e->recipient);
    add_field(to, STR("class"), e->reason->klass);
    add_field(to, STR("reason"), e->reason->id);
    add_field(to, STR("reply"), e->reply);
    add_field(to, STR("status"), e->status);
    add_field(to, STR("action"), e->action);
    add_field(to, STR("stage"), e->stage);
    add_field(to, STR("said"), e->said);
    add_field(to, STR("remote_mta"), e->remote_mta);
    add_field(to, STR("reporting_mta"), e->reporting_mta);
    add_field(to, STR("agent"), e->agent);
    add_field(to, STR("sender"), e->sender);
    add_field(to, STR("message_id"), e->message_id);
    add_field(to, STR("subject"), e->subject);
    add_field(to, STR("date"), e->date);
    buf_add(to, e->permanent ? STR(",\"permanent\":true")
                             : STR(",\"permanent\":false"));
    add_field(to, STR("confidence"), explain_confidence_name(e->confidence));
    add_text(to, STR("meaning"), e, lang, CATALOGUE_MEANING);
    add_text(to, STR("who"), e, lang, CATALOGUE_WHO);
    add_text(to, STR("next"), e, lang, CATALOGUE_NEXT);
    add_field(to, STR("lang"), language_tag(lang));
    buf_add(to, STR("}\n"));
}
