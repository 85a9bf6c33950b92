/* SPDX-License-Identifier: ISC */
/*
 * A store on a disk that fails, or that was damaged: the answers of the one
 * given to faulty_init(), made worse while a flag here is set.
 */
#pragma once

#include "spool/ops.h"

static struct {
    const struct spool_store_ops *real;
    struct spool_store_ops ops;
    bool gone;       /* no message is known */
    bool unreadable; /* no record can be read */
    bool no_content;
    bool too_large; /* no alias fits */
    void (*damage)(struct spool_view *v);
} faulty;

static inline bool
faulty_show(struct spool_store *s, struct msgid id, struct arena *a,
            struct spool_view *out)
{
    if (faulty.gone || !faulty.real->show(s, id, a, out))
        return false;
    if (faulty.unreadable) {
        out->unreadable = true;
        out->envelope = (struct envelope){0};
        for (size_t i = 0; i < out->n_rcpts; i++)
            out->rcpts[i].address = STR_EMPTY;
    }
    if (faulty.damage != NULL)
        faulty.damage(out);
    return true;
}

static inline bool
faulty_read(struct spool_store *s, const struct spool_locator *at,
            struct buf *to, struct err *e)
{
    if (faulty.no_content) {
        buf_add(to, STR("Subject: ha"));
        return err_set(e, "read segment: Input/output error");
    }
    return faulty.real->read(s, at, to, e);
}

static inline bool
faulty_expand(struct spool_store *s, struct msgid id, uint32_t rcpt,
              const struct str *targets, size_t n, uint32_t *out)
{
    return !faulty.too_large &&
           faulty.real->expand(s, id, rcpt, targets, n, out);
}

static inline void
faulty_init(struct spool_store *s)
{
    faulty.real = s->ops;
    faulty.ops = *s->ops;
    faulty.ops.show = faulty_show;
    faulty.ops.read = faulty_read;
    faulty.ops.expand = faulty_expand;
    faulty.gone = faulty.unreadable = false;
    faulty.no_content = faulty.too_large = false;
    faulty.damage = NULL;
    s->ops = &faulty.ops;
}
