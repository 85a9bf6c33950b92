/* SPDX-License-Identifier: ISC */
/*
 * queue <-> send, mailbox: one message for one destination, and what became
 * of each recipient. A worker reads the content itself from the segment or
 * large file it was given by descriptor, read-only, after checking id and
 * generation.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/id.h"
#include "mail/envelope.h"
#include "mail/verdict.h"
#include "spool/spool.h"

enum job_type {
    JOB_NONE = 0,
    /* queue -> worker */
    JOB_SEGMENT, /* + fd: segment, generation; comes before its first job */
    JOB_LARGE,   /* + fd: large; comes before each job that needs it and is
                    closed with that job */
    JOB_WORK,    /* a job; settled by exactly one OUTCOMES */
    JOB_FORGET,  /* segment, generation: close it; answered by FORGOTTEN */
    JOB_TAKEN,   /* `job` OUTCOMES of this pipe are written so far: a worker
                    keeps what it reported until this covers it, and reports
                    it again to a queue that was started anew */
    /* worker -> queue */
    JOB_HELLO,     /* first frame; re-attached workers then send their
                      unreported OUTCOMES and a RUNNING for each job in hand,
                      `job` frames in all: until the last of them came, the
                      queue hands out nothing */
    JOB_RUNNING,   /* job, id, rcpts: still at it */
    JOB_OUTCOMES,  /* job, id, verdict of each recipient */
    JOB_FORGOTTEN, /* segment, generation */
    JOB_LEAVING,   /* I drain: hand me no more, and end this pipe when the
                      last of my outcomes is written */
};

struct job_rcpt {
    uint32_t index;
    uint32_t attempts; /* WORK: made before this one */
    struct str address;
    struct str orcpt;
    unsigned notify;
    struct verdict verdict; /* OUTCOMES */
};

struct job_msg {
    enum job_type type;
    uint64_t segment, generation, large;
    uint64_t job; /* unique over all incarnations of the queue */
    struct msgid id;
    struct spool_locator at;
    struct str destination; /* WORK: domain key for send; for mailbox the
                               delivery target, "maildir:/var/mail/…" */
    struct str sender;      /* WORK, as accepted */
    struct str envid;
    enum dsn_ret ret;
    enum body_type body;
    bool smtputf8;
    struct str session;
    uint64_t size;
    int64_t arrived_ms;
    struct job_rcpt *rcpts;
    size_t n_rcpts;
};

void job_encode(struct buf *to, const struct job_msg *m);
bool job_decode(struct arena *a, struct str frame, struct job_msg *m);
