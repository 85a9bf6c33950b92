/* SPDX-License-Identifier: ISC */
#include "cli/lang.h"

#include <stdlib.h>

#include "catalogue/language.h"

/* As POSIX has it: the first that is not empty. */
static struct str
locale(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct str value = str_from(getenv(names[i]));
        if (value.n > 0)
            return value;
    }
    return STR_EMPTY;
}

bool
lang_choose(const struct invocation *in, unsigned *lang)
{
    const char *wanted = command_value(in, "--lang");
    if (wanted == NULL) {
        *lang = language_of_locale(locale());
        return true;
    }
    if (language_find(str_from(wanted), lang))
        return true;
    struct buf known = {0};
    for (unsigned i = 0; i < language_count(); i++)
        buf_addf(&known, "%s%.*s", i == 0 ? "" : ", ",
                 STR_ARG(language_tag(i)));
    (void)command_fail(COMMAND_USAGE, "--lang %s: expected one of %s", wanted,
                       buf_cstr(&known));
    buf_fini(&known);
    return false;
}
