#!/usr/bin/python3
"""notes.py BUILD: what is odd about figures is noted with the snapshot and counted in status, and changes no figure: a value that
moves too far against the month before or against what was published before, and a list that ends in dots, as an answer and as a file."""
import json
import sys

from lab import Lab

CONF = """
[daemon]
organization = Thử
notify = observe
shipped_rules = no
state_dir = @DIR@/state
socket_dir = @DIR@/run
[source s]
label = Cổng
url = http://127.0.0.1:@PUB@/rows
namespace = s
scope = P
periods = month
pace = 0s
spread = 0s
backfill = 1
min_share = 10
[part s.all]
url = {{url}}?m={{number}}&
rows = /rows
unit.code = /code
unit.name = /name
unit.kind = commune
value.progress = /progress
value.received = /received
"""
FILE = """
[source f]
preset = inbox
inbox = @DIR@/state/inbox
prefix = f_
namespace = s
numbers = comma
periods = month
"""
ERA = """
[era formula]
from = 2024-09-01
reason = cách tính khác
"""


def answer(values, end=None):
    rows = [{"code": c, "name": "Xã " + c, "progress": v, "received": r} for c, v, r in values]
    return {"rows": rows + ([{"code": "", "name": end}] if end else [])}


def publish(lab, months):
    lab.publish([{"path": "/rows", "match": "m=%d&" % int(m), "json": a} for m, a in months.items()])


def notes(lab, snapshot):
    shown = lab.json("snapshot", "show", str(snapshot))
    assert shown["notes"] == lab.api("/v1/snapshots/%d" % snapshot)["notes"]
    return [(n["kind"], n["unit"] and n["unit"]["code"], n["text"]) for n in reversed(shown["notes"])]


def newest(lab, source="s"):
    return lab.json("snapshot", "list", "--source", source)["snapshots"][0]["id"]


def figures(lab, period):
    return dict(lab.sql("SELECT c.code, f.value FROM figure f JOIN indicator i ON i.id = f.indicator JOIN unit_code c ON c.unit = f.unit "
                        "WHERE i.name = 'progress' AND f.period = ?", period))


def main():
    with Lab(sys.argv[1]) as lab:
        lab.clock("2024-08-05T07:00:00+07:00")
        lab.start_publisher()
        lab.configure(CONF + FILE)
        july = [("A", 80, 100), ("B", 80, 100), ("C", 80, 100)]
        publish(lab, {"07": answer(july)})
        lab.start()
        lab.ask("s", "2024-07")
        assert notes(lab, newest(lab)) == []
        assert lab.json("status")["notes"] == []

        # exactly 10 points are none, a hundredth more is one; counts may do as they like
        lab.clock("2024-09-05T07:00:00+07:00")
        august = [("A", 90, 5000), ("B", 69.99, 1), ("C", 81, 100)]
        publish(lab, {"07": answer(july), "08": answer(august)})
        lab.ask("s", "2024-08")
        jumped = newest(lab)
        assert notes(lab, jumped) == [("jump", "B", "progress: 69.99 after 80.00 in the period before: ask the source")], notes(lab, jumped)
        assert figures(lab, 2024108) == {"A": 9000, "B": 6999, "C": 8100}
        assert lab.json("status")["notes"] == [{"source": "s", "count": 1, "snapshot": jumped}]
        assert "s: 1 ghi chú số liệu (chisoctl snapshot show %d)" % jumped in lab.ctl("status").stdout

        # against what was published before (said once), and the end of the list; what did not move is not noted again
        august[2] = ("C", 55, 100)
        publish(lab, {"07": answer(july), "08": answer(august, "…")})
        lab.ask("s", "2024-08")
        got = notes(lab, newest(lab))
        assert got == [("jump", "C", "progress: 55.00 after 81.00 as it was published before: ask the source"),
                       ("open-list", None, 'part all: the list ends in "...": its 3 units are a lower bound')], got
        assert figures(lab, 2024108) == {"A": 9000, "B": 6999, "C": 5500}
        assert lab.json("status")["notes"] == [{"source": "s", "count": 2, "snapshot": newest(lab)}]

        # a month that runs grows out of a few dossiers: no note; nor across an era
        lab.clock("2024-09-20T07:00:00+07:00")
        publish(lab, {"07": answer(july), "08": answer(august, "…"), "09": answer([("A", 10, 1), ("B", 80, 9), ("C", 100, 1)])})
        lab.ask("s", "2024-09")
        assert notes(lab, newest(lab)) == []
        lab.stop()
        lab.configure(CONF + FILE + ERA)
        lab.start()
        lab.clock("2024-10-05T07:00:00+07:00")
        september = [("A", 20, 1), ("B", 80, 9), ("C", 99, 1)]
        publish(lab, {"09": answer(september), "08": answer(august)})
        lab.ask("s", "2024-09")
        assert notes(lab, newest(lab)) == []
        lab.ask("s", "2024-09")

        # a file: the row of dots is neither a unit nor refused
        with open(lab.path("f.csv"), "w", encoding="utf8") as f:
            f.write("Stt;Mã;Đơn vị;Tỷ lệ giải quyết đúng hạn (%)\n1;A;Xã A;90,5\n2;B;Xã B;91\n...;;...;\n")
        shown = lab.json("import", lab.path("f.csv"), "--source", "f", "--period", "2024-08", "--yes")
        assert (shown["rows"], shown["refused_rows"], shown["new"]) == (2, 0, 2), shown
        assert notes(lab, shown["snapshot"]) == [("open-list", None, 'part rows: the list ends in "...": its 2 units are a lower bound')], \
            notes(lab, shown["snapshot"])
        # JSON says the same; a number beside the dots is somebody's figure, and refused
        rows = [{"code": "A", "progress": 90.5}, {"code": "B", "progress": 92}]
        for end, open_list, refused in (({"code": "...", "name": "…", "progress": None}, 1, 0), ({"code": "...", "progress": 5}, 0, 1)):
            with open(lab.path("f.json"), "w", encoding="utf8") as f:
                json.dump(rows + [end], f)
            rows[1]["progress"] += 1
            shown = lab.json("import", lab.path("f.json"), "--source", "f", "--period", "2024-08", "--yes")
            assert (shown["changed"], shown["refused_rows"]) == (1, refused), shown
            assert [k for k, _, _ in notes(lab, shown["snapshot"])] == ["open-list"] * open_list, notes(lab, shown["snapshot"])
        lab.integrity()
        assert lab.stop() == 0
    print("notes: passed")


if __name__ == "__main__":
    main()
