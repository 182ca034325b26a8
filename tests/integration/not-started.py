#!/usr/bin/python3
"""not-started.py BUILD: a start that fails names the thing that is in the way, in the log and in the line of `systemctl status`."""
import os
import socket
import subprocess
import sys

from lab import Lab

CONFIG = """
[daemon]
organization = Thử
language = %s
shipped_rules = no
state_dir = @DIR@/state
socket_dir = @DIR@/run
%s
"""
NOBODY = 65534


def begin(lab, user=None):
    """(exit status, log, the last STATUS=) of a start that must fail."""
    path = lab.path("notify")
    argv = [lab.path_of("chisod"), "--config", lab.path("etc", "chisod.conf")]
    if user is not None and os.geteuid() == 0: # who is somebody else needs nothing of this
        argv = ["setpriv", "--reuid=%d" % user, "--regid=%d" % user, "--clear-groups"] + argv
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(path)
        os.chmod(path, 0o777)
        r = subprocess.run(argv, env=dict(lab.env(), NOTIFY_SOCKET=path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                           timeout=60, check=False)
        os.unlink(path)
        notify.setblocking(False)
        status = []
        try:
            while True:
                status += [line[7:] for line in notify.recv(8192).decode().splitlines() if line.startswith("STATUS=")]
        except BlockingIOError:
            pass
    return r.returncode, r.stdout, status[-1] if status else ""


def expect(lab, what, code, *words, language="vi", user=None):
    got, log, status = begin(lab, user)
    assert got == code, (what, got, log)
    assert status.startswith("SỰ CỐ: " if language == "vi" else "TROUBLE: "), (what, status)
    for word in words:
        assert word in log and word in status, (what, word, log, status)


def address(lab):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        busy = "127.0.0.1:%d" % other.getsockname()[1]
        for language in ("vi", "en"):
            lab.configure(CONFIG % (language, "http_listen = " + busy))
            expect(lab, "an address that somebody has", 1, "http_listen", busy, language=language)
    lab.configure(CONFIG % ("vi", "http_listen = 203.0.113.1:8766"))
    expect(lab, "an address of another machine", 1, "http_listen", "203.0.113.1:8766")


def files(lab):
    lab.configure(CONFIG % ("vi", ""))
    lab.start()
    assert lab.stop() == 0
    database, state, run = lab.path("state", "chisod.db"), lab.path("state"), lab.path("run")
    subprocess.run(["chmod", "-R", "a+rX", lab.dir], check=True)
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", "%d:%d" % (NOBODY, NOBODY), lab.dir], check=True)
    for path, mode, named in ((database, 0o440, database), (database, 0, database), (database + ".lock", 0o440, database + ".lock"),
                              (state, 0o500, state + "/"), (state, 0, database), (run, 0o500, run + "/status.sock")):
        before = os.stat(path).st_mode & 0o7777
        os.chmod(path, mode)
        expect(lab, "%s with mode %o" % (path, mode), 1, named, user=NOBODY)
        os.chmod(path, before)
    lab.start() # nothing of all that was changed, nothing counted as a crash
    assert "unclean" not in open(lab.path("chisod.log"), encoding="utf8").read()
    got, log, status = begin(lab)
    assert got == 75 and database in log and "another chisod" in status, (got, log, status)
    assert lab.stop() == 0


def main():
    with Lab(sys.argv[1]) as lab:
        lab.clock("2024-08-05T08:05:00+07:00")
        address(lab)
        files(lab)
    print("not-started: passed")


main()
