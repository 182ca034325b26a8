#!/usr/bin/env python3
"""run-worlds.py PLAN_WORLD N [--bug 1..7 | --bugs]: the real engine and plan against the oracle ledger.py.

Each world is run by the model; every random event is also written as a line to plan-world, which drives the real code
and a simulated courier of its own. Both sides must then have told the same: the same episodes in the same sense with
the same value and period, and the same printed figures. What the receivers of the real side got must pass the model's
own checks of pairing. With --bug the real side has one of seven seeded mistakes and must be found out; --bugs asserts
that all seven are.
"""
import argparse
import multiprocessing
import os
import random
import subprocess
import sys
import types

import ledger

STEPS = 300
BATCH = 25
BUGS = {
    1: "a dead row that may have arrived is not booked",
    2: "go-live is written as told",
    3: "a row is made anew although it may have arrived",
    4: "corrections come from the alert's row only",
    5: "booking at release",
    6: "two unsettled rows per target",
    7: "a silence drops a closing",
}
MASK = (1 << 64) - 1


def is_killed(seed, target, ordinal):
    """Must be the same as in plan-world.c."""
    x = (seed * 1000003 + target * 65537 + ordinal + 0x9E3779B97F4A7C15) & MASK
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & MASK
    return (x ^ (x >> 31)) % 10 == 0


def scaled(value):
    return -1 if value is None else round(value * 100)


class Period(int):
    """The model counts periods from 0 and asks `if gave_up`; a period is never false."""
    def __bool__(self):
        return True


class Attempts:
    """Stands in for the random numbers of the courier: the outcome of the attempt that has just reached an inbox."""
    def __init__(self, world, seed):
        self.world, self.seed, self.seen = world, seed, {t: 0 for t in world.targets}

    def random(self):
        for number, target in enumerate(self.world.targets):
            if len(self.world.inbox[target]) > self.seen[target]:
                self.seen[target] += 1
                return 0.0 if is_killed(self.seed, number, self.seen[target]) else 1.0
        raise AssertionError("an outcome is asked for without an attempt")


class Emitting(ledger.World):
    """The model, with each event also written as a line. What happened is read from what is different."""
    def __init__(self, seed):
        self.cache = (None, None)
        super().__init__(random.Random(seed))
        self.attempts = Attempts(self, seed)
        self.lines = ["W %d" % seed]
        self.seen = {u: [] for u in self.series}
        self.seen_silence, self.seen_acked, self.seen_quiet, self.seen_up = {}, set(), 0, dict(self.up)
        self.emit_figures()
        self.lines.append("L")

    def eps(self):  # the same for as long as the figures are
        if self.cache[0] != self.series:
            self.cache = ({u: list(q) for u, q in self.series.items()}, super().eps())
        return self.cache[1]

    def plan(self, t):  # the rows of other targets do not count, and sorting them takes most of the time
        told, fig = self.told, self.fig
        self.told = {key: row for key, row in told.items() if key[0] == t}
        self.fig = {key: value for key, value in fig.items() if key[0] == t}
        try:
            return super().plan(t)
        finally:
            self.told, self.fig = told, fig

    def emit_figures(self):
        while len(self.seen[0]) < len(self.series[0]):
            p = len(self.seen[0])
            for u in self.series:
                self.seen[u].append(self.series[u][p])
            self.lines.append("P " + " ".join(str(scaled(self.series[u][p])) for u in self.series))
        for u, q in self.series.items():
            if q != self.seen[u]:
                for p, value in enumerate(q):
                    if value != self.seen[u][p]:
                        self.lines.append("R %d %d %d" % (u, p, scaled(value)))
                        self.seen[u][p] = value

    def emit_gates(self):
        for u, until in self.silence.items():
            if self.seen_silence.get(u) != until:
                self.lines.append("S %d %d" % (u, until))
        self.lines += ["A %d %d" % key for key in sorted(self.acked - self.seen_acked)]
        if self.quiet_until != self.seen_quiet:
            self.lines.append("Q %d" % self.quiet_until)
        for number, target in enumerate(self.targets):
            if self.up[target] != self.seen_up[target]:
                self.lines.append("U %d %d" % (number, self.up[target]))
        self.seen_silence, self.seen_acked = dict(self.silence), set(self.acked)
        self.seen_quiet, self.seen_up = self.quiet_until, dict(self.up)

    def release(self, force=False):
        self.emit_figures()
        self.emit_gates()
        self.lines.append("T %d %d" % (self.now, force))
        super().release(force)

    def courier(self):
        steps, self.r = self.r, self.attempts
        super().courier()
        self.r = steps
        for row in self.told.values():
            if row.get("gave_up") == 0:
                row["gave_up"] = Period(0)

    def heal(self):
        self.silence.clear()
        self.acked.clear()
        self.quiet_until, self.up = 0, {t: True for t in self.targets}
        self.lines.append("H")
        self.seen_silence, self.seen_acked, self.seen_quiet, self.seen_up = {}, set(), 0, dict(self.up)
        for _ in range(60):
            self.now += 1
            self.release(True)
            self.courier()


def period(number):
    return -1 if number is None else int(number)


def told_by_model(world):
    same = {"continued": "opening", None: "none"}
    told = {}
    for (target, unit, first), row in world.told.items():
        said = same.get(row["said"], row["said"])
        told[world.targets.index(target), unit, first] = (
            said, scaled(row["value"]), period(row["last"]), period(row.get("gave_up")))
    figures = {(world.targets.index(t), u, p): scaled(v) for (t, u, p), v in world.fig.items()}
    return told, figures


class Real:
    """What plan-world printed about one world."""
    def __init__(self):
        self.told, self.figures, self.inbox, self.messages, self.is_at_rest = {}, {}, {}, 0, False

    def read(self, line):
        kind, *words = line.split()
        if kind == "I":
            items = []
            for word in words[2:]:
                say, unit, first, value, last = word.split("/")
                value, last = int(value), int(last)
                items.append(((int(unit), int(first)), say, None if value < 0 else value, None if last < 0 else last))
            self.inbox.setdefault("abc"[int(words[0])], []).append((int(words[1]), items))
        elif kind == "T":
            t, u, first, said, value, last, gave_up = words
            said = "opening" if said == "continued" else said
            value = -1 if said == "none" else int(value)
            self.told[int(t), int(u), int(first)] = (said, value, int(last), int(gave_up))
        elif kind == "G":
            t, u, p, value = map(int, words)
            self.figures[t, u, p] = value
        elif kind == "N":
            self.messages, self.is_at_rest = int(words[0]), words[1] == "1"


def difference(real, model, what):
    for key in sorted(set(real) | set(model)):
        if real.get(key) != model.get(key):
            return "%s (target, unit, period) %s: real %s, model %s" % (what, key, real.get(key), model.get(key))
    return None


def check_receivers(world, real):
    """The model's own conditions, on what the receivers of the real side got."""
    inbox = {t: real.inbox.get(t, []) for t in world.targets}
    state = {}
    for target, said in ledger.check(types.SimpleNamespace(targets=world.targets, inbox=inbox)):
        state[target] = said
    episodes = world.eps()
    for target, said in state.items():
        for key, say in said.items():
            if key in episodes and episodes[key][0] == ledger.CLOSED:
                assert say not in ("opening", "continued"), ("unclosed", target, key, say)
    for target in world.targets:
        page = {(key[0], last): v for _, items in inbox[target] for key, _, v, last in items if last is not None}
        for (u, p), value in page.items():
            assert (-1 if value is None else value) == scaled(world.series[u][p]), ("printed figure uncorrected", target)


def judge(world, real):
    """None, or what is wrong with the real side."""
    try:
        check_receivers(world, real)
    except AssertionError as error:
        return "pairing: %s" % (error.args,)
    if not real.is_at_rest:
        return "planning again adds something"
    told, figures = told_by_model(world)
    if real.messages != len(world.msgs):
        return "messages: real %d, model %d" % (real.messages, len(world.msgs))
    return difference(real.told, told, "told") or difference(real.figures, figures, "printed")


def run_world(seed):
    world = Emitting(seed)
    for _ in range(STEPS):
        world.step()
    world.heal()
    world.lines.append("E")
    return world


def run_batch(job):
    program, bug, seeds = job
    worlds = [run_world(seed) for seed in seeds]
    done = subprocess.run([program, str(bug)], input="".join("\n".join(w.lines) + "\n" for w in worlds),
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return ["seeds %d..%d: plan-world ended with %d: %s" % (seeds[0], seeds[-1], done.returncode, done.stderr)]
    errors, real, index = [], Real(), 0
    for line in done.stdout.splitlines():
        if line != "E":
            real.read(line)
            continue
        wrong = judge(worlds[index], real)
        if wrong:
            errors.append("seed %d: %s" % (seeds[index], wrong))
        real, index = Real(), index + 1
    if index != len(worlds):
        errors.append("plan-world printed %d worlds of %d" % (index, len(worlds)))
    return errors


def run(program, n, bug):
    seeds = list(range(n))
    jobs = [(program, bug, seeds[i:i + BATCH]) for i in range(0, n, BATCH)]
    with multiprocessing.Pool(min(4, os.cpu_count() or 1)) as pool:
        return [error for errors in pool.map(run_batch, jobs, chunksize=1) for error in errors]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("n", type=int)
    parser.add_argument("--bug", type=int, default=0, choices=range(8))
    parser.add_argument("--bugs", action="store_true")
    args = parser.parse_args()
    if args.bugs:
        missed = 0
        for bug, text in BUGS.items():
            errors = run(args.program, args.n, bug)
            missed += not errors
            print("%s %d (%s): %s" % ("caught" if errors else "MISSED", bug, text,
                                      "%d worlds, first %s" % (len(errors), errors[0]) if errors else "no difference"))
        return 1 if missed else 0
    errors = run(args.program, args.n, args.bug)
    for error in errors[:10]:
        print(error)
    print("%d worlds x %d steps: %d differ from the oracle" % (args.n, STEPS, len(errors)))
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
