#!/usr/bin/python3
"""era-of-a-parent.py BUILD: a formula changes for the communes of one province only. Named by its bare code, as units are named anywhere,
the boundary holds for all below it at any height and for nobody else: in tables, in histories, for rules, and in what is told."""
import json
import sys

from lab import Lab, portal

CONFIG = portal("namespace = n\nscope = p\nscope = q\nbackfill = 0\nmin_share = 0", page="rows?scope={{scope}}&month={{month}}") + """
parent = /parent
parent.kind = province
[rule low]
indicator = total
units = kind:commune
when = below 80
from = 2024-01
[rule fall]
indicator = total
units = kind:commune
when = drop 5
from = 2024-01
[rule gone]
when = missing
[recipient office]
webhook = http://127.0.0.1:@HOOK@/office
immediate = yes
"""
ERA = """
[era formula]
from = 2024-02-01
reason = đổi công thức
parent = %s
"""
LIST = "code,name,kind,parent\nn:mien,Miền Bắc,region,\nn:p,,,n:mien\n"


def live(parent):
    with Lab(sys.argv[1]) as lab:
        def publish(*totals):
            lab.publish([{"path": "/rows", "match": "scope=%s&month=%d" % (scope, month), "json": {
                "parent": {"code": scope, "name": "Tỉnh " + scope}, "rows": [{"code": scope + "1", "name": "Xã Một", "total": total}]
                + [{"code": scope + "2", "name": "Xã Hai của " + scope, "total": 90}] * (month == 1)}}
                for scope in "pq" for month, total in enumerate(totals, 1)])
        lab.clock("2024-02-06T08:00:00+07:00")
        lab.start_publisher()
        lab.start_hook()
        lab.configure(CONFIG)
        publish(90)
        lab.start()
        lab.ask("portal", "2024-01")
        with open(lab.path("units.csv"), "w", encoding="utf8") as f:
            f.write(LIST)
        lab.ctl("units", "import", lab.path("units.csv"), "--yes")
        lab.configure(CONFIG + ERA % parent)
        lab.reload()
        lab.clock("2024-03-06T08:00:00+07:00")
        publish(90, 70)
        lab.ask("portal", "2024-02")
        lab.wait(lambda: {i["unit"]["code"] for m in lab.said("/office") for i in m["items"]} == {"p1", "q1"} and lab.settled(), "February is told")
        deltas = {i["unit"]["code"]: i["delta"] for m in lab.said("/office") for i in m["items"]}
        assert deltas == {"p1": None, "q1": -20}, (parent, deltas)
        rows = {r["unit"]["code"]: (r["delta"], r["delta_reason"]) for c in lab.json("ranking", "--kind", "commune", "--period", "2024-02")["cohorts"]
                for r in c["rows"]}
        rows = {code: row for code, row in rows.items() if code[1] == "1"}
        assert rows == {"p1": (None, "era"), "q1": (-20, "ok")}, (parent, rows)
        for code, reason in (("p1", "era"), ("q1", "ok")):
            assert lab.json("history", "n:" + code)["periods"][0]["delta_reason"] == reason, (parent, code)
        fell = {a["unit"]["code"] for a in lab.json("alerts")["alerts"] if a["rule"] == "fall"}
        assert fell == {"q1"}, (parent, fell)
        # who is no longer counted after the boundary is not missed
        gone = json.dumps([lab.json("alert", str(a["id"])) for a in lab.json("alerts")["alerts"] if a["rule"] == "gone"], ensure_ascii=False)
        assert "Xã Hai của q" in gone and "Xã Hai của p" not in gone, (parent, gone)
        lab.integrity()
        assert lab.stop() == 0


def main():
    for parent in ("n:p", "p", "Miền Bắc"):
        live(parent)
    print("era-of-a-parent: passed")


main()
