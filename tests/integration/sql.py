#!/usr/bin/python3
"""sql.py BUILD [--write]: runs every query of docs/sql.md in the sample's database and compares the results that the page shows; and holds
the columns that the page promises. --write puts the results of now into the page: look at them before they are committed."""
import os
import re
import sqlite3
import sys

from lab import TOP, Lab
from sample import SECRET, configure, month, routes

PAGE = os.path.join(TOP, "docs", "sql.md")
QUERY = re.compile(r"```sql\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.S)


def start_world(lab):
    """July, August, the mails about it, and August restated."""
    lab.clock("2024-08-05T08:05:00+07:00")
    lab.start_publisher()
    lab.start_smtp()
    lab.start_hook(SECRET)
    configure(lab)
    lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08")}))
    lab.start()
    lab.ask("portal", "2024-07")
    for at in ("07:30:00", "08:00:01"):
        lab.clock("2024-09-05T%s+07:00" % at)
        lab.ask("portal", "2024-08")
    lab.wait(lambda: len(lab.mails()) == 2 and lab.settled(), "two mails")
    lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08", "2024-08-restated")}))
    lab.clock("2024-09-06T07:30:00+07:00")
    lab.ask("portal", "2024-08")
    lab.wait(lab.settled, "everything is settled")


def table(cursor):
    rows = [[c[0] for c in cursor.description]] + [["" if v is None else str(v) for v in row] for row in cursor.fetchall()]
    return "".join(" | ".join(row) + "\n" for row in rows), len(rows) - 1


def run(db, query):
    assert query.rstrip().endswith(";") and query.count(";") == 1, query
    text, n = table(db.execute(query))
    assert 0 < n <= 20, (query, text)
    return text


def check_columns(db, page):
    """Every column that the page names is there."""
    views = 0
    for view, words in re.findall(r"- \*\*`(v_\w+)`\*\*: (.*?)(?=\n- \*\*|\n\n)", page, re.S):
        named = set(re.findall(r"`([a-z_]+)`", words)) - ({"id"} if view == "v_told" else set())
        there = {name for name, in db.execute("SELECT name FROM pragma_table_info(?)", (view,))}
        assert len(named) > 8 and named <= there, (view, named - there)
        views += 1
    assert views == 4, views


def main():
    with open(PAGE, encoding="utf8") as f:
        page = f.read()
    with Lab(sys.argv[1]) as lab:
        start_world(lab)
        assert lab.stop() == 0
        db = sqlite3.connect("file:%s?mode=ro" % lab.path("state", "chisod.db"), uri=True)
        check_columns(db, page)
        found = QUERY.findall(page)
        assert len(found) == 10, len(found)
        if "--write" in sys.argv:
            with open(PAGE, "w", encoding="utf8") as f:
                f.write(QUERY.sub(lambda m: "```sql\n%s```\n\n```text\n%s```\n" % (m.group(1), run(db, m.group(1))), page))
        else:
            for query, shown in found:
                got = run(db, query)
                assert got == shown, "%s\nshown:\n%s\ngot:\n%s" % (query, shown, got)
        # what is read is not written
        try:
            db.execute("DELETE FROM known")
            raise SystemExit("the database could be written")
        except sqlite3.OperationalError:
            pass
        db.close()
    print("sql: passed")


main()
