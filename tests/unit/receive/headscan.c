/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "receive/headscan.h"

static const struct {
    const char *name, *text;
    size_t end;
    bool no_gap, has_id, has_date;
    uint32_t received;
} cases[] = {
    {"empty",              "",                                                          0,  true,  false, false, 0},
    {"no header",          "\r\nhello\r\n",                                             0,  false, false, false, 0},
    {"no gap",             "hello\r\n",                                                 0,  true,  false, false, 0},
    {"text first",         " Date: x\r\n\r\n",                                          0,  true,  false, false, 0},
    {"one field",          "Date: x\r\n\r\nbody\r\n",                                   9,  false, false, true,  0},
    {"header only",        "Date: x\r\n",                                               9,  true,  false, true,  0},
    {"any case",           "DATE: x\r\nmessage-id: y\r\n\r\n",                          24, false, true,  true,  0},
    {"folded",             "A: x\r\n Date: y\r\n\r\n",                                  16, false, false, false, 0},
    {"blank before colon", "Date : x\r\n\r\n",                                          10, false, false, true,  0},
    {"in the body",        "A: x\r\n\r\nDate: y\r\n\r\n",                               6,  false, false, false, 0},
    {"ends at text",       "A: x\r\nb c\r\nDate: y\r\n",                                6,  true,  false, false, 0},
    {"received",           "Received: a\r\n\tb\r\nreceived: c\r\nReceivedx: d\r\n\r\n",
     44,                                                                                    false, false, false, 2},
    {"no name",            ": x\r\n\r\n",                                               0,  true,  false, false, 0},
    {"8 bit name",         "D\xc3\xa4te: x\r\n\r\n",                                    10, false, false, false, 0},
};

/* The text comes in pieces of every size, each judged alike. */
static void
looking(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str text = str_from(cases[i].text);
        for (size_t piece = 1; piece <= text.n + 1; piece++) {
            struct headscan h = {0};
            for (size_t n = 0; n < text.n && !h.ended; n += piece)
                (void)headscan_look(&h, str_first(text, n + piece));
            headscan_finish(&h, text);
            if (h.end != cases[i].end || h.no_gap != cases[i].no_gap ||
                h.has_id != cases[i].has_id ||
                h.has_date != cases[i].has_date ||
                h.received != cases[i].received || !h.ended)
                fail_msg("%s/%zu: end %zu gap %d id %d date %d received %u",
                         cases[i].name, piece, h.end, h.no_gap, h.has_id,
                         h.has_date, h.received);
        }
    }
}

static void
endless(void **state)
{
    struct headscan h = {0};
    struct buf b = {0};
    (void)state;
    while (b.n <= HEADSCAN_MAX) {
        assert_false(headscan_look(&h, buf_str(&b)));
        buf_add(&b, STR("X-Filler: it goes on and on and on\r\n"));
    }
    assert_true(headscan_look(&h, buf_str(&b)));
    assert_true(h.cut_off);
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looking),
        cmocka_unit_test(endless),
    };
    return cmocka_run_group_tests_name("receive/headscan", tests, NULL, NULL);
}
