/* SPDX-License-Identifier: ISC */
/*
 * What why, trace and rejects have in common: the journal of the config's state
 * folder, the filters, and how an event is shown.
 */
#pragma once

#include "cli/command.h"
#include "journal/history.h"

/* The filters, for a command's table of options. */
#define PAST_FILTERS                                                           \
    {"--from", "ADDRESS", "of this sender (\"<>\": bounces)"},                 \
        {"--to", "ADDRESS", "for this recipient"},                             \
        {"--domain", "DOMAIN", "of a sender or recipient there"},              \
        {"--ip", "ADDRESS", "of this client"},                                 \
        {"--auth", "ACCOUNT", "of who logged in so, or tried to"},             \
        {"--reason", "ID", "with this reason; gatepost reasons lists them"},   \
        {"--since", "TIME", "not before: 24h, 10:32, 2026-11-24T10:32"},       \
        {"--until", "TIME", "not after"},                                      \
    {                                                                          \
        "--at", "TIME", "five minutes before it to five behind"                \
    }

/* What the command line asks for. false: said so on stderr. */
bool past_query(struct invocation *in, struct history_query *q);

/* COMMAND_DONE, or the status to return; complaints are on stderr. */
int past_open(struct invocation *in, struct history **h);
/* What could not be read, on stderr, and the end of it. */
void past_close(struct history *h);

/* A copy that lives in the arena. */
struct history_event *past_keep(struct arena *a, const struct history_event *e);

/* "2026-11-24 10:32:07" */
struct str past_time(struct arena *a, int64_t ms);

/* One line, or a few: when, what, and what belongs to it. */
void past_print(struct arena *a, const struct history_event *e);
/* All of it, a field a line, checks and advice included. */
void past_print_all(struct arena *a, const struct history_event *e,
                    struct str hostname);
/* One JSON object on a line. */
void past_print_json(struct arena *a, const struct history_event *e,
                     struct str hostname);

/* Losses of that time, as sentences or JSON; how many there were. */
size_t past_print_gaps(struct invocation *in, struct history *h,
                       const struct history_query *q, FILE *to);
