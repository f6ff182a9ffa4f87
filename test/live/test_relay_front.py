#!/usr/bin/python3
"""riftbus-relay: both halves, and members that ask its front for nodes behind it."""

import contextlib
import hashlib
import json
import os
import signal
import socket
import struct
import sys
import threading
import unittest

from relay import RELAY, Relay
from sshd import free_ports, wait_until
from tunnelling import TUNNEL, Echo, Tunnel

KEEPER = RELAY.removesuffix("-ssh")
NUMBER = 7770
GREETING = b"\x05\x01\x00"
UNREACHABLE = 4


class WholeRelay(Relay):
    program = KEEPER

    def __init__(self, *arguments):
        self.front_port = free_ports(1)[0]
        super().__init__("--relay-front-host", "127.0.0.1", "--relay-front-port",
                         str(self.front_port), *arguments)

    def front_status(self):
        with open(self.socket("front.json"), encoding="utf-8") as file:
            return json.load(file)

    def half(self, name):
        """The pid of one of the two."""
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path, encoding="ascii") as file:
            for pid in map(int, file.read().split()):
                with contextlib.suppress(FileNotFoundError):  # killed, and not yet buried
                    if os.path.basename(os.readlink(f"/proc/{pid}/exe")) == name:
                        return pid
        return None

    def ask(self, node, number=NUMBER):
        """(code, connection) of a request to be led there."""
        connection = socket.create_connection(("127.0.0.1", self.front_port), timeout=10)
        connection.sendall(GREETING)
        assert receive(connection, 2) == b"\x05\x00"
        name = node.encode() + b".riftbus"
        connection.sendall(b"\x05\x01\x00\x03" + bytes([len(name)]) + name +
                           struct.pack(">H", number))
        return receive(connection, 10)[1], connection


def receive(connection, size):
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise OSError(f"closed after {data!r}")
        data += piece
    return data


def is_closed(connection, seconds=10):
    connection.settimeout(seconds)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


@unittest.skipUnless(os.path.exists(KEEPER) and os.path.exists(TUNNEL),
                     "NOT TESTED: riftbus-relay or riftbus-tunnel is missing; "
                     "deploy/install-packages.sh build test")
class FrontTest(unittest.TestCase):
    def setUp(self):
        self.echo = Echo()
        self.addCleanup(self.echo.close)

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            print(self.last_log, file=sys.stderr)
        return result

    def relay(self, *arguments):
        relay = WholeRelay(*arguments)
        self.addCleanup(self.close, relay)
        return relay

    def close(self, relay):
        self.last_log = relay.log() if relay.process else ""
        relay.close()

    def attach(self, relay, node="n1"):
        tunnel = Tunnel("--tunnel-servers", relay.server(), "-R",
                        f"{NUMBER}:127.0.0.1:{self.echo.port}", "--node-id", node)
        self.addCleanup(tunnel.close)
        relay.allow(tunnel.key_line())
        relay.start()
        tunnel.start()
        relay.wait_socket(f"{node}.{NUMBER}")
        tunnel.wait_up()
        return tunnel

    def assertEchoes(self, relay, size=1000, node="n1"):
        code, connection = relay.ask(node)
        self.assertEqual(code, 0)
        with connection:
            data = os.urandom(size)
            sender = threading.Thread(target=self.send, args=(connection, data))
            sender.start()
            back = hashlib.sha256()
            while piece := connection.recv(1 << 16):
                back.update(piece)
            sender.join()
        self.assertEqual(back.digest(), hashlib.sha256(data).digest())

    @staticmethod
    def send(connection, data):
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)  # the answer still comes: half-closed

    def test_a_member_reaches_an_attached_node_by_its_name(self):
        relay = self.relay()
        self.attach(relay)
        self.assertEchoes(relay)
        self.assertEchoes(relay, 20_000_000)
        self.assertEqual(relay.ask("n2")[0], UNREACHABLE)
        self.assertEqual(relay.ask("n1", 9)[0], UNREACHABLE)
        wait_until(lambda: relay.front_status()["counters"]["unreachable"] == 2, "it is counted")
        wait_until(lambda: relay.front_status()["counters"]["bytes"] == 2 * 20_001_000, "and so on")
        self.assertEqual(relay.front_status()["counters"]["opened"], 2)
        shown = relay.run("--status")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn("2 asked for a node that was not there", shown.stdout)
        self.assertIn("listens as n1.7770", shown.stdout)

    def test_many_at_once_do_not_mix(self):
        relay = self.relay()
        self.attach(relay)
        threads = [threading.Thread(target=self.assertEchoes, args=(relay, 100_000))
                   for _ in range(100)]
        failures = []
        threading.excepthook = lambda args: failures.append(args.exc_value)
        self.addCleanup(setattr, threading, "excepthook", threading.__excepthook__)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_a_half_that_is_killed_comes_back_and_the_other_stays(self):
        relay = self.relay()
        tunnel = self.attach(relay)
        ssh, front = relay.half("riftbus-relay-ssh"), relay.half("riftbus-relay-front")
        _, through = relay.ask("n1")
        os.kill(front, signal.SIGKILL)
        self.assertTrue(is_closed(through))
        wait_until(lambda: relay.half("riftbus-relay-front") not in (None, front), "a new front")
        wait_until(lambda: self.is_reached(relay), "the node is reached again")
        self.assertEqual(relay.half("riftbus-relay-ssh"), ssh)
        self.assertTrue(tunnel.is_up())

        front = relay.half("riftbus-relay-front")
        _, through = relay.ask("n1")
        os.kill(ssh, signal.SIGKILL)
        self.assertTrue(is_closed(through))
        wait_until(lambda: relay.half("riftbus-relay-ssh") not in (None, ssh), "a new SSH half")
        wait_until(lambda: self.is_reached(relay), "the node is attached again")
        self.assertEqual(relay.half("riftbus-relay-front"), front)
        relay.wait_log("signal 9")

    def is_reached(self, relay):
        try:
            code, connection = relay.ask("n1")
        except OSError:
            return False
        connection.close()
        return code == 0

    def test_neither_half_outlives_the_relay(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number):
                relay = self.relay("--relay-user", "nobody") if os.getuid() == 0 else self.relay()
                os.chmod(relay.dir, 0o755)
                os.chmod(relay.path("relay_keys"), 0o644)
                relay.start()
                wait_until(lambda one=relay: os.path.exists(one.socket("front.json")), "it runs")
                halves = [relay.half("riftbus-relay-ssh"), relay.half("riftbus-relay-front")]
                relay.process.send_signal(number)
                relay.process.wait(timeout=10)
                for pid in halves:
                    wait_until(lambda one=pid: not os.path.exists(f"/proc/{one}"), "it ended too")

    def test_a_half_that_cannot_run_ends_the_relay(self):
        relay = self.relay()
        with socket.create_server(("127.0.0.1", relay.port)):
            done = relay.run()
        self.assertEqual(done.returncode, 78)
        self.assertIn("F-1817", done.stderr)
        self.assertIn("F-1847", done.stderr)

    def test_strangers_cost_little_and_disturb_nobody(self):
        relay = self.relay("--relay-grace-ms", "700", "--relay-front-per-address-max", "50")
        self.attach(relay)
        address = ("127.0.0.1", relay.front_port)
        for bad in (b"GET / HTTP/1.0\r\n\r\n", b"\x04\x01\x00\x50", b"\x05\x01\x02", b"\x05\xff" +
                    b"\x01" * 600, GREETING + b"\x05\x01\x00\x01\x7f\0\0\x01\0\x50"):
            with socket.create_connection(address) as connection:
                connection.sendall(bad)
                wait_until(lambda one=connection: is_closed(one, 0.2), f"{bad[:9]} is refused")
        silent = [socket.create_connection(address) for _ in range(60)]
        self.assertTrue(is_closed(silent[-1]), "one address has 50")
        for connection in silent:  # who never asks is gone after the grace
            self.assertTrue(is_closed(connection))
        self.assertEchoes(relay)
        wait_until(lambda: relay.front_status()["connections"] == 0, "none is left")
        wait_until(lambda: relay.front_status()["counters"]["turned_away"] >= 10, "it is counted")

    def test_a_reader_that_stalls_holds_up_only_itself(self):
        relay = self.relay()
        self.attach(relay)
        code, stalled = relay.ask("n1")
        self.assertEqual(code, 0)
        stalled.settimeout(1)
        sent = 0
        with self.assertRaises(TimeoutError):  # until everything on the way is full
            while sent < 1 << 30:
                sent += stalled.send(b"x" * 65536)
        self.assertEchoes(relay, 1_000_000)
        front = relay.half("riftbus-relay-front")
        with open(f"/proc/{front}/status", encoding="ascii") as file:
            resident = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
        self.assertLess(resident, 30_000, "kB")


if __name__ == "__main__":
    unittest.main()
