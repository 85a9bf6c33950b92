/* SPDX-License-Identifier: ISC */
#include "notify/letter.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "mail/address.h"
#include "mail/header.h"
#include "notify/autoreply.h"
#include "notify/bounce.h"
#include "os/log.h"
#include "room/diary.h"
#include "os/memfd.h"

enum {
    CONTENT_MAX = 1 << 30, /* the queue bounds it; this bounds the queue */
    PIECE = 64 * 1024
};

enum letter_state {
    LETTER_OWED = 0, /* to be written, or to be written again */
    LETTER_ASKED,    /* the directory is asked, or will be */
    LETTER_WRITING,  /* the spool takes it piece by piece */
    LETTER_COMMITTED,
};

struct letter {
    struct letter *next, *before;
    struct desk *desk;
    struct arena arena; /* of the notice and the answer */
    enum letter_state state;
    struct notice_msg notice;
    struct vacation_msg answer; /* AUTOREPLY: REPLY once it is known */
    uint64_t seq;
    int fd; /* the original */

    /* WRITING */
    struct spool_message *message;
    struct buf content; /* the original's, which parts[1] may be a slice of */
    struct buf text;    /* an autoreply */
    struct dsn_message report;
    struct str parts[3];
    unsigned part;
};

static void
append(struct desk *d, struct letter *l)
{
    l->before = d->last;
    if (d->last != NULL)
        d->last->next = l;
    else
        d->first = l;
    d->last = l;
    (void)map_put(&d->by_key, l->notice.key, l);
}

static void
unlink_letter(struct desk *d, struct letter *l)
{
    if (l->before != NULL)
        l->before->next = l->next;
    else
        d->first = l->next;
    if (l->next != NULL)
        l->next->before = l->before;
    else
        d->last = l->before;
    (void)map_remove(&d->by_key, l->notice.key);
    if (d->writing == l)
        d->writing = NULL;
}

/* A delivery report, of failure or success. */
static bool
is_report(const struct letter *l)
{
    return l->notice.kind == NOTICE_BOUNCE || l->notice.kind == NOTICE_SUCCESS;
}

static void
clear_text(struct letter *l)
{
    buf_fini(&l->content);
    buf_fini(&l->text);
    dsn_message_fini(&l->report);
    l->part = 0;
    l->message = NULL;
}

static void
free_letter(struct letter *l)
{
    clear_text(l);
    if (l->fd >= 0)
        (void)close(l->fd);
    arena_fini(&l->arena);
    free(l);
}

static void
remove_letter(struct letter *l)
{
    struct desk *d = l->desk;
    unlink_letter(d, l);
    free_letter(l);
    if (d->first == NULL && d->ops.idle != NULL)
        d->ops.idle(d->ops.ctx);
}

void
desk_fini(struct desk *d)
{
    while (d->first != NULL) {
        struct letter *l = d->first;
        unlink_letter(d, l);
        free_letter(l);
    }
    map_fini(&d->by_key);
}

/* The story is that of the message it is about. */
static void
note(const struct letter *l, enum journal_kind kind, struct str own,
     const char *why)
{
    char id[MSGID_TEXT];

    diary_note(l->desk->diary,
               &(struct journal_event){
                   .kind = kind,
                   .message = msgid_format(l->notice.original, id),
                   .related = own,
                   .session = l->notice.envelope.session,
                   .recipient = l->notice.envelope.sender,
                   .detail = str_from(why),
               });
}

static void
decline(struct letter *l, const char *why)
{
    note(l, JOURNAL_DECLINED, STR_EMPTY, why);
    log_event(LOG_INFO, "notice-declined", LOG_S("notice", l->notice.key),
              LOG_S("sender", l->notice.envelope.sender),
              LOG_S("why", str_from(why)), LOG_END);
    l->desk->ops.decline(l->desk->ops.ctx, &l->notice, why);
    remove_letter(l);
}

/* ---- asking the directory ------------------------------------------------ */

/* The account that is away: the queue names its key. */
static struct str
account_of(const struct letter *l)
{
    const struct notice_rcpt *r = &l->notice.rcpts[0];
    return r->final.n > 0 ? r->final : r->address;
}

static void
ask(struct letter *l, struct str header)
{
    struct buf named = {0};
    struct address a;

    autoreply_named(&named, header);
    l->answer = (struct vacation_msg){
        .type = VACATION_ASK,
        .seq = l->seq,
        .account = account_of(l),
        .key = l->notice.key,
        .named = arena_dup(&l->arena, str_trim(buf_str(&named))),
    };
    buf_fini(&named);
    if (address_parse(l->notice.envelope.sender, &a))
        l->answer.sender = address_key(&l->arena, &a);
    l->state = LETTER_ASKED;
    (void)l->desk->ops.ask(l->desk->ops.ctx, &l->answer);
}

void
desk_ask_again(struct desk *d)
{
    for (struct letter *l = d->first; l != NULL; l = l->next)
        if (l->state == LETTER_ASKED)
            (void)d->ops.ask(d->ops.ctx, &l->answer);
}

/* ---- writing ------------------------------------------------------------- */

static void
on_stored(void *ctx, enum spool_result result, struct msgid id)
{
    struct letter *l = ctx;
    char text[MSGID_TEXT];

    if (result != SPOOL_OK) {
        l->state = LETTER_OWED;
        l->desk->stuck = true;
        return;
    }
    note(l, is_report(l) ? JOURNAL_BOUNCED : JOURNAL_AUTOREPLY,
         msgid_format(id, text), NULL);
    log_event(LOG_INFO, is_report(l) ? "bounce" : "autoreply",
              LOG_S("id", msgid_format(id, text)),
              LOG_S("notice", l->notice.key),
              LOG_S("session", l->notice.envelope.session),
              LOG_S("to", l->notice.envelope.sender),
              LOG_N("recipients", (int64_t)l->notice.n_rcpts), LOG_END);
    remove_letter(l);
}

/* Gives the spool what it takes now. false: it wants to wait. */
static bool
write_on(struct letter *l)
{
    while (l->part < 3) {
        struct str piece = str_first(l->parts[l->part], PIECE);
        l->parts[l->part] = str_from_pos(l->parts[l->part], piece.n);
        if (l->parts[l->part].n == 0)
            l->part++;
        if (!spool_chunk(l->message, piece))
            return false;
    }
    l->state = LETTER_COMMITTED;
    l->desk->writing = NULL;
    // Dots at line beginnings are not looked for here: send does.
    spool_commit(l->message, true, on_stored, l);
    clear_text(l);
    return true;
}

static struct str
read_content(struct letter *l)
{
    struct err e;
    buf_clear(&l->content);
    if (!memfd_read(l->fd, CONTENT_MAX, &l->content, &e))
        log_error(e.text); // without a copy the notice is still worth its way
    return buf_str(&l->content);
}

/* The envelope of a notice; NULL: not now. */
static struct spool_message *
begin(struct letter *l, bool eight_bit, bool smtputf8, struct instant now)
{
    struct recipient to = {.address = l->notice.envelope.sender};
    enum spool_result why;

    return spool_begin(l->desk->door,
                       &(struct envelope){
                           .body = eight_bit ? BODY_8BITMIME : BODY_7BIT,
                           .smtputf8 = smtputf8,
                           .rcpts = &to,
                           .n_rcpts = 1,
                           .arrived_ms = now.wall_ms,
                           .session = l->notice.envelope.session,
                           .notice = l->notice.key,
                       },
                       &why);
}

/* "3-7.bounce@mx1.example": ours alone, as the id is. */
static struct str
message_id(struct letter *l, struct str id, const char *kind)
{
    return arena_printf(&l->arena, "%.*s.%s@%.*s", STR_ARG(id), kind,
                        STR_ARG(l->desk->hostname));
}

static void
start_bounce(struct letter *l, struct instant now)
{
    char incident[INCIDENT_TEXT], id[MSGID_TEXT];
    bool eight_bit, smtputf8;
    struct dsn_report r = bounce_report(&l->arena, &l->notice, read_content(l));

    dsn_needs(&r, &eight_bit, &smtputf8);
    l->message = begin(l, eight_bit, smtputf8, now);
    if (l->message == NULL)
        return;
    r.hostname = l->desk->hostname;
    r.id = msgid_format(spool_message_id(l->message), id);
    r.message_id = message_id(l, r.id, "bounce");
    r.now_ms = now.wall_ms;
    (void)incident_format(l->desk->random, l->desk->slot, l->desk->seq++,
                          incident);
    r.boundary = arena_printf(&l->arena, "=_%s", incident);
    dsn_write(&r, &l->report);
    l->parts[0] = buf_str(&l->report.head);
    l->parts[1] = l->report.copy;
    l->parts[2] = buf_str(&l->report.tail);
}

static void
start_autoreply(struct letter *l, struct instant now)
{
    char id[MSGID_TEXT];
    struct autoreply a = {
        .hostname = l->desk->hostname,
        .account = account_of(l),
        .to = l->notice.envelope.sender,
        .subject = l->answer.subject,
        .body = l->answer.body,
        .header = header_of(read_content(l), NULL),
        .now_ms = now.wall_ms,
    };
    bool utf8 = autoreply_needs_utf8(&a);

    l->message = begin(l, utf8, utf8, now);
    if (l->message == NULL)
        return;
    a.id = msgid_format(spool_message_id(l->message), id);
    a.message_id = message_id(l, a.id, "reply");
    autoreply_write(&l->text, &a);
    l->parts[0] = buf_str(&l->text);
    l->parts[1] = l->parts[2] = STR_EMPTY;
}

/* One letter at a time is given to the spool, so one content is in memory. */
static void
start(struct letter *l, struct instant now)
{
    struct desk *d = l->desk;

    if (d->stuck || d->writing != NULL)
        return;
    if (is_report(l))
        start_bounce(l, now);
    else
        start_autoreply(l, now);
    if (l->message == NULL) {
        clear_text(l);
        d->stuck = true;
        return;
    }
    l->state = LETTER_WRITING;
    d->writing = l;
    (void)write_on(l);
}

void
desk_again(struct desk *d, struct instant now)
{
    d->stuck = false;
    if (d->writing != NULL && !write_on(d->writing))
        return;
    for (struct letter *l = d->first; l != NULL; l = l->next)
        if (l->state == LETTER_OWED)
            start(l, now);
}

/* ---- what the pipes bring ------------------------------------------------ */

static void
consider_autoreply(struct letter *l)
{
    struct str header = header_of(read_content(l), NULL);
    const char *why =
        l->notice.n_rcpts == 0
            ? "no account is named"
            : autoreply_forbidden(l->notice.envelope.sender, header);
    if (why != NULL) {
        decline(l, why);
        return;
    }
    ask(l, header);
    clear_text(l);
}

static void
consider(struct letter *l, struct instant now)
{
    if (!is_report(l)) {
        consider_autoreply(l);
        return;
    }
    const char *why = bounce_forbidden(&l->notice);
    if (why != NULL)
        decline(l, why);
    else
        start(l, now);
}

bool
desk_take(struct desk *d, struct str frame, int fd, struct instant now)
{
    struct letter *l = alloc_zero(sizeof *l);

    l->desk = d;
    l->fd = fd;
    if (fd < 0 ||
        !notice_decode(&l->arena, arena_dup(&l->arena, frame), &l->notice) ||
        l->notice.type != NOTICE_MSG_OWED ||
        (!is_report(l) && l->notice.kind != NOTICE_AUTOREPLY)) {
        free_letter(l);
        return false;
    }
    if (map_get(&d->by_key, l->notice.key) != NULL) {
        free_letter(l);
        return true;
    }
    l->seq = ++d->seq;
    append(d, l);
    consider(l, now);
    return true;
}

static void
hear_answer(struct letter *l, struct instant now)
{
    static const char *const why[] = {
        [VACATION_NOT_AWAY] = "the account is not on vacation",
        [VACATION_REPLY] = NULL,
        [VACATION_TOLD_ALREADY] = "its sender was told in the last 7 days",
        [VACATION_NOT_NAMED] = "it does not name the account in To or Cc",
    };
    if (why[l->answer.result] != NULL) {
        decline(l, why[l->answer.result]);
        return;
    }
    l->state = LETTER_OWED;
    start(l, now);
}

bool
desk_answer(struct desk *d, struct str frame, struct instant now)
{
    struct vacation_msg m;

    if (!vacation_decode(frame, &m) || m.type != VACATION_ANSWER)
        return false;
    for (struct letter *l = d->first; l != NULL; l = l->next) {
        if (l->seq != m.seq || l->state != LETTER_ASKED)
            continue;
        l->answer = m;
        l->answer.subject = arena_dup(&l->arena, m.subject);
        l->answer.body = arena_dup(&l->arena, m.body);
        l->answer.addresses = STR_EMPTY;
        hear_answer(l, now);
        return true;
    }
    return true; // the letter has gone with its queue
}

void
desk_drop(struct desk *d)
{
    struct letter *next;
    for (struct letter *l = d->first; l != NULL; l = next) {
        next = l->next;
        if (l->state == LETTER_COMMITTED)
            continue;
        if (l->state == LETTER_WRITING)
            spool_abort(l->message);
        remove_letter(l);
    }
}

bool
desk_idle(const struct desk *d)
{
    return d->first == NULL;
}
