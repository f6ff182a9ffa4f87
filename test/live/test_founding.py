#!/usr/bin/python3
"""The first start of a cluster, and voters that come to it without a log."""

import os
import shutil
import signal
import unittest

from cluster import Cluster, Refused, wait_until
from clustertest import ClusterTest
from worker import Worker, spec

VOTERS = ["n1", "n2", "n3"]


def seen(cluster, name):
    return cluster.ask(name, "leader", "show")


def wait_trouble(cluster, name, code, seconds=30):
    def shown():
        answer = seen(cluster, name)
        return answer if answer.get("trouble", "").startswith(code) else None
    return wait_until(shown, seconds, f"{name} says {code}")


def start(cluster, name, voters):
    """Starts a node whose cluster file names these voters; without keys no roster has others."""
    with open(cluster.file("cluster.yaml"), encoding="utf-8") as file:
        lines = file.read().splitlines()
    lines = [f"voters: [{', '.join(voters)}]" if line.startswith("voters:") else line
             for line in lines]
    cluster.config_files[name] = f"{name}.yaml"
    with open(cluster.file(f"{name}.yaml"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    cluster.start(name, "--insecure")
    cluster.insecure = True


class FirstStart(unittest.TestCase):
    def test_it_takes_all_first_voters_and_says_who_is_missing(self):
        with Cluster(names=3) as cluster:
            cluster.start("n1")
            cluster.start("n2")
            shown = wait_trouble(cluster, "n1", "F-1712")
            self.assertEqual((shown["role"], shown["leader"]), ("waiting", None))
            self.assertIn("n3", shown["trouble"])
            self.assertNotIn("n2", shown["trouble"])
            why = cluster.ask("n1", "why", "leader")
            self.assertIn("n3", why["reasons"][0]["text"])
            cluster.start("n3")
            cluster.wait_leader(VOTERS)
            # Once begun, a majority is enough.
            cluster.stop_gently("n3")
            cluster.stop_gently("n2")
            cluster.start("n2")
            cluster.wait_leader(["n1", "n2"])

    def test_voters_with_another_list_begin_no_second_log(self):
        with Cluster(names=3) as cluster:
            start(cluster, "n1", ["n1", "n2"])
            start(cluster, "n2", VOTERS)
            start(cluster, "n3", VOTERS)
            shown = wait_trouble(cluster, "n2", "F-1710")
            self.assertIn("n1 has n1,n2", shown["trouble"])
            wait_trouble(cluster, "n3", "F-1710")
            for name in VOTERS:
                self.assertIsNone(seen(cluster, name)["leader"])

    def test_a_later_voter_waits_to_be_added(self):
        with Cluster(names=3) as cluster:
            start(cluster, "n1", ["n1"])
            cluster.wait_leader(["n1"])
            start(cluster, "n2", ["n1", "n2"])
            wait_trouble(cluster, "n2", "F-1713")
            self.assertEqual(cluster.wait_leader(["n1", "n2"]), "n1")
            cluster.operate("voter", "add", "n2", node="n1")
            wait_until(lambda: seen(cluster, "n2")["role"] == "follower", 20, "n2 follows n1")


class LostDisk(ClusterTest):
    nodes = 3

    def lose_log(self, name):
        self.cluster.signal(name, signal.SIGKILL)
        shutil.rmtree(os.path.join(self.cluster.data_dir(name), "log"))
        os.unlink(os.path.join(self.cluster.data_dir(name), "log.born"))
        self.cluster.start(name)

    def changed(self, change, name):
        try:
            self.cluster.operate("voter", change, name)
        except Refused as refused:
            self.assertIn(refused.status, (65, 75))  # 75: no leader at that moment
            return False
        return True

    def take_in_again(self, name):
        # The leader sends it its log all the time, and it is not taken.
        wait_trouble(self.cluster, name, "F-1713")
        self.assertEqual(seen(self.cluster, name)["role"], "waiting")
        for change in ("remove", "add"):  # refused while the one before is not committed
            wait_until(lambda words=change: self.changed(words, name), 20, f"voter {change} {name}")
        wait_until(lambda: seen(self.cluster, name)["role"] == "follower", 20, f"{name} follows")

        def votes():
            listed = self.cluster.ask(name, "voter", "list")["voters"]
            return {one["id"]: one["standing"] for one in listed}.get(name) == "voter"
        wait_until(votes, 20, f"{name} votes")

    def test_a_voter_that_lost_its_log_while_a_leader_is_there_waits_to_be_added_again(self):
        leader = self.cluster.wait_leader(VOTERS)
        wiped = [one for one in VOTERS if one != leader][0]
        self.lose_log(wiped)
        self.take_in_again(wiped)

    def test_a_voter_that_lost_its_log_helps_nobody_into_office(self):
        first = self.cluster.wait_leader(VOTERS)
        behind, wiped = [one for one in VOTERS if one != first]
        worker = Worker(self, [first], "w")
        worker.add([spec("job", b"known to all")])
        self.cluster.signal(behind, signal.SIGKILL)
        number = worker.add([spec("job", b"known to a majority")])[0]
        worker.close()
        self.cluster.signal(first, signal.SIGKILL)
        self.lose_log(wiped)
        self.cluster.start(behind)
        wait_trouble(self.cluster, wiped, "F-1713")
        self.assertIsNone(seen(self.cluster, behind)["leader"], "a lost vote was given again")
        self.cluster.start(first)
        self.assertEqual(self.cluster.wait_leader(VOTERS), first)
        self.take_in_again(wiped)
        shown = self.cluster.ask(first, "work", "show", str(number))
        self.assertEqual(shown["work"]["state"], "ready")


if __name__ == "__main__":
    unittest.main()
