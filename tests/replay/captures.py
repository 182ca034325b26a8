#!/usr/bin/python3
"""captures.py BUILD DIR: real answers of the publishers (not part of this repository) through the whole daemon.

DIR holds restjsp-2025-10-an-giang-communes.json, restjsp-2025-10-an-giang-departments.json,
restjsp-2025-provinces-year-{first,later}.json, reporting-2026-09-17-service-results.json,
reporting-2026-08-dvc-progress-tree.json and reporting-2026-08-dossier-digitized.json. Every figure that the daemon knows is
compared with one computed here from the files, by way of Decimal, and places with SQLite's own RANK()."""
import decimal
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
from lab import Lab  # noqa: E402

D = decimal.Decimal
GROUPS = {"TDGQ": ("progress", 20), "MDHL": ("satisfaction", 18), "MDSH": ("digitization", 22), "TTTT": ("payment", 10),
          "CLGQ": ("online", 12), "CKMB": ("openness", 18)}
COMMON = """
[daemon]
organization = Thử
notify = observe
shipped_rules = no
state_dir = @DIR@/state
socket_dir = @DIR@/run
[recipient it]
role = operator
webhook = http://127.0.0.1:@HOOK@/hook
"""


def rounded(value, digits=2):
    return int((value.copy_abs().quantize(D(1).scaleb(-digits), decimal.ROUND_HALF_UP) * 10 ** digits).copy_sign(value))


def figures(lab, period):
    rows = lab.sql("SELECT i.name, c.code, f.value FROM figure f JOIN indicator i ON i.id = f.indicator JOIN unit_code c "
                   "ON c.unit = f.unit WHERE f.period = ?", period)
    return {(i, c): v for i, c, v in rows}


def restjsp_want(rows):
    want = {}
    for r in rows:
        want["total", r["MA_COQUAN"]] = rounded(D(r["TONG_SCORE"]))
        for field, (name, most) in GROUPS.items():
            points = D(r[field])
            want[name + "_points", r["MA_COQUAN"]] = rounded(points)
            want[name, r["MA_COQUAN"]] = rounded(points * 100 / most)
    return want


def compare(got, want, what):
    different = {k: (got.get(k), v) for k, v in want.items() if got.get(k) != v}
    assert not different, (what, len(different), list(different.items())[:5])
    assert len(got) == len(want), (what, len(got), len(want), [k for k in got if k not in want][:5])
    print("%s: %d figures equal" % (what, len(want)))


def source(name, preset, extra):
    return "[source %s]\npreset = %s\nurl = http://127.0.0.1:@PUB@\npace = 0s\nspread = 0s\nbackfill = 1\nrecheck = 1\n%s\n" % (name, preset, extra)


def an_giang(build, captures):
    communes, departments = (json.load(open(os.path.join(captures, "restjsp-2025-10-an-giang-%s.json" % n), encoding="utf8"))
                             for n in ("communes", "departments"))
    with Lab(build) as lab:
        lab.clock("2025-11-10T08:05:00+07:00")
        lab.start_publisher()
        lab.start_hook()
        lab.publish([{"path": "/jsp/rest.jsp", "method": "POST", "json": communes + departments}])
        lab.configure(COMMON + source("portal", "dvcqg-restjsp", "scope = 398126\nperiods = month") +
                      "[rule progress-low]\nindicator = progress\nunits = kind:commune\nwhen = below 95\n"
                      "[rule digitization-low]\nindicator = digitization\nunits = kind:commune\nwhen = below 80\n")
        lab.start()
        lab.fetch("portal", "2025-10")
        compare(figures(lab, 2025110), restjsp_want(communes + departments), "An Giang, October 2025")
        rows = lab.json("ranking", "--period", "2025-10", "--kind", "commune")["cohorts"][0]["rows"]
        sql = dict(lab.sql("SELECT c.code, rank() OVER (ORDER BY f.value DESC) FROM figure f JOIN indicator i ON i.id = f.indicator "
                           "JOIN unit u ON u.id = f.unit JOIN unit_code c ON c.unit = u.id WHERE i.name = 'total' AND "
                           "f.period = 2025110 AND u.kind = 'commune'"))
        assert {r["unit"]["code"]: r["place"] for r in rows} == sql and len(sql) == 102
        assert len({r["value"] for r in rows}) == 79
        opened = [(a["rule"], a["unit"]["code"]) for a in lab.json("alerts")["alerts"] if a.get("unit")]
        count = {name: sum(r == name for r, _ in opened) for name in ("progress-low", "digitization-low")}
        assert count == {"progress-low": 10, "digitization-low": 3}, count
        print("An Giang: 102 communes, 79 distinct totals, places as SQLite's RANK(), alerts", count)
        lab.stop()


def provinces(build, captures):
    first, later = (json.load(open(os.path.join(captures, "restjsp-2025-provinces-year-%s.json" % n), encoding="utf8"))
                    for n in ("first", "later"))
    with Lab(build) as lab:
        lab.clock("2026-01-10T08:05:00+07:00")
        lab.start_publisher()
        lab.start_hook()
        lab.publish([{"path": "/jsp/rest.jsp", "method": "POST", "json": first}])
        lab.configure(COMMON + source("portal", "dvcqg-restjsp", "scope = -1\nperiods = year"))
        lab.start()
        lab.fetch("portal", "2025")
        lab.clock("2026-02-10T08:05:00+07:00")
        lab.publish([{"path": "/jsp/rest.jsp", "method": "POST", "json": later}])
        lab.fetch("portal", "2025")
        read = {}
        for day in ("2026-01-11", "2026-02-11"):
            rows = lab.json("ranking", "--period", "2025", "--kind", "province", "--as-of", day)["cohorts"][0]["rows"]
            read[day] = {r["unit"]["code"]: rounded(D(str(r["value"]))) for r in rows}
        for day, rows in (("2026-01-11", first), ("2026-02-11", later)):
            assert read[day] == {r["MA_COQUAN"]: rounded(D(r["TONG_SCORE"])) for r in rows}, day
        n = sum(read["2026-01-11"][c] != read["2026-02-11"][c] for c in read["2026-01-11"])
        assert n == 34, n
        compare(figures(lab, 2025401), restjsp_want(later), "provinces, 2025, later")
        print("provinces: 34 totals readable as of both days, %d differ" % n)
        lab.integrity()
        lab.stop()


def reporting(build, captures):
    summary, tree, digitized = (json.load(open(os.path.join(captures, "reporting-%s.json" % n), encoding="utf8")) for n in
                                ("2026-09-17-service-results", "2026-08-dvc-progress-tree", "2026-08-dossier-digitized"))
    with Lab(build) as lab:
        lab.clock("2026-10-10T08:05:00+07:00")
        lab.start_publisher()
        lab.start_hook()
        path = "/api/v1/reporting/evaluation/"
        lab.publish([{"path": path + n, "status": 201, "mode": "status", "json": j} for n, j in
                     (("service-results", summary), ("dvc-progress-tree", tree), ("dossier-digitized", digitized))])
        # one source per capture: the other calls of the preset were not captured
        preset = open(os.path.join(os.path.dirname(__file__), "..", "..", "conf", "presets", "dvcqg-reporting.conf"), encoding="utf8").read()
        os.mkdir(lab.path("etc", "presets"))
        for name, part in (("tree", "progress"), ("list", "digitization")):
            blocks = ("\n" + preset).split("\n[")
            keep = [b for b in blocks[1:] if b.startswith("source]") or b.startswith("part %s]" % part)]
            assert len(keep) == 2, (name, [b.split("]")[0] for b in blocks])
            with open(lab.path("etc", "presets", name + ".conf"), "w", encoding="utf8") as f:
                f.write("".join("[" + b + "\n" for b in keep))
        scope = "scope = 019d2be3-6a88-732b-8b17-b68020c8553a\nperiods = month"
        lab.configure(COMMON + source("national", "dvcqg-national", "periods = month") + source("tree", "tree", scope) +
                      source("list", "list", scope))
        lab.start()
        lab.ctl("fetch", "--wait", "--from", "2026-08", "--to", "2026-08")
        got = figures(lab, 2026108)
        want = {}
        for r in summary["data"]["evaluation"]:
            want["national_total", r["departmentCode"]] = rounded(D(str(r["totalScore"])))
            for g, v in r["groupScores"].items():
                want["national_%s_points" % GROUPS[g][0], r["departmentCode"]] = rounded(D(str(v)))
        for r in [tree["data"]["parent"]] + tree["data"]["children"]:
            code = r["departmentCode"]
            want["received", code] = r["totalReceived"]
            want["on_time", code] = r["totalOnTime"]
            if "totalOverdue" in r:
                want["late", code] = r["totalOverdue"]
            is_empty = r["totalReceived"] == 0
            want["progress", code] = None if is_empty else rounded(D(str(r["ratio"])))
            want["progress_points", code] = None if is_empty else rounded(D(str(r.get("score", r.get("totalScore")))))
        for r in digitized["data"]["evaluation"]:
            want["digitization", r["departmentCode"]] = rounded(D(str(r["ratio"])))
            want["digitization_points", r["departmentCode"]] = rounded(D(str(r["totalScore"])))
            metrics = {m["code"]: m for m in r["metrics"]}
            want["digitized_dossiers", r["departmentCode"]] = rounded(D(str(metrics["SO_HOA_GIAY_TO_GIAI_QUYET"]["ratio"])))
            want["e_results", r["departmentCode"]] = rounded(D(str(metrics["ORIGINAL_RESULT_AVAILABLE"]["ratio"])))
        missing = {k: (got.get(k, "absent"), v) for k, v in want.items() if got.get(k, "absent") != v}
        assert not missing, list(missing.items())[:6]
        print("reporting: %d figures of three captures equal (of %d known)" % (len(want), len(got)))
        lab.stop()


an_giang(*sys.argv[1:3])
provinces(*sys.argv[1:3])
reporting(*sys.argv[1:3])
print("captures: passed")
