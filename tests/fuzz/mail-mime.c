/* SPDX-License-Identifier: ISC */
/* Any octets as a message: parts lie in it and in each other, and all that a
 * reader would see becomes UTF-8. */
#include <assert.h>
#include <stdint.h>

#include "base/ascii.h"
#include "base/utf8.h"
#include "mail/charset.h"
#include "mail/encoded.h"
#include "mail/html.h"
#include "mail/mime.h"

enum { LONGEST = 1 << 20 };

static void walk(struct mime_walk *w, struct str whole, unsigned levels);

static bool
lies_in(struct str part, struct str whole)
{
    return part.n == 0 ||
           (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void
check_fields(struct str header)
{
    struct buf line = {0};
    struct field f;
    struct str rest = header;
    while (mime_next_field(&rest, &f)) {
        assert(f.name.n > 0 && lies_in(f.value, header));
        encoded_add_decoded(&line, f.value);
    }
    // What steps over fields sees the same ones, and ends where this does.
    struct str seen = header, sought = header;
    struct field one;
    while (mime_next_field(&seen, &f))
        if (ascii_lower((unsigned char)f.name.p[0]) == 'c') {
            bool found = mime_next_field_of(&sought, 'c', &one);
            assert(found && str_eq(one.whole, f.whole));
        }
    assert(!mime_next_field_of(&sought, 'c', &one) && sought.n == seen.n);
    assert(utf8_valid(buf_str(&line)));
    for (size_t i = 0; i < line.n; i++)
        assert((unsigned char)line.p[i] >= ' ' && line.p[i] != 127);
    buf_fini(&line);
}

static void
check_param(struct str params)
{
    struct buf name = {0};
    (void)mime_param_add(&name, params, STR("name"));
    assert(utf8_valid(buf_str(&name)));
    buf_fini(&name);
}

static void
check_leaf(const struct mime_part *p, unsigned levels)
{
    struct buf octets = {0}, text = {0}, seen = {0};
    struct str charset = STR_EMPTY;
    struct mime_walk inside;
    mime_decode(&octets, p->encoding, p->body, LONGEST);
    assert(octets.n <= LONGEST);
    if (mime_param(p->params, STR("charset"), &charset))
        assert(lies_in(charset, p->params));
    check_param(p->params);
    charset_to_utf8(&text, charset, buf_str(&octets));
    assert(utf8_valid(buf_str(&text)));
    html_to_text(&seen, buf_str(&text));
    assert(utf8_valid(buf_str(&seen)));
    if (p->encoding != MIME_IDENTITY && levels > 0) {
        mime_begin_decoded(&inside, p, buf_str(&octets));
        walk(&inside, buf_str(&octets), levels - 1);
    }
    buf_fini(&octets);
    buf_fini(&text);
    buf_fini(&seen);
}

static void
walk(struct mime_walk *w, struct str whole, unsigned levels)
{
    struct str holds[MIME_DEEPEST + 1] = {whole};
    struct mime_part p;
    unsigned deepest = 1, parts = 0; // 1: in a multipart that was encoded
    while (mime_next(w, &p)) {
        assert(p.depth <= deepest && p.depth <= MIME_DEEPEST);
        struct str in = p.depth == 0 ? whole : holds[p.depth - 1];
        assert(lies_in(p.header, in) && lies_in(p.body, in));
        assert(p.type.n > 0 && p.subtype.n > 0);
        holds[p.depth] = p.body;
        deepest = p.depth + !p.leaf;
        check_fields(p.header);
        if (p.leaf)
            check_leaf(&p, levels);
        if (++parts % 7 == 6) {
            mime_skip(w);
            deepest = p.depth;
        }
    }
    assert(!mime_next(w, &p));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str message = str_from_n(data, n);
    struct mime_walk w;
    mime_begin(&w, message);
    walk(&w, message, 3);
    return 0;
}
