#!/usr/bin/python3
"""undo.py BUILD: an import taken back leaves what the other snapshots say: whatever the order in which two are taken back, also where
the publisher or another file has come to the same figure since, which makes no vintage. The replay comes to the same, also where a person let in a suspect that is silent about most of it."""
import json
import sys

from lab import Lab, portal

CONFIG = portal("backfill = 0\nmin_units = 0\nmin_share = 0") + """
[part portal.late]
url = {{url}}/late-{{year}}-{{month}}
rows = /rows
unit.code = /code
unit.kind = commune
value.late = /late
[indicator total]
label = Tổng
[indicator late]
label = Trễ hạn
decimals = 0
unit = count
direction = down
"""


def main():
    with Lab(sys.argv[1]) as lab:
        def publish(total, others=(("002", 86), ("003", 87))):
            rows = [{"code": c, "name": "Xã " + c, "total": v} for c, v in ([("001", total)] if total else []) + list(others)]
            lab.publish([{"path": "/2024-7", "json": {"rows": rows}}, {"path": "/late-2024-7", "json": {"rows": [{"code": "002", "late": 5}]}}])
            lab.ask("portal", "2024-07")

        def bring(text):
            with open(lab.path("file.csv"), "w", encoding="utf8") as f:
                f.write(text)
            return lab.json("import", lab.path("file.csv"), "--source", "portal", "--period", "2024-07", "--yes")["snapshot"]

        def undo(*ids):
            return [json.loads(lab.ctl("import", "--undo", str(i), "--json").stdout)["changed"] for i in ids]

        def known(indicator="total"):
            rows = lab.json("ranking", "--period", "2024-07", "--indicator", indicator)["cohorts"][0]["rows"]
            return {r["unit"]["code"]: r["value"] for r in rows}

        lab.clock("2024-08-08T09:00:00+07:00")
        lab.start_publisher()
        lab.configure(CONFIG)
        lab.publish([])
        lab.start()
        publish(85)
        assert known() == {"001": 85, "002": 86, "003": 87}, known()

        # two of one cell, taken back in either order
        first, second = bring("code,total\n001,70\n"), bring("code,total\n001,60\n002,61\n")
        assert undo(second, first) == [2, 1] and known()["001"] == 85, known()
        first, second = bring("code,total\n001,70\n"), bring("code,total\n001,60\n")
        assert undo(first) == [0] and known()["001"] == 60
        assert undo(second) == [1] and known()["001"] == 85, known()

        # three, the one in the middle stays
        first, second, third = (bring("code,total\n001,%d\n" % v) for v in (70, 60, 50))
        assert undo(third, first) == [1, 0] and known()["001"] == 60, known()
        assert undo(second) == [1] and known()["001"] == 85, known()

        # the publisher has come to the same figure: it is his now, and it is not asked for again while he does not change it
        first = bring("code,total,late\n001,70,\n003,,9\n")
        publish(70)
        assert known()["001"] == 70 and known("late")["003"] is None, (known(), known("late"))
        assert undo(first) == [0] and known()["001"] == 70, known()
        lab.ask("portal", "2024-07")
        assert known()["001"] == 70

        # so has another file; a cell that this one alone brought goes
        first, second = bring("code,total\n001,50\n002,40\n"), bring("code,total\n001,50\n")
        assert undo(first) == [1] and known() == {"001": 50, "002": 86, "003": 87}, known()
        assert undo(second) == [1] and known()["001"] == 70, known()

        # what the publisher left out he left out, whatever a file had said before
        publish(None)
        first = bring("code,total\n001,30\n")
        assert known()["001"] == 30
        assert undo(first) == [1] and known()["001"] is None, known()
        assert lab.ctl("import", "--undo", str(first), check=False).returncode == 1

        # a person lets in what is silent about most of what was known
        publish(85)
        lab.configure(CONFIG.replace("min_share = 0", "min_share = 90"))
        lab.reload()
        publish(84, others=())
        suspect = lab.json("snapshot", "list", "--limit", "1")["snapshots"][0]
        assert suspect["state"] == "suspect" and known()["002"] == 86, suspect
        lab.ctl("snapshot", "accept", str(suspect["id"]))
        assert known() == {"001": 84, "002": None, "003": None}, known()

        told = lab.ctl("history", "003", "--vintages").stdout
        assert "không còn" in told and "gone" not in told, told

        lab.ctl("backup", lab.path("copy.db"))
        proof = lab.ctl("--config", lab.path("etc", "chisod.conf"), "verify", lab.path("copy.db"), "--replay")
        assert "giống hệt" in proof.stdout, proof.stdout
        lab.integrity()


main()
