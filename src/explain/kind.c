/* SPDX-License-Identifier: ISC */
#include "explain/kind.h"

#include "explain/formats.h"
#include "explain/wordlist.h"
#include "mail/mime.h"

static enum explain_kind
kind_of_action(struct str action)
{
    if (str_starts_nocase(action, STR("delayed")))
        return EXPLAIN_DELAY;
    if (str_starts_nocase(action, STR("delivered")) ||
        str_starts_nocase(action, STR("expanded")))
        return EXPLAIN_SUCCESS;
    if (str_starts_nocase(action, STR("relayed")))
        return EXPLAIN_RELAYED;
    return EXPLAIN_FAILURE;
}

/* Words that say that it will be tried again. */
static bool
speaks_of_delay(struct str subject, struct str prose)
{
    static const char *const subjects[] = {
        "delayed",   "warning: could not send",
        "delay)",    "still being retried",
        "verzögert", "retard"};
    static const char *const words[] = {
        "has not yet been delivered",
        "this is a warning message only",
        "do not need to resend",
        "delivery attempts will continue",
        "will continue to be attempted",
        "will keep trying",
        "will retry for",
        "message delayed",
        "has been delayed",
        "temporary problem delivering",
        "delivery to the following recipients has been delayed",
        "this is a warning only",
        "will be retried until"};
    static struct wordlist in_subject = WORDLIST(subjects);
    static struct wordlist in_prose = WORDLIST(words);
    return wordlist_any(&in_subject, subject) ||
           wordlist_any(&in_prose, str_first(prose, 3000));
}

static bool
speaks_of_success(struct str prose)
{
    static const char *const words[] = {
        "was successfully delivered", "has been successfully delivered",
        "delivery was successful", "successfully delivered to",
        "your message was delivered"};
    static struct wordlist list = WORDLIST(words);
    return wordlist_any(&list, str_first(prose, 2000));
}

bool
kind_is_complaint(const struct notice *n)
{
    static const char *const words[] = {"this is an email abuse report",
                                        "this is a spam report for",
                                        "this is an abuse report for"};
    static struct wordlist list = WORDLIST(words);
    return wordlist_any(&list, str_first(n->prose, 300));
}

bool
kind_is_unsubscribe(const struct notice *n)
{
    return str_find_nocase(str_first(n->prose, 300),
                           STR("sent this email to unsubscribe from")) >= 0;
}

/* RFC 3834, and what answering programs did before it. */
bool
kind_is_autoreply(struct arena *a, struct notice *n, bool known)
{
    static const char *const subjects[] = {"out of office",
                                           "out of the office",
                                           "out-of-office",
                                           "automatic reply",
                                           "auto reply",
                                           "autoreply",
                                           "auto-reply",
                                           "auto response",
                                           "autoresponse",
                                           "auto-response",
                                           "automated response",
                                           "automated reply",
                                           "vacation",
                                           "away from my mail",
                                           "on holiday",
                                           "abwesenheit",
                                           "automatische antwort",
                                           "réponse automatique",
                                           "absence du bureau",
                                           "respuesta automática",
                                           "fuera de la oficina",
                                           "risposta automatica",
                                           "自動応答",
                                           "自動返信",
                                           "自动答复",
                                           "автоответ"};
    static struct wordlist list = WORDLIST(subjects);
    struct fields *header = &n->header;
    struct str value, subject = notice_field(a, header, STR("subject"));
    if (fields_find(header, a, STR("x-autoreply"), &value) ||
        fields_find(header, a, STR("x-autorespond"), &value) ||
        fields_find(header, a, STR("x-autoresponder"), &value))
        return true;
    if (str_find_nocase(notice_field(a, header, STR("precedence")),
                        STR("auto_reply")) >= 0)
        return true;
    if (wordlist_any(&list, str_first(subject, 200)))
        return true;
    struct str submitted = notice_field(a, header, STR("auto-submitted"));
    if (str_starts_nocase(subject, STR("Auto: ")))
        return true; // vacation(1)
    return str_starts_nocase(submitted, STR("auto-replied")) &&
           n->report_type.n == 0 && !known && !formats_is_subject(subject);
}

enum explain_kind
kind_of_claim(struct arena *a, struct notice *n, const struct claim *c)
{
    if (c->action.n > 0)
        return kind_of_action(c->action);
    if (speaks_of_delay(notice_field(a, &n->header, STR("subject")), n->prose))
        return EXPLAIN_DELAY;
    if (c->text.n == 0 && speaks_of_success(n->prose))
        return EXPLAIN_SUCCESS;
    return EXPLAIN_FAILURE;
}
