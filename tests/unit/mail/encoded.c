/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/encoded.h"

static void
values(void **state)
{
    static const struct {
        const char *name, *value, *want;
    } cases[] = {
        {"plain",                        "Hello, world",                              "Hello, world"               },
        {"empty",                        "",                                          ""                           },
        {"Q",
         "=?utf-8?Q?Gr=C3=BC=c3=9fe_an_alle?=",                                       "Gr\303\274\303\237e an alle"},
        {"B",                            "=?UTF-8?b?R3LDvMOfZQ==?=",                  "Gr\303\274\303\237e"        },
        {"B without padding",            "=?UTF-8?b?R3LDvMOfZQ?=",                    "Gr\303\274\303\237e"        },
        {"latin-1",                      "=?iso-8859-1?q?Gr=FC=DFe?=",                "Gr\303\274\303\237e"        },
        {"between words",                "a =?utf-8?q?b?= c",                         "a b c"                      },
        {"joined",                       "=?utf-8?q?a?= =?utf-8?q?b?=",               "ab"                         },
        {"joined over a fold",           "=?utf-8?q?a?=\r\n =?utf-8?q?b?=",           "ab"                         },
        {"joined, no blank",             "=?utf-8?q?a?==?utf-8?q?b?=",                "ab"                         },
        {"joined, other charsets",
         "=?utf-8?q?=C3=BC?= =?iso-8859-1?q?=FC?=",                                   "\303\274\303\274"           },
        {"a blank in a word",            "=?utf-8?q?a_?= =?utf-8?q?b?=",              "a b"                        },
        {"an empty word",                "=?utf-8?q?a?= =?utf-8?q?\?= =?utf-8?q?b?=", "ab"                         },
        {"only an empty word",           "=?utf-8?q?\?= x",                           " x"                         },
        {"a character in two words",
         "=?utf-8?q?=E2=82?= =?UTF-8?q?=AC?=",                                        "\342\202\254"               },
        {"a character in two words, B",
         "=?utf-8?B?4oI=?= =?utf-8?B?rA==?=",                                         "\342\202\254"               },
        {"a character in two languages",
         "=?utf-8*de?q?=E2=82?= =?utf-8*en?q?=AC?=",                                  "\342\202\254"               },
        {"half a character",             "=?utf-8?q?a=C3=BC=E2=82?= x",
         "a\303\274\357\277\275\357\277\275 x"                                                                     },
        {"ISO-2022-JP",                  "=?iso-2022-jp?B?GyRCMDhAaBsoQg==?= x",
         "\345\256\233\345\205\210 x"                                                                              },
        {"ISO-2022-JP in two words",
         "=?iso-2022-jp?B?GyRCMDgbKEI=?= =?iso-2022-jp?B?GyRCQGgbKEI=?=",             "\345\256\233\345\205\210"   },
        {"Shift_JIS",                    "=?Shift_JIS?B?iLaQ5g==?=",                  "\345\256\233\345\205\210"   },
        {"a language",
         "=?utf-8*de-AT?q?Gr=C3=BC=C3=9Fe?=",                                         "Gr\303\274\303\237e"        },
        {"in quotes and comments",       "\"=?utf-8?q?a?=\" (=?utf-8?q?b?=)",
         "\"a\" (b)"                                                                                               },
        {"blanks inside",                "=?utf-8?q?a b?=",                           "a b"                        },
        {"a question mark inside",       "=?utf-8?q?a?b?=",                           "a?b"                        },
        {"an equals sign at its end",    "=?utf-8?q?a=?=",                            "a="                         },
        {"no code",                      "=?utf-8?q?a=zz=4?=",                        "a=zz=4"                     },
        {"unknown charset",              "=?x-none?q?a=C3=BC?=",                      "a\303\274"                  },
 // broken ones
        {"no end",                       "=?utf-8?q?abc",                             "=?utf-8?q?abc"              },
        {"no end, another follows",
         "=?utf-8?q?abc =?utf-8?q?d?=",                                               "=?utf-8?q?abc d"            },
        {"no charset",                   "=?\?q?abc?=",                               "=?\?q?abc?="                },
        {"no encoding",                  "=?utf-8?\?abc?=",                           "=?utf-8?\?abc?="            },
        {"unknown encoding",             "=?utf-8?x?abc?=",                           "=?utf-8?x?abc?="            },
        {"long encoding",                "=?utf-8?qb?abc?=",                          "=?utf-8?qb?abc?="           },
        {"only the beginning",           "=?",                                        "=?"                         },
        {"beginning and charset",        "=?utf-8?",                                  "=?utf-8?"                   },
        {"beginning and encoding",       "=?utf-8?q",                                 "=?utf-8?q"                  },
        {"beginning, no text",           "=?utf-8?q?",                                "=?utf-8?q?"                 },
        {"broken, then right",           "=?a =?utf-8?q?b?=",                         "=?a b"                      },
        {"nothing but marks",            "=?=?=?=?=?",                                "=?=?=?=?=?"                 },
 // what is not encoded
        {"raw UTF-8",                    "Gr\303\274\303\237e",                       "Gr\303\274\303\237e"        },
        {"raw latin-1",                  "Gr\374\337e =?utf-8?q?x?=",                 "Gr\303\274\303\237e x"      },
        {"raw ISO-2022-JP",              "\033$B08@h\033(B x",                        "\345\256\233\345\205\210 x" },
 // one line
        {"folds",                        "a\r\n b\n\tc",                              "a b c"                      },
        {"blanks around",                " a \r\n",                                   "a"                          },
        {"other line ends",              "a\r\nb\nc\rd",                              "a b c d"                    },
        {"controls",                     "a\001b\177c",                               "a b c"                      },
        {"controls encoded",             "=?utf-8?q?a=0D=0Ab=1B[c?=",                 "a  b [c"                    },
        {"upper controls",               "=?utf-8?q?a=C2=9Bb?= \302\205",             "a b  "                      },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf got = {0};
        buf_add(&got, STR("X\n"));
        encoded_add_decoded(&got, str_from(cases[i].value));
        if (!str_eq(str_from_pos(buf_str(&got), 2), str_from(cases[i].want)))
            fail_msg("%s: got '%s'", cases[i].name, buf_cstr(&got));
        buf_fini(&got);
    }
}

/* Half a million beginnings of words without an end, and as many words. */
static void
long_values(void **state)
{
    static const char *const pieces[] = {
        "=?a?q?", "=?a?b?=?", "=?utf-8?q?x?= ", "=?", "=?a", "=?a?q?x ?= "};
    (void)state;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct buf value = {0}, got = {0};
        for (size_t n = 0; n < 500000; n++)
            buf_add(&value, str_from(pieces[i]));
        encoded_add_decoded(&got, buf_str(&value));
        assert_in_range(got.n, 500000, value.n);
        buf_fini(&value);
        buf_fini(&got);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(long_values),
    };
    return cmocka_run_group_tests_name("mail/encoded", tests, NULL, NULL);
}
