#!/usr/bin/env python3
"""export-read.py SAMPLES: the workbook that SAMPLES writes, as a foreign reader and the plain XML show it."""
import datetime
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
import zipfile

import openpyxl

NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def same(what, found, wanted):
    if found != wanted:
        sys.exit(f"export-read: {what}: {found!r}, not {wanted!r}")


def read_cells(path):
    book = openpyxl.load_workbook(path)
    same("sheets", book.sheetnames, ["Phụ lục- 8-2024 'A-", "Một cái tên dài hơn ba mươi mốt",
                                     "Một cái tên dài hơn ba mươ (2)"])
    sheet = book.worksheets[0]
    rows = [[c.value for c in row] for row in sheet.iter_rows(min_row=1, max_row=7)]
    same("title", rows[0][0], "MỘT SỐ TIÊU CHÍ")
    same("heading", rows[2], ["Stt", "Mã", "Tên cơ quan, đơn vị", "Điểm tổng hợp", "Tăng, giảm", "Bốn chữ số", "Ngày",
                              "Lấy lúc"])
    same("first row", rows[3], [1, "00123", "Xã Thủ Sỹ", 82.71, -0.80, -9999999999.9999, datetime.datetime(2024, 9, 5),
                                datetime.datetime(2024, 9, 5, 8, 3)])
    same("second row", rows[4], [30204, "=1+1", "=cmd|'/c x'!A1", "......", 6.96, 0.0001, None, None])
    same("third row", rows[5][:5], [0, "+84", ' a & <b> "c" _x005F_x0041_', 1000000000000, 0])
    same("note", rows[6][0], "Nguồn: Cổng Dịch vụ công quốc gia, lấy lúc 05/9/2024 08:03.")
    same("formats", [c.number_format for c in sheet[4]],
         ["#,##0", "@", "@", "0.00", '+0.00;"−"0.00;0.00', "0.0000", "dd/mm/yyyy", "dd/mm/yyyy hh:mm"])
    same("bold where critical", sheet["F5"].font.b, True)
    same("fills", [sheet[c].fill.fgColor.rgb for c in ("E5", "F5", "D6")], ["FFE2F0D9", "FFF8CBAD", "FFFFF2CC"])
    same("fonts", {c.font.name for row in sheet["A1:H7"] for c in row}, {"Times New Roman"})
    same("cut", book.worksheets[2]["A3"].value, "\U0001F600" * 16383 + "\u2026")
    read_paper(book)
    same("properties", [book.properties.title, book.properties.subject, book.properties.creator],
         ["Phụ lục <766>", "tháng 8/2024", "UBND huyện Tiên Lữ"])
    same("created", book.properties.created, datetime.datetime(2024, 9, 5, 1, 0))


def read_paper(book):
    sheet = book.worksheets[0]
    same("frozen", sheet.freeze_panes, "A4")
    same("area", sheet.print_area, ["$A$1:$H$7"])
    same("repeated", sheet.print_title_rows, "$3:$3")
    same("paper", [sheet.page_setup.paperSize, sheet.page_setup.orientation, sheet.sheet_properties.pageSetUpPr.fitToPage,
                   sheet.page_setup.fitToHeight], [9, "landscape", True, 0])
    same("merged", sorted(map(str, sheet.merged_cells.ranges)), ["A1:H1", "A2:H2", "A7:H7"])
    same("portrait", book.worksheets[1].page_setup.orientation, "portrait")
    same("filter", book.worksheets[2].auto_filter.ref, "A1:A3")


def read_parts(path):
    """The digits as they stand in the file, no formula, no time but one."""
    with zipfile.ZipFile(path) as parts:
        same("damaged part", parts.testzip(), None)
        same("first part", parts.namelist()[0], "[Content_Types].xml")
        same("times", {i.date_time for i in parts.infolist()}, {(1980, 1, 1, 0, 0, 0)})
        trees = {name: ET.fromstring(parts.read(name)) for name in parts.namelist()}
    sheet = trees["xl/worksheets/sheet1.xml"]
    same("formulas", [name for name, tree in trees.items() if tree.findall(f".//{NS}f")], [])
    digits = {c.get("r"): c.findtext(f"{NS}v") for c in sheet.iter(f"{NS}c") if c.find(f"{NS}v") is not None}
    same("digits", [digits[c] for c in ("D4", "E4", "F4", "D6", "A5", "F5")],
         ["82.71", "-0.80", "-9999999999.9999", "1000000000000.00", "30204", "0.0001"])
    styles = trees["xl/styles.xml"].find(f"{NS}cellXfs")
    same("styles counted", int(styles.get("count")), len(styles))


def main():
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ, TZ="America/New_York")
        subprocess.run([sys.argv[1], folder], check=True, env=environment)
        path = os.path.join(folder, "book.xlsx")
        with open(path, "rb") as one, open(os.path.join(folder, "again.xlsx"), "rb") as two:
            same("same calls, same bytes", one.read() == two.read(), True)
        read_cells(path)
        read_parts(path)
    print("export-read: the workbook reads back to the digit")


if __name__ == "__main__":
    main()
