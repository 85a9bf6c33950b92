/* SPDX-License-Identifier: ISC */
#include "directory/counts.h"

#include <unistd.h>

#include "os/log.h"

enum {
    SAVE_MS = 5 * 1000,
    SAVED_MAX = 64 << 20, /* octets of a file */
};

static bool
ledger_changed(const struct counts *c)
{
    return c->ledger != NULL && ledger_changes(c->ledger) != c->ledger_saved;
}

static void
save_ledger(struct counts *c, struct buf *to)
{
    c->ledger_saved = ledger_changes(c->ledger);
    ledger_save(c->ledger, loop_now(c->loop), to);
}

static void
on_save(void *ctx)
{
    struct counts *c = ctx;
    struct buf octets = {0};

    if (c->brake.changed && keep_idle(c->keep_brake)) {
        brake_save(&c->brake, &octets);
        keep_write(c->keep_brake, &octets);
    }
    if (ledger_changed(c) && keep_idle(c->keep_ledger)) {
        save_ledger(c, &octets);
        keep_write(c->keep_ledger, &octets);
    }
    timer_set(c->save, loop_now(c->loop).mono_ms + SAVE_MS);
}

void
counts_save(struct counts *c)
{
    struct buf octets = {0};

    if (c->brake.changed) {
        brake_save(&c->brake, &octets);
        keep_write_now(c->keep_brake, &octets);
    }
    buf_clear(&octets);
    if (ledger_changed(c)) {
        save_ledger(c, &octets);
        keep_write_now(c->keep_ledger, &octets);
    }
    buf_fini(&octets);
}

/* A lost count lets some guess again: no reason not to serve. */
static void
load_brake(struct counts *c)
{
    struct buf octets = {0};
    struct err e;

    if (!keep_read(c->keep_brake, SAVED_MAX, &octets, &e))
        log_error(e.text);
    else if (octets.n > 0 && !brake_load(&c->brake, buf_str(&octets)))
        log_error("directory/brake is damaged: failed logins are counted anew");
    buf_fini(&octets);
}

static void
open_ledger(struct counts *c)
{
    struct buf octets = {0};
    struct err e;

    c->ledger = ledger_make(&c->ledger_fd, &e);
    if (c->ledger == NULL || !keep_read(c->keep_ledger, SAVED_MAX, &octets, &e))
        log_error(e.text);
    else if (octets.n > 0 &&
             !ledger_load(c->ledger, buf_str(&octets), loop_now(c->loop)))
        log_error("directory/sent is damaged: what accounts sent is counted "
                  "anew");
    buf_fini(&octets);
}

void
counts_init(struct counts *c, struct loop *l, int folder)
{
    *c = (struct counts){.loop = l, .brake.failures = BRAKE_FAILURES};
    c->keep_brake = keep_new(l, folder, "brake");
    c->keep_ledger = keep_new(l, folder, "sent");
    load_brake(c);
    open_ledger(c);
    c->save = timer_new(l, on_save, c);
    timer_set(c->save, loop_now(l).mono_ms + SAVE_MS);
}

void
counts_fini(struct counts *c)
{
    brake_fini(&c->brake);
    keep_free(c->keep_brake);
    keep_free(c->keep_ledger);
    ledger_free(c->ledger);
    if (c->ledger_fd >= 0)
        (void)close(c->ledger_fd);
}
