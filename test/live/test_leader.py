#!/usr/bin/python3
"""Leadership and work with real daemons: three voters and one node that is none.

Whatever happens to the leader, what was acknowledged stays, and no item is granted twice.
"""

import os
import shutil
import signal
import time
import unittest

import msgpack

from clustertest import ClusterTest, wait_until
from worker import (CLAIM, COMMAND, OK, REFUSAL, REPEATED, WORK_REPLY, WORK_REQUEST, NoAnswer,
                    spec)

CANCEL, PING, QUERY, CONSENSUS = 10, 22, 50, 70

VOTERS = ["n1", "n2", "n3"]


class Leader(ClusterTest):
    nodes = 4

    def setUp(self):
        self.wait_leader()

    def tearDown(self):
        for name in self.cluster.names:
            if self.cluster.is_running(name):
                self.cluster.signal(name, signal.SIGCONT)
            else:
                self.cluster.start(name)
        self.assertStillWhole()
        self.wait_leader()

    # ---- what is asked -------------------------------------------------------------------------

    def set_roles(self, name, roles):
        version = self.roster_version()
        self.approve({"id": name, "public": self.server_key(name)}, "--roles", roles)
        self.wait_roster(version + 1)

    def wait_leader(self, among=None):
        return self.cluster.wait_leader(among=among or VOTERS)

    def others(self, name):
        return [one for one in self.cluster.names if one != name]

    def drain(self, worker, seconds=60):
        """Claims and completes whatever there is; {payload: fence}."""
        done = {}
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            grants = worker.claim(64)
            if not grants:
                return done
            for outcome in worker.complete(grants).values():
                self.assertIn(outcome, (OK, REPEATED))
            for _, fence, payload in grants:
                self.assertNotIn(payload, done, "granted twice")
                done[payload] = fence
        raise AssertionError("there is no end of work")

    # ---- who leads -----------------------------------------------------------------------------

    def test_every_node_knows_the_leader_and_the_voters(self):
        self.assertIn(self.wait_leader(), VOTERS)  # all of them say so
        for name in self.cluster.names:
            listed = wait_until(lambda one=name: not (seen := self.cluster.ask(
                one, "voter", "list"))["stale"] and seen, 10, f"{name} asks the leader")
            self.assertEqual({one["id"] for one in listed["voters"]}, set(VOTERS))
        wait_until(lambda: f"{self.wait_leader()} leads" in str(
            self.cluster.ask("n4", "why", "leader")["reasons"]), 10, "n4 says who leads")

    def test_leadership_is_handed_over_on_request(self):
        before = self.wait_leader()
        to = next(one for one in VOTERS if one != before)
        # Refused while it lags, as it may just after a restart; given up if it does not answer.
        wait_until(lambda: self.cluster.leader_seen_by("n4") == to or
                   not self.cluster.operate("leader", "transfer", to, node="n4"), 30, f"{to} leads")
        self.assertEqual(self.wait_leader(among=[to]), to)

    def test_a_policy_is_switched_while_everything_runs(self):
        worker = self.worker()
        for policy in ("bully", "hybrid", "raft"):
            for name in VOTERS:
                shown = self.cluster.ask(name, "leader", "policy", "--set", policy)
                self.assertEqual(shown["policy"], policy)
            worker.add([spec("job", policy.encode())])
        self.assertEqual(set(self.drain(worker)), {b"bully", b"hybrid", b"raft"})

    def test_a_node_becomes_a_voter_and_is_removed_again(self):
        self.worker().add([spec("job", b"before")])
        # It takes the role; and the tool, which asks a node that is no voter, goes to the leader.
        self.cluster.operate("voter", "add", "n4", node="n4", statuses=(65,))
        self.set_roles("n4", "node,voter")
        self.addCleanup(self.set_roles, "n4", "node")
        self.cluster.operate("voter", "add", "n4", node="n4")

        def standing():
            listed = self.cluster.ask("n1", "voter", "list")["voters"]
            return {one["id"]: one["standing"] for one in listed}.get("n4")

        wait_until(lambda: standing() == "voter", 20, "n4 votes")
        wait_until(lambda: self.cluster.ask("n4", "leader", "show")["role"] == "follower", 10,
                   "n4 follows")
        # Refused while the change before is not committed everywhere.
        wait_until(lambda: standing() is None or
                   not self.cluster.operate("voter", "remove", "n4", node="n1"), 20, "n4 is gone")
        self.assertEqual(set(self.drain(self.worker())), {b"before"})

    # ---- who may -------------------------------------------------------------------------------

    def test_a_nodes_word_for_an_operator_is_good_for_reading_only(self):
        number = self.worker().add([spec("job", b"kept")])[0]
        leader = self.wait_leader()
        with self.connect(leader, self.node_key("n4")) as peer:
            operator = self.operator_key()["id"]
            cancel = msgpack.packb([CANCEL, [[number]]])
            kind, said = peer.call(WORK_REQUEST, [COMMAND, cancel, 0, operator])
            self.assertEqual((kind, said[0]), (REFUSAL, 1304))
            claim = msgpack.packb([CLAIM, ["n1", 7, 1, 1, [[], [], [], []]]])
            kind, said = peer.call(WORK_REQUEST, [COMMAND, claim, 0, "n1"])
            self.assertEqual((kind, said[0]), (REFUSAL, 1304), "it works for itself only")
            kind, said = peer.call(QUERY, ["voter.remove", {"id": "n1"}])
            self.assertEqual((kind, said[0]), (REFUSAL, 1304))
        self.assertEqual(self.cluster.ask("n4", "work", "show", str(number))["work"]["state"],
                         "ready")
        self.cluster.operate("work", "cancel", str(number), node="n4")

    def test_only_a_voters_key_may_speak_of_the_log(self):
        leader = self.wait_leader()
        follower = self.others(leader)[0]
        counters = self.cluster.ask(follower, "status")["counters"]
        with self.connect(follower, self.node_key("n4")) as peer:
            peer.send_raw(peer.envelope(CONSENSUS, [b"a message of a server that is none"]))
            peer.call(PING, [])
        after = self.cluster.ask(follower, "status")["counters"]
        for counter in ("log.messages_malformed", "log.messages_of_impostors"):
            self.assertEqual(after[counter], counters[counter], "it was not even looked at")

    def test_nobody_but_a_voter_says_who_leads(self):
        self.wait_leader()
        with self.connect("n4") as peer:
            for correlation in ((1 << 62) + (1 << 60), (1 << 62) + (1 << 60) + (1 << 32)):
                lie = [1, b"fresh n1,n2,n3", "operator", 1 << 60, False]
                peer.send_raw(peer.envelope(WORK_REPLY, lie, correlation))
            peer.call(PING, [])
        shown = self.cluster.ask("n4", "leader", "show")
        self.assertNotEqual(shown["leader"], "operator")
        self.assertLess(shown["term"], 1 << 60)

    # ---- what survives -------------------------------------------------------------------------

    def test_what_was_acknowledged_survives_the_leaders_death(self):
        worker = self.worker()
        ids = worker.add([spec("job", str(i).encode()) for i in range(20)])
        held = worker.claim(3)
        leader = self.wait_leader()
        began = time.monotonic()
        self.cluster.signal(leader, signal.SIGKILL)
        more = worker.claim(2, seconds=20, each=1.0)
        print(f"killed {leader}: next acknowledged claim after {time.monotonic() - began:.2f} s")
        self.assertFalse({one[0] for one in held} & {one[0] for one in more})
        successor = self.wait_leader(among=[one for one in VOTERS if one != leader])
        self.assertNotEqual(successor, leader)
        # The predecessor's grants hold.
        worker.complete_all(held + more)
        rest = self.drain(worker)
        self.assertEqual(len(rest) + len(held) + len(more), len(ids))

    def test_everything_survives_the_death_of_all(self):
        worker = self.worker()
        worker.add([spec("job", str(i).encode()) for i in range(30)])
        held = worker.claim(4)
        for name in self.cluster.names:
            self.cluster.signal(name, signal.SIGKILL)
        self.cluster.start_all()
        self.cluster.wait_whole(seconds=60)
        self.wait_leader()
        again = self.worker()
        again.name, again.instance, again.request = worker.name, worker.instance, worker.request
        again.complete_all(held)
        self.assertEqual(len(self.drain(again)), 26)

    def test_a_repeated_request_is_answered_like_the_first(self):
        worker = self.worker()
        number = 0x1234567
        first = worker.add([spec("job", b"once")], number)
        for node in self.cluster.names:
            worker.current = node
            self.assertEqual(worker.add([spec("job", b"once")], number), first)
        grants = worker.claim(5)
        for node in self.cluster.names:
            worker.current = node
            self.assertEqual(worker.claim(5, again=True), grants)
        worker.complete_all(grants)
        self.assertEqual(set(worker.complete(grants).values()), {REPEATED})

    def test_a_claim_waits_for_work(self):
        worker = self.worker([self.follower()])  # a voter: it passes the claim on
        self.assertEqual(worker.claim(1), [])
        began = time.monotonic()
        self.assertEqual(worker.claim(1, wait_ms=700), [])
        self.assertGreater(time.monotonic() - began, 0.6)

    # ---- bad disks -----------------------------------------------------------------------------

    def log_file(self, name, *parts):
        return os.path.join(self.cluster.data_dir(name), "log", *parts)

    def follower(self):
        leader = self.wait_leader()
        return next(one for one in VOTERS if one != leader)

    def assertTakesNoPart(self, name, *codes):
        """It says why; it is a member still, and the others go on without it."""
        shown = wait_until(lambda: self.cluster.ask(name, "leader", "show"), 15, f"{name} is up")
        self.assertEqual(shown["role"], "failed")
        code = shown["trouble"].partition(":")[0]
        self.assertIn(code, codes)
        self.assertIn(code, self.cluster.log(name))
        problems = self.cluster.status(name)["problems"]
        self.assertIn(int(code[2:]), [one["code"] for one in problems])
        worker = self.worker()
        worker.add([spec("job", b"two of three")])
        self.assertEqual(set(self.drain(worker)), {b"two of three"})

    def test_a_voter_with_a_damaged_log_takes_no_part_and_says_why(self):
        worker = self.worker()
        worker.add([spec("job", b"marker %d" % i) for i in range(50)])
        self.drain(worker)
        name = self.follower()
        self.assertEqual(self.cluster.stop_gently(name), 0)
        whole = self.log_file(name) + ".whole"
        shutil.copytree(self.log_file(name), whole)
        # SQLite may have the page in the database, in its write-ahead log, or in both.
        damaged = 0
        for one in os.listdir(self.log_file(name)):
            with open(self.log_file(name, one), "r+b") as file:
                content = file.read()
                damaged += content.count(b"marker 25")
                file.seek(0)
                file.write(content.replace(b"marker 25", b"market 25"))
        self.assertGreater(damaged, 0)
        self.cluster.start(name)
        try:
            # A record with a wrong checksum; a structure that SQLite itself finds damaged; or,
            # where it gave up its write-ahead log, a log that knows less than was acknowledged.
            self.assertTakesNoPart(name, "F-1704", "F-1706", "F-1711")
        finally:
            self.cluster.signal(name, signal.SIGKILL)
            shutil.rmtree(self.log_file(name))
            os.rename(whole, self.log_file(name))

    def test_a_voter_whose_log_is_gone_does_not_begin_anew(self):
        name = self.follower()
        self.cluster.signal(name, signal.SIGKILL)
        aside = self.log_file(name) + ".aside"
        os.rename(self.log_file(name), aside)
        self.cluster.start(name)
        try:
            self.assertTakesNoPart(name, "F-1720")
        finally:
            self.cluster.signal(name, signal.SIGKILL)
            os.rename(aside, self.log_file(name))

    # ---- what never happens --------------------------------------------------------------------

    def test_a_minority_grants_nothing_and_says_so(self):
        worker = self.worker()
        worker.add([spec("job", b"precious")])
        leader = self.wait_leader()
        for name in VOTERS:
            if name != leader:
                self.cluster.signal(name, signal.SIGKILL)
        alone = self.worker([leader, "n4"])
        with self.assertRaises(NoAnswer):
            alone.claim(1, seconds=6)
        listed = self.cluster.ask(leader, "voter", "list")
        self.assertTrue(listed["stale"])
        self.assertIn("no quorum", str(self.cluster.ask(leader, "why", "leader")["reasons"]))
        for name in VOTERS:
            if name != leader:
                self.cluster.start(name)
        self.wait_leader()
        # The same request: granted once, whatever became of the first tries.
        alone.nodes = self.cluster.names
        self.assertEqual([one[2] for one in alone.claim(1, again=True)], [b"precious"])
        self.assertEqual(self.worker().claim(1), [])

    def test_a_leader_stopped_for_20_seconds_grants_nothing_twice(self):
        worker = self.worker()
        payloads = {str(i).encode() for i in range(40)}
        worker.add([spec("job", one) for one in sorted(payloads)])
        held = worker.claim(5)
        leader = self.wait_leader()
        self.late = self.worker([leader])
        self.late.peer(leader)
        stopped = time.monotonic()
        self.cluster.signal(leader, signal.SIGSTOP)
        survivors = self.worker(self.others(leader))
        survivors.name = worker.name
        survivors.instance, survivors.request = worker.instance, worker.request
        granted = survivors.claim(5, seconds=30, each=1.0)
        self.assertFalse({one[0] for one in held} & {one[0] for one in granted})
        # Waits in the stopped leader's socket, for it to say when it goes on.
        self.ask_quietly(leader)
        wait_until(lambda: time.monotonic() - stopped > 20, 30, "20 s have passed")
        self.cluster.signal(leader, signal.SIGCONT)
        self.wait_leader()
        survivors.complete_all(held + granted)
        rest = self.drain(survivors)
        # Granted to nobody twice: whatever the late claim was given, is in none of the others.
        late = {one[2] for one in self.late.claim(50, again=True)}
        self.assertFalse(late & set(rest))
        rest.update({one: 0 for one in late})
        taken = {one[2] for one in held} | {one[2] for one in granted}
        self.assertFalse(taken & set(rest))
        self.assertEqual(taken | set(rest), payloads)

    def ask_quietly(self, node):
        """A claim that lies in the stopped node's socket until it goes on."""
        with self.assertRaises(NoAnswer):
            self.late.claim(50, seconds=1, each=0.8)


if __name__ == "__main__":
    unittest.main()
