#!/usr/bin/python3
"""riftbus-tap against real nodes: live lines, filters, roles, records, and a clean end."""

import json
import os
import re
import shutil
import signal
import subprocess
import unittest

import peer
from cluster import PROGRAMS
from clustertest import ClusterTest, wait_until
from test_bad_peers import memory_mb

TOTALS = re.compile(r"^(\d+) shown, (\d+) matched filter, (\d+) dropped by node, (\d+) by tap$",
                    re.MULTILINE)


class Logged:
    """A tap whose output goes to files, to be looked at while it runs."""

    def __init__(self, arguments, folder):
        self.paths = [os.path.join(folder, name) for name in ("tap.out", "tap.err")]
        with open(self.paths[0], "wb") as out, open(self.paths[1], "wb") as err:
            self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=err)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()

    def _read(self, number):
        with open(self.paths[number], encoding="utf-8") as file:
            return file.read()

    @property
    def out(self):
        return self._read(0)

    @property
    def err(self):
        return self._read(1)

    def lines(self):
        return self.out.count("\n")

    def wait_lines(self, more, seconds=20):
        before = self.lines()
        wait_until(lambda: self.lines() >= before + more, seconds, f"{more} more lines of the tap")

    def wait_err(self, words, seconds=20):
        return wait_until(lambda: re.search(words, self.err), seconds, f"the tap says {words}")


class TapTest(ClusterTest):
    """How a tap is run."""

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

    def logged(self, *options, **where):
        return Logged(self.arguments(*options, **where), self.cluster.directory)

    def make_home(self, name, *options):
        """A directory as an operator has it, with an approved key of its own."""
        home = self.cluster.file(name)
        self.cluster.command("key", "new", name, "--dir", home)
        self.cluster.operate("--yes", "key", "approve", name, "--public-key",
                             os.path.join(home, "node.pub"), *options)
        for file in ("authority.pub", "roster"):
            shutil.copy(self.cluster.file("operator", file), home)
        self.wait_roster(self.roster_version())
        return name


class Tap(TapTest):
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
        with self.logged("-Y", "kind=beat") as tap:
            tap.wait_lines(1)
            tap.process.send_signal(signal.SIGINT)
            self.assertEqual(tap.process.wait(20), 0, tap.err)
            self.assertIn(" beat ", tap.out)
            shown, matched, by_node, by_tap = map(int, TOTALS.search(tap.err).groups())
            self.assertEqual(shown, tap.lines())
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

    def test_the_options_that_all_commands_share_are_taken_or_answered(self):
        def riftbus(*words):
            where = ["--key", self.cluster.file("operator"), "--config",
                     self.cluster.file("cluster.yaml"), "--node",
                     f"n1@127.0.0.1:{self.cluster.call_port('n1')}"]
            return subprocess.run([os.path.join(PROGRAMS, "riftbus"), *where, *words], text=True,
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                                  check=False)

        done = riftbus("--color", "never", "--yes", "-o", "jsonl", "--timeout", "3", "tap",
                       "-c", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["type"], "frame")
        self.assertEqual(riftbus("tap", "--color", "auto", "-y", "-c", "1").returncode, 0)
        for words in (("-w", "2", "tap"), ("--dry-run", "tap"), ("tap", "--dry-run"),
                      ("--color", "always", "tap"), ("-o", "wide", "tap")):
            with self.subTest(words):
                done = riftbus(*words, "-c", "1")
                self.assertEqual(done.returncode, 64, done.stderr)
                self.assertRegex(done.stderr, r"F-15(59|53)")

    def test_a_key_without_the_tap_role_is_refused_with_a_clear_line(self):
        _, _, err = self.tap("-c", "1", key=self.make_home("guest", "--roles", "relay"), status=77)
        self.assertIn("F-1304", err)
        self.assertIn("tap role", err)
        self.assertEqual(len(err.splitlines()), 1, err)
        watcher = self.make_home("watcher", "--roles", "tap")
        self.assertEqual(len(self.tap("-c", "1", key=watcher)[0]), 1)
        _, _, err = self.tap("-c", "1", "--payloads", key=watcher, status=77)
        self.assertIn("F-1551", err)

    def test_an_unapproved_key_is_refused(self):
        home = self.cluster.file("nobody")
        self.cluster.command("key", "new", "nobody", "--dir", home)
        for file in ("authority.pub", "roster"):
            shutil.copy(self.cluster.file("operator", file), home)
        self.assertIn("F-1363", self.tap("-c", "1", key="nobody", status=77)[2])


class TapInTrouble(TapTest):
    def test_a_stopped_tap_harms_nobody_goes_on_and_says_what_was_dropped(self):
        pid = self.cluster.processes["n1"].pid
        dropped = self.cluster.counter("n1", "tap.dropped")
        with self.logged("--payloads", "-Y", "kind=answer", "-o", "fields=kind,from,size") as tap, \
                self.connect("n1") as caller:
            def talk(times=100):
                for _ in range(times):
                    self.assertEqual(caller.call("query", ["status", {}])[0], peer.KINDS["answer"])

            talk(1)
            wait_until(lambda: talk(1) or tap.lines() > 0, 20, "the tap shows answers")
            before_mb = memory_mb(pid)
            tap.process.send_signal(signal.SIGSTOP)

            def is_dropping():
                talk()
                return self.cluster.counter("n1", "tap.dropped") > dropped + 100

            wait_until(is_dropping, 12, "n1 drops what a stopped tap does not read")
            more_mb = memory_mb(pid) - before_mb
            print(f"memory of n1 beside a stopped tap: {more_mb:+.1f} MB")
            self.assertLess(more_mb, 12)
            shown = tap.lines()
            tap.process.send_signal(signal.SIGCONT)
            tap.wait_err(r"n1 dropped \d+ messages")
            wait_until(lambda: talk(1) or tap.lines() > shown + 100, 20, "the tap goes on")
            tap.process.send_signal(signal.SIGINT)
            self.assertEqual(tap.process.wait(20), 0, tap.err)
            shown, matched, by_node, by_tap = map(int, TOTALS.search(tap.err).groups())
            self.assertEqual(by_node, self.cluster.counter("n1", "tap.dropped") - dropped)
            self.assertEqual((shown + by_node, by_tap), (matched, 0))
            told = sum(map(int, re.findall(r"n1 dropped (\d+) messages", tap.err)))
            self.assertEqual(told, by_node)
        self.assertNobodyDied()

    def test_a_tap_finds_its_node_again_after_a_restart(self):
        with self.logged("-Y", "kind=beat", "-o", "fields=node,from") as tap:
            tap.wait_lines(3)
            self.cluster.signal("n1", signal.SIGKILL)
            tap.wait_err(r"n1 went away: .*trying again for")
            self.cluster.start("n1")
            tap.wait_err(r"n1 is tapped again after")
            tap.wait_lines(3)
            tap.process.send_signal(signal.SIGINT)
            self.assertEqual(tap.process.wait(20), 0, tap.err)
            self.assertRegex(tap.err, TOTALS)
        for name in ("n2", "n3"):
            self.cluster.wait_standing(name, "n1", "alive", 20)

    def test_a_tap_told_not_to_wait_ends_with_its_node(self):
        with self.logged("-Y", "kind=beat", "--retry", "0") as tap:
            tap.wait_lines(1)
            self.cluster.signal("n1", signal.SIGKILL)
            self.assertEqual(tap.process.wait(20), 75)
            self.assertIn("F-1364", tap.err)
        self.cluster.start("n1")

    def test_a_tap_gives_up_after_the_time_it_was_given(self):
        with self.logged("-Y", "kind=beat", "--retry", "2s") as tap:
            tap.wait_lines(1)
            self.cluster.signal("n1", signal.SIGKILL)
            self.assertEqual(tap.process.wait(20), 69, "nobody listens there")
            self.assertIn("F-1360", tap.err)
        self.cluster.start("n1")

    def test_a_tap_whose_key_is_revoked_ends_with_that_reason(self):
        self.make_home("leaver", "--roles", "tap")
        with self.logged("-Y", "kind=beat", key="leaver") as tap:
            tap.wait_lines(1)
            self.cluster.operate("--yes", "key", "revoke", "leaver")
            self.assertEqual(tap.process.wait(20), 77, tap.err)
            self.assertIn("F-1363", tap.err)


if __name__ == "__main__":
    unittest.main()
