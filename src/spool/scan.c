/* SPDX-License-Identifier: ISC */
#include "spool/scan.h"

#include "base/math.h"

enum { WINDOW = 32 << 10 };

void
scan_init(struct scan *s, const struct disk *disk, int fd,
          struct format_seed seed, uint64_t size)
{
    *s = (struct scan){.disk = disk,
                       .fd = fd,
                       .seed = seed,
                       .size = size,
                       .limit = size,
                       .durable = FORMAT_BLOCK,
                       .at = FORMAT_BLOCK};
}

void
scan_fini(struct scan *s)
{
    buf_fini(&s->window);
}

void
scan_skip(struct scan *s, uint64_t at, uint64_t seq)
{
    s->at = at;
    s->seq = seq;
    s->left = 0;
    if (at > s->durable)
        s->durable = at;
}

void
scan_refresh(struct scan *s)
{
    s->window.n = 0;
    s->judged = false;
}

/* Makes n octets at `at` readable; NULL with bad = false: not that many there,
 * with bad = true: the disk failed. n is at most the segment's size. */
static const unsigned char *
look(struct scan *s, uint64_t at, uint64_t n, bool *bad, struct err *e)
{
    *bad = false;
    if (at > s->limit || n > s->limit - at)
        return NULL;
    if (at < s->window_at || at + n > s->window_at + s->window.n) {
        size_t want = (size_t)(n > WINDOW ? n : WINDOW);
        if (want > s->limit - at)
            want = (size_t)(s->limit - at);
        buf_clear(&s->window);
        s->window_at = at;
        char *to = buf_reserve(&s->window, want);
        while (s->window.n < want) {
            ssize_t got = s->disk->read_at(s->disk->self, s->fd,
                                           to + s->window.n, want - s->window.n,
                                           (int64_t)(at + s->window.n));
            if (got < 0) {
                *bad = true;
                (void)err_sys(e, "read", "segment");
                return NULL;
            }
            if (got == 0)
                break;
            s->window.n += (size_t)got;
        }
        if (s->window.n < n)
            return NULL;
    }
    return (const unsigned char *)s->window.p + (at - s->window_at);
}

static bool
read_batch(struct scan *s, uint64_t at, struct batch_header *b, bool *bad,
           struct err *e)
{
    const unsigned char *p = look(s, at, FORMAT_BATCH, bad, e);
    return p != NULL && format_parse_batch(p, s->seed, at, b) &&
           b->length <= s->size - at && b->durable <= s->size;
}

/* Opens the batch at s->at; false: there is none that follows ours. */
static bool
enter_batch(struct scan *s, bool *bad, struct err *e)
{
    struct batch_header b;
    if (!read_batch(s, s->at, &b, bad, e))
        return false;
    if (s->gap ? b.first_seq < s->seq : b.first_seq != s->seq)
        return false;
    s->gap = false;
    s->seq = b.first_seq;
    s->left = b.count;
    s->record_at = s->at + FORMAT_BATCH;
    s->batch_end = s->at + b.length;
    if (b.durable > s->durable)
        s->durable = b.durable;
    return true;
}

/* Reads the next record of the open batch; false: it is not a good one. */
static bool
read_record(struct scan *s, struct scan_record *out, bool *bad, struct err *e)
{
    struct record_header h;
    uint64_t room = s->batch_end - s->record_at;
    const unsigned char *p;

    if (room < FORMAT_RECORD ||
        (p = look(s, s->record_at, FORMAT_RECORD, bad, e)) == NULL)
        return false;
    format_peek_record(p, &h);
    uint64_t length = format_record_size(h.meta, h.content);
    if (h.seq != s->seq || length > room)
        return false;
    uint64_t need = FORMAT_RECORD + (uint64_t)h.meta;
    if (!s->trust)
        need += h.content;
    if ((p = look(s, s->record_at, need, bad, e)) == NULL)
        return false;
    struct str meta = str_from_n(p + FORMAT_RECORD, h.meta);
    if (!format_verify_record(p, s->seed, s->record_at, meta))
        return false;
    if (!s->trust && h.content > 0 &&
        format_sum(str_from_n(p + FORMAT_RECORD + h.meta, h.content)) !=
            h.content_sum)
        return false;
    *out = (struct scan_record){
        .seq = h.seq,
        .offset = s->record_at,
        .content_at = s->record_at + FORMAT_RECORD + h.meta,
        .content_sum = h.content_sum,
        .content = h.content,
        .length = (uint32_t)length,
        .type = h.type,
        .flags = h.flags,
        .meta = meta,
    };
    s->record_at += length;
    s->seq++;
    s->left--;
    return true;
}

static uint64_t
next_block(uint64_t offset)
{
    return (offset + FORMAT_BLOCK - 1) & ~(uint64_t)(FORMAT_BLOCK - 1);
}

/* Bytes at `where` are bad. Looks for batches behind them: the highest durable
 * mark that any of them carries decides what that means, and the first one is
 * where to go on. All of them are looked at only once, so that a segment full
 * of damage does not cost the square of its size. */
static enum scan_result
judge(struct scan *s, uint64_t where, struct scan_record *out, struct err *e)
{
    uint64_t next = 0, from = next_block(where + 1);
    bool bad = false, all = !s->judged && s->durable < s->limit;

    for (uint64_t at = from; at + FORMAT_BATCH <= s->limit;
         at += FORMAT_BLOCK) {
        struct batch_header b;
        if (!read_batch(s, at, &b, &bad, e) || b.first_seq < s->seq) {
            if (bad)
                return SCAN_ERROR;
            continue;
        }
        if (next == 0)
            next = at;
        if (b.durable > s->durable)
            s->durable = b.durable;
        if (!all)
            break;
    }
    s->judged = true;
    s->left = 0;
    if (where >= s->durable || where >= s->limit) {
        s->at = where; // more may be written here; or nothing ever is
        return SCAN_END;
    }
    s->gap = true;
    s->at = next != 0 ? next : next_block(s->durable);
    *out = (struct scan_record){.offset = where};
    return SCAN_CORRUPT;
}

enum scan_result
scan_next(struct scan *s, struct scan_record *record, struct err *e)
{
    bool bad = false;
    for (;;) {
        if (s->left > 0 && s->record_at >= s->limit)
            return SCAN_END; // the limit is behind the good part of a tail
        if (s->left > 0) {
            if (read_record(s, record, &bad, e)) {
                if (s->left == 0)
                    s->at = next_block(s->batch_end);
                return SCAN_RECORD;
            }
            return bad ? SCAN_ERROR : judge(s, s->record_at, record, e);
        }
        if (s->at >= s->limit)
            return SCAN_END;
        if (enter_batch(s, &bad, e)) {
            if (s->left == 0) // an empty batch: nobody writes one
                return judge(s, s->at, record, e);
            continue;
        }
        return bad ? SCAN_ERROR : judge(s, s->at, record, e);
    }
}
