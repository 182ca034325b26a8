#!/usr/bin/python3
"""suspend.py BUILD: a machine that sleeps. To a process a suspend is that the wall clock and BOOTTIME are both hours further, at once, while the
time awake stands still, and that the kernel wakes who waits for the clock to be set (include/os/clock.h).

Nine hours over nine regular times of one source, the daily one of another, midnight, the day's check and the digest: all of it is caught up
once. What was under way is no hang: the watchdog goes on hearing of us. Where only the wall clock jumps nothing that counts intervals moves."""
import contextlib
import datetime
import signal
import socket
import sys
import time

from lab import Lab

CONFIG = """
[daemon]
organization = Thử
notify = live
shipped_rules = no
state_dir = @DIR@/state
socket_dir = @DIR@/run
operator_report = Thu 07:00
[smtp]
url = smtp://localhost:@SMTP@
from = chisod@example.vn
ca_file = @DIR@/certs/ca.pem
[source hourly]
url = http://127.0.0.1:@PUB@/hourly
every = 1h
[source daily]
url = http://127.0.0.1:@PUB@/daily
at = 04:00
[part hourly.rows]
value.total = /total
[part daily.rows]
value.progress = /progress
[rule low]
indicator = total
when = below 50
[rule slow]
indicator = progress
when = below 50
[recipient offices]
units = kind:commune
email = office@example.vn
[recipient it]
role = operator
webhook = http://127.0.0.1:@HOOK@/it
[calendar]
work = Mon-Sun
"""
SOURCE = """pace = 0s
spread = 0s
periods = month
scope = p
backfill = 1
recheck = 1
timeout = 2s
"""
PART = """url = {{url}}/{{year}}-{{month}}
rows = /rows
unit.code = /code
unit.name = /name
unit.kind = commune
"""
MINUTE = 60000


def configure(lab):
    text = CONFIG
    for name in ("hourly", "daily"):
        text = text.replace("[source %s]\n" % name, "[source %s]\n" % name + SOURCE)
        text = text.replace("[part %s.rows]\n" % name, "[part %s.rows]\n" % name + PART)
    lab.configure(text)


def publish(lab, total, progress, mode=None):
    rows = [{"rows": [{"code": "1", "name": "UBND xã Một", **what}]} for what in ({"total": total}, {"progress": progress})]
    routes = [{"path": "/%s/2024-8" % name, "json": document} for name, document in zip(("hourly", "daily"), rows)]
    if mode:
        routes[0] = {"path": "/hourly/2024-8", "mode": mode, "body": ""}
    lab.publish(routes)


class Heart:
    """The service manager's end of the watchdog."""

    def __init__(self, lab):
        self.path = lab.path("notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setblocking(False)
        self.n = 0

    def beats(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.n += self.socket.recv(65536).decode().count("WATCHDOG=1")
        return self.n


class SleepyLab(Lab):
    heart = None

    def env(self, kill=None):
        env = dict(super().env(kill), CHISO_TEST_CLOCK_WAKES="1")
        return dict(env, NOTIFY_SOCKET=self.heart.path, WATCHDOG_USEC="400000") if self.heart else env


def attempts(lab):
    return dict(lab.sql("SELECT source, count(*) FROM attempt GROUP BY source"))


def suspend(lab, until):
    """Stopped as a whole machine is; when it runs again, both clocks are further."""
    wall, boot, awake = lab.clocks()
    lab.daemon.send_signal(signal.SIGSTOP)
    lab.wait(lambda: open("/proc/%d/stat" % lab.daemon.pid, encoding="ascii").read().split(")")[1].split()[0] == "T", "it sleeps")
    then = int(datetime.datetime.fromisoformat(until).timestamp() * 1000 - time.time() * 1000)
    lab.set_clocks(then, boot + then - wall, awake)
    lab.daemon.send_signal(signal.SIGCONT)


def later(lab):
    """A second more; false."""
    wall, *others = lab.clocks()
    lab.set_clocks(wall + 1000, *others)


def rest(lab):
    """A sentinel after which whatever was to come has come."""
    for source in ("hourly", "daily"):
        lab.ask(source, "2024-08")
    lab.wait(lab.settled, "settled")


def asleep(lab):
    publish(lab, 80, 80)
    lab.start()
    lab.wait(lambda: attempts(lab) == {"hourly": 1, "daily": 1}, "the first fetch of both")
    rest(lab)
    lab.clock("2024-09-04T22:59:00+07:00")
    rest(lab)
    before, hooks = attempts(lab), len(lab.hooks())
    assert lab.mails() == []
    publish(lab, 40, 40)
    suspend(lab, "2024-09-05T08:00:05+07:00")
    lab.wait(lambda: len(lab.mails()) == 1 and lab.settled(), "the digest")
    lab.wait(lambda: {k: n - before[k] for k, n in attempts(lab).items()} == {"hourly": 1, "daily": 1}, "one fetch of each: %s" % attempts(lab))
    told = lab.mails()[0].get_body(("plain",)).get_content()
    assert told.count("\n   Giá trị     40") == 2, told # it waited for what both sources brought
    lab.wait(lambda: lab.sql("SELECT value FROM meta WHERE name = 'tended_day'"), "the day's check")
    rest(lab)
    n_hourly, n_daily = attempts(lab)["hourly"], attempts(lab)["daily"]
    assert (n_hourly - before["hourly"], n_daily - before["daily"]) == (2, 2), "the sentinel's only"
    assert len(lab.mails()) == 1 and len([h for h in lab.hooks() if h["path"] == "/it"]) <= hooks + 1, "the report of the week, once"
    # half an hour later: nothing new; and the next regular time comes as ever
    lab.clock("2024-09-05T08:30:00+07:00")
    lab.clock("2024-09-05T09:00:10+07:00")
    lab.wait(lambda: attempts(lab)["hourly"] == n_hourly + 1 or later(lab), "the next hour")
    assert attempts(lab)["daily"] == n_daily and len(lab.mails()) == 1


def under_way(lab):
    """A request that waits for its answer while the machine sleeps is given up in its own time, and asked again; no watchdog bites."""
    rest(lab) # the job of this hour has ended, not only its attempt
    publish(lab, 40, 40, mode="hang")
    n = len(lab.requests())
    lab.clock("2024-09-05T10:00:10+07:00")
    lab.wait(lambda: len(lab.requests()) > n, "a request is under way")
    beats = lab.heart.beats()
    suspend(lab, "2024-09-05T19:00:10+07:00")
    lab.wait(lambda: lab.heart.beats() >= beats + 3, "the watchdog hears of us while the request still waits")
    publish(lab, 41, 41)
    lab.wait(lambda: lab.sql("SELECT value FROM figure f JOIN indicator i ON i.id = f.indicator WHERE i.name = 'total'") == [(4100,)] or
             lab.set_clocks(lab.clocks()[0] + 60000, *lab.clocks()[1:]), "asked again after it was given up")
    with open(lab.path("chisod.log"), encoding="utf8") as f:
        assert "does not go on" not in f.read()


def only_the_wall_clock(lab):
    """Set back and on within an hour: nothing is due by that, and no pulse is lost."""
    lab.clock("2024-09-05T20:10:00+07:00")
    rest(lab)
    before, mails, beats = attempts(lab), len(lab.mails()), lab.heart.beats()
    wall, boot, awake = lab.clocks()
    for shift in (-8 * MINUTE, 40 * MINUTE, 0):
        lab.set_clocks(wall + shift, boot, awake)
        rest(lab)
    assert len(lab.mails()) == mails
    assert {k: n - before[k] for k, n in attempts(lab).items()} == {"hourly": 3, "daily": 3}, "what was asked for, no more"
    lab.wait(lambda: lab.heart.beats() > beats, "the watchdog's pulse")


def stuck(lab):
    """What really does not go on while the machine is awake is left to the watchdog."""
    publish(lab, 40, 40, mode="hang")
    n = len(lab.requests())
    wall, boot, awake = lab.clocks()
    lab.call("POST", "/v1/sources/hourly/fetch?from=2024-08&to=2024-08")
    lab.wait(lambda: len(lab.requests()) > n, "a request is under way")
    lab.set_clocks(wall, boot, awake + 60 * MINUTE)
    lab.wait(lambda: "hourly does not go on, leaving it to the watchdog" in open(lab.path("chisod.log"), encoding="utf8").read(), "it says so")


def main():
    with SleepyLab(sys.argv[1]) as lab:
        lab.clock("2024-09-04T22:30:00+07:00")
        lab.start_publisher()
        lab.start_smtp()
        lab.start_hook()
        configure(lab)
        lab.heart = Heart(lab)
        asleep(lab)
        under_way(lab)
        only_the_wall_clock(lab)
        stuck(lab)
        lab.integrity()
        assert lab.stop() == 0
    print("suspend: passed")


main()
