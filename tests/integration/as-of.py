#!/usr/bin/python3
"""as-of.py BUILD: every read answers with what was known then. At each of several moments of a life (figures, a restatement, a suspect
snapshot and its acceptance, an import and its undoing, an acknowledgement, a withdrawn alert) the answers of all reads are written down as
they are given; at the end each is asked again as of its moment, and must say the same. Every read of docs/openapi.yaml is walked: one that
neither takes `as_of` nor stands in NOW with its reason is a failure."""
import copy
import itertools
import json
import os
import signal
import sys
import urllib.parse

import yaml

from imports import EXTRA as INBOX
from lab import TOP, Lab, UnixConnection
from sample import configure, month, routes

# What speaks of now by its nature.
NOW = {"/healthz": "of this process", "/metrics": "of this process", "/v1/status": "of this process and what comes next",
       "/v1/sources": "what is asked next", "/v1/units": "the registry is as configured now, and answers say so",
       "/v1/units/{unit}": "the registry is as configured now", "/v1/quarantine": "what waits for a decision now",
       "/v1/rules": "rules are as configured now", "/v1/recipients": "recipients are as configured now", "/v1/render": "what would be sent now", "/v1/verify": "the file as it is", "/v1/backup": "the file as it is",
       "/v1/snapshots/{id}/parts/{n}/body": "bodies never change", "/v1/explain": "why a rule fires now, and its next deadline",
       "/v1/silences": "rows with their own beginning, end and author; append-only"}
READS = {"/v1/indicators": [""], "/v1/periods": ["?indicator=progress"], "/v1/ranking": ["?indicator=progress", "?indicator=total&period=2024-07&with=progress"],
         "/v1/history": ["?unit=12376&indicator=progress&vintages=1", "?unit=12364&indicator=total"], "/v1/alerts": ["", "?all=1"],
         "/v1/alerts/{id}": None, "/v1/snapshots": ["", "?source=letter"], "/v1/snapshots/{id}": None, "/v1/restatements": [""], "/v1/deliveries": [""],
         "/v1/report": ["?period=2024-08&format=csv&new=1", "?period=2024-08&format=txt&new=1"], "/": [""], "/u/{unit}": None, "/heat": [""], "/sources": [""]}
CLIENT = [("ranking", "--indicator", "progress"), ("history", "12376", "--indicator", "progress", "--vintages"), ("alerts", "--all"),
          ("alert", "1"), ("snapshot", "list"), ("snapshot", "show", "2"), ("deliveries",), ("report", "2024-08", "--format", "csv", "--new")]


def ask(lab, path):
    connection = UnixConnection(lab.path("run", "admin.sock"))
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def without(value, *keys):
    if isinstance(value, dict):
        return {k: without(v, *keys) for k, v in value.items() if k not in keys}
    return [without(v, *keys) for v in value] if isinstance(value, list) else value


def plain(path, answer):
    """Without what says that it is of the past."""
    status, text = answer
    if path.startswith("/v1/") and text.startswith("{"):
        return status, without(json.loads(text), "as_of")
    return status, text


def paths(lab):
    out = []
    for path, queries in READS.items():
        if path == "/v1/alerts/{id}":
            queries, path = ["%d" % r for r, in lab.sql("SELECT id FROM episode WHERE unit IS NOT NULL ORDER BY id LIMIT 8")], "/v1/alerts/"
        elif path == "/v1/snapshots/{id}":
            queries, path = ["%d" % r for r, in lab.sql("SELECT id FROM snapshot")], "/v1/snapshots/"
        elif path == "/u/{unit}":
            queries, path = [urllib.parse.quote("gso:12376"), urllib.parse.quote("gso:12364")], "/u/"
        out += [path + q for q in queries]
    return out


class Life:
    def __init__(self, lab):
        self.lab, self.moments = lab, []

    def remember(self, text):
        """What is said at this moment of all that there is, once the gates that it opens are done with; asked later as of half an hour after."""
        lab = self.lab
        lab.clock(text)
        lab.daemon.send_signal(signal.SIGHUP)
        calm = 0
        while calm < 5:  # what settles may let a target hear more
            step = lab.sql("SELECT max(id) FROM step")
            lab.call("GET", "/v1/status")
            lab.wait(lab.settled, "all is sent")
            calm = calm + 1 if lab.sql("SELECT max(id) FROM step") == step else 0
        text = text.replace(":00:00+", ":30:00+")
        said = {p: plain(p, ask(lab, p)) for p in paths(lab) if p.startswith("/v1/")}
        client = {c: json.loads(lab.ctl(*c, "--json").stdout) if c[0] != "report" else lab.ctl(*c).stdout for c in CLIENT
                  if c[:2] != ("snapshot", "show") or lab.sql("SELECT 1 FROM snapshot WHERE id = 2")}
        self.moments.append((text, said, client))

    def check(self):
        n = 0
        for text, said, client in self.moments:
            for path, want in said.items():
                url = path + ("&" if "?" in path else "?") + urllib.parse.urlencode({"as_of": text})
                got = plain(path, ask(self.lab, url))
                assert got == want, difference(url, want, got)
                n += 1
            for command, want in client.items():
                out = self.lab.ctl(*command, "--as-of", text, *(["--json"] if command[0] != "report" else [])).stdout
                got = out if command[0] == "report" else json.loads(out)
                if isinstance(want, dict):
                    want, got = (without(d, "as_of") for d in (want, got))
                assert got == want, difference(" ".join(command) + " --as-of " + text, want, got)
                n += 1
        return n


def difference(what, want, got, at=""):
    if isinstance(want, dict) and isinstance(got, dict):
        for key in sorted(set(want) | set(got)):
            if want.get(key) != got.get(key):
                return difference(what, want.get(key), got.get(key), "%s.%s" % (at, key))
    if isinstance(want, (list, tuple)) and isinstance(got, (list, tuple)) and len(want) == len(got):
        for i, (a, b) in enumerate(zip(want, got)):
            if a != b:
                return difference(what, a, b, "%s[%d]" % (at, i))
    if isinstance(want, str) and isinstance(got, str) and "\n" in want:
        pair = next((p for p in itertools.zip_longest(want.split("\n"), got.split("\n")) if p[0] != p[1]), None)
        return "%s at %s: said then %r, says as of then %r" % ((what, at) + pair)
    return "%s at %s: said then %s, says as of then %s" % (what, at, str(want)[:600], str(got)[:600])


def check_walk():
    with open(os.path.join(TOP, "docs", "openapi.yaml"), encoding="utf8") as f:
        spec = yaml.safe_load(f)
    for path, operations in spec["paths"].items():
        if "get" not in operations:
            continue
        takes = any(p.get("name") == "as_of" or str(p.get("$ref", "")).endswith("/as_of") for p in operations["get"].get("parameters", []))
        assert takes == (path in READS), "%s: takes as_of: %s, walked here: %s" % (path, takes, path in READS)
        assert takes != (path in NOW), "%s: neither as of nor of now" % path


def main():
    check_walk()
    with Lab(sys.argv[1]) as lab:
        lab.clock("2024-09-05T07:00:00+07:00")
        lab.start_publisher()
        lab.start_smtp()
        lab.start_hook()
        configure(lab, extra=INBOX)
        august, july = month("2024-08"), month("2024-07")
        lab.publish(routes({"2024-08": august, "2024-07": july}))
        lab.start()
        life = Life(lab)
        lab.ask("portal", "2024-07")
        lab.ask("portal", "2024-08")
        lab.wait(lambda: lab.sql("SELECT 1 FROM message"), "something is told")
        # looked at again and unchanged: no step, but who reads is told when it was
        lab.clock("2024-09-05T08:20:00+07:00")
        lab.ask("portal", "2024-08")
        fetched = lambda *then: lab.json("ranking", "--period", "2024-08", *then)["fetched"]
        assert fetched()[:16] == "2024-09-05T08:20", fetched()
        life.remember("2024-09-05T09:00:00+07:00")
        assert [fetched("--as-of", "2024-09-05T08:%d:00+07:00" % m)[:16] for m in (10, 21)] == ["2024-09-05T07:00", "2024-09-05T08:20"]

        # a restated figure withdraws an alert
        restated = copy.deepcopy(august)
        for row in restated["dvc-progress-tree"]["data"]["children"]:
            if row["departmentCode"] == "12376":
                row["ratio"] = 99.5
        lab.clock("2024-09-06T07:00:00+07:00")
        lab.publish(routes({"2024-08": restated, "2024-07": july}))
        lab.ask("portal", "2024-08")
        life.remember("2024-09-06T09:00:00+07:00")

        # a suspect snapshot, and its acceptance
        few = copy.deepcopy(restated)
        few["service-results"]["data"]["evaluation"] = few["service-results"]["data"]["evaluation"][:13]
        few["dvc-progress-tree"]["data"]["children"] = few["dvc-progress-tree"]["data"]["children"][:13]
        lab.clock("2024-09-09T07:00:00+07:00")
        lab.publish(routes({"2024-08": few, "2024-07": july}))
        lab.ask("portal", "2024-08")
        life.remember("2024-09-09T09:00:00+07:00")
        (suspect,) = lab.sql("SELECT max(id) FROM snapshot")[0]
        lab.clock("2024-09-10T07:00:00+07:00")
        lab.call("POST", "/v1/snapshots/%d/accept" % suspect)
        lab.clock("2024-09-10T08:20:00+07:00")
        lab.ask("portal", "2024-08")
        life.remember("2024-09-10T09:00:00+07:00")

        # an import, its undoing, an acknowledgement
        with open(lab.path("one.csv"), "w", encoding="utf8") as f:
            f.write('Mã,Tổng điểm\n12367,"91,00"\n12364,"90,00"\n')
        lab.clock("2024-09-11T07:00:00+07:00")
        stored = lab.json("import", lab.path("one.csv"), "--source", "letter", "--period", "2024-08", "--yes")
        alert = lab.sql("SELECT id FROM episode WHERE state = 2 AND unit IS NOT NULL ORDER BY id LIMIT 1")[0][0]
        life.remember("2024-09-11T09:00:00+07:00")
        lab.clock("2024-09-12T07:00:00+07:00")
        lab.json("import", "--undo", str(stored["snapshot"]))
        lab.ctl("ack", str(alert), "--by", "an", "--note", "xem")
        life.remember("2024-09-12T09:00:00+07:00")

        lab.clock("2024-12-20T07:00:00+07:00")
        n = life.check()
        lab.integrity()
        assert lab.stop() == 0
    print("as-of: passed: %d answers at %d moments" % (n, len(life.moments)))


main()
