/* SPDX-License-Identifier: ISC */
#include "room/room.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/map.h"
#include "os/log.h"
#include "os/memfd.h"
#include "os/sandbox.h"
#include "room/diary.h"

/* FD_LOCK is master's claim on the state folder, held open and not used: the
 * next master must not begin before the last room of this one has ended. */
enum { FD_MASTER = 3, FD_CONFIG = 4, FD_LOCK = 5, FILE_OCTETS_MAX = 16 << 20 };

struct str
room_read_file(struct arena *a, int fd)
{
    struct buf content = {0};
    struct err e;
    struct str s = STR_EMPTY;
    if (memfd_read(fd, FILE_OCTETS_MAX, &content, &e))
        s = arena_dup(a, buf_str(&content));
    else
        log_error(e.text);
    buf_fini(&content);
    (void)close(fd);
    return s;
}

/* NULL: logged. Master has checked the text it was made from, so a problem
 * here is a disagreement between conf_print() and conf_parse(). */
static struct conf *
read_config(int fd)
{
    struct arena a = {0};
    struct conf_result r = conf_parse(room_read_file(&a, fd), "config");
    for (size_t i = 0; i < r.n_problems; i++)
        log_event(LOG_ERROR, "config-problem",
                  LOG_N("line", r.problems[i].line),
                  LOG_S("error", r.problems[i].text), LOG_END);
    arena_fini(&r.arena);
    arena_fini(&a);
    return r.conf;
}

static void
finish(struct room *r, int status)
{
    r->status = status;
    loop_stop(r->loop);
}

static void
say(struct room *r, enum control_type type)
{
    struct buf b = {0};
    control_encode(&b, &(struct control_msg){.type = type});
    channel_send(r->master, buf_str(&b));
    buf_fini(&b);
}

static void
reload(struct room *r, int fd)
{
    struct conf *fresh = read_config(fd), *old = r->conf;
    if (fresh == NULL)
        return;
    if (r->ops->on_config == NULL) {
        conf_free(fresh);
        return;
    }
    r->conf = fresh;
    r->ops->on_config(r->self, fresh);
    conf_free(old);
    say(r, CONTROL_RELOADED);
}

/* The messages that bring a descriptor: whoever handles them owns it. */
static bool
handle_fd(struct room *r, const struct control_msg *m, int fd)
{
    const struct room_ops *ops = r->ops;
    if (m->type == CONTROL_PEER && m->pipe == PIPE_JOURNAL && r->diary != NULL)
        diary_attach(r->diary, fd);
    else if (m->type == CONTROL_PEER && ops->on_peer != NULL)
        ops->on_peer(r->self, m->pipe, m->role, m->slot, m->incarnation, fd);
    else if (m->type == CONTROL_LISTEN && ops->on_listen != NULL)
        ops->on_listen(r->self, m->name, fd);
    else if (m->type == CONTROL_FILE && ops->on_file != NULL)
        ops->on_file(r->self, m->name, fd);
    else if (m->type == CONTROL_CONFIG)
        reload(r, fd);
    else
        return false;
    return true;
}

static void
handle(struct room *r, const struct control_msg *m)
{
    const struct room_ops *ops = r->ops;
    bool hurry = m->type == CONTROL_STOP;
    if (m->type == CONTROL_GO) {
        ops->on_go(r->self);
    } else if (m->type == CONTROL_REAPED && ops->on_reaped != NULL) {
        ops->on_reaped(r->self, m->role, m->slot, m->incarnation);
    } else if (m->type == CONTROL_DRAIN || hurry) {
        r->stopping = true;
        if (ops->on_drain != NULL)
            ops->on_drain(r->self, hurry);
        else
            room_finish(r);
    }
}

static void
on_frame(void *ctx, struct str frame, int fd)
{
    struct room *r = ctx;
    struct control_msg m;
    if (!control_decode(frame, &m)) {
        if (fd >= 0)
            (void)close(fd);
        room_fail(r, "master sent what no room understands");
        return;
    }
    if (fd < 0)
        handle(r, &m);
    else if (!handle_fd(r, &m, fd))
        (void)close(fd);
}

static void
on_master_gone(void *ctx)
{
    finish(ctx, 0);
}

void
room_ready(struct room *r)
{
    say(r, CONTROL_READY);
}

void
room_finish(struct room *r)
{
    finish(r, 0);
}

void
room_fail(struct room *r, const char *why)
{
    log_error(why);
    finish(r, 1);
}

static void
set_up(struct room *r)
{
    struct buf title = {0};
    uint64_t seed;

    sandbox_begin(FD_LOCK);
    (void)fcntl(FD_MASTER, F_SETFD, FD_CLOEXEC);
    (void)fcntl(FD_CONFIG, F_SETFD, FD_CLOEXEC);
    (void)fcntl(FD_LOCK, F_SETFD, FD_CLOEXEC);
    buf_addf(&title, "gatepost: %s", role_name(r->role));
    sandbox_title(buf_cstr(&title));
    buf_fini(&title);
    log_open(role_name(r->role), false, LOG_INFO);
    sandbox_random(r->key, sizeof r->key);
    sandbox_random(&seed, sizeof seed);
    map_seed(seed);
}

int
room_run(const struct room_ops *ops, void *self, uint32_t slot,
         uint64_t incarnation)
{
    struct room r = {.role = ops->role,
                     .slot = slot,
                     .incarnation = incarnation,
                     .self = self,
                     .ops = ops};
    struct err e;

    set_up(&r);
    r.conf = read_config(FD_CONFIG);
    if (r.conf == NULL) {
        log_flush();
        return 1;
    }
    log_open(role_name(r.role), r.conf->log_json, LOG_INFO);
    r.loop = loop_new();
    if (r.role != ROLE_JOURNAL)
        r.diary = diary_new(r.loop);
    if (ops->on_open != NULL && !ops->on_open(self, &r, &e)) {
        log_error(e.text);
        log_flush();
        return 1;
    }
    r.master = channel_new(r.loop, FD_MASTER, on_frame, on_master_gone, &r);
    loop_run(r.loop);
    return r.status;
}
