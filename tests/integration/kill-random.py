#!/usr/bin/python3
"""kill-random.py BUILD [KILLS [SEED]]: SIGKILL at seeded instants of the August cycle, several in one run (semantics 11.1, P10).

What came of it is compared as in kill.py, row for row and message for message."""
import random
import sys

from lab import Lab
from life import Run, prepare

N_KILLS = 300
IN_ONE_RUN = 3 # under way at more, a message is taken for what kills the daemon, and is given up


def main():
    n_kills = int(sys.argv[2]) if len(sys.argv) > 2 else N_KILLS
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 766
    with Lab(sys.argv[1]) as lab:
        prepare(lab)
        calm = Run(lab, []).drive()
        want, events = calm.content(), calm.events()
        dice = random.Random(seed)
        kills = runs = twice = 0
        while kills < n_kills:
            at = [n + 2 * i for i, n in enumerate(sorted(dice.randrange(1, events - 2) for _ in range(IN_ONE_RUN)))]
            run = Run(lab, at, dice)
            try:
                twice += run.drive().check(want)
            except AssertionError as e:
                raise AssertionError("run %d, kills %s: %s" % (runs, at, e)) from e
            kills += run.n_kills
            runs += 1
        print("random: %d kills in %d runs over %d events, %d messages twice: passed" % (kills, runs, events, twice))


main()
