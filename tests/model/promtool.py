#!/usr/bin/python3
"""promtool.py CHISOCTL [SEED]: `for` and thresholds held against Debian's `promtool test rules`, where they mean the same.

One publication is one evaluation a minute apart: `for N` publications is `for: (N-1)m`, `below`/`above` with `clear` at the limit is `<`/`>`.
Made-up series (values about the limit, the limit itself among them, no gaps) are judged by `chisoctl rules test`; what it says,
opened, continued and closed, becomes the states that promtool is asked to confirm for every series at every evaluation: firing,
pending, or neither. docs/prometheus.md says where both mean different things, and why; that is not compared here."""
import os
import random
import re
import subprocess
import sys
import tempfile

WORLDS, UNITS, PERIODS = 8, 40, 18
CONFIG = """[daemon]
organization = Thử
notify = live
mass_guard = 100
guard_jump = 100
shipped_rules = no
[source s]
url = http://127.0.0.1:1/
namespace = s
scope = P
periods = month
at = 04:00
min_share = 10
[part s.all]
url = {{url}}
rows = /rows
unit.code = /code
unit.name = /name
unit.kind = commune
value.progress = /progress
[rule low]
indicator = progress
units = kind:commune
when = %s %g
clear = %g
for = %d
[recipient it]
role = operator
webhook = http://127.0.0.1:1/
---
"""


def months():
    return ["%d-%02d" % (2022 + i // 12, i % 12 + 1) for i in range(PERIODS)]


def world(r, k):
    side, limit, n = ["below", "above"][k % 2], r.choice([80, 90, 95]), k // 2 % 4 + 1
    sticky = r.random()  # runs are long enough for every `for`
    series = {}
    for u in range(UNITS):
        values, value = [], limit
        for _ in range(PERIODS):
            if r.random() > sticky * 0.6:
                value = limit + r.choice([-10, -1, -0.01, 0, 0, 0.01, 1, 4.99])
            values.append(value)
        series["U%d" % u] = values
    return side, limit, n, series


def ours(ctl, folder, w):
    """State of every unit after every publication, from the transitions alone."""
    side, limit, n, series = w
    lines = [CONFIG % (side, limit, limit, n)]
    for i, month in enumerate(months()):
        y, m = divmod(i + 1, 12)
        lines.append("at %d-%02d-05 07:30\npublish %s progress %s\n" % (2022 + y, m + 1, month, " ".join("%s=%.2f" % (u, v[i]) for u, v in series.items())))
    path = os.path.join(folder, "world.rules")
    with open(path, "w", encoding="utf8") as f:
        f.write("".join(lines))
    done = subprocess.run([ctl, "rules", "test", path], text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    events = re.findall(r'not expected: "(opened|continued|closed|withdrawn|amended) low (U\d+) (\S+) \S+ ?(\w*)', done.stdout)
    other = [line for line in done.stdout.splitlines() if "not expected" not in line]
    assert done.returncode == 1 and events and not other, done.stdout[:2000]
    open_now, states = set(), {}
    for i, month in enumerate(months()):
        for kind, unit, period, reason in events:
            if period == month and reason != "pending": # a run that never was an alert
                assert kind in ("opened", "continued", "closed"), (kind, unit, period)
                (open_now.discard if kind == "closed" else open_now.add)(unit)
        states[i] = set(open_now)
    return states


def theirs(folder, k, w, states):
    """One group of promtool's test file: the same series, and what we say of them as expectations."""
    side, limit, n, series = w
    with open(os.path.join(folder, "rule%d.yml" % k), "w", encoding="utf8") as f:
        f.write("groups:\n- name: g%d\n  interval: 1m\n  rules:\n  - alert: Low%d\n    expr: progress%d %s %g\n    for: %dm\n" %
                (k, k, k, "<" if side == "below" else ">", limit, n - 1))
    text = "- interval: 1m\n  input_series:\n"
    for u, v in series.items():
        text += "  - series: 'progress%d{unit=\"%s\"}'\n    values: '%s'\n" % (k, u, " ".join("%.2f" % x for x in v))
    text += "  alert_rule_test:\n"
    for i, firing in states.items():
        text += "  - eval_time: %dm\n    alertname: Low%d\n    exp_alerts:\n" % (i, k) if firing else "  - eval_time: %dm\n    alertname: Low%d\n" % (i, k)
        text += "".join("    - exp_labels: {unit: %s}\n" % u for u in sorted(firing))
    text += "  promql_expr_test:\n"
    for i, firing in states.items():
        breach = {u for u, v in series.items() if (v[i] < limit if side == "below" else v[i] > limit)}
        assert firing <= breach, "no gap, and clear at the limit: what is open is in breach"
        pending = sorted(breach - firing)
        text += "  - expr: 'ALERTS{alertstate=\"pending\"}'\n    eval_time: %dm\n" % i + ("    exp_samples:\n" if pending else "")
        text += "".join("    - {labels: 'ALERTS{alertname=\"Low%d\", alertstate=\"pending\", unit=\"%s\"}', value: 1}\n" % (k, u) for u in pending)
    return text


def check(folder, worlds, all_states):
    with open(os.path.join(folder, "test.yml"), "w", encoding="utf8") as f:
        f.write("rule_files: [%s]\nevaluation_interval: 1m\ntests:\n" % ", ".join("rule%d.yml" % k for k in range(len(worlds))))
        f.write("".join(theirs(folder, k, w, s) for k, (w, s) in enumerate(zip(worlds, all_states))))
    return subprocess.run(["promtool", "test", "rules", "test.yml"], cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


def main():
    r = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 766)
    worlds = [world(r, k) for k in range(WORLDS)]
    with tempfile.TemporaryDirectory(prefix="chisod-promtool-") as folder:
        states = [ours(sys.argv[1], folder, w) for w in worlds]
        done = check(folder, worlds, states)
        assert done.returncode == 0, done.stdout[:4000]
        assert any(s for world_states in states for s in world_states.values()), "something fires"
        wrong = next(k for k, world_states in enumerate(states) if any(world_states.values()))
        next(s for s in states[wrong].values() if s).pop()  # the same series with one wrong state: the comparison can fail
        assert check(folder, worlds[wrong:wrong + 1], states[wrong:wrong + 1]).returncode != 0, "one wrong state must be seen"
    print("promtool: %d series of %d publications, `for` 1 to 4, below and above: firing, pending and resolved agree" % (WORLDS * UNITS, PERIODS))


main()
