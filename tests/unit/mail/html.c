/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/html.h"

static void
pages(void **state)
{
    static const struct {
        const char *name, *page, *want;
    } cases[] = {
        {"nothing",                    "",                                                            ""                            },
        {"only tags",                  "<html><body></body></html>",                                  ""                            },
        {"text",                       "hello",                                                       "hello\n"                     },
        {"inline tags",                "<b>hel</b>lo <i>you</i>",                                     "hello you\n"                 },
        {"upper case",                 "a<BR>b<P>c</P>",                                              "a\nb\n\nc\n"                 },
 // blanks
        {"blanks collapse",            "  a \t\n b  ",                                                "a b\n"                       },
        {"over tags",                  "a <b> b</b> <i> </i> c",                                      "a b c\n"                     },
        {"not across lines",           "a <br> b",                                                    "a\nb\n"                      },
        {"nbsp",                       "550&nbsp;5.1.1&nbsp;&nbsp;no\302\240user",
         "550 5.1.1 no user\n"                                                                                                      },
        {"not seen",                   "a&shy;b\342\200\213c\302\255d&#8203;e",                       "abcde\n"                     },
 // lines
        {"blocks",                     "<div>a</div><div>b</div>c",                                   "a\nb\nc\n"                   },
        {"blocks in blocks",           "<div><div>a</div></div><div>b",                               "a\nb\n"                      },
        {"paragraphs",                 "<p>a</p><p>b</p>",                                            "a\n\nb\n"                    },
        {"br",                         "a<br>b<br/>c<br />d</br>e",                                   "a\nb\nc\nd\ne\n"             },
        {"br twice",                   "a<br><br>b<br><br><br>c",                                     "a\n\nb\n\nc\n"               },
        {"br first",                   "<br>a",                                                       "a\n"                         },
        {"br at the end of a block",   "<div>a<br></div>b",                                           "a\nb\n"                      },
        {"lists",                      "x<ul><li>a<li>b</ul>y",                                       "x\n\na\nb\n\ny\n"            },
        {"tables",
         "<table><tr><td>a</td><td>b</td></tr><tr><td>c<td>d</table>e",                               "a b\nc d\ne\n"               },
        {"rule",                       "a<hr>b",                                                      "a\nb\n"                      },
        {"headings",                   "<h1>a</h1>b",                                                 "a\n\nb\n"                    },
        {"other names",                "<divx>a</divx><brr>b<o:p>c</o:p>",                            "abc\n"                       },
        {"a long name",                "<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa>x",                       "x\n"                         },
 // pre
        {"pre",                        "a<pre>\n  b\n\n   c\td</pre> e ",                             "a\n\n  b\n\n   c d\n\ne\n"   },
        {"pre, CRLF",                  "<pre>\r\na\r\nb</pre>",                                       "a\nb\n"                      },
        {"pre, its first line end",    "x<pre>a\nb</pre>",                                            "x\n\na\nb\n"                 },
        {"pre with tags",              "<pre>a <b> b</b>\n c",                                        "a  b\n c\n"                  },
        {"pre closed twice",           "<pre>a</pre></pre>b  c",                                      "a\n\nb c\n"                  },
 // left out
        {"script",                     "a<script>x < y; '</b>'</script>b",                            "ab\n"                        },
        {"style",                      "<style type=\"text/css\">p { }</style >b",                    "b\n"                         },
        {"title",                      "<head><title>t</title></head>b",                              "b\n"                         },
        {"script, never closed",       "a<script>b",                                                  "a\n"                         },
        {"script, another end",        "a<script>b</scripts>d</SCRIPT>c",                             "ac\n"                        },
        {"a stray end",                "a</script>b",                                                 "ab\n"                        },
        {"comments",                   "a<!-- <b>x</b> > -- -->b",                                    "ab\n"                        },
        {"odd comments",               "a<!-->b<!--->c<!--x--!>d<!----->e",                           "abcde\n"                     },
        {"comment, never closed",      "a<!-- b",                                                     "a\n"                         },
        {"declarations",
         "<!DOCTYPE html><?xml version='1'?>a<![if x]>b<![endif]>",                                   "ab\n"                        },
 // tags that are none
        {"less than",                  "1 < 2 <3 <",                                                  "1 < 2 <3 <\n"                },
        {"addresses",                  "<a@b.example>: <bob.x@c.example> <d",
         "<a@b.example>: <bob.x@c.example>\n"                                                                                       },
        {"an address in an attribute", "<a href=mailto:a@b>x</a>",                                    "x\n"                         },
        {"greater than in quotes",     "<a title=\"a>b\" x='>'>c</a>",                                "c\n"                         },
        {"a quote never closed",       "<a title=\"b>c</a> d",                                        "c d\n"                       },
        {"an apostrophe",              "<a x=y'z>b</a><a x=y'z>c",                                    "bc\n"                        },
        {"never closed",               "a<b",                                                         "a\n"                         },
        {"empty ones",                 "a<>b</>c</ >d",                                               "a<>b</>c</ >d\n"             },
 // characters
        {"named",                      "&lt;a&gt; &amp; &quot;b&quot; &euro;&eacute;&Eacute;&mdash;",
         "<a> & \"b\" \342\202\254\303\251\303\211\342\200\224\n"                                                                   },
        {"numbered",                   "&#64;&#x40;&#X40;&#228;&#x1F600;",
         "@@@\303\244\360\237\230\200\n"                                                                                            },
        {"without semicolon",          "&lt a&gt &amp&amp &#64a",                                     "< a> && @a\n"                },
        {"unknown",                    "&nosuch; & &; &#; &#x; &a",                                   "&nosuch; & &; &#; &#x; &a\n" },
        {"Windows by number",          "&#146;&#x80;",                                                "\342\200\231\342\202\254\n"  },
        {"no characters",              "&#0;&#xD800;&#x110000;&#4294967361;&#129;",
         "\357\277\275\357\277\275\357\277\275\357\277\275\357\277\275\n"                                                           },
        {"controls",                   "a&#1;b&#10;c\001d\033[1m",                                    "a b c d [1m\n"               },
        {"encoded twice",              "&amp;lt;",                                                    "&lt;\n"                      },
        {"UTF-8",                      "\345\256\233\345\205\210 <b>x",
         "\345\256\233\345\205\210 x\n"                                                                                             },
        {"not UTF-8",                  "a\377b\303",                                                  "a\357\277\275b\357\277\275\n"},
        {"links",                      "see <a href=\"http://x.example/\">here</a>.",                 "see here.\n"                 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf got = {0};
        buf_add(&got, STR("before"));
        html_to_text(&got, str_from(cases[i].page));
        if (!str_eq(str_from_pos(buf_str(&got), 6), str_from(cases[i].want)))
            fail_msg("%s: got '%s'", cases[i].name, buf_cstr(&got));
        buf_fini(&got);
    }
}

/* What a page says of itself. */
static void
charsets(void **state)
{
    static const struct {
        const char *name, *page, *want;
    } cases[] = {
        {"nothing",                "",                                               ""         },
        {"charset",                "<html><head><meta charset=gb2312>",              "gb2312"   },
        {"in quotes",              "<META  CHARSET = \"Shift_JIS\" />",              "Shift_JIS"},
        {"in others",              "<meta\nname=x charset='koi8-r'/>",               "koi8-r"   },
        {"content type",
         "<meta http-equiv=\"Content-Type\" content=\"text/html; "
         "charset=big5\">",                                                          "big5"     },
        {"the other way about",
         "<meta content='text/html;charset=euc-kr' http-equiv=content-type>",        "euc-kr"   },
        {"the second",             "<meta name=charset content=x><meta charset=hz>", "hz"       },
        {"behind a stray one",     "1 < 2 <meta charset=hz>",                        "hz"       },
        {"never closed",           "<meta charset=hz",                               "hz"       },
        {"empty",                  "<meta charset=><meta charset=\"\">",             ""         },
        {"in a comment",           "<!-- <meta charset=hz> --><meta charset=big5>",
         "big5"                                                                                 },
        {"a comment never closed", "<!-- <meta charset=hz>",                         ""         },
        {"not seen as a tag",      "meta charset=hz> <metas charset=hz> <meta",      ""         },
        {"another tag",            "<script charset=hz></script>",                   ""         },
        {"in eight bits",          "<meta charset=gb2312>\323\312",                  "gb2312"   },
        {"UTF-8 all the same",     "<meta charset=gb2312>\351\202\256",              ""         },
        {"read as ASCII",          "<meta charset=utf-16>",                          ""         },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str got = html_charset(str_from(cases[i].page));
        if (!str_eq(got, str_from(cases[i].want)))
            fail_msg("%s: got '%.*s'", cases[i].name, STR_ARG(got));
    }

    struct buf far = {0};
    for (size_t n = 0; n < 100000; n++)
        buf_add(&far, STR("<!--"));
    buf_add(&far, STR("--><meta charset=hz>"));
    assert_int_equal(html_charset(buf_str(&far)).n, 0);
    buf_fini(&far);
}

/* What takes long if anything is looked for more than once. */
static void
long_pages(void **state)
{
    static const char *const pieces[] = {
        "<",        "<a",       "<!--",    "<a b=\"", "<script>", "<title>",
        "</script", "&",        "&#",      "&#1",     "<a@b",     "<a b='>",
        "<pre>",    "<!-->-->", "<a b=c ", "&amp",    "<br>",     "<td> "};
    (void)state;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct buf page = {0}, got = {0};
        for (size_t n = 0; n < 300000; n++)
            buf_add(&page, str_from(pieces[i]));
        html_to_text(&got, buf_str(&page));
        assert_in_range(got.n, 0, 3 * page.n);
        buf_fini(&page);
        buf_fini(&got);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages),
        cmocka_unit_test(charsets),
        cmocka_unit_test(long_pages),
    };
    return cmocka_run_group_tests_name("mail/html", tests, NULL, NULL);
}
