/* SPDX-License-Identifier: ISC */
#include "mailbox/content.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define OURS                                                                   \
    "Return-Path: <sue@example.org>\nEnvelope-to: ann@example.com\n"           \
    "Delivery-date: Thu, 1 Jan 1970 00:00:00 +0000\n"

static const struct {
    const char *name, *in, *out;
} cases[] = {
    {"plain",                        "Subject: x\r\n\r\nhello\r\n",                     OURS "Subject: x\n\nhello\n"                                 },
    {"no message",                   "",                                                OURS                                                         },
    {"no header",                    "\r\nhello\r\n",                                   OURS "\nhello\n"                                             },
    {"header only",                  "Subject: x\r\n",                                  OURS "Subject: x\n"                                          },
    {"theirs goes",                  "Return-Path: <x@y>\r\nSubject: x\r\n\r\n",
     OURS "Subject: x\n\n"                                                                                                                           },
    {"in any case, twice, folded",
     "A: b\r\nRETURN-path : <x@y>\r\n\t(folded)\r\n again\r\n"
     "return-path:\r\nC: d\r\n\r\n",                                                    OURS "A: b\nC: d\n\n"                                        },
    {"our other fields",             "Envelope-To: z\r\nDelivery-Date: z\r\n\r\n",
     OURS "\n"                                                                                                                                       },
    {"last field, no body",          "Return-Path: <x@y>\r\n",                          OURS                                                         },
    {"only alike",
     "Return-Path-Of: x\r\nX-Return-Path: x\r\nReturn-Pat: x\r\n\r\n",                  OURS "Return-Path-Of: x\nX-Return-Path: x\nReturn-Pat: x\n\n"},
    {"a field that is folded stays", "A: b\r\n return-path: c\r\n\r\n",
     OURS "A: b\n return-path: c\n\n"                                                                                                                },
    {"in the body it stays",         "A: b\r\n\r\nReturn-Path: <x@y>\r\n",
     OURS "A: b\n\nReturn-Path: <x@y>\n"                                                                                                             },
    {"binary: CR alone",             "A: b\r\n\r\nx\ry\r\r\nz\r",
     OURS "A: b\n\nx\ry\r\nz\r"                                                                                                                      },
    {"a line that is no field",      "nonsense\r\n\r\nx",                               OURS "nonsense\n\nx"                                         },
    {"a long name",                  "Extraordinarily-Long-Field-Name: x\r\n\r\nx\r\n",
     OURS "Extraordinarily-Long-Field-Name: x\n\nx\n"                                                                                                },
    {"ends within a name",           "Return-Pa",                                       OURS "Return-Pa"                                             },
};

static struct str
convert(struct buf *out, struct str in, size_t piece)
{
    struct content_facts f = {.sender = STR("sue@example.org"),
                              .recipient = STR("ann@example.com")};
    struct content c;

    buf_clear(out);
    content_begin(&c, &f, out);
    while (in.n > 0) {
        struct str first = str_first(in, piece);
        content_feed(&c, first, out);
        in = str_from_pos(in, first.n);
    }
    content_end(&c, out);
    return buf_str(out);
}

static void
any_pieces(void **state)
{
    static const size_t pieces[] = {1000, 1, 2, 3, 7};
    struct buf out = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
            struct str got = convert(&out, str_from(cases[i].in), pieces[k]);
            if (!str_eq(got, str_from(cases[i].out)))
                fail_msg("%s, by %zu: %.*s", cases[i].name, pieces[k],
                         STR_ARG(got));
        }
    buf_fini(&out);
}

/* The body of a binary message stays as it came, its header does not. */
static void
binary(void **state)
{
    static const size_t pieces[] = {1000, 1, 2, 3};
    const struct content_facts f = {.sender = STR("sue@example.org"),
                                    .recipient = STR("ann@example.com"),
                                    .binary = true};
    const struct str want = STR(OURS "A: b\n\nx\r\ny\rz\n\r\n\r");
    (void)state;
    for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
        struct str in = STR("A: b\r\n\r\nx\r\ny\rz\n\r\n\r");
        struct buf out = {0};
        struct content c;
        content_begin(&c, &f, &out);
        while (in.n > 0) {
            struct str first = str_first(in, pieces[k]);
            content_feed(&c, first, &out);
            in = str_from_pos(in, first.n);
        }
        content_end(&c, &out);
        assert_true(str_eq(buf_str(&out), want));
        buf_fini(&out);
    }
}

static void
null_sender(void **state)
{
    struct content_facts f = {.recipient = STR("a@b")};
    struct content c;
    struct buf out = {0};
    (void)state;
    content_begin(&c, &f, &out);
    assert_true(str_starts(buf_str(&out), STR("Return-Path: <>\n")));
    buf_fini(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_pieces),
        cmocka_unit_test(binary),
        cmocka_unit_test(null_sender),
    };
    return cmocka_run_group_tests_name("mailbox/content", tests, NULL, NULL);
}
