/* SPDX-License-Identifier: ISC */
#include "gate/checks.h"

/* Where a login is required nothing stands in for it but the submit socket;
 * relay.networks does not. */
static const char *
skip(const struct gate_facts *f)
{
    if (f->session->local)
        return "a program on this machine";
    return f->session->auth_required ? NULL : "this port asks for no login";
}

static struct gate_verdict
judge(const struct gate_facts *f)
{
    return f->session->user.n > 0 ? gate_pass()
                                  : gate_refuse(STR("login-needed"));
}

const struct gate_check gate_login = {.name = "login",
                                      .stage = GATE_MAIL,
                                      .option = "listen.auth",
                                      .skip = skip,
                                      .judge = judge};
