#!/usr/bin/python3
"""hostile-replies.py BUILD: relays and hooks whose answers hold escapes, bidi controls, broken UTF-8, a line that would like to be another one, and
the secret that they were told. The log stays printable lines and no secret stands in it, in the database, or in what people are shown."""
import base64
import os
import sys
import unicodedata

from lab import Lab
from sample import DROPIN, SECRET, configure, month, routes

PASSWORD, TOKEN = "mat-khau-4711-rat-dai", "TOKEN-0815-bi-mat"
LOGIN = "username = chiso\npassword = file:@DIR@/etc/smtp-password\n"
MORE = """
[recipient bot]
units = parent:332
webhook = http://127.0.0.1:@HOOK@/bot%s/sendMessage
webhook_template = zalo-bot
immediate = yes
""" % TOKEN


def secrets():
    coded = base64.b64encode(b"\0chiso\0" + PASSWORD.encode()), base64.b64encode(PASSWORD.encode())
    return [PASSWORD, SECRET, SECRET[6:], TOKEN, *(c.decode() for c in coded)]


def check_text(text, what):
    for secret in secrets():
        assert secret not in text, (what, secret, text[:3000])
    for line in text.splitlines():
        bad = [c for c in line if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c != "\t"]
        assert not bad and not line.startswith("<0>"), (what, bad, line)


def mode(lab, which, text):
    with open(lab.path(which + "-mode.tmp"), "w", encoding="ascii") as f:
        f.write(text)
    os.replace(lab.path(which + "-mode.tmp"), lab.path(which + "-mode"))


def response(lab, key):
    found = lab.sql("SELECT m.response FROM message m JOIN target t ON t.id = m.target WHERE t.key = ? AND m.attempts + m.state > 1 AND m.response <> ''"
                    " ORDER BY m.id DESC LIMIT 1", key)
    return found[0][0] if found else ""


def read_log(lab):
    with open(lab.path("chisod.log"), "rb") as f:
        return f.read().decode("utf8") # strictly


def main():
    with Lab(sys.argv[1]) as lab:
        lab.clock("2024-08-05T08:05:00+07:00")
        lab.start_publisher()
        mode(lab, "smtp", "hostile")
        mode(lab, "hook", "hostile")
        lab.start_smtp("--auth", "chiso", PASSWORD, "--mode-file", lab.path("smtp-mode"))
        lab.start_hook(SECRET, "--mode-file", lab.path("hook-mode"))
        with open(lab.path("etc", "smtp-password"), "w", encoding="ascii") as f:
            f.write(PASSWORD)
        configure(lab, MORE, dropin=DROPIN.replace("username =\npassword =\n", LOGIN))
        lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08")}))
        lab.start()
        lab.ask("portal", "2024-07")
        for recipient in ("district", "dashboard", "bot"):
            lab.ctl("drill", recipient)
        for key, word in (("district/email", "that is"), ("dashboard/webhook", "forged: line"), ("bot/webhook", "forged: line")):
            lab.wait(lambda key=key, word=word: word in response(lab, key), "what it said: " + key)
            check_text(response(lab, key), key)
            assert "***" in response(lab, key), "what was hidden shows"
        # the whole way to a dead letter, which is told to the operator
        mode(lab, "hook", "410")
        lab.clock("2024-08-05T08:15:00+07:00")
        lab.ask("portal", "2024-07")
        # and a relay that refuses the log-in: the channel is paused, its reason is logged
        assert lab.stop() == 0
        mode(lab, "smtp", "hostileauth")
        lab.clock("2024-08-05T08:30:00+07:00")
        lab.start()
        lab.ask("portal", "2024-07")
        lab.wait(lambda: lab.sql("SELECT reason FROM channel WHERE paused_ms > 0"), "the relay is paused")
        log = read_log(lab)
        assert "smtp is paused: 535" in log and "that is" in log, log[-2000:]
        check_text(log, "the log")
        for path in ("/v1/deliveries", "/v1/status", "/sources"):
            check_text(lab.api_text(path, "status"), path) # the admin socket shows addresses as they are configured
        check_text(lab.ctl("deliveries").stdout + lab.ctl("status").stdout + lab.ctl("--config", lab.path("etc", "chisod.conf"), "test-webhook", "bot", check=False).stdout,
                   "chisoctl")
        said = lab.ctl("--config", lab.path("etc", "chisod.conf"), "test-mail", "a@example.vn", check=False).stdout
        assert "535" in said and "\x1b" not in said and "\u202e" not in said and PASSWORD not in said, said
        lab.integrity()
        assert lab.stop() == 0
    print("hostile-replies: passed")


main()
