/* SPDX-License-Identifier: ISC */
/*
 * gatepost queue list|show|retry|remove, and mailq: what waits in a running
 * server, over its control socket `<state>/run/queue` (queue/desk.h).
 */
#include "cli/commands.h"

#include "base/alloc.h"
#include "cli/talk.h"

#include <stdlib.h>
#include <string.h>

static const struct command_option filters[] = {
    {"--from",   "ADDRESS", "only messages of this sender (\"<>\": bounces)"},
    {"--to",     "ADDRESS", "only messages that wait for this recipient"    },
    {"--domain", "DOMAIN",  "only messages that wait for this domain"       },
    {"--auth",   "ADDRESS", "only messages that this account sent"          },
    {NULL,       NULL,      NULL                                            },
};

static const char *
text_of(const json_t *j, const char *key)
{
    const char *text = json_string_value(json_object_get(j, key));
    return text != NULL ? text : "";
}

/* A remote's words may have several lines: one below the other. */
static void
print_indented(const char *text, const char *indent)
{
    while (*text != '\0') {
        size_t n = strcspn(text, "\n");
        (void)printf("%s%.*s\n", indent, (int)n, text);
        text += n + (text[n] == '\n');
    }
}

/* RFC 3339 without the milliseconds, which nobody wants to read in a table. */
static void
print_time(const char *label, const char *date)
{
    size_t n = strcspn(date, ".");
    if (*date != '\0')
        (void)printf("%s%.*s%s", label, (int)n, date,
                     date[n] == '.' ? "Z" : "");
}

static const char *
sender_of(const json_t *j)
{
    const char *sender = text_of(j, "sender");
    return *sender != '\0' ? sender : "<>";
}

static void
print_message(const json_t *j)
{
    const json_t *rcpts = json_object_get(j, "recipients");

    (void)printf("%-12s %10lld", text_of(j, "id"),
                 (long long)json_integer_value(json_object_get(j, "size")));
    print_time("  ", text_of(j, "arrived"));
    (void)printf("  %s\n", sender_of(j));
    for (size_t i = 0; i < json_array_size(rcpts); i++)
        (void)printf("    to %s\n",
                     json_string_value(json_array_get(rcpts, i)));
    (void)printf("    attempts %lld",
                 (long long)json_integer_value(json_object_get(j, "attempts")));
    print_time(", next ", text_of(j, "next_attempt"));
    if (json_object_get(j, "held") != NULL)
        (void)printf(", held: %s", text_of(j, "held"));
    (void)putchar('\n');
    print_indented(text_of(j, "last_reply"), "    ");
}

static void
print_details(const json_t *j)
{
    const json_t *details = json_object_get(j, "details");

    (void)printf("id        %s\nsender    %s\nsize      %lld\n",
                 text_of(j, "id"), sender_of(j),
                 (long long)json_integer_value(json_object_get(j, "size")));
    print_time("arrived   ", text_of(j, "arrived"));
    (void)printf("\nfrom      %s\nlogin     %s\nsession   %s\n",
                 text_of(j, "client"), text_of(j, "login"),
                 text_of(j, "session"));
    if (json_object_get(j, "held") != NULL)
        (void)printf("held      %s\n", text_of(j, "held"));
    for (size_t i = 0; i < json_array_size(details); i++) {
        const json_t *r = json_array_get(details, i);
        (void)printf(
            "to        %s\n    %s, attempts %lld", text_of(r, "address"),
            text_of(r, "state"),
            (long long)json_integer_value(json_object_get(r, "attempts")));
        print_time(", next ", text_of(r, "next_attempt"));
        (void)putchar('\n');
        if (*text_of(r, "remote") != '\0')
            (void)printf("    last tried at %s:\n", text_of(r, "remote"));
        print_indented(text_of(r, "last_reply"), "    ");
    }
}

/* What each verb prints for a message. */
static void
print(const struct invocation *in, const json_t *j)
{
    const char *verb = in->command->verb;
    bool busy = json_object_get(j, "busy") != NULL;

    if (in->json) {
        (void)json_dumpf(j, stdout, JSON_COMPACT);
        (void)putchar('\n');
    } else if (strcmp(verb, "list") == 0) {
        print_message(j);
    } else if (strcmp(verb, "show") == 0) {
        print_details(j);
    } else if (busy) {
        (void)fprintf(
            stderr, "gatepost: %s is being delivered right now: not removed\n",
            text_of(j, "id"));
    } else {
        (void)printf("%s %s\n", text_of(j, "id"), sender_of(j));
    }
}

static json_t *
make_request(const struct invocation *in)
{
    json_t *request = json_pack("{s:s}", "verb", in->command->verb);

    for (const struct command_option *o = in->command->options;
         o != NULL && o->name != NULL; o++) {
        const char *value = command_value(in, o->name);
        if (value != NULL)
            (void)json_object_set_new(request, o->name + 2, json_string(value));
    }
    if (in->n_objects > 0)
        (void)json_object_set_new(request, "id", json_string(in->objects[0]));
    return request;
}

static bool
is_filtered(const struct invocation *in)
{
    return in->n_objects > 0 || command_has(in, "--from") ||
           command_has(in, "--to") || command_has(in, "--domain") ||
           command_has(in, "--auth");
}

static int
finish(const struct invocation *in, const json_t *end)
{
    json_int_t matched = json_integer_value(json_object_get(end, "matched"));
    json_int_t busy = json_integer_value(json_object_get(end, "busy"));
    bool list = strcmp(in->command->verb, "list") == 0;

    if (busy > 0)
        return COMMAND_REFUSED;
    if (list && !in->json && matched > 0)
        (void)printf("%lld message%s\n", (long long)matched,
                     matched == 1 ? "" : "s");
    if (matched > 0)
        return COMMAND_DONE;
    if (list && !is_filtered(in)) {
        if (!in->json)
            (void)puts("The queue is empty.");
        return COMMAND_DONE; // nothing was looked for that is not there
    }
    return command_fail(COMMAND_NOTHING, "no message in the queue matches");
}

/* Prints answers as they come; the last one says how many there were. */
static int
converse(const struct invocation *in, struct talk *t)
{
    struct err e = {0};
    json_t *j;

    if (!talk_send(t, make_request(in), &e))
        return command_fail(COMMAND_UNREACHABLE, "queue: %s", e.text);
    while ((j = talk_receive(t, &e)) != NULL) {
        int status = -1;
        if (json_object_get(j, "error") != NULL)
            status =
                command_fail(COMMAND_REFUSED, "queue: %s", text_of(j, "error"));
        else if (json_object_get(j, "done") != NULL)
            status = finish(in, j);
        else
            print(in, j);
        json_decref(j);
        if (status >= 0)
            return status;
    }
    return command_fail(COMMAND_UNREACHABLE, "queue: %s",
                        e.text[0] != '\0' ? e.text
                                          : "the server ended the answer");
}

static int
run(struct invocation *in)
{
    const struct conf *conf = command_config(in);
    struct talk t;
    struct err e;
    int status;

    if (conf == NULL)
        return COMMAND_USAGE;
    switch (talk_open(&t, conf, "queue", &e)) {
    case TALK_OPEN:
        break;
    case TALK_NO_SERVER:
        return command_fail(COMMAND_UNREACHABLE,
                            "no server is running with state %.*s: the queue "
                            "is shown by a running server",
                            STR_ARG(conf->state));
    case TALK_TROUBLE:
    default:
        return command_fail(COMMAND_UNREACHABLE, "%s", e.text);
    }
    status = converse(in, &t);
    talk_close(&t);
    return status;
}

/* Dropping everything must be asked for in so many words. */
static int
run_remove(struct invocation *in)
{
    if (!is_filtered(in))
        return command_fail(COMMAND_USAGE,
                            "queue remove: expected an ID or one of --from, "
                            "--to, --domain, --auth");
    return run(in);
}

const struct command queue_commands[] = {
    {.noun = "queue",
     .verb = "list",
     .help = "what waits, oldest attempts and replies with it",
     .options = filters,
     .run = run},
    {.noun = "queue",
     .verb = "show",
     .objects = "ID",
     .min = 1,
     .max = 1,
     .help = "one message and each of its recipients",
     .run = run},
    {.noun = "queue",
     .verb = "retry",
     .objects = "[ID]",
     .max = 1,
     .help = "try now: one message, those that match, or all",
     .options = filters,
     .run = run},
    {.noun = "queue",
     .verb = "remove",
     .objects = "[ID]",
     .max = 1,
     .help = "drop one message, or those that match; nobody is told",
     .options = filters,
     .run = run_remove},
    {0                                          },
};

int
mailq_main(int argc, char **argv)
{
    static const struct command *const groups[] = {queue_commands, NULL};
    char queue[] = "queue", list[] = "list";
    char **words = alloc_array((size_t)argc + 3, sizeof *words);
    int status;

    words[0] = argv[0];
    words[1] = queue;
    words[2] = list;
    for (int i = 1; i < argc; i++)
        words[i + 2] = argv[i];
    status = command_main(groups, argc + 2, words);
    free(words);
    return status;
}
