/* SPDX-License-Identifier: ISC */
#include "mail/date.h"

#include <assert.h>
#include <stdlib.h>

enum { DAY_MS = 86400000, MINUTE_MS = 60000 };
static const int64_t last_ms = 253402300799999; /* 9999-12-31T23:59:59.999Z */

struct moment {
    int year, month, day;             /* month from 1 */
    int hour, minute, second, millis; /* of the day */
    int weekday;                      /* 0: Sunday */
};

/* Years are counted from March, so that the leap day is a year's last; 719468
 * days lie between 0000-03-01 and 1970-01-01, 146097 in 400 years. */
static void
set_date(struct moment *m, int64_t days)
{
    int64_t z = days + 719468;
    int64_t era = z / 146097, of_era = z % 146097;
    int64_t year =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153; // 0: March
    m->day = (int)(of_year - (153 * month + 2) / 5 + 1);
    m->month = (int)(month < 10 ? month + 3 : month - 9);
    m->year = (int)(era * 400 + year + (m->month <= 2));
    m->weekday = (int)((days + 4) % 7);
}

static struct moment
moment_of(int64_t ms)
{
    struct moment m;
    if (ms < 0)
        ms = 0;
    if (ms > last_ms)
        ms = last_ms;
    int rest = (int)(ms % DAY_MS);
    set_date(&m, ms / DAY_MS);
    m.millis = rest % 1000;
    m.second = rest / 1000 % 60;
    m.minute = rest / MINUTE_MS % 60;
    m.hour = rest / (60 * MINUTE_MS);
    return m;
}

void
date_add_mail(struct buf *to, int64_t wall_ms, int offset_minutes)
{
    static const char *days[] = {"Sun", "Mon", "Tue", "Wed",
                                 "Thu", "Fri", "Sat"};
    static const char *months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    assert(offset_minutes > -1440 && offset_minutes < 1440);
    if (wall_ms < 0)
        wall_ms = 0;
    if (wall_ms > last_ms)
        wall_ms = last_ms;
    struct moment m = moment_of(wall_ms + (int64_t)offset_minutes * MINUTE_MS);
    int zone = abs(offset_minutes);
    buf_addf(to, "%s, %d %s %04d %02d:%02d:%02d %c%02d%02d", days[m.weekday],
             m.day, months[m.month - 1], m.year, m.hour, m.minute, m.second,
             offset_minutes < 0 ? '-' : '+', zone / 60, zone % 60);
}

void
date_add_log(struct buf *to, int64_t wall_ms)
{
    struct moment m = moment_of(wall_ms);
    buf_addf(to, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", m.year, m.month, m.day,
             m.hour, m.minute, m.second, m.millis);
}
