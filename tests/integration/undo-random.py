#!/usr/bin/python3
"""undo-random.py BUILD [SEED]: what is published, imported and taken back at random, against the sentence it must obey: a figure is what the
newest snapshot says that counts and speaks of it, and a sum is of its operands, however they came. The replay comes to the same."""
import random
import sys

from lab import Lab, portal

CONFIG = portal("backfill = 0\nmin_units = 0\nmin_share = 0").replace("value.total = /total", "value.total = /total\nvalue.late = /late") + """
[indicator total]
label = Tổng
[indicator late]
label = Trễ
unit = points
[indicator both]
label = Cả hai
unit = points
sum = total, late
"""
UNITS = ["001", "002", "003", "004"]
VALUES = {"total": (70, 71), "late": (3, 4)}
ACTS = 60


class World:
    def __init__(self, lab, rng):
        self.lab, self.rng, self.said = lab, rng, []

    def publish(self):
        rows = [dict({"code": u, "name": "Xã " + u}, **{i: self.rng.choice(v + (None,)) for i, v in VALUES.items()})
                for u in UNITS if not self.said or self.rng.random() < 0.85]
        if not rows:
            return
        newest = "SELECT ifnull(max(id), 0) FROM snapshot"
        before = self.lab.sql(newest)
        self.lab.publish([{"path": "/2024-7", "json": {"rows": rows}}])
        self.lab.ask("portal", "2024-07")
        if self.lab.sql(newest) != before:
            self.said.append({"id": None, "counts": True, "cells": {(i, r["code"]): r[i] for r in rows for i in VALUES}})

    def bring(self):
        columns = self.rng.sample(sorted(VALUES), self.rng.choice((1, 2)))
        cells = {(i, u): self.rng.choice(VALUES[i]) for u in self.rng.sample(UNITS, self.rng.randint(1, 3)) for i in columns}
        units = sorted({u for _, u in cells})
        with open(self.lab.path("file.csv"), "w", encoding="utf8") as f:
            f.write("\n".join([",".join(["code", *columns])] + [",".join([u] + [str(cells[i, u]) for i in columns]) for u in units]) + "\n")
        stored = self.lab.json("import", self.lab.path("file.csv"), "--source", "portal", "--period", "2024-07", "--yes")
        self.said.append({"id": stored["snapshot"], "counts": True, "cells": cells})

    def undo(self):
        able = [s for s in self.said if s["id"] and s["counts"]]
        if able:
            one = self.rng.choice(able)
            self.lab.ctl("import", "--undo", str(one["id"]))
            one["counts"] = False

    def should_be(self, cell):
        for s in reversed(self.said):
            if s["counts"] and (cell in s["cells"] or not s["id"]):
                return s["cells"].get(cell)
        return None

    def check(self, act):
        found = {(i, u[-3:]): None if v is None else v / 100 for i, u, v in self.lab.sql(
            "SELECT i.name, u.key, f.value FROM figure f JOIN indicator i ON i.id = f.indicator JOIN unit u ON u.id = f.unit")}
        for u in UNITS:
            operands = [self.should_be((i, u)) for i in VALUES]
            right = dict(zip(VALUES, operands, strict=True), both=None if None in operands else sum(operands))
            for i, v in right.items():
                assert found.get((i, u)) == v, (act, i, u, found.get((i, u)), v, self.said[-6:])


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with Lab(sys.argv[1]) as lab:
        lab.clock("2024-08-08T09:00:00+07:00")
        lab.start_publisher()
        lab.configure(CONFIG)
        lab.publish([])
        lab.start()
        world = World(lab, random.Random(seed))
        world.publish()
        for n in range(ACTS):
            act = world.rng.choices((world.publish, world.bring, world.undo), (1, 3, 2))[0]
            act()
            world.check((seed, n, act.__name__))
        assert sum(1 for s in world.said if not s["counts"]) > ACTS / 6, world.said
        lab.ctl("backup", lab.path("copy.db"))
        proof = lab.ctl("--config", lab.path("etc", "chisod.conf"), "verify", lab.path("copy.db"), "--replay")
        assert "giống hệt" in proof.stdout and "không còn nội dung" not in proof.stdout, proof.stdout
        lab.integrity()


main()
