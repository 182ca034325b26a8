#!/usr/bin/python3
"""inside.py: the life of an installation, from dpkg -i to purge, in a machine that was booted for it (see run). Asserts from systemctl show, the
journal, the sockets and the receivers; each step prints its name."""
import contextlib
import glob
import json
import os
import shutil
import signal
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
ALLOWED = {"write-var-tmp", "write-state", "read-urandom", "socket-inet", "socket-inet6", "socket-unix"}


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
    run("dpkg", "-i", "/test/first.deb")
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


def start(m):
    m.clock("2024-08-05T08:05:00+07:00")
    m.start_publisher()
    m.start_smtp("--auth", "chisod", "relay-password")
    os.chmod("/lab/certs", 0o755)
    os.chmod("/lab/certs/ca.pem", 0o644)
    m.start_hook(SECRET)
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
    assert main_pid() == pid and show("NRestarts") == "0"


def second_instance(m):
    r = run("runuser", "-u", "chisod", "--", "chisod", "--once", check=False)
    assert r.returncode == 75 and "another chisod" in r.stdout, r


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


def rot(m):
    """A week later there is another verified copy; a damaged file is set aside and the newest whole copy takes its place."""
    kept = set(glob.glob(STATE + "/backup/chisod-*.db"))
    assert len(kept) == 2 and len(said("made and verified", "-u", SERVICE)) == 2, kept
    m.clock("2024-09-16T07:30:00+07:00")
    run("systemctl", "restart", SERVICE)
    m.wait(lambda: len(glob.glob(STATE + "/backup/chisod-*.db")) == 3, "the weekly backup")
    m.wait(lambda: len(said("made and verified", "-u", SERVICE)) == 3, "it is verified")
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
    assert said("was damaged: set aside, and " + newest, "-u", SERVICE)
    aside = glob.glob(STATE + "/chisod.db.damaged-*")
    assert any(read_bytes(path).startswith(b"SQLyte") for path in aside), aside
    assert m.ranking("progress") == before
    m.integrity()
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
    assert len(lines) >= 36, run("journalctl", "-u", SERVICE, "-n", "30", "--no-pager").stdout
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
    run("dpkg", "-r", "chisod")
    assert run("systemctl", "is-active", SERVICE, check=False).stdout.strip() in ("inactive", "failed", "unknown")
    assert os.path.exists(STATE + "/chisod.db") and os.path.exists(CONF) and not os.path.exists("/usr/sbin/chisod")
    run("dpkg", "-P", "chisod")
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


STEPS = [install, refuse_bad_configuration, start, first_letters, sockets, reload, second_instance, killed, hung, crash_loop,
         configuration_lost, disk_full, rot, sandbox, upgrade, remove]


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
