#!/usr/bin/python3
"""Rosters that disagree: two of one version, both signed; noticed, named, settled by a third."""

import os
import shutil
import unittest

import peer
from clustertest import ClusterTest, Refused, wait_until


class TwoOfOneVersion(ClusterTest):
    def tearDown(self):
        self.assertStillWhole()

    def signed_apart(self, name):
        """A roster of the next version that admits `name`, signed in a copy of the operator's
        directory as if nobody else had changed anything."""
        home = self.cluster.file("operator-" + name)
        shutil.copytree(self.cluster.file("operator"), home)
        self.cluster.command("--key", home, "--yes", "key", "approve", name, "--public-key",
                             peer.new_key(name)["public"], "--no-push")
        return os.path.join(home, "roster")

    def conflicts(self, node):
        return [one["subject"] for one in self.cluster.status(node)["problems"]
                if one["code"] == 1109]

    def test_is_noticed_said_and_settled_by_a_newer_version(self):
        version = self.roster_version()
        first, second = self.signed_apart("first"), self.signed_apart("second")
        for name in self.cluster.names:
            self.assertEqual(self.cluster.stop_gently(name), 0)
        for name, roster in (("n1", first), ("n2", second), ("n3", first)):
            shutil.copyfile(roster, os.path.join(self.cluster.data_dir(name), "roster"))
        self.cluster.start_all()
        self.cluster.wait_whole()
        for name in self.cluster.names:
            self.assertEqual(self.roster_version(name), version + 1)
        # Each side names whom it hears with another one.
        wait_until(lambda: self.conflicts("n1") == ["n2"], 20, "n1 names n2")
        wait_until(lambda: self.conflicts("n3") == ["n2"], 20, "n3 names n2")
        wait_until(lambda: self.conflicts("n2") == ["n1", "n3"], 20, "n2 names both others")
        self.assertEqual(self.cluster.status("n1")["state"], "degraded")
        self.assertGreaterEqual(self.cluster.counter("n1", "roster.conflicts"), 1)
        self.cluster.wait_log("n1", ["F-1109", "n2"])
        self.assertTrue(self.cluster.events("n2", kind="roster", subject="n1"))
        # Whoever pushes the other one is told, and nothing changes.
        with self.assertRaises(Refused) as refused:
            self.cluster.operate("roster", "push", second, node="n1")
        self.assertIn("F-1109", refused.exception.text)
        self.assertEqual(self.conflicts("n1"), ["n2"])
        # Any change on top of one of them settles it.
        self.approve(peer.new_key("third"))
        self.wait_roster(version + 2)
        for name in self.cluster.names:
            wait_until(lambda one=name: not self.conflicts(one), 10, f"{name} is content")
            wait_until(lambda one=name: self.cluster.status(one)["state"] == "ok", 10, "says so")

    def test_an_approved_member_that_never_came_is_no_sickness(self):
        key = peer.new_key("n9")
        self.approve(key)
        self.wait_roster(self.roster_version())
        wait_until(lambda: self.cluster.status("n1")["state"] == "ok", 10, "nothing is amiss")
        status = self.cluster.status("n1")
        self.assertEqual(status["problems"], [])
        self.assertIn("n9", [one["subject"] for one in status["notes"]])
        self.assertGreaterEqual(status["members"]["never_seen"], 1)
        text = self.cluster.operate("status", node="n1")
        self.assertIn("never seen", text)
        self.cluster.operate("--yes", "key", "revoke", "n9")


if __name__ == "__main__":
    unittest.main()
