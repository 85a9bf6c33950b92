/* SPDX-License-Identifier: ISC */
/* gatepost config check|show|keys */
#include "cli/commands.h"

#include "catalogue/catalogue.h"
#include "conf/options.h"
#include "conf/value.h"
#include "gate/rules.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

enum { RULES_FILE_MAX = 4 << 20 };

/* A file that the config names must be there when the server starts. */
static bool
check_file(const struct invocation *in, const char *key, struct str name)
{
    struct buf path = {0};
    bool ok = true;

    if (name.n > 0) {
        buf_add(&path, name);
        FILE *f = fopen(buf_cstr(&path), "rbe");
        ok = f != NULL;
        if (!ok)
            (void)fprintf(stderr, "%s: %s: cannot read %s: %s\n", in->config,
                          key, buf_cstr(&path), strerror(errno));
        else
            (void)fclose(f);
        buf_fini(&path);
    }
    return ok;
}

/* Each problem on a line of its own: "FILE:17: ...". */
static bool
check_rules(const struct invocation *in, struct str name)
{
    struct buf text = {0}, problems = {0};
    bool ok = check_file(in, "gate.message-rules", name);

    if (ok && name.n > 0) {
        struct buf path = {0};
        buf_add(&path, name);
        ok = command_read(buf_cstr(&path), RULES_FILE_MAX, &text);
        struct rules *r = rules_new(buf_str(&text), &problems);
        rules_free(r);
        ok = ok && r != NULL;
        buf_fini(&path);
    }
    struct str rest = buf_str(&problems), line;
    while (rest.n > 0) {
        (void)str_cut(rest, '\n', &line, &rest);
        (void)fprintf(stderr, "%.*s:%.*s\n", STR_ARG(name), STR_ARG(line));
    }
    buf_fini(&text);
    buf_fini(&problems);
    return ok;
}

/* Without its file a list answers everybody "later". */
static bool
check_lists(const struct invocation *in, const struct conf *c)
{
    struct conf_list l;
    struct value_source source;
    bool ok = true;

    for (size_t i = 0; conf_list_at(c, i, &l); i++) {
        struct buf key = {0};
        buf_addf(&key, "gate.%.*s", STR_ARG(list_name(l.id)));
        if (value_source(l.source, &source) && source.kind != SOURCE_POSTGRES)
            ok = check_file(in, buf_cstr(&key), source.place) && ok;
        buf_fini(&key);
    }
    return ok;
}

static void
note(const struct invocation *in, uint32_t line, struct str text)
{
    (void)printf("%s:%u: note: %.*s\n", in->config, line, STR_ARG(text));
}

/* What is allowed, and mostly not meant. */
static void
print_notes(const struct invocation *in, const struct conf *c)
{
    for (size_t i = 0; i < c->n_replies; i++) {
        const struct conf_reply *r = &c->replies[i];
        const struct reason *reason = catalogue_find(r->reason);
        struct buf text = {0};
        buf_addf(&text, "reply \"%.*s\": ", STR_ARG(r->reason));
        if (reason != NULL && !catalogue_fits(reason, r->text, &text))
            note(in, r->line, buf_str(&text));
        buf_fini(&text);
    }
    if (c->gate.null_sender_refused)
        note(in, conf_line(c, STR("gate.null-sender")),
             STR("gate.null-sender: refuse loses every bounce and receipt "
                 "(RFC 5321, 4.5.5), and servers that check senders by calling "
                 "back will refuse your mail"));
    if (c->gate.own_domain_open)
        note(in, conf_line(c, STR("gate.own-domain")),
             STR("gate.own-domain: open lets strangers write as your users"));
}

static int
run_check(struct invocation *in)
{
    if (in->n_objects > 0)
        in->config = in->objects[0];
    const struct conf *c = command_config(in);
    if (c == NULL)
        return COMMAND_USAGE;
    bool ok = check_file(in, "tls.certificate", c->tls.certificate);
    ok = check_file(in, "tls.key", c->tls.key) && ok;
    ok = check_file(in, "relay.smarthost-password-file",
                    c->relay.smarthost_password_file) &&
         ok;
    ok =
        check_file(in, "relay.smarthost-ca-file", c->relay.smarthost_ca_file) &&
        ok;
    ok = check_rules(in, c->gate.message_rules) && ok;
    ok = check_lists(in, c) && ok;
    if (!ok)
        return COMMAND_USAGE;
    print_notes(in, c);
    (void)printf("%s: good: %zu listen, %zu domain%s\n", in->config,
                 c->n_listens, c->n_domains, c->n_domains == 1 ? "" : "s");
    return COMMAND_DONE;
}

static int
run_show(struct invocation *in)
{
    const struct conf *conf = command_config(in);
    struct buf text = {0};

    if (conf == NULL)
        return COMMAND_USAGE;
    conf_print(conf, ROLE_NONE, &text);
    (void)fwrite(text.p, 1, text.n, stdout);
    buf_fini(&text);
    return COMMAND_DONE;
}

static void
print_key_json(const struct option *o, const char *section, const char *type)
{
    json_t *key = json_pack("{s:s?, s:s, s:s, s:s?, s:s}", "section", section,
                            "key", o->name, "type", type, "default",
                            o->fallback, "help", o->help);
    (void)json_dumpf(key, stdout, JSON_COMPACT);
    (void)putchar('\n');
    json_decref(key);
}

static int
run_keys(struct invocation *in)
{
    for (size_t i = 0; i < option_count(); i++) {
        const struct option *o = &option_table[i];
        const char *section = section_name(o->section);
        struct buf type = {0};

        option_describe(o, &type);
        if (in->json)
            print_key_json(o, section, buf_cstr(&type));
        else
            (void)printf("%s%s%s: %s%s%s\n    %s\n", section ? section : "",
                         section ? "." : "", o->name, buf_cstr(&type),
                         o->fallback ? ", default " : "",
                         o->fallback ? o->fallback : "", o->help);
        buf_fini(&type);
    }
    return COMMAND_DONE;
}

const struct command config_commands[] = {
    {.noun = "config",
     .verb = "check",
     .objects = "[FILE]",
     .max = 1,
     .help = "say what is wrong with a config file, and where",
     .run = run_check},
    {.noun = "config",
     .verb = "show",
     .help = "print the config with its defaults filled in",
     .run = run_show},
    {.noun = "config",
     .verb = "keys",
     .help = "list every key: type, default, meaning",
     .run = run_keys},
    {0                                                        },
};
