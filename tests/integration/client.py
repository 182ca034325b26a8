#!/usr/bin/python3
"""client.py BUILD: chisoctl on a terminal of its own: nothing is wider than the window, what is longer goes through the pager and nothing
else does, colours come and go, every command explains itself with an example, --json is JSON everywhere, and errors name the next step."""
import fcntl
import json
import os
import pwd
import re
import struct
import subprocess
import sys
import termios
import unicodedata

from lab import TOP, Lab
from sample import configure, month, routes

READS = ("status", "ranking", "history 12376", "history 12370 --indicator progress --vintages", "alerts", "alerts --all", "alert 1",
         "explain progress-low 12376", "rules list", "silence list --all", "sources", "snapshot list", "snapshot show 1", "units list",
         "units suggest", "deliveries", "deliveries --observed")
LONG_LINES = ("explain",)  # sentences, which wrap as sentences do


def terminal(lab, columns, rows, command, **env):
    """What a person sees: (exit status, text)."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    argv = [os.path.join(lab.build, "chisoctl"), "--socket", lab.path("run"), *command.split()]
    process = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
                               env={**os.environ, "PAGER": "cat", "NO_COLOR": "1", "TERM": "xterm", **env})
    os.close(theirs)
    seen = b""
    while True:
        try:
            part = os.read(ours, 1 << 16)
        except OSError:  # the other end is gone
            break
        if not part:
            break
        seen += part
    os.close(ours)
    return process.wait(), seen.decode().replace("\r\n", "\n")


def width(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def is_table(line):
    return "  " in line.strip()


def check_width(lab):
    for command in READS:
        for columns in (80, 120):
            status, text = terminal(lab, columns, 500, command)
            assert status == 0 and text.strip(), (command, text)
            wide = [line for line in text.split("\n") if is_table(line) and width(line) > columns]
            assert not wide or command.startswith(LONG_LINES), (command, columns, wide)
    narrow = terminal(lab, 80, 500, "alerts --all")[1]
    assert "UBND xã Cương Chính" in narrow and "Cửa sổ hẹp, bớt cột: " in narrow, narrow
    assert "82,71" in narrow and "82,7\u2026" not in narrow, "a number was cut"
    assert "bớt cột" not in terminal(lab, 200, 500, "alerts --all")[1]


def check_sort(lab):
    rows = json.loads(subprocess.run([os.path.join(lab.build, "chisoctl"), "--socket", lab.path("run"), "--json", "ranking"], check=True,
                                     stdout=subprocess.PIPE).stdout)["cohorts"][0]["rows"]
    for key in ("delta", "move"):
        want = [r["unit"]["name"] for r in sorted(rows, key=lambda r: r[key])]
        seen = re.findall(r"UBND (?:xã|TT) \S+(?: \S+)?(?=  )", terminal(lab, 120, 60, "ranking --sort " + key)[1])
        assert seen == want, (key, seen, want)
        few = json.loads(terminal(lab, 120, 60, "--json ranking --limit 3 --sort " + key)[1])["cohorts"][0]["rows"]
        assert [r["unit"]["name"] for r in few] == want[:3], "the biggest falls of all, not of the first places"
    assert terminal(lab, 120, 60, "ranking --sort name")[0] == 2
    code, text = terminal(lab, 120, 60, "ranking --period 2024-07 --period 2024-08")
    assert code == 2 and "--period được ghi hai lần" in text, text


def check_user(lab):
    """Who did it is written down where nobody logged in as well: a session of its own has no terminal."""
    number = json.loads(terminal(lab, 120, 60, "--json alerts")[1])["alerts"][0]["id"]
    subprocess.run([os.path.join(lab.build, "chisoctl"), "--socket", lab.path("run"), "ack", str(number)], check=True, start_new_session=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    assert lab.sql("SELECT author FROM ack ORDER BY id DESC LIMIT 1") == [(pwd.getpwuid(os.getuid()).pw_name,)]


def check_silence(lab):
    """Who silences everything, by leaving out what, reads that he did."""
    assert "Mọi cảnh báo" not in terminal(lab, 120, 60, "silence add --until 2030-01-01 --rule rank-fall")[1]
    assert "Mọi cảnh báo đều tạm im. Bỏ: chisoctl silence end 2" in terminal(lab, 120, 60, "silence add --until 2030-01-01")[1]
    assert "mọi quy tắc" in terminal(lab, 200, 60, "silence list")[1]


def check_pager(lab):
    """The pager marks what it gets."""
    mark = "sed 's/^/P|/'"
    text = terminal(lab, 120, 10, "ranking", PAGER=mark)[1]
    assert len(text.splitlines()) == 18 and all(line.startswith("P|") for line in text.splitlines()), text
    assert "P|" not in terminal(lab, 120, 60, "ranking", PAGER=mark)[1]
    assert "UBND xã Thủ Sỹ" in terminal(lab, 120, 10, "ranking", PAGER="no-such-pager")[1], "no pager, no answer"
    assert terminal(lab, 120, 10, "ranking", PAGER="true")[0] == 0, "who reads no further has read enough"
    piped = subprocess.run([os.path.join(lab.build, "chisoctl"), "--socket", lab.path("run"), "ranking"], check=True, stdout=subprocess.PIPE,
                           env={**os.environ, "PAGER": mark}).stdout.decode()
    assert "P|" not in piped and "\033" not in piped


def check_colour(lab):
    coloured = terminal(lab, 120, 60, "ranking", NO_COLOR="")[1]
    assert "\033[32m" in coloured and "\033[31m" in coloured
    assert "\033" not in terminal(lab, 120, 60, "ranking")[1]
    plain = re.sub(r"\033\[\d*m", "", coloured)
    assert plain == terminal(lab, 120, 60, "ranking")[1], "colours move nothing"


def check_json(lab):
    for command in READS + ("render", "fetch portal", "fetch portal --wait"):
        done = subprocess.run([os.path.join(lab.build, "chisoctl"), "--socket", lab.path("run"), "--json", *command.split()], check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert isinstance(json.loads(done.stdout), dict), command


def check_ack(lab):
    """Who, until when and why; through a pipe nothing is cut, on a terminal it fits."""
    note = "để rà soát lại toàn bộ hồ sơ của hai thủ tục đất đai và báo cáo chủ tịch trước ngày họp"
    run = lambda *words: subprocess.run([os.path.join(lab.build, "chisoctl"), "--socket", lab.path("run"), *words], check=True,
                                        stdout=subprocess.PIPE).stdout.decode()
    run("ack", "1", "--by", "Nguyễn Thị Hoa", "--note", note, "--until", "2024-10-31")
    piped = run("alert", "1")
    assert re.search("Nguyễn Thị Hoa  31/10/2024 \\S+  %s\n" % note, piped), piped
    assert json.loads(run("alert", "1", "--json"))["acknowledgements"][0]["note"] == note
    assert note not in terminal(lab, 80, 60, "alert 1")[1] and "để rà soát" in terminal(lab, 80, 60, "alert 1")[1]


def check_help(lab):
    with open(TOP + "/daemon/ctl/main.c", encoding="utf8") as f:
        commands = re.findall(r'\{"([a-z-]+)", command_\w+,\s*((?:"[^"]*"\s*)+),', f.read())
    assert len(commands) > 25
    for language in ("vi_VN.UTF-8", "en_US.UTF-8"):
        for name, options in commands:
            status, text = terminal(lab, 120, 100, name + " --help", LC_ALL=language)
            assert status == 0 and re.search(r"^  (sudo )?chisoctl %s" % name, text, re.M), "no example: " + name
            for option in re.findall(r"[a-z-]+", options.replace('"', "")):
                assert re.search(r"^  --%s( \S.*)?(  +\S|\n {20,}\S)" % option, text, re.M), "%s --%s is not explained: %s" % (name, option, text)
            assert language[:2] == "vi" or not re.search("[ạảãầấẩẫậăắằặẳẵêệếềểễơớờợởỡưứừựửữđ]", text.split("Examples")[0]), text


def check_errors(lab):
    for command, status, words in (("rankin", 2, "chisoctl ranking"), ("ranking --as-off x", 2, "chisoctl ranking --help"),
                                   ("alert 999", 1, "chisoctl alerts --all"), ("history nowhere", 2, "chisoctl units list"),
                                   ("explain nothing 12376", 2, "chisoctl rules list"), ("snapshot show 999", 1, "chisoctl snapshot list"),
                                   ("ranking --indicator nothing", 2, "progress"), ("ranking --as-of yesterday", 2, "2026-10-31")):
        seen, text = terminal(lab, 120, 60, command)
        assert seen == status and words in text, (command, seen, text)
    status, text = terminal(lab, 120, 60, "--socket /nowhere/status.sock status", LC_ALL="en_US.UTF-8")
    assert status == 3 and "systemctl status chisod" in text, text


def main():
    with Lab(sys.argv[1]) as lab:
        lab.build = sys.argv[1]
        lab.clock("2024-08-05T08:05:00+07:00")
        lab.start_publisher()
        lab.start_smtp()
        lab.start_hook()
        configure(lab)
        lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08")}))
        lab.start()
        lab.ask("portal", "2024-07")
        lab.clock("2024-09-05T07:30:00+07:00")
        lab.ask("portal", "2024-08")
        lab.wait(lab.settled, "everything is settled")
        check_width(lab)
        check_sort(lab)
        check_pager(lab)
        check_colour(lab)
        check_json(lab)
        check_ack(lab)
        check_help(lab)
        check_errors(lab)
        check_user(lab)
        check_silence(lab)
        assert lab.stop() == 0
    print("client: passed")


main()
