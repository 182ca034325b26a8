#!/usr/bin/python3
"""kill-files.py BUILD [all | EVERY [FIRST]]: SIGKILL just before and just after file calls of a cycle with mail and webhook, a full disk
and failing calls at the same places; the next life, or the same one when the fault is over, must make it good (P1 to P6).

A file call is an open, write, sync, truncate, unlink or rename below the state folder (tests/faults/iofault.c); a read changes nothing.
Without argument a seeded sample, `all` every call in every way, a number every EVERYth call."""
import errno
import os
import random
import sys
import time

import life
from lab import TOP, Lab
from life import Run, prepare

sys.path.insert(0, os.path.join(TOP, "tests", "faults"))
import iofault  # noqa: E402

CALLS = iofault.EVERY & ~iofault.READ
WAYS = {"killed before": iofault.KILL_BEFORE, "killed after": iofault.KILL_AFTER, "disk full": errno.ENOSPC, "failing": errno.EIO}
N_SAMPLE = 14


class FaultLab(Lab):
    faults = None

    def env(self, kill=None):
        env = dict(super().env(kill), CHISO_TEST_CLOCK_WAKES="1") # what tries again in half a minute does so when the clock moves
        return self.faults.env(env) if self.faults else env


class FaultRun(Run):
    """One fault at call `at`; a daemon that lives through it may wait half a minute before it tries again: the clock moves on."""

    def __init__(self, lab, at, error):
        super().__init__(lab, [])
        self.at, self.error = at, error
        self.moves = 0

    def reset(self):
        super().reset()
        self.lab.faults.plan(at=self.at, error=self.error, ops=CALLS)

    def until(self, what, text):
        lab, end, moved = self.lab, time.monotonic() + 60, time.monotonic()
        while not what():
            code = lab.daemon.poll()
            if code is not None:
                assert code < 0 or lab.faults.failed, "the daemon ended with %s while waiting for: %s" % (code, text)
                raise life.Died
            assert time.monotonic() < end, "not within 60 s: " + text
            time.sleep(0.005)
            if lab.faults.failed and time.monotonic() - moved > 1.5:
                moved = time.monotonic()
                self.moves += 1
                self.move_clock()

    def move_clock(self):
        """31 s, not past anything that the run is about."""
        wall, *others = self.lab.clocks()
        self.lab.set_clocks(wall + 31000, *others)

    def finish(self):
        """The fault may also come while it stops."""
        code = self.lab.stop()
        if code != 0:
            assert self.lab.faults.failed, code
            self.note_death()
            self.until(self.is_answering, "the daemon answers")
            assert self.lab.stop() == 0


def one(lab, want, way, at):
    run = FaultRun(lab, at, WAYS[way])
    try:
        twice = run.drive().check(want)
    except AssertionError as e:
        raise AssertionError("%s at call %d: %s" % (way, at, e)) from e
    return run, twice


def points(n_calls, argument, ways):
    if argument is None:
        dice = random.Random(766)
        return [(way, dice.randrange(1, n_calls + 1)) for i in range(N_SAMPLE) for way in [ways[i % len(ways)]]]
    every, first = (1, 1) if argument[0] == "all" else (int(argument[0]), int((argument + ["1"])[1]))
    return [(way, at) for at in range(first, n_calls + 1, every) for way in ways]


def main():
    argument = sys.argv[2:] or None
    ways = [w for w in WAYS if not argument or len(argument) < 3 or w in argument[2:]]
    begin = time.monotonic()
    with FaultLab(sys.argv[1]) as lab:
        prepare(lab)
        want = Run(lab, []).drive().content()
        lab.faults = iofault.Faults(sys.argv[1], lab.path("state"))
        calm = FaultRun(lab, 0, 0)
        assert calm.drive().check(want) == 0
        n_calls = lab.faults.seen
        assert n_calls > 200, n_calls
        n, n_faults, twice, worst, bad = 0, 0, 0, 0, []
        for way, at in points(n_calls, argument, ways):
            try:
                run, more = one(lab, want, way, at)
            except AssertionError as e:
                bad.append(str(e))
                print("VIOLATION", str(e)[:1500], flush=True)
                lab.stop(9)
                continue
            n, n_faults, twice, worst = n + 1, n_faults + lab.faults.failed, twice + more, max(worst, more)
            if argument and n % 50 == 0:
                print("%d runs, %.0f s" % (n, time.monotonic() - begin), flush=True)
        lab.faults.close()
        assert n_faults > n / 2, (n_faults, n)
        print("kill-files: %d runs over %d file calls (%s), %d faults met, %d messages twice, at most %d in one run, %d violations, %.0f s"
              % (n, n_calls, ", ".join(ways), n_faults, twice, worst, len(bad), time.monotonic() - begin))
        assert not bad, bad[:3]


main()
