"""A writer for sessions.jsonl in Python 3.8 or newer, standard library only.

    log = SessionLog("/var/lib/lakehouse/validator/sessions.jsonl")
    log.append({"session_id": trace_id, "kind": "fill", "model": "m", "iterations": 1,
                "final_verdict": "accepted", "attempts": [{"verdict": "accepted"}],
                "grounded_in_roster": True})

As a program it appends the records it reads from standard input, one JSON object per line:

    python3 session_log.py sessions.jsonl < records.jsonl

docs/SESSION_LOG.md has the rules that it keeps.
"""

import contextlib
import datetime
import json
import os
import stat
import sys
import threading
import uuid
import weakref

MAX_LINE_BYTES = 8 * 1024 * 1024
# Tries of a write whose file is moved away each time.
MOVES = 3


class SessionLog:
    """Appends records, one line and one write(2) each. Never raises into its host: it counts what it drops.

    Safe between threads, and across fork: a child is a writer of its own, with an id, numbers and counts of its own.
    """

    def __init__(self, path, writer_id=None):
        self.path = path
        # A change of the working directory must not move the log; what is wrong with the path, append() says.
        with contextlib.suppress(Exception):
            self.path = os.path.abspath(path)
        self._given_id = writer_id
        self._fd = None
        self._begin(writer_id)
        _logs.add(self)

    def _begin(self, writer_id):
        self.writer_id = writer_id or str(uuid.uuid4())
        self.written = 0
        self.dropped = 0
        self.last_error = None
        self._seq = 0
        self._file = None
        self._torn = False
        # A signal handler may log while its thread does. After a fork the lock is new: one that another thread of
        # the parent holds is never released in the child.
        self._lock = threading.RLock()

    def _after_fork_in_child(self):
        # The descriptor is the child's own; the parent keeps its copy.
        with contextlib.suppress(OSError):
            self._close()
        self._fd = None
        self._begin(self._id_of_child())

    def _id_of_child(self):
        """Two writers of one name would count alike, which reads as one that wrote twice."""
        return "%s.%s" % (self._given_id, uuid.uuid4().hex[:8]) if self._given_id else None

    def __reduce__(self):
        """For multiprocessing, which hands a copy to a process that it starts anew."""
        return SessionLog, (self.path, self._id_of_child())

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
        for _ in range(MOVES):
            self._write_once(line)
            # Whoever moved the file meanwhile may have read it to its end already. Equal lines are counted once.
            self._reopen_if_moved()
            if self._fd is not None:
                return

    def _write_once(self, line):
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
        try:
            fd = os.open(self.path, flags, 0o600)
        except FileNotFoundError:
            _make_folder(os.path.dirname(self.path))
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


def _make_folder(folder):
    """Each missing folder is 0700: os.makedirs gives its mode to the last one only."""
    if os.path.isdir(folder):
        return
    parent = os.path.dirname(folder)
    if parent != folder:
        _make_folder(parent)
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o700)


_logs = weakref.WeakSet()


def _after_fork_in_child():
    for log in list(_logs):
        log._after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


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
