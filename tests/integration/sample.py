"""The Tiên Lữ sample in the laboratory: what to publish, and the drop-in that puts loopback addresses into the sample's configuration."""
import csv
import json
import os
import shutil

from lab import TOP

SAMPLE = os.path.join(TOP, "conf", "sample", "tien-lu")
SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
EVALUATION = "/api/v1/reporting/evaluation/"

DROPIN = """
[daemon]
shipped_rules = no
state_dir = @DIR@/state
socket_dir = @DIR@/run
[network]
ca_file = @DIR@/certs/ca.pem
[smtp]
url = smtp://localhost:@SMTP@
username =
password =
[source portal]
url = http://127.0.0.1:@PUB@/api/v1/reporting/evaluation
pace = 0s
spread = 0s
[recipient dashboard]
webhook = http://127.0.0.1:@HOOK@/hook
webhook_secret = file:@DIR@/etc/hook-secret
"""


def load(month, name):
    with open(os.path.join(SAMPLE, month, name + ".json"), encoding="utf8") as f:
        return json.load(f)


def routes(months):
    """Routes of the publisher: {month: {call: document}}; a request names its month in the body."""
    table = []
    for month, calls in months.items():
        year, number = month.split("-")
        for call, document in calls.items():
            table.append({"path": EVALUATION + call, "method": "POST", "match": '"year":%s,"month":%d,' % (year, int(number)),
                          "status": 201, "mode": "status", "json": document})
    return table


def month(name, folder=None):
    folder = folder or name
    return {call: load(folder if os.path.exists(os.path.join(SAMPLE, folder, call + ".json")) else name, call)
            for call in ("service-results", "dvc-progress-tree")}


def configure(lab, extra="", dropin=DROPIN):
    shutil.copy(os.path.join(SAMPLE, "chisod.conf"), lab.path("etc", "chisod.conf"))
    os.makedirs(lab.path("etc", "chisod.conf.d"), exist_ok=True)
    sample = lab.path("etc", "chisod.conf.d", "50-lab.conf")
    text = dropin + extra
    for name, value in (("@DIR@", lab.dir), ("@PUB@", lab.pub_port), ("@SMTP@", lab.smtp_port), ("@HOOK@", lab.hook_port)):
        text = text.replace(name, str(value))
    with open(sample, "w", encoding="utf8") as f:
        f.write(text)
    with open(lab.path("etc", "hook-secret"), "w", encoding="ascii") as f:
        f.write(SECRET + "\n")


def start_both_months(lab):
    """Everything is there and both months are known: July since 6 August, August since the morning of 5 September, before it is told."""
    lab.clock("2024-08-05T08:05:00+07:00")
    lab.start_publisher()
    lab.start_smtp()
    lab.start_hook()
    lab.publish(routes({name: month(name) for name in ("2024-07", "2024-08")}))
    configure(lab)
    lab.start()
    for at, name in (("2024-08-06", "2024-07"), ("2024-09-05", "2024-08")):
        lab.clock(at + "T07:30:00+07:00")
        lab.ask("portal", name)
    lab.wait(lab.settled, "nothing is on its way")


def letter():
    """Rows of the letter's appendix: place, code, name, total, change, progress (decimal comma)."""
    with open(os.path.join(SAMPLE, "letter.tsv"), encoding="utf8") as f:
        return [row for row in csv.reader(f, delimiter="\t") if row and not row[0].startswith("#")]
