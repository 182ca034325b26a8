#!/usr/bin/python3
"""registry-list.py BUILD: a list of units that cannot be right is refused with its line, and nothing of it stays: an address that is none,
a webhook that is none, units above each other or after themselves, two different things of one unit. An address that came into the database otherwise keeps nobody from knowing or telling."""
import contextlib
import sqlite3
import sys

from lab import Lab, portal

CONFIG = portal("backfill = 0\nmin_units = 0") + """
[network]
ca_file = @DIR@/certs/ca.pem
[smtp]
url = smtp://localhost:@SMTP@
from = chiso@thu.example
[indicator total]
label = Tổng
[rule low]
indicator = total
when = below 80
[recipient ops]
role = operator
webhook = http://127.0.0.1:@HOOK@/ops
[recipient communes]
each = kind:commune
email = registry
immediate = yes
"""
HEAD = "code;name;kind;parent;from;until;successors;email;webhook;key\n"
REFUSED = [
    ("001;;;;;;;khong-phai-thu;", "dòng 2: 'khong-phai-thu' không phải địa chỉ"),
    ("002;;;;;;;tot@xa.example;\n001;;;;;;;tot@xa.example, hai@;", "dòng 3: 'hai@' không phải địa chỉ"),
    ('001;;;;;;;"tot@xa.example\r\nBcc: ai@xa.example";', "dòng 2: 'Bcc:' không phải địa chỉ"),
    ("001;;;;;;;;ftp://xa.example/", "dòng 2: webhook 'ftp://xa.example/'"),
    ("001;;;;;;;;https://xa.example/ hai", "dòng 2: webhook 'https://xa.example/ hai'"),
    ("001;;;portal:001;;;;;", "dòng 2: portal:001 không thể thuộc chính nó"),
    ("001;;;portal:002;;;;;\n002;;;portal:001;;;;;", "dòng 2: portal:001 sẽ thuộc chính nó, qua portal:002"),
    ("002;;;portal:003;;;;;\n001;;;portal:002;;;;;\n003;;;portal:001;;;;;", "dòng 2: portal:002 sẽ thuộc chính nó, qua portal:003"),
    # one unit, two different things: whichever came last would have won without a word
    ("001;Xã Một;;;;;;;\n001;Xã Hai;;;;;;;", "dòng 3: portal:001: cột name là 'Xã Hai' ở đây và 'Xã Một' ở dòng 2"),
    ("001;;commune;;;;;;\n002;;;;;;;;\n001;;ward;;;;;;", "dòng 4: portal:001: cột kind là 'ward' ở đây và 'commune' ở dòng 2"),
    ("001;;;portal:002;;;;;\nportal:001;;;003;;;;;", "dòng 3: portal:001: cột parent là '003' ở đây và 'portal:002' ở dòng 2"),
    (";;;;2020-01-01;;;;;portal:001\n;;;;2021-01-01;;;;;portal:001", "dòng 3: portal:001: cột from là '2021-01-01' ở đây"),
    ("001;;;;;2024-09-01;;;\n001;;;;;2024-10-01;;;", "dòng 3: portal:001: cột until là '2024-10-01' ở đây"),
    ("001;;;;;;;mot@xa.example;\n001;;;;;;;hai@xa.example;", "dòng 3: portal:001: cột email là 'hai@xa.example' ở đây"),
    ("001;;;;;;;;https://xa.example/1\n001;;;;;;;;-", "dòng 3: portal:001: cột webhook là '-' ở đây"),
    # units that succeed themselves
    ("001;;;;;2024-09-01;portal:002;;\n002;;;;;2024-10-01;portal:001;;", "dòng 2: đơn vị sẽ kế thừa chính nó: portal:001 → portal:002 → portal:001"),
    ("003;;;;;2024-09-01;portal:001;;\n001;;;;;2024-09-01;portal:002;;\n002;;;;;2024-09-01;portal:003 portal:004;;\n004;Xã Bốn;commune;;;;;;",
     "dòng 2: đơn vị sẽ kế thừa chính nó: portal:003 → portal:001 → portal:002 → portal:003"),
]


def main():
    with Lab(sys.argv[1]) as lab:
        def publish(value):
            rows = [{"code": c, "name": "Xã " + c, "total": value} for c in ("001", "002", "003")]
            lab.publish([{"path": "/2024-7", "json": {"rows": rows}}])
            lab.ask("portal", "2024-07")

        def units(text, *more, check=True):
            with open(lab.path("units.csv"), "w", encoding="utf8", newline="") as f:
                f.write(HEAD + text + "\n")
            return lab.ctl("units", "import", lab.path("units.csv"), *more, check=check)

        lab.clock("2024-08-08T09:00:00+07:00")
        lab.start_publisher()
        lab.start_smtp()
        lab.start_hook()
        lab.configure(CONFIG)
        lab.publish([])
        lab.start()
        publish(90)
        before = lab.ctl("units", "export").stdout
        for text, said in REFUSED:
            refused = units(text, "--yes", check=False)
            assert refused.returncode == 1 and said in refused.stderr, (text, refused)
            assert lab.ctl("units", "export").stdout == before, text
        # several rows of one unit add to its lists, and may say the same
        before = lab.sql("SELECT count(*) FROM unit_code")[0][0]
        units("001;;;portal:002;;;;;\nportal:001 portal:0011;;;002;;;;;", "--yes")
        assert lab.sql("SELECT count(*) FROM unit_code")[0][0] == before + 1
        # a cycle over two lists: each of them alone is right
        units("004;Xã Bốn;commune;;;;;;\n005;Xã Năm;commune;;;;;;\n006;Xã Sáu;commune;;;;;;", "--yes")
        units("004;;;;;2024-03-01;portal:005 portal:006;;", "--yes")
        units("005;;;;;2024-03-01;portal:006;;", "--yes")
        before = lab.ctl("units", "export").stdout
        refused = units("portal:006;;;;;2024-04-01;portal:003 portal:004;;", "--yes", check=False)
        assert refused.returncode == 1 and "dòng 2: đơn vị sẽ kế thừa chính nó: portal:006 → portal:004 → portal:005 → portal:006" in refused.stderr, refused
        assert lab.ctl("units", "export").stdout == before

        # two of one name below one unit: what is published by name alone is of neither
        two = "007;Phường Bảy;commune;portal:002;%s;;;;\n008;UBND xã Bảy;commune;portal:%s;;%s;;;"
        twins = units(two % ("", "002", ""), check=False).stdout
        assert "Lưu ý: 'Bảy' là tên của 2 đơn vị thuộc portal:002: portal:007, portal:008;" in twins, twins
        assert lab.json("units", "import", lab.path("units.csv"))["warnings"][0].startswith("'Bảy' là tên của 2 đơn vị"), twins
        for others in (("", "003", ""), ("2024-03-01", "002", "2024-03-01")):  # no siblings; one ends where the other begins
            shown = units(two % others, check=False).stdout
            assert "UBND xã Bảy" in shown and "là tên của" not in shown, (others, shown)

        units("001;;;;;;;tot@xa.example hai@xa.example;https://xa.example/hook\n002;;;;;;;-;-\n003;;;portal:002;;;;tot@xa.example;", "--yes")
        assert "tot@xa.example hai@xa.example" in lab.ctl("units", "export").stdout

        # a heading that is misspelt is named, whether anything else changes or not
        for more, said in (("", "Không có gì khác."), ("Xã Một", "1 thay đổi")):
            with open(lab.path("units.csv"), "w", encoding="utf8", newline="") as f:
                f.write("STT;code;name;thu;điện thoại\n1;001;%s;moi@xa.example;x\n" % more)
            answer = lab.ctl("units", "import", lab.path("units.csv"), "--yes")
            assert "Cột không dùng: thu, điện thoại\n" in answer.stdout and said in answer.stdout, answer
        with open(lab.path("units.csv"), "w", encoding="utf8", newline="") as f:
            f.write(lab.ctl("units", "export").stdout)
        again = lab.ctl("units", "import", lab.path("units.csv"), "--yes").stdout
        assert again == "Không có gì khác.\n", ("what is exported is read back whole", again)

        # a code is of a unit that there is, not of one that has ended
        units("003;;;;;2024-08-01;;;", "--yes")
        slip = lab.ctl("units", "link", "portal:77", "portal:003", "--from", "2024-07-01", check=False)
        assert slip.returncode == 2 and "chưa nguồn nào công bố mã portal:77" in slip.stderr and "--yes" in slip.stderr, slip
        ended = lab.ctl("units", "link", "portal:77", "portal:003", "--yes", check=False)
        assert ended.returncode == 2 and "ngày 2024-08-08 không có đơn vị" in ended.stderr, ended
        lab.json("units", "link", "portal:77", "portal:003", "--from", "2024-07-01", "--yes")
        lab.json("units", "link", "portal:77", "portal:002", "--from", "2024-08-05")  # a code that a unit has is no slip

        # by another way than the list
        lab.stop()
        with contextlib.closing(sqlite3.connect(lab.path("state", "chisod.db"))) as db:
            db.execute("INSERT OR REPLACE INTO unit_contact SELECT id, 'khong-phai-thu', NULL FROM unit WHERE key = 'portal:002'")
            db.commit()
        lab.start()
        publish(70)
        assert [v for v, in lab.sql("SELECT value FROM figure")] == [7000] * 3
        lab.wait(lambda: len(lab.mails()) == 3 and lab.settled(), "the others are told")
        assert sorted(m["To"] for m in lab.mails()) == ["hai@xa.example", "tot@xa.example", "tot@xa.example"], [m["To"] for m in lab.mails()]
        lab.integrity()


main()
