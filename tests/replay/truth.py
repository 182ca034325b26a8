"""Alerts from figures alone, apart from the daemon: what every rule says of every unit, folded into runs, and the differences between two
states of them as transitions. Written after the meaning of rules and alerts, not after the code; slow, and without any cleverness.

A period is its name ("2025-08", "2025"); values are Fractions. A cohort is one dictionary {unit: value} per period."""
import fractions

F = fractions.Fraction


def ordinal(period):
    year, _, month = period.partition("-")
    return int(year) * 12 + int(month) - 1 if month else int(year)


def name_of(number, is_month):
    return "%04d-%02d" % (number // 12, number % 12 + 1) if is_month else "%04d" % number


def before(period):
    return name_of(ordinal(period) - 1, "-" in period)


def after(period):
    return name_of(ordinal(period) + 1, "-" in period)


class Rule:
    """when, critical: (kind, number[, within]); also: ("below", number), the `and` of a condition."""
    def __init__(self, name, indicator, when, critical=None, clear=0, also=None, wait=1):
        self.name, self.indicator, self.when, self.critical = name, indicator, when, critical
        self.clear, self.also, self.wait = F(str(clear)), also, wait
        self.is_relative = any(c and c[0] in ("behind", "rank_drop") for c in (when, critical))


class World:
    """What does not follow from figures: the direction of an indicator, eras (the first period of each), first and last life of units."""
    def __init__(self, rules, worst_first=(), eras=(), begins=None, ends=None):
        self.rules, self.worst_first, self.eras = rules, set(worst_first), set(eras)
        self.begins, self.ends = begins or {}, ends or {}


# ---- one period ------------------------------------------------------------------------------------------------------------


def places(values, is_up):
    return {u: 1 + sum((o > v) if is_up else (o < v) for o in values.values()) for u, v in values.items()}


def moves(old, new, is_up):
    """{unit: places lost} among the units of both periods, if these are at least 90 % of either."""
    both = [u for u in new if u in old]
    if not both or 10 * len(both) < 9 * max(len(old), len(new)):
        return {}
    a, b = places({u: old[u] for u in both}, is_up), places({u: new[u] for u in both}, is_up)
    return {u: b[u] - a[u] for u in both}


class Period:
    """One rule over one cohort in one period."""
    def __init__(self, world, rule, cohort, period):
        self.world, self.rule, self.cohort, self.period = world, rule, cohort, period
        self.values = cohort.get(period, {})
        is_up = rule.indicator not in world.worst_first
        self.place = places(self.values, is_up)
        self.lost = moves(cohort.get(before(period), {}), self.values, is_up)
        ranked = sorted(self.values.values())
        self.median = ranked[(len(ranked) - 1) // 2] if len(ranked) >= 5 else None

    def delta(self, unit, back=0):
        period = self.period
        for _ in range(back):
            period = before(period)
        now, then = (self.cohort.get(p, {}).get(unit) for p in (period, before(period)))
        if now is None or then is None or period in self.world.eras or self.world.begins.get(unit) == period:
            return None
        return now - then

    def truth(self, condition, unit):
        """(breach | between | clear | unknown, limit)"""
        kind, number = condition[0], condition[1]
        value = self.values[unit]
        if kind in ("below", "behind", "above"):
            if kind == "behind" and self.median is None:
                return "unknown", None
            limit = self.median - number if kind == "behind" else F(number)
            depth = value - limit if kind == "above" else limit - value
            return "breach" if depth > 0 else "between" if depth > -self.rule.clear else "clear", limit
        if kind == "rank_drop":
            if unit not in self.lost or self.delta(unit) is None:
                return "unknown", None
            return "breach" if self.lost[unit] >= number else "clear", None
        deltas = [self.delta(unit, k) for k in range(1 if kind == "drop" else number)]
        holds = {"drop": lambda d: d <= -number, "falling": lambda d: d < 0, "flat": lambda d: abs(d) <= F(condition[-1])}[kind]
        if any(d is not None and not holds(d) for d in deltas):
            return "clear", None
        return "unknown" if None in deltas else "breach", None

    def judge(self, unit):
        """(verdict, severity, limit)"""
        if unit not in self.values:
            return "unknown", 0, None
        rule = self.rule
        verdict, limit = self.truth(rule.when, unit)
        if rule.also:
            limit = F(rule.also[1]) if limit is None else limit
            if not (self.values[unit] < rule.also[1] if rule.also[0] == "below" else self.values[unit] > rule.also[1]):
                verdict = "clear"
        if rule.critical:
            worse, worse_limit = self.truth(rule.critical, unit)
            if worse == "breach":
                return worse, 2, limit if verdict == "breach" else worse_limit
        return verdict, int(verdict == "breach"), limit

    def facts(self, unit):
        """value, the value before, limit, place, of how many"""
        value = self.values.get(unit)
        return (value, self.cohort.get(before(self.period), {}).get(unit), self.judge(unit)[2],
                self.place.get(unit), len(self.values) if value is not None else None)


# ---- runs ------------------------------------------------------------------------------------------------------------------


class Run:
    state, opened, length, severity, end = "pending", None, 0, 0, None

    def __init__(self, first):
        self.first = first

    def look(self, period, p, unit):
        self.last = period
        self.facts = p.facts(unit)

    def says(self):
        return self.opened, self.last, self.length, self.state, self.end, self.severity, self.facts


def is_over(world, unit, period):
    return unit in world.ends and ordinal(period) >= ordinal(world.ends[unit])


def fold(world, rule, judged, unit):
    """judged: the Periods, oldest first."""
    runs, run = [], None
    for p in judged:
        gone = is_over(world, unit, p.period)
        end = "unit_ended" if gone else "era" if p.period in world.eras else None
        verdict, severity, _ = ("unknown", 0, None) if gone else p.judge(unit)
        if run and end:
            finish(run, p, unit, end, gone)
            run = None
        if verdict == "breach":
            if not run:
                run = Run(p.period)
                runs.append(run)
            run.length, run.severity = run.length + 1, severity
            if run.state == "pending" and run.length >= rule.wait:
                run.state, run.opened = "open", p.period
            run.look(p.period, p, unit)
        elif verdict == "clear" and run:
            finish(run, p, unit, "clear", False)
            run = None
    return runs


def finish(run, p, unit, end, is_gone):
    run.look(p.period, p, unit)
    if is_gone: # what it published afterwards is nobody's
        run.facts = (None, run.facts[1], None, None, None)
    run.state, run.end = ("closed", end) if run.state == "open" else ("gone", None)


# ---- from one state to the next --------------------------------------------------------------------------------------------


class Alerts:
    """What is stored of alerts, as the figures come. `transitions` of each step are compared with the daemon's."""
    def __init__(self, world):
        self.world = world
        self.stored = {} # (rule, unit): {first: Run}

    def state(self):
        """{(rule, unit, first): (state, opened, last, length, severity, value, limit, place, of)} of what ever was an alert, for now."""
        return {(rule, unit, first): ({"gone": "withdrawn"}.get(r.state, r.state), r.opened, r.last, r.length, r.severity) + r.facts[:1] + r.facts[2:]
                for (rule, unit), runs in self.stored.items() for first, r in runs.items() if r.opened and r.state != "pending"}

    def step(self, cohorts, newest, changed=(), came=None, touched=None):
        """cohorts: {indicator: {period: {unit: value}}}, as known now. changed: {(indicator, period, unit)} that had another value
        before; came: {indicator: the period that has new figures}. touched: the indicators of this step, None for all. The transitions:
        {(rule, unit, kind, period, value, value before, limit, place, of, severity, reason)}."""
        self.found = []
        self.is_cohort_changed = {(i, p) for i, p, _ in changed}
        self.changed, self.came, self.newest = set(changed), came or {}, newest
        for rule in self.world.rules:
            cohort = cohorts.get(rule.indicator, {})
            if touched is not None and rule.indicator not in touched:
                continue
            periods = [p for p in sorted(cohort, key=ordinal) if ordinal(p) <= ordinal(newest)]
            if not periods:
                continue
            every = [name_of(k, "-" in newest) for k in range(ordinal(periods[0]), ordinal(newest) + 1)]
            judged = [Period(self.world, rule, cohort, p) for p in every]
            self.at = {p.period: p for p in judged}
            units = {u for p in periods for u in cohort[p]} | {u for r, u in self.stored if r == rule.name}
            for unit in sorted(units):
                self.rule, self.unit = rule, unit
                self.compare(self.stored.setdefault((rule.name, unit), {}), fold(self.world, rule, judged, unit))
        return self.found

    def say(self, run, kind, period, reason):
        now = run.facts if period == run.last and run.state != "gone" else self.at[period].facts(self.unit)
        if run.end == "unit_ended" and period != run.last and is_over(self.world, self.unit, period):
            now = (None,) + now[1:]
        self.found.append((self.rule.name, self.unit, kind, period) + now + (run.severity, reason))

    def cause(self):
        """Why what was judged before reads differently now."""
        if any(i == self.rule.indicator and u == self.unit for i, _, u in self.changed):
            return "restated"
        if self.rule.is_relative:
            return "median"
        is_changed = any(i == self.rule.indicator for i, _ in self.is_cohort_changed)
        return "backfill" if not is_changed and self.rule.indicator in self.came else "restated"

    def restated(self):
        return min((p for i, p in self.is_cohort_changed if i == self.rule.indicator), key=ordinal, default=None)

    def compare(self, stored, runs):
        folded = {r.first: r for r in runs}
        renamed = self.rename(stored, folded)
        for first in sorted(set(stored) | set(folded), key=ordinal):
            was, now = stored.get(first), folded.get(first)
            if now and was and not now.opened:
                now.opened = was.opened # was an alert once
            if now and was and was.says() == now.says() and first not in renamed:
                continue
            if now and was and was.state == now.state == "gone" and now.opened and (was.facts[0], was.facts[2]) == (now.facts[0], now.facts[2]):
                continue # withdrawn, and no figure of it moved
            if now:
                self.differ(renamed.get(first, was), now)
                stored[first] = now
            else:
                self.vanish(was)

    def rename(self, stored, folded):
        """A period that is filled in late makes a run begin earlier: the same alert under an older name."""
        came = self.came.get(self.rule.indicator)
        # where one step both fills and changes a period, the unit's own figure decides
        is_own = any(i == self.rule.indicator and u == self.unit for i, _, u in self.changed)
        found = {}
        for first, run in folded.items():
            later = [f for f in stored if ordinal(f) > ordinal(first) and f not in folded and stored[f].state != "gone" and
                     (ordinal(f) < ordinal(run.last) or (f == run.last and run.state == "open") or run.state == "open")]
            if came and not is_own and first not in stored and later and ordinal(first) <= ordinal(came) < ordinal(min(later, key=ordinal)):
                found[first] = stored.pop(min(later, key=ordinal))
        return found

    def differ(self, was, now):
        was_alert = was and was.state in ("open", "closed")
        if now.state in ("pending", "gone"):
            if was_alert:
                self.say(now, "withdrawn", now.first, self.cause())
            elif now.state == "pending":
                self.say(now, "pending", now.last, None)
            elif was and was.state == "pending":
                self.say(now, "withdrawn", now.first, "pending")
            elif was and was.opened:
                self.say(now, "amended", now.last, self.cause())
        elif not was_alert:
            self.appear(now)
        elif now.state == "open" and was.state == "open":
            self.go_on(was, now)
        elif now.state == "open":
            self.say(now, "opened", now.last, self.cause())
        elif was.state == "open":
            is_of_past = now.end == "clear" and ordinal(now.last) <= ordinal(was.last)
            self.say(now, "closed" if now.end == "clear" else now.end, now.last, self.cause() if is_of_past else now.end)
        else:
            self.say(now, "amended", now.last, self.why_amended(was, now))

    def why_amended(self, was, now):
        is_place = was.first == now.first and was.says()[:-1] == now.says()[:-1] and was.facts[:3] == now.facts[:3]
        return "place" if is_place else self.cause()

    def appear(self, now):
        restated, came = self.restated(), self.came.get(self.rule.indicator)
        is_own = any(i == self.rule.indicator and u == self.unit for i, _, u in self.changed)
        is_filled = came is not None and ordinal(came) < ordinal(self.newest) and ordinal(now.first) >= ordinal(came)
        # where one step both fills and changes a period, the unit's own figure decides
        is_late = restated is not None and ordinal(restated) < ordinal(self.newest) and ordinal(now.first) >= ordinal(restated) and \
            (is_own or (self.rule.is_relative and not is_filled))
        reason = self.cause() if is_late else "backfill" if is_filled else None
        if not (is_filled and not is_late and now.state == "closed"): # over before anybody could be told: its end alone is kept
            self.say(now, "opened", now.opened, reason)
        if now.state == "closed":
            self.say(now, "closed" if now.end == "clear" else now.end, now.last, reason or now.end)

    def go_on(self, was, now):
        is_longer = ordinal(now.last) > ordinal(was.last)
        if is_longer:
            self.say(now, "continued", now.last, None)
        if now.severity != was.severity:
            self.say(now, "worse" if now.severity > was.severity else "eased", now.last, None if is_longer else self.cause())
        elif not is_longer:
            self.say(now, "amended", now.last, self.why_amended(was, now))

    def vanish(self, was):
        """The figures no longer make it so. It stays, withdrawn, with the figure that did it."""
        now, period = was.facts, self.at[was.first]
        new = period.facts(self.unit)
        if was.state == "gone" and (was.opened is None or (now[0], now[2]) == (new[0], new[2])):
            return
        kind = "amended" if was.state == "gone" else "withdrawn"
        reason = "pending" if was.state == "pending" else self.cause()
        was.state, was.end, was.facts = "gone", None, new
        self.say(was, kind, was.first, reason)


# ---- the daemon's ----------------------------------------------------------------------------------------------------------

LEVELS = {None: 0, "warning": 1, "critical": 2}


def exact(value):
    return None if value is None else F(value)


def as_told(rule, unit, t):
    """A transition as the API gives it, as Alerts.step does."""
    return (rule, unit, t["kind"], t["period"], exact(t["value"]), exact(t["previous"]), exact(t["limit"]), t["place"], t["of"] or None,
            LEVELS[t["severity"]], t["reason"])


def alerts_of(answer, rules):
    """[(id, rule, unit's code, alert)] of an answer of /v1/alerts."""
    names = {r.name for r in rules}
    return [(a["id"], a["rule"], a["unit"]["key"].split(":")[1], a) for a in answer["alerts"] if a["rule"] in names]


def stored_state(get, rules, instant):
    """As Alerts.state, as of an instant (a query argument)."""
    return {(rule, unit, a["first"]): (a["state"], a["opened"], a["last"], a["length"], LEVELS[a["severity"]], exact(a["value"]), exact(a["limit"]),
                                       a["place"], a["of"] or None)
            for _, rule, unit, a in alerts_of(get("/v1/alerts?all=1&limit=10000&" + instant), rules)}


def stored_transitions(get, rules):
    """{step: [...]} of all alerts that there ever were. get(path): the API's answer, numbers as Fractions."""
    out = {}
    for number, rule, unit, _ in alerts_of(get("/v1/alerts?all=1&limit=10000"), rules):
        for t in get("/v1/alerts/%d" % number)["transitions"]:
            out.setdefault(t["step"], []).append(as_told(rule, unit, t))
    return out


def compare(found, stored, what):
    """One step; -> how many there were."""
    order = lambda t: tuple(str(x) for x in t)
    missing, extra = [[t for t in sorted(a, key=order) if t not in b] for a, b in ((found, stored), (stored, found))]
    assert not missing and not extra and len(found) == len(stored), (what, len(found), len(stored), "not stored:", missing[:3], "only stored:", extra[:3])
    return len(found)


class Figures:
    """What is known, as snapshots come: each one replaces what its job said before."""
    def __init__(self):
        self.jobs, self.periods, self.ever = {}, {}, set()

    def take(self, job, period, figures):
        """figures: {(indicator, unit): value}. -> (changed, came) as Alerts.step wants them."""
        old, changed, came = self.jobs.get(job, {}), set(), {}
        for key in set(old) | set(figures):
            if old.get(key) == figures.get(key):
                continue
            if (period,) + key in self.ever:
                changed.add((key[0], period, key[1]))
            else:
                came[key[0]] = period
                self.ever.add((period,) + key)
        self.jobs[job] = figures
        self.periods[job] = period
        return changed, came

    def cohorts(self, units=None):
        out = {}
        for job, figures in self.jobs.items():
            for (indicator, unit), value in figures.items():
                if units is None or units(unit):
                    out.setdefault(indicator, {}).setdefault(self.periods[job], {})[unit] = value
        return out
