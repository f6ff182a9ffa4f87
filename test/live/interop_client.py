#!/usr/bin/python3
"""A stranger on the bus: speaks it from bus/wire/README.md alone, with pyzmq and msgpack.

Greets a node, pings it, lists the cluster's members, then listens to beats. Prints one JSON object
per line for each thing seen; the last line is {"saw": "done", ...}. Exit status: 0 all of it
worked, 1 something did not (the last line says why), 2 wrong usage.
"""

import argparse
import itertools
import json
import os
import sys
import time

import msgpack
import zmq

VERSION = 1
BEAT, HELLO, HELLO_ANSWER, PING, PONG = 1, 10, 11, 22, 23
QUERY, ANSWER, REFUSAL = 50, 51, 52


class Failure(Exception):
    """Something did not work; the text says what."""


def say(what, **fields):
    print(json.dumps({"saw": what, **fields}), flush=True)


def key_from(text, field):
    """A key in Z85: given as 40 characters, or as the name of a file that holds them, alone or as
    public=... or secret=... among other words."""
    if len(text) == 40 and not os.path.exists(text):
        return text.encode()
    try:
        with open(text, encoding="utf-8") as file:
            words = [word for line in file if not line.startswith("#") for word in line.split()]
    except OSError as error:
        raise Failure(f"cannot read {text}: {error.strerror}") from error
    for word in words if len(words) > 1 else [f"{field}={words[0]}"] if words else []:
        name, _, value = word.partition("=")
        if name == field and len(value) == 40:
            return value.encode()
    raise Failure(f"no {field} key in {text}")


class Caller:
    """One DEALER connection, on which questions are asked one after the other."""

    def __init__(self, context, options):
        self.origin = options.id
        self.timeout_ms = int(options.timeout * 1000)
        self.instance = int.from_bytes(os.urandom(8), "big") | 1
        self.numbers = itertools.count(1)
        self.socket = context.socket(zmq.DEALER)
        secure(self.socket, options)
        self.socket.linger = 0
        self.socket.connect("tcp://" + options.endpoint)

    def ask(self, kind, body, expected):
        number = next(self.numbers)
        envelope = [VERSION, kind, self.origin, self.instance, number, number, body]
        self.socket.send(msgpack.packb(envelope, use_bin_type=True))
        deadline = time.monotonic() + self.timeout_ms / 1000
        while True:
            left_ms = (deadline - time.monotonic()) * 1000
            if left_ms <= 0 or not self.socket.poll(left_ms):
                raise Failure(f"no answer to kind {kind} within {self.timeout_ms} ms")
            frames = self.socket.recv_multipart()
            if len(frames) != 1:
                raise Failure(f"an answer of {len(frames)} frames")
            answer = check_envelope(frames[0])
            if answer[5] != number:
                continue
            if answer[1] == REFUSAL:
                code, what, then = answer[6][:3]
                raise Failure(f"refused: F-{code:04d} {what}; {then}")
            if answer[1] != expected:
                raise Failure(f"kind {answer[1]} answered kind {kind}, expected {expected}")
            return answer


def secure(socket, options):
    if options.insecure:
        return
    socket.curve_publickey = key_from(options.public_key, "public")
    socket.curve_secretkey = key_from(options.secret_key, "secret")
    socket.curve_serverkey = key_from(options.server_key, "public")


def check_envelope(data):
    envelope = msgpack.unpackb(data, raw=False)
    if not isinstance(envelope, list) or len(envelope) < 7:
        raise Failure("an envelope of fewer than seven elements")
    version, kind, origin, instance, seq, correlation, body = envelope[:7]
    whole = all(isinstance(n, int) for n in (version, kind, instance, seq, correlation))
    if not whole or not isinstance(origin, str) or not isinstance(body, list):
        raise Failure("an element of the envelope has the wrong type")
    if version != VERSION:
        raise Failure(f"version {version}")
    return envelope


def list_members(caller):
    """All pages of node.list."""
    members, after = [], ""
    while True:
        arguments = {"after": after} if after else {}
        answer = caller.ask(QUERY, ["node.list", arguments], ANSWER)
        document = json.loads(answer[6][0])
        if document.get("schema") != 1:
            raise Failure("node.list without schema 1")
        members += document["nodes"]
        after = document.get("after") or ""
        if not after:
            return members


def publication_endpoint(options, members):
    """Where the asked node publishes: as given, or from its own entry in the list."""
    if options.pub_endpoint:
        return options.pub_endpoint
    host = options.endpoint.rsplit(":", 1)[0]
    for member in members:
        if member.get("self"):
            for address in member["addresses"]:
                return f"{host}:{address['pub_port']}"
    raise Failure("the node's own address is not in its list; give --pub-endpoint")


def listen(context, options, endpoint):
    socket = context.socket(zmq.SUB)
    secure(socket, options)
    socket.linger = 0
    socket.subscribe(b"beat\0")
    socket.connect("tcp://" + endpoint)
    last_seq = 0
    deadline = time.monotonic() + options.timeout
    for _ in range(options.beats):
        left_ms = (deadline - time.monotonic()) * 1000
        if left_ms <= 0 or not socket.poll(left_ms):
            raise Failure(f"fewer than {options.beats} beats within {options.timeout} s")
        frame = socket.recv()
        topic, zero, data = frame.partition(b"\0")
        envelope = check_envelope(data)
        if (topic, zero, envelope[1]) != (b"beat", b"\0", BEAT):
            raise Failure(f"a publication of kind {envelope[1]} under topic {topic!r}")
        if envelope[4] <= last_seq:
            raise Failure(f"beat {envelope[4]} after beat {last_seq}")
        last_seq = envelope[4]
        incarnation, uptime_ms, health, interval_ms, digest, roster = envelope[6][:6]
        say("beat", origin=envelope[2], seq=envelope[4], incarnation=incarnation,
            uptime_ms=uptime_ms, health=health, interval_ms=interval_ms, digest=digest,
            roster=roster, bytes=len(frame))


def run(options):
    context = zmq.Context()
    try:
        caller = Caller(context, options)
        hello = caller.ask(HELLO, [VERSION, VERSION, "interop_client 1"], HELLO_ANSWER)
        say("hello", node=hello[2], version=hello[6][0], cluster=hello[6][1],
            software=hello[6][2], roster=hello[6][3])
        began = time.monotonic()
        pong = caller.ask(PING, [], PONG)
        say("pong", node=pong[2], incarnation=pong[6][0], health=pong[6][1], uptime_ms=pong[6][2],
            rtt_ms=round((time.monotonic() - began) * 1000, 3))
        members = list_members(caller)
        for member in members:
            say("member", id=member["id"], standing=member["standing"],
                incarnation=member["incarnation"])
        listen(context, options, publication_endpoint(options, members))
        say("done", members=len(members), beats=options.beats)
    finally:
        context.destroy(linger=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--endpoint", required=True, help="HOST:PORT of the node's ROUTER")
    parser.add_argument("--pub-endpoint", help="HOST:PORT of its PUB; else taken from node.list")
    parser.add_argument("--id", required=True, help="your id in the roster")
    parser.add_argument("--public-key", help="yours: Z85, or a file")
    parser.add_argument("--secret-key", help="yours: Z85, or a file")
    parser.add_argument("--server-key", help="the node's public key: Z85, or a file")
    parser.add_argument("--insecure", action="store_true", help="without CURVE, on loopback")
    parser.add_argument("--beats", type=int, default=3, help="how many to wait for (3)")
    parser.add_argument("--timeout", type=float, default=10.0, help="seconds for each step (10)")
    options = parser.parse_args()
    if not options.insecure and not (options.public_key and options.secret_key
                                     and options.server_key):
        parser.error("give --public-key, --secret-key and --server-key, or --insecure")
    try:
        run(options)
    except (Failure, zmq.ZMQError, ValueError, KeyError, TypeError) as error:
        say("failure", why=f"{type(error).__name__}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
