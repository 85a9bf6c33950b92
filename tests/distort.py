# SPDX-License-Identifier: ISC
"""What happens to a bounce before somebody asks about it: quoted, re-wrapped,
forwarded, re-encoded, cut. Each takes the octets of a message (or of a text
that is none) and gives others in which the answer is still to be found.

    DISTORTIONS["quoted"](octets)
"""
import base64
import email
import html
import re
import textwrap

FORWARDED = (b"From: ann@office.example\nTo: help@office.example\nSubject: Fwd: what is this?\n"
             b"Date: Tue, 24 Nov 2026 08:05:59 +0000\nMessage-ID: <fwd-1@office.example>\nMIME-Version: 1.0\n")


def has_header(octets):
    return re.match(rb"(?:From [^\n]*\n)?[A-Za-z][A-Za-z0-9-]*:[ \t]", octets) is not None


def split(octets):
    """Header with its empty line, body."""
    m = re.search(rb"\r?\n\r?\n", octets)
    if not has_header(octets) or not m:
        return b"", octets
    return octets[: m.end()], octets[m.end():]


def text(octets):
    """As a person sees the characters of a file."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def body_of(part):
    """The text of a part, by its charset or the one that its page names."""
    payload = part.get_payload(decode=True) or b""
    page = re.search(rb"<meta[^>]*charset=[\"']?([A-Za-z0-9_-]+)", payload)
    try:
        return payload.decode(part.get_content_charset(page[1].decode() if page else "utf-8"))
    except (LookupError, UnicodeDecodeError):
        return text(payload)


def shown(octets):
    """What a mail program shows: the text parts, and reports and returned
    messages as text; decoded."""
    if not has_header(octets):
        return text(octets)
    found, html_too = [], []
    for part in email.message_from_bytes(octets).walk():
        kind = part.get_content_type()
        if part.is_multipart() and kind != "message/delivery-status":
            if kind == "message/rfc822":
                for inner in part.get_payload():
                    found.append("".join(f"{k}: {v}\n" for k, v in inner.items()))
            continue
        if kind == "message/delivery-status":
            blocks = part.get_payload()
            found.append("\n".join(text(b.as_bytes()) for b in blocks) if isinstance(blocks, list) else str(blocks))
            continue
        body = body_of(part)
        if kind == "text/html":
            html_too.append(html.unescape(re.sub(r"<[^>]*>", "", re.sub(r"<(br|p|/p|tr|div)\b[^>]*>", "\n", body))))
        else:
            found.append(body)
    return "\n".join(found or html_too)


def kept_header(octets):
    """The header without the fields that say how the body is written."""
    header, _ = split(octets)
    fields = re.findall(rb"[^\n]*\n(?:[ \t][^\n]*\n)*", header)
    return b"".join(f for f in fields if f.strip() and not re.match(rb"(?i)(content-|mime-version)", f)) + b"MIME-Version: 1.0\n"


def quoted(octets):
    return b"".join(b"> " + line for line in octets.splitlines(keepends=True))


def rewrapped(octets):
    lines = []
    for line in text(octets).split("\n"):
        wrapped = textwrap.wrap(line.rstrip("\r"), 60, break_long_words=False, break_on_hyphens=False,
                                replace_whitespace=False, drop_whitespace=True)
        lines += wrapped or [""]
    return "\n".join(lines).encode()


def headers_lost(octets):
    return split(octets)[1]


def base64_whole(octets):
    header, body = split(octets)
    return (kept_header(octets) + b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n" +
            base64.encodebytes(body if header else octets))


def each_text(octets, change):
    """Every text part's body and charset through change(text)."""
    if not has_header(octets):
        return octets
    m = email.message_from_bytes(octets)
    for part in m.walk():
        if part.is_multipart() or part.get_content_maintype() != "text":
            continue
        body = body_of(part)
        coded, charset = change(body)
        del part["Content-Transfer-Encoding"]
        part.set_payload(base64.encodebytes(coded).decode())
        part["Content-Transfer-Encoding"] = "base64"
        if part.get("Content-Type") is None:
            part["Content-Type"] = "text/plain"
        part.set_param("charset", charset)
    return m.as_bytes()


def base64_parts(octets):
    return each_text(octets, lambda body: (body.encode(), "utf-8"))


def utf16_parts(octets):
    return each_text(octets, lambda body: (body.encode("utf-16"), "utf-16"))


def forwarded_inline(octets):
    m = email.message_from_bytes(octets) if has_header(octets) else {}
    head = "".join(f"{k}: {m[k]}\n" for k in ("From", "Date", "Subject", "To") if m.get(k))
    body = f"FYI, what does this mean?\n\n---------- Forwarded message ---------\n{head}\n{shown(octets)}"
    return FORWARDED + b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" + body.encode()


def forwarded_attached(octets):
    kind = b"message/rfc822" if has_header(octets) else b"text/plain; charset=utf-8"
    return (FORWARDED + b'Content-Type: multipart/mixed; boundary="fwd=="\n\n--fwd==\nContent-Type: text/plain\n\n'
            b"What does this mean?\n\n--fwd==\nContent-Type: " + kind + b"\nContent-Disposition: attachment\n\n" +
            octets + b"\n--fwd==--\n")


def to_lf(octets):
    return octets.replace(b"\r\n", b"\n")


def to_crlf(octets):
    return to_lf(octets).replace(b"\n", b"\r\n")


def utf16(octets):
    return text(octets).encode("utf-16")


def cut(octets):
    return octets[:2048]


def html_only(octets):
    lines = "<br>\n".join(html.escape(line) for line in shown(octets).split("\n"))
    return (kept_header(octets) + b"Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
            b"<html><head><title>Mail</title></head><body><div>" + lines.encode() + b"</div></body></html>\n")


def upper(octets):
    return octets.upper()


DISTORTIONS = {
    "quoted": quoted,
    "re-wrapped at 60": rewrapped,
    "headers lost": headers_lost,
    "base64": base64_whole,
    "base64, each text part": base64_parts,
    "forwarded inline": forwarded_inline,
    "forwarded as attachment": forwarded_attached,
    "CRLF to LF": to_lf,
    "LF to CRLF": to_crlf,
    "UTF-16": utf16,
    "UTF-16, each text part": utf16_parts,
    "cut after 2 KB": cut,
    "HTML only": html_only,
    "upper-cased": upper,
}
