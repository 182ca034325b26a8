#!/usr/bin/python3
"""replay-scopes.py BUILD [SEED]: two scopes and two types of period of one source, with files brought and taken back amid what is fetched,
suspect answers that a person lets in or refuses, and a clock that is set back. After each step: what is known is what the newest
snapshot says that counts and speaks of the figure, and a sum is of its operands; every transition is what tests/replay/truth.py finds. At
the end the same as of instants, before, between and beyond the steps: places, changes, vintages, restatements with both places, alerts."""
import datetime
import fractions
import json
import os
import random
import sys
import urllib.parse

from lab import HERE, Lab

sys.path.insert(0, os.path.join(os.path.dirname(HERE), "replay"))
import truth  # noqa: E402 (the folder is known from here on)

F = fractions.Fraction
SCOPES = {"p1": ["1%02d" % i for i in range(1, 13)], "p2": ["2%02d" % i for i in range(1, 9)]}
SCOPE_OF = {u: s for s, units in SCOPES.items() for u in units}
OWN = ("total", "late")
CONFIG = """
[daemon]
organization = Thử
notify = observe
shipped_rules = no
mass_guard = 100
guard_jump = 100
state_dir = @DIR@/state
socket_dir = @DIR@/run
[source s]
url = http://127.0.0.1:@PUB@/s
namespace = n
scope = p1
scope = p2
scope_unit = n:p1
periods = month quarter
at = 04:00
backfill = 0
recheck = 0
min_share = 60
pace = 0s
spread = 0s
[part s.rows]
url = {{url}}?scope={{scope}}&from={{period_start}}&to={{period_end}}
rows = /rows
parent = /parent
unit.code = /code
unit.name = /name
unit.kind = commune
value.total = /total
value.late = /late
[indicator total]
label = Tổng
[indicator late]
label = Trễ
unit = points
direction = down
[indicator both]
label = Cả hai
unit = points
sum = total, late
[recipient it]
role = operator
webhook = http://127.0.0.1:@HOOK@/it
"""
RULES = [(truth.Rule("low", "total", ("below", 80), critical=("below", 70), clear=1), "below 80\ncritical = below 70\nclear = 81"),
         (truth.Rule("fall", "total", ("drop", 5)), "drop 5"),
         (truth.Rule("falling", "total", ("falling", 2)), "falling 2"),
         (truth.Rule("flat", "total", ("flat", 2, 4), also=("below", 85)), "flat 2 within 4 and below 85"),
         (truth.Rule("behind", "total", ("behind", 8), clear=1), "behind 8"),
         (truth.Rule("lost", "late", ("rank_drop", 4)), "rank_drop 4"),
         (truth.Rule("sum", "both", ("above", 100), clear=1, wait=2), "above 100\nfor = 2")]
QUARTER_RULES = [(truth.Rule("quarter-low", "total", ("below", 80), clear=1), "below 80"), (truth.Rule("quarter-fall", "both", ("drop", 6)), "drop 6")]


def rules_text():
    out = ""
    for period, start, rules in (("month", "2025-01", RULES), ("quarter", "2025-Q1", QUARTER_RULES)):
        for r, when in rules:
            out += "[rule %s]\nindicator = %s\nunits = kind:commune\nperiod = %s\nfrom = %s\nwhen = %s\n" % (r.name, r.indicator, period, start, when)
    return out


def plain(period):
    """Quarters as if they were years: 2025-Q3 is the one after 2025-Q2."""
    return "%d" % (int(period[:4]) * 4 + int(period[6])) if "Q" in period else period


def dates(period):
    month = (int(period[6]) - 1) * 3 + 1 if "Q" in period else int(period[5:])
    year, end = int(period[:4]), month + (3 if "Q" in period else 1)
    first = datetime.date(year, month, 1)
    last = datetime.date(year + (end > 12), (end - 1) % 12 + 1, 1) - datetime.timedelta(days=1)
    return first, last


def local(day, hour=7, minute=0):
    return datetime.datetime(day.year, day.month, day.day, hour, minute, tzinfo=datetime.timezone(datetime.timedelta(hours=7)))


class Side:
    """The alerts of one type of period."""
    def __init__(self, rules):
        self.rules = [r for r, _ in rules]
        self.cohorts = {scope: truth.Alerts(truth.World(self.rules, worst_first=["late"])) for scope in SCOPES}
        self.newest = ""

    def step(self, figures, period, changed, came):
        found = []
        for scope, alerts in self.cohorts.items():
            mine = lambda keys: {k for k in keys if SCOPE_OF.get(k[2]) == scope}
            own_came = {i: plain(p) for i, p, u in mine(came)}
            own = {}
            for (i, p, u), v in figures.items():
                if SCOPE_OF.get(u) == scope and ("Q" in p) == ("Q" in period) and v is not None:
                    own.setdefault(i, {}).setdefault(plain(p), {})[u] = v
            touched = {i for i, _, _ in mine(changed) | mine(came)}
            if self.newest:
                found += alerts.step(own, plain(self.newest), {(i, plain(p), u) for i, p, u in mine(changed)}, own_came, touched)
        return found

    def state(self):
        return {k: v for a in self.cohorts.values() for k, v in a.state().items()}


class World:
    def __init__(self, lab, seed):
        self.lab, self.r, self.seed = lab, random.Random(seed), seed
        self.heard, self.files, self.touched, self.n_files = 0, {}, set(), 0
        self.said = []        # {step, period, scope (None: a file), cells, counts, id}
        self.published = {}
        self.ever, self.figures = set(), {}
        self.sides = {False: Side(RULES), True: Side(QUARTER_RULES)}
        self.log = []         # [(step, figures, states)]
        self.count = {"transitions": 0, "snapshots": 0, "files": 0, "undone": 0, "suspect": 0, "back": 0, "kinds": {}}
        self.restated = []    # (step, period, indicator, unit, old, new)

    # ---- what is said ------------------------------------------------------------------------------------------------------

    def value(self, indicator, old=None):
        r = self.r
        if r.random() < 0.06:
            return None
        if old is not None and r.random() < 0.5:
            return round(old + r.choice((-0.5, 0.5, 1, -1, 3, -3)), 2) if 0 <= old + 3 <= 100 and old >= 3 else old
        return r.randrange(6500, 10000) / 100 if indicator == "total" else r.randrange(0, 3000) / 100

    def rows_of(self, scope, period, share):
        old = self.published.get((scope, period), {})
        rows = dict(old)
        for u in SCOPES[scope]:
            if not old or self.r.random() < share:
                rows[u] = {i: self.value(i, old.get(u, {}).get(i)) for i in OWN}
        if old and self.r.random() < 0.1:
            rows.pop(self.r.choice(SCOPES[scope]), None)
        return rows

    def publish(self, scope, period, rows):
        first, last = dates(period)
        self.n_files += 1
        name = "rows-%d.json" % self.n_files # a name of its own: who is just asked for another never gives these
        with open(self.lab.path("pub", name), "w", encoding="utf8") as f:
            json.dump({"parent": {"code": scope, "name": "Huyện " + scope},
                       "rows": [dict(v, code=u, name="Xã Số %s" % u) for u, v in sorted(rows.items())]}, f, ensure_ascii=False)
        self.lab.publish([{"path": "/s", "match": "scope=%s&from=%s&to=%s" % (scope, first, last), "file": name}])

    def fetch(self, period, share=0.25, scopes=None, is_cut=False):
        for scope in scopes or sorted(SCOPES):
            rows = self.rows_of(scope, period, share)
            if is_cut:
                rows = dict(sorted(rows.items())[:len(SCOPES[scope]) // 3])
            self.publish(scope, period, rows)
            self.lab.ask("s", period) # the other scope is asked too: nothing of it is published now
            if not is_cut:
                self.published[scope, period] = rows
        self.hear()

    def hear(self):
        """Whatever was stored since, by order or at a regular time, from its body."""
        for number, step, state, scope, period in self.lab.sql("SELECT id, ifnull(known_step, step), state, scope, period FROM snapshot"
                                                               " WHERE id > ? ORDER BY id", self.heard):
            self.heard = number
            one = {"id": number, "step": step, "period": text_of(period), "scope": None, "cells": self.files.get(number), "counts": state == 1}
            if one["cells"] is None:
                body = self.lab.call("GET", "/v1/snapshots/%d/parts/1/body" % number)
                one.update(scope=scope, cells={(i, r["code"]): r[i] for r in body["rows"] for i in OWN})
                self.count["snapshots" if state == 1 else "suspect"] += 1
            self.said.append(one)
            if state == 1:
                self.look(one["period"])
                self.know(step, one["period"])
        self.check()

    def check(self):
        for period in sorted(self.touched):
            self.check_known(period)
        self.touched.clear()

    def read_known(self, period):
        return {(i, u[2:]): None if v is None else F(v, 100) for i, u, v in self.lab.sql(
            "SELECT i.name, u.key, f.value FROM figure f JOIN indicator i ON i.id = f.indicator JOIN unit u ON u.id = f.unit WHERE f.period = ?", number_of(period))}

    def look(self, period):
        """Fetched after its end, and settled (3 days): judged from now on."""
        side = self.sides["Q" in period]
        today = datetime.datetime.fromisoformat(self.now).date()
        if today >= dates(period)[1] + datetime.timedelta(days=4):
            side.newest = max(side.newest, period)

    def decide(self):
        self.hear()
        waiting = [s for s in self.said if s["scope"] and not s["counts"] and not s.get("refused")]
        for s in waiting:
            if self.r.random() < 0.5 and not any(o["scope"] == s["scope"] and o["period"] == s["period"] and o["counts"] and o["id"] > s["id"]
                                                 for o in self.said):
                self.lab.json("snapshot", "accept", str(s["id"]))
                s["step"] = self.lab.sql("SELECT known_step FROM snapshot WHERE id = ?", s["id"])[0][0]
                s["counts"] = True
                self.said.remove(s)
                self.said.append(s)
                self.look(s["period"])
                self.know(s["step"], s["period"])
            else:
                self.lab.ctl("snapshot", "reject", str(s["id"]), check=False)
                s["refused"] = True

    def bring(self, period):
        columns = self.r.sample(OWN, self.r.choice((1, 2)))
        scope = self.r.choice(sorted(SCOPES))
        units = self.r.sample(sorted(SCOPE_OF), self.r.randint(1, 4))
        cells = {(i, u): self.value(i) for u in units for i in columns}
        cells = {k: v if v is not None else 50 for k, v in cells.items()}
        with open(self.lab.path("file.csv"), "w", encoding="utf8") as f:
            f.write("\n".join([",".join(["code", *columns])] + [",".join([u] + [str(cells[i, u]) for i in columns]) for u in units]) + "\n")
        stored = self.lab.json("import", self.lab.path("file.csv"), "--source", "s", "--period", period, "--scope", scope, "--yes")
        self.files[stored["snapshot"]] = cells
        self.count["files"] += 1
        self.hear()

    def undo(self):
        self.hear()
        able = [s for s in self.said if not s["scope"] and s["counts"]]
        if not able:
            return
        one = self.r.choice(able)
        self.lab.ctl("import", "--undo", str(one["id"]))
        one["counts"] = False
        self.count["undone"] += 1
        self.know(self.lab.sql("SELECT ended_step FROM snapshot WHERE id = ?", one["id"])[0][0], one["period"])
        self.check()

    # ---- what must be known --------------------------------------------------------------------------------------------------

    def should_be(self, period):
        out = {}
        for u in SCOPE_OF:
            for i in OWN:
                for s in reversed(self.said):
                    if s["counts"] and s["period"] == period and ((i, u) in s["cells"] or s["scope"] == SCOPE_OF[u]):
                        v = s["cells"].get((i, u))
                        out[i, u] = None if v is None else F(str(v))
                        break
            if (OWN[0], u) in out or (OWN[1], u) in out:
                a, b = (out.get((i, u)) for i in OWN)
                out["both", u] = None if a is None or b is None else a + b
        return out

    def know(self, step, period):
        now, changed, came, revised = self.should_be(period), set(), set(), []
        before = dict(self.figures)
        for (i, u) in {(i, u) for i, p, u in self.figures if p == period} | set(now):
            key, new = (i, period, u), now.get((i, u))
            old = self.figures.get(key)
            if old == new:
                continue
            if key in self.ever:
                changed.add(key)
                revised.append((key, old, new))
            else:
                came.add(key)
                self.ever.add(key)
            self.figures[key] = new
        for (i, p, u), old, new in revised:
            self.restated.append((step, p, i, u, old, new, self.place_of(before, i, p, u), self.place_of(self.figures, i, p, u)))
        found = self.sides["Q" in period].step(self.figures, period, changed, came)
        self.touched.add(period)
        self.check_transitions(step, found)
        self.log.append((step, dict(self.figures), {k: v for s in self.sides.values() for k, v in s.state().items()}))

    @staticmethod
    def place_of(figures, indicator, period, unit):
        cohort = {u: v for (i, p, u), v in figures.items() if i == indicator and p == period and v is not None and SCOPE_OF[u] == SCOPE_OF[unit]}
        return truth.places(cohort, indicator != "late").get(unit), len(cohort)

    def check_known(self, period):
        got = self.read_known(period)
        if self.lab.sql("SELECT max(id) FROM snapshot")[0][0] > self.heard:
            return self.hear() # fetched at its regular time meanwhile
        for key in set(got) | {(i, u) for i, p, u in self.figures if p == period}:
            want = self.figures.get((key[0], period, key[1]))
            if key[1] in SCOPE_OF:
                assert got.get(key) == want, (self.seed, self.heard, period, key, got.get(key), want, self.said[-4:])

    def check_transitions(self, step, found):
        names = {r.name for side in self.sides.values() for r in side.rules}
        stored = []
        for rule, unit, kind, period, value, before, limit, place, of, severity, reason in self.lab.sql(
                "SELECT e.rule, u.key, t.kind, t.period, t.value, t.previous_value, t.limit_value, t.place, t.of_count, t.severity, t.reason"
                " FROM transition t JOIN episode e ON e.id = t.episode JOIN unit u ON u.id = e.unit WHERE t.step = ?", step):
            if rule in names and KINDS[kind] != "pending" and reason != "pending":
                stored.append((rule, unit[2:], KINDS[kind], plain(text_of(period)), hundredth(value), hundredth(before), hundredth(limit),
                               place or None, of or None, severity, reason))
        self.count["transitions"] += truth.compare([t for t in found if t[2] != "pending" and t[-1] != "pending"], stored, (self.seed, step, self.now, self.said[-1]["id"]))
        for t in found:
            self.count["kinds"][t[2]] = self.count["kinds"].get(t[2], 0) + 1

    # ---- the clock -------------------------------------------------------------------------------------------------------------

    def clock(self, when):
        self.now = when.isoformat()
        self.lab.clock(self.now)


# ---- as of instants ----------------------------------------------------------------------------------------------------------


class Then:
    """The world as of an instant: what was known and stood at the last step at or before it."""
    def __init__(self, w, instant):
        """A time in whole seconds, as answers print it, is that whole second."""
        self.w, self.instant = w, instant
        ms = int(datetime.datetime.fromisoformat(instant).timestamp() * 1000) + (0 if "." in instant else 999)
        self.step = w.lab.sql("SELECT ifnull(max(id), 0) FROM step WHERE at_ms <= ?", ms)[0][0]
        past = [entry for entry in w.log if entry[0] <= self.step]
        self.figures, self.alerts = (past[-1][1], past[-1][2]) if past else ({}, {})

    def values(self, indicator, period, scope):
        return {u: v for (i, p, u), v in self.figures.items() if i == indicator and p == period and v is not None and SCOPE_OF[u] == scope}

    def ask(self, path, **arguments):
        text = urllib.parse.urlencode(dict(arguments, as_of=self.instant))
        return json.loads(self.w.lab.api_text(path + "?" + text), parse_float=F, parse_int=F)

    def check(self, count):
        for indicator in OWN + ("both",):
            for period in sorted({p for i, p, _ in self.figures if i == indicator}):
                self.check_ranking(indicator, period, count)
        self.check_history(self.w.r.choice(sorted(SCOPE_OF)), self.w.r.choice(OWN + ("both",)), count)
        self.check_alerts(count)
        self.check_restatements(count)

    def check_ranking(self, indicator, period, count):
        want, got = {}, {}
        for scope in SCOPES:
            now, then = self.values(indicator, period, scope), self.values(indicator, earlier(period), scope)
            lost, place = truth.moves(then, now, indicator != "late"), truth.places(now, indicator != "late")
            want.update({u: (v, place[u], len(now), v - then[u] if u in then else None, -lost[u] if u in lost else None) for u, v in now.items()})
        answer = self.ask("/v1/ranking", indicator=indicator, period=period, kind="commune")
        for cohort in answer.get("cohorts", []):
            for r in cohort["rows"]:
                if r["value"] is not None and r["unit"]["code"] in SCOPE_OF:
                    got[r["unit"]["code"]] = (r["value"], r["place"], r["of"], r["delta"], r["move"])
        count["places"] += len(want)
        assert got == want, (self.w.seed, self.instant, self.step, indicator, period,
                             [(u, got.get(u), want.get(u)) for u in sorted(set(got) | set(want)) if got.get(u) != want.get(u)][:4])

    def check_history(self, unit, indicator, count):
        answer = self.ask("/v1/history", unit="n:" + unit, indicator=indicator, type="month", vintages=1)
        for p in answer.get("periods", []):
            values = []
            for step, figures, _ in self.w.log:
                key = (indicator, p["period"]["id"], unit)
                if step <= self.step and key in figures and (not values or values[-1] != figures[key]):
                    values.append(figures[key])
            if values and values[0] is None:
                values.pop(0)
            got = [v["value"] for v in p["vintages"]]
            count["vintages"] += len(got)
            assert got == values, (self.w.seed, self.instant, unit, indicator, p["period"]["id"], got, values)

    def check_alerts(self, count):
        rules = [r for side in self.w.sides.values() for r in side.rules]
        got = {}
        for k, v in truth.stored_state(lambda path: json.loads(self.w.lab.api_text(path), parse_float=F, parse_int=F), rules,
                                       urllib.parse.urlencode({"as_of": self.instant})).items():
            got[k[0], k[1], plain(k[2])] = (v[0], plain(v[1]), plain(v[2])) + v[3:]
        count["alerts"] += len(got)
        assert got == self.alerts, (self.w.seed, self.instant, self.step, [(k, got.get(k), self.alerts.get(k)) for k in sorted(set(got) | set(self.alerts))
                                                                         if got.get(k) != self.alerts.get(k)][:3])

    def check_restatements(self, count):
        want = []
        for step, period, indicator, unit, old, new, old_place, new_place in self.w.restated:
            if step <= self.step:
                want.append((step, period, indicator, unit, old, new, old_place, new_place))
        got = [(r["step"], r["period"], r["indicator"], r["unit"]["code"], r["old"], r["new"], (r["old_place"], r["old_of"]),
                (r["new_place"], r["new_of"])) for r in self.ask("/v1/restatements", all=1, limit=100000)["restatements"] if r["unit"]["code"] in SCOPE_OF]
        assert [g[0] for g in got] == sorted((g[0] for g in got), reverse=True)
        order = lambda rows: sorted(rows, key=str)
        count["restated"] += len(got)
        assert order(got) == order(want), (self.w.seed, self.step, [x for x in order(got) if x not in want][:3], [x for x in order(want) if x not in got][:3])


def earlier(period):
    year, part = int(period[:4]), int(period[6]) if "Q" in period else int(period[5:])
    if "Q" in period:
        return "%d-Q%d" % ((year, part - 1) if part > 1 else (year - 1, 4))
    return "%d-%02d" % ((year, part - 1) if part > 1 else (year - 1, 12))


def check_instants(w):
    count = {"places": 0, "vintages": 0, "alerts": 0, "restated": 0}
    steps = w.lab.sql("SELECT at_ms FROM step WHERE id IN (%s)" % ",".join(str(s) for s, _, _ in w.log))
    stamps = [ms for ms, in steps]
    chosen = w.r.sample(stamps, 12)
    chosen = [ms + d for ms in chosen for d in (w.r.choice((-1, 0, 1)), )] + [min(stamps) - 86400000, max(stamps) + 86400000]
    for ms in chosen:
        text = datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone(datetime.timedelta(hours=7))).isoformat(timespec="milliseconds")
        Then(w, text).check(count)
        if w.r.random() < 0.3:
            Then(w, text[:19] + text[23:]).check(count)
    return count


KINDS = ["?", "opened", "continued", "worse", "eased", "closed", "withdrawn", "amended", "unit_ended", "era", "rule_changed", "rule_removed",
         "acknowledged", "silenced", "pending"]


def hundredth(value):
    return None if value is None else F(value, 100)


def number_of(period):
    return int(period[:4]) * 1000 + (200 + int(period[6]) if "Q" in period else 100 + int(period[5:]))


def text_of(number):
    year, rest = divmod(number, 1000)
    return "%d-%02d" % (year, rest - 100) if rest < 200 else "%d-Q%d" % (year, rest - 200)


def live(w):
    """Seven months."""
    for month in range(1, 8):
        period = "2025-%02d" % month
        first = dates(period)[1] + datetime.timedelta(days=6)
        for n in range(5):
            day = first + datetime.timedelta(days=4 * n + w.r.randrange(2))
            w.clock(local(day, w.r.randrange(6, 20)))
            w.fetch(period, 1 if n == 0 else 0.15)
            if month % 3 == 0 and n in (1, 3):
                w.fetch("2025-Q%d" % (month // 3), 1 if n == 1 else 0.2)
            if n > 1 and month > 1 and w.r.random() < 0.6:
                w.fetch("2025-%02d" % w.r.randrange(1, month), 0.15)
            if w.r.random() < 0.3:
                w.fetch(period, 0.1, [w.r.choice(sorted(SCOPES))], is_cut=True)
            w.decide()
            if w.r.random() < 0.3:
                w.count["back"] += 1
                w.clock(local(day - datetime.timedelta(days=w.r.choice((0, 1, 2))), w.r.randrange(0, 6)))
            for _ in range(2):
                act = w.r.choice(("bring", "bring", "undo", ""))
                chosen = w.r.choice(["2025-%02d" % w.r.randrange(1, month + 1)] * 3 + (["2025-Q%d" % (month // 3)] if month >= 3 else []))
                if act == "bring":
                    w.bring(chosen)
                elif act == "undo":
                    w.undo()


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with Lab(sys.argv[1]) as lab:
        lab.start_publisher()
        lab.start_hook()
        lab.configure(CONFIG + rules_text())
        w = World(lab, seed)
        w.clock(local(datetime.date(2025, 2, 6)))
        lab.start()
        live(w)
        w.hear()
        count = check_instants(w)
        assert set(w.count["kinds"]) >= {"opened", "continued", "worse", "eased", "closed", "withdrawn", "amended"}, w.count
        assert min(w.count[what] for what in ("files", "undone", "suspect", "back")) >= 3, w.count
        lab.ctl("backup", lab.path("copy.db"))
        proof = lab.ctl("--config", lab.path("etc", "chisod.conf"), "verify", lab.path("copy.db"), "--replay")
        assert "giống hệt" in proof.stdout and "không còn nội dung" not in proof.stdout, proof.stdout
        lab.integrity()
        assert lab.stop() == 0
    print("replay-scopes: passed:", w.count, count)


main()
