/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "mail/charset.h"

static void
names_and_texts(void **state)
{
    static const struct {
        const char *name, *charset;
        struct str text, want;
    } cases[] = {
        {"ascii",                        "us-ascii",     {"abc\r\n", 5},                                           {"abc\r\n", 5}                 },
        {"no name",                      "",             {"abc", 3},                                               {"abc", 3}                     },
        {"ascii with more",              "us-ascii",     {"n\351", 2},                                             {"n\303\251", 3}               },
        {"utf-8",
         "UTF-8",                                        {"Gr\303\274\303\237e \346\227\245\346\234\254", 14},
         {"Gr\303\274\303\237e \346\227\245\346\234\254", 14}                                                                                     },
        {"its byte order mark",          "utf-8",        {"\357\273\277x", 4},                                     {"x", 1}                       },
        {"cut in a character",
         "utf-8",                                        {"Gr\303\274\303\237e \342\202", 10},
         {"Gr\303\274\303\237e \357\277\275\357\277\275", 14}                                                                                     },
        {"latin said to be utf-8",
         "utf-8",                                        {"Empf\344nger", 9},
         {"Empf\303\244nger", 10}                                                                                                                 },
        {"latin-1",
         "ISO-8859-1",                                   {"Empf\344nger", 9},
         {"Empf\303\244nger", 10}                                                                                                                 },
        {"utf-8 said to be latin",
         "iso-8859-1",                                   {"Empf\303\244nger", 10},
         {"Empf\303\244nger", 10}                                                                                                                 },
        {"Windows quotes in latin-1",
         "iso-8859-1",                                   {"\223a\224 \200", 5},
         {"\342\200\234a\342\200\235 \342\202\254", 11}                                                                                           },
        {"holes of Windows-1252",
         "windows-1252",                                 {"a\201b", 3},
         {"a\357\277\275b", 5}                                                                                                                    },
        {"latin-2",                      "iso-8859-2",   {"\274le", 3},                                            {"\305\272le", 4}              },
        {"latin-9",                      "iso-8859-15",  {"\244", 1},                                              {"\342\202\254", 3}            },
        {"Windows-1250",
         "windows-1250",                                 {"doru\350en\355", 8},
         {"doru\304\215en\303\255", 10}                                                                                                           },
        {"Windows-1251",
         "cp1251",                                       {"\317\356\353\374\347\356\342\340\362\345\353\374", 12},
         {"\320\237\320\276\320\273\321\214\320\267\320\276\320\262\320\260\321"
          "\202\320\265\320\273\321\214",
          24}                                                                                                                                     },
        {"KOI8-R",
         "KOI8-R",                                       {"\316\305 \316\301\312\304\305\316", 9},
         {"\320\275\320\265 \320\275\320\260\320\271\320\264\320\265\320\275",
          17}                                                                                                                                     },
        {"Turkish",                      "iso-8859-9",   {"de\360il", 5},                                          {"de\304\237il", 6}            },
        {"Thai",
         "tis-620",                                      {"\344\301\350", 3},
         {"\340\271\204\340\270\241\340\271\210", 9}                                                                                              },
        {"Shift_JIS",
         "Shift_JIS",                                    {"\210\266\220\346 \305\274", 7},
         {"\345\256\233\345\205\210 \357\276\205\357\275\274", 13}                                                                                },
        {"with what Windows adds",
         "x-sjis",                                       {"\207@\356\340", 4},
         {"\342\221\240\351\253\231", 6}                                                                                                          },
        {"EUC-JP",
         "euc-jp",                                       {"\260\270\300\350 \216\305\216\274", 9},
         {"\345\256\233\345\205\210 \357\276\205\357\275\274", 13}                                                                                },
        {"ISO-2022-JP",
         "iso-2022-jp",                                  {"\033$B08@h\033(B x", 12},
         {"\345\256\233\345\205\210 x", 8}                                                                                                        },
        {"half-width kana",
         "iso-2022-jp",                                  {"\033(I1234\033(B.", 11},
         {"\357\275\261\357\275\262\357\275\263\357\275\264.", 13}                                                                                },
        {"kana by SO and SI",
         "iso-2022-jp",                                  {"\033$B08@h\033(B \01612\01712", 17},
         {"\345\256\233\345\205\210 \357\275\261\357\275\26212", 15}                                                                              },
        {"kana in eight bits",
         "iso-2022-jp",                                  {"\033$B08@h\033(B\261", 11},
         {"\345\256\233\345\205\210\357\275\261", 9}                                                                                              },
        {"without its last escape",
         "iso-2022-jp",                                  {"\033$B08@h\nx", 9},
         {"\345\256\233\345\205\210\nx", 8}                                                                                                       },
        {"kana by SO alone",
         "iso-2022-jp",                                  {"12345678\01612\01712345678", 20},
         {"12345678\357\275\261\357\275\26212345678", 22}                                                                                         },
        {"an empty stretch without ESC",
         "iso-2022-jp",                                  {"x$B(By", 6},
         {"x$B(By", 6}                                                                                                                            },
        {"a line begins in ASCII",
         "iso-2022-jp",                                  {"\033$B08@h\nabc", 11},
         {"\345\256\233\345\205\210\nabc", 10}                                                                                                    },
        {"cut in four octets",
         "gb18030",                                      {"x\2010\201", 4},
         {"x\357\277\275", 4}                                                                                                                     },
        {"escapes of 1978",
         "iso-2022-jp",                                  {"\033$@08@h\033(J~", 11},
         {"\345\256\233\345\205\210~", 7}                                                                                                         },
        {"JIS X 0212",
         "iso-2022-jp-1",                                {"\033$(D0!\033(B", 9},
         {"\344\270\202", 3}                                                                                                                      },
        {"NEC row 13",
         "iso-2022-jp",                                  {"\033$B-!\033(B", 8},
         {"\342\221\240", 3}                                                                                                                      },
        {"ESC lost",
         "iso-2022-jp",                                  {"To: $B08@h(B x", 14},
         {"To: \345\256\233\345\205\210 x", 12}                                                                                                   },
        {"ESC lost, twice",
         "iso-2022-jp",                                  {"$B08@h(J,$B08@h(B", 17},
         {"\345\256\233\345\205\210,\345\256\233\345\205\210", 13}                                                                                },
        {"no ESC was there",             "iso-2022-jp",  {"$Bx (B", 6},                                            {"$Bx (B", 6}                  },
        {"price in dollars",
         "iso-2022-jp",                                  {"$BBB and no end", 15},
         {"$BBB and no end", 15}                                                                                                                  },
        {"half a pair",                  "iso-2022-jp",  {"\033$B08@", 6},                                         {"\345\256\233@", 4}           },
        {"no designation",               "iso-2022-jp",  {"a\033Xb", 4},                                           {"aXb", 3}                     },
        {"EUC said to be ISO-2022",
         "iso-2022-jp",                                  {"\260\270\300\350", 4},
         {"\345\256\233\345\205\210", 6}                                                                                                          },
        {"Shift_JIS said to be that",
         "iso-2022-jp",                                  {"\210\266\220\346\202\360", 6},
         {"\345\256\233\345\205\210\343\202\222", 9}                                                                                              },
        {"UTF-8 said to be that",
         "iso-2022-jp",                                  {"\345\256\233\345\205\210", 6},
         {"\345\256\233\345\205\210", 6}                                                                                                          },
        {"ISO-2022-JP unsaid",
         "",                                             {"\033$B08@h\033(B", 10},
         {"\345\256\233\345\205\210", 6}                                                                                                          },
        {"gb2312",
         "gb2312",                                       {"\323\312\317\344", 4},
         {"\351\202\256\347\256\261", 6}                                                                                                          },
        {"GBK in it",                    "GB2312",       {"\351F", 2},                                             {"\351\225\225", 3}            },
        {"gb18030",
         "gb18030",                                      {"\323\312\317\344\242\343", 6},
         {"\351\202\256\347\256\261\342\202\254", 9}                                                                                              },
        {"HZ",
         "HZ-GB-2312",                                   {"To ~{SJOd~}, 1~~2", 17},
         {"To \351\202\256\347\256\261, 1~2", 14}                                                                                                 },
        {"HZ over a line end",
         "hz",                                           {"~{SJ~\nOd~}", 10},
         {"\351\202\256\347\256\261", 6}                                                                                                          },
        {"HZ, its end lost",             "hz",           {"~{SJ\nOd", 7},                                          {"\351\202\256\nOd", 6}        },
        {"HZ, half a pair",              "hz",           {"~x ~{SJO", 8},                                          {"~x \351\202\256O", 7}        },
        {"HZ in eight bits",
         "hz-gb-2312",                                   {"\323\312 ~{Od", 7},
         {"\351\202\256 \347\256\261", 7}                                                                                                         },
        {"Big5",                         "big5",         {"\253H\275c", 4},                                        {"\344\277\241\347\256\261", 6}},
        {"Korean",
         "ks_c_5601-1987",                               {"\306\355\301\366\307\324", 6},
         {"\355\216\270\354\247\200\355\225\250", 9}                                                                                              },
        {"a letter held back",
         "windows-1258",                                 {"ch\340o", 4},
         {"ch\303\240o", 5}                                                                                                                       },
        {"an accent by itself",
         "windows-1258",                                 {"\325\354", 2},
         {"\341\273\232", 3}                                                                                                                      },
        {"ISO-2022-KR",
         "iso-2022-kr",                                  {"\033$)C\016FmAv\017", 10},
         {"\355\216\270\354\247\200", 6}                                                                                                          },
        {"UTF-7",                        "utf-7",        {"n+AOk 1+-1", 10},                                       {"n\303\251 1+1", 7}           },
        {"UTF-16, big",
         "utf-16",                                       {"\376\377\000n\000\351", 6},
         {"n\303\251", 3}                                                                                                                         },
        {"UTF-16, little",
         "utf-16",                                       {"\377\376n\000\351\000", 6},
         {"n\303\251", 3}                                                                                                                         },
        {"UTF-16, no mark, little",
         "utf-16",                                       {"n\000o\000t\000 \000f\000o\000u\000n\000d\000", 18},
         {"not found", 9}                                                                                                                         },
        {"UTF-16, no mark, big",
         "utf-16",                                       {"\000n\000o\000t\000 \000f\000o\000u\000n\000d", 18},
         {"not found", 9}                                                                                                                         },
        {"UTF-16LE",
         "utf-16le",                                     {"\233[HQ", 4},
         {"\345\256\233\345\205\210", 6}                                                                                                          },
        {"UTF-16BE",
         "utf-16be",                                     {"[\233QH", 4},
         {"\345\256\233\345\205\210", 6}                                                                                                          },
        {"a pair of surrogates",
         "utf-16be",                                     {"\330=\336\000", 4},
         {"\360\237\230\200", 4}                                                                                                                  },
        {"half of one",                  "utf-16be",     {"\330=\000a", 4},                                        {"\357\277\275a", 4}           },
        {"UTF-16 that is ASCII",         "utf-16",       {"not found", 9},                                         {"not found", 9}               },
        {"UTF-16 unsaid",
         "",                                             {"n\000o\000t\000 \000f\000o\000u\000n\000d\000", 18},
         {"not found", 9}                                                                                                                         },
        {"UTF-16 unsaid, marked",
         "",                                             {"\376\377\000n\000\351", 6},
         {"n\303\251", 3}                                                                                                                         },
        {"UTF-32",
         "utf-32",                                       {"\000\000\376\377\000\000\000n\000\000\000\351", 12},
         {"n\303\251", 3}                                                                                                                         },
        {"NUL is a character",           "",             {"a\000b", 3},                                            {"a\000b", 3}                  },
        {"an unknown name",              "unknown-8bit", {"n\303\251", 3},                                         {"n\303\251", 3}               },
        {"another",                      "x-unknown",    {"n\351", 2},                                             {"n\303\251", 3}               },
        {"no name at all",               "%$!",          {"n\303\251", 3},                                         {"n\303\251", 3}               },
        {"a name for iconv only",
         "UTF-8//IGNORE",                                {"n\303\251", 3},
         {"n\303\251", 3}                                                                                                                         },
        {"a long name",
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",              {"n\303\251", 3},
         {"n\303\251", 3}                                                                                                                         },
        {"utf8",                         "utf8",         {"n\303\251", 3},                                         {"n\303\251", 3}               },
        {"parameters behind it",
         "koi8-r; format=flowed",                        {"\316\305", 2},
         {"\320\275\320\265", 4}                                                                                                                  },
        {"quotes around it",
         "\"KOI8-R\"",                                   {"\316\305", 2},
         {"\320\275\320\265", 4}                                                                                                                  },
        {"cut in EUC",
         "euc-jp",                                       {"\260\270\300", 3},
         {"\345\256\233\357\277\275", 6}                                                                                                          },
        {"an octet too many",
         "euc-jp",                                       {"\377\260\270x", 4},
         {"\357\277\275\345\256\233x", 7}                                                                                                         },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf got = {0};
        buf_add(&got, STR("before "));
        charset_to_utf8(&got, str_from(cases[i].charset), cases[i].text);
        if (!str_eq(str_from_pos(buf_str(&got), 7), cases[i].want))
            fail_msg("%s: got '%s'", cases[i].name, buf_cstr(&got));
        buf_fini(&got);
    }
}

/* All octets, in each charset that has more than one name; what comes out is
 * UTF-8, twice the same, and is not made longer than it can be. */
static void
any_octets(void **state)
{
    static const char *const charsets[] = {
        "",          "utf-8",       "utf-7",       "utf-16",       "utf-32",
        "gbk",       "iso-2022-jp", "euc-jp",      "sjis",         "big5",
        "euc-tw",    "iso-2022-kr", "iso-2022-cn", "viscii",       "tcvn",
        "hz",        "johab",       "big5-hkscs",  "windows-1258", "cp864",
        "armscii-8", "macintosh",   "koi8-ru",     "georgian-ps",
    };
    struct buf all = {0};
    (void)state;
    for (unsigned i = 0; i < 256; i++)
        for (unsigned j = 0; j < 256; j++) {
            buf_add_char(&all, (char)(unsigned char)i);
            buf_add_char(&all, (char)(unsigned char)j);
        }
    for (size_t i = 0; i < sizeof charsets / sizeof *charsets; i++) {
        struct buf one = {0}, two = {0};
        charset_to_utf8(&one, str_from(charsets[i]), buf_str(&all));
        charset_to_utf8(&two, str_from(charsets[i]), buf_str(&all));
        assert_true(utf8_valid(buf_str(&one)));
        assert_true(str_eq(buf_str(&one), buf_str(&two)));
        assert_in_range(one.n, 1, 3 * all.n);
        buf_fini(&one);
        buf_fini(&two);
    }
    buf_fini(&all);
}

/* A name that the text makes a liar of. */
static void
too_many_errors(void **state)
{
    struct buf text = {0}, got = {0};
    (void)state;
    for (size_t i = 0; i < 5000; i++)
        buf_add(&text, STR("\377."));
    charset_to_utf8(&got, STR("gb18030"), buf_str(&text));
    assert_true(str_starts(buf_str(&got), STR("\357\277\275.")));
    assert_true(str_ends(buf_str(&got), STR("\303\277.")));
    buf_fini(&text);
    buf_fini(&got);
}

/* What one text leaves behind is not the next one's. */
static void
each_begins_anew(void **state)
{
    struct buf got = {0};
    (void)state;
    charset_to_utf8(&got, STR("iso-2022-kr"), STR("\033$)C\016\106\155"));
    buf_clear(&got);
    charset_to_utf8(&got, STR("iso-2022-kr"), STR("\033$)Cab\017"));
    assert_string_equal(buf_cstr(&got), "ab");
    buf_fini(&got);
}

/* Half a million beginnings without an end. */
static void
long_text(void **state)
{
    struct buf text = {0}, got = {0};
    (void)state;
    for (size_t i = 0; i < 500000; i++)
        buf_add(&text, STR("$B"));
    charset_to_utf8(&got, STR("iso-2022-jp"), buf_str(&text));
    assert_true(str_eq(buf_str(&got), buf_str(&text)));
    buf_fini(&text);
    buf_fini(&got);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_texts), cmocka_unit_test(any_octets),
        cmocka_unit_test(too_many_errors), cmocka_unit_test(each_begins_anew),
        cmocka_unit_test(long_text),
    };
    return cmocka_run_group_tests_name("mail/charset", tests, NULL, NULL);
}
