#!/usr/bin/python3
"""year.py BUILD [SEED]: a year of daily cycles of one district on a moving clock: 365 fetches, rules, alerts, deliveries to a hook and by mail.

At the end the receiver of the webhook, who knows nothing but the messages, knows the truth: what it believes open is open, every figure it was
told is the figure that stands, every end had an opening, no message came twice; and on days on which nothing was published nothing was said."""
import datetime
import json
import os
import random
import sys
import time

from lab import Lab
from sample import SECRET, configure, routes

NAMES = ["UBND TT Vương", "UBND xã Hưng Đạo", "UBND xã Ngô Quyền", "UBND xã Nhật Tân", "UBND xã Dị Chế", "UBND xã Lệ Xá", "UBND xã An Viên",
         "UBND xã Đức Thắng", "UBND xã Trung Dũng", "UBND xã Hải Triều", "UBND xã Thủ Sỹ", "UBND xã Thiện Phiến", "UBND xã Thụy Lôi",
         "UBND xã Cương Chính", "UBND xã Minh Phượng"]
CODES = {"%d" % (12337 + 3 * i): name for i, name in enumerate(NAMES)}
EXTRA = """
[daemon]
mass_guard = 100
notify = live
[source portal]
backfill = 0
recheck = 0
min_units = 0
[recipient mayor]
units = parent:332
email = mayor@tienlu.example
"""
FIRST = datetime.date(2025, 1, 10)
DAYS = 365


class World:
    """What the publisher says of each month; on four days of five something is different."""
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.months = {}

    def figure(self):
        return [self.r.randrange(780, 960) / 10, self.r.choice([self.r.randrange(9300, 10000), self.r.randrange(7000, 9500)]) / 100]

    def day(self, month):
        """Is anything new?"""
        if month not in self.months:
            self.months[month] = {c: self.figure() for c in CODES}
            return True
        if self.r.random() < 0.2:
            return False
        for code in self.r.sample(sorted(CODES), self.r.randrange(1, 4)):
            self.months[month][code] = self.figure()
        return True

    def documents(self, month):
        rows = self.months[month]
        parent = {"departmentCode": "332", "departmentName": "UBND huyện Tiên Lữ"}
        return {
            "service-results": {"code": "OK", "data": {"overview": dict(parent, totalScore=88), "evaluation": [
                {"departmentCode": c, "departmentName": CODES[c], "totalScore": v[0], "scoreDelta": None} for c, v in sorted(rows.items())]}},
            "dvc-progress-tree": {"code": "OK", "data": {"parent": dict(parent, ratio=97, totalReceived=9), "children": [
                {"departmentCode": c, "departmentName": CODES[c], "level": "COMMUNE", "ratio": v[1], "totalReceived": 100}
                for c, v in sorted(rows.items())]}}}

    def publish(self, lab):
        lab.publish(routes({m: self.documents(m) for m in sorted(self.months)[-2:]}))


def month_of(day):
    last = day.replace(day=1) - datetime.timedelta(days=1)
    return "%d-%02d" % (last.year, last.month)


def hook_bodies(lab):
    for name in sorted(n for n in os.listdir(lab.path("hook")) if n.endswith(".body")):
        with open(lab.path("hook", name), encoding="utf8") as f:
            yield json.load(f)


class Receiver:
    """Believes what the messages say, in their order."""
    def __init__(self):
        self.ids, self.open, self.figures = set(), {}, {}
        self.n_openings = self.n_ends = self.n_fixes = 0

    def take(self, body):
        assert body["id"] not in self.ids, "twice: %s" % body["id"]
        self.ids.add(body["id"])
        for item in body["items"]:
            if item["unit"]: # else the mass guard speaks
                self.take_item(item)

    def take_item(self, item):
        alert, say = item["alert"], item["say"]
        if say in ("opening", "worse", "continued") or (say == "late" and item["ended"] is None):
            assert say not in ("worse", "continued") or alert in self.open, item
            self.n_openings += alert not in self.open
            self.open[alert] = item["unit"]["key"]
        elif say in ("closing", "withdrawn"):
            assert alert in self.open, ("an end without an opening", item)
            del self.open[alert]
            self.n_ends += 1
        self.n_fixes += say == "fix"
        if item["indicator"]:
            self.figures[item["indicator"]["name"], item["period"]["id"], item["unit"]["key"]] = item["value"]


def live(lab):
    """A cycle a day; the days on which nothing was published, and what was said on them."""
    world = World(int(sys.argv[2]) if len(sys.argv) > 2 else 766)
    quiet = said = 0
    for n in range(DAYS):
        day = FIRST + datetime.timedelta(days=n)
        is_new = world.day(month_of(day))
        if is_new:
            world.publish(lab)
        lab.clock("%sT09:00:00+07:00" % day)
        before = lab.sql("SELECT count(*) FROM message")[0][0]
        lab.ask("portal", month_of(day))
        lab.wait(lambda: lab.settled(), "everything of %s is delivered" % day)
        quiet += not is_new
        said += 0 if is_new else lab.sql("SELECT count(*) FROM message m JOIN target t ON t.id = m.target WHERE t.channel = 'webhook'")[0][0] - before > 0
    return quiet, said


def compare(lab, receiver):
    """What the receiver believes, against what is."""
    is_open = {i for (i,) in lab.sql("SELECT id FROM episode WHERE state = 2 AND unit IS NOT NULL")}
    assert set(receiver.open) == is_open, (sorted(set(receiver.open) ^ is_open))
    now = {(name, "%d-%02d" % (period // 1000, period % 100), key): value for name, period, key, value in lab.sql(
        "SELECT i.name, f.period, u.key, f.value FROM figure f JOIN indicator i ON i.id = f.indicator JOIN unit u ON u.id = f.unit")}
    wrong = {k: (v, now.get(k)) for k, v in receiver.figures.items() if v is not None and abs(round(v * 100) - (now.get(k) or 0)) >= 100}
    assert not wrong, list(wrong.items())[:5]


def main():
    with Lab(sys.argv[1]) as lab:
        lab.clock("%sT06:00:00+07:00" % FIRST)
        lab.start_publisher()
        lab.start_smtp()
        lab.start_hook(SECRET)
        configure(lab, extra=EXTRA)
        lab.start()
        begin = time.monotonic()
        quiet, said = live(lab)
        took = time.monotonic() - begin
        receiver = Receiver()
        for body in hook_bodies(lab):
            receiver.take(body)
        compare(lab, receiver)
        assert said == 0 and quiet >= 40, (quiet, said)
        attempts = lab.sql("SELECT count(*) FROM attempt")[0][0]
        transitions = lab.sql("SELECT count(*) FROM transition")[0][0]
        assert attempts >= DAYS and len(receiver.ids) >= 100 and receiver.n_openings >= 200 and receiver.n_ends >= 100, vars(receiver)
        assert lab.sql("SELECT count(*) FROM message WHERE state <> 3")[0][0] == 0, "every message was accepted"
        n_mails = len(lab.mails())
        lab.integrity()
        assert lab.stop() == 0
    print("year: passed: %d cycles in %.1f s: %d transitions, %d webhooks, %d mails, %d openings, %d ends, %d corrections; %d quiet days" % (
        DAYS, took, transitions, len(receiver.ids), n_mails, receiver.n_openings, receiver.n_ends, receiver.n_fixes, quiet))


main()
