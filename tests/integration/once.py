#!/usr/bin/python3
"""once.py BUILD: `chisod --once`, --check-config, reload, stop, and who may have the database."""
import os
import re
import signal
import subprocess
import sys
import time

from lab import Lab
from sample import EVALUATION, SECRET, configure, month, routes

SUMMARY = EVALUATION + "service-results"
MONTHS = {"2024-07": month("2024-07"), "2024-08": month("2024-08")}
LAST_LINE = re.compile(r"(\d+) jobs failed, (\d+) attempts not accepted, (\d+) messages stay queued")


def setup(lab, *smtp):
    lab.clock("2024-08-05T07:30:00+07:00")
    lab.start_publisher()
    lab.start_smtp("--mode-file", lab.path("smtp-mode"), *smtp)
    lab.start_hook(SECRET)
    configure(lab)
    lab.publish(routes(MONTHS))


def mode(lab, text):
    with open(lab.path("smtp-mode"), "w", encoding="ascii") as f:
        f.write(text)


def once(lab, status, failed=0, refused=0, queued=0):
    before = len(lab.mails()), len(lab.hooks()), len(lab.requests())
    r = lab.once()
    found = LAST_LINE.fullmatch(r.stdout.splitlines()[-1]) if r.stdout else None
    assert found and r.returncode == status, (r.returncode, r.stdout)
    assert tuple(map(int, found.groups())) == (failed, refused, queued), r.stdout
    lab.integrity()
    assert not os.listdir(lab.path("run")), "--once opens no socket"
    return tuple(now - then for now, then in zip((len(lab.mails()), len(lab.hooks()), len(lab.requests())), before))


def rows(lab):
    return {t: lab.sql("SELECT count(*) FROM " + t)[0][0] for t in ("figure", "vintage", "transition", "message", "snapshot")}


def a_month(lab):
    """July, then August: everybody is told in one run, although it is before digest_at; the next runs say nothing."""
    assert once(lab, 0) == (0, 0, 3)
    lab.clock("2024-09-05T07:30:00+07:00")
    assert once(lab, 0) == (2, 1, 3)
    assert sorted(m["To"] for m in lab.mails()) == ["cuongchinh@tienlu.example", "vanphong@tienlu.example"]
    before = rows(lab)
    assert once(lab, 0) == (0, 0, 3) and rows(lab) == before
    # the daemon finds today's digest done
    lab.clock("2024-09-05T08:00:01+07:00")
    lab.start()
    lab.ask("portal", "2024-08")
    lab.wait(lab.settled, "nothing is under way")
    assert rows(lab) == before and len(lab.mails()) == 2
    assert lab.stop() == 0


def busy_database(lab):
    """75 for whoever comes second, and the first one goes on."""
    lab.start()
    r = lab.once()
    assert r.returncode == 75 and r.stdout == "", (r.returncode, r.stdout)
    second = subprocess.run([lab.path_of("chisod"), "--config", lab.path("etc", "chisod.conf")], env=lab.env(), stdout=lab.logs,
                            stderr=lab.logs, timeout=30, check=False)
    assert second.returncode == 75, second.returncode
    lab.ask("portal", "2024-08")
    assert lab.call("GET", "/v1/status") and lab.stop() == 0
    assert once(lab, 0)[2] == 3


def failures(lab):
    """1 when a job or an attempt failed; what a publisher forbade is not asked again on that day."""
    broken = lambda **route: lab.publish(routes({"2024-07": MONTHS["2024-07"]}) + [dict(path=SUMMARY, mode="status", body="no", **route)])
    before = rows(lab)
    broken(status=500)
    for n in range(1, 4): # `source_failing 3`: told at the third
        lab.clock("2024-09-0%dT10:00:00+07:00" % (5 + n))
        assert once(lab, 1, failed=1)[0] == (n == 3), n
    broken(status=403)
    lab.clock("2024-09-12T10:00:00+07:00")
    assert once(lab, 1, failed=1)[::2] == (1, 1) # refused is told at once
    for _ in range(2):
        assert once(lab, 1, failed=1) == (0, 0, 0)
    lab.publish(routes(MONTHS))
    assert once(lab, 1, failed=1) == (0, 0, 0)
    lab.clock("2024-09-13T10:00:00+07:00")
    assert once(lab, 0)[::2] == (1, 3)
    assert {k: v for k, v in rows(lab).items() if k in ("figure", "vintage", "snapshot")} == \
        {k: v for k, v in before.items() if k in ("figure", "vintage", "snapshot")}


def relay(lab):
    """A message that is not accepted stays queued; one attempt a run."""
    lab.publish(routes({"2024-07": MONTHS["2024-07"], "2024-08": month("2024-08", "2024-08-restated")}))
    lab.clock("2024-09-17T09:00:00+07:00")
    mode(lab, "rcpt450")
    assert once(lab, 1, refused=1, queued=1)[:2] == (0, 1)
    assert once(lab, 0, queued=1)[:2] == (0, 0) # not due again yet
    lab.clock("2024-09-17T09:01:00+07:00")
    assert once(lab, 1, refused=1, queued=1)[:2] == (0, 0)
    mode(lab, "ok")
    lab.clock("2024-09-17T10:00:00+07:00")
    assert once(lab, 0)[:2] == (1, 0)
    assert "ĐÍNH CHÍNH" in lab.mails()[-1]["Subject"], lab.mails()[-1]["Subject"]


def day_off(lab):
    """On a Saturday officials are left alone; on Monday they hear of it."""
    lab.publish(routes(MONTHS))
    lab.clock("2024-09-21T09:00:00+07:00")
    assert once(lab, 0)[:2] == (0, 1)
    lab.clock("2024-09-23T07:00:00+07:00")
    mails = once(lab, 0)[0]
    assert mails >= 1, mails


# ---- configuration

BROKEN = """
[daemon]
digest_at = 25:00
colour = blue
[source portal]
numbers = roman
min_units = many
[rule total-low]
when = under 85
indicator = totality
[recipient district]
role = king
[nonsense x]
a = b
"""


def check_config(lab):
    dropin = lab.path("etc", "chisod.conf.d", "90-broken.conf")
    program = [lab.path_of("chisod"), "--config", lab.path("etc", "chisod.conf")]
    check = lambda: subprocess.run(program + ["--check-config"], env=lab.env(), stdout=subprocess.PIPE, text=True, timeout=30, check=False)
    r = check()
    assert r.returncode == 0 and "0 errors" in r.stdout.splitlines()[-1], r.stdout
    with open(dropin, "w", encoding="ascii") as f:
        f.write(BROKEN)
    r = check()
    lines = BROKEN.split("\n")
    wrong = ("digest_at", "colour", "numbers", "min_units", "when", "indicator", "role", "[nonsense")
    for word in wrong:
        n = 1 + next(i for i, line in enumerate(lines) if line.startswith(word))
        assert re.search(r"^%s:%d: \S.*: \S" % (re.escape(dropin), n), r.stdout, re.M), (word, n, r.stdout)
    n_errors = int(re.match(r"(\d+) errors", r.stdout.splitlines()[-1]).group(1))
    assert r.returncode == 1 and n_errors >= len(wrong), r.stdout
    print(r.stdout)
    # neither the daemon nor --once starts with it
    for more in ([], ["--once"]):
        r = subprocess.run(program + more, env=lab.env(), stdout=lab.logs, stderr=lab.logs, timeout=30, check=False)
        assert r.returncode == 78, r.returncode
    return dropin


def log_since(lab, start):
    with open(lab.path("chisod.log"), encoding="utf8") as f:
        return f.read()[start:]


def reload(lab, word):
    start = len(log_since(lab, 0))
    lab.daemon.send_signal(signal.SIGHUP)
    lab.wait(lambda: word in log_since(lab, start), word)
    return log_since(lab, start)


def standing(lab):
    """What the daemon says and knows, without times."""
    status = lab.call("GET", "/v1/status")
    alerts = lab.call("GET", "/v1/alerts")
    targets = lab.sql("SELECT key, address, state FROM target")
    rules = lab.sql("SELECT rule, from_period, text FROM rule_version")
    return [s["name"] for s in status["sources"]], alerts["alerts"], targets, rules, rows(lab)


def write(path, text):
    with open(path, "w", encoding="utf8") as f:
        f.write(text)


def reloads(lab, dropin):
    os.unlink(dropin)
    lab.start()
    before = standing(lab)
    # errors in the text; a definition that the stored figures contradict; templates of a folder that is not there are the built-in ones
    indicator = "[indicator total]\ndecimals = 1\n"
    for text in (BROKEN, "[daemon\n", indicator):
        write(dropin, text)
        said = reload(lab, "not reloaded")
        assert dropin in said or "total" in said, said
        lab.ask("portal", "2024-08")
        assert standing(lab) == before, text
    os.unlink(dropin)
    reload(lab, "configuration reloaded")
    lab.ask("portal", "2024-08")
    assert standing(lab) == before
    # a good one does what it says
    opened = lambda: {a["unit"]["name"] for a in lab.call("GET", "/v1/alerts")["alerts"] if a["rule"] == "total-low" and a["state"] == "open"}
    two = {"UBND xã Ngô Quyền", "UBND xã Cương Chính"}
    assert opened() == two
    write(dropin, "[rule total-low]\nwhen = below 86\n")
    reload(lab, "configuration reloaded")
    assert opened() == two | {"UBND xã Thiện Phiến", "UBND xã Trung Dũng"}, opened()
    os.unlink(dropin)
    reload(lab, "configuration reloaded")
    assert opened() == two, opened()
    # what was said before is not said again
    label = lambda: lab.call("GET", "/v1/ranking")["indicator"]["label"]
    old = label()
    write(dropin, "[indicator total]\nlabel = Điểm chung\n")
    reload(lab, "configuration reloaded")
    assert label() == "Điểm chung" != old, label()
    os.unlink(dropin)
    reload(lab, "configuration reloaded")
    assert label() == old, label()
    summaries = "SELECT count(*) FROM message WHERE subject LIKE '%quy tắc mới hoặc đổi%' AND state = 3"
    lab.wait(lambda: lab.sql(summaries)[0][0] == 2 and lab.settled(), "the operator got a summary of either reload")
    assert lab.stop() == 0


def stop(lab):
    """SIGTERM and SIGINT end at once, whatever is on the wire; what was under way comes again with its id."""
    lab.publish([{"path": SUMMARY, "mode": "hang"}])
    lab.start()
    assert lab.call("POST", "/v1/sources/portal/fetch")
    lab.wait(lambda: lab.requests()[-1]["mode"] == "hang", "the publisher hangs")
    begin = time.monotonic()
    assert lab.stop(signal.SIGTERM) == 0 and time.monotonic() - begin < 5
    mode(lab, "hangdot")
    lab.publish(routes(MONTHS))
    lab.start()
    n = len(lab.mails())
    lab.ctl("drill", "it")
    lab.wait(lambda: len(lab.mails()) == n + 1, "the relay got the mail, but does not say so")
    begin = time.monotonic()
    assert lab.stop(signal.SIGINT) == 0 and time.monotonic() - begin < 5
    mode(lab, "ok")
    lab.start()
    lab.wait(lambda: len(lab.mails()) == n + 2 and lab.settled(), "the mail again")
    a, b = lab.mails()[n:]
    assert a["Message-ID"] == b["Message-ID"] and a.as_bytes() == b.as_bytes()
    assert lab.stop() == 0
    lab.integrity()


def command_line(lab):
    run = lambda *args: subprocess.run([lab.path_of("chisod"), *args], env=lab.env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                       timeout=30, check=False)
    assert run("--version").stdout.startswith("chisod ") and "--once" in run("--help").stdout
    assert run("--nonsense").returncode == 2 and run("nonsense").returncode == 2
    assert run("--config", lab.path("none.conf")).returncode == 78
    assert run("--config", lab.path("none.conf"), "--check-config").returncode == 1


def main():
    with Lab(sys.argv[1]) as lab:
        setup(lab)
        command_line(lab)
        a_month(lab)
        busy_database(lab)
        failures(lab)
        relay(lab)
        day_off(lab)
        reloads(lab, check_config(lab))
        stop(lab)
    print("once: passed")


main()
