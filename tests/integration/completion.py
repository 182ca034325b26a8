#!/usr/bin/python3
"""completion.py BUILD: what bash offers for chisoctl: commands, options, and the names that the daemon knows, asked at the socket that the line
names. Without a daemon nothing is offered, nothing is said, and nobody waits."""
import os
import shlex
import socket
import subprocess
import sys
import time

from lab import TOP, Lab
from sample import start_both_months

# the line (a bar where the cursor stands behind an unfinished word); some of what is offered; what is not
LINES = [
    ("chisoctl ra|", {"ranking"}, {"rules"}),
    ("chisoctl ranking --in|", {"--indicator"}, {"--vintages"}),
    ("chisoctl ranking --indicator |", {"total", "progress"}, {"portal"}),
    ("chisoctl ranking --indicator to|", {"total"}, {"progress"}),
    ("chisoctl ranking --period |", {"2024-07", "2024-08"}, {"2024-06"}),
    ("chisoctl ranking --kind |", {"commune"}, {"--json"}),
    ("chisoctl ranking --sort d|", {"delta"}, {"place"}),
    ("chisoctl history 1237|", {"12370", "12373", "12376", "12379"}, {"12337"}),
    ("chisoctl history 12376 --type |", {"month", "year"}, set()),
    ("chisoctl explain |", {"progress-low"}, {"12376"}),
    ("chisoctl explain progress-low 1237|", {"12376"}, {"progress-low"}),
    ("chisoctl alerts --rule prog|", {"progress-low"}, {"rank-fall"}),
    ("chisoctl alerts --unit 12376 --rule |", {"progress-low"}, {"12376"}),
    ("chisoctl alert |", {"1", "2"}, {"progress-low"}),
    ("chisoctl ack |", {"1", "2"}, set()),
    ("chisoctl rules |", {"list", "diff", "backtest", "release", "test"}, {"progress-low"}),
    ("chisoctl rules release |", {"progress-low"}, {"list"}),
    ("chisoctl silence |", {"add", "list", "end"}, set()),
    ("chisoctl silence add --severity |", {"warning", "critical"}, set()),
    ("chisoctl silence end |", {"1"}, set()),
    ("chisoctl snapshot show |", {"1", "2"}, {"list"}),
    ("chisoctl snapshot list --source |", {"portal"}, set()),
    ("chisoctl fetch |", {"portal"}, {"try"}),
    ("chisoctl fetch --from 2024-07 --to |", {"2024-08"}, {"portal"}),
    ("chisoctl source |", {"try"}, {"portal"}),
    ("chisoctl source try |", {"portal"}, {"try"}),
    ("chisoctl units link gso:99 |", {"12376"}, {"list"}),
    ("chisoctl drill |", {"it", "district"}, {"it@tienlu.example"}),
    ("chisoctl render di|", {"district"}, {"it"}),
    ("chisoctl report |", {"2024-08"}, {"portal"}),
    ("chisoctl report 2024-08 --format |", {"txt", "html", "csv", "xlsx", "docx", "json"}, set()),
    ("chisoctl units export --format |", {"csv", "xlsx"}, {"docx"}),
    ("chisoctl --socket @run ranking --indicator |", {"total", "progress"}, set()),
    ("chisoctl names |", {"units", "rules"}, set()),
    ("chisoctl ranking --limit |", set(), {"total"}),
    ("chisoctl status |", set(), {"total"}),
]


def offered(lab, line, path):
    """What bash has in COMPREPLY, all that was said beside it, and the seconds that it took."""
    words = line.replace("@run", lab.path("run")).split("|")[0]
    unfinished = not words.endswith(" ")
    words = words.split() + ([] if unfinished else [""])
    script = "source %s; COMP_WORDS=(%s); COMP_CWORD=%d; _chisoctl; printf '%%s\\n' \"${COMPREPLY[@]}\"" % (
        shlex.quote(os.path.join(TOP, "systemd", "chisoctl.bash")), " ".join(shlex.quote(w) for w in words), len(words) - 1)
    began = time.monotonic()
    r = subprocess.run(["bash", "--norc", "-u", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
                       env=dict(lab.env(), PATH="%s:%s" % (lab.build, os.environ["PATH"]), CHISO_SOCKET=path))
    return set(r.stdout.split()), r.stderr, time.monotonic() - began


def main():
    with Lab(sys.argv[1]) as lab:
        start_both_months(lab)
        lab.ctl("silence", "add", "--until", "2030-01-01", "--rule", "progress-low")
        for line, wanted, unwanted in LINES:
            seen, said, _ = offered(lab, line, lab.path("run"))
            assert wanted <= seen and not unwanted & seen and not said, (line, seen, said)
        refused = lab.ctl("names", "people", check=False)
        assert refused.returncode == 2 and "recipients" in refused.stderr, refused
        assert lab.stop() == 0
        seen, said, took = offered(lab, "chisoctl ranking --indicator |", lab.path("run"))
        assert not seen and not said and took < 5, (seen, said, took)
        with socket.socket(socket.AF_UNIX) as deaf:  # takes the question and never answers
            deaf.bind(lab.path("deaf.sock"))
            deaf.listen(5)
            seen, said, took = offered(lab, "chisoctl ranking --indicator |", lab.path("deaf.sock"))
            assert not seen and not said and took < 10, (seen, said, took)
    print("completion: passed (%d lines)" % len(LINES))


main()
