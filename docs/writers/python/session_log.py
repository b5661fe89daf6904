"""A writer for sessions.jsonl in Python 3.8 or newer, standard library only.

    log = SessionLog("/var/lib/lakehouse/validator/sessions.jsonl")
    log.append({"session_id": trace_id, "kind": "fill", "model": "m", "iterations": 1,
                "final_verdict": "accepted", "attempts": [{"verdict": "accepted"}],
                "grounded_in_roster": True})

As a program it appends the records it reads from standard input, one JSON object per line:

    python3 session_log.py sessions.jsonl < records.jsonl

docs/SESSION_LOG.md has the rules that it keeps.
"""

import datetime
import json
import os
import stat
import sys
import threading
import uuid

MAX_LINE_BYTES = 8 * 1024 * 1024


class SessionLog:
    """Appends records, one line and one write(2) each. Never raises into its host: it counts what it drops."""

    def __init__(self, path, writer_id=None):
        self.path = path
        self.writer_id = writer_id or str(uuid.uuid4())
        self.written = 0
        self.dropped = 0
        self.last_error = None
        self._seq = 0
        self._fd = None
        self._file = None
        self._torn = False
        self._lock = threading.Lock()

    def append(self, record):
        """Returns True when the whole line is in the file."""
        with self._lock:
            # A dropped record burns its number, so that the loss shows as a gap.
            self._seq += 1
            try:
                self._write(self._line(record, self._seq))
                self.written += 1
                return True
            except Exception as error:
                self.dropped += 1
                self.last_error = error
                return False

    def close(self):
        with self._lock:
            self._close()

    def _line(self, record, seq):
        stamped = dict(record)
        stamped.setdefault("schema", "session.iterate.v1")
        stamped.setdefault("timestamp", datetime.datetime.now(datetime.timezone.utc).isoformat())
        stamped.setdefault("call_id", str(uuid.uuid4()))
        stamped["writer_id"] = self.writer_id
        stamped["seq"] = seq
        # NaN is not JSON. A lone surrogate has no UTF-8, and its escape is refused by readers.
        text = json.dumps(stamped, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        line = text.encode("utf-8", "replace") + b"\n"
        if len(line) > MAX_LINE_BYTES:
            raise ValueError("record of %d bytes" % len(line))
        return line

    def _write(self, line):
        self._reopen_if_moved()
        if self._fd is None:
            self._open()
        data = b"\n" + line if self._torn else line
        self._torn = True
        try:
            written = os.write(self._fd, data)
            # A disk that fills up gives a short count first and an error only the next time.
            if written != len(data):
                raise OSError("short write: %d of %d bytes" % (written, len(data)))
        except OSError:
            self._close()
            raise
        self._torn = False

    def _open(self):
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        fd = os.open(self.path, flags, 0o600)
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            os.close(fd)
            raise OSError("not a regular file: %r" % self.path)
        self._fd = fd
        self._file = (info.st_dev, info.st_ino)
        self._torn = info.st_size > 0 and not self._ends_a_line(info.st_size)

    def _ends_a_line(self, size):
        """A file that may not be read counts as torn: a blank line is harmless, a glued one is lost."""
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                return os.pread(fd, 1, size - 1) == b"\n"
            finally:
                os.close(fd)
        except OSError:
            return False

    def _reopen_if_moved(self):
        if self._fd is None:
            return
        try:
            info = os.lstat(self.path)
            moved = (info.st_dev, info.st_ino) != self._file
        except FileNotFoundError:
            moved = True
        if moved:
            self._close()

    def _close(self):
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def main():
    log = SessionLog(sys.argv[1])
    for line in sys.stdin:
        log.append(json.loads(line))
    log.close()
    if log.dropped:
        print("%d records dropped: %s" % (log.dropped, log.last_error), file=sys.stderr)
    return 1 if log.dropped else 0


if __name__ == "__main__":
    sys.exit(main())
