#!/usr/bin/python3
"""vintages.py BUILD: a closed year published twice, every total changed: both readable as of both days; and the places of a large cohort
with ties against SQLite's RANK(). The data is made up, in the shapes of the older gateway."""
import collections
import random
import sys

from lab import Lab

CONFIG = """
[daemon]
organization = Thử
state_dir = @DIR@/state
socket_dir = @DIR@/run
shipped_rules = no
[source nation]
preset = dvcqg-restjsp
url = http://127.0.0.1:@PUB@
namespace = dvcqg
scope = @NATION@
scope_unit = VN
periods = year
backfill = 1
recheck = 1
pace = 0s
spread = 0s
[source ag]
preset = dvcqg-restjsp
prefix = ag_
url = http://127.0.0.1:@PUB@
namespace = dvcqg
scope = 398126
scope_unit = H01
periods = month
backfill = 1
recheck = 1
pace = 0s
spread = 0s
[rule progress-low]
indicator = ag_progress
units = kind:commune
when = below 95
[rule digitization-low]
indicator = ag_digitization
units = kind:commune
when = below 80
"""
GROUPS = {"CKMB": 18, "TDGQ": 20, "CLGQ": 12, "TTTT": 10, "MDSH": 22, "MDHL": 18}
FIRST_DAY, LATER_DAY = "2026-04-10", "2026-05-20"


# ---- made-up answers

def text(hundredths):
    """As the gateway writes numbers: "18.99", "10", "8.1"."""
    return ("%d.%02d" % divmod(hundredths, 100)).rstrip("0").rstrip(".")


def row(number, code, name, kind, points):
    record = {"ID": str(400000 + number), "TEN": name, "TEN_COQUAN": name, "MA_COQUAN": code, "LOAI_COQUAN": kind, "CAPDONVIID": "1"}
    record.update({group: text(points[group]) for group in GROUPS})
    record.update(TONG_SCORE=text(sum(points.values())), ROW_STT=str(number))
    return record


def provinces(dice, before=None):
    """34 rows; with `before`, each total differs from the one there."""
    made = []
    for i in range(34):
        while True:
            points = {group: dice.randrange(40 * most, 100 * most + 1) for group, most in GROUPS.items()}
            one = row(i + 1, "H%02d" % (i + 1), "UBND tỉnh Mẫu %02d" % (i + 1), "1", points)
            if not before or one["TONG_SCORE"] != before[i]["TONG_SCORE"]:
                break
        made.append(one)
    dice.shuffle(made)
    return made


def communes(dice):
    """102 rows whose totals fall on few values, so that many tie."""
    made = []
    for i in range(102):
        points = {"CKMB": 1800, "TDGQ": dice.choice((2000, 1990, 1981, 1900, 1899, 1000)), "CLGQ": dice.randrange(780, 800, 4),
                  "TTTT": 850, "MDSH": dice.choice((1759, 1760, 2000, 2075, 2100)), "MDHL": dice.choice((1800, 1780))}
        made.append(row(i + 1, "H01.%d" % (100 + i), "UBND xã Thử %03d - tỉnh Mẫu 01" % i, "3", points))
    dice.shuffle(made)
    return made


# ---- what must come of them

def number(text):
    return round(float(text) * 100)


def places(values):
    """Competition ranking of {key: value}, best first."""
    return {key: 1 + sum(other > value for other in values.values()) for key, value in values.items()}


def totals_of(document):
    return {r["MA_COQUAN"]: number(r["TONG_SCORE"]) for r in document}


def table_of(answer):
    assert len(answer["cohorts"]) == 1, [c["kind"] for c in answer["cohorts"]]
    rows = answer["cohorts"][0]["rows"]
    values = {r["unit"]["code"]: round(r["value"] * 100) for r in rows}
    assert len(values) == len(rows)
    return values, {r["unit"]["code"]: r["place"] for r in rows}


def check_table(answer, document, what):
    values, got_places = table_of(answer)
    want = totals_of(document)
    assert values == want, (what, {c: (values.get(c), want[c]) for c in want if values.get(c) != want[c]})
    assert got_places == places(want), what


def check_as_of(lab, first, later):
    for instants, document in (((FIRST_DAY, FIRST_DAY + "T09:00:30+07:00", "2026-05-19", "2026-05-20T08:59:00+07:00"), first),
                               ((LATER_DAY, "2026-06-01", None), later)):
        for instant in instants:
            option = ["--as-of", instant] if instant else []
            check_table(lab.json("ranking", "--indicator", "total", "--period", "2025", "--kind", "province", *option), document, instant)
            query = "&as_of=" + instant.replace("+", "%2B") if instant else ""
            check_table(lab.api("/v1/ranking?indicator=total&period=2025&kind=province" + query), document, instant)
    before = lab.api("/v1/ranking?indicator=total&period=2025&as_of=2026-04-09")
    assert all(r["value"] is None for c in before["cohorts"] for r in c["rows"]), before


def check_history(lab, first, later):
    old, new = totals_of(first), totals_of(later)
    for code in old:
        answer = lab.json("history", code, "--indicator", "total", "--type", "year", "--vintages")
        period = [p for p in answer["periods"] if p["period"]["id"] == "2025"]
        assert len(period) == 1, answer
        known = sorted(period[0]["vintages"], key=lambda v: v["from"])
        assert [round(v["value"] * 100) for v in known] == [old[code], new[code]], (code, known)
        assert [v["at"][:10] for v in known] == [FIRST_DAY, LATER_DAY], (code, known)
        assert known[0]["until"] == known[1]["from"] and known[1]["until"] is None and known[0]["hash"] != known[1]["hash"], known
    # plain SQL finds the same
    rows = lab.sql("SELECT c.code, h.scaled, h.until_step IS NULL FROM v_history h JOIN unit u ON u.key = h.unit JOIN unit_code c ON c.unit = u.id"
                   " WHERE h.indicator = 'total' AND h.period = '2025'")
    assert sorted(rows) == sorted([(c, v, 0) for c, v in old.items()] + [(c, v, 1) for c, v in new.items()])


def check_bodies(lab, first, later):
    """Both answers are kept verbatim."""
    ids = lab.sql("SELECT id FROM snapshot WHERE source = 'nation' AND state = 1 ORDER BY id")
    assert len(ids) == 2
    for (snapshot,), document in zip(ids, (first, later)):
        assert lab.api("/v1/snapshots/%d/parts/1/body" % snapshot) == document


def check_cohort(lab, document):
    answer = lab.json("ranking", "--indicator", "ag_total", "--period", "2025-10", "--kind", "commune")
    check_table(answer, document, "communes")
    _, got = table_of(answer)
    ranked = lab.sql("SELECT c.code, RANK() OVER (ORDER BY f.value DESC) FROM figure f JOIN indicator i ON i.id = f.indicator"
                     " JOIN unit u ON u.id = f.unit JOIN unit_code c ON c.unit = u.id"
                     " WHERE i.name = 'ag_total' AND f.period = 2025110 AND u.kind = 'commune'")
    assert got == dict(ranked) and len(ranked) == len(document), (len(got), len(ranked))
    view = lab.sql("SELECT code, place, of_count FROM v_ranking WHERE period = '2025-10' AND indicator = 'ag_total' AND kind = 'commune'")
    assert sorted(view) == sorted((code, place, len(document)) for code, place in got.items())
    distinct = set(totals_of(document).values())
    assert len(set(got.values())) == len(distinct) == lab.sql(
        "SELECT count(DISTINCT value) FROM figure f JOIN indicator i ON i.id = f.indicator JOIN unit u ON u.id = f.unit"
        " WHERE i.name = 'ag_total' AND u.kind = 'commune'")[0][0]
    ties = sum(n > 1 for n in collections.Counter(got.values()).values())
    print("%d communes, %d distinct totals, %d shared places" % (len(document), len(distinct), ties))
    # ties are listed by code
    order = [(r["place"], r["unit"]["code"]) for r in answer["cohorts"][0]["rows"]]
    assert order == sorted(order), order
    return len(distinct)


def check_alerts(lab, document):
    """Percents are derived from points and rounded half up; limits are strict."""
    percent = lambda r, group: (2 * 10000 * number(r[group]) // (GROUPS[group] * 100) + 1) // 2
    want = {("progress-low", r["MA_COQUAN"]) for r in document if percent(r, "TDGQ") < 9500}
    want |= {("digitization-low", r["MA_COQUAN"]) for r in document if percent(r, "MDSH") < 8000}
    got = {(a["rule"], a["unit"]["code"]) for a in lab.json("alerts", "--limit", "1000")["alerts"] if a["state"] == "open" and a.get("unit")}
    assert got == want, got ^ want
    counts = collections.Counter(rule for rule, _ in got)
    print(dict(counts))
    return counts


def run(build, first, later, cohort, nation="0"):
    with Lab(build) as lab:
        lab.clock("2025-11-10T09:00:00+07:00")
        lab.start_publisher()
        lab.configure(CONFIG.replace("@NATION@", nation))
        publish = lambda document: lab.publish([{"path": "/jsp/rest.jsp", "match": "p_thang%22%3A10%2C", "json": cohort},
                                                {"path": "/jsp/rest.jsp", "match": "p_nam%22%3A%222025%22", "json": document}])
        publish(first)
        lab.start()
        lab.ask("ag", "2025-10")
        distinct = check_cohort(lab, cohort)
        counts = check_alerts(lab, cohort)
        lab.clock(FIRST_DAY + "T09:00:00+07:00")
        lab.ask("nation", "2025")
        check_table(lab.json("ranking", "--indicator", "total", "--period", "2025"), first, "first")
        publish(later)
        lab.clock(LATER_DAY + "T09:00:00+07:00")
        lab.ask("nation", "2025")
        assert lab.sql("SELECT count(*) FROM vintage v JOIN indicator i ON i.id = v.indicator WHERE i.name = 'total'") == [(34,)]
        for _ in range(2): # and the same after a restart
            check_as_of(lab, first, later)
            check_history(lab, first, later)
            check_bodies(lab, first, later)
            assert lab.stop() == 0
            lab.start()
        lab.integrity()
        assert lab.stop() == 0
    return distinct, counts


def main():
    dice = random.Random(766)
    first = provinces(dice)
    by_code = sorted(first, key=lambda r: r["MA_COQUAN"])
    later = provinces(dice, by_code)
    old, new = totals_of(first), totals_of(later)
    assert len(old) == 34 and all(old[c] != new[c] for c in old)
    run(sys.argv[1], first, later, communes(dice))
    print("vintages: passed")


if __name__ == "__main__":
    main()
