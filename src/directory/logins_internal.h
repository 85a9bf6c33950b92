/* SPDX-License-Identifier: ISC */
/* The halves of logins.h: who asks (logins.c), and one attempt from its first
 * message to its answer (attempt.c). */
#pragma once

#include "directory/counts.h"
#include "directory/identity.h"
#include "directory/logins.h"
#include "directory/remember.h"
#include "directory/scram.h"
#include "ipc/login.h"
#include "os/channel.h"

/* A receive process; lives as long as a login of its needs it. */
struct asker {
    struct logins *all;
    struct channel *channel; /* NULL: gone */
    size_t in_hand;
};

enum stage {
    STAGE_NEW = 0,
    STAGE_BRAKED,
    STAGE_CHECKING,
    STAGE_TALKING, /* the client has the word */
    STAGE_PROVEN,  /* it has nothing to say but that it heard us */
};

struct login {
    struct task task;
    struct login *next, **back; /* of all in hand */
    struct asker *asker;
    uint64_t seq;
    struct arena arena;
    struct str user, client, session;
    struct identity who;
    struct scram *scram;                 /* NULL: by password */
    struct buf password, hash, response; /* wiped */
    struct timer *timer;
    enum stage stage;
    bool match;

    /* An account that has no verifier for SCRAM yet gets one with the first
     * right password. */
    bool lacks_verifier;
    unsigned char salt[SCRAM_SALT];
};

struct logins {
    struct loop *loop;
    struct accounts *accounts;
    const char *database; /* path */
    const struct hosting *hosting;
    struct scram_context *scram;
    struct counts counts;
    struct remember remember;
    struct login *in_hand;
    size_t count[STAGE_PROVEN + 1];
    loop_fn on_idle;
    void *ctx;
};

/* The first message about an attempt; each of the next three may answer it, and
 * then it is gone. */
struct login *attempt_new(struct asker *a, const struct login_msg *m);
void attempt_by_password(struct login *l, struct str password);
void attempt_by_scram(struct login *l, const struct login_msg *m);
/* What the client says in an exchange of SCRAM. */
void attempt_respond(struct login *l, struct str bytes);
void attempt_free(struct login *l); /* unanswered */

/* One of its attempts is over. */
void asker_release(struct asker *a);
