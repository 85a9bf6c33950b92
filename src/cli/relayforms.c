/* SPDX-License-Identifier: ISC */
#include "cli/relayforms.h"

#include "base/buf.h"

/* $ stands for a name of ours. RFC 2606: nobody is called abroad.invalid. */
static const char *const forms[] = {
    "victim@abroad.invalid",
    "VICTIM@ABROAD.INVALID",
    "victim@abroad.invalid.",
    "postmaster@abroad.invalid",
    "victim@[192.0.2.99]",
    "victim@[IPv6:2001:db8::99]",
    "victim@[127.0.0.1]",
    "victim%abroad.invalid@$",
    "victim%abroad.invalid@[127.0.0.1]",
    "victim%abroad.invalid@abroad.invalid",
    "victim%abroad.invalid%$@$",
    "\"victim@abroad.invalid\"@$",
    "\"victim%abroad.invalid\"@$",
    "\"victim@abroad.invalid\"",
    "victim@abroad.invalid@$",
    "victim@abroad.invalid%$",
    "abroad.invalid!victim@$",
    "abroad.invalid!victim",
    "$!abroad.invalid!victim",
    "$!victim@abroad.invalid",
    "@$:victim@abroad.invalid",
    "@$,@abroad.invalid:victim@abroad.invalid",
    "@abroad.invalid:victim@$",
    "@[127.0.0.1]:victim@abroad.invalid",
    "victim@$.abroad.invalid",
    "victim@abroad.invalid,$",
};

struct str
relayform_at(struct arena *a, size_t i, struct str here)
{
    struct buf b = {0};
    if (i >= sizeof forms / sizeof *forms)
        return STR_EMPTY;
    for (const char *p = forms[i]; *p != '\0'; p++) {
        if (*p == '$')
            buf_add(&b, here);
        else
            buf_add_char(&b, *p);
    }
    struct str form = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return form;
}
