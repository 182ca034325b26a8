#!/usr/bin/python3
"""refusals.py BUILD: what is written wrongly is refused by name, with what there is instead, before anything changes. chisoctl ends with 2 where
the command must be written otherwise, with 1 where something is not there or a file is no good, and the API says which of the two it is."""
import os
import sys

from lab import Lab
from sample import start_both_months

ARGUMENT = "urn:chisod:problem:argument"

# command; exit status; words of the complaint
WRONG = [
    ("ranking --kind nope", 2, ("nope", "commune")),
    ("ranking --indicator nope", 2, ("nope", "total", "progress")),
    ("ranking --parent nowhere", 2, ("nowhere",)),
    ("ranking --period 2024-13", 2, ("2024-13", "2024-08")),
    ("ranking --as-of yesterday", 2, ("yesterday", "2026-10-31")),
    ("ranking --limit 0", 2, ("limit", "1")),
    ("ranking --with total,nope", 2, ("nope", "progress")),
    ("ranking --with progress,digitization,progress", 2, ("progress có hai lần",)),
    ("ranking --as-of 2020-01-01", 1, ("total",)),
    ("ranking --indicator", 2, ("--indicator: thiếu giá trị", "chisoctl ranking --help")),
    ("ranking --indicator --period 2024-08", 2, ("--indicator: thiếu giá trị",)),
    ("ranking --as-of=", 2, ("--as-of: thiếu giá trị",)),
    ("ranking --period 9999-12", 1, ("Không có số liệu Điểm tổng hợp", "12/9999")),
    ("--json --socket", 2, ("--socket: thiếu giá trị",)),
    ("history " + 10000 * "x", 2, ("quá dài", "10000 byte", "4096")),
    ("history " + 1500 * "ạ", 2, ("quá dài", "4096")),
    ("history nowhere", 2, ("nowhere", "chisoctl units list")),
    ("history 12376 --indicator nope", 2, ("nope", "total")),
    ("history 12376 --type week", 2, ("week", "month")),
    ("alerts --rule nope", 2, ("nope", "progress-low")),
    ("alerts --unit nowhere", 2, ("nowhere",)),
    ("alert 99", 1, ("99", "chisoctl alerts --all")),
    ("alert first", 2, ("first",)),
    ("explain nope 12376", 2, ("nope", "progress-low")),
    ("explain progress-low nowhere", 2, ("nowhere",)),
    ("ack 1 --until 2024-09-01", 2, ("01/09/2024", "05/09/2024 07:3")),
    ("ack 1 --until soon", 2, ("soon",)),
    ("ack 99", 1, ("99",)),
    ("silence add --until 2024-09-01 --rule progress-low", 2, ("01/09/2024",)),
    ("silence add --until 2024-10-01 --rule nope", 2, ("nope", "progress-low")),
    ("silence add --until 2024-10-01 --severity loud", 2, ("warning", "critical")),
    ("silence add --until 2024-10-01 --from 2024-11-01", 2, ("until", "from")),
    ("silence end 99", 1, ("99", "chisoctl silence list")),
    ("rules release nope", 2, ("nope", "progress-low")),
    ("rules backtest nope", 2, ("nope", "progress-low")),
    ("rules backtest progress-low --when sometimes", 2, ('(when) "sometimes"', "unknown condition")),
    ("fetch nowhere", 2, ("nowhere", "portal")),
    ("fetch portal --from 2024-08 --to 2024-07", 2, ("from", "to")),
    ("fetch portal --from 2024-Q3", 2, ("portal",)),
    ("fetch portal --from 2025-01 --to 2025-02", 2, ("2025-01 chưa bắt đầu",)),
    ("fetch portal --from 2024-08 --to 2024-11", 2, ("2024-10 chưa bắt đầu",)),
    ("fetch portal --to 2024-10", 2, ("2024-10 chưa bắt đầu",)),
    ("snapshot list --source nowhere", 2, ("nowhere", "portal")),
    ("snapshot show 99", 1, ("99", "chisoctl snapshot list")),
    ("snapshot accept 1", 1, ("1",)),
    ("import @good --source nowhere --period 2024-08 --yes", 2, ("nowhere", "portal")),
    ("import @good --source portal --period 2030-01 --yes", 2, ("2030-01",)),
    ("import @bad --source portal --period 2024-08 --yes", 1, ("không nhập được",)),
    ("import @good --source portal --period 2024-08 --sheet q", 2, ("chisoctl import --sheet", "@good", "xlsx")),
    ("import @good", 2, ("cách dùng: chisoctl import", "--scope")),
    ("units import @good --sheet q", 2, ("chisoctl units import --sheet", "xlsx")),
    ("units link A B --from 2024-99-01", 2, ('"2024-99-01" không phải ngày',)),
    ("units same A --from soon", 2, ('"soon" không phải ngày',)),
    ("units list --kind nope", 2, ("nope", "commune")),
    ("units link gso:12376 gso:12376", 2, ("gso:12376",)),
    ("units link 12376 12376", 2, ("12376",)),
    ("units same 12376 --from 2024-08-01", 2, ("12376",)),
    ("units import @bad --yes", 1, ("dòng 2",)),
    ("verify /nowhere/chiso.db", 1, ("không đọc được /nowhere/chiso.db",)),
    ("verify /", 1, ("không đọc được /",)),
    ("verify @bad", 1, ("@bad không phải cơ sở dữ liệu",)),
    ("deliveries --dead --observed", 2, ("--dead", "--observed")),
    ("report 2024-08 --format txt --machine", 2, ("--machine", "--format csv")),
    ("report 2024-08 --machine --json", 2, ("--machine", "--format csv")),
    ("retry 99", 1, ("99", "chisoctl deliveries")),
    ("drill nobody", 2, ("nobody", "district")),
    ("render nobody", 2, ("nobody", "district")),
    ("report 2024-13", 2, ("2024-13",)),
    ("report 2020-01", 1, ("1/2020",)),
    ("report 2024-08 --format pdf", 2, ("pdf", "docx")),
    ("no-such-command", 2, ("no-such-command",)),
]

PROBLEMS = [
    ("/v1/ranking?kind=nope", 404, ARGUMENT), ("/v1/ranking?indicator=nope", 404, ARGUMENT), ("/v1/ranking?as_of=x", 400, ARGUMENT),
    ("/v1/history?unit=nowhere", 404, ARGUMENT), ("/v1/units?kind=nope", 404, ARGUMENT), ("/v1/alerts?rule=nope", 404, ARGUMENT),
    ("/v1/alerts?limit=x", 400, ARGUMENT), ("/v1/alerts/99", 404, "about:blank"), ("/v1/ranking?as_of=2020-01-01", 404, "about:blank"),
    ("/v1/nothing", 404, "about:blank"), ("/v1/ranking?perod=2024-08", 400, ARGUMENT), ("/v1/ranking?limit=1&limit=2", 400, ARGUMENT),
]


def check_commands(lab):
    steps = lab.sql("SELECT max(id) FROM step")
    files = {"@good": lab.path("good.csv"), "@bad": lab.path("bad.csv")}
    with open(files["@good"], "w", encoding="utf8") as f:
        f.write("code,total\n12376,80\n")
    with open(files["@bad"], "w", encoding="utf8") as f:
        f.write("what,is,this\n1,2,3\n")
    for command, status, words in WRONG:
        r = lab.ctl(*[files.get(w, w) for w in command.split()], check=False)
        assert r.returncode == status, (command, r.returncode, r.stdout, r.stderr)
        assert r.stdout == "" and all(w.replace("@good", files["@good"]).replace("@bad", files["@bad"]) in r.stderr for w in words), (command, r.stderr)
    for empty in (("ranking", "--as-of", ""), ("ack", "2", "--by", "")):
        r = lab.ctl(*empty, check=False)
        assert r.returncode == 2 and empty[-2] + ": thiếu giá trị" in r.stderr, r
    r = lab.ctl("ranking", "--json", "--period", "9999-12", check=False)
    assert r.returncode == 1 and '"cohorts":[]' in r.stdout.replace(" ", ""), r
    assert lab.sql("SELECT max(id) FROM step") == steps, "a refused command changed something"
    assert lab.ctl("rules", "release", "progress-low").stdout == "không có gì đang bị giữ\n"
    assert lab.ctl("ranking", "--limit", "1").stdout.endswith(" · chỉ in 1 dòng: --limit\n")
    for command in ("alerts --rule mass-guard", "fetch portal --from 2024-08 --to 2024-09", "ack 1 --until 2024-09-05", "silence add --until 2024-09-05 --rule progress-low"):
        assert lab.ctl(*command.split()).returncode == 0, command


def check_problems(lab):
    for path, status, kind in PROBLEMS:
        problem = lab.api(path)
        assert (problem["status"], problem["type"]) == (status, kind), (path, problem)


# what a route reads, with a member written wrongly: without it everything would be meant
BODIES = [
    ("/v1/silences", {"until": "2024-12-31", "units": "12376"}, "units", "unit"), ("/v1/alerts/1/ack", {"untill": "2024-12-31"}, "untill", "until"),
    ("/v1/go-live", {"previev": True}, "previev", "preview"), ("/v1/go-live", {"preview": "true"}, "preview", "true"),
    ("/v1/drills", {"recipient": "district", "to": "it"}, "to", "recipient"), ("/v1/backtest", {"rule": "progress-low", "wen": "below 90"}, "wen", "when"),
    ("/v1/snapshots/1/reject", {"note": "sai"}, "note", "không nhận"),
]


def check_bodies(lab):
    counts = "SELECT (SELECT max(id) FROM step), (SELECT count(*) FROM silence), (SELECT count(*) FROM ack), (SELECT count(*) FROM message)"
    before, notify = lab.sql(counts), lab.json("status")["notify"]
    for path, body, wrong, right in BODIES:
        problem = lab.api(path, "admin", "POST", body)
        assert (problem["status"], problem["type"]) == (400, ARGUMENT), (path, body, problem)
        assert wrong in problem["detail"] and right in problem["detail"], (path, body, problem)
    assert lab.sql(counts) == before and lab.json("status")["notify"] == notify, "a refused body did something"


def check_broken_file(lab):
    """What rules diff reads from the disk is complained of as chisod --check-config does: by file, line and key."""
    path = lab.path("etc", "chisod.conf.d", "90-broken.conf")
    with open(path, "w", encoding="utf8") as f:
        f.write("[rule progress-low]\nwhen = below many\n")
    r = lab.ctl("rules", "diff", check=False)
    assert r.returncode == 1 and "%s:2: " % path in r.stderr and "when" in r.stderr, r
    os.unlink(path)
    assert lab.ctl("rules", "diff").returncode == 0


RULES = """[daemon]
organization = Mẫu
[source s]
namespace = s
[part s.all]
url = http://127.0.0.1:1/
unit.code = /code
value.progress = /progress
[rule low]
indicator = progress
when = %s
[recipient o]
webhook = http://127.0.0.1:1/
---
"""
SCRIPTS = [
    ("beneath 95", "at 2024-09-06 08:00", "%s:11: rule low.when: "),
    ("below 95", "at 2024-09-06 08:00\n\nreload [rule low] when = beneath 95", "%s:17: rule low.when: "),
    ("below 95", "at 2024-09-06 08:00\nat 2024-09-05 08:00", "%s:16: this lies before the time that was reached"),
    ("below 95", "at 2024-09-06 08:00\nat 2034-09-05 08:00\nat 2034-09-05 09:00", "%s:16: more than 2000 days"),
]


def check_scripts(lab):
    """A script of rules is complained of in its own lines, never in those of the files that are made of it."""
    path = lab.path("own.rules")
    for when, script, words in SCRIPTS:
        with open(path, "w", encoding="utf8") as f:
            f.write(RULES % when + script + "\n")
        r = lab.ctl("rules", "test", path, check=False)
        assert r.returncode == 1 and r.stdout.startswith(words % path) and r.stderr == "", (script, r)
        assert r.stdout.count("\n") == 1 and "/tmp/chisod-rules" not in r.stdout, (script, r)


def main():
    with Lab(sys.argv[1]) as lab:
        start_both_months(lab)
        check_commands(lab)
        check_problems(lab)
        check_bodies(lab)
        check_broken_file(lab)
        check_scripts(lab)
        assert lab.stop() == 0
    print("refusals: passed (%d commands, %d problems)" % (len(WRONG), len(PROBLEMS) + len(BODIES)))


main()
