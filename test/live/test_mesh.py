#!/usr/bin/python3
"""A mesh of real daemons: they find each other, notice deaths and returns, and say why."""

import signal
import time
import unittest

from clustertest import ClusterTest, wait_until


class Mesh(ClusterTest):
    nodes = 4

    def others(self, name):
        return [one for one in self.cluster.names if one != name]

    def tearDown(self):
        for name in self.cluster.names:
            if self.cluster.is_running(name):
                self.cluster.signal(name, signal.SIGCONT)
            else:
                self.cluster.start(name)
        self.assertStillWhole()

    def test_all_views_agree(self):
        for name in self.cluster.names:
            self.assertEqual(set(self.cluster.members(name)), set(self.cluster.names))
            self.assertEqual(self.cluster.status(name)["members"]["alive"], 4)

    def test_a_killed_node_is_dead_everywhere_and_returns_with_a_higher_incarnation(self):
        before = self.cluster.members("n1")["n4"]["incarnation"]
        began = time.monotonic()
        self.cluster.signal("n4", signal.SIGKILL)
        for name in self.others("n4"):
            self.cluster.wait_standing(name, "n4", "dead", 10)
        print(f"killed: dead everywhere after {time.monotonic() - began:.2f} s")
        why = self.cluster.ask("n1", "why", "node", "n4")
        self.assertIn("refused", str(why))
        self.cluster.start("n4")
        for name in self.cluster.names:
            self.cluster.wait_standing(name, "n4", "alive", 15)
        self.assertGreater(self.cluster.members("n1")["n4"]["incarnation"], before)

    def test_a_stopped_node_is_dead_by_silence_and_refutes_when_it_goes_on(self):
        before = len(self.cluster.events("n3", kind="died"))
        began = time.monotonic()
        self.cluster.signal("n3", signal.SIGSTOP)
        for name in self.others("n3"):
            self.cluster.wait_standing(name, "n3", "dead", 20)
        print(f"stopped: dead everywhere after {time.monotonic() - began:.2f} s")
        died = self.cluster.events("n1", kind="died", subject="n3")[-1]
        self.assertEqual(died["evidence"], "silence")
        self.cluster.signal("n3", signal.SIGCONT)
        for name in self.cluster.names:
            self.cluster.wait_standing(name, "n3", "alive", 20)
        # Whoever slept must not have called the others dead for it.
        self.assertEqual(self.cluster.events("n3", kind="died")[before:], [])

    def test_a_short_pause_is_nobodys_death(self):
        deaths = {name: len(self.cluster.events(name, kind="died", subject="n2"))
                  for name in self.others("n2")}
        self.cluster.signal("n2", signal.SIGSTOP)
        missed = wait_until(lambda: self.pause_seen("n2"), 20, "a watcher noticed the pause")
        self.assertTrue(missed)
        self.cluster.signal("n2", signal.SIGCONT)
        for name in self.others("n2"):
            self.cluster.wait_standing(name, "n2", "alive", 15)
            self.assertEqual(len(self.cluster.events(name, kind="died", subject="n2")),
                             deaths[name])

    def pause_seen(self, subject):
        """Some watcher has gone a second without a beat."""
        for name in self.others(subject):
            watch = self.cluster.members(name)[subject]["watch"]
            if watch and watch["last_beat"] and watch["last_beat"]["age_ms"] > 1000:
                return True
        return False

    def test_a_node_that_says_goodbye_has_left_at_once(self):
        status = self.cluster.stop_gently("n4")
        self.assertEqual(status, 0)
        for name in self.others("n4"):
            self.cluster.wait_standing(name, "n4", "left", 5)
        self.assertEqual(self.cluster.events("n1", kind="left", subject="n4")[-1]["evidence"],
                         "goodbye")

    def test_every_node_restarted_at_once_forms_the_cluster_again(self):
        for name in self.cluster.names:
            self.cluster.signal(name, signal.SIGKILL)
        self.cluster.start_all()
        self.cluster.wait_whole(seconds=60)


if __name__ == "__main__":
    unittest.main()
