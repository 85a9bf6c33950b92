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
    uint32_t *listen_lines, *domain_lines, *reply_lines;

    struct map domains, addresses; /* to find those given twice */
};

/* "FILE:LINE: ..." into the result. */
void parse_problem(struct parse *p, uint32_t line, const char *format, ...)
    PRINTF(3, 4);

/* The line on which a key of an untitled section was set; 1 when it was not. */
uint32_t parse_line(const struct parse *p, enum section s, struct str name);

/* What only shows when the whole file is read. */
void parse_check(struct parse *p);
/* The same at the end of one titled section. */
void parse_check_section(struct parse *p, enum section s);
