/* SPDX-License-Identifier: ISC */
/*
 * The summaries of sealed segments, each a file beside its segment. They are
 * never synced and nothing depends on them: what power loss leaves of one does
 * not verify, and the start scans the segment from there on. What one says is
 * true for as long as its segment has that generation, since a sealed segment
 * is not written to; and it says nothing of records that could still vanish
 * with the power, those beyond the highest durable mark.
 *
 * A segment in doubt that has a summary was sealed: DOUBT -> READING.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "spool/io.h"
#include "spool/store_internal.h"

enum { FILE_MAX = 1 << 30 };

static void
summary_name(char out[STORE_NAME], uint64_t number)
{
    (void)snprintf(out, STORE_NAME, "summary-%llu", (unsigned long long)number);
}

void
summaries_unlink(const struct log_store *s, uint64_t number)
{
    const struct disk *disk = s->setup.disk;
    char name[STORE_NAME];
    summary_name(name, number);
    (void)disk->unlink(disk->self, s->setup.dir, name); // mostly there is none
}

void
summaries_drop(struct log_store *s, struct store_segment *g)
{
    const struct disk *disk = s->setup.disk;
    if (g->summary.fd >= 0)
        (void)disk->close(disk->self, g->summary.fd);
    buf_fini(&g->summary.entries);
    g->summary = (struct store_summary){.fd = -1};
}

/* ---- at the start -------------------------------------------------------- */

static bool
read_head(struct log_store *s, const struct store_segment *g,
          struct summary_piece *p)
{
    unsigned char head[SUMMARY_PIECE];
    struct err e;
    return io_read(s->setup.disk, g->summary.fd, head, sizeof head,
                   g->summary.at, "summary", &e) &&
           summary_parse_piece(head, segment_seed(g), g->summary.at, p);
}

void
summaries_find(struct log_store *s, struct store_segment *g)
{
    const struct disk *disk = s->setup.disk;
    struct summary_piece p;
    char name[STORE_NAME];

    summary_name(name, g->number);
    g->summary.fd = disk->open(disk->self, s->setup.dir, name, DISK_READ);
    if (g->summary.fd < 0)
        return;
    bool sealed = g->state == SEGMENT_READING;
    if (!read_head(s, g, &p) || p.end < FORMAT_BLOCK || p.end > g->size ||
        (sealed && p.end != g->end)) {
        summaries_drop(s, g);
        return;
    }
    g->state = SEGMENT_READING;
    g->end = p.end;
}

/* The next piece, all of it good, or false. */
static bool
read_piece(struct log_store *s, const struct store_segment *g,
           struct summary_piece *p, struct buf *entries)
{
    const struct disk *disk = s->setup.disk;
    struct err e;
    int64_t size = disk->size(disk->self, g->summary.fd);

    if (size < 0 || size > FILE_MAX || !read_head(s, g, p) ||
        p->first != g->scan.seq || p->end != g->end ||
        p->octets > (uint64_t)size)
        return false;
    char *to = buf_reserve(entries, p->octets);
    if (!io_read(disk, g->summary.fd, to, p->octets,
                 g->summary.at + SUMMARY_PIECE, "summary", &e))
        return false;
    entries->n = p->octets;
    return summary_verify(p, g->scan.at, g->size, buf_str(entries));
}

bool
summaries_read(struct log_store *s, struct store_segment *g, uint64_t *octets)
{
    const struct disk *disk = s->setup.disk;
    struct buf entries = {0};
    struct summary_piece p;
    struct summary_entry e;
    bool good = read_piece(s, g, &p, &entries);

    if (good) {
        struct wire in = wire_from(buf_str(&entries));
        while (in.n > 0 && summary_take_entry(&in, &e))
            absorb_message(s, g, &e);
        scan_skip(&g->scan, p.upto, p.first + p.count);
        g->summary.at += SUMMARY_PIECE + p.octets;
        *octets += p.octets;
    } else { // whatever the scan finds from here on is written there
        (void)disk->close(disk->self, g->summary.fd);
        g->summary.fd = -1;
        g->summary.first = g->scan.seq;
    }
    buf_fini(&entries);
    return good;
}

/* ---- writing one --------------------------------------------------------- */

void
summaries_add(struct store_segment *g, const struct summary_entry *e)
{
    if (!g->summary.off)
        summary_add_entry(&g->summary.entries, e);
}

void
summaries_spoil(struct store_segment *g)
{
    g->summary.off = true;
    buf_fini(&g->summary.entries);
}

struct summary_task {
    struct task task; /* must be first */
    struct log_store *store;
    struct store_segment *segment;
    struct summary_plan plan;
    struct format_seed seed;
    struct buf entries;
    bool ok;
    struct err error;
};

static bool
write_file(const struct disk *disk, int fd, const struct summary_plan *plan,
           struct str bytes, struct err *e)
{
    struct iovec part = {(void *)(uintptr_t)bytes.p, bytes.n};
    uint64_t end = plan->at + bytes.n;
    return io_write(disk, fd, &part, 1, plan->at, "summary", e) &&
           (disk->truncate(disk->self, fd, (int64_t)end) == 0 ||
            err_sys(e, "truncate", "summary"));
}

static void
run(struct task *task)
{
    struct summary_task *x = (struct summary_task *)task;
    const struct disk *disk = x->store->setup.disk;
    struct buf bytes = {0};
    char name[STORE_NAME];

    x->ok = true;
    summary_cut(&bytes, x->seed, &x->plan, buf_str(&x->entries));
    if (bytes.n > 0) {
        summary_name(name, x->seed.segment);
        int fd = disk->open(disk->self, x->store->setup.dir, name,
                            DISK_WRITE | DISK_CREATE);
        x->ok = fd >= 0
                    ? write_file(disk, fd, &x->plan, buf_str(&bytes), &x->error)
                    : err_sys(&x->error, "create", name);
        if (fd >= 0)
            (void)disk->close(disk->self, fd);
        if (!x->ok)
            summaries_unlink(x->store, x->seed.segment);
    }
    buf_fini(&bytes);
}

static void
done(struct task *task)
{
    struct summary_task *x = (struct summary_task *)task;
    struct log_store *s = x->store;
    s->tasks--;
    x->segment->busy = false;
    if (!x->ok && !io_is_full(&x->error))
        store_trouble(s, &x->error);
    buf_fini(&x->entries);
    free(x);
}

void
summaries_write(struct log_store *s, struct store_segment *g)
{
    struct store_summary *y = &g->summary;
    bool wanted = !y->off && y->entries.n > 0 && g->live > 0 && !g->damaged &&
                  !segment_is_cut(g) && s->pressure != SPOOL_PRESSURE_FULL;

    if (wanted) {
        struct summary_task *x = alloc_zero(sizeof *x);
        *x = (struct summary_task){
            .task = {run,                        done},
            .store = s,
            .segment = g,
            .seed = segment_seed(g),
            .plan = { .at = y->at,
                     .first = y->first,
                     .durable = g->scan.durable,
                     .end = g->end},
            .entries = y->entries
        };
        y->entries = (struct buf){0};
        g->busy = true;
        store_submit(s, LANE_FILE, &x->task);
    }
    summaries_drop(s, g);
}
