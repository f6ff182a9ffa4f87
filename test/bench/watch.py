"""Watches the logs of many processes at once, and notes when each line arrived.

Both sides of a comparison are read by the same thread with the same clock: a line counts when it is
readable in the pipe, so that neither system's own timestamps or polling decide the result.
"""

import os
import re
import selectors
import signal
import subprocess
import threading
import time


class Watch:
    """Processes with piped logs. `pattern` finds (what, subject) in a line."""

    def __init__(self, pattern):
        self.pattern = re.compile(pattern)
        self.processes = {}
        self.seen = {}  # (observer, what, subject) -> arrival of the newest such line
        self.changed = threading.Condition()
        self._selector = selectors.DefaultSelector()
        self._rest = {}
        self._wake_read, self._wake_write = os.pipe()
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def start(self, name, command):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        os.set_blocking(process.stdout.fileno(), False)
        self.processes[name] = process
        self._rest[name] = b""
        self._selector.register(process.stdout, selectors.EVENT_READ, name)
        os.write(self._wake_write, b"x")
        return process

    def _read(self):
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    if not os.read(self._wake_read, 4096).strip(b"x") == b"":
                        return
                    continue
                chunk = key.fileobj.read()
                now = time.monotonic()
                if not chunk:
                    if chunk == b"":
                        self._selector.unregister(key.fileobj)
                    continue
                self._take(key.data, chunk, now)

    def _take(self, name, chunk, now):
        *lines, self._rest[name] = (self._rest[name] + chunk).split(b"\n")
        with self.changed:
            for line in lines:
                match = self.pattern.search(line.decode(errors="replace"))
                if match:
                    self.seen[(name, match.group(1), match.group(2))] = now
            self.changed.notify_all()

    def wait_all(self, wanted, since, seconds):
        """Arrival of each (observer, what, subject) after `since`; TimeoutError says what lacks."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while True:
                lacking = [one for one in wanted if self.seen.get(one, -1.0) < since]
                if not lacking:
                    return [self.seen[one] for one in wanted]
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"{len(lacking)} of {len(wanted)} lines did not come within"
                                       f" {seconds} s, {lacking[0]} among them")
                self.changed.wait(left)

    def count(self, what, since=0.0):
        """Lines of one kind about subjects, as {(observer, subject)}."""
        with self.changed:
            return {(observer, subject) for (observer, kind, subject), at in self.seen.items()
                    if kind == what and at >= since}

    def end(self):
        """Kills every process, stopped ones too."""
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
        for process in self.processes.values():
            process.wait()
        os.write(self._wake_write, b"q")
        self._thread.join()
        for process in self.processes.values():
            process.stdout.close()
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)
