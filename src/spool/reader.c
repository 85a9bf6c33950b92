/* SPDX-License-Identifier: ISC */
#include "spool/reader.h"

#include "spool/format.h"
#include "spool/io.h"
#include "spool/record.h"

enum { META_MAX = 64 << 20, PIECE = 128 << 10 };

/* Takes the record apart; every number in it was on a disk. */
static bool
check(struct spool_reader *r, const struct msgid *id,
      const struct spool_locator *at, uint64_t meta_n, struct err *e)
{
    const unsigned char *p = (const unsigned char *)r->record.p;
    struct format_seed seed = {at->segment, at->generation};
    struct str meta = str_from_n(p + FORMAT_RECORD, (size_t)meta_n);
    struct record_header h;
    struct record_message m;

    format_peek_record(p, &h);
    r->content = str_from_n(p + FORMAT_RECORD + meta_n,
                            r->record.n - FORMAT_RECORD - (size_t)meta_n);
    if (h.type != RECORD_MESSAGE || h.meta != meta_n ||
        h.content != r->content.n ||
        !format_verify_record(p, seed, at->offset, meta) ||
        (!r->large && format_sum(r->content) != h.content_sum) ||
        !record_parse_message(meta, &m) ||
        (id != NULL && !msgid_eq(m.id, *id)) || m.large != at->large ||
        m.size != r->size)
        return err_set(e, "read segment-%llu: no such record at %llu",
                       (unsigned long long)at->segment,
                       (unsigned long long)at->offset);
    r->envelope = m.envelope;
    r->needs_stuffing = (h.flags & RECORD_NEEDS_STUFFING) != 0;
    r->sum = h.content_sum;
    return true;
}

static bool
open_at(struct spool_reader *r, const struct disk *disk, int segment_fd,
        int large_fd, const struct msgid *id, const struct spool_locator *at,
        struct err *e)
{
    uint64_t content = at->large != 0 ? 0 : at->content_size;
    *r = (struct spool_reader){.disk = disk,
                               .large_fd = large_fd,
                               .size = at->content_size,
                               .large = at->large != 0};
    if (at->content_at < at->offset ||
        at->content_at - at->offset < FORMAT_RECORD ||
        at->content_at - at->offset > META_MAX || content > FORMAT_INLINE ||
        at->offset > INT64_MAX / 2)
        return err_set(e, "read segment-%llu: not a locator",
                       (unsigned long long)at->segment);
    uint64_t head = at->content_at - at->offset;
    if (r->large)
        r->running = format_running_new();
    char *to = buf_reserve(&r->record, (size_t)(head + content));
    r->record.n = (size_t)(head + content);
    if (io_read(disk, segment_fd, to, r->record.n, at->offset, "segment", e) &&
        check(r, id, at, head - FORMAT_RECORD, e)) {
        spool_reader_rewind(r);
        return true;
    }
    spool_reader_close(r);
    return false;
}

bool
spool_reader_open(struct spool_reader *r, const struct disk *disk,
                  int segment_fd, int large_fd, struct msgid id,
                  const struct spool_locator *at, struct err *e)
{
    return open_at(r, disk, segment_fd, large_fd, &id, at, e);
}

bool
spool_reader_open_any(struct spool_reader *r, const struct disk *disk,
                      int segment_fd, int large_fd,
                      const struct spool_locator *at, struct err *e)
{
    return open_at(r, disk, segment_fd, large_fd, NULL, at, e);
}

void
spool_reader_close(struct spool_reader *r)
{
    buf_fini(&r->record);
    buf_fini(&r->piece);
    format_running_free(r->running);
    r->running = NULL;
}

bool
spool_reader_envelope(const struct spool_reader *r, struct arena *a,
                      struct envelope *out)
{
    return envelope_decode(a, r->envelope, out);
}

void
spool_reader_rewind(struct spool_reader *r)
{
    r->at = 0;
    if (r->running != NULL)
        format_running_restart(r->running);
}

static bool
next_large(struct spool_reader *r, struct str *bytes, struct err *e)
{
    uint64_t left = r->size - r->at;
    size_t n = left < PIECE ? (size_t)left : PIECE;
    buf_clear(&r->piece);
    char *to = buf_reserve(&r->piece, n);
    if (!io_read(r->disk, r->large_fd, to, n, r->at, "large file", e))
        return false;
    r->piece.n = n;
    r->at += n;
    *bytes = buf_str(&r->piece);
    format_running_add(r->running, *bytes);
    if (r->at == r->size && format_running_result(r->running) != r->sum)
        return err_set(e, "read large file: its checksum is wrong");
    return true;
}

bool
spool_reader_next(struct spool_reader *r, struct str *bytes, struct err *e)
{
    *bytes = STR_EMPTY;
    if (r->at >= r->size)
        return true;
    if (r->large)
        return next_large(r, bytes, e);
    r->at = r->size;
    *bytes = r->content;
    return true;
}
