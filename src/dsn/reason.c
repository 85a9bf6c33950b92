/* SPDX-License-Identifier: ISC */
#include <assert.h>

#include "dsn/dsn_internal.h"

/* NULL: not known. */
static const struct reason *
known_reason(const struct verdict *v)
{
    const struct reason *r = NULL;
    if (v->reason.n > 0)
        r = catalogue_find(v->reason);
    if (r == NULL)
        r = catalogue_recognise(v->text);
    return r;
}

const struct reason *
dsn_reason(const struct verdict *v)
{
    const struct reason *r = known_reason(v);
    if (r == NULL)
        r = catalogue_find(v->outcome == OUTCOME_LATER ? STR("expired")
                                                       : STR("unclear"));
    assert(r != NULL);
    return r;
}

bool
dsn_is_success(const struct verdict *v)
{
    return v->outcome == OUTCOME_DELIVERED || v->outcome == OUTCOME_RELAYED;
}

struct status
dsn_status(const struct verdict *v)
{
    struct status s = v->status;
    if (dsn_is_success(v))
        return s.klass == 2 ? s : (struct status){2, 0, 0};
    if (s.klass != 4 && s.klass != 5)
        s = status_find(v->text);
    if (s.klass == 4 || s.klass == 5)
        return s;
    const struct reason *r = known_reason(v);
    if (r == NULL && v->outcome == OUTCOME_LATER)
        return (struct status){4, 4, 7}; // RFC 3463: delivery time expired
    if (r == NULL)
        return (struct status){5, 0, 0};
    s = r->status;
    // What was refused for good stays so, even where we would try again.
    s.klass = v->outcome == OUTCOME_LATER ? 4 : 5;
    return s;
}
