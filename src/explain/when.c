/* SPDX-License-Identifier: ISC */
#include "explain/when.h"

#include "base/ascii.h"

struct moment {
    unsigned year, month, day, hour, minute, second;
    int zone;   /* minutes east */
    bool local; /* no zone was said */
};

static void
skip_blanks(struct str *s)
{
    while (s->n > 0 &&
           (ascii_is_blank((unsigned char)s->p[0]) || s->p[0] == ','))
        *s = str_from_pos(*s, 1);
}

static bool
take_number(struct str *s, size_t longest, unsigned *out)
{
    size_t n = 0;
    *out = 0;
    skip_blanks(s);
    while (n < s->n && n < longest && ascii_is_digit((unsigned char)s->p[n]))
        *out = *out * 10 + (unsigned)(s->p[n++] - '0');
    *s = str_from_pos(*s, n);
    return n > 0;
}

static bool
take_month(struct str *s, unsigned *month)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    skip_blanks(s);
    (void)str_skip_char(s, '-');
    for (size_t m = 0; m < 12; m++)
        if (str_starts_nocase(*s, str_from_n(names + 3 * m, 3))) {
            size_t n = 3;
            while (n < s->n && ascii_is_alpha((unsigned char)s->p[n]))
                n++;
            *s = str_from_pos(*s, n);
            (void)str_skip_char(s, '-');
            *month = (unsigned)m + 1;
            return true;
        }
    return false;
}

static bool
take_clock(struct str *s, struct moment *m)
{
    if (!take_number(s, 2, &m->hour) || !str_skip_char(s, ':') ||
        !take_number(s, 2, &m->minute))
        return false;
    if (str_skip_char(s, ':'))
        (void)take_number(s, 2, &m->second);
    return m->hour < 24 && m->minute < 60 && m->second < 61;
}

/* RFC 5322, 4.3. */
static void
take_zone(struct str *s, struct moment *m)
{
    static const struct {
        const char *name;
        int zone;
    } names[] = {
        {"gmt",  0   },
        {"utc",  0   },
        {"ut",   0   },
        {"z",    0   },
        {"est",  -300},
        {"edt",  -240},
        {"cst",  -360},
        {"cdt",  -300},
        {"mst",  -420},
        {"mdt",  -360},
        {"pst",  -480},
        {"pdt",  -420},
        {"jst",  540 },
        {"cet",  60  },
        {"cest", 120 }
    };
    unsigned number;
    skip_blanks(s);
    if (s->n > 4 && (s->p[0] == '+' || s->p[0] == '-')) {
        int sign = s->p[0] == '-' ? -1 : 1;
        *s = str_from_pos(*s, 1);
        if (take_number(s, 4, &number) && number % 100 < 60 && number < 2400)
            m->zone = sign * (int)(number / 100 * 60 + number % 100);
        return;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_starts_nocase(*s, str_from(names[i].name))) {
            m->zone = names[i].zone;
            return;
        }
    m->local = true;
}

static void
put(char *to, size_t digits, unsigned value)
{
    for (; digits > 0; value /= 10)
        to[--digits] = (char)('0' + value % 10);
}

struct str
when_rfc3339(struct arena *a, struct str date)
{
    struct moment m = {0};
    struct str rest = str_trim(date), day;
    if (str_find_char(str_first(rest, 12), ',') > 0)
        (void)str_cut(rest, ',', &day, &rest);
    if (!take_number(&rest, 2, &m.day) || !take_month(&rest, &m.month) ||
        !take_number(&rest, 4, &m.year) || !take_clock(&rest, &m))
        return STR_EMPTY;
    take_zone(&rest, &m);
    if (m.year < 100)
        m.year += m.year < 70 ? 2000 : 1900;
    if (m.day < 1 || m.day > 31 || m.year < 1970)
        return STR_EMPTY;
    unsigned zone = (unsigned)(m.zone < 0 ? -m.zone : m.zone);
    char text[] = "0000-00-00T00:00:00+00:00";
    put(text, 4, m.year);
    put(text + 5, 2, m.month);
    put(text + 8, 2, m.day);
    put(text + 11, 2, m.hour);
    put(text + 14, 2, m.minute);
    put(text + 17, 2, m.second);
    if (m.zone == 0) {
        text[19] = 'Z';
        return arena_dup(a, str_from_n(text, 20));
    }
    text[19] = m.zone < 0 ? '-' : '+';
    put(text + 20, 2, zone / 60);
    put(text + 23, 2, zone % 60);
    return arena_dup(a, str_from_n(text, sizeof text - 1));
}
