#!/usr/bin/python3
"""metrics.py BUILD: /metrics read by a strict reader of the text format, held against /v1/status, and the example alerts against it."""
import json
import re
import subprocess
import sys

import yaml

from lab import TOP, Lab
from sample import configure, month, routes

ALERTS = TOP + "/conf/monitoring/chisod-alerts.yml"
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(r"(%s)(?:\{(%s(?:,%s)*)\})? (-?\d+(?:\.\d+)?)$" % (NAME, LABEL, LABEL))
ONE_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"')


def parse(text):
    """{name: {labels: value}}. Every family: HELP, TYPE, its samples, in one piece and once; no sample twice; promtool's conventions."""
    assert text.endswith("\n") and "\r" not in text
    families, current, helped = {}, None, None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            _, _, helped, words = line.split(" ", 3)
            assert re.fullmatch(NAME, helped) and words.strip() and helped not in families, line
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == helped and kind in ("counter", "gauge"), line
            assert name.endswith("_total") == (kind == "counter"), line
            assert not re.search(r"_(ms|milliseconds|kb|minutes|hours)(_|$)", name), line
            families[name], current = {}, name
        else:
            found = SAMPLE.match(line)
            assert found, "no sample: %r" % line
            name, labels, value = found.groups()
            assert name == current, "outside its family: %r" % line
            key = tuple(sorted(ONE_LABEL.findall(labels or "")))
            assert key not in families[name] and len({k for k, _ in key}) == len(key), "twice: %r" % line
            families[name][key] = float(value)
    return families


def check_reader():
    """The reader itself refuses what is wrong."""
    good = "# HELP a b c\n# TYPE a gauge\na{x=\"1\\n\"} 1\n"
    assert parse(good) == {"a": {(("x", "1\\n"),): 1.0}}
    for bad in ("a 1\n", good + "a{x=\"1\\n\"} 2\n", good + "b 1\n", good[:-1], good.replace("gauge", "counter"), good.replace("} 1", "} x"),
                good.replace("\\n", "\\q"), good + good, good.replace(" 1\n", "  1\n")):
        try:
            parse(bad)
        except AssertionError:
            continue
        raise SystemExit("read what is wrong: %r" % bad)


def promtool(*args, given=b""):
    """Exit status and words of Prometheus' own tool."""
    done = subprocess.run(["promtool", "check", *args], input=given, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode()


def check_promtool(body):
    """It knows a bad name from a good one, finds nothing in ours, and can read the example alerts."""
    assert promtool("metrics", given=b"# HELP a_days A.\n# TYPE a_days gauge\na_days 1\n")[0] != 0
    assert promtool("metrics", given=body.encode()) == (0, ""), promtool("metrics", given=body.encode())
    status, words = promtool("rules", ALERTS)
    assert status == 0 and "SUCCESS" in words, words


def get(lab):
    argv = ["curl", "-sSi", "--unix-socket", lab.path("run", "status.sock"), "http://x/metrics"]
    head, body = subprocess.run(argv, check=True, stdout=subprocess.PIPE).stdout.decode().replace("\r\n", "\n").split("\n\n", 1)
    assert "Content-Type: text/plain; version=0.0.4; charset=utf-8" in head and head.startswith("HTTP/1.1 200"), head
    check_promtool(body)
    return parse(body)


def check_same(families, status):
    one = lambda name: families[name][()]
    assert one("chisod_alerts_held") == status["alerts"]["held"]
    assert one("chisod_last_step") == status["last_step"]["id"]
    assert one("chisod_database_bytes") == status["storage"]["bytes"]
    assert one("chisod_conditions_open") == len(status["conditions"])
    rules = {(("rule", r["rule"]), ("severity", s)): n for r in status["alerts"]["by_rule"]
             for s, n in (("critical", r["critical"]), ("warning", r["open"] - r["critical"]))}
    assert families["chisod_alerts_open"] == rules and sum(rules.values()) == status["alerts"]["open"] > 0, rules
    assert families["chisod_messages"] == {(("state", s),): n for s, n in status["outbox"].items()}
    assert families["chisod_source_up"] == {(("source", "portal"),): 1}
    assert families["chisod_period_units_with_value"] == {(("type", "month"),): 15}
    assert families["process_resident_memory_bytes"][()] > 1 << 20 and one("process_cpu_seconds_total") > 0
    assert one("chisod_notify_live") == 1 and one("chisod_trouble") == 0 and one("chisod_store_failing") == 0


# only while there is something to say
SOMETIMES = {"chisod_channel_paused_timestamp_seconds"}


def asked_for(expression):
    """Names of metrics in an expression: without label matchers, and whatever is called or a keyword left out."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\bby \([^)]*\)", "", expression)
    return {n for n in re.findall(r"[a-z_]\w*\b(?!\s*\()", bare) if n not in ("or", "and", "unless", "e6", "by")}


def check_alerts(families):
    """Every metric that the example alerts and the example dashboard ask for exists; the dashboard shows each of ours."""
    with open(ALERTS, encoding="utf8") as f:
        rules = [r for g in yaml.safe_load(f)["groups"] for r in g["rules"]]
    assert len({r["alert"] for r in rules}) == len(rules) >= 8
    for r in rules:
        used = asked_for(r["expr"])
        assert used and used <= set(families) | SOMETIMES | {"up"}, (r, used - set(families))
        assert r["annotations"]["summary"] and r["annotations"]["next"], r


def check_dashboard(families):
    with open(TOP + "/conf/monitoring/chisod-grafana.json", encoding="utf8") as f:
        board = json.load(f)
    assert board["panels"] and len({p["id"] for p in board["panels"]}) == len(board["panels"])
    shown = set()
    for panel in board["panels"]:
        for target in panel["targets"]:
            used = asked_for(target["expr"])
            assert used and used <= set(families) | SOMETIMES, (panel["title"], used)
            labels = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            have = {k for name in used & set(families) for key in families[name] for k, _ in key}
            assert labels <= have | {"instance"} or used & SOMETIMES, (panel["title"], labels - have)
            shown |= used
    trouble = {n for n in families if re.match(r"chisod_(source_up|source_failures|alerts|conditions|messages|quarantined|warnings|trouble)", n)}
    assert trouble <= shown, trouble - shown


def main():
    check_reader()
    with Lab(sys.argv[1]) as lab:
        lab.clock("2024-08-05T08:05:00+07:00")
        lab.start_publisher()
        lab.start_smtp()
        lab.start_hook()
        configure(lab)
        lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08")}))
        lab.start()
        lab.ask("portal", "2024-07")
        lab.clock("2024-09-05T07:30:00+07:00")
        lab.ask("portal", "2024-08")
        lab.wait(lab.settled, "everything is settled")
        lab.wait(lambda: get(lab)["chisod_source_queued_jobs"][(("source", "portal"),)] == 0, "nothing is queued")
        families = get(lab)
        check_same(families, lab.api("/v1/status"))
        check_alerts(families)
        check_dashboard(families)
        # a source that fails is seen
        lab.publish([])
        for _ in range(2):
            lab.ask("portal", "2024-08")
        families = get(lab)
        assert families["chisod_source_up"] == {(("source", "portal"),): 0}, families["chisod_source_up"]
        assert families["chisod_source_failures"][(("source", "portal"),)] >= 1
        assert lab.stop() == 0
    print("metrics: passed")


main()
