#!/usr/bin/python3
"""webhook-library.py BUILD: what the daemon posts, as the public library of Standard Webhooks sees it.

The library comes by npm into the build folder. Without it this test fails: a receiver that we wrote ourselves
(tests/peers/hook.py) would share our misunderstandings."""
import base64
import json
import os
import subprocess
import sys

from lab import PEERS, Lab, npm_install
from sample import SECRET, configure, month, routes

LIBRARY = "standardwebhooks@1"
OLD, NEW, OTHER = SECRET, "whsec_" + "bmV3LXNlY3JldC1uZXctc2VjcmV0LW5ldy1zZWNyZXQ=", "whsec_" + "b3RoZXItc2VjcmV0LW90aGVyLXNlY3JldC1vdGhlci0="


def verify(library, offset, lines):
    """What the library says to each (secret, headers, body)."""
    text = "".join(json.dumps({"secret": secret, "headers": headers, "body": base64.b64encode(body).decode()}) + "\n" for secret, headers, body in lines)
    r = subprocess.run(["node", os.path.join(PEERS, "verify.js"), library, str(offset)], input=text, stdout=subprocess.PIPE, text=True, check=True,
                       timeout=60)
    said = r.stdout.splitlines()
    assert len(said) == len(lines), (said, len(lines))
    return said


def received(lab):
    found = []
    for name in sorted(os.listdir(lab.path("hook"))):
        if name.endswith(".json"):
            with open(lab.path("hook", name), encoding="utf8") as f:
                headers = json.load(f)["headers"]
            with open(lab.path("hook", name[:-5] + ".body"), "rb") as f:
                found.append((headers, f.read()))
    return found


def check(library, lab, headers, body, secrets):
    """By each secret, and by nothing else that was changed."""
    def changed(name, value):
        return {k: value if k.lower() == name else v for k, v in headers.items()}

    lower = {k.lower(): v for k, v in headers.items()}
    at, name = int(lower["webhook-timestamp"]), lower["webhook-id"]
    mistakes = [("another body", headers, body + b" "),
                ("a letter of it", headers, body.replace("Xã".encode(), "xã".encode(), 1)),
                ("another second", changed("webhook-timestamp", str(at + 1)), body),
                ("another message", changed("webhook-id", name[:-1] + ("0" if name[-1] != "0" else "1")), body),
                ("an hour ago", changed("webhook-timestamp", str(at - 3600)), body),
                ("no signature", changed("webhook-signature", ""), body)]
    mistakes = [m for m in mistakes if m[1:] != (headers, body)]
    assert len(mistakes) >= 5, mistakes
    lines = [(secret, headers, body) for secret in secrets] + [(OTHER, headers, body)]
    lines += [(secret, h, b) for secret in secrets for _, h, b in mistakes]
    said = verify(library, lab.clocks()[0], lines)
    assert said[:len(secrets)] == ["ok"] * len(secrets), said
    for line, verdict in zip(["another secret"] + [m[0] for m in mistakes] * len(secrets), said[len(secrets):]):
        assert verdict.startswith("WebhookVerificationError"), (line, verdict)
    return len(lines)


def main():
    library = npm_install(sys.argv[1], LIBRARY)
    with Lab(sys.argv[1]) as lab:
        lab.clock("2024-08-05T08:05:00+07:00")
        lab.start_publisher()
        lab.start_smtp()
        lab.start_hook(OLD)
        configure(lab)
        lab.publish(routes({"2024-07": month("2024-07"), "2024-08": month("2024-08")}))
        lab.start()
        lab.ask("portal", "2024-07")
        lab.ctl("drill", "dashboard")
        lab.wait(lambda: len(lab.hooks()) == 1 and lab.settled(), "the drill")
        n = check(library, lab, *received(lab)[0], [OLD])

        # a secret is replaced: for a while both are used; the file is read anew for each message
        with open(lab.path("etc", "hook-secret"), "w", encoding="ascii") as f:
            f.write(OLD + "\n" + NEW + "\n")
        lab.clock("2024-09-05T07:59:00+07:00")
        lab.ask("portal", "2024-08")
        lab.wait(lambda: len(lab.hooks()) == 2 and lab.settled(), "August")
        n += check(library, lab, *received(lab)[1], [OLD, NEW])
        assert b"C\xc6\xb0\xc6\xa1ng Ch\xc3\xadnh" in received(lab)[1][1], "a body with Vietnamese in it"

        with open(lab.path("etc", "hook-secret"), "w", encoding="ascii") as f:
            f.write(NEW + "\n")
        lab.ctl("drill", "dashboard")
        lab.wait(lambda: len(lab.hooks()) == 3 and lab.settled(), "another drill")
        headers, body = received(lab)[2]
        n += check(library, lab, headers, body, [NEW])
        assert verify(library, lab.clocks()[0], [(OLD, headers, body)])[0].startswith("WebhookVerificationError")
        lab.integrity()
        assert lab.stop() == 0
    print("webhook-library: %d verdicts of %s" % (n + 1, LIBRARY))


main()
