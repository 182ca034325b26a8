#!/usr/bin/python3
"""explain.py BUILD: explain says in words with the numbers why a rule fires or not, what would change that, and when it is judged next:
each condition, both ways, in both languages; what closes an alert only where one is open."""
import re
import sys

from lab import Lab, portal

CONFIG = portal("scope = p\nevery = 1h\nbackfill = 2\nrecheck = 2") + """\
[rule low]
indicator = total
when = below 50
clear = 52
[rule slid]
indicator = total
when = rank_drop 3
[rule fell]
indicator = total
when = drop 20
[recipient it]
role = operator
webhook = http://127.0.0.1:@HOOK@/it
"""


def document(values):
    return {"rows": [{"code": "%02d" % i, "name": "UBND xã Số %d" % i, "total": v} for i, v in enumerate(values)]}


def main():
    with Lab(sys.argv[1]) as lab:
        lab.clock("2024-09-05T07:30:00+07:00")
        lab.start_publisher()
        lab.start_hook()
        lab.smtp_port = 0
        lab.configure(CONFIG)
        july = [90, 88, 86, 84, 82, 80, 78, 76, 74, 72, 40]
        august = [81, 88, 86, 84, 82, 80, 99, 76, 74, None, 40]  # the first slid to 5, the seventh rose to 1
        lab.publish([{"path": "/2024-7", "json": document(july)}, {"path": "/2024-8", "json": document(august)}])
        lab.start()
        lab.fetch("portal", "2024-07")
        lab.fetch("portal", "2024-08")

        def said(rule, code):
            answer = lab.json("explain", rule, code)
            return answer["verdict"], " | ".join(answer["why"]), " | ".join(answer["would_change"])

        verdict, why, change = said("slid", "00")
        assert verdict == "breach" and "từ hạng 1 tụt 5 bậc xuống hạng 6/10; vi phạm khi tụt từ 3 bậc" in why, why
        assert "đóng khi kỳ sau không tụt tới 3 bậc" in change and "mở khi" not in change, change
        verdict, why, change = said("slid", "06")
        assert verdict == "clear" and "từ hạng 7 tăng 6 bậc lên hạng 1/10" in why, why
        assert "mở khi kỳ sau tụt từ 3 bậc" in change and "đóng khi" not in change, change
        verdict, why, change = said("slid", "07")
        assert verdict == "clear" and "giữ hạng 8/10" in why, why
        assert "không có số liệu" in said("slid", "09")[1]

        assert re.search(r"Lần xét tới: tháng 9/2024, từ \d\d/10/2024", lab.ctl("explain", "slid", "00").stdout), lab.ctl("explain", "slid", "00").stdout

        # a closing value is offered where something is open, an opening one where nothing is
        verdict, why, change = said("low", "10")
        assert verdict == "breach" and "đóng khi ≥ 52" in change and "còn +12" in change and "mở khi" not in change, change
        verdict, why, change = said("low", "00")
        assert verdict == "clear" and "mở khi < 50" in change and "đóng khi" not in change and "còn" not in change, change
        assert "mở khi kỳ sau giảm từ 20" in said("fell", "00")[2]

        # another tenth without a figure: places do not compare, and the reason is said
        lab.publish([{"path": "/2024-7", "json": document(july)}, {"path": "/2024-8", "json": document(august[:5] + [None] + august[6:])}])
        lab.fetch("portal", "2024-08")
        verdict, why, change = said("slid", "00")
        assert verdict == "unknown" and "chỉ 9 đơn vị có số liệu cả hai kỳ" in why, (verdict, why)
        lab.stop()


# One unit per verdict. July, then August of 2024; the median of August is 82.
MORE = portal("scope = p\nevery = 1h\nbackfill = 3\nrecheck = 3\nrunning = yes\ndue = 6") + """\
value.received = /received
[indicator received]
unit = count
[rule below]
indicator = total
when = below 50
critical = below 45
clear = 52
[rule above]
indicator = received
when = above 100
[rule behind]
indicator = total
when = behind 5
clear = 2
[rule drop]
indicator = total
when = drop 5
[rule falling]
indicator = total
when = falling 2
[rule flat]
indicator = total
when = flat 2 within 1 and below 80
[rule for2]
indicator = total
when = below 50
for = 2
[rule volume]
indicator = total
when = below 50
min_volume = 30 of received
[rule early]
indicator = total
when = below 50
watch = running
[rule past]
indicator = total
when = below 50
until = 2024-07
[rule soon]
indicator = total
when = below 50
[rule others]
indicator = total
units = unit:01
when = below 50
[rule off]
indicator = total
when = below 50
off = yes
[rule late]
when = overdue 5
[rule old]
when = stale 7
[rule gone]
when = missing
[rule failing]
when = source_failing 3
[rule changed]
when = restated 1
[recipient it]
role = operator
webhook = http://127.0.0.1:@HOOK@/it
"""
JUNE = [(44, 10), (51, 120), (79.5, 50), (84, 50), (86, 50), (88, 50), (60, 50)]
JULY = [(47, 10), (48, 120), (79, 50), (83, 50), (85, 50), (87, 50), (61, 50)]
AUGUST = [(43, 10), (51, 120), (78.5, 50), (82, 50), (84, 50), (86, 50), (None, 50)]


# All of the three months are judged.
MORE = MORE.replace("\nwhen = ", "\nfrom = 2024-06\nwhen = ", MORE.count("\nindicator = "))
MORE = MORE.replace("[rule soon]\nindicator = total\nfrom = 2024-06", "[rule soon]\nindicator = total\nfrom = 2024-10")


def pages(*months):
    return [{"path": "/2024-%d" % m, "json": {"rows": [{"code": "%02d" % i, "name": "UBND xã Số %d" % i, "total": v, "received": n}
                                                       for i, (v, n) in enumerate(rows)]}} for m, rows in months]


# (rule, unit or source): verdict, what is said of why and of what would change it, in Vietnamese; in English
SAID = {
    ("below", "00"): ("breach", ["43,00 dưới ngưỡng 50,00, chênh \u22127,00: vi phạm", "mức nghiêm trọng:", "43,00 dưới ngưỡng 45,00, chênh \u22122,00"],
                      ["đóng khi ≥ 52,00 (còn +9,00)", "hết nghiêm trọng khi ≥ 45,00", "thiếu số liệu không đóng cảnh báo"],
                      ["43,00 is under the limit 50,00 by \u22127,00", "critical:"], ["closes at ≥ 52,00 (+9,00 to go)", "missing data does not close it"]),
    ("below", "01"): ("between", ["51,00 đã qua ngưỡng 50,00 nhưng chưa qua mức hết cảnh báo"], ["đóng khi ≥ 52,00 (còn +1,00)", "nghiêm trọng khi < 45,00"],
                      ["51,00 is past the limit 50,00 but not where an alert ends"], ["closes at ≥ 52,00"]),
    ("below", "03"): ("clear", ["82,00 đạt, ngưỡng 50,00 (cách +32,00)"], ["mở khi < 50,00"], ["82,00 is fine, the limit is 50,00 (+32,00 away)"], ["opens < 50,00"]),
    ("below", "06"): ("unknown", ["tháng 8/2024 không có số liệu: không mở, không đóng cảnh báo"], [], ["August 2024 has no figure"], []),
    ("above", "01"): ("breach", ["120 trên ngưỡng 100, chênh +20: vi phạm"], ["đóng khi ≤ 100 (còn \u221220)"], ["120 is over the limit 100 by +20"], ["closes at ≤ 100"]),
    ("above", "02"): ("clear", ["50 đạt, ngưỡng 100 (cách \u221250)"], ["mở khi > 100"], ["50 is fine, the limit is 100"], ["opens > 100"]),
    ("behind", "00"): ("breach", ["trung vị của 6 đơn vị là 78,50", "43,00 dưới ngưỡng 73,50"], ["đóng khi ≥ 76,50 (còn +33,50)"],
                       ["the median of 6 units is 78,50"], ["closes at ≥ 76,50"]),
    ("behind", "03"): ("clear", ["82,00 đạt, ngưỡng 73,50"], ["mở khi < 73,50"], ["82,00 is fine, the limit is 73,50"], ["opens < 73,50"]),
    ("drop", "00"): ("clear", ["thay đổi so với kỳ trước \u22124,00; vi phạm khi giảm từ 5,00"], ["mở khi kỳ sau giảm từ 5,00"],
                     ["change \u22124,00; a breach from a fall of 5,00"], ["opens with a fall of 5,00"]),
    ("falling", "03"): ("breach", ["2 thay đổi gần nhất: \u22121,00; \u22121,00; vi phạm khi tất cả đều giảm"], ["đóng khi có một kỳ không giảm"],
                        ["last 2 changes: \u22121,00; \u22121,00"], ["closes with one period that does not fall"]),
    ("falling", "00"): ("clear", ["2 thay đổi gần nhất: \u22124,00; +3,00"], ["mở khi giảm 2 kỳ liền"], ["last 2 changes: \u22124,00; +3,00"], ["opens after 2 falls in a row"]),
    ("flat", "02"): ("breach", ["2 thay đổi gần nhất: \u22120,50; \u22120,50; vi phạm khi mỗi lần không quá 1,00", "điều kiện kèm theo (< 80,00): đúng"],
                     ["đóng khi một kỳ thay đổi quá 1,00", "hoặc khi không còn < 80,00"], ["last 2 changes: \u22120,50; \u22120,50", "and < 80,00: true"],
                     ["closes with one change of more than 1,00", "or when no longer < 80,00"]),
    ("flat", "03"): ("clear", ["2 thay đổi gần nhất: \u22121,00; \u22121,00", "điều kiện kèm theo (< 80,00): không đúng"], ["mở khi 2 kỳ liền thay đổi không quá 1,00", "và < 80,00"],
                     ["and < 80,00: false"], ["opens after 2 changes in a row of no more than 1,00", "and < 80,00"]),
    ("for2", "00"): ("breach", ["mở sau 2 kỳ công bố vi phạm; đợt này có 3"], ["đóng khi ≥"], ["opens after 2 publications in breach; 3 so far"], []),
    ("volume", "00"): ("unknown", ["số lượng 10, ít hơn 30: không kết luận"], ["kết luận khi số lượng từ 30"], ["volume 10, less than 30: no verdict"], ["judged from a volume of 30"]),
    ("past", "00"): ("unknown", ["quy tắc hết hiệu lực sau tháng 7/2024"], [], ["the rule ended with July 2024"], []),
    ("soon", "00"): ("unknown", ["quy tắc có hiệu lực từ tháng 10/2024"], [], ["the rule begins with October 2024"], []),
    ("off", "00"): ("unknown", ["quy tắc đang tắt"], [], ["the rule is off"], []),
    ("late", "portal"): ("clear", ["portal (theo tháng): tháng 7/2024 đã có số liệu (hạn 07/08/2024)"], ["portal (theo tháng): mở nếu đến 12/09/2024 vẫn chưa có số liệu tháng 8/2024"],
                         ["the figures of July 2024 are there"], ["opens if by 12/09/2024 there are no figures of August 2024"]),
    ("old", "portal"): ("clear", ["đổi lần cuối 05/09/2024", "0 ngày không đổi (vi phạm từ 7 ngày)"], ["mở nếu đến 12/09/2024"], ["0 days without a change"], ["opens if by 12/09/2024"]),
    ("gone", "00"): ("breach", ["1 đơn vị kỳ trước có số liệu, tháng 8/2024 không có: UBND xã Số 6"], ["đóng khi các đơn vị này có số liệu"], ["1 of the units with a figure the period before have none in August 2024: UBND xã Số 6"], ["closes when these units"]),
    ("failing", "portal"): ("clear", ["portal: hỏng 0 lần liên tiếp (vi phạm từ 3 lần)"], ["mở sau 3 lần hỏng nữa liên tiếp"], ["0 attempts in a row failed"], ["opens after 3 more failures"]),
    ("changed", "portal"): ("clear", ["báo một lần mỗi khi số liệu của kỳ đã chốt đổi từ 1 trở lên"], [], ["one notice whenever a figure of a closed period changes by 1"], []),
}
ONLY = {("late", "portal"), ("old", "portal"), ("gone", "00"), ("failing", "portal"), ("changed", "portal")}


def english(sentence):
    """Numbers as an English reader writes them."""
    return re.sub(r"(\d),(\d)", r"\1.\2", sentence).replace("\u2212", "-")


def holds(answer, sentences, name, where):
    text = " | ".join(answer[name])
    for sentence in sentences:
        assert sentence in text, (where, name, sentence, text)


def silenced(lab, alert, *then):
    return [t["reason"] for t in lab.json("alert", str(alert), *then)["transitions"] if t["kind"] == "silenced"]


def conditions(build):
    with Lab(build) as lab:
        lab.clock("2024-09-05T07:30:00+07:00")
        lab.start_publisher()
        lab.start_hook()
        lab.smtp_port = 0
        lab.publish(pages((6, JUNE), (7, JULY), (8, AUGUST)))
        lab.configure(MORE)
        lab.start()
        for month in (6, 7, 8):
            lab.fetch("portal", "2024-%02d" % month)
        lab.wait(lab.settled, "settled")
        for language in (0, 1):
            for (rule, whom), row in SAID.items():
                answer = lab.json("explain", rule, whom)
                assert answer["verdict"] == row[0], (rule, whom, answer["verdict"], answer["why"])
                for name, sentences in zip(("why", "would_change"), row[1 + 2 * language:3 + 2 * language]):
                    holds(answer, [english(s) if language else s for s in sentences], name, (rule, whom))
                assert (answer["next_from"] is None) == (rule in ("off", "past")), (rule, whom, answer["next_from"])
                assert rule != "soon" or answer["next_period"] == "2024-10", answer
                assert (answer["unit"] is None) == ((rule, whom) in ONLY) and (answer["source"] == "portal") == (whom == "portal"), answer
            lab.configure(MORE.replace("notify = live", "notify = live\nlanguage = en"))
            lab.reload()
        # of a unit that is none of the rule's nothing is said but that, and no day is named
        answer = lab.json("explain", "others", "00")
        assert (answer["why"], answer["would_change"]) == (["the unit is none of the rule's: it is not judged, and nothing is told"], []), answer
        assert (answer["next_period"], answer["next_from"], answer["alert"]) == (None, None, None), answer
        assert lab.json("explain", "others", "01")["next_period"] == "2024-09"
        # what holds telling is named, each gate
        alert = lab.json("explain", "below", "00")["alert"]
        lab.ctl("ack", str(alert))
        assert lab.json("explain", "below", "00")["state"] == "alert open, acknowledged", lab.json("explain", "below", "00")["state"]
        lab.ctl("silence", "add", "--until", "2024-09-20", "--unit", "00")
        holds(lab.json("explain", "below", "00"), ["a silence covers it", "acknowledged: not repeated, unless it gets worse"], "gates", "gates")
        # the story of an alert does not tell of a silence that is over as if it went on
        number = lab.json("silence", "add", "--until", "2024-10-01T08:00:00+07:00", "--unit", "00")["silence"]
        until = ["until 20/09/2024 23:59", "until 01/10/2024 08:00"]
        assert silenced(lab, alert) == until, silenced(lab, alert)
        lab.ctl("silence", "end", str(number))
        assert silenced(lab, alert) == [until[0], "ended 05/09/2024 07:30"], silenced(lab, alert)
        holds(lab.json("explain", "early", "00"), ["an early warning: each target hears of it once in 7 days at most"], "gates", "early")
        changed = MORE.replace("notify = live", "notify = live\nlanguage = en").replace("[rule above]\nindicator = received\nfrom = 2024-06\nwhen = above 100",
                                                                                      "[rule above]\nindicator = received\nfrom = 2024-06\nwhen = above 49")
        lab.configure(changed.replace("from = 2024-06\nwhen = above 49", "when = above 49"))
        lab.reload()
        holds(lab.json("explain", "above", "02"), ["told from the publication of September 2024 on"], "gates", "changed rule")
        # what has come true since: three failures inhibit the rest, an overdue month, a restated one
        lab.publish([])
        for _ in range(3):
            lab.fetch("portal", "2024-08", check=False)
        answer = lab.json("explain", "failing", "portal")
        assert answer["verdict"] == "breach" and "3 attempts in a row failed" in answer["why"][0] and answer["state"] == "alert open", answer
        holds(answer, ["portal: closes with one good attempt"], "would_change", "failing")
        assert answer["targets"][0]["target"] == "it/webhook", answer
        answer = lab.json("explain", "old", "portal")
        holds(answer, ["the source fails, this rule waits (one alert for one cause)"], "why", "inhibited")
        lab.clock("2024-10-14T07:30:00+07:00")
        lab.publish(pages((7, JULY), (8, AUGUST)))
        lab.fetch("portal", "2024-08")
        lab.fetch("portal", "2024-09", check=False)
        answer = lab.json("explain", "late", "portal")
        assert answer["verdict"] == "breach", answer
        holds(answer, ["no figures of September 2024 in 1 of 1 scopes; due on 07/10/2024, 7 days ago (a breach from 5 days)"], "why", "late")
        holds(answer, ["closes with the figures of September 2024"], "would_change", "late")
        said = lab.ctl("explain", "late", "portal").stdout
        assert said.startswith("late · portal · alert open"), said
        assert lab.ctl("explain", "late", "nothing", check=False).returncode != 0
        over = "ended 05/09/2024 07:30"
        assert silenced(lab, alert) == ["ended 20/09/2024 23:59", over], silenced(lab, alert)
        assert silenced(lab, alert, "--as-of", "2024-09-10") == [until[0], over], silenced(lab, alert, "--as-of", "2024-09-10")
        assert over in lab.ctl("alert", str(alert)).stdout, lab.ctl("alert", str(alert)).stdout
        lab.stop()


main()
conditions(sys.argv[1])
print("explain: passed")
