/* SPDX-License-Identifier: ISC */
/* The lines of list files: whatever is taken has a key that looks like what the
 * list is asked for. */
#include <stdint.h>

#include "book/lists.h"
#include "book/network.h"
#include "mail/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Each key is its own key: what is looked for in that form is found. */
static void
check_key(struct arena *a, enum list_id list, struct str key)
{
    struct list_entry again;
    struct address address;
    struct str ignored;

    if (list == LIST_CLIENTS_REFUSED) {
        if (!str_eq(network_key(a, key), key))
            __builtin_trap();
    } else if (str_rfind_char(key, '@') <= 0 &&
               (list_parse_line(list, key, a, &again, &ignored) !=
                    LIST_LINE_ENTRY ||
                !str_eq(again.key, key))) {
        __builtin_trap();
    } else if (address_parse(key, &address) &&
               !str_eq(address_key(a, &address), key)) {
        __builtin_trap();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str text = str_from_n(data, n), line;
    struct arena a = {0};

    if (n == 0)
        return 0;
    enum list_id list = (enum list_id)(data[0] % LIST_COUNT);
    text = str_from_pos(text, 1);
    do {
        struct list_entry entry;
        struct str expected = STR_EMPTY;
        (void)str_cut(text, '\n', &line, &text);
        enum list_line is = list_parse_line(list, line, &a, &entry, &expected);
        if ((is == LIST_LINE_BAD) != (expected.n > 0))
            __builtin_trap();
        if (is == LIST_LINE_ENTRY)
            check_key(&a, list, entry.key);
    } while (text.n > 0);
    arena_fini(&a);
    return 0;
}
