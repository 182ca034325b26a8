#!/usr/bin/python3
"""delivery-paused.py BUILD: a relay and a hook's host that are down: one probe per 15 minutes, and else no step, no wakeup, no attempt."""
import datetime
import os
import re
import socket
import sys

from lab import Lab
from sample import SECRET, configure, month, routes

MORE = """
[recipient more]
units = parent:332
email = a@tienlu.example
email = b@tienlu.example
email = c@tienlu.example
[recipient board]
units = parent:332
webhook = http://127.0.0.1:@DEAD@/one
immediate = yes
[recipient screen]
units = unit:12376
webhook = http://127.0.0.1:@DEAD@/two
immediate = yes
"""
SETTLE = 8 # cause of a step
PROBED_MS = 1000 * int(datetime.datetime.fromisoformat("2024-09-05T08:31:00+07:00").timestamp())
EVERYBODY = 5 # mails: district, commune, three more


def dead_port():
    """A port that nobody listens on and nobody else gets."""
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    return s


def armed_seconds(pid):
    """Until the daemon's next timer, as the kernel has it."""
    found = []
    for fd in os.listdir("/proc/%d/fdinfo" % pid):
        try:
            with open("/proc/%d/fdinfo/%s" % (pid, fd), encoding="ascii") as f:
                m = re.search(r"clockid: 7\n(?:.*\n)*it_value: \((\d+), (\d+)\)", f.read())
        except FileNotFoundError:
            continue  # a connection that was closed meanwhile
        if m and m.groups() != ("0", "0"):
            found.append(int(m.group(1)))
    return min(found)


def settles(lab):
    return lab.sql("SELECT count(*) FROM step WHERE cause = ?", SETTLE)[0][0]


def paused(lab):
    return {name: probe for name, probe in lab.sql("SELECT name, probe_ms FROM channel WHERE paused_ms > 0")}


def is_quiet(lab):
    return lab.sql("SELECT count(*) FROM message WHERE state = 2")[0][0] == 0


def main():
    with Lab(sys.argv[1]) as lab:
        smtp, dead = dead_port(), dead_port()
        lab.clock("2024-08-05T08:05:00+07:00")
        lab.start_publisher()
        lab.start_hook(SECRET)
        lab.smtp_port = smtp.getsockname()[1]
        configure(lab, MORE.replace("@DEAD@", str(dead.getsockname()[1])))
        lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08")}))
        lab.start()
        lab.ask("portal", "2024-07")
        lab.clock("2024-09-05T07:59:00+07:00")
        lab.ask("portal", "2024-08")
        lab.clock("2024-09-05T08:00:01+07:00")
        lab.ask("portal", "2024-08")
        hook = "hook:127.0.0.1:%d" % dead.getsockname()[1]
        lab.wait(lambda: set(paused(lab)) == {"smtp", hook} and is_quiet(lab), "relay and host are paused, the host by one name for its targets")
        lab.wait(lambda: lab.sql("SELECT count(*) FROM message WHERE state = 3") == [(1,)], "the other hook got its message")

        # whatever else happens, what waits costs nothing
        lab.ask("portal", "2024-08")
        before = settles(lab)
        for _ in range(5):
            lab.ask("portal", "2024-08")
        assert settles(lab) == before, (settles(lab), before)
        armed = armed_seconds(lab.daemon.pid)
        assert 60 <= armed <= 15 * 60, armed

        # one probe each when its time has come: two steps (started, settled) at most each
        lab.clock("2024-09-05T08:16:00+07:00")
        lab.ask("portal", "2024-08")
        lab.wait(lambda: min(paused(lab).values()) > PROBED_MS and is_quiet(lab), "both were probed")
        assert settles(lab) - before in (2, 3, 4), settles(lab) - before
        before = settles(lab)
        lab.ask("portal", "2024-08")
        assert settles(lab) == before

        # the relay is back: the probe arrives, then all others
        smtp.close()
        lab.start_smtp("--port", str(lab.smtp_port))
        lab.stop()
        lab.clock("2024-09-05T08:32:00+07:00")
        lab.start()
        lab.wait(lambda: len(lab.mails()) == EVERYBODY, "all mails")
        lab.wait(lambda: "smtp" not in paused(lab) and is_quiet(lab), "the relay goes on")
        assert len({m["Message-ID"] for m in lab.mails()}) == EVERYBODY
        assert hook in paused(lab) # its port is still dead
        counts = lab.sql("SELECT attempts FROM message m JOIN target t ON t.id = m.target WHERE t.channel = 'webhook' AND m.state = 1")
        assert counts == [(0,), (0,)], counts # none of it was the message's fault
        lab.integrity()
        assert lab.stop() == 0
    print("delivery-paused: passed")


main()
