#!/usr/bin/python3
"""What a node keeps over a restart: orders of its operator, and which job has which GPU."""

import json
import os
import signal
import unittest

from clustertest import ClusterTest, Gate, Refused, wait_until

NODE = "n3"  # that is restarted
GPUS = ["GPU-11111111-aaaa", "GPU-22222222-bbbb"]
# What the real one prints for the two questions that a node asks.
NVIDIA_SMI = f"""#!/bin/sh
case $1 in
--query-gpu=*)
  echo '{GPUS[0]}, NVIDIA GeForce RTX 5090, 32607, 570.86.16'
  echo '{GPUS[1]}, NVIDIA GeForce RTX 5090, 32607, 570.86.16' ;;
*) echo '| NVIDIA-SMI 570.86.16      Driver Version: 570.86.16      CUDA Version: 12.8     |' ;;
esac
"""
JOBS = """
jobs:
  echo: {{command: [sh, -c, 'echo $RIFTBUS_NODE'], needs: "cpus>=0.1"}}
  train:
    command: [sh, -c, 'echo "$(cat) $CUDA_VISIBLE_DEVICES" >> {record}; {gate}']
    needs: gpus>=1 && cuda>=12.8 && cpus>=0.1
"""


class Orders(ClusterTest):
    nodes = 3

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.record, cls.gate = cls.cluster.file("record"), Gate(cls.cluster.file("gate"))
        programs = cls.cluster.file("programs")
        os.mkdir(programs)
        with open(os.path.join(programs, "nvidia-smi"), "w", encoding="utf-8") as file:
            file.write(NVIDIA_SMI)
        os.chmod(os.path.join(programs, "nvidia-smi"), 0o755)
        cls.path = {"PATH": programs + ":" + os.environ["PATH"]}
        with open(cls.cluster.file("cluster.yaml"), "a", encoding="utf-8") as file:
            file.write(JOBS.format(record=cls.record, gate=cls.gate))
        for name in cls.cluster.names:
            cls.cluster.stop_gently(name)
            cls.start(name)
        cls.cluster.wait_whole(seconds=60)

    @classmethod
    def start(cls, name, **environment):
        gpus = cls.path if name == NODE else {}
        cls.cluster.start(name, environment={**gpus, **environment})

    def restart(self, kill=False, **environment):
        if kill:
            self.cluster.signal(NODE, signal.SIGKILL)
        else:
            self.cluster.stop_gently(NODE)
        self.start(NODE, **environment)
        self.cluster.wait_whole(seconds=60)

    def operate(self, *arguments):
        return self.cluster.operate(*arguments, node="n1")

    def policy(self, *arguments):
        shown = self.cluster.ask(NODE, "leader", "policy", *arguments)
        return shown["policy"], shown["policy_configured"]

    def add(self, *arguments):
        added = json.loads(self.operate("-o", "json", "work", "add", *arguments))
        return [one["id"] for one in added["items"]]

    def work(self, number):
        return self.cluster.ask("n1", "work", "show", str(number))["work"]

    def wait_saved(self, words):
        path = os.path.join(self.cluster.data_dir(NODE), "standing_orders")

        def is_saved():
            with open(path, encoding="utf-8") as file:
                return file.read() == words

        wait_until(is_saved, 10, f"the orders are {words!r}")

    # ---- tests -----------------------------------------------------------------------------------

    def wait_shown(self, words):
        """What a node runs it is asked itself, just after its start perhaps, and not for long."""
        wait_until(lambda: words in self.operate("node", "show", NODE), 20, words)

    def test_a_drained_node_stays_drained_until_it_is_resumed(self):
        self.operate("node", "drain", NODE)
        self.wait_saved("draining\n")
        self.restart(kill=True)
        self.assertTrue(self.cluster.status(NODE)["jobs"]["draining"])
        self.wait_shown("drained: takes no more work")
        self.assertNotIn("drained", self.operate("node", "show", "n2"))
        self.operate("node", "resume", NODE)
        self.wait_saved("")
        self.restart()
        self.assertEqual(self.cluster.status(NODE)["jobs"],
                         {"running": 0, "slots": 64, "draining": False})

    def test_a_node_that_evicts_goes_on_evicting_until_it_is_resumed(self):
        self.operate("node", "drain", NODE, "--evict")
        self.wait_saved("draining\nevicting\n")
        self.restart(kill=True)
        jobs = wait_until(lambda: self.cluster.ask("n1", "node", "show", NODE)["jobs"], 20,
                          "it says what it runs")
        self.assertTrue(jobs["draining"])
        self.cluster.wait_log(NODE, "as it was told in a former life")
        self.operate("node", "drain", NODE)
        self.wait_saved("draining\n")
        self.operate("node", "resume", NODE)
        self.wait_saved("")

    def test_a_policy_is_kept_until_it_is_configured_again(self):
        self.assertEqual(self.policy(), ("raft", "raft"))
        self.assertEqual(self.policy("--set", "bully"), ("bully", "raft"))
        self.wait_saved("policy bully\n")
        self.restart(kill=True, RAFT_ENABLED="true")
        self.assertEqual(self.policy(), ("bully", "raft"))
        self.restart(CONSENSUS_MODE="hybrid")
        self.assertEqual(self.policy(), ("bully", "hybrid"))
        self.assertEqual(self.policy("--set", "configured"), ("hybrid", "hybrid"))
        self.wait_saved("")
        self.restart(RAFT_ENABLED="false")
        self.assertEqual(self.policy(), ("bully", "bully"))
        with self.assertRaises(Refused):
            self.operate("leader", "policy", "--set", "mine")
        self.restart()

    def test_orders_that_cannot_be_read_are_told_and_hold_nothing_up(self):
        self.cluster.stop_gently(NODE)
        with open(os.path.join(self.cluster.data_dir(NODE), "standing_orders"), "w",
                  encoding="utf-8") as file:
            file.write("dance\n")
        self.start(NODE)
        self.cluster.wait_whole(seconds=60)
        self.cluster.wait_log(NODE, "F-1606")
        self.assertEqual(self.policy(), ("raft", "raft"))
        self.policy("--set", "configured")
        self.wait_saved("")

    def test_each_job_has_gpus_of_its_own_also_after_a_restart(self):
        ids = self.add("train", "--payload", "first") + self.add("train", "--payload", "second")

        def lines():
            with open(self.record, encoding="utf-8") as file:
                return dict(line.split() for line in file.read().splitlines())

        wait_until(lambda: len(lines()) == 2, 60, "two jobs run")
        self.assertEqual(sorted(lines().values()), GPUS)
        waiting = self.add("train", "--payload", "third")[0]
        self.restart(kill=True)
        self.wait_shown("2 of 64 jobs running")
        self.assertEqual(self.work(waiting)["state"], "ready")
        self.gate.open()
        wait_until(lambda: all(self.work(one)["state"] == "done" for one in [*ids, waiting]), 60,
                   "all are done")
        self.assertIn(lines()["third"], GPUS)
        self.assertEqual([self.work(one)["node"] for one in ids], [NODE, NODE])
        self.assertEqual([len(self.work(one)["attempts"]) for one in ids], [0, 0])


if __name__ == "__main__":
    unittest.main()
