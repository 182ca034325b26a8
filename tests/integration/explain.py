#!/usr/bin/python3
"""explain.py BUILD: explain says a change of place in words with both places, and what closes an alert only where one is open."""
import sys

from lab import Lab

CONFIG = """
[daemon]
organization = Thử
notify = live
shipped_rules = no
state_dir = @DIR@/state
socket_dir = @DIR@/run
[source portal]
url = http://127.0.0.1:@PUB@
scope = p
pace = 0s
spread = 0s
periods = month
every = 1h
backfill = 2
recheck = 2
[part portal.rows]
url = {{url}}/{{year}}-{{month}}
rows = /rows
unit.code = /code
unit.name = /name
unit.kind = commune
value.total = /total
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
    print("explain: passed")


main()
