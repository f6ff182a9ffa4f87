#!/usr/bin/python3
"""Voters that come, go, lag, run out of disk or die for good, and every policy of election."""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import unittest

from clustertest import ClusterTest, wait_until
from history import Op, check
from worker import OK, REPEATED, NoAnswer, spec

VOTERS = ["n1", "n2", "n3"]
DISK_MB = 160  # of the small disk
FAILOVER_MAX_S = 10  # on a busy machine; test/bench/failover.sh measures


class Base(ClusterTest):
    nodes = 4

    def worker(self, nodes=None):
        return super().worker(nodes or VOTERS)

    def shown(self, name):
        return self.cluster.ask(name, "leader", "show")

    def wait_leader(self, asked=VOTERS, but=None):
        return self.cluster.wait_leader(asked, but=but)

    def wait_role(self, name, role, seconds=30):
        return wait_until(lambda: self.shown(name)["role"] == role, seconds, f"{name} is {role}")

    def wait_level(self, seconds=30):
        """Until every voter has on its disk what the leader has."""

        def is_level():
            return len({self.shown(one)["log"]["durable"] for one in VOTERS}) == 1

        return wait_until(is_level, seconds, "all voters have caught up")

    def finish(self, worker):
        """Claims and completes all there is; how many."""
        done = 0
        while grants := worker.claim(64):
            self.assertLessEqual(set(worker.complete(grants).values()), {OK, REPEATED})
            done += len(grants)
        return done


class Load(threading.Thread):
    """Adds, claims and completes, one after the other, and writes down what it saw and when."""

    def __init__(self, test):
        super().__init__()
        self.worker, self.ops, self.trouble = test.worker(), [], None
        self.over = threading.Event()

    def run(self):
        try:
            while not self.over.is_set():
                self.turn()
        except Exception as error:  # raised by stop()
            self.trouble = error

    def timed(self, act):
        start = time.monotonic()
        answer = act()
        return answer, start, time.monotonic()

    def turn(self):
        patience = {"seconds": 60, "each": 1.0}
        ids, start, end = self.timed(lambda: self.worker.add([spec("load", b"x")] * 4, **patience))
        self.ops += [Op("add", item, start, end) for item in ids]
        grants, start, end = self.timed(lambda: self.worker.claim(4, kinds=["load"], **patience))
        self.ops += [Op("grant", item, start, end, fence, client=f"{start}", lease_s=600)
                     for item, fence, _ in grants]
        said, start, end = self.timed(lambda: self.worker.complete(grants, **patience))
        self.ops += [Op("complete", item, start, end, fence, "ok" if said[item] in (OK, REPEATED)
                        else f"outcome {said[item]}") for item, fence, _ in grants]

    def stop(self):
        """Everything that was seen, judged."""
        self.over.set()
        self.join()
        if self.trouble:
            raise self.trouble
        final = {op.item: ("done", op.fence) for op in self.ops if op.kind == "complete"}
        return check(self.ops, final)


class Voters(Base):
    def tearDown(self):
        for name in self.cluster.names:
            if not self.cluster.is_running(name):
                self.cluster.start(name)
        self.assertStillWhole()

    def test_every_policy_elects_a_successor_also_when_it_is_switched_meanwhile(self):
        took = {}
        for policies in (["bully"] * 3, ["hybrid"] * 3, ["raft", "bully", "hybrid"]):
            leader = self.wait_leader()
            self.wait_level()
            for name, policy in zip(VOTERS, policies):
                self.cluster.ask(name, "leader", "policy", "--set", policy)
            rest = [one for one in VOTERS if one != leader]
            worker = self.worker(rest)
            worker.add([spec("job", b"x")])
            began = time.monotonic()
            self.cluster.signal(leader, signal.SIGKILL)
            # Rolled back and forth while they elect.
            for policy in ("raft", policies[0]):
                for name in rest:
                    self.cluster.ask(name, "leader", "policy", "--set", policy)
            grants = worker.claim(1, seconds=FAILOVER_MAX_S, each=FAILOVER_MAX_S)
            took[" ".join(policies)] = round(time.monotonic() - began, 2)
            self.assertEqual(len(grants), 1)
            worker.complete(grants)
            self.cluster.start(leader)
            self.cluster.wait_whole()
            self.wait_leader()
        print("next claim after kill -9, s:", took)
        for name in VOTERS:
            self.cluster.ask(name, "leader", "policy", "--set", "raft")

    def test_voters_come_and_go_under_load_and_nothing_is_lost(self):
        load = Load(self)
        load.start()
        try:
            version = self.roster_version()
            self.approve({"id": "n4", "public": self.server_key("n4")}, "--roles", "node,voter")
            self.wait_roster(version + 1)
            for _ in range(2):
                self.change("add", "n4", "voter")
                leader = self.wait_leader()
                self.change("remove", leader, None)  # the leader itself
                self.cluster.wait_leader(["n4"], but=leader)
                # It was a voter, and its log is that of one: it may be one again.
                self.change("add", leader, "voter")
                self.change("remove", "n4", None)
            wait_until(lambda: len(load.ops) > 60 or load.trouble, 30, "there was load")
        finally:
            problems = load.stop()
        self.assertEqual(problems, [], "\n".join(problems))
        listed = self.cluster.ask("n1", "voter", "list")["voters"]
        self.assertEqual({one["id"] for one in listed}, set(VOTERS))
        print(f"{len(load.ops)} operations while voters came and went")

    def change(self, what, name, standing):
        """Repeated while it is refused for now (the leader is new, or has just changed)."""

        def is_done():
            voters = self.cluster.ask("n4", "voter", "list")["voters"]
            if {one["id"]: one["standing"] for one in voters}.get(name) == standing:
                return True
            self.cluster.operate("voter", what, name, node=self.cluster.leader_seen_by("n4"))
            return False

        wait_until(is_done, 40, f"voter {what} {name}")

    def test_a_follower_that_lags_behind_the_log_gets_a_snapshot(self):
        worker = self.worker()
        leader = self.wait_leader()
        lagging = next(one for one in VOTERS if one != leader)
        self.cluster.signal(lagging, signal.SIGKILL)
        snapshots = self.cluster.counter(leader, "log.snapshots")
        # 64 MiB of log make a snapshot due, 16 MiB of it stay behind it.
        began = time.monotonic()
        added = 0
        while self.cluster.counter(leader, "log.snapshots") == snapshots:
            self.assertLess(added, 3_000, "a snapshot by now")
            for _ in range(40):
                worker.add([spec("job", os.urandom(60_000)) for _ in range(3)])
            added += 120
            self.assertEqual(self.finish(worker), 120)
        kept = worker.add([spec("job", b"kept")])
        self.cluster.start(lagging)
        self.cluster.wait_whole()
        self.wait_level(60)
        print(f"{added} items, then a snapshot; level after {time.monotonic() - began:.1f} s")
        self.assertGreater(self.snapshot_pieces(lagging), 0, "it was sent a snapshot")
        # What it was sent is enough to lead.
        wait_until(lambda: self.cluster.leader_seen_by(leader) == lagging or
                   not self.cluster.operate("leader", "transfer", lagging, node=leader), 30,
                   f"{lagging} leads")
        self.assertEqual([one[0] for one in self.worker([lagging]).claim(5)], kept)

    def snapshot_pieces(self, name):
        """Of the snapshot that a voter has on its disk; read from a copy, it is in use."""
        aside = self.cluster.file("copy")
        shutil.copytree(self.log_of(name), aside)
        try:
            with contextlib.closing(sqlite3.connect(os.path.join(aside, "log.db"))) as database:
                return database.execute("SELECT count(*) FROM piece").fetchone()[0]
        finally:
            shutil.rmtree(aside)

    # ---- a full disk -----------------------------------------------------------------------------

    def test_a_voter_with_a_full_disk_stops_voting_and_says_why(self):
        if os.geteuid() != 0:
            print("SKIPPED: a small file system of its own needs root", file=sys.stderr)
            self.skipTest("needs root for a tmpfs")
        self.wait_level()
        leader = self.wait_leader()
        full = next(one for one in VOTERS if one != leader)
        folder, aside = self.log_of(full), self.log_of(full) + ".aside"
        self.cluster.signal(full, signal.SIGKILL)
        os.rename(folder, aside)
        os.mkdir(folder, 0o700)
        options = f"size={DISK_MB}m,mode=0700"
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder],
                                 check=False, capture_output=True).returncode == 0
        try:
            if not mounted:
                self.skipTest("mount is not permitted here")
            subprocess.run(["cp", "-a", aside + "/.", folder], check=True)
            self.cluster.start(full)
            self.cluster.wait_whole()
            self.wait_level()
            self.fill(os.path.join(folder, "fill"))
            worker = self.worker([one for one in VOTERS if one != full])
            added = 0
            # It first fills what is free within its files; beyond DISK_MB it must have failed.
            while self.shown(full)["role"] != "failed":
                self.assertLess(added, DISK_MB * 1_000_000, f"{full} takes no part by now")
                for _ in range(10):
                    worker.add([spec("job", os.urandom(60_000)) for _ in range(3)])
                    added += 180_000
            self.assertIn("F-1709", self.shown(full)["trouble"])
            self.cluster.wait_log(full, ["F-1709"])
            self.assertGreater(self.finish(worker), 0, "two of three go on")
        finally:
            self.cluster.signal(full, signal.SIGKILL)
            if mounted:
                os.remove(os.path.join(folder, "fill"))
                for entry in os.listdir(aside):
                    os.remove(os.path.join(aside, entry))
                subprocess.run(["cp", "-a", folder + "/.", aside], check=True)
                subprocess.run(["umount", "-l", folder], check=False)
            os.rmdir(folder)
            os.rename(aside, folder)
            self.cluster.start(full)
        # There is room again: it goes on with what it had.
        self.cluster.wait_whole()
        self.wait_level(60)

    def log_of(self, name):
        return os.path.join(self.cluster.data_dir(name), "log")

    def fill(self, path):
        with open(path, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\x00" * 65536)
            except OSError:
                pass


class Disaster(Base):
    """The last resort; what is left of the cluster has one voter."""

    nodes = 3

    def tearDown(self):
        pass  # two of three are gone for good

    def test_recover_makes_the_last_voter_a_cluster_of_a_new_generation(self):
        worker = self.worker()
        worker.add([spec("job", b"%d" % number) for number in range(6)])
        held = worker.claim(2)
        worker.complete_all(held[:1])
        self.wait_level()
        for name in ("n2", "n3"):
            self.cluster.signal(name, signal.SIGKILL)
        alone = self.worker(["n1"])
        alone.name, alone.instance, alone.request = worker.name, worker.instance, worker.request
        with self.assertRaises(NoAnswer):
            alone.claim(1, seconds=5)
        generation = self.shown("n1")["generation"]
        self.cluster.operate("--yes", "leader", "recover", node="n1")
        self.assertEqual(self.wait_leader(["n1"]), "n1")
        self.assertEqual(self.shown("n1")["generation"], generation + 1)
        # Whether the claim of before the disaster stands in the log, nobody could tell.
        grants = alone.claim(1, again=True, seconds=20)
        fresh = alone.claim(1)
        self.assertEqual((len(grants), len(fresh)), (1, 1))
        self.assertEqual(fresh[0][1] >> 48, generation + 1, "above every fence there was")
        alone.complete_all(fresh)
        # What was held is still held, by the token of before.
        alone.complete_all(grants + held[1:])
        self.assertEqual(self.finish(alone), 2)
        self.assertEqual([one["id"] for one in self.cluster.ask("n1", "voter", "list")["voters"]],
                         ["n1"])
        # The old majority comes back with its old log. It has the votes to lead that beside the new
        # one, but is told of it, and retires.
        for name in ("n2", "n3"):
            self.cluster.start(name)
        for name in ("n2", "n3"):
            self.cluster.wait_standing("n1", name, "alive", 30)
            self.wait_role(name, "retired")
            self.assertIn("F-1714", self.shown(name)["trouble"])
        self.assertEqual(self.wait_leader(["n1"]), "n1")
        alone.add([spec("job", b"after")])
        self.assertEqual(self.finish(alone), 1)


if __name__ == "__main__":
    unittest.main()
