/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "proto/smtp/peek.h"

/* expected: a letter for each line that was taken: m, r, o(ther). */
static const struct {
    const char *name, *input, *expected, *rest;
} cases[] = {
    {"nothing",       "",                                                   "",    ""                      },
    {"half a line",   "RCPT TO:<a@b.example>",                              "",    "RCPT TO:<a@b.example>" },
    {"a recipient",   "RCPT TO:<a@b.example>\r\nRCPT TO:<",                 "r",   "RCPT TO:<"             },
    {"blanks behind", "rcpt to:<a@b.example> \t\r\n",                       "r",   ""                      },
    {"a group",
     "MAIL FROM:<x@y.example> SIZE=9\r\nRCPT TO:<a@b.example>\r\nDATA\r\n", "mr",  "DATA\r\n"              },
    {"over RSET",     "RSET\r\nNOOP x\r\nMAIL FROM:<>\r\n",                 "oom", ""                      },
    {"bad address",   "RCPT TO:<a b>\r\nMAIL FROM:a\r\n",                   "oo",  ""                      },
    {"LF alone",      "RCPT TO:<a@b.example>\nRSET\r\n",                    "oo",  ""                      },
    {"a control",     "RCPT TO:<a@b.example>\001\r\n",                      "o",   ""                      },
    {"BDAT",          "RSET\r\nBDAT 6\r\nRSET\r\n",                         "o",   "BDAT 6\r\nRSET\r\n"    },
    {"STARTTLS",      "STARTTLS\r\nRSET\r\n",                               "",    "STARTTLS\r\nRSET\r\n"  },
    {"AUTH",          "AUTH PLAIN\r\nRSET\r\n",                             "",    "AUTH PLAIN\r\nRSET\r\n"},
    {"QUIT",          "QUIT\r\nRSET\r\n",                                   "",    "QUIT\r\nRSET\r\n"      },
    {"unknown",       "XYZZY\r\nRSET\r\n",                                  "",    "XYZZY\r\nRSET\r\n"     },
    {"an empty line", "\r\nRSET\r\n",                                       "",    "\r\nRSET\r\n"          },
    {"its beginning", "RCPTX TO:<a@b.example>\r\n",                         "",
     "RCPTX TO:<a@b.example>\r\n"                                                                          },
};

static void
lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str rest = str_from(cases[i].input);
        struct smtp_mail mail;
        struct smtp_rcpt rcpt;
        enum smtp_peek what;
        char got[8] = {0};
        for (size_t n = 0;
             n < 7 && (what = smtp_peek(&rest, &mail, &rcpt)) != SMTP_PEEK_END;
             n++)
            got[n] = "?mro"[what];
        if (strcmp(got, cases[i].expected) != 0 ||
            !str_eq(rest, str_from(cases[i].rest)))
            fail_msg("%s: took \"%s\", left \"%.*s\"", cases[i].name, got,
                     STR_ARG(rest));
    }
}

static void
addresses(void **state)
{
    struct str in = STR("MAIL FROM:<Ann@x.example>\r\n"
                        "RCPT TO:<bob@y.example> NOTIFY=NEVER\r\n");
    struct smtp_mail mail;
    struct smtp_rcpt rcpt;
    (void)state;
    assert_int_equal(smtp_peek(&in, &mail, &rcpt), SMTP_PEEK_MAIL);
    assert_true(str_eq(mail.sender.whole, STR("Ann@x.example")));
    assert_int_equal(smtp_peek(&in, &mail, &rcpt), SMTP_PEEK_RCPT);
    assert_true(str_eq(rcpt.recipient.whole, STR("bob@y.example")));
    assert_int_equal(in.n, 0);
}

/* What the machine refuses for its length is not looked at. */
static void
too_long(void **state)
{
    char line[2101];
    struct smtp_mail mail;
    struct smtp_rcpt rcpt;
    (void)state;
    for (size_t length = 2047; length <= 2049; length++) {
        memset(line, ' ', sizeof line);
        memcpy(line, "RCPT TO:<a@b.example>", 21);
        memcpy(line + length - 2, "\r\n", 2);
        struct str in = str_from_n(line, length);
        assert_int_equal(smtp_peek(&in, &mail, &rcpt),
                         length <= 2048 ? SMTP_PEEK_RCPT : SMTP_PEEK_END);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(addresses),
        cmocka_unit_test(too_long),
    };
    return cmocka_run_group_tests_name("proto/peek", tests, NULL, NULL);
}
