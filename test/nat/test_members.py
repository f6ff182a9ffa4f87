#!/usr/bin/python3
"""Nodes behind routers that masquerade: nobody can dial them, and they are members like any other.

Needs root (network namespaces); elsewhere it says so and tests nothing.
"""

import os
import signal
import subprocess
import sys
import time
import unittest

from natspace import NatCluster  # first: it knows where the other modules are
import netspace
from nattest import NatTest
from clustertest import Gate, wait_until
from worker import spec

PUBLIC = ["n1", "n2", "n3"]
PRIVATE = ["n4", "n5"]
RELAYS = ["n1", "n2"]
JOBS = """
jobs:
  say:
    command: [sh, -c, '{gate}; printf "$RIFTBUS_NODE" > "$RIFTBUS_RESULT"']
    needs: cpus>=1
"""


class Nat(NatTest):
    nodes = 5
    jobs = JOBS  # {gate}: a command that waits for it; {record}: a file

    @classmethod
    def make_cluster(cls):
        return NatCluster(PUBLIC + PRIVATE, PRIVATE, RELAYS)

    @classmethod
    def start_beside(cls):
        for name in PRIVATE:
            for relay in RELAYS:
                cls.cluster.start_tunnel(name, relay)

    @classmethod
    def furnish(cls):
        cls.gate = Gate(cls.cluster.file("gate"))
        cls.record = cls.cluster.file("record")
        cls.cluster.reconfigure(PRIVATE, cls.jobs.format(gate=cls.gate, record=cls.record))

    def tearDown(self):
        for relay in RELAYS:
            if not self.cluster.is_running("relay-" + relay):
                self.cluster.start_relay(relay)
        self.wait_attached(RELAYS)
        self.assertStillWhole()

    # ---- what is seen --------------------------------------------------------------------------

    def relays_of(self, name, seen_by="n3"):
        """The relay hosts by which a node says it is reached, as another one knows it."""
        document = self.cluster.ask(seen_by, "node", "show", name)
        return {one["host"] for one in document["member"]["addresses"] if one["kind"] == "relay"}

    def wait_attached(self, relays, seconds=30):
        hosts = {self.cluster.host(one) for one in relays}
        for name in PRIVATE:
            wait_until(lambda one=name: self.relays_of(one) == hosts, seconds,
                       f"everybody knows {name} by {relays}")

    def dials(self, source, host, port):
        """Whether a bare TCP connection from one host's namespace to an address succeeds."""
        code = ("import socket,sys; s = socket.socket(); s.settimeout(2); "
                "sys.exit(s.connect_ex((sys.argv[1], int(sys.argv[2]))) != 0)")
        return subprocess.run([*self.cluster.enter(source), sys.executable, "-c", code, host,
                               str(port)], check=False).returncode == 0

    def ping(self, source, target):
        return self.cluster.ask(source, "link", "ping", target, "-c", "1")["answered"]

    # ---- tests ---------------------------------------------------------------------------------

    def test_nobody_can_dial_a_private_node(self):
        for name in PRIVATE:
            port = self.cluster.call_port(name)
            other = next(one for one in PRIVATE if one != name)
            self.assertTrue(self.dials(name, "127.0.0.1", port), "it listens, at home")
            for source in ("n3", other):
                self.assertFalse(self.dials(source, self.cluster.host(name), port))
                self.assertFalse(self.dials(source, self.cluster.router(name), port))

    def test_everybody_reaches_everybody(self):
        self.wait_attached(RELAYS)
        for source in PUBLIC + PRIVATE:
            for target in PUBLIC + PRIVATE:
                if source != target:
                    self.assertTrue(self.ping(source, target), f"{source} to {target}")

    def test_private_nodes_do_work(self):
        items = [spec("say", b"%d" % number) for number in range(2 * os.cpu_count() + 2)]
        for each in items:
            each[4][0] = "cpus>=1"  # so that one node cannot take all at once
        added, did = self.worker(PUBLIC).add(items), set()
        for name in PRIVATE:
            wait_until(lambda one=name: self.cluster.counter(one, "jobs.running"), 30,
                       f"{name} has taken work")
        self.gate.open()
        for item in added:
            shown = wait_until(lambda one=item: self.done(one), 60, f"{item} is done")
            did.add(shown["result"])
        self.assertEqual(did, set(PRIVATE))

    def done(self, item):
        work = self.cluster.ask("n3", "work", "show", str(item))["work"]
        return work if work["state"] == "done" else None

    def test_a_relays_death_is_no_members_death(self):
        self.wait_attached(RELAYS)
        died = {name: len(self.cluster.events(name, kind="died")) for name in PUBLIC + PRIVATE}
        for relay in RELAYS:
            other = next(one for one in RELAYS if one != relay)
            self.cluster.signal("relay-" + relay, signal.SIGKILL)
            killed = time.monotonic()
            for target in PRIVATE:
                wait_until(lambda one=target: self.ping("n3", one), 20, f"{target} is reached")
            print(f"both reached {time.monotonic() - killed:.1f} s after {relay}'s relay died")
            self.wait_attached([other])
            self.cluster.start_relay(relay)
            self.wait_attached(RELAYS)
        self.cluster.wait_whole()
        for name, count in died.items():
            self.assertEqual(len(self.cluster.events(name, kind="died")), count, name)


if __name__ == "__main__":
    netspace.entered()
    unittest.main()
