#!/usr/bin/python3
"""first-contact.py BUILD: an import of months long past, into a daemon that is live, is judged without a word; what is imported for the
newest month is told at the next digest, in the same run."""
import json
import sys

from lab import Lab, portal

CONFIG = portal("scope = p\nevery = 1h\nbackfill = 1\nrecheck = 1") + """\
[rule low]
indicator = total
when = below 50
from = 2024-01
[recipient office]
units = kind:commune
webhook = http://127.0.0.1:@HOOK@/office
[recipient offices]
each = kind:commune
webhook = http://127.0.0.1:@HOOK@/unit
[calendar]
work = Mon-Sun
"""
CODES = ["%02d" % i for i in range(12)]


def rows(values):
    return [{"code": c, "name": "UBND xã Số %s" % c, "total": v} for c, v in zip(CODES, values)]


def sent(lab, path):
    return [h for h in lab.hooks() if h["path"] == path]


def take(lab, name, values, period):
    with open(lab.path(name), "w", encoding="utf8") as f:
        json.dump(rows(values), f)
    return lab.json("import", lab.path(name), "--source", "portal", "--period", period, "--yes")


def main():
    with Lab(sys.argv[1]) as lab:
        lab.clock("2024-09-05T07:30:00+07:00")
        lab.start_publisher()
        lab.start_hook()
        lab.smtp_port = 0
        lab.configure(CONFIG)
        lab.publish([{"path": "/2024-8", "json": {"rows": rows([60] * 12)}}])
        lab.start()
        lab.fetch("portal", "2024-08")

        # four months of all twelve below the limit, long over: runs that opened and ended in the past
        for month in range(4, 8):
            taken = take(lab, "m%d.json" % month, [30 + month] * 12, "2024-%02d" % month)
            assert taken["new"] == 12, taken
        assert lab.sql("SELECT count(*) FROM episode WHERE unit IS NOT NULL")[0][0] >= 12, "they were judged"
        for day in ("05T08:00:01", "06T08:00:01"):
            lab.clock("2024-09-%s+07:00" % day)
            lab.fetch("portal", "2024-08")
            lab.wait(lab.settled, "all settled")
        assert lab.hooks() == [], "what was long over is told to nobody"

        # the newest month, by hand: told to whom it concerns, and to nobody else
        assert take(lab, "new.json", [60, 40] + [60] * 10, "2024-08")["changed"] == 1
        assert lab.hooks() == [], "the digest of the day is over"
        lab.publish([{"path": "/2024-8", "json": {"rows": rows([60, 40] + [60] * 10)}}])
        lab.clock("2024-09-07T08:00:01+07:00")
        lab.fetch("portal", "2024-08")
        lab.wait(lambda: len(sent(lab, "/office")) == 1 and len(sent(lab, "/unit")) == 1 and lab.settled(), "the one that is new is told")
        told = lab.sql("SELECT t.key, d.said FROM told d JOIN target t ON t.id = d.target ORDER BY t.key")
        assert len(told) == 2, told
        lab.stop()
    print("first-contact: passed")


main()
