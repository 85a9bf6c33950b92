/* SPDX-License-Identifier: ISC */
/*
 * A conversation with a running server over one of its control sockets,
 * `<state>/run/queue` or `<state>/run/directory`: one JSON object a line in
 * both directions, blocking with a time limit.
 *
 *     struct talk t;
 *     switch (talk_open(&t, conf, "queue", &e)) { ... }
 *     if (!talk_send(&t, json_pack("{s:s}", "verb", "list"), &e)) ...
 *     while ((answer = talk_receive(&t, &e)) != NULL) ...
 *     talk_close(&t);
 */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "conf/conf.h"

struct talk {
    int fd;
    struct buf in;
    size_t used;    /* of in: lines already returned */
    int timeout_ms; /* for the next octet; may be changed after talk_open() */
};

enum talk_result {
    TALK_OPEN = 0,
    TALK_NO_SERVER, /* nobody listens there: work without it */
    TALK_TROUBLE,   /* *e says what: not permitted, say */
};

enum talk_result talk_open(struct talk *t, const struct conf *conf,
                           const char *socket, struct err *e);

/* Takes over the reference to line. */
bool talk_send(struct talk *t, json_t *line, struct err *e);

/* The next line; NULL at the end of the conversation (e->text is empty) or on
 * trouble (it is not). The caller owns the reference. */
json_t *talk_receive(struct talk *t, struct err *e);

void talk_close(struct talk *t);
