#!/usr/bin/python3
"""retention.py BUILD: what the database needs of itself. The day's turn with the moved clock: attempts, message bytes and bodies are
forgotten at their age, figures, vintages and transitions never; a day that was slept through is made up once. `verify` and `backup` of the
running daemon and of files; rot in a body is found by the day's check, told to the operator once, never served, and its end told, too."""
import json
import os
import signal
import sqlite3
import sys

from lab import Lab
from sample import configure, month, routes

EXTRA = """
[retention]
attempts = 400
messages = 2 years
bodies = 3 years
"""


def clock(lab, text):
    """The timer counts real time: a reload makes the daemon look at the clock."""
    lab.clock(text)
    lab.daemon.send_signal(signal.SIGHUP)


def tended(lab, day):
    lab.wait(lambda: lab.sql("SELECT value FROM meta WHERE name = 'tended_day'") == [(day,)], "the turn of " + day)


def counts(lab):
    one = lambda q: lab.sql("SELECT count(*) FROM " + q)[0][0]
    return {"attempts": one("attempt"), "messages": one("message WHERE body IS NOT NULL"), "bodies": one("body WHERE packed IS NOT NULL"),
            "rows": (one("message"), one("body"), one("snapshot"), one("transition"), lab.sql("SELECT value, why FROM figure"))}


def check_retention(lab):
    first = counts(lab)
    assert first["attempts"] > 0 and first["messages"] > 0 and first["bodies"] > 0, first
    clock(lab, "2025-10-01T02:00:00+07:00")  # 391 days: nothing; the turn is at 02:30
    tended(lab, "2025-09-30")
    assert counts(lab)["attempts"] >= first["attempts"]
    clock(lab, "2025-10-01T02:31:00+07:00")
    tended(lab, "2025-10-01")
    # a stop over the turn: made up once, at the start
    assert lab.stop() == 0
    lab.clock("2025-11-20T12:00:00+07:00")
    lab.start()
    tended(lab, "2025-11-20")
    second = counts(lab)
    old = lab.sql("SELECT count(*) FROM attempt WHERE at_ms < 1728000000000 - 20 * 86400000")[0][0]
    assert old == 0 and second["messages"] >= first["messages"] and second["bodies"] >= first["bodies"], second
    clock(lab, "2026-09-06T12:00:00+07:00")
    tended(lab, "2026-09-06")
    assert lab.sql("SELECT count(*) FROM message WHERE body IS NOT NULL AND settled_ms > 0 AND settled_ms < 1725555600000") == [(0,)], counts(lab)
    assert counts(lab)["bodies"] >= first["bodies"]
    clock(lab, "2027-09-08T12:00:00+07:00")
    tended(lab, "2027-09-08")
    last = counts(lab)
    assert last["bodies"] < first["bodies"] and last["messages"] < first["messages"], last
    assert lab.sql("SELECT count(*) FROM body WHERE packed IS NOT NULL AND hash NOT IN"
                   " (SELECT hash FROM snapshot_part WHERE at_ms >= 1725728400000)") == [(0,)], last
    assert all(a <= b for a, b in zip(first["rows"][:4], last["rows"][:4])), (first["rows"][:4], last["rows"][:4])
    known = {tuple(r) for r in first["rows"][4]}
    assert known <= {tuple(r) for r in last["rows"][4]}
    gone = lab.call("GET", "/v1/snapshots/1")  # the row stays, with hash and size; its body is gone
    assert gone["parts"][0]["hash"]
    assert lab.api("/v1/snapshots/1/parts/1/body", role="admin")["status"] == 410


def check_files(lab):
    verified = json.loads(lab.ctl("verify", "--json").stdout)
    assert (verified["state"], verified["findings"]) == ("whole", []), verified
    assert "toàn vẹn" in lab.ctl("verify").stdout
    copy = lab.path("copy.db")
    assert lab.ctl("backup", copy).returncode == 0 and not os.path.exists(copy + ".part")
    assert os.stat(copy).st_mode & 0o777 == 0o600
    assert lab.ctl("verify", copy).returncode == 0
    with sqlite3.connect(copy) as db:
        assert db.execute("SELECT count(*) FROM figure").fetchall() == lab.sql("SELECT count(*) FROM figure")
    again = lab.ctl("backup", copy, check=False)
    assert again.returncode == 1 and "đã có" in again.stderr, again.stderr
    assert not [n for n in os.listdir(lab.path("state")) if n.startswith("copy")]
    assert lab.api("/v1/backup")["status"] == lab.api("/v1/verify")["status"] == 403
    # rot in a copy: by the hash of its body
    rot(copy)
    found = lab.ctl("verify", copy, check=False)
    assert found.returncode == 1 and "SHA-256" in found.stderr, found.stderr


def rot(path):
    """Another body under the same hash, packed well: only the hash can tell. Triggers guard rows against us, not against the disk."""
    db = sqlite3.connect(path, timeout=30)
    db.execute("DROP TRIGGER body_fixed")
    db.execute("UPDATE body SET packed = (SELECT packed FROM body b WHERE b.id <> body.id AND b.packed IS NOT NULL LIMIT 1),"
               " size = (SELECT size FROM body b WHERE b.id <> body.id AND b.packed IS NOT NULL LIMIT 1) WHERE hash ="
               " (SELECT hash FROM snapshot_part WHERE snapshot = 1 AND n = (SELECT min(n) FROM snapshot_part WHERE snapshot = 1))")
    db.commit()
    db.close()


def check_rot(lab):
    path = lab.path("state", "chisod.db")
    db = sqlite3.connect(path, timeout=30)
    (good,) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'body_fixed'").fetchone()
    row = db.execute("SELECT b.id, b.packed, b.size FROM body b JOIN snapshot_part p ON p.hash = b.hash WHERE p.snapshot = 1 ORDER BY n").fetchone()
    db.close()
    rot(path)
    # never served
    assert lab.api("/v1/snapshots/1/parts/1/body", role="admin")["status"] == 500
    # found by the day's check, told once
    mails = len(lab.mails())
    clock(lab, "2024-09-06T02:31:00+07:00")
    tended(lab, "2024-09-06")
    lab.wait(lambda: lab.sql("SELECT state FROM episode WHERE rule = 'database-damaged'") == [(2,)], "the operator's episode")
    lab.wait(lambda: any("database-damaged" in str(m) or "hỏng" in str(m["Subject"]) or "cơ sở dữ liệu" in m.get_body().get_content() for m in lab.mails()[mails:]),
             "the operator is told")
    assert lab.ctl("verify", check=False).returncode == 1
    assert "hỏng" in str(lab.call("GET", "/v1/status")), "status says it"
    # mended: its end is told
    db = sqlite3.connect(path, timeout=30)
    db.execute("UPDATE body SET packed = ?, size = ? WHERE id = ?", (row[1], row[2], row[0]))
    db.execute(good)
    db.commit()
    db.close()
    assert lab.ctl("verify").returncode == 0
    lab.wait(lambda: lab.sql("SELECT state FROM episode WHERE rule = 'database-damaged'") == [(3,)], "the episode ends")


def main():
    with Lab(sys.argv[1]) as lab:
        lab.clock("2024-09-05T07:00:00+07:00")
        lab.start_publisher()
        lab.start_smtp()
        lab.start_hook()
        configure(lab, extra=EXTRA)
        lab.publish(routes({"2024-08": month("2024-08"), "2024-07": month("2024-07")}))
        lab.start()
        lab.ask("portal", "2024-08")
        lab.ask("portal", "2024-07")
        lab.settled()
        check_files(lab)
        check_rot(lab)
        check_retention(lab)
        lab.integrity()
        assert lab.stop() == 0
    print("retention: passed")


main()
