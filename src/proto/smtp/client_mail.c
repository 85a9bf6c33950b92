/* SPDX-License-Identifier: ISC */
/* One message: MAIL, RCPT, DATA, the content, and a verdict for each. */
#include "proto/smtp/client_internal.h"

#include <assert.h>

#include "base/ascii.h"
#include "base/math.h"

/* What the peer must offer for a binary message (RFC 3030 3); it is never
 * converted for one that does not. */
enum { BINARY = SMTP_HAS_BINARYMIME | SMTP_HAS_CHUNKING };

enum {
    COMMAND_RSET = 0,
    COMMAND_MAIL = 1,
    COMMAND_RCPT = 2, /* the first of them */
    OUT_HIGH = 16384, /* octets of unsent commands at which we stop */
};

static size_t
command_data(const struct smtp_client *m)
{
    return COMMAND_RCPT + m->asked;
}

/* Everybody who has no verdict yet. */
static void
judge_rest(struct smtp_client *m, const struct verdict *v)
{
    for (size_t i = 0; i < m->n_verdicts; i++)
        if (m->verdicts[i].outcome == OUTCOME_NONE)
            m->verdicts[i] = *v;
}

void
client_settle(struct smtp_client *m, struct verdict v)
{
    judge_rest(m, &v);
    m->tell_done = true;
    if (m->state != SMTP_CLIENT_CLOSED) {
        m->state = SMTP_CLIENT_IDLE;
        m->tell_ready = true;
    }
}

/* The transaction ends by this reply to the command that was due. */
static void
settle_by_reply(struct smtp_client *m)
{
    struct verdict v = client_verdict(m, client_stage(m));
    // The peer hangs up after 421 (RFC 5321 3.8).
    if (m->reply.code == 421) {
        m->failed = v;
        m->state = SMTP_CLIENT_CLOSED;
    }
    client_settle(m, v);
}

/* Printable and without what would end the path or the command. Foreign mail
 * went through a stricter grammar; this keeps a slip there from becoming a
 * command here. */
static bool
speakable(struct str s, bool path)
{
    bool quoted = false;

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (ascii_is_control(c))
            return false;
        if (c == '\\' && quoted && i + 1 < s.n &&
            !ascii_is_control((unsigned char)s.p[i + 1]))
            i++;
        else if (c == '"' && path)
            quoted = !quoted;
        else if ((c == ' ' || c == '<' || c == '>') && !quoted)
            return false;
    }
    return !quoted;
}

static bool
needs_utf8(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] > 127)
            return true;
    return false;
}

/* What can be said without asking the peer; false: every recipient has it. */
static bool
may_begin(struct smtp_client *m)
{
    const struct envelope *e = m->envelope;
    bool utf8 = e->smtputf8 || needs_utf8(e->sender);
    bool sane = speakable(e->sender, true);
    struct verdict v = {0};

    for (size_t i = 0; i < e->n_rcpts; i++) {
        utf8 = utf8 || needs_utf8(e->rcpts[i].address);
        sane = sane && speakable(e->rcpts[i].address, true);
    }
    if (!sane)
        v = client_judge(m, OUTCOME_REFUSED, (struct status){5, 1, 3},
                         "bad-recipient-address",
                         STR("an address of this message cannot be written "
                             "into an SMTP command"),
                         "MAIL FROM");
    else if (utf8 && !(m->extensions & SMTP_HAS_SMTPUTF8))
        v = client_judge(m, OUTCOME_REFUSED, (struct status){5, 6, 7},
                         "content",
                         STR("the message has internationalised addresses or "
                             "header fields, and the next host does not take "
                             "those (it does not offer SMTPUTF8)"),
                         "MAIL FROM");
    else if (m->binary && (m->extensions & BINARY) != BINARY)
        v = client_judge(m, OUTCOME_REFUSED, (struct status){5, 6, 3},
                         "content",
                         STR("the message is binary (BODY=BINARYMIME), and "
                             "the next host does not take that"),
                         "MAIL FROM");
    else if (m->size_limit > 0 && m->size > m->size_limit)
        v = client_judge(m, OUTCOME_REFUSED, (struct status){5, 3, 4},
                         "too-large",
                         arena_printf(&m->arena,
                                      "the message has %llu octets, the next "
                                      "host takes at most %llu",
                                      (unsigned long long)m->size,
                                      (unsigned long long)m->size_limit),
                         "MAIL FROM");
    if (v.outcome != OUTCOME_NONE)
        client_settle(m, v);
    return v.outcome == OUTCOME_NONE;
}

/* RFC 9422: the peer would refuse them; as after such a refusal, those beyond
 * the limit can have a transaction of their own. */
static void
keep_limit(struct smtp_client *m)
{
    if (m->rcpt_limit == 0 || m->rcpt_limit >= m->n_verdicts)
        return;
    m->asked = (size_t)m->rcpt_limit;
    struct verdict v = client_judge(
        m, OUTCOME_LATER, (struct status){4, 5, 3}, "too-many-recipients",
        STR("the next host takes no more recipients at once"), "RCPT TO");
    for (size_t i = m->asked; i < m->n_verdicts; i++)
        m->verdicts[i] = v;
}

void
smtp_client_begin(struct smtp_client *m, struct instant now,
                  const struct envelope *envelope, uint64_t size, bool stuffing)
{
    assert(m->state == SMTP_CLIENT_IDLE && envelope->n_rcpts > 0);
    arena_reset(&m->arena);
    m->tell_ready = false;
    m->since_ms = now.mono_ms;
    m->envelope = envelope;
    m->size = size;
    m->stuffing = stuffing;
    m->n_verdicts = envelope->n_rcpts;
    m->verdicts =
        arena_array(&m->arena, envelope->n_rcpts, sizeof *m->verdicts);
    m->binary = envelope->body == BODY_BINARYMIME;
    m->left = size;
    m->asked = envelope->n_rcpts;
    m->last_text = STR_EMPTY;
    m->kept = m->accepted = 0;
    m->mail_refused = false;
    m->unanswered = true;
    m->said = m->heard = m->dirty ? COMMAND_RSET : COMMAND_MAIL;
    m->at_line_start = true;
    m->after_cr = false;

    if (may_begin(m)) {
        keep_limit(m);
        m->state = SMTP_CLIENT_ENVELOPE;
        client_advance(m);
    }
}

bool
smtp_client_unanswered(const struct smtp_client *m)
{
    return m->unanswered && m->state == SMTP_CLIENT_CLOSED;
}

/* A message that needs 8BITMIME goes as it is to a host without it: nearly
 * all of those pass the octets on, and a conversion would break signatures. */
static void
say_mail(struct smtp_client *m)
{
    const struct envelope *e = m->envelope;

    buf_addf(&m->out, "MAIL FROM:<%.*s>", STR_ARG(e->sender));
    if (m->extensions & SMTP_HAS_SIZE)
        buf_addf(&m->out, " SIZE=%llu", (unsigned long long)m->size);
    if (e->body == BODY_8BITMIME && (m->extensions & SMTP_HAS_8BITMIME))
        buf_add(&m->out, STR(" BODY=8BITMIME"));
    if (m->binary)
        buf_add(&m->out, STR(" BODY=BINARYMIME"));
    if (m->extensions & SMTP_HAS_SMTPUTF8 && e->smtputf8)
        buf_add(&m->out, STR(" SMTPUTF8"));
    if (m->extensions & SMTP_HAS_DSN) {
        if (e->ret != DSN_RET_DEFAULT)
            buf_addf(&m->out, " RET=%s",
                     e->ret == DSN_RET_FULL ? "FULL" : "HDRS");
        if (e->envid.n > 0 && speakable(e->envid, false))
            buf_addf(&m->out, " ENVID=%.*s", STR_ARG(e->envid));
    }
    buf_add(&m->out, STR("\r\n"));
}

static void
add_notify(struct buf *to, unsigned notify)
{
    static const struct {
        unsigned bit;
        const char *word;
    } words[] = {
        {NOTIFY_NEVER,   "NEVER"  },
        {NOTIFY_SUCCESS, "SUCCESS"},
        {NOTIFY_FAILURE, "FAILURE"},
        {NOTIFY_DELAY,   "DELAY"  },
    };
    const char *before = " NOTIFY=";

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (notify & words[i].bit) {
            buf_addf(to, "%s%s", before, words[i].word);
            before = ",";
        }
}

static void
say_rcpt(struct smtp_client *m, const struct recipient *r)
{
    buf_addf(&m->out, "RCPT TO:<%.*s>", STR_ARG(r->address));
    if (m->extensions & SMTP_HAS_DSN) {
        add_notify(&m->out, r->notify);
        if (r->orcpt.n > 0 && speakable(r->orcpt, false))
            buf_addf(&m->out, " ORCPT=%.*s", STR_ARG(r->orcpt));
    }
    buf_add(&m->out, STR("\r\n"));
}

static void
say_command(struct smtp_client *m, size_t command)
{
    if (command == COMMAND_RSET)
        buf_add(&m->out, STR("RSET\r\n"));
    else if (command == COMMAND_MAIL)
        say_mail(m);
    else if (command < command_data(m))
        say_rcpt(m, &m->envelope->rcpts[command - COMMAND_RCPT]);
    else
        buf_add(&m->out, STR("DATA\r\n"));
}

/* A chunk is not asked for: it follows its command at once (RFC 3030 2), so
 * all recipients must have been answered, and one taken. */
static void
begin_chunk(struct smtp_client *m)
{
    buf_addf(&m->out, "BDAT %llu LAST\r\n", (unsigned long long)m->size);
    m->said++;
    m->state = SMTP_CLIENT_BODY;
    m->tell_content = true;
}

void
client_advance(struct smtp_client *m)
{
    while (m->said <= command_data(m) && m->out.n < OUT_HIGH) {
        bool waiting = m->said > m->heard;
        bool pipelining = (m->extensions & SMTP_HAS_PIPELINING) != 0;
        bool last = m->said == command_data(m);
        bool pointless =
            m->mail_refused || (last && !waiting && m->accepted == 0);
        if (pointless || (waiting && (!pipelining || (last && m->binary))))
            break;
        if (last && m->binary) {
            begin_chunk(m);
            return;
        }
        say_command(m, m->said++);
    }
    if (m->said > m->heard)
        return;
    // All is answered and there is nothing more to say: everybody was refused
    // before DATA. The verdict is for a peer that answered unasked.
    m->dirty = !m->mail_refused;
    client_settle(m, client_judge(m, OUTCOME_LATER, (struct status){4, 5, 0},
                                  "protocol",
                                  STR("the peer's replies fit no question"),
                                  client_stage(m)));
}

static void
on_mail_reply(struct smtp_client *m)
{
    if (client_class(m) == 2)
        return;
    m->mail_refused = true;
    struct verdict v = client_verdict(m, "MAIL FROM");
    judge_rest(m, &v);
}

static void
on_rcpt_reply(struct smtp_client *m, struct verdict *verdict)
{
    struct verdict v;

    if (m->mail_refused)
        return;
    if (client_class(m) == 2) {
        m->accepted++;
        return;
    }
    v = client_verdict(m, "RCPT TO");
    // Too many recipients: the next transaction may have these (RFC 5321
    // 4.5.3.1.10 wants the old 552 read as 452).
    if (v.status.klass == 5 && v.status.subject == 5 && v.status.detail == 3)
        v.outcome = OUTCOME_LATER;
    *verdict = v;
}

static void
on_data_reply(struct smtp_client *m)
{
    if (client_class(m) != 3) {
        m->dirty = !m->mail_refused;
        settle_by_reply(m);
    } else if (m->mail_refused || m->accepted == 0) {
        // RFC 2920 3.1: asked for although nobody is left; an empty message
        // that goes nowhere gets us out of it.
        buf_add(&m->out, STR(".\r\n"));
        m->state = SMTP_CLIENT_DOT;
    } else {
        m->state = SMTP_CLIENT_BODY;
        m->tell_content = true;
    }
}

void
client_on_envelope(struct smtp_client *m, bool more)
{
    size_t command = m->heard;
    unsigned klass = client_class(m);

    (void)more;
    if (command == m->said || (klass == 3 && command != command_data(m)) ||
        (klass == 2 && command == command_data(m)) ||
        (klass != 2 && command == COMMAND_RSET)) {
        client_confused(m);
        return;
    }
    if (m->reply.code == 421) {
        settle_by_reply(m);
        return;
    }
    m->unanswered = false;
    if (command == COMMAND_MAIL)
        on_mail_reply(m);
    else if (command == command_data(m))
        on_data_reply(m);
    else if (command != COMMAND_RSET)
        on_rcpt_reply(m, &m->verdicts[command - COMMAND_RCPT]);
    m->heard++;
    if (m->state == SMTP_CLIENT_ENVELOPE)
        client_advance(m);
}

/* The peer has had enough before it has heard all: there is no way back to
 * commands from the middle of the content. */
void
client_on_body(struct smtp_client *m, bool more)
{
    (void)more;
    if (client_class(m) < 4) {
        client_confused(m);
        return;
    }
    struct verdict v = client_verdict(m, client_stage(m));
    m->failed = v;
    m->state = SMTP_CLIENT_CLOSED;
    client_settle(m, v);
}

void
client_on_dot(struct smtp_client *m, bool more)
{
    (void)more;
    m->dirty = false;
    if (client_class(m) == 3) {
        client_confused(m);
    } else if (client_class(m) == 2 && !(m->extensions & SMTP_HAS_DSN)) {
        struct verdict v = client_verdict(m, client_stage(m));
        v.reason = STR(VERDICT_NO_DSN);
        client_settle(m, v);
    } else {
        settle_by_reply(m);
    }
}

static void
add_stuffed(struct buf *to, struct str bytes, bool at_line_start)
{
    while (bytes.n > 0) {
        ssize_t end = str_find_char(bytes, '\n');
        size_t n = end < 0 ? bytes.n : (size_t)end + 1;
        if (at_line_start && bytes.p[0] == '.')
            buf_add_char(to, '.');
        buf_add(to, str_first(bytes, n));
        bytes = str_from_pos(bytes, n);
        at_line_start = true;
    }
}

/* The peer counts: what is too much would be read as commands. */
static void
add_binary(struct smtp_client *m, struct str bytes)
{
    bytes = str_first(bytes, math_min(bytes.n, m->left));
    m->left -= bytes.n;
    buf_add(&m->out, bytes);
}

void
smtp_client_content(struct smtp_client *m, struct str bytes)
{
    if (m->state != SMTP_CLIENT_BODY || bytes.n == 0)
        return;
    if (m->binary) {
        add_binary(m, bytes);
        return;
    }
    if (m->stuffing)
        add_stuffed(&m->out, bytes, m->at_line_start);
    else
        buf_add(&m->out, bytes);
    m->at_line_start =
        bytes.p[bytes.n - 1] == '\n' &&
        (bytes.n > 1 ? bytes.p[bytes.n - 2] == '\r' : m->after_cr);
    m->after_cr = bytes.p[bytes.n - 1] == '\r';
}

void
smtp_client_content_end(struct smtp_client *m, struct instant now)
{
    if (m->state != SMTP_CLIENT_BODY)
        return;
    m->since_ms = now.mono_ms;
    if (m->binary && m->left > 0) {
        smtp_client_lost(m, (struct status){4, 3, 0}, "spool-trouble",
                         STR("the message is shorter than it was said to be"));
        return;
    }
    if (!m->binary && !m->at_line_start)
        buf_add(&m->out, STR("\r\n"));
    if (!m->binary)
        buf_add(&m->out, STR(".\r\n"));
    m->state = SMTP_CLIENT_DOT;
}
