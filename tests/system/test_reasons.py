# SPDX-License-Identifier: ISC
"""gatepost reasons: the catalogue as a list, one reason, the page of a code."""
import json
import os
import re
import subprocess
import unicodedata

import pytest
from server import GATEPOST, TOP

# The replies of the document that Gatepost grew from, as they came.
REPLIES = """
553 5.7.1 Not an open relay, so get lost
553 Invalid user.
553 message blocked, you are not authorized to send mail, authentication is required.
553 Null Sender is not allowed.
553 5.1.1 sorry, no mailbox here by that name.
553 #5.1.8 Domain of sender address <sender@example.com> does not exist
553 5.3.0 <recipient@RemoteDomain.com>... Address does not exist
553 5.3.0 <recipient@RemoteDomain.com>... No such user
553 5.3.0 <recipient@RemoteDomain.com>... No such user here
553 5.3.0 <recipient@RemoteDomain.com>... User unknown, not local address
553-Message filtered. Please see the FAQs section on spam
553 <recipient@RemoteDomain.com> does not have a mailbox here
553 RemoteDomain.com does not accept mail sent to recipient@OtherRemoteDomain.com
553 sorry, no mail-box here by that name. (#5.1.1)
553 sorry, no mailbox here by that name (#5.1.1)
553 sorry, rcpt user invalid (#5.7.1)
553 sorry, that domain isn't in my list of allowed rcpthosts
553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)
553 sorry, the recipient is not a valid user on this domain (#5.7.1)
553 sorry, this recipient doesn't exist.
553 sorry, this recipient is not in my validrcptto list (#5.7.1)
553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)
553 Your email address is denied.
""".strip().splitlines()
LANGUAGES = ["en", "de", "es", "fr", "ja", "th"]


def reasons(*args, status=0, **env):
    plain = {k: v for k, v in os.environ.items() if k != "LANG" and not k.startswith("LC_")}
    done = subprocess.run([GATEPOST, "reasons", *args], capture_output=True, text=True, encoding="utf-8", timeout=20,
                          env={**plain, **env})
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


def objects(*args):
    return [json.loads(line) for line in reasons("--json", *args).splitlines()]


def page(text):
    """The page of a code: {id: ([wordings], {label: text})}."""
    found = {}
    for block in text.split("\n\n")[1:]:
        name, *lines = block.strip("\n").split("\n")
        wordings = [line[2:] for line in lines if re.match(r"  [45]\d\d[ -]", line)]
        rest = " ".join(line.strip() for line in lines[len(wordings):])
        if wordings and wordings[-1].endswith("7K3MQ-2DF9P"):
            wordings = []  # our own reply, where no other is known
        m = re.fullmatch(r"What it means +(.+?) +Who must act +(.+?) +What to do +(.+)", rest)
        assert m, block
        found[name] = (wordings, m.groups())
    return found


def columns(line):
    width = {"W": 2, "F": 2}
    return sum(0 if unicodedata.category(c) == "Mn" else width.get(unicodedata.east_asian_width(c), 1) for c in line)


def test_the_page_of_553():
    text = reasons("553")
    assert text.startswith("553: the server does not allow this address\n")
    found = page(text)
    assert len(REPLIES) == 23
    by_wording = {w: name for name, (wordings, _) in found.items() for w in wordings}
    for reply in REPLIES:
        assert reply in by_wording
    assert by_wording["553 5.3.0 <recipient@RemoteDomain.com>... User unknown, not local address"] == "relay-denied"
    assert by_wording["553 sorry, rcpt user invalid (#5.7.1)"] == "unknown-recipient"
    # Every wording on it brings the code, and what is said most stands first.
    assert all(w.startswith(("553 ", "553-")) for w in by_wording)
    assert next(iter(found)) == "unknown-recipient"
    assert found["relay-denied"][1][1] == "sender"
    assert "port 587 or 465" in found["relay-denied"][1][2]


@pytest.mark.parametrize("code", ["5.1.1", "5.7.1", "#5.1.1"])
def test_the_page_of_an_enhanced_code(code):
    found = page(reasons(code))
    code = code.strip("#")
    assert all(code in w for wordings, _ in found.values() for w in wordings)
    if code == "5.1.1":
        assert "unknown-recipient" in found and "relay-denied" not in found
        assert "553 sorry, no mailbox here by that name (#5.1.1)" in found["unknown-recipient"][0]
    else:
        assert {"relay-denied", "unknown-recipient", "message-filtered", "badmailfrom"} <= set(found)


def test_one_reason_whole():
    text = reasons("relay-denied")
    assert text.startswith("relay-denied: 553 5.7.1\n")
    for words in ("553-5.7.1 This server does not accept mail for %{recipient-domain} from you.", "Class",
                  "    553 5.7.1 Not an open relay, so get lost\n", "    554 5.7.1 <%{recipient}>: Relay access denied\n"):
        assert words in text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_language_on_a_terminal(lang):
    listed = objects("--lang", lang)
    assert len(listed) > 70
    english = {o["id"]: o for o in objects("--lang", "en")}
    for o in listed:
        assert o["lang"] == lang
        # SMTP says the same in every language.
        assert o["text"] == english[o["id"]]["text"]
        same = [k for k in ("who", "meaning", "next") if o[k] == english[o["id"]][k]]
        assert lang == "en" or not same, (o["id"], same)
    for id in ("relay-denied", "own-domain-without-login", "sender-domain-missing"):
        for line in reasons(id, "--lang", lang).splitlines():
            assert columns(line) <= 78 or re.match(r" +[45]\d\d", line), line


@pytest.mark.parametrize("env, word", [
    ({"LANG": "de_DE.UTF-8"}, "Wer handeln muss"),
    ({"LC_ALL": "fr_FR.UTF-8", "LANG": "de_DE.UTF-8"}, "Qui doit agir"),
    ({"LC_MESSAGES": "ja_JP.UTF-8", "LANG": "de_DE.UTF-8"}, "対処"),
    ({"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, "Who must act"),
    ({"LC_ALL": "th_TH.TIS-620"}, "Who must act"),
    ({"LC_ALL": "pl_PL.UTF-8"}, "Who must act"),
    ({}, "Who must act"),
])
def test_the_language_of_the_locale(env, word):
    assert word in reasons("relay-denied", **env)
    assert "Quién debe actuar" in reasons("relay-denied", "--lang", "es", **env)


def test_markdown():
    text = reasons("553", "--markdown")
    assert text.startswith("# 553: ") and "\n## relay-denied\n" in text
    for reply in REPLIES:
        assert f"\n    {reply}\n" in text
    table = reasons("--markdown").splitlines()
    assert table[1].startswith("|---")
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 6 for row in table)
    assert len(table) == len(objects()) + 2


def test_json_of_a_code():
    found = {o["id"]: o for o in objects("553")}
    assert "553 5.3.0 <%{recipient}>... No such user here" in found["unknown-recipient"]["wordings"]
    assert set(REPLIES) <= {w for o in found.values() for w in o["examples"]}


def test_what_is_no_failure_has_no_codes():
    text = reasons("delivered")
    assert text.startswith("delivered: -\n") and "This server says" not in text
    assert not {"code", "status"} & set(objects("delivered")[0])
    assert re.search(r"^delayed +- +delayed +nobody$", reasons(), re.M)


def test_unknown():
    assert "did you mean relay-denied?" in reasons("relay-denid", status=1)
    assert "did you mean not-in-validrcptto?" in reasons("validrcptto", status=1)
    assert "expected an id" in reasons("nonsense", status=1)
    assert "no reason goes with the code 599" in reasons("599", status=1)
    assert "no reason goes with the code 5.9.99" in reasons("5.9.99", status=1)


@pytest.mark.parametrize("args, word", [
    (["--lang", "klingon"], "expected one of en, de, es, fr, ja, th"),
    (["--lang"], "needs a value"),
    (["--json", "--markdown"], "not both"),
    (["553", "554"], "too many"),
    (["--colour"], "unknown option"),
])
def test_usage(args, word):
    assert word in reasons(*args, status=2)


def test_the_catalogue_has_no_untranslated_file():
    folder = TOP / "share" / "catalogue"
    english = {p.name for p in folder.glob("*.reasons")} | {"words"}
    for lang in LANGUAGES[1:]:
        assert {p.name for p in (folder / lang).iterdir()} == english
