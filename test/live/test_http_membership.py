#!/usr/bin/python3
"""Membership over HTTP: a node whose bus ports nobody reaches, with real daemons in namespaces.

Needs root (netspace.py); elsewhere it says so and tests nothing.
"""

import base64
import json
import re
import signal
import socket
import subprocess
import unittest

import msgpack

import netspace
from clustertest import ClusterTest, wait_until
from web import TOKEN, Web

VIA_HTTP_S = 20
DEATH_S = 30


SEALED = 2  # of bus/wire/parcel.h; a hello may be said again, and opens nothing


class Sniffer:
    """Whole bodies of members' sealed posts on one cable."""

    def __init__(self, device):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((device, 0))
        self.socket.settimeout(20)

    def post(self):
        while True:
            found = re.search(rb'POST /membership/beat .*\r\n\r\n(\{"sealed":"[^"]*"\})$',
                              self.socket.recv(65536), re.DOTALL)
            if found and self.kind(found.group(1)) == SEALED:
                return found.group(1)

    @staticmethod
    def kind(body):
        return msgpack.unpackb(base64.b64decode(json.loads(body)["sealed"]))[0]

    def close(self):
        self.socket.close()


class HttpMembership(ClusterTest):
    is_whole = True
    options = ("--http-token", TOKEN, "--http-host", "0.0.0.0")

    @classmethod
    def make_cluster(cls):
        return netspace.NetCluster(cls.nodes)

    @classmethod
    def setUpClass(cls):
        if not netspace.entered():
            raise unittest.SkipTest("needs network namespaces")
        super().setUpClass()
        cls.cluster.wait_leader()

    def tearDown(self):
        if not self.is_whole:
            return
        self.open_bus("n3")
        self.choose("swim")
        super().tearDown()

    # ---- what is done to the nodes ---------------------------------------------------------------

    def web(self, node, token=TOKEN):
        web = Web(self.cluster, node, token)
        web.host = self.cluster.host(node)
        return web

    def choose(self, mode):
        """One request to each node; then all know where the others listen."""
        for name in self.cluster.names:
            flags = self.web(name).post("/flags", {"MEMBERSHIP_MODE": mode})["flags"]
            self.assertEqual(flags["MEMBERSHIP_MODE"], mode)
            wait_until(lambda one=name: self.web(one).get("/status")["swim_raft"][
                "membership_mode"] == mode, 5, f"{name} shows {mode}")
        if mode == "swim":
            return
        for name in self.cluster.names:
            wait_until(lambda one=name: all("http" in member["tags"] for member in
                                            self.cluster.members(one).values()), 20,
                       f"{name} knows where all listen for HTTP")

    def bus_ports(self, name):
        port = self.cluster.call_port(name)
        return f"{port}, {port + 1}"

    def shut_bus(self, name):
        """No node reaches the bus of this one, nor the other way; this process still does."""
        others = [one for one in self.cluster.names if one != name]
        hosts = ", ".join(self.cluster.host(one) for one in others)
        theirs = ", ".join(self.bus_ports(one) for one in others)
        rules = ["add table inet shut"]
        for hook, side in (("input", "saddr"), ("output", "daddr")):
            rules.append(f"add chain inet shut {hook} {{ type filter hook {hook} priority 0; }}")
            for port in ("dport", "sport"):
                rules.append(f"add rule inet shut {hook} ip {side} {{ {hosts} }} tcp {port} "
                             f"{{ {theirs}, {self.bus_ports(name)} }} drop")
        netspace.run("nsenter", f"--net=/run/netns/{name}", "nft", "; ".join(rules))

    def open_bus(self, name):
        subprocess.run(["nsenter", f"--net=/run/netns/{name}", "nft", "delete table inet shut"],
                       check=False, capture_output=True)

    def via(self, observer, subject):
        return self.cluster.members(observer)[subject]["via"]

    def wait_via(self, observer, subject, via, seconds):
        wait_until(lambda: self.via(observer, subject) == via, seconds,
                   f"{observer} hears {subject} via {via}")

    def deaths(self, subject):
        return sum(len(self.cluster.events(name, kind="died", subject=subject))
                   for name in self.cluster.names if name != subject)

    def watch(self):
        """How n1 hears n3."""
        return self.cluster.members("n1")["n3"]["watch"]

    # ---- tests -----------------------------------------------------------------------------------

    def test_in_swim_a_node_without_bus_is_dead_and_posts_are_refused(self):
        self.shut_bus("n3")
        for observer in ("n1", "n2"):
            self.cluster.wait_standing(observer, "n3", "dead", DEATH_S)
        refused = self.web("n1").post("/membership/beat", {"sealed": "AAAA"}, 409)
        self.assertEqual(refused["code"], "REFUSED")

    def test_in_hybrid_it_lives_via_http_and_dies_only_when_it_dies(self):
        self.choose("hybrid")
        before = self.deaths("n3")
        self.shut_bus("n3")
        for observer, subject in (("n1", "n3"), ("n2", "n3"), ("n3", "n1"), ("n3", "n2")):
            self.wait_via(observer, subject, "http", VIA_HTTP_S)
        beats = self.cluster.members("n1")["n3"]["watch"]["beats"]
        wait_until(lambda: self.cluster.members("n1")["n3"]["watch"]["beats"] >= beats + 8, 30,
                   "eight more of its beats")
        self.assertEqual(self.deaths("n3"), before)
        self.wait_via("n1", "n2", "bus", 20)  # a late beat may have looked like a lost one
        self.assertIn("alive via http", self.cluster.operate("node", "list", node="n1"))
        self.assertIn("via http", self.cluster.operate("why", "path", "n3", node="n1"))
        shown = self.web("n1").get("/status")
        self.assertEqual(shown["peers"]["n3"]["heartbeat_via"], "http")
        self.assertIn("n3", [one["subject"] for one in shown["riftbus"]["notes"]
                             if one["code"] == 1528])

        self.cluster.signal("n3", signal.SIGKILL)
        for observer in ("n1", "n2"):
            self.cluster.wait_standing(observer, "n3", "dead", DEATH_S)
        self.cluster.start("n3", *self.options)  # the bus is shut still
        for observer in ("n1", "n2"):
            wait_until(lambda one=observer: self.cluster.members(one)["n3"]["via"] == "http" and
                       self.cluster.standing(one, "n3") == "alive", 90,
                       f"{observer} sees n3 return via http")
        again = self.deaths("n3")

        self.open_bus("n3")
        for observer, subject in (("n1", "n3"), ("n2", "n3"), ("n3", "n1")):
            self.wait_via(observer, subject, "bus", 60)
        self.assertEqual(self.deaths("n3"), again)

    def test_in_http_mode_both_ways_carry_and_nothing_counts_twice(self):
        self.choose("http")
        taken = self.cluster.counter("n1", "member_http.taken")
        self.cluster.wait_counter("n1", "member_http.taken", taken + 10, 20)
        self.wait_via("n1", "n3", "bus", 20)  # likewise

        def misses_none():
            before = self.watch()
            wait_until(lambda: self.watch()["beats"] >= before["beats"] + 5, 30, "five beats")
            return self.watch()["beats_missed"] == before["beats_missed"]

        # A busy machine may have missed one before.
        wait_until(misses_none, 60, "five beats in a row, by both ways and counted once")

    def test_strangers_forgers_and_repeaters_are_refused_and_counted(self):
        self.choose("hybrid")
        sniffer = Sniffer("to-n3")
        self.addCleanup(sniffer.close)
        self.shut_bus("n3")
        self.wait_via("n1", "n3", "http", VIA_HTTP_S)
        recorded = sniffer.post()
        wait_until(lambda: not self.is_last(recorded, sniffer), 10, "a later post follows")
        for name, sent in (("stranger", self.post_of("nobody")), ("forged", self.post_of("n2"))):
            with self.subTest(name):
                self.assertCounts("n1", f"member_http.refused_{name}",
                                  lambda one=sent: self.web("n1", None).post(
                                      "/membership/beat", {"sealed": one}, 403))
        refused = sum(self.replay(recorded, name) for name in ("n1", "n2", "n3"))
        self.assertEqual(refused, 3, "nobody takes it again")
        counts = [self.cluster.status(name)["counters"] for name in ("n1", "n2", "n3")]
        self.assertGreaterEqual(sum(one["member_http.refused_replayed"] for one in counts), 1)
        self.web("n1", None).post("/membership/beat", {"sealed": "####"}, 400)
        large = "A" * (70 * 1024)
        self.web("n1", None).post("/membership/beat", {"sealed": large}, 413)
        self.wait_via("n1", "n3", "http", 10)

    @staticmethod
    def is_last(recorded, sniffer):
        return sniffer.post() == recorded

    def replay(self, recorded, node):
        status, answer, _ = self.web(node, None).request("POST", "/membership/beat", recorded)
        return (status, answer["code"]) in ((403, "NOT_A_MEMBER"), (409, "NO_SESSION"))

    @staticmethod
    def post_of(name):
        post = msgpack.packb([2, name, b"k" * 32, 1, b"v" * 150, b"x" * 60])
        return base64.b64encode(post).decode()

    def test_z_a_revoked_member_is_out_though_http_would_carry_it(self):
        """Last: it ends a member for good."""
        type(self).is_whole = False
        self.choose("hybrid")
        self.shut_bus("n3")
        self.wait_via("n1", "n3", "http", VIA_HTTP_S)
        self.cluster.operate("--yes", "key", "revoke", "n3", node="n1")
        for observer in ("n1", "n2"):
            wait_until(lambda one=observer: "n3" not in self.cluster.members(one), 20,
                       f"{observer} has forgotten n3")
        self.cluster.wait_counter("n1", "member_http.refused_stranger", 1, 30)
        self.cluster.wait_whole(["n1", "n2"])


if __name__ == "__main__":
    unittest.main()
