#!/usr/bin/python3
"""registry-dates.py BUILD: the day of a reform is corrected in the list, to a later one and to an earlier one, written by codes as the first
time or by keys as exported. What changes is shown and asked; units, their codes and those who make way for each other move together, and
what is published is read anew after the new days. Half of a correction that leaves a code to two units is refused."""
import sys

from lab import Lab, portal

CONFIG = portal("backfill = 0\nmin_units = 0\nmin_share = 0") + "[indicator total]\nlabel = Tổng\n"
LIST = """code;name;kind;from;until;successors
portal:001;;;;%(day)s;portal:001
portal:002;;;;%(day)s;portal:001
portal:001;Xã Mới;commune;%(day)s;;
"""
NEW = "portal:001@2024-07-01"
EARLY, FIRST, LATE = "2024-06-01", "2024-07-01", "2024-08-01"


class World:
    def __init__(self, lab):
        self.lab = lab

    def bring(self, text, *more, check=True):
        with open(self.lab.path("units.csv"), "w", encoding="utf8", newline="") as f:
            f.write(text)
        return self.lab.ctl("units", "import", self.lab.path("units.csv"), *more, check=check)

    def changes(self):
        return {(c["unit"], c["what"], c["old"], c["new"]) for c in self.lab.json("units", "import", self.lab.path("units.csv"))["changes"]}

    def correct(self, text, old, new):
        assert self.bring(text, check=False).returncode == 1  # nobody to ask
        moved = {(u, w, old, new) for u in ("portal:001", "portal:002") for w in ("until", "successor_from")} | {(NEW, "from", old, new)}
        assert self.changes() == moved, (self.changes(), moved)
        told = self.bring(text, "--yes").stdout
        assert "kế thừa từ ngày" in told and "5 thay đổi" in told, told
        self.check(new)
        assert self.changes() == set()

    def check(self, day):
        """Everything that was dated by the reform is dated by this day."""
        sql = self.lab.sql
        assert sql("SELECT key, date(valid_from * 86400, 'unixepoch'), date(valid_until * 86400, 'unixepoch') FROM unit ORDER BY id") == [
            ("portal:001", None, day), ("portal:002", None, day), (NEW, day, None)], sql("SELECT * FROM unit")
        assert sql("SELECT u.key, c.code, date(c.valid_from * 86400, 'unixepoch'), date(c.valid_until * 86400, 'unixepoch') FROM unit_code c"
                   " JOIN unit u ON u.id = c.unit ORDER BY u.id") == [
            ("portal:001", "001", None, day), ("portal:002", "002", None, day), (NEW, "001", day, None)], sql("SELECT * FROM unit_code")
        assert sql("SELECT date(from_day * 86400, 'unixepoch') FROM unit_successor") == [(day,), (day,)]

    def read_anew(self):
        self.lab.ask("portal", "2024-07")
        return dict(self.lab.sql("SELECT u.key, f.value / 100 FROM figure f JOIN unit u ON u.id = f.unit WHERE f.period = 2024107 AND f.value NOT NULL"))


def main():
    with Lab(sys.argv[1]) as lab:
        lab.clock("2024-09-08T09:00:00+07:00")
        lab.start_publisher()
        lab.configure(CONFIG)
        lab.publish([{"path": "/2024-5", "json": {"rows": [{"code": "001", "name": "Xã Một", "total": 90}, {"code": "002", "name": "Xã Hai", "total": 91}]}},
                     {"path": "/2024-7", "json": {"rows": [{"code": "001", "name": "Xã Mới", "total": 92}]}}])
        lab.start()
        lab.ask("portal", "2024-05")
        world = World(lab)
        world.bring(LIST % {"day": FIRST}, "--yes")
        world.check(FIRST)
        assert world.read_anew() == {NEW: 92}

        # by codes: in July it was still the old commune's code, so that the name contradicts it
        world.correct(LIST % {"day": LATE}, FIRST, LATE)
        assert world.read_anew() == {} and lab.json("units", "suggest")["quarantine"][0]["name"] == "Xã Mới"
        world.correct(LIST % {"day": EARLY}, LATE, EARLY)
        assert world.read_anew() == {NEW: 92} and lab.json("units", "suggest")["quarantine"] == []

        # by keys: the exported list with another day, but for the key, which is a name
        exported = lab.ctl("units", "export").stdout
        for old, new in ((EARLY, LATE), (LATE, FIRST)):
            exported = exported.replace(old, new)
            world.correct(exported, old, new)

        # half of it: the old commune's end alone, the new one's beginning alone
        before = lab.ctl("units", "export").stdout
        for half, said in (("key;until\nportal:001;%s\n" % LATE, "dòng 2: từ 2024-07-01, mã portal:001 sẽ là của cả portal:001 và " + NEW),
                           ("key;from\n%s;%s\n" % (NEW, EARLY), "dòng 2: từ 2024-06-01, mã portal:001 sẽ là của cả portal:001 và " + NEW)):
            refused = world.bring(half, "--yes", check=False)
            assert refused.returncode == 1 and said in refused.stderr, refused
            assert lab.ctl("units", "export").stdout == before
        # a row of its own, under the code alone, is of who has the code then
        world.bring("code;email\nportal:001;moi@xa.example\n", "--yes")
        assert lab.sql("SELECT u.key FROM unit_contact c JOIN unit u ON u.id = c.unit") == [(NEW,)]
        lab.integrity()


main()
