"""riftbus-tunnel as a test runs it, a server of echoes behind it, and bytes sent through both."""

import contextlib
import json
import os
import resource
import select
import shutil
import socket
import subprocess
import tempfile
import threading

from sshd import wait_until

# For tests that count sessions: a machine that stands still for seconds ends none.
PATIENT = ("--tunnel-keepalive-ms", "10000")
TUNNEL = os.path.join(os.environ.get("RIFTBUS_BIN", "build/bin"), "riftbus-tunnel")


class Echo:
    """Sends back what it gets; ends its side when the other has ended."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    @staticmethod
    def serve(connection):
        try:
            with connection:
                while data := connection.recv(65536):
                    connection.sendall(data)
        except OSError:
            pass

    def close(self):
        # Its number is soon another listener's, from which our thread must not accept any more.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()


def send_and_end(connection, data):
    try:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the reader sees it too


def exchange(port, data, host="127.0.0.1"):
    """Sends all, ends its half, and answers what came back until the other half ended."""
    return exchange_over(socket.create_connection((host, port), timeout=30), data)


def exchange_over(connection, data):
    with connection:
        sender = threading.Thread(target=send_and_end, args=(connection, data))
        sender.start()
        received = bytearray()
        while part := connection.recv(65536):
            received += part
        sender.join()
    return bytes(received)


def connect_to(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(30)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


def echoes(port):
    try:
        return exchange(port, b"ping") == b"ping"
    except OSError:
        return False


@contextlib.contextmanager
def starved(pid):
    """The process can open nothing more."""
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))


def processor_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_unserved(connection, pid, seconds=2.5):
    """Nobody answers for so long, and the process is quiet meanwhile: what it spent, in seconds."""
    connection.settimeout(seconds)
    connection.sendall(b"x")
    before = processor_s(pid)
    try:
        raise AssertionError(f"was served: {connection.recv(1)}")
    except TimeoutError:
        pass
    connection.settimeout(20)
    return processor_s(pid) - before


class HungFile:
    """Writing this file anew takes as long as the disk hangs, that is until go_on()."""

    def __init__(self, path):
        self.path, self.fifo = path + ".new", path + ".fifo"
        os.mkfifo(self.fifo)
        # It stands there for a moment at every writing.
        wait_until(lambda: os.link(self.fifo, self.path) is None, "no writing is under way")

    def go_on(self):
        """Whether somebody was held up."""
        os.unlink(self.path)
        reader = os.open(self.fifo, os.O_RDONLY | os.O_NONBLOCK)
        os.unlink(self.fifo)
        try:
            return bool(select.select([reader], [], [], 20)[0] and os.read(reader, 1))
        finally:
            os.close(reader)


class Tunnel:
    def __init__(self, *arguments):
        self.dir = tempfile.mkdtemp(prefix="riftbus-tunnel-")
        self.arguments = ["--node-id", "n1", "--data-dir", self.dir, *arguments]
        self.process = None

    def run(self, *more):
        return subprocess.run([TUNNEL, *self.arguments, *more], capture_output=True, text=True,
                              timeout=30, check=False)

    def key_line(self):
        shown = self.run("--show-key")
        assert shown.returncode == 0, shown.stderr
        return shown.stdout.strip()

    def start(self):
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen([TUNNEL, *self.arguments], stderr=log)

    def path(self, name):
        return os.path.join(self.dir, name)

    def log(self):
        with open(self.path("log"), encoding="utf-8") as file:
            return file.read()

    def status(self):
        try:
            with open(self.path("tunnel.json"), encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return {"links": []}

    def is_up(self):
        links = self.status()["links"]
        return bool(links) and all(link["state"] == "up" for link in links)

    def wait_up(self):
        wait_until(self.is_up, f"tunnel up; log: {self.log()}")

    def wait_log(self, text, deadline_s=20.0):
        wait_until(lambda: text in self.log(), f"{text} in {self.log()}", deadline_s)

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)
