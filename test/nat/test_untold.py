#!/usr/bin/python3
"""A private node that nobody told that it is one: it finds out, and attaches to relays.

Needs root (network namespaces); elsewhere it says so and tests nothing.
"""

import unittest

from natspace import NatCluster  # first: it knows where the other modules are
import netspace
from behind import PRIVATE, PUBLIC, RELAYS, ROUND_S, Behind
from clustertest import wait_until
from test_attach import AttachCluster


class UntoldCluster(AttachCluster):
    """Nobody has told the private node that it is one."""

    def _rewrite_cluster_file(self):
        super()._rewrite_cluster_file()
        path = self.file("cluster.yaml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("    nat_blocked: true\n", ""))

    def operator(self):
        """Nobody outside would look for it at its relays."""
        return NatCluster.operator(self)


class Untold(Behind):
    @classmethod
    def make_cluster(cls) -> NatCluster:
        return UntoldCluster([*PUBLIC, PRIVATE], [PRIVATE], RELAYS)

    def test_who_was_not_told_finds_out_and_attaches(self):
        self.wait_kinds({"relay"}, ROUND_S)
        hosts = {self.cluster.host(one) for one in RELAYS}
        wait_until(lambda: self.relays() == hosts, 30, "both lead there")
        self.assertIs(self.path()["can_be_dialled"], False)
        for name in PUBLIC:
            self.cluster.wait_standing(name, PRIVATE, "alive", 30)
        wait_until(lambda: self.path()["dialled"]["verdict"] == "direct", ROUND_S,
                   "n3 asks the same, and is told the opposite")

    def relays(self):
        shown = self.cluster.ask("n3", "node", "show", PRIVATE)["member"]["addresses"]
        return {one["host"] for one in shown if one["kind"] == "relay"}


if __name__ == "__main__":
    netspace.entered()
    unittest.main()
