#!/usr/bin/python3
"""delivery-address.py BUILD: the address of a recipient is changed while a message for it is prepared. To header and envelope always agree: what
cannot have arrived goes to the new address, under the same id; what may have arrived keeps its bytes, is given up, and told anew."""
import json
import os
import signal
import socket
import sys

from lab import Lab
from sample import SECRET, configure, month, routes

OLD, NEW = "vanphong@tienlu.example", "phongmoi@tienlu.example"
MORE = "[recipient district]\nemail =\nemail = %s\n"
DISTRICT = ("SELECT m.uuid, m.state, attempts, maybe, is_drill FROM message m JOIN target t ON t.id = m.target WHERE t.key = 'district/email'"
            " ORDER BY m.id")


def copies(lab):
    """(header To, envelope, Message-ID without its domain) of each mail for the district, old address or new."""
    found = []
    for name in sorted(os.listdir(lab.path("mail"))):
        if name.endswith(".json"):
            with open(lab.path("mail", name), encoding="utf8") as f:
                envelope = json.load(f)["recipients"]
            mail = lab.mails()[int(name.split(".")[0]) - 1]
            found.append((str(mail["To"]), envelope, mail["Message-ID"].strip("<>").split("@")[0], mail))
    assert all(mail["To"].addresses[0].addr_spec == envelope[0] and len(envelope) == 1 for _, envelope, _, mail in found), found
    return [one for one in found if one[1][0] in (OLD, "phongmoi@tienlu.example")]


def reload(lab, more):
    configure(lab, more)
    lab.daemon.send_signal(signal.SIGHUP)


def quiet(lab):
    return lab.sql("SELECT count(*) FROM message WHERE state = 2") == [(0,)]


def certain(lab):
    """A drill, then the digest, wait for a relay that is down. Both reach the new address, with the ids that they had."""
    good = lab.smtp_port
    with socket.socket() as dead:
        dead.bind(("127.0.0.1", 0))
        lab.smtp_port = dead.getsockname()[1]
        configure(lab)
        lab.start()
        lab.ask("portal", "2024-07")
        lab.ctl("drill", "district")
        lab.wait(lambda: lab.sql("SELECT name FROM channel WHERE paused_ms > 0") == [("smtp",)] and quiet(lab), "the relay is paused")
        lab.smtp_port = good
        (drill, state, attempts, maybe, is_drill), = lab.sql(DISTRICT)
        assert (state, attempts, maybe, is_drill) == (1, 0, 0, 1)
        reload(lab, MORE % NEW)
        lab.wait(lab.settled, "the drill")
    assert [(to, uuid) for to, _, uuid, _ in copies(lab)] == [(NEW, drill)], copies(lab)
    # refused for a while, then another address before the next attempt; the clock stands still: nothing is made anew for its age
    assert lab.stop() == 0 # and with it the connection that is kept
    lab.mode("rcpt450")
    lab.clock("2024-09-05T07:30:00+07:00")
    lab.start()
    lab.ask("portal", "2024-08")
    lab.clock("2024-09-05T08:00:01+07:00")
    lab.ask("portal", "2024-08")
    lab.wait(lambda: len(lab.sql(DISTRICT)) == 2 and lab.sql(DISTRICT)[1][1:3] == (1, 1) and quiet(lab), "refused for a while")
    digest = lab.sql(DISTRICT)[1][0]
    lab.mode("ok")
    assert lab.stop() == 0
    configure(lab)
    lab.clock("2024-09-05T08:00:40+07:00")
    lab.start()
    lab.ask("portal", "2024-08")
    lab.wait(lab.settled, "the digest")
    assert [(to, uuid) for to, _, uuid, _ in copies(lab)][1:] == [(OLD, digest)], copies(lab)


def doubtful(lab):
    """Stored by the relay, which then hung up: nobody knows. The address changes meanwhile."""
    lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08", "2024-08-restated")}))
    assert lab.stop() == 0
    lab.mode("dropdot")
    lab.clock("2024-09-06T07:30:00+07:00")
    lab.start()
    lab.ask("portal", "2024-08")
    lab.clock("2024-09-06T08:00:01+07:00")
    lab.ask("portal", "2024-08")
    lab.wait(lambda: len(lab.sql(DISTRICT)) == 3 and lab.sql(DISTRICT)[2][3] == 1 and quiet(lab), "nobody knows whether it arrived")
    doubt = lab.sql(DISTRICT)[2][0]
    lab.mode("ok")
    assert lab.stop() == 0
    configure(lab, MORE % NEW)
    lab.clock("2024-09-06T08:05:00+07:00")
    lab.start()
    lab.ask("portal", "2024-08")
    lab.clock("2024-09-06T09:00:00+07:00")
    lab.ask("portal", "2024-08")
    lab.wait(lambda: lab.sql(DISTRICT)[2][1] == 5, "given up")
    assert "may have reached the address that district/email had before" in open(lab.path("chisod.log"), encoding="utf8").read()
    lab.clock("2024-09-09T08:00:01+07:00")
    lab.ask("portal", "2024-08")
    lab.wait(lambda: len(lab.sql(DISTRICT)) == 4 and lab.settled(), "told anew")
    last = copies(lab)[2:]
    assert [(to, uuid) for to, _, uuid, _ in last] == [(OLD, doubt), (NEW, lab.sql(DISTRICT)[3][0])], last
    assert last[0][3]["Subject"].split(" - ")[0] == last[1][3]["Subject"].split(" - ")[0] and "ĐÍNH CHÍNH" in last[1][3]["Subject"]
    told = lab.sql("SELECT DISTINCT m.uuid FROM told d JOIN target t ON t.id = d.target JOIN message m ON m.id = d.message WHERE t.key = 'district/email'")
    assert (doubt,) not in told and (lab.sql(DISTRICT)[3][0],) in told, told


class ModeLab(Lab):
    def mode(self, text):
        with open(self.path("smtp-mode.tmp"), "w", encoding="ascii") as f:
            f.write(text)
        os.replace(self.path("smtp-mode.tmp"), self.path("smtp-mode"))


def main():
    with ModeLab(sys.argv[1]) as lab:
        lab.clock("2024-08-05T08:05:00+07:00")
        lab.start_publisher()
        lab.mode("ok")
        lab.start_smtp("--mode-file", lab.path("smtp-mode"))
        lab.start_hook(SECRET)
        lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08")}))
        certain(lab)
        doubtful(lab)
        lab.integrity()
        assert lab.stop() == 0
    print("delivery-address: passed")


main()
