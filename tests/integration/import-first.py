#!/usr/bin/python3
"""import-first.py BUILD: a file of codes alone comes before the publisher says what these units are. From then on they are what he says:
communes among communes, ranked and told of like those that he brought himself. And a file that changes a month that is closed, or its
undoing, is a restatement that operators read, like one of the publisher."""
import sys

from lab import Lab, portal

CONFIG = portal("backfill = 0\nmin_units = 0\nnamespace = n") + """
[rule low]
indicator = total
units = kind:commune
when = below 80
from = 2024-01
[rule changed]
when = restated 1
[recipient it]
role = operator
webhook = http://127.0.0.1:@HOOK@/it
[recipient office]
webhook = http://127.0.0.1:@HOOK@/office
immediate = yes
"""


def bring(lab, text):
    with open(lab.path("january.csv"), "w", encoding="utf8") as f:
        f.write(text)
    return lab.json("import", lab.path("january.csv"), "--source", "portal", "--period", "2024-01", "--yes")["snapshot"]


def notices(lab):
    lab.wait(lab.settled, "all is sent")
    return [m["title"] for m in lab.said("/it") if "tháng 1/2024" in m["title"]]


def live(kind):
    with Lab(sys.argv[1]) as lab:
        lab.start_publisher()
        lab.start_hook()
        lab.configure(CONFIG.replace("unit.kind = commune", "unit.kind = " + kind))
        lab.clock("2024-03-05T08:00:00+07:00")
        lab.start()
        bring(lab, "code,total\n001,70\n002,90\n")
        lab.publish([{"path": "/2024-2", "json": {"rows": [{"code": c, "name": "Xã Số " + c, "kind": 3, "total": v} for c, v in
                                                           (("001", 60), ("002", 91), ("003", 75))]}}])
        lab.ask("portal", "2024-02")
        lab.wait(lambda: lab.said("/office") and lab.settled(), "February is told")
        told = {i["unit"]["key"] for i in lab.said("/office")[-1]["items"]}
        assert told == {"n:001", "n:003"}, told
        (cohort,) = lab.json("ranking", "--indicator", "total", "--period", "2024-02")["cohorts"]
        rows = [(r["unit"]["key"], r["unit"]["name"], r["place"], r["of"], r["delta"]) for r in cohort["rows"]]
        assert cohort["kind"] == "commune" and rows == [("n:002", "Xã Số 002", 1, 3, 1), ("n:003", "Xã Số 003", 2, 3, None), ("n:001", "Xã Số 001", 3, 3, -10)], rows
        (cohort,) = lab.json("ranking", "--indicator", "total", "--period", "2024-01")["cohorts"]
        assert [(r["unit"]["name"], r["value"]) for r in cohort["rows"] if r["value"]] == [("Xã Số 002", 90), ("Xã Số 001", 70)], cohort

        lab.clock("2024-03-06T08:00:00+07:00")
        assert notices(lab) == [] # new figures are no restatement
        bring(lab, "code,total\n001,70.5\n")
        again = bring(lab, "code,total\n002,85\n")
        lab.wait(lambda: notices(lab), "the file is a restatement")
        assert len(notices(lab)) == 1 and "90,00 → 85,00" in notices(lab)[0] and "có người sửa" in notices(lab)[0], notices(lab)
        lab.ctl("import", "--undo", str(again))
        lab.wait(lambda: len(notices(lab)) == 2, "its undoing is one, too")
        assert "85,00 → 90,00" in notices(lab)[1], notices(lab)
        lab.integrity()
        assert lab.stop() == 0


def main():
    live("commune")
    live("/kind 2:department 3:commune") # nothing says it before the publisher does
    print("import-first: passed")


main()
