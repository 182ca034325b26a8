#!/usr/bin/python3
"""import-scope.py BUILD: a file for one scope of a source that names a unit of another one changes a figure that is known: the preview says
so, it is a revision with what was known before, and who was told of the old figure is told of the new one. Taken back, it leaves what the
unit's own scope says."""
import json
import sys

from lab import Lab, portal

CONFIG = (portal("backfill = 0\nmin_units = 0\nmin_share = 0\nscope = H1\nscope = H2", page="{{scope}}/{{year}}-{{month}}")
          .replace("rows = /rows", "rows = /rows\nparent = /parent").replace("value.total = /total", "value.total = /total\nvalue.late = /late")) + """
[indicator total]
label = Tổng
[indicator late]
label = Trễ
unit = points
[indicator both]
label = Cả hai
unit = points
sum = total, late
[rule low]
indicator = total
when = below 80
[recipient chief]
webhook = http://127.0.0.1:@HOOK@/chief
immediate = yes
"""


def district(code, total):
    return {"parent": {"code": code, "name": "Huyện " + code, "total": 90, "late": 1},
            "rows": [{"code": code[1] + c, "name": "Xã " + code[1] + c, "total": total, "late": 2} for c in "012"]}


def main():
    with Lab(sys.argv[1]) as lab:
        lab.clock("2024-08-08T09:00:00+07:00")
        lab.start_publisher()
        lab.start_hook()
        lab.configure(CONFIG)
        lab.publish([{"path": "/H1/2024-7", "json": district("H1", 85)}, {"path": "/H2/2024-7", "json": district("H2", 75)}])
        lab.start()
        lab.ask("portal", "2024-07")
        lab.wait(lambda: lab.said("/chief") and lab.settled(), "the alerts are told")
        told = len(lab.said("/chief"))

        with open(lab.path("file.csv"), "w", encoding="utf8") as f:
            f.write("code,total\n10,86\n20,95\n")
        argv = ["import", lab.path("file.csv"), "--source", "portal", "--period", "2024-07", "--scope", "H1"]
        shown = lab.json(*argv)
        assert (shown["new"], shown["changed"]) == (0, 4), shown  # two figures, and the sums of them
        assert ("20", "total", 75, 95) in {(c["unit"]["code"], c["indicator"], c["old"], c["new"]) for c in shown["changes"]}, shown["changes"]
        stored = lab.json(*argv, "--yes")
        vintages = lab.json("history", "portal:20", "--indicator", "total", "--vintages")["periods"][0]["vintages"]
        assert [v["value"] for v in vintages] == [75, 95], vintages
        assert lab.json("ranking", "--period", "2024-07", "--indicator", "both", "--parent", "portal:H2")["cohorts"][0]["rows"][0]["value"] == 97
        lab.wait(lambda: len(lab.said("/chief")) > told and lab.settled(), "the other figure is told")
        assert "portal:20" in json.dumps(lab.said("/chief")[told:]), lab.said("/chief")[told:]

        lab.json("import", "--undo", str(stored["snapshot"]))
        values = dict(lab.sql("SELECT u.key || ' ' || i.name, f.value FROM figure f JOIN unit u ON u.id = f.unit JOIN indicator i ON i.id = f.indicator"))
        assert [values["portal:%s" % k] for k in ("10 total", "20 total", "10 both", "20 both")] == [8500, 7500, 8700, 7700], values

        # what the unit's own scope has said since stands: the same figure makes no vintage, and is not asked for again
        stored = lab.json(*argv, "--yes")
        lab.publish([{"path": "/H1/2024-7", "json": district("H1", 85)}, {"path": "/H2/2024-7", "json": district("H2", 95)}])
        lab.ask("portal", "2024-07")
        known = lambda code: lab.json("ranking", "--period", "2024-07", "--parent", "portal:H" + code[0])["cohorts"][0]["rows"]
        rows = lambda code: {r["unit"]["code"]: r["value"] for r in known(code)}
        assert rows("2")["20"] == 95, rows("2")
        lab.json("import", "--undo", str(stored["snapshot"]))
        assert (rows("1")["10"], rows("2")["20"]) == (85, 95), (rows("1"), rows("2"))
        # so does what it has left out since
        with open(lab.path("file.csv"), "w", encoding="utf8") as f:
            f.write("code,total\n20,70\n21,71\n")
        gone = district("H2", 95)
        gone["rows"] = [r for r in gone["rows"] if r["code"] != "21"]
        lab.publish([{"path": "/H1/2024-7", "json": district("H1", 85)}, {"path": "/H2/2024-7", "json": gone}])
        lab.ask("portal", "2024-07")
        stored = lab.json(*argv, "--yes")
        lab.json("import", "--undo", str(stored["snapshot"]))
        assert rows("2")["20"] == 95 and rows("2").get("21") is None, rows("2")
        lab.ctl("backup", lab.path("copy.db"))
        assert "giống hệt" in lab.ctl("--config", lab.path("etc", "chisod.conf"), "verify", lab.path("copy.db"), "--replay").stdout
        lab.integrity()


main()
