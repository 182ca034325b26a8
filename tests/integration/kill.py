#!/usr/bin/python3
"""kill.py BUILD: SIGKILL at every passing of every kill point; the next life must make it good (semantics 11.1).

One run is the August cycle and its digest on a copy of the database as July left it. After a kill the daemon is started again, and
nothing else is done for it. Whatever the kill, in the end the same is known, judged and told as without it, and only messages that
were under way at a kill have come twice, with equal bytes."""
import os
import re
import sys

from lab import TOP, Lab
from life import Run, prepare


def points():
    with open(os.path.join(TOP, "include", "os", "hook.h"), encoding="utf8") as f:
        return re.findall(r"\b(?:fetch|evaluate|release|send|settle)\.[a-z]+", f.read())


def one(lab, want, kills):
    run = Run(lab, kills)
    try:
        twice = run.drive().check(want)
    except AssertionError as e:
        raise AssertionError("kills %s: %s" % (kills, e)) from e
    return run, twice


def every_point(lab, want):
    totals = {}
    worst = 0
    for point in points():
        n = 0
        while True:
            run, twice = one(lab, want, ["%s:%d" % (point, n + 1)])
            if run.n_kills == 0:
                break
            n += 1
            worst = max(worst, twice)
        assert n > 0, "%s was never reached" % point
        totals[point] = n
    print("points:", ", ".join("%s %d" % item for item in totals.items()), "| twice in one run, at most:", worst)
    return totals


def second_lives(lab, want):
    """A life that ends in the middle of sending, and the next one again, at every point that it passes."""
    for first in ("send.begin:1", "send.sent:2", "settle.commit:2", "release.commit:1"):
        for point in points():
            one(lab, want, [first, point])


def main():
    with Lab(sys.argv[1]) as lab:
        prepare(lab)
        calm = Run(lab, []).drive()
        want = calm.content()
        assert calm.check(want) == 0 and len(want["figure"]) == 15 + 32 and len(want["episode"]) >= 8, want
        every_point(lab, want)
        second_lives(lab, want)
    print("kill: passed")


main()
