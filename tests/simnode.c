/* SPDX-License-Identifier: ISC */
#include "simnode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* ---- pages --------------------------------------------------------------- */

struct page *
page_ref(struct page *p)
{
    if (p != NULL)
        p->refs++;
    return p;
}

void
page_unref(struct page *p)
{
    if (p != NULL && --p->refs == 0)
        free(p);
}

void
image_grow(struct image *m, uint64_t size)
{
    size_t pages = (size_t)((size + SIM_PAGE - 1) / SIM_PAGE);
    if (pages > m->n_pages) {
        m->pages = alloc_resize(m->pages, pages * sizeof(struct page *));
        for (size_t i = m->n_pages; i < pages; i++)
            m->pages[i] = NULL;
        m->n_pages = pages;
    }
    if (size > m->size)
        m->size = size;
}

/* A version of a page that may be written to. */
struct page *
image_own(struct image *m, size_t i)
{
    struct page *old = m->pages[i];
    if (old != NULL && old->refs == 1)
        return old;
    struct page *p = alloc_zero(sizeof *p);
    if (old != NULL)
        memcpy(p->bytes, old->bytes, SIM_PAGE);
    p->refs = 1;
    page_unref(old);
    m->pages[i] = p;
    return p;
}

void
image_cut(struct image *m, uint64_t size)
{
    size_t pages = (size_t)((size + SIM_PAGE - 1) / SIM_PAGE);
    for (size_t i = pages; i < m->n_pages; i++)
        page_unref(m->pages[i]);
    if (pages < m->n_pages)
        m->n_pages = pages;
    image_grow(m, size);
    m->size = size;
    if (size % SIM_PAGE != 0 && m->pages[pages - 1] != NULL)
        memset(image_own(m, pages - 1)->bytes + size % SIM_PAGE, 0,
               SIM_PAGE - size % SIM_PAGE);
}

void
image_copy(struct image *to, const struct image *from)
{
    *to = (struct image){0};
    image_grow(to, from->size);
    for (size_t i = 0; i < from->n_pages; i++)
        to->pages[i] = page_ref(from->pages[i]);
}

void
image_fini(struct image *m)
{
    for (size_t i = 0; i < m->n_pages; i++)
        page_unref(m->pages[i]);
    free(m->pages);
    *m = (struct image){0};
}

/* Octets [from, from + n) of a fragment's page reach an image. */
void
image_take(struct image *m, const struct fragment *f, size_t from, size_t n)
{
    image_grow(m, f->page * SIM_PAGE + from + n < f->end
                      ? f->page * SIM_PAGE + from + n
                      : f->end);
    if (f->version == NULL && m->pages[f->page] == NULL)
        return;
    unsigned char *to = image_own(m, f->page)->bytes + from;
    if (f->version == NULL)
        memset(to, 0, n);
    else
        memcpy(to, f->version->bytes + from, n);
}

/* ---- nodes --------------------------------------------------------------- */

void
node_unref(struct node *n)
{
    if (n == NULL || --n->refs > 0)
        return;
    image_fini(&n->now);
    image_fini(&n->durable);
    for (size_t i = 0; i < n->n_pending; i++)
        page_unref(n->pending[i].version);
    free(n->pending);
    for (size_t i = 0; i < n->n_names; i++)
        node_unref(n->names[i].node);
    for (size_t i = 0; i < n->n_durable; i++)
        node_unref(n->durable_names[i].node);
    free(n->names);
    free(n->durable_names);
    free(n);
}

void
node_pend(struct node *n, struct fragment f)
{
    if (n->n_pending == n->cap_pending) {
        n->cap_pending = n->cap_pending * 2 + 16;
        n->pending =
            alloc_resize(n->pending, n->cap_pending * sizeof *n->pending);
    }
    n->pending[n->n_pending++] = f;
}

struct name *
name_find(struct name *names, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i].text, text) == 0)
            return &names[i];
    return NULL;
}

/* Sets or removes a name in one of a directory's two lists. */
void
name_set(struct name **names, size_t *n, const char *text, struct node *node)
{
    struct name *at = name_find(*names, *n, text);
    if (node != NULL)
        node->refs++;
    if (at != NULL)
        node_unref(at->node);
    if (node == NULL) {
        if (at != NULL)
            *at = (*names)[--*n];
        return;
    }
    if (at == NULL) {
        *names = alloc_resize(*names, (*n + 1) * sizeof **names);
        at = &(*names)[(*n)++];
    }
    (void)snprintf(at->text, SIM_NAME, "%s", text);
    at->node = node;
}

void
name_op_durable(const struct name_op *op)
{
    for (int i = 0; i < op->n; i++)
        name_set(&op->dirs[i]->durable_names, &op->dirs[i]->n_durable,
                 op->texts[i], op->nodes[i]);
}

void
name_op_free(struct name_op *op)
{
    for (int i = 0; i < op->n; i++) {
        node_unref(op->dirs[i]);
        node_unref(op->nodes[i]);
    }
}
