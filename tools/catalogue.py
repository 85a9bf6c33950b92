#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Compiles share/catalogue/*.reasons into a C table, or says what is wrong.

A file holds entries; '#' at the start of a line is a comment, a line that
begins with a blank continues the one before:

    [relay-denied]           the reason's id
    class: relay-denied      one of CLASSES below
    code: 553                default reply code, 4xx or 5xx
    status: 5.7.1            default enhanced code, of the same class
    who: sender              who must act
    text: ...                line 1 of the reply: what is wrong (ASCII)
    advice: ...              line 2: who can fix it and how (ASCII)
    meaning: ...             what it means, in plain words (UTF-8)
    next: ...                what to do next
    wording: 553 5.1.1 ...   a reply known in the wild; any number of them
    status-seen: x.1.1       an enhanced code that means this when the words
                             say nothing; x: 4 and 5; any number
    reply-seen: 521          the same for a bare reply code
    fits: 550 5.7.1          the codes for a text of one's own, where `code` and
                             `status` are not the best; any number

%{sender} %{recipient} %{recipient-domain} %{domain} %{user} %{host} and
%{detail} are filled in; in a wording each stands for one word or more of
letters without a blank. Wordings are compared without codes, without regard to
case, and without what is not a letter or digit at their ends.

A folder of two letters beside these files is a language. Its *.reasons hold
the same entries with `meaning` and `next` alone; its file `words` has lines

    language = Deutsch
    English phrase = translated phrase

for every `who`, every line of share/catalogue/labels and every phrase of
share/catalogue/codes. What is not translated stays English; `catalogue.py --missing FILE ...` lists it.
docs/catalogue.md says how to add a reason or a language.
"""
import pathlib
import re
import sys

CLASSES = """recipient-unknown recipient-refused recipient-disabled
recipient-moved recipient-full domain-unknown domain-no-mail sender-rejected
sender-domain relay-denied sender-auth client-dns reputation client-blocked
policy auth-required malformed content spam virus size rate timeout network tls
remote-system remote-full local-delivery protocol suppressed unclear complaint
greylisted""".split()
# What says little: a wording of these counts where none of the others is found.
VAGUE = {"recipient-refused", "policy", "unclear"}
SINGLE = "class code status who text advice meaning next".split()
MANY = "wording status-seen reply-seen fits".split()
TRANSLATED = ["meaning", "next"]
PARAMS = "sender recipient recipient-domain domain user host detail".split()
LINE = 200       # octets of a reply line, CRLF included
SHORTEST = 16    # octets a parameter is shortened to, at least
WILD = "\x01"


class Bad(Exception):
    pass


def join(text, more):
    """A continued line; Japanese has no blank between its characters."""
    wide = text[-1] > "\u2e80" and more[0] > "\u2e80"
    return text + ("" if wide else " ") + more


def entries(path, known):
    """Yields (line number, id, {field: [(line number, value), ...]})."""
    at, name, fields, last = 0, None, {}, None
    with open(path, encoding="utf-8") as f:
        for n, line in enumerate(f, 1):
            line = line.rstrip("\n")
            if line.startswith("#") or not line.strip():
                continue
            head = re.fullmatch(r"\[([a-z][a-z0-9-]*)\]", line)
            field = re.fullmatch(r"([a-z-]+): +(\S.*)", line)
            if head:
                if name:
                    yield at, name, fields
                at, name, fields, last = n, head[1], {}, None
            elif line[0] in " \t" and last:
                last[-1] = (last[-1][0], join(last[-1][1], line.strip()))
            elif field and name and field[1] in known:
                last = fields.setdefault(field[1], [])
                last.append((n, field[2].strip()))
            else:
                raise Bad(f"{path}:{n}: expected [ID], FIELD: VALUE with one "
                          f"of {', '.join(known)}, or a continuation")
    if name:
        yield at, name, fields


def normal(wording):
    """What src/catalogue/recognise.c makes of a reply, for a wording."""
    text = re.sub(r"%\{[a-z-]+\}", WILD, wording).lower()
    text = re.sub(r"^[2-5][0-9][0-9](?:[ -]|$)", "", text)
    words = [w for w in text.split()
             if not re.fullmatch(r"\(?#?[245]\.[0-9]{1,3}\.[0-9]{1,3}\)?[:.]?", w)]
    text = " ".join(words)
    return re.sub(r"^[^a-z0-9]+|[^a-z0-9]+$", "", text)


def check_text(where, text):
    if not re.fullmatch(r"[ -~]+", text):
        raise Bad(f"{where}: a reply line must be printable ASCII")
    fixed, params = len(re.sub(r"%\{[^}]*\}", "", text)), text.count("%{")
    room = LINE - len("553-5.7.26 \r\n")
    if fixed + params * SHORTEST > room:
        raise Bad(f"{where}: {fixed} octets and {params} parameters; with "
                  f"{SHORTEST} each expected at most {room}")


def check_params(where, text):
    for name in re.findall(r"%\{([^}]*)\}?", text):
        if name not in PARAMS:
            raise Bad(f"{where}: unknown parameter %{{{name}}}, expected one "
                      f"of {', '.join(PARAMS)}")


def check_codes(path, fields):
    n, code = fields["code"][0]
    if not re.fullmatch(r"[45][0-5][0-9]", code):
        raise Bad(f"{path}:{n}: code {code}: expected 4xx or 5xx")
    n, status = fields["status"][0]
    if not re.fullmatch(code[0] + r"\.[0-9]{1,3}\.[0-9]{1,3}", status):
        raise Bad(f"{path}:{n}: status {status}: expected {code[0]}.x.y")


def check_entry(path, at, name, fields):
    for key in SINGLE:
        if len(fields.get(key, [])) != 1:
            raise Bad(f"{path}:{at}: [{name}]: expected exactly one {key}:")
    n, klass = fields["class"][0]
    if klass not in CLASSES:
        raise Bad(f"{path}:{n}: unknown class {klass}, expected one of "
                  f"{', '.join(CLASSES)}")
    check_codes(path, fields)
    for key in ("text", "advice"):
        check_text(f"{path}:{fields[key][0][0]}", fields[key][0][1])
    for key in ("text", "advice", "meaning", "next", "wording"):
        for n, text in fields.get(key, []):
            check_params(f"{path}:{n}", text)
    for n, text in fields.get("wording", []):
        if not re.fullmatch(r"[ -~]+", text):
            raise Bad(f"{path}:{n}: a wording must be printable ASCII")
    for n, text in fields.get("status-seen", []):
        if not re.fullmatch(r"[x45]\.[0-9]{1,3}\.[0-9]{1,3}", text):
            raise Bad(f"{path}:{n}: expected x.y.z, 4.y.z or 5.y.z")
    for n, text in fields.get("fits", []):
        if not re.fullmatch(r"([45])[0-9][0-9] \1\.[0-9]{1,3}\.[0-9]{1,3}", text):
            raise Bad(f"{path}:{n}: expected codes such as 550 5.7.1")
    for n, text in fields.get("reply-seen", []):
        if not re.fullmatch(r"[45][0-9][0-9]", text):
            raise Bad(f"{path}:{n}: expected a reply code 4xx or 5xx")


def once(seen, key, name, where, what):
    """A wording or code may lead to one reason only."""
    if seen.setdefault(key, (name, where))[0] != name:
        other, first = seen[key]
        raise Bad(f"{where}: {what} is in [{name}] and, at {first}, "
                  f"in [{other}]")


def read(paths):
    reasons, words, codes = {}, {}, {}
    for path in paths:
        for at, name, fields in entries(path, SINGLE + MANY):
            if name in reasons:
                raise Bad(f"{path}:{at}: [{name}] is there already, at "
                          f"{reasons[name][0]}")
            check_entry(path, at, name, fields)
            reasons[name] = (f"{path}:{at}", fields)
            for n, text in fields.get("wording", []):
                key = normal(text)
                if len(key) < 4 or key.count(WILD) > 3:
                    raise Bad(f"{path}:{n}: too short, or more than 3 "
                              "parameters, to be recognised")
                once(words, key, name, f"{path}:{n}", "the wording")
            for n, text in fields.get("status-seen", []):
                both = "45" if text[0] == "x" else text[0]
                for klass in both:
                    once(codes, klass + text[1:], name, f"{path}:{n}", "the code")
            for n, text in fields.get("reply-seen", []):
                once(codes, text, name, f"{path}:{n}", "the code")
    return reasons, words, codes


def write_fits(out, reasons):
    rows = [(i, *text.split()) for i, name in enumerate(sorted(reasons))
            for _, text in reasons[name][1].get("fits", [])]
    out.write("\nconst struct catalogue_fit catalogue_fit_codes[] = {\n")
    for i, code, full in rows:
        out.write(f"    {{{i}, {code}, {status(full)}}},\n")
    out.write("    {0, 0, {0, 0, 0}},\n};\nconst size_t "
              f"catalogue_n_fit_codes = {len(rows)};\n")


def sort_files(paths):
    """The English files, labels and codes, {language: its files}."""
    english, labels, codes, languages = [], [], [], {}
    for path in paths:
        p = pathlib.Path(path)
        if re.fullmatch(r"[a-z]{2}", p.parent.name):
            languages.setdefault(p.parent.name, []).append(path)
        elif p.name == "labels":
            labels.append(path)
        elif p.name == "codes":
            codes.append(path)
        else:
            english.append(path)
    return english, labels, codes, languages


def check_people(where, text, english):
    """A text that people read, in whatever script."""
    if any(ord(c) < 32 or c == "\ufffd" for c in text):
        raise Bad(f"{where}: a control character")
    if sorted(re.findall(r"%\{[^}]*\}", text)) != \
            sorted(re.findall(r"%\{[^}]*\}", english)):
        raise Bad(f"{where}: expected the same %{{...}} as in English")


def read_labels(paths):
    out = []
    for path in paths:
        with open(path, encoding="utf-8") as f:
            out += [line.strip() for line in f
                    if line.strip() and not line.startswith("#")]
    return out


def read_codes(paths):
    """{"553" or "1" of x.1.y: phrase}."""
    out = {}
    for path in paths:
        with open(path, encoding="utf-8") as f:
            for n, line in enumerate(f, 1):
                if line.startswith("#") or not line.strip():
                    continue
                m = re.fullmatch(r"([45][0-9]{2}|x\.[0-9]\.y) = (\S.*)", line.strip())
                if not m:
                    raise Bad(f"{path}:{n}: expected 553 = PHRASE or "
                              "x.1.y = PHRASE")
                out[m[1].strip("x.y")] = m[2]
    return out


def read_words(path, phrases):
    """{English phrase: translation}, with one for "language"."""
    out = {}
    with open(path, encoding="utf-8") as f:
        for n, line in enumerate(f, 1):
            if line.startswith("#") or not line.strip():
                continue
            key, sign, value = line.strip().partition(" = ")
            if not sign or not value.strip():
                raise Bad(f"{path}:{n}: expected PHRASE = TRANSLATION")
            if key != "language" and key not in phrases:
                raise Bad(f"{path}:{n}: \"{key}\" is no phrase of the catalogue")
            if key in out:
                raise Bad(f"{path}:{n}: \"{key}\" is there twice")
            check_people(f"{path}:{n}", value, key)
            out[key] = value.strip()
    if "language" not in out:
        raise Bad(f"{path}: expected a line language = NAME")
    return out


def read_language(paths, reasons, phrases):
    """({id: {field: text}}, {phrase: text})."""
    texts, words = {}, {}
    for path in paths:
        if pathlib.Path(path).name == "words":
            words = read_words(path, phrases)
            continue
        for at, name, fields in entries(path, TRANSLATED):
            if name not in reasons:
                raise Bad(f"{path}:{at}: [{name}] is not in the English files")
            if name in texts:
                raise Bad(f"{path}:{at}: [{name}] is there twice")
            texts[name] = {}
            for key, values in fields.items():
                if len(values) != 1:
                    raise Bad(f"{path}:{values[1][0]}: a second {key}:")
                check_people(f"{path}:{values[0][0]}", values[0][1],
                             reasons[name][1][key][0][1])
                texts[name][key] = values[0][1]
    if not words:
        raise Bad(f"{paths[0]}: its folder has no file words")
    return texts, words


def missing(reasons, phrases, languages):
    """What each language lacks, as lines."""
    for tag, (texts, words) in sorted(languages.items()):
        for name in sorted(reasons):
            for key in TRANSLATED:
                if key not in texts.get(name, {}):
                    yield f"{tag}: [{name}] {key}"
        for phrase in phrases:
            if phrase not in words:
                yield f"{tag}: {phrase}"


def c_str(text):
    out = ""
    for byte in text.encode():
        plain = 32 <= byte < 127 and chr(byte) not in '"\\?'
        out += chr(byte) if plain else f"\\{byte:03o}"
    return f'{{"{out}", {len(text.encode())}}}'


def status(text):
    return "{" + ", ".join(text.split(".")) + "}"


def write(out, reasons, words, codes):
    names = sorted(reasons)
    index = {name: i for i, name in enumerate(names)}
    out.write("/* Made by tools/catalogue.py from share/catalogue. */\n"
              '#include "catalogue/catalogue_internal.h"\n\n')
    for i, name in enumerate(names):
        wordings = reasons[name][1].get("wording", [])
        out.write(f"static const struct str wordings_{i}[] = {{\n")
        for _, text in wordings or [(0, "")]:
            out.write(f"    {c_str(text)},\n")
        out.write("};\n")
    out.write("\nconst struct reason catalogue_reasons[] = {\n")
    for i, name in enumerate(names):
        f = {key: reasons[name][1][key][0][1] for key in SINGLE}
        out.write(f"    {{{c_str(name)}, {c_str(f['class'])}, {f['code']}, "
                  f"{status(f['status'])},\n")
        for key in ("who", "meaning", "next", "text", "advice"):
            out.write(f"     {c_str(f[key])},\n")
        n = len(reasons[name][1].get("wording", []))
        out.write(f"     wordings_{i}, {n}}},\n")
    out.write(f"}};\nconst size_t catalogue_n_reasons = {len(names)};\n")
    # The longest first: the first that fits says most.
    vague = {w for w in words
             if reasons[words[w][0]][1]["class"][0][1] in VAGUE}
    order = sorted(words, key=lambda w: (w in vague, -len(w), w))
    out.write("\nconst struct catalogue_wording catalogue_wordings[] = {\n")
    for key in order:
        out.write(f"    {{{c_str(key)}, {index[words[key][0]]}}},\n")
    out.write(f"}};\nconst size_t catalogue_n_wordings = {len(order)};\n")
    out.write("\nconst struct catalogue_code catalogue_codes[] = {\n")
    for key in sorted(codes):
        code, full = ("0", status(key)) if "." in key else (key, "{0, 0, 0}")
        out.write(f"    {{{code}, {full}, {index[codes[key][0]]}}},\n")
    out.write(f"}};\nconst size_t catalogue_n_codes = {len(codes)};\n")


def write_languages(out, reasons, languages):
    names, empty = sorted(reasons), c_str("")
    for tag, (texts, words) in sorted(languages.items()):
        out.write(f"\nstatic const struct catalogue_translation texts_{tag}[] = {{\n")
        for name in names:
            t = [c_str(texts.get(name, {}).get(k, "")) for k in TRANSLATED]
            out.write(f"    {{{t[0]},\n     {t[1]}}},\n")
        out.write(f"}};\nstatic const struct catalogue_phrase words_{tag}[] = {{\n")
        for phrase in sorted(words, key=str.encode):
            out.write(f"    {{{c_str(phrase)}, {c_str(words[phrase])}}},\n")
        out.write("};\n")
    out.write("\nconst struct catalogue_tongue catalogue_tongues[] = {\n"
              f"    {{{c_str('en')}, {c_str('English')}, NULL, NULL, 0}},\n")
    for tag, (_, words) in sorted(languages.items()):
        out.write(f"    {{{c_str(tag)}, {c_str(words['language'])}, texts_{tag}, "
                  f"words_{tag}, {len(words)}}},\n")
    out.write("};\nconst size_t catalogue_n_tongues = "
              f"{len(languages) + 1};\n")


def write_sayings(out, sayings):
    out.write("\nconst struct catalogue_saying catalogue_sayings[] = {\n")
    for key, phrase in sorted(sayings.items()):
        out.write(f"    {{{key}, {c_str(phrase)}}},\n")
    out.write("    {0, {\"\", 0}},\n};\nconst size_t catalogue_n_sayings = "
              f"{len(sayings)};\n")


def read_all(paths):
    english, labels, code_files, folders = sort_files(paths)
    reasons, words, codes = read(english)
    if not reasons:
        raise Bad(f"{english[0] if english else paths[0]}: no entry")
    if len(words) == 0 or len(codes) == 0:
        raise Bad(f"{english[0]}: no wording or no code in any entry")
    phrases = {f["who"][0][1] for _, f in reasons.values()}
    sayings = read_codes(code_files)
    phrases = sorted(phrases.union(read_labels(labels), sayings.values()))
    languages = {tag: read_language(files, reasons, phrases)
                 for tag, files in folders.items()}
    return reasons, words, codes, sayings, phrases, languages


def main(argv):
    if len(argv) < 3:
        sys.exit("usage: catalogue.py OUTPUT|--missing FILE ...")
    try:
        reasons, words, codes, sayings, phrases, languages = read_all(argv[2:])
    except (Bad, OSError, UnicodeDecodeError) as e:
        sys.exit(f"{e}")
    if argv[1] == "--missing":
        lines = list(missing(reasons, phrases, languages))
        print("\n".join(lines + [f"{len(lines)} translations missing"]))
        sys.exit(len(lines) > 0)
    with open(argv[1], "w", encoding="ascii") as out:
        write(out, reasons, words, codes)
        write_fits(out, reasons)
        write_sayings(out, sayings)
        write_languages(out, reasons, languages)


if __name__ == "__main__":
    main(sys.argv)
