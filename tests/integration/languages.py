#!/usr/bin/python3
"""languages.py BUILD [FOLDER]: a daemon of each language lives through the same troubles (a restatement, a dead webhook, suspect snapshots, a row that
matches no unit, a publisher that fails, a changed rule, a held cohort); then everything that people read (the client's tables, its errors, the
pages, the mails, the lines for systemd and Nagios) is in that language: no English word in Vietnamese, no Vietnamese letter in English but in what
was published or configured. FOLDER: where all of it is written down, to be read."""
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request

from lab import TOP, Lab
from openapi import start_world
from sample import month, routes

COMMANDS = ("status", "ranking", "ranking --period 2024-07", "ranking --as-of 2024-09-05", "history 12376", "history 12370 --indicator progress --vintages",
            "alerts", "alerts --all", "alert 1", "explain progress-low 12376", "explain progress-low 12370", "explain rank-fall 12376", "rules list",
            "rules diff", "rules backtest progress-low", "silence list --all", "sources", "snapshot list", "snapshot show 1", "snapshot show 6", "snapshot show 8", "units list",
            "units suggest", "deliveries", "deliveries --dead", "deliveries --observed", "render", "render --format text", "check", "verify",
            "fetch portal --from 2024-08 --to 2024-08 --wait", "ack 2 --note x", "alert 2", "rules release progress-low", "silence add --until 2030-01-01 --rule rank-fall", "silence end 1", "drill it",
            "test-mail it@tienlu.example", "source try portal", "import @odd --source portal --period 2024-08 --yes")
WRONG = ("alert 99", "ranking --kind nope", "ranking --indicator nope", "history nowhere", "ack 2 --until 2024-01-01", "rules release nope", "fetch nowhere",
         "snapshot accept 1", "units same 12376 --from 2024-01-01", "units link gso:12376 gso:12376", "report 2020-01", "retry 1", "drill nobody", "ranking --as-of x",
         "silence add --rule progress-low", "nonsense", "ranking --nonsense", "ranking --indicator", "ranking --period 9999-12",
         "verify /nowhere/chiso.db", "verify /etc/hosts", "units link A B --from 2024-99-01", "import /etc/hosts --source portal --period 2024-08 --sheet q",
         "deliveries --dead --observed", "fetch portal --from 2098-01 --to 2098-02", "history " + 5000 * "x")
PAGES = ("/", "/heat", "/sources", "/u/12376", "/u/nowhere")

# English, and no Vietnamese: what a table or a sentence of ours would say
ENGLISH = re.compile(r"\b(the|and|of|is|are|was|were|not|with|from|units?|values?|snapshots?|sources?|figures?|rules?|alerts?|messages?|opened|closed|opening|closing|"
                     r"changed|failed|rejected|unchanged|suspect|accepted|queued|fetched|period|since|state|reason|error|row|line|month|answer|request|missing|first|held|"
                     r"continued|worse|eased|withdrawn|amended|acknowledged|silenced|already|belongs|registry|similar|quarantine|refused|started|dead|void|gone|same|bad|"
                     r"wrong|cannot|nothing|running|provisional|final|days?|hours?|commune|department|province|settled|body|available|nobody|told|disabled|temporary|channel_down)\b", re.I)
VIETNAMESE = re.compile("[ạảãầấẩẫậăắằẳẵặẹẻẽềếểễệịỉĩọỏốồổỗộơớờởỡợụủũưứừửữựỳýỷỹỵđ]", re.I)
# what is a program's or a protocol's language, whatever people speak: texts of rules, options, commands, the SMTP dialogue, names to be typed
PROGRAM = [r"(?m)^[<>=*] .*$", r"[a-z]+(-[a-z]+)+", r"\w+=[^;\n]*(; \w+=[^;\n]*)+", r"cách dùng: .*", r"(?<=; có: ).*", r"\| alerts=.*", r"chisoctl( [a-z-]+)+( \d+)?",
           r"\b(flat|falling|rank_drop|source_failing|restated|overdue|stale|missing)( \d+( within [\d.]+)?)?( and below \d+)?", r"\S*[@/_:]\S*", r"--\S+", r"`[^`]*`",
           r"\"[^\"]*\""]


def published(lab):
    """Names and labels that were published or configured: what may be Vietnamese in English texts."""
    names = [n for (n,) in lab.sql("SELECT name FROM unit_name UNION SELECT name FROM quarantine")] + ["UBND huyện Tiên Lữ", "Tiên Lữ", "Cổng Dịch vụ công quốc gia", "Theo dõi chỉ số 766",
                                                                     "Theo dõi Bộ chỉ số 766"]
    for n in list(names):
        names.append(re.sub(r"^(UBND|Huyện|huyện|xã|TT|Xã)\s+", "", re.sub(r"^UBND\s+", "", n)))
    with open(lab.path("etc", "chisod.conf"), encoding="utf8") as f:
        configured = f.read()
    for name in ("rules-766.conf", "indicators-766.conf"):
        with open(os.path.join(TOP, "conf", name), encoding="utf8") as f:
            configured += f.read()
    names += re.findall(r"^(?:label|organization|contact|advice|reason|from|brief) *= *(.*?)(?: *;.*)?$", configured, re.M)
    names += ["Xuất sắc", "Tốt", "Khá", "Trung bình", "Yếu"]  # bands are configuration
    names += [word + " " + n for n in names for word in ("Xã", "xã", "Phường", "phường", "TT", "thị trấn", "Thị trấn")]
    return sorted(set(n for n in names if n), key=len, reverse=True)


def odd_figures(lab):
    """What is odd about figures is noted: one beyond its bounds, one that is no number, one far from what it was; and an import is warned of."""
    odd = month("2024-08", "2024-08-restated")
    rows = {row["departmentCode"]: row for row in odd["service-results"]["data"]["evaluation"]}
    for code, value in (("12337", 250), ("12340", "n/a"), ("12343", 20.5)):
        rows[code]["totalScore"] = value
    lab.publish(routes({"2024-08": odd}))
    lab.ask("portal", "2024-08")
    shown = lab.ctl("snapshot", "show", "8").stdout
    assert "250" in shown and "n/a" in shown and "20.5" in shown, shown
    with open(lab.path("odd.csv"), "w", encoding="utf8") as f:
        f.write("code,total\n12376,abc\n12367,81\n12364,79\n")


def collect(lab, port, locale):
    texts = {}
    for command in COMMANDS + WRONG:
        r = subprocess.run([lab.path_of("chisoctl"), "--socket", lab.path("run"), *command.replace("@odd", lab.path("odd.csv")).split(), "--config", lab.path("etc", "chisod.conf")], check=False,
                           env=dict(lab.env(), LC_ALL=locale), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        texts["chisoctl " + command] = r.stdout
    for page in PAGES:
        try:
            with urllib.request.urlopen("http://127.0.0.1:%d%s" % (port, page), timeout=30) as answer:
                html = answer.read().decode()
        except urllib.error.HTTPError as e:
            html = e.read().decode()
        html = re.sub(r"<style>.*?</style>|<option[^>]*>|<title>[^<]*</title>", " ", html, flags=re.S)
        texts["page " + page] = re.sub(r"\n\s*\n+", "\n", re.sub(r"<[^>]*>", "\n", html)) + "\n".join(re.findall(r'aria-label="([^"]*)"', html))
    for i, mail in enumerate(lab.mails()):
        texts["mail %d" % i] = str(mail["Subject"]) + "\n" + mail.get_body(("plain",)).get_content()
    return texts


def wrong_places(what, text, language, names):
    """Each with what stands around it."""
    if what.startswith("mail"):
        text = re.sub(r"\s+", " ", text)  # a wrapped name is one
    text = text.replace("\u2026", "\n")
    for name in names:
        text = text.replace(name, " ")
    if language == "vi":
        for pattern in PROGRAM:
            text = re.sub(pattern, " ", text)
    found = (VIETNAMESE if language == "en" else ENGLISH).finditer(text)
    return sorted({text[max(m.start() - 50, 0):m.end() + 30].replace("\n", " | ").strip() for m in found})


def main():
    wrong = []
    for language in ("vi", "en"):
        with Lab(sys.argv[1]) as lab:
            from pages import free_port  # pylint: disable=import-outside-toplevel
            port = free_port()
            start_world(lab, "[daemon]\nlanguage = %s\nhttp_listen = 127.0.0.1:%d\n" % (language, port))
            odd_figures(lab)
            lab.publish([dict(route, json={"data": {}}) for route in routes({"2024-07": month("2024-07"), "2024-08": month("2024-08")})])
            for _ in range(3):
                lab.ctl("fetch", "portal", "--from", "2024-08", "--to", "2024-08", "--wait", check=False)
            lab.wait(lab.settled, "everything is told")
            texts, names = collect(lab, port, {"vi": "vi_VN.UTF-8", "en": "en_US.UTF-8"}[language]), published(lab)
            lab.stop()
        for what, text in texts.items():
            if len(sys.argv) > 2:
                with open(os.path.join(sys.argv[2], language + "-" + re.sub(r"\W+", "-", what)[:80] + ".txt"), "w", encoding="utf8") as f:
                    f.write(text)
            assert text.strip(), (language, what)
            wrong += ["%s: %s: %s" % (language, what, place) for place in wrong_places(what, text, language, names)]
    assert not wrong, "\n" + "\n".join(wrong)
    print("languages: passed (%d texts)" % (2 * len(texts)))


if __name__ == "__main__":
    main()
