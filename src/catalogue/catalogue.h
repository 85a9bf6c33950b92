/* SPDX-License-Identifier: ISC */
/*
 * The catalogue of reasons: every refusal, bounce and delay names one of
 * these. Data, not code: the files of share/catalogue are compiled in; adding a
 * reason is adding an entry there.
 *
 * A reply is by default three short lines: what is wrong, who can fix it and
 * how, the reason's id with the incident's id; each opens with code and
 * enhanced code. A text chosen in the config is sent as it is.
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"
#include "mail/verdict.h"

struct reason {
    struct str id;    /* "relay-denied" */
    struct str klass; /* one of the classes of reasons, "relay-denied" */
    uint16_t code;    /* default reply code; 0: no failure, never replied */
    struct status status;
    struct str who;     /* "sender", "recipient's admin", … who must act */
    struct str meaning; /* plain words, for people; %{…} parameters */
    struct str next;    /* what to do next */
    struct str text;    /* line 1 of the reply */
    struct str advice;  /* line 2 of the reply */
    size_t first_wording, n_wordings; /* see catalogue_wording() */
};

size_t catalogue_count(void);
const struct reason *catalogue_at(size_t i);
const struct reason *catalogue_find(struct str id); /* NULL: no such reason */

/* One of the replies known in the wild for this reason, i < n_wordings, with
 * its codes and %{…} in the order of the files. */
struct str catalogue_wording(const struct reason *r, size_t i);

/* The values for %{sender} and the like; one that is empty prints as "". They
 * may be any octets a stranger sent: what is made of them has no line end. */
struct reason_params {
    struct str sender, recipient, recipient_domain;
    struct str domain;   /* of the server that speaks: our host name */
    struct str user;     /* the account logged in as */
    struct str host;     /* the other host, by name or address */
    struct str detail;   /* a sentence of our own */
    struct str incident; /* "7K3MQ-2DF9P" */
};

/*
 * r: one with a code. Appends a whole SMTP reply: by default no line above 200
 * octets, CRLF included (long parameters lose their middle), printable ASCII.
 * chosen: the config's text for this reason, or empty; it is sent as it is,
 * several lines where it holds "\n", with the reason's code and enhanced code
 * in front if it brings no code, and always ended by a line with "CODE SP": a
 * text whose last line is a continuation ("553-...") by one with the reason's
 * id.
 */
void catalogue_reply(struct buf *to, const struct reason *r,
                     const struct reason_params *p, struct str chosen);

/* Can this text be chosen in the config? NULL, or what is wrong and what was
 * expected. */
const char *catalogue_check_text(struct str chosen);

/* Do its codes fit the reason? false: appends notes for an admin, as one
 * sentence. Never a reason not to send it. */
bool catalogue_fits(const struct reason *r, struct str chosen,
                    struct buf *note);

/* Text with its parameters filled in (meaning, next): valid UTF-8. */
void catalogue_fill(struct buf *to, struct str text,
                    const struct reason_params *p);

/* Where in the dialogue a reply was given. It narrows what the words may mean
 * and vetoes nothing: some wordings speak of something else after MAIL. */
enum catalogue_stage {
    CATALOGUE_ANYWHERE = 0,
    CATALOGUE_CONNECT,
    CATALOGUE_HELLO,
    CATALOGUE_MAIL, /* AUTH, too */
    CATALOGUE_RCPT,
    CATALOGUE_DATA, /* DATA or the end of the content */
};

/* "RCPT TO", "MAIL FROM:<a@b.example>", "end of data", "BDAT", … */
enum catalogue_stage catalogue_stage_find(struct str command);

/* The later weighs more, but for one that is vague. */
enum recognised_by {
    BY_NOTHING = 0,
    BY_REPLY_CODE,
    BY_STATUS,
    BY_WORDING,
};

struct recognised {
    const struct reason *reason; /* NULL: BY_NOTHING */
    enum recognised_by by;
    bool vague; /* "recipient rejected", 5.7.1: a closer one would win */
    struct str wording; /* as it stands in the catalogue; where that has
                           {a|b}, as in the text */
    struct str origin;  /* who is known to say so, "Postfix"; empty: many */
    size_t at, ends;    /* where the wording stands in the text */
};

/*
 * What a foreign reply means: all its lines with their codes, joined by "\n",
 * or any octets in which it stands. The best wording wins: the longest, and
 * rather one that says something than "recipient rejected"; where that is vague
 * or there is none, the enhanced code in the text; then the reply code. false:
 * nothing is known. What is no failure (delivered, automatic-reply, …) is found
 * by its words only.
 */
bool catalogue_read(struct str text, enum catalogue_stage stage,
                    struct recognised *out);

/* By a code alone, which stands in another place than the words; false: not
 * known. */
bool catalogue_by_status(struct status s, struct recognised *out);
bool catalogue_by_reply(unsigned code, struct recognised *out);

/* catalogue_read() for who wants the reason only, at no known stage; NULL when
 * nothing is known. */
const struct reason *catalogue_recognise(struct str reply);

/* After the first catalogue_read(): what an admin should know of it (the
 * database does not fit the library), or NULL. */
const char *catalogue_warning(void);
