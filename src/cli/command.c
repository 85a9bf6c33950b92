/* SPDX-License-Identifier: ISC */
#include "cli/command.h"

#include <stdarg.h>
#include <string.h>

#define DEFAULT_CONFIG "/etc/gatepost/gatepost.conf"

/* A command line as words; --config, --json, --help and --version are taken
 * out wherever they stand. */
struct words {
    char **argv;
    int argc;
    int at;
    bool literal; /* behind "--": no word is an option */
    bool help, version;
    struct invocation *in;
};

int
command_fail(int status, const char *format, ...)
{
    va_list args;
    (void)fflush(stdout);
    (void)fputs("gatepost: ", stderr);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    return status;
}

static bool
is_option(const struct words *w, const char *word)
{
    return !w->literal && word[0] == '-' && word[1] != '\0';
}

/* --name VALUE or --name=VALUE; 1: taken, 0: another option, -1: no value. */
static int
take_value(struct words *w, const char *name, const char **value)
{
    const char *word = w->argv[w->at];
    size_t n = strlen(name);

    if (strncmp(word, name, n) != 0 || (word[n] != '\0' && word[n] != '='))
        return 0;
    if (word[n] == '=') {
        *value = word + n + 1;
        w->at++;
        return 1;
    }
    if (w->at + 1 >= w->argc)
        return -1;
    *value = w->argv[w->at + 1];
    w->at += 2;
    return 1;
}

/* An option that every command has; as take_value(). */
static int
take_common(struct words *w)
{
    const char *word = w->argv[w->at];

    if (strcmp(word, "--json") == 0)
        w->in->json = true;
    else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        w->help = true;
    else if (strcmp(word, "--version") == 0)
        w->version = true;
    else
        return take_value(w, "--config", &w->in->config);
    w->at++;
    return 1;
}

/* The next word that is no option, before the command is known; NULL: none
 * left. *status is set when an option was wrong. */
static const char *
take_name(struct words *w, int *status)
{
    while (w->at < w->argc) {
        const char *word = w->argv[w->at];
        if (!is_option(w, word))
            return word;
        int taken = take_common(w);
        if (taken == 1)
            continue;
        *status =
            taken < 0
                ? command_fail(COMMAND_USAGE, "%s needs a value", word)
                : command_fail(
                      COMMAND_USAGE,
                      "unknown option %s before the command; try --help", word);
        return NULL;
    }
    return NULL;
}

static void
print_usage(FILE *to, const struct command *c)
{
    (void)fprintf(to, "gatepost %s%s%s", c->noun, c->verb ? " " : "",
                  c->verb ? c->verb : "");
    if (c->objects != NULL)
        (void)fprintf(to, " %s", c->objects);
    if (c->options != NULL)
        (void)fputs(" [options]", to);
}

static void
print_option(const char *name, const char *value, const char *help)
{
    char left[40];
    (void)snprintf(left, sizeof left, "%s%s%s", name, value ? " " : "",
                   value ? value : "");
    (void)printf("  %-24s %s\n", left, help);
}

static int
help_command(const struct command *c)
{
    (void)fputs("usage: ", stdout);
    print_usage(stdout, c);
    (void)printf("\n\n%s\n\n", c->help);
    for (const struct command_option *o = c->options; o && o->name; o++)
        print_option(o->name, o->value, o->help);
    print_option("--config", "FILE", "instead of " DEFAULT_CONFIG);
    print_option("--json", NULL, "print JSON, one object a line");
    return COMMAND_DONE;
}

/* All commands, or those of one noun; the number printed. */
static size_t
list_commands(FILE *to, const struct command *const *groups, const char *noun)
{
    size_t n = 0;
    for (; *groups != NULL; groups++) {
        for (const struct command *c = *groups; c->noun != NULL; c++) {
            char left[80];
            if (noun != NULL && strcmp(noun, c->noun) != 0)
                continue;
            (void)snprintf(left, sizeof left, "%s%s%s%s%s", c->noun,
                           c->verb ? " " : "", c->verb ? c->verb : "",
                           c->objects ? " " : "", c->objects ? c->objects : "");
            (void)fprintf(to, "  gatepost %-34s %s\n", left, c->help);
            n++;
        }
    }
    return n;
}

static int
help_all(const struct command *const *groups)
{
    (void)puts("Gatepost " GATEPOST_VERSION ", a mail server\n\n"
               "usage: gatepost NOUN VERB [objects] [--options]\n");
    (void)list_commands(stdout, groups, NULL);
    (void)puts("\nEvery command takes --config FILE (default "
               "" DEFAULT_CONFIG "),\n"
               "--json and --help. Exit status: 0 done, 1 nothing matched, "
               "2 usage,\n3 refused, 4 server unreachable. Manual: "
               "gatepost(1), gatepost.conf(5).");
    return COMMAND_DONE;
}

static const struct command *
find_command(const struct command *const *groups, const char *noun,
             const char *verb)
{
    for (; *groups != NULL; groups++) {
        for (const struct command *c = *groups; c->noun != NULL; c++) {
            if (strcmp(c->noun, noun) != 0)
                continue;
            if (c->verb == NULL || (verb && strcmp(c->verb, verb) == 0))
                return c;
        }
    }
    return NULL;
}

/* One option of the command itself; as take_value(). */
static int
take_own(struct words *w)
{
    const struct command_option *options = w->in->command->options;

    for (size_t i = 0; options != NULL && options[i].name != NULL; i++) {
        if (options[i].value != NULL) {
            int taken = take_value(w, options[i].name, &w->in->values[i]);
            if (taken != 0)
                return taken;
        } else if (strcmp(w->argv[w->at], options[i].name) == 0) {
            w->in->values[i] = "";
            w->at++;
            return 1;
        }
    }
    return 0;
}

static int
wrong_option(const struct words *w, const char *word, bool no_value)
{
    const struct command *c = w->in->command;
    const char *verb = c->verb ? c->verb : "";
    const char *gap = c->verb ? " " : "";

    if (no_value)
        return command_fail(COMMAND_USAGE, "%s%s%s: %s needs a value", c->noun,
                            gap, verb, word);
    return command_fail(
        COMMAND_USAGE,
        "%s%s%s: unknown option %s; gatepost %s%s%s --help lists them", c->noun,
        gap, verb, word, c->noun, gap, verb);
}

/* Objects and options behind the command's name. */
static int
take_rest(struct words *w)
{
    struct invocation *in = w->in;

    while (w->at < w->argc) {
        const char *word = w->argv[w->at];
        if (!is_option(w, word)) {
            in->objects[in->n_objects++] = word;
            w->at++;
        } else if (strcmp(word, "--") == 0) {
            w->literal = true;
            w->at++;
        } else {
            int taken = take_common(w);
            if (taken == 0)
                taken = take_own(w);
            if (taken != 1)
                return wrong_option(w, word, taken < 0);
        }
    }
    return COMMAND_DONE;
}

static int
run_command(const struct words *w)
{
    struct invocation *in = w->in;
    const struct command *c = in->command;

    if (w->help)
        return help_command(c);
    if (in->n_objects < c->min || in->n_objects > c->max) {
        (void)fprintf(stderr, "gatepost: too %s arguments\nusage: ",
                      in->n_objects < c->min ? "few" : "many");
        print_usage(stderr, c);
        (void)fputc('\n', stderr);
        return COMMAND_USAGE;
    }
    return c->run(in);
}

static int
unknown_command(const struct command *const *groups, const char *noun,
                const char *verb)
{
    bool known = find_command(groups, noun, verb) != NULL;
    for (size_t i = 0; groups[i] != NULL && !known; i++)
        for (const struct command *c = groups[i]; c->noun != NULL; c++)
            known = known || strcmp(c->noun, noun) == 0;

    if (!known)
        return command_fail(COMMAND_USAGE,
                            "unknown command \"%s\"; gatepost --help lists "
                            "them",
                            noun);
    if (verb == NULL)
        (void)command_fail(0, "%s: expected a verb, one of", noun);
    else
        (void)command_fail(0, "%s: unknown verb \"%s\", expected one of", noun,
                           verb);
    (void)list_commands(stderr, groups, noun);
    return COMMAND_USAGE;
}

static int
parse_and_run(const struct command *const *groups, struct words *w)
{
    struct invocation *in = w->in;
    int status = COMMAND_DONE;
    const char *noun, *verb = NULL;

    noun = take_name(w, &status);
    if (status != COMMAND_DONE)
        return status;
    if (noun == NULL) {
        if (w->version)
            return puts("gatepost " GATEPOST_VERSION) < 0;
        if (w->help)
            return help_all(groups);
        return command_fail(COMMAND_USAGE,
                            "expected a command; gatepost --help lists them");
    }
    w->at++;
    in->command = find_command(groups, noun, NULL);
    if (in->command == NULL) {
        verb = take_name(w, &status);
        if (status != COMMAND_DONE)
            return status;
        if (verb == NULL && w->help && list_commands(stdout, groups, noun) > 0)
            return COMMAND_DONE;
        if (verb != NULL)
            in->command = find_command(groups, noun, verb);
        if (in->command == NULL)
            return unknown_command(groups, noun, verb);
        w->at++;
    }
    size_t n = 0;
    while (in->command->options != NULL && in->command->options[n].name != NULL)
        n++;
    in->values = arena_array(&in->arena, n + 1, sizeof *in->values);
    status = take_rest(w);
    return status == COMMAND_DONE ? run_command(w) : status;
}

int
command_main(const struct command *const *groups, int argc, char **argv)
{
    struct invocation in = {.config = DEFAULT_CONFIG};
    struct words w = {.argv = argv, .argc = argc, .at = 1, .in = &in};

    in.objects = arena_array(&in.arena, (size_t)argc + 1, sizeof *in.objects);
    int status = parse_and_run(groups, &w);
    if (in.conf != NULL)
        conf_free(in.conf);
    arena_fini(&in.arena);
    if (fflush(stdout) != 0 && status == COMMAND_DONE)
        status = command_fail(COMMAND_REFUSED, "cannot write to stdout");
    return status;
}

const char *
command_value(const struct invocation *in, const char *name)
{
    const struct command_option *options = in->command->options;

    for (size_t i = 0; options != NULL && options[i].name != NULL; i++)
        if (strcmp(options[i].name, name) == 0)
            return in->values[i];
    return NULL;
}

bool
command_has(const struct invocation *in, const char *name)
{
    return command_value(in, name) != NULL;
}
