/* SPDX-License-Identifier: ISC */
#include "master/master.h"

#include "base/map.h"
#include "master/house.h"
#include "os/folder.h"
#include "os/log.h"
#include "os/sandbox.h"
#include "os/service.h"
#include "os/spawn.h"

enum { CONFIG_MAX = 16 << 20, EXIT_NOTHING_STARTED = 2 };

/* What one reading of the config asks for. */
struct plan {
    struct conf *conf;
    struct papers papers;
    struct ports ports;
};

struct master {
    struct buf config_file;
    bool log_json;
    struct accounts accounts;
    struct premises premises;
    struct plan plan;
    struct loop *loop;
    struct house *house;
    bool served; /* has been ready once */
    bool stopping;
};

/* Where complaints go: to stderr as they are before anything runs, to the log
 * afterwards. */
static void
complain(const struct master *m, struct str text)
{
    if (m->loop != NULL)
        log_event(LOG_ERROR, "reload-refused", LOG_S("error", text), LOG_END);
    else
        log_plain(text);
}

static void
complain_error(const struct master *m, const struct err *e)
{
    struct buf b = {0};
    if (m->loop == NULL)
        buf_add(&b, STR("gatepost: "));
    buf_add(&b, str_from(e->text));
    complain(m, buf_str(&b));
    buf_fini(&b);
}

/* Plans */

static struct conf *
read_config(struct master *m)
{
    struct buf text = {0};
    struct err e;
    const char *file = buf_cstr(&m->config_file);
    struct conf *c = NULL;
    if (file_read(file, CONFIG_MAX, &text, &e)) {
        struct conf_result r = conf_parse(buf_str(&text), file);
        for (size_t i = 0; i < r.n_problems; i++)
            complain(m, r.problems[i].text);
        arena_fini(&r.arena);
        c = r.conf;
    } else {
        complain_error(m, &e);
    }
    buf_fini(&text);
    if (c != NULL && m->log_json)
        c->log_json = true;
    return c;
}

static void
plan_close(struct plan *p)
{
    papers_close(&p->papers);
    ports_close(&p->ports);
    conf_free(p->conf);
}

/* Takes conf over. false: complained, nothing is left open. */
static bool
plan_open(struct master *m, struct plan *p, struct conf *conf)
{
    struct err e;
    *p = (struct plan){.conf = conf};
    if (!papers_open(&p->papers, conf, &e)) {
        complain_error(m, &e);
        conf_free(conf);
        return false;
    }
    if (!ports_open(&p->ports, conf, &m->plan.ports, &e)) {
        complain_error(m, &e);
        papers_close(&p->papers);
        conf_free(conf);
        return false;
    }
    return true;
}

static void
follow(struct master *m)
{
    house_follow(m->house, &(struct house_plan){.conf = m->plan.conf,
                                                .papers = &m->plan.papers,
                                                .ports = &m->plan.ports});
}

/* What happens later */

static void
on_settled(void *ctx)
{
    struct master *m = ctx;
    struct err e;
    if (!premises_announce(&m->premises, &e))
        log_error(e.text);
    service_tell(SERVICE_READY, loop_now(m->loop).mono_ms);
    log_event(LOG_INFO, m->served ? "reloaded" : "ready",
              LOG_S("hostname", m->plan.conf->hostname),
              LOG_N("pid", spawn_own_pid()), LOG_END);
    m->served = true;
}

static void
on_empty(void *ctx)
{
    struct master *m = ctx;
    log_event(LOG_INFO, "stopped", LOG_END);
    loop_stop(m->loop);
}

static bool
may_follow(const struct master *m, const struct conf *fresh, struct err *e)
{
    if (!str_eq(fresh->state, m->plan.conf->state))
        return err_set(e,
                       "state: expected no change while running, from "
                       "%.*s to %.*s: stop and start instead",
                       STR_ARG(m->plan.conf->state), STR_ARG(fresh->state));
    if (fresh->run_as_caller != m->plan.conf->run_as_caller)
        return err_set(e, "run-as: expected no change while running: stop and "
                          "start instead");
    return true;
}

/* Everything that may fail comes before the first change. */
static void
on_reload(void *ctx)
{
    struct master *m = ctx;
    struct plan fresh;
    struct err e;
    if (m->stopping)
        return;
    service_tell(SERVICE_RELOADING, loop_now(m->loop).mono_ms);
    struct conf *conf = read_config(m);
    bool ok = conf != NULL;
    if (ok && !may_follow(m, conf, &e)) {
        complain_error(m, &e);
        conf_free(conf);
        ok = false;
    }
    if (!ok || !plan_open(m, &fresh, conf)) {
        service_tell(SERVICE_READY, loop_now(m->loop).mono_ms);
        return;
    }
    log_event(LOG_INFO, "reloading", LOG_END);
    struct plan old = m->plan;
    m->plan = fresh;
    follow(m);
    plan_close(&old);
}

static void
on_terminate(void *ctx)
{
    struct master *m = ctx;
    if (!m->stopping) {
        log_event(LOG_INFO, "stopping", LOG_END);
        service_tell(SERVICE_STOPPING, loop_now(m->loop).mono_ms);
        ports_close(&m->plan.ports); // nobody new waits in line
    }
    m->stopping = true;
    house_stop(m->house);
}

/* The start */

static bool
prepare(struct master *m)
{
    struct err e;
    struct conf *c = read_config(m);
    if (c == NULL)
        return false;
    log_open("master", c->log_json, LOG_INFO);
    if (!accounts_find(c, &m->accounts, &e)) {
        complain_error(m, &e);
        conf_free(c);
        return false;
    }
    /* The folder first: a second master learns whose it is, not that the
     * ports are taken. */
    if (!premises_open(&m->premises, c, &m->accounts, &e)) {
        complain_error(m, &e);
        conf_free(c);
        return false;
    }
    return plan_open(m, &m->plan, c);
}

static void
serve(struct master *m)
{
    m->loop = loop_new();
    loop_on_signal(m->loop, LOOP_RELOAD, on_reload, m);
    loop_on_signal(m->loop, LOOP_TERMINATE, on_terminate, m);
    m->house = house_new(&(struct house_base){.loop = m->loop,
                                              .accounts = &m->accounts,
                                              .premises = &m->premises,
                                              .on_settled = on_settled,
                                              .on_empty = on_empty,
                                              .ctx = m});
    follow(m);
    loop_run(m->loop);
    house_free(m->house);
    loop_free(m->loop);
}

int
master_main(const char *config_file, bool log_json)
{
    struct master m = {.log_json = log_json, .premises = premises_none()};
    uint64_t seed;

    buf_add(&m.config_file, str_from(config_file));
    sandbox_begin(2);
    sandbox_title("gatepost: master"); // config_file may lie where this goes
    sandbox_random(&seed, sizeof seed);
    map_seed(seed);

    bool ok = prepare(&m);
    if (ok) {
        serve(&m);
        plan_close(&m.plan);
    }
    premises_close(&m.premises);
    buf_fini(&m.config_file);
    log_flush();
    return ok ? 0 : EXIT_NOTHING_STARTED;
}
