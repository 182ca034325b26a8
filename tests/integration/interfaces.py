#!/usr/bin/python3
"""interfaces.py BUILD: every command, option, route, socket and view that scripts of users rely on is there under its name and does what the name
says. The names stand here as they were promised, and are looked for from outside: one that vanished from program, manual and description alike
would be missed here."""
import json
import os
import re
import subprocess
import sys
import urllib.parse

from lab import Lab, UnixConnection
from sample import configure, month, routes

# command -> options; {} are filled in below. Each is run, and its answer has the member (--json) or the words.
READS = [
    ("status", (), ("sources", "periods", "alerts", "holds", "outbox", "storage", "warnings")),
    ("ranking", ("--indicator total", "--period 2024-08", "--kind commune", "--parent 332", "--as-of 2024-09-05T12:00:00+07:00"), ("cohorts", "indicator")),
    ("history 12376", ("--indicator progress", "--vintages", "--as-of 2024-09-05T12:00:00+07:00"), ("periods", "unit")),
    ("alerts", ("--all", "--as-of 2024-09-05T12:00:00+07:00"), ("alerts", "total")),
    ("alert 1", (), ("transitions", "told")),
    ("explain progress-low 12376", (), ("why", "would_change", "gates", "targets")),
    ("silence list", (), ("silences",)),
    ("rules list", (), ("rules",)),
    ("rules diff", (), ("rules", "alerts")),
    ("rules backtest progress-low", (), ("days", "counts")),
    ("sources", (), ("sources",)),
    ("source try portal", (), ()),
    ("snapshot list", (), ("snapshots",)),
    ("snapshot show 1", (), ("parts", "state")),
    ("deliveries", ("--dead",), ("deliveries",)),
    ("deliveries --observed", (), ("targets",)),
    ("render", (), ("messages",)),
    ("units list", (), ("units",)),
    ("units suggest", (), ("quarantine",)),
    ("report 2024-08", ("--parent 332", "--as-of 2024-09-05T12:00:00+07:00"), ("text", "changed")),
    ("check", (), ("state", "status", "line")),
    ("verify", (), ("state",)),
]

# commands that do something, and what of it can be seen afterwards (SQL) or is said (a member of the answer)
ACTIONS = [
    ("ack 2", "SELECT count(*) FROM ack", 1),
    ("silence add --until 2030-01-01 --rule progress-low", "SELECT count(*) FROM silence", 1),
    ("silence end 1", "SELECT count(*) FROM silence_end", 1),
    ("rules release progress-low", None, None),
    ("fetch portal --from 2024-07 --to 2024-08 --wait", "SELECT count(DISTINCT period) FROM snapshot", 2),
    ("fetch", None, None),
    ("drill it", "SELECT count(*) >= 1 FROM message WHERE subject LIKE '%DIỄN TẬP%'", 1),
    ("import @file --source portal --period 2024-06 --yes", "SELECT count(*) FROM snapshot WHERE period = 2024106", 1),
    ("import --undo @import", None, None),
    ("units export @units.csv", "@units.csv", "12376"),
    ("units import @units.csv --yes", None, None),
    ("units link gso:99999 12376 --yes", "SELECT count(*) FROM unit_code WHERE code = '99999'", 1),
    ("report 2024-08 --format txt --new", None, None),
    ("backup @copy.db", "@copy.db", "SQLite format 3"),
    ("verify @copy.db", None, None),
    ("rules test @test.rules", None, None),
    ("test-mail it@tienlu.example", None, None),
    ("go-live --yes", None, None),
]
FORMATS = ("txt", "html", "csv", "xlsx", "docx")
REFUSED = [("snapshot accept 1", 1), ("snapshot reject 1", 1), ("retry 1", 1), ("units same 12376 --from 2024-01-01", 2), ("units new 12376 --from 2024-01-01", 2)]

GETS = ("/v1/status", "/v1/indicators", "/v1/periods", "/v1/units", "/v1/units/12376", "/v1/ranking", "/v1/history?unit=12376", "/v1/alerts", "/v1/alerts/1",
        "/v1/explain?rule=progress-low&unit=12376", "/v1/sources", "/v1/snapshots", "/v1/snapshots/1/parts/1/body", "/v1/restatements", "/v1/deliveries",
        "/v1/report?period=2024-08", "/metrics", "/healthz", "/")
ADMIN_GETS = ("/v1/backup", "/v1/verify")
POSTS = ("/v1/sources/portal/fetch", "/v1/snapshots?source=portal&period=2024-08", "/v1/snapshots/1/accept", "/v1/snapshots/1/reject", "/v1/alerts/1/ack",
         "/v1/silences", "/v1/deliveries/1/retry", "/v1/units", "/v1/drills", "/v1/backtest", "/v1/rules/progress-low/release", "/v1/go-live")
AS_OF = ("/v1/indicators", "/v1/ranking", "/v1/history?unit=12376", "/v1/alerts", "/v1/alerts/1", "/v1/snapshots", "/v1/restatements",
         "/v1/deliveries", "/v1/report?period=2024-08")
LISTS = ("/v1/indicators", "/v1/periods", "/v1/units", "/v1/ranking", "/v1/history?unit=12376", "/v1/alerts", "/v1/snapshots", "/v1/restatements", "/v1/deliveries",
         "/v1/sources")
TAGGED = ("/v1/indicators", "/v1/units", "/v1/ranking", "/v1/history?unit=12376", "/v1/alerts", "/v1/snapshots", "/v1/restatements", "/v1/deliveries")
VIEWS = ("v_ranking", "v_history", "v_alerts", "v_told")


def ask(lab, role, method, path, headers=None, body=None):
    connection = UnixConnection(lab.path("run", role + ".sock"))
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def check_programs(lab):
    for words, status in (("--version", 0), ("--help", 0), ("--check-config", 0)):
        r = subprocess.run([lab.path_of("chisod"), "--config", lab.path("etc", "chisod.conf"), words], env=lab.env(), stdout=subprocess.PIPE, text=True,
                           stderr=subprocess.STDOUT, timeout=60, check=False)
        assert r.returncode == status and r.stdout.strip() or words == "--check-config" and r.returncode == status, (words, r)
    locked = lab.once()
    assert locked.returncode == 75, "a daemon has the database"
    nobody = subprocess.run([lab.path_of("chisoctl"), "status"], env=dict(lab.env(), CHISO_SOCKET=lab.path("nowhere.sock")), stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, timeout=60, check=False)
    assert nobody.returncode == 3 and b"nowhere.sock" in nobody.stderr, nobody
    by_name = subprocess.run([lab.path_of("chisoctl"), "status", "--json"], env=dict(lab.env(), CHISO_SOCKET=lab.path("run", "status.sock")), check=True,
                             stdout=subprocess.PIPE, timeout=60)
    assert json.loads(by_name.stdout)["organization"] == "UBND huyện Tiên Lữ"
    for name, mode in (("status", 0o666), ("admin", 0o660)):
        assert os.stat(lab.path("run", name + ".sock")).st_mode & 0o777 == mode, name


def check_reads(lab):
    for command, options, members in READS:
        for more in ("",) + options:
            words = [*command.split(), *more.split(), "--config", lab.path("etc", "chisod.conf")]
            r = lab.ctl(*words)
            assert r.stdout.strip(), (command, more)
            text = lab.ctl(*words, "--json").stdout
            assert text.startswith("{"), (command, more, text[:200])
            answer = json.loads(text)
            assert isinstance(answer, dict) and all(m in answer for m in members), (command, more, list(answer))
    place = "  1  " in lab.ctl("ranking").stdout
    assert place and "82,71" in lab.ctl("history", "12376", "--indicator", "progress").stdout
    vintages = lab.json("history", "12370", "--indicator", "progress", "--vintages")["periods"][0]["vintages"]
    assert all(v["at"] and v["source"] and re.fullmatch("[0-9a-f]{64}", v["hash"]) for v in vintages), vintages
    for kind in FORMATS:
        path = lab.path("letter." + kind)
        lab.ctl("report", "2024-08", "--format", kind, "-o", path)
        assert os.path.getsize(path) > 500, kind


def check_actions(lab):
    files = {"@file": lab.path("june.csv"), "@units.csv": lab.path("units.csv"), "@copy.db": lab.path("copy.db"), "@test.rules": os.path.join(
        os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "scenarios", "immediate.rules")}
    with open(files["@file"], "w", encoding="utf8") as f:
        f.write("code,total\n" + "".join("%d,%d.5\n" % (12337 + 3 * i, 60 + i) for i in range(15)))
    for command, where, want in ACTIONS:
        if "@import" in command:
            files["@import"] = str(lab.sql("SELECT max(id) FROM snapshot WHERE period = 2024106")[0][0])
        r = lab.ctl(*[files.get(w, w) for w in command.split()], "--config", lab.path("etc", "chisod.conf"))
        assert r.returncode == 0 and (r.stdout.strip() or "@" in command), (command, r)
        if command.startswith("backup"):
            assert json.loads(lab.ctl("backup", files["@copy.db"] + "2", "--json").stdout)["verified"] is True
        if where and where.startswith("@"):
            with open(files[where], "rb") as f:
                assert want.encode() in f.read(), command
        elif where:
            assert lab.sql(where)[0][0] == want, (command, lab.sql(where), r.stdout)
    for command, status in REFUSED:  # known, and refused for what they were asked
        r = lab.ctl(*command.split(), check=False)
        assert r.returncode == status and "chisoctl --help" not in r.stderr, (command, r)
    assert lab.json("status")["notify"] == "live"


def check_routes(lab):
    for path in GETS:
        status, _, body = ask(lab, "status", "GET", path)
        assert status == 200 and body, (path, status, body[:200])
    for path in ADMIN_GETS:
        assert ask(lab, "status", "GET", path)[0] == 403 and ask(lab, "admin", "GET", path)[0] in (200, 202), path
    for path in POSTS:
        status, _, body = ask(lab, "status", "POST", path, body=b"{}")
        assert status == 403, (path, status, body)
        status, _, body = ask(lab, "admin", "POST", path, body=b"{}")
        known = status < 300 or json.loads(body)["detail"] and status in (400, 409) or "retry" in path and status == 404
        assert known, (path, status, body)
    assert ask(lab, "status", "DELETE", "/v1/silences/1")[0] == 403
    status, _, body = ask(lab, "admin", "DELETE", "/v1/silences/99")
    assert status == 404 and "99" in json.loads(body)["detail"]
    status, headers, body = ask(lab, "admin", "POST", "/v1/no-such")
    assert status == 404 and headers["Content-Type"] == "application/problem+json" and "/v1/no-such" in json.loads(body)["detail"]


def check_manners(lab):
    for path in AS_OF:
        join = "&" if "?" in path else "?"
        status, _, body = ask(lab, "status", "GET", path + join + "as_of=" + urllib.parse.quote("2024-09-05T12:00:00+07:00") + ("&format=json" if "report" in path else ""))
        assert status == 200 and json.loads(body)["as_of"]["at"].startswith("2024-09-05T12:00"), (path, body[:300])
    for path in LISTS:
        join = "&" if "?" in path else "?"
        whole = json.loads(ask(lab, "status", "GET", path)[2])
        part = json.loads(ask(lab, "status", "GET", path + join + "limit=1&offset=0")[2])
        key = next(k for k, v in part.items() if isinstance(v, list) and k not in ("with", "predecessors", "successors"))
        count = lambda a: sum(len(c["rows"]) for c in a[key]) if key == "cohorts" else len(a[key])
        rest = json.loads(ask(lab, "status", "GET", path + join + "limit=1&offset=1000")[2])
        assert count(part) == min(1, count(whole)) and count(rest) == 0, (path, part, rest)
    for path in TAGGED:
        _, headers, _ = ask(lab, "status", "GET", path)
        assert ask(lab, "status", "GET", path, {"If-None-Match": headers["ETag"]})[0] == 304, path
    for view in VIEWS:
        assert lab.sql("SELECT count(*) FROM " + view)[0][0] > 0, view
    with open(lab.path("state", "chisod.db"), "rb") as f:
        head = f.read(100)
    assert head[60:64] != b"\0\0\0\0" and head[68:72] != b"\0\0\0\0", "user_version and application_id"


def main():
    with Lab(sys.argv[1]) as lab:
        lab.clock("2024-08-05T08:05:00+07:00")
        lab.start_publisher()
        lab.start_smtp()
        lab.start_hook()
        lab.publish(routes({name: month(name) for name in ("2024-07", "2024-08")}))
        configure(lab, extra="[daemon]\nnotify = observe\n")
        lab.start()
        lab.clock("2024-08-06T07:30:00+07:00")
        lab.ask("portal", "2024-07")
        lab.clock("2024-09-05T07:30:00+07:00")
        lab.ask("portal", "2024-08")
        lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08", "2024-08-restated")}))
        lab.clock("2024-09-06T07:30:00+07:00")
        lab.ask("portal", "2024-08")
        check_programs(lab)
        check_reads(lab)
        check_actions(lab)
        lab.wait(lambda: lab.sql("SELECT count(*) FROM v_told")[0][0] > 0 and lab.settled(), "somebody was told", 60)
        check_routes(lab)
        check_manners(lab)
        assert lab.stop() == 0
        assert lab.once().returncode in (0, 1), "chisod --once"
    print("interfaces: passed (%d commands, %d routes)" % (len(READS) + len(ACTIONS) + len(REFUSED), len(GETS) + len(ADMIN_GETS) + len(POSTS) + 1))


main()
