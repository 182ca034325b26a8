#!/usr/bin/python3
"""backfill.py BUILD: the months before the first start: newest first, with progress and an estimate, taken up where a kill cut them off,
silent for officials; and a regular time that was missed while the daemon was off, made up once."""
import signal
import sys

from lab import Lab, portal as portal_of

CONFIG = portal_of("""
scope = p
at = 04:00
backfill = 7
recheck = 1
""", page="p?m={{year}}-{{month}}.", indicator="progress", daemon="digest_at = 08:00\n") + """
[rule low]
indicator = progress
units = kind:commune
when = below 95
from = 2024-01
[recipient office]
units = kind:commune
webhook = http://127.0.0.1:@HOOK@/office
[recipient it]
role = operator
webhook = http://127.0.0.1:@HOOK@/it
[calendar]
work = Mon-Sun
"""
MONTHS = ["2024-%02d" % m for m in range(8, 1, -1)]  # as they are asked


def publish(lab, hanging=(), progress=None):
    rows = lambda m: [{"code": "%d" % (100 + i), "name": "UBND xã Số %d" % i, "progress": (progress or {}).get(m, 80 if m < "2024-06" else 97)} for i in range(6)]
    lab.publish([dict({"path": "/p", "match": "m=2024-%d." % int(m[5:])}, **({"mode": "hang"} if m in hanging else {"json": {"rows": rows(m)}})) for m in MONTHS])


def months_asked(lab):
    return ["2024-%02d" % int(str(r).split("m=2024-")[1].split(".")[0]) for r in lab.requests()]


def portal(lab):
    return lab.call("GET", "/v1/status")["sources"][0]


def cut_off(lab):
    publish(lab, hanging=MONTHS[4:])
    lab.start()
    lab.wait(lambda: portal(lab)["backfill"]["done"] == 3 and portal(lab).get("progress", {}).get("period") == MONTHS[4], "three of the months before")
    seen = portal(lab)["backfill"]
    assert (seen["done"], seen["of"]) == (3, 6) and seen["until"], seen
    shown = lab.ctl("sources").stdout
    assert "2024-04 " in shown and "lùi 3/6 ~" in shown, shown
    assert months_asked(lab) == MONTHS[:5], months_asked(lab)
    lab.stop(signal.SIGKILL)
    publish(lab)
    lab.start()
    lab.wait(lambda: portal(lab)["backfill"]["done"] == 6, "the other months")
    seen = portal(lab)["backfill"]
    assert (seen["done"], seen["of"], seen["until"]) == (6, 6, None), seen
    assert months_asked(lab) == MONTHS[:5] + MONTHS[4:], ("none that was there is asked again", months_asked(lab))
    assert len(lab.sql("SELECT DISTINCT period FROM figure")) == 7


def silent(lab):
    """Months of 80 % long ago opened and closed before anybody could be told; the newest month that is bad is told in the same run."""
    assert lab.sql("SELECT count(*) FROM episode WHERE rule = 'low'")[0][0] == 6 and not lab.json("alerts")["alerts"]
    lab.clock("2024-09-06T07:30:00+07:00")
    publish(lab, progress={"2024-08": 90})
    lab.ask("portal", "2024-08")
    lab.clock("2024-09-06T08:00:01+07:00")
    lab.ask("portal", "2024-08")
    lab.wait(lambda: lab.said("/office") and lab.settled(), "the digest")
    items = [i for h in lab.said("/office") for i in h["items"]]
    assert [i["period"]["id"] for i in items] == ["2024-08"] * 6 and {i["say"] for i in items} == {"opening"}, items


def made_up(lab):
    """Off over two regular times (and the digest): asked once when it is back, not once for each, and not again before the next."""
    assert lab.stop() == 0
    before = len(lab.requests())
    lab.clock("2024-09-08T15:00:00+07:00")
    lab.start()
    lab.wait(lambda: len(lab.requests()) > before and portal(lab)["state"] != "busy" and not portal(lab)["queued"], "the time is made up")
    lab.ask("portal", "2024-08")  # a sentinel: whatever was due before has been done
    assert months_asked(lab)[before:] == ["2024-08", "2024-08"], months_asked(lab)[before:]
    assert lab.stop() == 0
    lab.start()
    lab.ask("portal", "2024-08")
    assert months_asked(lab)[before:] == ["2024-08"] * 3, ("a start makes up nothing twice", months_asked(lab)[before:])


def main():
    with Lab(sys.argv[1]) as lab:
        lab.clock("2024-09-05T07:00:00+07:00")
        lab.start_publisher()
        lab.start_hook()
        lab.configure(CONFIG)
        cut_off(lab)
        silent(lab)
        made_up(lab)
        lab.integrity()
        assert lab.stop() == 0
    print("backfill: passed")


main()
