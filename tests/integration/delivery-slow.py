#!/usr/bin/python3
"""delivery-slow.py BUILD: hooks that answer nothing, or one byte at a time, and for ever: an attempt ends after 20 s, whatever it is
meanwhile nobody else waits (P9), and in the end each has its message."""
import os
import sys
import time

from lab import PEERS, Lab
from sample import configure, month, routes

MODES = ("hang", "slowhead", "slowbody")
MORE = """
[daemon]
notify = live
""" + "".join("""[recipient %s]
units = unit:12376
webhook = http://127.0.0.1:@%s@/%s
immediate = yes
""" % (m, m, m) for m in MODES)


class Slow:
    def __init__(self, lab, mode):
        self.lab, self.mode, self.dir = lab, mode, lab.path(mode)
        os.mkdir(self.dir)
        self.say(mode)
        self.port = lab.peer(os.path.join(PEERS, "hook.py"), "--dir", self.dir, "--mode-file", lab.path(mode + "-mode"))

    def say(self, text):
        with open(self.lab.path(self.mode + "-mode"), "w", encoding="ascii") as f:
            f.write(text)

    def bodies(self):
        found = []
        for name in sorted(os.listdir(self.dir)):
            if name.endswith(".body"):
                with open(os.path.join(self.dir, name), "rb") as f:
                    found.append(f.read())
        return found


def state(lab, mode):
    return lab.sql("SELECT m.state, m.maybe, m.uuid FROM message m JOIN target t ON t.id = m.target WHERE t.key = ? ORDER BY m.id DESC LIMIT 1",
                   mode + "/webhook")[0]


def main():
    with Lab(sys.argv[1]) as lab:
        lab.clock("2024-08-05T08:05:00+07:00")
        lab.start_publisher()
        lab.start_smtp()
        lab.start_hook()
        slow = {mode: Slow(lab, mode) for mode in MODES}
        text = MORE
        for mode in MODES:
            text = text.replace("@%s@" % mode, str(slow[mode].port))
        configure(lab, text)
        lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08")}))
        lab.start()
        lab.ask("portal", "2024-07")
        lab.clock("2024-09-05T07:59:00+07:00")
        lab.ask("portal", "2024-08")
        lab.wait(lambda: all(s.bodies() for s in slow.values()) and lab.sql("SELECT count(*) FROM message WHERE state = 2") == [(3,)], "all three are under way")

        # meanwhile: another hook has its message, sources are fetched, the status answers
        lab.wait(lambda: len(lab.hooks()) == 1, "the other hook")
        begin = time.monotonic()
        lab.ask("portal", "2024-08")
        fetched = time.monotonic() - begin
        waits = []
        for _ in range(50):
            begin = time.monotonic()
            assert lab.call("GET", "/v1/status")
            waits.append(time.monotonic() - begin)
        assert lab.sql("SELECT count(*) FROM message WHERE state = 2") == [(3,)], "they are still under way"
        assert fetched < 2 and sorted(waits)[len(waits) // 2] < 0.1, (fetched, waits)

        # 20 s each, together; the status line of a hook that trickles may have been read
        lab.wait(lambda: lab.sql("SELECT count(*) FROM message WHERE state = 2") == [(0,)], "all attempts ended", seconds=40)
        assert state(lab, "hang")[:2] == (1, 1), state(lab, "hang")
        assert state(lab, "slowbody")[:2] == (3, 0), state(lab, "slowbody")
        for s in slow.values():
            s.say("200")
        lab.clock("2024-09-05T09:10:00+07:00")
        lab.ask("portal", "2024-08")
        lab.wait(lab.settled, "all is told")
        for mode, s in slow.items():
            settled, maybe, _ = state(lab, mode)
            copies = s.bodies()
            assert settled == 3 and 1 <= len(copies) <= 1 + maybe and len(set(copies)) == 1, (mode, settled, maybe, len(copies))
        lab.integrity()
        assert lab.stop() == 0
    print("delivery-slow: passed; status %.1f ms at most" % (1000 * max(waits)))


main()
