#!/usr/bin/python3
"""edges.py BUILD: what a stranger found: recipients of units that are new, a clock that was ahead, a scope that fails beside one that
does not, old months that a publisher lacks, the body that a figure stands in."""
import sys

from lab import Lab, portal

COMMON = portal("every = 1h\n%s", page="{{scope}}/{{year}}-{{month}}") + """\
[rule low]
indicator = total
when = below 50
[rule failing]
when = source_failing 2
[recipient it]
role = operator
webhook = http://127.0.0.1:@HOOK@/it
[calendar]
work = Mon-Sun
"""


def rows(*pairs):
    return {"rows": [{"code": c, "name": "UBND xã Số %s" % c, "total": v} for c, v in pairs]}


def lab_with(build, extra, more=""):
    lab = Lab(build)
    lab.clock("2024-09-05T07:30:00+07:00")
    lab.start_publisher()
    lab.start_hook()
    lab.smtp_port = 0
    lab.configure(COMMON % extra + more)
    return lab


def told(lab, path):
    return [h for h in lab.hooks() if h["path"] == path]


def new_units(build):
    """A commune that nobody knew before hears of itself at the next digest, without a reload."""
    more = "[recipient offices]\neach = kind:commune\nwebhook = http://127.0.0.1:@HOOK@/office\n"
    with lab_with(build, "scope = p\nbackfill = 1\nrecheck = 1", more) as lab:
        lab.publish([{"path": "/p/2024-8", "json": rows(*[("%02d" % i, 60 + i) for i in range(11)], ("90", 40))}])
        lab.start()
        lab.fetch("portal", "2024-08")
        assert lab.sql("SELECT count(*) FROM target WHERE recipient = 'offices'")[0][0] == 12
        lab.clock("2024-09-05T08:00:01+07:00")
        lab.fetch("portal", "2024-08")
        lab.wait(lambda: len(told(lab, "/office")) == 1 and lab.settled(), "the one commune in breach hears of it")
        lab.stop()


def clock_ahead(build):
    """A clock that was two months ahead once puts nothing off, whether the answer then was good or bad."""
    for bad in (False, True):
        with lab_with(build, "scope = p\nbackfill = 1\nrecheck = 1") as lab:
            lab.publish([{"path": "/p/2024-%d" % m, "json": rows(("1", 90))} for m in (7, 8, 9, 10)])
            lab.start()
            lab.fetch("portal", "2024-08")
            lab.clock("2024-11-05T07:00:00+07:00")
            if bad:
                lab.publish([{"path": "/p/2024-10", "status": 403, "mode": "status", "body": "no"}])
            lab.fetch("portal", "2024-10", check=False)
            lab.publish([{"path": "/p/2024-8", "json": rows(("1", 91))}])
            lab.clock("2024-09-05T09:00:01+07:00")
            lab.stop()
            lab.start()
            lab.wait(lambda: lab.sql("SELECT value FROM figure WHERE period = 2024108") == [(9100,)], "August is asked again")
            lab.stop()


def scopes(build):
    """One scope answers 500, the others do not wait for it; only the one that fails is told of."""
    with lab_with(build, "scope = p\nscope = q\nscope = r\nbackfill = 1\nrecheck = 1") as lab:
        lab.publish([{"path": "/p/2024-8", "status": 500, "mode": "status", "body": "{}"}] +
                    [{"path": "/%s/2024-8" % s, "json": rows((s + "1", 70))} for s in "qr"])
        lab.start()
        for _ in range(2):
            lab.fetch("portal", "2024-08", check=False)
        assert lab.sql("SELECT count(*) FROM figure WHERE period = 2024108")[0][0] == 2
        lab.wait(lambda: len(told(lab, "/it")) == 1 and lab.settled(), "the operator hears of p")
        assert lab.sql("SELECT subject FROM episode WHERE rule = 'failing'") == [("source:portal/p",)]
        lab.stop()


def old_months(build):
    """A publisher without last year's months is not a failing one."""
    with lab_with(build, "scope = p\nbackfill = 6\nrecheck = 6") as lab:
        lab.publish([{"path": "/p/2024-8", "json": rows(("1", 70))}])
        lab.start()
        lab.fetch("portal", "2024-08")
        lab.wait(lambda: lab.sql("SELECT count(DISTINCT period) FROM attempt")[0][0] == 6, "all six months are asked")
        assert lab.sql("SELECT count(*) FROM episode") == [(0,)] and lab.hooks() == []
        lab.stop()


def acknowledgement(build):
    """An acknowledgement that expires wakes the teller by itself: the program hears that minute, not with the next event."""
    more = "[recipient program]\nunits = kind:commune\nimmediate = yes\nwebhook = http://127.0.0.1:@HOOK@/program\n[rule low]\nrepeat = 1 days\n"
    with lab_with(build, "scope = p\nbackfill = 1\nrecheck = 1", more) as lab:
        lab.publish([{"path": "/p/2024-8", "json": rows(("1", 40), ("2", 90))}])
        lab.start()
        lab.fetch("portal", "2024-08")
        lab.wait(lambda: len(told(lab, "/program")) == 1 and lab.settled(), "the opening is told")
        alert = lab.sql("SELECT id FROM episode WHERE unit IS NOT NULL")[0][0]
        answer = lab.api("/v1/alerts/%d/ack" % alert, "admin", "POST", {"by": "Lan", "until": "2024-09-08T10:00:00+07:00"})
        assert answer["alert"] == alert, answer
        for at in ("2024-09-07T00:00:01", "2024-09-08T00:00:01", "2024-09-08T09:59:00"):
            lab.clock(at + "+07:00")
            lab.fetch("portal", "2024-08")
        assert len(told(lab, "/program")) == 1 and lab.settled(), "acknowledged: not repeated"
        lab.clock("2024-09-08T10:00:01+07:00")
        lab.fetch("portal", "2024-08")
        lab.wait(lambda: len(told(lab, "/program")) == 2 and lab.settled(), "the acknowledgement is over")
        lab.stop()


new_units(sys.argv[1])
acknowledgement(sys.argv[1])
clock_ahead(sys.argv[1])
scopes(sys.argv[1])
old_months(sys.argv[1])
print("edges: passed")
