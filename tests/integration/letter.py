#!/usr/bin/python3
"""letter.py BUILD: the main job on the letter of huyện Tiên Lữ: July, August, ranking, alerts, mail, webhook, restatement, correction."""
import sys

from lab import Lab
from sample import SECRET, configure, letter, month, routes


def vi(number, decimals=2, sign=False):
    text = ("%+.*f" if sign else "%.*f") % (decimals, number)
    return text.replace("-", "\u2212").replace(".", ",")


def open_alerts(lab):
    found = {}
    for a in lab.json("alerts")["alerts"]:
        if a["state"] == "open" and a.get("unit"):
            found.setdefault(a["rule"], set()).add(a["unit"]["name"])
    return found


def main():
    with Lab(sys.argv[1]) as lab:
        lab.clock("2024-08-05T08:05:00+07:00")
        lab.start_publisher()
        lab.start_smtp()
        lab.start_hook(SECRET)
        configure(lab)
        lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08")}))
        lab.start()
        lab.fetch("portal", "2024-07")
        assert lab.sql("SELECT count(*) FROM figure WHERE period = 2024107")[0][0] == 15, lab.sql("SELECT * FROM figure")
        assert open_alerts(lab) == {}

        lab.clock("2024-09-05T07:30:00+07:00")
        lab.fetch("portal", "2024-08")
        ranking = lab.json("ranking", "--period", "2024-08")
        rows = ranking["cohorts"][0]["rows"]
        want = letter()
        assert len(rows) == len(want) == 15
        for row, (place, code, name, total, change, progress) in zip(rows, want):
            got = (row["place"], row["unit"]["code"], row["unit"]["name"], row["value"], row["delta"], row["with"]["progress"]["value"])
            number = lambda t: float(t.replace(",", "."))
            assert got == (int(place), code, name, number(total), number(change), number(progress)), (got, place, code)
        moves = {r["unit"]["name"]: (r["place"] + r["move"], r["place"]) for r in rows}
        assert moves["UBND xã Thủ Sỹ"] == (13, 1) and moves["UBND xã Cương Chính"] == (8, 15) and moves["UBND xã Trung Dũng"] == (7, 12), moves

        print(lab.ctl("ranking", "--period", "2024-08").stdout)
        thien, cuong, ngo, trung = "UBND xã Thiện Phiến", "UBND xã Cương Chính", "UBND xã Ngô Quyền", "UBND xã Trung Dũng"
        assert open_alerts(lab) == {"progress-low": {thien, cuong}, "progress-behind": {thien, cuong}, "total-low": {ngo, cuong},
                                    "total-fall": {trung, cuong}}, open_alerts(lab)

        # programs hear at once, officials at 08:00
        lab.wait(lambda: len(lab.hooks()) == 1 and lab.settled(), "the webhook")
        assert lab.mails() == []
        lab.clock("2024-09-05T08:00:01+07:00")
        lab.fetch("portal", "2024-08")
        lab.wait(lambda: len(lab.mails()) == 2 and len(lab.hooks()) == 1, "two mails and one webhook")
        lab.wait(lab.settled, "everything is settled")
        for mail in lab.mails():
            print(mail["To"], "|", mail["Subject"])
        assert all(h["verified"] for h in lab.hooks())

        # the same cycle again tells nobody anything
        messages = lab.sql("SELECT count(*) FROM message")
        transitions = lab.sql("SELECT count(*) FROM transition")
        lab.fetch("portal", "2024-08")
        lab.fetch("portal", "2024-07")
        assert lab.sql("SELECT count(*) FROM message") == messages and lab.sql("SELECT count(*) FROM transition") == transitions

        # August is restated: Thiện Phiến was on time after all
        lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08", "2024-08-restated")}))
        lab.clock("2024-09-06T07:30:00+07:00")
        lab.fetch("portal", "2024-08")
        lab.clock("2024-09-06T08:00:01+07:00")
        lab.fetch("portal", "2024-08")
        lab.wait(lambda: len(lab.mails()) >= 3 and len(lab.hooks()) >= 2, "the correction")
        lab.wait(lab.settled, "everything is settled")
        for mail in lab.mails()[2:]:
            print(mail["To"], "|", mail["Subject"])
            print(mail.get_body(("plain",)).get_content())
        print(lab.ctl("status").stdout)
        lab.integrity()
        assert lab.stop() == 0
    print("letter: passed")


main()
