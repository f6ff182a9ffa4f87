#!/usr/bin/python3
"""Keys at the door: strangers, expired and revoked keys, wrong server keys, borrowed names."""

import shutil
import time
import unittest

import msgpack
import peer
import zmq
import zmtp
from clustertest import ClusterTest, Refused, wait_until


class Strangers(ClusterTest):
    def test_an_unknown_key_is_refused_counted_and_logged(self):
        stranger = peer.new_key("stranger")

        def knock():
            with self.connect("n1", stranger, greet=False) as caller:
                self.assertNotEqual(caller.handshake(5), "accepted")
                try:
                    caller.send_raw(caller.envelope("ping", []), zmq.NOBLOCK)
                except zmq.Again:
                    return  # libzmq has given the connection up: there is nowhere to send it
                self.assertIsNone(caller.receive(1))

        self.assertCounts("n1", "refused_unknown_key", knock)
        self.cluster.wait_log("n1", ["1135", stranger["public"][:8]])

    def test_a_client_without_curve_is_refused(self):
        context = zmq.Context()
        plain = context.socket(zmq.DEALER)
        plain.linger = 0
        plain.connect(self.cluster.call_endpoint("n1"))
        plain.send(b"hello")
        self.assertEqual(plain.poll(2000), 0)
        plain.close()
        context.term()

    def test_a_wrong_server_key_gets_nobody_in(self):
        wrong = peer.new_key("whoever")
        with peer.Peer(self.cluster.call_endpoint("n1"), self.operator_key(), wrong["public"],
                       greet=False) as caller:
            self.assertNotEqual(caller.handshake(5), "accepted")

    def test_a_node_with_another_key_than_the_roster_says_is_not_taken_for_itself(self):
        home = self.cluster.file("misled")
        shutil.copytree(self.cluster.file("operator"), home)
        where = ["--key", home, "--config", self.cluster.file("cluster.yaml"), "--timeout", "3"]

        def rotate():
            self.cluster.command(*where, "--yes", "key", "rotate", "n1", "--public-key",
                                 peer.new_key("n1")["public"], "--no-push")

        rotate()  # the node has not been restarted with it yet: its previous key still counts
        self.assertIn("n1", self.cluster.command(*where, "--node", "n1", "status"))
        rotate()  # now neither is its key
        with self.assertRaises(Refused) as refused:
            self.cluster.command(*where, "--node", "n1", "status")
        self.assertEqual(refused.exception.status, 69)
        self.assertIn("another key", refused.exception.text)

    def test_an_expired_key_is_refused_and_its_live_connection_is_cut(self):
        guest = peer.new_key("guest")
        self.approve(guest, "--expires", "4s")
        self.wait_roster(self.roster_version())
        with self.connect("n1", guest) as caller:
            self.assertEqual(caller.call("ping", [])[0], peer.KINDS["pong"])
            self.assertTrue(caller.wait_disconnected(10), "an expired key stays connected")

        def knock():
            with self.connect("n1", guest, greet=False) as caller:
                self.assertNotEqual(caller.handshake(5), "accepted")

        self.assertCounts("n1", "refused_expired_key", knock)
        self.cluster.wait_log("n1", ["1136", "guest"])

    def test_a_revoked_key_is_cut_everywhere_within_two_seconds(self):
        guest = peer.new_key("passer-by")
        self.approve(guest)
        self.wait_roster(self.roster_version())
        callers = {name: self.connect(name, guest) for name in self.cluster.names}
        try:
            began = time.monotonic()
            self.cluster.operate("--yes", "key", "revoke", guest["id"])
            for name, caller in callers.items():
                self.assertTrue(caller.wait_disconnected(10), f"{name} keeps a revoked key")
                print(f"revoked: cut by {name} after {time.monotonic() - began:.2f} s")
                self.assertLess(time.monotonic() - began, 2.0)
        finally:
            for caller in callers.values():
                caller.close()

        def knock():
            with self.connect("n2", guest, greet=False) as caller:
                self.assertNotEqual(caller.handshake(5), "accepted")

        self.assertCounts("n2", "refused_revoked_key", knock)
        self.cluster.wait_log("n2", ["1137", "passer-by"])

    def test_a_valid_key_that_claims_another_id_is_dropped_and_counted(self):
        with self.connect("n1") as caller:
            def lie():
                caller.send_raw(caller.envelope("ping", [], 7, origin="n2"))
                self.assertIsNone(caller.receive(1))

            self.assertCounts("n1", "impersonation", lie)
            # The liar's own connection goes on under its own name: only the lie was dropped.
            self.assertEqual(caller.call("ping", [])[0], peer.KINDS["pong"])
        self.cluster.wait_log("n1", ["operator", "n2"])

    def test_a_user_id_in_the_handshakes_metadata_is_nobodys_identity(self):
        forged = [(b"User-Id", b"n2"), (b"Socket-Type", b"DEALER"), (b"Identity", b""),
                  (b"user-id", b"n2"), (b"X-User-Id", b"n2"), (b"Peer-Address", b"192.0.2.9")]

        def hello(number, origin):
            return msgpack.packb([1, peer.KINDS["hello"], origin, 77, number, number,
                                  [1, 1, "forger"]])

        with zmtp.CurveClient("127.0.0.1", self.cluster.call_port("n1"), self.operator_key(),
                              self.server_key("n1"), forged) as forger:
            def lie():
                forger.send(hello(1, "n2"))
                self.assertIsNone(forger.receive(1))

            self.assertCounts("n1", "impersonation", lie)
            forger.send(hello(2, "operator"))
            answer = msgpack.unpackb(forger.receive(5))
            self.assertEqual(answer[1], peer.KINDS["hello_answer"])
        self.cluster.wait_log("n1", ["operator", "n2"])

    def test_forged_metadata_lets_no_stranger_in(self):
        forged = [(b"User-Id", b"operator"), (b"Socket-Type", b"DEALER"), (b"Identity", b"")]

        def knock():
            with self.assertRaises(zmtp.Refused):
                zmtp.CurveClient("127.0.0.1", self.cluster.call_port("n1"), peer.new_key("nobody"),
                                 self.server_key("n1"), forged)

        self.assertCounts("n1", "refused_unknown_key", knock)

    def test_the_last_admin_cannot_be_demoted_by_mistake(self):
        key = self.operator_key()
        with self.assertRaises(Refused) as refused:
            self.approve(key, "--roles", "tap")
        self.assertEqual(refused.exception.status, 65)
        self.assertIn("F-1127", refused.exception.text)
        self.assertIn("--force", refused.exception.text)
        self.assertEqual(self.cluster.ask("n1", "status")["node"], "n1")

    def test_a_peer_that_chooses_its_routing_id_is_ignored(self):
        context = zmq.Context()
        thief = context.socket(zmq.DEALER)
        thief.linger = 0
        key = self.operator_key()
        thief.curve_publickey = key["public"].encode()
        thief.curve_secretkey = key["secret"].encode()
        thief.curve_serverkey = self.server_key("n1").encode()
        thief.identity = b"n2"
        thief.connect(self.cluster.call_endpoint("n1"))

        def speak():
            thief.send(b"\x97\x01\x16\xa8operator\x01\x01\x01\x90")
            self.assertEqual(thief.poll(1000), 0)

        self.assertCounts("n1", "foreign_routing", speak)
        thief.close()
        context.term()

    def test_a_revoked_node_is_out_of_the_mesh(self):
        self.assertEqual(self.cluster.standing("n1", "n2"), "alive")
        extra = peer.new_key("n9")
        self.approve(extra)
        self.cluster.operate("--yes", "key", "revoke", "n9")
        wait_until(lambda: "n9" not in self.cluster.members("n1"), 5, "n9 is forgotten")


class ShutOut(ClusterTest):
    nodes = 3

    def tearDown(self):
        self.cluster.wait_standing("n1", "n2", "alive", 30)  # n3 is out for good

    def test_a_revoked_daemon_says_so_and_fills_no_journal(self):
        self.cluster.operate("--yes", "key", "revoke", "n3")
        self.cluster.wait_log("n3", "F-1527", 20)
        self.assertTrue(self.cluster.is_running("n3"))
        wait_until(lambda: self.cluster.counter("n1", "refused_revoked_key") >= 8, 30,
                   "it goes on knocking")
        told = self.cluster.events("n1", "refused", "n3")
        self.assertIn(len(told), (1, 2), told)
        self.assertIn("revoked key refused from ", str(told[0]))


if __name__ == "__main__":
    unittest.main()
