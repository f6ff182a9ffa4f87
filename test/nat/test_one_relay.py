#!/usr/bin/python3
"""A private node with one relay, which is killed: the node is unreachable, and not dead.

Needs root (network namespaces); elsewhere it says so and tests nothing.
"""

import signal
import time
import unittest

from natspace import NatCluster  # first: it knows where the other modules are
import netspace
from nattest import NatTest
from clustertest import Gate, wait_until
from test_attach import AttachCluster
from worker import spec

PUBLIC = ["n1", "n2", "n3"]
PRIVATE = "n4"
RELAY = "n1"
JOBS = """
jobs:
  say:
    command: [sh, -c, '{gate}; printf "$RIFTBUS_NODE" > "$RIFTBUS_RESULT"']
    needs: cpus>=1
"""
REHOME_MAX_S = 60  # node/membership/watch.h


class PatientCluster(AttachCluster):
    """A doubted node stores its answer's number before it answers: a slow disk must not bury it."""

    def _rewrite_cluster_file(self):
        super()._rewrite_cluster_file()
        with open(self.file("cluster.yaml"), "a", encoding="utf-8") as file:
            file.write("timing: {suspicion_min_ms: 5000, suspicion_max_ms: 10000}\n")


class OneRelay(NatTest):
    nodes = 4

    @classmethod
    def make_cluster(cls) -> NatCluster:
        return PatientCluster([*PUBLIC, PRIVATE], [PRIVATE], [RELAY])

    @classmethod
    def furnish(cls):
        cls.gate = Gate(cls.cluster.file("gate"))
        cls.cluster.reconfigure([PRIVATE], JOBS.format(gate=cls.gate))

    def setUp(self):
        self.wait_heard()
        self.deaths = self.died()

    def tearDown(self):
        if not self.cluster.is_running("relay-" + RELAY):
            self.cluster.start_relay(RELAY)
        if not self.cluster.is_running(PRIVATE):
            self.cluster.start(PRIVATE)
        self.wait_heard()
        self.assertStillWhole(60)

    # ---- what is seen --------------------------------------------------------------------------

    def wait_heard(self):
        """Until the relay leads to the private node, and everybody who watches it hears it."""
        wait_until(lambda: self.cluster.ask("n3", "link", "ping", PRIVATE, "-c", "1")["answered"],
                   60, f"{PRIVATE} is reached")
        for name in PUBLIC:
            self.cluster.wait_standing(name, PRIVATE, "alive", 30)

    def died(self):
        return {name: len(self.cluster.events(name, kind="died", subject=PRIVATE))
                for name in PUBLIC}

    def kill_relay(self):
        self.cluster.signal("relay-" + RELAY, signal.SIGKILL)

    # ---- tests ---------------------------------------------------------------------------------

    def test_it_is_unreachable_until_its_relay_is_back_and_keeps_its_work(self):
        self.gate.shut()
        item = spec("say", b"x")
        item[4][0] = "cpus>=1"
        item = self.worker(PUBLIC).add([item])[0]
        wait_until(lambda: self.work(item)["state"] == "leased", 30, "it has the work")
        self.kill_relay()
        killed = time.monotonic()
        for name in PUBLIC:
            self.cluster.wait_standing(name, PRIVATE, "unreachable", 20)
        print(f"unreachable to all {time.monotonic() - killed:.1f} s after its relay was killed")
        problems = [one["what"] for one in self.cluster.ask("n3", "status")["problems"]]
        self.assertTrue(any(f"{PRIVATE} is unreachable" in one and f"through {RELAY}" in one
                            for one in problems), problems)
        shown = [view["watch"] for view in self.cluster.ask("n3", "why", "node", PRIVATE)["views"]
                 if view["watch"]]
        self.assertTrue(any(one["frozen_until_ms"] for one in shown), shown)
        self.gate.open()  # it finishes, and says so over connections of its own
        done = wait_until(lambda: (one := self.work(item))["state"] == "done" and one, 30,
                          "the work is done")
        self.assertEqual((done["result"], done["attempts"]), (PRIVATE, []), "none was lost")
        self.cluster.start_relay(RELAY)
        back = time.monotonic()
        for name in PUBLIC:
            self.cluster.wait_standing(name, PRIVATE, "alive", 30)
        print(f"alive to all {time.monotonic() - back:.1f} s after its relay came back")
        self.assertEqual(self.died(), self.deaths)

    def work(self, item):
        return self.cluster.ask("n3", "work", "show", str(item))["work"]

    def test_a_relay_that_is_restarted_at_once_costs_nothing(self):
        for _ in range(3):
            self.kill_relay()
            self.cluster.processes["relay-" + RELAY].wait(10)
            self.cluster.start_relay(RELAY)
            self.wait_heard()
        self.assertEqual(self.died(), self.deaths)

    def test_a_way_that_opens_is_taken_by_a_link_that_has_one(self):
        wait_until(lambda: self.kinds() == {"relay"}, 60, "n3 hears it through the relay")
        self.cluster.open_way("n3", PRIVATE)
        try:
            opened = time.monotonic()
            wait_until(lambda: self.kinds() == {"lan"}, 150, "n3 hears it directly")
            print(f"heard directly {time.monotonic() - opened:.1f} s after that became possible")
        finally:
            self.cluster.close_way("n3", PRIVATE)
        wait_until(lambda: self.kinds() == {"relay"}, 60, "n3 hears it through the relay again")
        self.assertEqual(self.died(), self.deaths)

    def kinds(self):
        paths = self.cluster.ask("n3", "why", "path", PRIVATE)["views"][0]["paths"]
        return {one["kind"] for one in paths if one["in_use"] and one["for"] == "beats"}

    def test_while_its_relay_stays_away_it_is_not_dead_as_long_as_it_speaks(self):
        self.kill_relay()
        for name in PUBLIC:
            self.cluster.wait_standing(name, PRIVATE, "unreachable", 20)
        before = self.doubts()
        wait_until(lambda: self.doubts() > before, REHOME_MAX_S + 30, "it is doubted in the end")
        for name in PUBLIC:  # it heard that, and answered
            self.cluster.wait_standing(name, PRIVATE, "unreachable", 30)
        self.assertEqual(self.died(), self.deaths)

    def doubts(self):
        return sum(len(self.cluster.events(name, kind="suspected", subject=PRIVATE))
                   for name in PUBLIC)

    def test_whoever_dies_with_its_relay_is_dead_in_the_end(self):
        self.cluster.signal(PRIVATE, signal.SIGKILL)
        self.kill_relay()
        killed = time.monotonic()
        for name in PUBLIC:
            self.cluster.wait_standing(name, PRIVATE, "dead", REHOME_MAX_S + 30)
        print(f"dead to all {time.monotonic() - killed:.1f} s after both were killed")


if __name__ == "__main__":
    netspace.entered()
    unittest.main()
