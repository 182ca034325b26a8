#!/usr/bin/python3
"""inside.py: the life of an installation, from dpkg -i to purge, in a machine that was booted for it (see run). Asserts from systemctl show, the
journal, the sockets and the receivers; each step prints its name."""
import contextlib
import glob
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, "/test/tests/integration")
from lab import Lab # noqa: E402
from sample import SAMPLE, SECRET, letter, month, routes # noqa: E402

SERVICE = "chisod.service"
STATE = "/var/lib/chisod"
CONF = "/etc/chisod/chisod.conf"
TEST_DROPIN = "/run/systemd/system/chisod.service.d/test.conf"
DROPIN = """
[daemon]
shipped_rules = no
backup_dir = /var/lib/chisod/backup
[network]
ca_file = /lab/certs/ca.pem
[smtp]
url = smtp://localhost:@SMTP@
username = chisod
password = credential:smtp-password
[source portal]
url = http://127.0.0.1:@PUB@/api/v1/reporting/evaluation
pace = 0s
spread = 0s
[recipient dashboard]
webhook = http://127.0.0.1:@HOOK@/hook
webhook_secret = credential:dashboard-key
"""
# What the program of the service may do; all else that the probe tries is denied. /var/tmp is its own (PrivateTmp=).
ALLOWED = {"write-tmp", "write-var-tmp", "write-state", "read-urandom", "socket-inet", "socket-inet6", "socket-unix"}


def run(*argv, check=True, **more):
    r = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False, **more)
    assert not check or r.returncode == 0, (argv, r.returncode, r.stdout)
    return r


def show(name, unit=SERVICE):
    return run("systemctl", "show", "-p", name, "--value", unit).stdout.strip()


def main_pid():
    return int(show("MainPID"))


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf8") as f:
        f.write(text)


def read(path):
    with open(path, encoding="utf8") as f:
        return f.read()


def read_bytes(path):
    with open(path, "rb") as f:
        return f.read()


def entries(*match):
    """Of the journal, whose lines may come a moment after what they tell."""
    run("journalctl", "--sync")
    lines = run("journalctl", "-o", "json", "--no-pager", *match).stdout.splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def said(text, *match):
    return [e for e in entries(*match) if text in str(e.get("MESSAGE"))]


class Machine(Lab):
    """The laboratory's peers around an installed service."""

    def __init__(self):
        super().__init__("/usr/bin")
        shutil.rmtree(self.dir)
        self.dir = "/lab"
        os.mkdir(self.dir)
        for name in ("pub", "mail", "hook"):
            os.mkdir(self.path(name))
        write(self.path("chisod.log"), "")
        os.symlink(STATE, self.path("state"))
        os.symlink("/run/chisod", self.path("run"))

    def env(self, kill=None):
        return dict(os.environ, CHISO_TEST_CLOCK=self.path("clock"))

    def ctl(self, *args, check=True, user=None):
        argv = ["chisoctl", *args]
        r = subprocess.run(["runuser", "-u", user, "--", *argv] if user else argv, env=self.env(), text=True, input="", stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=60, check=False)
        assert not check or r.returncode == 0, (args, r.returncode, r.stdout, r.stderr)
        return r

    def call_text(self, method, path):
        return json.dumps(self.call(method, path), ensure_ascii=False)

    def status(self):
        return self.call("GET", "/v1/status")

    def active(self, text, seconds=30):
        self.wait(lambda: show("ActiveState") == "active" and self.status(), text, seconds)

    def ranking(self, indicator="total"):
        rows = self.json("ranking", "--period", "2024-08", "--indicator", indicator)["cohorts"][0]["rows"]
        return [(r["place"], r["unit"]["name"], r["value"]) for r in rows]

    def edit(self, old, new):
        text = read(CONF)
        assert old in text, old
        write(CONF, text.replace(old, new))


# ---- the steps, in their order ----------------------------------------------------------------------------------------------


def install(m):
    os.symlink("/test/first.deb", "/lab/chisod_first.deb")
    run("sh", "-c", "apt install -y ./chisod_*.deb", cwd="/lab")
    assert show("ActiveState") == "inactive" and run("systemctl", "is-enabled", SERVICE, check=False).stdout.strip() == "disabled"
    assert run("id", "-u", "chisod").stdout != "0\n" and "chisod-admin" in run("id", "-nG", "chisod").stdout
    modes = {path: oct(os.stat(path).st_mode & 0o7777) for path in (STATE, STATE + "/inbox", STATE + "/backup", "/etc/chisod/secrets")}
    assert modes == {STATE: "0o751", STATE + "/inbox": "0o2770", STATE + "/backup": "0o750", "/etc/chisod/secrets": "0o700"}, modes
    assert run("dpkg-query", "-W", "-f", "${Conffiles}", "chisod").stdout.split()[0] == CONF
    for page in ("1 chisoctl", "5 chisod.conf", "5 chisod-rules", "7 chisod-api", "8 chisod"):
        run("man", "-w", *page.split())
    assert run("bash", "-c", "source /usr/share/bash-completion/completions/chisoctl; COMP_WORDS=(chisoctl rank); COMP_CWORD=1; _chisoctl;"
               " echo \"${COMPREPLY[@]}\"").stdout.split() == ["ranking"]
    units = glob.glob("/lib/systemd/system/chisod*")
    assert len(units) == 4 and run("systemd-analyze", "verify", *units).stdout == ""
    exposure = json.loads(run("systemd-analyze", "security", "--offline=true", "--json=short", "--no-pager", SERVICE, check=False).stdout or "[]")
    assert run("systemd-analyze", "security", "--threshold=11", SERVICE, check=False).returncode == 0, exposure
    # what ships is a configuration without errors
    assert run("chisod", "--check-config").stdout.splitlines()[-1].startswith("0 errors")


def refuse_bad_configuration(m):
    """78, once, with the reason in the status line and a line of chisod-failed@; the status socket survives."""
    shipped = read(CONF)
    write(CONF, shipped.replace("digest_at = 08:00", "digest_at = 25:00"))
    assert run("systemctl", "start", SERVICE, check=False).returncode != 0
    assert (show("ActiveState"), show("ExecMainStatus"), show("NRestarts")) == ("failed", "78", "0")
    assert show("StatusText").startswith("SỰ CỐ: cấu hình có lỗi") and "digest_at" in show("StatusText"), show("StatusText")
    wrong = [e for e in said("digest_at", "-u", SERVICE) if e.get("MESSAGE_ID") == "5d1b6cc7f0b44b5f9c0de4f37a0f1a06"]
    assert wrong and wrong[0]["PRIORITY"] == "3" and CONF in wrong[0]["MESSAGE"], wrong
    m.wait(lambda: said("stays stopped", "-t", "chisod-failed"), "the word of chisod-failed@")
    if not os.path.exists("/usr/lib/locale/vi_VN.utf8"): # a machine that has no other than C's; only the name matters here
        shutil.copytree("/usr/lib/locale/C.utf8", "/usr/lib/locale/vi_VN.utf8")
    for language, word in (("vi_VN.UTF-8", "Cần xem lại cấu hình"), ("C.UTF-8", "The configuration needs a look")):
        assert word in run("journalctl", "-u", SERVICE, "-x", "--no-pager", env=dict(os.environ, LANG=language, LC_ALL=language)).stdout, word
    write(CONF, shipped)


def peers(m):
    m.clock("2024-08-05T08:05:00+07:00")
    m.start_publisher()
    m.start_smtp("--auth", "chisod", "relay-password", "--mode-file", "/lab/smtp-mode")
    os.chmod("/lab/certs", 0o755)
    os.chmod("/lab/certs/ca.pem", 0o644)
    m.start_hook(SECRET, "--mode-file", "/lab/hook-mode")


def province():
    """Six answers of the reporting service about a made-up province of 12 communes, the same for any period."""
    communes = [("H99.%d" % (100 + i), "UBND xã Mẫu %02d" % i, 70 + 2.5 * i) for i in range(12)]
    tree = {"code": "OK", "data": {"parent": {"departmentId": "p-1", "departmentName": "UBND tỉnh Mẫu", "departmentCode": "H99",
                                              "totalReceived": 1200, "totalOnTime": 1000, "ratio": 83.33, "totalScore": 8},
                                   "children": [{"departmentCode": code, "departmentName": name, "level": "COMMUNE", "totalReceived": 100,
                                                 "totalOnTime": 90, "totalOverdue": 10, "ratio": ratio, "score": round(ratio / 10, 2),
                                                 "totalScore": round(ratio / 10, 2), "scoreDelta": None} for code, name, ratio in communes]}}
    rows = {"code": "OK", "data": {"pagination": {"totalPages": 1},
                                   "evaluation": [{"departmentCode": code, "departmentName": name, "departmentType": "COMMUNE_PEOPLE_COMMITTEE",
                                                   "ratio": ratio, "totalScore": round(ratio / 10, 2), "scoreDelta": None, "metrics": [
                                                       {"code": "SO_HOA_GIAY_TO_GIAI_QUYET", "ratio": ratio, "denominator": 90},
                                                       {"code": "ORIGINAL_RESULT_AVAILABLE", "ratio": ratio, "denominator": 90}]}
                                                  for code, name, ratio in communes]}}
    calls = {"transparency": rows, "dvc-progress-tree": tree, "provide-online-tree": tree, "formality-online-payment-tree": tree,
             "dossier-digitized": rows, "handling-satisfaction": rows}
    return [{"path": "/api/v1/reporting/evaluation/" + call, "method": "POST", "status": 201, "mode": "status", "json": document}
            for call, document in calls.items()]


def first_ranking(m):
    """The README's ten minutes: setup with its options, and then each command that it names, as it names it."""
    m.publish(province())
    refused = m.ctl("setup", "--organization", "UBND tỉnh Mẫu", user="nobody", check=False)
    assert refused.returncode == 1 and "sudo chisoctl setup" in refused.stderr, refused
    write("/lab/password", "relay-password\n")
    began = time.monotonic()
    r = m.ctl("setup", "--organization", "UBND tỉnh Mẫu", "--language", "vi", "--url", "http://127.0.0.1:%d" % m.pub_port, "--scope", "p-1", "--mail",
              "smtp://localhost:%d" % m.smtp_port, "--mail-user", "chisod", "--mail-password-file", "/lab/password", "--from", "chisod@mau.example",
              "--ca-file", "/lab/certs/ca.pem", "--operator", "it@mau.example", "--recipient", "pvhcc@mau.example")
    assert "relay-password" not in r.stdout + r.stderr
    assert show("ActiveState") == "active" and run("systemctl", "is-enabled", SERVICE).stdout.strip() == "enabled"
    assert len(m.mails()) == 1 and m.mails()[0]["To"] == "it@mau.example"
    assert run("chisod", "--check-config").stdout.splitlines()[-1].startswith("0 errors")
    named = [line.split("#")[0].split() for line in r.stdout.partition("Tiếp theo:")[2].splitlines() if line.strip()]
    assert [words[:2] for words in named] == [["usermod", "-aG"], ["chisoctl", "source"], ["chisoctl", "sources"],
                                              ["chisoctl", "ranking"], ["chisoctl", "status"], ["chisoctl", "go-live"]], named
    run("useradd", "--system", "--no-create-home", "installer")
    m.wait(lambda: "UBND xã Mẫu" in m.ctl("ranking", check=False).stdout, "the first ranking, within a minute", 60)
    for words in named:
        words = ["installer" if word == "USER" else word for word in words] + (["--yes"] if words[-1] == "go-live" else [])
        said_of = run(*words).stdout
        assert words[1] != "ranking" or ("UBND xã Mẫu 11" in said_of and said_of.index("Mẫu 11") < said_of.index("Mẫu 10")), said_of
    assert "installer" in run("getent", "group", "chisod-admin").stdout
    assert m.status()["notify"] == "live" and time.monotonic() - began < 60
    # the end of these ten minutes: what follows begins with an empty state
    run("systemctl", "stop", SERVICE)
    run("userdel", "installer")
    for path in glob.glob(STATE + "/chisod.db*") + glob.glob(STATE + "/backup/*") + glob.glob("/lab/mail/*"):
        os.unlink(path)
    os.unlink("/etc/chisod/secrets/smtp-password")
    write("/lab/requests.jsonl", "")


def start(m):
    m.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08")}))
    shutil.copy(os.path.join(SAMPLE, "chisod.conf"), CONF)
    m.edit("/etc/chisod/secrets/dashboard-key", "/nowhere") # the drop-in takes both secrets from the credentials
    text = DROPIN
    for name, value in (("@PUB@", m.pub_port), ("@SMTP@", m.smtp_port), ("@HOOK@", m.hook_port)):
        text = text.replace(name, str(value))
    write("/etc/chisod/chisod.conf.d/50-test.conf", text)
    for name, secret in (("smtp-password", "relay-password"), ("dashboard-key", SECRET)):
        write("/etc/chisod/secrets/" + name, secret + "\n")
        os.chmod("/etc/chisod/secrets/" + name, 0o600)
    # quicker than in life, and the movable clock
    write(TEST_DROPIN, "[Service]\nEnvironment=CHISO_TEST_CLOCK=/lab/clock\nRestartSec=200ms\nWatchdogSec=2s\nTimeoutAbortSec=1s\n")
    run("systemctl", "daemon-reload")
    run("systemctl", "enable", "chisod-status.socket", "chisod-admin.socket", SERVICE)
    run("systemctl", "start", SERVICE)
    # READY means it: the first question is answered
    assert show("ActiveState") == "active" and m.status()["language"] == "vi"
    m.wait(lambda: "cảnh báo" in show("StatusText"), "a status line")
    assert run("stat", "-c", "%a %U %G", "/run/chisod/status.sock", "/run/chisod/admin.sock").stdout.split("\n")[:2] == [
        "666 root root", "660 root chisod-admin"]


def first_letters(m):
    m.ask("portal", "2024-07")
    m.clock("2024-09-05T07:30:00+07:00")
    m.ask("portal", "2024-08")
    want = [(int(place), name, float(total.replace(",", "."))) for place, _, name, total, _, _ in letter()]
    assert m.ranking() == want, m.ranking()
    m.wait(lambda: len(m.hooks()) == 1 and m.settled(), "the webhook")
    assert m.mails() == []
    m.clock("2024-09-05T08:00:01+07:00")
    m.ask("portal", "2024-08")
    m.wait(lambda: len(m.mails()) == 2 and m.settled(), "two mails, by STARTTLS and log-in")
    assert all(h["verified"] for h in m.hooks())
    m.wait(lambda: "15/15 đơn vị · tháng 8/2024" in show("StatusText"), "the status line: " + show("StatusText"))
    journal = run("journalctl", "-u", SERVICE, "-o", "export", "--no-pager").stdout
    assert "CHISO_SOURCE=portal" in journal and "relay-password" not in journal and SECRET not in journal
    assert oct(os.stat(STATE + "/chisod.db").st_mode & 0o7777) == "0o640"


def sockets(m):
    run("useradd", "--system", "--no-create-home", "--groups", "chisod-admin", "clerk")
    assert "Thiện Phiến" in m.ctl("alerts", user="nobody").stdout
    masked = m.ctl("deliveries", "--json", user="nobody").stdout
    assert "vanphong@tienlu.example" not in masked and "vanphong@tienlu.example" in m.call_text("GET", "/v1/deliveries")
    refused = m.ctl("fetch", "portal", user="nobody", check=False)
    assert refused.returncode == 3 and "chisod-admin" in refused.stderr, refused
    assert m.ctl("fetch", "portal", "--from", "2024-08", "--to", "2024-08", "--wait", user="clerk").returncode == 0
    # the readers' socket takes no orders
    code = run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST", "--unix-socket", "/run/chisod/status.sock",
               "http://x/v1/sources/portal/fetch").stdout
    assert code in ("403", "404", "405"), code


def reload(m):
    pid, name = main_pid(), "organization = UBND huyện Tiên Lữ"
    good = read(CONF)
    m.edit(name, name + "\ncolour = red")
    failed = run("systemctl", "reload", SERVICE, check=False)
    assert failed.returncode != 0 and show("ActiveState") == "active" and main_pid() == pid
    m.wait(lambda: said("colour", "-u", SERVICE), "the journal names the key")
    assert m.status()["organization"] == "UBND huyện Tiên Lữ"
    # a signal by hand goes past that check: then the status line says it
    os.kill(pid, signal.SIGHUP)
    m.wait(lambda: show("StatusText").startswith("SỰ CỐ: cấu hình mới có lỗi"), "the status line after a bad reload")
    write(CONF, good.replace(name, name + " mới"))
    run("systemctl", "reload", SERVICE)
    m.wait(lambda: m.status()["organization"] == "UBND huyện Tiên Lữ mới", "the new name")
    m.wait(lambda: show("StatusText").startswith("15/15"), "no more trouble")
    m.edit("language = vi", "language = en")
    run("systemctl", "reload", SERVICE)
    m.wait(lambda: show("StatusText").startswith("15/15 units"), "the status line in English")
    m.edit("language = en", "language = vi")
    run("systemctl", "reload", SERVICE)
    m.wait(lambda: show("StatusText").startswith("15/15 đơn vị"), "and in Vietnamese")
    assert main_pid() == pid and show("NRestarts") == "0"
    assert not said("cannot be read", "-u", SERVICE), "the check of a reload sees the credentials"


def second_instance(m):
    for how in ([], ["--once"]):
        r = run("runuser", "-u", "chisod", "--", "chisod", *how, check=False)
        assert r.returncode == 75 and "another chisod" in r.stdout, r
    assert m.status() and show("ActiveState") == "active"


def stop_amid_transfers(m):
    """Within five seconds, whatever waits for an answer; ready again within two."""
    m.publish([{"path": "/api/v1/reporting/evaluation/service-results", "method": "POST", "mode": "hang", "body": ""}])
    requests = len(m.requests())
    m.call("POST", "/v1/sources/portal/fetch?from=2024-08&to=2024-08")
    m.wait(lambda: len(m.requests()) > requests, "a request that waits")
    began = time.monotonic()
    run("systemctl", "stop", SERVICE)
    assert time.monotonic() - began < 5 and show("Result") == "success", time.monotonic() - began
    m.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08")}))
    run("systemctl", "start", SERVICE)
    ready = int(show("ActiveEnterTimestampMonotonic")) - int(show("ExecMainStartTimestampMonotonic"))
    assert 0 < ready < 2000000, ready
    m.ask("portal", "2024-08")


FORGED = "\x1b[31m\x1b]0;title\x07\r\n<0>forged: line\u202e\u2066"


def hostile_text(m):
    """What a publisher says comes into the journal as one printable line each."""
    document = month("2024-08")
    rows = document["service-results"]["data"]["evaluation"]
    rows[0]["departmentName"] += FORGED
    rows[1]["totalScore"] = FORGED
    m.publish(routes({"2024-07": month("2024-07"), "2024-08": document}))
    m.ask("portal", "2024-08")
    m.publish([{"path": "/api/v1/reporting/evaluation/service-results", "method": "POST", "mode": "status", "status": 200,
                "json": {"code": FORGED, "message": FORGED}}])
    m.ask("portal", "2024-08")
    m.wait(lambda: [e for e in entries("-u", SERVICE, "CHISO_SOURCE=portal") if "forged: line" in str(e["MESSAGE"])], "what the publisher said")
    m.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08")}))
    m.ask("portal", "2024-08")
    check_journal()


def hostile_replies(m):
    """What a relay and a hook answer: the same, although they repeat the secrets that they were told."""
    modes(smtp="hostile", hook="hostile")
    run("systemctl", "restart", SERVICE) # no connection is kept
    m.active("again")
    for recipient in ("district", "dashboard"):
        m.ctl("drill", recipient)
    query = "SELECT count(*) FROM message WHERE is_drill = 1 AND attempts = 1 AND state = 1 AND response LIKE '%***%'"
    m.wait(lambda: m.sql(query) == [(2,)], "both refused")
    modes(smtp="hostileauth")
    run("systemctl", "restart", SERVICE)
    m.active("again")
    m.clock("2024-09-05T08:20:00+07:00")
    m.ask("portal", "2024-08")
    m.wait(lambda: said("smtp is paused: 535", "-u", SERVICE), "the log-in is refused")
    check_journal()
    modes()
    run("systemctl", "restart", SERVICE)
    m.active("again")
    m.clock("2024-09-05T08:40:00+07:00")
    m.ask("portal", "2024-08")
    m.wait(m.settled, "the drills, after all")


def modes(smtp="ok", hook=""):
    write("/lab/smtp-mode", smtp)
    write("/lab/hook-mode", hook)


GUIDE = "/usr/share/doc/chisod/huong-dan.md"
# what is run by the steps of that name, as the guide writes it
ELSEWHERE = {"apt install ./chisod_*.deb": "install", "chisoctl setup": "first_ranking", "apt remove chisod": "remove", "apt purge chisod": "remove"}
PROGRAMS = ("apt ", "usermod ", "chisoctl ", "chisod ", "systemctl ", "journalctl ", "LANG=", "man ")


def guide_words():
    """The code of the guide, in blocks and in lines."""
    text = read(GUIDE)
    found = [line[4:].split("  #")[0].strip() for line in text.splitlines() if line.startswith("    ") and line.strip()]
    return found + re.findall(r"`([^`]+)`", re.sub(r"^    .*$", "", text, flags=re.M))


def guide(m):
    """Each command of the guide for installers and chiefs, with a name or number for each placeholder; each file and key that it names exists."""
    modes(hook="410")
    m.ctl("drill", "dashboard")
    m.wait(lambda: m.sql("SELECT count(*) FROM message WHERE state = 4") == [(1,)], "a dead letter")
    modes()
    dead, alert = m.sql("SELECT id FROM message WHERE state = 4")[0][0], m.json("alerts")["alerts"][0]["id"]
    write("/root/guide.csv", "code,progress\n12376,82.72\n")  # a hundredth more than was published: nobody is told
    values = {"import TỆP --source NGUỒN --period 2026-08": "import /root/guide.csv --source portal --period 2024-08 --yes",
              "TÊN_CỦA_BẠN": "clerk", "TÊN_NGƯỜI_NHẬN": "district", "TỆP": "/root/copy.db", "retry SỐ": "retry %d" % dead, "ack SỐ": "ack %d" % alert}
    keys = run("man", "-P", "cat", "chisod.conf").stdout + run("man", "-P", "cat", "chisod-rules").stdout
    n_run, rest = 0, []
    for words in guide_words():
        command = words
        for name, value in values.items():
            command = command.replace(name, value)
        if "--undo SỐ" in command:  # the import just made
            command = command.replace("SỐ", str(m.sql("SELECT max(id) FROM snapshot")[0][0]))
        if words in ELSEWHERE:
            assert globals()[ELSEWHERE[words]] in STEPS
        elif command.startswith(PROGRAMS):
            command = {"chisoctl go-live": "chisoctl go-live --yes"}.get(command, command).replace("man ", "man -P cat ")
            r = run("bash", "-c", command, check=False, env=dict(os.environ, SYSTEMD_PAGER="", **m.env()), input="")
            assert r.returncode <= (command == "chisoctl check") and r.stdout.strip() + ("x" if "systemctl re" in command or "usermod" in command else ""), (words, r)
            assert not re.search("[A-ZĐÊÔƠƯẾỆ]_[A-Z]", command), ("a placeholder without a value", command)
            n_run += 1
        else:
            rest.append(words)
    for words in rest:
        if words.startswith("/"):
            assert os.path.exists(words), words
        else:
            name = words.strip("[]").split(" ...")[0].split(" = ")[0]
            assert name in keys or words in ("SỰ CỐ", "chisod.db.damaged-...", "chisod"), ("not in the manual pages", words)
    assert n_run >= 20 and len(rest) >= 8, (n_run, rest)
    m.wait(lambda: os.path.exists("/root/copy.db"), "the copy")
    m.active("after all of it")
    m.wait(m.settled, "the drill")


def check_journal():
    """Of all that was said so far: printable text, known ids in both catalogs, secrets nowhere."""
    known = {lang: run("journalctl", "--list-catalog", "--no-pager", env=dict(os.environ, LC_ALL=lang)).stdout for lang in ("vi_VN.UTF-8", "C.UTF-8")}
    of_ours = [e for e in entries("-u", SERVICE) if e.get("SYSLOG_IDENTIFIER") == "chisod" and e.get("_SYSTEMD_UNIT") == SERVICE]
    assert len(of_ours) > 20
    for e in of_ours:
        text = e["MESSAGE"]
        assert isinstance(text, str), e # what is not printable comes as a list of bytes
        assert not any(ord(c) < 32 or 0x7f <= ord(c) < 0xa0 or c in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069" for c in text), text
        assert "relay-password" not in text and SECRET not in text and SECRET[6:] not in text, text
        if "MESSAGE_ID" in e:
            assert all(e["MESSAGE_ID"] in catalog for catalog in known.values()), e["MESSAGE_ID"]
    readable = run("journalctl", "-u", SERVICE, "-p", "warning", "--no-pager", "-o", "cat").stdout
    assert readable.strip() and "(null)" not in readable, readable


def killed(m):
    before, pid, mails = m.ranking(), main_pid(), len(m.mails())
    os.kill(pid, signal.SIGKILL)
    m.wait(lambda: main_pid() not in (0, pid), "another life")
    m.active("after kill -9")
    assert m.ranking() == before and show("NRestarts") == "1"
    m.integrity()
    assert len(m.mails()) == mails


def hung(m):
    pid = main_pid()
    os.kill(pid, signal.SIGSTOP)
    m.wait(lambda: main_pid() not in (0, pid), "the watchdog's work", 20)
    m.active("after the watchdog")
    assert said("Watchdog timeout", "-u", SERVICE)


def stalled(m):
    """A loop that turns and does nothing: a request without an end, a tick that is never armed. Left to the watchdog."""
    m.publish([{"path": "/api/v1/reporting/evaluation/service-results", "method": "POST", "mode": "hang", "body": ""}])
    for what, shift in (("portal", (0, 0, 3600000)), ("the tick", (0, 3 * 86400000, 0))):
        pid, requests = main_pid(), len(m.requests())
        if what == "portal":
            m.call("POST", "/v1/sources/portal/fetch?from=2024-08&to=2024-08")
            m.wait(lambda n=requests: len(m.requests()) > n, "a request under way")
        m.set_clocks(*(a + b for a, b in zip(m.clocks(), shift)))
        m.wait(lambda p=pid: main_pid() not in (0, p), "the watchdog's work: " + what, 20)
        assert [e for e in said(what + " does not go on", "-u", SERVICE) if e["PRIORITY"] == "2" and e.get("MESSAGE_ID")], what
        m.active("after the watchdog: " + what)
    m.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08")}))
    run("systemctl", "restart", SERVICE) # a regular end: what follows counts from none
    m.active("again")
    m.ask("portal", "2024-08")


def not_started(m):
    """What is in the way has a name, in the journal and where an administrator looks first."""
    run("systemctl", "stop", SERVICE)
    path = STATE + "/chisod.db"
    os.chmod(path, 0o440)
    run("systemctl", "start", SERVICE, check=False)
    m.wait(lambda: path in show("StatusText"), "the file in the status line: " + show("StatusText"))
    assert show("StatusText").startswith("SỰ CỐ") and said(path + ": the database may not be written", "-u", SERVICE)
    os.chmod(path, 0o640)
    m.wait(lambda: show("ActiveState") == "active", "mended, it starts by itself")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = "127.0.0.1:%d" % other.getsockname()[1]
        write("/etc/chisod/chisod.conf.d/60-web.conf", "[daemon]\nhttp_listen = %s\n" % address)
        run("systemctl", "restart", SERVICE, check=False)
        m.wait(lambda: address in show("StatusText"), "the address in the status line: " + show("StatusText"))
    m.wait(lambda: show("ActiveState") == "active", "free again, it starts by itself")
    os.unlink("/etc/chisod/chisod.conf.d/60-web.conf")
    run("systemctl", "restart", SERVICE)
    m.active("as before")


def crash_loop(m):
    """Unclean ends in a row: it waits before it fetches, and answers meanwhile; a person's request is done at once."""
    for left in (2, 1, 0):
        if left == 0:
            m.clock("2024-09-06T04:00:01+07:00") # the regular time of the next day: what starts now would ask
        requests, pid = len(m.requests()), main_pid()
        os.kill(pid, signal.SIGKILL)
        m.wait(lambda: main_pid() not in (0, pid), "another life")
        m.active("after a crash")
    m.wait(lambda: said("unclean ends in a row", "-u", SERVICE), "the word about the crash loop")
    assert m.ranking() and m.status() and len(m.requests()) == requests
    m.ask("portal", "2024-08")
    assert len(m.requests()) > requests
    began = time.monotonic()
    run("systemctl", "stop", SERVICE)
    assert time.monotonic() - began < 5 and show("Result") == "success", time.monotonic() - began
    # a regular stop forgets: the next start is silent, and asks by itself
    n = len(said("unclean ends in a row", "-u", SERVICE))
    m.clock("2024-09-07T04:00:01+07:00")
    requests = len(m.requests())
    run("systemctl", "start", SERVICE)
    m.wait(lambda: len(m.requests()) > requests, "it asks by itself")
    assert len(said("unclean ends in a row", "-u", SERVICE)) == n


def configuration_lost(m):
    os.rename(CONF, CONF + ".away")
    assert run("systemctl", "reload", SERVICE, check=False).returncode != 0
    assert show("ActiveState") == "active" and m.ranking()
    run("systemctl", "stop", SERVICE)
    assert run("systemctl", "start", SERVICE, check=False).returncode != 0
    assert (show("ActiveState"), show("ExecMainStatus")) == ("failed", "78")
    os.rename(CONF + ".away", CONF)
    run("systemctl", "restart", SERVICE)
    m.active("with its configuration again")


def disk_full(m):
    """Stays up, keeps what it has, says so, and goes on by itself."""
    run("systemctl", "stop", SERVICE)
    shutil.copytree(STATE, "/lab/kept", symlinks=True)
    run("mount", "-t", "tmpfs", "-o", "size=16m,mode=0751,uid=%s,gid=%s" % (run("id", "-u", "chisod").stdout.strip(),
                                                                          run("id", "-g", "chisod").stdout.strip()), "chisod-state", STATE)
    run("cp", "-a", "/lab/kept/.", STATE)
    run("chown", "-R", "chisod:chisod", STATE)
    run("systemctl", "start", SERVICE)
    m.active("on a small disk")
    pid, before = main_pid(), m.ranking("progress")
    with open(STATE + "/ballast", "wb", buffering=0) as f, contextlib.suppress(OSError):
        while True:
            f.write(b"x" * 4096)
    m.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08", "2024-08-restated")}))
    m.clock("2024-09-09T07:30:00+07:00")
    m.call("POST", "/v1/sources/portal/fetch?from=2024-08&to=2024-08")
    m.wait(lambda: (m.status() or {}).get("store_error"), "it says that the disk is full")
    assert m.ranking("progress") == before and main_pid() == pid
    m.wait(lambda: show("StatusText").startswith("SỰ CỐ"), "the status line")
    os.unlink(STATE + "/ballast")
    m.clock("2024-09-09T07:31:00+07:00") # beyond the 30 s of its pause
    m.call("POST", "/v1/sources/portal/fetch?from=2024-08&to=2024-08")
    m.wait(lambda: m.ranking("progress") != before and not m.status()["store_error"], "it goes on by itself")
    assert main_pid() == pid
    m.integrity()
    run("systemctl", "stop", SERVICE)
    run("umount", STATE)
    run("systemctl", "start", SERVICE)
    m.active("on its own disk again")
    m.ask("portal", "2024-08")


def clock_jumps(m):
    """Backwards and forwards around a time of day at which something is due: told once, and told."""
    pid, n, hooks = main_pid(), len(m.mails()), len(m.hooks())
    def jump(text):
        m.clock(text)
        m.ask("portal", "2024-08")
        m.wait(m.settled, "nothing waits at " + text)
    jump("2024-09-06T07:40:00+07:00") # a Friday, three days back
    assert len(m.mails()) == n
    jump("2024-09-09T08:00:05+07:00")
    m.wait(lambda: len(m.mails()) > n and m.settled(), "the correction, when it is due")
    told = len(m.mails())
    for text in ("2024-09-08T09:00:00+07:00", "2024-09-09T09:00:00+07:00", "2024-09-05T07:00:00+07:00", "2024-09-09T09:00:10+07:00"):
        jump(text)
    assert len(m.mails()) == told and len(m.hooks()) == hooks, "told again after the clock moved"
    ids = [mail["Message-ID"] for mail in m.mails()]
    assert len(ids) == len(set(ids)) and main_pid() == pid
    assert m.ctl("ranking", "--period", "2024-08", "--as-of", "2024-09-05").returncode == 0


def newer_database(m):
    """Refused, as it is, with the reason where an administrator looks."""
    run("systemctl", "stop", SERVICE)
    path = STATE + "/chisod.db"
    def version(change):
        with contextlib.closing(sqlite3.connect(path)) as db:
            number = db.execute("PRAGMA user_version").fetchone()[0] + change
            db.execute("PRAGMA user_version = %d" % number)
            db.commit()
    version(1)
    run("chown", "chisod:chisod", *glob.glob(path + "*"))
    before = read_bytes(path)
    assert run("systemctl", "start", SERVICE, check=False).returncode != 0
    assert (show("ActiveState"), show("ExecMainStatus")) == ("failed", "78")
    assert show("StatusText").startswith("SỰ CỐ: cơ sở dữ liệu của bản chisod mới hơn"), show("StatusText")
    assert read_bytes(path) == before and not glob.glob(STATE + "/chisod.db.damaged-*")
    m.wait(lambda: len(said("stays stopped", "-t", "chisod-failed")) == 3, "the word of chisod-failed@")
    version(-1)
    run("chown", "chisod:chisod", *glob.glob(path + "*"))
    run("systemctl", "start", SERVICE)
    m.active("with its own database")


def flip(path, found, at):
    with open(path, "r+b") as f:
        f.seek(at)
        f.write(bytes([found[0] ^ 1]))


def rot_in_body(m):
    """One bit of a stored answer. Found by the day's check; the daemon ends, and its next start restores."""
    path = STATE + "/chisod.db"
    (packed,) = max(m.sql("SELECT packed FROM body WHERE packed IS NOT NULL"), key=lambda row: len(row[0]))
    run("systemctl", "stop", SERVICE)
    whole = read_bytes(path)
    at = whole.find(packed[-64:]) + 40
    assert at >= 40 and whole.count(packed[-64:]) == 1
    flip(path, whole[at:at + 1], at)
    run("systemctl", "start", SERVICE)
    m.active("it opens")
    restored(m, "2024-09-17T07:30:00+07:00")


def rot_in_table(m):
    """The page that holds the units: what a start reads first."""
    run("systemctl", "stop", SERVICE)
    path = STATE + "/chisod.db"
    whole = read_bytes(path)
    at = whole.find("Thiện Phiến".encode()) & ~4095
    assert at > 0
    with open(path, "r+b") as f:
        f.seek(at)
        f.write(b"\x77")
    run("systemctl", "start", SERVICE, check=False)
    restored(m, None)


def restored(m, clock):
    aside = set(glob.glob(STATE + "/chisod.db.damaged-*"))
    said_before = len(said("put in its place", "-u", SERVICE))
    if clock:
        m.clock(clock)
        m.call("POST", "/v1/sources/portal/fetch?from=2024-08&to=2024-08")
    m.wait(lambda: len(said("put in its place", "-u", SERVICE)) > said_before, "the restore", 60)
    m.active("on the restored database")
    assert set(glob.glob(STATE + "/chisod.db.damaged-*")) > aside and not os.path.exists(STATE + "/chisod.db.rotten")
    m.ask("portal", "2024-08")
    assert m.ranking("progress") and not show("StatusText").startswith("SỰ CỐ"), show("StatusText")
    assert m.sql("SELECT count(*) FROM episode WHERE rule = 'database-restored'")[0][0] >= 1
    m.integrity()


def rot(m):
    """A week later there is another verified copy; a damaged file is set aside and the newest whole copy takes its place."""
    kept = set(glob.glob(STATE + "/backup/chisod-*.db"))
    verified = len(said("made and verified", "-u", SERVICE))
    assert len(kept) == 2 and verified >= 2, (kept, verified)
    m.clock("2024-09-16T07:30:00+07:00")
    run("systemctl", "restart", SERVICE)
    m.wait(lambda: len(glob.glob(STATE + "/backup/chisod-*.db")) == 3, "the weekly backup")
    m.wait(lambda: len(said("made and verified", "-u", SERVICE)) == verified + 1, "it is verified")
    before = m.ranking("progress")
    run("systemctl", "stop", SERVICE)
    with open(STATE + "/chisod.db", "r+b") as f: # the file itself
        f.write(b"SQLyte")
    newest = max(glob.glob(STATE + "/backup/chisod-*.db"))
    with open(newest, "rb") as f:
        whole = f.read()
    shutil.copy(newest, STATE + "/backup/chisod-99990101T000000.db") # a newer copy that is not whole
    with open(STATE + "/backup/chisod-99990101T000000.db", "r+b") as f:
        f.seek(len(whole) // 2)
        f.truncate()
    run("systemctl", "start", SERVICE)
    m.active("on the restored database")
    assert said("was damaged or gone: set aside, and " + newest, "-u", SERVICE)
    aside = glob.glob(STATE + "/chisod.db.damaged-*")
    assert any(read_bytes(path).startswith(b"SQLyte") for path in aside), aside
    assert m.ranking("progress") == before
    m.integrity()
    with contextlib.suppress(FileNotFoundError): # what cannot be read is the first to go
        os.unlink(STATE + "/backup/chisod-99990101T000000.db")


def sandbox(m):
    """The unit with the probe in the place of the program."""
    run("systemctl", "stop", SERVICE)
    shutil.copy("/usr/sbin/chisod", "/lab/chisod")
    shutil.copy("/test/probe", "/usr/sbin/chisod")
    write(TEST_DROPIN + ".d", "")
    write("/run/systemd/system/chisod.service.d/probe.conf", "[Service]\nType=oneshot\nRestart=no\nWatchdogSec=0\nExecReload=\n")
    run("systemctl", "daemon-reload")
    run("systemctl", "start", SERVICE, check=False)
    lines = [e["MESSAGE"].split() for e in entries("-u", SERVICE, "-t", "chisod") if str(e["MESSAGE"]).startswith(("allowed ", "denied "))]
    assert len(lines) >= 41, run("journalctl", "-u", SERVICE, "-n", "30", "--no-pager").stdout
    allowed = {name for verdict, name in lines if verdict == "allowed"}
    assert allowed == ALLOWED, (allowed - ALLOWED, ALLOWED - allowed)
    os.unlink("/run/systemd/system/chisod.service.d/probe.conf")
    os.unlink(TEST_DROPIN + ".d")
    shutil.copy("/lab/chisod", "/usr/sbin/chisod")
    run("systemctl", "daemon-reload")
    run("systemctl", "reset-failed", SERVICE, check=False)
    run("systemctl", "start", SERVICE)
    m.active("the program in its place again")


def upgrade(m):
    pid, before, edited = main_pid(), m.ranking(), read(CONF)
    rows = m.sql("SELECT count(*) FROM vintage")
    run("dpkg", "-i", "/test/second.deb")
    m.wait(lambda: main_pid() not in (0, pid), "the new version runs")
    m.active("after the upgrade")
    assert run("dpkg-query", "-W", "-f", "${Version}", "chisod").stdout == "9.0.0"
    assert m.ranking() == before and m.sql("SELECT count(*) FROM vintage") == rows and read(CONF) == edited
    m.integrity()


def remove(m):
    run("apt", "remove", "-y", "chisod")
    assert run("systemctl", "is-active", SERVICE, check=False).stdout.strip() in ("inactive", "failed", "unknown")
    assert os.path.exists(STATE + "/chisod.db") and os.path.exists(CONF) and not os.path.exists("/usr/sbin/chisod")
    run("apt", "purge", "-y", "chisod")
    shutil.rmtree(os.path.dirname(TEST_DROPIN))
    for name in ("passwd", "group"):
        assert run("getent", name, "chisod", check=False).returncode == 2
    assert run("getent", "group", "chisod-admin", check=False).returncode == 2
    assert run("dpkg-query", "-W", "-f", "${db:Status-Status}", "chisod", check=False).returncode != 0
    folders = ("/etc", "/usr", "/lib/systemd", "/var/lib", "/run")
    left = run("find", *folders, "-xdev", "-iname", "*chiso*").stdout.split()
    # what this machine's systemd keeps of units that ran is not the package's
    left = [path for path in left if not path.startswith(("/run/systemd/", "/var/lib/systemd/catalog", "/usr/src", "/run/credentials"))]
    assert left == [], left
    assert "chisod" not in run("journalctl", "--list-catalog", "--no-pager").stdout


STEPS = [install, refuse_bad_configuration, peers, first_ranking, start, first_letters, sockets, guide, reload, second_instance,
         stop_amid_transfers, hostile_text, hostile_replies, not_started, killed, hung, stalled, crash_loop, configuration_lost, disk_full,
         clock_jumps, newer_database, rot, rot_in_body, rot_in_table, sandbox, upgrade, remove]


def main():
    with Machine() as m:
        try:
            for step in STEPS:
                began = time.monotonic()
                step(m)
                print("%-26s %5.1f s" % (step.__name__.replace("_", " "), time.monotonic() - began), flush=True)
        except BaseException:
            print("failed in:", step.__name__)
            print(run("systemctl", "status", "--no-pager", "-n", "0", SERVICE, check=False).stdout)
            print(run("journalctl", "--no-pager", "-n", "60", "-u", SERVICE, "-u", "chisod-*").stdout, flush=True)
            raise
    print("system: passed, %d steps" % len(STEPS))


main()
