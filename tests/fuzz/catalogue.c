/* SPDX-License-Identifier: ISC */
/* Foreign replies are recognised, and foreign octets filled into every reply:
 * its lines stay lines. */
#include <assert.h>
#include <stdint.h>

#include "base/columns.h"
#include "base/utf8.h"
#include "catalogue/catalogue.h"

static void
check_reply(struct str reply, size_t limit)
{
    struct str line;
    size_t lines = 0;
    while (reply.n > 0) {
        bool ended = str_cut(reply, '\n', &line, &reply);
        assert(ended && line.n >= 4 && line.n + 1 <= limit);
        assert(line.p[line.n - 1] == '\r');
        for (size_t i = 0; i + 1 < line.n; i++)
            assert(line.p[i] >= ' ' && line.p[i] <= '~');
        assert(line.p[3] == (reply.n > 0 ? '-' : ' ') || line.n == 4);
        lines++;
    }
    assert(lines > 0);
}

/* At every stage; what is found says where it was. */
static const struct reason *
read_it(struct str s)
{
    struct recognised x;
    for (int stage = CATALOGUE_ANYWHERE; stage <= CATALOGUE_DATA; stage++) {
        bool found = catalogue_read(s, (enum catalogue_stage)stage, &x);
        assert(found == (x.reason != NULL) && found == (x.by != BY_NOTHING));
        assert(x.at <= x.ends && x.ends <= s.n);
        assert((x.by == BY_WORDING) == (x.ends > 0));
        assert((x.by == BY_WORDING) == (x.wording.n > 0));
    }
    (void)catalogue_stage_find(s);
    return catalogue_recognise(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str s = str_from_n(data, n);
    const struct reason_params p = {s, s, s, s, s, s, s, s};
    struct buf b = {0};

    const struct reason *r = read_it(s);
    if (r == NULL || r->code == 0)
        r = catalogue_find(STR("relay-denied"));
    catalogue_reply(&b, r, &p, STR_EMPTY);
    check_reply(buf_str(&b), 200);
    if (str_trim(s).n > 0) {
        buf_clear(&b);
        catalogue_reply(&b, r, &p, s);
        check_reply(buf_str(&b), 512);
    }
    (void)catalogue_check_text(s);
    for (struct str rest = s, line; rest.n > 0;) {
        size_t before = rest.n;
        line = columns_take(&rest, n % 60);
        assert(rest.n < before && line.n <= before);
    }
    buf_clear(&b);
    catalogue_fill(&b, r->meaning, &p);
    assert(utf8_valid(buf_str(&b)));
    buf_fini(&b);
    return 0;
}
