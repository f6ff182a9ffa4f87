"""A worker and an adder of work that speak the documented protocol with the real queue.

Commands are msgpack arrays, [number, [fields...]] in the order of node/work/fields.h; WorkRequest
and WorkReply are described in bus/wire/README.md. Asker repeats a request as it is until some node
answers it, as the protocol demands, and remembers nothing else.
"""

import os
import time

import msgpack
import zmq

WORK_REQUEST, WORK_REPLY, REFUSAL = 71, 72, 52
COMMAND, RENEWAL, QUESTION, LEADER = 1, 2, 3, 4
DONE, MOVED, BUSY = 1, 2, 3
ADD, CLAIM, ATTACH, COMPLETE, FAIL, BURY, RELEASE = 0, 1, 2, 3, 4, 5, 6
OK, REPEATED, STALE = 0, 1, 2
TERMS = ["", [], 600_000, 3_600_000, 5_000, 600_000, 3, 10, 0, False]


class NoAnswer(Exception):
    """Nobody answered in time: what happened is unknown."""


def nonce():
    return int.from_bytes(os.urandom(8), "big") | 1


def terms(lease_ms):
    return TERMS[:2] + [lease_ms] + TERMS[3:]


def spec(kind, payload, lease_ms=600_000):
    return [kind, payload, "", 50, terms(lease_ms)]


class Asker:
    """Asks the nodes of a cluster, one after the other, until one answers with `done`."""

    def __init__(self, test, nodes, key=None):
        self.test, self.nodes, self.key = test, list(nodes), key
        self.peers = {}
        self.current = self.nodes[0]
        self.tries = 0  # of the last request

    def close(self):
        for peer in self.peers.values():
            peer.close()

    def peer(self, node, seconds=3.0):
        if node not in self.peers:
            peer = self.test.connect(node, self.key, greet=False)
            self.peers[node] = peer
            peer.call("hello", [1, 1, "riftbus live worker"], seconds=seconds)
        return self.peers[node]

    def drop(self, node):
        if node in self.peers:
            self.peers.pop(node).close()

    def ask(self, ask, body, wait_ms=0, seconds=20, each=3.0):
        """The body of the answer, its `stale` and the node that gave it."""
        deadline = time.monotonic() + seconds
        self.tries = 0
        while time.monotonic() < deadline:
            self.tries += 1
            node = self.current
            try:
                peer = self.peer(node, min(3.0, each))
                patience = min(each + wait_ms / 1000, deadline - time.monotonic())
                kind, reply = peer.call(WORK_REQUEST, [ask, body, wait_ms, ""], max(0.1, patience))
            except (TimeoutError, zmq.ZMQError):
                self.drop(node)
                self.next_node()
                continue
            if kind == REFUSAL:
                if reply[0] == 1723:  # no leader in time
                    self.next_node()
                    continue
                raise AssertionError(f"refused: {reply}")
            if reply[0] == DONE:
                return reply[1]
            self.next_node()
            if reply[0] == MOVED and reply[2] != node and reply[2] in self.nodes:
                self.current = reply[2]
        raise NoAnswer(f"within {seconds} s")

    def next_node(self):
        self.current = self.nodes[(self.nodes.index(self.current) + 1) % len(self.nodes)]

    def command(self, number, fields, **options):
        return msgpack.unpackb(self.ask(COMMAND, msgpack.packb([number, fields]), **options))[1]

    # ---- work ----------------------------------------------------------------------------------

    def add(self, specs, number=None, **options):
        """The ids of the new items."""
        outcome, ids = self.command(ADD, [number or nonce(), specs], **options)[:2]
        assert outcome in (OK, REPEATED), outcome
        return ids


class Worker(Asker):
    """Claims and completes under its own name."""

    def __init__(self, test, nodes, name, key=None):
        super().__init__(test, nodes, key)
        self.name, self.instance, self.request = name, nonce(), 0

    def claim(self, count=1, wait_ms=0, again=False, kinds=(), **options):
        """[(id, fence, payload)]; `again` repeats the last claim as it was; no kinds: any."""
        if not again:
            self.request += 1
        outcome, fence, grants = self.command(
            CLAIM, [self.name, self.instance, self.request, count, [[], [], [], list(kinds)]],
            wait_ms=wait_ms, **options)[:3]
        assert outcome == OK, outcome
        return [(one[0], fence, one[3]) for one in grants if one[1]]

    def complete(self, grants, result=b"", **options):
        """{id: outcome}."""
        works = [[[one[0], one[1]], result] for one in grants]
        return {one[0]: one[1]
                for one in self.command(COMPLETE, [self.name, works], **options)[1]}

    def complete_all(self, grants, result=b"", **options):
        """Each is taken. Where the first answer was lost, the second says so."""
        said = self.complete(grants, result, **options)
        assert set(said) == {one[0] for one in grants}, said
        allowed = {OK, REPEATED} if self.tries > 1 else {OK}
        assert set(said.values()) <= allowed, said

    def release(self, grants, **options):
        """{id: outcome}."""
        works = [[[one[0], one[1]], 0, 0, b""] for one in grants]
        return {one[0]: one[1]
                for one in self.command(RELEASE, [self.name, works], **options)[1]}

    def renew(self, grants, **options):
        """{id: outcome}."""
        works = [[[one[0], one[1]], 0, b""] for one in grants]
        answer = msgpack.unpackb(self.ask(RENEWAL, msgpack.packb([self.name, works]), **options))
        return {one[0]: one[1] for one in answer[0]}
