#!/usr/bin/python3
"""`chisoctl setup`: typed at a terminal, with options alone, with wrong answers, over a configuration that is there, and by somebody who may not.
The test mail goes through a real relay with STARTTLS and a log-in; what is written is a configuration that the daemon starts with."""
import contextlib
import os
import pty
import select
import shutil
import subprocess
import sys
import time

from lab import Lab

NAME = "UBND tỉnh Hưng Yên"
NOBODY = 65534


def read(path):
    with open(path, encoding="utf8") as f:
        return f.read()


def files(folder):
    return sorted(os.listdir(folder))


class Terminal:
    """A person who answers: say(prompt, answer) waits for the prompt and types."""

    def __init__(self, argv, env):
        self.seen = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(argv[0], argv, env)
        self.at = 0

    def read(self, seconds=30):
        assert select.select([self.fd], [], [], seconds)[0], "nothing more than: " + self.seen[self.at:]
        with contextlib.suppress(OSError): # EIO: the other end is closed
            data = os.read(self.fd, 65536)
            self.seen += data.decode("utf8", "replace")
            return data
        return b""

    def expect(self, text):
        while text not in self.seen[self.at:]:
            assert self.read(), "ended without: %s\n%s" % (text, self.seen)
        self.at = self.seen.index(text, self.at) + len(text)

    def say(self, prompt, answer):
        self.expect(prompt)
        os.write(self.fd, answer.encode("utf8") + b"\n")

    def end(self):
        while self.read():
            pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def setup(lab, *args, check=None, path=None):
    argv = [lab.path_of("chisoctl"), "setup", "--config", path or lab.path("etc", "chisod.conf"), *args]
    r = subprocess.run(argv, env=lab.env(), text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                       check=False)
    assert check is None or r.returncode == check, (args, r.returncode, r.stdout, r.stderr)
    return r


def check_config(lab, path=None):
    r = subprocess.run([lab.path_of("chisod"), "--config", path or lab.path("etc", "chisod.conf"), "--check-config"], env=lab.env(),
                       stdout=subprocess.PIPE, text=True, check=False)
    assert r.returncode == 0, r.stdout
    return r.stdout


def relay(lab):
    return ["--mail", "smtp://localhost:%d" % lab.smtp_port, "--mail-user", "chisod", "--mail-password-file", lab.path("password"), "--from",
            "Chỉ số 766 <chisod@example.vn>", "--ca-file", lab.path("certs", "ca.pem"), "--operator", "it@example.vn,truc@example.vn"]


def options_alone(lab):
    with open(lab.path("password"), "w", encoding="utf8") as f:
        f.write("relay-password\n")
    source = ["--organization", NAME, "--scope", "019d2be3", "--language", "vi"]
    # a mail that is refused: nothing is written
    with open(lab.path("wrong"), "w", encoding="utf8") as f:
        f.write("not-it\n")
    wrong = [lab.path("wrong") if a == lab.path("password") else a for a in relay(lab)]
    refused = setup(lab, *source, *wrong, check=1)
    assert "535" in refused.stdout and "--no-mail" in refused.stderr and "not-it" not in refused.stdout + refused.stderr, refused
    assert files(lab.path("etc")) == ["secrets"] and lab.mails() == []

    r = setup(lab, *source, *relay(lab), "--recipient", "pvhcc@example.vn", check=0)
    assert "relay-password" not in r.stdout + r.stderr and "systemctl enable" in r.stdout and "chisoctl ranking" in r.stdout, r.stdout
    mails = lab.mails()
    assert len(mails) == 1 and mails[0]["To"] == "it@example.vn" and "Thư thử" in mails[0]["Subject"], mails
    secret = lab.path("etc", "secrets", "smtp-password")
    assert read(secret) == "relay-password" and oct(os.stat(secret).st_mode & 0o777) == "0o600"
    assert oct(os.stat(lab.path("etc", "secrets")).st_mode & 0o777) == "0o700"
    text = read(lab.path("etc", "chisod.conf"))
    assert "relay-password" not in text and "organization = " + NAME in text and text.count("\n;") + text.startswith(";") > 15, text
    assert "email = it@example.vn\nemail = truc@example.vn" in text and "units = kind:commune\nemail = pvhcc@example.vn" in text
    assert "errors, " in check_config(lab) and check_config(lab).splitlines()[-1].startswith("0 errors")


def over_an_existing_one(lab):
    path = lab.path("etc", "chisod.conf")
    before = read(path)
    again = ["--organization", "UBND khác", "--scope", "1"]
    assert "--yes" in setup(lab, *again, check=1).stderr and read(path) == before
    setup(lab, *again, "--yes", "--language", "en", check=0)
    kept = [name for name in files(lab.path("etc")) if name.startswith("chisod.conf.before-")]
    assert len(kept) == 1 and read(lab.path("etc", kept[0])) == before, kept
    assert "; A verified backup" in read(path) and "[smtp]" not in read(path) and "[recipient" not in read(path).replace(";[", "")
    # asked at a terminal: no is no
    t = Terminal([lab.path_of("chisoctl"), "setup", "--config", path], lab.env())
    t.say("[c/K]", "k")
    assert t.end() == 1 and "UBND khác" in read(path)
    # what ships may be replaced unasked
    with open(os.path.join(lab.env()["CHISO_SHARE_DIR"], "chisod.conf"), encoding="utf8") as f, open(path, "w", encoding="utf8") as g:
        g.write(f.read())
    setup(lab, *again, check=0)
    assert [name for name in files(lab.path("etc")) if name.startswith("chisod.conf.before-")] == kept
    # a drop-in counts: what it breaks is not written
    os.mkdir(lab.path("etc", "chisod.conf.d"))
    with open(lab.path("etc", "chisod.conf.d", "x.conf"), "w", encoding="utf8") as f:
        f.write("[daemon]\ncolour = red\n")
    before = read(path)
    r = setup(lab, *again, "--yes", check=1)
    assert "x.conf:2" in r.stderr and "colour" in r.stderr and read(path) == before, r
    os.unlink(lab.path("etc", "chisod.conf.d", "x.conf"))


def wrong_options(lab):
    path = lab.path("etc", "new.conf")
    good = {"--organization": NAME, "--scope": "1", "--mail": "mail.example.vn", "--from": "a@example.vn", "--operator": "b@example.vn"}
    for option, value, word in (("--organization", None, "--organization"), ("--scope", None, "--scope"), ("--mail", None, "--mail"), ("--operator", None, "--operator"),
                                ("--from", None, "--from"), ("--operator", "nobody", "nobody"), ("--operator", "a@b.vn, c@@d", "c@@d"),
                                ("--url", "ftp://x", "ftp://x"), ("--url", "http://", "http://"), ("--mail", "http://x", "http://x"),
                                ("--mail", "host:port", "host:port"), ("--preset", "../../etc/passwd", "passwd"), ("--preset", "none", "none"),
                                ("--language", "fr", "fr"), ("--organization", "x ; y", "x ; y"), ("--organization", "x\n[smtp]", "smtp"),
                                ("--mail-password-file", "/nowhere", "/nowhere"), ("--mail-tls", "maybe", "maybe"),
                                ("--ca-file", "relative.pem", "relative.pem")):
        args = dict(good, **{option: value})
        if option == "--mail-password-file":
            args["--mail-user"] = "u"
        flat = [word for name, text in args.items() if text is not None for word in (name, text)]
        r = setup(lab, *flat, "--no-mail", path=path)
        assert r.returncode == 2 and word in r.stderr and len(r.stderr.splitlines()) == 1, (option, value, r)
        assert not os.path.exists(path)
    for host, url in (("mail.example.vn", "smtp://mail.example.vn:587"), ("mail.example.vn:465", "smtps://mail.example.vn:465"),
                      ("mail.example.vn:25", "smtp://mail.example.vn:25"), ("smtps://m.example.vn", "smtps://m.example.vn")):
        args = [word for pair in dict(good, **{"--mail": host}).items() for word in pair]
        setup(lab, *args, "--no-mail", "--yes", path=path, check=0)
        assert "\nurl = %s\n" % url in read(path), read(path)
    os.unlink(path)
    # a preset that needs more than the few questions: told, not written
    r = setup(lab, "--organization", NAME, "--preset", "generic-json", "--url", "http://x.example/y", path=path, check=1)
    assert "portal.main" in r.stderr and not os.path.exists(path), r


def typed(lab):
    path = lab.path("etc", "typed.conf")
    t = Terminal([lab.path_of("chisoctl"), "setup", "--config", path, "--ca-file", lab.path("certs", "ca.pem")], lab.env())
    t.say("language (vi, en)", "vi")
    t.say("Tên cơ quan", "")
    t.expect("cần trả lời")
    t.say("Tên cơ quan", "UBND ; tỉnh")
    t.expect("chú thích")
    t.say("Tên cơ quan", NAME)
    t.expect("dvcqg-restjsp")
    t.say("Mẫu nguồn", "nothing-like-it")
    t.expect("chưa được")
    t.say("Mẫu nguồn", "")
    t.expect("rootDepartmentId") # what the preset says of its scope
    t.say("Địa chỉ nơi công bố [https://dichvucong.gov.vn]", "dichvucong")
    t.expect("http://")
    t.say("Địa chỉ nơi công bố", "http://127.0.0.1:1/")
    t.say("Tỉnh hoặc phạm vi", "019d2be3")
    t.say("Máy chủ thư", "localhost:%d" % lab.smtp_port)
    t.say("Tên đăng nhập", "chisod")
    t.say("Mật khẩu", "not-it")
    t.say("Thư đi từ", "chisod")
    t.expect("chưa được")
    t.say("Thư đi từ", "chisod@example.vn")
    t.say("người vận hành", "it@")
    t.expect("chưa được")
    t.say("người vận hành", "it@example.vn")
    t.say("mọi xã", "")
    t.say("Gửi thư thử", "")
    t.expect("535")
    t.say("thử lại?", "")
    for prompt, text in (("Máy chủ thư", ""), ("TLS", ""), ("chứng thư", ""), ("Tên đăng nhập", ""), ("Mật khẩu", "relay-password"), ("đi từ", "")):
        t.say(prompt, text)
    t.say("Gửi thư thử", "c")
    t.expect("Đã viết " + path)
    t.expect("Tiếp theo")
    assert t.end() == 0
    assert "not-it" not in t.seen and "relay-password" not in t.seen, t.seen
    assert len(lab.mails()) == 2 and read(lab.path("etc", "secrets", "smtp-password")) == "relay-password"
    assert "url = http://127.0.0.1:1\n" in read(path) and "url = smtp://localhost:%d\n" % lab.smtp_port in read(path)
    check_config(lab, path)
    # the end of the input is no answer
    t = Terminal([lab.path_of("chisoctl"), "setup", "--config", lab.path("etc", "never.conf"), "--language", "en"], lab.env())
    t.say("Organization", NAME)
    t.say("Preset", "\x04")
    assert t.end() == 1 and not os.path.exists(lab.path("etc", "never.conf"))
    assert "nothing was written" in t.seen


def not_root(lab):
    """The installed path is root's; any other one belongs to whoever may write its folder."""
    os.chmod(lab.dir, 0o755)
    os.chmod(lab.path("etc"), 0o755)
    program = shutil.copy(lab.path_of("chisoctl"), lab.path("chisoctl")) # a checkout may be root's alone
    user = {"user": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    for where in ([], ["--config", lab.path("etc", "chisod.conf")] if user else []):
        r = subprocess.run([program, "setup", *where, "--organization", NAME, "--scope", "1"], env=dict(lab.env(), LC_ALL="en_US.UTF-8"),
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **user)
        assert r.returncode == 1 and "root is needed" in r.stdout and "sudo chisoctl setup" in r.stdout, r


def starts(lab):
    """The daemon takes what was written; only its folders are the laboratory's."""
    with open(lab.path("etc", "chisod.conf.d", "50-lab.conf"), "w", encoding="utf8") as f:
        f.write("[daemon]\nstate_dir = %s\nsocket_dir = %s\nbackup_dir = %s\n[source portal]\nenabled = no\n" % (
            lab.path("state"), lab.path("run"), lab.path("backup")))
    lab.start()
    assert lab.json("status")["organization"] == "UBND khác" and lab.json("status")["notify"] == "observe"
    assert lab.stop() == 0


def main():
    with Lab(sys.argv[1]) as lab:
        began = time.monotonic()
        lab.start_smtp("--auth", "chisod", "relay-password")
        options_alone(lab)
        over_an_existing_one(lab)
        wrong_options(lab)
        typed(lab)
        not_root(lab)
        starts(lab)
        print("setup: passed in %.1f s" % (time.monotonic() - began))


main()
