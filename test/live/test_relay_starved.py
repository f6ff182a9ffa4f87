#!/usr/bin/python3
"""riftbus-relay-ssh and riftbus-tunnel on a machine that fails them: no descriptor, a hung disk."""

import signal
import socket
import time
import unittest

import test_relay
from sshd import wait_until
from tunnelling import HungFile, connect_to, exchange_over, starved, wait_unserved

HANGS_S = 8  # more than either program leaves between two writes, and than silence may last


@unittest.skipUnless(test_relay.SSH, "NOT TESTED: ssh is missing; deploy/install-packages.sh test")
class StarvedTest(unittest.TestCase):
    setUp = test_relay.RelayTest.setUp
    relay, tunnel = test_relay.RelayTest.relay, test_relay.RelayTest.tunnel
    attach = test_relay.RelayTest.attach

    def test_without_descriptors_those_who_connect_wait_and_it_does_not_spin(self):
        relay = self.relay()
        _, path = self.attach(relay)
        with socket.socket(socket.AF_UNIX) as waiting:
            with starved(relay.process.pid):
                waiting.connect(path)
                self.assertLess(wait_unserved(waiting, relay.process.pid), 0.5)
                relay.wait_log("F-1833")
            self.assertEqual(waiting.recv(1), b"x", "served once there is one")
        wait_until(lambda: relay.status()["counters"].get("exhausted", 0) > 0, "it is counted")

    def test_a_disk_that_hangs_ends_no_session(self):
        relay = self.relay()
        tunnel, path = self.attach(relay)
        files = [HungFile(relay.socket("relay.json")), HungFile(tunnel.path("tunnel.json"))]
        until = time.monotonic() + HANGS_S
        while time.monotonic() < until:
            self.assertEqual(exchange_over(connect_to(path), b"ping"), b"ping")
        for file in files:
            self.assertTrue(file.go_on(), f"{file.path} held somebody up")
        pid = tunnel.process.pid
        tunnel.process.send_signal(signal.SIGTERM)
        self.assertEqual(tunnel.process.wait(timeout=10), 0)
        wait_until(lambda: tunnel.status()["state"] == "stopped", f"{pid} has written its last")
        self.assertEqual(tunnel.status()["links"][0]["rises"], 1, "one session all the time")
        self.assertEqual(relay.status()["counters"]["admitted"], 1)


if __name__ == "__main__":
    unittest.main()
