#!/usr/bin/python3
"""hook.py --dir DIR [--secret SECRET]... [--status N] [--clock FILE] [--mode-file FILE] [--port N]: a receiver of webhooks.

Stores each request as DIR/NNN.body and DIR/NNN.json: method, path, headers, answer, and "verified": whether one of the
signatures is right after Standard Webhooks 1.0 with one of the secrets (null without --secret).
The mode file is read at each request: "" or absent (--status), a status ("503"), a status with headers
("429 Retry-After: 7"), or: drop (no answer), reset, hang (no answer, connection stays), long (64 KiB and more of answer),
slowhead, slowbody (begun and never ended, one byte at a time), endless (chunks for ever), bigheader (1 MiB of header), short (less
than announced), badchunk, nothttp, bomb (64 MiB from a small gzip), html (200 with a page), hostile (400 with control, bidi and 8-bit
bytes, the path and the secret).
Prints "ready PORT".
"""
import argparse
import base64
import gzip
import hashlib
import hmac
import http.server
import itertools
import json
import os
import select
import socket
import struct
import time

import peerlib


def key_of(secret):
    return base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()


def offset_of(clock):
    """Seconds that the sender's movable clock (os/clock.h) is ahead of the real one."""
    if not clock:
        return 0
    with open(clock, encoding="ascii") as f:
        return int(f.read().split()[0]) / 1000


def is_signed(headers, body, secrets, now):
    message_id, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not at.isdigit() or abs(int(at) - now) > 300:
        return False
    content = message_id.encode() + b"." + at.encode() + b"." + body
    given = headers.get("webhook-signature", "").split()
    for secret in secrets:
        right = "v1," + base64.b64encode(hmac.new(key_of(secret), content, hashlib.sha256).digest()).decode()
        if any(hmac.compare_digest(right, one) for one in given):
            return True
    return False


class Hook(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.receive(b"")

    def do_POST(self):
        self.receive(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def receive(self, body):
        args = self.server.args
        mode = peerlib.read_text(args.mode_file) if args.mode_file else ""
        mode = mode or str(args.status)
        self.store(body, mode)
        if hasattr(self, "mode_" + mode):
            getattr(self, "mode_" + mode)()
            return
        status, _, header = mode.partition(" ")
        self.send_response(int(status))
        if header:
            name, _, value = header.partition(":")
            self.send_header(name, value.strip())
        body = b"" if int(status) in (204, 304) else b"{}"
        if body:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def store(self, body, mode):
        args = self.server.args
        base = os.path.join(args.dir, f"{next(self.server.numbers):03d}")
        record = {"method": self.command, "path": self.path, "headers": dict(self.headers.items()), "mode": mode,
                  "at": time.time(), "connection": self.client_address[1],
                  "verified": is_signed(self.headers, body, args.secret, time.time() + offset_of(args.clock)) if args.secret else None}
        peerlib.write_whole(base + ".body", body)
        peerlib.write_whole(base + ".json", json.dumps(record, ensure_ascii=False, indent=1).encode())

    def mode_drop(self):
        self.close_connection = True

    def mode_reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def mode_hang(self):
        select.select([self.connection], [], [], 120)
        self.close_connection = True

    def mode_long(self):
        body = b"x" * (256 << 10)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def trickle(self, text):
        """One byte at a time until the other side goes."""
        self.close_connection = True
        while True:
            for byte in text:
                self.wfile.write(bytes([byte]))
                if select.select([self.connection], [], [], 0.2)[0]:
                    return
            text = b" "

    def mode_slowhead(self):
        self.trickle(b"HTTP/1.1 200 OK\r\nX-Slow: ")

    def mode_slowbody(self):
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.trickle(b"x")

    def mode_endless(self):
        self.close_connection = True
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while True:
            self.wfile.write(b"1000\r\n" + b" " * 4096 + b"\r\n")

    def mode_bigheader(self):
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 200 OK\r\n" + (b"X-A: " + b"b" * 1000 + b"\r\n") * 1024 + b"\r\n")

    def mode_short(self):
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}")

    def mode_badchunk(self):
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}")

    def mode_nothttp(self):
        self.close_connection = True
        self.wfile.write(bytes(range(256)) * 8)

    def mode_bomb(self):
        body = gzip.compress(b" " * (64 << 20), mtime=0)
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def mode_hostile(self):
        body = b"\x1b[31m\x1b]0;title\x07\r\n<0>forged: line \xff\xfe\x80 caf\xe9 " + "\u202e\u2066".encode() + b" Cannot POST "
        body += self.path.encode()
        if "webhook-signature" in self.headers:
            body += b" with " + " ".join(self.server.args.secret or []).encode()
        self.send_response(400)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def mode_html(self):
        body = b"<html>maintenance</html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def finish(self):
        try:
            super().finish()
        except OSError:
            pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", required=True)
    parser.add_argument("--secret", action="append", default=[])
    parser.add_argument("--status", type=int, default=200)
    parser.add_argument("--clock")
    parser.add_argument("--mode-file")
    parser.add_argument("--port", type=int, default=0)
    args = parser.parse_args()
    peerlib.die_with_parent()
    server = Server(("127.0.0.1", args.port), Hook)
    server.args, server.numbers = args, itertools.count(1)
    peerlib.ready(server.server_address[1])
    server.serve_forever()


if __name__ == "__main__":
    main()
