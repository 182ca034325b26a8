#!/usr/bin/python3
"""masking.py BUILD: secrets, addresses, hook URLs, bodies of messages, names and notes of people stand in nothing that the status socket
says, and secrets in no answer, page or line of the log at all (P14)."""
import os
import subprocess
import sys

import yaml

from lab import TOP, Lab
from sample import DROPIN, SECRET, configure, month, routes

PASSWORD, TOKEN = "mat-khau-4711-rat-dai", "TOKEN-0815-bi-mat"
ADDRESSES = ("bi.thu@tienlu.example", "nguoi.truc@tienlu.example")
PEOPLE = ("Nguyễn Thị Hoa", "để rà soát sau", "Trần Văn Yên", "kỳ nghỉ dài")
LOGIN = "username = chiso\npassword = file:@DIR@/etc/smtp-password\n"
MORE = """
[daemon]
notify = live
[recipient secretary]
units = unit:12376
email = %s
[recipient duty]
role = operator
email = %s
[recipient bot]
units = parent:332
webhook = http://127.0.0.1:@HOOK@/bot%s/sendMessage
webhook_template = zalo-bot
webhook_to = 84900123456
immediate = yes
""" % (*ADDRESSES, TOKEN)


def reads():
    """Every GET of the API, with what it needs, and with every optional parameter that widens the answer."""
    with open(os.path.join(TOP, "docs", "openapi.yaml"), encoding="utf8") as f:
        paths = yaml.safe_load(f)["paths"]
    found = []
    for path, operations in paths.items():
        if "get" in operations:
            for key, value in (("{unit}", "12376"), ("{id}", "1"), ("{n}", "1"), ("{name}", "progress-low")):
                path = path.replace(key, value)
            found.append(path)
    assert len(found) > 15, found
    more = ["/v1/deliveries?state=dead", "/v1/deliveries?observed=1", "/v1/units?all=1", "/v1/alerts?all=1", "/v1/render?recipient=secretary",
            "/v1/render?recipient=bot&format=json", "/v1/explain?rule=progress-low&unit=12376", "/v1/ranking?indicator=progress"]
    return found + more


def ask(lab, path, role):
    r = subprocess.run(["curl", "-sS", "--max-time", "30", "--unix-socket", lab.path("run", role + ".sock"), "http://x" + path], check=True,
                       stdout=subprocess.PIPE)
    return r.stdout.decode("utf8", "replace")


def main():
    with Lab(sys.argv[1]) as lab:
        lab.clock("2024-08-05T08:05:00+07:00")
        lab.start_publisher()
        with open(lab.path("hook-mode"), "w", encoding="ascii") as f:
            f.write("410")
        lab.start_smtp("--auth", "chiso", PASSWORD)
        lab.start_hook(SECRET, "--mode-file", lab.path("hook-mode"))
        with open(lab.path("etc", "smtp-password"), "w", encoding="ascii") as f:
            f.write(PASSWORD)
        configure(lab, MORE, dropin=DROPIN.replace("username =\npassword =\n", LOGIN))
        lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08")}))
        lab.start()
        lab.ask("portal", "2024-07")
        lab.clock("2024-09-05T07:59:00+07:00")
        lab.ask("portal", "2024-08")
        lab.clock("2024-09-05T08:00:01+07:00")
        lab.ask("portal", "2024-08")
        lab.wait(lambda: len([m for m in lab.mails() if m["To"] in ADDRESSES]) >= 2 and lab.settled(), "both have their mail, the hooks are dead")

        alert = lab.json("alerts")["alerts"][0]["id"]
        lab.ctl("ack", str(alert), "--by", PEOPLE[0], "--note", PEOPLE[1], "--until", "2024-10-31")
        lab.ctl("silence", "add", "--until", "2024-10-01", "--rule", "rank-fall", "--by", PEOPLE[2], "--note", PEOPLE[3])
        mine = ["/v1/alerts/%d" % alert, "/v1/silences", "/v1/silences?all=1"]
        said = "".join(ask(lab, path, "admin") for path in mine)
        assert all(text in said for text in PEOPLE), ("the admin socket hides", said)
        acked = lab.api(mine[0])["acknowledgements"][0]
        assert (acked["by"], acked["note"]) == ("***", "***") and acked["until"], acked

        bodies = [body for (body,) in lab.sql("SELECT subject FROM message") if body]
        assert bodies
        secrets = [PASSWORD, SECRET, SECRET[6:]]
        # an address that stands in the configuration in clear, hooks' with their token too, is shown to those who may write it
        hidden = secrets + [TOKEN, "/hook\"", "84900123456", *ADDRESSES, *PEOPLE]
        n, words = 0, ""
        for path in reads() + mine:
            said = ask(lab, path, "status")
            for secret in hidden:
                assert secret not in said, ("the status socket says", secret, path, said[:2000])
            said_to_admin = ask(lab, path, "admin")
            for secret in secrets:
                assert secret not in said_to_admin, ("the admin socket says", secret, path)
            words += said
            n += 1
        for name in ("secretary/email", "bot/webhook", "dashboard/webhook"): # sentinels: they are spoken of
            assert name in words, name
        with open(lab.path("chisod.log"), encoding="utf8", errors="replace") as f:
            log = f.read()
        for secret in secrets + [TOKEN]:
            assert secret not in log, secret
        assert lab.stop() == 0
    print("masking: %d reads, %d texts hidden" % (n, len(hidden)))


main()
