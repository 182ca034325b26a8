#!/usr/bin/python3
"""openapi.py BUILD: docs/openapi.yaml and the running daemon held together, both ways.

File to daemon: every operation is asked (with all of its arguments, with each alone, with none) and answers as described: status, content
type, schema, tag. Schemas allow no member that they do not describe, and every member that they describe must have been seen.
Daemon to file: every route of the daemon's table is in the file, with the same socket and the same members of its body; every argument that a tagged read knows is in its tag.

openapi.py BUILD --sketch /v1/PATH prints the schema of what the daemon answers there, to begin a new entry with."""
import json
import os
import re
import sys
import urllib.parse

import jsonschema
import yaml

from lab import TOP, Lab, UnixConnection
from sample import SECRET, configure, month, routes

ROUTE = re.compile(r'\{"(GET|POST|DELETE)", "([^"]+)", \w+((?:[^{}]|\{[^{}]*\})*)\}')


def daemon_table():
    with open(os.path.join(TOP, "daemon", "answer", "api.c"), encoding="utf8") as f:
        text = f.read()
    names = lambda rest, what: re.findall(r'"(\w+)"', "".join(re.findall(r"\.%s = \{([^}]*)\}" % what, rest)))
    table = {(m, p): ("is_admin = true" in rest, names(rest, "takes"), names(rest, "members"), "takes_file = true" in rest) for m, p, rest in ROUTE.findall(text)}
    assert len(table) > 20 and any("as_of" in row[1] for row in table.values()) and any("until" in row[2] for row in table.values())
    return table


def operations(spec):
    for path, item in spec["paths"].items():
        for method, operation in item.items():
            if method in ("get", "post", "delete"):
                yield method.upper(), path, operation


def resolve(spec, node):
    while "$ref" in node:
        place = spec
        for step in node["$ref"][2:].split("/"):
            place = place[step]
        node = place
    return node


def parameters(spec, operation, where):
    return [p for p in (resolve(spec, p) for p in operation.get("parameters", [])) if p["in"] == where]


# ---- the world that is asked ---------------------------------------------------------------------------------------------


def start_world(lab, extra=""):
    """July and August of the sample; an alert told by mail, a webhook that is gone (dead, disabled), a restated figure."""
    lab.clock("2024-08-05T08:05:00+07:00")
    lab.start_publisher()
    lab.start_smtp()
    lab.start_hook(SECRET, "--mode-file", lab.path("mode"))
    with open(lab.path("mode"), "w", encoding="ascii") as f:
        f.write("410")
    configure(lab, extra=extra)
    lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08")}))
    lab.start()
    lab.ask("portal", "2024-07")
    for at in ("07:30:00", "08:00:01"):
        lab.clock("2024-09-05T%s+07:00" % at)
        lab.ask("portal", "2024-08")
    lab.wait(lambda: len(lab.mails()) >= 2 and lab.settled(), "two mails, and a dead webhook")
    lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08", "2024-08-restated")}))
    lab.clock("2024-09-06T07:30:00+07:00")
    lab.ask("portal", "2024-08")
    lab.wait(lab.settled, "everything is settled")
    start_registry_and_files(lab)
    assert lab.sql("SELECT count(*) FROM message WHERE state = 4")[0][0] >= 1, lab.sql("SELECT id, state FROM message")


def start_registry_and_files(lab):
    """A known code under another name (quarantine), an imported file (snapshot 5), two suspect snapshots (6 and 7)."""
    odd = month("2024-07")
    for call, rows in (("service-results", "evaluation"), ("dvc-progress-tree", "children")):
        for row in odd[call]["data"][rows]:
            if row["departmentCode"] == "12379":
                row["departmentName"] = "UBND xã Minh Phượng Mới"
    few = month("2024-08", "2024-08-restated")
    for cut in (12, 11):
        for call, rows in (("service-results", "evaluation"), ("dvc-progress-tree", "children")):
            del few[call]["data"][rows][cut:]
        lab.publish(routes({"2024-07": odd, "2024-08": few}))
        if cut == 12:
            lab.ask("portal", "2024-07")
            status, _, body = ask(lab, "admin", "POST", "/v1/snapshots?source=portal&period=2024-07", [{"code": "12367", "total": 82.5}])
            assert status == 200 and json.loads(body)["snapshot"] == 5, body
        lab.ask("portal", "2024-08")
    lab.wait(lab.settled, "everything is settled")


def ask(lab, role, method, path, body=None, headers=None):
    connection = UnixConnection(lab.path("run", role + ".sock"))
    try:
        data = None if body is None else body.encode() if isinstance(body, str) else json.dumps(body)
        connection.request(method, path, body=data, headers=dict(headers or {}, **({"Content-Type": "application/json"} if data else {})))
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


# ---- one answer against its description ----------------------------------------------------------------------------------


class Schemas:
    def __init__(self, spec):
        self.spec, self.seen = spec, set()

    def mark(self, schema, value):
        """Which described members were seen."""
        schema = resolve(self.spec, schema)
        for part in schema.get("anyOf", []):
            self.mark(part, value)
        if isinstance(value, dict):
            for key, below in schema.get("properties", {}).items():
                if key in value:
                    self.seen.add(id(below))
                    self.mark(below, value[key])
            more = schema.get("additionalProperties")
            if isinstance(more, dict):
                for one in value.values():
                    self.mark(more, one)
        if isinstance(value, list) and "items" in schema:
            for one in value:
                self.mark(schema["items"], one)

    def check(self, schema, value, what):
        whole = dict(schema, components=self.spec["components"])
        errors = sorted(jsonschema.Draft202012Validator(whole).iter_errors(value), key=str)
        assert not errors, "%s: %s at %s" % (what, errors[0].message[:400], list(errors[0].absolute_path))
        self.mark(schema, value)

    def walk(self, schema, name, out):
        """Objects say all of their members; collects those never seen (x-rare: what this world does not show)."""
        if "$ref" in schema:
            return
        kinds = schema.get("type", [])
        if kinds == "object" or "object" in kinds:
            assert "additionalProperties" in schema, "%s: says not that there are no other members" % name
        for key, below in schema.get("properties", {}).items():
            if below.get("x-rare"):
                continue
            if id(below) not in self.seen:
                out.append("%s.%s" % (name, key))
            self.walk(below, "%s.%s" % (name, key), out)
        for below in schema.get("anyOf", []):
            self.walk(below, name, out)
        if not schema.get("items", {}).get("x-rare", "items" not in schema):
            self.walk(schema["items"], name + "[]", out)


def check_answer(schemas, operation, answer, what):
    status, headers, body = answer
    described = operation["responses"].get(str(status))
    assert described, "%s: %d is not described: %s" % (what, status, body[:300])
    described = resolve(schemas.spec, described)
    kind = headers["Content-Type"].replace("; charset=utf-8", "")
    assert kind in described.get("content", {}), "%s: answers %s" % (what, kind)
    if kind.endswith("json"):
        schemas.check(described["content"][kind]["schema"], json.loads(body), what)
    return status


def fill(path, examples):
    return re.sub(r"\{(\w+)\}", lambda m: urllib.parse.quote(str(examples[m.group(1)]), safe=""), path)


def query(pairs):
    return "?" + urllib.parse.urlencode(pairs) if pairs else ""


def ask_to_the_end(lab, schemas, operation, role, url):
    """What takes its time answers 202 until it is done."""
    answer = ask(lab, role, "GET", url)
    if "202" not in operation["responses"] or answer[0] != 202:
        return answer
    assert check_answer(schemas, operation, answer, url) == 202
    started = json.loads(answer[2]).get("started")
    if started and "after=" not in url:
        url += "?after=" + urllib.parse.quote(started)
    return lab.wait(lambda: next((a for a in [ask(lab, role, "GET", url)] if a[0] != 202), None), url + " to its end")


def check_read(lab, schemas, path, operation):
    spec = schemas.spec
    examples = {p["name"]: p["example"] for p in parameters(spec, operation, "path")}
    whole = [(p["name"], p["example"]) for p in parameters(spec, operation, "query")]
    needed = [(p["name"], p["example"]) for p in parameters(spec, operation, "query") if p.get("required")]
    plain = fill(path, examples)
    for pairs in [needed, whole] + [needed + [pair] for pair in whole if pair not in needed]:
        url = plain + query(pairs)
        for role in ("status", "admin"):
            answer = ask_to_the_end(lab, schemas, operation, role, url)
            want = 403 if role == "status" and operation.get("x-socket") == "admin" else 200
            assert check_answer(schemas, operation, answer, role + " " + url) == want, (url, answer)
        tag = answer[1]["ETag"]
        assert (tag is not None) == ("304" in operation["responses"]), "%s: tag %s" % (url, tag)
        if tag:
            assert ask(lab, "admin", "GET", url, headers={"If-None-Match": tag})[0] == 304, url
    for p in parameters(spec, operation, "query"):  # every value of a choice, though this world may have nothing of the kind
        for value in p["schema"].get("enum", []):
            for role in ("status", "admin"):
                answer = ask(lab, role, "GET", plain + query(needed + [(p["name"], value)]))
                status = check_answer(schemas, operation, answer, "%s %s=%s" % (path, p["name"], value))
                assert status in (200, 202, 403, 404) and b"urn:chisod:problem:argument" not in answer[2][:200], (path, p["name"], value, answer)
    for name in examples:
        answer = ask(lab, "status", "GET", fill(path, dict(examples, **{name: "99999999"})))
        assert check_answer(schemas, operation, answer, path + " with a wrong " + name) in (400, 404)
    if any(name == "as_of" for name, _ in whole):
        answer = ask(lab, "status", "GET", plain + query(needed + [("as_of", "nonsense")]))
        assert check_answer(schemas, operation, answer, path + " with a wrong instant") == 400


def check_unknown(lab, schemas, method, path, operation):
    """A parameter that the route does not know, and one that it is given twice: refused by name, with those that it takes."""
    spec = schemas.spec
    plain = fill(path, {p["name"]: p["example"] for p in parameters(spec, operation, "path")})
    takes = [p["name"] for p in parameters(spec, operation, "query")]
    odd = [("perod", "perod=2024-08"), ("Limit", "Limit=1"), ("%22%0A", "%22%0A"), ("", "=1")]
    odd += [("as_of", "as_of=2024-09-05")] if "as_of" not in takes else []
    odd += [(takes[-1], "%s=1&%s=2" % (takes[-1], takes[-1])), (takes[-1], "%s=1&%s=1" % (takes[-1], takes[-1]))] if takes else []
    for name, text in odd:
        answer = ask(lab, "admin", method, plain + "?" + text)
        assert check_answer(schemas, operation, answer, path + "?" + text) == 400, answer
        problem = json.loads(answer[2])
        assert problem["type"] == "urn:chisod:problem:argument" and '"%s"' % urllib.parse.unquote(name) in problem["detail"], problem
        named = problem["detail"].split(urllib.parse.unquote(plain))[1]
        assert all(name in named for name in takes), (takes, problem)


def body_members(operation):
    """Of the object that a route reads as its body; None where the body is a file."""
    schema = operation.get("requestBody", {}).get("content", {"application/json": {"schema": {}}}).get("application/json", {}).get("schema")
    if schema is None or "oneOf" in schema:
        return None
    assert not schema or schema["additionalProperties"] is False, operation["operationId"]
    return list(schema.get("properties", {}))


def check_body(lab, schemas, method, path, operation):
    """A member that the route does not know, alone and beside right ones: refused by name, with those that it takes."""
    members = body_members(operation)
    if method == "GET" or members is None:
        return
    plain = fill(path, {p["name"]: p["example"] for p in parameters(schemas.spec, operation, "path")})
    right = operation["requestBody"]["content"]["application/json"]["example"] if members else {}
    for name in ("untill", "Unit", "units", "", 'a"\n', 200 * "ậ"):
        for body in ({name: "2024-12-31"}, {**right, name: "12376"}, {name: None, **right}):
            answer = ask(lab, "admin", method, plain, body)
            assert check_answer(schemas, operation, answer, "%s %s %s" % (method, path, body)) == 400, (path, body, answer)
            problem = json.loads(answer[2])
            assert problem["type"] == "urn:chisod:problem:argument" and '"%s"' % (name if len(name) < 100 else "…") in problem["detail"], problem
            named = re.findall(r"\w+", problem["detail"].split(plain)[1])
            assert set(members) <= set(named) and bool(members) == ("chỉ nhận" in problem["detail"]), (members, problem)


def check_action(lab, schemas, method, path, operation):
    spec = schemas.spec
    examples = {p["name"]: p["example"] for p in parameters(spec, operation, "path")}
    url = fill(path, examples) + query([(p["name"], p["example"]) for p in parameters(spec, operation, "query") if "example" in p])
    body = None
    if "requestBody" in operation:
        kind, content = next(iter(operation["requestBody"]["content"].items()))
        assert kind in ("application/json", "text/csv"), kind
        body = content["example"]
        schemas.check(content["schema"], body, "the example of " + path)
    answer = ask(lab, "status", method, url, body)
    assert check_answer(schemas, operation, answer, "status " + url) == 403
    answer = ask(lab, "admin", method, url, body)
    assert check_answer(schemas, operation, answer, "%s %s" % (method, url)) < 300, answer
    if body is not None:
        answer = ask(lab, "admin", method, url, ["no object"])
        assert check_answer(schemas, operation, answer, path + " with a wrong body") == 400


def check_table(spec):
    table, described = daemon_table(), {}
    for method, path, operation in operations(spec):
        key = (method, re.sub(r"\{\w+\}", "*", path))
        described[key] = operation.get("x-socket") == "admin"
        assert operation["operationId"] and operation["summary"] and operation["responses"], path
        names = {p["name"] for p in parameters(spec, operation, "path")}
        assert names == set(re.findall(r"\{(\w+)\}", path)), (path, names)
        takes = [p["name"] for p in parameters(spec, operation, "query")]
        assert len(set(takes)) == len(takes), (path, takes)
        if path.startswith("/v1/"):
            assert set(takes) == set(table.get(key, (0, takes))[1]), "%s %s: takes %s, is described with %s" % (*key, table[key][1], takes)
        if key in table:
            members = body_members(operation)
            assert (sorted(table[key][2]), table[key][3]) == (sorted(members or []), members is None), "%s %s: reads %s, is described with %s" % (*key, table[key][2:], members)
    assert set(described) == set(table), "only in the file: %s; only in the daemon: %s" % (
        sorted(set(described) - set(table)), sorted(set(table) - set(described)))
    assert all(described[k] == table[k][0] for k in table), [k for k in table if described[k] != table[k][0]]
    ids = [o["operationId"] for _, _, o in operations(spec)]
    assert len(set(ids)) == len(ids)


def kinds(spec, schema):
    schema = resolve(spec, schema)
    found = schema.get("type", [])
    return set([found] if isinstance(found, str) else found).union(*(kinds(spec, s) for s in schema.get("anyOf", [])))


# what a list says of each, and what is said of one: the same writers
SAME = (("AlertsAnswer.alerts", "AlertAnswer"), ("SnapshotsAnswer.snapshots", "SnapshotAnswer"), ("UnitsAnswer.units", "UnitAnswer"),
        ("StatusAnswer.sources", "SourcesAnswer.sources"))


def check_nulls(spec):
    """What may be null is so wherever the same code writes it, and with it its words: a sample shows not all of it."""
    def members(name):
        schema, *steps = name.split(".")
        found = spec["components"]["schemas"][schema]
        for step in steps:
            found = resolve(spec, found["properties"][step]["items"])
        return found["properties"]

    def walk(node, where):
        if isinstance(node, dict):
            told = node.get("properties", {})
            for key in told:
                words = told.get("text" if key == "value" else key + "_text")
                assert not words or key == "rule" or ("null" in kinds(spec, told[key])) == ("null" in kinds(spec, words)), (where, key)
        for key, below in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
            walk(below, "%s.%s" % (where, key))

    for several, one in SAME:
        a, b = members(several), members(one)
        assert not [k for k in a if k in b and kinds(spec, a[k]) != kinds(spec, b[k])] and len(set(a) & set(b)) > 5, (several, one)
    walk(spec, "")


def check_every_one(lab, schemas):
    """Every alert and snapshot there is, not only the example."""
    for path, table in (("/v1/alerts/{id}", "episode"), ("/v1/snapshots/{id}", "snapshot")):
        found = lab.sql("SELECT id FROM " + table)
        assert len(found) > 4, (table, found)
        for number, in found:
            answer = ask(lab, "status", "GET", fill(path, {"id": number}))
            assert check_answer(schemas, schemas.spec["paths"][path]["get"], answer, "%s %d" % (path, number)) == 200, answer


def check_schemas(schemas):
    never = []
    for name, schema in schemas.spec["components"]["schemas"].items():
        schemas.walk(schema, name, never)
    for method, path, operation in operations(schemas.spec):
        for status, response in operation["responses"].items():
            for kind, content in resolve(schemas.spec, response).get("content", {}).items():
                if kind == "application/json":
                    schemas.walk(content["schema"], "%s %s %s" % (method, path, status), never)
    assert not never, "described, and never seen: %s" % never


# ---- a sketch of a schema ------------------------------------------------------------------------------------------------


def sketch(values):
    """The narrowest schema for all of the values."""
    name = lambda v: ("null" if v is None else "boolean" if isinstance(v, bool) else "integer" if isinstance(v, int) else "number"
                      if isinstance(v, float) else "string" if isinstance(v, str) else "array" if isinstance(v, list) else "object")
    kinds = sorted({name(v) for v in values})
    if "number" in kinds and "integer" in kinds:
        kinds.remove("integer")
    schema = {"type": kinds[0] if len(kinds) == 1 else kinds} if kinds else {}
    objects = [v for v in values if isinstance(v, dict)]
    if objects:
        keys = list(dict.fromkeys(k for o in objects for k in o))
        schema["properties"] = {k: sketch([o[k] for o in objects if k in o]) for k in keys}
        schema["required"] = [k for k in keys if all(k in o for o in objects)]
        schema["additionalProperties"] = False
    if any(isinstance(v, list) for v in values):
        schema["items"] = sketch([one for v in values if isinstance(v, list) for one in v])
    return schema


def load():
    with open(os.path.join(TOP, "docs", "openapi.yaml"), encoding="utf8") as f:
        return yaml.safe_load(f)


def main():
    if len(sys.argv) > 3 and sys.argv[2] == "--sketch":
        with Lab(sys.argv[1]) as lab:
            start_world(lab)
            print(yaml.safe_dump(sketch([json.loads(ask(lab, role, "GET", sys.argv[3])[2]) for role in ("status", "admin")]), sort_keys=False))
        return
    spec = load()
    assert spec["openapi"] == "3.1.0" and spec["info"]["version"]
    check_table(spec)
    check_nulls(spec)
    schemas = Schemas(spec)
    with Lab(sys.argv[1]) as lab:
        start_world(lab)
        lab.ctl("ack", "2", "--by", "Lan", "--note", "đang rà soát")
        steps = lab.sql("SELECT max(id) FROM step")
        for method, path, operation in operations(spec):
            if path.startswith("/v1/"):
                check_unknown(lab, schemas, method, path, operation)
                check_body(lab, schemas, method, path, operation)
        check_every_one(lab, schemas)
        assert lab.sql("SELECT max(id) FROM step") == steps, "what was refused changed something"
        for method, path, operation in operations(spec):
            if method == "GET":
                check_read(lab, schemas, path, operation)
        for method, path, operation in operations(spec):
            if method != "GET":
                check_action(lab, schemas, method, path, operation)
        status, headers, body = ask(lab, "admin", "DELETE", "/v1/status")
        assert status == 405 and headers["Content-Type"] == "application/problem+json", (status, body)
        check_schemas(schemas)
        assert lab.stop() == 0
    print("openapi: passed")


if __name__ == "__main__":
    main()
