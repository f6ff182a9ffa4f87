#!/usr/bin/python3
"""Many members that one process speaks for: a real node beside them sees a large cluster.

usage: crowd.py --node PORT --ports PORT --members N

Speaks the bus as bus/wire/README.md describes it, without keys, so the node must run with
--insecure. Each member has two ports of its own and does what keeps a member alive: it answers
greetings, pings and watch requests, and publishes a beat each second. They join through the node at
--node, which hears of them what any newcomer would tell it. They watch nobody, and have no opinion
of anybody: their beats carry the node's own digest. Ends on SIGTERM.
"""

import argparse
import random
import signal
import sys
import time

import msgpack
import zmq

VERSION = 1
BEAT, GOSSIP, HELLO, HELLO_ANSWER, JOIN, JOIN_ANSWER = 1, 2, 10, 11, 12, 13
WATCH, WATCH_ANSWER, PING, PONG, ASK_HEARD, HEARD = 20, 21, 22, 23, 24, 25
RESYNC, DIGEST, DIGEST_ANSWER, FETCH, ROSTER_GET, ROSTER = 30, 31, 32, 33, 40, 41
REFUSAL = 52
ALIVE, LOOPBACK, ROLE_NODE = 1, 1, 1
INTERVAL_MS = 1000
CLAIMS_PER_CALL = 100


class Member:
    """One of them: its sockets and its two streams of numbers."""

    def __init__(self, context, number, port):
        self.id = f"m{number:04d}"
        self.port = port
        self.instance = random.SystemRandom().randrange(1, 1 << 63)
        self.published = self.called = 0
        self.router = context.socket(zmq.ROUTER)
        self.router.linger = 0
        self.router.bind(f"tcp://127.0.0.1:{port}")
        self.publisher = context.socket(zmq.PUB)
        self.publisher.linger = 0
        self.publisher.bind(f"tcp://127.0.0.1:{port + 1}")

    def record(self):
        return [self.id, self.instance, 1, [[LOOPBACK, "127.0.0.1", self.port, self.port + 1]],
                [ROLE_NODE], f"rack-{self.port % 40}", INTERVAL_MS,
                [16, 64000, 500000, 1, "RTX 4090", 24000], {"provider": "crowd"}, "crowd 1"]

    def claim(self):
        return [self.id, 1, ALIVE, "", 0, self.record()]

    def envelope(self, kind, body, correlation=0):
        self.called += 1
        return msgpack.packb([VERSION, kind, self.id, self.instance, self.called, correlation,
                              body])

    def beat(self, uptime_ms, digest):
        self.published += 1
        body = [1, uptime_ms, 0, INTERVAL_MS, digest, 0]
        self.publisher.send(b"beat\0" + msgpack.packb(
            [VERSION, BEAT, self.id, self.instance, self.published, 0, body]))

    def answer(self, kind, body, uptime_ms):
        """(kind, body), or None for what takes no answer."""
        answers = {
            HELLO: (HELLO_ANSWER, [VERSION, "live", "crowd 1", 0]),
            JOIN: (JOIN_ANSWER, [0, [], ""]),
            WATCH: (WATCH_ANSWER, [1]),
            PING: (PONG, [1, 0, uptime_ms]),
            RESYNC: (GOSSIP, [[]]),
            DIGEST: (DIGEST_ANSWER, [[], []]),
            FETCH: (GOSSIP, [[]]),
            ROSTER_GET: (ROSTER, [0, b""]),
        }
        if kind == ASK_HEARD:
            return HEARD, [body[0], body[1], False, False, 0, 0, INTERVAL_MS]
        return answers.get(kind, (REFUSAL, [1304, "a member of the crowd", ""]))

    def take(self, uptime_ms):
        """Answers one request."""
        sender, frame = self.router.recv_multipart()[:2]
        envelope = msgpack.unpackb(frame)
        if envelope[5] != 0:
            kind, body = self.answer(envelope[1], envelope[6], uptime_ms)
            self.router.send_multipart([sender, self.envelope(kind, body, envelope[5])])


class Crowd:
    def __init__(self, options):
        self.context = zmq.Context()
        self.context.set(zmq.MAX_SOCKETS, 2 * options.members + 100)
        self.began = time.monotonic()
        self.members = [Member(self.context, number + 1, options.ports + 2 * number)
                        for number in range(options.members)]
        self.by_socket = {one.router: one for one in self.members}
        self.poller = zmq.Poller()
        for socket in self.by_socket:
            self.poller.register(socket, zmq.POLLIN)
        self.digest = 0
        self.heard = self.context.socket(zmq.SUB)
        self.heard.linger = 0
        self.heard.subscribe(b"beat\0")
        self.heard.connect(f"tcp://127.0.0.1:{options.node + 1}")
        self.poller.register(self.heard, zmq.POLLIN)
        self.door = self.context.socket(zmq.DEALER)
        self.door.linger = 0
        self.door.connect(f"tcp://127.0.0.1:{options.node}")
        self.poller.register(self.door, zmq.POLLIN)

    def uptime_ms(self):
        return int(1000 * (time.monotonic() - self.began))

    def join(self):
        """The first one joins, and tells of the others."""
        first = self.members[0]
        self.door.send(first.envelope(HELLO, [VERSION, VERSION, "crowd 1"], 1))
        self.door.send(first.envelope(JOIN, [first.record(), ""], 2))
        for at in range(0, len(self.members), CLAIMS_PER_CALL):
            claims = [one.claim() for one in self.members[at:at + CLAIMS_PER_CALL]]
            self.door.send(first.envelope(GOSSIP, [claims]))

    def turn(self, until):
        """Answers whoever asks, until then."""
        while (left := until - time.monotonic()) > 0:
            for socket, _ in self.poller.poll(1000 * left):
                if socket is self.heard:
                    envelope = msgpack.unpackb(socket.recv().partition(b"\0")[2])
                    self.digest = envelope[6][4]
                elif socket is self.door:
                    socket.recv()
                else:
                    self.by_socket[socket].take(self.uptime_ms())

    def run(self):
        self.join()
        due = time.monotonic()
        while True:
            due += INTERVAL_MS / 1000
            self.turn(due)
            for one in self.members:
                one.beat(self.uptime_ms(), self.digest)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--node", type=int, required=True, help="its port of calls")
    parser.add_argument("--ports", type=int, required=True, help="the first of 2 N free ones")
    parser.add_argument("--members", type=int, required=True)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Crowd(options).run()


if __name__ == "__main__":
    main()
