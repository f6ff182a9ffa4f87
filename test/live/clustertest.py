"""ClusterTest: one cluster for all tests of a class; after a failure the nodes' logs are shown."""

import fcntl
import os
import sys
import unittest

from cluster import Cluster, Refused, wait_until
from peer import Peer, read_key
from worker import Worker


class Gate:
    """What jobs wait at until it is opened: a lock that the test holds, and no program inherits."""

    def __init__(self, path):
        self.path, self.file = path, None
        self.shut()

    def shut(self):
        if self.file is None:
            self.file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(self.file, fcntl.LOCK_EX)

    def open(self):
        if self.file is not None:
            os.close(self.file)
            self.file = None

    def __str__(self):
        """A command that ends when the gate is open."""
        return f"flock -s {self.path} true"


class ClusterTest(unittest.TestCase):
    """Subclasses set `nodes` and `options`. Each test must leave the cluster whole: checked."""

    nodes = 3
    options = ()
    workers = 0  # so far

    @classmethod
    def make_cluster(cls):
        return Cluster(cls.nodes)

    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(cls.make_cluster())
        try:
            cls.cluster.start_all(*cls.options)
            cls.cluster.wait_whole()
        except BaseException:
            cls.show_logs()
            raise

    @classmethod
    def show_logs(cls):
        for name in cls.cluster.processes:
            print(f"--- log of {name}\n" + "\n".join(cls.cluster.log(name).splitlines()[-30:]),
                  file=sys.stderr)

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            self.show_logs()
        return result

    def tearDown(self):
        self.assertStillWhole()

    # ---- what must hold after any misbehaviour -------------------------------------------------

    def assertStillWhole(self, seconds=30):
        for name in self.cluster.names:
            self.assertTrue(self.cluster.is_running(name), f"{name} has ended")
        self.cluster.wait_whole(seconds=seconds)

    def assertNobodyDied(self, since=0):
        for name in self.cluster.names:
            died = [one["subject"] for one in self.cluster.events(name, kind="died")]
            self.assertEqual(died[since:], [], f"{name} pronounced a death")

    def assertCounts(self, node, counter, action, by=1, seconds=15):
        """`action` raises the node's counter by at least `by`."""
        before = self.cluster.counter(node, counter)
        action()
        self.cluster.wait_counter(node, counter, before + by, seconds)

    # ---- keys ----------------------------------------------------------------------------------

    def server_key(self, name):
        return read_key(self.cluster.file(name, "keys", "node.pub"))["public"]

    def node_key(self, name):
        return read_key(self.cluster.file(name, "keys", "node.key"))

    def operator_key(self):
        return read_key(self.cluster.file("operator", "node.key"))

    def connect(self, node, key=None, **options):
        """A peer with the operator's key, or another one, connected to a node's ROUTER."""
        return Peer(self.cluster.call_endpoint(node), key or self.operator_key(),
                    self.server_key(node), **options)

    def worker(self, nodes=None):
        """A new one: an admin may ask for any."""
        type(self).workers += 1
        worker = Worker(self, nodes or self.cluster.names, f"w{self.workers}")
        self.addCleanup(worker.close)
        return worker

    def approve(self, key, *options):
        self.cluster.operate("--yes", "key", "approve", key["id"], "--public-key", key["public"],
                             *options, node="n1")  # whose roster the callers look at

    def wait_roster(self, version, seconds=10):
        """Until every node has adopted at least this version."""
        for name in self.cluster.names:
            wait_until(lambda one=name: self.cluster.status(one)["roster_version"] >= version,
                       seconds, f"{name} adopts roster {version}")

    def roster_version(self, name="n1"):
        return self.cluster.status(name)["roster_version"]


__all__ = ["ClusterTest", "Peer", "Refused", "read_key", "wait_until"]
