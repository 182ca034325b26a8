#!/usr/bin/python3
"""workbooks.py BUILD: xlsx files as sources and as the list of units. Numeric cells are what they are worth, whatever the source's own
notation; text follows it; what stands in the wrong type of cell is refused with its row and column; the registry's codes keep their zeros."""
import csv
import datetime
import io
import sys

import openpyxl

from imports import EXTRA, figures, preview, value
from lab import Lab
from sample import configure, letter, month, routes

HEADING = ["Stt", "Đơn vị", "Tổng điểm", "Tăng, giảm so với tháng trước", "Tỷ lệ giải quyết đúng hạn (%)"]


def save(lab, name, rows, formats=None, title="Tháng 8", top=3):
    """A letterhead, a heading on row `top`, the rows beneath it."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    if top > 1:
        sheet["A1"] = "PHỤ LỤC"
        sheet.merge_cells("A1:E1")
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            if cell is not None:
                sheet.cell(top + r, c + 1, cell).number_format = (formats or {}).get((r, c), "General")
    book.save(lab.path(name))
    return lab.path(name)


def letter_book(lab):
    """As people keep it: numbers, one as text with a comma, the share as a percent of one."""
    rows = [HEADING] + [[int(r[0]), r[2], value(r[3]), None, value(r[5]) / 100] for r in letter()]
    rows[2][2] = letter()[1][3]
    return rows, {(r, 4): "0.00%" for r in range(1, len(rows))}


def check_figures(lab):
    rows, formats = letter_book(lab)
    path = save(lab, "letter.xlsx", rows, formats)
    shown = preview(lab, path)
    assert (shown["rows"], shown["matched"], shown["refused_rows"], shown["new"]) == (15, 15, 0, 30), shown
    stored = lab.json("import", path, "--source", "letter", "--period", "2024-08", "--yes")
    assert figures(lab, "letter_total") == {"gso:" + r[1]: value(r[3]) for r in letter()}
    assert figures(lab, "letter_progress") == {"gso:" + r[1]: value(r[5]) for r in letter()}
    assert preview(lab, path)["changed"] == 0
    body = lab.call("GET", "/v1/snapshots/%d" % stored["snapshot"])
    assert body["parts"][0]["url"] == "letter.xlsx", body

    # a list that ends in dots says that units are left out: a note, no row
    rows[1][2] += 0.5
    dots = preview(lab, save(lab, "dots.xlsx", rows + [["...", None, "…", None, "..."]], formats))
    assert (dots["rows"], dots["refused_rows"], dots["changed"]) == (15, 0, 1), dots
    stored = lab.json("import", lab.path("dots.xlsx"), "--source", "letter", "--period", "2024-08", "--yes")
    notes = lab.call("GET", "/v1/snapshots/%d" % stored["snapshot"])["notes"]
    assert [n["kind"] for n in notes] == ["open-list"] and "15 units are a lower bound" in notes[0]["text"], notes
    lab.json("import", "--undo", str(stored["snapshot"]))
    rows[1][2] -= 0.5

    # what cannot be read is refused where it stands; the rest of the file is used
    rows[1][2] = datetime.date(2024, 8, 1)
    rows[3][2] = True
    rows[4][2] = "9,1,2"
    rows[5][2] = 91.5
    odd = preview(lab, save(lab, "odd.xlsx", rows, formats | {(1, 2): "dd/mm/yyyy"}))
    assert [(r["line"], r["column"]) for r in odd["refused"]] == [(4, 3), (6, 3), (7, 3)], odd
    assert "2024-08-01" in odd["refused"][0]["reason"] and odd["changed"] == 1, odd
    codes = preview(lab, save(lab, "codes.xlsx", [["Mã", "Tổng điểm"], [12367, 91], ["12364", 91]]))
    assert [(r["line"], r["column"]) for r in codes["refused"]] == [(4, 1)] and "zeros" in codes["refused"][0]["reason"], codes
    assert codes["changed"] == 1, codes

    # a source that writes dots: a number is a number, a comma in a text is no number of its
    dots = preview(lab, save(lab, "dots.xlsx", [["Mã", "total"], ["12367", 90.5], ["12364", "90,5"]]), "portal")
    assert dots["changed"] == 1 and (dots["refused"][0]["line"], dots["refused"][0]["column"]) == (5, 2), dots

    # two columns for one figure, and letters of the nineties
    for rows, said in (([["Mã", "Tổng điểm", "Điểm"], ["12367", 1, 2]], "cột 2"),
                       ([["Tªn", "§iÓm"], ["Tiªn L÷", 5]], "TCVN3"), ([["Mã", "Ghi gì"], ["12367", 5]], "không dòng nào có số liệu")):
        refused = lab.ctl("import", save(lab, "bad.xlsx", rows), "--source", "letter", "--period", "2024-08", "--json", check=False)
        assert refused.returncode == 1 and said in refused.stderr, refused


def check_sheets(lab):
    path = save(lab, "two.xlsx", [["Mã", "Tổng điểm"], ["12367", 70]])
    book = openpyxl.load_workbook(path)
    other = book.create_sheet("Tháng 9")
    for row in (["Mã", "Tổng điểm"], ["12367", 71]):
        other.append(row)
    book.save(path)
    refused = lab.ctl("import", path, "--source", "letter", "--period", "2024-08", check=False)
    assert refused.returncode == 1 and "'Tháng 8', 'Tháng 9'" in refused.stderr and "--sheet" in refused.stderr, refused.stderr
    shown = lab.json("import", path, "--source", "letter", "--period", "2024-08", "--sheet", "Tháng 9")
    assert shown["changes"][0]["new"] == 71, shown


def check_units(lab):
    rows = [["code", "name", "kind", "parent", "from", "email"], ["gso:00012", "UBND xã Không Một Hai", None, "gso:332", datetime.date(2024, 7, 1), "a@xa.example"]]
    path = save(lab, "units.xlsx", rows, {(1, 4): "dd/mm/yyyy"}, top=1)
    shown = lab.json("units", "import", path)
    assert ("gso:00012", "new", "UBND xã Không Một Hai") in [(c["unit"], c["what"], c["new"]) for c in shown["changes"]], shown
    lab.json("units", "import", path, "--yes")
    unit = lab.call("GET", "/v1/units/gso:00012")
    assert (unit["code"], unit["from"], unit["parent"]) == ("00012", "2024-07-01", "gso:332"), unit
    rows.append([12, "UBND xã Khác", None, "gso:332", None, None])
    refused = lab.ctl("units", "import", save(lab, "units.xlsx", rows, {(1, 4): "dd/mm/yyyy"}, top=1), check=False)
    assert refused.returncode == 1 and "dòng 3" in refused.stderr and "12" in refused.stderr, refused.stderr
    # what the daemon refuses of it names the workbook's row
    rows[2] = ["gso:00013", "UBND xã Khác", None, "gso:khong-co", None, None]
    refused = lab.ctl("units", "import", save(lab, "units.xlsx", rows, {(1, 4): "dd/mm/yyyy"}, top=1), check=False)
    assert refused.returncode == 1 and "dòng 3" in refused.stderr, refused.stderr


def check_export(lab):
    """What is exported imports without a difference, codes as text; csv and xlsx say the same."""
    path = lab.path("export.xlsx")
    lab.ctl("units", "export", path)
    book = openpyxl.load_workbook(path)
    rows = [[c.value for c in row] for row in book.active.iter_rows()]
    lines = [["" if v is None else v for v in row] for row in rows]
    text = lab.ctl("units", "export", "--format", "csv").stdout.lstrip("\ufeff")
    assert lines == list(csv.reader(io.StringIO(text))), (lines[:3], text[:300])
    assert all(v is None or isinstance(v, str) for row in rows for v in row)
    shown = lab.json("units", "import", path)
    assert (shown["changes"], shown["rows"]) == ([], len(rows) - 1), shown


def check_formulas(lab):
    """What a spreadsheet would run stands behind an apostrophe in csv, and comes back as it was, from csv and xlsx."""
    written = {"'=1+1": "=1+1", "''=2+2": "'=2+2", "'@ba": "@ba", "'bon": "'bon"}
    with open(lab.path("formulas.csv"), "w", encoding="utf8") as f:
        f.write("code,name,kind,parent,aliases\n" + "".join("gso:0002%d,%s,commune,gso:332,'+%d\n" % (i, n, i) for i, n in enumerate(written)))
    lab.json("units", "import", lab.path("formulas.csv"), "--yes")
    called = lab.sql("SELECT n.name FROM unit u JOIN unit_name n ON n.unit = u.id WHERE u.key LIKE 'gso:0002%' AND NOT n.is_alias ORDER BY u.key")
    assert [n for n, in called] == list(written.values()), called
    text = lab.ctl("units", "export", "--format", "csv").stdout
    rows = [r for r in csv.reader(io.StringIO(text.lstrip("\ufeff")))]
    assert not [c for r in rows for c in r if c and c[0] in "=+-@"], rows
    assert {r[2] for r in rows} >= set(written), rows
    for name, data in (("again.csv", text.encode()), ("again.xlsx", None)):
        if data:
            with open(lab.path(name), "wb") as f:
                f.write(data)
        else:
            lab.ctl("units", "export", lab.path(name))
        assert lab.json("units", "import", lab.path(name))["changes"] == [], name


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
        check_figures(lab)
        check_sheets(lab)
        check_units(lab)
        check_export(lab)
        check_formulas(lab)
        lab.integrity()
        assert lab.stop() == 0
    print("workbooks: passed")


main()
