#!/usr/bin/python3
"""Many real daemons in steady state: what each costs, and whether any is called dead by mistake.

usage: scale.sh [-n 200] [--minutes 10] [--quick] [--json FILE]

Starts N riftbus-node processes with real keys on loopback, waits until every one sees all others
alive, then only listens for the given time. Measured per daemon, as median and worst:

  messages and bytes each way, as the bus counts them (envelopes, without ZMTP, CURVE and TCP)
  wire bytes: what the loopback interface carried, all headers included, divided by N
  processor time; resident memory (RSS), and its proportional part (PSS: shared pages divided)

Goals: RSS at most 20 MB, no false death in 10 minutes. Exit status 1 if one is missed.
"""

import argparse
import json
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))
from cluster import Cluster  # noqa: E402
from watch import Watch  # noqa: E402

RSS_GOAL_MB = 20.0
START_AT_ONCE = 4
FORM_S = 300


def processor_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        words = file.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid):
    """RSS, PSS and private memory of one process."""
    sizes = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            words = line.split()
            if words[0] in ("Rss:", "Pss:", "Private_Dirty:"):
                sizes[words[0]] = int(words[1]) / 1024
    return sizes["Rss:"], sizes["Pss:"], sizes["Private_Dirty:"]


def loopback_bytes():
    with open("/proc/net/dev", encoding="ascii") as file:
        line = next(text for text in file if text.strip().startswith("lo:"))
    return int(line.split(":")[1].split()[0])


class Fleet:
    """The daemons, their logs, and two looks at their counters."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.watch = Watch(r"member (joined|returned|died|suspected|refuted|paused) node=(\S+)")

    def form(self):
        began = time.monotonic()
        for index, name in enumerate(self.cluster.names):
            self.cluster.processes[name] = self.watch.start(name, self.cluster.node_command(name))
            if index % START_AT_ONCE == 0:
                time.sleep(0.1)
        names = self.cluster.names
        wanted = [(observer, "joined", subject) for subject in names for observer in names
                  if observer != subject]
        self.watch.wait_all(wanted, 0.0, FORM_S)
        return time.monotonic() - began

    def counters(self):
        """Per node: sent and received messages and bytes."""
        found = {}
        for name in self.cluster.names:
            counters = self.cluster.status(name)["counters"]
            found[name] = [counters[key] for key in (
                "traffic.out_messages", "traffic.out_bytes", "traffic.in_messages",
                "traffic.in_bytes")]
        return found

    def processors(self):
        return {name: processor_s(process.pid) for name, process in self.watch.processes.items()}


def spread(values, digits=2):
    return {"median": round(statistics.median(values), digits), "worst": round(max(values), digits)}


def measure(fleet, seconds):
    before, processor, wire = fleet.counters(), fleet.processors(), loopback_bytes()
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        time.sleep(min(30.0, max(0.0, seconds - (time.monotonic() - began))))
        print(f"  {time.monotonic() - began:5.0f} s  deaths"
              f" {len(fleet.watch.count('died', began))}, suspicions"
              f" {len(fleet.watch.count('suspected', began))}", flush=True)
    elapsed = time.monotonic() - began
    wire_rate = (loopback_bytes() - wire) / elapsed / len(before)
    spent = fleet.processors()
    memory = {name: memory_mb(process.pid) for name, process in fleet.watch.processes.items()}
    after_began = time.monotonic()
    after = fleet.counters()
    # The counters of a node were read at about the same place in both rounds of questions.
    window = elapsed + (time.monotonic() - after_began)

    def rates(column):
        return [(after[name][column] - before[name][column]) / window for name in before]

    return {
        "seconds": round(elapsed, 1),
        "sent_messages_per_s": spread(rates(0)), "sent_bytes_per_s": spread(rates(1), 0),
        "received_messages_per_s": spread(rates(2)), "received_bytes_per_s": spread(rates(3), 0),
        "wire_bytes_per_s_each_way": round(wire_rate),
        "processor_percent": spread([100 * (spent[name] - processor[name]) / elapsed
                                     for name in spent], 3),
        "rss_mb": spread([one[0] for one in memory.values()]),
        "pss_mb": spread([one[1] for one in memory.values()]),
        "private_mb": spread([one[2] for one in memory.values()]),
        "suspicions": len(fleet.watch.count("suspected", began)),
        "false_deaths": len(fleet.watch.count("died", began)),
    }


def print_table(size, join_s, result):
    print(f"\n{size} daemons, {result['seconds']:.0f} s of steady state, formed in {join_s:.1f} s")
    for key, value in result.items():
        if isinstance(value, dict):
            print(f"  {key:28} median {value['median']:>9}  worst {value['worst']:>9}")
        elif key != "seconds":
            print(f"  {key:28} {value}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("-n", type=int, default=200, help="how many daemons (200)")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--quick", action="store_true", help="one minute")
    parser.add_argument("--json", metavar="FILE", help="also write the results there")
    options = parser.parse_args()
    seconds = 60 * (1.0 if options.quick else options.minutes)

    with Cluster(options.n) as cluster:
        fleet = Fleet(cluster)
        try:
            join_s = fleet.form()
            print(f"{options.n} daemons see each other after {join_s:.1f} s; settling", flush=True)
            time.sleep(15)
            result = measure(fleet, seconds)
        finally:
            fleet.watch.end()
            cluster.processes.clear()
    print_table(options.n, join_s, result)
    missed = []
    if result["rss_mb"]["worst"] > RSS_GOAL_MB:
        missed.append(f"RSS {result['rss_mb']['worst']} MB, goal {RSS_GOAL_MB} MB")
    if result["false_deaths"]:
        missed.append(f"{result['false_deaths']} false deaths, goal 0")
    for line in missed:
        print("MISSED:", line)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"schema": 1, "n": options.n, "join_s": round(join_s, 2), **result,
                       "missed": missed}, file, indent=1)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
