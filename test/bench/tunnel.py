#!/usr/bin/python3
"""Our tunnel and relay beside `ssh -N -R`, sshd and autossh: each client with each server.

usage: tunnel.sh [--quick] [--only latency,throughput,setup,crowd,soak] [--json FILE]

Everything runs on loopback, in one process tree, by turns (A B B A), so that what else the machine
does falls on all alike. "ours" is riftbus-tunnel to riftbus-relay-ssh, where a listener is a Unix
socket; "theirs" is ssh to sshd, where it is a TCP port; the mixed pairs show which end matters.

latency     1 KB ZeroMQ request and reply through the listener, microseconds; "direct" goes around
throughput  MB/s with 1 and 8 connections, to the node and from it, per cipher
setup       from the start of the client to a listener that accepts, seconds, median
crowd       200 sessions: memory (PSS) per session on the server; 1000 on one relay
soak        memory of a relay over 600 sessions and 6000 connections

Goals: latency mean at most 0.35 of theirs, p99 at most 1/50; throughput at least theirs with
chacha20-poly1305 and 0.9 of theirs with aes-gcm; memory per session at most 1/20 of sshd's; at
most 1 MiB more after the soak than after its first sixth. Exit
status 1 if one is missed.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import signal
import socket
import statistics
import struct
import sys
import threading
import time

import zmq

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))
from sshd import free_ports  # noqa: E402
from test_relay_interop import (OurClient, RelayServer, StockClient,  # noqa: E402
                                StockServer)
from tunnel_crowd import (measure_crowd, measure_soak, receive, send,  # noqa: E402
                          serve_all)

CIPHERS = {"chacha20": "chacha20-poly1305@openssh.com", "aes-gcm": "aes128-gcm@openssh.com"}
PAUSE = threading.Event()  # never set: only waited on
LISTENER = 21017


class AutosshClient(StockClient):
    def __init__(self, server):
        super().__init__(server)
        plain = self.client.command

        def command(port, *options, user=None):
            return [shutil.which("autossh"), "-M", "0", *plain(port, *options, user=user)[1:]]
        self.client.command = command


PAIRS = {
    "ours": (OurClient, RelayServer),
    "theirs": (StockClient, StockServer),
    "autossh": (AutosshClient, StockServer),
    "tunnel to sshd": (OurClient, StockServer),
    "ssh to relay": (StockClient, RelayServer),
}


class Path:
    """A client, a server, and a listener at the server that leads to a port here."""

    def __init__(self, name, target, cipher="chacha20"):
        client_kind, server_kind = PAIRS[name]
        ours = server_kind is RelayServer
        self.server = server_kind(*(("--relay-cipher", cipher) if ours else
                                    (f"Ciphers {CIPHERS[cipher]}",)))
        self.client = client_kind(self.server)
        self.listener = LISTENER if ours else free_ports(1)[0]
        self.target = target
        self.server.start()

    def open(self):
        self.client.start([(self.listener, self.target)])
        return self

    def endpoint(self):
        if isinstance(self.server, RelayServer):
            return "ipc://" + self.server.where(self.listener)
        return f"tcp://127.0.0.1:{self.listener}"

    def connect(self):
        return self.server.connect(self.listener)

    def close(self):
        self.client.close()
        self.server.close()


def by_turns(names, rounds):
    for number in range(rounds):
        yield from names if number % 2 == 0 else reversed(names)


# ---- latency ------------------------------------------------------------------------------------

def answer_requests(port):
    sock = zmq.Context().socket(zmq.REP)
    sock.bind(f"tcp://127.0.0.1:{port}")
    while True:
        sock.send(sock.recv())


def ask(endpoint, count):
    context = zmq.Context()
    sock = context.socket(zmq.REQ)
    sock.setsockopt(zmq.RCVTIMEO, 10_000)
    sock.setsockopt(zmq.LINGER, 0)
    sock.connect(endpoint)
    spans = []
    for number in range(count + 50):
        began = time.perf_counter()
        sock.send(b"x" * 1024)
        sock.recv()
        if number >= 50:
            spans.append((time.perf_counter() - began) * 1e6)
    sock.close()
    context.term()
    return spans


def measure_latency(quick):
    port = free_ports(1)[0]
    target = multiprocessing.Process(target=answer_requests, args=(port,), daemon=True)
    target.start()
    names = ["ours", "theirs", "tunnel to sshd", "ssh to relay"]
    paths = {name: Path(name, port).open() for name in names}
    spans = {name: [] for name in ["direct", *names]}
    for name in by_turns(["direct", *names], 2 if quick else 4):
        endpoint = f"tcp://127.0.0.1:{port}" if name == "direct" else paths[name].endpoint()
        spans[name] += ask(endpoint, 500 if quick else 2000)
    for path in paths.values():
        path.close()
    target.terminate()
    result = {}
    for name, values in spans.items():
        values.sort()
        result[name] = {"mean": statistics.mean(values), "p50": values[len(values) // 2],
                        "p99": values[len(values) * 99 // 100]}
        print(f"latency     {name:15} mean {result[name]['mean']:8.0f} us  "
              f"p50 {result[name]['p50']:6.0f}  p99 {result[name]['p99']:6.0f}", flush=True)
    return result


# ---- throughput ---------------------------------------------------------------------------------

def move(path, streams, order, count):
    """MB/s of all streams together."""
    def one():
        with path.connect() as connection:
            connection.sendall(struct.pack(">cQ", order, count // streams))
            if order == b"G":
                receive(connection, count // streams)
            else:
                send(connection, count // streams)
                connection.recv(1)
    threads = [threading.Thread(target=one) for _ in range(streams)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return count / (time.perf_counter() - began) / 1e6


def measure_throughput(quick):
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    target = multiprocessing.Process(target=serve_all, args=(listener,), daemon=True)
    target.start()
    port, result = listener.getsockname()[1], {}
    count = (100 if quick else 300) << 20
    for cipher in CIPHERS:
        paths = {name: Path(name, port, cipher).open() for name in ("ours", "theirs")}
        for streams in (1, 8):
            for order, way in ((b"P", "to node"), (b"G", "from node")):
                speeds = {name: [] for name in paths}
                for name in by_turns(list(paths), 4 if quick else 6):
                    speeds[name].append(move(paths[name], streams, order, count))
                ratio = statistics.median(
                    a / b for a, b in zip(speeds["ours"], speeds["theirs"]))
                result[f"{cipher}, {streams}, {way}"] = {
                    "ours": statistics.median(speeds["ours"]),
                    "theirs": statistics.median(speeds["theirs"]), "ratio": ratio}
                print(f"throughput  {cipher:8} {streams} {way:9}  ours "
                      f"{statistics.median(speeds['ours']):5.0f} MB/s  theirs "
                      f"{statistics.median(speeds['theirs']):5.0f}  ratio {ratio:.2f}", flush=True)
        for path in paths.values():
            path.close()
    target.terminate()
    return result


# ---- set-up -------------------------------------------------------------------------------------

def set_up_once(name, target):
    path = Path(name, target)
    if isinstance(path.client, OurClient):
        path.client.client.arguments += ["-R", f"{path.listener}:127.0.0.1:{target}"]
        began = time.perf_counter()
        path.client.client.start()
    else:
        began = time.perf_counter()
        path.client.client.start(path.server.port, "-R", f"{path.listener}:127.0.0.1:{target}",
                                 user=path.server.user())
    while True:
        try:
            path.connect().close()
            break
        except OSError:
            PAUSE.wait(0.0005)
    span = time.perf_counter() - began
    path.close()
    return span


def measure_setup(quick):
    names = list(PAIRS)
    spans = {name: [] for name in names}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for name in by_turns(names, 4 if quick else 16):
            spans[name].append(set_up_once(name, listener.getsockname()[1]))
    result = {name: statistics.median(values) for name, values in spans.items()}
    for name, span in result.items():
        print(f"setup       {name:15} {span * 1000:6.1f} ms", flush=True)
    return result


# ---- goals --------------------------------------------------------------------------------------

def missed(results):
    latency, crowd = results.get("latency"), results.get("crowd")
    if latency:
        for key, goal in (("mean", 0.35), ("p99", 0.02)):
            ratio = latency["ours"][key] / latency["theirs"][key]
            if ratio > goal:
                yield f"latency {key}: {ratio:.3f} of theirs, goal {goal}"
    for name, values in results.get("throughput", {}).items():
        goal = 1.0 if name.startswith("chacha20") else 0.9
        if values["ratio"] < goal:
            yield f"throughput {name}: {values['ratio']:.2f} of theirs, goal {goal}"
    if results.get("soak", {}).get("growth_kb", 0) > 1024:
        yield f"soak: {results['soak']['growth_kb']} KiB more, goal 1024"
    if crowd:
        ratio = (crowd["relay, 200"]["pss_per_session_kb"] /
                 crowd["sshd, 200"]["pss_per_session_kb"])
        if ratio > 0.05:
            yield f"memory per session: {ratio:.3f} of sshd's, goal 0.05"
        if crowd["relay, 1000"]["echoed"] != 1000:
            yield f"echoed {crowd['relay, 1000']['echoed']} of 1000"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--only", default="latency,throughput,setup,crowd,soak")
    parser.add_argument("--json")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    measures = {"latency": measure_latency, "throughput": measure_throughput,
                "setup": measure_setup, "crowd": measure_crowd, "soak": measure_soak}
    results = {name: measures[name](options.quick) for name in options.only.split(",")}
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=2)
    wrong = list(missed(results))
    for each in wrong:
        print("MISSED  " + each)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
