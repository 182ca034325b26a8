#!/usr/bin/env python3
"""mail-parse.py MAIL-SAMPLES PARSER.pl: what the samples mean must come back from foreign parsers: Python's email under its
strict and its old policy, and Perl's MIME::Parser where it is installed. Plus the rules of RFC 5322 that parsers forgive."""
import email
import email.policy
import email.header
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

EXPECTED_HEADERS = ["Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Auto-Submitted",
                    "X-Auto-Response-Suppress", "Content-Type"]
ALLOWED_HEADERS = set(EXPECTED_HEADERS) | {"Reply-To", "References", "List-Id", "Content-Language",
                                           "Content-Transfer-Encoding"}


def check(name, what, got, wanted):
    if got != wanted:
        sys.exit("%s: %s\n got    %r\n wanted %r" % (name, what, got, wanted))


def text_of(wanted):
    """CRLF is the wire's; a missing last line end is added."""
    return wanted if wanted.endswith("\n") or not wanted else wanted + "\n"


def check_wire(name, data):
    check(name, "bare CR or LF", re.findall(rb"\r(?!\n)|(?<!\r)\n", data), [])
    check(name, "bytes beyond ASCII", [b for b in data if b > 126 or (b < 32 and b not in b"\r\n\t")], [])
    # a media type cannot be folded
    long_lines = [l for l in data.split(b"\r\n") if len(l) > 78 and not re.fullmatch(rb"Content-Type: [^ ]+", l)]
    check(name, "lines over 78", long_lines, [])
    head = data.split(b"\r\n\r\n")[0].decode("ascii")
    for line in head.split("\r\n"):
        check(name, "blank header line", line.strip() == "", False)
        for word in re.findall(r"=\?[^ ]*\?=", line):
            check(name, "encoded word over 75", len(word) <= 75, True)
            check(name, "line with an encoded word over 76", len(line) <= 76, True)
            # every encoded word is UTF-8 by itself
            (raw, charset), = email.header.decode_header(word)
            raw.decode("utf-8")


def walk_defects(name, message):
    for part in message.walk():
        check(name, "defects", part.defects, [])
        for key, value in part.items():
            check(name, "defects of " + key, list(getattr(value, "defects", ())), [])


def check_python(name, data, means):
    message = email.message_from_bytes(data, policy=email.policy.default)
    walk_defects(name, message)
    keys = message.keys()
    check(name, "headers missing", [k for k in EXPECTED_HEADERS if k not in keys], [])
    check(name, "headers twice", sorted(set(k for k in keys if keys.count(k) > 1)), [])
    check(name, "headers not ours", sorted(set(keys) - ALLOWED_HEADERS), [])
    check(name, "subject", message["Subject"], means["subject"])
    check(name, "from", message["From"].addresses[0].addr_spec, means["from"])
    check(name, "one from", len(message["From"].addresses), 1)
    if means["from_name"] is not None:
        check(name, "from name", message["From"].addresses[0].display_name, means["from_name"])
    check(name, "to", message["To"].addresses[0].addr_spec, means["to"])
    check(name, "id", message["Message-ID"], "<%s>" % means["id"])
    check(name, "date", message["Date"].datetime.isoformat(), "2024-09-05T08:00:00+07:00")
    plain = message.get_body(("plain",))
    check(name, "text", plain.get_content().replace("\r\n", "\n"), text_of(means["text"]))
    html = message.get_body(("html",))
    check(name, "has html", html is not None, means["html"] is not None)
    if html is not None:
        check(name, "html", html.get_content().replace("\r\n", "\n"), text_of(means["html"]))
    files = list(message.iter_attachments()) if means["attachments"] else []
    check(name, "attachments", [f.get_filename() for f in files], [a["name"] for a in means["attachments"]])
    for f, a in zip(files, means["attachments"]):
        check(name, "bytes of " + a["name"], f.get_payload(decode=True).hex(), a["hex"])


def check_old_python(name, data, means):
    message = email.message_from_bytes(data, policy=email.policy.compat32)
    for part in message.walk():
        check(name, "compat32 defects", part.defects, [])
    subject = str(email.header.make_header(email.header.decode_header(message["Subject"] or "")))
    check(name, "compat32 subject", re.sub(r"\r\n", "", subject), means["subject"])
    first = next(p for p in message.walk() if not p.is_multipart())
    check(name, "plain text first", first.get_content_type(), "text/plain")
    check(name, "compat32 text", first.get_payload(decode=True).decode("utf-8").replace("\r\n", "\n"),
          text_of(means["text"]))


def check_perl(name, path, means, parser):
    got = json.loads(subprocess.run(["perl", parser, path], check=True, stdout=subprocess.PIPE,
                                    stderr=subprocess.DEVNULL).stdout)
    check(name, "perl subject", got["subject"], means["subject"])
    check(name, "perl text", got["parts"][0].replace("\r\n", "\n"), text_of(means["text"]))
    if means["html"] is not None:
        check(name, "perl html", got["parts"][1].replace("\r\n", "\n"), text_of(means["html"]))


def main():
    program, parser = sys.argv[1], sys.argv[2]
    has_perl = subprocess.run(["perl", "-MMIME::Parser", "-MJSON::PP", "-e", "1"], stderr=subprocess.DEVNULL).returncode == 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, folder], check=True)
        paths = sorted(glob.glob(os.path.join(folder, "*.eml")))
        if len(paths) < 16:
            sys.exit("only %d samples" % len(paths))
        for path in paths:
            name = os.path.basename(path)
            with open(path, "rb") as f:
                data = f.read()
            with open(path[:-3] + "json", encoding="utf-8") as f:
                means = json.load(f)
            check_wire(name, data)
            check_python(name, data, means)
            check_old_python(name, data, means)
            if has_perl:
                check_perl(name, path, means, parser)
        print("%d mails read back by 2 policies of python%s" % (len(paths), " and by perl" if has_perl else ""))


if __name__ == "__main__":
    main()
