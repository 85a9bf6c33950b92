/* SPDX-License-Identifier: ISC */
/*
 * The option table: each key of the configuration is one entry, from which
 * parsing, checking, printing, `gatepost config keys` and the manual's table
 * follow.
 */
#pragma once

#include "conf/conf.h"

enum option_type {
    OPTION_TEXT = 0, /* struct str */
    OPTION_WORD,     /* bool: one of two words, "no|yes" in that order */
    OPTION_NUMBER,   /* uint32_t */
    OPTION_PORT,     /* uint16_t */
    OPTION_SIZE,     /* uint64_t: octets, "64M" */
    OPTION_DURATION, /* int64_t: milliseconds, "5m" */
    OPTION_LIST,     /* struct str * with its count: a list of texts */
    OPTION_SOURCE,   /* struct str: where a list of the admin's is kept */
};

/* The sections; one with a title may stand several times. */
enum section {
    SECTION_TOP = 0,
    SECTION_LISTEN,
    SECTION_TLS,
    SECTION_DOMAIN,
    SECTION_RELAY,
    SECTION_REPLY,
    SECTION_RECEIVE,
    SECTION_GATE,
    SECTION_SPOOL,
    SECTION_QUEUE,
    SECTION_SEND,
    SECTION_DNS,
    SECTION_MAILBOX,
    SECTION_JOURNAL,
    SECTION_LOGIN,
    SECTION_COUNT
};

/* NULL: good; else what was expected, for a message. */
typedef const char *(*option_check_fn)(struct str value);

struct option {
    enum section section;
    enum option_type type;
    const char *name;
    size_t offset; /* in struct conf, or in the struct of a titled section */
    size_t count_offset;   /* LIST: of its size_t */
    const char *fallback;  /* as written in a file; NULL: empty */
    const char *words;     /* WORD */
    uint64_t min, max;     /* NUMBER, SIZE (octets), DURATION (milliseconds) */
    option_check_fn check; /* TEXT, LIST: of each value */
    unsigned roles;        /* bit 1 << ROLE: that room is told */
    bool is_path;          /* relative to the config file */
    const char *help;
};

extern const struct option option_table[];
size_t option_count(void);

/* "listen"; NULL for the top level. */
const char *section_name(enum section s);
bool section_has_title(enum section s);
/* Does `inner` stand in `outer`? SECTION_TOP holds all, a domain its replies.
 */
bool section_within(enum section outer, enum section inner);
/* SECTION_TOP for "root", libConfuse's name of it; SECTION_COUNT: none. */
enum section section_from_name(struct str name);

const struct option *option_find(enum section s, struct str name);

/* The key or section of that section whose name is nearest to a misspelt one;
 * NULL: none is near. */
const char *option_nearest(enum section s, struct str name);

/* "text", "number 1 to 64", ...: appends what a value of it looks like. */
void option_describe(const struct option *o, struct buf *to);
