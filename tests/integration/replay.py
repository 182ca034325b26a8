#!/usr/bin/python3
"""replay.py BUILD [SEED]: a made-up year (12 months, repeated captures, restatements of closed months, a merger, an era, gaps, a unit that
vanishes, two sources) against an independent computation from the raw bodies: every ranking, place, move, change, vintage and alert at
50 as-of instants, and every transition of every rule at its step. Zero differences."""
import contextlib
import datetime
import fractions
import json
import os
import random
import sqlite3
import sys
import urllib.parse

from lab import HERE, Lab, UnixConnection
from sample import configure, routes

sys.path.insert(0, os.path.join(os.path.dirname(HERE), "replay"))
import truth  # noqa: E402 (the folder is known from here on)

NAMES = {"12337": "UBND TT Vương", "12340": "UBND xã Hưng Đạo", "12343": "UBND xã Ngô Quyền", "12346": "UBND xã Nhật Tân", "12349": "UBND xã Dị Chế",
         "12352": "UBND xã Lệ Xá", "12355": "UBND xã An Viên", "12358": "UBND xã Đức Thắng", "12361": "UBND xã Trung Dũng",
         "12364": "UBND xã Hải Triều", "12367": "UBND xã Thủ Sỹ", "12370": "UBND xã Thiện Phiến", "12373": "UBND xã Thụy Lôi",
         "12376": "UBND xã Cương Chính", "12379": "UBND xã Minh Phượng"}
MERGED, MERGER = ("12380", "UBND xã Hợp Nhất", ("12376", "12379")), 8  # from August on
VANISHED = ("12343", 9)
LATE = ("12355", 2)  # its progress comes when April is out: a breach that is over by then, whatever else is drawn
ERA = 10
EXTRA = """
[source portal]
min_units = 0
min_share = 0
[source gate]
namespace = gso
scope = 332
scope_unit = gso:332
periods = month
at = 05:00
backfill = 1
recheck = 1
numbers = comma
min_share = 0
spread = 0s
pace = 0s
[part gate.rows]
url = http://127.0.0.1:@PUB@/gate?month={{month}}&year={{year}}
method = GET
rows = /rows
unit.code = /ma
unit.name = /ten
unit.kind = commune
value.undigitized_results = /chua
[era formula]
from = 2025-10-01
reason = Cổng đổi công thức
[rule progress-low]
from = 2025-01
[rule progress-behind]
from = 2025-01
[rule total-low]
from = 2025-01
[rule total-fall]
from = 2025-01
[rule total-falling]
indicator = total
units = kind:commune
from = 2025-01
when = falling 2
[rule total-stuck]
indicator = total
units = kind:commune
from = 2025-01
when = flat 2 within 4 and below 90
[rule total-lost]
indicator = total
units = kind:commune
from = 2025-01
when = rank_drop 5
critical = drop 12
[rule papers-many]
indicator = undigitized_results
units = kind:commune
from = 2025-01
when = above 2000
clear = 1500
for = 2
[daemon]
mass_guard = 100
"""
RULES = [truth.Rule("total-low", "total", ("below", 85), clear=1), truth.Rule("total-fall", "total", ("drop", 1)),
         truth.Rule("progress-low", "progress", ("below", 95), critical=("below", 85), clear=1),
         truth.Rule("progress-behind", "progress", ("behind", 5), clear=1), truth.Rule("total-falling", "total", ("falling", 2)),
         truth.Rule("total-stuck", "total", ("flat", 2, 4), also=("below", 90)),
         truth.Rule("total-lost", "total", ("rank_drop", 5), critical=("drop", 12)),
         truth.Rule("papers-many", "undigitized_results", ("above", 2000), clear=500, wait=2)]
CSV = "code,name,kind,parent,from,until,successors\n" + "".join("gso:%s,,,,,2025-08-01,gso:%s\n" % (c, MERGED[0]) for c in MERGED[2]) + \
      "gso:%s,%s,commune,gso:332,2025-08-01,,\n" % MERGED[:2]


# ---- the publisher ---------------------------------------------------------------------------------------------------------


def units_of(month):
    names = {c: n for c, n in NAMES.items() if not (month >= MERGER and c in MERGED[2]) and not (c == VANISHED[0] and month >= VANISHED[1])}
    if month >= MERGER:
        names[MERGED[0]] = MERGED[1]
    return names


class World:
    """What the publisher says now, per month: {code: [total, progress, undigitized]}; None is a gap."""
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.months = {}

    def figure(self):
        r = self.r
        return [r.randrange(780, 960) / 10, None if r.random() < 0.04 else r.choice([r.randrange(9300, 10000), r.randrange(7000, 9500), 9550]) / 100,
                r.randrange(0, 40) * 100]

    def open(self, month):
        self.months[month] = {c: self.figure() for c in units_of(month)}
        self.plant()

    def plant(self):
        code, late = LATE
        for month, value in ((late - 1, 99.0), (late, 70.0 if late + 2 in self.months else None), (late + 1, 99.0)):
            if month in self.months:
                self.months[month][code][1] = value

    def revise(self, month, n):
        for code in self.r.sample(sorted(self.months[month]), n):
            self.months[month][code][self.r.randrange(3)] = self.figure()[0]
            self.months[month][code] = [v if i != 2 or v == int(v) else int(v) * 10 for i, v in enumerate(self.months[month][code])]
        self.plant()

    def documents(self, month):
        rows, names = self.months[month], dict(NAMES, **{MERGED[0]: MERGED[1]})
        parent = {"departmentCode": "332", "departmentName": "UBND huyện Tiên Lữ"}
        return {
            "service-results": {"code": "OK", "data": {"overview": dict(parent, totalScore=88), "evaluation": [
                {"departmentCode": c, "departmentName": names[c], "totalScore": v[0], "scoreDelta": None} for c, v in sorted(rows.items())]}},
            "dvc-progress-tree": {"code": "OK", "data": {"parent": dict(parent, ratio=97, totalReceived=9), "children": [
                {"departmentCode": c, "departmentName": names[c], "level": "COMMUNE", "ratio": v[1], "totalReceived": 100} for c, v in sorted(rows.items())]}}}

    def publish(self, lab):
        table = routes({"2025-%02d" % m: self.documents(m) for m in self.months})
        for m, rows in self.months.items():
            text = lambda n: "{:,}".format(n).replace(",", ".")
            table.append({"path": "/gate", "match": "month=%d&year=2025" % m, "json": {"rows": [
                {"ma": c, "ten": dict(NAMES, **{MERGED[0]: MERGED[1]})[c], "chua": text(int(v[2]))} for c, v in sorted(rows.items())]}})
        lab.publish(table)


# ---- the independent computation -------------------------------------------------------------------------------------------


def number(value):
    return None if value is None else fractions.Fraction(str(value))


def figures_of(bodies):
    """{(indicator, code): value} of one snapshot's raw bodies."""
    out = {}
    for body in bodies:
        document = json.loads(body, parse_float=fractions.Fraction, parse_int=fractions.Fraction)
        if "rows" in document:
            for row in document["rows"]:
                out["undigitized_results", row["ma"]] = fractions.Fraction(row["chua"].replace(".", "").replace(",", "."))
        for row in document.get("data", {}).get("evaluation", []):
            out["total", row["departmentCode"]] = row["totalScore"]
        for row in document.get("data", {}).get("children", []):
            out["progress", row["departmentCode"]] = row["ratio"]
    return {k: v for k, v in out.items() if v is not None}


class Known:
    """All accepted snapshots with their raw bodies; what was known at an instant follows from the last of each job."""
    def __init__(self, lab):
        self.rows, offset = [], 0
        while True:
            page = lab.call("GET", "/v1/snapshots?limit=500&offset=%d" % offset)["snapshots"]
            self.rows += page
            offset += 500
            if len(page) < 500:
                break
        assert all(r["state"] == "accepted" for r in self.rows)
        self.rows.sort(key=lambda r: r["id"])
        seen = {}
        for row in self.rows:
            key = tuple(p["hash"] for p in row["parts"])
            if key not in seen:
                seen[key] = figures_of([raw(lab, "/v1/snapshots/%d/parts/%d/body" % (row["id"], p["n"])) for p in row["parts"]])
            row["figures"] = seen[key]
            row["instant"] = datetime.datetime.fromisoformat(row["at"])

    def at(self, instant):
        """{(indicator, month, code): value}"""
        last = {}
        for row in self.rows:
            if row["instant"] <= instant:
                last[row["source"], row["period"]] = row
        return {(i, int(p[5:]), c): v for (s, p), row in last.items() for (i, c), v in row["figures"].items()}

    def vintages(self, indicator, month, code, instant):
        values = []
        for row in self.rows:
            if row["instant"] <= instant and row["period"] == "2025-%02d" % month and row["source"] == ("gate" if indicator[0] == "u" else "portal"):
                value = row["figures"].get((indicator, code))
                if (not values and value is not None) or (values and value != values[-1]):
                    values.append(value)
        return values


def places(values, is_up):
    return {c: 1 + sum((o > v) if is_up else (o < v) for o in values.values()) for c, v in values.items()}


def ranking(known, indicator, month):
    """{code: (value, place, change or its reason, move)}"""
    is_up = indicator != "undigitized_results"
    now = {c: v for (i, m, c), v in known.items() if (i, m) == (indicator, month)}
    before = {c: v for (i, m, c), v in known.items() if (i, m) == (indicator, month - 1)}
    both = [c for c in now if c in before]
    is_comparable = month != ERA and both and 10 * len(both) >= 9 * max(len(now), len(before))
    place = places(now, is_up)
    a = places({c: before[c] for c in both}, is_up) if is_comparable else {}
    b = places({c: now[c] for c in both}, is_up) if is_comparable else {}
    out = {}
    for code, value in now.items():
        change = "merged" if code == MERGED[0] and month == MERGER else "era" if month == ERA else value - before[code] if code in before else None
        out[code] = (value, place[code], change, a[code] - b[code] if code in a and not isinstance(change, str) else None)
    return out


# ---- both sides ------------------------------------------------------------------------------------------------------------


def raw(lab, path):
    connection = UnixConnection(lab.path("run", "admin.sock"))
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == 200, (path, answer.status)
        return answer.read()
    finally:
        connection.close()


def exactly(text):
    return json.loads(text, parse_float=fractions.Fraction)


def ask(lab, path, instant, **arguments):
    return exactly(raw(lab, path + "?" + urllib.parse.urlencode(dict(arguments, as_of=instant.isoformat(), limit=1000))))


def compare_ranking(lab, known, indicator, month, instant, count):
    want = ranking(known, indicator, month)
    cohorts = ask(lab, "/v1/ranking", instant, indicator=indicator, period="2025-%02d" % month, kind="commune")["cohorts"]
    got = {}
    for row in [r for c in cohorts for r in c["rows"]]:
        if row["value"] is not None:
            change = row["delta"] if row["delta"] is not None else row["delta_reason"] if row["delta_reason"] in ("merged", "era") else None
            got[row["unit"]["code"]] = (row["value"], row["place"], change, row.get("move"))
    count["ranked"] += len(want)
    assert got == want, (indicator, month, instant, {c: (got.get(c), want.get(c)) for c in set(got) | set(want) if got.get(c) != want.get(c)})


def compare_history(lab, known, indicator, code, instant, count):
    history = ask(lab, "/v1/history", instant, indicator=indicator, unit="gso:" + code, vintages=1)
    for period in history["periods"]:
        month = int(period["period"]["id"][5:])
        want = known.vintages(indicator, month, code, instant)
        got = [v["value"] for v in period["vintages"]]
        count["vintages"] += len(want)
        assert got == want, (indicator, code, month, instant, got, want)


def alerts_of_year(snapshots):
    """[(instant, what every alert is from then on, the transitions of the step, the step)] from the figures alone."""
    world = truth.World(RULES, worst_first=["undigitized_results"], eras=["2025-%02d" % ERA], begins={MERGED[0]: "2025-%02d" % MERGER},
                        ends={c: "2025-%02d" % MERGER for c in MERGED[2]})
    figures, alerts, out = truth.Figures(), truth.Alerts(world), []
    newest = {}
    for row in sorted(snapshots.rows, key=lambda r: r["step"]):
        changed, came = figures.take((row["source"], row["period"]), row["period"], row["figures"])
        newest[row["source"]] = max(newest.get(row["source"], ""), row["period"]) # fetched after its end, and settled
        found = alerts.step(figures.cohorts(lambda u: u != "332"), newest[row["source"]], changed, came,
                            {"undigitized_results"} if row["source"] == "gate" else {"total", "progress"})
        out.append((row["instant"], alerts.state(), found, row["step"]))
    return out


def compare_transitions(lab, year, count):
    """Step by step: rule, unit, kind, period, value, the value before, limit, place of how many, severity, reason."""
    stored = truth.stored_transitions(lambda path: exactly(raw(lab, path)), RULES)
    for instant, _, found, step in year:
        shown = [t for t in found if t[2] != "pending" and t[-1] != "pending"] # of runs that were no alerts yet
        count["transitions"] += truth.compare(shown, stored.pop(step, []), (step, instant))
    assert not stored, ("transitions at steps that brought no figures", stored)
    kinds, reasons = {t[2] for _, _, found, _ in year for t in found}, {t[-1] for _, _, found, _ in year for t in found}
    assert kinds >= {"pending", "opened", "continued", "worse", "eased", "closed", "withdrawn", "amended", "unit_ended", "era"}, kinds
    assert reasons >= {None, "restated", "median", "place", "backfill", "clear", "era", "unit_ended", "pending"}, reasons
    assert {t[0] for _, _, found, _ in year for t in found} == {r.name for r in RULES}


def compare_alerts(lab, year, instant, count):
    want = {}
    for at, state, _, _ in year:
        if at <= instant:
            want = state
    got = truth.stored_state(lambda path: exactly(raw(lab, path)), RULES, urllib.parse.urlencode({"as_of": instant.isoformat()}))
    count["alerts"] += len(want)
    assert got == want, (instant, [(k, got.get(k), want.get(k)) for k in sorted(set(got) | set(want)) if got.get(k) != want.get(k)][:4])


def rebuild(build, lab, known, count):
    """Every stored body is published again, in the order of the steps, to a daemon that knows nothing: the same figures, places and vintages."""
    bodies = {}
    for row in known.rows:
        for part in row["parts"]:
            bodies.setdefault(part["hash"], raw(lab, "/v1/snapshots/%d/parts/%d/body" % (row["id"], part["n"])).decode())
    views = {"v_history": "period, indicator, unit, value, why, from_time IS NULL, row_number() OVER"
                          " (PARTITION BY period, indicator, unit ORDER BY from_step)", "v_ranking": "period, indicator, unit, place, of_count, value"}
    want = {v: lab.sql("SELECT %s FROM %s ORDER BY 1, 2, 3, 7" % (c, v) if v == "v_history" else "SELECT %s FROM %s ORDER BY 1, 2, 3" % (c, v))
            for v, c in views.items()}
    with Lab(build) as other:
        other.clock("2025-01-02T07:00:00+07:00")
        other.start_publisher()
        other.start_smtp()
        other.start_hook()
        configure(other, extra=EXTRA)
        other.start()
        published, is_merged = {}, False
        for row in sorted(known.rows, key=lambda r: r["step"]):
            month = int(row["period"][5:])
            if month >= MERGER and not is_merged:
                with open(other.path("units.csv"), "w", encoding="utf8") as f:
                    f.write(CSV)
                other.ctl("units", "import", other.path("units.csv"), "--yes")
                is_merged = True
            other.clock(row["at"])
            for part in row["parts"]:
                document = json.loads(bodies[part["hash"]])
                if row["source"] == "gate":
                    published["gate", month] = [{"path": "/gate", "match": "month=%d&year=2025" % month, "body": bodies[part["hash"]]}]
                else:
                    call = "service-results" if "overview" in document["data"] else "dvc-progress-tree"
                    one = routes({row["period"]: {call: document}})
                    del one[0]["json"]
                    published[call, month] = [dict(one[0], body=bodies[part["hash"]])]
            other.publish([r for rs in published.values() for r in rs])
            other.ask(row["source"], row["period"])
        got = {v: other.sql("SELECT %s FROM %s ORDER BY 1, 2, 3, 7" % (c, v) if v == "v_history" else "SELECT %s FROM %s ORDER BY 1, 2, 3" % (c, v))
               for v, c in views.items()}
        for view in views:
            assert got[view] == want[view], (view, [p for p in zip(got[view], want[view]) if p[0] != p[1]][:3], len(got[view]), len(want[view]))
            count["rebuilt"] += len(got[view])
        assert other.sql("SELECT count(*) FROM body") == lab.sql("SELECT count(*) FROM body")
        other.integrity()
        assert other.stop() == 0


def verify(lab):
    """`verify --replay` makes the figures anew from the bodies of a backup; what was changed behind the daemon's back, it names."""
    path = lab.path("copy.db")
    lab.ctl("backup", path)
    again = lambda: lab.ctl("--config", lab.path("etc", "chisod.conf"), "verify", path, "--replay", check=False)
    whole = again()
    figures, vintages = (lab.sql("SELECT count(*) FROM " + t)[0][0] for t in ("figure", "vintage"))
    assert whole.returncode == 0 and "%d số liệu và %d giá trị cũ" % (figures, vintages) in whole.stdout, (whole.stdout, whole.stderr)

    def change(*statements):
        with contextlib.closing(sqlite3.connect(path)) as db:
            for s in statements:
                db.execute(s)
            db.commit()
    # bodies past their retention: their figures are taken as they are kept, and what comes after them is still made anew
    change("UPDATE body SET packed = NULL WHERE hash IN (SELECT hash FROM snapshot_part WHERE snapshot IN (5, 6, 7))")
    aged = again()
    assert aged.returncode == 0 and "quá hạn lưu" in aged.stdout, (aged.stdout, aged.stderr)
    key = "SELECT k.id FROM known k JOIN series s ON s.id = k.series JOIN indicator i ON i.id = s.indicator JOIN unit u ON u.id = k.unit" \
          " WHERE s.period = 2025105 AND i.name = 'total' AND u.key = 'gso:12364'"
    change("UPDATE known SET value = value + 100 WHERE id = (%s)" % key)
    wrong = again()
    assert wrong.returncode == 1 and "2025-05 total gso:12364: " in wrong.stderr and "bodies say" in wrong.stderr, (wrong.stdout, wrong.stderr)
    change("UPDATE known SET value = value - 100 WHERE id = (%s)" % key, "DROP TRIGGER known_before_kept",
           "DELETE FROM known_before WHERE id = (SELECT max(id) FROM known_before)")
    lost = again()
    assert lost.returncode == 1 and "is what the bodies say, and is not kept" in lost.stderr, (lost.stdout, lost.stderr)
    assert lab.ctl("verify", "--replay", check=False).returncode == 2


def play(lab, world):
    """The year: six captures of each month after its end, three revisions each; closed months restated."""
    for month in range(1, 13):
        world.open(month)
        year, after = (2025, month + 1) if month < 12 else (2026, 1)
        for n, day in enumerate((6, 8, 11, 14, 18, 24)):
            lab.clock("%d-%02d-%02dT07:00:00+07:00" % (year, after, day))
            if n:
                world.revise(month, 3)
            if n >= 3 and month > 3:
                world.revise(month - 2, 2)
            world.publish(lab)
            lab.ask("portal", "2025-%02d" % month)
            lab.ask("gate", "2025-%02d" % month)
            if n >= 3 and month > 3:
                lab.ask("portal", "2025-%02d" % (month - 2))
            if month == MERGER - 1 and n == 5:
                with open(lab.path("units.csv"), "w", encoding="utf8") as f:
                    f.write(CSV)
                lab.ctl("units", "import", lab.path("units.csv"), "--yes")


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 4
    with Lab(sys.argv[1]) as lab:
        lab.clock("2025-01-02T07:00:00+07:00")
        lab.start_publisher()
        lab.start_smtp()
        lab.start_hook()
        configure(lab, extra=EXTRA)
        lab.start()
        world = World(seed)
        play(lab, world)
        restated = lab.call("GET", "/v1/restatements?limit=1000")["restatements"]
        assert len(restated) >= 30 and all(r["kind"] == "restatement" for r in restated), len(restated)

        snapshots = Known(lab)
        year = alerts_of_year(snapshots)
        count = {"ranked": 0, "vintages": 0, "alerts": 0, "transitions": 0, "rebuilt": 0}
        start = datetime.datetime.fromisoformat("2025-02-01T00:00:00+07:00")
        instants = [start + datetime.timedelta(minutes=30 + 60 * world.r.randrange(356 * 24)) for _ in range(49)] + [datetime.datetime.fromisoformat("2026-01-30T00:00:00+07:00")]
        for instant in instants:
            known = snapshots.at(instant)
            for indicator in ("total", "progress", "undigitized_results"):
                for month in {m for i, m, _ in known if i == indicator}:
                    compare_ranking(lab, known, indicator, month, instant, count)
                if known:
                    code = world.r.choice(sorted(NAMES) + [MERGED[0]])
                    if lab.sql("SELECT 1 FROM unit WHERE key = ?", "gso:" + code):
                        compare_history(lab, snapshots, indicator, code, instant, count)
            compare_alerts(lab, year, instant, count)
        compare_transitions(lab, year, count)
        lab.integrity()
        verify(lab)
        rebuild(sys.argv[1], lab, snapshots, count)
        assert lab.stop() == 0
    print("replay: passed: %d snapshots, %d restatements, %d instants: %d places and changes, %d vintages, %d alerts, %d transitions, "
          "%d rows of a database made anew of the bodies, no difference" % (
        len(snapshots.rows), len(restated), len(instants), count["ranked"], count["vintages"], count["alerts"],
        count["transitions"], count["rebuilt"]))


main()
