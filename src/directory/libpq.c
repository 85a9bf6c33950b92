/* SPDX-License-Identifier: ISC */
#include "directory/libpq.h"

#include <stddef.h>

#include "os/library.h"

static struct real {
    PGconn *(*connect_start)(const char *const *, const char *const *, int);
    PostgresPollingStatusType (*connect_poll)(PGconn *);
    void (*finish)(PGconn *);
    ConnStatusType (*status)(const PGconn *);
    char *(*error_message)(const PGconn *);
    int (*socket)(const PGconn *);
    PQnoticeReceiver (*set_notice_receiver)(PGconn *, PQnoticeReceiver, void *);
    int (*set_nonblocking)(PGconn *, int);
    int (*enter_pipeline)(PGconn *);
    int (*pipeline_sync)(PGconn *);
    int (*send_query)(PGconn *, const char *, int, const Oid *,
                      const char *const *, const int *, const int *, int);
    int (*flush)(PGconn *);
    int (*consume_input)(PGconn *);
    int (*is_busy)(PGconn *);
    PGresult *(*get_result)(PGconn *);
    ExecStatusType (*result_status)(const PGresult *);
    char *(*result_error)(const PGresult *);
    char *(*result_error_field)(const PGresult *, int);
    int (*n_tuples)(const PGresult *);
    int (*n_fields)(const PGresult *);
    int (*is_null)(const PGresult *, int, int);
    char *(*value)(const PGresult *, int, int);
    void (*clear)(PGresult *);
} real;

static const struct {
    const char *name;
    size_t at;
} functions[] = {
    {"PQconnectStartParams", offsetof(struct real, connect_start)      },
    {"PQconnectPoll",        offsetof(struct real, connect_poll)       },
    {"PQfinish",             offsetof(struct real, finish)             },
    {"PQstatus",             offsetof(struct real, status)             },
    {"PQerrorMessage",       offsetof(struct real, error_message)      },
    {"PQsocket",             offsetof(struct real, socket)             },
    {"PQsetNoticeReceiver",  offsetof(struct real, set_notice_receiver)},
    {"PQsetnonblocking",     offsetof(struct real, set_nonblocking)    },
    {"PQenterPipelineMode",  offsetof(struct real, enter_pipeline)     },
    {"PQpipelineSync",       offsetof(struct real, pipeline_sync)      },
    {"PQsendQueryParams",    offsetof(struct real, send_query)         },
    {"PQflush",              offsetof(struct real, flush)              },
    {"PQconsumeInput",       offsetof(struct real, consume_input)      },
    {"PQisBusy",             offsetof(struct real, is_busy)            },
    {"PQgetResult",          offsetof(struct real, get_result)         },
    {"PQresultStatus",       offsetof(struct real, result_status)      },
    {"PQresultErrorMessage", offsetof(struct real, result_error)       },
    {"PQresultErrorField",   offsetof(struct real, result_error_field) },
    {"PQntuples",            offsetof(struct real, n_tuples)           },
    {"PQnfields",            offsetof(struct real, n_fields)           },
    {"PQgetisnull",          offsetof(struct real, is_null)            },
    {"PQgetvalue",           offsetof(struct real, value)              },
    {"PQclear",              offsetof(struct real, clear)              },
};

const char *
libpq_load(void)
{
    static struct err e;
    static bool loaded;

    if (loaded)
        return NULL;
    void *library = library_open("libpq.so.5", &e);
    loaded = library != NULL;
    for (size_t i = 0; loaded && i < sizeof functions / sizeof *functions; i++)
        loaded = library_find(library, functions[i].name,
                              (char *)&real + functions[i].at, &e);
    return loaded ? NULL : e.text;
}

PGconn *
PQconnectStartParams(const char *const *words, const char *const *values,
                     int expand)
{
    return real.connect_start(words, values, expand);
}

PostgresPollingStatusType
PQconnectPoll(PGconn *c)
{
    return real.connect_poll(c);
}

void
PQfinish(PGconn *c)
{
    // Of a connection that never was, too.
    if (c != NULL)
        real.finish(c);
}

ConnStatusType
PQstatus(const PGconn *c)
{
    return real.status(c);
}

char *
PQerrorMessage(const PGconn *c)
{
    return real.error_message(c);
}

int
PQsocket(const PGconn *c)
{
    return real.socket(c);
}

PQnoticeReceiver
PQsetNoticeReceiver(PGconn *c, PQnoticeReceiver receiver, void *arg)
{
    return real.set_notice_receiver(c, receiver, arg);
}

int
PQsetnonblocking(PGconn *c, int on)
{
    return real.set_nonblocking(c, on);
}

int
PQenterPipelineMode(PGconn *c)
{
    return real.enter_pipeline(c);
}

int
PQpipelineSync(PGconn *c)
{
    return real.pipeline_sync(c);
}

int
PQsendQueryParams(PGconn *c, const char *query, int n, const Oid *types,
                  const char *const *values, const int *lengths,
                  const int *formats, int result_format)
{
    return real.send_query(c, query, n, types, values, lengths, formats,
                           result_format);
}

int
PQflush(PGconn *c)
{
    return real.flush(c);
}

int
PQconsumeInput(PGconn *c)
{
    return real.consume_input(c);
}

int
PQisBusy(PGconn *c)
{
    return real.is_busy(c);
}

PGresult *
PQgetResult(PGconn *c)
{
    return real.get_result(c);
}

ExecStatusType
PQresultStatus(const PGresult *r)
{
    return real.result_status(r);
}

char *
PQresultErrorMessage(const PGresult *r)
{
    return real.result_error(r);
}

char *
PQresultErrorField(const PGresult *r, int field)
{
    return real.result_error_field(r, field);
}

int
PQntuples(const PGresult *r)
{
    return real.n_tuples(r);
}

int
PQnfields(const PGresult *r)
{
    return real.n_fields(r);
}

int
PQgetisnull(const PGresult *r, int row, int field)
{
    return real.is_null(r, row, field);
}

char *
PQgetvalue(const PGresult *r, int row, int field)
{
    return real.value(r, row, field);
}

void
PQclear(PGresult *r)
{
    real.clear(r);
}
