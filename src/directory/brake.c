/* SPDX-License-Identifier: ISC */
#include "directory/brake.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"

enum {
    PERIOD_MS = 15 * 60 * 1000,
    ENTRIES_MAX = 50000, /* of a period; then the next begins */
    FREE_FAILURES = 9,
    DELAY_MS = 1000,
    DELAY_MAX_MS = 10 * 1000,
    KEY_MAX = 256,
};

static void
forget(struct map *m)
{
    struct str key;
    void *n;

    for (size_t i = 0; map_next(m, &i, &key, &n);)
        free(n);
    map_fini(m);
}

void
brake_fini(struct brake *b)
{
    forget(&b->recent);
    forget(&b->older);
}

static void
begin_period(struct brake *b, struct instant now)
{
    forget(&b->older);
    b->older = b->recent;
    b->recent = (struct map){0};
    b->period_end_ms = now.mono_ms + PERIOD_MS;
}

static void
keep_time(struct brake *b, struct instant now)
{
    if (now.mono_ms < b->period_end_ms && b->recent.count < ENTRIES_MAX)
        return;
    if (now.mono_ms >= b->period_end_ms + PERIOD_MS) // older than two
        begin_period(b, now);
    begin_period(b, now);
}

static size_t
count_in(const struct map *m, struct str key)
{
    const size_t *n = map_get(m, key);
    return n == NULL ? 0 : *n;
}

static size_t
count(const struct brake *b, struct str key)
{
    return count_in(&b->recent, key) + count_in(&b->older, key);
}

static void
add_one(struct brake *b, struct str key)
{
    size_t *n = map_get(&b->recent, key);
    if (n == NULL) {
        n = alloc_zero(sizeof *n);
        (void)map_put(&b->recent, key, n);
    }
    ++*n;
}

static struct str
user_key(struct buf *b, struct str user)
{
    buf_clear(b);
    buf_add(b, STR("u:"));
    buf_add_lower(b, str_first(user, KEY_MAX));
    return buf_str(b);
}

/* "192.0.2.7" -> "192.0.2"; "2001:db8:0:1::7" -> "2001:db8:0:1", which is the
 * same network as "2001:db8:0:1:2:3:4:5". Zeros at its end may be written or
 * be part of the "::". */
static struct str
network(struct str client)
{
    if (str_find_char(client, ':') < 0) {
        ssize_t dot = str_rfind_char(client, '.');
        return dot < 0 ? client : str_first(client, (size_t)dot);
    }
    ssize_t zeros = str_find(client, STR("::"));
    struct str net = zeros < 0 ? client : str_first(client, (size_t)zeros);
    size_t groups = 0;
    for (size_t i = 0; i < net.n; i++)
        if (net.p[i] == ':' && ++groups == 4)
            net.n = i;
    while (str_ends(net, STR(":0")))
        net.n -= 2;
    return net;
}

/* Empty: this client is not counted. Behind the own host's address stand all
 * the users of a web mailer. */
static struct str
client_key(struct buf *b, struct str client)
{
    buf_clear(b);
    if (client.n == 0 || str_starts(client, STR("127.")) ||
        str_eq(client, STR("::1")))
        return STR_EMPTY;
    buf_add(b, STR("n:"));
    buf_add(b, network(str_first(client, KEY_MAX)));
    return buf_str(b);
}

static int64_t
delay_for(size_t failures)
{
    int64_t delay = DELAY_MS;

    if (failures < FREE_FAILURES)
        return 0;
    for (size_t i = FREE_FAILURES; i < failures && delay < DELAY_MAX_MS; i++)
        delay *= 2;
    return delay < DELAY_MAX_MS ? delay : DELAY_MAX_MS;
}

int64_t
brake_delay_ms(struct brake *b, struct str user, struct str client,
               struct instant now)
{
    struct buf key = {0};

    keep_time(b, now);
    int64_t delay = delay_for(count(b, user_key(&key, user)));
    struct str net = client_key(&key, client);
    int64_t other = net.n > 0 ? delay_for(count(b, net)) : 0;
    buf_fini(&key);
    return delay > other ? delay : other;
}

void
brake_failed(struct brake *b, struct str user, struct str client,
             struct instant now)
{
    struct buf key = {0};

    keep_time(b, now);
    add_one(b, user_key(&key, user));
    struct str net = client_key(&key, client);
    if (net.n > 0)
        add_one(b, net);
    buf_fini(&key);
}

void
brake_succeeded(struct brake *b, struct str user)
{
    struct buf key = {0};

    free(map_remove(&b->recent, user_key(&key, user)));
    free(map_remove(&b->older, buf_str(&key)));
    buf_fini(&key);
}
