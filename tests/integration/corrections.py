#!/usr/bin/python3
"""corrections.py BUILD: what letters say after figures that were told, or that they stand on, have changed."""
import re
import subprocess
import sys

import openpyxl

from lab import Lab

CONF = """[daemon]
organization = UBND tỉnh Thử
shipped_rules = no
notify = live
digest_at = 08:00
state_dir = @DIR@/state
socket_dir = @DIR@/run
[network]
ca_file = @DIR@/certs/ca.pem
[smtp]
url = smtp://localhost:@SMTP@
from = Chỉ số <chiso@x.vn>
[source s]
url = http://127.0.0.1:@PUB@/s
scope = p
periods = month
at = 04:00
backfill = 4
recheck = 3
pace = 0s
spread = 0s
[part s.main]
url = {{url}}?p={{year}}-{{month}}
rows = /rows
unit.code = /code
unit.name = /name
unit.kind = commune
value.progress = /progress
value.total = /total
[rule low]
indicator = progress
units = kind:commune
when = below 95
critical = below 80
from = 2024-01
[rule fall]
indicator = total
units = kind:commune
when = drop 5
from = 2024-01
[recipient office]
email = office@x.vn
[calendar]
work = Mon-Fri
"""


class World(Lab):
    def start_all(self):
        self.months, self.seen = {}, 0
        self.clock("2024-09-05T04:30:00+07:00")
        self.start_publisher()
        self.start_smtp()
        self.start_hook()
        self.configure(CONF)
        for name in ("2024-05", "2024-06", "2024-07", "2024-08"):
            self.month(name)

    def month(self, name, progress=None, total=None, without=()):
        rows = [{"code": str(1000 + i), "name": "Xã Số %d" % i, "progress": (progress or {}).get(i, 97), "total": (total or {}).get(i, 90)}
                for i in range(20) if i not in without]
        self.months[name] = rows
        self.publish([{"path": "/s", "match": "p=%s-%d\n" % (m[:4], int(m[5:])), "json": {"rows": r}} for m, r in self.months.items()])

    def digest(self, day, *periods):
        """The one mail of that day's digest: its subject, and its text by line number and label."""
        for period in periods:
            self.clock("%sT07:30:00+07:00" % day)
            self.fetch("s", period)
        self.clock("%sT08:00:01+07:00" % day)
        self.fetch("s", periods[-1])
        self.wait(lambda: len(self.mails()) == self.seen + 1 and self.settled(), "the digest of " + day)
        self.seen += 1
        mail = self.mails()[-1]
        text = " ".join(mail.get_body(("plain",)).get_content().split())
        return mail["Subject"], text


def must_say(text, *parts):
    at = 0
    for part in parts:
        found = text.find(part, at)
        assert found >= 0, (part, text)
        at = found + len(part)


def check_page(lab, unit, words, shown):
    """The unit's page and its sheet tell an alert that was withdrawn from one that has ended, as chisoctl does."""
    assert words[0].lower() in shown, shown
    tags = re.findall(r'<span class="tag[^"]* ended">([^<]*)</span>', lab.api_text("/u/" + unit, "status"))
    assert tags == words, tags
    sheet = lab.path("unit.xlsx")
    subprocess.run(["curl", "-sSf", "-o", sheet, "--unix-socket", lab.path("run", "status.sock"), "http://x/u/%s?format=xlsx" % unit], check=True)
    cells = [c for rows in openpyxl.load_workbook(sheet)["Cảnh báo"].iter_rows(values_only=True) for c in rows]
    assert [c for c in cells if c in words] == words, cells


def restated(lab):
    """August is told; then July, on which it stands, is another; then July is as it was."""
    lab.month("2024-08", {}, {10: 84})
    lab.start()
    lab.wait(lambda: lab.sql("SELECT count(*) FROM job WHERE good_ms > 0")[0][0] >= 4, "four months")
    subject, text = lab.digest("2024-09-05", "2024-08")
    assert "tụt 6,00" in subject, subject

    lab.month("2024-07", {5: 50}, {10: 84.5})
    subject, text = lab.digest("2024-09-06", "2024-07")
    assert subject.startswith("[766] ĐÍNH CHÍNH "), subject
    must_say(text, "tháng 8/2024", "Đã báo 84,00 điểm Nay là 84,00 điểm", "Rút cảnh báo đã gửi: tụt 6,00 (số kỳ trước thay đổi)")
    # the alert's own story still tells who heard of the opening, and by which message
    (fall,), = lab.sql("SELECT DISTINCT episode FROM message_item WHERE say = 4")
    story = lab.json("alert", str(fall))["told"]
    assert [(t["target"], t["said"]) for t in story] == [("office/email", "opening"), ("office/email", "withdrawn")], story
    assert [(t["message"], t["subject"]) for t in story] == lab.sql("SELECT id, subject FROM message ORDER BY id"), story
    shown = lab.ctl("alert", str(fall)).stdout
    told = [line.split() for line in shown.splitlines() if line.startswith("office/email")]
    assert [line[1:5] for line in told] == [["05/09/2024", "08:00", "báo", "mở"], ["06/09/2024", "08:00", "báo", "rút"]], shown
    assert all(str(t["message"]) in line for t, line in zip(story, told)), shown
    check_page(lab, "1010", ["Đã rút", "Đã hết"], shown)
    must_say(text, "tháng 7/2024", "Giá trị 84,50 điểm", "Điều chỉnh: tụt 5,50; không còn tụt từ tháng 8/2024")
    must_say(text, "tháng 7/2024", "Giá trị 50 %", "Điều chỉnh: dưới ngưỡng 95; đã đạt lại ngưỡng 95 từ tháng 8/2024")
    assert "đơn vị khác" not in text, text

    lab.month("2024-07")
    subject, text = lab.digest("2024-09-09", "2024-07")
    must_say(text, "Đã báo 84,50 điểm Nay là 90,00 điểm", "Rút cảnh báo đã gửi: tụt 5,50")
    must_say(text, "Đã báo 50 % Nay là 97 %", "Rút cảnh báo đã gửi: ngưỡng 95")
    assert "đơn vị khác" not in text, text


def corrected(lab):
    """What goes on with another figure says so, and the end shows the corrected one."""
    lab.month("2024-08", {0: 90}, {10: 84})
    subject, text = lab.digest("2024-09-10", "2024-08")
    assert subject == "[766] Xã Số 0: tiến độ 90 % (ngưỡng 95) - tháng 8/2024, tạm tính", subject
    lab.month("2024-08", {0: 91}, {10: 84})
    subject, text = lab.digest("2024-09-11", "2024-08")
    assert subject == "[766] ĐÍNH CHÍNH Xã Số 0: tiến độ tháng 8/2024 là 91 %, không phải 90 % (ngưỡng 95)", subject
    must_say(text, "Đã báo 90 %", "Nay là 91 %", "Dưới ngưỡng 95 (kéo dài)", "Đính chính thư ngày 10/09/2024")
    # what goes on with another figure was a correction, and is told as one in the alert's story
    (low,), = lab.sql("SELECT max(episode) FROM message_item WHERE say = 2")
    story = lab.json("alert", str(low))["told"]
    opening, fixed = story[-2:]
    assert [(t["said"], t["value"], t["corrects"]) for t in story[-2:]] == [("opening", 90, None), ("continued", 91, opening["message"])], story
    told = [line.split() for line in lab.ctl("alert", str(low)).stdout.splitlines() if line.startswith("office/email")]
    assert [line[3:5] for line in told[-2:]] == [["báo", "mở"], ["đính", "chính"]], told

    lab.month("2024-09", {}, {8: 80}, without=(7,))
    subject, text = lab.digest("2024-10-04", "2024-09")
    must_say(text, "Trước 91 % Nay 97 %", "Đã đạt lại ngưỡng 95")


def gap(lab):
    """A unit without September has had figures before: October says so."""
    lab.month("2024-10", {7: 90})
    subject, text = lab.digest("2024-11-04", "2024-10")
    must_say(text, "Xã Số 7", "90 %", "không tính (kỳ trước không có số liệu)")


def main():
    with World(sys.argv[1]) as lab:
        lab.start_all()
        restated(lab)
        corrected(lab)
        gap(lab)
        lab.integrity()


main()
