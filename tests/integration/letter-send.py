#!/usr/bin/python3
"""letter-send.py BUILD: the monthly letter made and sent by itself: its day, a day off, a source that never has the month, restarts and kills,
the attachments as others read them, corrections of what it printed, a dead letter sent again, and nothing to officials while observing."""
import datetime
import io
import os
import sys
import xml.etree.ElementTree as ET
import zipfile

import openpyxl

from lab import Lab
from sample import configure, letter, month, routes

ADDRESSES = ["phong@tienlu.example", "xa@tienlu.example"]
LETTER = """
[letter]
at = 6 08:00
to = phong@tienlu.example xa@tienlu.example
sign = TL. CHỦ TỊCH / CHÁNH VĂN PHÒNG
[calendar]
off = 2024-09-06 Nghỉ bù
"""
LATE = """
[source tay]
preset = inbox
inbox = @DIR@/state/inbox
prefix = tay_
namespace = gso
numbers = comma
periods = month
"""
MONTHS = {"2024-07": month("2024-07"), "2024-08": month("2024-08")}
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def letters(lab, subject="Dự thảo công văn"):
    return [m for m in lab.mails() if subject in m["Subject"] and m["To"] in ADDRESSES]


def drafts(lab):
    return sorted(os.listdir(lab.path("state", "reports"))) if os.path.isdir(lab.path("state", "reports")) else []


def laboratory(lab, extra, *options):
    lab.clock("2024-08-05T07:00:00+07:00")
    lab.start_publisher()
    lab.start_smtp(*options)
    lab.start_hook()
    configure(lab, extra=LETTER + extra)
    lab.publish(routes(MONTHS))


def tick(lab, at):
    """The clock moves; the status line's tick has seen it when a fetch that was asked for after it is done."""
    lab.clock(at)
    lab.ask("portal", "2024-07")


def parts_of(mail):
    files = {p.get_filename(): p for p in mail.iter_attachments()}
    assert mail["Auto-Submitted"] == "auto-generated" and not mail.defects, mail.defects
    return files


def check_mail(mail, period, totals):
    files = parts_of(mail)
    assert sorted(files) == ["cong-van-%s.docx" % period, "phu-luc-%s.xlsx" % period], list(files)
    text = mail.get_body(("plain",)).get_content()
    assert "Hai tệp kèm theo" in text and "15/15" in text and "{{" not in text, text
    docx = zipfile.ZipFile(io.BytesIO(files["cong-van-%s.docx" % period].get_content()))
    assert docx.testzip() is None
    trees = {name: ET.fromstring(docx.read(name)) for name in docx.namelist()}
    words = "".join(t.text or "" for t in trees["word/document.xml"].iter(W + "t"))
    assert "TL. CHỦ TỊCH" in words and "CHÁNH VĂN PHÒNG" in words and "Thanh toán trực tuyến: ......%" in words
    assert files["cong-van-%s.docx" % period].get_content_type().endswith("wordprocessingml.document")
    sheet = openpyxl.load_workbook(io.BytesIO(files["phu-luc-%s.xlsx" % period].get_content())).active
    assert [row[3].value for row in sheet.iter_rows(min_row=4, max_row=18)] == totals
    return text


def totals_of(period):
    rows = MONTHS[period]["service-results"]["data"]["evaluation"]
    return sorted((float(r["totalScore"]) for r in rows), reverse=True)


def check_late(lab):
    """A source that never has the month is waited for, three working days and not longer; then once, over restarts."""
    tick(lab, "2024-08-06T07:55:00+07:00")
    for day in ("06", "07", "08"):
        tick(lab, "2024-08-%sT08:30:00+07:00" % day)
        assert letters(lab) == [] and drafts(lab) == [], day
    tick(lab, "2024-08-09T07:59:00+07:00")
    assert letters(lab) == []
    lab.clock("2024-08-09T08:00:30+07:00")
    lab.ask("portal", "2024-07")
    lab.wait(lambda: len(letters(lab)) == 2 and lab.settled(), "the letter of July")
    assert sorted(m["To"] for m in letters(lab)) == ADDRESSES and len({m["Message-ID"] for m in letters(lab)}) == 2
    for mail in letters(lab):
        assert mail["Subject"] == "[766] Dự thảo công văn tháng 7/2024 - Tiên Lữ", mail["Subject"]
        check_mail(mail, "2024-07", totals_of("2024-07"))
    # the very draft that is kept: asked for it is the same
    kept = lab.ctl("report", "2024-07", "--format", "docx", "-o", lab.path("kept.docx")) and open(lab.path("kept.docx"), "rb").read()
    assert parts_of(letters(lab)[0])["cong-van-2024-07.docx"].get_content() == kept and len(drafts(lab)) == 1
    # every figure that stands in it is in the ledger of both
    ledger = lab.sql("SELECT t.address, count(*) FROM told_figure f JOIN target t ON t.id = f.target WHERE t.recipient = 'letter' GROUP BY t.id")
    assert sorted(ledger) == [(a, 15) for a in ADDRESSES], ledger
    lab.stop()
    lab.start()
    tick(lab, "2024-08-12T09:00:00+07:00")
    assert len(letters(lab)) == 2 and lab.settled()


def check_day_off(lab):
    """All sources have August and it has settled, but its day is off: the next working day."""
    lab.stop()
    configure(lab, extra=LETTER)
    lab.start()
    lab.clock("2024-09-05T07:30:00+07:00")
    lab.ask("portal", "2024-08")
    tick(lab, "2024-09-06T09:00:00+07:00")
    tick(lab, "2024-09-08T09:00:00+07:00")
    assert len(letters(lab)) == 2
    observed = [t["subject"] for t in lab.json("deliveries", "--observed")["targets"] if t["target"].startswith("letter")]
    assert observed and all("tháng 8/2024 (09/09/2024 08:00)" in s for s in observed), observed
    lab.clock("2024-09-09T08:00:30+07:00")
    lab.ask("portal", "2024-08")
    lab.wait(lambda: len(letters(lab)) == 4 and lab.settled(), "the letter of August")
    august = [m for m in letters(lab) if "8/2024" in m["Subject"]]
    assert len(august) == 2 and all(m["Date"].startswith("Mon, 09 Sep 2024 08:0") for m in august)
    for mail in august:
        text = check_mail(mail, "2024-08", [float(row[3].replace(",", ".")) for row in letter()])
        assert "Tổng hợp: 88,03/100" in text
    # 15 totals, 15 of progress, the district's own two
    assert {n for _, n in lab.sql("SELECT message, count(*) FROM message_item WHERE say = 9 AND period = 2024108 GROUP BY message")} == {32}
    return {m["To"]: m["Message-ID"] for m in august}


def check_correction(lab, ids):
    """What the letter printed is restated: each of its recipients hears, by a message that names the letter."""
    lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08", "2024-08-restated")}))
    lab.clock("2024-09-10T07:30:00+07:00")
    lab.ask("portal", "2024-08")
    lab.clock("2024-09-10T08:00:30+07:00")
    lab.ask("portal", "2024-07")
    lab.wait(lambda: len(letters(lab, "ĐÍNH CHÍNH")) == 2 and lab.settled(), "corrections of the letter")
    for mail in letters(lab, "ĐÍNH CHÍNH"):
        text = mail.get_body(("plain",)).get_content()
        flat = " ".join(text.split())
        assert "“[766] Dự thảo công văn tháng 8/2024 - Tiên Lữ”, thư ngày 09/09/2024 08:0" in flat, text
        assert "Thiện Phiến" in text and "92,54" in text and "96,50" in text, text
        assert ids[mail["To"]] in mail["References"] and ids[mail["To"]].strip("<>") in flat
    # told once
    lab.clock("2024-09-11T08:00:30+07:00")
    lab.ask("portal", "2024-07")
    assert len(letters(lab, "ĐÍNH CHÍNH")) == 2 and lab.settled() and len(letters(lab)) == 4
    # the letter and what corrects it, no alerts
    assert len([m for m in lab.mails() if m["To"] in ADDRESSES]) == 6 and len(lab.mails()) > 6
    lab.integrity()


def check_kills(build):
    """Killed at the release or after it: nobody is forgotten, nobody gets it twice."""
    for point in ("letter.begin", "letter.commit", "letter.done"):
        with Lab(build) as lab:
            laboratory(lab, "")
            lab.start()
            lab.ask("portal", "2024-07")
            lab.stop()
            lab.clock("2024-08-06T08:00:30+07:00")
            lab.start(kill=point, wait=False)
            assert lab.daemon.wait(timeout=30) == -9, point
            lab.daemon = None
            lab.start()
            lab.wait(lambda: len(letters(lab)) == 2 and lab.settled(), "the letter after " + point)
            tick(lab, "2024-08-07T09:00:00+07:00")
            assert len(letters(lab)) == 2 and len({m["Message-ID"] for m in letters(lab)}) == 2, point
            lab.integrity()


def exhaust(lab):
    """All attempts of both letters, each at its time; returns the dead ones."""
    mine = "FROM message WHERE subject LIKE '%công văn%'"
    now = 0
    for _ in range(14):
        under_way = "SELECT 1 %s AND (state = 2 OR state = 1 AND (attempts = 0 OR next_ms <= %d))" % (mine, now)
        lab.wait(lambda sql=under_way: len(lab.sql("SELECT 1 " + mine)) == 2 and not lab.sql(sql), "attempts")
        waiting = lab.sql("SELECT next_ms " + mine + " AND state = 1")
        if not waiting:
            return [m for (m,) in lab.sql("SELECT id " + mine + " AND state = 4")]
        now = max(n for (n,) in waiting) + 1000
        tick(lab, datetime.datetime.fromtimestamp(now / 1000, datetime.timezone.utc).isoformat())
    raise AssertionError("not dead")


def check_dead(build):
    """A relay that refuses the letter for good: it is not sent again by itself, by `retry` it is, the same draft."""
    with Lab(build) as lab:
        laboratory(lab, "", "--mode-file", lab.path("mode"))
        with open(lab.path("mode"), "w", encoding="ascii") as f:
            f.write("dot554")
        lab.start()
        lab.ask("portal", "2024-07")
        tick(lab, "2024-08-06T08:00:30+07:00")
        dead = exhaust(lab)
        assert lab.sql("SELECT count(*) FROM told_figure f JOIN target t ON t.id = f.target WHERE t.recipient = 'letter'") == [(0,)]
        tick(lab, "2024-08-14T08:30:00+07:00")
        assert lab.sql("SELECT count(*) FROM message WHERE subject LIKE '%công văn%'") == [(2,)]
        with open(lab.path("mode"), "w", encoding="ascii") as f:
            f.write("ok")
        lab.stop() # the relay decides by connection, and ours is kept open
        lab.start()
        lab.ctl("retry", str(dead[0]))
        lab.wait(lambda: len(letters(lab)) == 1, "the letter that was asked for again")
        assert len(drafts(lab)) == 1
        check_mail(letters(lab)[0], "2024-07", totals_of("2024-07"))


def check_observing(build):
    """notify = observe: drafted, kept, shown to the operator as what would be; sent to nobody, also later."""
    with Lab(build) as lab:
        laboratory(lab, "[daemon]\nnotify = observe\n")
        lab.start()
        lab.ask("portal", "2024-07")
        observed = [t for t in lab.json("deliveries", "--observed")["targets"] if t["target"].startswith("letter")]
        assert len(observed) == 2 and all("tháng 7/2024 (06/08/2024 08:00, đang quan sát: không gửi)" in t["subject"] for t in observed), observed
        tick(lab, "2024-08-06T08:00:30+07:00")
        lab.wait(lambda: drafts(lab), "the draft is kept")
        lab.ctl("go-live", "--yes")
        tick(lab, "2024-08-07T08:00:30+07:00")
        lab.wait(lab.settled, "settled")
        assert letters(lab) == [] and len(drafts(lab)) == 1
        # a month later it is sent
        lab.clock("2024-09-05T07:30:00+07:00")
        lab.ask("portal", "2024-08")
        tick(lab, "2024-09-09T08:00:30+07:00")
        lab.wait(lambda: len(letters(lab)) == 2, "the first letter that is sent")


def check_set_up_late(build):
    """[letter] written after its day: the first letter is the next month's."""
    with Lab(build) as lab:
        laboratory(lab, "")
        lab.clock("2024-08-20T09:00:00+07:00")
        lab.start()
        lab.ask("portal", "2024-07")
        tick(lab, "2024-08-21T09:00:00+07:00")
        lab.wait(lab.settled, "settled")
        assert letters(lab) == [] and drafts(lab) == []


def main():
    build = sys.argv[1]
    with Lab(build) as lab:
        laboratory(lab, LATE)
        lab.start()
        lab.ask("portal", "2024-07")
        check_late(lab)
        check_correction(lab, check_day_off(lab))
        assert lab.stop() == 0
    check_kills(build)
    check_dead(build)
    check_observing(build)
    check_set_up_late(build)
    print("letter-send: passed")


main()
