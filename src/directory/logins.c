/* SPDX-License-Identifier: ISC */
#include "directory/logins_internal.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "os/log.h"

static void
free_asker(struct asker *a)
{
    if (a->channel == NULL && a->in_hand == 0)
        free(a);
}

void
asker_release(struct asker *a)
{
    a->in_hand--;
    free_asker(a);
}

/* The exchange that waits for its client; NULL: it has been answered. */
static struct login *
find(const struct asker *a, uint64_t seq)
{
    struct login *l = a->all->in_hand;

    while (l != NULL && (l->asker != a || l->seq != seq || l->scram == NULL))
        l = l->next;
    return l;
}

static void
respond(struct asker *a, const struct login_msg *m)
{
    struct login *l = find(a, m->seq);

    if (l != NULL)
        attempt_respond(l, m->bytes);
}

/* What is being checked is only not answered any more: it counts. */
static void
forget(struct asker *a, const struct login_msg *m)
{
    struct login *l = find(a, m->seq);

    if (l != NULL && l->stage != STAGE_CHECKING)
        attempt_free(l);
}

static void
end_asker(struct asker *a)
{
    struct login *l = a->all->in_hand, *next;

    channel_free(a->channel);
    a->channel = NULL;
    a->in_hand++; // stays until all of its exchanges are gone
    for (; l != NULL; l = next) {
        next = l->next;
        if (l->asker == a &&
            (l->stage == STAGE_TALKING || l->stage == STAGE_PROVEN))
            attempt_free(l);
    }
    a->in_hand--;
    free_asker(a);
}

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct asker *a = ctx;
    struct login_msg m;
    bool ok = login_decode(frame, &m) && fd < 0;

    if (fd >= 0)
        (void)close(fd);
    if (ok && m.type == LOGIN_ASK) {
        attempt_by_password(attempt_new(a, &m), m.password);
    } else if (ok && m.type == LOGIN_START) {
        attempt_by_scram(attempt_new(a, &m), &m);
    } else if (ok && m.type == LOGIN_RESPONSE) {
        respond(a, &m);
    } else if (ok && m.type == LOGIN_FORGET) {
        forget(a, &m);
    } else {
        log_error("receive sent something else than a login");
        end_asker(a);
    }
}

static void
on_end(void *ctx)
{
    end_asker(ctx);
}

static void
hand_over_ledger(struct asker *a)
{
    struct buf frame = {0};

    login_encode(&frame, &(struct login_msg){.type = LOGIN_LEDGER});
    channel_send_fd(a->channel, buf_str(&frame), a->all->counts.ledger_fd);
    buf_fini(&frame);
}

void
logins_attach(struct logins *s, int fd)
{
    struct asker *a = alloc_zero(sizeof *a);
    a->all = s;
    a->channel = channel_new(s->loop, fd, on_frame, on_end, a);
    channel_keep_secret(a->channel);
    if (s->counts.ledger != NULL)
        hand_over_ledger(a);
}

/* ---- life -----------------------------------------------------------------
 */

struct logins *
logins_new(struct loop *l, struct accounts *a, const struct hosting *hosting,
           const char *database, int folder, loop_fn on_idle, void *ctx)
{
    struct logins *s = alloc_zero(sizeof *s);

    s->loop = l;
    s->accounts = a;
    s->hosting = hosting;
    s->database = database;
    s->scram = scram_context_new();
    remember_init(&s->remember);
    counts_init(&s->counts, l, folder);
    s->on_idle = on_idle;
    s->ctx = ctx;
    return s;
}

void
logins_set_brake(struct logins *s, uint32_t failures)
{
    s->counts.brake.failures = failures;
}

void
logins_save(struct logins *s)
{
    counts_save(&s->counts);
}

bool
logins_idle(const struct logins *s)
{
    return s->count[STAGE_CHECKING] + s->count[STAGE_BRAKED] == 0;
}

void
logins_free(struct logins *s)
{
    if (s == NULL)
        return;
    s->on_idle = NULL;
    while (s->in_hand != NULL) {
        s->in_hand->timer = NULL; // went with the loop
        attempt_free(s->in_hand);
    }
    counts_fini(&s->counts);
    remember_fini(&s->remember);
    scram_context_free(s->scram);
    free(s);
}
