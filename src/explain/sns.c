/* SPDX-License-Identifier: ISC */
#include "explain/sns.h"

#include "base/ascii.h"
#include "explain/spot.h"

enum { LOOKED_AT = 64 << 10 };

/* Old mail programs break long lines by "!" and a new line. */
static struct str
unbroken(struct arena *a, struct str text)
{
    struct buf out = {0};
    text = str_first(text, LOOKED_AT);
    while (text.n > 0) {
        if (str_skip(&text, STR("!\n ")) || str_skip(&text, STR("!\r\n ")))
            continue;
        buf_add_char(&out, text.p[0]);
        text = str_from_pos(text, 1);
    }
    struct str made = arena_dup(a, buf_str(&out));
    buf_fini(&out);
    return made;
}

/* A string at the front of *s, its quotes and escapes off. */
static bool
take_string(struct arena *a, struct str *s, struct str *value)
{
    struct buf out = {0};
    *s = str_trim(*s);
    if (!str_skip_char(s, '"'))
        return false;
    while (s->n > 0 && s->p[0] != '"') {
        if (str_skip_char(s, '\\') && s->n > 0) {
            buf_add_char(&out,
                         s->p[0] == 'n' || s->p[0] == 'r' ? ' ' : s->p[0]);
            *s = str_from_pos(*s, 1);
            continue;
        }
        if (s->n > 0)
            buf_add_char(&out, s->p[0]);
        *s = str_from_pos(*s, 1);
    }
    (void)str_skip_char(s, '"');
    *value = arena_dup(a, buf_str(&out));
    buf_fini(&out);
    return true;
}

/* What stands behind "name": in text; false: no such name. */
static bool
find(struct str text, struct str name, struct str *rest)
{
    struct str quoted = text;
    for (;;) {
        ssize_t at = str_find(quoted, name);
        if (at < 0)
            return false;
        bool named = at > 0 && quoted.p[at - 1] == '"';
        quoted = str_from_pos(quoted, (size_t)at + name.n);
        *rest = quoted;
        if (named && str_skip_char(rest, '"')) {
            *rest = str_trim(*rest);
            if (str_skip_char(rest, ':'))
                return true;
        }
    }
}

static struct str
string_of(struct arena *a, struct str text, struct str name)
{
    struct str rest, value = STR_EMPTY;
    if (find(text, name, &rest))
        (void)take_string(a, &rest, &value);
    return value;
}

/* Up to the bracket that closes the array at the front of text. */
static struct str
array_of(struct str text)
{
    unsigned depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '[' || c == '{'))
            depth++;
        else if (!quoted && (c == ']' || c == '}') && --depth == 0)
            return str_first(text, i + 1);
        if (depth == 0 && !ascii_is_blank((unsigned char)c) && c != '\n')
            break;
    }
    return text;
}

static void
add(struct arena *a, struct claims *c, struct str address, struct str object)
{
    struct spot s;
    if (!spot_address(address, &s))
        return;
    struct claim *claim = claims_of(c, s.address);
    if (claim == NULL)
        return;
    claim->reported = true;
    claim->action = string_of(a, object, STR("action"));
    claim->status = string_of(a, object, STR("status"));
    struct str said = string_of(a, object, STR("diagnosticCode")), type, rest;
    if (str_cut(said, ';', &type, &rest) && type.n < 10)
        said = str_trim(rest);
    claim->diagnostic = said;
}

/* [{"emailAddress":"a@b.example", …}, …] */
static void
read_objects(struct arena *a, struct str array, struct claims *c)
{
    struct str rest = array, address;
    while (find(rest, STR("emailAddress"), &rest)) {
        struct str next;
        struct str object = rest;
        if (find(rest, STR("emailAddress"), &next))
            object = str_first(rest, rest.n - next.n);
        if (take_string(a, &rest, &address))
            add(a, c, address, object);
    }
}

/* ["a@b.example", …] */
static void
read_strings(struct arena *a, struct str array, struct str said,
             struct claims *c)
{
    struct str address;
    (void)str_skip_char(&array, '[');
    while (take_string(a, &array, &address)) {
        struct claim *claim = claims_of(c, address);
        if (claim != NULL)
            claim->diagnostic = said;
        array = str_trim(array);
        (void)str_skip_char(&array, ',');
    }
}

bool
sns_read(struct arena *a, struct str text, struct claims *c, struct sns *out)
{
    struct str type, rest;
    text = str_trim(text);
    if (text.n == 0 || text.p[0] != '{' ||
        str_find(str_first(text, 2000), STR("otificationType")) < 0)
        if (text.n == 0 || text.p[0] != '{' ||
            str_find(str_first(text, 4000), STR("eventType")) < 0)
            return false;
    text = unbroken(a, text);
    type = string_of(a, text, STR("notificationType"));
    if (type.n == 0)
        type = string_of(a, text, STR("eventType"));
    *out = (struct sns){
        .kind = EXPLAIN_FAILURE,
        .sender = string_of(a, text, STR("source")),
        .subject = string_of(a, text, STR("subject")),
        .reporting_mta = string_of(a, text, STR("reportingMTA")),
    };
    if (str_eq(type, STR("Bounce")) &&
        find(text, STR("bouncedRecipients"), &rest)) {
        read_objects(a, array_of(rest), c);
    } else if (str_eq(type, STR("Complaint")) &&
               find(text, STR("complainedRecipients"), &rest)) {
        out->kind = EXPLAIN_COMPLAINT;
        read_objects(a, array_of(rest), c);
    } else if (str_eq(type, STR("Delivery")) &&
               find(text, STR("delivery"), &rest)) {
        out->kind = EXPLAIN_SUCCESS;
        struct str delivery = array_of(rest);
        if (find(delivery, STR("recipients"), &rest))
            read_strings(a, array_of(rest),
                         string_of(a, delivery, STR("smtpResponse")), c);
    }
    return c->n > 0;
}
