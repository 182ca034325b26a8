"""What the peers share: how they say that they are ready, and that they end with the test that started them."""
import ctypes
import json
import os
import signal
import threading

_lock = threading.Lock()


def die_with_parent():
    """A test that crashes must not leave servers behind; a script that starts a peer in the background wants it to stay."""
    if os.environ.get("PEER_DIES_WITH_PARENT"):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)
        if os.getppid() == 1:
            raise SystemExit(1)


def ready(port):
    print(f"ready {port}", flush=True)


def append_json_line(path, record):
    if not path:
        return
    with _lock, open(path, "a", encoding="utf-8") as f:
        f.write(json.dumps(record, ensure_ascii=False) + "\n")


def read_text(path, default=""):
    try:
        with open(path, encoding="utf-8") as f:
            return f.read().strip() or default
    except OSError:
        return default


def write_whole(path, data):
    """A reader never sees half a file."""
    with open(path + ".tmp", "wb") as f:
        f.write(data)
    os.rename(path + ".tmp", path)
