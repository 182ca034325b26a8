"""One August of the sample, lived on a copy of the database as July left it, whatever happens to the daemon meanwhile; and what must
have come of it: the same rows as in a calm life, and each message once, or twice where its end was not known."""
import datetime
import os
import re
import shutil
import signal
import subprocess
import time

from sample import SECRET, configure, month, routes

MORNING = "2024-09-05T07:30:00+07:00"
DIGEST = "2024-09-05T08:00:01+07:00"
N_MESSAGES = 3 # webhook, mail of the district, mail of the commune

# Steps and times depend on how often the daemon had to begin anew; everything else does not.
CONTENT = {
    "unit": "SELECT key, kind, (SELECT key FROM unit p WHERE p.id = u.parent), valid_from, valid_until FROM unit u",
    "unit_name": "SELECT u.key, name, n.is_alias FROM unit_name n JOIN unit u ON u.id = n.unit",
    "unit_code": "SELECT u.key, namespace, code FROM unit_code c JOIN unit u ON u.id = c.unit",
    "figure": "SELECT period, i.name, u.key, value, why FROM figure f JOIN indicator i ON i.id = f.indicator JOIN unit u ON u.id = f.unit",
    "vintage": "SELECT period, i.name, u.key, value, why FROM vintage f JOIN indicator i ON i.id = f.indicator JOIN unit u ON u.id = f.unit",
    "snapshot": "SELECT source, scope, period, state, reason, n_units, n_values, n_bad FROM snapshot",
    "part": "SELECT s.period, p.n, p.name, p.page, hex(p.hash) FROM snapshot_part p JOIN snapshot s ON s.id = p.snapshot",
    "note": "SELECT period, kind, text FROM note",
    "episode": "SELECT rule, u.key, subject, first, opened, last, length, state, end_reason, e.severity, value, previous, limit_value, delta,"
               " place, of_count, is_late, is_held, tell_from FROM episode e LEFT JOIN unit u ON u.id = e.unit",
    "transition": "SELECT e.rule, u.key, t.kind, t.period, t.value, t.previous_value, t.limit_value, t.place, t.of_count, t.severity, t.reason"
                  " FROM transition t JOIN episode e ON e.id = t.episode LEFT JOIN unit u ON u.id = e.unit",
    "target": "SELECT key, recipient, channel, address, state FROM target",
    "message": "SELECT t.key, m.state, m.subject, m.content_type, m.is_drill, m.outcome FROM message m JOIN target t ON t.id = m.target",
    "item": "SELECT t.key, m.n, m.say, e.rule, u.key, i.name, m.period, m.value, m.old_value, m.severity FROM message_item m"
            " JOIN message g ON g.id = m.message JOIN target t ON t.id = g.target LEFT JOIN episode e ON e.id = m.episode"
            " LEFT JOIN unit u ON u.id = m.unit LEFT JOIN indicator i ON i.id = m.indicator",
    "told": "SELECT t.key, e.rule, u.key, d.said, d.value, d.last, d.severity, d.gave_up, g.target = d.target FROM told d"
            " JOIN target t ON t.id = d.target JOIN episode e ON e.id = d.episode LEFT JOIN unit u ON u.id = e.unit"
            " LEFT JOIN message g ON g.id = d.message",
    "told_figure": "SELECT t.key, i.name, d.period, u.key, d.value, g.target = d.target FROM told_figure d JOIN target t ON t.id = d.target"
                   " JOIN indicator i ON i.id = d.indicator JOIN unit u ON u.id = d.unit LEFT JOIN message g ON g.id = d.message",
    "rule_version": "SELECT rule, from_period, text FROM rule_version",
    "channel": "SELECT name FROM channel WHERE paused_ms <> 0",
}


class Died(Exception):
    pass


class Run:
    """The August cycle. `kills`: for each life of the daemon in turn a kill point, a number of events, or None. dice: kills by events come
    up to 20 ms late; and what waits for minutes after many of them (the daemon fetches nothing by itself after three unclean ends, a
    message that was under way at each is put off) is helped by the clock."""

    def __init__(self, lab, kills, dice=None):
        self.lab, self.kills, self.dice = lab, list(kills), dice
        self.n_kills = 0
        self.under_way = [] # ids that were under way at a kill, once per kill
        self.wanted = None
        self.now = None

    def reset(self):
        lab = self.lab
        shutil.rmtree(lab.path("state"))
        shutil.copytree(lab.path("july"), lab.path("state"))
        for folder in ("mail", "hook", "run"):
            for name in os.listdir(lab.path(folder)):
                os.unlink(lab.path(folder, name))
        self.to(MORNING)
        self.events_before = 0
        self.events_before = self.events()

    def to(self, text):
        self.now = datetime.datetime.fromisoformat(text)
        self.lab.clock(self.now.isoformat())

    def later(self):
        self.now += datetime.timedelta(minutes=20)
        self.lab.clock(self.now.isoformat())
        self.lab.call("POST", "/v1/sources/portal/fetch?from=2024-08&to=2024-08") # a clock that is moved wakes nobody

    def events(self):
        """Lines of the log and requests, mails and hooks that came to the peers since the run began."""
        n = -self.events_before
        for name in ("chisod.log", "requests.jsonl"):
            with open(self.lab.path(name), "rb") as f:
                n += f.read().count(b"\n")
        return n + sum(name.endswith(".json") for folder in ("mail", "hook") for name in os.listdir(self.lab.path(folder)))

    def start(self):
        kill = self.kills.pop(0) if self.kills else None
        self.wanted = kill if isinstance(kill, int) else None
        self.lab.start(kill if isinstance(kill, str) else None, wait=False)

    def until(self, what, text):
        lab, end = self.lab, time.monotonic() + 60
        patience = time.monotonic() + 1.5
        while not what():
            if self.dice and time.monotonic() > patience:
                self.later()
                patience = time.monotonic() + 0.5
            if self.wanted is not None and self.events() >= self.wanted and lab.daemon.poll() is None:
                if self.dice:
                    time.sleep(self.dice.random() * 0.02)
                lab.daemon.send_signal(signal.SIGKILL)
                lab.daemon.wait()
            code = lab.daemon.poll()
            if code is not None:
                assert self.may_end(code), "the daemon ended with %s while waiting for: %s" % (code, text)
                raise Died
            assert time.monotonic() < end, "not within 60 s: " + text
            time.sleep(0.001 if self.wanted is not None else 0.005)

    def may_end(self, code):
        return code == -signal.SIGKILL

    def is_answering(self):
        return self.lab.call("GET", "/v1/status")

    def accepted(self):
        return self.lab.sql("SELECT count(*) FROM message WHERE state = 3")[0][0]

    def has_august(self):
        return self.lab.sql("SELECT count(*) FROM job WHERE period = 2024108 AND good_ms > 0")[0][0] > 0

    def fetch(self):
        """Some request that moves the daemon on; whether it is answered is not the point here."""
        started = self.lab.call("POST", "/v1/sources/portal/fetch?from=2024-08&to=2024-08")
        if started:
            path = "/v1/sources?request=%d" % started["request"]
            self.until(lambda: (self.lab.call("GET", path) or {"request": {}})["request"].get("done"), "August again")
        else:  # a killed daemon lets go of its sockets before it can be waited for
            try:
                self.lab.daemon.wait(5)
            except subprocess.TimeoutExpired:
                raise AssertionError("the daemon took no request to fetch") from None

    def morning(self):
        self.until(self.is_answering, "the daemon answers")
        self.until(lambda: self.has_august() and self.accepted() >= 1 and self.lab.settled(), "August and its webhook")

    def digest(self):
        if self.now < datetime.datetime.fromisoformat(DIGEST):
            self.to(DIGEST)
        self.until(self.is_answering, "the daemon answers")
        self.fetch()
        self.until(lambda: self.accepted() >= N_MESSAGES and self.lab.settled(), "the two mails")

    def rest(self):
        """Once more: whoever was told is not told again."""
        self.until(self.is_answering, "the daemon answers")
        self.fetch()
        self.until(self.lab.settled, "nothing is under way")

    def note_death(self):
        self.n_kills += 1
        self.under_way += [u for u, in self.lab.sql("SELECT uuid FROM message WHERE state = 2")]
        self.lab.integrity()
        self.start()

    def phases(self):
        return self.morning, self.digest, self.rest

    def drive(self):
        self.reset()
        self.start()
        for phase in self.phases():
            while True:
                try:
                    phase()
                    break
                except Died:
                    self.note_death()
        self.finish()
        self.lab.integrity()
        return self

    def finish(self):
        assert self.lab.stop() == 0

    # ---- what came of it

    def content(self):
        return {name: sorted(self.lab.sql(query), key=repr) for name, query in CONTENT.items()}

    def received(self):
        """Bytes of each copy by message id."""
        copies = {}
        for name in sorted(os.listdir(self.lab.path("mail"))):
            if name.endswith(".eml"):
                with open(self.lab.path("mail", name), "rb") as f:
                    data = f.read()
                uuid = re.search(rb"^Message-ID: <([^@>]+)@", data, re.M | re.I).group(1).decode()
                copies.setdefault(uuid, []).append(data)
        for i, hook in enumerate(self.lab.hooks()):
            names = sorted(n for n in os.listdir(self.lab.path("hook")) if n.endswith(".body"))
            with open(self.lab.path("hook", names[i]), "rb") as f:
                copies.setdefault({k.lower(): v for k, v in hook["headers"].items()}["webhook-id"], []).append(f.read())
            assert hook["verified"], hook
        return copies

    def check(self, want):
        got = self.content()
        for name in CONTENT:
            missing, extra = [r for r in want[name] if r not in got[name]], [r for r in got[name] if r not in want[name]]
            assert got[name] == want[name], (name, "missing", missing, "too much", extra, len(want[name]), len(got[name]))
        copies = self.received()
        targets = dict(self.lab.sql("SELECT m.uuid, t.key FROM message m JOIN target t ON t.id = m.target"))
        assert set(copies) == set(targets), (set(copies) ^ set(targets))
        for uuid, data in copies.items():
            assert len(data) <= 1 + self.under_way.count(uuid), (uuid, targets[uuid], len(data), self.under_way)
            assert len(set(data)) == 1, ("two texts under one id", uuid, targets[uuid])
        return sum(len(data) - 1 for data in copies.values())


def prepare(lab):
    lab.clock("2024-08-05T08:05:00+07:00")
    lab.start_publisher()
    lab.start_smtp()
    lab.start_hook(SECRET)
    configure(lab)
    lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08")}))
    lab.start()
    lab.ask("portal", "2024-07")
    assert lab.stop() == 0
    os.rename(lab.path("state"), lab.path("july"))
    os.mkdir(lab.path("state"))
