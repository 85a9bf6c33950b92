/* SPDX-License-Identifier: ISC */
/* What simdisk's files and folders are made of: pages, versions, names. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIM_PAGE = 4096, SIM_NAME = 64 };

/* Pages are shared between versions and copies; NULL is a page of zeros. */
struct page {
    unsigned refs;
    unsigned char bytes[SIM_PAGE];
};

/* One write within one page: its octets are those of that version. */
struct fragment {
    size_t page, from, n;
    struct page *version;
    uint64_t end;   /* of the file, at least */
    bool lost;      /* a sync has failed on it: no other will save it */
    bool truncated; /* not a write: the file was cut to `end` */
};

struct image {
    struct page **pages;
    size_t n_pages;
    uint64_t size;
};

struct node {
    unsigned refs; /* names, descriptors, pending names */
    bool dir;
    struct image now, durable;
    struct fragment *pending;
    size_t n_pending, cap_pending;
    /* Of a directory: names now and for good. */
    struct name *names, *durable_names;
    size_t n_names, n_durable;
};

struct name {
    char text[SIM_NAME];
    struct node *node;
};

/* A change of one or two names (a rename), whole or not at all. */
struct name_op {
    struct node *dirs[2];
    char texts[2][SIM_NAME];
    struct node *nodes[2]; /* NULL: the name goes */
    int n;
};

struct page *page_ref(struct page *p);
void page_unref(struct page *p);
void image_grow(struct image *m, uint64_t size);
struct page *image_own(struct image *m, size_t i);
void image_cut(struct image *m, uint64_t size);
void image_copy(struct image *to, const struct image *from);
void image_fini(struct image *m);
void image_take(struct image *m, const struct fragment *f, size_t from,
                size_t n);
void node_unref(struct node *n);
void node_pend(struct node *n, struct fragment f);
struct name *name_find(struct name *names, size_t n, const char *text);
void name_set(struct name **names, size_t *n, const char *text,
              struct node *node);
void name_op_durable(const struct name_op *op);
void name_op_free(struct name_op *op);
