#!/usr/bin/python3
"""delivery-people.py BUILD: test-mail, test-webhook, render, drill, deliveries --observed: what people use before and beside the daemon."""
import base64
import json
import sys

from lab import Lab
from sample import DROPIN, SECRET, configure, month, routes

LOGIN = """username = chiso
password = file:@DIR@/etc/smtp-password
"""
WATCH = """[recipient watch]
role = operator
email = watch@tienlu.example
language = en
"""
PASSWORD = "rat-bi-mat-4711"


def drill_operators(lab):
    """Nothing of the system is open, alerts of units are: an operator must not read that nothing is open at all."""
    assert lab.sql("SELECT count(*), sum(unit IS NOT NULL) FROM episode WHERE state = 2") == [(8, 8)]
    for name, subject, said in (
            ("it", "không có sự cố nào đang mở",
             "Hiện không có sự cố nào của hệ thống đang mở. Cảnh báo đang mở về các đơn vị: 8, báo cho người nhận khác."),
            ("watch", "no issue is open", "No issue of the system is open. Open alerts of units: 8, told to other recipients.")):
        lab.ctl("drill", name)
        mail = lab.wait(lambda to=name: lab.settled() and [m for m in lab.mails() if m["To"] == to + "@tienlu.example"], "the drill of an operator")[-1]
        assert mail["Subject"].endswith(subject), mail["Subject"]
        for part in ("plain", "html"):
            assert said in " ".join(mail.get_body((part,)).get_content().split()), (part, mail.get_body((part,)).get_content())


def main():
    with Lab(sys.argv[1]) as lab:
        lab.clock("2024-08-05T08:05:00+07:00")
        lab.start_publisher()
        with open(lab.path("smtp-mode"), "w", encoding="ascii") as f:
            f.write("ok")
        lab.start_smtp("--auth", "chiso", PASSWORD, "--mode-file", lab.path("smtp-mode"))
        lab.start_hook(SECRET)
        with open(lab.path("etc", "smtp-password"), "w", encoding="ascii") as f:
            f.write(PASSWORD)
        configure(lab, WATCH, dropin=DROPIN.replace("username =\npassword =\n", LOGIN))
        config = lab.path("etc", "chisod.conf")

        # without the daemon, with what both sides say, and no credential in it
        said = lab.ctl("--config", config, "test-mail", "nguoi.truc@tienlu.example").stdout
        print(said)
        for line in ("> EHLO ", "< 220 ", "> STARTTLS", "> AUTH ", "> MAIL FROM:<", "> RCPT TO:<nguoi.truc@tienlu.example>", "< 250 2.0.0 taken", "= accepted"):
            assert line in said, line
        for spelling in (PASSWORD, base64.b64encode(PASSWORD.encode()).decode(), base64.b64encode(b"\0chiso\0" + PASSWORD.encode()).decode()):
            assert spelling not in said
        assert [m["To"] for m in lab.mails()] == ["nguoi.truc@tienlu.example"]
        with open(lab.path("smtp-mode"), "w", encoding="ascii") as f:
            f.write("authfail")
        refused = lab.ctl("--config", config, "test-mail", "nguoi.truc@tienlu.example", check=False)
        assert refused.returncode == 1 and "535" in refused.stdout and PASSWORD not in refused.stdout, refused
        with open(lab.path("smtp-mode"), "w", encoding="ascii") as f:
            f.write("rcpt550")
        refused = lab.ctl("--config", config, "test-mail", "khong-co@tienlu.example", check=False)
        assert refused.returncode == 1 and "< 550 5.1.1 no such user" in refused.stdout and "= refused" in refused.stdout, refused
        assert lab.ctl("--config", config, "test-mail", "khong phai dia chi", check=False).returncode == 2

        said = lab.ctl("--config", config, "test-webhook", "dashboard").stdout
        assert "< HTTP 200" in said and "= accepted" in said and "/hook" not in said and SECRET not in said, said
        assert lab.hooks()[-1]["verified"]
        assert lab.ctl("--config", config, "test-webhook", "district", check=False).returncode == 1

        # what would be told, without telling
        with open(lab.path("smtp-mode"), "w", encoding="ascii") as f:
            f.write("ok")
        lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08")}))
        lab.start()
        lab.ask("portal", "2024-07")
        lab.clock("2024-09-05T07:30:00+07:00")
        lab.ask("portal", "2024-08")
        lab.wait(lambda: len(lab.hooks()) == 2 and lab.settled(), "the dashboard hears at once")
        before = lab.sql("SELECT count(*), max(id) FROM message"), len(lab.mails())
        text = lab.ctl("render", "district").stdout
        assert "district/email" in text and "Xã Cương Chính" in text and "82,71 %" in text, text
        html = lab.json("render", "district", "--format", "html")["messages"]
        assert len(html) == 1 and html[0]["body"].strip().endswith("</html>")
        body = json.loads(lab.json("render", "--format", "json")["messages"][0]["body"])
        assert body["items"], body
        bodies = [json.loads(line) for line in lab.ctl("render", "--format", "json").stdout.splitlines()]
        assert bodies == [json.loads(m["body"]) for m in lab.json("render", "--format", "json")["messages"]] and body in bodies, "nothing but bodies"
        assert lab.ctl("render", "--format", "pdf", check=False).returncode == 2
        observed = {t["target"]: t for t in lab.json("deliveries", "--observed")["targets"]}
        assert observed["district/email"]["items"] == 8 and observed["district/email"]["subject"].startswith("[766] "), observed
        assert "district/email" in lab.ctl("deliveries", "--observed").stdout
        everything = lab.api("/v1/deliveries?observed=1")
        second = lab.api("/v1/deliveries?observed=1&limit=1&offset=1")
        assert second["targets"] == everything["targets"][1:2] and second["total"] == everything["total"] == len(everything["targets"]) >= 2, second
        for other in ("state=dead", "as_of=2024-08-31"):
            refused = lab.api("/v1/deliveries?observed=1&" + other)
            assert refused["status"] == 400 and other.split("=")[0] in refused["detail"], refused
        assert (lab.sql("SELECT count(*), max(id) FROM message"), len(lab.mails())) == before

        lab.ctl("drill", "district")
        drill = lab.wait(lambda: [m for m in lab.mails() if m["To"] == "vanphong@tienlu.example"], "the drill")
        assert drill[0]["Subject"].startswith("[766] DIỄN TẬP"), drill[0]["Subject"]
        lab.wait(lab.settled, "settled")
        assert lab.sql("SELECT count(*) FROM told d JOIN target t ON t.id = d.target WHERE t.key = 'district/email'") == [(0,)]
        drill_operators(lab)

        lab.clock("2024-09-05T08:00:01+07:00")
        lab.ask("portal", "2024-08")
        lab.wait(lambda: len([m for m in lab.mails() if m["To"] == "vanphong@tienlu.example"]) == 2 and lab.settled(), "the real one")
        assert "Hiện không có gì" in lab.ctl("render", "district").stdout

        # who answers on an opening's thread: the next letter refers to it
        opening = [m for m in lab.mails() if m["To"] == "vanphong@tienlu.example"][1]["Message-ID"]
        lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08", "2024-08-restated")}))
        lab.clock("2024-09-06T07:30:00+07:00")
        lab.ask("portal", "2024-08")
        lab.clock("2024-09-06T08:00:01+07:00")
        lab.ask("portal", "2024-08")
        mails = lab.wait(lambda: (lambda found: len(found) == 3 and found)([m for m in lab.mails() if m["To"] == "vanphong@tienlu.example"]), "a correction")
        assert opening in mails[2]["References"], (opening, mails[2]["References"])
        lab.integrity()
        assert lab.stop() == 0
    print("delivery-people: passed")


main()
