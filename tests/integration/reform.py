#!/usr/bin/python3
"""reform.py BUILD: 1 July 2025. Fifteen communes of Tiên Lữ become four with the codes of other territory: no delta across, history
reachable from the successor, alerts ended as unit_ended, the successor's recipients told from then on; quarantine and its decisions."""
import sys

from lab import Lab
from sample import configure, routes

OLD = {"12337": "UBND TT Vương", "12340": "UBND xã Hưng Đạo", "12343": "UBND xã Ngô Quyền", "12346": "UBND xã Nhật Tân", "12349": "UBND xã Dị Chế",
       "12352": "UBND xã Lệ Xá", "12355": "UBND xã An Viên", "12358": "UBND xã Đức Thắng", "12361": "UBND xã Trung Dũng",
       "12364": "UBND xã Hải Triều", "12367": "UBND xã Thủ Sỹ", "12370": "UBND xã Thiện Phiến", "12373": "UBND xã Thụy Lôi",
       "12376": "UBND xã Cương Chính", "12379": "UBND xã Minh Phượng"}
NEW = {"12337": "UBND xã Hoàng Hoa Thám", "12361": "UBND xã Tiên Hoa", "12364": "UBND xã Tiên Lữ", "11977": "UBND xã Tân Hưng"}
INTO = {"12337": "12337 12340 12343 12346 12349 12355", "12361": "12352 12361 12376 12379", "12364": "12358 12364 12370 12373", "11977": "12367"}
DAY = "2025-07-01"


def documents(parent, names, low):
    summary = {"code": "OK", "message": "OK", "data": {"overview": {"departmentCode": parent[0], "departmentName": parent[1], "totalScore": 88},
                                                       "evaluation": [{"departmentCode": c, "departmentName": n, "totalScore": 88, "scoreDelta": None}
                                                                      for c, n in names.items()]}}
    progress = {"code": "OK", "message": "OK", "data": {"parent": {"departmentCode": parent[0], "departmentName": parent[1], "ratio": 97, "totalReceived": 100},
                                                        "children": [{"departmentCode": c, "departmentName": n, "level": "COMMUNE", "ratio": low.get(c, 98),
                                                                      "totalReceived": 100} for c, n in names.items()]}}
    return {"service-results": summary, "dvc-progress-tree": progress}


def csv_list(with_mail=True):
    into = {old: new for new, olds in INTO.items() for old in olds.split()}
    lines = ["code,name,kind,parent,from,until,successors,email"]
    lines += ["gso:%s,,,,,%s,gso:%s,%s" % (code, DAY, into[code], "old-%s@xa.example" % code if with_mail else "") for code in OLD]
    lines += ["gso:%s,%s,commune,gso:332,%s,,,%s" % (code, name, DAY, "new-%s@xa.example" % code) for code, name in NEW.items()]
    return "\n".join(lines) + "\n"


EXTRA = """
[source portal]
min_units = 0
[recipient communes]
each = kind:commune
email = registry
"""


def recipients(lab, since=0):
    return sorted(m["To"] for m in lab.mails()[since:])


def main():
    with Lab(sys.argv[1]) as lab:
        lab.clock("2025-07-02T07:00:00+07:00")
        lab.start_publisher()
        lab.start_smtp()
        lab.start_hook()
        configure(lab, extra=EXTRA)
        district = ("332", "UBND huyện Tiên Lữ")
        june = documents(district, OLD, {"12376": 82.71, "12364": 90})
        july = documents(district, NEW, {"12361": 80})
        lab.publish(routes({"2025-05": documents(district, OLD, {}), "2025-06": june, "2025-07": july}))
        lab.start()
        lab.ask("portal", "2025-05")
        lab.ask("portal", "2025-06")

        # the list: shown first, then written; the same again is no difference
        path = lab.path("units.csv")
        with open(path, "w", encoding="utf8") as f:
            f.write(csv_list())
        shown = lab.json("units", "import", path)
        assert shown["preview"] and sum(c["what"] == "new" for c in shown["changes"]) == 4, shown
        assert sum(c["what"] == "successor" for c in shown["changes"]) == 15 and lab.sql("SELECT count(*) FROM unit")[0][0] == 16
        assert lab.ctl("units", "import", path, check=False).returncode == 1  # nobody to ask
        lab.json("units", "import", path, "--yes")
        assert lab.json("units", "import", path)["changes"] == []
        assert len(lab.json("units", "list", "--kind", "commune")["units"]) == 4
        assert len(lab.json("units", "list", "--kind", "commune", "--all")["units"]) == 19
        only = lab.path("one.csv")  # what is absent stays
        with open(only, "w", encoding="utf8") as f:
            f.write("code;email\n12364;new-12364@xa.example\n")
        assert lab.json("units", "import", only)["changes"] == []
        with open(only, "w", encoding="utf8") as f:
            f.write("key;name\ngso:12376;Xã Một\ngso:12376;Xã Hai\n")
        refused = lab.ctl("units", "import", only, "--yes", check=False)
        assert refused.returncode == 1 and "dòng 3: " in refused.stderr and "'Xã Hai' ở đây và 'Xã Một' ở dòng 2" in refused.stderr, refused
        exported = lab.path("exported.csv")
        lab.ctl("units", "export", exported)
        assert lab.json("units", "import", exported)["changes"] == []
        assert "old-12376@xa.example" not in lab.api("/v1/units?all=1").__repr__()  # masked for everybody

        # June is judged: the old communes' alerts, told to them
        lab.clock("2025-07-07T08:00:01+07:00")
        lab.ask("portal", "2025-06")
        lab.wait(lambda: "old-12376@xa.example" in recipients(lab) and lab.settled(), "June is told")
        opened = {(a["unit"]["key"], a["rule"]) for a in lab.json("alerts")["alerts"] if a.get("unit") and a["rule"] == "progress-low"}
        assert opened == {("gso:12376", "progress-low"), ("gso:12364", "progress-low")}, opened
        before = len(lab.mails())

        # July: the successors, under codes that were others'
        lab.clock("2025-08-07T08:00:01+07:00")
        lab.ask("portal", "2025-07")
        suspect = lab.json("snapshot", "list")["snapshots"][0]  # a quarter of the units: a person lets it in
        assert suspect["state"] == "suspect"
        lab.json("snapshot", "accept", str(suspect["id"]))
        ranking = lab.json("ranking", "--period", "2025-07", "--indicator", "progress")["cohorts"][0]["rows"]
        assert {(r["unit"]["key"], r["value"]) for r in ranking} == {("gso:12337@2025-07-01", 98), ("gso:12361@2025-07-01", 80),
                                                                      ("gso:12364@2025-07-01", 98), ("gso:11977", 98)}, ranking
        assert all(r["delta"] is None and r["delta_reason"] == "merged" for r in ranking), ranking
        assert len(lab.json("ranking", "--period", "2025-06", "--indicator", "progress")["cohorts"][0]["rows"]) == 15

        # old alerts ended as unit_ended, the successor's opened and told to the successor
        lab.clock("2025-08-08T08:00:01+07:00")
        lab.ask("portal", "2025-07")
        lab.wait(lambda: "new-12361@xa.example" in recipients(lab, before) and lab.settled(), "July is told")
        assert {"old-12376@xa.example", "old-12364@xa.example"} <= set(recipients(lab, before))  # who was told of an opening is told of its end
        reasons = {(u, r) for u, r in lab.sql("SELECT u.key, e.end_reason FROM episode e JOIN unit u ON u.id = e.unit WHERE e.rule = 'progress-low' AND e.state = 3")}
        kinds = {u for u, in lab.sql("SELECT u.key FROM transition t JOIN episode e ON e.id = t.episode JOIN unit u ON u.id = e.unit"
                                     " WHERE e.rule = 'progress-low' AND t.reason = 'unit_ended'")}
        assert {u for u, r in reasons} == {"gso:12376", "gso:12364"} and kinds == {"gso:12376", "gso:12364"}, (reasons, kinds)
        live = {a["unit"]["key"] for a in lab.json("alerts")["alerts"] if a.get("unit") and a["rule"] == "progress-low" and a["state"] == "open"}
        assert live == {"gso:12361@2025-07-01"}, live
        assert not any(to.startswith("new-12376") for to in recipients(lab)) and "new-12337@xa.example" not in recipients(lab)

        # history is reachable both ways
        history = lab.json("history", "gso:12361@2025-07-01", "--indicator", "progress")
        assert {k["unit"]["code"] for k in history["predecessors"]} == {"12352", "12361", "12376", "12379"}, history["predecessors"]
        assert [k["unit"]["key"] for k in lab.json("history", "gso:12367", "--indicator", "progress")["successors"]] == ["gso:11977"]
        assert "UBND xã Cương Chính" in lab.ctl("history", "gso:12361@2025-07-01", "--indicator", "progress").stdout

        # another name under a known code is quarantined until a person decides
        august = documents(district, dict(NEW, **{"11977": "UBND xã Phương Chiểu", "99999": "UBND xã Tien Hoa"}), {})
        lab.publish(routes({"2025-07": documents(district, NEW, {"12361": 81}), "2025-08": august}))
        lab.clock("2025-09-05T07:00:00+07:00")
        lab.ask("portal", "2025-08")
        waiting = lab.json("units", "suggest")["quarantine"]
        assert [(q["code"], q["name"]) for q in waiting] == [("11977", "UBND xã Phương Chiểu")], waiting
        unknown = "SELECT state FROM episode WHERE rule = 'unknown-units'"
        assert lab.sql(unknown) == [(2,)], lab.sql(unknown)
        lab.ask("portal", "2025-07")  # all its rows match, and still a person is waited for
        assert lab.sql(unknown) == [(2,)] and lab.json("units", "suggest")["quarantine"] == waiting, lab.sql(unknown)
        assert lab.ctl("units", "same", "gso:12361", "--from", "2025-08-01", check=False).returncode == 2
        lab.json("units", "same", "gso:11977", "--from", "2025-08-01")
        assert lab.json("units", "suggest")["quarantine"] == []
        lab.ask("portal", "2025-08")  # the same bytes, read anew
        assert lab.sql(unknown) == [(3,)], lab.sql(unknown)
        rows = {r["unit"]["key"]: r for r in lab.json("ranking", "--period", "2025-08", "--indicator", "progress")["cohorts"][0]["rows"]}
        assert rows["gso:11977"]["value"] == 98 and rows["gso:11977"]["unit"]["name"] == "UBND xã Phương Chiểu", rows["gso:11977"]
        lab.integrity()
        assert lab.stop() == 0
    print("reform: passed")


main()
