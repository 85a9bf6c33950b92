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
     "the wording is in [two]"),
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
    ("no entry", "# nothing\n", "no entry"),
]


def compile_text(folder, text):
    path = folder / "x.reasons"
    path.write_text(text, encoding="utf-8")
    return subprocess.run([sys.executable, TOOL, str(folder / "x.c"), str(path)],
                          capture_output=True, text=True)


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

    # A catalogue that was cut short by mistake knows nobody's words.
    lines = [l[9:].strip() for f in FILES
             for l in open(f, encoding="utf-8") if l.startswith("wording: ")]
    if len(lines) < 300:
        failed += 1
        print("only", len(lines), "wordings")
print(f"{len(CASES) + 2 - failed} passed, {failed} failed")
sys.exit(failed > 0)
