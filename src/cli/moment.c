/* SPDX-License-Identifier: ISC */
#include "cli/moment.h"

#include "base/ascii.h"
#include "journal/calendar.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

static bool
take_two(struct str *in, int64_t below, int64_t *value)
{
    if (in->n < 2 || !ascii_is_digit((unsigned char)in->p[0]) ||
        !ascii_is_digit((unsigned char)in->p[1]))
        return false;
    *value = (in->p[0] - '0') * 10 + (in->p[1] - '0');
    *in = str_from_pos(*in, 2);
    return *value < below;
}

/* "10:32", "10:32:05", a "Z" behind it; within a day. */
static bool
parse_clock(struct str s, struct moment *m)
{
    int64_t hour, minute, second;

    if (!take_two(&s, 24, &hour) || !str_skip_char(&s, ':') ||
        !take_two(&s, 60, &minute))
        return false;
    m->from_ms = hour * HOUR + minute * MINUTE;
    m->until_ms = m->from_ms + MINUTE - 1;
    if (str_skip_char(&s, ':')) {
        if (!take_two(&s, 60, &second))
            return false;
        m->from_ms += second * SECOND;
        m->until_ms = m->from_ms + SECOND - 1;
    }
    (void)str_skip_char(&s, 'Z');
    return s.n == 0;
}

static bool
parse_ago(struct str s, int64_t now_ms, struct moment *m)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {
        {'s', SECOND         },
        {'m', MINUTE         },
        {'h', HOUR           },
        {'d', CALENDAR_DAY_MS}
    };
    uint64_t n;

    if (s.n < 2 || !str_to_u64(str_first(s, s.n - 1), &n) || n > 1000000)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (s.p[s.n - 1] != units[i].unit)
            continue;
        m->from_ms = now_ms - (int64_t)n * units[i].ms;
        if (m->from_ms < 0)
            m->from_ms = 0;
        m->until_ms = m->from_ms;
        return true;
    }
    return false;
}

static void
shift(struct moment *m, int64_t ms)
{
    m->from_ms += ms;
    m->until_ms += ms;
}

bool
moment_parse(struct str text, int64_t now_ms, struct moment *m)
{
    int64_t day = calendar_day(now_ms);

    if (parse_ago(text, now_ms, m))
        return true;
    if (parse_clock(text, m)) {
        shift(m, day * CALENDAR_DAY_MS);
        if (m->from_ms > now_ms)
            shift(m, -(int64_t)CALENDAR_DAY_MS);
        return true;
    }
    if (!calendar_take_date(&text, &day))
        return false;
    *m = (struct moment){.until_ms = CALENDAR_DAY_MS - 1};
    if (text.n > 0 && ((text.p[0] != 'T' && text.p[0] != ' ') ||
                       !parse_clock(str_from_pos(text, 1), m)))
        return false;
    shift(m, day * CALENDAR_DAY_MS);
    return true;
}
