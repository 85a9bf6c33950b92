/* SPDX-License-Identifier: ISC */
/* The decoders of what goes between receive, queue, notify and directory, and
 * of the snapshot's values. */
#include <stdint.h>

#include "book/book.h"
#include "ipc/bookpipe.h"
#include "ipc/login.h"
#include "ipc/lookup.h"
#include "ipc/vacation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str in = str_from_n(data, n);
    struct book_msg book;
    struct login_msg login;
    struct vacation_msg vacation;
    struct lookup_msg lookup;
    struct book_domain domain;
    struct book_account account;
    struct book_alias alias;
    struct str *names;
    size_t n_names;
    struct arena a = {0};
    struct buf again = {0};

    // What decodes encodes to the same octets: no two frames mean the same.
    if (book_msg_decode(in, &book)) {
        book_msg_encode(&again, &book);
        if (!str_eq(buf_str(&again), in))
            __builtin_trap();
        buf_clear(&again);
    }
    if (login_decode(in, &login)) {
        login_encode(&again, &login);
        if (!str_eq(buf_str(&again), in))
            __builtin_trap();
        buf_clear(&again);
    }
    if (vacation_decode(in, &vacation)) {
        vacation_encode(&again, &vacation);
        if (!str_eq(buf_str(&again), in))
            __builtin_trap();
        buf_clear(&again);
    }
    if (lookup_decode(&a, in, &lookup)) {
        lookup_encode(&again, &lookup);
        if (!str_eq(buf_str(&again), in))
            __builtin_trap();
        buf_clear(&again);
    }
    if (book_alias_decode(&a, in, &alias)) {
        book_alias_encode(&again, &alias);
        if (!str_eq(buf_str(&again), in))
            __builtin_trap();
        buf_clear(&again);
    }
    names = book_names_decode(&a, in, &n_names);
    if (names != NULL) {
        book_names_encode(&again, names, n_names);
        if (!str_eq(buf_str(&again), in))
            __builtin_trap();
        buf_clear(&again);
    }
    if (book_account_decode(in, &account)) {
        book_account_encode(&again, &account);
        if (!str_eq(buf_str(&again), in))
            __builtin_trap();
    }
    (void)book_domain_decode(in, &domain);
    arena_fini(&a);
    buf_fini(&again);
    return 0;
}
