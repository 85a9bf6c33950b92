/* SPDX-License-Identifier: ISC */
/*
 * What a back end provides: one function for each call of spool.h, with its
 * contract written there. A back end's door, message and store begin with
 * these structs; only spool.c and the back ends see them.
 */
#pragma once

#include "spool/spool.h"

struct spool_door_ops {
    struct spool_message *(*begin)(struct spool_door *d,
                                   const struct envelope *e,
                                   enum spool_result *why);
    struct msgid (*message_id)(const struct spool_message *m);
    bool (*chunk)(struct spool_message *m, struct str bytes);
    uint64_t (*message_size)(const struct spool_message *m);
    void (*commit)(struct spool_message *m, bool needs_stuffing,
                   spool_stored_fn on_stored, void *ctx);
    void (*abort)(struct spool_message *m);
    void (*turn)(struct spool_door *d);
    void (*free)(struct spool_door *d);
};

struct spool_store_ops {
    bool (*claim)(struct spool_store *s, struct instant now, struct arena *a,
                  struct spool_claim *out);
    int64_t (*next_due)(const struct spool_store *s);
    bool (*settle)(struct spool_store *s, const struct spool_settlement *x);
    void (*unlease)(struct spool_store *s, struct msgid id, uint32_t rcpt,
                    int64_t next_ms);
    bool (*lease)(struct spool_store *s, struct msgid id, uint32_t rcpt);
    void (*handed)(struct spool_store *s, struct msgid id);
    bool (*crashed)(struct spool_store *s, struct msgid id,
                    const uint32_t *rcpts, size_t n, int64_t next_ms);
    bool (*expand)(struct spool_store *s, struct msgid id, uint32_t rcpt,
                   const struct str *targets, size_t n, uint32_t *out);
    bool (*hold)(struct spool_store *s, struct msgid id, struct str reason);
    bool (*release)(struct spool_store *s, struct msgid id, int64_t due_ms);
    bool (*reschedule)(struct spool_store *s, struct msgid id, int64_t due_ms);
    bool (*remove)(struct spool_store *s, struct msgid id);
    bool (*next_notice)(struct spool_store *s, struct arena *a,
                        struct spool_notice *out);
    void (*notice_declined)(struct spool_store *s, struct str key);
    void (*notices_again)(struct spool_store *s);
    void (*ids)(struct spool_store *s, void (*fn)(void *ctx, struct msgid id),
                void *ctx);
    void (*list)(struct spool_store *s, spool_view_fn fn, void *ctx);
    bool (*show)(struct spool_store *s, struct msgid id, struct arena *a,
                 struct spool_view *out);
    size_t (*count)(const struct spool_store *s);
    void (*turn)(struct spool_store *s, struct instant now);
    int64_t (*wake)(const struct spool_store *s);
    bool (*read)(struct spool_store *s, const struct spool_locator *at,
                 struct buf *to, struct err *e);
    void (*free)(struct spool_store *s);
};

struct spool_door {
    const struct spool_door_ops *ops;
};

struct spool_message {
    struct spool_door *door;
};

#define SPOOL_CRASHES_REASON                                                   \
    STR("three processes died while they had this message in hand")

struct spool_store {
    const struct spool_store_ops *ops;
};
