#!/usr/bin/python3
"""crowd.py BUILD: a thousand connections at once to the status socket, and a thousand each to it and to the TCP listener: silent ones, half requests, requests
that come a byte at a time, answers that nobody takes, bodies without end. While they stand, every question of somebody else is answered,
at the admin socket too, long before any of them is given up, what is due is fetched, judged and sent; the daemon
stays below its number of descriptors and its memory, and when they go away nothing of them is left."""
import os
import resource
import select
import socket
import sys
import time

from lab import Lab
from sample import configure, month, routes

CROWD = 1000
FDS = 64  # of the whole daemon, both listeners that strangers reach being full
RSS_KIB = 256 << 10
PATIENCE_S = 20.0  # of one answer: below the 30 s after which a listener by itself ends whoever says nothing
MEDIAN_S = 1.0  # under sanitizers, on a machine that other work shares; what a crowd holds up waits for those 30 s

HALF = b"GET /v1/status HTTP/1.1\r\nHost: x\r\n"
WHOLE = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
KINDS = {
    "silent": lambda i: b"",
    "half": lambda i: HALF,
    "untaken": lambda i: WHOLE * 20,
    "body": lambda i: b"POST /v1/silences HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n" + b"x" * 1000,
    "huge": lambda i: b"GET /" + b"a" * 60000,
    "mixed": lambda i: (b"", HALF, WHOLE * 20, b"\x16\x03\x01", b"GET /v1/ranking?" + b"x" * 30000)[i % 5],
}


def descriptors(lab):
    return len(os.listdir("/proc/%d/fd" % lab.daemon.pid))


def rss_kib(lab):
    with open("/proc/%d/status" % lab.daemon.pid, encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def connect(address):
    s = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
    s.settimeout(10)
    s.connect(address)
    s.setblocking(False)
    return s


def say(s, data):
    """As much as is taken; False when the other end has gone."""
    try:
        return data[s.send(data):] if data else data
    except BlockingIOError:
        return data
    except OSError:
        return None


def ask(address, path="/v1/status"):
    """One question by somebody who asks at once: seconds until its answer."""
    began = time.monotonic()
    s = connect(address)
    s.settimeout(PATIENCE_S)
    with s:
        s.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path.encode())
        seen = b""
        while part := s.recv(1 << 16):
            seen += part
    assert seen.startswith(b"HTTP/1.1 200 "), seen[:200]
    return time.monotonic() - began


def gather(address, kind):
    """A thousand of them; the listener lets in as many as it has room for, the others wait in its backlog or come again."""
    crowd, later = [], time.monotonic() + 60
    while len(crowd) < CROWD and time.monotonic() < later:
        s = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        s.setblocking(False)
        try:
            s.connect(address)
        except BlockingIOError:
            if isinstance(address, str):  # EAGAIN: the backlog is full
                s.close()
                select.poll().poll(5)
                continue
        say_when_open(s, KINDS[kind](len(crowd)))
        crowd.append(s)
    assert len(crowd) == CROWD, (kind, len(crowd))
    return crowd


def say_when_open(s, data):
    poll = select.poll()  # select() ends at 1,024
    poll.register(s, select.POLLOUT)
    poll.poll(1000)
    say(s, data)


def trickle(crowd):
    """A byte more from each, as a slow client does; who was shown out comes no further."""
    return sum(1 for s in crowd if say(s, b"X") is not None)


def check_crowd(lab, addresses, kind):
    admin, address = lab.path("run", "admin.sock"), addresses[0]
    crowd = [s for a in addresses for s in gather(a, kind)]
    waits, admin_waits, most = [], [], 0
    for _ in range(15):
        if kind in ("half", "mixed"):
            trickle(crowd)
        waits.append(ask(address))
        admin_waits.append(ask(admin))
        most = max(most, descriptors(lab))
    assert most <= FDS, (kind, most)
    assert rss_kib(lab) < RSS_KIB or "sanitize" in lab.build, (kind, rss_kib(lab))
    for name, seen in (("its socket", waits), ("the admin socket", admin_waits)):
        assert sorted(seen)[len(seen) // 2] < MEDIAN_S, (kind, name, seen)
    if kind == "mixed":  # the daemon's own work goes on beside them
        lab.clock("2024-09-05T07:50:00+07:00")
        lab.ask("portal", "2024-08")
        lab.clock("2024-09-05T08:05:00+07:00")
        lab.ask("portal", "2024-08")  # a clock that is moved behind the daemon's back wakes nobody
        lab.wait(lambda: lab.settled() and lab.sql("SELECT count(*) FROM message WHERE state = 3")[0][0] >= 2, "messages are sent", 60)
    for s in crowd:
        s.close()
    return most, max(waits + admin_waits)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    with Lab(sys.argv[1]) as lab:
        port = free_port()
        lab.clock("2024-08-05T08:05:00+07:00")
        lab.start_publisher()
        lab.start_smtp()
        lab.start_hook()
        lab.publish(routes({name: month(name) for name in ("2024-07", "2024-08")}))
        configure(lab, extra="[daemon]\nnotify = live\nhttp_listen = 127.0.0.1:%d\n" % port)
        lab.start()
        lab.clock("2024-08-06T07:30:00+07:00")
        lab.ask("portal", "2024-07")
        before = descriptors(lab)
        status, tcp = lab.path("run", "status.sock"), ("127.0.0.1", port)
        for addresses, kind in [([status], k) for k in KINDS if k != "mixed"] + [([tcp, status], "mixed")]:
            most, longest = check_crowd(lab, addresses, kind)
            print("crowd: %d %s: %d descriptors at the most, the longest answer %.0f ms" % (CROWD * len(addresses), kind, most, longest * 1000))
        lab.wait(lambda: ask(lab.path("run", "status.sock")) is not None and descriptors(lab) <= before + 4, "the connections are gone")
        assert lab.stop() == 0
        lab.integrity()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    print("crowd: passed")


main()
