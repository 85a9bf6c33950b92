/* SPDX-License-Identifier: ISC */
/*
 * The rooms as processes: started, connected, watched, started again, taken
 * down in order.
 *
 * A slot is a place for one process of a role ("receive 1"); its incarnations
 * come and go. Between each two incarnations whose roles have something to say
 * to each other there is one pipe, made here and given to both.
 */
#pragma once

#include "master/papers.h"
#include "master/ports.h"
#include "master/premises.h"
#include "os/loop.h"

struct house;

struct house_plan {
    const struct conf *conf;
    const struct papers *papers;
    const struct ports *ports;
};

/* Borrowed until house_free(). */
struct house_base {
    struct loop *loop;
    const struct accounts *accounts;
    const struct premises *premises;
    loop_fn on_settled; /* every room is in service, with the latest plan */
    loop_fn on_empty;   /* after house_stop(): the last one has ended */
    void *ctx;
};

struct house *house_new(const struct house_base *base);
void house_free(struct house *h);

/*
 * Brings the rooms in line with the plan, which is borrowed until the next.
 * The first time all are started. Later queue, directory and journal reload in
 * place; the others are started beside the old, which are told to finish once
 * the new are ready.
 */
void house_follow(struct house *h, const struct house_plan *plan);

/* From the front door inwards, some seconds each, then by force. Called again:
 * by force at once. */
void house_stop(struct house *h);
