#!/usr/bin/python3
"""pages.py BUILD [PICTURES]: the dashboard in a real browser: every page at three widths, light and dark, Vietnamese and English, and on
paper: nothing sticks out, everything can be read and has a name, and the figures are the API's. PICTURES: a folder for screenshots."""
import io
import os
import re
import socket
import sys
import urllib.error
import urllib.request

import openpyxl

from browser import Browser
from lab import Lab
from sample import configure, letter, month, routes

BOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
GROUPS = ("openness", "online", "payment", "digitization", "satisfaction")
MORE = """
[part portal.summary]
""" + "".join("value.%s = /groups/%s\n" % (g, g) for g in GROUPS) + """
[rule digitization-low]
indicator = digitization
units = kind:commune
from = 2024-08
when = below 80
[era cong-moi]
from = 2024-05-01
reason = Cổng đổi công thức <b>& cách tính</b>
"""


def months():
    """The sample's July and August, and ten months before them made up, with all six groups and one hostile name."""
    table = {}
    for i in range(12):
        name = "2023-%02d" % (9 + i) if i < 4 else "2024-%02d" % (i - 3)
        calls = month(name if name in ("2024-07", "2024-08") else "2024-07")
        for k, row in enumerate(calls["service-results"]["data"]["evaluation"]):
            row["groups"] = {g: round(60 + (k * 7 + i * 3 + n * 11) % 36 + 0.25 * k, 2) for n, g in enumerate(GROUPS)}
            if name not in ("2024-07", "2024-08"):
                row["totalScore"] = round(row["totalScore"] - (12 - i) * 0.3 + (k % 3), 2)
                row["scoreDelta"] = None
            if k == 4:
                row["departmentName"] = "UBND xã Dị Chế <script>alert(1)</script>"
        table[name] = calls
    return table


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read().decode()


def check_look(browser, base, path, pictures, language):
    for width, scheme in ((390, "light"), (768, "dark"), (1440, "light"), (1440, "dark")):
        browser.open(base + path, width, scheme=scheme)
        seen = browser.look()
        if pictures:
            name = re.sub(r"\W+", "-", path).strip("-") or "league"
            browser.picture(os.path.join(pictures, "%s-%s-%d-%s.png" % (language, name, width, scheme)))
        assert seen["overflow"] <= 0, (path, width, seen["overflow"], seen["wrong"][:5])
        assert seen["wrong"] == [], (path, width, scheme, seen["wrong"][:5])
        assert seen["lang"] == language and seen["title"], seen
    wrong = browser.walk()
    assert not wrong, (path, language, wrong)
    return seen


def check_paper(browser, pictures, path):
    seen = browser.paper()
    assert seen["overflow"] <= 0 and not seen["wrong"], ("paper", path, seen["wrong"][:5])
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)", path
    assert browser.evaluate("[...document.querySelectorAll('.scroll')].every(e => e.scrollWidth <= e.clientWidth + 1)"), "the printer cuts a table"
    paper = browser.pdf()
    boxes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)\s*\]", paper)
    assert boxes and all(abs(float(w) - 595) < 3 and abs(float(h) - 842) < 3 for w, h in boxes), (path, boxes)
    if pictures:
        with open(os.path.join(pictures, "paper-%s.pdf" % (re.sub(r"\W+", "-", path).strip("-") or "league")), "wb") as f:
            f.write(paper)


def check_figures(lab, base):
    """Places and totals as the letter has them."""
    page = get(base + "/?period=2024-08")[2]
    table = page[page.index('<table class="league">'):]
    rows = re.findall(r'class="num place">(\d+)<.*?<a href="[^"]*">([^<]*)</a>.*?class="num total big">([\d,]+)<.*?class="num delta">.*?>'
                      r'(?:<span class="(?:rise|fall)">)?([+\u2212]?[\d,]+)', table, re.S)
    want = [(place, total, change) for place, _, _, total, change, _ in letter()]
    plain = lambda t: t.replace("\u2212", "-").replace("+", "")
    assert [(p, t, plain(d)) for p, _, t, d in rows] == [(p, t, d) for p, t, d in want], rows
    ranking = lab.api("/v1/ranking?period=2024-08")
    names = [r["unit"]["name"] for r in ranking["cohorts"][0]["rows"]]
    assert len(names) == 15 and [n for _, n, _, _ in rows] == [n.replace("<", "&lt;").replace(">", "&gt;") for n in names]


def check_unit(base):
    status, _, page = get(base + "/u/12376")
    assert status == 200 and page.count('class="chart"') == 7, (status, page.count('class="chart"'))
    # an era between April and May: no segment crosses it, and the page says why
    first = page[page.index('class="chart"'):page.index("</svg>", page.index('class="chart"'))]
    assert first.count('class="own"') == first.count('<circle') - 2, (first.count('class="own"'), first.count("<circle"))
    assert 'class="cut"' in first and "Cổng đổi công thức &lt;b&gt;&amp; cách tính&lt;/b&gt;" in page
    assert first.count('class="dot hollow"') == 1, first.count('class="dot hollow"')
    assert page.count('<polygon class="shape"') == 1 and page.count('<polygon class="cohort"') == 1 and page.count('class="limit"') >= 2
    assert get(base + "/u/12376?as_of=2024-08-20")[2].count("82,71") == 0
    assert "82,71" in page


def check_revised(lab, browser, base):
    """July is restated when it is closed: the line marks the figure, says what it was, and names both to who cannot see."""
    page = get(base + "/u/12376")[2]
    assert 'class="revised" cx="9' not in page and 'class="was"' not in page, "nothing was revised yet"
    changed = months()
    row = next(r for r in changed["2024-07"]["service-results"]["data"]["evaluation"] if r["departmentCode"] == "12376")
    before, row["totalScore"] = row["totalScore"], round(row["totalScore"] - 3, 2)
    row["groups"]["payment"] = None
    lab.publish(routes(changed))
    lab.clock("2024-09-20T07:30:00+07:00")
    lab.ask("portal", "2024-07")
    page = get(base + "/u/12376")[2]
    charts = re.findall(r'<section class="chart">.*?</section>', page, re.S)
    old, new = (("%.2f" % v).replace(".", ",") for v in (before, row["totalScore"]))
    said = "tháng 7/2024 %s (đã điều chỉnh, 20/09/2024 07:30: %s → %s)" % (new, old, new)
    assert charts[0].count('class="revised"') == 1 and charts[0].count('<circle class="was"') == 1, charts[0]
    assert said in charts[0].replace("&rarr;", "→"), (said, charts[0][:800])
    assert not any('class="revised"' in c for c in charts[1:] if "Thanh toán" not in c[:200]), "only what was revised is marked"
    gone = next(c for c in charts if "Thanh toán" in c[:200])
    assert gone.count("<circle class=\"dot") == 11, "a figure that is no longer published is a gap"
    assert gone.count('class="revised"') == 1 and "98,25 &rarr; -" in gone, gone
    table = page[page.index('id="h-revisions"'):]
    assert table.count("<tr><td") == 2 and old in table and new in table, table
    sheet = below(book(base, "/u/12376?format=xlsx")[1]["Số liệu được điều chỉnh"], "Kỳ")[1]
    assert sorted([r[2], r[3]] for r in sheet) == sorted([[before, row["totalScore"]], [98.25, None]]), sheet
    shown = browser_label(browser, base + "/u/12376")
    assert said in shown, shown
    assert 'class="revised" cx="9' not in get(base + "/u/12376?as_of=2024-09-19")[2], "was not known then"


def browser_label(browser, url):
    """What the first chart is called by somebody who reads with the ears."""
    browser.open(url, 1440)
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    return " ".join(n["name"]["value"] for n in nodes if n.get("role", {}).get("value") in ("image", "img") and n.get("name", {}).get("value"))


def book(base, path):
    """The page's workbook, read by somebody else's reader: {sheet: rows of values}, and all cells."""
    with urllib.request.urlopen(base + path, timeout=30) as answer:
        assert answer.headers["Content-Type"] == BOOK, answer.headers
        name = re.fullmatch(r'attachment; filename="(chisod-[A-Za-z0-9-]+\.xlsx)"', answer.headers["Content-Disposition"])
        assert name, answer.headers
        return name.group(1), openpyxl.load_workbook(io.BytesIO(answer.read()))


def below(sheet, first):
    """Rows under the heading that begins with this word, until the notes."""
    rows = [list(r) for r in sheet.iter_rows(values_only=True)]
    at = next(i for i, r in enumerate(rows) if r[0] == first)
    return rows[at], [r for r in rows[at + 1:] if any(v is not None for v in r[1:])]


def check_books(lab, base):
    for path in ("/", "/heat", "/sources", "/u/12376"):
        page = get(base + path)[2]
        assert 'href="?format=xlsx' in page, path
    name, league = book(base, "/?format=xlsx&period=2024-08")
    assert name == "chisod-league-2024-08.xlsx", name
    head, rows = below(league.worksheets[0], "Hạng")
    api = lab.api("/v1/ranking?period=2024-08&with=progress,digitization")["cohorts"][0]["rows"]
    want = [[r["place"], r["move"], r["unit"]["code"], r["unit"]["name"], r["value"], r["delta"], r["with"]["progress"]["value"],
             r["with"]["digitization"]["value"]] for r in api]
    assert rows == want and len(head) == 8, (rows[:2], want[:2])
    assert all(c.data_type != "f" for sheet in league for row in sheet.iter_rows() for c in row), "a formula"
    notes = " ".join(str(r[0]) for r in league.worksheets[0].iter_rows(values_only=True) if r[0])
    assert "Cổng Dịch vụ công quốc gia" in notes and "tạm tính" in notes and "05/09/2024 07:30" in notes, notes
    alerts = below(league["Cảnh báo"], "Trạng thái")[1]
    known = lab.api("/v1/alerts")["alerts"]
    assert [r[5:7] for r in alerts] == [[a["value"], a["delta"]] for a in known] and len(alerts) > 4, alerts
    row = next(r for r in league["Cảnh báo"].iter_rows() if r[1].value == "12376")
    assert (row[5].data_type, row[5].number_format) == ("n", "0.00"), (row[5].value, row[5].number_format)
    heat = below(book(base, "/heat?format=xlsx")[1].worksheets[0], "Hạng")
    assert len(heat[0]) == 12 and len(heat[1]) == 15, heat[0]
    name, unit = book(base, "/u/12376?format=xlsx")
    history = lab.api("/v1/history?unit=12376&limit=13")["periods"]
    head, rows = below(unit.worksheets[0], "Kỳ")
    assert name == "chisod-unit-12376.xlsx" and [r[1] for r in rows] == [p["value"] for p in history], rows
    assert "Cổng đổi công thức <b>& cách tính</b>" in [r[2] for r in rows], "the reason of the era"
    sources = book(base, "/sources?format=xlsx")[1]
    assert len(sources.worksheets) == 3 and len(below(sources.worksheets[1], "Lúc")[1]) == 12
    past = below(book(base, "/?format=xlsx&as_of=2024-08-20")[1].worksheets[0], "Hạng")[1]
    assert [r[4] for r in past] == [r["value"] for r in lab.api("/v1/ranking?as_of=2024-08-20")["cohorts"][0]["rows"]]
    assert get(base + "/?format=pdf")[0] == 400 and book(base, "/?format=xlsx&as_of=2020-01-01")[0] == "chisod-league.xlsx"


def check_answers(lab, base):
    for path in ("/", "/heat", "/sources", "/u/12376"):
        status, headers, page = get(base + path)
        assert status == 200 and headers["Content-Type"] == "text/html; charset=utf-8", (path, status)
        assert headers["Content-Security-Policy"].startswith("default-src 'none'"), headers
        assert "<script" not in page and "@tienlu.example" not in page and "hook-secret" not in page, path
        assert page.rstrip().endswith("</html>") and "{{" not in page
    status, headers, page = get(base + "/u/nowhere")
    assert status == 404 and headers["Content-Type"].startswith("text/html") and "nowhere" in page
    status, headers, page = get(base + "/?as_of=%3Cb%3E")
    assert status == 400 and "&lt;b&gt;" in page and "<b>\"" not in page
    # a period without figures is no page, and the way from there is the newest one; programs get an empty list
    for path, words, home in (("/?period=2020-01", "Không có số liệu Điểm tổng hợp của tháng 1/2020.", "/"),
                              ("/heat?period=2024-Q3", "Không có số liệu Điểm tổng hợp của quý III/2024.", "/heat"),
                              ("/?period=2024-08&as_of=2024-08-20", "Lúc 20/08/2024 23:59 chưa có số liệu Điểm tổng hợp của tháng 8/2024.", "/"),
                              ("/?period=2020-01&format=xlsx", "Không có số liệu Điểm tổng hợp của tháng 1/2020.", "/")):
        status, headers, page = get(base + path)
        assert status == 404 and headers["Content-Type"].startswith("text/html") and words in page, (path, status, page)
        assert '<a href="%s">Xem kỳ mới nhất: tháng 8/2024</a>' % home in page, page
    assert lab.api("/v1/ranking?period=2020-01")["cohorts"] == []
    # who lost the way in a browser reads a page, a program a problem
    for path, accept, kind in (("/nope", "text/html,*/*;q=0.8", "text/html"), ("/nope", "*/*", "application/problem+json"),
                               ("/v1/nope", "text/html,*/*;q=0.8", "application/problem+json")):
        status, headers, page = get(urllib.request.Request(base + path, headers={"Accept": accept}))
        assert status == 404 and headers["Content-Type"].startswith(kind) and path in page, (path, accept, headers)
        assert ('href="/"' in page) == (kind == "text/html"), page
    status, _, page = get(base + "/?as_of=2020-01-01")
    assert status == 200 and "Chưa có số liệu" in page, "nothing was known then"
    # as of a day before August came: July's table, and every link keeps the day
    past = get(base + "/?as_of=2024-08-20")[2]
    assert "tháng 7/2024" in past and 'href="/heat?as_of=2024-08-20"' in past and "20/08/2024" in past
    assert re.search(r'href="/u/[^"?]*\?as_of=2024-08-20"', past)
    for path in ("/", "/heat", "/sources", "/u/12376"):
        feet = [re.search("<footer>(.*)</footer>", get(base + path + as_of)[2], re.S)[1] for as_of in ("", "?as_of=2024-08-20")]
        assert all("Trang làm lúc 05/09/2024 07:3" in f for f in feet), feet
        assert "như đã biết" not in feet[0] and "Số liệu như đã biết lúc 20/08/2024 23:59. Trang" in feet[1], feet


def play(lab, browser, pictures):
    port = free_port()
    configure(lab, extra=MORE + "[daemon]\nhttp_listen = 127.0.0.1:%d\n" % port)
    base = "http://127.0.0.1:%d" % port
    lab.start()
    lab.clock("2024-08-06T07:30:00+07:00")
    for name in sorted(months())[:-1]:
        lab.ask("portal", name)
    lab.clock("2024-09-05T07:30:00+07:00")
    lab.ask("portal", "2024-08")
    check_answers(lab, base)
    check_figures(lab, base)
    check_unit(base)
    check_books(lab, base)
    check_revised(lab, browser, base)
    for path in ("/", "/heat", "/u/12376", "/sources", "/u/nowhere", "/?period=2020-01", "/nope", "/?as_of=2024-08-20"):
        check_look(browser, base, path, pictures, "vi")
        if path not in ("/u/nowhere", "/?period=2020-01", "/nope"):
            check_paper(browser, pictures, path)
    lab.stop()
    configure(lab, extra=MORE + "[daemon]\nlanguage = en\nhttp_listen = 127.0.0.1:%d\n" % port)
    lab.start()
    for path in ("/", "/heat", "/u/12376", "/sources", "/nope"):
        check_look(browser, base, path, pictures, "en")
    assert lab.stop() == 0


def main():
    pictures = sys.argv[2] if len(sys.argv) > 2 else None
    with Lab(sys.argv[1]) as lab, Browser() as browser:
        lab.clock("2024-08-05T08:05:00+07:00")
        lab.start_publisher()
        lab.start_smtp()
        lab.start_hook()
        lab.publish(routes(months()))
        play(lab, browser, pictures)
    print("pages: passed")


if __name__ == "__main__":
    main()
