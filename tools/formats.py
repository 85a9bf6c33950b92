#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Compiles share/catalogue/formats into a C table, or says what is wrong.

usage: formats.py OUTPUT.c share/catalogue/formats
"""
import re
import sys

KINDS = ["sign", "header", "recipient", "returned", "aside", "subject", "sender"]


class Bad(Exception):
    pass


def plain(text):
    """As src/explain/formats.c compares a line: lower case, from the first letter or digit on."""
    text = re.sub(r"^[\x00-/:-@\[-`{-\x7f]+", "", text)
    return "".join(c.lower() if c.isascii() else c for c in text)


def read(path):
    agent, out = None, {kind: [] for kind in KINDS}
    for n, line in enumerate(open(path, encoding="utf-8"), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if head := re.fullmatch(r"\[([^\]]+)\]", line):
            agent = head[1]
            continue
        field = re.fullmatch(r"([a-z]+): +(\S.*)", line)
        if not agent or not field or field[1] not in KINDS:
            raise Bad(f"{path}:{n}: expected [NAME] or FIELD: TEXT with one of {', '.join(KINDS)}")
        if (field[1] == "recipient") != (field[2].count("%{recipient}") == 1):
            raise Bad(f"{path}:{n}: %{{recipient}} is for `recipient`, and for it once")
        out[field[1]].append((n, agent, field[2]))
    return out


def c_string(text):
    """As a C literal; octets beyond ASCII as octal, so that no digit behind them counts."""
    n = len(text.encode())
    text = "".join(chr(b) if 32 <= b < 127 and chr(b) not in '"\\?' else f"\\{b:03o}" for b in text.encode())
    return f'{{"{text}", {n}}}'


def rows(name, lines):
    lines = lines or ['{{"", 0}, {"", 0}, {"", 0}}']
    return f"const struct format formats_{name}[] = {{\n    " + ",\n    ".join(lines) + ",\n};\n"


def compile_kind(path, kind, entries):
    lines, seen = [], set()
    for n, agent, text in entries:
        rest = ""
        if kind == "recipient":
            text, rest = text.split("%{recipient}")
            text = "".join(c.lower() if c.isascii() else c for c in text).strip(" <'")
            rest = rest.lstrip(">' ").lower()
        elif kind == "header":
            text, _, rest = text.partition(":")
            text, rest = text.lower(), rest.strip().lower()
        else:
            text = plain(text)
        if not text:
            raise Bad(f"{path}:{n}: nothing to compare in front")
        if (text, rest) in seen:
            continue
        seen.add((text, rest))
        lines.append((text.encode(), f"{{{c_string(text)}, {c_string(rest)}, {c_string(agent)}}}"))
    # By first octet, for the index; the longest first.
    lines.sort(key=lambda line: (line[0][0], -len(line[0]), line[0]))
    return [line for _, line in lines]


def main():
    out, path = sys.argv[1:]
    tables = read(path)
    text = "/* Written by tools/formats.py. */\n#include \"explain/formats_internal.h\"\n\n"
    for kind in KINDS:
        lines = compile_kind(path, kind, tables[kind])
        text += rows(kind, lines) + f"const size_t formats_n_{kind} = {len(lines)};\n\n"
    with open(out, "w", encoding="utf-8") as f:
        f.write(text)


if __name__ == "__main__":
    try:
        main()
    except Bad as e:
        sys.exit(str(e))
