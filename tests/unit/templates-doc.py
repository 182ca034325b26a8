#!/usr/bin/env python3
"""templates-doc.py RENDER-SAMPLES TOP: docs/templates.md against the views that templates get, both ways: a name in the page that no view has, or a
name in a view that the page does not tell, fails; and so does an object that has not all of its keys, since a template would then find those
of an object around it."""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

# Answers of the API as they are, docs/openapi.yaml; "printed" is taken out before a template is rendered.
OTHERS = {"ranking"}
PRIVATE = {"printed"}


def section(page, title):
    return page.split("\n## %s\n" % title)[1].split("\n## ")[0]


def names(text):
    return re.findall(r"`([a-z_]+(?:\.[a-z_]+)?)`", text)


def bare(text):
    """Without what stands in parentheses or after a row's first cell."""
    while re.search(r"\([^()]*\)", text):
        text = re.sub(r"\([^()]*\)", "", text)
    return text


def rows(text):
    """First cells of a table."""
    return [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]


def paragraph(text, begin):
    at = text.index(begin)
    return text[at:].split("\n\n")[0]


def documented(page):
    groups, rules, items = (section(page, t) for t in ("`groups`: lines for people", "`rules`: an overview", "`items`: for machines"))
    bar = next(line for line in groups.splitlines() if line.startswith("| `bar`")).split(":", 1)[1]
    worst = paragraph(rules, "`rule`").split("`worst`:")
    lines = [n for cell in rows(groups) for n in names(cell)]
    return {
        "": [n for cell in rows(section(page, "The message")) for n in names(cell)],
        "groups": names(bare(paragraph(groups, "A group:"))),
        "groups.lines": lines,
        "groups.lines.bar": names(bar.split(";")[0]),
        "rules": names(bare(worst[0])) + ["worst"],
        "rules.worst": lines + names(worst[1]),
        "rules.worst.bar": names(bar.split(";")[0]),
        "items+": [n for n in names(items.split("in addition")[1].split("A webhook")[0])],
    }


def collect(value, where, found):
    """The key sets of all objects at each place."""
    if isinstance(value, dict):
        found.setdefault(where, []).append(set(value))
        for key, inner in value.items():
            if where or key != "items":
                collect(inner, (where + "." if where else "") + key, found)
    elif isinstance(value, list):
        for inner in value:
            collect(inner, where, found)


def flat(value, prefix=""):
    for key, inner in value.items():
        yield prefix + key
        if isinstance(inner, dict):
            yield from flat(inner, prefix + key + ".")


def check(where, in_page, in_view):
    assert len(in_page) == len(set(in_page)), ("twice in the page", where, sorted(n for n in in_page if in_page.count(n) > 1))
    assert set(in_page) == in_view, (where, "only in the page", sorted(set(in_page) - in_view), "only in the view", sorted(in_view - set(in_page)))


def message(samples, top, page):
    found, items, n = {}, {}, 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([samples, folder], check=True)
        for path in sorted(glob.glob(os.path.join(folder, "*.view"))):
            with open(path, encoding="utf8") as f:
                view = json.load(f)
            n += 1
            collect(view, "", found)
            for item in view["items"]:
                for name in flat(item):
                    items.setdefault(name, 0)
    assert n >= 10
    want = documented(page)
    for where, sets in found.items():
        assert all(s == sets[0] for s in sets), ("an object without all of its keys", where, set.union(*sets) - set.intersection(*sets))
        check(where, want.pop(where), sets[0])
    with open(os.path.join(top, "docs", "webhook.schema.json"), encoding="utf8") as f:
        schema = json.load(f)

    def of_schema(node, prefix=""):
        node = schema["$defs"][node["$ref"].split("/")[-1]] if "$ref" in node else node
        for key, inner in node.get("properties", {}).items():
            yield prefix + key
            yield from of_schema(inner, prefix + key + ".")
    machine = set(of_schema(schema["properties"]["items"]["items"]))
    check("items", want.pop("items+") + sorted(machine), set(items))
    assert not want, ("no sample shows it", want)
    return sum(len(s[0]) for s in found.values()) + len(items)


def letter(top, page):
    """The letter's view is made in one file; its top names, and those of the appendix' rows."""
    with open(os.path.join(top, "daemon", "answer", "report-view.c"), encoding="utf8") as f:
        source = f.read()
    made = set(re.findall(r'p->view, "(\w+)"', source)) - PRIVATE
    made |= set(re.findall(r"page_(compared)\(p, p->view", source)) # its name is what it sets
    text = section(page, "Letter and pages")
    told = text[text.index("They see"):text.index("`page/*.html`")]
    rest = re.sub(r"\(the appendix:.*?\)|\(by indicator:.*?\)|\(`total`.*?\)|\(`number`.*?\)", "", told.replace("\n", " "))
    check("letter", sorted(set(names(bare(rest)))), made | OTHERS)
    return len(made)


def main():
    samples, top = sys.argv[1:]
    with open(os.path.join(top, "docs", "templates.md"), encoding="utf8") as f:
        page = f.read()
    n = message(samples, top, page)
    print("templates-doc: %d names of messages and %d of the letter, both ways" % (n, letter(top, page)))


main()
