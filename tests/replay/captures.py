#!/usr/bin/python3
"""captures.py BUILD DIR: real answers of the publishers (not part of this repository) through the whole daemon.

DIR holds restjsp-2025-10-an-giang-communes.json, restjsp-2025-10-an-giang-departments.json,
restjsp-2025-provinces-year-{first,later}.json, reporting-2026-09-17-service-results.json,
reporting-2026-08-dvc-progress-tree.json and reporting-2026-08-dossier-digitized.json. Every figure that the daemon knows is
compared with one computed here from the files, by way of Decimal, places with SQLite's own RANK(), and every transition with truth.py's."""
import datetime
import decimal
import fractions
import json
import os
import sys

import truth

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


def tables(lab, kind, period, indicator, instant):
    """What the API answered as of the instant: ranking by code; 404 and an empty table are the same nothing."""
    answer = lab.api("/v1/ranking?indicator=%s&period=%s&kind=%s&limit=1000&as_of=%s" % (indicator, period, kind, instant.replace("+", "%2B")))
    rows = [r for c in answer.get("cohorts", []) for r in c["rows"] if r["value"] is not None]
    return {r["unit"]["code"]: (D(str(r["value"])), r["place"], None if r["delta"] is None else D(str(r["delta"])), r.get("move")) for r in rows}


def placed(values):
    return {c: 1 + sum(o > v for o in values.values()) for c, v in values.items()}


def want_table(known, indicator, period, before):
    """{code: (value, place, change, move)} from {period: rows of a capture}."""
    now, then = ({c: D(v) / 100 for (i, c), v in restjsp_want(known.get(p, [])).items() if i == indicator} for p in (period, before))
    both = [c for c in now if c in then]
    is_comparable = both and 10 * len(both) >= 9 * max(len(now), len(then))
    place = placed(now)
    a, b = (placed({c: x[c] for c in both}) if is_comparable else {} for x in (then, now))
    return {c: (v, place[c], v - then[c] if c in then else None, a[c] - b[c] if c in a else None) for c, v in now.items()}


def compare_instants(lab, kind, captures, period, before, is_kind, what):
    """captures: [(instant of coming, {period: rows})], each the whole of what is known from then on. Before the first, between and after."""
    n = {"places": 0, "vintages": 0}
    for instant in sorted({x for at, _ in captures for x in (shift(at, -1), shift(at, 1), shift(at, 60))}):
        known = {}
        for at, rows in captures:
            if stamp(at) < stamp(instant):
                known = {p: [r for r in rs if is_kind(r)] for p, rs in rows.items()}
        for indicator in ["total"] + [g + s for g, _ in GROUPS.values() for s in ("", "_points")]:
            want, got = want_table(known, indicator, period, before), tables(lab, kind, period, indicator, instant)
            assert got == want, (what, instant, indicator, [(c, got.get(c), want.get(c)) for c in set(got) | set(want) if got.get(c) != want.get(c)][:4])
            n["places"] += len(want)
    for code in sorted({r["MA_COQUAN"] for _, rows in captures for r in rows.get(period, []) if is_kind(r)}):
        values = []
        for _, rows in captures:
            value = D({k[1]: v for k, v in restjsp_want(rows.get(period, [])).items() if k[0] == "total"}.get(code, 0)) / 100
            if rows.get(period) and (not values or values[-1] != value):
                values.append(value)
        history = lab.json("history", code, "--indicator", "total", "--vintages")["periods"]
        got = [D(str(v["value"])) for p in history if p["period"]["id"] == period for v in p["vintages"]]
        assert got == values, (what, code, got, values)
        n["vintages"] += len(values)
    print("%s: %d values, places, changes and moves and %d vintages as of instants before, between and after: no difference" % (what, n["places"], n["vintages"]))


RULES = [truth.Rule("low", "total", ("below", 80)), truth.Rule("fall", "total", ("drop", fractions.Fraction("0.3"))),
         truth.Rule("lost", "total", ("rank_drop", 3)), truth.Rule("late", "progress", ("below", 95), critical=("below", 80), clear=1),
         truth.Rule("behind", "digitization", ("behind", 5), clear=1),
         truth.Rule("stuck", "openness_points", ("flat", 1, fractions.Fraction("0.2")), also=("below", 17))]


def rules_of(kind, period, start):
    """The same as configuration."""
    text = "[daemon]\nmass_guard = 100\nguard_jump = 100\n"
    for r, when in zip(RULES, ("below 80\nclear = 80", "drop 0.3", "rank_drop 3", "below 95\ncritical = below 80", "behind 5",
                               "flat 1 within 0.2 and below 17")):
        text += "[rule %s]\nindicator = %s\nunits = kind:%s\nperiod = %s\nfrom = %s\nwhen = %s\n" % (r.name, r.indicator, kind, period, start, when)
    return text


def compare_transitions(lab, is_kind, what):
    """Of every accepted snapshot in its order, from the body that is kept of it."""
    get = lambda path: json.loads(json.dumps(lab.api(path)), parse_float=fractions.Fraction)
    figures, alerts, stored, count, newest = truth.Figures(), truth.Alerts(truth.World(RULES)), truth.stored_transitions(get, RULES), {}, ""
    for snapshot in sorted(lab.api("/v1/snapshots?limit=100")["snapshots"], key=lambda s: s["id"]):
        assert snapshot["state"] == "accepted", snapshot
        step, period = snapshot["step"], snapshot["period"]
        rows = lab.api("/v1/snapshots/%d/parts/1/body" % snapshot["id"])
        kept = {r["MA_COQUAN"] for r in rows if is_kind(r)}
        want = {(i, c): fractions.Fraction(v, 100) for (i, c), v in restjsp_want(rows).items() if c in kept}
        changed, came = figures.take(period, period, want)
        newest = max(newest, period)
        found = alerts.step(figures.cohorts(), newest, changed, came)
        truth.compare(found, stored.pop(step, []), (what, step, period))
        for t in found:
            count[t[2]] = count.get(t[2], 0) + 1
    assert not stored, (what, stored)
    assert truth.stored_state(get, RULES, "") == alerts.state(), what
    print("%s: %d transitions of %d rules, no difference: %s" % (what, sum(count.values()), len(RULES), count))
    return count


def stamp(at):
    return datetime.datetime.fromisoformat(at)


def shift(at, minutes):
    return (stamp(at) + datetime.timedelta(minutes=minutes)).isoformat()


def moved(rows, step):
    """A month made of a capture: every third unit differs, by hundredths that stay within the range."""
    out = []
    for i, r in enumerate(rows):
        r = dict(r)
        if i % 3 == 0:
            points = D(r["CKMB"])
            change = D(step) / 100 if points < 9 else -D(step) / 100
            r["CKMB"], r["TONG_SCORE"] = str(points + change), str(D(r["TONG_SCORE"]) + change)
        out.append(r)
    return out


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
        lab.configure(COMMON + source("portal", "dvcqg-restjsp", "scope = -1\nperiods = year") + rules_of("province", "year", "2025"))
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
        came = [a for a, in lab.sql("SELECT at_ms FROM snapshot WHERE state = 1 ORDER BY id")]
        came = [datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone(datetime.timedelta(hours=7))).isoformat() for ms in came]
        compare_instants(lab, "province", [(came[0], {"2025": first}), (came[-1], {"2025": later})], "2025", "2024",
                         lambda r: True, "provinces")
        count = compare_transitions(lab, lambda r: True, "provinces")
        assert count["opened"] and count["withdrawn"] and count["amended"], count
        lab.integrity()
        lab.stop()


def an_giang_months(build, captures):
    """September is made of the captured October, so that there are changes; October is published, then restated, then as captured again."""
    october = [r for n in ("communes", "departments")
               for r in json.load(open(os.path.join(captures, "restjsp-2025-10-an-giang-%s.json" % n), encoding="utf8"))]
    september, restated = moved(october, 37), moved(october, 41)
    with Lab(build) as lab:
        lab.start_publisher()
        lab.start_hook()
        known, steps = {}, []
        for day, period, rows in (("2025-10-05", "2025-09", september), ("2025-11-05", "2025-10", october), ("2025-12-05", "2025-10", restated),
                                  ("2025-12-20", "2025-10", october)):
            lab.clock(day + "T08:05:00+07:00")
            lab.publish([{"path": "/jsp/rest.jsp", "method": "POST", "json": rows}])
            if not steps:
                lab.configure(COMMON + source("portal", "dvcqg-restjsp", "scope = 398126\nperiods = month\nmin_share = 0") +
                              rules_of("commune", "month", "2025-09"))
                lab.start()
            lab.fetch("portal", period)
            known = dict(known, **{period: rows})
            ms = lab.sql("SELECT max(at_ms) FROM snapshot WHERE state = 1")[0][0]
            steps.append((datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone(datetime.timedelta(hours=7))).isoformat(), known))
        compare_instants(lab, "commune", steps, "2025-10", "2025-09", lambda r: r["LOAI_COQUAN"] == "3", "An Giang, September (made) and October")
        count = compare_transitions(lab, lambda r: r["LOAI_COQUAN"] == "3", "An Giang, September (made) and October")
        assert count["opened"] and count["continued"] and count["withdrawn"] and count["amended"], count
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
an_giang_months(*sys.argv[1:3])
provinces(*sys.argv[1:3])
reporting(*sys.argv[1:3])
print("captures: passed")
