#!/usr/bin/python3
"""publisher.py DIR [--log FILE] [--port N]: a publisher of JSON files, with the faults of real ones.

DIR/routes.json is read anew at each request: a list of {"path", "method", "match", ...}; the first entry whose path is equal,
whose method is equal (if given) and whose "match" is part of the query or the body (if given) answers:
  "file": NAME in DIR, or "body": TEXT   what is served
  "files": [NAME, ...]                   one per request in turn, the last one for all that follow
  "token": TEXT or [TEXT, ...]           401 without this bearer token (of a list in turn, as with files)
  "status": 200, "headers": {}, "type": "application/json", "gzip": false (when the client takes it)
  "mode": ok        with ETag, and 304 on If-None-Match
          html      a block page with status 200
          truncated half of the body under the whole Content-Length, then the end
          500       an error page
          huge      "size" bytes (40 MiB) of JSON, chunked
          bomb      "size" bytes (100 MiB) of zeros in a small gzip
          endless   chunks until the client goes
          slow      the head and one byte, then nothing until the client goes
          hang      nothing at all until the client goes
          reset     a TCP reset instead of an answer
          nothttp   a line that is no HTTP
          headers   headers without end
          status    "status" with the body, no ETag
--log: one JSON line per request. Prints "ready PORT".
"""
import argparse
import gzip
import hashlib
import http.server
import itertools
import json
import os
import select
import socket
import struct
import time
import urllib.parse

import peerlib

BLOCK_PAGE = (b"<html><head><title>Request Rejected</title></head><body>The requested URL was rejected. Please consult "
              b"with your administrator.<br><br>Your support ID is: 1234567890</body></html>")


class Publisher(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.serve(b"")

    def do_POST(self):
        self.serve(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def route(self, body):
        url = urllib.parse.urlsplit(self.path)
        searched = urllib.parse.unquote_plus(url.query) + "\n" + url.query + "\n" + body.decode("utf-8", "replace")
        with open(os.path.join(self.server.folder, "routes.json"), encoding="utf-8") as f:
            routes = json.load(f)
        for route in routes:
            if (route["path"] == url.path and route.get("method", self.command) == self.command
                    and route.get("match", "") in searched):
                return route
        return {"mode": "status", "status": 404, "body": '{"error":"no such route"}'}

    def serve(self, body):
        route = self.route(body)
        peerlib.append_json_line(self.server.log, {
            "at": time.time(), "method": self.command, "path": self.path, "mode": route.get("mode", "ok"),
            "headers": dict(self.headers.items()), "body": body.decode("utf-8", "replace"),
            "connection": self.client_address[1]})
        try:
            getattr(self, "mode_" + self.in_turn(route).get("mode", "ok"))(route)
        except OSError:
            self.close_connection = True

    def in_turn(self, route):
        """Takes this request's file and token out of the lists; without the right token the answer is 401."""
        n = self.server.turns.setdefault(json.dumps(route), itertools.count())
        n = next(n)
        token = route.get("token")
        if "files" in route:
            route["file"] = route["files"][min(n, len(route["files"]) - 1)]
        if isinstance(token, list):
            token = token[min(n, len(token) - 1)]
        if token and self.headers.get("Authorization") != "Bearer " + token:
            route.clear()
            route.update({"mode": "status", "status": 401, "body": '{"error":"token"}'})
        return route

    def data_of(self, route):
        if "file" in route:
            with open(os.path.join(self.server.folder, route["file"]), "rb") as f:
                return f.read()
        return route.get("body", "").encode()

    def head(self, route, length, status=None, **more):
        self.send_response(status or route.get("status", 200))
        headers = {"Content-Type": route.get("type", "application/json"), **route.get("headers", {}), **more}
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if length is None:
            self.send_header("Transfer-Encoding", "chunked")
        elif length >= 0:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def wait_for_client(self):
        select.select([self.connection], [], [], 120)
        self.close_connection = True

    def mode_ok(self, route):
        data = self.data_of(route)
        etag = '"' + hashlib.sha256(data).hexdigest()[:16] + '"'
        if etag in self.headers.get("If-None-Match", ""):
            self.head(route, -1, status=304, ETag=etag)
            return
        more = {}
        if route.get("gzip") and "gzip" in self.headers.get("Accept-Encoding", ""):
            data, more = gzip.compress(data), {"Content_Encoding": "gzip"}
        self.head(route, len(data), ETag=etag, **more)
        self.wfile.write(data)

    def mode_status(self, route):
        data = self.data_of(route)
        self.head(route, len(data))
        self.wfile.write(data)

    def mode_html(self, route):
        self.head(dict(route, type="text/html"), len(BLOCK_PAGE))
        self.wfile.write(BLOCK_PAGE)

    def mode_truncated(self, route):
        data = self.data_of(route)
        self.head(route, len(data))
        self.wfile.write(data[:len(data) // 2])
        self.close_connection = True

    def mode_500(self, route):
        self.head(dict(route, type="text/html", status=500), 5)
        self.wfile.write(b"error")

    def mode_huge(self, route):
        size = route.get("size", 40 << 20)
        self.head(route, None)
        self.chunk(b"[0")
        sent, block = 2, b",0" * 32768
        while sent < size - 1:
            part = block[:size - 1 - sent]
            self.chunk(part)
            sent += len(part)
        self.chunk(b"]")
        self.wfile.write(b"0\r\n\r\n")

    def mode_bomb(self, route):
        data = gzip.compress(b"\0" * route.get("size", 100 << 20), 9)
        self.head(route, len(data), Content_Encoding="gzip")
        self.wfile.write(data)

    def mode_endless(self, route):
        self.head(route, None)
        while True:
            self.chunk(b'{"a":1},' * 512)

    def mode_slow(self, route):
        data = self.data_of(route) or b"{}"
        self.head(route, len(data))
        self.wfile.write(data[:1])
        self.wait_for_client()

    def mode_hang(self, route):
        self.wait_for_client()

    def mode_reset(self, route):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())
        self.close_connection = True
        raise ConnectionResetError

    def mode_nothttp(self, route):
        self.wfile.write(b"220 mail.example.vn ESMTP\r\n")
        self.close_connection = True

    def mode_headers(self, route):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            self.wfile.write(b"X-Filler: " + b"x" * 1000 + b"\r\n")

    def finish(self):
        try:
            super().finish()
        except (OSError, ValueError):
            pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass

    def shutdown_request(self, request):
        if request.fileno() >= 0:
            super().shutdown_request(request)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dir")
    parser.add_argument("--log")
    parser.add_argument("--port", type=int, default=0)
    args = parser.parse_args()
    peerlib.die_with_parent()
    server = Server(("127.0.0.1", args.port), Publisher)
    server.folder, server.log, server.turns = args.dir, args.log, {}
    peerlib.ready(server.server_address[1])
    server.serve_forever()


if __name__ == "__main__":
    main()
