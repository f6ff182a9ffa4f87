#!/usr/bin/python3
"""Riftbus and Serf side by side: how long until everybody knows who joined and who died.

usage: membership.sh [--sizes 20,50] [--repetitions 5] [--quick] [--json FILE]

For each size and repetition, first one system and then the other (the order alternates) forms a
cluster of N processes on loopback, settles for 5 s, has one member killed with -9 and another one
stopped with SIGSTOP. All observers' logs are read by one thread with one clock. Measured:

  join    from the start of the last process until every process has said that all others joined
  kill    from kill -9 until every other process has pronounced the death (and the first one)
  stop    the same from SIGSTOP
  spread  from the first to the last observer

Goals for our default profile: kill <= 1.5 s, stop <= 5 s, spread <= 0.3 s at every observer, and a
join that is no slower than Serf's. Exit status 1 if one is missed. Serf runs its lan profile.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))
from cluster import Cluster, free_ports  # noqa: E402
from watch import Watch  # noqa: E402

GOALS = {"kill": 1.5, "stop": 5.0, "spread": 0.3}
SETTLE_S = 5.0
SPACING_S = 0.02  # between two starts, for both alike
FORM_S = 60  # for all to have said that all others joined
SERF_TRIALS = 3


class Riftbus:
    """N riftbus-node processes with real keys and the default profile."""

    name = "riftbus"
    died = "died"

    def __init__(self, size):
        self.cluster = Cluster(size)
        self.cluster.__enter__()
        self.names = self.cluster.names
        self.watch = Watch(r"member (joined|died|returned) node=(\S+)")

    def start(self, name):
        return self.watch.start(name, self.cluster.node_command(name))

    def wait_first(self):
        time.sleep(0.5)

    def end(self):
        self.watch.end()
        self.cluster.__exit__(None, None, None)

    def joined(self):
        return "joined"


class Serf:
    """N Serf agents, Debian's package, lan profile."""

    name = "serf"
    died = "Failed"

    def __init__(self, size):
        self.names = [f"n{number}" for number in range(1, size + 1)]
        self.port = free_ports(2 * size)
        self.watch = Watch(r"serf: EventMember(Join|Failed): (\S+)")

    def start(self, name):
        index = self.names.index(name)
        size = len(self.names)
        command = ["serf", "agent", "-node", name, "-bind", f"127.0.0.1:{self.port + index}",
                   "-rpc-addr", f"127.0.0.1:{self.port + size + index}", "-profile", "lan",
                   "-log-level", "info"]
        if index:
            command += ["-join", f"127.0.0.1:{self.port}"]
        return self.watch.start(name, command)

    def wait_first(self):
        time.sleep(0.5)

    def end(self):
        self.watch.end()

    def joined(self):
        return "Join"


def everybody_else(names, subject):
    return [name for name in names if name != subject]


def detection(system, victim, number, limit):
    """{'first': s, 'last': s, 'spread': s} from the signal to the verdicts of all others."""
    observers = [name for name in system.names
                 if name != victim and system.watch.processes[name].poll() is None]
    began = time.monotonic()
    system.watch.processes[victim].send_signal(number)
    arrivals = system.watch.wait_all([(one, system.died, victim) for one in observers], began,
                                     limit)
    return {"first": min(arrivals) - began, "last": max(arrivals) - began,
            "spread": max(arrivals) - min(arrivals)}


def one_run(make, size):
    system = make(size)
    try:
        for index, name in enumerate(system.names):
            system.start(name)
            if index == 0:
                system.wait_first()
            else:
                time.sleep(SPACING_S)
        began = time.monotonic()
        wanted = [(observer, system.joined(), subject) for subject in system.names
                  for observer in everybody_else(system.names, subject)]
        join = max(system.watch.wait_all(wanted, 0.0, FORM_S)) - began
        time.sleep(SETTLE_S)
        false_deaths = len(system.watch.count(system.died))
        killed = detection(system, system.names[-1], signal.SIGKILL, 60)
        time.sleep(SETTLE_S)
        system.watch.processes[system.names[-1]].wait()
        # The dead one does not observe the second death: take it off the list of observers.
        survivors = system.names[:-1]
        system.names = survivors
        stopped = detection(system, survivors[-1], signal.SIGSTOP, 90)
        return {"join": max(join, 0.0), "kill": killed, "stop": stopped,
                "false_deaths": false_deaths}
    finally:
        system.end()


def run_until_formed(make, size):
    """One run. Serf sometimes never logs one of N*N joins: then its run is done again, not counted
    against it. Ours must not need that."""
    for _ in range(SERF_TRIALS - 1):
        try:
            return one_run(make, size)
        except TimeoutError as error:
            if make is Riftbus:
                raise
            print(f"N={size} {make.name:8} done again: {error}", flush=True)
    return one_run(make, size)


def summarize(runs):
    """Medians and worst cases of one system at one size."""
    def over(values):
        return {"median": round(statistics.median(values), 3), "worst": round(max(values), 3)}

    return {"runs": len(runs), "join": over([run["join"] for run in runs]),
            "kill_first": over([run["kill"]["first"] for run in runs]),
            "kill": over([run["kill"]["last"] for run in runs]),
            "kill_spread": over([run["kill"]["spread"] for run in runs]),
            "stop_first": over([run["stop"]["first"] for run in runs]),
            "stop": over([run["stop"]["last"] for run in runs]),
            "stop_spread": over([run["stop"]["spread"] for run in runs]),
            "false_deaths": sum(run["false_deaths"] for run in runs)}


def judge(size, ours, theirs):
    """The goals that were missed, in words. Each repetition counts, not the median."""
    missed = []
    for what in ("kill", "stop"):
        if ours[what]["worst"] > GOALS[what]:
            missed.append(f"N={size}: {what} {ours[what]['worst']} s, goal {GOALS[what]} s")
        if ours[what + "_spread"]["worst"] > GOALS["spread"]:
            missed.append(f"N={size}: spread after {what} {ours[what + '_spread']['worst']} s,"
                          f" goal {GOALS['spread']} s")
    if theirs and ours["join"]["median"] > theirs["join"]["median"]:
        missed.append(f"N={size}: join {ours['join']['median']} s, Serf"
                      f" {theirs['join']['median']} s")
    if ours["false_deaths"]:
        missed.append(f"N={size}: {ours['false_deaths']} false deaths")
    return missed


def serf_version():
    if not shutil.which("serf"):
        return None
    return subprocess.run(["serf", "version"], capture_output=True, text=True,
                          check=False).stdout.splitlines()[0]


def print_table(results):
    print(f"\n{'N':>4} {'system':8} {'runs':>4} {'join':>13} {'kill -9 first':>14}"
          f" {'kill -9 all':>13} {'spread':>13} {'SIGSTOP all':>13} {'spread':>13} {'false':>6}")
    for row in results:
        cells = [f"{row[key]['median']:.2f} ({row[key]['worst']:.2f})" for key in
                 ("join", "kill_first", "kill", "kill_spread", "stop", "stop_spread")]
        print(f"{row['size']:>4} {row['system']:8} {row['runs']:>4} {cells[0]:>13}"
              f" {cells[1]:>14} {cells[2]:>13} {cells[3]:>13} {cells[4]:>13} {cells[5]:>13}"
              f" {row['false_deaths']:>6}")
    print("seconds: median (worst) over the repetitions; 'all' is the last observer")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--sizes", default="20,50")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="N=20, two repetitions")
    parser.add_argument("--json", metavar="FILE", help="also write the results there")
    options = parser.parse_args()
    sizes = [20] if options.quick else [int(word) for word in options.sizes.split(",")]
    repetitions = 2 if options.quick else options.repetitions
    systems = [Riftbus, Serf] if shutil.which("serf") else [Riftbus]
    if len(systems) == 1:
        print("serf is not installed (deploy/install-packages.sh bench): no comparison")

    results, missed = [], []
    for size in sizes:
        runs = {system.name: [] for system in systems}
        for repetition in range(repetitions):
            for system in systems if repetition % 2 == 0 else reversed(systems):
                run = run_until_formed(system, size)
                runs[system.name].append(run)
                print(f"N={size} {system.name:8} join {run['join']:.2f} s,"
                      f" kill {run['kill']['last']:.2f} s, stop {run['stop']['last']:.2f} s",
                      flush=True)
        rows = {name: summarize(found) for name, found in runs.items()}
        results += [{"size": size, "system": name, **row} for name, row in rows.items()]
        missed += judge(size, rows["riftbus"], rows.get("serf"))
    print_table(results)
    for line in missed:
        print("MISSED:", line)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"schema": 1, "goals": GOALS, "serf": serf_version(), "results": results,
                       "missed": missed}, file, indent=1)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
