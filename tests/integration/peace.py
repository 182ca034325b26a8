#!/usr/bin/python3
"""peace.py BUILD: the operator's peace. One line a week that all is well, or what is not; a heartbeat after whole cycles only (P18);
warnings that come before trouble, told once and told to be over."""
import datetime
import re
import signal
import subprocess
import sys

from lab import Lab, portal

CONFIG = portal("every = 1h\nscope = p\nbackfill = 1\nrecheck = 1", page="{{scope}}/{{year}}-{{month}}", daemon="operator_report = Mon 08:00\nheartbeat = http://127.0.0.1:@PUB@/heart\n") + """\
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


def line_of(lab, section, key):
    lines = open(lab.path("etc", "chisod.conf"), encoding="utf8").read().split("\n")
    begin = lines.index(section)
    return 1 + next(i for i in range(begin, len(lines)) if lines[i].startswith(key + " ="))


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
        assert "tạm im" not in " ".join(lab.json("status")["warnings"])
        lab.ctl("silence", "add", "--until", "2050-01-01", "--rule", "low")
        assert "tạm im" not in " ".join(lab.json("status")["warnings"]), "one rule is no matter of everybody"
        everything = lab.json("silence", "add", "--until", "2050-01-01")["silence"]
        said = " ".join(lab.json("status")["warnings"])
        assert "mọi thông báo đang tạm im đến" in said and "2050" in said and "(chisoctl silence end %d)" % everything in said, said
        lab.ctl("silence", "end", str(everything))
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
        # no contact yet: what was told of the relay stands, for whoever starts, and for whoever only looks
        said = "chứng thư TLS của localhost"
        assert said in lab.check_config(), lab.check_config()
        n = len(lab.mails())
        lab.start()
        assert said in " ".join(lab.json("status")["warnings"])
        assert lab.sql("SELECT state FROM episode WHERE subject = 'warning:certificate/localhost'") == [(2,)] and len(lab.mails()) == n
        lab.stop()


def authority(build):
    """A ca_file whose last certificate ends soon: known without any contact."""
    with lab_at(build, datetime.datetime.now(datetime.timezone.utc).isoformat()) as lab:
        for name, days in (("soon", "20"), ("late", "400")):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", days,
                            "-subj", "/CN=" + name, "-keyout", lab.path(name + ".key"), "-out", lab.path(name + ".pem")], check=True, stderr=subprocess.DEVNULL)
        serve(lab)
        lab.configure(CONFIG + "[network]\nca_file = @DIR@/soon.pem\n")
        line = line_of(lab, "[network]", "ca_file")
        assert "warning: %s:%d: network.ca_file: the certificates of %s end on " % (lab.path("etc", "chisod.conf"), line, lab.path("soon.pem")) in lab.check_config(), lab.check_config()
        lab.start()
        assert "chứng thư trong %s hết hạn" % lab.path("soon.pem") in " ".join(lab.json("status")["warnings"]), lab.json("status")["warnings"]
        lab.wait(lambda: any("soon.pem" in t for t in texts(lab)), "told at the start")
        with open(lab.path("soon.pem"), "a", encoding="ascii") as f, open(lab.path("late.pem"), encoding="ascii") as g:
            f.write(g.read())
        assert "soon.pem" not in lab.check_config()
        lab.clock((datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=1)).isoformat()) # status looks every 10 s
        assert "soon.pem" not in " ".join(lab.json("status")["warnings"]), "another takes over"
        with open(lab.path("soon.pem"), "w", encoding="ascii") as f:
            f.write("no certificate\n")
        assert "soon.pem holds no certificate" in lab.check_config(), lab.check_config()
        lab.stop()


def disk(build):
    """Under 500 MB: said by whoever looks, told once, and told to be over."""
    with lab_at(build, "2024-09-05T07:30:00+07:00") as lab:
        serve(lab)
        lab.disk(500 << 20)
        lab.start()
        lab.fetch("portal", "2024-08")
        lab.wait(lab.settled, "settled")
        assert "ổ đĩa" not in " ".join(lab.json("status")["warnings"]) and "disk" not in lab.check_config() and not texts(lab)
        lab.disk((500 << 20) - 1)
        lab.clock("2024-09-05T07:31:00+07:00") # status looks every 10 s
        assert "ổ đĩa chỉ còn 499 MB" in " ".join(lab.json("status")["warnings"])
        assert ":%d: daemon.state_dir: only 499 MB of disk left" % line_of(lab, "[daemon]", "state_dir") in lab.check_config(), lab.check_config()
        lab.fetch("portal", "2024-08")
        lab.wait(lambda: len(texts(lab)) == 1 and "499 MB" in texts(lab)[0] and lab.settled(), "told with the cycle")
        lab.fetch("portal", "2024-08")
        lab.disk(600 << 20)
        lab.fetch("portal", "2024-08")
        lab.wait(lambda: len(texts(lab)) == 2 and lab.settled(), "told to be over")
        assert lab.sql("SELECT state FROM episode WHERE subject = 'warning:disk'") == [(3,)]
        lab.stop()


def bounced(build):
    """A hook that says it is gone: remembered, for status and for whoever checks the configuration, until its address changes."""
    with lab_at(build, "2024-09-05T07:30:00+07:00") as lab:
        lab.publish([{"path": "/p/2024-8", "json": {"rows": [{"code": "1", "name": "UBND xã Một", "total": 40}]}}, {"path": "/heart", "json": {}}])
        mode = lab.path("mode")
        well = lab.hook_port
        lab.start_hook(None, "--mode-file", mode)
        with open(mode, "w", encoding="ascii") as f:
            f.write("410")
        config = CONFIG.replace("@HOOK@/it", "%d/it" % well)
        lab.configure(config)
        lab.start()
        lab.fetch("portal", "2024-08")
        lab.clock("2024-09-05T08:00:01+07:00")
        lab.fetch("portal", "2024-08")
        lab.wait(lambda: lab.sql("SELECT state FROM target WHERE key = 'offices/webhook'") != [(1,)] and lab.settled(), "410: marked")
        assert "1 địa chỉ bị từ chối, không gửi nữa cho đến khi sửa (offices/webhook)" in lab.json("status")["warnings"], lab.json("status")["warnings"]
        line = line_of(lab, "[recipient offices]", "webhook")
        said = ":%d: recipient offices.webhook: offices/webhook was refused (" % line
        assert said in lab.check_config(), lab.check_config()
        lab.stop()
        assert said in lab.check_config(), "also while no daemon runs"
        lab.configure(config.replace("@HOOK@/office", "%d/office" % well))
        assert "was refused" not in lab.check_config(), "another address is tried anew"


def secrets(build):
    """A secret that cannot be read is said at start, at reload and by --check-config, with its place and whose it is."""
    more = "[recipient chief]\nunits = kind:commune\nwebhook = http://127.0.0.1:@HOOK@/chief\nwebhook_secret = credential:chief\n"
    with lab_at(build, "2024-09-05T07:30:00+07:00") as lab:
        serve(lab)
        lab.configure(CONFIG + more)
        line = line_of(lab, "[recipient chief]", "webhook_secret")
        said = "%s:%d: recipient chief.webhook_secret: credential:chief cannot be read from here" % (lab.path("etc", "chisod.conf"), line)
        assert "warning: " + said in lab.check_config(), lab.check_config()
        lab.start()
        assert any(w.startswith(said) for w in lab.json("status")["warnings"]), lab.json("status")["warnings"]
        assert said in open(lab.path("chisod.log"), encoding="utf8").read()
        with open(lab.path("secret"), "w", encoding="ascii") as f:
            f.write("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        lab.configure(CONFIG + more.replace("credential:chief", "file:@DIR@/secret"))
        lab.reload()
        assert "chief" not in lab.check_config() + " ".join(lab.json("status")["warnings"])
        lab.configure(CONFIG + more.replace("credential:chief", "file:@DIR@/nothing"))
        lab.reload()
        assert any("recipient chief.webhook_secret: file:%s cannot be read" % lab.path("nothing") in w for w in lab.json("status")["warnings"])
        lab.stop()


def backups(build):
    """A folder for backups that is not there is said before the week is over; one beneath state_dir is made by the daemon."""
    with lab_at(build, "2024-09-05T07:30:00+07:00") as lab:
        lab.configure(CONFIG.replace("[daemon]\n", "[daemon]\nbackup_dir = @DIR@/state/backup\n"))
        assert "backup_dir" not in lab.check_config(), lab.check_config()
        lab.configure(CONFIG.replace("[daemon]\n", "[daemon]\n\nbackup_dir = @DIR@/copies\n"))
        line = line_of(lab, "[daemon]", "backup_dir")
        assert ":%d: daemon.backup_dir: there is no directory %s" % (line, lab.path("copies")) in lab.check_config(), lab.check_config()
        with open(lab.path("copies"), "w", encoding="ascii"):
            pass
        assert ":%d: daemon.backup_dir: %s is no directory" % (line, lab.path("copies")) in lab.check_config(), lab.check_config()


def crash_loop(build):
    """Who looks after a third unclean end sees that nothing is fetched, until when, and what fetches at once."""
    with lab_at(build, "2024-09-05T07:30:00+07:00") as lab:
        serve(lab)
        lab.start()
        lab.fetch("portal", "2024-08")
        for n in range(3):
            assert not lab.json("status").get("trouble"), n
            lab.stop(signal.SIGKILL)
            lab.start()
        said = lab.json("status")["trouble"]
        assert re.match(r"dừng đột ngột nhiều lần liền, đến \S.*\d\d:\d\d.* mới tự lấy số liệu; lấy ngay: chisoctl fetch$", said), said
        assert lab.ctl("status").stdout.startswith("SỰ CỐ: " + said), lab.ctl("status").stdout
        r = lab.ctl("check", check=False)
        assert r.returncode == 2 and r.stdout.startswith("CHISOD CRITICAL - " + said), r
        lab.fetch("portal", "2024-08") # what was said to help does
        assert not lab.json("status").get("trouble") and lab.ctl("check", check=False).returncode != 2
        lab.stop()


heartbeat(sys.argv[1])
certificate(sys.argv[1])
authority(sys.argv[1])
disk(sys.argv[1])
bounced(sys.argv[1])
secrets(sys.argv[1])
backups(sys.argv[1])
crash_loop(sys.argv[1])
report(sys.argv[1])
warnings(sys.argv[1])
print("peace: passed")
