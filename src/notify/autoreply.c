/* SPDX-License-Identifier: ISC */
#include "notify/autoreply.h"

#include "base/ascii.h"
#include "mail/address.h"
#include "mail/date.h"
#include "mail/field.h"
#include "mail/header.h"
#include "mail/quoted.h"

enum {
    NAMED_MAX = 1000,    /* addresses of To and Cc that are looked at */
    REFERENCES_MAX = 20, /* message ids that are kept */
    MESSAGE_ID_LONGEST = 250,
    LOCAL_PART_READ = 64
};

/* ---- whom not to answer -------------------------------------------------- */

/* The local part in lower case without "-", "_" and ".". */
static struct str
squeeze(struct str local, char out[LOCAL_PART_READ])
{
    size_t n = 0;
    for (size_t i = 0; i < local.n && n < LOCAL_PART_READ; i++)
        if (local.p[i] != '-' && local.p[i] != '_' && local.p[i] != '.')
            out[n++] = (char)ascii_lower((unsigned char)local.p[i]);
    return str_from_n(out, n);
}

/* Names behind which nobody reads (RFC 3834, 2, and custom). */
static bool
is_program(struct str sender)
{
    char out[LOCAL_PART_READ];
    ssize_t at = str_rfind_char(sender, '@');
    struct str local = at < 0 ? sender : str_first(sender, (size_t)at);
    struct str name = squeeze(local, out);

    return str_find(name, STR("noreply")) >= 0 ||
           str_find(name, STR("donotreply")) >= 0 ||
           str_eq(name, STR("mailerdaemon")) || str_eq(name, STR("listserv")) ||
           str_eq(name, STR("majordomo")) ||
           str_starts_nocase(local, STR("owner-")) ||
           str_starts_nocase(local, STR("bounce-")) ||
           str_starts_nocase(local, STR("bounces-")) ||
           str_starts_nocase(local, STR("bounces+")) ||
           str_find_nocase(local, STR("-bounces")) >= 0 ||
           (local.n >= 8 &&
            str_eq_nocase(str_from_pos(local, local.n - 8), STR("-request")));
}

static struct str
first_word(struct str value)
{
    size_t n = 0;
    while (n < value.n && value.p[n] != ';' && value.p[n] != '(' &&
           !ascii_is_blank((unsigned char)value.p[n]) && value.p[n] != '\r')
        n++;
    return str_first(value, n);
}

static const char *
forbidden_by_name(struct str name)
{
    static const struct {
        const char *name, *why;
    } names[] = {
        {"mailing-list",  "it came over a mailing list"       },
        {"x-autorespond", "it is an autoreply (X-Autorespond)"},
        {"x-autoreply",   "it is an autoreply (X-Autoreply)"  },
        {"x-loop",        "it is an autoreply (X-Loop)"       },
    };
    if (str_starts_nocase(name, STR("list-")))
        return "it came over a mailing list";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq_nocase(name, str_from(names[i].name)))
            return names[i].why;
    return NULL;
}

static bool
is_one_of(struct str word, const char *const *words)
{
    for (; *words != NULL; words++)
        if (str_eq_nocase(word, str_from(*words)))
            return true;
    return false;
}

static const char *
forbidden_by_field(const struct field *f)
{
    static const char *const bulk[] = {"bulk", "list", "junk", "auto_reply",
                                       NULL};
    static const char *const yes[] = {"yes", "true", NULL};
    struct str word = first_word(f->value);

    if (str_eq_nocase(f->name, STR("auto-submitted")) &&
        !str_eq_nocase(word, STR("no")))
        return "it was sent by a program (Auto-Submitted)";
    if ((str_eq_nocase(f->name, STR("precedence")) ||
         str_eq_nocase(f->name, STR("x-precedence"))) &&
        is_one_of(word, bulk))
        return "it went to many (Precedence)";
    if (str_eq_nocase(f->name, STR("return-path")) &&
        str_eq(f->value, STR("<>")))
        return "it is a notice (Return-Path: <>)";
    if (str_eq_nocase(f->name, STR("x-spam-flag")) && is_one_of(word, yes))
        return "it was taken for spam";
    if (str_eq_nocase(f->name, STR("x-spam-status")) &&
        str_starts_nocase(f->value, STR("yes")))
        return "it was taken for spam";
    if (str_eq_nocase(f->name, STR("content-type")) &&
        str_eq_nocase(word, STR("multipart/report")))
        return "it is a report";
    return forbidden_by_name(f->name);
}

const char *
autoreply_forbidden(struct str sender, struct str header)
{
    static const char *const suppressed[] = {"all", "oof", "autoreply", NULL};
    struct address a;
    struct field f;

    if (sender.n == 0)
        return "it is a notice (empty sender)";
    if (!address_parse(sender, &a))
        return "the sender's address is not one";
    if (is_program(sender))
        return "nobody reads what its sender gets";
    for (const char *const *s = suppressed; *s != NULL; s++)
        if (header_has_token(header, STR("x-auto-response-suppress"),
                             str_from(*s)))
            return "its sender asks for no autoreply";
    while (header_next(&header, &f)) {
        const char *why = forbidden_by_field(&f);
        if (why != NULL)
            return why;
    }
    return NULL;
}

/* ---- whom it was written to ---------------------------------------------- */

static bool
names_recipients(struct str name)
{
    (void)str_skip_nocase(&name, STR("resent-"));
    return str_eq_nocase(name, STR("to")) || str_eq_nocase(name, STR("cc")) ||
           str_eq_nocase(name, STR("bcc"));
}

static void
add_key(struct buf *to, struct arena *arena, struct str address)
{
    struct address a;
    if (!address_parse(address, &a))
        return;
    struct str key = address_key(arena, &a);
    if (key.n == 0)
        return;
    buf_add(to, key);
    buf_add_char(to, '\n');
}

void
autoreply_named(struct buf *to, struct str header)
{
    struct arena arena = {0};
    struct field f;
    size_t n = 0;

    while (header_next(&header, &f)) {
        struct str address;
        if (!names_recipients(f.name))
            continue;
        while (n < NAMED_MAX && header_next_address(&f.value, &address)) {
            add_key(to, &arena, address);
            n++;
        }
    }
    arena_fini(&arena);
}

/* ---- the answer ---------------------------------------------------------- */

/* The next "<…>" of printable ASCII without blanks; others are passed over. */
static bool
take_message_id(struct str *value, struct str *id)
{
    for (;;) {
        ssize_t open = str_find_char(*value, '<');
        if (open < 0)
            return false;
        *value = str_from_pos(*value, (size_t)open);
        size_t n = 1;
        while (n < value->n && value->p[n] > ' ' && value->p[n] <= '~' &&
               value->p[n] != '<' && value->p[n] != '>')
            n++;
        bool whole = n > 1 && n < value->n && value->p[n] == '>';
        *id = str_first(*value, n + 1);
        *value = str_from_pos(*value, whole ? n + 1 : n);
        if (whole && id->n <= MESSAGE_ID_LONGEST)
            return true;
    }
}

/* RFC 5322, 3.6.4: those of the message, then the message itself; of a long
 * thread the beginning goes. */
static void
add_references(struct buf *to, struct str header)
{
    struct str value, id, kept[REFERENCES_MAX], own;
    struct buf list = {0};
    size_t n = 0;

    if (!header_find(header, STR("message-id"), &value) ||
        !take_message_id(&value, &own))
        return;
    field_add(to, STR("In-Reply-To"), own);
    if (header_find(header, STR("references"), &value) ||
        header_find(header, STR("in-reply-to"), &value))
        while (take_message_id(&value, &id))
            kept[n++ % REFERENCES_MAX] = id;
    for (size_t i = n > REFERENCES_MAX ? n - REFERENCES_MAX : 0; i < n; i++) {
        buf_add(&list, kept[i % REFERENCES_MAX]);
        buf_add_char(&list, ' ');
    }
    buf_add(&list, own);
    field_add(to, STR("References"), buf_str(&list));
    buf_fini(&list);
}

static void
add_loop_mark(struct buf *to, const struct autoreply *a)
{
    struct buf value = {0};
    if (field_is_ascii(a->subject))
        field_add_quoted(&value, a->subject);
    else
        field_add_encoded(&value, a->subject);
    buf_addf(&value, " <%.*s>", STR_ARG(a->account));
    if (field_is_ascii(a->account))
        field_add(to, STR("X-Loop"), buf_str(&value));
    else // an address is not to be encoded (RFC 6532, 3.2)
        buf_addf(to, "X-Loop: %.*s\r\n", STR_ARG(buf_str(&value)));
    buf_fini(&value);
}

static void
add_address_field(struct buf *to, const char *name, struct str address)
{
    buf_addf(to, "%s: %.*s\r\n", name, STR_ARG(address));
}

static void
add_received(struct buf *to, const struct autoreply *a)
{
    buf_addf(to, "Received: by %.*s (Gatepost)\r\n\tid %.*s\r\n\tfor <%.*s>; ",
             STR_ARG(a->hostname), STR_ARG(a->id), STR_ARG(a->to));
    date_add_mail(to, a->now_ms, 0);
    buf_add(to, STR("\r\n"));
}

bool
autoreply_needs_utf8(const struct autoreply *a)
{
    return !field_is_ascii(a->to) || !field_is_ascii(a->account);
}

void
autoreply_write(struct buf *to, const struct autoreply *a)
{
    bool quoted = quoted_needed(a->body);

    add_received(to, a);
    add_address_field(to, "To", a->to);
    field_add(to, STR("X-Autorespond"), a->subject);
    add_loop_mark(to, a);
    buf_add(to, STR("Precedence: auto_reply\r\n"
                    "X-Precedence: auto_reply\r\n"
                    "Auto-Submitted: auto-replied\r\n"));
    add_address_field(to, "From", a->account);
    field_add(to, STR("Subject"), a->subject);
    add_references(to, a->header);
    buf_add(to, STR("Date: "));
    date_add_mail(to, a->now_ms, 0);
    buf_addf(to,
             "\r\nMessage-ID: <%.*s>\r\n"
             "MIME-Version: 1.0\r\n"
             "Content-Type: text/plain; charset=utf-8\r\n"
             "Content-Transfer-Encoding: %s\r\n\r\n",
             STR_ARG(a->message_id), quoted ? "quoted-printable" : "7bit");
    quoted_add(to, a->body, quoted);
}
