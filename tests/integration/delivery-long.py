#!/usr/bin/python3
"""delivery-long.py BUILD: a plan of more items than one message spells out. A program gets it in several messages, in order, each item once;
an overview is one message that counts them all; a mail and a channel of few characters stay bounded as well."""
import json
import os
import sys

from lab import Lab

UNITS, MOST = 703, 500 # MOST: RENDER_MAX_ITEMS
CONFIG = """
[daemon]
organization = Lab
notify = live
shipped_rules = no
mass_guard = 100
state_dir = @DIR@/state
socket_dir = @DIR@/run
[source nation]
url = http://127.0.0.1:@PUB@
periods = month
recheck = 0
backfill = 0
spread = 0s
pace = 0s
preset = generic-json
[part nation.main]
url = {{url}}/body
rows = /rows
unit.code = /code
unit.name = /name
value.i00 = /value
[indicator i00]
label = Tiến độ
unit = percent
[rule low]
indicator = i00
when = below 50
settle = 0
[recipient program]
immediate = yes
webhook = http://127.0.0.1:@HOOK@/program
[recipient overview]
immediate = yes
tell = overview
webhook = http://127.0.0.1:@HOOK@/overview
[recipient short]
immediate = yes
max_chars = 300
webhook = http://127.0.0.1:@HOOK@/short
webhook_template = zalo-bot
webhook_to = 1
"""


def publish(lab, value):
    rows = [{"code": "H%05d" % i, "name": "UBND xã Số %d" % i, "value": value + i % 7} for i in range(UNITS)]
    lab.publish([{"path": "/body", "json": {"rows": rows}}])


def bodies(lab, path):
    found = []
    for name in sorted(os.listdir(lab.path("hook"))):
        if name.endswith(".json"):
            with open(lab.path("hook", name), encoding="utf8") as f:
                if json.load(f)["path"] != path:
                    continue
            with open(lab.path("hook", name[:-5] + ".body"), encoding="utf8") as f:
                found.append(json.load(f))
    return found


def told(lab, key):
    return lab.sql("SELECT count(*) FROM told d JOIN target t ON t.id = d.target WHERE t.key = ?", key)[0][0]


def all_told(lab):
    return lab.settled() and all(told(lab, who + "/webhook") == UNITS for who in ("program", "overview", "short"))


def check(parts, overviews, shorts, said):
    """`said`: items of each kind that the plan had."""
    n = sum(said.values())
    sizes = [len(b["items"]) for b in parts]
    assert sizes == [MOST] * (n // MOST) + [n % MOST], sizes
    items = [(item["say"], item["alert"] or item["unit"]["key"]) for b in parts for item in b["items"]]
    assert len(set(items)) == n, "each item once"
    assert {say: sum(item[0] == say for item in items) for say in said} == said
    assert [b["n_items"] for b in parts] == sizes and all(b["open"] == parts[0]["open"] for b in parts)
    assert len(overviews) == 1, "an overview counts, it is not split"
    assert overviews[0]["n_items"] == n and len(overviews[0]["items"]) == MOST, overviews[0]["n_items"]
    assert len(shorts) == 1 and len(shorts[0]["text"]) <= 300, [len(s["text"]) for s in shorts]


def main():
    with Lab(sys.argv[1]) as lab:
        lab.clock("2024-09-05T07:00:00+07:00")
        lab.start_publisher()
        lab.start_hook()
        lab.configure(CONFIG)
        publish(lab, 10)
        lab.start()
        lab.ask("nation", "2024-08")
        lab.wait(lambda: all_told(lab), "everybody was told of the openings", 120)
        first = [bodies(lab, "/" + who) for who in ("program", "overview", "short")]
        check(*first, {"opening": UNITS})

        lab.clock("2024-09-05T09:00:00+07:00")
        publish(lab, 80)
        lab.ask("nation", "2024-08")
        lab.wait(lambda: lab.settled() and sum(b["n_items"] for b in bodies(lab, "/program")) == 3 * UNITS, "all ends are told", 120)
        check(*(bodies(lab, "/" + who)[len(before):] for who, before in zip(("program", "overview", "short"), first)),
              {"withdrawn": UNITS, "fix": UNITS})
        lab.integrity()
        assert lab.stop() == 0
    print("delivery-long: passed: %d items in messages of at most %d" % (UNITS, MOST))


main()
