/* SPDX-License-Identifier: ISC */
#include "directory/logins.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "directory/brake.h"
#include "directory/password.h"
#include "ipc/login.h"
#include "mail/address.h"
#include "os/channel.h"
#include "os/log.h"

/* Beyond these the answer is LOGIN_TROUBLE at once. Attempts held back by the
 * brake are counted apart: who is being slowed down takes no place of those
 * who are not. */
enum { CHECKING_MAX = 256, BRAKED_MAX = 1024 };

/* A receive process; lives as long as a login of its needs it. */
struct asker {
    struct logins *all;
    struct channel *channel; /* NULL: gone */
    size_t in_hand;
};

struct login {
    struct task task;
    struct login *next, **back; /* of all in hand */
    struct asker *asker;
    uint64_t seq;
    struct arena arena;
    struct str user, client, session, account; /* account empty: nobody's */
    struct buf password, hash;                 /* wiped */
    struct timer *timer;                       /* while braked */
    bool match;
};

struct logins {
    struct loop *loop;
    struct accounts *accounts;
    const struct hosting *hosting;
    struct brake brake;
    struct login *in_hand;
    size_t checking, braked;
    loop_fn on_idle;
    void *ctx;
};

struct logins *
logins_new(struct loop *l, struct accounts *a, const struct hosting *hosting,
           loop_fn on_idle, void *ctx)
{
    struct logins *s = alloc_zero(sizeof *s);

    s->loop = l;
    s->accounts = a;
    s->hosting = hosting;
    s->on_idle = on_idle;
    s->ctx = ctx;
    return s;
}

static void
wipe(struct buf *b)
{
    alloc_wipe(b->p, b->cap);
    buf_fini(b);
}

static void
free_asker(struct asker *a)
{
    if (a->channel == NULL && a->in_hand == 0)
        free(a);
}

static void
free_login(struct login *l)
{
    struct logins *s = l->asker->all;

    *l->back = l->next;
    if (l->next != NULL)
        l->next->back = l->back;
    l->asker->in_hand--;
    free_asker(l->asker);
    wipe(&l->password);
    wipe(&l->hash);
    arena_fini(&l->arena);
    timer_free(l->timer);
    free(l);
    if (logins_idle(s) && s->on_idle != NULL)
        s->on_idle(s->ctx);
}

static void
answer(const struct login *l, enum login_result result, const char *why)
{
    static const char *const names[] = {[LOGIN_DENIED] = "denied",
                                        [LOGIN_OK] = "ok",
                                        [LOGIN_TROUBLE] = "trouble"};
    struct buf frame = {0};

    log_event(LOG_INFO, "login", LOG_S("session", l->session),
              LOG_S("user", l->user), LOG_S("client", l->client),
              LOG_S("result", str_from(names[result])),
              LOG_S("reason", str_from(why)), LOG_END);
    if (l->asker->channel == NULL)
        return;
    login_encode(&frame, &(struct login_msg){.type = LOGIN_ANSWER,
                                             .seq = l->seq,
                                             .result = result,
                                             .account = result == LOGIN_OK
                                                            ? l->account
                                                            : STR_EMPTY});
    channel_send(l->asker->channel, buf_str(&frame));
    buf_fini(&frame);
}

/* On a thread of the pool: touches nothing but the login. */
static void
run_check(struct task *task)
{
    struct login *l = (struct login *)task;
    l->match = password_matches(buf_str(&l->password), buf_str(&l->hash));
}

static void
on_checked(struct task *task)
{
    struct login *l = (struct login *)task;
    struct logins *s = l->asker->all;

    s->checking--;
    if (l->account.n > 0 && l->match) {
        brake_succeeded(&s->brake, l->user);
        answer(l, LOGIN_OK, "");
    } else {
        brake_failed(&s->brake, l->user, l->client, loop_now(s->loop));
        answer(l, LOGIN_DENIED,
               l->account.n > 0 ? "wrong-password" : "unknown-user");
    }
    free_login(l);
}

static bool
is_hosted(const struct logins *s, struct str account, bool *hosted,
          struct err *e)
{
    struct buf key = {0}, value = {0};
    ssize_t at = str_rfind_char(account, '@');

    buf_addf(&key, "d:%.*s", STR_ARG(str_from_pos(account, (size_t)at + 1)));
    bool ok = at >= 0 &&
              hosting_value(s->hosting, s->accounts, buf_str(&key), &value, e);
    *hosted = value.n > 0;
    buf_fini(&key);
    buf_fini(&value);
    return ok;
}

/* Accounts that share a local part. More than that are not searched for the
 * one whose domain is hosted: somebody's "info" stands in thousands. */
enum { CANDIDATES_MAX = 16 };

struct candidates {
    struct arena *arena;
    struct str list[CANDIDATES_MAX + 1];
    size_t n;
};

static void
on_candidate(void *ctx, struct str address)
{
    struct candidates *c = ctx;
    if (c->n <= CANDIDATES_MAX)
        c->list[c->n++] = arena_dup(c->arena, address);
}

/* The one account of our domains with that local part; else empty. */
static bool
find_by_local_part(struct logins *s, struct login *l, struct err *e)
{
    struct candidates c = {.arena = &l->arena};
    struct str only = STR_EMPTY;
    size_t n = 0;

    if (!accounts_with_local_part(s->accounts,
                                  arena_dup_lower(&l->arena, l->user),
                                  CANDIDATES_MAX + 1, on_candidate, &c, e))
        return false;
    for (size_t i = 0; i < c.n && c.n <= CANDIDATES_MAX; i++) {
        bool hosted;
        if (!is_hosted(s, c.list[i], &hosted, e))
            return false;
        if (hosted) {
            only = c.list[i];
            n++;
        }
    }
    l->account = n == 1 ? only : STR_EMPTY;
    return true;
}

static bool
find_by_address(struct logins *s, struct login *l, struct err *e)
{
    struct address address;
    bool hosted;

    if (!address_parse(l->user, &address))
        return true;
    struct str key = address_key(&l->arena, &address);
    if (key.n == 0)
        return true;
    if (!is_hosted(s, key, &hosted, e))
        return false;
    l->account = hosted ? key : STR_EMPTY;
    return true;
}

/* The account and its hash; nobody's, if there is none. */
static bool
find_account(struct logins *s, struct login *l, struct err *e)
{
    enum accounts_result found = ACCOUNTS_MISSING;

    if (str_find_char(l->user, '@') >= 0 ? !find_by_address(s, l, e)
                                         : !find_by_local_part(s, l, e))
        return false;
    if (l->account.n > 0)
        found = accounts_user_hash(s->accounts, l->account, &l->hash, e);
    if (found == ACCOUNTS_MISSING) {
        l->account = STR_EMPTY;
        buf_add(&l->hash, password_nobody());
    }
    return found != ACCOUNTS_TROUBLE;
}

static void
check(struct logins *s, struct login *l)
{
    struct executor pool = loop_executor(s->loop);
    struct err e;

    if (s->checking >= CHECKING_MAX) {
        answer(l, LOGIN_TROUBLE, "overload");
        free_login(l);
    } else if (!find_account(s, l, &e)) {
        log_error(e.text);
        answer(l, LOGIN_TROUBLE, "database");
        free_login(l);
    } else {
        s->checking++;
        pool.submit(pool.ctx, LANE_HASH, &l->task);
    }
}

static void
on_braked(void *ctx)
{
    struct login *l = ctx;
    l->asker->all->braked--;
    check(l->asker->all, l);
}

static void
brake(struct logins *s, struct login *l, int64_t delay_ms)
{
    if (s->braked >= BRAKED_MAX) {
        answer(l, LOGIN_TROUBLE, "overload");
        free_login(l);
        return;
    }
    s->braked++;
    l->timer = timer_new(s->loop, on_braked, l);
    timer_set(l->timer, loop_now(s->loop).mono_ms + delay_ms);
}

static void
ask(struct asker *a, const struct login_msg *m)
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
    l->seq = m->seq;
    l->user = arena_dup(&l->arena, m->user);
    l->client = arena_dup(&l->arena, m->client);
    l->session = arena_dup(&l->arena, m->session);
    buf_add(&l->password, m->password);
    int64_t delay_ms =
        brake_delay_ms(&s->brake, l->user, l->client, loop_now(s->loop));
    if (delay_ms > 0)
        brake(s, l, delay_ms);
    else
        check(s, l);
}

static void
end_asker(struct asker *a)
{
    channel_free(a->channel);
    a->channel = NULL;
    free_asker(a);
}

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct asker *a = ctx;
    struct login_msg m;

    if (fd >= 0)
        (void)close(fd);
    if (fd >= 0 || !login_decode(frame, &m) || m.type != LOGIN_ASK) {
        log_error("receive sent something else than a login");
        end_asker(a);
        return;
    }
    ask(a, &m);
}

static void
on_end(void *ctx)
{
    end_asker(ctx);
}

void
logins_attach(struct logins *s, int fd)
{
    struct asker *a = alloc_zero(sizeof *a);
    a->all = s;
    a->channel = channel_new(s->loop, fd, on_frame, on_end, a);
}

bool
logins_idle(const struct logins *s)
{
    return s->checking + s->braked == 0;
}

void
logins_free(struct logins *s)
{
    if (s == NULL)
        return;
    s->on_idle = NULL;
    while (s->in_hand != NULL) {
        s->in_hand->timer = NULL; // went with the loop
        free_login(s->in_hand);
    }
    brake_fini(&s->brake);
    free(s);
}
