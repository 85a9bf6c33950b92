/* SPDX-License-Identifier: ISC */
#include "journal/rows.h"

#include <stddef.h>

#include "journal/calendar.h"

enum type { TEXT = 0, WORD32, WORD64, MOMENT };

/* The first four are what an overview of refusals reads: in front, where they
 * are found without walking over the rest. */
static const struct {
    const char *name;
    enum type type;
    size_t offset; /* in struct journal_event */
} columns[] = {
    {"count",      WORD32, offsetof(struct journal_event, count)     },
    {"reason",     TEXT,   offsetof(struct journal_event, reason)    },
    {"rule",       TEXT,   offsetof(struct journal_event, rule)      },
    {"sender",     TEXT,   offsetof(struct journal_event, sender)    },
    {"at_ms",      MOMENT, offsetof(struct journal_event, at_ms)     },
    {"until_ms",   MOMENT, offsetof(struct journal_event, until_ms)  },
    {"session",    TEXT,   offsetof(struct journal_event, session)   },
    {"incident",   TEXT,   offsetof(struct journal_event, incident)  },
    {"message",    TEXT,   offsetof(struct journal_event, message)   },
    {"related",    TEXT,   offsetof(struct journal_event, related)   },
    {"client",     TEXT,   offsetof(struct journal_event, client)    },
    {"user",       TEXT,   offsetof(struct journal_event, user)      },
    {"helo",       TEXT,   offsetof(struct journal_event, helo)      },
    {"recipient",  TEXT,   offsetof(struct journal_event, recipient) },
    {"recipients", WORD32, offsetof(struct journal_event, recipients)},
    {"alias",      TEXT,   offsetof(struct journal_event, alias)     },
    {"size",       WORD64, offsetof(struct journal_event, size)      },
    {"protocol",   TEXT,   offsetof(struct journal_event, protocol)  },
    {"option",     TEXT,   offsetof(struct journal_event, option)    },
    {"line",       WORD32, offsetof(struct journal_event, line)      },
    {"status",     TEXT,   offsetof(struct journal_event, status)    },
    {"remote",     TEXT,   offsetof(struct journal_event, remote)    },
    {"reply",      TEXT,   offsetof(struct journal_event, reply)     },
    {"next_ms",    MOMENT, offsetof(struct journal_event, next_ms)   },
    {"detail",     TEXT,   offsetof(struct journal_event, detail)    },
    {"report",     TEXT,   offsetof(struct journal_event, report)    },
};

enum { COLUMNS = sizeof columns / sizeof *columns, OWN = 4 };

/*
 * `words`, `fresh`, `block`: by which words events are found (journal/words.h).
 * A block of level 1 was merged from others.
 * `source`: how far each process was written, against telling twice.
 * `gap`: events that were lost; count 0: nobody knows how many.
 */
static const char beside[] =
    "CREATE TABLE words (key INTEGER PRIMARY KEY, entries BLOB NOT NULL)"
    " STRICT;"
    "CREATE TABLE fresh (number INTEGER PRIMARY KEY, events INTEGER NOT NULL,"
    " from_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,"
    " entries BLOB NOT NULL) STRICT;"
    "CREATE TABLE block (number INTEGER PRIMARY KEY, level INTEGER NOT NULL,"
    " events INTEGER NOT NULL, from_ms INTEGER NOT NULL,"
    " until_ms INTEGER NOT NULL) STRICT;"
    "CREATE TABLE source (incarnation INTEGER PRIMARY KEY, room TEXT NOT NULL,"
    " slot INTEGER NOT NULL, next INTEGER NOT NULL) STRICT;"
    "CREATE TABLE gap (from_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,"
    " count INTEGER NOT NULL, why TEXT NOT NULL) STRICT;"
    "CREATE TABLE meta (seed INTEGER NOT NULL, counter INTEGER NOT NULL,"
    " sealed INTEGER NOT NULL) STRICT;";

void
rows_add_schema(struct buf *sql)
{
    buf_add(sql, STR("CREATE TABLE event (id INTEGER PRIMARY KEY,"
                     " kind TEXT NOT NULL"));
    for (size_t i = 0; i < COLUMNS; i++)
        buf_addf(sql, ", %s %s NOT NULL", columns[i].name,
                 columns[i].type == TEXT ? "TEXT" : "INTEGER");
    buf_add(sql, STR(", room TEXT NOT NULL, slot INTEGER NOT NULL) STRICT;"));
    buf_add(sql, str_from(beside));
    buf_addf(sql, "PRAGMA user_version = %d;", ROWS_VERSION);
}

int64_t
rows_first_id(int64_t at_ms, int64_t day)
{
    int64_t ms = at_ms - day * CALENDAR_DAY_MS;

    if (ms < 0)
        ms = 0;
    if (ms >= CALENDAR_DAY_MS)
        ms = CALENDAR_DAY_MS - 1;
    return ms << ROWS_COUNTER_BITS;
}

int64_t
rows_id(int64_t at_ms, int64_t day, uint64_t n)
{
    uint64_t counter = n & ((1U << ROWS_COUNTER_BITS) - 1);
    return rows_first_id(at_ms, day) | (int64_t)counter;
}

void
rows_add_insert(struct buf *sql)
{
    buf_add(sql, STR("INSERT INTO event VALUES (?"));
    for (size_t i = 1; i < COLUMNS + OWN; i++)
        buf_add(sql, STR(", ?"));
    buf_add_char(sql, ')');
}

void
rows_add_select(struct buf *sql)
{
    buf_add(sql, STR("SELECT * FROM event "));
}

void
rows_bind(sqlite3_stmt *s, const struct row *r)
{
    const char *base = (const char *)&r->e;
    int at = 3;

    (void)sqlite3_bind_int64(s, 1, r->id);
    sql_bind_text(s, 2, str_from(journal_kind_name(r->e.kind)));
    for (size_t i = 0; i < COLUMNS; i++, at++) {
        const void *p = base + columns[i].offset;
        switch (columns[i].type) {
        case TEXT:
            sql_bind_text(s, at, *(const struct str *)p);
            break;
        case WORD32:
            (void)sqlite3_bind_int64(s, at, *(const uint32_t *)p);
            break;
        case WORD64:
            (void)sqlite3_bind_int64(s, at, (int64_t) * (const uint64_t *)p);
            break;
        case MOMENT:
            (void)sqlite3_bind_int64(s, at, *(const int64_t *)p);
            break;
        }
    }
    sql_bind_text(s, at, r->room);
    (void)sqlite3_bind_int64(s, at + 1, r->slot);
}

void
rows_read(sqlite3_stmt *s, struct row *r)
{
    char *base = (char *)&r->e;
    int at = 2;

    *r = (struct row){.id = sqlite3_column_int64(s, 0)};
    r->e.kind = journal_kind_from_name(sql_text(s, 1));
    for (size_t i = 0; i < COLUMNS; i++, at++) {
        void *p = base + columns[i].offset;
        switch (columns[i].type) {
        case TEXT:
            *(struct str *)p = sql_text(s, at);
            break;
        case WORD32:
            *(uint32_t *)p = (uint32_t)sqlite3_column_int64(s, at);
            break;
        case WORD64:
            *(uint64_t *)p = (uint64_t)sqlite3_column_int64(s, at);
            break;
        case MOMENT:
            *(int64_t *)p = sqlite3_column_int64(s, at);
            break;
        }
    }
    r->room = sql_text(s, at);
    r->slot = (uint32_t)sqlite3_column_int64(s, at + 1);
}
