/* SPDX-License-Identifier: ISC */
#include "spool/append.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "spool/io.h"

enum { IOV_AT_ONCE = 256 };

static const char zeros[FORMAT_BLOCK];

void
append_init(struct append *a, const struct disk *disk, int fd,
            struct format_seed seed, uint64_t size)
{
    *a = (struct append){.disk = disk,
                         .fd = fd,
                         .seed = seed,
                         .size = size,
                         .at = FORMAT_BLOCK,
                         .durable = FORMAT_BLOCK};
}

void
append_fini(struct append *a)
{
    buf_fini(&a->heads);
    free(a->pieces);
    *a = (struct append){.fd = -1};
}

bool
append_fits_size(uint64_t size, uint64_t meta, uint64_t content)
{
    return FORMAT_BLOCK + FORMAT_BATCH + format_record_size(meta, content) <=
           size;
}

bool
append_fits(const struct append *a, uint64_t meta, uint64_t content)
{
    uint64_t before = a->length > 0 ? a->length : FORMAT_BATCH;
    uint64_t length = before + format_record_size(meta, content);
    return length <= UINT32_MAX && a->at + length <= a->size;
}

static void
add_piece(struct append *a, const char *p, size_t at, size_t n)
{
    if (a->n_pieces == a->cap_pieces) {
        a->cap_pieces = a->cap_pieces * 2 + 64;
        a->pieces = alloc_resize(a->pieces, a->cap_pieces * sizeof *a->pieces);
    }
    assert(a->pieces != NULL);
    a->pieces[a->n_pieces++] = (struct append_piece){p, at, n};
}

/* Octets of our own; they join the piece before where that is ours too. */
static void
add_own(struct append *a, struct str bytes)
{
    struct append_piece *last =
        a->n_pieces > 0 ? &a->pieces[a->n_pieces - 1] : NULL;
    if (bytes.n == 0)
        return;
    if (last != NULL && last->p == NULL)
        last->n += bytes.n;
    else
        add_piece(a, NULL, a->heads.n, bytes.n);
    buf_add(&a->heads, bytes);
}

uint64_t
append_add(struct append *a, uint8_t type, uint8_t flags, struct str meta,
           const struct str *content, size_t n, uint64_t sum)
{
    unsigned char head[FORMAT_RECORD] = {0};
    uint64_t total = 0;

    for (size_t i = 0; i < n; i++)
        total += content[i].n;
    assert(append_fits(a, meta.n, total));
    if (a->length == 0) { // room for the batch header, filled in at the end
        add_own(a, (struct str){zeros, FORMAT_BATCH});
        a->length = FORMAT_BATCH;
    }
    uint64_t offset = a->at + a->length;
    struct record_header r = {.seq = a->seq + a->count,
                              .content_sum = sum,
                              .meta = (uint32_t)meta.n,
                              .content = (uint32_t)total,
                              .type = type,
                              .flags = flags};
    format_record(head, a->seed, offset, &r, meta);
    add_own(a, str_from_n(head, sizeof head));
    add_own(a, meta);
    for (size_t i = 0; i < n; i++)
        if (content[i].n > 0)
            add_piece(a, content[i].p, 0, content[i].n);
    uint64_t size = format_record_size(meta.n, total);
    size_t padding = (size_t)(size - FORMAT_RECORD - meta.n - total);
    add_own(a, (struct str){zeros, padding});
    a->length += size;
    a->count++;
    return offset;
}

static bool
write_batch(struct append *a, struct err *e)
{
    struct iovec iov[IOV_AT_ONCE];
    uint64_t offset = a->at, some = 0;
    size_t count = 0;

    for (size_t i = 0; i < a->n_pieces; i++) {
        const struct append_piece *p = &a->pieces[i];
        const char *from = p->p != NULL ? p->p : a->heads.p + p->at;
        iov[count].iov_base = (void *)(uintptr_t)from;
        iov[count].iov_len = p->n;
        some += p->n;
        if (++count < IOV_AT_ONCE && i + 1 < a->n_pieces)
            continue;
        if (!io_write(a->disk, a->fd, iov, count, offset, "segment", e))
            return false;
        offset += some;
        some = count = 0;
    }
    return true;
}

bool
append_write(struct append *a, struct err *e)
{
    if (a->length == 0)
        return true;
    struct batch_header b = {.first_seq = a->seq,
                             .durable = a->durable,
                             .length = (uint32_t)a->length,
                             .count = a->count};
    format_batch((unsigned char *)a->heads.p, a->seed, a->at, &b);
    // Whole blocks, so that the kernel need not read what it overwrites.
    uint64_t end =
        (a->length + FORMAT_BLOCK - 1) & ~(uint64_t)(FORMAT_BLOCK - 1);
    add_own(a, (struct str){zeros, (size_t)(end - a->length)});
    bool ok = write_batch(a, e);
    if (ok) {
        a->at += end;
        a->seq += a->count;
    }
    a->length = 0;
    a->count = 0;
    a->n_pieces = 0;
    buf_clear(&a->heads);
    return ok;
}
