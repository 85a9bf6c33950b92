/* SPDX-License-Identifier: ISC */
#include "journal/tidy.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "journal/seal.h"
#include "os/log.h"

struct tidy {
    struct task task; /* first: it is what run() and done() get */
    struct buf folder, names, problems;
    void (*on_done)(void *ctx);
    void *ctx;
};

static void
run(struct task *task)
{
    struct tidy *t = (struct tidy *)(void *)task;
    struct str rest = buf_str(&t->names), name;
    struct buf path = {0};
    struct err e;

    while (str_cut(rest, '\n', &name, &rest)) {
        buf_clear(&path);
        buf_addf(&path, "%.*s/%.*s", STR_ARG(buf_str(&t->folder)),
                 STR_ARG(name));
        if (!seal_day(buf_cstr(&path), &e))
            buf_addf(&t->problems, "%s\n", e.text);
    }
    buf_fini(&path);
}

static void
done(struct task *task)
{
    struct tidy *t = (struct tidy *)(void *)task;
    struct str rest = buf_str(&t->problems), one;
    void (*on_done)(void *ctx) = t->on_done;
    void *ctx = t->ctx;

    while (str_cut(rest, '\n', &one, &rest))
        log_event(LOG_WARNING, "journal-not-sorted", LOG_S("error", one),
                  LOG_END);
    buf_fini(&t->folder);
    buf_fini(&t->names);
    buf_fini(&t->problems);
    free(t);
    on_done(ctx);
}

void
tidy_begin(struct executor x, struct str folder, struct str names,
           void (*on_done)(void *ctx), void *ctx)
{
    struct tidy *t = alloc_zero(sizeof *t);

    t->task = (struct task){.run = run, .done = done};
    t->on_done = on_done;
    t->ctx = ctx;
    buf_add(&t->folder, folder);
    buf_add(&t->names, names);
    x.submit(x.ctx, LANE_FILE, &t->task);
}
