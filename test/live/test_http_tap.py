#!/usr/bin/python3
"""The bus watched over HTTP: filters, tokens, what a full queue drops, and that a tap ends."""

import json
import os
import tempfile
import unittest

from clustertest import ClusterTest, wait_until
from web import TOKEN, Stream, Web


class HttpTap(ClusterTest):
    options = ("--http-token", TOKEN)

    def web(self, node="n1", token=TOKEN):
        return Web(self.cluster, node, token)

    def taps(self, node="n2"):
        return self.cluster.counter(node, "tap.taps")

    def test_a_tap_shows_what_its_filter_lets_through_and_ends_with_its_reader(self):
        web = self.web("n2")
        self.assertEqual(self.taps(), 0)
        beats = Stream(web, target="/tap?filter=kind%3Dbeat%20and%20from%3Dn3")
        seen = [json.loads(beats.next()["data"]) for _ in range(3)]
        self.assertEqual({(one["node"], one["kind"], one["from"]) for one in seen},
                         {("n2", "beat", "n3")})
        self.assertIn("up_ms=", seen[0]["summary"])
        self.assertNotIn("payload", seen[0])
        self.assertEqual(self.taps(), 1)
        whole = Stream(web, target="/tap?filter=kind%3Dbeat&payloads=1")
        self.assertGreater(len(json.loads(whole.next()["data"])["payload"]), 20)
        beats.close()
        whole.close()
        wait_until(lambda: self.taps() == 0, 10, "nobody taps")

    def test_a_tap_takes_the_token_and_a_filter_that_reads(self):
        self.web(token=None).get("/tap", 401)
        self.web(token="wrong-token-of-mine").get("/tap?filter=kind%3Dbeat", 401)
        wrong = self.web().get("/tap?filter=size%3E%3Ebig", 400)
        self.assertEqual((wrong["code"], wrong["details"]["fault"]), ("BAD_FILTER", "F-1550"))
        self.assertIn("where", wrong["details"])
        crowd = [Stream(self.web("n2"), target="/tap?filter=kind%3Dnone") for _ in range(8)]
        try:
            self.assertEqual(self.web("n2").get("/tap", 503)["code"], "TOO_MANY_TAPS")
        finally:
            for one in crowd:
                one.close()
        wait_until(lambda: self.taps() == 0, 10, "nobody taps")


class TapToken(ClusterTest):
    """A token that lets watch, and nothing else."""

    nodes = 1
    token = "only-eyes-live"

    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        path = os.path.join(folder, "tap-token")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            file.write(cls.token + "\n")
        cls.options = ("--http-token", TOKEN, "--http-tap-token-file", path)
        super().setUpClass()

    def test_it_opens_the_tap_without_payloads_and_changes_nothing(self):
        watcher = Web(self.cluster, "n1", self.token)
        tap = Stream(watcher, target="/tap?filter=kind%3Dquery")
        self.addCleanup(tap.close)
        self.cluster.status("n1")
        self.assertEqual(json.loads(tap.next()["data"])["kind"], "query")
        self.assertEqual(watcher.get("/tap?payloads=1", 403)["code"], "NOT_ALLOWED")
        for target in ("/work/add", "/drain", "/flags"):
            self.assertEqual(watcher.post(target, {}, 401)["code"], "UNAUTHORIZED")
        watcher.get("/work/claim?node_id=n1", 401)
        Web(self.cluster, "n1", "other-eyes-live").get("/tap", 401)


class SlowTap(ClusterTest):
    nodes = 1
    options = ("--http-token", TOKEN, "--limits-tap-queue-max", "16")

    def test_what_a_full_queue_drops_is_counted_and_told(self):
        """Questions come faster than the stream is pulled, which is four times a second."""
        web = Web(self.cluster, "n1", TOKEN)
        tap = Stream(web, target="/tap?filter=kind%3Dquery")
        self.addCleanup(tap.close)
        peer = self.connect("n1")
        self.addCleanup(peer.close)
        for number in range(200):
            peer.send_raw(peer.envelope("query", ["nothing", {}], number + 1))
        shown = 0
        while (one := tap.next()).get("event") != "dropped":
            self.assertEqual(json.loads(one["data"])["kind"], "query")
            shown += 1
        told = json.loads(one["data"])
        self.assertGreater(shown, 0)
        self.assertGreater(told["dropped"], 0)
        self.assertEqual(told["dropped"], told["dropped_in_all"])
        self.assertGreater(told["matched"], told["dropped"])


if __name__ == "__main__":
    unittest.main()
