/* SPDX-License-Identifier: ISC */
#include "journal/calendar.h"

#include "base/ascii.h"
#include "mail/date.h"

int64_t
calendar_day(int64_t wall_ms)
{
    return wall_ms < 0 ? 0 : wall_ms / CALENDAR_DAY_MS;
}

void
calendar_add_name(struct buf *to, int64_t day)
{
    struct buf moment = {0};
    date_add_log(&moment, day * CALENDAR_DAY_MS);
    buf_add(to, str_first(buf_str(&moment), 10));
    buf_add(to, STR(".db"));
    buf_fini(&moment);
}

static bool
take_digits(struct str *in, size_t n, int64_t *value)
{
    *value = 0;
    if (in->n < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!ascii_is_digit((unsigned char)in->p[i]))
            return false;
        *value = *value * 10 + (in->p[i] - '0');
    }
    *in = str_from_pos(*in, n);
    return true;
}

static bool
is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

bool
calendar_take_date(struct str *in, int64_t *day)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30,
                                  31, 31, 30, 31, 30, 31};
    int64_t year, month, of_month;
    struct str s = *in;

    if (!take_digits(&s, 4, &year) || !str_skip_char(&s, '-') ||
        !take_digits(&s, 2, &month) || !str_skip_char(&s, '-') ||
        !take_digits(&s, 2, &of_month))
        return false;
    if (year < 1970 || month < 1 || month > 12 || of_month < 1 ||
        of_month > lengths[month - 1] + (month == 2 && is_leap(year)))
        return false;
    *day = of_month - 1;
    for (int64_t y = 1970; y < year; y++)
        *day += 365 + is_leap(y);
    for (int64_t m = 1; m < month; m++)
        *day += lengths[m - 1] + (m == 2 && is_leap(year));
    *in = s;
    return true;
}

bool
calendar_is_file(struct str name, int64_t *day)
{
    return calendar_take_date(&name, day) && str_eq(name, STR(".db"));
}
