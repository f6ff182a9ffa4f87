#!/usr/bin/python3
"""Our work queue beside etcd, NATS JetStream and Redis: adds, and round trips through the queue.

usage: queue.sh [--quick] [--rounds N] [--seconds S] [--only NAME,...] [--clients 1,64,1024]
                [--threads N] [--json FILE] [--directory DIR]

All systems are up side by side on this machine, each with its own way to the disk: ours and etcd
with three nodes that all write through before an item is acknowledged, NATS with three replicas
twice (as it comes, acknowledging from memory; and with files that the kernel writes through at each
write, for this version has no setting for it), Redis with one node and appendfsync always. One
load program (queue_load) asks them by turns, round after round, each on a machine that has come to
rest, its disk too: what others do to a shared disk makes a sync take 0.2 ms now and 20 ms the next
second, and is printed with each run. The median round counts.

  add   N clients, each adds one item, waits for its acknowledgement, adds the next
  trip  the same, and the items are taken in batches of up to 256 and reported done; counted when
        the end is acknowledged. Adds pause while 4096 items are in the queue (256 in NATS with
        fsync, which could not end more in the time).

The load is one process with min(N, 4) threads, one connection per thread to the leader, the N
clients spread over them, 128 bytes of payload, whoever is asked. Exit status 1 if a goal is missed.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time

from queue_systems import Etcd, Load, Nats, NatsThrough, Redis, Riftbus

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PROGRAMS = os.environ.get("RIFTBUS_BIN", os.path.join(ROOT, "build", "release", "bin"))
ADD_GOALS = {64: 4.0, 1024: 6.0}  # times etcd's adds per second
BUSY_AT_REST = 0.1  # of all cores, with everything up and unasked
SLOW_DISK = 3  # times the best sync seen: not at rest
PROBES = 30
REST_LOOKS_MAX = 20
P50_GOAL_MS = 1.0  # at one client, when etcd's is below it


def median_of(runs, kind):
    """The round with the median rate; None if there was none."""
    found = sorted((run[kind] for run in runs), key=lambda one: one["per_s"])
    return found[len(found) // 2] if found else None


def compare(medians, clients):
    """Rows of {name, ours, peer, ratio, unit, goal, met}; goal None: only reported."""
    rows = []

    def row(name, unit, ours, peer, goal, met):
        rows.append({"name": name, "ours": ours, "peer": peer,
                     "ratio": ours / peer if peer else None, "unit": unit, "goal": goal,
                     "met": met})

    for count in clients:
        ours = medians.get(("ours", "add", count))
        for peer in ("etcd", "nats", "nats-fsync", "redis"):
            theirs = medians.get((peer, "add", count))
            if not ours or not theirs:
                continue
            goal = ADD_GOALS.get(count) if peer == "etcd" else None
            ratio = ours["per_s"] / max(theirs["per_s"], 1)
            row(f"adds, {count} clients, beside {peer}", "items/s", ours["per_s"],
                theirs["per_s"], goal, goal is None or ratio >= goal)
            for part in ("p50_ms", "p99_ms"):
                is_goal = peer == "etcd" and count == 1 and part == "p50_ms"
                row(f"add {part[:3]}, {count} clients, beside {peer}", "ms", ours[part],
                    theirs[part], P50_GOAL_MS if is_goal else None,
                    not is_goal or theirs[part] >= P50_GOAL_MS or ours[part] < P50_GOAL_MS)
        ours = medians.get(("ours", "trip", count))
        for peer in ("nats", "nats-fsync", "redis"):
            theirs = medians.get((peer, "trip", count))
            if not ours or not theirs:
                continue
            goal = 1.0 if peer == "nats-fsync" else None  # all with fsync; the other is shown
            row(f"add-claim-complete, {count} clients, beside {peer}", "items/s", ours["per_s"],
                theirs["per_s"], goal, goal is None or ours["per_s"] >= theirs["per_s"])
    return rows


def print_table(medians, rows, systems, clients):
    print(f"\n{'':22}" + "".join(f"{count:>8} clients: /s, p50, p99 ms" for count in clients))
    for shape in ("add", "trip"):
        for system in systems:
            cells = [medians.get((system.name, shape, count)) for count in clients]
            if not any(cells):
                continue
            print(f"{shape:5}{system.title:17}" + "".join(
                f"{one['per_s']:>14.0f} {one['p50_ms']:>9.2f} {one['p99_ms']:>9.2f}" if one
                else f"{'-':>34}" for one in cells))
    print("\ngoals:")
    for row in rows:
        if row["goal"] is not None:
            print(f"  {row['name']:44} {row['ours']:>10.2f} {row['peer']:>10.2f} {row['unit']:8}"
                  f" ratio {row['ratio']:.2f}, goal {row['goal']:g}:"
                  f" {'met' if row['met'] else 'MISSED'}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="one short round, about a minute")
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=0, help="of each run, after half a second")
    parser.add_argument("--only", default="", help="of ours,etcd,nats,nats-fsync,redis")
    parser.add_argument("--shapes", default="add,trip", help="of add,trip")
    parser.add_argument("--clients", default="1,64,1024")
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--payload", type=int, default=128)
    parser.add_argument("--directory", help="on the disk to be measured; a temporary one")
    parser.add_argument("--json", metavar="FILE", help="also write the results there")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 5)
    options.seconds = options.seconds or (1.2 if options.quick else 3)
    options.clients = [int(word) for word in options.clients.split(",")]
    options.shapes = options.shapes.split(",")
    if unknown := set(options.shapes) - {"add", "trip"}:
        parser.error(f"--shapes: {', '.join(sorted(unknown))}: there are add and trip")
    return options


def busy_share(seconds):
    """Of all cores."""
    def look():
        with open("/proc/stat", encoding="ascii") as file:
            times = [int(word) for word in file.readline().split()[1:9]]
        return sum(times), times[3] + times[4]
    all_before, idle_before = look()
    time.sleep(seconds)
    all_after, idle_after = look()
    return 1 - (idle_after - idle_before) / max(1, all_after - all_before)


class Disk:
    """How long a synced write of 64 KiB takes on the measured disk."""

    def __init__(self, directory):
        self.path = os.path.join(directory, "probe")
        self.best_ms = None
        self.now_ms = None

    def look(self):
        """Whether it is about as fast as it ever was."""
        took = []
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        for _ in range(PROBES):
            began = time.perf_counter()
            os.pwrite(file, b"x" * 65536, 0)
            os.fdatasync(file)
            took.append((time.perf_counter() - began) * 1000)
        os.close(file)
        self.now_ms = sorted(took)[PROBES // 2]
        self.best_ms = min(self.now_ms, self.best_ms or self.now_ms)
        return self.now_ms <= SLOW_DISK * self.best_ms


def come_to_rest(disk):
    """What one system has left to do, and unwritten in memory, the next one is not to pay for.
    Whether the machine is at rest."""
    os.sync()
    for _ in range(REST_LOOKS_MAX):
        if busy_share(0.25) < BUSY_AT_REST and disk.look():
            return True
    return False


def measure(options, systems, directory):
    disk = Disk(directory)
    load = Load(os.path.join(PROGRAMS, "queue_load"), options.threads, options.payload)
    runs = {}
    for number in range(options.rounds):
        for shape in options.shapes:
            for clients in options.clients:
                for system in systems if number % 2 == 0 else reversed(systems):
                    if shape == "trip" and not system.trips:
                        continue
                    is_at_rest = come_to_rest(disk)
                    run = load.run(system, shape, clients, options.seconds)
                    runs.setdefault((system.name, shape, clients), []).append(run)
                    one = run[shape]
                    print(f"{shape:5} {clients:>5} {system.name:10} {one['per_s']:>9.0f}/s"
                          f" p50 {one['p50_ms']:.2f} p99 {one['p99_ms']:.2f}"
                          f" max {one['max_ms']:.1f} ms, refused {run['failed']},"
                          f" processor {run['processor_s']:.1f} s of {run['took_s']:.1f},"
                          f" a sync before {disk.now_ms or 0:.2f} ms"
                          + (f", LOST {run['lost']}" if run["lost"] else "")
                          + ("" if is_at_rest else ", not at rest"),
                          flush=True)
    return runs


def main():
    options = parse()
    wanted = options.only.split(",") if options.only else None
    directory = tempfile.mkdtemp(prefix="riftbus-queue-", dir=options.directory)
    kinds = [kind for kind in (Riftbus, Etcd, Nats, NatsThrough, Redis)
             if not wanted or kind.name in wanted]
    systems = []
    try:
        for kind in kinds:
            systems.append(kind(directory))
            systems[-1].start()
        runs = measure(options, systems, directory)
    finally:
        for system in systems:
            system.end()
        shutil.rmtree(directory, ignore_errors=True)
    medians = {key: median_of(found, key[1]) for key, found in runs.items()}
    rows = compare(medians, options.clients)
    print_table(medians, rows, systems, options.clients)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
            file.write("\n")
    return 0 if all(row["met"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
