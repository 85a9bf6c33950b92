/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"

#include <stdarg.h>
#include <string.h>

#include "catalogue/catalogue.h"
#include "cli/outgoing.h"
#include "cli/submit.h"
#include "os/account.h"

#define DEFAULT_CONFIG "/etc/gatepost/gatepost.conf"

enum { INPUT_MAX = 1 << 30 };

/* sysexits.h, as far as programs look at it. */
enum {
    EX_OK = 0,
    EX_USAGE = 64,
    EX_DATAERR = 65,
    EX_NOUSER = 67,
    EX_UNAVAILABLE = 69,
    EX_TEMPFAIL = 75,
    EX_CONFIG = 78,
};

/* What the command line says. */
struct call {
    char **argv;
    int argc, at;
    const char *config;
    struct outgoing_options options;
    struct str *rcpts;
    size_t n_rcpts;
    int (*instead)(int argc, char **argv); /* of a message */
    bool help;
};

static int complain(int status, const char *format, ...) PRINTF(2, 3);

static int
complain(int status, const char *format, ...)
{
    va_list args;
    (void)fputs("sendmail: ", stderr);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    return status;
}

/* ---- the command line ---------------------------------------------------- */

/* "-fADDRESS" or "-f ADDRESS"; NULL: there is none. */
static const char *
take_value(struct call *c)
{
    const char *word = c->argv[c->at];
    if (word[2] != '\0')
        return word + 2;
    if (c->at + 1 >= c->argc)
        return NULL;
    return c->argv[++c->at];
}

static bool
set_notify(struct call *c, struct str value)
{
    struct str word;
    while (value.n > 0) {
        (void)str_cut(value, ',', &word, &value);
        if (str_eq_nocase(word, STR("never")))
            c->options.notify |= NOTIFY_NEVER;
        else if (str_eq_nocase(word, STR("success")))
            c->options.notify |= NOTIFY_SUCCESS;
        else if (str_eq_nocase(word, STR("failure")))
            c->options.notify |= NOTIFY_FAILURE;
        else if (str_eq_nocase(word, STR("delay")))
            c->options.notify |= NOTIFY_DELAY;
        else
            return false;
    }
    return true;
}

static void
set_sender(struct call *c, struct str value)
{
    if (str_starts(value, STR("<")) && str_ends(value, STR(">")))
        value = str_from_n(value.p + 1, value.n - 2);
    c->options.sender = value;
    c->options.sender_given = true;
}

/* Options with a value. */
static int
take_option_value(struct call *c)
{
    char letter = c->argv[c->at][1];
    const char *text = take_value(c);
    if (text == NULL)
        return complain(EX_USAGE, "-%c needs a value", letter);
    struct str value = str_from(text);

    switch (letter) {
    case 'f':
    case 'r':
        set_sender(c, value);
        break;
    case 'F':
        c->options.full_name = value;
        break;
    case 'C':
        c->config = text;
        break;
    case 'V':
        c->options.envid = value;
        break;
    case 'N':
        if (!set_notify(c, value))
            return complain(EX_USAGE,
                            "-N %s: expected never, or success, "
                            "failure, delay, separated by commas",
                            text);
        break;
    case 'R':
        if (!str_eq_nocase(value, STR("hdrs")) &&
            !str_eq_nocase(value, STR("full")))
            return complain(EX_USAGE, "-R %s: expected full or hdrs", text);
        c->options.ret =
            str_eq_nocase(value, STR("hdrs")) ? DSN_RET_HDRS : DSN_RET_FULL;
        break;
    default: // -B, -h, -L, -O, -p, -X: of another program's inner life
        break;
    }
    return EX_OK;
}

static int
take_mode(struct call *c)
{
    switch (c->argv[c->at][2]) {
    case 'm':
    case '\0':
        return EX_OK;
    case 'i':
        c->instead = newaliases_main;
        return EX_OK;
    case 'p':
        c->instead = mailq_main;
        return EX_OK;
    case 'd':
    case 'D':
        return complain(EX_USAGE, "-b%c: the server is gatepost serve",
                        c->argv[c->at][2]);
    default:
        return complain(EX_USAGE,
                        "%s is not supported; expected -bm (send a message)",
                        c->argv[c->at]);
    }
}

static int
take_long(struct call *c)
{
    const char *word = c->argv[c->at];
    if (strcmp(word, "--help") == 0) {
        c->help = true;
        return EX_OK;
    }
    if (strcmp(word, "--config") != 0 || c->at + 1 >= c->argc)
        return complain(EX_USAGE, "unknown option %s; see sendmail --help",
                        word);
    c->config = c->argv[++c->at];
    return EX_OK;
}

/* -oi is -i; every other -o sets what has no meaning here. */
static int
take_option(struct call *c)
{
    const char *word = c->argv[c->at];

    if (word[1] == '-')
        return take_long(c);
    if (strchr("frFCVNRBhLOpX", word[1]) != NULL)
        return take_option_value(c);
    if (word[1] == 'b')
        return take_mode(c);
    if (word[1] == 'o' || word[1] == 'A' || word[1] == 'e') {
        if (strcmp(word, "-oi") == 0)
            c->options.dot_ends = false;
        return EX_OK;
    }
    for (const char *p = word + 1; *p != '\0'; p++) {
        if (*p == 'i')
            c->options.dot_ends = false;
        else if (*p == 't')
            c->options.from_header = true;
        else if (strchr("GUmnv", *p) == NULL)
            return complain(EX_USAGE, "unknown option %s; see sendmail --help",
                            word);
    }
    return EX_OK;
}

static int
read_call(struct call *c)
{
    bool literal = false;
    for (c->at = 1; c->at < c->argc; c->at++) {
        const char *word = c->argv[c->at];
        if (!literal && strcmp(word, "--") == 0) {
            literal = true;
        } else if (literal || word[0] != '-' || word[1] == '\0') {
            c->rcpts[c->n_rcpts++] = str_from(word);
        } else {
            int status = take_option(c);
            if (status != EX_OK)
                return status;
        }
    }
    return EX_OK;
}

static int
help(void)
{
    (void)puts(
        "usage: sendmail [-t] [-i] [-f SENDER] [-F NAME] [RECIPIENT...] < "
        "message\n\n"
        "  -t         recipients from To, Cc and Bcc; Bcc is removed\n"
        "  -i, -oi    a line of a dot alone does not end the message\n"
        "  -f SENDER  envelope sender; <> for none\n"
        "  -F NAME    full name, for a From field that is missing\n"
        "  -N WHEN    notices: never, or success, failure, delay\n"
        "  -R WHAT    what a notice returns: full or hdrs\n"
        "  -V ID      envelope id for notices\n"
        "  --config FILE\n\n"
        "Other options of sendmail that only tune it are taken and ignored.\n"
        "Exit status as in sysexits.h: 0 taken, 64 usage, 65 not a message,\n"
        "67 no such recipient, 69 refused, 75 try again later, 78 config.");
    return EX_OK;
}

/* ---- the server's answers ------------------------------------------------ */

static int
status_of(const struct verdict *v)
{
    if (v->outcome == OUTCOME_LATER || v->outcome == OUTCOME_NONE)
        return EX_TEMPFAIL;
    const struct reason *r = catalogue_recognise(v->text);
    return r != NULL && str_eq(r->klass, STR("recipient-unknown"))
               ? EX_NOUSER
               : EX_UNAVAILABLE;
}

/* Recipients that share an answer, as all do when the message is refused,
 * share one complaint. The worst status is that of the first refusal: what
 * was refused for good is not to be tried again. */
static int
report(const struct envelope *e, const struct verdict *verdicts)
{
    int status = EX_OK;
    struct str last = STR_EMPTY;
    for (size_t i = 0; i < e->n_rcpts; i++) {
        const struct verdict *v = &verdicts[i];
        if (v->outcome == OUTCOME_RELAYED)
            continue;
        int s = status_of(v);
        if (status == EX_OK || (status == EX_TEMPFAIL && s != EX_TEMPFAIL))
            status = s;
        if (i == 0 || !str_eq(v->text, last))
            (void)complain(0, "%.*s: %.*s", STR_ARG(e->rcpts[i].address),
                           STR_ARG(v->text));
        last = v->text;
    }
    return status;
}

static int
hand_over(const struct conf *conf, const struct outgoing *out)
{
    struct arena arena = {0};
    struct err e;
    struct buf path = {0};
    struct verdict *verdicts =
        arena_array(&arena, out->envelope.n_rcpts, sizeof *verdicts);

    buf_addf(&path, "%.*s/run/submit", STR_ARG(conf->state));
    int status = submit(buf_cstr(&path), conf->hostname, &out->envelope,
                        buf_str(&out->content), &arena, verdicts, &e)
                     ? report(&out->envelope, verdicts)
                     : complain(EX_TEMPFAIL,
                                "the mail server does not answer: %s", e.text);
    buf_fini(&path);
    arena_fini(&arena);
    return status;
}

/* ---- all of it ----------------------------------------------------------- */

static int
send_message(struct call *c, const struct conf *conf)
{
    struct buf input = {0};
    struct outgoing out = {0};
    const char *name = account_own_name();
    struct err e;
    int status;

    c->options.hostname = conf->hostname;
    c->options.user = name == NULL ? STR("nobody") : str_from(name);
    if (!command_read("-", INPUT_MAX, &input))
        status = EX_DATAERR;
    else if (!outgoing_make(&out, &c->options, buf_str(&input), c->rcpts,
                            c->n_rcpts, &e))
        status = complain(EX_DATAERR, "%s", e.text);
    else
        status = hand_over(conf, &out);
    outgoing_fini(&out);
    buf_fini(&input);
    return status;
}

int
sendmail_main(int argc, char **argv)
{
    struct invocation in = {.config = DEFAULT_CONFIG};
    struct call c = {.argv = argv, .argc = argc, .config = DEFAULT_CONFIG};

    c.options.dot_ends = true;
    c.rcpts = arena_array(&in.arena, (size_t)argc + 1, sizeof *c.rcpts);
    int status = read_call(&c);
    if (status == EX_OK && c.help)
        status = help();
    else if (status == EX_OK && c.instead != NULL)
        status = c.instead(1, argv);
    else if (status == EX_OK && c.n_rcpts == 0 && !c.options.from_header)
        status =
            complain(EX_USAGE, "no recipient: name one, or use -t; see --help");
    else if (status == EX_OK) {
        in.config = c.config;
        status =
            command_config(&in) == NULL ? EX_CONFIG : send_message(&c, in.conf);
    }
    if (in.conf != NULL)
        conf_free(in.conf);
    arena_fini(&in.arena);
    return status;
}

int
newaliases_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    (void)puts("Nothing to do: aliases are in the directory and take effect at "
               "once.\nSee gatepost alias list, gatepost alias add.");
    return EX_OK;
}
