#!/usr/bin/python3
"""report.py BUILD [PICTURE]: the letter of huyện Tiên Lữ of August 2024 from its figures: headline, named units, appendix; a stored draft that
a restatement does not change; other drafts beside it; dots where no source has a figure; hostile names; the page in a browser."""
import csv
import io
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile

import docx
import openpyxl

from browser import Browser
from lab import Lab, UnixConnection
from sample import configure, letter, month, routes

MORE = """
[part portal.summary]
value.undigitized_components = /undigitizedComponents
value.undigitized_results = /undigitizedResults
parent.value.payment = /paymentRatio
parent.value.digitization = /digitizationRatio
parent.value.e_copies = /electronicCopies
[indicator e_copies]
label = Bản sao điện tử đã cấp
unit = count
[rule progress-low]
letter = yes
[rule undigitized]
indicator = undigitized_components
units = kind:commune
when = above 0
letter = only
[rule undigitized-results]
indicator = undigitized_results
units = kind:commune
when = above 0
letter = only
"""
COMPONENTS = {"12358": 13, "12346": 11, "12340": 5, "12349": 4, "12352": 3, "12355": 1}
RESULTS = {"12361": 36, "12379": 15, "12358": 12}
ONE = {"12358": 13}  # in July


def dressed(name, folder=None, is_full=True):
    calls = month(name, folder)
    overview = calls["service-results"]["data"]["overview"]
    if is_full:
        overview.update(paymentRatio=72.67, digitizationRatio=78.4, electronicCopies=30204)
    for row in calls["service-results"]["data"]["evaluation"]:
        row["undigitizedComponents"] = (ONE if name == "2024-07" else COMPONENTS).get(row["departmentCode"], 0)
        row["undigitizedResults"] = (ONE if name == "2024-07" else RESULTS).get(row["departmentCode"], 0)
        if row["departmentCode"] == "12364":
            row["departmentName"] = '=CMD("A1");<b>'
    return calls


W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def report(lab, *args, check=True):
    r = subprocess.run([lab.path_of("chisoctl"), "--socket", lab.path("run"), "report", *args], env=lab.env(), check=False,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    assert not check or r.returncode == 0, r
    if not check:
        return r
    return r.stdout if {"xlsx", "docx"} & set(args) else r.stdout.decode()


def check_letter(text):
    """What the district's own letter says, figure by figure."""
    for line in ("HUYỆN TIÊN LỮ", "- Chỉ số Tổng hợp: 88,03/100 điểm;", "- Chỉ số Tiến độ giải quyết: 97,40%;", "- Chỉ số Thanh toán trực tuyến: 72,67%;",
                 "- Chỉ số về Số hóa hồ sơ: 78,40%, kết quả cấp bản sao điện tử: 30.204 bản.", "thuộc UBND huyện;"):
        assert line in text, (line, text)
    assert "như Cương Chính: 82,71%; Thiện Phiến: 92,54%; đề nghị" in text, text
    # worst first, at most five, then "; ..."
    assert "(Đức Thắng: 13; Nhật Tân: 11; Hưng Đạo: 5; Dị Chế: 4; Lệ Xá: 3; ...)" in text, text
    assert "(Trung Dũng: 36; Minh Phượng: 15; Đức Thắng: 12)" in text
    assert text.count("tháng 8/2024") >= 3 and "THÁNG 8/2024" in text and "15/15 đơn vị có số liệu" in text
    # what the clerk assigns stays blank
    assert re.search(r"^Số: +/$", text, re.M) and re.search(r"Tiên Lữ, ngày +tháng +năm 2024", text) and "./." in text
    rows = re.findall(r"^(\d+) \| ([^|]*) \| ([\d,]+) \| ([+\u2212][\d,]+) \| ([\d,]+) \|", text, re.M)
    plain = lambda t: t.replace("\u2212", "-").replace("+", "")
    got = [(n, total, plain(change), progress) for n, _, total, change, progress in rows]
    assert got == [(n, total, change, progress) for n, _, _, total, change, progress in letter()], got


def check_sheets(lab):
    people, machine = report(lab, "2024-08", "--format", "csv"), report(lab, "2024-08", "--format", "csv", "--machine")
    assert people.startswith("\ufeffStt;") and machine.startswith("number,code,")
    assert report(lab, "2024-08", "--machine") == machine, "what is for programs is CSV"
    assert lab.api("/v1/report?period=2024-08&format=txt&machine=1")["status"] == 400
    a = list(csv.reader(io.StringIO(people[1:]), delimiter=";"))
    b = list(csv.reader(io.StringIO(machine)))
    assert len(a) == len(b) == 16 and {len(r) for r in a} == {11} == {len(r) for r in b}
    for x, y, (n, code, name, total, change, progress) in zip(a[1:], b[1:], letter()):
        assert (x[0], x[1], x[3], x[4]) == (n, code, total, change), (x, n)
        assert float(y[3]) == float(total.replace(",", ".")) and float(y[5]) == float(progress.replace(",", ".")) and x[3] == y[3].replace(".", ",")
    assert a[2][2] == b[2][2] == "'=CMD(\"A1\");<b>", "a name is no formula"
    assert a[15][8] == "" or int(a[15][8]) == 8, a[15]


def number(text):
    return float(text.replace(",", "."))


def check_workbook(data):
    """Read by somebody else's reader, to the digit; the file itself holds no formula and no other digits."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    sheet = book["Phụ lục"]
    head = [c.value for c in sheet[3]]
    assert head == ["Stt", "Mã", "Tên cơ quan, đơn vị", "Điểm tổng hợp", "Tăng, giảm so với kỳ trước", "Tiến độ giải quyết (%)",
                    "Số hóa hồ sơ (%)", "Hạng", "Hạng kỳ trước", "Đúng hạn", "Tiếp nhận"], head
    rows = [[c.value for c in row] for row in sheet.iter_rows(min_row=4, max_row=18)]
    want = [[int(n), code, number(total), number(change), number(progress)] for n, code, _, total, change, progress in letter()]
    assert [[r[0], r[1], r[3], r[4], r[5]] for r in rows] == want, rows
    assert rows[1][2] == '=CMD("A1");<b>' and sheet["C5"].data_type == "s" and sheet["B4"].number_format == "@"
    # what lies beyond the limits of the rules is seen: progress under 95 and under 80 (critical)
    fills = {row[0].value: row[5].fill.fgColor.rgb for row in sheet.iter_rows(min_row=4, max_row=18)}
    assert fills[13] == "FFFFF2CC" and fills[1] == "00000000", fills
    assert (sheet.freeze_panes, sheet.print_title_rows, sheet.print_area) == ("A4", "$3:$3", ["$A$1:$K$19"]), sheet.print_area
    hidden = [head[i] for i in range(11) if sheet.column_dimensions[chr(65 + i)].hidden]
    assert hidden == ["Số hóa hồ sơ (%)", "Đúng hạn", "Tiếp nhận"], ("what no source has is not shown", hidden)
    assert "15/15" in sheet["A19"].value and "THÁNG 8/2024" in sheet["A1"].value
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        xml = parts.read("xl/worksheets/sheet1.xml").decode()
    assert "<v>89.63</v>" in xml and "<v>-0.80</v>" in xml and "<f" not in xml


# Children in the order of the schema (ECMA-376, part 1, annex A): word processors refuse another one.
ORDER = {
    "pPr": "pStyle keepNext keepLines pageBreakBefore widowControl pBdr shd tabs spacing ind contextualSpacing jc outlineLvl rPr sectPr",
    "rPr": "rStyle rFonts b bCs i iCs caps smallCaps strike color spacing w kern position sz szCs highlight u vertAlign lang",
    "tblPr": "tblStyle tblW jc tblCellSpacing tblInd tblBorders shd tblLayout tblCellMar tblLook",
    "tbl": "tblPr tblGrid tr", "tr": "trPr tc", "tcPr": "tcW gridSpan vMerge tcBorders shd noWrap tcMar vAlign",
    "sectPr": "headerReference footerReference type pgSz pgMar pgBorders pgNumType cols vAlign titlePg", "p": "pPr r",
    "style": "name basedOn next link uiPriority qFormat pPr rPr tblPr trPr tcPr", "r": "rPr t tab br fldChar instrText",
}
RELATIONS = "{http://schemas.openxmlformats.org/package/2006/relationships}"
CONTENT = "{http://schemas.openxmlformats.org/package/2006/content-types}"


def check_order(trees):
    for tree in trees.values():
        for e in tree.iter():
            names = [c.tag[len(W):] for c in e if c.tag.startswith(W)]
            order = ORDER.get(e.tag[len(W):] if e.tag.startswith(W) else "", "").split()
            if order and e.tag not in (W + "r", W + "p"):
                assert [n for n in names if n not in order] == [] and names == sorted(names, key=order.index), (e.tag, names)
            if e.tag in (W + "r", W + "p"):
                assert set(names) <= set(order) and names[1:].count(names[0] if names and names[0].endswith("Pr") else "") == 0, (e.tag, names)
            if e.tag == W + "tc":
                assert names[-1:] == ["p"], "a cell ends with a paragraph"
            if e.tag == W + "tbl":
                columns = len(e.find(W + "tblGrid"))
                assert columns and all(len(row.findall(W + "tc")) == columns for row in e.iter(W + "tr")), "a row of another width"


def check_package(data):
    """Every part has a content type, every relation leads to a part (ECMA-376, part 2); what is referred to has a relation."""
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        names = set(parts.namelist())
        types = ET.fromstring(parts.read("[Content_Types].xml"))
        overrides = {e.get("PartName").lstrip("/") for e in types.iter(CONTENT + "Override")}
        defaults = {e.get("Extension") for e in types.iter(CONTENT + "Default")}
        assert overrides <= names and all(n in overrides or n.rsplit(".", 1)[-1] in defaults for n in names - {"[Content_Types].xml"}), names
        for name in [n for n in names if n.endswith(".rels")]:
            base = os.path.dirname(os.path.dirname(name))
            ids = set()
            for e in ET.fromstring(parts.read(name)).iter(RELATIONS + "Relationship"):
                target = e.get("Target")
                assert os.path.normpath(os.path.join(base, target) if not target.startswith("/") else target[1:]) in names, (name, target)
                assert e.get("Id") not in ids, (name, e.get("Id"))
                ids.add(e.get("Id"))
            source = os.path.join(base, os.path.basename(name)[:-5])
            if source in names:
                used = set(re.findall(r'r:(?:id|embed)="([^"]*)"', parts.read(source).decode()))
                assert used <= ids, (source, used - ids)


def check_signature(data):
    """Read by somebody else's reader: the last paragraph stays on the page of the signature, whose row is not torn."""
    document = docx.Document(io.BytesIO(data))
    last = [p for p in document.paragraphs if p.text.endswith("./.")]
    assert len(last) == 1 and last[0].paragraph_format.keep_with_next and last[0].paragraph_format.keep_together, [p.text for p in last]
    follows = last[0]._p.getnext()
    assert follows.tag == W + "tbl" and "Nơi nhận:" in document.tables[1].cell(0, 0).text and document.tables[1]._tbl is follows
    assert follows.find("%str/%strPr/%scantSplit" % (W, W, W)) is not None
    assert [len(t.columns) for t in document.tables] == [2, 2, 6] and len(document.sections) == 2
    assert document.core_properties.title.startswith("Dự thảo công văn tháng 8/2024"), document.core_properties.title


def check_document(data, text):
    """Every paragraph of the text is in the document; paper, sections and the repeated heading after Decree 30/2020."""
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        assert parts.testzip() is None and parts.namelist()[0] == "[Content_Types].xml", parts.namelist()
        trees = {name: ET.fromstring(parts.read(name)) for name in parts.namelist()}
    document = trees["word/document.xml"]
    flat = lambda s: re.sub(r"[ \u00a0]+", " ", s).strip()
    paragraphs = [flat("".join(t.text or "" for t in p.iter(W + "t"))) for p in document.iter(W + "p")]
    letter_part = text[:text.index("-----")]
    for line in letter_part.splitlines():
        if line.strip() and not line.startswith(("V/v", "trong thực hiện TTHC", "Tiên Lữ,", "Số:")):
            assert flat(line) in paragraphs, (flat(line), paragraphs)
    assert "Số: /" in paragraphs and "Tiên Lữ, ngày tháng năm 2024" in paragraphs
    first, last = document.iter(W + "sectPr")
    size, margin = first.find(W + "pgSz"), first.find(W + "pgMar")
    assert (size.get(W + "w"), size.get(W + "h")) == ("11906", "16838") and last.find(W + "pgSz").get(W + "orient") == "landscape"
    mm = {side: int(margin.get(W + side)) / 1440 * 25.4 for side in ("top", "bottom", "left", "right")}
    assert 19.9 <= mm["top"] <= 25 and 19.9 <= mm["bottom"] <= 25 and 29.9 <= mm["left"] <= 35 and 15 <= mm["right"] <= 20, mm
    assert first.find(W + "titlePg") is not None and last.find(W + "pgNumType").get(W + "start") == "1"
    tables = list(document.iter(W + "tbl"))
    rows = list(tables[-1].iter(W + "tr"))
    assert len(rows) == 16 and rows[0].find(f"{W}trPr/{W}tblHeader") is not None and rows[1].find(f"{W}trPr/{W}tblHeader") is None
    cells = [[flat("".join(t.text or "" for t in c.iter(W + "t"))) for c in row.iter(W + "tc")] for row in rows]
    assert cells[2][1] == '=CMD("A1");<b>' and {len(c) for c in cells} == {6}, cells[2]
    plain = lambda t: t.replace("\u2212", "-").replace("+", "")
    assert [[c[0], c[2], plain(c[3]), c[4]] for c in cells[1:]] == [[n, t, d, p] for n, _, _, t, d, p in letter()]
    check_order(trees)
    fonts = {f.get(W + "ascii") for tree in trees.values() for f in tree.iter(W + "rFonts")}
    assert fonts == {"Times New Roman"}, fonts


def check_office(lab, text):
    sheet, document = report(lab, "2024-08", "--format", "xlsx"), report(lab, "2024-08", "--format", "docx")
    check_workbook(sheet)
    check_document(document, text)
    check_signature(document)
    for package in (sheet, document):
        check_package(package)
    assert report(lab, "2024-08", "--format", "xlsx") == sheet and report(lab, "2024-08", "--format", "docx") == document
    for kind, data in (("xlsx", sheet), ("docx", document)):
        assert report(lab, "2024-08", "--format", kind, "-o", lab.path("out")) == b"" and open(lab.path("out"), "rb").read() == data
        connection = UnixConnection(lab.path("run", "status.sock"))
        connection.request("GET", "/v1/report?period=2024-08&format=" + kind)
        answer = connection.getresponse()
        body = answer.read()
        assert body == data and answer.getheader("Content-Type").endswith("spreadsheetml.sheet" if kind == "xlsx" else "wordprocessingml.document")
        connection.close()
    check_terminal(lab)
    return sheet, document


def check_terminal(lab):
    """Nothing of a workbook reaches a terminal; a text does, and -o - sends the bytes all the same."""
    for args, code in ((["--format", "docx"], 2), ([], 0)):
        master, slave = os.openpty()
        with open(master, "rb", buffering=0) as screen:
            r = subprocess.run([lab.path_of("chisoctl"), "--socket", lab.path("run"), "report", "2024-08", *args], env=lab.env(), check=False,
                               stdout=slave, stderr=subprocess.PIPE, timeout=60)
            os.close(slave)
            assert r.returncode == code and (b"-o" in r.stderr) == (code == 2), r
            if code == 0:
                assert b"TI" in screen.read(4096)


def check_drafts(lab, first, page, office):
    """Restated since: the draft stays, another one says so, and as of the old day the old one is made again."""
    lab.publish(routes({"2024-07": dressed("2024-07"), "2024-08": dressed("2024-08", "2024-08-restated")}))
    lab.clock("2024-09-06T07:30:00+07:00")
    lab.ask("portal", "2024-08")
    check_since(lab)
    assert report(lab, "2024-08") == first and report(lab, "2024-08", "--format", "html") == page
    assert (report(lab, "2024-08", "--format", "xlsx"), report(lab, "2024-08", "--format", "docx")) == office
    second = report(lab, "2024-08", "--new")
    assert report(lab, "2024-08", "--format", "docx") != office[1]
    assert second != first and "Thiện Phiến: 92,54%" not in second
    check_one(second)
    check_one(re.sub("<[^>]*>", "", report(lab, "2024-08", "--format", "html")))
    check_one("".join(p.text for p in docx.Document(io.BytesIO(report(lab, "2024-08", "--format", "docx"))).paragraphs))
    assert report(lab, "2024-08", check=False).stderr == b"" and lab.json("report", "2024-08")["total"] == 0, "the new draft is up to date"
    assert report(lab, "2024-08") == second == report(lab, "2024-08", "--parent", "332")
    assert "Thiện Phiến: 92,54%" in report(lab, "2024-08", "--as-of", "2024-09-05")
    assert len(os.listdir(lab.path("state", "reports"))) == 4  # one of July, three of August
    lab.stop()
    lab.start()
    assert report(lab, "2024-08") == second
    # who may only read makes no new draft
    refused = lab.api("/v1/report?period=2024-08&new=1")
    assert refused["status"] == 403, refused


def check_one(text):
    """One unit is no "some units such as": it is counted as officials do."""
    assert "có 01 đơn vị còn thấp so với các đơn vị còn lại là Cương Chính (82,71%); đề nghị đơn vị phân tích" in text, text
    assert "- Một số đơn vị vẫn còn hồ sơ chưa số hóa thành phần hồ sơ (Đức Thắng: 13; Nhật Tân: 11;" in text, text


def restated(lab, query):
    """How many of the printed figures are others now, as every form of the draft says beside its bytes."""
    head = subprocess.run(["curl", "-sSf", "-D", "-", "-o", lab.path("draft"), "--unix-socket", lab.path("run", "status.sock"), "http://x/v1/report?" + query],
                          check=True, stdout=subprocess.PIPE).stdout.decode()
    return int(re.search(r"^Chisod-Restated: (\d+)\r$", head, re.M)[1])


def check_since(lab):
    """A kept draft is given with a word about the figures that were restated since, beside it and as JSON; with what to do."""
    r = subprocess.run([lab.path_of("chisoctl"), "--socket", lab.path("run"), "report", "2024-08"], env=lab.env(), check=True,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    assert "dự thảo số 1" in r.stderr.decode() and "đã được điều chỉnh" in r.stderr.decode() and "chisoctl report 2024-08 --new" in r.stderr.decode(), r.stderr
    since = lab.json("report", "2024-08")
    assert (since["draft"], since["period"], since["made"][:16], since["text"]) == (1, "2024-08", "2024-09-05T07:30", r.stdout.decode()), since
    want = {(unit, indicator): (before, now) for unit, indicator, before, now in lab.sql(
        "SELECT u.name, r.name, v.value, f.value FROM vintage v JOIN figure f USING (period, indicator, unit) JOIN indicator r ON r.id = v.indicator"
        " JOIN unit_name u ON u.unit = v.unit WHERE v.period = (SELECT max(period) FROM figure) AND f.value IS NOT v.value")}
    got = {(c["unit"]["name"], c["indicator"]): (round(c["printed"] * 100), round(c["now"] * 100)) for c in since["changed"]}
    assert got and got == want and since["total"] == len(got) < since["figures"], (got, want)
    assert lab.json("report", "2024-08", "--as-of", "2024-09-05")["total"] == 0
    assert {restated(lab, "period=2024-08&format=" + kind) for kind in ("txt", "html", "csv", "xlsx", "docx")} == {len(got)}
    assert restated(lab, "period=2024-08&format=csv&as_of=2024-09-05") == 0
    machine = report(lab, "2024-08", "--format", "csv", "--machine", check=False)
    assert machine.returncode == 0 and "đã được điều chỉnh" in machine.stderr.decode(), machine.stderr
    refused = report(lab, "2024-08", "--json", "--format", "html", check=False)
    assert refused.returncode == 2 and b"--format html" in refused.stderr, refused


def check_compared(lab):
    """One unit has no value any more: previous places are counted without it, and every form says so."""
    calls = dressed("2024-08")
    for row in calls["service-results"]["data"]["evaluation"]:
        if row["departmentCode"] == "12340":  # July: fourth
            row["totalScore"] = None
    lab.publish(routes({"2024-07": dressed("2024-07"), "2024-08": calls}))
    lab.clock("2024-09-07T07:30:00+07:00")
    own = {r["unit"]["code"]: r["place"] for r in lab.json("ranking", "--period", "2024-07")["cohorts"][0]["rows"]}
    letter_note, move_note = "Hạng kỳ trước tính trong 14 đơn vị có số liệu cả hai kỳ.", "± tính trong 14 đơn vị có số liệu cả hai kỳ"
    league = lambda: lab.api_text("/?period=2024-08", "status")
    assert letter_note not in report(lab, "2024-08") and move_note not in lab.ctl("ranking", "--period", "2024-08").stdout
    assert "Thay đổi hạng" not in league()
    lab.ask("portal", "2024-08")
    cohort = lab.json("ranking", "--period", "2024-08")["cohorts"][0]
    assert (cohort["with_value"], cohort["move_of"], cohort["previous_of"]) == (14, 14, 15), cohort
    places = {r["unit"]["code"]: r["previous_place"] for r in cohort["rows"]}
    assert own["12349"] == 5 and places["12349"] == 4, (own, places)
    assert move_note in lab.ctl("ranking", "--period", "2024-08").stdout
    assert "Thay đổi hạng tính trong 14 đơn vị có số liệu cả hai kỳ." in league()
    assert letter_note in report(lab, "2024-08", "--new") and letter_note in report(lab, "2024-08", "--format", "html")
    document = docx.Document(io.BytesIO(report(lab, "2024-08", "--format", "docx")))
    assert letter_note in document.paragraphs[-1].text, document.paragraphs[-1].text
    book = openpyxl.load_workbook(io.BytesIO(report(lab, "2024-08", "--format", "xlsx")))
    assert letter_note in book["Phụ lục"]["A19"].value, book["Phụ lục"]["A19"].value


def check_refusals(lab):
    for path, status in (("", 400), ("?period=x", 400), ("?period=2024-08&format=docm", 400), ("?period=2020-01", 404), ("?period=2024-08&parent=zz", 404)):
        assert lab.api("/v1/report" + path)["status"] == status, path
    r = report(lab, "2020-01", check=False)
    assert r.returncode == 1 and b"2020" in r.stderr, r


def check_page(lab, page, picture):
    assert "&lt;b&gt;" in page and "<b>;" not in page and "<script" not in page and "{{" not in page
    path = lab.path("letter.html")
    with open(path, "w", encoding="utf8") as f:
        f.write(page)
    with Browser() as browser:
        for width in (390, 1000):
            browser.open("file://" + path, width)
            seen = browser.look()
            assert seen["overflow"] <= 0 and seen["wrong"] == [], (width, seen["wrong"][:3])
            if picture:
                browser.picture("%s-%d.png" % (picture, width))
        paper = browser.pdf()
        assert re.search(rb"/MediaBox\s*\[\s*0 0 59[4-6][\d.]* 84[12]", paper), "A4"
        if picture:
            with open(picture + ".pdf", "wb") as f:
                f.write(paper)


def main():
    with Lab(sys.argv[1]) as lab:
        lab.clock("2024-08-05T08:05:00+07:00")
        lab.start_publisher()
        lab.start_smtp()
        lab.start_hook()
        configure(lab, extra=MORE)
        lab.publish(routes({"2024-07": dressed("2024-07", is_full=False), "2024-08": dressed("2024-08")}))
        lab.start()
        lab.ask("portal", "2024-07")
        # what no source has is six dots
        july = report(lab, "2024-07")
        assert "Thanh toán trực tuyến: ......%" in july and "bản sao điện tử: ...... bản" in july and "15/15" in july, july
        for what in ("thành phần hồ sơ (Đức Thắng: 13).", "kết quả (Đức Thắng: 13). Yêu cầu"):
            assert "- Còn 01 đơn vị có hồ sơ chưa số hóa " + what in july, july
        lab.clock("2024-09-05T07:30:00+07:00")
        lab.ask("portal", "2024-08")
        first, page = report(lab, "2024-08"), report(lab, "2024-08", "--format", "html")
        check_letter(first)
        check_sheets(lab)
        office = check_office(lab, first)
        check_refusals(lab)
        check_page(lab, page, sys.argv[2] if len(sys.argv) > 2 else None)
        check_drafts(lab, first, page, office)
        check_compared(lab)
        assert lab.stop() == 0
    print("report: passed")


main()
