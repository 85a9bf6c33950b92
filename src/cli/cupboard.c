/* SPDX-License-Identifier: ISC */
#include "cli/cupboard.h"

#include <time.h>

#include "cli/talk.h"
#include "mail/address.h"
#include "os/account.h"
#include "os/folder.h"

/* A change is in force within milliseconds; a server that takes longer is in
 * trouble, and whoever typed should know. */
enum { SYNC_TIMEOUT_MS = 5000 };

#define ACCOUNT "gatepost-auth" /* whom directory runs as */

static bool
find(void *ctx, struct str key, struct str *value)
{
    struct cupboard *c = ctx;
    struct buf b = {0};

    // A failing database shows at the change itself, too.
    bool ok = hosting_value(&c->hosting, c->accounts, key, &b, &c->e);
    *value = arena_dup(&c->in->arena, buf_str(&b));
    buf_fini(&b);
    return ok && value->n > 0;
}

/* The folder, as master would make it; what root writes there is given to the
 * directory's account. */
static bool
open_database(struct cupboard *c)
{
    const struct account *owner = NULL;
    struct account account;
    struct buf folder = {0}, path = {0};

    if (account_am_root() && !c->conf->run_as_caller) {
        if (!account_find(ACCOUNT, &account))
            return err_set(&c->e,
                           "account " ACCOUNT " is missing: expected the "
                           "accounts that the installation makes, or run-as = "
                           "\"caller\" in %s",
                           c->in->config);
        owner = &account;
    }
    buf_addf(&folder, "%.*s/directory", STR_ARG(c->conf->state));
    buf_addf(&path, "%.*s/accounts.db", STR_ARG(buf_str(&folder)));
    if (folder_make(buf_cstr(&folder), 0700, owner, &c->e))
        c->accounts = accounts_open(buf_cstr(&path), &c->e);
    bool ok = c->accounts != NULL &&
              (owner == NULL || folder_give(buf_cstr(&folder), owner, &c->e));
    buf_fini(&folder);
    buf_fini(&path);
    return ok;
}

static void
close_cupboard(struct cupboard *c)
{
    accounts_close(c->accounts);
    hosting_fini(&c->hosting);
}

static int
open_cupboard(struct cupboard *c, struct invocation *in)
{
    *c = (struct cupboard){.in = in, .conf = command_config(in)};
    if (c->conf == NULL)
        return COMMAND_USAGE;
    if (!open_database(c)) {
        close_cupboard(c);
        return command_fail(COMMAND_REFUSED, "%s", c->e.text);
    }
    hosting_init(&c->hosting, c->conf);
    c->book = (struct book){
        .find = find,
        .ctx = c,
        .hostname = c->conf->hostname,
        .postmaster = c->conf->postmaster,
        .postmaster_delivery = arena_printf(
            &in->arena, "maildir:%.*s/postmaster", STR_ARG(c->conf->state))};
    return COMMAND_DONE;
}

int
cupboard_trouble(const struct cupboard *c)
{
    return command_fail(COMMAND_REFUSED, "%s", c->e.text);
}

int
cupboard_status(const struct cupboard *c, enum accounts_result result,
                const char *noun, struct str key)
{
    if (result == ACCOUNTS_MISSING)
        return command_fail(COMMAND_NOTHING, "there is no %s %.*s", noun,
                            STR_ARG(key));
    return result == ACCOUNTS_DONE ? COMMAND_DONE : cupboard_trouble(c);
}

int
cupboard_read(struct invocation *in, cupboard_fn fn, void *ctx)
{
    struct cupboard c;
    int status = open_cupboard(&c, in);

    if (status != COMMAND_DONE)
        return status;
    status = fn(&c, ctx);
    close_cupboard(&c);
    return status;
}

static bool
await_sync(struct talk *t, struct err *e)
{
    t->timeout_ms = SYNC_TIMEOUT_MS;
    if (!talk_send(t, json_pack("{s:s}", "verb", "sync"), e))
        return false;
    json_t *answer = talk_receive(t, e);
    bool ok = json_is_true(json_object_get(answer, "ok"));
    if (answer == NULL && e->text[0] == '\0')
        (void)err_set(e, "the server hung up");
    else if (answer != NULL && !ok)
        (void)err_set(e, "the server did not understand");
    json_decref(answer);
    return ok;
}

/* Has a running server put into force what is committed? */
static int
tell_server(const struct cupboard *c)
{
    struct talk t;
    struct err e = {0};
    enum talk_result there = talk_open(&t, c->conf, "directory", &e);
    bool ok =
        there == TALK_NO_SERVER || (there == TALK_OPEN && await_sync(&t, &e));

    talk_close(&t);
    if (ok)
        return COMMAND_DONE;
    return command_fail(COMMAND_UNREACHABLE,
                        "done, but the running server has not confirmed it: %s",
                        e.text);
}

static int
change(struct cupboard *c, cupboard_fn fn, void *ctx)
{
    if (!accounts_begin(c->accounts, &c->e))
        return cupboard_trouble(c);
    int status = fn(c, ctx);
    if (status != COMMAND_DONE) {
        accounts_abort(c->accounts);
        return status;
    }
    if (!accounts_commit(c->accounts, &c->e))
        return cupboard_trouble(c);
    return tell_server(c);
}

int
cupboard_change(struct invocation *in, cupboard_fn fn, void *ctx)
{
    struct cupboard c;
    int status = open_cupboard(&c, in);

    if (status != COMMAND_DONE)
        return status;
    status = change(&c, fn, ctx);
    close_cupboard(&c);
    return status;
}

bool
cupboard_address(struct invocation *in, const char *text, struct str *key)
{
    struct address a;

    if (address_parse(str_from(text), &a) && !a.literal) {
        *key = address_key(&in->arena, &a);
        if (key->n > 0)
            return true;
    }
    (void)command_fail(0,
                       "\"%s\" is no address, expected one such as "
                       "ann@example.com",
                       text);
    return false;
}

bool
cupboard_domain(struct invocation *in, const char *text, struct str *key)
{
    struct str name = str_from(text);

    if (name.n > 1 && name.p[name.n - 1] == '.')
        name.n--;
    if (domain_valid(name)) {
        *key = domain_key(&in->arena, name);
        if (key->n > 0)
            return true;
    }
    (void)command_fail(0,
                       "\"%s\" is no domain name, expected one such as "
                       "example.com",
                       text);
    return false;
}

int
cupboard_read_domain(struct invocation *in, cupboard_fn fn)
{
    struct str domain = STR_EMPTY;

    if (in->n_objects > 0 && !cupboard_domain(in, in->objects[0], &domain))
        return COMMAND_USAGE;
    return cupboard_read(in, fn, &domain);
}

int
cupboard_need_hosted(struct cupboard *c, struct str key)
{
    struct str domain =
        str_from_pos(key, (size_t)(str_rfind_char(key, '@') + 1));
    if (book_is_ours(&c->book, &c->in->arena, domain))
        return COMMAND_DONE;
    return command_fail(COMMAND_REFUSED,
                        "%.*s is not hosted here: add domain \"%.*s\" { } to "
                        "%s, or run gatepost domain add %.*s",
                        STR_ARG(domain), STR_ARG(domain), c->in->config,
                        STR_ARG(domain));
}

int64_t
cupboard_now_ms(void)
{
    return (int64_t)time(NULL) * 1000;
}

struct str
cupboard_date(struct arena *a, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char text[32];

    if (gmtime_r(&seconds, &tm) == NULL)
        return STR("unknown");
    size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return arena_dup(a, str_from_n(text, n));
}

void
cupboard_print(json_t *object)
{
    (void)json_dumpf(object, stdout, JSON_COMPACT);
    (void)putchar('\n');
    json_decref(object);
}

json_t *
cupboard_json(struct str text)
{
    json_t *string = json_stringn(text.n > 0 ? text.p : "", text.n);
    struct buf b = {0};

    if (string != NULL)
        return string;
    for (size_t i = 0; i < text.n; i++) // an old 8-bit text
        buf_addf(&b, (unsigned char)text.p[i] < 0x80 ? "%c" : "\xef\xbf\xbd",
                 text.p[i]);
    string = json_stringn(b.p, b.n);
    buf_fini(&b);
    return string;
}
