"""For recovery.py: an echo while bulk fills an uplink of 20 Mbit/s.

This process is the node; the relay, or sshd, is in a namespace of its own behind a cable that lets
20 Mbit/s leave the node (tc tbf, 100 ms of queue at most). The asker stands beside the relay, asks
for 1 KB every 10 ms through the node's control listener, first alone, then while the node sends
bulk as fast as it goes. "ours" has two sessions, control and bulk; "ssh" is one `ssh -N -R` with
both listeners, which is all that one ssh has.
"""

import os
import socket
import struct
import threading
import time

import netspace
from places import FORK, There
from relay import OpenSsh, Relay
from sshd import Sshd, free_ports
from test_relay_interop import OurClient, RelayServer, StockClient, StockServer
from tunnel_crowd import receive, serve_all
from tunnelling import Echo

FAR, NEAR, PLACE = "192.0.2.1", "192.0.2.2", "far"
UPLINK = ["rate", "20mbit", "burst", "32kb", "latency", "100ms"]
SIZE = 1024
ASK_EVERY_S = 0.01
CONTROL, BULK = 21017, 21018
PAUSE = threading.Event()  # never set: only waited on


def lay_cable():
    netspace.run("ip", "netns", "add", PLACE)
    netspace.run("ip", "link", "add", "up0", "type", "veth", "peer", "name", "eth0", "netns", PLACE)
    netspace.run("ip", "addr", "add", f"{NEAR}/24", "dev", "up0")
    netspace.run("ip", "-n", PLACE, "addr", "add", f"{FAR}/24", "dev", "eth0")
    netspace.run("ip", "link", "set", "up0", "up")
    for device in ("eth0", "lo"):
        netspace.run("ip", "-n", PLACE, "link", "set", device, "up")
    netspace.run("tc", "qdisc", "add", "dev", "up0", "root", "tbf", *UPLINK)


def ask(pipe, connect):
    """For each order from `pipe`, seconds: the round trips of so long, in ms."""
    with connect() as connection:
        while (seconds := pipe.recv()) is not None:
            spans, until = [], time.monotonic() + seconds
            while time.monotonic() < until:
                began = time.perf_counter()
                connection.sendall(b"x" * SIZE)
                receive(connection, SIZE)
                spans.append((time.perf_counter() - began) * 1000)
                PAUSE.wait(max(0.0, ASK_EVERY_S - spans[-1] / 1000))
            pipe.send(sorted(spans))


def pull(pipe, connect, seconds):
    """Takes bulk for so long; tells when it flows, and then how much came per second."""
    with connect() as connection:
        connection.settimeout(1.0)
        connection.sendall(struct.pack(">cQ", b"G", 1 << 40))
        connection.recv(1)
        pipe.send("flows")
        came, began = 0, time.monotonic()
        while time.monotonic() < began + seconds:
            try:
                came += len(connection.recv(1 << 16))
            except TimeoutError:
                pass
        pipe.send(came / (time.monotonic() - began))


def serve_quietly(listener):
    """A puller that has had enough hangs up, which is no news."""
    threading.excepthook = lambda _: None
    serve_all(listener)


def figures(spans):
    return {"mean": sum(spans) / len(spans), "p50": spans[len(spans) // 2],
            "p99": spans[len(spans) * 99 // 100], "max": spans[-1], "count": len(spans)}


def measure_way(server_kind, client_kind, seconds):
    ours = server_kind is RelayServer
    echo = Echo()
    listener = socket.create_server(("127.0.0.1", 0))
    source = FORK.Process(target=serve_quietly, args=(listener,), daemon=True)
    source.start()
    server = server_kind()
    client = client_kind(server)
    names = [CONTROL, BULK] if ours else free_ports(2)
    try:
        server.start()
        bulk = f"{listener.getsockname()[1]}" + ("@bulk" if ours else "")
        client.start([(names[0], echo.port), (names[1], bulk)])
        asker = There(PLACE, ask, lambda: server.connect(names[0]))
        asker.pipe.send(seconds)
        idle = figures(asker.pipe.recv())
        puller = There(PLACE, pull, lambda: server.connect(names[1]), seconds + 3)
        assert puller.pipe.recv() == "flows"
        asker.pipe.send(1.0)  # until the uplink is full
        asker.pipe.recv()
        asker.pipe.send(seconds)
        busy = figures(asker.pipe.recv())
        rate = puller.pipe.recv()
        asker.pipe.send(None)
        asker.end()
        puller.end()
    finally:
        client.close()
        server.close()
        source.terminate()
        listener.close()
        echo.close()
    return {"idle_ms": idle, "busy_ms": busy, "bulk_mbit_s": rate * 8 / 1e6,
            "above_p99_ms": round(busy["p99"] - idle["p99"], 2),
            "above_mean_ms": round(busy["mean"] - idle["mean"], 2)}


def measure_uplink(quick):
    lay_cable()
    kept = [(kind, kind.host) for kind in (Relay, Sshd, OpenSsh)]
    for kind, _ in kept:
        kind.host = FAR
    Relay.wrap = Sshd.wrap = ["nsenter", f"--net=/run/netns/{PLACE}"]
    os.makedirs("/run/sshd", exist_ok=True)
    try:
        result = {name: measure_way(server, client, 4 if quick else 15)
                  for name, server, client in (("ours", RelayServer, OurClient),
                                               ("ssh", StockServer, StockClient))}
    finally:
        for kind, host in kept:
            kind.host = host
        Relay.wrap = Sshd.wrap = []
    for name, found in result.items():
        print(f"uplink      {name:8} idle p99 {found['idle_ms']['p99']:.2f} ms, with bulk mean "
              f"{found['busy_ms']['mean']:.2f}, p99 {found['busy_ms']['p99']:.2f}, max "
              f"{found['busy_ms']['max']:.2f}; bulk {found['bulk_mbit_s']:.1f} Mbit/s", flush=True)
    return result
