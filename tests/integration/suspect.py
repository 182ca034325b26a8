#!/usr/bin/python3
"""suspect.py BUILD: a suspect snapshot is kept and unused until a person accepts it, never once a later one was accepted; every
revision is listed with its snapshot and body; bodies come verbatim; a restatement of a closed month is told apart from a revision."""
import copy
import hashlib
import json
import subprocess
import sys

from lab import Lab
from sample import configure, letter, month, routes


def set_total(document, code, value):
    document = copy.deepcopy(document)
    for row in document["service-results"]["data"]["evaluation"]:
        if row["departmentCode"] == code:
            row["totalScore"] = value
    return document


def without(document, codes):
    document = copy.deepcopy(document)
    for call, key in (("service-results", "evaluation"), ("dvc-progress-tree", "children")):
        document[call]["data"][key] = [r for r in document[call]["data"][key] if r["departmentCode"] not in codes]
    return document


def post(lab, path):
    return json.loads(subprocess.run(["curl", "-sS", "--max-time", "30", "-X", "POST", "--unix-socket", lab.path("run", "admin.sock"), "http://x" + path],
                                     check=True, stdout=subprocess.PIPE, text=True).stdout)


def total(lab, code, *more):
    rows = lab.json("ranking", "--period", "2024-08", "--indicator", "total", *more)["cohorts"][0]["rows"]
    return {r["unit"]["code"]: r["value"] for r in rows}[code]


def body(lab, snapshot, part):
    return subprocess.run(["curl", "-sS", "--max-time", "30", "--unix-socket", lab.path("run", "status.sock"),
                           "http://x/v1/snapshots/%d/parts/%d/body" % (snapshot, part)], check=True, stdout=subprocess.PIPE).stdout


def main():
    with Lab(sys.argv[1]) as lab:
        lab.clock("2024-09-05T07:00:00+07:00")
        lab.start_publisher()
        lab.start_smtp()
        lab.start_hook()
        configure(lab, extra="[source portal]\nmin_units = 0\nmin_share = 90\n")
        first = month("2024-08")
        lab.publish(routes({"2024-08": first}))
        lab.start()
        lab.ask("portal", "2024-08")

        # a file of one row is no measure of what the source publishes, and is itself measured by nothing
        with open(lab.path("one.csv"), "w", encoding="utf8") as f:
            f.write("code,total\n12346,90.5\n")
        one = lab.json("import", lab.path("one.csv"), "--source", "portal", "--period", "2024-08", "--yes")
        assert one["warning"] is None and one["changed"] == 1, one

        # 12 of 15: suspect, unused
        few = set_total(without(first, {"12337", "12340", "12343"}), "12367", 91.5)
        lab.publish(routes({"2024-08": few}))
        lab.clock("2024-09-06T07:00:00+07:00")
        lab.ask("portal", "2024-08")
        rows = [r for r in lab.json("snapshot", "list")["snapshots"] if not r["is_import"]]
        # two of them where the regular fetch was under way already when it was asked for
        assert [(r["state"], r["units"]) for r in rows] in ([("suspect", 13)] * n + [("accepted", 16)] for n in (1, 2)), rows
        suspect, accepted = rows[0]["id"], rows[-1]["id"]
        assert total(lab, "12367") == 89.63
        assert "13 đơn vị, bản được nhận" in lab.ctl("snapshot", "show", str(suspect)).stdout
        assert lab.ctl("snapshot", "accept", str(accepted), check=False).returncode == 1

        # accepted by a person: known from now on, as of before it is not
        lab.clock("2024-09-06T09:00:00+07:00")
        report = lab.json("snapshot", "accept", str(suspect))
        assert report["snapshot"] == suspect and report["changed"] >= 7, report
        assert total(lab, "12367") == 91.5
        assert total(lab, "12337") is None
        assert total(lab, "12367", "--as-of", "2024-09-06T08:00:00+07:00") == 89.63
        assert {r["id"]: r["state"] for r in lab.json("snapshot", "list", "--as-of", "2024-09-06T08:00:00+07:00")["snapshots"]}[suspect] == "suspect"
        assert lab.ctl("snapshot", "accept", str(suspect), check=False).returncode == 1
        assert lab.ctl("snapshot", "reject", str(suspect), check=False).returncode == 1

        # a second suspect, then a good one: too late for the former
        worse = without(first, {"12337", "12340", "12343", "12346", "12349", "12352"})
        lab.publish(routes({"2024-08": worse}))
        lab.clock("2024-09-07T07:00:00+07:00")
        lab.ask("portal", "2024-08")
        late = lab.json("snapshot", "list")["snapshots"][0]
        assert late["state"] == "suspect"
        lab.publish(routes({"2024-08": first}))
        lab.ask("portal", "2024-08")
        refused = lab.ctl("snapshot", "accept", str(late["id"]), check=False)
        assert refused.returncode == 1 and refused.stderr, refused
        assert lab.json("snapshot", "reject", str(late["id"]))["changed"] == 0
        assert lab.json("snapshot", "show", str(late["id"]))["state"] == "rejected"
        assert total(lab, "12367") == 89.63

        # the month is closed (15 days after its end), then restated
        lab.clock("2024-10-20T07:00:00+07:00")
        lab.publish(routes({"2024-08": set_total(first, "12367", 80)}))
        lab.ask("portal", "2024-08")
        restated = lab.api("/v1/restatements?indicator=total")["restatements"]
        last = 1 + sum(float(row[3].replace(",", ".")) > 80 for row in letter() if row[1] != "12367")
        assert [(r["unit"]["code"], r["old"], r["new"], r["old_place"], r["new_place"], r["new_of"], r["kind"]) for r in restated] == [
            ("12367", 89.63, 80, 1, last, 15, "restatement")], restated
        every = lab.api("/v1/restatements?indicator=total&all=1&unit=12367")["restatements"]
        assert [(r["old"], r["new"], r["kind"]) for r in every] == [(89.63, 80, "restatement"), (91.5, 89.63, "revision"), (89.63, 91.5, "revision")], every
        assert lab.api("/v1/restatements?indicator=total&as_of=2024-10-19")["restatements"] == []

        # every revision with its time, source, snapshot and body; bodies are verbatim
        vintages = lab.json("history", "12367", "--indicator", "total", "--vintages")["periods"][0]["vintages"]
        assert [v["value"] for v in vintages] == [89.63, 91.5, 89.63, 80]
        assert vintages[1]["snapshot"] == suspect and vintages[1]["at"].startswith("2024-09-06T09:00")
        for v in vintages:
            assert v["source"] == "portal" and hashlib.sha256(body(lab, v["snapshot"], 1)).hexdigest() == v["hash"]
        with open(lab.path("pub", "body-0.json"), "rb") as f:
            assert body(lab, vintages[3]["snapshot"], 1) == f.read()
        lab.integrity()
        assert lab.stop() == 0
    print("suspect: passed")


main()
