#!/usr/bin/python3
"""rules-backtest.py BUILD: what a rule would have told over all that is stored: what really was told when the text is the same,
nothing of what came later on an earlier day, and nothing stored or sent."""
import json
import os
import sys

import jsonschema
import yaml

from lab import TOP, Lab, portal

CONFIG = portal("at = 23:00\nscope = p\nbackfill = 1\nrecheck = 1") + """\
[recipient it]
role = operator
webhook = http://127.0.0.1:@HOOK@/it
[recipient offices]
webhook = http://127.0.0.1:@HOOK@/offices
[rule low]
indicator = total
when = below 50
[rule source-late]
when = source_failing 3
"""
TRANSITIONS = {1: "opened", 2: "continued", 3: "worse", 4: "eased", 5: "closed", 6: "withdrawn", 7: "amended"}
# What each instant publishes (period: values of the units 00, 01, ...), and how many messages were told after it: later ones revise
# earlier ones and bring a new unit.
BASE = [70] * 9
STORY = [
    ("2024-07-05T07:30:00", {"2024-06": [40, 60, 61] + BASE}, 1),
    ("2024-08-05T07:30:00", {"2024-07": [41, 48, 61] + BASE}, 2),
    ("2024-08-09T07:30:00", {"2024-06": [55, 60, 44] + BASE, "2024-07": [41, 48, 61] + BASE}, 3),
    ("2024-09-05T07:30:00", {"2024-08": [60, 49, 61] + BASE + [30]}, 4),
    ("2024-09-06T07:30:00", {"2024-08": [60, 49, 61] + BASE + [30]}, 4),
    ("2024-09-12T07:30:00", {"2024-08": [60, 70, 45] + BASE + [31]}, 5),
]


def publish(lab, periods):
    lab.publish([{"path": "/%d-%d" % (int(p[:4]), int(p[5:])), "json": {"rows": [
        {"code": "%02d" % i, "name": "UBND xã Số %d" % i, "total": v} for i, v in enumerate(values)]}} for p, values in periods.items()])


def tell(lab, at, periods, n_told):
    lab.clock(at + "+07:00")
    publish(lab, periods)
    for period in periods:
        lab.fetch("portal", period)
        lab.wait(lab.settled, "settled")
    lab.clock(at[:11] + "08:00:01+07:00")
    lab.fetch("portal", max(periods))
    lab.wait(lambda: lab.sql("SELECT count(*) FROM message m JOIN target t ON t.id = m.target WHERE t.key = 'offices/webhook' AND m.state = 3")
             [0][0] == n_told, "%d messages" % n_told)


def state(lab):
    tables = [t for t, in lab.sql("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY 1")]
    return {t: lab.sql("SELECT count(*) FROM " + t)[0][0] for t in tables}


def backtest(lab, rule, when=None):
    body = {"rule": rule, **({"when": when} if when else {})}
    answers = []

    def is_done():
        answers.append(lab.api("/v1/backtest", "admin", "POST", body))
        assert answers[-1].get("state") in ("running", "done"), answers[-1]
        return answers[-1]["state"] == "done"
    lab.wait(is_done, "the backtest is done", 120)
    return answers[-1]


def transitions(answer, until="9999"):
    return [(d["day"], t["transition"], t["unit"]["code"], t["period"], t["value"]) for d in answer["days"] if d["day"] <= until
            for t in d["transitions"] if t["unit"]]


def told(answer, target):
    return [(d["day"], i["say"], i["unit"]["code"], i["period"], i["value"]) for d in answer["days"]
            for m in d["messages"] if m["target"] == target for i in m["items"] if i["unit"]]


def stored(lab):
    rows = lab.sql("SELECT date(t.at_ms / 1000 + 25200, 'unixepoch'), t.kind, c.code, t.period, t.value FROM transition t"
                   " JOIN episode e ON e.id = t.episode JOIN unit_code c ON c.unit = e.unit WHERE e.rule = 'low'"
                   " AND e.state <> 1 AND ifnull(t.reason, '') <> 'pending' ORDER BY t.id")
    return [(d, TRANSITIONS[k], c, "%d-%02d" % (p // 1000, p % 100), v / 100) for d, k, c, p, v in rows if k in TRANSITIONS]


def check_schema(answer):
    with open(os.path.join(TOP, "docs", "openapi.yaml"), encoding="utf8") as f:
        api = yaml.safe_load(f)
    schema = api["paths"]["/v1/backtest"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema.validate(answer, dict(schema, components=api["components"]))


def check_refusals(lab):
    for words, status, text in ((("no-such",), 2, "không có quy tắc"), (("source-late",), 1, "không xét số liệu"),
                                (("low", "--when", "lower 3"), 2, '(when) "lower 3" không hiểu được: '),
                                (("low", "--when", "below abc"), 2, '(when) "below abc" không hiểu được: ')):
        bad = lab.ctl("rules", "backtest", *words, check=False)
        assert bad.returncode == status and text in bad.stderr and ": :" not in bad.stderr, bad


def main(build):
    with Lab(build) as lab:
        lab.clock(STORY[0][0] + "+07:00")
        lab.start_publisher()
        lab.start_hook()
        lab.smtp_port = 0
        lab.configure(CONFIG)
        lab.publish([])
        lab.start()
        empty = lab.ctl("rules", "backtest", "low", check=False)
        assert empty.returncode == 1 and "chưa lưu số liệu" in empty.stderr, empty
        early = None
        for at, periods, n_told in STORY:
            if at.startswith("2024-09-12"):
                lab.clock("2024-09-10T07:30:00+07:00")
                early = backtest(lab, "low")
            tell(lab, at, periods, n_told)
        before, hooks = state(lab), len(lab.hooks())
        whole = backtest(lab, "low")
        check_schema(whole)
        assert whole["stopped"] is None and whole["text"].find("below 50") >= 0, whole
        # what really happened, in its order, day by day, and to whom it was told
        assert transitions(whole) == stored(lab), (transitions(whole), stored(lab))
        assert len({d for d, *_ in stored(lab)}) >= 4 and len({t for _, t, *_ in stored(lab)}) >= 4, stored(lab)
        items = lab.sql("SELECT date(m.created_ms / 1000 + 25200, 'unixepoch'), c.code, i.period, i.value FROM message_item i"
                        " JOIN message m ON m.id = i.message JOIN target g ON g.id = m.target JOIN unit_code c ON c.unit = i.unit"
                        " WHERE g.key = 'offices/webhook' AND m.state = 3 ORDER BY m.id, i.n")
        real = [(d, c, "%d-%02d" % (p // 1000, p % 100), None if v is None else v / 100) for d, c, p, v in items]
        assert real and [(d, c, p, v) for d, _, c, p, v in told(whole, "offices/webhook")] == real, (told(whole, "offices/webhook"), real)
        # a restatement that came later says nothing about an earlier day
        assert transitions(early) == transitions(whole, "2024-09-10"), (transitions(early), transitions(whole))
        assert ("2024-07-05", "opened", "00", "2024-06", 40) in transitions(whole), "55 came in August only"
        assert not [t for t in transitions(whole, "2024-08-08") if t[2] == "02"], "44 came in August only"
        # another text
        other = backtest(lab, "low", "below 62")
        check_schema(other)
        assert "below 62" in other["text"], other["text"]
        assert [t[1:] for t in transitions(other, "2024-07-05")] == [("opened", c, "2024-06", v) for c, v in (("00", 40), ("01", 60), ("02", 61))]
        said = lab.ctl("rules", "backtest", "low", "--when", "below 62").stdout
        assert "2024-07-05" in said.replace("05/07/2024", "2024-07-05") and "UBND xã Số 1" in said and "offices/webhook" in said, said
        again = lab.json("rules", "backtest", "low")
        assert (again["days"], again["counts"]) == (whole["days"], whole["counts"]), "the same again"
        check_refusals(lab)
        assert state(lab) == before and len(lab.hooks()) == hooks, "nothing is stored or sent"
        assert lab.json("rules", "list")["rules"] and "below 50" in json.dumps(lab.json("rules", "list")), "what was loaded goes on"
        lab.stop()
    print("rules-backtest: passed")


main(sys.argv[1])
