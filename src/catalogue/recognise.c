/* SPDX-License-Identifier: ISC */
/*
 * What a foreign reply means. The words win over the codes: qmail's 5.7.1 says
 * "user unknown" as often as "not authorized", and sendmail's 5.3.0 nothing.
 */
#include "catalogue/catalogue.h"

#include "catalogue/catalogue_internal.h"
#include "catalogue/scan.h"
#include "catalogue/words.h"

static bool
is_vague(const struct reason *r)
{
    return str_eq(r->id, STR("recipient-refused")) ||
           str_eq(r->id, STR("policy")) || str_eq(r->id, STR("unclear"));
}

static bool
by_code(uint16_t code, struct status s, struct recognised *out)
{
    for (size_t i = 0; i < catalogue_n_codes; i++) {
        const struct catalogue_code *c = &catalogue_codes[i];
        if (c->code != code || c->status.klass != s.klass ||
            c->status.subject != s.subject || c->status.detail != s.detail)
            continue;
        const struct reason *r = &catalogue_reasons[c->reason];
        *out = (struct recognised){
            .reason = r,
            .by = code != 0 ? BY_REPLY_CODE : BY_STATUS,
            .vague = code != 0 || is_vague(r),
        };
        return true;
    }
    return false;
}

bool
catalogue_by_status(struct status s, struct recognised *out)
{
    *out = (struct recognised){0};
    return s.klass != 0 && by_code(0, s, out);
}

bool
catalogue_by_reply(unsigned code, struct recognised *out)
{
    *out = (struct recognised){0};
    return code >= 400 && code < 600 &&
           by_code((uint16_t)code, (struct status){0}, out);
}

static bool
by_wording(struct str said, const struct words *w, struct status s,
           enum catalogue_stage stage, struct recognised *out)
{
    struct scan_hit hit = scan(words_text(w), s, stage);
    *out = (struct recognised){0};
    if (hit.wording == NULL)
        return false;
    size_t at = w->at[hit.at], ends = (size_t)w->at[hit.ends - 1] + 1;
    *out = (struct recognised){
        .reason = &catalogue_reasons[hit.wording->reason],
        .by = BY_WORDING,
        .vague = hit.wording->vague,
        .wording = hit.wording->made
                       ? str_first(str_from_pos(said, at), ends - at)
                       : pool_str(catalogue_texts[hit.wording->text]),
        .origin = pool_str(hit.wording->origin),
        .at = at,
        .ends = ends,
    };
    return true;
}

bool
catalogue_read(struct str text, enum catalogue_stage stage,
               struct recognised *out)
{
    static struct words w; // 24 KiB; there is one thread
    struct recognised code;

    words_read(&w, text);
    struct status s = status_find(str_first(text, WORDS_LONGEST));
    bool found = by_wording(text, &w, s, stage, out);
    if (found && !out->vague)
        return true;
    if (catalogue_by_status(s, &code) && (!found || !code.vague)) {
        *out = code;
        return true;
    }
    return found || catalogue_by_reply(w.code, out);
}

const struct reason *
catalogue_recognise(struct str reply)
{
    struct recognised r;
    return catalogue_read(reply, CATALOGUE_ANYWHERE, &r) ? r.reason : NULL;
}

static const struct {
    struct str begins;
    enum catalogue_stage stage;
} commands[] = {
    {{"CONN", 4},   CATALOGUE_CONNECT},
    {{"BANNER", 6}, CATALOGUE_CONNECT},
    {{"HELO", 4},   CATALOGUE_HELLO  },
    {{"EHLO", 4},   CATALOGUE_HELLO  },
    {{"LHLO", 4},   CATALOGUE_HELLO  },
    {{"AUTH", 4},   CATALOGUE_MAIL   },
    {{"MAIL", 4},   CATALOGUE_MAIL   },
    {{"RCPT", 4},   CATALOGUE_RCPT   },
    {{"DATA", 4},   CATALOGUE_DATA   },
    {{"BDAT", 4},   CATALOGUE_DATA   },
    {{"end of", 6}, CATALOGUE_DATA   },
};

enum catalogue_stage
catalogue_stage_find(struct str command)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (str_starts_nocase(command, commands[i].begins))
            return commands[i].stage;
    return CATALOGUE_ANYWHERE;
}
