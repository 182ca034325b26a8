#!/usr/bin/python3
"""delivery-faults.py BUILD: relays and hooks that misbehave in every way (P3 to P6).

Whatever they do: each message arrives, with one id and the same bytes in every copy, no more copies than attempts whose end nobody
knows plus one, in order per target, and nothing is told again. Time is the movable clock; only what hangs costs a second."""
import datetime
import email
import email.policy
import json
import os
import sys

from lab import PEERS, Lab
from sample import DROPIN, SECRET, configure, month, routes

LOGIN = "username = chiso\npassword = file:@DIR@/etc/smtp-password\ntimeout = 1s\n"
PASSWORD = "rat-bi-mat"
# every mode of smtpd.py that is a fault; slowdot, closeafter and resetafter take the message and come after "ok"
SMTP_MODES = ("tempban ban hanggreeting slowgreeting garbagegreeting longgreeting ehlo500 nostarttls authfail mail451 mail452 mail421 mail552"
              " hang garbage longline rcpt450 rcpt550 rcpt421 rcptmulti rcpt550go data451 data554 dropdata early421 dot451 dot554 dot354 dropdot hangdot garbagedot closeafter resetafter").split()
TAKEN = ["204", "long", "html", "short", "badchunk", "bomb", "endless"] # a 2xx stands, whatever its body is
HOOK_MODES = ["503", "429 Retry-After: 3600", "400", "404", "302 Location: http://127.0.0.1:1/", "500", "drop", "reset", "nothttp", "bigheader", *TAKEN]
MAYBE = {"dot354", "dropdot", "hangdot", "garbagedot", "500", "drop", "reset", "nothttp"} # nobody knows whether it arrived

# a short message has left whole before the relay hangs up; of a header that is too big the status may have been read
EITHER = {"dropdata", "early421", "bigheader"}


class Run:
    def __init__(self, lab):
        self.lab = lab
        self.now = datetime.datetime.fromisoformat("2024-08-05T08:05:00+07:00")
        self.tell()

    def tell(self):
        self.lab.clock(self.now.isoformat())

    def later(self, **more):
        self.now += datetime.timedelta(**more)
        self.tell()

    def to(self, text):
        self.now = datetime.datetime.fromisoformat(text)
        self.tell()

    def mode(self, which, text):
        path = self.lab.path(which + "-mode")
        with open(path + ".tmp", "w", encoding="ascii") as f:
            f.write(text)
        os.replace(path + ".tmp", path)

    def restart(self):
        """Kept connections go with the process: a mode belongs to a connection."""
        assert self.lab.stop() == 0
        self.lab.start()

    def last(self):
        return self.lab.sql("SELECT id, uuid, state, attempts, maybe, next_ms FROM message ORDER BY id DESC LIMIT 1")[0]

    def quiet(self):
        return self.lab.sql("SELECT count(*) FROM message WHERE state = 2") == [(0,)]


def mail_copies(lab, uuid):
    found = []
    for name in sorted(os.listdir(lab.path("mail"))):
        if name.endswith(".eml"):
            with open(lab.path("mail", name), "rb") as f:
                data = f.read()
            if uuid.encode() in email.message_from_bytes(data, policy=email.policy.default)["Message-ID"].encode():
                found.append(data)
    return found


def hook_copies(lab, uuid, modes):
    """Those that a receiver took (2xx) or may have."""
    found = []
    for name in sorted(os.listdir(lab.path("hook"))):
        if not name.endswith(".json"):
            continue
        with open(lab.path("hook", name), encoding="utf8") as f:
            record = json.load(f)
        if record["headers"]["webhook-id"] == uuid:
            assert record["verified"], record
            if record["mode"] in modes:
                with open(lab.path("hook", name[:-5] + ".body"), "rb") as f:
                    found.append(f.read())
    return found


def one_fault(run, which, mode, recipient):
    """A drill meets the fault at its first attempt; after that everything works."""
    lab = run.lab
    run.mode(which, mode)
    before = run.last()[0] if lab.sql("SELECT count(*) FROM message")[0][0] else 0
    lab.ctl("drill", recipient)
    lab.wait(lambda: run.last()[0] > before and run.last()[3] + run.last()[4] + (run.last()[2] != 1) + len(lab.sql("SELECT 1 FROM channel")) > 0
             and run.quiet(), "an attempt ended: " + mode)
    _, uuid, state, _, maybe, next_ms = run.last()
    assert mode in EITHER or (maybe > 0) == (mode in MAYBE), (mode, run.last())
    if mode.startswith("429"):
        assert next_ms >= int(run.now.timestamp() * 1000) + 3500 * 1000, "Retry-After is kept to"
    run.mode(which, "ok" if which == "smtp" else "200")
    for _ in range(3):
        if run.last()[2] == 3:
            break
        run.later(minutes=70)
        run.restart()
        lab.wait(lambda: run.quiet() and (run.last()[2] == 3 or run.last()[5] > run.now.timestamp() * 1000), "the next attempt: " + mode)
    _, same, state, attempts, maybe, _ = run.last()
    assert (same, state) == (uuid, 3), (mode, run.last())
    copies = mail_copies(lab, uuid) if which == "smtp" else hook_copies(lab, uuid, ["200", "500", "drop", "reset", "nothttp", "bigheader", *TAKEN])
    assert 1 <= len(copies) <= 1 + maybe and attempts >= 1, (mode, len(copies), maybe)
    assert len(set(copies)) == 1, "a copy differs: " + mode
    assert which == "hook" or copies[0].isascii(), "the relay offers no 8BITMIME"
    assert lab.sql("SELECT count(*) FROM channel WHERE paused_ms > 0") == [(0,)], mode
    run.restart()


def faults(run):
    for mode in SMTP_MODES:
        one_fault(run, "smtp", mode, "district")
    for mode in HOOK_MODES:
        one_fault(run, "hook", mode, "dashboard")
    print("faults: %d of a relay, %d of a hook" % (len(SMTP_MODES), len(HOOK_MODES)))


def to_district(lab, folder):
    found = []
    for name in sorted(os.listdir(lab.path(folder))):
        if name.endswith(".eml"):
            with open(lab.path(folder, name), "rb") as f:
                found.append(email.message_from_binary_file(f, policy=email.policy.default))
    return [m for m in found if m["To"] == "vanphong@tienlu.example" and "DIỄN TẬP" not in m["Subject"]]


def nine_days(run):
    """The relay is off from before the digest on; meanwhile August is restated. What arrives is what is true then."""
    lab = run.lab
    run.to("2024-09-05T07:30:00+07:00")
    lab.ask("portal", "2024-08")
    relay = lab.peers[1]
    relay.kill()
    relay.wait()
    run.restart()
    run.to("2024-09-05T08:00:01+07:00")
    lab.ask("portal", "2024-08")
    lab.wait(lambda: run.quiet() and lab.sql("SELECT name FROM channel") == [("smtp",)], "the relay is paused")
    lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08", "2024-08-restated")}))
    for _ in range(36):
        run.later(hours=6)
        lab.ask("portal", "2024-08")
        lab.wait(run.quiet, "the probe ended")
    assert lab.sql("SELECT count(*) FROM message WHERE state = 4") == [(0,)], "nothing dies of a relay"
    assert {a for (a,) in lab.sql("SELECT attempts FROM message WHERE state = 1")} == {0}
    again = ["--starttls", lab.path("certs", "good.pem"), lab.path("certs", "good.key"), "--maildir", lab.path("mail2"), "--auth", "chiso", PASSWORD,
             "--mode-file", lab.path("smtp-mode"), "--port", str(lab.smtp_port)]
    os.mkdir(lab.path("mail2"))
    lab.peer(os.path.join(PEERS, "smtpd.py"), *again)
    run.later(hours=6)
    lab.ask("portal", "2024-08")
    lab.wait(lab.settled, "all is told")
    found = to_district(lab, "mail2")
    assert len(found) == 1, [m["Subject"] for m in found]
    text = found[0].get_body(("plain",)).get_content()
    assert "Xã Cương Chính" in text and "Thiện Phiến" not in text, "late is fresh: what recovered meanwhile is not told"


def dead_letter(run):
    """An address that is refused ten times in four days is marked; a person's retry plans afresh."""
    lab = run.lab
    run.mode("smtp", "rcpt550")
    run.to("2024-09-16T07:30:00+07:00")
    run.restart()
    lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08")}))
    lab.ask("portal", "2024-08")
    run.to("2024-09-16T08:00:01+07:00")
    lab.ask("portal", "2024-08")
    query = ("SELECT m.id, m.state, attempts, next_ms FROM message m JOIN target t ON t.id = m.target WHERE t.key = 'district/email'"
             " ORDER BY m.id DESC LIMIT 1")
    lab.wait(lambda: lab.sql(query)[0][2] == 1 and run.quiet(), "the first attempt")
    first = run.now
    for n in range(2, 11):
        _, state, attempts, next_ms = lab.sql(query)[0]
        assert (state, attempts) == (1, n - 1), (state, attempts, n)
        run.to(datetime.datetime.fromtimestamp(next_ms / 1000 + 1, datetime.timezone.utc).isoformat())
        lab.ask("portal", "2024-08")
        lab.wait(lambda n=n: lab.sql(query)[0][2] == n and run.quiet(), "attempt %d" % n)
    number, state, attempts, _ = lab.sql(query)[0]
    assert (state, attempts) == (4, 10) and run.now - first > datetime.timedelta(days=2, hours=20), (state, attempts, run.now - first)
    assert lab.sql("SELECT state FROM target WHERE key = 'district/email'") == [(1,)]
    assert lab.sql("SELECT state FROM episode WHERE subject = 'delivery:district/email'") == [(2,)]
    run.mode("smtp", "ok")
    run.to("2024-09-23T07:30:00+07:00")
    run.restart()
    lab.ask("portal", "2024-08")
    run.to("2024-09-23T08:00:01+07:00")
    lab.ask("portal", "2024-08")
    assert lab.sql(query)[0][0] == number, "nothing is planned for a marked target"
    lab.ctl("retry", str(number))
    run.to("2024-09-24T08:00:01+07:00")
    lab.ask("portal", "2024-08")
    lab.wait(lambda: lab.sql(query)[0][0] > number and lab.settled(), "planned again")
    assert "Thiện Phiến" in to_district(lab, "mail2")[-1].get_body(("plain",)).get_content()
    assert lab.sql("SELECT state FROM episode WHERE subject = 'delivery:district/email'") == [(3,)]


def main():
    with Lab(sys.argv[1]) as lab:
        run = Run(lab)
        lab.start_publisher()
        run.mode("smtp", "ok")
        run.mode("hook", "200")
        lab.start_smtp("--no-8bit", "--offer", "PIPELINING,CHUNKING", "--auth", "chiso", PASSWORD, "--mode-file", lab.path("smtp-mode"))
        lab.start_hook(SECRET, "--mode-file", lab.path("hook-mode"))
        with open(lab.path("etc", "smtp-password"), "w", encoding="ascii") as f:
            f.write(PASSWORD)
        configure(lab, dropin=DROPIN.replace("username =\npassword =\n", LOGIN))
        lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08")}))
        lab.start()
        lab.ask("portal", "2024-07")
        faults(run)
        nine_days(run)
        dead_letter(run)
        told = lab.sql("SELECT count(*) FROM message"), lab.sql("SELECT count(*) FROM transition")
        lab.ask("portal", "2024-08") # P6
        lab.ask("portal", "2024-07")
        assert (lab.sql("SELECT count(*) FROM message"), lab.sql("SELECT count(*) FROM transition")) == told
        lab.integrity()
        assert lab.stop() == 0
    print("delivery-faults: passed")


main()
