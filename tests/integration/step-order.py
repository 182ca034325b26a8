#!/usr/bin/python3
"""step-order.py BUILD: while people write and figures come, no step is dated before the one before it: the clock stands still for
nobody, and an instant is translated into the knowledge that there was then."""
import itertools
import json
import sys
import threading

from lab import Lab, UnixConnection, portal

CONFIG = portal("backfill = 0") + """
[indicator total]
label = Tổng
[rule low]
indicator = total
when = below 80
[recipient ops]
role = operator
webhook = http://127.0.0.1:@HOOK@/ops
[recipient chief]
webhook = http://127.0.0.1:@HOOK@/chief
immediate = yes
"""
UNITS = 200
FETCHES = 8


def write_silences(lab, is_over, spacing):
    """Steps of a person's hand, at moments that the daemon did not choose."""
    body = json.dumps({"rule": "low", "until": "2024-08-09", "author": "thử", "note": "thử"})
    while not is_over.wait(spacing):
        connection = UnixConnection(lab.path("run", "admin.sock"))
        connection.request("POST", "/v1/silences", body=body, headers={"Content-Type": "application/json"})
        assert connection.getresponse().status == 201
        connection.close()


def main():
    with Lab(sys.argv[1]) as lab:
        lab.clock("2024-08-08T09:00:00+07:00")
        lab.start_publisher()
        lab.start_hook()
        lab.configure(CONFIG)
        lab.start()
        is_over = threading.Event()
        writers = [threading.Thread(target=write_silences, args=(lab, is_over, spacing)) for spacing in (0.011, 0.023, 0.037)]
        for w in writers:
            w.start()
        for n in range(FETCHES):
            rows = [{"code": "%03d" % i, "name": "Xã %d" % i, "total": 70 + (n * 7 + i) % 30} for i in range(UNITS)]
            lab.publish([{"path": "/2024-7", "json": {"rows": rows}}])
            lab.ask("portal", "2024-07")
        is_over.set()
        for w in writers:
            w.join()
        steps = lab.sql("SELECT id, cause, at_ms, is_backward FROM step ORDER BY id")
        causes = {cause for _, cause, _, _ in steps}
        assert len(causes) >= 4, causes # snapshot, silence, release and settle came together
        back = [(one, other) for one, other in itertools.pairwise(steps) if other[2] < one[2] or other[3]]
        assert not back, "%d of %d steps are dated before the step before: %s" % (len(back), len(steps), back[:4])
        lab.integrity()


main()
