#!/usr/bin/python3
"""Work while its leader is killed, stopped and cut off: three voters, four workers, real programs.

    test/live/test_chaos.py [--minutes 10] [--seed N]      as root; half a minute by default

Seven daemons, each in a network namespace of its own (netspace.py). Waves of jobs are added while
the leader is, again and again, killed with -9 and started anew, stopped and continued, cut off from
all it would hear, or from all it would say. The jobs are programs that the four workers run, and
items that clients of this test claim themselves, now and then sleeping through their leases. All of
them write down what they see and when; in the end every acknowledged item is done, and the whole
history must pass history.py.
"""

import json
import os
import random
import signal
import sys
import threading
import time
import unittest

import msgpack

import netspace
from clustertest import ClusterTest, wait_until
from history import Op, Run, check
from worker import OK, QUESTION, REPEATED, STALE, NoAnswer, Worker, spec

VOTERS = ["n1", "n2", "n3"]
WORKERS = ["n4", "n5", "n6", "n7"]
LEASE_MS, HAND_LEASE_MS = 6_000, 2_500
JOB = ('say() {{ read up rest < /proc/uptime; '
       'echo "$1 $RIFTBUS_WORK_ID $RIFTBUS_FENCE $up" >> {effects}/$RIFTBUS_NODE; }}; '
       'say begin; n=$(cat); while test $n -gt 0; do sleep 0.25; say beat; n=$((n-1)); done; '
       'say end; printf "$RIFTBUS_FENCE" > "$RIFTBUS_RESULT"')
JOBS = """
jobs:
  program:
    command: [sh, -c, '{command}']
    needs: cpus>=0.1
    lease_s: 6
    kill_grace_s: 1
"""
STATES = {"ready": "waiting", "delayed": "waiting", "leased": "leased", "done": "done"}


def now():
    return time.clock_gettime(time.CLOCK_BOOTTIME)  # as /proc/uptime


class Book:
    """What everybody has seen."""

    def __init__(self):
        self.ops, self.lock = [], threading.Lock()

    def write(self, *args, **fields):
        with self.lock:
            self.ops.append(Op(*args, **fields))


class Client(threading.Thread):
    """A thread with a connection of its own that does one thing until it is told to stop."""

    def __init__(self, test, name, seed):
        super().__init__(name=name)
        self.worker = Worker(test, test.cluster.names, name)
        self.book, self.random = test.book, random.Random(f"{seed} {name}")
        self.stop_asked, self.trouble = threading.Event(), None

    def run(self):
        try:
            while not self.stop_asked.is_set():
                self.turn()
        except Exception as error:  # shown by the test
            self.trouble = error
        finally:
            self.worker.close()

    def stop(self):
        self.stop_asked.set()
        self.join()
        if self.trouble:
            raise self.trouble

    def patiently(self, act):
        """The answer to act(again=...), repeated as it was until there is one; None at the end."""
        again = False
        while True:
            try:
                answer = act(again)
                self.was_repeated = again or self.worker.tries > 1
                return answer
            except NoAnswer:
                again = True
                if self.stop_asked.is_set():
                    return None


class Claimer(Client):
    """Claims items of kind "hand", holds them for a while, renews, completes; often too late."""

    def turn(self):
        start = now()
        grants = self.patiently(lambda again: self.worker.claim(
            2, wait_ms=500, again=again, kinds=["hand"], each=1.0))
        end = now()
        for item, fence, _ in grants or []:
            self.book.write("grant", item, start, end, fence, client=f"{self.name} {start}",
                            lease_s=HAND_LEASE_MS / 1000)
        if not grants:
            return
        mood = self.random.random()
        if mood < 0.15:  # sleeps through the lease, and does not know it
            self.stop_asked.wait(HAND_LEASE_MS / 1000 * self.random.uniform(1, 3))
        elif mood < 0.3:
            self.stop_asked.wait(self.random.uniform(0.2, 1.5))
            self.end("renew", grants, lambda: self.worker.renew(grants, each=1.0))
        self.stop_asked.wait(self.random.uniform(0, 0.3))
        if mood > 0.95:
            self.end("release", grants, lambda: self.worker.release(grants, each=1.0))
        else:
            self.end("complete", grants, lambda: self.worker.complete(grants, each=1.0))

    def end(self, kind, grants, act):
        start = now()
        outcomes = self.patiently(lambda _: act())
        end = now()
        for item, fence, _ in grants:
            outcome = None if outcomes is None else outcomes[item]
            if kind == "release" and outcome == STALE and self.was_repeated:
                outcome = None  # the queue does not remember releases: perhaps its own first try
            said = {None: "ok", OK: "ok", REPEATED: "ok", STALE: "stale"}.get(
                outcome, f"outcome {outcome}")
            self.book.write(kind, item, start, None if outcome is None else end, fence, said,
                            self.name)


class Reader(Client):
    """Asks for the state of random items, of whoever answers; stale answers count as none."""

    def turn(self):
        with self.book.lock:
            items = [op.item for op in self.book.ops[-200:]]
        self.stop_asked.wait(0.15)
        if not items:
            return
        item, start = self.random.choice(items), now()
        try:
            shown = ask_show(self.worker, item)
        except NoAnswer:
            return
        if shown:
            self.book.write("read", item, start, now(), *shown, self.name)


def ask_show(worker, item, **options):
    """(fence, state) of an item, linearizable; None: nobody knew for certain."""
    body = msgpack.packb(["work.show", {"id": str(item)}])
    document = json.loads(worker.ask(QUESTION, body, each=1.0, **options))
    if document["stale"]:
        return None
    state = STATES.get(document["work"]["state"], document["work"]["state"])
    return (0 if state == "waiting" else document["work"]["token"]), state


class Chaos(ClusterTest):
    nodes = 7
    minutes, seed = 0.5, 1
    jobs_min = 200

    @classmethod
    def make_cluster(cls):
        return netspace.NetCluster(cls.nodes)

    @classmethod
    def setUpClass(cls):
        if not netspace.entered():
            raise unittest.SkipTest("needs network namespaces")
        super().setUpClass()
        cls.effects = cls.cluster.file("effects")
        os.mkdir(cls.effects)
        command = JOB.format(effects=cls.effects).replace("'", "''")
        # The voters know no kinds, and so run nothing.
        cls.cluster.reconfigure(WORKERS, JOBS.format(command=command))

    def setUp(self):
        self.book = Book()
        self.adder = Worker(self, self.cluster.names, "adder")
        self.addCleanup(self.adder.close)
        self.random = random.Random(self.seed)
        self.added, self.gaps = [], {}

    # ---- load ------------------------------------------------------------------------------------

    def add_wave(self, count):
        """Three programs to one item for the clients, in one batch."""
        hand = [spec("hand", b"", HAND_LEASE_MS) for _ in range(max(1, count // 4))]
        programs = [spec("program", b"%d" % self.random.randrange(1, 6), LEASE_MS)
                    for _ in range(count - len(hand))]
        for each in hand + programs:
            each[4][4] = 200  # backoff_base_ms
            each[4][7] = 200  # losses_max
        for each in programs:
            each[4][0] = "cpus>=0.1"
        start = now()
        ids = self.adder.add(hand + programs, seconds=120, each=1.0)
        end = now()
        for item in ids:
            self.book.write("add", item, start, end, client="adder")
        self.added += ids

    # ---- faults ----------------------------------------------------------------------------------

    def leader(self):
        return self.cluster.wait_leader(WORKERS[:2], among=VOTERS, seconds=60)

    def kill(self, leader, seconds):
        self.cluster.signal(leader, signal.SIGKILL)
        self.wait_grant("kill -9", now())
        self.pause(min(3.0, seconds / 4))
        self.cluster.start(leader)

    def stop(self, leader, seconds):
        self.cluster.signal(leader, signal.SIGSTOP)
        self.wait_grant("stop", now())
        self.pause(seconds)
        self.cluster.signal(leader, signal.SIGCONT)

    def cut_in(self, leader, seconds):
        self.cut(leader, "in", seconds)

    def cut_out(self, leader, seconds):
        self.cut(leader, "out", seconds)

    def cut(self, leader, direction, seconds):
        self.cluster.cut(leader, direction)
        self.wait_grant("cut " + direction, now())
        self.pause(seconds)
        self.cluster.heal(leader)

    def pause(self, seconds):
        """What a fault lasts is not a wait for anything."""
        threading.Event().wait(seconds)

    def wait_grant(self, fault, since):
        """Until something asked for after the fault was granted, or given an empty grant."""
        probe = Worker(self, WORKERS[:1] + VOTERS, f"probe{int(since * 1000)}")
        try:
            probe.claim(1, kinds=["nothing"], seconds=60, each=1.0)
            self.gaps.setdefault(fault, []).append(now() - since)
        finally:
            probe.close()

    # ---- the test --------------------------------------------------------------------------------

    def test_every_acknowledged_job_is_done_once_whatever_befalls_the_leader(self):
        seconds = self.minutes * 60
        stop_s = 20.0 if self.minutes >= 5 else 5.0
        clients = [Claimer(self, f"claimer{i}", self.seed) for i in (1, 2, 3)]
        clients.append(Reader(self, "reader", self.seed))
        for client in clients:
            client.start()
        began, faults, rounds = now(), [], 0
        try:
            while now() - began < seconds or rounds < 4:
                if not faults:
                    faults = [self.kill, self.stop, self.cut_in, self.cut_out]
                    self.random.shuffle(faults)
                left = max(1, int((seconds - (now() - began)) / (stop_s + 5)))
                self.add_wave(max(20, (self.jobs_min - len(self.added)) // left))
                self.pause(self.random.uniform(0.5, 2))
                faults.pop()(self.leader(), stop_s)
                rounds += 1
                self.add_wave(10)
            final = self.wait_all_done()
        finally:
            for client in clients:
                client.stop_asked.set()
            for client in clients:
                client.stop()
        self.judge(final, rounds, now() - began)

    def wait_all_done(self):
        def unfinished():
            return [item for item in self.added if item not in final]

        final = {}

        def is_over():
            for item in unfinished():
                shown = ask_show(self.adder, item, seconds=20)
                if not shown or shown[1] != "done":
                    return False
                final[item] = (shown[1], shown[0])
            return True

        wait_until(is_over, 120, "everything is done")
        return final

    def runs(self):
        """What the programs recorded, per grant."""
        found = {}
        for node in os.listdir(self.effects):
            with open(os.path.join(self.effects, node), encoding="utf-8") as file:
                for line in file:
                    word, item, fence, at = line.split()
                    one = found.setdefault((int(item), int(fence), node), [[], [], []])
                    one[("begin", "beat", "end").index(word)].append(float(at))
        return [Run(item, fence, node, min(begin), max(begin + beats + ends), bool(ends),
                    max(len(begin), len(ends)))
                for (item, fence, node), (begin, beats, ends) in found.items()]

    def judge(self, final, rounds, seconds):
        runs = self.runs()
        kinds = {}
        for op in self.book.ops:
            kinds[op.kind] = kinds.get(op.kind, 0) + 1
        stale = sum(op.said == "stale" for op in self.book.ops)
        print(f"{seconds:.0f} s, {rounds} faults, {len(self.added)} items added and done, "
              f"{len(runs)} runs of programs, {kinds}, {stale} stale tokens refused")
        for fault, gaps in sorted(self.gaps.items()):
            print(f"next claim after {fault}: " + " ".join(f"{gap:.2f}" for gap in gaps) + " s")
        self.assertGreaterEqual(len(self.added), self.jobs_min)
        strange = [op for op in self.book.ops if op.said.startswith("outcome")]
        self.assertEqual([str(op) for op in strange], [])
        problems = check(self.book.ops, final, runs)
        self.assertEqual(problems, [], "\n".join(problems))


def take_options(words):
    """Removes --minutes and --seed from the words."""
    for name, convert in (("minutes", float), ("seed", int)):
        if f"--{name}" in words:
            at = words.index(f"--{name}")
            setattr(Chaos, name, convert(words[at + 1]))
            del words[at:at + 2]


if __name__ == "__main__":
    netspace.entered()
    take_options(sys.argv)
    unittest.main()
