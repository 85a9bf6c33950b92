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

%{sender} %{recipient} %{recipient-domain} %{domain} %{user} %{host} and
%{detail} are filled in; in a wording each stands for one word or more of
letters without a blank. Wordings are compared without codes, without regard to
case, and without what is not a letter or digit at their ends.
"""
import re
import sys

CLASSES = """recipient-unknown recipient-refused recipient-disabled
recipient-moved recipient-full domain-unknown domain-no-mail sender-rejected
sender-domain relay-denied sender-auth client-dns reputation client-blocked
policy auth-required malformed content spam virus size rate timeout network tls
remote-system remote-full local-delivery protocol suppressed unclear complaint
greylisted""".split()
SINGLE = "class code status who text advice meaning next".split()
MANY = "wording status-seen reply-seen".split()
PARAMS = "sender recipient recipient-domain domain user host detail".split()
LINE = 200       # octets of a reply line, CRLF included
SHORTEST = 16    # octets a parameter is shortened to, at least
WILD = "\x01"


class Bad(Exception):
    pass


def entries(path):
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
                last[-1] = (last[-1][0], last[-1][1] + " " + line.strip())
            elif field and name and field[1] in SINGLE + MANY:
                last = fields.setdefault(field[1], [])
                last.append((n, field[2].strip()))
            else:
                raise Bad(f"{path}:{n}: expected [ID], FIELD: VALUE with one "
                          f"of {', '.join(SINGLE + MANY)}, or a continuation")
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
        for at, name, fields in entries(path):
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
    order = sorted(words, key=lambda w: (-len(w), w))
    out.write("\nconst struct catalogue_wording catalogue_wordings[] = {\n")
    for key in order:
        out.write(f"    {{{c_str(key)}, {index[words[key][0]]}}},\n")
    out.write(f"}};\nconst size_t catalogue_n_wordings = {len(order)};\n")
    out.write("\nconst struct catalogue_code catalogue_codes[] = {\n")
    for key in sorted(codes):
        code, full = ("0", status(key)) if "." in key else (key, "{0, 0, 0}")
        out.write(f"    {{{code}, {full}, {index[codes[key][0]]}}},\n")
    out.write(f"}};\nconst size_t catalogue_n_codes = {len(codes)};\n")


def main(argv):
    if len(argv) < 3:
        sys.exit("usage: catalogue.py OUTPUT FILE.reasons ...")
    try:
        reasons, words, codes = read(argv[2:])
        if not reasons:
            raise Bad(f"{argv[2]}: no entry")
        if len(words) == 0 or len(codes) == 0:
            raise Bad(f"{argv[2]}: no wording or no code in any entry")
    except (Bad, OSError, UnicodeDecodeError) as e:
        sys.exit(f"{e}")
    with open(argv[1], "w", encoding="ascii") as out:
        write(out, reasons, words, codes)


if __name__ == "__main__":
    main(sys.argv)
