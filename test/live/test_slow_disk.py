#!/usr/bin/python3
"""A disk that takes seconds for each sync, under a real daemon: it must be heard meanwhile.

Debian's strace delays the process's syncs and nothing else. Without it the test says so and tests
nothing.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import time
import unittest

from cluster import Cluster, wait_until

SYNC_S = 2
FOUND = shutil.which("strace")


@contextlib.contextmanager
def slow_syncs(pid, notes):
    """Every sync of this process takes SYNC_S longer."""
    tracer = subprocess.Popen(
        [FOUND, "-f", "-p", str(pid), "-e", "trace=fsync,fdatasync", "-e",
         f"inject=fsync,fdatasync:delay_enter={SYNC_S}s", "-o", notes], stderr=subprocess.PIPE,
        text=True)
    try:
        if "attached" not in tracer.stderr.readline():
            raise unittest.SkipTest("strace may not attach here")
        yield
    finally:
        tracer.terminate()
        tracer.communicate()


class SlowDisk(unittest.TestCase):
    def setUp(self):
        if not FOUND:
            print("SKIPPED, NOTHING WAS TESTED: needs Debian's strace", file=sys.stderr)
            self.skipTest("needs strace")

    def test_a_voter_is_heard_while_its_log_is_begun(self):
        with Cluster(names=3) as cluster:
            cluster.start("n1")
            cluster.start("n2")
            wait_until(lambda: cluster.ask("n1", "leader", "show")["role"] == "waiting", 20,
                       "n1 waits for n3")
            born = os.path.join(cluster.data_dir("n1"), "log.born")
            self.assertFalse(os.path.exists(born))
            slowest = 0.0
            notes = os.path.join(cluster.directory, "syncs")
            with slow_syncs(cluster.processes["n1"].pid, notes):
                began = time.monotonic()
                cluster.start("n3")
                while not os.path.exists(born):
                    self.assertLess(time.monotonic() - began, 60, "n1 begins its log")
                    asked = time.monotonic()
                    cluster.ask("n1", "leader", "show")
                    slowest = max(slowest, time.monotonic() - asked)
                took = time.monotonic() - began
            print(f"begun in {took:.1f} s, slowest answer meanwhile {slowest:.2f} s")
            self.assertGreater(took, 2 * SYNC_S, "the syncs were slow")
            self.assertLess(slowest, SYNC_S)
            cluster.wait_leader(["n1", "n2", "n3"])


if __name__ == "__main__":
    unittest.main()
