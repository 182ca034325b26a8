"""A laboratory for whole-daemon tests: publisher, SMTP server, hook receiver, a movable clock, and chisod itself, all on loopback.

    with Lab(build) as lab:
        lab.publish([...routes...]); lab.configure("..."); lab.clock("2024-08-05T08:05:00+07:00")
        lab.start(); lab.fetch("portal", "2024-07"); ...

Nothing sleeps for a fixed time: waits have a deadline and poll something that changes."""
import contextlib
import datetime
import email
import email.policy
import http.client
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
PEERS = os.path.join(TOP, "tests", "peers")
PYTHON = "/usr/bin/python3"


def npm_install(build, library):
    """A public library into a folder of its own below the build; the path of its package."""
    name = library.rsplit("@", 1)[0]
    folder = os.path.join(os.path.abspath(build), "tests", "npm", name.strip("@").replace("/", "-"))
    os.makedirs(folder, exist_ok=True)
    env = dict(os.environ, npm_config_update_notifier="false", npm_config_cache=os.path.join(folder, "cache"))
    subprocess.run(["npm", "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder, library], check=True,
                   env=env, stdin=subprocess.DEVNULL, timeout=300)
    return os.path.join(folder, "node_modules", name)


PORTAL = """
[daemon]
organization = Thử
notify = live
shipped_rules = no
state_dir = @DIR@/state
socket_dir = @DIR@/run
%s[source portal]
url = http://127.0.0.1:@PUB@
pace = 0s
spread = 0s
periods = month
%s
[part portal.rows]
url = {{url}}/%s
rows = /rows
unit.code = /code
unit.name = /name
unit.kind = commune
value.%s = /%s
"""


def portal(source, page="{{year}}-{{month}}", daemon="", indicator="total"):
    """The configuration that most tests begin with: a source "portal" of communes with one indicator, told live by what
    the test adds. `source` and `daemon`: further keys of these sections; `page`: its address below the publisher's."""
    return PORTAL % (daemon, source.strip(), page, indicator, indicator)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("x", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Lab:
    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.dir = tempfile.mkdtemp(prefix="chisod-lab-")
        self.peers = []
        self.daemon = None
        self.kill_at = None
        self.faults = None # a Faults of tests/faults/iofault.py, for the daemon alone
        for name in ("pub", "mail", "hook", "etc", "state", "run"):
            os.mkdir(self.path(name))
        self.logs = open(self.path("chisod.log"), "ab")

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.stop(signal.SIGKILL)
        for p in self.peers:
            p.kill()
            p.wait()
        self.logs.close()
        if kind is None:
            shutil.rmtree(self.dir, ignore_errors=True)
        else:
            print("kept for a look:", self.dir, file=sys.stderr)
            with open(self.path("chisod.log"), encoding="utf8", errors="replace") as f:
                print("".join(f.readlines()[-40:]), file=sys.stderr)

    # ---- peers ---------------------------------------------------------------------------------------------------------

    def peer(self, *argv):
        p = subprocess.Popen([PYTHON, *argv], stdout=subprocess.PIPE, text=True, env=dict(os.environ, PEER_DIES_WITH_PARENT="1"))
        self.peers.append(p)
        line = p.stdout.readline().split()
        assert line and line[0] == "ready", (argv, line)
        return int(line[1])

    def start_publisher(self):
        self.publish([])
        self.pub_port = self.peer(os.path.join(PEERS, "publisher.py"), self.path("pub"), "--log", self.path("requests.jsonl"))
        return self.pub_port

    def publish(self, routes):
        """routes: dicts {path, method?, match?, file | json, status?, mode?, headers?, type?}; `json` is written to a file. Each file is whole
        at every moment: a request that is under way reads the old one or the new one."""
        def write(name, document, **how):
            with open(self.path("pub", name + ".tmp"), "w", encoding="utf8") as f:
                json.dump(document, f, ensure_ascii=False, **how)
            os.replace(self.path("pub", name + ".tmp"), self.path("pub", name))
        table = []
        for i, route in enumerate(routes):
            route = dict(route)
            if "json" in route:
                name = "body-%d.json" % i
                write(name, route.pop("json"), separators=(",", ":"))
                route["file"] = name
            table.append(route)
        write("routes.json", table)

    def requests(self):
        with contextlib.suppress(FileNotFoundError):
            with open(self.path("requests.jsonl"), encoding="utf8") as f:
                return [json.loads(line) for line in f if line.endswith("\n")] # not what is being written
        return []

    def start_smtp(self, *options):
        subprocess.run(["bash", os.path.join(PEERS, "certs.sh"), self.path("certs")], check=True, stdout=subprocess.DEVNULL)
        tls = ["--starttls", self.path("certs", "good.pem"), self.path("certs", "good.key")]
        self.smtp_port = self.peer(os.path.join(PEERS, "smtpd.py"), *tls, "--maildir", self.path("mail"), *options)
        return self.smtp_port

    def start_hook(self, secret=None, *options):
        more = ["--secret", secret] if secret else []
        self.hook_port = self.peer(os.path.join(PEERS, "hook.py"), "--dir", self.path("hook"), "--clock", self.path("clock"), *more, *options)
        return self.hook_port

    def mails(self):
        found = []
        for name in sorted(os.listdir(self.path("mail"))):
            if name.endswith(".eml"):
                with open(self.path("mail", name), "rb") as f:
                    found.append(email.message_from_binary_file(f, policy=email.policy.default))
        return found

    def hooks(self):
        found = []
        for name in sorted(os.listdir(self.path("hook"))):
            if name.endswith(".json"):
                with open(self.path("hook", name), encoding="utf8") as f:
                    found.append(json.load(f))
        return found

    def said(self, path):
        """The bodies that were posted to this path, oldest first."""
        found = []
        for name in sorted(os.listdir(self.path("hook"))):
            if name.endswith(".json"):
                with open(self.path("hook", name), encoding="utf8") as head, open(self.path("hook", name[:-5] + ".body"), encoding="utf8") as body:
                    if json.load(head)["path"] == path:
                        found.append(json.load(body))
        return found

    # ---- the daemon ------------------------------------------------------------------------------------------------------

    def configure(self, text):
        with open(self.path("etc", "chisod.conf"), "w", encoding="utf8") as f:
            f.write(text.replace("@DIR@", self.dir).replace("@PUB@", str(getattr(self, "pub_port", 0)))
                    .replace("@SMTP@", str(getattr(self, "smtp_port", 0))).replace("@HOOK@", str(getattr(self, "hook_port", 0))))

    def clock(self, text):
        """Moves the daemon's clock so that it is `text` (RFC 3339) now."""
        self.set_clocks(int(datetime.datetime.fromisoformat(text).timestamp() * 1000 - time.time() * 1000), *self.clocks()[1:])

    def set_clocks(self, *offsets):
        """Milliseconds to add to the wall clock, the time since boot and the time awake (include/os/clock.h)."""
        text = " ".join("%020d" % ms if ms >= 0 else "-%019d" % -ms for ms in offsets) + "\n"
        # always the same length, and in place: a reader sees the old number or the new one, and a watch stays
        mode = "r+" if os.path.exists(self.path("clock")) else "w"
        with open(self.path("clock"), mode, encoding="ascii") as f:
            f.write(text)

    def clocks(self):
        if not os.path.exists(self.path("clock")):
            return [0, 0, 0]
        with open(self.path("clock"), encoding="ascii") as f:
            return [int(number) for number in f.read().split()]

    def env(self, kill=None):
        e = dict(os.environ, CHISO_SHARE_DIR=os.path.join(TOP, "conf"), CHISO_TEST_CLOCK=self.path("clock"),
                 CHISO_TEST_FREE=self.path("free"))
        e.pop("NOTIFY_SOCKET", None)
        if kill:
            e["CHISO_TEST_KILL"] = kill
        return e

    def start(self, kill=None, wait=True):
        env = self.env(kill)
        self.daemon = subprocess.Popen([self.path_of("chisod"), "--config", self.path("etc", "chisod.conf")],
                                       env=self.faults.env(env) if self.faults else env,
                                       stdout=self.logs, stderr=self.logs)
        if wait:
            self.wait(lambda: self.call("GET", "/v1/status"),
                      "the daemon answers")

    def reload(self):
        """Returns when it is done, or refused."""
        def n():
            with open(self.path("chisod.log"), encoding="utf8") as f:
                text = f.read()
            return text.count("configuration reloaded") + text.count("configuration not reloaded")
        before = n()
        self.daemon.send_signal(signal.SIGHUP)
        self.wait(lambda: n() > before, "reloaded")

    def path_of(self, program):
        return os.path.join(self.build, program)

    def stop(self, sig=signal.SIGTERM):
        if not self.daemon:
            return None
        if self.daemon.poll() is None:
            self.daemon.send_signal(sig)
        code = self.daemon.wait(timeout=20)
        self.daemon = None
        return code

    def once(self, kill=None):
        return subprocess.run([self.path_of("chisod"), "--config", self.path("etc", "chisod.conf"), "--once"], env=self.env(kill),
                              stdout=subprocess.PIPE, stderr=self.logs, text=True, timeout=120, check=False)

    def check_config(self):
        return subprocess.run([self.path_of("chisod"), "--config", self.path("etc", "chisod.conf"), "--check-config"], env=self.env(),
                              stdout=subprocess.PIPE, text=True, timeout=60, check=False).stdout

    def disk(self, free):
        """What the daemon believes to be left of the disk, in bytes."""
        with open(self.path("free.tmp"), "w", encoding="ascii") as f:
            f.write("%d" % free)
        os.replace(self.path("free.tmp"), self.path("free"))

    def ctl(self, *args, check=True):
        r = subprocess.run([self.path_of("chisoctl"), "--socket", self.path("run"), *args], env=self.env(), text=True, input="",
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False)
        assert not check or r.returncode == 0, (args, r.returncode, r.stdout, r.stderr)
        return r

    def json(self, *args):
        return json.loads(self.ctl(*args, "--json").stdout)

    def api_text(self, path, role="admin"):
        argv = ["curl", "-sS", "--max-time", "30", "--unix-socket", self.path("run", role + ".sock"), "http://x" + path]
        return subprocess.run(argv, check=True, stdout=subprocess.PIPE).stdout.decode("utf8")

    def api(self, path, role="status", method="GET", body=None):
        argv = ["curl", "-sS", "--max-time", "30", "-X", method, "--unix-socket", self.path("run", role + ".sock"), "http://x" + path]
        if body is not None:
            argv += ["-d", json.dumps(body), "-H", "Content-Type: application/json"]
        return json.loads(subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout)

    def fetch(self, source, period, check=True):
        return self.ctl("fetch", source, "--from", period, "--to", period, "--wait", check=check)

    def call(self, method, path):
        """A request to the admin socket, without a process of its own; None while nobody answers."""
        connection = UnixConnection(self.path("run", "admin.sock"))
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return json.loads(answer.read()) if answer.status < 300 else None
        except OSError:
            return None
        except http.client.HTTPException:
            return None
        finally:
            connection.close()

    def ask(self, source, period=None):
        """fetch(), but looking more often than a person needs."""
        started = self.call("POST", "/v1/sources/%s/fetch%s" % (source, "?from=%s&to=%s" % (period, period) if period else ""))
        assert started, "the daemon took no request to fetch"
        self.wait(lambda: self.call("GET", "/v1/sources?request=%d" % started["request"])["request"]["done"], "fetched %s %s" % (source, period))

    def sql(self, query, *args):
        with contextlib.closing(sqlite3.connect("file:%s?mode=ro" % self.path("state", "chisod.db"), uri=True)) as db:
            return db.execute(query, args).fetchall()

    def wait(self, what, text, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.daemon and self.daemon.poll() is not None:
                raise AssertionError("the daemon ended with %s while waiting for: %s" % (self.daemon.returncode, text))
            value = what()
            if value:
                return value
            time.sleep(0.02)
        raise AssertionError("not within %d s: %s" % (seconds, text))

    def settled(self):
        """Nothing ready or started is left."""
        return self.sql("SELECT count(*) FROM message WHERE state IN (1, 2)")[0][0] == 0

    def integrity(self):
        assert self.sql("PRAGMA integrity_check") == [("ok",)]
        assert self.sql("PRAGMA foreign_key_check") == []
