/* SPDX-License-Identifier: ISC */
#include "spool/key.h"

#include "spool/spool.h"

void
key_format(struct buf *to, struct msgid original, unsigned kind,
           const uint32_t *rcpts, size_t n)
{
    char id[MSGID_TEXT];
    buf_add(to, msgid_format(original, id));
    buf_add(to, kind == NOTICE_BOUNCE    ? STR(".b.")
                : kind == NOTICE_SUCCESS ? STR(".s.")
                                         : STR(".a."));
    for (size_t i = 0; i < n;) {
        size_t end = i + 1;
        while (end < n && rcpts[end] == rcpts[end - 1] + 1)
            end++;
        buf_addf(to, i == 0 ? "%u" : ",%u", rcpts[i]);
        if (end > i + 1)
            buf_addf(to, "-%u", rcpts[end - 1]);
        i = end;
    }
}

static bool
take_index(struct str text, uint32_t *out)
{
    uint64_t v;
    if (!str_to_u64(text, &v) || v > UINT32_MAX)
        return false;
    *out = (uint32_t)v;
    return true;
}

bool
key_next(struct str *ranges, uint32_t *first, uint32_t *last)
{
    struct str part, low, high;
    (void)str_cut(*ranges, ',', &part, ranges);
    if (!str_cut(part, '-', &low, &high))
        high = low;
    return take_index(low, first) && take_index(high, last) && *first <= *last;
}

bool
key_parse(struct str text, struct spool_key *k)
{
    struct str id, kind, rest;
    uint32_t first, last;

    if (!str_cut(text, '.', &id, &rest) ||
        !str_cut(rest, '.', &kind, &k->ranges) ||
        !msgid_parse(id, &k->original) || k->ranges.n == 0)
        return false;
    if (str_eq(kind, STR("b")))
        k->kind = NOTICE_BOUNCE;
    else if (str_eq(kind, STR("s")))
        k->kind = NOTICE_SUCCESS;
    else if (str_eq(kind, STR("a")))
        k->kind = NOTICE_AUTOREPLY;
    else
        return false;
    for (rest = k->ranges; rest.n > 0;)
        if (!key_next(&rest, &first, &last))
            return false;
    return true;
}
