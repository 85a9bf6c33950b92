/* SPDX-License-Identifier: ISC */
#include "spool/format.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/alloc.h"

/* "GPS1" and "GPB1" as they stand in the file. */
#define MAGIC_SEGMENT UINT32_C(0x31535047)
#define MAGIC_BATCH UINT32_C(0x31425047)

static void
put(unsigned char *to, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (unsigned char)(v >> (8 * i));
}

static uint64_t
get(const unsigned char *from, size_t n)
{
    uint64_t v = 0;
    for (size_t i = n; i > 0; i--)
        v = v << 8 | from[i - 1];
    return v;
}

/* Odd constants spread the three numbers over all 64 bits; equality of two
 * seeds is what matters, and XXH3 mixes the rest. */
static uint64_t
seed_at(struct format_seed seed, uint64_t offset)
{
    uint64_t v = seed.segment * UINT64_C(0x9e3779b97f4a7c15);
    v = (v ^ (v >> 29)) + seed.generation * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ (v >> 32)) + offset * UINT64_C(0x94d049bb133111eb);
    return v ^ (v >> 31);
}

void
format_header(unsigned char to[FORMAT_BLOCK], const struct segment_header *h)
{
    memset(to, 0, FORMAT_BLOCK);
    put(to, MAGIC_SEGMENT, 4);
    put(to + 4, h->kind, 4);
    put(to + 8, h->segment, 8);
    put(to + 16, h->generation, 8);
    put(to + 24, h->writer, 8);
    put(to + 32, h->ordinal, 8);
    put(to + 40, h->size, 8);
    put(to + FORMAT_HEADER - 8,
        XXH3_64bits_withSeed(to, FORMAT_HEADER - 8, MAGIC_SEGMENT), 8);
}

bool
format_parse_header(const unsigned char *from, struct segment_header *h)
{
    uint64_t kind = get(from + 4, 4);
    if (get(from, 4) != MAGIC_SEGMENT || kind > SEGMENT_LEDGER ||
        get(from + FORMAT_HEADER - 8, 8) !=
            XXH3_64bits_withSeed(from, FORMAT_HEADER - 8, MAGIC_SEGMENT))
        return false;
    *h = (struct segment_header){.segment = get(from + 8, 8),
                                 .generation = get(from + 16, 8),
                                 .writer = get(from + 24, 8),
                                 .ordinal = get(from + 32, 8),
                                 .size = get(from + 40, 8),
                                 .kind = (enum segment_kind)kind};
    return true;
}

void
format_batch(unsigned char to[FORMAT_BATCH], struct format_seed seed,
             uint64_t offset, const struct batch_header *b)
{
    put(to, MAGIC_BATCH, 4);
    put(to + 4, b->length, 4);
    put(to + 8, b->first_seq, 8);
    put(to + 16, b->durable, 8);
    put(to + 24, b->count, 4);
    put(to + 28, 0, 4);
    put(to + 32, XXH3_64bits_withSeed(to, 32, seed_at(seed, offset)), 8);
}

bool
format_parse_batch(const unsigned char *from, struct format_seed seed,
                   uint64_t offset, struct batch_header *b)
{
    if (get(from, 4) != MAGIC_BATCH ||
        get(from + 32, 8) !=
            XXH3_64bits_withSeed(from, 32, seed_at(seed, offset)))
        return false;
    *b = (struct batch_header){.first_seq = get(from + 8, 8),
                               .durable = get(from + 16, 8),
                               .length = (uint32_t)get(from + 4, 4),
                               .count = (uint32_t)get(from + 24, 4)};
    return b->length >= FORMAT_BATCH;
}

static uint64_t
record_sum(const unsigned char *header, struct format_seed seed,
           uint64_t offset, struct str meta)
{
    uint64_t s = seed_at(seed, offset);
    uint64_t head = XXH3_64bits_withSeed(header + 8, FORMAT_RECORD - 8, s);
    return XXH3_64bits_withSeed(meta.p, meta.n, head);
}

void
format_record(unsigned char to[FORMAT_RECORD], struct format_seed seed,
              uint64_t offset, const struct record_header *r, struct str meta)
{
    put(to + 8, r->content_sum, 8);
    put(to + 16, r->seq, 8);
    put(to + 24, r->meta, 4);
    put(to + 28, r->content, 4);
    put(to + 32, r->type, 1);
    put(to + 33, r->flags, 1);
    put(to + 34, 0, 6);
    put(to, record_sum(to, seed, offset, meta), 8);
}

void
format_peek_record(const unsigned char *from, struct record_header *r)
{
    *r = (struct record_header){.content_sum = get(from + 8, 8),
                                .seq = get(from + 16, 8),
                                .meta = (uint32_t)get(from + 24, 4),
                                .content = (uint32_t)get(from + 28, 4),
                                .type = (uint8_t)get(from + 32, 1),
                                .flags = (uint8_t)get(from + 33, 1)};
}

bool
format_verify_record(const unsigned char *from, struct format_seed seed,
                     uint64_t offset, struct str meta)
{
    return get(from, 8) == record_sum(from, seed, offset, meta);
}

uint64_t
format_sum(struct str bytes)
{
    return XXH3_64bits(bytes.p, bytes.n);
}

uint64_t
format_seeded_sum(struct format_seed seed, uint64_t offset, struct str bytes)
{
    return XXH3_64bits_withSeed(bytes.p, bytes.n, seed_at(seed, offset));
}

struct format_running {
    XXH3_state_t *state; // of its own: it wants an alignment of 64
};

struct format_running *
format_running_new(void)
{
    struct format_running *r = alloc_zero(sizeof *r);
    r->state = XXH3_createState();
    assert(r->state != NULL);
    format_running_restart(r);
    return r;
}

void
format_running_free(struct format_running *r)
{
    if (r == NULL)
        return;
    (void)XXH3_freeState(r->state);
    free(r);
}

void
format_running_restart(struct format_running *r)
{
    (void)XXH3_64bits_reset(r->state);
}

void
format_running_add(struct format_running *r, struct str bytes)
{
    if (bytes.n > 0)
        (void)XXH3_64bits_update(r->state, bytes.p, bytes.n);
}

uint64_t
format_running_result(const struct format_running *r)
{
    return XXH3_64bits_digest(r->state);
}

uint64_t
format_record_size(uint64_t meta, uint64_t content)
{
    uint64_t n = FORMAT_RECORD + meta + content;
    return (n + FORMAT_ALIGN - 1) & ~(uint64_t)(FORMAT_ALIGN - 1);
}
