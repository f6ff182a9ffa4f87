#!/usr/bin/python3
"""A node's HTTP under load: answers per second and p99, beside etcd's /health and NATS's /varz.

usage: http.sh [--quick] [--rounds N] [--seconds S] [--connections N] [--only PART,...]
               [--json FILE]

  rates    wrk asks by turns, one thread and N connections: /health and /status of a node in a
           cluster of 50 daemons with real keys; the same of a daemon among 1000 members, for whom
           one process speaks (crowd.py); etcd's /health; NATS's /varz. All are up side by side. The
           median round counts.
  stopped  /health of one of three daemons while the thread of its loop is stopped, as by a debugger
  stuck    /health of one of three daemons whose data lie on a disk that is frozen (fsfreeze on an
           ext4 of its own, all three on it), while work waits to be written there; needs root

Goals: /health within 5 ms in 99 of 100 cases, at all times; at least as many of them per second as
either peer answers. /status is compared with NATS's /varz and has no goal: it says what many
members cost. Exit status 1 if a goal is missed.
"""

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))
from cluster import Cluster, free_ports, wait_until  # noqa: E402
from queue_systems import Processes  # noqa: E402
from stopped import StoppedThread  # noqa: E402
from web import TOKEN, Web  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
DAEMONS, CROWD = 50, 1000
START_S = 90
P99_GOAL_MS = 5.0
IMAGE_BYTES = 256 << 20
# wrk hands its counts to this at the end; latencies in microseconds.
REPORT = """
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('REPORT {"requests": %d, "us": %d, "bytes": %d, "p50_us": %.1f, ' ..
    '"p99_us": %.1f, "max_us": %.1f, "errors": %d, "refused": %d}\\n', summary.requests,
    summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99), latency.max,
    e.connect + e.read + e.write + e.timeout, e.status))
end
"""


class Wrk:
    def __init__(self, directory):
        self.script = os.path.join(directory, "report.lua")
        with open(self.script, "w", encoding="ascii") as file:
            file.write(REPORT)

    def run(self, url, connections, seconds):
        """{per_s, p50_ms, p99_ms, max_ms, mb_per_s}; every answer must be a good one."""
        done = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "10s", "-s",
             self.script, url], text=True, capture_output=True, timeout=seconds + 60, check=True)
        line = next(text for text in done.stdout.splitlines() if text.startswith("REPORT "))
        seen = json.loads(line.removeprefix("REPORT "))
        if seen["errors"] or seen["refused"] or not seen["requests"]:
            raise RuntimeError(f"{url}: {line}")
        return {"per_s": 1e6 * seen["requests"] / seen["us"], "p50_ms": seen["p50_us"] / 1000,
                "p99_ms": seen["p99_us"] / 1000, "max_ms": seen["max_us"] / 1000,
                "mb_per_s": seen["bytes"] / seen["us"]}


# ---- what is asked -------------------------------------------------------------------------------

class Daemons:
    """A cluster of real daemons with real keys."""

    def __init__(self, count):
        self.cluster, self.count = Cluster(count), count

    def start(self):
        self.cluster.__enter__()
        self.cluster.start_all()
        web = Web(self.cluster, "n1")
        wait_until(lambda: web.get("/status")["alive_peers"] == self.count - 1, START_S,
                   f"{self.count} daemons see each other")

    def base(self):
        return f"http://127.0.0.1:{self.cluster.call_port('n1') + 2}"

    def check(self):
        alive = Web(self.cluster, "n1").get("/status")["alive_peers"]
        if alive != self.count - 1:
            raise RuntimeError(f"{alive + 1} of {self.count} members are alive")

    def end(self):
        self.cluster.__exit__(None, None, None)


class Crowded(Daemons):
    """One daemon among members for whom crowd.py speaks."""

    def __init__(self, count):
        super().__init__(1)
        self.count, self.crowd = count, None

    def start(self):
        self.cluster.__enter__()
        self.cluster.start_all("--insecure")
        web = Web(self.cluster, "n1")
        wait_until(lambda: web.get("/ready")["ready"], START_S, "the node is ready")
        self.crowd = subprocess.Popen(
            ["/usr/bin/python3", os.path.join(HERE, "crowd.py"),
             "--node", str(self.cluster.call_port("n1")), "--members", str(self.count - 1),
             "--ports", str(free_ports(2 * self.count))], stdin=subprocess.DEVNULL)
        wait_until(lambda: web.get("/status")["alive_peers"] == self.count - 1, START_S,
                   f"the node sees {self.count} members")

    def end(self):
        if self.crowd:
            self.crowd.terminate()
            self.crowd.wait()
        super().end()


class Etcd(Processes):
    """One member, as Debian packages it."""

    def __init__(self, directory):
        super().__init__()
        self.directory = os.path.join(directory, "etcd")

    def start(self):
        ports = free_ports(2)
        self.url = f"http://127.0.0.1:{ports}"
        peer = f"http://127.0.0.1:{ports + 1}"
        Processes.start(self, [
            "etcd", "--name", "e", "--data-dir", self.directory, "--listen-client-urls", self.url,
            "--advertise-client-urls", self.url, "--listen-peer-urls", peer,
            "--initial-advertise-peer-urls", peer, "--initial-cluster", f"e={peer}",
            "--log-level", "error"], self.directory + ".log")
        wait_until(lambda: answers(self.url + "/health"), START_S, "etcd answers")


class Nats(Processes):
    """One server and its monitoring port, as Debian packages it."""

    def __init__(self, directory):
        super().__init__()
        self.directory = os.path.join(directory, "nats")

    def start(self):
        ports = free_ports(2)
        self.url = f"http://127.0.0.1:{ports + 1}"
        Processes.start(self, ["nats-server", "-a", "127.0.0.1", "-p", str(ports), "-m",
                               str(ports + 1)], self.directory + ".log")
        wait_until(lambda: answers(self.url + "/varz"), START_S, "NATS answers")


def answers(url):
    return subprocess.run(["curl", "-sf", "-o", "/dev/null", url], check=False).returncode == 0


# ---- the parts -----------------------------------------------------------------------------------

def measure_rates(options, wrk, directory):
    etcd, nats = Etcd(directory), Nats(directory)
    many, more = Daemons(DAEMONS), Crowded(CROWD)
    runs, started = {}, []
    try:
        for system in (etcd, nats, many, more):
            started.append(system)  # ends whatever it has begun
            system.start()
        asked = {"etcd /health": etcd.url + "/health", "NATS /varz": nats.url + "/varz",
                 f"/health, {DAEMONS} members": many.base() + "/health",
                 f"/health, {CROWD} members": more.base() + "/health",
                 f"/status, {DAEMONS} members": many.base() + "/status",
                 f"/status, {CROWD} members": more.base() + "/status"}
        for number in range(options.rounds):
            for name in list(asked) if number % 2 == 0 else reversed(asked):
                runs.setdefault(name, []).append(
                    wrk.run(asked[name], options.connections, options.seconds))
        for cluster in (many, more):
            cluster.check()
    finally:
        for system in reversed(started):
            system.end()
    return {name: {key: statistics.median(one[key] for one in found) for key in found[0]}
            for name, found in runs.items()}


def measure_stopped(options, wrk, _):
    trio = Daemons(3)
    try:
        trio.start()
        process = trio.cluster.processes["n1"]
        with contextlib.closing(Stopped(process.pid)):
            web = Web(trio.cluster, "n1")
            wait_until(lambda: web.get("/health")["loop_age_ms"] > 1500, 10, "the loop is old")
            return {"/health, loop stopped": wrk.run(trio.base() + "/health", options.connections,
                                                     options.seconds)}
    finally:
        trio.end()


class Stopped(StoppedThread):
    close = StoppedThread.release


def measure_stuck(options, wrk, directory):
    if os.geteuid() != 0:
        print("stuck     left out: freezing a disk needs root", flush=True)
        return {}
    with Disk(directory) as disk:
        trio = Daemons(3)
        trio.cluster = Cluster(3, directory=disk.path)
        trio.cluster.log_path = lambda name: os.path.join(directory, name + ".log")
        try:
            trio.cluster.init_options = ()
            trio.cluster.__enter__()
            trio.cluster.start_all("--http-token", TOKEN)
            trio.cluster.wait_whole()
            trio.cluster.wait_leader()
            return measure_frozen(options, wrk, trio, disk)
        finally:
            disk.thaw()
            trio.end()


def measure_frozen(options, wrk, trio, disk):
    web = Web(trio.cluster, "n1", TOKEN)
    item = {"work_type": "selfplay", "config": {}}
    web.post("/work/add", item)
    answered = threading.Event()

    def add():
        with contextlib.suppress(OSError, ValueError):
            web.post("/work/add", item, seconds=60)
            answered.set()

    disk.freeze()
    waiting = threading.Thread(target=add)
    waiting.start()
    found = wrk.run(trio.base() + "/health", options.connections, options.seconds)
    if answered.is_set():
        raise RuntimeError("work was acknowledged while the disk was frozen")
    disk.thaw()
    waiting.join()
    return {"/health, disk stuck": found}


class Disk:
    """An ext4 in a file, which can be frozen: whatever writes to it waits."""

    def __init__(self, directory):
        self.image, self.path = (os.path.join(directory, name) for name in ("disk.img", "disk"))
        self.frozen = False

    def __enter__(self):
        os.mkdir(self.path)
        with open(self.image, "wb") as file:
            file.truncate(IMAGE_BYTES)
        subprocess.run(["mkfs.ext4", "-q", self.image], check=True)
        subprocess.run(["mount", "-o", "loop", self.image, self.path], check=True)
        return self

    def freeze(self):
        subprocess.run(["fsfreeze", "-f", self.path], check=True)
        self.frozen = True

    def thaw(self):
        if self.frozen:
            subprocess.run(["fsfreeze", "-u", self.path], check=True)
            self.frozen = False

    def __exit__(self, *_):
        self.thaw()
        subprocess.run(["umount", self.path], check=True)


# ---- what comes of it ----------------------------------------------------------------------------

def rows_of(found):
    """Rows of {name, ours, peer, ratio, unit, goal, met}; goal None: only reported."""
    rows = []

    def row(name, ours, peer, unit, goal, met):
        rows.append({"name": name, "ours": round(ours, 3), "peer": peer and round(peer, 3),
                     "ratio": round(ours / peer, 3) if peer else None, "unit": unit,
                     "goal": goal, "met": met})

    peers = {name: found[name] for name in ("etcd /health", "NATS /varz") if name in found}
    for name, one in found.items():
        if name in peers:
            continue
        is_health = name.startswith("/health")
        for other, theirs in peers.items():
            if name.endswith("members") and (is_health or "varz" in other):
                goal = 1.0 if is_health else None
                row(f"{name}, beside {other}", one["per_s"], theirs["per_s"], "answers/s", goal,
                    goal is None or one["per_s"] >= goal * theirs["per_s"])
        nearest = peers.get("etcd /health" if is_health else "NATS /varz", {})
        goal = P99_GOAL_MS if is_health else None
        row(f"{name}, p99", one["p99_ms"], nearest.get("p99_ms"), "ms", goal,
            goal is None or one["p99_ms"] <= goal)
    return rows


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one short round, about a minute")
    parser.add_argument("--rounds", type=int, default=0, help="5; 1 if quick")
    parser.add_argument("--seconds", type=float, default=0, help="of each run: 8; 3 if quick")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--only", default="rates,stopped,stuck")
    parser.add_argument("--json", metavar="FILE", help="also write the results there")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 5)
    options.seconds = options.seconds or (3 if options.quick else 8)
    return options


def main():
    options = parse()
    parts = {"rates": measure_rates, "stopped": measure_stopped, "stuck": measure_stuck}
    directory = tempfile.mkdtemp(prefix="riftbus-http-")
    found = {}
    began = time.monotonic()
    try:
        for name in options.only.split(","):
            found.update(parts[name](options, Wrk(directory), directory))
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    print(f"{'':26} answers/s   p50 ms   p99 ms   max ms     MB/s")
    for name, one in found.items():
        print(f"{name:26} {one['per_s']:>9.0f} {one['p50_ms']:>8.2f} {one['p99_ms']:>8.2f}"
              f" {one['max_ms']:>8.1f} {one['mb_per_s']:>8.1f}")
    rows = rows_of(found)
    for row in rows:
        if row["goal"] is not None:
            print(f"{row['name']:44} {row['ours']:>10.2f} {row['unit']:9} goal {row['goal']:g}:"
                  f" {'met' if row['met'] else 'MISSED'}")
    print(f"{time.monotonic() - began:.0f} s")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
            file.write("\n")
    return 0 if all(row["met"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
