#!/usr/bin/python3
"""Bytes that are no messages: garbage, cut short, too large, too deep, sent twice."""

import random
import unittest

import msgpack
import peer
from clustertest import ClusterTest


class BadFrames(ClusterTest):
    def tearDown(self):
        self.assertStillWhole()
        self.assertNobodyDied()

    def throw(self, counter, frames, by=None):
        """Sends frames with a valid key: all are counted, and the connection still works."""
        with self.connect("n1") as caller:
            def send():
                for frame in frames:
                    caller.send_raw(frame)

            self.assertCounts("n1", counter, send, by or len(frames))
            self.assertEqual(caller.call("ping", [])[0], peer.KINDS["pong"])

    def test_garbage_is_counted_and_dropped(self):
        random.seed(7)
        noise = [random.randbytes(random.randrange(8, 400)) for _ in range(50)]
        self.throw("rejected_not_msgpack", [b"\x97\xc1" + each for each in noise])
        self.throw("bad_frames", [b"\xc1" + each for each in noise])  # no bundle either
        self.cluster.wait_log("n1", ["operator"])

    def test_frames_cut_short_are_counted_and_dropped(self):
        whole = msgpack.packb([1, peer.KINDS["query"], "operator", 5, 1, 9, ["status", {}]])
        self.throw("rejected_truncated", [whole[:end] for end in range(1, len(whole))])

    def test_bytes_after_a_message_are_refused(self):
        whole = msgpack.packb([1, peer.KINDS["ping"], "operator", 5, 1, 9, []])
        self.throw("rejected_trailing_garbage", [whole + b"\x00"])

    def test_deep_nesting_is_refused(self):
        self.throw("rejected_too_deep", [peer.nested(depth) for depth in (17, 100, 500_000)])

    def test_a_body_of_the_wrong_shape_is_refused(self):
        def envelope(kind, body):
            return msgpack.packb([1, peer.KINDS[kind], "operator", 5, 1, 9, body])

        self.throw("rejected_bad_type", [envelope("query", [17, {}]), envelope("watch", ["x"]),
                                         envelope("join", [b"\x00"])])

    def test_a_list_that_claims_to_be_huge_costs_nothing(self):
        self.throw("rejected_truncated", [b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff",
                                          b"\xdb\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff"])

    def test_another_version_and_an_unknown_kind_are_refused(self):
        self.throw("rejected_bad_version",
                   [msgpack.packb([99, peer.KINDS["ping"], "operator", 5, 1, 0, []])])
        self.throw("rejected_unknown_kind", [msgpack.packb([1, 250, "operator", 5, 1, 0, []])])

    def test_a_request_that_cannot_be_read_is_told_why(self):
        bodies = {1301: [1, 250, []], 1302: [99, peer.KINDS["ping"], []],
                  1303: [1, peer.KINDS["query"], [17, {}]]}
        with self.connect("n1") as caller:
            for number, (code, (version, kind, body)) in enumerate(bodies.items()):
                caller.send_raw(caller.envelope(kind, body, 100 + number, version=version))
                got = caller.receive(5)
                self.assertIsNotNone(got, f"no refusal with {code}")
                self.assertEqual(got[:2], (peer.KINDS["refusal"], 100 + number))
                self.assertEqual(got[2][0], code)
            # Nobody waits for an answer to a one-way message, or can be found without a header.
            caller.send_raw(caller.envelope(250, []))
            caller.send_raw(peer.nested(100))
            self.assertEqual(caller.call("ping", [])[0], peer.KINDS["pong"])
            self.assertIsNone(caller.receive(0.5))

    def test_an_oversize_message_ends_that_connection_only(self):
        with self.connect("n1") as caller, self.connect("n1") as bystander:
            caller.send_raw(peer.noise(3 * 1024 * 1024))
            self.assertTrue(caller.wait_disconnected(10), "an oversize message was taken")
            self.assertEqual(bystander.call("ping", [])[0], peer.KINDS["pong"])

    def test_several_frames_are_not_a_call(self):
        with self.connect("n1") as caller:
            def send():
                caller.socket.send_multipart([b"", caller.envelope("ping", [], 3)])

            self.assertCounts("n1", "bad_frames", send)

    def test_a_frame_may_hold_several_calls_and_none_of_them_twice(self):
        with self.connect("n1") as caller:
            pings = [caller.envelope("ping", [], number) for number in (11, 12, 13)]
            pings.append(pings[0])
            frame = b"\xc1" + b"".join(len(each).to_bytes(4, "big") + each for each in pings)
            self.assertCounts("n1", "duplicates", lambda: caller.send_raw(frame))
            self.assertEqual([caller.receive(5)[1] for _ in range(3)], [11, 12, 13])

    def test_a_beat_does_not_come_as_a_call(self):
        with self.connect("n1") as caller:
            def send():
                caller.send_raw(caller.envelope("beat", [1, 2, 0, 1000, 4, 1]))

            self.assertCounts("n1", "wrong_channel", send)

    def test_a_replayed_call_is_handled_once(self):
        with self.connect("n1") as caller:
            frame = caller.envelope("ping", [], 11, seq=1000)

            def replay():
                for _ in range(20):
                    caller.send_raw(frame)
                self.assertEqual(caller.receive(5)[:2], (peer.KINDS["pong"], 11))
                self.assertIsNone(caller.receive(1), "one request was answered twice")

            self.assertCounts("n1", "duplicates", replay, 19)

    def test_a_call_replayed_on_another_connection_is_handled_once(self):
        with self.connect("n1") as first, self.connect("n1") as second:
            frame = first.envelope("ping", [], 12)
            first.send_raw(frame)
            self.assertIsNotNone(first.receive(5))

            def replay():
                second.send_raw(frame)
                self.assertIsNone(second.receive(1))

            self.assertCounts("n1", "duplicates", replay)

    def test_a_message_without_the_role_for_it_is_refused(self):
        with self.connect("n1") as caller:
            kind, body = caller.call("join", [["operator", 5, 1]])
            self.assertEqual(kind, peer.KINDS["refusal"], body)
        self.assertNotIn("operator", self.cluster.members("n1"))


if __name__ == "__main__":
    unittest.main()
