#!/usr/bin/python3
"""riftbus-tap against real nodes: live lines, filters, roles, records, and a clean end."""

import json
import os
import re
import signal
import subprocess
import unittest

from cluster import PROGRAMS
from clustertest import ClusterTest, wait_until

TOTALS = re.compile(r"^(\d+) shown, (\d+) matched filter, (\d+) dropped by node, (\d+) by tap$",
                    re.MULTILINE)


class Tap(ClusterTest):
    def arguments(self, *options, node="n1", key="operator"):
        where = ["--node", f"{node}@127.0.0.1:{self.cluster.call_port(node)}"] if node else []
        return [os.path.join(PROGRAMS, "riftbus-tap"), "--key", self.cluster.file(key),
                "--config", self.cluster.file("cluster.yaml"), *where, *options]

    def tap(self, *options, status=0, **where):
        """Runs a tap to its end: its lines, and its totals (shown, matched, by node, by tap)."""
        done = subprocess.run(self.arguments(*options, **where), text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=60, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        totals = TOTALS.search(done.stderr)
        numbers = [int(number) for number in totals.groups()] if totals else None
        return done.stdout.splitlines(), numbers, done.stderr

    def start(self, *options, **where):
        return subprocess.Popen(self.arguments(*options, **where), text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def ask_something(self):
        """A query and an answer pass through n1."""
        return self.cluster.operate("status", node="n1", statuses=(0, 1))

    def test_shows_as_many_messages_as_asked_for(self):
        lines, totals, _ = self.tap("-c", "5")
        self.assertEqual(len(lines), 5)
        for line in lines:
            self.assertRegex(line, r"^\d\d:\d\d:\d\d\.\d{3} [a-z.]+ n\d>(n\d|\*|operator) seq=\d+ ")
        self.assertEqual(totals[0], 5)
        self.assertGreaterEqual(totals[1], 5)
        self.assertEqual(totals[2:], [0, 0])

    def test_a_filter_holds_on_publications_and_on_calls(self):
        lines, _, _ = self.tap("-c", "3", "-Y", "kind=beat from=n1", "-o", "fields=kind,from,dir")
        self.assertEqual(lines, ["beat\tn1\tout"] * 3)
        process = self.start("-c", "2", "-Y", "channel=call and (kind=query or kind=answer)",
                             "-o", "json")
        try:
            wait_until(lambda: self.ask_something() and process.poll() is not None, 30,
                       "the tap sees two calls")
            out, err = process.communicate(timeout=10)
        finally:
            process.kill()
        self.assertEqual(process.returncode, 0, err)
        for seen in map(json.loads, out.splitlines()):
            self.assertEqual((seen["schema"], seen["type"], seen["node"]), (1, "frame", "n1"))
            self.assertIn(seen["kind"], ("query", "answer"))
            self.assertNotIn("payload", seen)

    def test_all_members_are_tapped_through_one(self):
        seen = set()
        lines, totals, _ = self.tap("--all", "-c", "40", "-Y", "kind=beat dir=out",
                                    "-o", "fields=node,from")
        for line in lines:
            node, origin = line.split("\t")
            self.assertEqual(node, origin)
            seen.add(node)
        self.assertEqual(seen, set(self.cluster.names))
        self.assertEqual(totals[0], 40)

    def test_payloads_are_fetched_for_an_admin(self):
        lines, _, _ = self.tap("-c", "1", "-Y", "kind=beat", "-o", "json", "--payloads")
        seen = json.loads(lines[0])
        self.assertEqual(len(seen["payload"]), 2 * seen["bytes"])
        self.assertEqual(seen["payload"][:6], "970101")

    def test_sigint_ends_it_cleanly_with_the_totals(self):
        process = self.start("-Y", "kind=beat")
        try:
            first = process.stdout.readline()
            self.assertIn(" beat ", first)
            process.send_signal(signal.SIGINT)
            rest, err = process.communicate(timeout=20)
        finally:
            process.kill()
        self.assertEqual(process.returncode, 0, err)
        shown, matched, by_node, by_tap = map(int, TOTALS.search(err).groups())
        self.assertEqual(shown, 1 + len(rest.splitlines()))
        self.assertEqual((shown, by_node, by_tap), (matched, 0, 0))

    def test_a_record_reads_back_as_it_was_seen(self):
        path = os.path.join(self.cluster.directory, "tap.jsonl")
        lines, totals, _ = self.tap("-c", "20", "-w", path)
        self.assertEqual(lines, [])
        again, read_totals, _ = self.tap("-r", path, node=None)
        self.assertEqual(len(again), 20)
        self.assertEqual(read_totals[0], totals[0])
        table, _, _ = self.tap("-r", path, "-z", "top,kind", node=None)
        self.assertEqual(sum(int(row.split()[0]) for row in table[1:]), 20)

    def test_mistakes_are_told_apart_by_exit_status(self):
        self.assertIn("F-1550", self.tap("-Y", "kind=", status=64)[2])
        self.assertIn("F-1559", self.tap("--nod", "x", status=64)[2])
        self.assertIn("F-1558", self.tap("--on", "n77", node=None, status=69)[2])
        self.assertIn("F-1555", self.tap("-r", "/nonexistent", node=None, status=65)[2])


if __name__ == "__main__":
    unittest.main()
