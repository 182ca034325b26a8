"""The plan of iofault.so (tests/faults/iofault.c), by name.

    faults = Faults(build, folder)
    subprocess.Popen([...], env=faults.env(os.environ))
    faults.plan(at=17, error=errno.ENOSPC)      # the 17th matching call from now on, once
    faults.plan(at=1, length=FOREVER, error=errno.EIO, ops=WRITE | SYNC)
    faults.seen, faults.failed                  # so far
    faults.plan()                               # no more faults; counting goes on from 0
"""
import mmap
import os
import struct
import tempfile

OPEN, READ, WRITE, SYNC, TRUNCATE, UNLINK, RENAME = 1, 2, 4, 8, 16, 32, 64
EVERY = 127
CUT = -1 # as an error: a short write
KILL_BEFORE, KILL_AFTER = -2, -3 # as an error: SIGKILL, the call made or not
FOREVER = 1 << 40


class Faults:
    def __init__(self, build, folder):
        self.library = os.path.join(os.path.abspath(build), "tests", "iofault.so")
        assert os.path.exists(self.library), self.library
        self.folder = os.path.abspath(folder)
        fd, self.path = tempfile.mkstemp(prefix="iofault-")
        os.write(fd, bytes(48))
        self.map = mmap.mmap(fd, 48)
        os.close(fd)
        self.plan()

    def close(self):
        self.map.close()
        os.unlink(self.path)

    def env(self, base):
        options = ":".join(filter(None, [base.get("ASAN_OPTIONS"), "verify_asan_link_order=0"]))
        return dict(base, LD_PRELOAD=self.library, IOFAULT_DIR=self.folder, IOFAULT_PLAN=self.path, ASAN_OPTIONS=options)

    def _get(self, i):
        return struct.unpack_from("=q", self.map, 8 * i)[0]

    def _put(self, i, value):
        struct.pack_into("=q", self.map, 8 * i, value)

    @property
    def seen(self):
        return self._get(0)

    @property
    def failed(self):
        return self._get(5)

    def plan(self, at=0, length=1, error=5, ops=EVERY):
        """`at` is written last: until then nothing fails."""
        self._put(1, 0)
        for i, value in ((0, 0), (2, length), (3, error), (4, ops), (5, 0), (1, at)):
            self._put(i, value)
