/* SPDX-License-Identifier: ISC */
#include "cli/outgoing.h"

#include "mail/address.h"
#include "mail/field.h"
#include "mail/header.h"

enum { RCPTS_MAX = 100000 };

/* ---- lines --------------------------------------------------------------- */

/* Text that is not from SMTP has its own line ends: LF, CRLF, and the lone CR
 * of progress bars, which SMTP could not carry. */
static void
add_lines(struct buf *to, struct str input, bool dot_ends)
{
    while (input.n > 0) {
        size_t n = 0;
        while (n < input.n && input.p[n] != '\n' && input.p[n] != '\r')
            n++;
        struct str line = str_first(input, n);
        bool crlf = str_starts(str_from_pos(input, n), STR("\r\n"));
        input = str_from_pos(input, n + (crlf ? 2 : 1));
        if (dot_ends && str_eq(line, STR(".")))
            return;
        buf_add(to, line);
        buf_add(to, STR("\r\n"));
    }
}

/* mail(1) and mailboxes begin with such a line, which is no header field. */
static void
skip_from_line(struct str *message)
{
    struct str line;
    if (str_starts(*message, STR("From ")))
        (void)str_cut(*message, '\n', &line, message);
}

/* ---- recipients ---------------------------------------------------------- */

struct list {
    struct outgoing *out;
    const struct outgoing_options *options;
    struct recipient *rcpts;
    size_t n, cap;
    struct err *e;
};

static struct str
qualify(struct arena *a, struct str name, struct str hostname)
{
    if (str_find_char(name, '@') >= 0)
        return arena_dup(a, name);
    return arena_printf(a, "%.*s@%.*s", STR_ARG(name), STR_ARG(hostname));
}

static bool
add_recipient(struct list *l, struct str name)
{
    struct arena *arena = &l->out->arena;
    struct address a;
    struct str address = qualify(arena, name, l->options->hostname);

    if (!address_parse(address, &a))
        return err_set(l->e, "\"%.*s\" is not an address, expected name@domain",
                       STR_ARG(str_first(name, 200)));
    for (size_t i = 0; i < l->n; i++)
        if (str_eq(l->rcpts[i].address, address))
            return true;
    if (l->n == RCPTS_MAX)
        return err_set(l->e, "more than %d recipients", RCPTS_MAX);
    if (l->n == l->cap) {
        size_t cap = l->cap == 0 ? 8 : 2 * l->cap;
        struct recipient *more = arena_array(arena, cap, sizeof *more);
        for (size_t i = 0; i < l->n; i++)
            more[i] = l->rcpts[i];
        l->rcpts = more;
        l->cap = cap;
    }
    l->rcpts[l->n++] =
        (struct recipient){.address = address, .notify = l->options->notify};
    return true;
}

static bool
names_recipients(struct str name, bool resent)
{
    if (str_skip_nocase(&name, STR("resent-")) != resent)
        return false;
    return str_eq_nocase(name, STR("to")) || str_eq_nocase(name, STR("cc")) ||
           str_eq_nocase(name, STR("bcc"));
}

/* Of a message that is sent on, the Resent- fields count (RFC 5322, 3.6.6). */
static bool
is_resent(struct str header)
{
    struct field f;
    while (header_next(&header, &f))
        if (names_recipients(f.name, true))
            return true;
    return false;
}

static bool
add_recipients_of(struct list *l, struct str header)
{
    bool resent = is_resent(header);
    struct str address;
    struct field f;

    while (header_next(&header, &f)) {
        if (!names_recipients(f.name, resent))
            continue;
        while (header_next_address(&f.value, &address))
            if (!add_recipient(l, address))
                return false;
    }
    return true;
}

/* ---- the message --------------------------------------------------------- */

static void
add_header(struct buf *to, struct str header, bool drop_bcc)
{
    struct field f;
    while (header_next(&header, &f)) {
        bool bcc = str_eq_nocase(f.name, STR("bcc")) ||
                   str_eq_nocase(f.name, STR("resent-bcc"));
        if (!bcc || !drop_bcc)
            buf_add(to, f.whole);
    }
    if (to->n > 0 && !str_ends(buf_str(to), STR("\r\n")))
        buf_add(to, STR("\r\n"));
}

static void
add_from(struct outgoing *out, const struct outgoing_options *o)
{
    struct buf value = {0};
    struct str address = out->envelope.sender;

    if (address.n == 0)
        address = qualify(&out->arena, o->user, o->hostname);
    if (o->full_name.n > 0) {
        if (field_is_ascii(o->full_name))
            field_add_quoted(&value, o->full_name);
        else
            field_add_encoded(&value, o->full_name);
        buf_addf(&value, " <%.*s>", STR_ARG(address));
    } else {
        buf_add(&value, address);
    }
    if (field_is_ascii(address))
        field_add(&out->content, STR("From"), buf_str(&value));
    else
        buf_addf(&out->content, "From: %.*s\r\n", STR_ARG(buf_str(&value)));
    buf_fini(&value);
}

static void
add_content(struct outgoing *out, const struct outgoing_options *o,
            struct str message)
{
    struct str body, value, header = header_of(message, &body);

    add_header(&out->content, header, o->from_header);
    if (!header_find(header, STR("from"), &value))
        add_from(out, o);
    buf_add(&out->content, STR("\r\n"));
    buf_add(&out->content, body);
}

static void
set_envelope(struct outgoing *out, const struct outgoing_options *o,
             const struct list *l)
{
    struct envelope *e = &out->envelope;

    e->ret = o->ret;
    e->envid = arena_dup(&out->arena, o->envid);
    e->rcpts = l->rcpts;
    e->n_rcpts = l->n;
    e->body =
        field_is_ascii(buf_str(&out->content)) ? BODY_7BIT : BODY_8BITMIME;
    // A subject in UTF-8 does not make it so: programs send that everywhere.
    e->smtputf8 = !field_is_ascii(e->sender);
    for (size_t i = 0; i < l->n; i++)
        if (!field_is_ascii(l->rcpts[i].address))
            e->smtputf8 = true;
}

bool
outgoing_make(struct outgoing *out, const struct outgoing_options *o,
              struct str input, const struct str *rcpts, size_t n_rcpts,
              struct err *e)
{
    struct buf lines = {0};
    struct list l = {.out = out, .options = o, .e = e};
    struct address a;
    bool ok = true;

    *out = (struct outgoing){0};
    if (!o->sender_given)
        out->envelope.sender = qualify(&out->arena, o->user, o->hostname);
    else if (o->sender.n > 0)
        out->envelope.sender = qualify(&out->arena, o->sender, o->hostname);
    if (out->envelope.sender.n > 0 && !address_parse(out->envelope.sender, &a))
        return err_set(e, "the sender \"%.*s\" is not an address",
                       STR_ARG(str_first(out->envelope.sender, 200)));

    add_lines(&lines, input, o->dot_ends);
    struct str message = buf_str(&lines);
    skip_from_line(&message);
    for (size_t i = 0; i < n_rcpts && ok; i++)
        ok = add_recipient(&l, rcpts[i]);
    if (ok && o->from_header)
        ok = add_recipients_of(&l, header_of(message, NULL));
    if (ok && l.n == 0)
        ok = err_set(e, o->from_header ? "no recipient in To, Cc or Bcc"
                                       : "no recipient: name one, or use -t");
    if (ok) {
        add_content(out, o, message);
        set_envelope(out, o, &l);
    }
    buf_fini(&lines);
    return ok;
}

void
outgoing_fini(struct outgoing *out)
{
    buf_fini(&out->content);
    arena_fini(&out->arena);
}
