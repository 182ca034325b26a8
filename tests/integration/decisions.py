#!/usr/bin/python3
"""decisions.py BUILD: rows that no unit of the registry is: `units link` gives a code to one, `units new` begins another under a code that was
used before. Until a person decides nothing of them is known; then the same answer is read anew."""
import sys

from lab import Lab, portal as portal_of

CONFIG = portal_of("""
scope = p
units = %s
backfill = 1
recheck = 1
min_share = 0
""", page="p?m={{year}}-{{month}}.", indicator="progress") + """
[rule low]
indicator = progress
units = kind:commune
when = below 95
from = 2024-07
[recipient it]
role = operator
webhook = http://127.0.0.1:@HOOK@/it
"""
JULY = {"1": ("UBND xã Lệ Xá", 97), "2": ("UBND xã Thủ Sỹ", 80), "3": ("UBND xã An Viên", 97)}


def publish(lab, **months):
    lab.publish([{"path": "/p", "match": "m=2024-%d." % int(m[1:]), "json": {"rows": [
        {"code": c, "name": n, "progress": v} for c, (n, v) in rows.items()]}} for m, rows in months.items()])


def known(lab, period):
    return dict(lab.sql("SELECT u.key, f.value / 100 FROM figure f JOIN unit u ON u.id = f.unit WHERE f.period = ? AND f.value NOT NULL", period))


def waiting(lab):
    return [(q["code"], q["name"]) for q in lab.json("units", "suggest")["quarantine"]]


def open_lab(build, units):
    lab = Lab(build)
    lab.clock("2024-08-05T07:00:00+07:00")
    lab.start_publisher()
    lab.start_hook()
    lab.configure(CONFIG % units)
    return lab


def link(build):
    with open_lab(build, "strict") as lab:
        with open(lab.path("units.csv"), "w", encoding="utf8") as f:
            f.write("code,name,kind,parent\nportal:p,Huyện Tiên Lữ,district,\n" + "".join("portal:%s,%s,commune,portal:p\n" % (c, n) for c, (n, _) in JULY.items()))
        publish(lab, m7=dict(JULY, **{"77": ("UBND xã Lệ Sá", 91)}))
        lab.start()
        lab.ctl("units", "import", lab.path("units.csv"), "--yes")
        lab.ask("portal", "2024-07")
        assert waiting(lab) == [("77", "UBND xã Lệ Sá")] and set(known(lab, 2024107).values()) == {97, 80}, (waiting(lab), known(lab, 2024107))
        assert lab.ctl("units", "link", "portal:77", "portal:khong-co", check=False).returncode == 2
        # the publisher gives its one code a second unit: whose row is read must not be a guess
        del JULY["1"]
        publish(lab, m7=dict(JULY, **{"77": ("UBND xã Lệ Sá", 91)}))
        done = lab.json("units", "link", "portal:77", "portal:1")
        assert {(c["what"], c["new"]) for c in done["changes"]} == {("code", "portal:77"), ("alias", "UBND xã Lệ Sá")}, done
        assert waiting(lab) == []
        lab.ask("portal", "2024-07")
        assert known(lab, 2024107) == {"portal:1": 91, "portal:2": 80, "portal:3": 97}, known(lab, 2024107)
        vintages = [v["value"] for v in lab.json("history", "portal:1", "--indicator", "progress", "--vintages")["periods"][0]["vintages"]]
        assert vintages[0] == 97 and vintages[-1] == 91, vintages
        lab.integrity()
        assert lab.stop() == 0


def new(build):
    with open_lab(build, "auto") as lab:
        first = dict(JULY, **{"1": ("UBND xã Lệ Xá", 97)})
        publish(lab, m7=first)
        lab.start()
        lab.ask("portal", "2024-07")
        assert known(lab, 2024107)["portal:2"] == 80 and waiting(lab) == []
        lab.clock("2024-09-05T07:00:00+07:00")
        publish(lab, m7=first, m8=dict(first, **{"2": ("UBND xã Tân Hưng", 99)}))
        lab.ask("portal", "2024-08")
        assert waiting(lab) == [("2", "UBND xã Tân Hưng")] and "portal:2" not in known(lab, 2024108), (waiting(lab), known(lab, 2024108))
        assert lab.ctl("units", "new", "portal:3", "--from", "2024-08-01", check=False).returncode == 2  # nobody asked about that one
        done = lab.json("units", "new", "portal:2", "--from", "2024-08-01")
        assert ("portal:2@2024-08-01", "new") in {(c["unit"], c["what"]) for c in done["changes"]}, done
        assert waiting(lab) == []
        lab.ask("portal", "2024-08")  # the same bytes
        assert known(lab, 2024108) == {"portal:1": 97, "portal:2@2024-08-01": 99, "portal:3": 97}, known(lab, 2024108)
        assert known(lab, 2024107)["portal:2"] == 80
        rows = {r["unit"]["key"]: r for c in lab.json("ranking", "--period", "2024-08", "--indicator", "progress")["cohorts"] for r in c["rows"]}
        assert rows["portal:2@2024-08-01"]["delta_reason"] == "merged" and rows["portal:2@2024-08-01"]["delta"] is None, rows["portal:2@2024-08-01"]
        assert rows["portal:1"]["delta"] == 0 and rows["portal:2@2024-08-01"]["unit"]["name"] == "UBND xã Tân Hưng"
        # the alert of the one that was there ended with it, and the other has none
        alerts = {(a["unit"]["key"], a["state"], a["end"]) for a in lab.json("alerts", "--all")["alerts"] if a.get("unit")}
        assert alerts == {("portal:2", "closed", "unit_ended")}, alerts
        lab.integrity()
        assert lab.stop() == 0


def main():
    new(sys.argv[1])
    link(sys.argv[1])
    print("decisions: passed")


main()
