/* SPDX-License-Identifier: ISC */
/* The content of a message: DATA, BDAT, and what may be wrong with it. */
#include "proto/smtp/server_internal.h"

#include <assert.h>

/* A binary message (RFC 3030, 3) has no lines that could be wrong. */
static enum smtp_flaw
flaw(const struct smtp_server *m)
{
    if (m->scan.bare && !m->binary)
        return SMTP_FLAW_BARE;
    if (m->size > m->options->max_size)
        return SMTP_FLAW_TOO_LARGE;
    return m->scan.too_long && !m->binary ? SMTP_FLAW_LONG_LINE
                                          : SMTP_FLAW_NONE;
}

/* Content goes on to the driver until the message is known to be refused. */
static void
pass_on(struct smtp_server *m, struct str bytes, struct smtp_event *ev)
{
    m->size += bytes.n;
    if (bytes.n == 0 || flaw(m) != SMTP_FLAW_NONE)
        return;
    ev->type = SMTP_EVENT_BODY;
    ev->bytes = bytes;
}

static void
ask_end(struct smtp_server *m, struct smtp_event *ev)
{
    ev->flaw = flaw(m);
    ev->size = m->size;
    ev->dots = m->scan.dots;
    server_ask(m, SMTP_EVENT_END, ev);
}

size_t
server_content_feed_data(struct smtp_server *m, struct str input,
                         struct smtp_event *ev)
{
    struct str content;
    bool end;
    size_t used = smtp_scan_data(&m->scan, input, &content, &end);
    pass_on(m, content, ev);
    if (end)
        ask_end(m, ev);
    return used;
}

/* The end of a chunk that was refused before it came. */
static void
end_waste(struct smtp_server *m, struct smtp_event *ev)
{
    struct buf reply = m->kept;
    m->kept = (struct buf){0};
    m->chunk_waste = false;
    m->state = m->back;
    if (m->back == SMTP_READY)
        ev->type = SMTP_EVENT_RESET;
    if (m->chunk_innocent)
        server_say_innocent(m, buf_str(&reply));
    else
        server_say(m, buf_str(&reply));
    buf_fini(&reply);
}

/* The end of a chunk. One with a flaw ends the message at once: the client
 * hears of it before it sends the rest. */
void
server_content_end_chunk(struct smtp_server *m, struct smtp_event *ev)
{
    if (m->chunk_waste) {
        end_waste(m, ev);
        return;
    }
    if (m->chunk_last && m->scan.at == SCAN_CR)
        m->scan.bare = true;
    if (flaw(m) == SMTP_FLAW_NONE && !m->chunk_last) {
        m->state = SMTP_CHUNKED;
        server_say(m, STR("250 2.0.0 chunk taken\r\n"));
    } else if (flaw(m) == SMTP_FLAW_NONE && !m->binary &&
               m->scan.at != SCAN_LINE_START) {
        // The last line needs no end here, but everywhere else it does.
        m->scan.at = SCAN_LINE_START;
        ev->type = SMTP_EVENT_BODY;
        ev->bytes = STR("\r\n");
    } else {
        ask_end(m, ev);
    }
}

size_t
server_content_feed_chunk(struct smtp_server *m, struct str input,
                          struct smtp_event *ev)
{
    struct str bytes =
        input.n > m->chunk ? str_first(input, (size_t)m->chunk) : input;
    m->chunk -= bytes.n;
    if (!m->chunk_waste) {
        smtp_scan_chunk(&m->scan, bytes);
        pass_on(m, bytes, ev);
    }
    return bytes.n;
}

void
server_content_begin(struct smtp_server *m)
{
    m->scan = (struct smtp_scan){0};
    m->size = 0;
    m->state = m->chunked ? SMTP_CHUNK : SMTP_DATA;
    if (!m->chunked)
        server_say(
            m, STR("354 go ahead, end with a dot on a line of its own\r\n"));
}

void
server_content_accept(struct smtp_server *m, struct str detail)
{
    assert(flaw(m) == SMTP_FLAW_NONE);
    m->errors = 0;
    m->state = SMTP_READY;
    buf_addf(&m->out, "250 2.0.0 %.*s\r\n", STR_ARG(detail));
}
