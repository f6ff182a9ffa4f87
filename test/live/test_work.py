#!/usr/bin/python3
"""Work with real daemons and real jobs: five voters, two of them workers, and deaths among these.

Every job leaves a line with its fence; what counts is what the queue accepted, and that must be
each item once, by the fence of one of those lines.
"""

import json
import os
import signal
import unittest

from clustertest import ClusterTest, Gate, wait_until
from peer import KINDS
from worker import Worker, spec

ASKED = ["n1", "n2", "n3"]
WORKERS = ["n4", "n5"]
LEASE_MS = 10_000
COMMAND = ('echo "$(cat) $RIFTBUS_NODE $RIFTBUS_FENCE" >> {effects}; '
           '{gate}; printf "$RIFTBUS_NODE" > "$RIFTBUS_RESULT"')
# Writes a checkpoint and waits; its next attempt makes that its result.
RESUME = ('test -s "$RIFTBUS_CHECKPOINT" && exec cp "$RIFTBUS_CHECKPOINT" "$RIFTBUS_RESULT"; '
          'printf "$RIFTBUS_NODE" > "$RIFTBUS_CHECKPOINT"; '
          'echo "$(cat) $RIFTBUS_NODE $RIFTBUS_FENCE" >> {effects}; {gate}')


class Work(ClusterTest):
    nodes = 5
    count = 0

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.effects = cls.cluster.file("effects")
        cls.gate = Gate(cls.cluster.file("gate"))
        with open(cls.cluster.file("cluster.yaml"), "a", encoding="utf-8") as file:
            file.write("\njobs:\n")
            for kind, command in ("count", COMMAND), ("resume", RESUME):
                command = command.format(effects=cls.effects, gate=cls.gate)
                file.write(f"  {kind}:\n    command: [sh, -c, '{command}']\n"
                           "    needs: cpus>=0.1\n    lease_s: 10\n    kill_grace_s: 1\n")
        for name in WORKERS:  # the others run none: they do not know the kind
            cls.cluster.stop_gently(name)
            cls.start_worker(name)
        cls.cluster.wait_whole(seconds=60)

    @classmethod
    def start_worker(cls, name):
        cls.cluster.start(name, "--executor-slots", "16")  # so that 30 items need both

    def setUp(self):
        if os.path.exists(self.effects):
            os.remove(self.effects)
        self.gate.shut()
        type(self).count += 1
        self.adder = Worker(self, ASKED, f"adder{self.count}")

    def tearDown(self):
        self.gate.open()
        for name in WORKERS:
            if self.cluster.is_running(name):
                self.cluster.signal(name, signal.SIGCONT)
            else:
                self.start_worker(name)
        self.adder.close()
        self.assertStillWhole(seconds=60)

    # ---- what is done and seen -------------------------------------------------------------------

    def add(self, count):
        specs = [spec("count", f"item{i}".encode(), LEASE_MS) for i in range(count)]
        for each in specs:
            each[4][0], each[4][7] = "cpus>=0.1", 50  # needs, losses_max
        return self.adder.add(specs)

    def lines(self):
        if not os.path.exists(self.effects):
            return []
        with open(self.effects, encoding="utf-8") as file:
            return [line.split() for line in file.read().splitlines()]

    def running_on(self, name):
        return [line for line in self.lines() if line[1] == name]

    def document(self, node, name, **arguments):
        """What a node answers to a query; the queue's leader speaks through any voter."""
        with self.connect(node) as peer:
            kind, body = peer.call("query", [name, arguments], seconds=10)
        if kind != KINDS["answer"]:
            raise ValueError(f"{name}: {body}")
        return json.loads(body[0])

    def shown(self, item, asked="n1"):
        return self.document(asked, "work.show", id=str(item))["work"]

    def wait_done(self, ids, seconds=90):
        def count():
            done = self.document("n1", "work.history", limit="1000")["works"]
            return {one["id"] for one in done if one["state"] == "done"} >= set(ids)

        wait_until(count, seconds, f"{len(ids)} items are done")

    def assertEachOnce(self, ids):
        """Every item is done by exactly one grant, and that grant's program has run once."""
        lines = self.lines()
        runs = [(item, fence) for item, _, fence in lines]
        self.assertEqual(len(runs), len(set(runs)), "one grant ran twice")
        for number, item in enumerate(ids):
            shown = self.shown(item)
            self.assertEqual(shown["state"], "done")
            self.assertIn([f"item{number}", shown["node"], str(shown["token"])], lines)
            self.assertEqual(shown["result"], shown["node"])

    # ---- tests -----------------------------------------------------------------------------------

    def test_1_work_is_spread_and_done_once(self):
        ids = self.add(30)
        wait_until(lambda: all(self.running_on(name) for name in WORKERS), 30, "both work")
        self.gate.open()
        self.wait_done(ids)
        self.assertEachOnce(ids)
        self.assertEqual(len(self.lines()), len(ids))

    def test_2_a_killed_daemon_leaves_its_jobs_and_its_successor_reports_them(self):
        ids = self.add(30)
        wait_until(lambda: self.running_on("n5"), 30, "n5 works")
        held = {line[0] for line in self.running_on("n5")}
        self.cluster.signal("n5", signal.SIGKILL)
        self.gate.open()  # they end while no daemon looks
        self.start_worker("n5")
        self.wait_done(ids)
        self.assertEachOnce(ids)
        ran = {}
        for item, node, _ in self.lines():
            ran.setdefault(item, []).append(node)
        for item in held:
            self.assertEqual(ran[item], ["n5"], "adopted work ran again elsewhere")

    def test_3_what_a_dead_machine_held_is_done_elsewhere(self):
        ids = self.add(30)
        wait_until(lambda: self.running_on("n5"), 30, "n5 works")
        self.cluster.signal("n5", signal.SIGKILL)
        self.kill_jobs_of("n5")
        held = ids[int(self.running_on("n5")[0][0].removeprefix("item"))]
        wait_until(lambda: "n5 is dead since" in self.why(held), 8, "why it does not get on")
        self.gate.open()
        self.wait_done(ids)
        self.assertEachOnce(ids)

    def why(self, item):
        return " ".join(self.document("n1", "why.work", id=str(item))["reasons"])

    def test_4_a_stopped_daemon_lets_go_of_its_jobs_before_they_are_granted_again(self):
        ids = self.add(30)
        wait_until(lambda: self.running_on("n5"), 30, "n5 works")
        mine = self.job_pids("n5")
        self.assertTrue(mine)
        self.cluster.signal("n5", signal.SIGSTOP)
        # Nobody renews: each job ends by its own clock, while its daemon cannot do anything.
        wait_until(lambda: not self.job_pids("n5"), 30, "the jobs of n5 end")
        regranted = [line for line in self.lines()
                     if line[1] == "n4" and line[0] in {one[0] for one in self.running_on("n5")}]
        self.assertEqual(regranted, [], "granted again while it still ran")
        self.gate.open()
        self.wait_done(ids)
        self.cluster.signal("n5", signal.SIGCONT)
        self.assertEachOnce(ids)

    def test_5_a_checkpoint_outlives_its_worker_and_the_leader_together(self):
        item = self.adder.add([spec("resume", b"item0", LEASE_MS)])[0]
        first = wait_until(self.lines, 30, "it runs")[0][1]
        wait_until(lambda: self.shown(item)["checkpoint_bytes"], 30, "the log has its checkpoint")
        def leader_that_leaves_a_worker():  # a machine that stood still may have made n4 or n5 one
            seen = self.cluster.wait_leader()
            if seen not in WORKERS or seen == first:
                return seen
            self.cluster.operate("leader", "transfer", "n1", node="n1")
            return None

        leader = wait_until(leader_that_leaves_a_worker, 30, "a leader that may be killed with it")
        for name in {first, leader}:
            self.cluster.signal(name, signal.SIGKILL)
        self.kill_jobs_of(first)
        asked = "n2" if leader == "n1" else "n1"
        wait_until(lambda: self.shown(item, asked)["state"] == "done", 90, "it is done elsewhere")
        shown = self.shown(item, asked)
        self.assertNotEqual(shown["node"], first)
        self.assertEqual(shown["result"], first)
        if leader not in WORKERS:
            self.cluster.start(leader)

    def test_6_the_daemons_own_setting_of_its_allocator_is_not_its_jobs(self):
        item = self.add(1)[0]
        name = wait_until(lambda: next((each for each in WORKERS if self.running_on(each)), None),
                          30, "it runs")
        daemon = self.cluster.processes[name].pid
        if not self.is_sanitized(daemon):  # those have an allocator of their own
            self.assertIn(b"GLIBC_TUNABLES=glibc.malloc.tcache_count=", self.environ(daemon))
        for pid in self.job_pids(name):
            self.assertNotIn(b"GLIBC_TUNABLES", self.environ(pid))
        self.gate.open()
        self.wait_done([item])
        # An operator's own stays as it is, for both.
        given = "glibc.malloc.arena_max=4"
        self.cluster.stop_gently(name)
        self.cluster.start(name, environment={"GLIBC_TUNABLES": given})
        self.cluster.wait_whole(seconds=60)
        self.assertIn(f"GLIBC_TUNABLES={given}\0".encode(),
                      self.environ(self.cluster.processes[name].pid))

    # ---- processes -------------------------------------------------------------------------------

    def job_pids(self, name):
        """Programs of a node's jobs: they carry its jobs folder in their environment."""
        mark = f"RIFTBUS_JOB_DIR={self.cluster.data_dir(name)}/jobs/".encode()
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                with open(f"/proc/{entry}/environ", "rb") as file:
                    if mark in file.read():
                        found.append(int(entry))
            except OSError:
                continue
        return found

    @staticmethod
    def is_sanitized(pid):
        with open(f"/proc/{pid}/exe", "rb") as file:
            program = file.read()
        return b"__asan_init" in program or b"__tsan_init" in program

    @staticmethod
    def environ(pid):
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read()

    def kill_jobs_of(self, name):
        """As if the machine had died: riftbus-job first, then whatever it watched over."""
        folder = f"{self.cluster.data_dir(name)}/jobs/".encode()
        for entry in os.listdir("/proc"):
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
            except OSError:
                continue
            if entry.isdigit() and len(words) > 1 and words[1].startswith(folder):
                self.kill(int(entry))
        for pid in self.job_pids(name):
            self.kill(pid)

    @staticmethod
    def kill(pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


if __name__ == "__main__":
    unittest.main()
