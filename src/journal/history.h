/* SPDX-License-Identifier: ISC */
/*
 * What the journal keeps, for who asks: the files of its days, read only, with
 * a server running or without.
 *
 *     h = history_open("/var/lib/gatepost/journal", &e);
 *     history_find(h, &(struct history_query){.id = STR("7K3MQ-2DF9P")},
 *                  on_event, ctx);
 *     history_close(h);
 *
 * A file that cannot be read is passed over; history_problems() says why.
 */
#pragma once

#include "base/err.h"
#include "ipc/journal.h"

struct history;

/* What must be true of an event; empty and 0: anything. Addresses and domains
 * in any case. */
struct history_query {
    struct str id;        /* of an incident, a session or a message */
    struct str sender;    /* "<>": the null sender */
    struct str recipient; /* or the alias it came by */
    struct str domain;    /* of the sender, a recipient or an alias */
    struct str client, user, reason;
    int64_t since_ms, until_ms; /* both included */
    /* No older day than that in which the message `id` was accepted. */
    bool whole_story;
};

/* Texts are borrowed until the callback returns. */
struct history_event {
    struct str room;
    uint32_t slot;
    struct journal_event e;
};

/* false: enough. */
typedef bool (*history_fn)(void *ctx, const struct history_event *e);

/* NULL: the folder cannot be read. One that is not there yet is empty. */
struct history *history_open(const char *folder, struct err *e);
void history_close(struct history *h);

/* Every file is seen as it was at its first question, until here: before
 * waiting for anybody (printing to a pipe), since it grows meanwhile and cannot
 * be put in order. */
void history_pause(struct history *h);

/* The newest first. */
void history_find(struct history *h, const struct history_query *q,
                  history_fn fn, void *ctx);

/* Every refusal of that time, in no order; of each only kind, at_ms, count,
 * reason, rule and sender. */
void history_refusals(struct history *h, int64_t since_ms, int64_t until_ms,
                      history_fn fn, void *ctx);

/* Losses that touch that time, the oldest first: at_ms to until_ms, count (0:
 * nobody knows) and why in detail. */
void history_gaps(struct history *h, int64_t since_ms, int64_t until_ms,
                  history_fn fn, void *ctx);

/* Does the journal hold anything at all? */
bool history_is_empty(const struct history *h);

/* What could not be read, a line each. */
struct str history_problems(const struct history *h);
