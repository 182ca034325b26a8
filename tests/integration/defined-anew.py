#!/usr/bin/python3
"""defined-anew.py BUILD: an indicator that has figures is given another meaning, or another source. The configuration is refused with the same
words at its line by --check-config, by a reload, which changes nothing, and by a start; without figures it may still change."""
import contextlib
import os
import sqlite3
import sys

from lab import Lab, portal

CONFIG = portal("backfill = 0\nmin_units = 0") + "[indicator total]\nlabel = Tổng\n"
MEANING = "when its first figure was stored and is '%s' now: a new meaning is a new indicator, give it another name"
SOURCE = "source was 'portal' when its first figure was stored and is '%s' now: figures stay with their source, whose label may change and whose name may not"
OTHER = CONFIG.replace("value.total = /total", "value.late = /late") + """[indicator late]
label = Trễ
[source other]
url = http://127.0.0.1:@PUB@
periods = month
[part other.rows]
url = {{url}}/other
rows = /rows
unit.code = /code
value.total = /total
"""
ANEW = [ # configuration, the line that has the say, its key, the words
    (CONFIG + "decimals = 1\n", "decimals", "decimals", "decimals was '2' " + MEANING % "1"),
    (CONFIG + "unit = percent\n", "unit =", "unit", "unit was 'points' " + MEANING % "percent"),
    (CONFIG + "direction = down\n", "direction", "direction", "direction was 'up' " + MEANING % "down"),
    (CONFIG.replace("source portal", "source cong").replace("part portal", "part cong"), "[source cong]", "source", SOURCE % "cong"),
    (OTHER, "[source other]", "source", SOURCE % "other"),
]


def stored(lab):
    with contextlib.closing(sqlite3.connect("file:%s?mode=ro" % lab.path("state", "chisod.db"), uri=True)) as db:
        return list(db.iterdump())


def trouble(lab):
    return lab.json("status")["trouble"]


def main():
    with Lab(sys.argv[1]) as lab:
        def place(config, start):
            lab.configure(config)
            with open(lab.path("etc", "chisod.conf"), encoding="utf8") as f:
                return "%s:%d: " % (lab.path("etc", "chisod.conf"), [line.startswith(start) for line in f].index(True) + 1)

        lab.clock("2024-08-08T09:00:00+07:00")
        lab.start_publisher()
        lab.configure(CONFIG + "decimals = 0\nunit = count\n")
        assert "0 errors" in lab.check_config(), lab.check_config()  # no database yet
        lab.publish([])
        lab.start()
        lab.configure(CONFIG)  # no figure yet: what was bound first binds nobody
        assert "0 errors" in lab.check_config(), lab.check_config()
        lab.reload()
        assert not trouble(lab) and lab.sql("SELECT unit, decimals FROM indicator WHERE name = 'total'") == [(1, 2)], lab.sql("SELECT * FROM indicator")
        lab.publish([{"path": "/2024-7", "json": {"rows": [{"code": "001", "name": "Xã Một", "total": 80.5}]}}])
        lab.ask("portal", "2024-07")

        before = stored(lab)
        ranked = lab.json("ranking", "--period", "2024-07")
        for config, start, key, words in ANEW:
            line = place(config, start) + "indicator total.%s: %s" % (key, words)
            said = lab.check_config()
            assert line + "\n" in said and "1 errors" in said, (line, said)
            lab.reload()
            assert line[:190] in trouble(lab), (line, trouble(lab))
            assert stored(lab) == before, set(stored(lab)) ^ set(before)
            assert lab.json("ranking", "--period", "2024-07") == ranked

        # everything that is wrong, at once
        place(CONFIG + "decimals = 1\ndirection = down\n", "decimals")
        assert "2 errors" in lab.check_config(), lab.check_config()

        # another label is another word for the same; what follows is known as ever
        lab.configure(CONFIG.replace("label = Tổng", "label = Tổng điểm"))
        assert "0 errors" in lab.check_config()
        lab.reload()
        assert not trouble(lab)
        lab.publish([{"path": "/2024-7", "json": {"rows": [{"code": "001", "name": "Xã Một", "total": 80.25}]}}])
        lab.ask("portal", "2024-07")
        assert lab.sql("SELECT value FROM figure") == [(8025,)]

        # a start with it: the same words, and no daemon
        lab.stop()
        config, start, key, words = ANEW[0]
        line = place(config, start) + "indicator total.%s: %s" % (key, words)
        assert line + "\n" in lab.check_config()
        os.truncate(lab.path("chisod.log"), 0)
        lab.start(wait=False)
        assert lab.daemon.wait(timeout=20) == 78, lab.daemon.returncode
        with open(lab.path("chisod.log"), encoding="utf8") as f:
            assert line in f.read()
        lab.configure(CONFIG)
        lab.start()
        lab.integrity()


main()
