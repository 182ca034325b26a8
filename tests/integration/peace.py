#!/usr/bin/python3
"""peace.py BUILD: the operator's peace. One line a week that all is well, or what is not; a heartbeat after whole cycles only (P18);
warnings that come before trouble, told once and told to be over."""
import datetime
import subprocess
import sys

from lab import Lab

CONFIG = """
[daemon]
organization = Thử
notify = live
shipped_rules = no
state_dir = @DIR@/state
socket_dir = @DIR@/run
operator_report = Mon 08:00
heartbeat = http://127.0.0.1:@PUB@/heart
[source portal]
url = http://127.0.0.1:@PUB@
pace = 0s
spread = 0s
periods = month
every = 1h
scope = p
backfill = 1
recheck = 1
[part portal.rows]
url = {{url}}/{{scope}}/{{year}}-{{month}}
rows = /rows
unit.code = /code
unit.name = /name
unit.kind = commune
value.total = /total
[rule low]
indicator = total
when = below 50
[rule failing]
when = source_failing 2
[recipient it]
role = operator
webhook = http://127.0.0.1:@HOOK@/it
[recipient offices]
units = kind:commune
webhook = http://127.0.0.1:@HOOK@/office
[calendar]
work = Mon-Sun
off = 2024-12-31 nghỉ
off = 2025-01-01 Tết dương lịch
"""

ROWS = {"json": {"rows": [{"code": "1", "name": "UBND xã Một", "total": 80}]}}


def lab_at(build, clock, more=""):
    lab = Lab(build)
    lab.clock(clock)
    lab.start_publisher()
    lab.start_hook()
    lab.smtp_port = 0
    lab.configure(CONFIG + more)
    return lab


def serve(lab, good=True):
    pages = [dict(ROWS if good else {"mode": "status", "status": 500, "body": "no"}, path="/p/2024-%d" % m) for m in range(1, 13)]
    lab.publish(pages + [{"path": "/heart", "json": {}}])


def beats(lab):
    return sum(r["path"] == "/heart" for r in lab.requests())


def texts(lab):
    """The subjects that operators read."""
    return [row[0] for row in lab.sql("SELECT subject FROM message JOIN target ON target.id = message.target WHERE recipient = 'it' AND message.state = 3 ORDER BY message.id")]


def heartbeat(build):
    """P18: only after a whole cycle; a failed job, or a channel that is paused, and nobody hears a heart."""
    with lab_at(build, "2024-09-05T07:30:00+07:00") as lab:
        serve(lab)
        lab.start()
        lab.wait(lambda: beats(lab) == 1, "the first whole cycle beats")
        serve(lab, good=False)
        lab.fetch("portal", "2024-08", check=False)
        lab.wait(lambda: "the cycle was not whole" in open(lab.path("chisod.log"), encoding="utf8").read(), "the failed cycle is over")
        assert beats(lab) == 1, "no heartbeat after a failed job"
        serve(lab)
        lab.clock("2024-09-05T09:30:00+07:00")
        lab.fetch("portal", "2024-08")
        lab.wait(lambda: beats(lab) == 2, "well again")
        # what cannot be delivered is no whole cycle either
        lab.publish([{"path": "/p/2024-8", "json": {"rows": [{"code": "1", "name": "UBND xã Một", "total": 40}]}}, {"path": "/heart", "json": {}}])
        lab.fetch("portal", "2024-08")
        lab.wait(lambda: beats(lab) == 3, "the opening waits for the digest: a whole cycle")
        lab.peers[1].kill()
        lab.peers[1].wait()
        lab.clock("2024-09-06T08:00:01+07:00")
        lab.fetch("portal", "2024-08")
        lab.wait(lambda: open(lab.path("chisod.log"), encoding="utf8").read().count("the cycle was not whole") == 2, "the stalled cycle is over")
        assert beats(lab) == 3, "no heartbeat while nothing can be delivered"
        lab.stop()


def report(build):
    """On Monday at eight: all is well; a week later, what is not. A missed one is made up once."""
    with lab_at(build, "2024-09-06T07:30:00+07:00") as lab:
        serve(lab)
        lab.start()
        lab.fetch("portal", "2024-08")
        for at in ("2024-09-09T07:59:00", "2024-09-09T08:00:01", "2024-09-09T12:00:00"):
            lab.clock(at + "+07:00")
            lab.fetch("portal", "2024-08")
            lab.wait(lab.settled, "settled")
        assert len(texts(lab)) == 1 and "mọi việc bình thường · 1/1 đơn vị" in texts(lab)[0], texts(lab)
        serve(lab, good=False)
        lab.clock("2024-09-10T12:00:00+07:00")
        for _ in range(2):
            lab.fetch("portal", "2024-08", check=False)
        lab.wait(lambda: len(texts(lab)) == 2 and lab.settled(), "the failing source is told at once")
        lab.stop()
        lab.clock("2024-09-18T09:00:00+07:00") # off on Monday
        lab.start()
        lab.wait(lambda: len(texts(lab)) >= 3 and lab.settled(), "Monday's report is made up")
        found = [t for t in texts(lab) if "việc cần xem" in t]
        assert len(found) == 1 and "failing portal" in found[0], texts(lab)
        lab.stop()


def warnings(build):
    """A rule that ends, a calendar without the next year, units without an address: before it is too late."""
    more = "[recipient each]\neach = kind:commune\nemail = registry\n[rule old]\nindicator = total\nwhen = below 10\nuntil = 2024-12\n"
    with lab_at(build, "2024-11-20T07:30:00+07:00", more + "[smtp]\nurl = smtp://127.0.0.1:1\nfrom = a@example.vn\n") as lab:
        serve(lab)
        lab.configure((CONFIG + more + "[smtp]\nurl = smtp://127.0.0.1:1\nfrom = a@example.vn\n").replace("off = 2025-01-01 Tết dương lịch\n", ""))
        lab.start()
        lab.fetch("portal", "2024-10")
        said = " | ".join(lab.json("status")["warnings"])
        assert "1/1 đơn vị của [recipient each] chưa có địa chỉ" in said and "lịch nghỉ năm 2025" in said, said
        assert not texts(lab), "too early to tell"
        lab.clock("2024-12-02T07:30:00+07:00")
        lab.fetch("portal", "2024-11")
        lab.wait(lambda: sum("2025" in t or "old" in t for t in texts(lab)) >= 1 and lab.settled(), "December: told")
        rows = dict(lab.sql("SELECT subject, state FROM episode WHERE rule = 'warning'"))
        assert rows == {"warning:calendar": 2, "warning:until/old": 2}, rows
        lab.configure(CONFIG + more + "[smtp]\nurl = smtp://127.0.0.1:1\nfrom = a@example.vn\n")
        lab.stop()
        lab.start()
        lab.fetch("portal", "2024-11")
        lab.wait(lambda: dict(lab.sql("SELECT subject, state FROM episode WHERE rule = 'warning'")) == {"warning:calendar": 3, "warning:until/old": 2}, "the calendar is mended")
        lab.stop()


def certificate(build):
    """The relay's certificate, seen at the first mail: told while there are days left, and gone with the new one."""
    more = ("[smtp]\nurl = smtp://localhost:@SMTP@\nfrom = a@example.vn\nca_file = @DIR@/certs/ca.pem\n"
            "[recipient mail]\nrole = operator\nemail = it@example.vn\n")
    with lab_at(build, "2024-09-05T07:30:00+07:00") as lab:
        lab.start_smtp()
        end = subprocess.run(["openssl", "x509", "-noout", "-enddate", "-in", lab.path("certs", "good.pem")], check=True, text=True, stdout=subprocess.PIPE).stdout
        end = datetime.datetime.strptime(end.strip(), "notAfter=%b %d %H:%M:%S %Y GMT")
        lab.clock((end - datetime.timedelta(days=40)).strftime("%Y-%m-%dT%H:%M:%S+00:00"))
        lab.configure(CONFIG.replace("operator_report = Mon 08:00\n", "") + more)
        serve(lab, good=False)
        lab.start()
        last = (end - datetime.timedelta(days=40)).replace(day=1) - datetime.timedelta(days=1)
        lab.fetch("portal", last.strftime("%Y-%m"), check=False)
        lab.fetch("portal", last.strftime("%Y-%m"), check=False)
        lab.wait(lambda: len(lab.mails()) == 1 and lab.settled(), "a mail has shown the certificate")
        assert "chứng thư" not in " ".join(lab.json("status")["warnings"]), "40 days are enough"
        lab.clock((end - datetime.timedelta(days=10)).strftime("%Y-%m-%dT%H:%M:%S+00:00"))
        lab.fetch("portal", last.strftime("%Y-%m"), check=False)
        lab.wait(lambda: any("hứng thư TLS của localhost hết hạn ngày %s" % (end + datetime.timedelta(hours=7)).strftime("%d/%m/%Y") in " ".join(m.get_body(("plain",)).get_content().split()) for m in lab.mails()), "10 days: told")
        assert "chứng thư" in " ".join(lab.json("status")["warnings"])
        lab.stop()


heartbeat(sys.argv[1])
certificate(sys.argv[1])
report(sys.argv[1])
warnings(sys.argv[1])
print("peace: passed")
