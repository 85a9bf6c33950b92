/* SPDX-License-Identifier: ISC */
#include "directory/logins_internal.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "directory/password.h"
#include "os/log.h"

/* Beyond these the answer is LOGIN_TROUBLE at once. Attempts held back by the
 * brake are counted apart: who is being slowed down takes no place of those
 * who are not. So are exchanges in which the client has the word. */
enum { CHECKING_MAX = 256, BRAKED_MAX = 1024, TALKING_MAX = 4096 };

enum { TALK_MS = 60 * 1000 };

static void
enter(struct login *l, enum stage stage)
{
    struct logins *s = l->asker->all;
    s->count[l->stage]--;
    s->count[stage]++;
    l->stage = stage;
}

void
attempt_free(struct login *l)
{
    struct logins *s = l->asker->all;

    s->count[l->stage]--;
    *l->back = l->next;
    if (l->next != NULL)
        l->next->back = l->back;
    asker_release(l->asker);
    scram_free(l->scram);
    buf_wipe(&l->password);
    buf_wipe(&l->hash);
    buf_wipe(&l->response);
    arena_fini(&l->arena);
    timer_free(l->timer);
    free(l);
    if (logins_idle(s) && s->on_idle != NULL)
        s->on_idle(s->ctx);
}

/* ---- saying something ---------------------------------------------------- */

static void
say(const struct login *l, const struct login_msg *m)
{
    struct buf frame = {0};

    if (l->asker->channel == NULL)
        return;
    login_encode(&frame, m);
    channel_send(l->asker->channel, buf_str(&frame));
    buf_fini(&frame);
}

/* The last thing that is done with l. */
static void
answer(struct login *l, enum login_result result, struct str detail,
       const char *why)
{
    static const char *const names[LOGIN_RESULTS] = {
        [LOGIN_DENIED] = "denied",     [LOGIN_OK] = "ok",
        [LOGIN_TROUBLE] = "trouble",   [LOGIN_SUSPENDED] = "suspended",
        [LOGIN_DISABLED] = "disabled", [LOGIN_BRAKED] = "braked"};
    bool right = result == LOGIN_OK || result == LOGIN_SUSPENDED ||
                 result == LOGIN_DISABLED;

    log_event(LOG_INFO, "login", LOG_S("session", l->session),
              LOG_S("user", l->user), LOG_S("client", l->client),
              LOG_S("result", str_from(names[result])),
              LOG_S("reason", str_from(why)), LOG_END);
    say(l, &(struct login_msg){.type = LOGIN_ANSWER,
                               .seq = l->seq,
                               .result = result,
                               .account = right ? l->who.account : STR_EMPTY,
                               .detail = detail});
    attempt_free(l);
}

static void
give_up(struct login *l, const struct err *e)
{
    log_error(e->text);
    answer(l, LOGIN_TROUBLE, STR_EMPTY, "database");
}

/* ---- the verdict --------------------------------------------------------- */

static struct instant
now(const struct login *l)
{
    return loop_now(l->asker->all->loop);
}

/* Who they are is shown; may they come in? false: answered. */
static bool
admit(struct login *l)
{
    struct logins *s = l->asker->all;
    struct accounts_user user;
    struct err e;

    switch (
        accounts_user_get(s->accounts, &l->arena, l->who.account, &user, &e)) {
    case ACCOUNTS_DONE:
        break;
    case ACCOUNTS_MISSING: // removed meanwhile
        answer(l, LOGIN_DENIED, STR_EMPTY, "unknown-user");
        return false;
    case ACCOUNTS_EXISTS:
    case ACCOUNTS_TROUBLE:
        give_up(l, &e);
        return false;
    }
    if (user.is.state == BOOK_SUSPENDED) {
        answer(l, LOGIN_SUSPENDED, user.is.note, "suspended");
        return false;
    }
    if (user.is.state == BOOK_DISABLED) {
        answer(l, LOGIN_DISABLED, STR_EMPTY, "disabled");
        return false;
    }
    return true;
}

static void
deny(struct login *l)
{
    answer(l, LOGIN_DENIED, STR_EMPTY,
           l->who.account.n == 0 ? "unknown-user"
           : l->scram != NULL    ? "wrong-proof"
                                 : "wrong-password");
}

/* By a connection of its own: the loop must not wait for the write lock. What
 * goes wrong is tried again at the next login. */
static void
add_verifier(const struct login *l)
{
    struct buf verifier = {0};
    struct err ignored;
    struct accounts *a =
        scram_verifier(buf_str(&l->password), l->salt, &verifier)
            ? accounts_open(l->asker->all->database, &ignored)
            : NULL;

    if (a != NULL)
        (void)accounts_user_set_scram(a, l->who.account, buf_str(&l->hash),
                                      buf_str(&verifier), &ignored);
    accounts_close(a);
    buf_wipe(&verifier);
}

/* On a thread of the pool: touches nothing but the login. */
static void
run_check(struct task *task)
{
    struct login *l = (struct login *)task;
    l->match = password_matches(buf_str(&l->password), buf_str(&l->hash));
    if (l->match && l->lacks_verifier)
        add_verifier(l);
}

static void
on_checked(struct task *task)
{
    struct login *l = (struct login *)task;
    struct logins *s = l->asker->all;

    if (l->who.account.n == 0 || !l->match) {
        deny(l);
        return;
    }
    brake_succeeded(&s->counts.brake, l->who.name, l->client, now(l));
    remember_good(&s->remember, l->who.account, buf_str(&l->hash),
                  buf_str(&l->password), now(l));
    if (admit(l))
        answer(l, LOGIN_OK, STR_EMPTY, "");
}

static void
check_password(struct login *l)
{
    struct executor pool = loop_executor(l->asker->all->loop);

    enter(l, STAGE_CHECKING);
    pool.submit(pool.ctx, LANE_HASH, &l->task);
}

/* ---- SCRAM ----------------------------------------------------------------
 */

static void
on_silent(void *ctx)
{
    struct login *l = ctx;
    answer(l, LOGIN_TROUBLE, STR_EMPTY, "timeout");
}

/* The client's turn; it has a minute. */
static void
listen(struct login *l, enum stage stage, struct str challenge)
{
    struct logins *s = l->asker->all;

    enter(l, stage);
    say(l, &(struct login_msg){
               .type = LOGIN_CHALLENGE, .seq = l->seq, .bytes = challenge});
    timer_free(l->timer);
    l->timer = timer_new(s->loop, on_silent, l);
    timer_set(l->timer, now(l).mono_ms + TALK_MS);
}

static bool
find_nobody(struct login *l, struct buf *verifier, struct err *e)
{
    unsigned char salt[SCRAM_SALT];

    if (!identity_salt(l->asker->all->accounts, l->who.name, salt, e))
        return false;
    scram_nobody(salt, verifier);
    return true;
}

static bool
find_verifier(void *ctx, struct str name, struct buf *verifier)
{
    struct login *l = ctx;
    struct logins *s = l->asker->all;
    struct err e;

    l->user = arena_dup(&l->arena, name);
    bool ok =
        identity_find(s->hosting, s->accounts, &l->arena, name, &l->who, &e);
    if (ok && l->who.account.n > 0)
        ok = accounts_user_scram(s->accounts, l->who.account, verifier, &e) !=
             ACCOUNTS_TROUBLE;
    if (ok && verifier->n == 0)
        ok = find_nobody(l, verifier, &e);
    if (!ok)
        log_error(e.text);
    return ok;
}

static void
take_step(struct login *l, struct str bytes)
{
    struct logins *s = l->asker->all;
    struct buf challenge = {0};

    switch (scram_step(l->scram, bytes, &challenge)) {
    case SCRAM_MORE:
        listen(l, STAGE_TALKING, buf_str(&challenge));
        break;
    case SCRAM_PROVEN:
        brake_succeeded(&s->counts.brake, l->who.name, l->client, now(l));
        if (admit(l))
            listen(l, STAGE_PROVEN, buf_str(&challenge));
        break;
    case SCRAM_TROUBLE:
        answer(l, LOGIN_TROUBLE, STR_EMPTY, "database");
        break;
    case SCRAM_DENIED:
        deny(l);
        break;
    }
    buf_fini(&challenge);
}

static void
check_proof(struct login *l)
{
    take_step(l, buf_str(&l->response));
}

/* ---- the brake ------------------------------------------------------------
 */

static void
check(struct login *l)
{
    if (l->scram != NULL)
        check_proof(l);
    else
        check_password(l);
}

static void
on_turn(void *ctx)
{
    check(ctx);
}

static void
queue_up(struct login *l)
{
    struct logins *s = l->asker->all;
    bool full = l->scram == NULL && s->count[STAGE_CHECKING] >= CHECKING_MAX;
    int64_t wait_ms =
        full ? 0
             : brake_begin(&s->counts.brake, l->who.name, l->client, now(l));

    if (wait_ms < 0) {
        answer(l, LOGIN_BRAKED, STR_EMPTY, "braked");
    } else if (full || (wait_ms > 0 && s->count[STAGE_BRAKED] >= BRAKED_MAX)) {
        if (!full)
            brake_undo(&s->counts.brake, l->who.name, l->client, now(l));
        answer(l, LOGIN_TROUBLE, STR_EMPTY, "overload");
    } else if (wait_ms == 0) {
        check(l);
    } else {
        enter(l, STAGE_BRAKED);
        timer_free(l->timer);
        l->timer = timer_new(s->loop, on_turn, l);
        timer_set(l->timer, now(l).mono_ms + wait_ms);
    }
}

/* ---- its beginning ------------------------------------------------------- */

struct login *
attempt_new(struct asker *a, const struct login_msg *m)
{
    struct logins *s = a->all;
    struct login *l = alloc_zero(sizeof *l);

    l->task = (struct task){run_check, on_checked};
    l->asker = a;
    a->in_hand++;
    l->next = s->in_hand;
    l->back = &s->in_hand;
    if (l->next != NULL)
        l->next->back = &l->next;
    s->in_hand = l;
    s->count[STAGE_NEW]++;
    l->seq = m->seq;
    l->user = arena_dup(&l->arena, m->user);
    l->client = arena_dup(&l->arena, m->client);
    l->session = arena_dup(&l->arena, m->session);
    return l;
}

static bool
look_for_verifier(struct login *l, struct err *e)
{
    struct accounts *a = l->asker->all->accounts;
    struct buf verifier = {0};
    bool ok = accounts_user_scram(a, l->who.account, &verifier, e) !=
              ACCOUNTS_TROUBLE;

    l->lacks_verifier = verifier.n == 0;
    buf_wipe(&verifier);
    return ok &&
           (!l->lacks_verifier || identity_salt(a, l->who.account, l->salt, e));
}

/* The hash of the account; nobody's, if there is none. */
static bool
find_hash(struct login *l, struct err *e)
{
    struct logins *s = l->asker->all;
    enum accounts_result found = ACCOUNTS_MISSING;

    if (!identity_find(s->hosting, s->accounts, &l->arena, l->user, &l->who, e))
        return false;
    if (l->who.account.n > 0)
        found = accounts_user_hash(s->accounts, l->who.account, &l->hash, e);
    if (found == ACCOUNTS_DONE)
        return look_for_verifier(l, e);
    if (found == ACCOUNTS_MISSING) {
        l->who.account = STR_EMPTY;
        buf_add(&l->hash, password_nobody());
    }
    return found != ACCOUNTS_TROUBLE;
}

void
attempt_by_password(struct login *l, struct str password)
{
    struct logins *s = l->asker->all;
    struct err e;

    (void)buf_reserve(&l->password, password.n + 1);
    buf_add(&l->password, password);
    if (!find_hash(l, &e))
        give_up(l, &e);
    else if (l->who.account.n == 0 ||
             !remember_knows(&s->remember, l->who.account, buf_str(&l->hash),
                             buf_str(&l->password), now(l)))
        queue_up(l);
    else if (admit(l))
        answer(l, LOGIN_OK, STR_EMPTY, "remembered");
}

void
attempt_by_scram(struct login *l, const struct login_msg *m)
{
    const struct scram_binding binding = {.unique = m->unique,
                                          .exporter = m->exporter};
    struct logins *s = l->asker->all;

    if (s->count[STAGE_TALKING] + s->count[STAGE_PROVEN] >= TALKING_MAX) {
        answer(l, LOGIN_TROUBLE, STR_EMPTY, "overload");
        return;
    }
    l->scram = scram_new(s->scram, m->plus, &binding, find_verifier, l);
    take_step(l, m->bytes);
}

void
attempt_respond(struct login *l, struct str bytes)
{
    if (l->stage == STAGE_PROVEN && bytes.n == 0) {
        answer(l, LOGIN_OK, STR_EMPTY, "");
    } else if (l->stage == STAGE_TALKING) {
        buf_clear(&l->response);
        buf_add(&l->response, bytes);
        queue_up(l);
    } else {
        deny(l);
    }
}
