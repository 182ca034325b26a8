#!/usr/bin/python3
"""rules-diff.py BUILD: what a reload would do is said before it, exactly, and nothing of it is stored."""
import os
import signal
import sys

import jsonschema
import yaml

from lab import TOP, Lab, portal

CONFIG = portal("at = 23:00\nscope = p\nbackfill = 1\nrecheck = 1") + """\
[recipient it]
role = operator
webhook = http://127.0.0.1:@HOOK@/it
[rule low]
indicator = total
when = below 50
"""
GONE = "[rule gone]\nindicator = total\nwhen = below 45\n"
MANY = "[rule many]\nindicator = total\nwhen = below 99\n"


def counts(lab):
    return [lab.sql("SELECT count(*) FROM " + t)[0][0] for t in ("step", "episode", "transition", "rule_version", "message")]


def main(build):
    with Lab(build) as lab:
        lab.clock("2024-09-05T07:30:00+07:00")
        lab.start_publisher()
        lab.start_hook()
        lab.smtp_port = 0
        rows = [{"code": "%02d" % i, "name": "UBND xã Số %d" % i, "total": v} for i, v in enumerate([40, 60, 61] + [70] * 9)]
        lab.publish([{"path": "/2024-8", "json": {"rows": rows}}])
        lab.configure(CONFIG + GONE)
        lab.start()
        lab.fetch("portal", "2024-08")
        lab.wait(lab.settled, "settled")
        assert "không đổi quy tắc nào" in lab.ctl("rules", "diff").stdout
        lab.configure(CONFIG.replace("below 50", "below 62") + MANY)
        before = counts(lab)
        answer = lab.api("/v1/rules/diff", "admin", "POST", {})
        with open(os.path.join(TOP, "docs", "openapi.yaml"), encoding="utf8") as f:
            api = yaml.safe_load(f)
        schema = api["paths"]["/v1/rules/diff"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema.validate(answer, dict(schema, components=api["components"]))
        rules = {r["rule"]: r for r in answer["rules"]}
        assert {k: (r["change"], r["opens"], r["ends"], r["amends"], r["held"]) for k, r in rules.items()} == {
            "low": ("changed", 2, 0, 1, 0), "many": ("new", 12, 0, 0, 12), "gone": ("gone", 0, 1, 0, 0)}, answer["rules"]
        assert "below 50" in rules["low"]["before"] and "below 62" in rules["low"]["after"] and rules["gone"]["after"] is None, rules
        said = lab.ctl("rules", "diff").stdout
        assert "low (đổi)" in said and "mở 2 cảnh báo" in said and "sẽ giữ 12" in said, said
        assert counts(lab) == before, "nothing is stored"
        assert len(lab.json("alerts")["alerts"]) == 2, "what was loaded goes on"
        # a broken file: said, and nothing happens
        with open(lab.path("etc", "chisod.conf"), encoding="utf8") as f:
            good = f.read()
        with open(lab.path("etc", "chisod.conf"), "w", encoding="utf8") as f:
            f.write(good.replace("when = below 62", "when = lower 62"))
        bad = lab.ctl("rules", "diff", check=False)
        assert bad.returncode == 1 and "có lỗi" in bad.stderr, bad
        with open(lab.path("etc", "chisod.conf"), "w", encoding="utf8") as f:
            f.write(good)
        # and the reload does what was said
        last = lab.sql("SELECT max(id) FROM transition")[0][0]
        lab.daemon.send_signal(signal.SIGHUP)
        lab.wait(lambda: lab.sql("SELECT count(*) FROM episode WHERE rule = 'many' AND state = 2")[0][0] == 12, "the reload is over")
        done = lab.sql("SELECT e.rule, t.kind, count(*) FROM transition t JOIN episode e ON e.id = t.episode WHERE e.unit IS NOT NULL AND t.id > ? "
                       "GROUP BY 1, 2 ORDER BY 1", last)
        assert done == [("gone", 11, 1), ("low", 1, 2), ("low", 7, 1), ("many", 1, 12)], done
        lab.stop()
    print("rules-diff: passed")


main(sys.argv[1])
