#!/usr/bin/python3
"""`chisoctl check` as Nagios runs it: one line on stdout, the exit status, perfdata that a reader takes; of a daemon that is well, that fails, and
that is not there."""
import re
import sys

from lab import Lab
from sample import configure, month, routes

PERFDATA = re.compile(r"([a-z]+)=(\d+)(B|s)?$")


def check(lab, *args):
    r = lab.ctl("check", *args, check=False)
    assert r.stdout.count("\n") == 1 and r.stdout.startswith("CHISOD "), r
    text, _, figures = r.stdout.strip().partition(" | ")
    found = [PERFDATA.match(word) for word in figures.split()]
    assert all(found) and "|" not in figures, r.stdout
    word = text.split()[1]
    assert r.returncode == ["OK", "WARNING", "CRITICAL", "UNKNOWN"].index(word), r
    return word, text.partition(" - ")[2], {m.group(1): int(m.group(2)) for m in found}


def main():
    with Lab(sys.argv[1]) as lab:
        lab.start_publisher()
        lab.start_smtp()
        lab.start_hook()
        configure(lab, "[rule portal-failing]\nwhen = source_failing 1\n")
        assert check(lab)[0] == "CRITICAL"
        lab.clock("2024-09-05T10:00:00+07:00")
        lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08")}))
        lab.start()
        lab.ask("portal", "2024-08")
        word, text, figures = check(lab)
        status = lab.json("status")
        assert "15/15 đơn vị" in text and figures["alerts"] == status["alerts"]["open"] > 0 and figures["free"] > 0, (text, figures)
        assert word == ("WARNING" if status["warnings"] or status["conditions"] else "OK"), (word, text, status)
        lab.clock("2024-09-06T03:30:00+07:00") # before the day's regular time, which would fetch anew
        assert check(lab, "--max-age", "12h")[0] == "CRITICAL" and check(lab, "--max-age", "3d")[0] == word
        assert 62900 <= check(lab)[2]["age"] < 63200 # fetched some seconds after ten
        for bad in (("--max-age", "soon"), ("--max-age", "0s"), ("--max-queued", "-1"), ("--max-queued", "x")):
            assert check(lab, *bad)[0] == "UNKNOWN", bad
        lab.publish([])
        lab.ask("portal", "2024-08")
        lab.wait(lambda: check(lab)[0] in ("WARNING", "CRITICAL") and "portal" in check(lab)[1], "the failing source")
        lab.stop()
        word, text, figures = check(lab)
        assert word == "CRITICAL" and figures == {}, (word, text)
        print("check: passed")


main()
