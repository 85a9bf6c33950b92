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
    reply: none              instead of code, status, text and advice: what is
                             no failure, and so never said in a reply
    status-seen: x.1.1       an enhanced code that means this when the words
                             say nothing; x: 4 and 5; any number
    reply-seen: 521          the same for a bare reply code
    fits: 550 5.7.1          the codes for a text of one's own, where `code` and
                             `status` are not the best; any number

%{sender} %{recipient} %{recipient-domain} %{domain} %{user} %{host} and
%{detail} are filled in; in a wording each stands for a word or a part of one.
Wordings are compared without codes, without regard to case, and without what is
not a letter or digit at their ends. What may stand in front of one:

    @hint    it says little: it counts where no other wording is found, but
             before all those of the classes in VAGUE
    @weak    it says next to nothing ("try again later"): it counts behind those
    @sure    it counts before any other, those of VAGUE included
    @connect @hello @mail @rcpt @data
             it counts only in an answer at that stage
    @code    it counts only with the enhanced code that it brings

A file NAME.wordings holds the wordings of one program or service, one a line:

    origin: Postfix
    [unknown-recipient]
    {Mailbox|Account} {unknown|not found}

"origin: -" is many servers. {a|b} is a or b; what these make yields to what is
there already.

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
greylisted auto-reply delivered delayed not-a-bounce""".split()
# Reasons that say little: a wording of these counts where none of the others is
# found, and "recipient rejected: policy violation" is about the policy.
VAGUE = {"recipient-refused", "policy", "unclear"}
REPLY = "code status text advice".split()
SINGLE = "class code status who text advice meaning next".split()
MANY = "reply wording status-seen reply-seen fits".split()
STAGES = ["@connect", "@hello", "@mail", "@rcpt", "@data"]
SURE, PLAIN, HINT, WEAK, LAST = range(5)
NO_REPLY = {"code": [(0, "0")], "status": [(0, "0.0.0")], "text": [(0, "")],
            "advice": [(0, "")]}
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


def lower(c):
    """As fold() in src/catalogue/words.c: ASCII and the capitals of Latin-1,
    Latin Extended-A, Greek and Cyrillic; the quotes of prose are ASCII's."""
    n = ord(c)
    if c in "\u2018\u2019\u201a\u201b":
        return "'"
    if c in "\u201c\u201d\u201e\u201f":
        return '"'
    if c in "\u2010\u2011":
        return "-"
    if (0x41 <= n <= 0x5a or (0xc0 <= n <= 0xde and n != 0xd7)
            or 0x391 <= n <= 0x3a9 or 0x410 <= n <= 0x42f):
        return chr(n + 32)
    if 0x400 <= n <= 0x40f:
        return chr(n + 80)
    if 0x100 <= n <= 0x137 or 0x14a <= n <= 0x177:
        return chr(n | 1)
    if 0x139 <= n <= 0x148 or 0x179 <= n <= 0x17e:
        return chr(n + n % 2)
    return c


def is_wide(c):
    """Of a script without blanks."""
    return "\u3000" <= c <= "\u9fff" or "\uf000" <= c <= "\uffff"


# As in src/catalogue/words.c: what says nothing, and what says the same.
DROPPED = set("""a an are be been being can could did do does had has have is
that the these this was were will would""".split())
MERGED = {"aren't": "not", "can't": "not", "cannot": "not", "couldn't": "not",
          "didn't": "not", "doesn't": "not", "don't": "not", "hasn't": "not",
          "haven't": "not", "isn't": "not", "wasn't": "not", "won't": "not",
          "wouldn't": "not", "e-mail": "email", "e-mails": "emails"}


def normal(wording):
    """What src/catalogue/words.c makes of a reply, for a wording."""
    text = re.sub(r"%\{[a-z-]+\}", WILD, wording)
    text = "".join(map(lower, text)).replace("\u200b", " ")
    text = re.sub(r"^[2-5][0-9][0-9](?:[ -]|$)", "", text)
    out = ""
    for w in re.split(r"[ \t\u00a0\u3000]+", text):
        if not w or re.fullmatch(
                r"\(?#?[245]\.[0-9]{1,3}\.[0-9]{1,3}\)?[:.]?", w):
            continue
        if w in DROPPED:
            continue
        w = MERGED.get(w, w)
        if out and not (is_wide(out[-1]) and is_wide(w[0])):
            out += " "
        out += w
    return re.sub(r"^[\0-/:-`{-\x7f]+|[\0-/:-`{-\x7f]+$", "", out)


def expand(text):
    """Every text that one with {a|b} stands for."""
    item = r"(?:[^{}|]|%\{[a-z-]+\})*"
    m = re.search(rf"(?<!%)\{{({item}(?:\|{item})+)\}}", text)
    if not m:
        return [text]
    return [text[:m.start()] + choice + rest
            for choice in m[1].split("|") for rest in expand(text[m.end():])]


def take_marks(text):
    """(text without its marks, tier, (stages, enhanced code)): with what the
    wording counts alone."""
    tier, stages, code = PLAIN, set(), ""
    while text.startswith("@"):
        mark, _, rest = text.partition(" ")
        if mark == "@hint":
            tier = HINT
        elif mark == "@weak":
            tier = WEAK
        elif mark == "@sure":
            tier = SURE
        elif mark == "@code":
            found = re.search(r"\b([245]\.[0-9]{1,3}\.[0-9]{1,3})\b", rest)
            code = found[1] if found else ""
        elif mark in STAGES:
            stages.add(mark)
        else:
            break
        text = rest.strip()
    return text, tier, (tuple(sorted(stages)), code)


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


def check_wording(where, text):
    if any(ord(c) < 32 or c in "\x7f\ufffd" for c in text):
        raise Bad(f"{where}: a control character")
    check_params(where, text)
    for one in expand(take_marks(text)[0]):
        check_key(where, normal(one))


def check_key(where, key):
    if len(key) < 4 and len(key.encode()) < 9 or key.count(WILD) > 3:
        raise Bad(f"{where}: too short, or more than 3 parameters, to be "
                  "recognised")


def check_codes(path, fields):
    n, code = fields["code"][0]
    if not re.fullmatch(r"[45][0-5][0-9]", code):
        raise Bad(f"{path}:{n}: code {code}: expected 4xx or 5xx")
    n, status = fields["status"][0]
    if not re.fullmatch(code[0] + r"\.[0-9]{1,3}\.[0-9]{1,3}", status):
        raise Bad(f"{path}:{n}: status {status}: expected {code[0]}.x.y")


def check_entry(path, at, name, fields):
    if "reply" in fields:
        n, text = fields["reply"][0]
        if text != "none" or any(key in fields for key in REPLY):
            raise Bad(f"{path}:{n}: expected reply: none, and no "
                      f"{', '.join(REPLY)}")
        fields.update(NO_REPLY)
    for key in SINGLE:
        if len(fields.get(key, [])) != 1:
            raise Bad(f"{path}:{at}: [{name}]: expected exactly one {key}:")
    n, klass = fields["class"][0]
    if klass not in CLASSES:
        raise Bad(f"{path}:{n}: unknown class {klass}, expected one of "
                  f"{', '.join(CLASSES)}")
    if "reply" not in fields:
        check_codes(path, fields)
    for key in () if "reply" in fields else ("text", "advice"):
        check_text(f"{path}:{fields[key][0][0]}", fields[key][0][1])
    for key in ("text", "advice", "meaning", "next", "wording"):
        for n, text in fields.get(key, []):
            check_params(f"{path}:{n}", text)
    for n, text in fields.get("wording", []):
        check_wording(f"{path}:{n}", text)
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


class Wordings:
    """All that are known: texts in the order of the files, but for those with
    alternatives, and what is compared, each key of a stage once."""

    def __init__(self):
        self.texts, self.rows, self.seen, self.made = [], {}, {}, set()
        self.dropped = set()

    def add(self, where, name, text, origin):
        text, tier, only = take_marks(text)
        if tier != SURE and name in VAGUE:
            tier = WEAK if name == "policy" else LAST
        keys = [normal(one) for one in expand(text)]
        for key in keys:
            if len(keys) > 1 and any(
                    self.seen.get((key, stage, only[1]), (name,))[0] != name
                    for stage in only[0] or [""]):
                continue
            for stage in only[0] or [""]:
                once(self.seen, (key, stage, only[1]), name, where,
                     f'the wording "{key}"')
            known = self.rows.get((key, only))
            if (known and known[::2] == (name, tier) and not known[3] and
                    len(keys) == 1):
                # A reason lists it, and here is who says so.
                self.rows[key, only] = known[:3] + (origin,)
            elif not known or tier < known[2]:
                # What was made is shown as it stands in the reply.
                at = len(self.texts) if len(keys) == 1 else None
                self.rows[key, only] = (name, at, tier, origin)
                if len(keys) > 1:
                    self.made.add((key, only))
                else:
                    self.made.discard((key, only))
        if len(keys) == 1:
            self.texts.append((name, text))

    def thin(self):
        """Drops what an expansion made where a shorter wording stands in it
        that finds it, too: one of the same reason, or one that counts more."""
        for key, only in self.made:
            name, _, tier, _ = self.rows[key, only]
            words = key.split(" ")
            parts = (" ".join(words[i:j]) for i in range(len(words))
                     for j in range(i + 1, len(words) + 1)
                     if j - i < len(words))
            for part in parts:
                other = self.rows.get((part, only))
                if other and (other[2] < tier or
                              (other[0] == name and other[2] == tier)):
                    self.dropped.add((key, only))
                    break
        for row in self.dropped:
            del self.rows[row]

    def ranked(self):
        """The best first: the sure, the long, those that count seldom."""
        return sorted(self.rows.items(), key=lambda row: (
            row[1][2], -len(row[0][0].encode()), row[0][1] == ((), ""),
            row[0]))


def read(paths, wording_paths=()):
    reasons, words, codes = {}, Wordings(), {}
    for path in paths:
        for at, name, fields in entries(path, SINGLE + MANY):
            if name in reasons:
                raise Bad(f"{path}:{at}: [{name}] is there already, at "
                          f"{reasons[name][0]}")
            check_entry(path, at, name, fields)
            reasons[name] = (f"{path}:{at}", fields)
            for n, text in fields.get("wording", []):
                words.add(f"{path}:{n}", name, text, "")
            for n, text in fields.get("status-seen", []):
                both = "45" if text[0] == "x" else text[0]
                for klass in both:
                    once(codes, klass + text[1:], name, f"{path}:{n}", "the code")
            for n, text in fields.get("reply-seen", []):
                once(codes, text, name, f"{path}:{n}", "the code")
    for path in wording_paths:
        read_wordings(path, reasons, words)
    words.thin()
    return reasons, words, codes


def read_wordings(path, reasons, words):
    """A file of one origin: [ID], then a wording a line."""
    origin, name = None, None
    with open(path, encoding="utf-8") as f:
        for n, line in enumerate(f, 1):
            line = line.strip()
            if line.startswith("#") or not line:
                continue
            head = re.fullmatch(r"\[([a-z][a-z0-9-]*)\]", line)
            if line.startswith("origin: "):
                origin, name = line[8:].strip().strip("-"), None
            elif head and head[1] not in reasons:
                raise Bad(f"{path}:{n}: [{head[1]}] is no reason")
            elif head:
                name = head[1]
            elif origin is None or not name:
                raise Bad(f"{path}:{n}: expected origin: NAME, then [ID]")
            else:
                check_wording(f"{path}:{n}", line)
                words.add(f"{path}:{n}", name, line, origin)


def write_fits(out, reasons):
    rows = [(i, *text.split()) for i, name in enumerate(sorted(reasons))
            for _, text in reasons[name][1].get("fits", [])]
    out.write("\nconst struct catalogue_fit catalogue_fit_codes[] = {\n")
    for i, code, full in rows:
        out.write(f"    {{{i}, {code}, {status(full)}}},\n")
    out.write("    {0, 0, {0, 0, 0}},\n};\nconst size_t "
              f"catalogue_n_fit_codes = {len(rows)};\n")


def sort_files(paths):
    """The English files, wordings, labels and codes, {language: its files}."""
    english, wordings, labels, codes, languages = [], [], [], [], {}
    for path in paths:
        p = pathlib.Path(path)
        if re.fullmatch(r"[a-z]{2}", p.parent.name):
            languages.setdefault(p.parent.name, []).append(path)
        elif p.suffix == ".wordings":
            wordings.append(path)
        elif p.name == "labels":
            labels.append(path)
        elif p.name == "codes":
            codes.append(path)
        else:
            english.append(path)
    return english, wordings, labels, codes, languages


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


def c_text(text):
    out = ""
    for byte in text.encode():
        plain = 32 <= byte < 127 and chr(byte) not in '"\\?'
        out += chr(byte) if plain else f"\\{byte:03o}"
    return f'"{out}"'


def c_str(text):
    return f"{{{c_text(text)}, {len(text.encode())}}}"


def status(text):
    return "{" + ", ".join(text.split(".")) + "}"


def write_reasons(out, reasons, words):
    names = sorted(reasons)
    first = 0
    out.write("\nconst struct reason catalogue_reasons[] = {\n")
    for name in names:
        f = {key: reasons[name][1][key][0][1] for key in SINGLE}
        out.write(f"    {{{c_str(name)}, {c_str(f['class'])}, {f['code']}, "
                  f"{status(f['status'])},\n")
        for key in ("who", "meaning", "next", "text", "advice"):
            out.write(f"     {c_str(f[key])},\n")
        n = sum(name == other for other, _ in words.texts)
        out.write(f"     {first}, {n}}},\n")
        first += n
    out.write(f"}};\nconst size_t catalogue_n_reasons = {len(names)};\n")


class Pool:
    """Texts one behind another, without a pointer to any: the program starts
    no slower for them, and they stay on disk until they are needed."""

    def __init__(self, name):
        self.name, self.at, self.texts, self.size = name, {}, [], 0

    def add(self, text):
        if text == "":
            return "0, 0"
        if text not in self.at:
            self.at[text] = self.size
            self.texts.append(text)
            self.size += len(text.encode())
        return f"{self.at[text]}, {len(text.encode())}"

    def write(self, out):
        out.write("\nstatic const struct {\n")
        for i, text in enumerate(self.texts):
            out.write(f"    char s{i}[{len(text.encode())}];\n")
        out.write(f"}} {self.name}_texts = {{\n")
        for text in self.texts:
            out.write(f"    {c_text(text)},\n")
        out.write(f"}};\nconst char *const {self.name} = "
                  f"(const char *)&{self.name}_texts;\n")


def anchor(key):
    """Where the longest part between two wild cards is."""
    best, at = (0, 0), 0
    for part in key.encode().split(WILD.encode()):
        best = max(best, (len(part), -at))
        at += len(part) + 1
    return f"{-best[1]}, {best[0]}"


def write_wordings(out, reasons, words):
    pool = Pool("catalogue_pool")
    index = {name: i for i, name in enumerate(sorted(reasons))}
    order = sorted(range(len(words.texts)), key=lambda i: words.texts[i][0])
    place = {text: i for i, text in enumerate(order)}
    out.write("\nconst struct catalogue_slice catalogue_texts[] = {\n")
    for i in order:
        out.write(f"    {{{pool.add(words.texts[i][1])}}},\n")
    out.write("    {0, 0},\n};\n\n"
              "const struct catalogue_wording catalogue_wordings[] = {\n")
    ranked = words.ranked()
    for (key, (stages, code)), (name, text, tier, origin) in ranked:
        mask = sum(1 << i for i, s in enumerate(STAGES, 1) if s in stages)
        out.write(f"    {{{{{pool.add(key)}}}, {{{pool.add(origin)}}}, "
                  f"{anchor(key)}, {index[name]}, {place.get(text, 0)}, "
                  f"{status(code or '0.0.0')}, {mask}, "
                  f"{'true' if tier >= HINT else 'false'}, "
                  f"{'true' if (key, (stages, code)) in words.made else 'false'}"
                  "},\n")
    out.write(f"}};\nconst size_t catalogue_n_wordings = {len(ranked)};\n")
    pool.write(out)


def write(out, reasons, words, codes):
    index = {name: i for i, name in enumerate(sorted(reasons))}
    out.write("/* Made by tools/catalogue.py from share/catalogue. */\n"
              '#include "catalogue/catalogue_internal.h"\n')
    write_reasons(out, reasons, words)
    write_wordings(out, reasons, words)
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
    english, wordings, labels, code_files, folders = sort_files(paths)
    reasons, words, codes = read(english, wordings)
    if not reasons:
        raise Bad(f"{english[0] if english else paths[0]}: no entry")
    if not words.rows or len(codes) == 0:
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
