#!/usr/bin/python3
"""undo-registers.py BUILD: a file brings units that nobody knew. Taken back, they count no more in cohorts, lists, exports and rules, unless
something else speaks of them by then: a figure that stands, a person's list, an address, a unit below, a successor. As of before they are
there; brought again, they are back. A name or a code that only they had is free."""
import sys

from lab import Lab, portal

CONFIG = portal("backfill = 0\nmin_units = 0\nmin_share = 0") + """
[indicator total]
label = Tổng
[rule lost]
when = missing
[rule low]
indicator = total
when = below 60
"""
OWN = ["001", "002", "003"]
HOLDING = {"011": "code;email\nportal:011;a@xa.example\n",
           "012": "code;name;kind;parent\nportal:112;Thôn Một;village;portal:012\n",
           "013": "code;name;kind;from;until;successors\nportal:013;;;;2024-09-01;portal:113\nportal:113;Xã Mới;commune;2024-09-01;;\n"}


class World:
    def __init__(self, lab):
        self.lab, self.day, self.hour = lab, "2024-08-08", 8

    def tick(self):
        """An instant of its own for whatever is done next; what was done before is as of the one returned."""
        before = "%sT%02d:30:00+07:00" % (self.day, self.hour)
        self.hour += 1
        self.lab.clock("%sT%02d:00:00+07:00" % (self.day, self.hour))
        return before

    def publish(self, month, rows):
        self.lab.publish([{"path": "/2024-%d" % month, "json": {"rows": [{"code": c, "name": n, "total": v} for c, n, v in rows]}}])
        self.lab.ask("portal", "2024-%02d" % month)

    def bring(self, text, month=7, preview=False):
        with open(self.lab.path("file.csv"), "w", encoding="utf8") as f:
            f.write(text)
        more = [] if preview else ["--yes"]
        return self.lab.json("import", self.lab.path("file.csv"), "--source", "portal", "--period", "2024-%02d" % month, *more)

    def undo(self, stored):
        return self.lab.ctl("import", "--undo", str(stored["snapshot"])).stdout

    def ranked(self, month=7, *as_of):
        cohort, = self.lab.json("ranking", "--period", "2024-%02d" % month, "--indicator", "total", *as_of)["cohorts"]
        rows = {r["unit"]["code"]: r["value"] for r in cohort["rows"]}
        assert cohort["units"] == len(rows) and cohort["with_value"] == sum(v is not None for v in rows.values()), cohort
        return rows

    def list_units(self, text):
        with open(self.lab.path("units.csv"), "w", encoding="utf8") as f:
            f.write(text)
        return self.lab.json("units", "import", self.lab.path("units.csv"), "--yes")

    def listed(self):
        codes = {u["key"].split(":")[1] for u in self.lab.json("units", "list", "--all")["units"]}
        exported = {line.split(",")[0].split(":")[1] for line in self.lab.ctl("units", "export").stdout.splitlines()[1:]}
        assert codes == exported, (codes, exported)
        return codes

    def count(self, extra=()):
        """These units count, and no others: in lists, in each month's cohort, in what status says."""
        units = set(OWN) | set(extra)
        assert self.listed() == units, (self.listed(), units)
        assert set(self.ranked(6)) == units and set(self.ranked(7)) >= units, (self.ranked(6), self.ranked(7))


def taken_back(lab, w):
    june = w.ranked(6)
    before = w.tick()
    file = "code,name,total\n004,Xã Sai,50\n005,,\n"
    assert w.bring(file, preview=True)["registered"] == 2
    first = w.bring(file)
    assert w.ranked() == {"001": 81, "002": 82, "003": 83, "004": 50, "005": None}, w.ranked()
    w.count(["004", "005"])
    assert len(lab.json("alerts")["alerts"]) == 1
    during = w.tick()
    said = w.undo(first)
    assert "2 đơn vị" in said, said
    w.count()
    assert w.ranked() == {"001": 81, "002": 82, "003": 83} and w.ranked(6) == june, w.ranked()
    assert lab.json("alerts")["alerts"] == [], lab.json("alerts")["alerts"]
    after = w.tick()
    # as of then: as it was then
    assert w.ranked(7, "--as-of", during) == {"001": 81, "002": 82, "003": 83, "004": 50, "005": None}, w.ranked(7, "--as-of", during)
    assert set(w.ranked(7, "--as-of", after)) == set(OWN)
    history = {p["period"]["id"]: p for p in lab.json("history", "004", "--indicator", "total", "--vintages")["periods"]}
    assert [v["value"] for v in history["2024-07"]["vintages"]] == [50, None], history
    lab.stop()
    lab.start()
    w.count()

    # again: new once more, and back
    w.tick()
    assert w.bring(file, preview=True)["registered"] == 2
    w.count()
    second = w.bring(file)
    w.count(["004", "005"])
    assert w.ranked()["004"] == 50 and "004" in w.ranked(7, "--as-of", during)
    again = w.tick()
    assert "2 đơn vị" in w.undo(second)
    w.count()
    assert w.ranked(7, "--as-of", again)["004"] == 50 and "004" not in w.ranked(7, "--as-of", after)
    return before


def held(lab, w):
    """What something else speaks of by then stays."""
    # the publisher, in another month
    one = w.bring("code,total\n006,60\n")
    w.publish(8, [(c, "Xã " + c, 90) for c in OWN + ["006"]])
    assert "đơn vị" not in w.undo(one).replace("diễn biến", "")
    w.count(["006"])
    # another file, until it is taken back, too; whichever was first
    one, two = w.bring("code,total\n007,60\n"), w.bring("code,total\n007,61\n", month=6)
    w.undo(one)
    assert w.ranked(6)["007"] == 61 and "007" in w.listed()
    w.undo(two)
    w.count(["006"])
    # a person's list: an address, a unit below, a successor
    for code, text in HOLDING.items():
        one = w.bring("code,total\n%s,60\n" % code)
        w.list_units(text)
        w.undo(one)
        assert code in w.listed(), code
    # a list brings back what was taken back
    one = w.bring("code,total\n014,60\n")
    w.undo(one)
    assert "014" not in w.listed()
    assert ("portal:014", "new") in {(c["unit"], c["what"]) for c in w.list_units("code;name\nportal:014;Xã Mười Bốn\n")["changes"]}
    assert "014" in w.listed()


def freed(lab, w):
    """Names and codes that only a file had that does not count."""
    one = w.bring("code,name,total\n099,Xã Chín,60\n004,Xã Sai,60\n")
    w.undo(one)
    w.publish(7, [(c, "Xã " + c, 80) for c in OWN] + [("009", "Xã Chín", 91), ("004", "Xã Bốn", 92)])
    rows = {r["unit"]["key"]: (r["unit"]["name"], r["value"]) for r in
            lab.json("ranking", "--period", "2024-07", "--indicator", "total")["cohorts"][0]["rows"]}
    assert rows["portal:009"] == ("Xã Chín", 91) and rows["portal:004"] == ("Xã Bốn", 92) and "portal:099" not in rows, rows
    assert lab.json("units", "suggest")["quarantine"] == []
    june, = lab.json("ranking", "--period", "2024-06", "--indicator", "total")["cohorts"]  # the wrong name is nobody's, at no time
    assert {r["unit"]["name"] for r in june["rows"] if r["unit"]["key"] == "portal:004"} == {"Xã Bốn"}, june
    assert lab.json("history", "Xã Chín", "--indicator", "total")["unit"]["key"] == "portal:009"


def missed(lab, w):
    """A unit that nobody published before is not missed in the next month once the file is taken back."""
    def lost():
        return [a for a in lab.json("alerts")["alerts"] if a["rule"] == "lost"]
    one = w.bring("code,total\n044,60\n", month=7)
    w.publish(8, [(c, "Xã " + c, 90) for c in OWN + ["006"]] + [("004", "Xã Bốn", 90), ("009", "Xã Chín", 90)])
    assert len(lost()) == 1, lab.json("alerts")
    w.undo(one)
    lab.ask("portal", "2024-08")
    assert lost() == [], lost()


def main():
    with Lab(sys.argv[1]) as lab:
        lab.clock("2024-08-08T08:00:00+07:00")
        lab.start_publisher()
        lab.configure(CONFIG)
        lab.publish([])
        lab.start()
        w = World(lab)
        for month, first in ((6, 71), (7, 81)):
            w.publish(month, [(c, "Xã " + c, first + i) for i, c in enumerate(OWN)])
        taken_back(lab, w)
        lab.clock("2024-09-08T08:00:00+07:00")
        held(lab, w)
        freed(lab, w)
        missed(lab, w)
        lab.ctl("backup", lab.path("copy.db"))
        proof = lab.ctl("--config", lab.path("etc", "chisod.conf"), "verify", lab.path("copy.db"), "--replay")
        assert "giống hệt" in proof.stdout, proof.stdout
        lab.integrity()


main()
