"""A peer on the bus that speaks the documented wire format, politely or not.

Written from bus/wire/README.md alone, with Debian's python3-zmq and python3-msgpack. Peer.call() is
an honest client; send_raw() and the rest are for tests that must misbehave.
"""

import os
import random
import time

import msgpack
import zmq

VERSION = 1
KINDS = {"beat": 1, "gossip": 2, "hello": 10, "hello_answer": 11, "join": 12, "watch": 20,
         "ping": 22, "pong": 23, "query": 50, "answer": 51, "refusal": 52, "roster_put": 42}


def read_key(path):
    """The fields of a key file: {'id': .., 'public': .., 'secret': ..}."""
    with open(path, encoding="ascii") as file:
        line = [text for text in file.read().splitlines() if text and not text.startswith("#")][-1]
    return dict(word.partition("=")[::2] for word in line.split()[2:])


def new_key(name):
    public, secret = zmq.curve_keypair()
    return {"id": name, "public": public.decode(), "secret": secret.decode()}


class Peer:
    """One DEALER connection to one node."""

    def __init__(self, endpoint, key, server_public, origin=None, greet=True, send_limit=1000):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.sndhwm = self.socket.rcvhwm = send_limit
        if key:
            self.socket.curve_publickey = key["public"].encode()
            self.socket.curve_secretkey = key["secret"].encode()
            self.socket.curve_serverkey = server_public.encode()
        self.monitor = self.socket.get_monitor_socket()
        self.socket.connect(endpoint)
        self.origin = origin or key["id"]
        self.instance = random.SystemRandom().randrange(1, 1 << 63)
        self.seq = 0
        if greet:
            self.greeting = self.call("hello", [VERSION, VERSION, "riftbus live test"], seconds=15)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.disable_monitor()
        self.monitor.close(0)
        self.socket.close(0)
        self.context.term()

    def envelope(self, kind, body, correlation=0, seq=None, origin=None, version=VERSION):
        if seq is None:
            self.seq += 1
            seq = self.seq
        number = KINDS[kind] if isinstance(kind, str) else kind
        return msgpack.packb([version, number, origin or self.origin, self.instance, seq,
                              correlation, body])

    def send_raw(self, frame, flags=0):
        self.socket.send(frame, flags)

    def receive(self, seconds):
        """The next envelope as (kind number, correlation, body), or None."""
        if not self.socket.poll(max(0, int(seconds * 1000))):
            return None
        parts = msgpack.unpackb(self.socket.recv())
        return parts[1], parts[5], parts[6]

    def call(self, kind, body, seconds=5):
        """(kind, body) of the answer; TimeoutError without one."""
        correlation = random.getrandbits(62) | 1
        self.send_raw(self.envelope(kind, body, correlation))
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            got = self.receive(deadline - time.monotonic())
            if got and got[1] == correlation:
                return got[0], got[2]
        raise TimeoutError(f"{kind}: no answer within {seconds} s")

    def handshake(self, seconds):
        """What became of the connection: 'accepted', 'refused', 'failed', 'closed' or 'silent'."""
        names = {zmq.EVENT_HANDSHAKE_SUCCEEDED: "accepted",
                 zmq.EVENT_HANDSHAKE_FAILED_AUTH: "refused",
                 zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: "failed",
                 zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: "failed"}
        return self._wait_event(names, seconds)

    def wait_disconnected(self, seconds):
        return self._wait_event({zmq.EVENT_DISCONNECTED: "closed"}, seconds) == "closed"

    def _wait_event(self, names, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.monitor.poll(max(0, int((deadline - time.monotonic()) * 1000))):
                event = int.from_bytes(self.monitor.recv_multipart()[0][:2], "little")
                if event in names:
                    return names[event]
        return "silent"


def nested(depth):
    """A msgpack array inside an array inside an array..."""
    return b"\x91" * depth + b"\x90"


def noise(size):
    return os.urandom(size)
