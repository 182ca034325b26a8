#!/usr/bin/python3
"""io-faults.py BUILD [EVERY [SEED]]: the daemon's file calls fail, one after the other, once and for a while (semantics 11.2, P12).

One run is the August cycle and its digest with a fault from the Nth file call below the state folder on. The daemon stays up, or ends
by itself and is started again as systemd does; it never crashes. When the fault is over it goes on without being told, and in the end
the same is known, judged and told as without it. EVERY: each such point of all (1 = all); without it a seeded few."""
import errno
import os
import random
import sys

from lab import TOP, Lab
from life import Run, prepare

sys.path.insert(0, os.path.join(TOP, "tests", "faults"))
from iofault import CUT, EVERY, RENAME, SYNC, TRUNCATE, WRITE, Faults # noqa: E402

N_POINTS = 18
KINDS = {"EIO": (errno.EIO, EVERY), "ENOSPC": (errno.ENOSPC, WRITE | SYNC | TRUNCATE | RENAME), "short write": (CUT, WRITE)}
LENGTHS = (1, 60)


class FaultRun(Run):
    def __init__(self, lab, plan, dice):
        super().__init__(lab, [], dice)
        self.plan = plan
        self.n_ends = self.n_failed = 0

    def start(self):
        self.lab.start(wait=False)

    def may_end(self, code):
        return code > 0 # by its own decision; a signal, or an end in peace, is none

    def note_death(self):
        self.n_ends += 1
        assert self.n_ends < 200, "it does not come up any more"
        self.start()

    def phases(self):
        return self.begin, self.morning, self.digest, self.fault_over, self.rest

    def begin(self):
        self.lab.faults.plan(**self.plan)

    def fault_over(self):
        self.n_failed = self.lab.faults.failed
        self.lab.faults.plan()

    # The check that could not read a page says so until the next one, to the operator alone: rightly, and not what is compared.

    def accepted(self):
        return self.lab.sql("SELECT count(*) FROM message m JOIN target t ON t.id = m.target WHERE m.state = 3 AND t.recipient <> 'it'")[0][0]

    def content(self):
        return {name: [row for row in rows if row[0] not in ("database-damaged", "it/email")] for name, rows in super().content().items()}

    def check(self, want):
        # a message whose settling failed may have been under way
        self.under_way = [u for u, in self.lab.sql("SELECT uuid FROM message")]
        return super().check(want)


def points(n_calls, every, dice):
    everything = [(kind, length, at) for kind in KINDS for length in LENGTHS for at in range(1, n_calls + 1)]
    if every:
        return everything[dice.randrange(every)::every]
    return dice.sample(everything, N_POINTS)


def one(lab, want, kind, length, at, dice):
    run = FaultRun(lab, {"at": at, "length": length, "error": KINDS[kind][0], "ops": KINDS[kind][1]}, dice)
    try:
        twice = run.drive().check(want)
    except AssertionError as e:
        raise AssertionError("%s at %d, %d calls: %s" % (kind, at, length, e)) from e
    return run, twice


def main():
    every, seed = int((sys.argv + ["0"])[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 766
    with Lab(sys.argv[1]) as lab:
        prepare(lab)
        lab.faults = Faults(sys.argv[1], lab.path("state"))
        dice = random.Random(seed)
        calm = FaultRun(lab, {}, None)
        want = calm.drive().content()
        assert calm.check(want) == 0
        n_calls = lab.faults.seen
        n_failed = ends = twice = 0
        chosen = points(n_calls, every, dice)
        for kind, length, at in chosen:
            run, more = one(lab, want, kind, length, at, dice)
            n_failed, ends, twice = n_failed + (run.n_failed > 0), ends + run.n_ends, twice + more
        lab.faults.close()
        print("io-faults: %d points of %d calls, %d met a call, %d ends, %d messages twice: passed"
              % (len(chosen), n_calls, n_failed, ends, twice))
        assert n_failed > len(chosen) // 3


main()
