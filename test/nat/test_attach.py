#!/usr/bin/python3
"""Private nodes that attach to relays by themselves: the cluster file is all that they are given.

Three relays on public hosts, two nodes behind routers; no test writes an option of a tunnel. Needs
root (network namespaces); elsewhere it says so and tests nothing.
"""

import os
import signal
import unittest

from natspace import NatCluster, PROGRAMS  # first: it knows where the other modules are
import netspace
from nattest import NatTest
from clustertest import Refused, wait_until

PUBLIC = ["n1", "n2", "n3"]
PRIVATE = ["n4", "n5"]
RELAYS = ["n1", "n2", "n3"]


class AttachCluster(NatCluster):
    """The cluster file has every relay's pin."""

    def _rewrite_cluster_file(self):
        super()._rewrite_cluster_file()
        path = self.file("cluster.yaml")
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        text = []
        for line in lines:
            text.append(line)
            name = line.strip().removesuffix(":")
            if name in self.relays and line.endswith(":"):
                text.append(f"    relay: {{pins: [{self.relay_pin(name)}]}}")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(text) + "\n")

    def operator(self):
        """Always outside: private nodes are asked through their relays, too."""
        return [os.path.join(PROGRAMS, "riftbus")]


class Attach(NatTest):
    nodes = 5

    @classmethod
    def make_cluster(cls):
        return AttachCluster(PUBLIC + PRIVATE, PRIVATE, RELAYS)

    def tearDown(self):
        for relay in RELAYS:
            if not self.cluster.is_running("relay-" + relay):
                self.cluster.start_relay(relay)
        self.assertStillWhole()

    # ---- what is seen --------------------------------------------------------------------------

    def tunnels(self, node):
        """{relay: row} as the node itself says."""
        rows = self.cluster.ask("n1", "tunnel", "list", node)["tunnels"]
        return {row["relay"]: row for row in rows if row["leads_here"]}

    def relays(self, asked="n3"):
        return {row["id"]: row for row in self.cluster.ask(asked, "relay", "list")["relays"]}

    def roles(self, node):
        """{relay: role}"""
        return {relay: row["role"] for relay, row in self.tunnels(node).items()}

    def wait_roles(self, node, seconds=60):
        """Until two tunnels lead to a node, and no more."""
        return wait_until(lambda: len(roles := self.roles(node)) == 2 and roles, seconds,
                          f"{node} has two tunnels")

    def children(self, node):
        """Process numbers of a node's own tunnels."""
        pid = self.cluster.processes[node].pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(one) for one in file.read().split()]

    # ---- tests ---------------------------------------------------------------------------------

    def test_each_attaches_to_two_relays_without_being_told_how(self):
        for node in PRIVATE:
            self.assertEqual(sorted(self.wait_roles(node).values()), ["home", "warm"])
        attached = {name for row in self.relays().values() for name in row["attached"]}
        self.assertEqual(attached, set(PRIVATE))
        homes = [name for row in self.relays().values() for name in row["homes"]]
        self.assertEqual(sorted(homes), PRIVATE)

    def test_when_its_home_dies_a_third_serves_and_it_finds_back(self):
        roles = self.wait_roles("n4")
        home = next(relay for relay, role in roles.items() if role == "home")
        third = next(relay for relay in RELAYS if relay not in roles)
        died = len(self.cluster.events("n3", kind="died"))
        self.cluster.signal("relay-" + home, signal.SIGKILL)
        wait_until(lambda: self.tunnels("n4").get(third), 60, "the third relay leads to n4")
        self.cluster.start_relay(home)
        wait_until(lambda: self.tunnels("n4").get(home), 30, "its home leads to n4 again")
        wait_until(lambda: self.roles("n4") == roles, 90, "n4 has left the third")
        self.assertEqual(len(self.cluster.events("n3", kind="died")), died, "nobody died")

    def test_a_tunnel_that_is_killed_is_started_again(self):
        self.wait_roles("n5")
        before = self.children("n5")
        os.kill(before[0], signal.SIGKILL)
        wait_until(lambda: len(now := self.children("n5")) == 2 and before[0] not in now, 30,
                   "n5 has two tunnels again")
        self.wait_roles("n5")

    def test_no_tunnel_outlives_its_node(self):
        self.wait_roles("n5")
        for number in (signal.SIGTERM, signal.SIGKILL):
            tunnels = self.children("n5")
            self.assertEqual(len(tunnels), 2)
            self.cluster.processes["n5"].send_signal(number)
            self.cluster.processes["n5"].wait(20)
            wait_until(lambda pids=tunnels: not any(map(is_there, pids)), 10, "they are gone")
            self.cluster.start("n5")
            self.cluster.wait_whole()
            self.wait_roles("n5")

    def test_an_operator_outside_reaches_a_private_node_through_its_relays(self):
        self.wait_roles("n4")
        self.assertEqual(self.cluster.ask("n4", "status")["node"], "n4")
        wait_until(lambda: self.cluster.ask("n4", "status")["state"] == "ok", 30, "it is content")
        shown = self.cluster.ask("n3", "node", "show", "n4")
        self.assertEqual(shown["member"]["id"], "n4")

    def test_why_path_says_so_from_both_ends(self):
        path = wait_until(lambda: not (seen := self.path("n3", "n4"))["silent"] and seen, 30,
                          "both ends answer")
        self.assertEqual([view["node"] for view in path["views"]], ["n3", "n4"])
        there, back = path["views"]
        used = [one for one in there["paths"] if one["in_use"]]
        self.assertTrue(used)
        self.assertTrue(all(one["relay"] in RELAYS for one in used), used)
        direct = [one for one in there["paths"] if one["kind"] == "lan" and one["failures"]]
        self.assertTrue(direct, "its own address was tried")
        self.assertIn("failed", direct[0]["verdict"])
        self.assertEqual({one["kind"] for one in back["paths"] if one["in_use"]}, {"public"})

    def path(self, asked, subject):
        self.cluster.ask(asked, "link", "ping", subject, "-c", "1")
        return self.cluster.ask(asked, "why", "path", subject)

    def whole_trace(self, source, target):
        """A link that ends at that moment may take one question with it."""
        trace = self.cluster.ask("n3", "link", "trace", source, target, "-c", "3")
        parts = [*trace["hops"], trace["whole"]]
        return trace if all(part.get("answered") == 3 for part in parts) else None

    def test_trace_measures_each_hop(self):
        for source, target in (("n3", "n4"), ("n4", "n5")):
            trace = wait_until(lambda ends=(source, target): self.whole_trace(*ends), 30,
                               f"each question of {source} to {target} is answered")
            self.assertIn(trace["relay"], RELAYS)
            self.assertEqual([(hop["from"], hop["to"]) for hop in trace["hops"]],
                             [(source, trace["relay"]), (trace["relay"], target)])
            for hop in [*trace["hops"], trace["whole"]]:
                self.assertEqual(hop["answered"], 3, hop)
                self.assertGreater(hop["rtt_ms"], 0)
        trace = self.cluster.ask("n3", "link", "trace", "n4", "n3", "-c", "1")
        self.assertEqual((trace["relay"], trace["path"]["kind"]), (None, "public"))

    def test_a_drained_relay_is_left_and_not_before_there_is_another(self):
        roles = self.wait_roles("n4")
        home = next(relay for relay, role in roles.items() if role == "home")
        shown = self.cluster.ask("n3", "relay", "drain", home)
        self.assertTrue(shown["draining"])
        self.assertTrue(shown["relay"]["draining"], "at once")
        try:
            wait_until(lambda: home not in self.tunnels("n4") and home not in self.tunnels("n5"),
                       120, "both have left it")
            for node in PRIVATE:
                self.assertEqual(len(self.wait_roles(node)), 2)
            relay = wait_until(lambda: (row := self.relays()[home])["draining"] and
                               not row["attached"] and row, 30, "everybody knows")
            self.assertEqual(relay["homes"], [])
        finally:
            self.cluster.ask("n3", "relay", "resume", home)
        wait_until(lambda: self.roles("n4") == roles, 120, "n4 is back at its home")

    def test_the_relays_own_word_is_shown(self):
        roles = self.wait_roles("n4")
        home = next(relay for relay, role in roles.items() if role == "home")
        shown = self.cluster.ask("n3", "relay", "show", home)
        self.assertIn("n4", shown["relay"]["homes"])

    def test_restart_makes_new_sessions(self):
        self.wait_roles("n5")
        before = {relay: row["links"][0]["rises"] for relay, row in self.tunnels("n5").items()}
        done = wait_until(lambda: self.cluster.ask("n1", "tunnel", "restart", "n5"), 30,
                          "it takes the order")
        self.assertEqual(sorted(done["restarted"]), sorted(before))
        wait_until(lambda: all(row["links"][0]["rises"] > before[relay]
                               for relay, row in self.tunnels("n5").items()), 30, "new sessions")
        with self.assertRaises(Refused) as refused:
            self.cluster.operate("tunnel", "restart", "n1", node="n1")
        self.assertIn("F-1823", refused.exception.text)


def is_there(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


if __name__ == "__main__":
    netspace.entered()
    unittest.main()
