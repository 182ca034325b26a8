#!/usr/bin/python3
"""restated-or-worse.py BUILD: a period that runs, is provisional and closes; a figure that got worse and one that was restated to worse, told
apart in words and data; an alert that only a restated period has, told once as that."""
import sys

from lab import Lab, portal as portal_of

CONFIG = portal_of("""
running = yes
scope = p
every = 1h
backfill = 1
recheck = 1
min_share = 0
""", page="p?m={{year}}-{{month}}.", indicator="progress", daemon="""[network]
ca_file = @DIR@/certs/ca.pem
[smtp]
url = smtp://localhost:@SMTP@
from = Theo dõi <x@example.vn>
""") + """
[rule low]
indicator = progress
units = kind:commune
when = below 95
critical = below 85
from = 2024-07
[recipient office]
units = kind:commune
immediate = yes
webhook = http://127.0.0.1:@HOOK@/office
[recipient clerk]
units = kind:commune
immediate = yes
email = clerk@example.vn
[recipient it]
role = operator
webhook = http://127.0.0.1:@HOOK@/it
[calendar]
work = Mon-Sun
"""
GOOD = {"A": 97, "B": 97, "C": 97, "D": 97}


class World(Lab):
    months = {}

    def publish_month(self, month, **values):
        self.months[month] = dict(self.months.get(month, GOOD), **values)
        self.publish([{"path": "/p", "match": "m=2024-%d." % int(m[5:]), "json": {"rows": [
            {"code": c, "name": "UBND xã %s" % c, "progress": v} for c, v in rows.items()]}} for m, rows in self.months.items()])

    def hear(self, at, month, n, **values):
        """Publishes at an instant; the n messages that it makes to the webhook, and their mails."""
        before = len(self.said("/office")), len(self.mails())
        self.clock(at)
        self.publish_month(month, **values)
        self.ask("portal", month)
        self.wait(lambda: len(self.said("/office")) >= before[0] + n and len(self.mails()) >= before[1] + n and self.settled(), "told at " + at)
        assert (len(self.said("/office")), len(self.mails())) == (before[0] + n, before[1] + n), at
        return self.said("/office")[before[0]:], [str(m["Subject"]) + "\n" + m.get_body(("plain",)).get_content() for m in self.mails()[before[1]:]]

    def status(self, month="2024-08"):
        return self.json("ranking", "--indicator", "progress", "--period", month)["period"]["status"]


def only(messages, code):
    items = [(m, i) for m in messages for i in m["items"] if i["unit"]["code"] == code]
    assert len(items) == 1, (code, items)
    return items[0]


def main():
    with World(sys.argv[1]) as lab:
        lab.clock("2024-08-05T07:00:00+07:00")
        lab.start_publisher()
        lab.start_smtp()
        lab.start_hook()
        lab.configure(CONFIG)
        lab.publish_month("2024-07")
        lab.start()
        lab.ask("portal", "2024-07")

        # running: known, ranked, and nobody is told, though it moves
        lab.clock("2024-08-20T07:00:00+07:00")
        for value in (90, 80, 93):
            lab.publish_month("2024-08", A=value)
            lab.ask("portal", "2024-08")
        assert lab.status() == "running" and not lab.said("/office"), lab.said("/office")
        revised = lab.call("GET", "/v1/restatements?all=1")["restatements"]
        assert len(revised) == 2 and {r["kind"] for r in revised} == {"revision"}, revised

        # provisional: an opening; then the same period is corrected to worse
        (opening,), (mail,) = lab.hear("2024-09-05T07:00:00+07:00", "2024-08", 1, A=90, B=90)
        assert lab.status() == "provisional" and opening["type"] == "alert.opening" and "tạm tính" in mail and "ĐÍNH CHÍNH" not in mail, mail
        (restated,), (mail,) = lab.hear("2024-09-06T07:00:00+07:00", "2024-08", 1, A=80)
        message, item = only([restated], "A")
        assert (message["type"], item["say"]) == ("alert.correction", "worse") and "ĐÍNH CHÍNH" in message["title"], restated
        assert (item["value"], item["old_value"], item["severity"], item["corrects"]) == (80, 90, "critical", opening["id"]), item
        assert "ĐÍNH CHÍNH" in mail and "80 %" in mail and "không phải 90" in mail, mail

        # the next publication: B got worse by itself; no correction, no old value
        messages, mails = lab.hear("2024-10-05T07:00:00+07:00", "2024-09", 1, A=80, B=80)
        message, item = only(messages, "B")
        assert (message["type"], item["say"], item["period"]["id"]) == ("alert.digest", "worse", "2024-09"), messages
        assert (item["value"], item["severity"], item["old_value"], item["corrects"]) == (80, "critical", None, None), item
        assert "ĐÍNH CHÍNH" not in mails[0] and "điều chỉnh" not in mails[0], mails[0]

        # closed: August is restated for D, which was good again in September: one message, marked, with its end
        lab.clock("2024-10-18T07:00:00+07:00")
        lab.ask("portal", "2024-09")
        assert lab.status() == "closed" and lab.status("2024-09") == "closed", (lab.status(), lab.status("2024-09"))
        messages, mails = lab.hear("2024-10-19T07:00:00+07:00", "2024-08", 1, D=70)
        message, item = only(messages, "D")
        assert "điều chỉnh" in mails[0] and "70" in mails[0], mails[0]
        assert item["period"]["id"] in ("2024-08", "2024-09") and item["ended"], item
        kinds = {(r["unit"]["code"], r["kind"]) for r in lab.call("GET", "/v1/restatements?all=1&period=2024-08")["restatements"]}
        assert ("D", "restatement") in kinds and ("A", "revision") in kinds and ("A", "restatement") not in kinds, kinds
        alerts = {a["unit"]["code"]: a for a in lab.json("alerts", "--all")["alerts"] if a.get("unit")}
        assert alerts["D"]["is_late"] and not alerts["A"]["is_late"] and not alerts["B"]["is_late"], alerts
        # the same again says nothing
        n = len(lab.said("/office"))
        lab.ask("portal", "2024-08")
        lab.hear("2024-11-05T07:00:00+07:00", "2024-10", 1, A=80, C=80)  # a sentinel
        assert len(lab.said("/office")) == n + 1
        lab.integrity()
        assert lab.stop() == 0
    print("restated-or-worse: passed")


main()
