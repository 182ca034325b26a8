#!/usr/bin/python3
"""smtpd.py (--starttls CERT KEY | --tls CERT KEY | --plain) [--auth USER PASS] [--maildir DIR] [--mode LIST]: a mail relay.

Each mail taken is stored as DIR/NNN.eml and NNN.json (sender, recipients, options, tls, auth, connection, mode).
--offer: comma-separated PIPELINING, CHUNKING; --no-8bit: 8BITMIME is not offered; --size N: what it takes at most;
--hide-size: and does not say so.
--mode: comma-separated, one per connection in order, the last one for all that follow; --mode-file FILE is read at each
connection instead, and its order begins anew when its text changes. MODE@N: from the Nth mail of the connection on, ok
before. --log FILE: one JSON line per command, `waiting` being how many bytes of others had come along with it.
  ok
  tempban       421 instead of a greeting          ban          554 instead of a greeting
  hanggreeting  no greeting                        garbagegreeting
  slowgreeting  waits until the file --release exists
  longgreeting  a greeting with an endless line    ehlo500      no EHLO
  nostarttls    STARTTLS is not offered            authfail     every password is wrong
  mail451 mail452 mail421 mail552                  hang         no answer to MAIL
  garbage       no SMTP in answer to MAIL          longline     an endless line in answer to MAIL
  rcpt450 rcpt550 rcpt421                          rcptmulti    550 in three lines
  hostile       550, several lines of control, bidi and 8-bit bytes, with the password of --auth in plain and as it came
  hostileauth   the same in answer to a log-in
  rcpt550go     550, and yet "go on" to DATA
  data451 data554                                  dropdata     the end in the middle of the message
  early421      421 and the end in the middle of the message
  dot451 dot554 dot354                             dropdot      stored, but the end instead of an answer
  hangdot       stored, no answer                  garbagedot   stored, no SMTP in answer
  slowdot       the answer waits until the file --release exists
  closeafter    the end after each accepted mail   resetafter   the same by a TCP reset
Prints "ready PORT".
"""
import argparse
import asyncio
import base64
import itertools
import json
import os
import socket
import ssl
import struct

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

import peerlib

NEVER = 3600


class Modes:
    """Which mode the next connection gets."""

    def __init__(self, args):
        self.args, self.text, self.at = args, None, 0

    def next(self):
        text = self.args.mode
        if self.args.mode_file:
            text = peerlib.read_text(self.args.mode_file, "ok")
        if text != self.text:
            self.text, self.at = text, 0
        modes = text.split(",")
        mode = modes[min(self.at, len(modes) - 1)]
        self.at += 1
        return mode


class Mailbox:
    """aiosmtpd's handler: a Relay cannot be its own, both have a handle_exception."""

    def __init__(self, relay):
        self.relay = relay

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        args = self.relay.args
        responses = [line for line in responses if not (args.no_8bit and "8BITMIME" in line or args.hide_size and "SIZE" in line)]
        return responses[:-1] + ["250-" + word for word in args.offer.split(",") if word] + responses[-1:]

    async def handle_DATA(self, server, session, envelope):
        return await self.relay.take(session, envelope)


class Relay(SMTP):
    def __init__(self, args, mode, number, mails, **more):
        self.args, self.number, self.mails = args, number, mails
        self.is_greeted, self.n_mails = False, 0
        self.later_mode, _, at = mode.partition("@")
        self.from_mail = int(at or 0)
        tls = None if mode == "nostarttls" else args.starttls_context
        super().__init__(Mailbox(self), tls_context=tls, hostname="relay.example.vn", ident="test relay",
                         authenticator=self.check if args.auth else None, auth_required=bool(args.auth),
                         auth_require_tls=False, data_size_limit=args.size, timeout=600, loop=asyncio.get_running_loop(),
                         **more)

    @property
    def mode(self):
        return self.later_mode if self.n_mails >= self.from_mail else "ok"

    # the wire

    async def push(self, status):
        if not self.is_greeted:
            self.is_greeted = True
            return await self.greet(status)
        return await super().push(status)

    async def greet(self, status):
        if self.mode == "hanggreeting":
            await asyncio.sleep(NEVER)
        while self.mode == "slowgreeting" and not os.path.exists(self.args.release):
            await asyncio.sleep(0.02)
        if self.mode == "longgreeting":
            self.raw(b"220-" + b"x" * 200000)
            await asyncio.sleep(NEVER)
        status = {"tempban": "421 4.7.0 try again later", "ban": "554 5.7.1 you are not welcome",
                  "garbagegreeting": "HTTP/1.1 400 Bad Request"}.get(self.mode, status)
        await super().push(status)
        if self.mode in ("tempban", "ban"):
            self.transport.close()
            raise ConnectionResetError

    def raw(self, data):
        self._writer.write(data)

    def hang_up(self):
        self.transport.close()
        raise ConnectionResetError

    def reset(self):
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def say(self, command, arg):
        peerlib.append_json_line(self.args.log, {"connection": self.number, "mode": self.mode, "command": command,
                                                 "arg": arg, "waiting": len(self._reader._buffer)})

    # commands

    async def smtp_EHLO(self, arg):
        if self.mode == "ehlo500":
            await self.push("500 5.5.1 no")
        else:
            await super().smtp_EHLO(arg)

    async def smtp_MAIL(self, arg):
        self.n_mails += 1
        self.say("MAIL", arg)
        if self.mode == "hang":
            await asyncio.sleep(NEVER)
        if self.mode == "garbage":
            self.raw(b"\x00\xff what was that\r\n")
        elif self.mode == "longline":
            self.raw(b"250-" + b"x" * 20000)
            await asyncio.sleep(NEVER)
        elif self.mode == "mail451":
            await self.push("451 4.3.0 not now")
        elif self.mode == "mail452":
            await self.push("452 4.3.1 disk is full")
        elif self.mode == "mail552":
            await self.push("552 5.3.4 message is too big for us")
        elif self.mode == "mail421":
            await self.push("421 4.3.2 closing")
            self.hang_up()
        else:
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg):
        self.say("RCPT", arg)
        if self.mode == "rcpt450":
            await self.push("450 4.2.1 mailbox is busy")
        elif self.mode in ("rcpt550", "rcpt550go"):
            await self.push("550 5.1.1 no such user")
        elif self.mode == "hostile":
            self.raw(self.abuse(550))
        elif self.mode == "rcpt421":
            await self.push("421 4.7.0 enough of you")
            self.hang_up()
        elif self.mode == "rcptmulti":
            self.raw(b"550-5.1.1 the user\r\n550-5.1.1 you wish\r\n")
            await self.push("550 5.1.1 is not here")
        else:
            await super().smtp_RCPT(arg)

    async def smtp_RSET(self, arg):
        self.say("RSET", arg)
        await super().smtp_RSET(arg)

    async def smtp_QUIT(self, arg):
        self.say("QUIT", arg)
        await super().smtp_QUIT(arg)

    async def smtp_DATA(self, arg):
        self.say("DATA", arg)
        if self.mode == "data451":
            await self.push("451 4.3.0 not now")
        elif self.mode == "data554":
            await self.push("554 5.5.1 no valid recipients")
        elif self.mode in ("dropdata", "early421"):
            await self.push("354 go on")
            await self._reader.readline()
            if self.mode == "early421":
                await self.push("421 4.4.2 too slow")
            self.hang_up()
        elif self.mode == "rcpt550go":
            await self.push("354 go on")
            content = await self._reader.readuntil(b".\r\n")
            self.say("EMPTY" if content == b".\r\n" else "MESSAGE", len(content))
            await self.push("554 5.5.1 no valid recipients")
        else:
            await super().smtp_DATA(arg)

    async def smtp_BDAT(self, arg):
        """A whole message in one chunk: RFC 3030, as far as it is spoken here."""
        size, last = arg.split()
        self.say("BDAT", arg)
        if self.mode in ("dropdata", "early421"):
            await self._reader.readexactly(min(int(size), 100))
            if self.mode == "early421":
                await self.push("421 4.4.2 too slow")
            self.hang_up()
        content = await self._reader.readexactly(int(size))
        if last != "LAST" or not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 no valid recipients")
        elif self.mode == "data451":
            await self.push("451 4.3.0 not now")
        elif self.mode == "data554":
            await self.push("554 5.5.1 no valid recipients")
        else:
            self.envelope.content = self.envelope.original_content = content
            status = await self.take(self.session, self.envelope)
            self._set_post_data_state()
            await self.push(status)

    def abuse(self, code):
        user, password = self.args.auth or ("", "")
        coded = base64.b64encode(("\0%s\0%s" % (user, password)).encode()).decode(), base64.b64encode(password.encode()).decode()
        lines = [b"\x1b[31m\x1b]0;title\x07 <0>forged: line", "\u202e\u2066 abc".encode(), b"caf\xe9 \xff\xfe\x80\x9b31m \x7f",
                 ("%s said %s, that is %s or %s" % (user, password, *coded)).encode()]
        return b"".join(b"%d%s%s\r\n" % (code, b" " if line is lines[-1] else b"-", line) for line in lines)

    async def smtp_AUTH(self, arg):
        if self.mode != "hostileauth":
            return await super().smtp_AUTH(arg)
        return self.raw(self.abuse(535))

    def check(self, server, session, envelope, mechanism, data):
        is_right = isinstance(data, LoginPassword) and [data.login.decode(), data.password.decode()] == self.args.auth
        self.say("AUTH", mechanism)
        return AuthResult(success=is_right and self.mode != "authfail", handled=False,
                          auth_data=data.login.decode() if isinstance(data, LoginPassword) else None)

    # the mail

    def store(self, session, envelope):
        if not self.args.maildir:
            return
        base = os.path.join(self.args.maildir, f"{next(self.mails):03d}")
        record = {"sender": envelope.mail_from, "recipients": envelope.rcpt_tos, "options": envelope.mail_options,
                  "tls": self._tls_protocol is not None or session.ssl is not None or bool(self.args.tls),
                  "auth": session.auth_data if session.authenticated else None,
                  "connection": self.number, "mode": self.mode}
        peerlib.write_whole(base + ".eml", envelope.content)
        peerlib.write_whole(base + ".json", json.dumps(record, ensure_ascii=False, default=str, indent=1).encode())

    async def take(self, session, envelope):
        if self.mode == "dot451":
            return "451 4.3.0 disk is full"
        if self.mode == "dot554":
            return "554 5.6.0 this is spam"
        self.store(session, envelope)
        if self.mode == "dot354":
            return "354 more"
        if self.mode == "dropdot":
            self.hang_up()
        if self.mode == "hangdot":
            await asyncio.sleep(NEVER)
        if self.mode == "garbagedot":
            self.raw(b"OK, whatever\r\n")
            await asyncio.sleep(NEVER)
        while self.mode == "slowdot" and not os.path.exists(self.args.release):
            await asyncio.sleep(0.02)
        if self.mode == "closeafter":
            await self.push("250 2.0.0 taken, good bye")
            self.hang_up()
        if self.mode == "resetafter":
            await self.push("250 2.0.0 taken, good bye")
            self.reset()
            raise ConnectionResetError
        return "250 2.0.0 taken"


def context(pair):
    if not pair:
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*pair)
    return made


async def serve(args):
    modes, numbers, mails = Modes(args), itertools.count(1), itertools.count(1)
    args.starttls_context = context(args.starttls)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, _context: None)
    server = await loop.create_server(lambda: Relay(args, modes.next(), next(numbers), mails), "127.0.0.1", args.port,
                                      ssl=context(args.tls))
    peerlib.ready(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def main():
    parser = argparse.ArgumentParser()
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--starttls", nargs=2, metavar=("CERT", "KEY"))
    how.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    how.add_argument("--plain", action="store_true")
    parser.add_argument("--auth", nargs=2, metavar=("USER", "PASS"))
    parser.add_argument("--offer", default="")
    parser.add_argument("--no-8bit", action="store_true")
    parser.add_argument("--size", type=int, default=64 << 20)
    parser.add_argument("--hide-size", action="store_true")
    parser.add_argument("--maildir")
    parser.add_argument("--mode", default="ok")
    parser.add_argument("--mode-file")
    parser.add_argument("--release", default="/nonexistent")
    parser.add_argument("--log")
    parser.add_argument("--port", type=int, default=0)
    args = parser.parse_args()
    peerlib.die_with_parent()
    asyncio.run(serve(args))


if __name__ == "__main__":
    import logging
    import warnings

    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    main()
