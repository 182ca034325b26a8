#!/usr/bin/python3
"""mail-look.py BUILD [PICTURES]: every kind of letter, as it arrived, in a real browser at 390 and 700 px, light and dark.

Nothing sticks out, everything can be read, no technique that Outlook lacks, nothing fetched from elsewhere; and the text says all
that the picture says. PICTURES: a folder for screenshots and texts."""
import html.parser
import os
import re
import sys
import unicodedata

from browser import Browser
from lab import Lab
from sample import SECRET, configure, month, routes

MORE = """
[daemon]
operator_report = Mon 08:00
[letter]
at = 6 09:00
to = phong@tienlu.example
[rule progress-low]
escalate_after = 2
[recipient chairman]
units = parent:332
email = chutich@tienlu.example
tell = overview
[recipient deputy]
units = parent:332
email = phochutich@tienlu.example
tell = escalated
[recipient english]
units = unit:12376
email = office@tienlu.example
language = en
[recipient broken]
units = unit:12376
webhook = http://127.0.0.1:@HOOK@/gone
immediate = yes
"""
WIDTHS = (390, 700)
PLAIN = ("test", "letter")
# Outlook lays out with Word: tables and inline styles; images and scripts are blocked everywhere.
UNKNOWN = re.compile(r"<(?:script|style|svg|img|link|object|iframe|form|base)\b|(?:flex|grid|float|position|@media|url\(|var\(|calc\()\s*[:;(]?", re.I)


class Words(html.parser.HTMLParser):
    """What a reader sees, one entry per piece of text."""

    def __init__(self, text):
        super().__init__()
        self.seen, self.skip = [], 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.skip += tag in ("title", "style")

    def handle_endtag(self, tag):
        self.skip -= tag in ("title", "style")

    def handle_data(self, data):
        if data.strip() and not self.skip:
            self.seen.append(" ".join(data.split()))


def flat(text):
    return " ".join(text.replace("\xa0", " ").split())


def check_text(mail, page):
    """Each figure, unit, date, note of the picture stands in the text too."""
    text = flat(mail.get_body(("plain",)).get_content())
    for words in Words(page).seen:
        for number in re.findall(r"[+\u2212]?\d[\d.,/]*\d|\d", words):
            assert number in text or number in mail["Subject"], ("the text lacks a figure", number, words, text)
        if words == mail["Subject"] or len(words) < 12:
            continue
        missing = [w for w in re.findall(r"\w{3,}", words) if w.lower() not in text.lower() and w not in mail["Subject"]]
        assert len(missing) <= 1, ("the text lacks words", missing, words, text)


def check_code(name, page):
    for tag in re.findall(r"<[^>]*>", page):
        if "name=\"viewport\"" in tag or "color-scheme" in tag:
            continue
        assert not UNKNOWN.search(tag), (name, tag)
    assert not re.search(r"https?://", page), name


def check_plain(name, mail):
    """Of a mail that is nothing but text: as a terminal of 80 columns shows it."""
    text = mail.get_body(("plain",)).get_content()
    assert unicodedata.normalize("NFC", text) == text and "{{" not in text and text.strip(), (name, text)
    for line in text.splitlines():
        assert len(line) <= 78 and line == line.rstrip() or line == "-- ", (name, line)


def look(lab, browser, name, mail, pictures):
    if pictures:
        with open(os.path.join(pictures, name + ".txt"), "w", encoding="utf8") as f:
            f.write("Subject: %s\n\n%s" % (mail["Subject"], mail.get_body(("plain",)).get_content()))
    if name in PLAIN:
        assert not mail.get_body(("html",)), name
        return check_plain(name, mail)
    page = mail.get_body(("html",)).get_content()
    check_code(name, page)
    check_text(mail, page)
    path = lab.path(name + ".html")
    with open(path, "w", encoding="utf8") as f:
        f.write(page)
    for width in WIDTHS:
        for scheme in ("light", "dark"):
            browser.open("file://" + path, width, height=300, scheme=scheme)
            seen = browser.look()
            assert seen["overflow"] <= 0 and not seen["wrong"], (name, width, scheme, seen["overflow"], seen["wrong"])
            assert seen["lang"] == ("en" if name == "english" else "vi") and seen["title"] == mail["Subject"], (name, seen)
            if pictures and scheme == "light":
                browser.picture(os.path.join(pictures, "%s-%d.png" % (name, width)))
    return None


def newest(lab, address, subject=""):
    found = [m for m in lab.mails() if m["To"] == address and subject in m["Subject"]]
    assert found, (address, subject, [(m["To"], m["Subject"]) for m in lab.mails()])
    return found[-1]


def next_month():
    """September: Cương Chính has recovered, one goes on falling (made up from August)."""
    calls = month("2024-08")
    for row in calls["dvc-progress-tree"]["data"]["children"]:
        row["ratio"] = 99.5 if row["departmentCode"] == "12376" else row["ratio"]
    return calls


def play(lab):
    """Days in the life of a district; yields (name, mail)."""
    def day(text, *periods):
        lab.clock(text + "T07:30:00+07:00")
        for period in periods:
            lab.ask("portal", period)
        lab.clock(text + "T08:00:01+07:00")
        lab.ask("portal", periods[-1])
        lab.wait(lab.settled, "settled " + text)

    lab.start()
    lab.ask("portal", "2024-07")
    lab.ctl("drill", "district")
    lab.wait(lambda: lab.mails() and lab.settled(), "the drill")
    drill = newest(lab, "vanphong@tienlu.example", "DIỄN TẬP")
    assert "Hiện không có cảnh báo nào đang mở" in flat(drill.get_body(("plain",)).get_content())
    yield "drill-empty", drill
    day("2024-09-05", "2024-08")
    yield "opening", newest(lab, "cuongchinh@tienlu.example")
    yield "digest", newest(lab, "vanphong@tienlu.example")
    yield "overview", newest(lab, "chutich@tienlu.example")
    yield "english", newest(lab, "office@tienlu.example")
    yield "operator", newest(lab, "it@tienlu.example")
    lab.ctl("drill", "district")
    lab.wait(lambda: "DIỄN TẬP" in newest(lab, "vanphong@tienlu.example")["Subject"] and lab.settled(), "the drill with what is open")
    drill = newest(lab, "vanphong@tienlu.example")
    assert "82,71" in drill.get_body(("plain",)).get_content() and lab.sql("SELECT count(*) FROM message_item i JOIN message m ON m.id = i.message WHERE m.is_drill") == [(0,)]
    yield "drill", drill
    lab.ctl("--config", lab.path("etc", "chisod.conf"), "test-mail", "it@tienlu.example")
    yield "test", newest(lab, "it@tienlu.example")
    lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08", "2024-08-restated")}))
    day("2024-09-06", "2024-08")
    yield "correction", newest(lab, "vanphong@tienlu.example", "ĐÍNH CHÍNH")
    lab.clock("2024-09-06T09:00:01+07:00")
    lab.ask("portal", "2024-08")
    lab.wait(lambda: [m for m in lab.mails() if m["To"] == "phong@tienlu.example"] and lab.settled(), "the letter")
    yield "letter", newest(lab, "phong@tienlu.example")
    day("2024-09-09", "2024-08")
    report = newest(lab, "it@tienlu.example", "báo cáo tuần")
    assert "== Thông báo (1) ==" in report.get_body(("plain",)).get_content()
    yield "report", report
    lab.publish([{"path": "/api/v1/reporting/evaluation/service-results", "method": "POST", "mode": "status", "status": 500, "body": "no"}])
    for _ in range(4):
        lab.ctl("fetch", "portal", "--from", "2024-08", "--to", "2024-08", "--wait", check=False)
    lab.wait(lab.settled, "the operator hears of the source")
    yield "failing", newest(lab, "it@tienlu.example")
    lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08"), "2024-09": next_month()}))
    day("2024-10-04", "2024-08", "2024-09")
    yield "closing", newest(lab, "cuongchinh@tienlu.example")
    yield "continued", newest(lab, "vanphong@tienlu.example")
    escalated = newest(lab, "phochutich@tienlu.example")
    assert "Báo lên từ tháng 9/2024, sau 2 kỳ chưa đạt" in flat(escalated.get_body(("plain",)).get_content())
    assert "Báo lên cấp trên từ tháng 9/2024, sau 2 kỳ chưa đạt" in escalated.get_body(("html",)).get_content()
    yield "escalated", escalated


def main():
    pictures = sys.argv[2] if len(sys.argv) > 2 else None
    if pictures:
        os.makedirs(pictures, exist_ok=True)
    names = []
    with Lab(sys.argv[1]) as lab, Browser() as browser:
        lab.clock("2024-08-05T08:05:00+07:00")
        lab.start_publisher()
        lab.start_smtp()
        with open(lab.path("hook-mode"), "w", encoding="ascii") as f:
            f.write("410")
        lab.start_hook(SECRET, "--mode-file", lab.path("hook-mode"))
        configure(lab, MORE)
        lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08")}))
        for name, mail in play(lab):
            look(lab, browser, name, mail, pictures)
            names.append(name)
        assert lab.stop() == 0
    assert len(names) == len(set(names)) == 15, names
    print("mail-look: %d letters at %s px: %s" % (len(names), " and ".join(map(str, WIDTHS)), ", ".join(names)))


main()
