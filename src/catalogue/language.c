/* SPDX-License-Identifier: ISC */
#include "catalogue/language.h"

#include "catalogue/catalogue_internal.h"

size_t
language_count(void)
{
    return catalogue_n_tongues;
}

static const struct catalogue_tongue *
tongue(unsigned lang)
{
    return &catalogue_tongues[lang < catalogue_n_tongues ? lang : 0];
}

struct str
language_tag(unsigned lang)
{
    return tongue(lang)->tag;
}

struct str
language_name(unsigned lang)
{
    return tongue(lang)->name;
}

bool
language_find(struct str tag, unsigned *lang)
{
    size_t n = 0;
    while (n < tag.n && tag.p[n] != '-' && tag.p[n] != '_' && tag.p[n] != '.' &&
           tag.p[n] != '@')
        n++;
    for (unsigned i = 0; i < catalogue_n_tongues; i++) {
        if (str_eq_nocase(str_first(tag, n), catalogue_tongues[i].tag)) {
            *lang = i;
            return true;
        }
    }
    return false;
}

unsigned
language_of_locale(struct str locale)
{
    unsigned lang = LANGUAGE_ENGLISH;
    struct str before, charset, modifier;
    (void)str_cut(locale, '@', &locale, &modifier);
    if (str_cut(locale, '.', &before, &charset) &&
        !str_eq_nocase(charset, STR("UTF-8")) &&
        !str_eq_nocase(charset, STR("utf8")))
        return LANGUAGE_ENGLISH;
    (void)language_find(before, &lang);
    return lang;
}

struct str
catalogue_word(struct str english, unsigned lang)
{
    const struct catalogue_tongue *t = tongue(lang);
    size_t low = 0, high = t->n_words;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_compare(t->words[middle].english, english);
        if (order == 0)
            return t->words[middle].text;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return english;
}

struct str
catalogue_text(const struct reason *r, unsigned lang,
               enum catalogue_which which)
{
    if (which == CATALOGUE_WHO)
        return catalogue_word(r->who, lang);
    struct str english = which == CATALOGUE_MEANING ? r->meaning : r->next;
    const struct catalogue_tongue *t = tongue(lang);
    if (t->texts == NULL)
        return english;
    const struct catalogue_translation *own = &t->texts[r - catalogue_reasons];
    struct str text = which == CATALOGUE_MEANING ? own->meaning : own->next;
    return text.n > 0 ? text : english;
}
