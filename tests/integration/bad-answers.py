#!/usr/bin/python3
"""bad-answers.py BUILD: whatever a publisher answers, no figure changes, the attempt says why, the operator hears of it once.

August stands. Then each bad answer in turn, asked for three times, and the good one again. Then manners: what is asked when, after
403, 429, 503, 401 and broken answers, by moving the clock. The source `groups` has six parts and a bearer token; the source `beat`
only moves the daemon on without asking the others for anything."""
import copy
import datetime
import json
import re
import sys

from lab import Lab
from sample import EVALUATION, SECRET, configure, month, routes

EXTRA = """
[rule portal-failing]
when = source_failing 1
[source portal]
timeout = 15s
[source groups]
label = Sáu nhóm
url = http://127.0.0.1:@PUB@/groups
namespace = nhom
scope = 332
periods = month
at = 22:00
backfill = 1
recheck = 1
pace = 0s
spread = 0s
token.url = http://127.0.0.1:@PUB@/token
token.body = grant_type=password&username=u
token.pointer = /access_token
[source beat]
url = http://127.0.0.1:@PUB@/beat
periods = month
every = 31d
backfill = 1
recheck = 1
pace = 0s
spread = 0s
[part beat.main]
url = {{url}}
unit.code = /code
unit.kind = province
value.beat = /value
[indicator beat]
unit = count
"""
GROUPS = ["g%d" % i for i in range(1, 7)]
for name in GROUPS:
    EXTRA += """
[indicator %s]
unit = percent
[part groups.%s]
url = {{url}}/%s?month={{month}}
envelope = /code=OK
rows = /rows
unit.code = /code
unit.name = /name
unit.kind = commune
value.%s = /value
""" % (name, name, name, name)

REJECTED, FAILED, SUSPECT, NEW, UNCHANGED, NOT_MODIFIED = 4, 5, 6, 1, 2, 3
SUMMARY, PROGRESS = "service-results", "dvc-progress-tree"


# ---- what is published

def group_rows(n=15, add=0):
    return {name: {"code": "OK", "rows": [{"code": str(12337 + 3 * i), "name": "Xã %d" % i, "value": "%d.%02d" % (60 + k + add, i)} for i in range(n)]}
            for k, name in enumerate(GROUPS)}


def group_routes(document, token="t1", **changed):
    table = [{"path": "/token", "json": {"access_token": changed.pop("fresh", token)}},
             {"path": "/beat", "json": [{"code": "1", "value": 1}]}]
    for name in GROUPS:
        table.append({"path": "/groups/" + name, "json": document[name], "token": token, **changed.get(name, {})})
    return table


def august(**changed):
    """Routes of the portal; changed: call -> keys put over those of its August route."""
    table = routes({"2024-08": month("2024-08"), "2024-07": month("2024-07")})
    for route in table:
        call = route["path"][len(EVALUATION):]
        if call in changed and '"month":8,' in route["match"]:
            route.update(changed[call])
            if "file" in route or "files" in route or "body" in route:
                route.pop("json", None)
    return table


def summary(change):
    """The August summary after change(document)."""
    document = copy.deepcopy(month("2024-08")[SUMMARY])
    change(document)
    return {SUMMARY: {"json": document}}


def progress(change):
    document = copy.deepcopy(month("2024-08")[PROGRESS])
    change(document)
    return {PROGRESS: {"json": document}}


def rows(document):
    return document["data"]["evaluation" if "evaluation" in document["data"] else "children"]


def double_unit(document):
    rows(document)[3]["departmentCode"] = rows(document)[2]["departmentCode"]
    rows(document)[5]["totalScore"] = 1


def wrong_envelope(document):
    document["code"] = "ERR_QUOTA"
    rows(document)[0]["totalScore"] = 1


def wrong_scope(document):
    document["data"]["overview"]["departmentCode"] = "333"
    rows(document)[0]["totalScore"] = 1


def no_rows(document):
    rows(document).clear()


def no_rows_key(document):
    del document["data"]["evaluation"]


def no_code(document):
    del rows(document)[4]["departmentCode"]


def text(body, **more):
    return {SUMMARY: dict({"body": body, "type": "application/json"}, **more)}


# name, changed calls, outcome, words of the reason
CASES = [
    ("block page with 200", {PROGRESS: {"mode": "html"}}, FAILED, ["progress", "block page"]),
    ("HTML with 200", text("<html><body>Hệ thống bảo trì</body></html>", type="text/html"), REJECTED, ["summary", "HTML instead of JSON"]),
    ("HTML that says it is JSON", text("\n<!doctype html><p>x"), REJECTED, ["HTML instead of JSON"]),
    ("truncated", {PROGRESS: {"mode": "truncated"}}, REJECTED, ["progress", "cut short"]),
    ("truncated JSON of the right length", text('{"code":"OK","data":{"overview":{'), REJECTED, ["truncated JSON"]),
    ("500", {PROGRESS: {"mode": "500"}}, FAILED, ["progress", "500"]),
    ("40 MiB", {PROGRESS: {"mode": "huge"}}, REJECTED, ["progress", "larger than max_body"]),
    ("gzip bomb", {PROGRESS: {"mode": "bomb"}}, REJECTED, ["larger than max_body"]),
    ("endless", {SUMMARY: {"mode": "endless"}}, REJECTED, ["larger than max_body"]),
    ("no HTTP", {SUMMARY: {"mode": "nothttp"}}, FAILED, ["summary", "HTTP/0.9"]),
    ("headers without end", {SUMMARY: {"mode": "headers"}}, REJECTED, ["summary"]),
    ("reset", {PROGRESS: {"mode": "reset"}}, FAILED, ["progress", "connection"]),
    ("a unit twice", summary(double_unit), REJECTED, ["summary", "twice", "12343"]),
    ("wrong envelope", summary(wrong_envelope), REJECTED, ["ERR_QUOTA"]),
    ("wrong scope", summary(wrong_scope), REJECTED, ["333"]),
    ("no JSON", text("ORA-00942: table or view does not exist"), REJECTED, ["ORA-00942"]),
    ("broken JSON", text('{"code":"OK","data":{"overview":{} "evaluation":[]}}'), REJECTED, ["not JSON"]),
    ("depth bomb", text("[" * 100000 + "]" * 100000), REJECTED, ["nested deeper"]),
    ("a million values", text("[" + "0," * 3000000 + "0]"), REJECTED, ["values"]),
    ("nothing", text(""), REJECTED, ["empty answer"]),
    ("null", text("null"), REJECTED, ["no JSON object"]),
    ("no rows", {**summary(no_rows), **progress(no_rows)}, REJECTED, ["row"]),
    ("no array of rows", summary(no_rows_key), REJECTED, ["no array of rows"]),
    ("a row without its code", summary(no_code), REJECTED, ["row 5"]),
    ("403", {SUMMARY: {"status": 403, "mode": "status"}}, FAILED, ["403"]),
    ("403 that ends too early", {SUMMARY: {"status": 403, "mode": "truncated"}}, FAILED, ["403"]),
    ("404", {SUMMARY: {"status": 404, "mode": "status"}}, FAILED, ["404"]),
    ("302", {SUMMARY: {"status": 302, "mode": "status", "headers": {"Location": "/beat"}}}, FAILED, ["redirected"]),
    ("429", {SUMMARY: {"status": 429, "mode": "status", "headers": {"Retry-After": "120"}}}, FAILED, ["429"]),
    ("503", {SUMMARY: {"status": 503, "mode": "status"}}, FAILED, ["503"]),
    ("401", {SUMMARY: {"status": 401, "mode": "status"}}, FAILED, ["401"]),
    ("nobody answers", {SUMMARY: {"mode": "hang"}}, FAILED, ["summary"]),
]


# the same words as the operator reads them; the others are the publisher's, or numbers
READ = {"block page": "trang chặn truy cập", "HTML instead of JSON": "HTML thay vì JSON", "cut short": "cắt ngang", "truncated JSON": "JSON bị cắt",
        "larger than max_body": "lớn hơn max_body", "twice": "hai lần", "not JSON": "không phải JSON", "nested deeper": "lồng sâu quá", "values": "giá trị",
        "empty answer": "trả lời rỗng", "no JSON object": "không phải đối tượng", "row": "dòng", "no array of rows": "không có mảng dòng", "row 5": "dòng 5",
        "redirected": "chuyển sang nơi khác", "torn": "không khớp"}


# ---- what is looked at

def figures(lab):
    return lab.sql("SELECT * FROM figure"), lab.sql("SELECT * FROM vintage"), lab.sql("SELECT * FROM episode WHERE unit IS NOT NULL")


def attempt(lab, source="portal"):
    return lab.sql("SELECT outcome, coalesce(reason, ''), http_status FROM attempt WHERE source = ? ORDER BY id DESC LIMIT 1", source)[0]


def operator_mails(lab):
    lab.wait(lab.settled, "everything is settled")
    return [m for m in lab.mails() if m["To"] == "it@tienlu.example"]


def body_of(mail):
    return re.sub(r"\s+", " ", mail.get_body(("plain",)).get_content())


class Trouble:
    """Counts the operator's mails from here on."""

    def __init__(self, lab):
        self.lab, self.before = lab, len(operator_mails(lab))

    def mails(self):
        return operator_mails(self.lab)[self.before:]

    def expect(self, n, text):
        found = self.mails()
        assert len(found) == n, (text, n, [(m["Subject"], body_of(m)) for m in found])
        return found


def bad_case(lab, name, changed, outcome, words, times=3):
    trouble = Trouble(lab)
    before = figures(lab)
    lab.publish(group_routes(group_rows()) + august(**changed))
    n_attempts = lab.sql("SELECT count(*) FROM attempt")[0][0]
    for _ in range(times):
        lab.ask("portal", "2024-08")
        got, reason, _ = attempt(lab)
        assert got in (outcome if isinstance(outcome, tuple) else (outcome,)), (name, got, reason)
        assert all(w.lower() in reason.lower() for w in words), (name, reason)
    assert lab.sql("SELECT count(*) FROM attempt")[0][0] == n_attempts + times, name
    assert figures(lab) == before, name
    told = trouble.expect(1, name)[0]
    assert all(READ.get(w, w).lower() in body_of(told).lower() for w in words), (name, words, body_of(told))
    lab.publish(group_routes(group_rows()) + august())
    lab.ask("portal", "2024-08")
    assert attempt(lab)[0] == UNCHANGED, (name, attempt(lab))
    over = trouble.expect(2, name + ", over")[1]
    assert figures(lab) == before, name
    print("%-36s %s | %s" % (name, reason, over["Subject"]))


# ---- torn sets, six groups, tokens

def write(lab, name, document):
    with open(lab.path("pub", name), "w", encoding="utf8") as f:
        json.dump(document, f, ensure_ascii=False)


def torn(lab):
    old = month("2024-08")[SUMMARY]
    write(lab, "old.json", old)
    files = []
    for i in range(8):
        new = copy.deepcopy(old)
        rows(new)[0]["totalScore"] = 80 + i
        write(lab, "new-%d.json" % i, new)
        files.append("new-%d.json" % i)
    bad_case(lab, "always torn", {SUMMARY: {"files": files * 3}}, REJECTED, ["torn"])
    # torn once: what came before is forgotten, and the set is asked anew
    write(lab, "other.json", dict(old, requestId="other bytes, same figures"))
    before = figures(lab)
    lab.publish(group_routes(group_rows()) + august(**{SUMMARY: {"files": ["new-0.json", "other.json", "old.json", "other.json"]}}))
    n = len(lab.requests())
    lab.ask("portal", "2024-08")
    assert attempt(lab)[0] in (NEW, UNCHANGED) and figures(lab) == before, attempt(lab)
    paths = [r["path"][len(EVALUATION):] for r in lab.requests()[n:]]
    assert paths == [SUMMARY, PROGRESS, SUMMARY] * 2, paths


def groups(lab):
    trouble = Trouble(lab)
    before = figures(lab)
    faults = {"g1": {"mode": "status", "status": 500}, "g3": {"mode": "truncated"}, "g4": {"mode": "html"}, "g6": {"body": "{}"}}
    for i, (name, fault) in enumerate(faults.items()):
        table = group_routes(group_rows(add=20), **{name: fault})
        for route in table:
            if "body" in route:
                del route["json"]
        lab.publish(table + august())
        lab.ask("groups", "2024-08")
        outcome, reason, _ = attempt(lab, "groups")
        assert outcome in (REJECTED, FAILED) and name in reason and figures(lab) == before, (name, outcome, reason)
        # a refusal on top of a failure is told as well
        trouble.expect(1 if i < 2 else 2, "five of six: " + name)
    lab.publish(group_routes(group_rows()) + august())
    lab.ask("groups", "2024-08")
    assert attempt(lab, "groups")[0] in (UNCHANGED, NOT_MODIFIED) and figures(lab) == before
    trouble.expect(3, "six of six again")


def asked(lab, n, prefix):
    return [r["path"].split("?")[0] for r in lab.requests()[n:] if r["path"].startswith(prefix)]


def tokens(lab):
    before, trouble = figures(lab), Trouble(lab)
    # it expired: one new one, and on with it, wherever in the set that happens
    for at in (0, 3, 6):
        lists = {name: ["t1" if k < at else "t2"] for k, name in enumerate(GROUPS)}
        lists["g1"] = ["t2"] if at == 0 else ["t1", "t2"]
        table = group_routes(group_rows(), fresh="t2", **{name: {"token": token, "mode": "status", "turns": at} for name, token in lists.items()})
        lab.publish(table + august())
        n = len(lab.requests())
        lab.ask("groups", "2024-08")
        assert attempt(lab, "groups")[0] in (UNCHANGED, NOT_MODIFIED) and figures(lab) == before, (at, attempt(lab, "groups"))
        paths = asked(lab, n, "/")
        assert paths.count("/token") == 1 and len(paths) == 9 and paths[-1] == "/groups/g1", (at, paths)
        lab.publish(group_routes(group_rows(), token="t1") + august())
        lab.ask("groups", "2024-08")
        assert attempt(lab, "groups")[0] in (UNCHANGED, NOT_MODIFIED), attempt(lab, "groups")
    trouble.expect(0, "a token that expired is no trouble")
    # a new one that does not help either
    lab.publish(group_routes(group_rows(), token="t9", fresh="t8") + august())
    n = len(lab.requests())
    lab.ask("groups", "2024-08")
    assert attempt(lab, "groups")[0] == FAILED and "401" in attempt(lab, "groups")[1], attempt(lab, "groups")
    assert asked(lab, n, "/") == ["/groups/g1", "/token", "/groups/g1"], asked(lab, n, "/")
    assert figures(lab) == before
    trouble.expect(1, "login refused")
    lab.publish(group_routes(group_rows()) + august())
    lab.ask("groups", "2024-08")
    trouble.expect(2, "login works")


# ---- bad values, suspect snapshots

def bad_value(lab):
    before = figures(lab)
    def negative(document):
        rows(document)[2]["ratio"] = -5
        rows(document)[6]["ratio"] = 97.5
    trouble = Trouble(lab)
    lab.publish(group_routes(group_rows()) + august(**progress(negative)))
    lab.ask("portal", "2024-08")
    assert attempt(lab)[0] == NEW, attempt(lab)
    units = {k: code for k, code in enumerate(r["departmentCode"] for r in rows(month("2024-08")[PROGRESS]))}
    query = ("SELECT f.value, f.why FROM figure f JOIN indicator i ON i.id = f.indicator JOIN unit_code c ON c.unit = f.unit"
             " WHERE i.name = 'progress' AND f.period = 2024108 AND c.code = ?")
    assert lab.sql(query, units[2]) == [(None, 3)] and lab.sql(query, units[6]) == [(9750, 0)], lab.sql(query, units[2])
    notes = lab.sql("SELECT n.kind, n.text, c.code, i.name FROM note n JOIN unit_code c ON c.unit = n.unit JOIN indicator i ON i.id = n.indicator"
                    " WHERE n.kind = 'bad'")
    assert len(notes) == 1 and notes[0][2:] == (units[2], "progress") and "-5" in notes[0][1], notes
    changed = [a for a in figures(lab)[0] if a not in before[0]]
    assert len(changed) == 2 and len(figures(lab)[1]) == len(before[1]) + 2, changed
    lab.publish(group_routes(group_rows()) + august())
    lab.ask("portal", "2024-08")
    without_steps = lambda figures: [row[:-1] for row in figures]
    assert without_steps(figures(lab)[0]) == without_steps(before[0])
    trouble.expect(0, "one bad value is a note")


def suspect(lab):
    # by min_units (the portal's is 15), and by min_share (the groups have none)
    def few(document):
        del rows(document)[13:]
        rows(document)[0]["totalScore" if "totalScore" in rows(document)[0] else "ratio"] = 50
    few_portal = group_routes(group_rows()) + august(**{**summary(few), **progress(few)})
    few_groups = group_routes(group_rows(n=13, add=7)) + august()
    # one part is empty, and all units come with the other
    one_empty = group_routes(group_rows()) + august(**summary(lambda document: rows(document).clear()))
    for source, table, words, told in (("portal", few_portal, "min_units", "min_units"), ("groups", few_groups, "min_share", "min_share"),
                                       ("portal", one_empty, "known figures of total are missing", "số liệu đã có của total")):
        before, trouble = figures(lab), Trouble(lab)
        lab.publish(table)
        for i in range(4):
            lab.ask(source, "2024-08")
            assert attempt(lab, source)[0] == SUSPECT and words in attempt(lab, source)[1], attempt(lab, source)
            # the third in a row is critical
            found = trouble.expect(1 if i < 2 else 2, "%s: suspect %d" % (source, i))
            assert told in body_of(found[0]), body_of(found[0])
        assert figures(lab) == before
        states = lab.sql("SELECT state, known_step, (SELECT count(*) FROM snapshot_part p JOIN body b ON b.hash = p.hash"
                         " WHERE p.snapshot = s.id AND b.packed IS NOT NULL) FROM snapshot s WHERE source = ? AND reason LIKE ?", source, "%" + words + "%")
        assert states and all(known is None and bodies > 0 for _, known, bodies in states), states
        lab.publish(group_routes(group_rows()) + august())
        lab.ask(source, "2024-08")
        assert figures(lab) == before
        trouble.expect(3, source + ": no longer suspect")


# ---- manners

class Time:
    """The clock, and how often the portal was asked since the last look."""

    def __init__(self, lab):
        self.lab, self.now = lab, None
        self.n = len(lab.requests())

    def at(self, text):
        self.now = datetime.datetime.fromisoformat(text + "+07:00")
        return self.look()

    def after(self, **kwargs):
        self.now += datetime.timedelta(**kwargs)
        return self.look()

    def look(self):
        lab = self.lab
        lab.clock(self.now.isoformat())
        lab.ask("beat", "2024-08")
        state = lambda: {s["name"]: s["state"] for s in lab.call("GET", "/v1/sources")["sources"]}
        lab.wait(lambda: state()["portal"] != "fetching", "the portal was asked")
        n, self.n = self.n, len(lab.requests())
        return len(asked(lab, n, EVALUATION))


def status_trouble(lab):
    return lab.call("GET", "/v1/status")["trouble"]


def good(lab, time):
    lab.publish(group_routes(group_rows()) + august())
    lab.ask("portal", "2024-08")
    assert attempt(lab)[0] == UNCHANGED, attempt(lab)
    time.n = len(lab.requests())


def broken(lab, **route):
    lab.publish(group_routes(group_rows()) + august(**{SUMMARY: dict({"mode": "status"}, **route)}))


def refused(lab, time):
    """One single request a day, at the regular time; after seven such days none until a person asks."""
    trouble = Trouble(lab)
    assert time.at("2024-09-06T11:00:00") == 3 # the regular time was missed: made up once
    assert time.at("2024-09-07T03:00:00") == 0
    broken(lab, status=403)
    for day in range(7, 14):
        assert time.at("2024-09-%02dT03:59:00" % day) == 0, day
        assert time.at("2024-09-%02dT04:00:05" % day) == 1, day
        for clock in ("04:01:00", "04:16:00", "05:05:00", "12:00:00", "21:59:00", "23:59:50"):
            assert time.at("2024-09-%02dT%s" % (day, clock)) == 0, (day, clock)
        trouble.expect(1 if day < 13 else 2, "403 on the %dth" % day)
        if day == 9: # a restart forgets nothing
            assert lab.stop() == 0
            lab.start()
            assert time.look() == 0
            assert status_trouble(lab) == "nguồn portal không lấy được 3 ngày (HTTP 403), số liệu đến 06/09", status_trouble(lab)
    assert lab.call("GET", "/v1/sources")["sources"][0]["state"] == "stopped"
    lab.publish(group_routes(group_rows()) + august())
    for day in (14, 15):
        assert time.at("2024-09-%02dT04:00:05" % day) == 0 and time.after(hours=8) == 0, day
    good(lab, time)
    trouble.expect(3, "the portal answers again")
    assert status_trouble(lab) is None
    assert time.at("2024-09-16T04:00:05") == 3


def busy(lab, time):
    trouble = Trouble(lab)
    for status in (429, 503):
        broken(lab, status=status, headers={"Retry-After": "1800"})
        lab.ask("portal", "2024-08")
        time.look()
        assert time.after(seconds=1790) == 0 and time.after(seconds=20) == 1, status
        broken(lab, status=status)
        assert time.after(seconds=1810) == 1, status
        # doubling from a minute on
        for minutes in (1, 2, 4, 8, 16):
            assert time.after(seconds=minutes * 60 - 5) == 0, (status, minutes)
            assert time.after(seconds=10) == 1, (status, minutes)
        good(lab, time)
    trouble.expect(4, "two troubles, two ends")


def server_errors(lab, time):
    """1, 5, 15, 60 minutes with jitter up to a quarter more; 5xx and broken connections alike."""
    trouble = Trouble(lab)
    broken(lab, status=500)
    lab.ask("portal", "2024-08")
    time.look()
    for minutes in (1, 5, 15, 60, 60):
        assert time.after(seconds=minutes * 60 - 5) == 0, minutes
        assert time.after(seconds=minutes * 15 + 10) == 1, minutes
    good(lab, time)
    trouble.expect(2, "500")


def broken_content(lab, time):
    """Again after a quarter of an hour, then twice as long after the regular time, at most 4 hours apart."""
    trouble = Trouble(lab)
    lab.publish(group_routes(group_rows()) + august(**text("ORA-00942")))
    time.at("2024-09-18T03:00:00")
    assert time.at("2024-09-18T04:00:05") == 1
    assert time.after(minutes=14) == 0 and time.after(minutes=2) == 1
    assert time.after(minutes=14) == 0 and time.after(minutes=4) == 1
    asked = sum(time.after(minutes=10) for _ in range(6 * 23))
    assert 4 <= asked <= 10, asked
    assert time.at("2024-09-19T04:00:05") == 1
    good(lab, time)
    trouble.expect(2, "no JSON")


def check_memory(lab):
    """Bombs, endless answers and 40 MiB were read with a bound; a sanitizer's own memory says nothing about it."""
    with open("/proc/%d/maps" % lab.daemon.pid, encoding="utf8") as f:
        is_sanitized = "libasan" in f.read()
    with open("/proc/%d/status" % lab.daemon.pid, encoding="utf8") as f:
        peak = int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1)) // 1024
    print("peak memory: %d MiB" % peak)
    assert is_sanitized or peak < 128, peak


def main():
    with Lab(sys.argv[1]) as lab:
        lab.clock("2024-09-05T09:00:00+07:00")
        lab.start_publisher()
        lab.start_smtp()
        lab.start_hook(SECRET)
        configure(lab, extra=EXTRA)
        lab.publish(group_routes(group_rows()) + august())
        lab.start()
        for source in ("portal", "groups", "beat"):
            lab.ask(source, "2024-08")
        assert lab.sql("SELECT count(*) FROM figure WHERE period = 2024108")[0][0] >= 32 + 90
        assert operator_mails(lab) == []
        for name, changed, outcome, words in CASES:
            bad_case(lab, name, changed, outcome, words, times=1 if "hang" in str(changed) else 3)
        torn(lab)
        groups(lab)
        tokens(lab)
        bad_value(lab)
        suspect(lab)
        time = Time(lab)
        refused(lab, time)
        busy(lab, time)
        server_errors(lab, time)
        broken_content(lab, time)
        lab.integrity()
        check_memory(lab)
        assert lab.stop() == 0
    print("bad-answers: passed")


main()
