/* SPDX-License-Identifier: ISC */
#include "explain/where.h"

#include "base/ascii.h"
#include "explain/wordlist.h"

static const struct stage_words {
    const char *words, *stage;
} stage_words[] = {
    {"rcpt to",                         "RCPT TO"    },
    {"rcpt_to",                         "RCPT TO"    },
    {"smtp:rcpt",                       "RCPT TO"    },
    {"does not like recipient",         "RCPT TO"    },
    {"end of data",                     "end of data"},
    {"after end of data",               "end of data"},
    {"failed after i sent the message", "end of data"},
    {"end-of-data",                     "end of data"},
    {"mail from",                       "MAIL FROM"  },
    {"mail_from",                       "MAIL FROM"  },
    {"sender was rejected",             "MAIL FROM"  },
    {"initial connection",              "connection" },
    {"refused to talk to me",           "connection" },
    {"(ehlo",                           "EHLO"       },
    {"after ehlo",                      "EHLO"       },
    {"to ehlo",                         "EHLO"       },
    {"after helo",                      "HELO"       },
    {"to helo",                         "HELO"       },
    {"to data command",                 "DATA"       },
    {"after data",                      "DATA"       },
};

struct str
where_stage(struct str text)
{
    static struct wordlist list = WORDLIST_OF(stage_words, words);
    ssize_t at = wordlist_first(&list, text);
    return at < 0 ? STR_EMPTY : str_from(stage_words[at].stage);
}

static bool
is_host_char(char c)
{
    return ascii_is_alnum((unsigned char)c) || c == '.' || c == '-';
}

/* The name or address in front of the words: "mx.example.net failed after I
 * sent the message." */
static struct str
host_before(struct str text, struct str words)
{
    ssize_t at = str_find(text, words);
    struct str before = str_trim(str_first(text, at < 0 ? 0 : (size_t)at));
    size_t n = 0;
    while (n < before.n && is_host_char(before.p[before.n - 1 - n]))
        n++;
    return str_from_pos(before, before.n - n);
}

static struct str
host_behind(struct str text, ssize_t at, struct str words)
{
    if (at < 0)
        return STR_EMPTY;
    struct str host = str_from_pos(text, (size_t)at + words.n);
    size_t n = 0;
    while (n < host.n && is_host_char(host.p[n]))
        n++;
    return str_first(host, n);
}

struct str
where_host(struct str text)
{
    struct str host = STR_EMPTY;
    ssize_t at = str_find_nocase(text, STR("host "));
    if (at == 0 || (at > 0 && !ascii_is_alnum((unsigned char)text.p[at - 1])))
        host = host_behind(text, at, STR("host "));
    static const struct str connected = {"Connected to ", 13};
    if (str_find_char(host, '.') <= 0)
        host = host_behind(text, str_find(text, connected), connected);
    static const struct str sentences[] = {
        {" does not like recipient",        24},
        {"failed after I sent the message", 31},
        {" failed on DATA command",         23},
        {" does not like your sender",      26},
    };
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++)
        if (str_find_char(host, '.') <= 0)
            host = host_before(text, sentences[i]);
    return str_find_char(host, '.') > 0 ? host : STR_EMPTY;
}
