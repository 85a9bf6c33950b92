/* SPDX-License-Identifier: ISC */
/*
 * What rooms get to read, as sealed files: each role's slice of the config,
 * and the secrets that only one role needs. Master keeps the descriptors for
 * rooms it starts again, not the octets.
 */
#pragma once

#include "base/err.h"
#include "conf/conf.h"

enum paper {
    PAPER_CERTIFICATE = 0, /* "tls-certificate", for receive */
    PAPER_KEY,             /* "tls-key", for receive */
    PAPER_RULES,           /* "message-rules", for receive */
    PAPER_PASSWORD,        /* "smarthost-password", for send */
    PAPER_CA,              /* "ca", for send */
    PAPERS
};

struct papers {
    int slices[ROLE_COUNT];
    int files[PAPERS]; /* -1: the config has none */
};

const char *paper_name(enum paper paper);
enum role paper_reader(enum paper paper);

/* Reads the files the config names and checks that they are what they should
 * be. false: nothing is open, *e names the file. */
bool papers_open(struct papers *p, const struct conf *c, struct err *e);
void papers_close(struct papers *p);
