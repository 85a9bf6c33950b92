# SPDX-License-Identifier: ISC
"""tools/catalogue.py refuses broken sources, saying where and what."""
import pathlib
import subprocess
import sys
import tempfile

TOOL, FILES = sys.argv[1], sys.argv[2:]
GOOD = """[one]
class: spam
code: 553
status: 5.7.1
who: sender
text: It is %{sender}.
advice: Do this.
meaning: It means
  this.
next: Do that.
wording: 553 first wording of %{recipient} here
status-seen: x.9.9
"""
TWO = GOOD.replace("[one]", "[two]")
CASES = [
    ("unknown class", GOOD.replace("spam", "spamm"), "2: unknown class spamm"),
    ("same id twice", GOOD + GOOD, "13: [one] is there already"),
    ("one wording, two reasons", GOOD + TWO.replace("x.9.9", "x.9.8"),
     "the wording \"first wording of \x01 here\" is in [two]"),
    ("one code, two reasons",
     GOOD + TWO.replace("first", "other").replace("x.9.9", "5.9.9"),
     "the code is in [two]"),
    ("no code", GOOD.replace("code: 553\n", ""), "expected exactly one code"),
    ("two texts", GOOD + "text: more\n", "expected exactly one text"),
    ("code 250", GOOD.replace("code: 553", "code: 250"), "expected 4xx or 5xx"),
    ("status of another class", GOOD.replace("5.7.1", "4.7.1"),
     "expected 5.x.y"),
    ("unknown parameter", GOOD.replace("%{sender}", "%{sendr}"),
     "unknown parameter %{sendr}"),
    ("text not ASCII", GOOD.replace("It is", "Es w\u00e4re"),
     "printable ASCII"),
    ("text too long", GOOD.replace("It is", "x" * 180), "expected at most"),
    ("unknown field", GOOD + "colour: red\n", "13: expected"),
    ("no failure, with a text", GOOD + "reply: none\n", "expected reply: none"),
    ("reply: some", GOOD.replace("code: 553\n", "reply: some\n"), "expected reply: none"),
    ("a short wording", GOOD + "wording: 550 no.\n", "too short"),
    ("four parameters", GOOD + "wording: " + "%{user} and " * 5 + "\n", "more than 3"),
    ("no entry", "# nothing\n", "no entry"),
]
# Files of wordings beside GOOD, and what is said of them.
WORDINGS = [
    ("origin: X\n[one]\nother words\n@hint more words\n@mail @data words\n", ""),
    ("[one]\nwords\n", "2: expected origin: NAME"),
    ("origin: X\nwords\n", "2: expected origin: NAME, then [ID]"),
    ("origin: X\n[two]\nwords\n", "2: [two] is no reason"),
    ("origin: X\n[one]\nwords\x01\n", "3: a control character"),
    ("origin: X\n[one]\n%{nobody} words\n", "3: unknown parameter"),
    ("origin: X\n[one]\n(#5.1.1)\n", "3: too short"),
]


# A translation of GOOD: files of a folder de, and what is said of them.
DE = {"x.reasons": "[one]\nmeaning: Es heisst %{sender},\n  ja.\nnext: Tu das.\n",
      "words": "language = Deutsch\nsender = der Absender\n"}
TRANSLATIONS = [
    ("good", {}, ""),
    ("unknown id", {"x.reasons": "[two]\nnext: Tu das.\n"},
     "1: [two] is not in the English files"),
    ("a field of the English", {"x.reasons": "[one]\ntext: Tu das.\n"},
     "2: expected"),
    ("another parameter", {"x.reasons": "[one]\nnext: %{user}.\n"},
     "expected the same %{...}"),
    ("twice", {"x.reasons": DE["x.reasons"] * 2}, "[one] is there twice"),
    ("a field twice", {"x.reasons": "[one]\nnext: a\nnext: b\n"},
     "3: a second next"),
    ("unknown phrase", {"words": DE["words"] + "sendr = x\n"},
     "3: \"sendr\" is no phrase"),
    ("no name", {"words": "sender = x\n"}, "language = NAME"),
    ("no words", {"words": None}, "no file words"),
    ("no translation", {"words": DE["words"] + "sender\n"},
     "PHRASE = TRANSLATION"),
]


def compile_language(folder, change, mode=None):
    """Of GOOD with the texts of DE, some of them changed."""
    english = folder / "x.reasons"
    english.write_text(GOOD.replace("It means", "It means %{sender}"),
                       encoding="utf-8")
    (folder / "de").mkdir(exist_ok=True)
    paths = [english]
    for name, text in {**DE, **change}.items():
        if text is not None:
            (folder / "de" / name).write_text(text, encoding="utf-8")
            paths.append(folder / "de" / name)
    return subprocess.run([sys.executable, TOOL, mode or str(folder / "x.c"),
                           *map(str, paths)], capture_output=True, text=True)


def compile_text(folder, text, wordings=None):
    path, more = folder / "x.reasons", []
    path.write_text(text, encoding="utf-8")
    if wordings:
        more = [folder / "y.wordings"]
        more[0].write_text(wordings, encoding="utf-8")
    return subprocess.run([sys.executable, TOOL, str(folder / "x.c"), str(path),
                           *map(str, more)], capture_output=True, text=True)


failed = 0
with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    good = compile_text(folder, GOOD)
    if good.returncode != 0:
        failed += 1
        print("good source refused:", good.stderr)
    for what, text, want in CASES:
        got = compile_text(folder, text)
        if got.returncode == 0 or want not in got.stderr:
            failed += 1
            print(f"{what}: wanted '{want}', got {got.returncode} {got.stderr}")

    for text, want in WORDINGS:
        got = compile_text(folder, GOOD, text)
        if (got.returncode == 0) != (want == "") or want not in got.stderr:
            failed += 1
            print(f"{text!r}: wanted '{want}', got {got.returncode} {got.stderr}")
    for what, change, want in TRANSLATIONS:
        got = compile_language(folder, change)
        if (got.returncode == 0) != (want == "") or want not in got.stderr:
            failed += 1
            print(f"{what}: wanted '{want}', got {got.returncode} {got.stderr}")
    lacking = {"x.reasons": "[one]\nnext: Tu das.\n",
               "words": "language = Deutsch\n"}
    got = compile_language(folder, lacking, "--missing")
    if got.returncode != 1 or got.stdout.splitlines() != [
            "de: [one] meaning", "de: sender", "2 translations missing"]:
        failed += 1
        print("missing translations:", got.stdout, got.stderr)

    # A catalogue that was cut short by mistake knows nobody's words.
    lines = [l[9:].strip() for f in FILES
             if f.endswith(".reasons") for l in open(f, encoding="utf-8") if l.startswith("wording: ")]
    if len(lines) < 300:
        failed += 1
        print("only", len(lines), "wordings")
print(f"{len(CASES) + len(WORDINGS) + len(TRANSLATIONS) + 3 - failed} passed, {failed} failed")
sys.exit(failed > 0)
