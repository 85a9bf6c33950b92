/* SPDX-License-Identifier: ISC */
#include "directory/password.h"

#include <crypt.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* yescrypt with the default cost, as password_hash() makes them: cost and
 * time are the same whatever is hashed. */
#define NOBODY                                                                 \
    "$y$j9T$tIhtJ3peK2R.2WDLxukQQ1$WPjWt06gOXjRtciMU8FIFd4RmbLrEuCAS9RR7.HU1/" \
    "7"

struct str
password_nobody(void)
{
    return STR(NOBODY);
}

/* crypt(3) needs NUL-terminated strings; what it leaves behind is wiped. */
struct scratch {
    struct crypt_data data;
    char password[PASSWORD_MAX + 1];
    char setting[CRYPT_OUTPUT_SIZE];
};

static const char *
hash_with(struct scratch *s, struct str password)
{
    if (password.n > 0)
        memcpy(s->password, password.p, password.n);
    const char *hash =
        crypt_rn(s->password, s->setting, &s->data, (int)sizeof s->data);
    return hash != NULL && hash[0] != '*' ? hash : NULL;
}

static void
discard(struct scratch *s)
{
    alloc_wipe(s, sizeof *s);
    free(s);
}

static bool
usable(struct str password)
{
    return password.n > 0 && password.n <= PASSWORD_MAX &&
           str_find_char(password, '\0') < 0;
}

static bool
make_hash(struct scratch *s, struct str password, struct buf *to, struct err *e)
{
    if (crypt_gensalt_rn("$y$", 0, NULL, 0, s->setting,
                         (int)sizeof s->setting) == NULL)
        return err_sys(e, "crypt_gensalt", "yescrypt");
    const char *hash = hash_with(s, password);
    if (hash == NULL)
        return err_sys(e, "crypt", "yescrypt");
    buf_add(to, str_from(hash));
    return true;
}

bool
password_hash(struct str password, struct buf *to, struct err *e)
{
    if (password.n == 0)
        return err_set(e, "the password is empty");
    if (password.n > PASSWORD_MAX)
        return err_set(e, "the password is longer than %d octets",
                       PASSWORD_MAX);
    if (!usable(password))
        return err_set(e, "the password has a NUL octet in it");
    struct scratch *s = alloc_zero(sizeof *s);
    bool ok = make_hash(s, password, to, e);
    discard(s);
    return ok;
}

/* The time tells nothing of where they differ. */
static bool
same(struct str a, struct str b)
{
    unsigned char differ = 0;

    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        differ |= (unsigned char)(a.p[i] ^ b.p[i]);
    return differ == 0;
}

bool
password_matches(struct str password, struct str hash)
{
    bool possible = usable(password) && hash.n < CRYPT_OUTPUT_SIZE;
    struct scratch *s = alloc_zero(sizeof *s);

    if (!possible) {
        password = STR("x");
        hash = STR(NOBODY);
    }
    memcpy(s->setting, hash.p, hash.n);
    const char *got = hash_with(s, password);
    if (got == NULL) { // no hash crypt(3) knows: still take the time
        memcpy(s->setting, NOBODY, sizeof NOBODY);
        (void)hash_with(s, password);
        possible = false;
    }
    bool match = possible && got != NULL && same(str_from(got), hash);
    discard(s);
    return match;
}
