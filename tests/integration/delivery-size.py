#!/usr/bin/python3
"""delivery-size.py BUILD: a relay that takes no more than 2,000 bytes, and says so (RFC 1870) or not. It is certain that nothing arrived, the
fault is the message's alone, the relay is not paused for it; after the last try the operator is told why, and a relay that takes more gets it."""
import datetime
import sys

from lab import Lab
from sample import SECRET, configure, month, routes

MORE = """
[recipient ops]
role = operator
webhook = http://127.0.0.1:@HOOK@/ops
"""
DISTRICT = ("SELECT m.id, m.state, attempts, maybe, next_ms, response FROM message m JOIN target t ON t.id = m.target"
            " WHERE t.key = 'district/email' ORDER BY m.id DESC LIMIT 1")


def until_dead(lab):
    for n in range(1, 11):
        lab.wait(lambda n=n: lab.sql(DISTRICT)[0][2] == n and lab.sql("SELECT count(*) FROM message WHERE state = 2") == [(0,)], "attempt %d" % n)
        _, state, _, maybe, next_ms, response = lab.sql(DISTRICT)[0]
        assert maybe == 0 and "552" in response, (maybe, response)
        assert lab.sql("SELECT count(*) FROM channel WHERE paused_ms > 0") == [(0,)], "the relay works"
        if n == 10:
            assert state == 4, state
            return
        assert state == 1, (n, state)
        lab.clock(datetime.datetime.fromtimestamp(next_ms / 1000 + 1, datetime.timezone.utc).isoformat())
        lab.ask("portal", "2024-08")


def life(build, *options):
    with Lab(build) as lab:
        lab.clock("2024-08-05T08:05:00+07:00")
        lab.start_publisher()
        lab.start_smtp("--size", "2000", "--log", lab.path("smtp.jsonl"), *options)
        lab.start_hook(SECRET)
        configure(lab, MORE)
        lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08")}))
        lab.start()
        lab.ask("portal", "2024-07")
        lab.clock("2024-09-05T07:59:00+07:00")
        lab.ask("portal", "2024-08")
        lab.clock("2024-09-05T08:00:01+07:00")
        lab.ask("portal", "2024-08")
        until_dead(lab)
        with open(lab.path("smtp.jsonl"), encoding="utf8") as f:
            asked = f.read()
        is_told = " SIZE=" in asked
        assert is_told != bool(options) and ('"command": "RCPT"' in asked) == bool(options), "the message left although its size was too much"
        told = lab.wait(lambda: [s for s, in lab.sql("SELECT m.subject FROM message m JOIN target t ON t.id = m.target WHERE t.key = 'ops/webhook'"
                                                     " AND m.state = 3") if "district" in s], "the operator hears of the dead letter")
        assert told and "552" in str(lab.sql("SELECT reason FROM transition WHERE reason LIKE '%552%'")), told
        assert lab.mails() == [] and lab.sql("SELECT state FROM target WHERE key = 'district/email'") == [(1,)]
        number = lab.sql(DISTRICT)[0][0]
        shown = lab.ctl("deliveries", "--dead").stdout
        assert "district/email: không gửi nữa: 552" in shown and "chisoctl retry" in shown, shown
        # a relay that takes it
        assert lab.stop() == 0
        lab.start_smtp()
        configure(lab, MORE)
        lab.start()
        lab.ctl("retry", str(number))
        lab.clock("2024-09-16T08:00:01+07:00")
        lab.ask("portal", "2024-08")
        lab.wait(lambda: [m for m in lab.mails() if m["To"] == "vanphong@tienlu.example"] and lab.settled(), "told after all")
        lab.integrity()
        assert lab.stop() == 0


def main():
    life(sys.argv[1])
    life(sys.argv[1], "--hide-size")
    print("delivery-size: passed")


main()
