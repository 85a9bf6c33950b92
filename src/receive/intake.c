/* SPDX-License-Identifier: ISC */
#include "receive/intake.h"

bool
intake_begin(struct intake *i, struct spool_door *d, const struct envelope *e,
             const struct trace *trace, bool submission, enum spool_result *why)
{
    *i = (struct intake){.trace = *trace, .submission = submission};
    i->message = spool_begin(d, e, why);
    if (i->message == NULL)
        return false;
    i->trace.id = spool_message_id(i->message);
    trace_add_received(&i->head, &i->trace);
    i->own = i->head.n;
    return true;
}

static struct str
their_head(const struct intake *i)
{
    return str_from_pos(buf_str(&i->head), i->own);
}

/* Hands the header over. What follows the fields (the empty line, if any) is
 * in `head` as well and goes behind what we add. */
static bool
pass_head(struct intake *i)
{
    size_t end = i->own + i->scan.end;
    struct buf all = {0};
    bool ready;

    i->passed = true;
    rules_scan_header(&i->rules, str_first(their_head(i), i->scan.end));
    rules_scan_body(&i->rules, str_from_pos(their_head(i), i->scan.end));
    if (!i->submission || i->scan.cut_off ||
        (i->scan.has_id && i->scan.has_date)) {
        ready = spool_chunk(i->message, buf_str(&i->head));
        buf_fini(&i->head);
        return ready;
    }
    buf_add(&all, str_first(buf_str(&i->head), end));
    if (!i->scan.has_id)
        trace_add_message_id(&all, &i->trace);
    if (!i->scan.has_date)
        trace_add_date(&all, &i->trace);
    if (i->scan.no_gap)
        buf_add(&all, STR("\r\n"));
    buf_add(&all, str_from_pos(buf_str(&i->head), end));
    ready = spool_chunk(i->message, buf_str(&all));
    buf_fini(&all);
    buf_fini(&i->head);
    return ready;
}

bool
intake_body(struct intake *i, struct str bytes)
{
    if (i->passed) {
        rules_scan_body(&i->rules, bytes);
        return spool_chunk(i->message, bytes);
    }
    buf_add(&i->head, bytes);
    return headscan_look(&i->scan, their_head(i)) ? pass_head(i) : true;
}

void
intake_end(struct intake *i)
{
    if (!i->passed) {
        headscan_finish(&i->scan, their_head(i));
        // Parked or not: nothing more comes, the commit does not wait for it.
        (void)pass_head(i);
    }
    rules_scan_end(&i->rules);
}

void
intake_commit(struct intake *i, bool dots, spool_stored_fn on_stored, void *ctx)
{
    spool_commit(i->message, dots, on_stored, ctx);
    i->message = NULL;
}

void
intake_abort(struct intake *i)
{
    if (i->message != NULL)
        spool_abort(i->message);
    i->message = NULL;
    rules_scan_end(&i->rules);
    buf_fini(&i->head);
}
