#!/usr/bin/python3
"""The command line beside real nodes: watching, without keys, and in a node's environment."""

import json
import os
import pty
import signal
import subprocess
import unittest

from cluster import PROGRAMS
from clustertest import ClusterTest, Refused, wait_until


class Watching(ClusterTest):
    """`--watch`: again and again, on a screen and through a pipe, whatever happens to the node."""

    def tearDown(self):
        if not self.cluster.is_running("n1"):
            self.cluster.start("n1")
        self.assertStillWhole()

    def watch(self, *words, **streams):
        process = subprocess.Popen(
            [os.path.join(PROGRAMS, "riftbus"), "--key", self.cluster.file("operator"), "--config",
             self.cluster.file("cluster.yaml"), "--node", "n1", "--watch=0.2", *words],
            stdin=subprocess.DEVNULL, start_new_session=True, **streams)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_a_pipe_gets_data_only_and_survives_the_nodes_restart(self):
        paths = [os.path.join(self.cluster.directory, name) for name in ("watch.out", "watch.err")]
        with open(paths[0], "wb") as out, open(paths[1], "wb") as err:
            process = self.watch("-o", "jsonl", "status", stdout=out, stderr=err)

        def lines(number):
            with open(paths[number], encoding="utf-8") as file:
                return file.read().splitlines()

        wait_until(lambda: len(lines(0)) >= 3, 10, "three documents")
        self.cluster.signal("n1", signal.SIGKILL)
        wait_until(lambda: "F-1360" in " ".join(lines(1)), 10, "the error is on standard error")
        self.cluster.start("n1")
        known = len(lines(0))
        wait_until(lambda: len(lines(0)) >= known + 3, 20, "documents come again")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(10), -signal.SIGINT)
        for line in lines(0)[:-1]:  # the last one may be cut off
            self.assertEqual(json.loads(line)["schema"], 1)

    def test_a_screen_is_drawn_anew_each_time(self):
        screen, terminal = pty.openpty()
        self.addCleanup(os.close, screen)
        self.watch("status", stdout=terminal, stderr=terminal)
        os.close(terminal)
        seen = b""
        while seen.count(b"\x1b[H\x1b[2J") < 3:
            seen += os.read(screen, 65536)
        first, second = seen.split(b"\x1b[H\x1b[2J")[1:3]
        for one in (first, second):
            self.assertIn(b"OK", one)
            self.assertEqual(one.count(b"cluster "), 1)


class Insecure(ClusterTest):
    """Without keys, on loopback: nodes find each other, and whoever is on this machine may ask."""

    options = ("--insecure",)

    def setUp(self):
        self.cluster.wait_leader()  # `status` says so, with its exit status, where none is
        self.config = ["--insecure", "--config", self.cluster.file("cluster.yaml"),
                       "--timeout", "5"]

    def test_everybody_on_loopback_may_ask(self):
        for words in (["status"], ["--node", "n2", "node", "list"], ["link", "list"],
                      ["why", "node", "n3"], ["tap", "-c", "1"],
                      ["--node", self.cluster.call_endpoint("n3")[6:], "status"]):
            with self.subTest(words):
                self.assertTrue(self.cluster.command(*self.config, *words))

    def test_there_is_no_roster_and_the_node_says_so(self):
        with self.assertRaises(Refused) as refused:
            self.cluster.command(*self.config, "roster", "show")
        self.assertEqual(refused.exception.status, 78)
        self.assertIn("F-1517", refused.exception.text)

    def test_other_hosts_are_not_called_without_keys(self):
        with self.assertRaises(Refused) as refused:
            self.cluster.command(*self.config, "--node", "n1@192.0.2.1:7770", "status")
        self.assertEqual(refused.exception.status, 69)
        self.assertIn("F-1352", refused.exception.text)


class Environment(ClusterTest):
    def test_the_operators_variables_do_not_trouble_a_node(self):
        self.cluster.stop_gently("n2")
        before = len(self.cluster.log("n2"))
        self.cluster.start("n2", environment={"RIFTBUS_KEY": self.cluster.file("operator"),
                                              "RIFTBUS_NODE": "n1", "RIFTBUS_CLUSTER": "live"})
        self.cluster.wait_standing("n1", "n2", "alive", 20)
        self.assertNotIn("F-1005", self.cluster.log("n2")[before:])


if __name__ == "__main__":
    unittest.main()
