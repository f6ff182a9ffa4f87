#!/usr/bin/python3
"""Wall clocks that jump by an hour, forwards and back, under real daemons: nothing may notice.

Uses Debian's libfaketime, which lies to one process about CLOCK_REALTIME and touches no other; the
machine's own clock is never set. Without it the test says so and tests nothing.
"""

import datetime
import glob
import os
import signal
import sys
import time
import unittest

from clustertest import ClusterTest, wait_until
from worker import OK, Worker, spec

FOUND = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
VOTERS = ["n1", "n2", "n3"]
LEASE_MS = 4_000


class Clocks(ClusterTest):
    nodes = 3

    @classmethod
    def setUpClass(cls):
        if not FOUND:
            print("SKIPPED, NOTHING WAS TESTED: needs Debian's libfaketime", file=sys.stderr)
            raise unittest.SkipTest("needs libfaketime")
        super().setUpClass()
        for name in VOTERS:  # one after the other, so that a majority stays
            cls.set_clock(name, 0)
            cls.cluster.signal(name, signal.SIGKILL)
            cls.cluster.start(name, environment={
                "LD_PRELOAD": FOUND[0], "FAKETIME_TIMESTAMP_FILE": cls.clock_of(name),
                "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
            cls.cluster.wait_whole()

    @classmethod
    def clock_of(cls, name):
        return cls.cluster.file(f"clock-of-{name}")

    @classmethod
    def set_clock(cls, name, hours):
        whole = cls.clock_of(name) + ".new"
        with open(whole, "w", encoding="ascii") as file:
            file.write(f"{hours * 3600:+d}\n")
        os.rename(whole, cls.clock_of(name))

    def shows(self, name, hours):
        """Its documents are stamped so much beside the time."""
        stamp = self.cluster.ask(name, "leader", "show")["at"][:19] + "+00:00"
        ahead_s = datetime.datetime.fromisoformat(stamp).timestamp() - time.time()
        return abs(ahead_s - 3600 * hours) < 1800

    def test_a_wall_clock_that_jumps_ends_no_lease_and_no_leadership(self):
        worker = Worker(self, VOTERS, "holder")
        self.addCleanup(worker.close)
        leader = self.cluster.wait_leader()
        term = self.cluster.ask(leader, "leader", "show")["term"]
        worker.add([spec("job", b"%d" % number, 3_600_000) for number in range(4)])
        late = spec("job", b"delayed", LEASE_MS)
        late.append(1_800_000)  # delay_ms: half an hour
        delayed = worker.add([late])[0]
        held = worker.claim(3)
        self.assertEqual(len(held), 3)
        changes = 0
        for hours in (1, -1, 0, 1, -1, 0):
            for name in VOTERS:
                self.set_clock(name, hours)
            wait_until(lambda to=hours: self.shows(leader, to), 10, "its wall clock has jumped")
            self.assertEqual(set(worker.renew(held).values()), {OK}, f"{hours:+d} h: leases hold")
            leader = self.cluster.wait_leader()
            now = self.cluster.ask(leader, "leader", "show")["term"]
            changes += now != term
            term = now
        # A machine that stands still for a second may change it once; the clocks would each time.
        self.assertLessEqual(changes, 1)
        more = worker.claim(5)
        self.assertEqual(len(more), 1, "the delayed one waits half an hour of log time")
        self.assertNotIn(delayed, [one[0] for one in more])
        worker.complete_all(held + more)
        self.assertNobodyDied(since=2)  # those that were started anew with their clocks
        why = self.cluster.ask(leader, "work", "show", str(delayed))["work"]
        self.assertEqual(why["state"], "delayed")


if __name__ == "__main__":
    unittest.main()
