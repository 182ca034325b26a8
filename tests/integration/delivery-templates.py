#!/usr/bin/python3
"""delivery-templates.py BUILD: own templates, shipped ones for chats, and broken ones, which lose no alert and are told to the operator."""
import json
import os
import subprocess
import sys

from lab import Lab
from sample import SECRET, configure, month, routes

NEW_SECRET = "whsec_" + "bmV3LXNlY3JldC1uZXctc2VjcmV0LW5ldy1zZWNyZXQ="
MORE = """
[daemon]
template_dir = @DIR@/templates
[recipient zalo]
units = parent:332
webhook = http://127.0.0.1:@HOOK@/zalo
webhook_template = zalo-bot
webhook_to = 8412345
immediate = yes
[recipient chat]
units = parent:332
webhook = http://127.0.0.1:@HOOK@/chat
webhook_template = mattermost.json
immediate = yes
[recipient notjson]
units = parent:332
webhook = http://127.0.0.1:@HOOK@/notjson
webhook_template = notjson.json
immediate = yes
[recipient plain]
units = parent:332
webhook = http://127.0.0.1:@HOOK@/plain
webhook_template = own.txt
immediate = yes
"""
TEMPLATES = {
    "mail.html": "<p>\n{{#groups}}\n",                          # does not parse
    "mail.txt": "x{{>mail.txt}}",                               # fails while it is rendered
    "notjson.json": '{"title": {{subject_line}}}',              # parses, is no JSON
    "own.txt": "{{#items}}{{{unit.name}}};{{/items}}",
}


def body(lab, path):
    for name in sorted(os.listdir(lab.path("hook"))):
        if name.endswith(".json"):
            with open(lab.path("hook", name), encoding="utf8") as f:
                record = json.load(f)
            if record["path"] == path:
                with open(lab.path("hook", name[:-5] + ".body"), encoding="utf8") as f:
                    return record, f.read()
    return None


def main():
    with Lab(sys.argv[1]) as lab:
        lab.clock("2024-08-05T08:05:00+07:00")
        lab.start_publisher()
        lab.start_smtp()
        lab.start_hook(NEW_SECRET)
        configure(lab, MORE)
        os.makedirs(lab.path("templates", "vi"))
        for name, text in TEMPLATES.items():
            with open(lab.path("templates", "vi", name), "w", encoding="utf8") as f:
                f.write(text)
        with open(lab.path("etc", "hook-secret"), "w", encoding="ascii") as f:
            f.write(SECRET + "\n" + NEW_SECRET + "\n") # rotation: signed with both

        check = subprocess.run([lab.path_of("chisod"), "--config", lab.path("etc", "chisod.conf"), "--check-config"], env=lab.env(),
                               stdout=subprocess.PIPE, text=True, check=False)
        assert check.returncode == 1 and "templates/vi/mail.html:2:" in check.stdout, check.stdout

        lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08")}))
        lab.start()
        lab.ask("portal", "2024-07")
        told = lab.wait(lambda: [m for m in lab.mails() if m["To"] == "it@tienlu.example"], "the operator hears of the broken template")
        text = told[0].get_body(("plain",)).get_content()
        assert "mail.html" in text, text # and in the built-in words, although mail.txt is broken too

        lab.clock("2024-09-05T07:59:00+07:00")
        lab.ask("portal", "2024-08")
        lab.wait(lambda: len(lab.hooks()) == 5, "all hooks")
        lab.clock("2024-09-05T08:00:01+07:00")
        lab.ask("portal", "2024-08")
        lab.wait(lambda: len([m for m in lab.mails() if m["To"] != "it@tienlu.example"]) == 2 and lab.settled(), "the digests")

        record, text = body(lab, "/hook")
        assert record["verified"], record
        assert len(record["headers"]["webhook-signature"].split()) == 2
        zalo = json.loads(body(lab, "/zalo")[1])
        assert zalo["chat_id"] == "8412345" and "Xã Cương Chính" in zalo["text"] and zalo["text"].startswith("[766] "), zalo
        assert json.loads(body(lab, "/chat")[1])["text"].startswith("**[766] ")
        assert json.loads(body(lab, "/notjson")[1])["items"], "the published schema stood in"
        record, text = body(lab, "/plain")
        assert record["headers"]["Content-Type"].startswith("text/plain") and "UBND xã Cương Chính;" in text, (record, text)
        for mail in lab.mails():
            assert mail.get_body(("html",)).get_content().strip().endswith("</html>")
            assert "x" * 20 not in mail.get_body(("plain",)).get_content()
        # mended: the episode ends
        lab.stop()
        for name in ("mail.html", "mail.txt", "notjson.json"):
            os.unlink(lab.path("templates", "vi", name))
        configure(lab, MORE.replace("notjson.json", "generic"))
        lab.start()
        assert lab.sql("SELECT state FROM episode WHERE rule = 'template-broken'") == [(3,)], lab.sql("SELECT * FROM episode WHERE rule = 'template-broken'")
        lab.integrity()
        assert lab.stop() == 0
    print("delivery-templates: passed")


main()
