#!/usr/bin/python3
"""imports.py BUILD: files as sources. The letter's own table as a file for a source that writes commas; encodings; refused rows; preview,
undo; the inbox."""
import json
import os
import sys

from lab import Lab
from sample import configure, letter, month, routes

EXTRA = """
[source letter]
preset = inbox
inbox = @DIR@/state/inbox
prefix = letter_
namespace = gso
numbers = comma
periods = month
"""
HEADING = "Stt;Đơn vị;Tổng điểm;Tăng, giảm so với tháng trước;Tỷ lệ giải quyết đúng hạn (%)"


def table(rows, newline="\r\n"):
    return newline.join(["PHỤ LỤC", HEADING] + ["%s;%s;%s;%s;%s" % (r[0], r[2], r[3], r[4], r[5]) for r in rows]) + newline


def value(text):
    return float(text.replace(",", "."))


def figures(lab, indicator, period="2024-08"):
    return {u: v for u, v in lab.sql("SELECT u.key, f.value / 100.0 FROM figure f JOIN indicator i ON i.id = f.indicator JOIN unit u ON u.id = f.unit"
                                     " WHERE i.name = ? AND f.period = ?", indicator, 2024100 + int(period[-2:]))}


def write(lab, name, data):
    with open(lab.path(name), "wb") as f:
        f.write(data)
    return lab.path(name)


def preview(lab, path, source="letter", period="2024-08"):
    return lab.json("import", path, "--source", source, "--period", period)


def refusal(lab, path, source, period="2024-08"):
    refused = lab.ctl("import", path, "--source", source, "--period", period, "--json", check=False)
    assert refused.returncode in (1, 2) and refused.stdout == "", (refused.returncode, refused.stdout)
    return refused.stderr


def numbers(lab):
    """No cell and no text has an exponent, a JSON number may; what is rounded is told with the first of it, of the rows that are used."""
    def post(document):
        return preview(lab, write(lab, "n.json", json.dumps(document).encode()), "portal")
    for cell in ("1e2", "9.1E1", "1e999"):
        refused = preview(lab, write(lab, "n.csv", ("code,total\n12364,88.5\n12367,%s\n" % cell).encode()), "portal")
        assert [(r["line"], r["column"]) for r in refused["refused"]] == [(3, 2)] and cell in refused["refused"][0]["reason"], refused
        refused = post([{"code": "12364", "total": 88.5}, {"code": "12367", "total": cell}])
        assert refused["refused_rows"] == 1 and refused["changed"] == 1, refused
    raw = write(lab, "n.json", b'[{"code": "12367", "total": 9.05e1}]')
    assert preview(lab, raw, "portal")["changes"][0]["new"] == 90.5

    odd = "Mã;Đơn vị;Tổng điểm;Tỷ lệ giải quyết đúng hạn (%)\n12364;;88,50;\n12367;;89,999;100,004\n;Không Có;1,001;\n"
    seen = preview(lab, write(lab, "n.csv", odd.encode()))
    assert (seen["rounded"], seen["refused_rows"]) == (2, 1), seen
    assert seen["rounded_first"] == {"line": 3, "column": 3, "indicator": "letter_total", "written": "89,999", "value": 90, "text": "90,00"}, seen
    told = lab.ctl("import", lab.path("n.csv"), "--source", "letter", "--period", "2024-08", check=False).stdout
    assert "Lưu ý: 2 số được làm tròn" in told and "dòng 3 cột 3, letter_total: 89,999 → 90" in told, told
    assert post([{"code": "12367", "total": 90.125}])["rounded_first"]["written"] == "90.125"
    exact = post([{"code": "12367", "total": 0.1 + 0.2}, {"code": "12364", "total": 88.5}])
    assert exact["rounded"] == 0 and exact["rounded_first"] is None, exact


def members(lab):
    """What nobody reads is named: a member of the object by a refusal, a column in the preview; no figure is a list, or true."""
    row = {"code": "12367", "total": 90.5}
    for document, name in (({"rows": [row], "perod": "2024-07"}, "perod"), ({"rows": [row], "workbook": {}}, "workbook"),
                           ({"headings": ["code", "total"], "rows": [{"line": 2, "cells": ["12367", 1], "sheet": 1}]}, "sheet"),
                           ({"headings": ["code", "total"], "rows": [{"line": 2, "cells": ["12367", 1]}], "workbook": {"nam": ""}}, "nam")):
        text = refusal(lab, write(lab, "m.json", json.dumps(document).encode()), "portal")
        assert '"%s"' % name in text and "chưa làm gì" in text, text
    assert preview(lab, write(lab, "m.json", json.dumps({"rows": [row]}).encode()), "portal")["changed"] == 1
    for value in (True, [90], {"value": 90}):
        seen = preview(lab, write(lab, "m.json", json.dumps([row, {"code": "12364", "total": value}]).encode()), "portal")
        assert [(r["line"], r["reason"][:7]) for r in seen["refused"]] == [(2, "total: ")], seen
    seen = preview(lab, write(lab, "m.json", json.dumps([dict(row, totl=None, x=[1])]).encode()), "portal")
    assert seen["ignored_columns"] == "totl, x" and seen["changed"] == 1, seen


def put_back(lab):
    """Of a source that fetches by itself nothing stays that it says otherwise: the preview says when."""
    path = write(lab, "p.csv", b"code,total\n12367,70.5\n")
    seen = preview(lab, path, "portal")
    assert seen["changed"] == 1 and seen["put_back"] == "2024-09-06T04:00:00+07:00", seen
    told = lab.ctl("import", path, "--source", "portal", "--period", "2024-08", check=False).stdout
    assert "CHÚ Ý: nguồn này tự lấy" in told and "06/09/2024 04:00" in told and "1 số liệu này" in told, told
    assert preview(lab, write(lab, "p.csv", b"code,total\n12367,89.63\n"), "portal")["put_back"] is None  # as it stands
    assert preview(lab, write(lab, "l.csv", "Mã;Tổng điểm\n12367;70,5\n".encode()))["put_back"] is None  # nobody fetches the letter
    assert preview(lab, path, "portal", "2020-01")["put_back"] is None  # nor what is that old


def main():
    with Lab(sys.argv[1]) as lab:
        lab.clock("2024-09-05T07:00:00+07:00")
        lab.start_publisher()
        lab.start_smtp()
        lab.start_hook()
        configure(lab, extra=EXTRA)
        lab.publish(routes({"2024-08": month("2024-08")}))
        lab.start()
        lab.ask("portal", "2024-08")
        rows = letter()

        # a preview stores nothing and says all
        path = write(lab, "letter.csv", table(rows).encode("utf-8-sig"))
        orders = "SELECT count(*) FROM step WHERE cause = 2"  # others may come at any time: what was released is settled
        steps = lab.sql(orders)
        shown = preview(lab, path)
        assert (shown["rows"], shown["matched"], shown["refused_rows"], shown["new"], shown["changed"], shown["preview"]) == (15, 15, 0, 30, 0, True), shown
        assert lab.sql(orders) == steps == [(0,)] and figures(lab, "letter_total") == {}
        assert lab.ctl("import", path, "--source", "letter", "--period", "2024-08", check=False).returncode == 1  # nobody to ask

        # --yes stores; the figures are those of the letter, the stored body is the file
        stored = lab.json("import", path, "--source", "letter", "--period", "2024-08", "--yes")
        assert stored["new"] == 30 and stored["snapshot"], stored
        assert figures(lab, "letter_total") == {"gso:" + r[1]: value(r[3]) for r in rows}
        assert figures(lab, "letter_progress") == {"gso:" + r[1]: value(r[5]) for r in rows}

        # the same again in other encodings changes nothing: UTF-16, NFD, tabs and LF
        import unicodedata
        plain = table(rows)
        for data in (plain.encode("utf-16"), unicodedata.normalize("NFD", plain).encode(), plain.replace(";", "\t").replace("\r", "").encode()):
            again = preview(lab, write(lab, "again.csv", data))
            assert (again["rows"], again["matched"], again["new"], again["changed"]) == (15, 15, 0, 0), again

        # old encodings are refused by name, not misread
        for data, name in ((b"Stt;T\xaan;\xa7i\xd3m\n1;Ti\xaan L\xf7;5\n", "TCVN3"), ("Stt;Tên;Ñieåm\n1;Tieân Löõ;5\n2;Leä Xaù;6\n".encode(), "VNI"),
                           ("Stt;Tªn;§iÓm\n1;Tiªn L÷;5\n".encode(), "TCVN3"), (b"ten;diem\n\xff\xfa\xfb;1\n", "UTF-8 hay UTF-16"),
                           (b"\x7fELF\x02\x01\0\0\xaa;\xf7", "không phải tệp chữ"), (b"", "tệp rỗng"), ("Stt;Đơn vị\n1;Lệ Xá\n".encode(), "số liệu")):
            refused = lab.ctl("import", write(lab, "old.csv", data), "--source", "letter", "--period", "2024-08", "--json", check=False)
            assert refused.returncode == 1 and name in refused.stderr, (name, refused.stderr)

        numbers(lab)
        members(lab)
        put_back(lab)

        # a period of a type that the source does not have is refused, with those that it has
        for source, file in (("letter", path), ("portal", write(lab, "q.csv", b"code,total\n12367,70.5\n"))):
            for period in ("2024-Q2", "2024-H1", "2023"):
                text = refusal(lab, file, source, period)
                assert "kỳ %s không thuộc loại kỳ mà nguồn %s có (periods = month)" % (period, source) in text, text

        # a period that has not begun is refused, the running one is not; so is a table without figures, which would leave units alone
        late = lab.ctl("import", path, "--source", "letter", "--period", "2024-10", "--yes", check=False)
        assert late.returncode == 2 and "2024-10" in late.stderr and ("05/09/2024" in late.stderr or "2024-09-05" in late.stderr), late.stderr
        units = lab.sql("SELECT count(*) FROM unit")
        names = write(lab, "units.csv", "code,name,kind,parent\n99901,Xã Mới Một,commune,\n".encode())
        none = lab.ctl("import", names, "--source", "portal", "--period", "2024-08", "--yes", "--json", check=False)
        assert none.returncode == 1 and "không cột nào là chỉ số của nguồn portal" in none.stderr, none.stderr
        assert lab.sql("SELECT count(*) FROM unit") == units
        big = lab.ctl("import", write(lab, "big.csv", b"a" * ((1 << 20) + 1)), "--source", "letter", "--period", "2024-08", check=False)
        assert big.returncode == 1 and "1 MiB" in big.stderr, big.stderr

        # an undone import leaves no period behind: neither in the list nor as empty months of the history
        horizon = lambda: [p["period"]["id"] for p in lab.json("history", "12367", "--indicator", "letter_total")["periods"]]
        known = horizon()
        running = lab.json("import", path, "--source", "letter", "--period", "2024-09", "--yes")
        assert horizon()[0] == "2024-09" != known[0], horizon()
        lab.json("import", "--undo", str(running["snapshot"]))
        assert horizon() == known, horizon()

        # bad data never replaces good: a value out of range is refused with its place, and the figure stays; new units are counted
        wild = write(lab, "wild.csv", "Mã;Đơn vị;Tổng điểm\n12367;;190,5\n12364;;88,5\n".encode())
        seen = preview(lab, wild)
        assert [(r["line"], r["column"]) for r in seen["refused"]] == [(2, 3)] and "190.50 is outside 0.00..100.00" in seen["refused"][0]["reason"], seen
        assert (seen["lost"], seen["changed"]) == (0, 1), seen
        shown = lab.ctl("import", wild, "--source", "letter", "--period", "2024-08", check=False).stdout
        assert "190.50 ngoài khoảng 0.00..100.00" in shown and ("0 đơn vị mới" in shown or "0 new units" in shown), shown
        before = figures(lab, "letter_total")
        undone = lab.json("import", wild, "--source", "letter", "--period", "2024-08", "--yes")
        assert figures(lab, "letter_total") == dict(before, **{"gso:12364": 88.5})
        lab.json("import", "--undo", str(undone["snapshot"]))
        only = lab.ctl("import", write(lab, "only.json", b'[{"code": "12367", "total": 190.5}]'), "--source", "portal", "--period", "2024-08",
                       "--yes", "--json", check=False)
        assert only.returncode == 1 and "190.50 ngoài khoảng" in only.stderr, only.stderr

        # an empty cell says that there is no value, and would take a good figure away: a person is told which, and where
        blank = write(lab, "blank.csv", "Mã;Đơn vị;Tổng điểm\n12364;;88,5\n12367;;\n".encode())
        seen = preview(lab, blank)
        assert seen["lost"] == 1 and [(f["unit"]["code"], f["indicator"], f["old"], f["line"], f["column"]) for f in seen["lost_figures"]] == \
            [("12367", "letter_total", before["gso:12367"], 3, 3)], seen
        shown = lab.ctl("import", blank, "--source", "letter", "--period", "2024-08", check=False).stdout
        assert "1 số liệu đang có sẽ mất giá trị" in shown and "dòng 3 cột 3: " in shown and "89,63" in shown, shown
        assert figures(lab, "letter_total") == before

        # bad rows are refused with line and column, the others are used; a correction of one figure changes one figure
        bad = [list(r) for r in rows]
        bad[0][3] = "9.1,2,3"
        bad[1][2] = "UBND xã Không Có"
        bad[2][3] = "90,01"
        odd = preview(lab, write(lab, "bad.csv", table(bad + [rows[3]]).encode()))
        assert [(r["line"], r["column"]) for r in odd["refused"]] == [(3, 3), (4, None), (18, None)], odd
        assert [(c["unit"]["code"], c["old"], c["new"]) for c in odd["changes"]] == [("12346", 88.23, 90.01)], odd
        one = lab.json("import", write(lab, "one.csv", "Mã,Tổng điểm\n12367,\"91,00\"\n".encode()), "--source", "letter", "--period", "2024-08", "--yes")
        assert one["changed"] == 1 and figures(lab, "letter_total")["gso:12367"] == 91 and len(figures(lab, "letter_progress")) == 15
        # a name that differs in its marks only is another name
        assert preview(lab, write(lab, "marks.csv", "Đơn vị;Tổng điểm\nUBND xã Minh Phương;86,2\nLệ Xá;1\n".encode()))["refused"][0]["line"] == 2

        # undo: what was before is known again, from now on
        lab.clock("2024-09-05T09:00:00+07:00")
        undone = lab.json("import", "--undo", str(one["snapshot"]))
        assert undone["changed"] == 1 and figures(lab, "letter_total")["gso:12367"] == 89.63
        assert lab.ctl("import", "--undo", str(one["snapshot"]), check=False).returncode == 1
        # with its vintages the undone period is told too
        told = lab.json("history", "12367", "--indicator", "letter_total", "--vintages")["periods"]
        assert [p["period"]["id"] for p in told[:2]] == ["2024-09", "2024-08"], told
        was = told[1]["vintages"]
        assert [v["value"] for v in was] == [89.63, 91, 89.63]
        portal = lab.json("snapshot", "list", "--source", "portal")["snapshots"][0]["id"]
        assert lab.ctl("import", "--undo", str(portal), check=False).returncode == 1  # was fetched, not imported

        # into a fetched source, which writes dots: JSON; commas are refused
        ok = preview(lab, write(lab, "dot.json", b'[{"code": "12367", "total": 90.5}, {"code": 12364, "total": 1}]'), "portal")
        assert ok["changed"] == 1 and ok["refused"][0]["line"] == 2 and "text" in ok["refused"][0]["reason"], ok
        comma = lab.ctl("import", path, "--source", "portal", "--period", "2024-08", "--json", check=False)
        assert comma.returncode == 1 and "numbers = dot" in comma.stderr, comma.stderr

        # the inbox: taken when renamed in or closed after writing, moved aside
        inbox = lab.path("state", "inbox")
        july = [list(r) for r in rows]
        for r in july:
            r[3] = "80,5"
        write(lab, "x.tmp", table(july).encode())
        os.rename(lab.path("x.tmp"), os.path.join(inbox, "so-lieu-2024-07.csv"))
        lab.wait(lambda: os.path.exists(os.path.join(inbox, "done", "so-lieu-2024-07.csv")), "the file is taken")
        assert set(figures(lab, "letter_total", "2024-07").values()) == {80.5}
        with open(os.path.join(inbox, "rac-2024-07.csv"), "wb") as f:
            f.write(b"khong phai bang")
        lab.wait(lambda: os.path.exists(os.path.join(inbox, "refused", "rac-2024-07.csv")), "the file is refused")
        attempt = lab.sql("SELECT outcome, reason FROM attempt WHERE source = 'letter' ORDER BY id DESC LIMIT 1")[0]
        assert attempt[0] == 4 and attempt[1], attempt
        with open(os.path.join(inbox, "khong-ky.csv"), "wb") as f:
            f.write(b"a;b\n1;2\n")
        lab.wait(lambda: os.path.exists(os.path.join(inbox, "refused", "khong-ky.csv")), "no period in its name")
        # a workbook is refused by name, not passed over in silence; a suffix in capitals is one, too
        refusals = lambda: [r for r, in lab.sql("SELECT reason FROM attempt WHERE source = 'letter' AND outcome = 4 ORDER BY id")]
        with open(os.path.join(inbox, "bang-2024-07.xlsx"), "wb") as f:
            f.write(b"PK\x03\x04")
        lab.wait(lambda: os.path.exists(os.path.join(inbox, "refused", "bang-2024-07.xlsx")), "a workbook is refused")
        assert "a workbook: the inbox takes CSV and JSON" in refusals()[-1] and "chisoctl import" in refusals()[-1], refusals()
        with open(lab.path("chisod.log"), encoding="utf8") as f:
            assert "bang-2024-07.xlsx is refused (a workbook" in f.read()
        with open(os.path.join(inbox, "RAC-2024-07.CSV"), "wb") as f:
            f.write(b"khong phai bang")
        lab.wait(lambda: os.path.exists(os.path.join(inbox, "refused", "RAC-2024-07.CSV")), "a suffix in capitals")
        # a bad row leaves what is known of its unit, the others are used
        half = [list(r) for r in july]
        half[0][3], half[1][3] = "190,5", "82,5"
        with open(os.path.join(inbox, "nua-2024-07.csv"), "wb") as f:
            f.write(table(half).encode())
        lab.wait(lambda: os.path.exists(os.path.join(inbox, "done", "nua-2024-07.csv")), "a file with a bad row is taken")
        assert figures(lab, "letter_total", "2024-07") == {"gso:" + r[1]: 82.5 if i == 1 else 80.5 for i, r in enumerate(rows)}
        asked = lab.ctl("fetch", "letter", "--wait", check=False)
        assert asked.returncode == 2 and inbox in asked.stderr and "CSV" in asked.stderr, asked.stderr
        with open(os.path.join(inbox, "2030-01.csv"), "wb") as f:
            f.write(table(july).encode())
        lab.wait(lambda: os.path.exists(os.path.join(inbox, "refused", "2030-01.csv")), "a period that has not begun")
        assert lab.sql("SELECT reason FROM attempt WHERE source = 'letter' ORDER BY id DESC LIMIT 1")[0][0] == "period 2030-01 has not begun: today is 2024-09-05"
        assert lab.sql("SELECT count(*) FROM figure WHERE period > 2025000")[0][0] == 0
        with open(os.path.join(inbox, "2024-Q2.csv"), "wb") as f:
            f.write(table(july).encode())
        lab.wait(lambda: os.path.exists(os.path.join(inbox, "refused", "2024-Q2.csv")), "a period of another type")
        assert "2024-Q2 is of no type that source letter has (periods = month)" in refusals()[-1], refusals()
        # what came while the daemon was off is taken at start
        assert lab.stop() == 0
        july[0][3] = "81,5"
        with open(os.path.join(inbox, "2024-07.csv"), "wb") as f:
            f.write(table(july).encode())
        lab.start()
        lab.wait(lambda: figures(lab, "letter_total", "2024-07").get("gso:12367") == 81.5, "the file is taken at start")
        lab.integrity()
        assert lab.stop() == 0
    print("imports: passed")


if __name__ == "__main__":
    main()
