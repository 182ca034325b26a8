#!/usr/bin/python3
"""make-data.py DIR PORT: made data of every shape that the benches run on, each with its configuration.

DIR/SHAPE/{a,b}/...     bodies of two publications of one period; the benches let DIR/SHAPE/current point to one of them
DIR/SHAPE/chisod.conf   the source, the rules, the recipients; asks and posts at 127.0.0.1:PORT

national-N       one body of N units x 26 indicators, 5 % of the values differ between a and b, one webhook hears everything
national-N-hooks the same with 233 webhooks, each of which hears of its own units; on eight addresses, as eight receivers
national-N-etag  a configuration alone: the bodies of national-N, with ETags
reporting-P      34 scopes x 6 parts in the shape of the reporting service, P % of the values differ, the rules that ship

A value is a function of the seed alone: the same call makes the same bytes everywhere.
"""
import json
import os
import random
import sys

KEYS = """congKhaiMinhBach tienDoGiaiQuyet dichVuTrucTuyen thanhToanTrucTuyen mucDoHaiLong soHoaHoSo tyLeCongKhaiDungHan
tyLeDongBoHoSo tyLeHoSoDungHan tyLeHoSoQuaHan tyLeTrucTuyen tyLeToanTrinh tyLeMotPhan tyLePhatSinhHoSo tyLeThanhToan
tyLeThuTucThanhToan tyLeHaiLong tyLePhanAnhDungHan tyLeSoHoaTiepNhan tyLeSoHoaKetQua tyLeTaiSuDung tyLeChungThucDienTu
tyLeTraKetQuaDienTu tyLeCapNhatTrangThai tyLeKhaiThacDuLieu tyLeXuLyPhanAnh""".split()
FIRST = "Tân Vĩnh Phước Thạnh Đông Hòa Mỹ Long Bình An Nghĩa Quảng Đức Yên Hưng Lộc".split()
LAST = "Hội Hậu Đức Thuận Quới Xuân Lễ Sơn Khánh Ứng Đông Trường Phú Điền Hải Hiệp Lạc Thành".split()
N_HOOKS = 233
N_SCOPES = 34

COMMON = """[daemon]
organization = Bench
notify = live
shipped_rules = @SHIPPED@
state_dir = @DIR@/state
socket_dir = @DIR@/run
"""

SOURCE = """[source nation]
url = http://127.0.0.1:@PORT@/@SHAPE@/current
periods = month
recheck = 0
backfill = 0
spread = 0s
pace = 0s
final_after_month = 1000
"""


def name_of(i):
    """No name twice: two units of one name are told apart by nobody, and kept aside."""
    more = i // 16 // 18
    return "%s %s%s" % (FIRST[i % 16], LAST[i // 16 % 18], " %d" % more if more else "")


def change(values, percent, rng, make):
    """Another publication: so many of the values drawn anew."""
    changed = [list(row) for row in values]
    for _ in range(len(values) * len(values[0]) * percent // 100):
        changed[rng.randrange(len(values))][rng.randrange(len(values[0]))] = make(rng)
    return changed


def write(path, document):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        if isinstance(document, str):
            f.write(document)
        else:
            json.dump(document, f, ensure_ascii=False, separators=(",", ":"))


def comma(v):
    return "%d,%02d" % (v // 100, v % 100)


def national_code(i):
    return "H%02d.%02d.%05d" % (i // 300 + 1, i // 20 % 15 + 1, i)


def national_body(values):
    units = [{"maDonVi": national_code(i), "tenDonVi": "Ủy ban nhân dân %s %s" % ("xã" if i % 3 else "phường", name_of(i)),
              "maCha": national_code(i)[:6], "chiSo": {k: comma(v) for k, v in zip(KEYS, row)}}
             for i, row in enumerate(values)]
    return {"ky": "2026-01", "capNhat": "2026-01-01T23:00:00+07:00", "donVi": units}


def national_config(n, n_hooks):
    text = COMMON.replace("@SHIPPED@", "no") + SOURCE + "preset = generic-json\nnumbers = comma\nmax_body = 32MiB\n"
    text += "[part nation.main]\nurl = {{url}}/body.json\nrows = /donVi\nunit.code = /maDonVi\nunit.name = /tenDonVi\n"
    text += "".join("value.i%02d = /chiSo/%s\n" % (k, key) for k, key in enumerate(KEYS))
    for k, key in enumerate(KEYS):
        text += "[indicator i%02d]\nlabel = %s\nunit = percent\n" % (k, key)
        text += "[rule low%02d]\nindicator = i%02d\nwhen = below 5\nclear = 5\nsettle = 0\n" % (k, k)
    for h in range(n_hooks):
        units = " ".join("unit:nation:" + national_code(i) for i in range(n) if i % n_hooks == h)
        text += "[recipient hook%d]\nimmediate = yes\nwebhook = http://127.0.0.%d:@PORT@/hook/%d\n" % (h, 1 + h % 8, h)
        text += "units = %s\n" % units if n_hooks > 1 else ""
    return text


def make_national(top, n, n_hooks, name):
    def draw(rng):
        return rng.randint(0, 10000)
    rng = random.Random(766)
    a = [[draw(rng) for _ in KEYS] for _ in range(n)]
    b = change(a, 5, random.Random(769), draw)
    for label, values in (("a", a), ("b", b)):
        write(os.path.join(top, name, label, "body.json"), national_body(values))
    return national_config(n, n_hooks)


# ---- the reporting service's shape ---------------------------------------------------------------------------------------

PARTS = ["transparency", "dvc-progress-tree", "provide-online-tree", "formality-online-payment-tree", "dossier-digitized",
         "handling-satisfaction"]
MAXIMA = [18, 20, 12, 10, 22, 18]
TREES = (1, 2, 3)


def share(v):
    return v / 100


def reporting_id(scope, i):
    return "019d2be3-6ab4-74ce-8a81-%s%010d" % (scope, i)


def metric(code, value, denominator):
    return {"code": code, "numerator": denominator * value // 10000, "denominator": denominator, "ratio": share(value),
            "score": share(value * 4 // 100), "maxScore": 4}


def reporting_row(part, scope, i, row):
    """Columns of `row`: six shares in hundredths of a percent, two of metrics, received."""
    name = "UBND %s %s" % ("xã" if i % 3 else "phường", name_of(i))
    points = round(row[part] * MAXIMA[part] / 10000, 2)
    one = {"departmentId": reporting_id(scope, i + 1), "departmentName": name, "departmentCode": "H%s.%d" % (scope, i + 1)}
    if part in TREES:
        one.update(level="COMMUNE", totalReceived=row[8], totalOnTime=row[8] * row[1] // 10000,
                   totalOverdue=row[8] - row[8] * row[1] // 10000, avgProcessingDays=5.6, ratio=share(row[part]))
        one["score" if part == 1 else "totalScore"] = points
        one.update(maxScore=MAXIMA[part], scoreDelta=None)
        return one
    one.update(stt=i + 1, departmentType="COMMUNE_PEOPLE_COMMITTEE", departmentLevel="COMMUNE", agencyLevel="level_2",
               totalScore=points, totalMaxScore=MAXIMA[part], ratio=share(row[part]))
    one["metrics"] = [metric("ORIGINAL_RESULT_AVAILABLE", row[6], row[8]), metric("SO_HOA_GIAY_TO_GIAI_QUYET", row[7], row[8]),
                      metric("REUSED_DIGITIZED_DATA", 165, row[8]), metric("ELECTRONIC_CERTIFIED_COPY", 10000, row[8])]
    one["scoreDelta"] = None
    return one


def reporting_body(part, scope, values):
    rows = [reporting_row(part, scope, i, row) for i, row in enumerate(values)]
    if part in TREES:
        parent = {"departmentId": reporting_id(scope, 0), "departmentName": "UBND tỉnh " + scope, "departmentCode": "H" + scope,
                  "ratio": 90.0}
        data = {"parent": parent, "children": rows}
    else:
        data = {"overview": {}, "evaluation": rows,
                "pagination": {"currentPage": 1, "pageSize": 200, "total": len(rows), "totalPages": 1}}
    return {"code": "OK", "data": data, "message": "OK"}


def reporting_config(scopes):
    text = COMMON.replace("@SHIPPED@", "yes") + SOURCE + "preset = dvcqg-reporting\n"
    text += "".join("scope = %s\n" % reporting_id(s, 0) for s in scopes)
    for scope in scopes:
        text += "[recipient p%s]\nimmediate = yes\nunits = parent:nation:H%s\n" % (scope, scope)
        text += "webhook = http://127.0.0.1:@PORT@/hook/%s\n" % scope
    return text


def make_reporting(top, n, percent, name):
    def draw(rng):
        return rng.randint(7500, 10000)
    scopes = ["%02d" % (s + 1) for s in range(N_SCOPES)]
    for s, scope in enumerate(scopes):
        rng = random.Random(766000 + s)
        size = n // N_SCOPES + (s < n % N_SCOPES)
        a = [[draw(rng) for _ in range(9)] for _ in range(size)]
        for label, values in (("a", a), ("b", change(a, percent, random.Random(769000 + s), draw))):
            for part, call in enumerate(PARTS):
                path = os.path.join(top, name, label, "api/v1/reporting/evaluation", call, reporting_id(scope, 0) + ".json")
                write(path, reporting_body(part, scope, values))
    return reporting_config(scopes)


def configure(top, name, text, port, path):
    for key, value in (("@DIR@", os.path.join(top, name)), ("@PORT@", port), ("@SHAPE@", path)):
        text = text.replace(key, value)
    write(os.path.join(top, name, "chisod.conf"), text)


def main():
    top, port = os.path.abspath(sys.argv[1]), sys.argv[2]
    shapes = {"national-%d" % n: (make_national, n, 1) for n in (15, 3321, 10600)}
    shapes["national-3321-hooks"] = (make_national, 3321, N_HOOKS)
    shapes.update({"reporting-%d" % p: (make_reporting, 3321, p) for p in (5, 75)})
    for name, (make, *arguments) in shapes.items():
        text = make(top, *arguments, name)
        configure(top, name, text, port, name)
        if name == "national-3321":
            configure(top, name + "-etag", text, port, "etag/" + name)


if __name__ == "__main__":
    main()
