/* SPDX-License-Identifier: ISC */
/* What a client calls itself: something a name can be, and not our name. */
#include "gate/checks.h"

/* Programs of people often do not know their computer's name, and those of this
 * house may use ours. */
static const char *
skip(const struct gate_facts *f)
{
    const struct gate_session *s = f->session;
    if (f->policy->hello_any)
        return "off";
    if (s->helo.n == 0)
        return "nothing was said";
    if (s->local)
        return "a program on this machine";
    if (s->auth_required)
        return "a port for mail programs";
    if (s->user.n > 0)
        return "logged in";
    return s->in_networks ? "the client is in relay.networks" : NULL;
}

/* "[192.0.2.1]", "[IPv6:2001:db8::1]"; RFC 5321, 4.1.3. */
static bool
is_literal(struct str s)
{
    struct address a;
    struct buf b = {0};
    buf_addf(&b, "x@%.*s", STR_ARG(s));
    bool ok = address_parse(buf_str(&b), &a) && a.literal;
    buf_fini(&b);
    return ok;
}

/* Many machines are named with an underscore, against RFC 952 and without harm.
 */
static bool
is_name(struct arena *a, struct str s)
{
    char *plain = arena_alloc(a, s.n);
    for (size_t i = 0; i < s.n; i++)
        plain[i] = s.p[i] == '_' ? 'x' : s.p[i];
    return domain_valid(str_from_n(plain, s.n));
}

static struct gate_verdict
judge_syntax(const struct gate_facts *f)
{
    struct str name = f->session->helo;
    if (str_ends(name, STR("."))) // the root's dot: forgiven
        name.n--;
    return is_name(f->arena, name) || is_literal(name)
               ? gate_pass()
               : gate_refuse(STR("bad-hello"));
}

static struct gate_verdict
judge_name(const struct gate_facts *f)
{
    struct str said = domain_key(f->arena, f->session->helo);
    if (said.n > 0 && str_eq(said, domain_key(f->arena, f->book->hostname)))
        return gate_refuse(STR("own-name-forged"));
    return gate_pass();
}

const struct gate_check gate_hello_syntax = {.name = "hello-syntax",
                                             .stage = GATE_HELLO,
                                             .option = "gate.hello",
                                             .skip = skip,
                                             .judge = judge_syntax};
const struct gate_check gate_hello_name = {.name = "hello-name",
                                           .stage = GATE_HELLO,
                                           .option = "gate.hello",
                                           .skip = skip,
                                           .judge = judge_name};
