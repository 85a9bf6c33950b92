/* SPDX-License-Identifier: ISC */
#include "catalogue/code.h"

#include "base/ascii.h"
#include "catalogue/catalogue_internal.h"

/* Three digits that begin with 4 or 5; 0: not. */
static uint16_t
reply_code(struct str s)
{
    if (s.n < 3 || (s.p[0] != '4' && s.p[0] != '5') ||
        !ascii_is_digit((unsigned char)s.p[1]) ||
        !ascii_is_digit((unsigned char)s.p[2]))
        return 0;
    return (uint16_t)((s.p[0] - '0') * 100 + (s.p[1] - '0') * 10 +
                      (s.p[2] - '0'));
}

static bool
same_status(struct status a, struct status b)
{
    return a.klass == b.klass && a.subject == b.subject && a.detail == b.detail;
}

bool
code_parse(struct str text, struct code *c)
{
    char again[16];
    *c = (struct code){0};
    text = str_trim(text);
    (void)str_skip_char(&text, '#');
    if (text.n == 3)
        c->reply = reply_code(text);
    if (c->reply != 0)
        return true;
    c->status = status_find(text);
    return (c->status.klass == 4 || c->status.klass == 5) &&
           str_eq(status_format(c->status, again), text);
}

struct str
code_says(const struct code *c)
{
    uint16_t key = c->reply != 0 ? c->reply : c->status.subject;
    if (c->reply == 0 && key >= 400)
        return STR_EMPTY;
    for (size_t i = 0; i < catalogue_n_sayings; i++)
        if (catalogue_sayings[i].code == key)
            return catalogue_sayings[i].phrase;
    return STR_EMPTY;
}

bool
code_fits(const struct code *c, const struct reason *r)
{
    if (c->reply != 0 ? r->code == c->reply : same_status(r->status, c->status))
        return true;
    for (size_t i = 0; i < catalogue_n_codes; i++) {
        const struct catalogue_code *seen = &catalogue_codes[i];
        if (&catalogue_reasons[seen->reason] == r && seen->code == c->reply &&
            same_status(seen->status, c->status))
            return true;
    }
    return false;
}

bool
code_in_wording(const struct code *c, struct str wording)
{
    if (c->reply != 0)
        return reply_code(wording) == c->reply;
    return same_status(status_find(wording), c->status);
}
