#!/usr/bin/python3
"""Links: what a node remembers of each address of a peer, and the circuit breakers on them."""

import json
import signal
import unittest

from clustertest import ClusterTest, wait_until


class Breakers(ClusterTest):
    def tearDown(self):
        if not self.cluster.is_running("n3"):
            self.cluster.start("n3")
        self.assertStillWhole()

    def paths(self, use):
        """What n1 remembers of n3's addresses, for calls or beats."""
        links = {one["peer"]: one for one in self.cluster.ask("n1", "link", "list")["links"]}
        return [one for one in links.get("n3", {"paths": []})["paths"] if one["for"] == use]

    def ping(self):
        return self.cluster.ask("n1", "link", "ping", "n3", "-c", "1")

    def test_an_address_in_use_is_closed_and_has_succeeded(self):
        path = wait_until(lambda: next((one for one in self.paths("beats") if one["in_use"]), None),
                          10, "n1 hears n3")
        self.assertEqual(path["breaker"], "closed")
        self.assertGreaterEqual(path["successes"], 1)
        self.assertIsNotNone(path["last_success"])

    def test_a_dead_peers_breaker_opens_and_closes_again_when_it_is_back(self):
        self.cluster.signal("n3", signal.SIGKILL)
        self.cluster.wait_standing("n1", "n3", "dead", 10)

        def is_open():
            self.ping()
            return next((one for one in self.paths("calls") if one["breaker"] == "open"), None)

        path = wait_until(is_open, 30, "n1 opens the breaker of n3's address")
        self.assertFalse(path["in_use"])
        self.assertGreaterEqual(path["failures"], 3)
        self.assertTrue(path["last_error"])
        self.assertIsNotNone(path["last_failure"])
        text = wait_until(lambda: self.shown_open(), 30, "link list and why show the breaker")
        self.assertIn("open", text)
        self.cluster.start("n3")
        self.cluster.wait_standing("n1", "n3", "alive", 20)
        wait_until(lambda: self.ping()["answered"], 30, "n3 answers again")
        path = self.paths("calls")[0]
        self.assertEqual((path["breaker"], path["in_use"]), ("closed", True))
        self.assertGreaterEqual(path["successes"], 1)

    def shown_open(self):
        self.ping()
        text = self.cluster.operate("link", "list", node="n1")
        why = json.dumps(self.cluster.ask("n1", "why", "node", "n3"))
        row = next((line for line in text.splitlines() if line.startswith("n3 ")), "")
        return row if " open" in row and '"breaker": "open"' in why else None


if __name__ == "__main__":
    unittest.main()
