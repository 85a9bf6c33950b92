/* SPDX-License-Identifier: ISC */
/* One parse under way: what conf/parse.c gathers and conf/check.c judges. */
#pragma once

#include "base/map.h"
#include "conf/options.h"

struct parse {
    struct conf *conf;
    struct conf_result *result;
    struct str file;
    struct str folder; /* of the file, with its slash; empty: none */
    uint32_t *seen;    /* of each option: line where it was set, 0: not */

    /* The titled section being read, and where each of them began. */
    bool in_section;
    bool in_nested; /* and one inside it */
    uint32_t *listen_lines, *domain_lines, *reply_lines;
    size_t *reply_domains; /* 1 + the domain that it stands in; 0: none */

    struct map domains, addresses; /* to find those given twice */
};

/* "FILE:LINE: ..." into the result. */
void parse_problem(struct parse *p, uint32_t line, const char *format, ...)
    PRINTF(3, 4);

/* The line on which a key of an untitled section was set; 1 when it was not. */
uint32_t parse_line(const struct parse *p, enum section s, struct str name);

/* Defaults of a section's options into its struct. */
void parse_defaults(struct parse *p, enum section s, void *base);

/* Room for one more element in an array that began with NULL and n 0. */
void *parse_grow(struct arena *a, void *array, size_t n, size_t size);

/* A titled section begins. A nested reply stands in a domain, which for us has
 * not begun unless it has shown a value of its own. */
void parse_begin(struct parse *p, enum section s, const char *title,
                 uint32_t line, bool nested);
/* The struct of the titled section being read. */
void *parse_record(struct parse *p, enum section s);

/* The lines of all options in the file that the admin wrote (conf/lines.c). */
uint32_t *parse_lines(const struct parse *p, struct str text);

/* What only shows when the whole file is read. */
void parse_check(struct parse *p);
/* The same at the end of one titled section. */
void parse_check_section(struct parse *p, enum section s);
