"""For recovery.py: five nodes under load, and the relays by which two of them are reached killed.

n1, n2 and n3 are public voters; n4 and n5 stand behind routers that masquerade and run the work;
relays run on n1 and n2 (test/nat has the cluster). Three loads at once:
- calls: n3 calls n4 and n5, n4 calls n5 and n5 calls n4, 25 times a second each, all of it through
  relays (`link ping` of the nodes' own API);
- work: items are added, each of which a private node must run exactly once;
- a tap on each private node writes down which calls were delivered there.
Then one relay, both its processes and their keeper, is killed with -9, and started again after 8 s;
then the other, by turns. A gap is the longest time in which one node had no answer from another.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "nat"))
from cluster import PROGRAMS, wait_until  # noqa: E402
from peer import KINDS, Peer  # noqa: E402
from places import There  # noqa: E402
from test_members import PRIVATE, PUBLIC, RELAYS, Nat  # noqa: E402
from worker import Worker, spec  # noqa: E402

CALL_EVERY_S, CALL_PATIENCE_MS = 0.04, 500
ADD_EVERY_S, ITEMS_MAX = 0.2, 900
DOWN_S, BETWEEN_S = 8.0, 3.0
PAUSE = threading.Event()  # never set: only waited on
CALLS = {"n3": PRIVATE, "n4": ["n5"], "n5": ["n4"]}


class Loaded(Nat):
    """The cluster of test/nat with work that leaves a line per run; no test of its own."""

    jobs = """
jobs:
  mark:
    command: [sh, -c, 'echo "$RIFTBUS_WORK_ID $RIFTBUS_FENCE $RIFTBUS_NODE" >> {record}']
    needs: cpus>=0.1
"""

    def __init__(self):
        unittest.TestCase.__init__(self, "skipTest")

    def died(self):
        return sum(len(self.cluster.events(name, kind="died")) for name in PUBLIC + PRIVATE)

    def kill_relay(self, relay):
        os.killpg(self.cluster.processes["relay-" + relay].pid, signal.SIGKILL)
        self.cluster.processes["relay-" + relay].wait()


# ---- calls -------------------------------------------------------------------------------------

def keep_calling(pipe, endpoint, key, server_key, targets):
    """Until told to stop: {target: [when each answer came]}, and how many calls there were.

    Says "ready" once every target has answered.
    """
    answers = {target: [] for target in targets}
    is_ready = False
    waiting, asked, due = {}, 0, time.monotonic()
    with Peer(endpoint, key, server_key) as peer:
        while not pipe.poll():
            if time.monotonic() >= due:
                due += CALL_EVERY_S
                for target in targets:
                    number = random.getrandbits(62) | 1
                    peer.send_raw(peer.envelope("query", ["link.ping", {
                        "id": target, "timeout_ms": str(CALL_PATIENCE_MS)}], number))
                    waiting[number] = target
                    asked += 1
            if not is_ready and all(answers.values()):
                is_ready = True
                pipe.send("ready")
            got = peer.receive(max(0.0, due - time.monotonic()))
            if got and got[1] in waiting:
                target = waiting.pop(got[1])
                if got[0] == KINDS["answer"] and json.loads(got[2][0])["answered"]:
                    answers[target].append(time.monotonic())
    for times in answers.values():
        times.append(time.monotonic())
    pipe.send((answers, asked))


def longest_gap(times):
    return max(b - a for a, b in zip(times, times[1:]))


def ways(cluster):
    """{"n3 to n4": host of the relay in between}, as the callers say themselves."""
    found = {}
    for name, targets in CALLS.items():
        for link in cluster.ask(name, "link", "list")["links"]:
            if link["peer"] in targets:
                found[f"{name} to {link['peer']}"] = link["calls"]["address"]["host"]
    return found


def start_calls(cluster, key):
    callers = {name: There(name if name in PRIVATE else None, keep_calling,
                           cluster.cluster.call_endpoint(name), key, cluster.server_key(name),
                           targets)
               for name, targets in CALLS.items()}
    for name, caller in callers.items():
        assert caller.pipe.poll(30) and caller.pipe.recv() == "ready", f"{name} has no answers"
    return callers


def end_calls(callers):
    """{"n3 to n4": [when]} and the number of calls."""
    answers, asked = {}, 0
    for caller in callers.values():
        caller.pipe.send("stop")
    for name, caller in callers.items():
        came, count = caller.pipe.recv()
        asked += count
        answers |= {f"{name} to {target}": list(each) for target, each in came.items()}
        caller.end()
    return answers, asked


# ---- what was delivered ------------------------------------------------------------------------

class Tap:
    """Which calls a private node was given, as it says itself."""

    def __init__(self, cluster, node):
        self.path = os.path.join(cluster.directory, f"tap-{node}")
        where = f"{node}@{cluster.host(node)}:{cluster.call_port(node)}"
        with open(self.path, "wb") as out, open(self.path + ".err", "wb") as err:
            self.process = subprocess.Popen(
                [*cluster.enter(node), os.path.join(PROGRAMS, "riftbus-tap"), "--key",
                 cluster.file("operator"), "--config", cluster.file("cluster.yaml"), "--node",
                 where, "-Y", "kind=ping dir=in", "-o", "fields=from,seq"],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        try:
            wait_until(self.lines, 20, f"the tap of {node} sees calls")
        except AssertionError as error:
            with open(self.path + ".err", encoding="utf-8") as file:
                raise AssertionError(file.read()) from error

    def lines(self):
        with open(self.path, encoding="utf-8") as file:
            return file.read().splitlines()

    def end(self):
        """Deliveries, and how many of them came a second time."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=20)
        seen = self.lines()
        return len(seen), len(seen) - len(set(seen))


# ---- work --------------------------------------------------------------------------------------

class Adder(threading.Thread):
    """Adds items until told to stop; `added` are those that were acknowledged."""

    def __init__(self, loaded):
        super().__init__(daemon=True)
        self.worker = Worker(loaded, PUBLIC, "adder")
        self.added, self.stopping = [], threading.Event()

    def run(self):
        while not self.stopping.wait(ADD_EVERY_S) and len(self.added) < ITEMS_MAX:
            self.added += self.worker.add([spec("mark", b"") for _ in range(2)])
        self.worker.close()


def runs_of(loaded):
    """[id of the item] for each run."""
    try:
        with open(loaded.record, encoding="utf-8") as file:
            return [int(line.split()[0]) for line in file]
    except FileNotFoundError:
        return []


def done_ids(loaded):
    shown = loaded.cluster.operate("-o", "jsonl", "work", "history", "--lines", "1000", node="n3")
    entries = [json.loads(line) for line in shown.splitlines()]
    return {one["id"] for one in entries if one["state"] == "done"}


# ---- the measurement ---------------------------------------------------------------------------

def measure_relays(quick):
    try:
        Loaded.setUpClass()
        return measure(Loaded(), 1 if quick else 3)
    finally:
        Loaded.doClassCleanups()


def measure(loaded, rounds):
    loaded.wait_attached(RELAYS)
    key = loaded.operator_key()
    before = loaded.died()
    callers, adder = start_calls(loaded, key), Adder(loaded)
    taps = [Tap(loaded.cluster, name) for name in PRIVATE]
    adder.start()
    PAUSE.wait(BETWEEN_S)
    moved = sum(kill_and_restart(loaded, relay) for _ in range(rounds) for relay in RELAYS)
    assert moved, "no relay that was in use was killed"
    adder.stopping.set()
    adder.join()
    answers, asked = end_calls(callers)
    delivered, twice = (sum(each) for each in zip(*(tap.end() for tap in taps)))
    lost = wait_done(loaded, adder.added)
    runs = runs_of(loaded)
    gaps = {name: round(longest_gap(each), 3) for name, each in answers.items()}
    result = {"gap_s": max(gaps.values()), "gaps_s": gaps, "callers_moved": moved,
              "deaths": loaded.died() - before,
              "items": len(adder.added), "lost": lost,
              "twice": twice + len(runs) - len(set(runs)), "calls": asked,
              "answered": sum(len(each) - 1 for each in answers.values()),
              "delivered": delivered, "kills": 2 * rounds}
    print("relays      " + "  ".join(f"{name} {value}" for name, value in result.items()),
          flush=True)
    return result


def kill_and_restart(loaded, relay):
    """How many callers had this relay in between, all of whom must have moved to the other."""
    host = loaded.cluster.host(relay)
    before = ways(loaded.cluster)
    loaded.kill_relay(relay)
    PAUSE.wait(DOWN_S)
    after = ways(loaded.cluster)
    print(f"relays      the relay on {relay} ({host}) killed; ways before: {before}, after: "
          f"{after}", flush=True)
    assert host not in after.values(), after
    loaded.cluster.start_relay(relay)
    loaded.wait_attached(RELAYS)
    PAUSE.wait(BETWEEN_S)
    return sum(way == host for way in before.values())


def wait_done(loaded, added):
    """How many acknowledged items are not done half a minute later."""
    try:
        wait_until(lambda: set(added) <= set(runs_of(loaded)) and set(added) <= done_ids(loaded),
                   30, "all is done")
        return 0
    except AssertionError:
        return len(set(added) - done_ids(loaded))


