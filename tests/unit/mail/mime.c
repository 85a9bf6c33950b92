/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/mime.h"

/* ---- structure ------------------------------------------------------------
 */

/* Each part as "[depth type/subtype|body]", of containers only the type. */
static void
write_parts(struct buf *to, struct mime_walk *w)
{
    struct mime_part p;
    while (mime_next(w, &p)) {
        buf_addf(to, "[%u %.*s/%.*s", p.depth, STR_ARG(p.type),
                 STR_ARG(p.subtype));
        if (p.leaf)
            buf_addf(to, "|%.*s", STR_ARG(p.body));
        buf_add(to, STR("]"));
    }
}

static void
check_parts(const char *name, struct mime_walk *w, const char *want)
{
    struct buf got = {0};
    write_parts(&got, w);
    if (!str_eq(buf_str(&got), str_from(want)))
        fail_msg("%s:\n got %s\nwant %s", name, buf_cstr(&got), want);
    buf_fini(&got);
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\n\n"

static void
structure(void **state)
{
    static const struct {
        const char *name, *message, *want;
    } cases[] = {
        {"empty",                           "",                                                     "[0 text/plain|]"                                         },
        {"only a body",                     "\nx\n",                                                "[0 text/plain|x\n]"                                      },
        {"only a header",                   "Subject: x\n",                                         "[0 text/plain|]"                                         },
        {"no header at all",                "hello, world\nSubject: x\n",
         "[0 text/plain|hello, world\nSubject: x\n]"                                                                                                          },
        {"two parts",
         MIXED "pre\n--b\n\none\n--b\nContent-Type: text/html\n\n"
               "two\n\n--b--\nepilogue",                                                            "[0 multipart/mixed][1 text/plain|one][1 text/html|two\n]"},
        {"CRLF",
         "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n"
         "one\r\n--b--\r\n",                                                                        "[0 multipart/mixed][1 text/plain|one]"                   },
        {"both line ends",                  MIXED "--b\r\n\none\r\n--b\n\r\ntwo\n--b--\r\n",
         "[0 multipart/mixed][1 text/plain|one][1 text/plain|two]"                                                                                            },
        {"CR before CRLF",                  MIXED "--b\r\r\n\r\r\none\r\r\n--b--",
         "[0 multipart/mixed][1 text/plain|one\r]"                                                                                                            },
        {"blanks behind the delimiter",     MIXED "--b \t\n\none\n--b-- \n",
         "[0 multipart/mixed][1 text/plain|one]"                                                                                                              },
        {"words behind it",                 MIXED "--b\n\none\n--b x\ntwo\n--b--x\n--b--",
         "[0 multipart/mixed][1 text/plain|one\n--b x\ntwo\n--b--x]"                                                                                          },
        {"a longer boundary",               MIXED "--b\n\none\n--bb\ntwo\n--b--",
         "[0 multipart/mixed][1 text/plain|one\n--bb\ntwo]"                                                                                                   },
        {"no end",                          MIXED "--b\n\none\n--b\n\ntwo\n",
         "[0 multipart/mixed][1 text/plain|one][1 text/plain|two\n]"                                                                                          },
        {"the end first",                   MIXED "--b--\n\none\n",                                 "[0 multipart/mixed]"                                     },
        {"nothing behind the end",          MIXED "--b\n\none\n--b--\n--b\n\ntwo\n",
         "[0 multipart/mixed][1 text/plain|one]"                                                                                                              },
        {"empty parts",                     MIXED "--b\n--b\n\n--b--",
         "[0 multipart/mixed][1 text/plain|][1 text/plain|]"                                                                                                  },
        {"not at the start of a line",      MIXED "--b\n\none --b\n--b--",
         "[0 multipart/mixed][1 text/plain|one --b]"                                                                                                          },
        {"quoted boundary",
         "Content-Type: multipart/mixed; boundary=\"b c\"\n\n--b c\n\none\n"
         "--b c--",                                                                                 "[0 multipart/mixed][1 text/plain|one]"                   },
        {"inner ends with outer",
         MIXED "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\n"
               "one\n--b\n\ntwo\n--c\n\nthree\n--b--",                                              "[0 multipart/mixed][1 multipart/alternative][2 text/plain|one]"
         "[1 text/plain|two\n--c\n\nthree]"                                                             },
        {"inner begins with outer",
         MIXED "--b\nContent-Type: multipart/alternative; boundary=bc\n\n--bc\n"
               "\none\n--bc--\n--b\n\ntwo\n--b--",                                                  "[0 multipart/mixed][1 multipart/alternative][2 text/plain|one]"
         "[1 text/plain|two]"                                                                               },
        {"message",                         "Content-Type: message/rfc822\n\nSubject: x\n\ny\n",
         "[0 message/rfc822][1 text/plain|y\n]"                                                                                                               },
        {"message/global",                  "Content-Type: MESSAGE/Global\n\nSubject: x\n\ny\n",
         "[0 MESSAGE/Global][1 text/plain|y\n]"                                                                                                               },
        {"an empty line before its header",
         "Content-Type: message/rfc822\n\n\n\nSubject: x\n\ny\n",                                   "[0 message/rfc822][1 text/plain|y\n]"                    },
        {"a message without header",        "Content-Type: message/rfc822\n\n\n\ny\n",
         "[0 message/rfc822][1 text/plain|\ny\n]"                                                                                                             },
        {"an encoded message",
         "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
         "eA==",                                                                                    "[0 message/rfc822|eA==]"                                 },
        {"leaves",
         MIXED "--b\nContent-Type: message/delivery-status\n\nA: b\n"
               "--b\nContent-Type: text/rfc822-headers\n\nA: b\n--b--",                             "[0 multipart/mixed][1 message/delivery-status|A: b]"
         "[1 text/rfc822-headers|A: b]"                                                },
        {"digest",
         "Content-Type: multipart/digest; boundary=b\n\n--b\n\nA: b\n\nx\n"
         "--b\nContent-Type: text/plain\n\ny\n--b--",                                               "[0 multipart/digest][1 message/rfc822][2 text/plain|x]"
         "[1 text/plain|y]"                                                                              },
        {"a type that is none",             "Content-Type: text\n\nx",                              "[0 text/plain|x]"                                        },
        {"an empty type",                   "Content-Type:\n\nx",                                   "[0 text/plain|x]"                                        },
        {"a type with blanks",              "Content-Type: text / html ; x\n\nx",
         "[0 text/html|x]"                                                                                                                                    },
        {"text behind the header",
         MIXED "--b\nContent-Type: text/html\nno empty line here\n--b--",
         "[0 multipart/mixed][1 text/html|no empty line here]"                                                                                                },
        {"the first type counts",
         "Content-Type: text/html\nContent-Type: text/plain\n\nx",                                  "[0 text/html|x]"                                         },
 // what nobody says is looked for
        {"no boundary named",
         "Content-Type: multipart/mixed\n\n--x y\n-- \n--c\nContent-Type: "
         "text/html\n\none\n--c--",                                                                 "[0 multipart/mixed][1 text/html|one]"                    },
        {"another boundary named",
         "Content-Type: multipart/mixed; boundary=d\n\n--c\ncontent-type: "
         "text/html\n\none\n--c--",                                                                 "[0 multipart/mixed][1 text/html|one]"                    },
        {"a boundary of two lines",
         "Content-Type: multipart/mixed; boundary=\"b\n c\"\n\n--c\n"
         "Content-Type: text/html\n\none\n--c--",                                                   "[0 multipart/mixed][1 text/html|one]"                    },
        {"none to be found",                "Content-Type: multipart/mixed\n\n--b\n\none\n",
         "[0 text/plain|--b\n\none\n]"                                                                                                                        },
        {"header lost",                     "--c\nContent-Type: text/html\n\none\n--c--\n",
         "[0 multipart/mixed][1 text/html|one]"                                                                                                               },
        {"header lost, a line about MIME",
         "This is MIME.\n\n--c\nContent-Type: text/html\n\none\n--c--\n",                           "[0 multipart/mixed][1 text/html|one]"                    },
        {"a message below a text",          "MIME\nSee below:\n--c\nContent-Type: x/y\n",
         "[0 text/plain|MIME\nSee below:\n--c\nContent-Type: x/y\n]"                                                                                          },
        {"a message below another line",    "See below:\n--c\nContent-Type: x/y\n",
         "[0 text/plain|See below:\n--c\nContent-Type: x/y\n]"                                                                                                },
        {"two lines about MIME",            "MIME\nMIME\n--c\nContent-Type: x/y\n",
         "[0 text/plain|MIME\nMIME\n--c\nContent-Type: x/y\n]"                                                                                                },
        {"a part is no message",            MIXED "--b\n\n--c\nContent-Type: x/y\n\nz\n",
         "[0 multipart/mixed][1 text/plain|--c\nContent-Type: x/y\n\nz\n]"                                                                                    },
        {"blanks in the boundary",
         "Content-Type: multipart/mixed; boundary=\"b \"\n\n--b\n\none\n--b--",                     "[0 multipart/mixed][1 text/plain|one]"                   },
        {"a boundary in pieces",
         "Content-Type: multipart/mixed; boundary*0=\"b c\";\n "
         "boundary*1*=%2Dd\n\n--b c-d\n\none\n--b c-d--",                                           "[0 multipart/mixed][1 text/plain|one]"                   },
        {"a type said",                     "Content-Type: text/plain\n\n--c\nContent-Type: x/y\n",
         "[0 text/plain|--c\nContent-Type: x/y\n]"                                                                                                            },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mime_walk w;
        mime_begin(&w, str_from(cases[i].message));
        check_parts(cases[i].name, &w, cases[i].want);
        assert_false(w.cut);
    }
}

static void
parts_lie_in_the_message(void **state)
{
    const struct str m = STR("From x\nSubject: s\n" MIXED
                             "--b\nContent-Type: text/html; charset=x\n"
                             "Content-Transfer-Encoding: Base64 (x)\n"
                             "Content-Transfer-Encoding: 7bit\n\none\n");
    struct mime_walk w;
    struct mime_part p;
    struct str value;
    (void)state;
    mime_begin(&w, m);
    assert_true(mime_next(&w, &p));
    assert_ptr_equal(p.header.p, m.p);
    assert_ptr_equal(p.header.p + p.header.n, p.body.p);
    assert_true(mime_find(p.header, STR("subject"), &value));
    assert_true(str_eq(value, STR("s")));
    assert_false(mime_find(p.header, STR("x"), &value));
    assert_true(mime_next(&w, &p));
    assert_int_equal(p.encoding, MIME_BASE64);
    assert_true(mime_param(p.params, STR("charset"), &value));
    assert_true(str_eq(value, STR("x")));
    assert_false(mime_next(&w, &p));
    assert_false(mime_next(&w, &p));
}

static void
skipping(void **state)
{
    struct mime_walk w;
    struct mime_part p;
    (void)state;
    mime_begin(&w, STR(MIXED "--b\nContent-Type: message/rfc822\n\nA: b\n\nx\n"
                             "--b\n\ny\n--b\n\nz\n--b--"));
    assert_true(mime_next(&w, &p));
    assert_true(mime_next(&w, &p));
    mime_skip(&w); // the message
    assert_true(mime_next(&w, &p));
    assert_true(str_eq(p.body, STR("y")));
    mime_skip(&w); // a leaf: nothing
    assert_true(mime_next(&w, &p));
    assert_true(str_eq(p.body, STR("z")));
    assert_false(mime_next(&w, &p));

    mime_begin(&w, STR(MIXED "--b\n\nx\n--b--"));
    assert_true(mime_next(&w, &p));
    mime_skip(&w);
    assert_false(mime_next(&w, &p));
}

static void
decoded_leaves(void **state)
{
    struct mime_walk w;
    struct mime_part p;
    (void)state;
    mime_begin(&w, STR("Content-Type: message/rfc822\n"
                       "Content-Transfer-Encoding: base64\n\nx"));
    assert_true(mime_next(&w, &p) && p.leaf);
    mime_begin_decoded(&w, &p, STR(MIXED "--b\n\none\n--b--"));
    check_parts("message", &w, "[0 multipart/mixed][1 text/plain|one]");

    mime_begin(&w, STR("Content-Type: multipart/mixed; boundary=b\n"
                       "Content-Transfer-Encoding: quoted-printable\n\nx"));
    assert_true(mime_next(&w, &p) && p.leaf);
    assert_true(str_eq(p.type, STR("multipart")));
    mime_begin_decoded(&w, &p, STR("--b\n\none\n--b\n\ntwo"));
    check_parts("multipart", &w, "[1 text/plain|one][1 text/plain|two]");
    mime_begin_decoded(&w, &p, STR("nothing in it"));
    check_parts("no multipart", &w, "");

    // one that is called encoded and is not
    mime_begin(&w, STR("Content-Type: multipart/mixed; boundary=b\n"
                       "Content-Transfer-Encoding: base64\n\n--b\n\none\n"));
    check_parts("not encoded", &w, "[0 multipart/mixed][1 text/plain|one\n]");
}

/* ---- limits ---------------------------------------------------------------
 */

static void
repeat(struct buf *to, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++)
        buf_add(to, str_from(text));
}

static void
too_deep(void **state)
{
    struct buf b = {0};
    struct mime_walk w;
    struct mime_part p = {0};
    (void)state;
    for (unsigned levels = MIME_DEEPEST; levels <= MIME_DEEPEST + 1; levels++) {
        unsigned n = 0;
        buf_clear(&b);
        repeat(&b, "Content-Type: message/rfc822\n\n", levels);
        buf_add(&b, STR("x"));
        mime_begin(&w, buf_str(&b));
        for (; mime_next(&w, &p); n++)
            assert_int_equal(p.depth, n);
        assert_int_equal(n, MIME_DEEPEST + 1);
        assert_true(p.leaf);
        assert_int_equal(w.cut, levels > MIME_DEEPEST);
    }
    buf_fini(&b);
}

static void
too_many(void **state)
{
    struct buf b = {0};
    struct mime_walk w;
    struct mime_part p;
    size_t n = 0;
    (void)state;
    buf_add(&b, STR(MIXED));
    repeat(&b, "--b\n", 1000000);
    mime_begin(&w, buf_str(&b));
    while (mime_next(&w, &p))
        n++;
    assert_int_equal(n, MIME_PARTS);
    assert_true(w.cut);
    assert_false(mime_next(&w, &p));
    buf_fini(&b);
}

/* ---- fields and parameters ------------------------------------------------
 */

static void
fields(void **state)
{
    static const struct {
        const char *name, *message, *want;
    } cases[] = {
        {"CRLF",                     "A: 1\r\nB: 2\r\n\r\nbody",                             "[A|1][B|2]body"    },
        {"LF",                       "A: 1\nB: 2\n\nbody",                                   "[A|1][B|2]body"    },
        {"CRCRLF",                   "A: 1\r\r\nB: 2\r\r\n\r\r\nbody",                       "[A|1][B|2]body"    },
        {"folded",                   "A: 1\n 2\n\t3\nB:\n\n",                                "[A|1\n 2\n\t3][B|]"},
        {"the blank of a fold lost", "A: 1\nand 2\nB: x\n\nbody",
         "[A|1\nand 2][B|x]body"                                                                                 },
        {"mbox",                     "From a Tue Nov 24\n>From b\nA: 1\n>From c\nB: 2\n\nx",
         "[A|1][B|2]x"                                                                                           },
        {"mbox only",                "From a\nFrom b",                                       ""                  },
        {"no field first",           "hello\nA: 1\n",                                        "hello\nA: 1\n"     },
        {"a blank first",            " A: 1\n",                                              " A: 1\n"           },
        {"blank before colon",       "A : 1\n\n",                                            "[A|1]"             },
        {"empty header",             "\nbody",                                               "body"              },
        {"no line end",              "A: 1",                                                 "[A|1]"             },
        {"empty",                    "",                                                     ""                  },
        {"8-bit",                    "A: \303\244\377\n",                                    "[A|\303\244\377]"  },
        {"a colon alone",            "A: 1\n: 2\n\n",                                        "[A|1\n: 2]"        },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf got = {0};
        struct str rest = str_from(cases[i].message);
        struct field f;
        while (mime_next_field(&rest, &f)) {
            buf_addf(&got, "[%.*s|%.*s]", STR_ARG(f.name), STR_ARG(f.value));
            assert_true(f.whole.n >= f.name.n + 1 + f.value.n);
        }
        buf_add(&got, rest);
        if (!str_eq(buf_str(&got), str_from(cases[i].want)))
            fail_msg("%s: got %s", cases[i].name, buf_cstr(&got));
        buf_fini(&got);
    }
}

static void
parameters(void **state)
{
    static const struct {
        const char *params, *want; /* of "x"; NULL: none */
    } cases[] = {
        {"; x=1",                       "1"      },
        {";x=1;y=2",                    "1"      },
        {"; y=2; X=1",                  "1"      },
        {" x=1",                        "1"      },
        {"; x = 1 ; y",                 "1"      },
        {"; x=\"a; b\"; y",             "a; b"   },
        {"; x=\"a\\\"b\"",              "a\\\"b" },
        {"; y=\"; x=2\"; x=1",          "1"      },
        {"; y=\"; x=2",                 NULL     },
        {"; x=\"a b\n ; y=1",           "a b"    },
        {"; x=\"",                      ""       },
        {"; x=\"\\\"",                  "\\\""   },
        {"; x=",                        ""       },
        {"; x",                         ""       },
        {"; xx=1; y=2",                 NULL     },
        {"; (x=2) x=1 (a \\) comment)", "1"      },
        {"; (never closed; x=1",        NULL     },
        {"; x=a/b=c?d; y",              "a/b=c?d"},
        {"; x=a format=flowed",         "a"      },
        {"; y=2 x=1",                   "1"      },
        {";\n\tx=1;\r\n y=2",           "1"      },
        {"; x*=us-ascii'en'abc",        "abc"    },
        {"; x*=abc",                    "abc"    },
        {"; x*0=a; x*1=b",              "a"      },
        {"; x*0=a; x*0=b",              "a"      },
        {"; x*0*=utf-8''a; x*1=b",      "a"      },
        {"; x*1=b",                     NULL     },
        {"; x*=utf-8''b; x=a",          "a"      },
        {"",                            NULL     },
        {";;;=;=1;x=1",                 "1"      },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str got;
        bool found = mime_param(str_from(cases[i].params), STR("x"), &got);
        if (found != (cases[i].want != NULL) ||
            (found && !str_eq(got, str_from(cases[i].want))))
            fail_msg("%s: %s '%.*s'", cases[i].params,
                     found ? "found" : "not found", found ? (int)got.n : 0,
                     found ? got.p : "");
    }

    struct buf many = {0};
    struct str got;
    repeat(&many, "; p=\"q\"", 100000);
    buf_add(&many, STR("; x=1"));
    assert_true(mime_param(buf_str(&many), STR("x"), &got));
    buf_fini(&many);
}

static void
params_in_pieces(void **state)
{
    static const struct {
        const char *params, *want; /* NULL: not found */
    } cases[] = {
        {"; x=a",                                "a"               },
        {"; x=\"=?iso-8859-1?Q?=E9?=\"",         "\303\251"        },
        {"; x*=iso-8859-1'fr'%E9%e8",            "\303\251\303\250"},
        {"; x*0=a; X*1=\"b c\"; x*2=d",          "ab cd"           },
        {"; x*1=b; y*0=z; x*0=a",                "ab"              },
        {"; x*0*=utf-8''%C3; x*1*=%A9; x*2=%41", "\303\251%41"     },
        {"; x*0*=koi8-r''%CE; x*1=b",            "\320\275b"       },
        {"; x*0=a; x*2=c",                       "a"               },
        {"; x*0=a; x*0=b",                       "a"               },
        {"; x*0=a; x*1=b; x=c",                  "c"               },
        {"; x*=it's; y",                         "it's"            },
        {"; x*=''%; y",                          "%"               },
        {"; x*=''%4; y",                         "%4"              },
        {"; x*=''%4g%41; y",                     "%4gA"            },
        {"; x*1=b",                              NULL              },
        {"; x*a=b; x**=c; xx=d; x*-1=e; x*0x=f", NULL              },
        {"; x*64=b; x*18446744073709551616=c",   NULL              },
        {"",                                     NULL              },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf got = {0};
        bool found = mime_param_add(&got, str_from(cases[i].params), STR("x"));
        if (found != (cases[i].want != NULL) ||
            !str_eq(buf_str(&got), str_from(cases[i].want)))
            fail_msg("%s: got '%s'", cases[i].params, buf_cstr(&got));
        buf_fini(&got);
    }

    struct buf many = {0}, got = {0};
    for (unsigned i = 0; i < 100000; i++)
        buf_addf(&many, "; x*%u=q", i);
    assert_true(mime_param_add(&got, buf_str(&many), STR("x")));
    assert_int_equal(got.n, 64);
    buf_fini(&many);
    buf_fini(&got);
}

/* ---- transfer encodings ---------------------------------------------------
 */

static void
decoding(void **state)
{
    static const struct {
        const char *name;
        enum mime_encoding encoding;
        const char *body, *want;
    } cases[] = {
        {"as it is",                MIME_IDENTITY,         "a=3D\r\n",                           "a=3D\r\n"         },
        {"quoted",                  MIME_QUOTED_PRINTABLE, "a=3D=c3=B6\r\nb",                    "a=\303\266\r\nb"  },
        {"soft line ends",          MIME_QUOTED_PRINTABLE,
         "a=\r\nb=\nc= \t\nd=",                                                                  "abcd"             },
        {"blanks at line ends",     MIME_QUOTED_PRINTABLE, "a \t\nb=20\nc  ",
         "a\nb \nc"                                                                                                 },
        {"no code",                 MIME_QUOTED_PRINTABLE, "a=b =zz =4 ==41",                    "a=b =zz =4 =A"    },
        {"base64",                  MIME_BASE64,           "SGVsbG8=\r\n",                       "Hello"            },
        {"without padding",         MIME_BASE64,           "SGVsbG8",                            "Hello"            },
        {"one left",                MIME_BASE64,           "SGVsb",                              "Hel"              },
        {"in lines",                MIME_BASE64,           "SGVs\nbG8g\nV29y\nbGQ=\n",           "Hello World"      },
        {"odd lines",               MIME_BASE64,           "SG\nVsbG\n8=",                       "Hello"            },
        {"with blanks",             MIME_BASE64,           " SGVs bG8g\tV29ybGQ= \n",            "Hello World"      },
        {"with rubbish",            MIME_BASE64,           "SG!Vs*bG8=",                         "Hello"            },
        {"two in one",              MIME_BASE64,           "SGVsbG8=\nSGVsbG8=\n",               "HelloHello"       },
        {"a footer",                MIME_BASE64,
         "SGVsbG8gSGVsbG8g\nSGVsbG8=\n\n-- \nA list\nwww\n",                                     "Hello Hello Hello"},
        {"a footer, no padding",    MIME_BASE64,
         "SGVsbG8gSGVsbG8g\nSGVs\nTo leave: example\n",                                          "Hello Hello Hel"  },
        {"a footer behind padding", MIME_BASE64,           "SGVsbG8=\nA list\n",                 "Hello"            },
        {"padding first",           MIME_BASE64,           "====SGVsbG8=",                       "Hello"            },
        {"empty",                   MIME_BASE64,           "",                                   ""                 },
        {"uuencode",                MIME_UUENCODE,         "begin 644 x\n#0V%T\n`\nend\nmore\n",
         "Cat"                                                                                                      },
        {"its blanks cut off",      MIME_UUENCODE,         "begin 644 x\n$0V%T(\n \nend",
         "Cat "                                                                                                     },
        {"a text before",           MIME_UUENCODE,         "See\n\nbegin 644 x\r\n#0V%T\r\nend",
         "Cat"                                                                                                      },
        {"without begin",           MIME_UUENCODE,         "#0V%T\n",                            "Cat"              },
        {"a line that is none",     MIME_UUENCODE,
         "begin 644 x\n#0V%T too long for that\n#0V%T\n",                                        "Cat"              },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf got = {0};
        struct str body = str_from(cases[i].body);
        struct str want = str_from(cases[i].want);
        mime_decode(&got, cases[i].encoding, body, SIZE_MAX);
        if (!str_eq(buf_str(&got), want))
            fail_msg("%s: got '%s'", cases[i].name, buf_cstr(&got));
        for (size_t longest = 0; longest < want.n; longest++) {
            buf_clear(&got);
            mime_decode(&got, cases[i].encoding, body, longest);
            assert_true(str_eq(buf_str(&got), str_first(want, longest)));
        }
        buf_fini(&got);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structure),
        cmocka_unit_test(parts_lie_in_the_message),
        cmocka_unit_test(skipping),
        cmocka_unit_test(decoded_leaves),
        cmocka_unit_test(too_deep),
        cmocka_unit_test(too_many),
        cmocka_unit_test(fields),
        cmocka_unit_test(parameters),
        cmocka_unit_test(params_in_pieces),
        cmocka_unit_test(decoding),
    };
    return cmocka_run_group_tests_name("mail/mime", tests, NULL, NULL);
}
