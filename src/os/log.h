/* SPDX-License-Identifier: ISC */
/*
 * The one log of a process, on stderr: a line per decision, key=value or JSON.
 *
 *     log_event(LOG_INFO, "accepted",
 *               LOG_S("session", session), LOG_S("id", id),
 *               LOG_N("size", size), LOG_END);
 *     -> 2026-11-24T05:30:52.123Z info receive accepted session=… id=… size=…
 *
 * It never blocks: lines gather and are written at the end of the loop turn
 * (log_flush); what the reader is too slow for is dropped and counted, and the
 * count is logged as soon as there is room again. Values are escaped, so a
 * foreign string cannot forge a line.
 */
#pragma once

#include <stdint.h>

#include "base/str.h"

enum log_level { LOG_DEBUG = 0, LOG_INFO, LOG_WARNING, LOG_ERROR };

struct log_field {
    const char *key; /* NULL: the end */
    struct str text;
    int64_t number;
    bool is_number;
};

#define LOG_S(k, s) ((struct log_field){.key = (k), .text = (s)})
#define LOG_N(k, v)                                                            \
    ((struct log_field){.key = (k), .number = (v), .is_number = true})
#define LOG_END ((struct log_field){0})

/* room: the process's name in each line, "receive". */
void log_open(const char *room, bool json, enum log_level from);

void log_event(enum log_level level, const char *event, ...); /* …, LOG_END */

/* event "error", field error=TEXT: for struct err and sentences. */
void log_error(const char *text);

/* A line as it is, at once: for whoever starts the server by hand. */
void log_plain(struct str line);

void log_flush(void);
size_t log_backlog(void);   /* octets that log_flush() left waiting */
uint64_t log_dropped(void); /* lines dropped since the start */
