#!/usr/bin/python3
"""Networks that break in one direction or in two, with real daemons in namespaces of their own.

Needs root (netspace.py); elsewhere it says so and tests nothing.
"""

import json
import os
import unittest

import msgpack

import netspace
from clustertest import ClusterTest, Gate, wait_until
from worker import QUESTION, STALE, NoAnswer, spec

VOTERS = ["n1", "n2", "n3"]
WORKERS = ["n4", "n5"]
LEASE_MS = 5_000
STUBBORN = ('echo "$RIFTBUS_NODE $RIFTBUS_FENCE" >> {effects}; {gate}; '
            'echo "$RIFTBUS_NODE" > "$RIFTBUS_RESULT"')
JOBS = """
jobs:
  stubborn:
    command: [sh, -c, '{command}']
    needs: cpus>=0.1
    lease_s: 5
    kill_grace_s: 1
    on_disconnect: finish
"""
FINISH = 1  # of OnDisconnect


class Cuts(ClusterTest):
    nodes = 5

    @classmethod
    def make_cluster(cls):
        return netspace.NetCluster(cls.nodes)

    @classmethod
    def setUpClass(cls):
        if not netspace.entered():
            raise unittest.SkipTest("needs network namespaces")
        super().setUpClass()
        cls.effects, cls.gate = cls.cluster.file("effects"), Gate(cls.cluster.file("gate"))
        command = STUBBORN.format(effects=cls.effects, gate=cls.gate)
        cls.cluster.reconfigure(WORKERS, JOBS.format(command=command))

    def setUp(self):
        self.leader = self.wait_leader()

    def tearDown(self):
        for name in self.cluster.names:
            self.cluster.heal(name)
        self.assertStillWhole()

    def wait_leader(self, asked=VOTERS, but=None):
        return self.cluster.wait_leader(asked, but=but)

    def others(self, name):
        return [one for one in self.cluster.names if one != name]

    def show(self, worker, item):
        """(stale, work) as the nodes of this worker know it."""
        body = msgpack.packb(["work.show", {"id": str(item)}])
        document = json.loads(worker.ask(QUESTION, body, each=6.0))
        return document["stale"], document["work"]

    # ---- leaders ---------------------------------------------------------------------------------

    def test_a_leader_cut_off_one_way_is_followed_by_another_and_returns_quietly(self):
        for direction in ("in", "out"):
            with self.subTest(direction):
                # A machine that stands still for a second may give it back by chance, once.
                self.assertTrue(self.is_followed(direction) or self.is_followed(direction),
                                "who comes back takes nothing over")

    def is_followed(self, direction):
        """Cuts the leader's one way: another does its work, and is leader still after the cut."""
        old = self.wait_leader()
        rest = [one for one in VOTERS if one != old]
        self.cluster.cut(old, direction)
        self.wait_leader(rest, but=old)
        worker = self.worker(rest)
        worker.add([spec("hand", direction.encode())])
        grants = worker.claim(1, kinds=["hand"])
        self.assertEqual([one[2] for one in grants], [direction.encode()])
        worker.complete_all(grants)
        self.cluster.heal(old)
        return self.wait_leader() in rest

    def test_a_minority_serves_reads_marked_stale_and_grants_nothing(self):
        worker = self.worker()
        item = worker.add([spec("hand", b"precious", LEASE_MS)])[0]
        self.assertFalse(self.show(worker, item)[0])
        old = self.leader
        rest = [one for one in VOTERS if one != old]
        self.cluster.part(old, self.others(old))
        alone = self.worker([old])
        with self.assertRaises(NoAnswer):
            alone.claim(1, kinds=["hand"], seconds=6)
        stale, work = self.show(alone, item)
        self.assertEqual((stale, work["state"]), (True, "ready"))
        self.assertIsNone(self.cluster.leader_seen_by(old))
        self.wait_leader(rest, but=old)
        majority = self.worker(rest)
        grants = majority.claim(1, kinds=["hand"])
        self.assertEqual([one[0] for one in grants], [item])
        majority.complete_all(grants)
        self.assertTrue(self.show(alone, item)[0], "still cut off")
        self.cluster.heal(old)
        self.wait_leader()
        # It may be asked first, and be slow to find the others again.
        wait_until(lambda: self.show(worker, item)[1]["state"] == "done", 30, "it is done")
        # The claim that the minority could not answer is granted nothing that was granted.
        alone.nodes = self.cluster.names
        self.assertEqual(alone.claim(1, kinds=["hand"], again=True), [])

    # ---- workers ---------------------------------------------------------------------------------

    def test_a_real_workers_late_completion_is_refused_and_its_token_is_stale(self):
        """Its program runs on without a lease, and ends after another node was granted the work."""
        adder = self.worker(VOTERS)
        one = spec("stubborn", b"", LEASE_MS)
        one[4][0], one[4][4], one[4][7], one[4][8] = "cpus>=0.1", 200, 50, FINISH
        item = adder.add([one])[0]
        first = wait_until(self.lines, 20, "it runs")[0]
        self.cluster.part(first[0])
        second = wait_until(lambda: self.lines()[1:], 40, "it is granted again")[0]
        self.assertNotEqual(second[0], first[0])
        self.assertGreater(int(second[1]), int(first[1]), "fences grow")
        self.gate.open()  # both programs end
        wait_until(lambda: self.show(adder, item)[1]["state"] == "done", 20, "it is done")
        self.cluster.heal(first[0])
        self.cluster.wait_whole(seconds=60)
        wait_until(lambda: not self.cluster.ask(first[0], "status")["counters"]["jobs.running"],
                   20, f"{first[0]} has let go")
        work = self.show(adder, item)[1]
        self.assertEqual((work["node"], work["token"], work["result"].strip()),
                         (second[0], int(second[1]), second[0]))
        stale = adder.complete([(item, int(first[1]), b"")], b"too late")
        self.assertEqual(stale[item], STALE)
        self.assertEqual(self.show(adder, item)[1]["result"].strip(), second[0])

    def lines(self):
        if not os.path.exists(self.effects):
            return []
        with open(self.effects, encoding="utf-8") as file:
            return [line.split() for line in file]


if __name__ == "__main__":
    netspace.entered()
    unittest.main()
