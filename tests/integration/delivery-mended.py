#!/usr/bin/python3
"""delivery-mended.py BUILD: a relay and a hook that were down and are configured anew: a reload, a start and --once try them at once,
and a pause of an address that nobody uses any more is gone. The clock stands still all the while."""
import os
import signal
import socket
import sys

from lab import Lab
from sample import SECRET, configure, month, routes

AUGUST = "2024-09-05T08:00:01+07:00"


def dead_port():
    """A port that nobody listens on and nobody else gets."""
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    return s


def paused(lab):
    return {name for name, in lab.sql("SELECT name FROM channel WHERE paused_ms > 0")}


def is_down(lab, hook):
    return paused(lab) == {"smtp", hook} and lab.sql("SELECT count(*) FROM message WHERE state = 2") == [(0,)]


def break_down(lab, good):
    """From a new database to two mails and a hook's message that wait for what is down."""
    dead = [dead_port(), dead_port()]
    lab.smtp_port, lab.hook_port = (s.getsockname()[1] for s in dead)
    hook = "hook:127.0.0.1:%d" % lab.hook_port
    lab.clock("2024-08-05T08:05:00+07:00")
    configure(lab)
    lab.start()
    lab.ask("portal", "2024-07")
    lab.clock("2024-09-05T07:59:00+07:00")
    lab.ask("portal", "2024-08")
    lab.clock(AUGUST)
    lab.ask("portal", "2024-08")
    lab.wait(lambda: is_down(lab, hook), "both are paused")
    lab.smtp_port, lab.hook_port = good
    return dead


def all_arrived(lab, mails, hooks):
    return len(lab.mails()) == mails and len(lab.hooks()) == hooks and lab.settled() and not paused(lab)


def forget(lab):
    for name in os.listdir(lab.path("state")):
        if name.startswith("chisod.db"):
            os.unlink(lab.path("state", name))


def main():
    with Lab(sys.argv[1]) as lab:
        lab.start_publisher()
        good = lab.start_smtp(), lab.start_hook(SECRET)
        lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08")}))

        # a reload that mends nothing: probed, still paused, nothing lost or counted
        dead = break_down(lab, good)
        probes = lab.sql("SELECT max(probe_ms) FROM channel")
        lab.daemon.send_signal(signal.SIGHUP)
        lab.wait(lambda: lab.sql("SELECT min(probe_ms) FROM channel") > probes, "probed by the reload")
        lab.wait(lambda: lab.sql("SELECT max(attempts), max(state) FROM message") == [(0, 1)], "no attempt counted against a message")
        configure(lab)
        lab.daemon.send_signal(signal.SIGHUP)
        lab.wait(lambda: all_arrived(lab, 2, 1), "all leaves after the reload")
        assert lab.json("status")["paused"] == []
        assert lab.stop() == 0

        # a start
        forget(lab)
        dead += break_down(lab, good)
        assert lab.stop() == 0
        configure(lab)
        lab.start()
        lab.wait(lambda: all_arrived(lab, 4, 2), "all leaves after the start")
        assert lab.stop() == 0

        # --once
        forget(lab)
        dead += break_down(lab, good)
        assert lab.stop() == 0
        run = lab.once()
        assert run.returncode == 1 and "3 attempts not accepted, 3 messages stay queued" in run.stdout, run.stdout
        configure(lab)
        run = lab.once()
        assert run.returncode == 0 and "0 attempts not accepted, 0 messages stay queued" in run.stdout, run.stdout
        assert all_arrived(lab, 6, 3), (len(lab.mails()), len(lab.hooks()), paused(lab))
        for s in dead:
            s.close()
        lab.integrity()
    print("delivery-mended: passed")


main()
