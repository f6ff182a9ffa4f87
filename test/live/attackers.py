"""Programs that mean harm to a node's HTTP, each a process of its own while it lasts.

    with Attack(slow_loris, port, 100) as attack:
        ...
    attack.answers  # {"HTTP/1.1 413": 7, "nothing": 2}: how each try ended

An attacker is a function (port, stop, ...) -> Counter of answers; it ends soon after stop is set.
"""

import collections
import multiprocessing
import socket

HEAD = b"POST /work/add HTTP/1.1\r\nHost: 127.0.0.1\r\n"
GIB = 1 << 30


class Attack:
    def __init__(self, attacker, port, *arguments):
        context = multiprocessing.get_context("fork")
        self.stop, self.results = context.Event(), context.SimpleQueue()
        self.process = context.Process(
            target=lambda: self.results.put(attacker(port, self.stop, *arguments)), daemon=True)
        self.answers = None

    def __enter__(self):
        self.process.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.process.join(30)
        if self.process.exitcode == 0:
            self.answers = self.results.get()
        else:
            self.process.kill()
            self.process.join()


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def first_line(connection):
    """The status line of what comes; "nothing" if the node hangs up or keeps silent."""
    received = b""
    try:
        while b"\r\n" not in received and (part := connection.recv(65536)):
            received += part
    except OSError:
        pass
    return " ".join(received.split(b"\r\n")[0].decode(errors="replace").split()[:2]) or "nothing"


def slow_loris(port, stop, count):
    """Holds `count` connections open by a byte of a header at a time; those that end come anew."""
    answers = collections.Counter()
    crowd = []
    while not stop.wait(0.2):
        while len(crowd) < count:
            crowd.append(connect(port))
            crowd[-1].sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
        for one in list(crowd):
            try:
                one.sendall(b"a")
            except OSError:
                answers["cut off"] += 1
                one.close()
                crowd.remove(one)
    for one in crowd:
        one.close()
    return answers


def half_open(port, stop, count):
    """Holds `count` connections open without a word; those that end come anew."""
    answers = collections.Counter()
    crowd = []
    while not stop.wait(0.2):
        while len(crowd) < count:
            crowd.append(connect(port))
            crowd[-1].setblocking(False)
        for one in list(crowd):
            try:
                ended = one.recv(1) == b""
            except BlockingIOError:
                continue
            except OSError:
                ended = True
            if ended:
                answers["cut off"] += 1
                one.close()
                crowd.remove(one)
    for one in crowd:
        one.close()
    return answers


def send_until_refused(port, head, part, total):
    """(status line, bytes that could be sent)"""
    with connect(port) as connection:
        sent = 0
        try:
            connection.sendall(head)
            while sent < total:
                connection.sendall(part)
                sent += len(part)
        except OSError:
            pass
        return first_line(connection), sent


def huge_body(port, stop, token, sent_max):
    """A body of 1 GiB in chunks of 64 KiB, again and again. Who takes much of it is told of."""
    answers = collections.Counter()
    head = (HEAD + b"Authorization: Bearer " + token.encode() +
            b"\r\nTransfer-Encoding: chunked\r\n\r\n")
    part = b"10000\r\n" + b" " * 65536 + b"\r\n"
    while not stop.wait(0.05):
        line, sent = send_until_refused(port, head, part, GIB)
        answers[line] += 1
        if sent > sent_max:
            answers[f"{sent >> 20} MiB taken"] += 1
    return answers


def huge_header(port, stop):
    """A header of 1 MiB: by turns one field, and many small ones."""
    answers = collections.Counter()
    head = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    many = b"".join(b"X-%06d: a\r\n" % number for number in range(100))
    while not stop.wait(0.05):
        answers[send_until_refused(port, head + b"X: ", b"a" * 16384, 1 << 20)[0]] += 1
        answers[send_until_refused(port, head, many, 1 << 20)[0]] += 1
    return answers


def knocks(port, stop, requests):
    """Whole requests that must be refused, by turns: [(what, bytes, status)]."""
    answers = collections.Counter()
    while not stop.wait(0.02):
        for what, data, status in requests:
            with connect(port) as connection:
                connection.sendall(data)
                line = first_line(connection)
            answers["refused as it should" if line == f"HTTP/1.1 {status}"
                    else f"{what}: {line}"] += 1
    return answers
