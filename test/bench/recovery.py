#!/usr/bin/python3
"""From a fault to the service that is back: our tunnel and relay beside autossh and sshd.

usage: recovery.sh [--quick] [--only restart,blackhole,relays,uplink] [--json FILE]

Needs root: everything happens in network namespaces of its own. Every number is a worst case.

restart    the server's processes are killed with -9 and started again a second later, three times;
           from its listening again to the first echo through the tunnel, under the same name. A
           round begins when the tunnel has been up for 12 s.
blackhole  the packets of the tunnel's connection vanish, both ways, without a word, three times in
           a row; from there to the first echo. Then the tunnel and the relay must have as many open
           files as before, one session, one name, and no MiB more memory.
relays     five nodes, two of them behind routers that masquerade, two relays: one relay is killed
           with -9 under load, then the other (recovery_relays.py).
uplink     an echo of 1 KB while bulk fills an uplink of 20 Mbit/s (recovery_uplink.py)

"autossh" is `autossh -M 0` with ServerAliveInterval 1 and ServerAliveCountMax 3 (as our tunnel), to
sshd with ClientAliveInterval 2 and ClientAliveCountMax 2. It is asked for an echo every 5 s after
a blackhole: sshd looks for dead clients only while nothing else happens, and one that is asked more
often keeps its port for good. Ours is asked every 50 ms.

Goals: restart 2 s, blackhole 4 s; relays: 0 deaths, 0 acknowledged items lost, 0 runs or calls
twice, 4 s without an answer; uplink: 20 ms above idle. Exit status 1 if one is missed. A ratio is
the peer's by ours. --quick: one round of each instead of three.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))
import netspace  # noqa: E402
from sshd import free_ports, wait_until  # noqa: E402
from test_relay_interop import (OurClient, RelayServer, StockClient,  # noqa: E402
                                StockServer)
from tunnelling import Echo  # noqa: E402

RESTART_GOAL_S, BLACKHOLE_GOAL_S = 2.0, 4.0
GIVE_UP_S = 60
PROBE_S = 0.25  # an echo takes a millisecond
STEADY_S = 12.0
NAME = 21017
PAUSE = threading.Event()  # never set: only waited on


class Autossh(StockClient):
    def __init__(self, server):
        super().__init__(server)
        plain = self.client.command

        def command(port, *options, user=None):
            return [shutil.which("autossh"), "-M", "0",
                    *plain(port, "-oServerAliveInterval=1", "-oServerAliveCountMax=3", *options,
                           user=user)[1:]]
        self.client.command = command


class Way:
    """A client, a server, and a listener there that leads to an echo here."""

    def __init__(self, ours):
        self.ours = ours
        self.echo = Echo()
        self.server = RelayServer() if ours else StockServer("ClientAliveInterval 2",
                                                             "ClientAliveCountMax 2")
        self.client = (OurClient if ours else Autossh)(self.server)
        self.listener = NAME if ours else free_ports(1)[0]
        self.server.start()
        self.client.start([(self.listener, self.echo.port)])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()
        self.server.close()
        self.echo.close()

    def answers(self):
        try:
            with self.server.connect(self.listener) as connection:
                connection.settimeout(PROBE_S)
                connection.sendall(b"x")
                return connection.recv(1) == b"x"
        except OSError:
            return False

    def wait_service(self, since, pause):
        """Seconds from `since` to the first echo; None: not in time."""
        while time.monotonic() < since + GIVE_UP_S:
            if self.answers():
                return time.monotonic() - since
            PAUSE.wait(pause)
        return None

    def stay_up(self, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not self.answers():
                raise AssertionError("it went down by itself")
            PAUSE.wait(0.5)

    # ---- faults --------------------------------------------------------------------------------

    def restart_server(self):
        server = self.server.server
        server.stop()
        PAUSE.wait(1.0)
        server.start()
        return time.monotonic()

    def connection(self):
        """The tunnel's port of its connection to the server."""
        port = f"{self.server.port:04X}"
        with open("/proc/net/tcp", encoding="ascii") as file:
            lines = [line.split() for line in file.readlines()[1:]]
        found = [int(line[1].split(":")[1], 16) for line in lines
                 if line[2].endswith(":" + port) and line[3] == "01"]
        assert len(found) == 1, found
        return found[0]

    def swallow(self):
        """Whatever this connection sends is lost from now on."""
        here, there = self.connection(), self.server.port
        rules = "".join(f"add rule inet hole in tcp sport {a} tcp dport {b} drop; "
                        for a, b in ((here, there), (there, here)))
        netspace.run("nft", "add table inet hole; add chain inet hole in "
                     "{ type filter hook input priority 0; }; " + rules)
        return time.monotonic()

    @staticmethod
    def stop_swallowing():
        netspace.run("nft", "delete table inet hole")

    # ---- what may not grow ---------------------------------------------------------------------

    def belongings(self):
        tunnel, relay = self.client.client.process.pid, self.server.server
        with open(f"/proc/{tunnel}/status", encoding="ascii") as file:
            resident = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
        return {"tunnel's files": len(os.listdir(f"/proc/{tunnel}/fd")),
                "relay's files": relay.descriptors(), "tunnel's kB": resident,
                "relay's kB": relay.resident_kb()}

    def check_leaks(self, before):
        relay = self.server.server
        wait_until(lambda: relay.nodes() == [("n1", "control")], "one session is left")
        names = [name for name in os.listdir(relay.socket("")) if name.startswith("n1.")]
        assert names == [f"n1.{NAME}"], names
        for what, count in before.items():
            room = 1024 if what.endswith("kB") else 0
            wait_until(lambda one=what, most=count + room: self.belongings()[one] <= most,
                       f"{what} are as before: {before}, {self.belongings()}")


def measure_restart(quick):
    result = {"ours": [], "autossh": []}
    for name, spans in result.items():
        with Way(name == "ours") as way:
            for _ in range(1 if quick else 3):
                way.stay_up(STEADY_S)
                spans.append(way.wait_service(way.restart_server(), 0.05))
        show("restart", name, spans)
    return result


def measure_blackhole(quick):
    result = {"ours": [], "autossh": []}
    for name, spans in result.items():
        ours = name == "ours"
        with Way(ours) as way:
            way.stay_up(2.0)
            before = way.belongings() if ours else {}
            for _ in range(1 if quick else 3):
                began = way.swallow()
                if not ours:
                    PAUSE.wait(5.0)
                spans.append(way.wait_service(began, 0.05 if ours else 5.0))
                way.stop_swallowing()
                if spans[-1] is None:
                    break  # it would be measured in the state that this left
                way.stay_up(1.0)
            if ours:
                way.check_leaks(before)
        show("blackhole", name, spans)
    return result


def show(what, name, spans):
    each = "  ".join(f"{one:.2f} s" if one is not None else f"not within {GIVE_UP_S} s"
                     for one in spans)
    print(f"{what:10}  {name:8} {each}", flush=True)


def row(name, ours, peer, unit, goal):
    met = ours is not None and ours <= goal
    return {"name": name, "ours": ours, "peer": peer,
            "ratio": round(peer / ours, 2) if peer and ours else None, "unit": unit, "goal": goal,
            "met": met}


def worst(spans):
    return None if not spans or None in spans else round(max(spans), 3)


def rows_of(results):
    for name, goal in (("restart", RESTART_GOAL_S), ("blackhole", BLACKHOLE_GOAL_S)):
        if name in results:
            spans = results[name]
            yield row(f"{name}, back in service, worst", worst(spans["ours"]),
                      worst(spans["autossh"]), "s", goal)
    if "relays" in results:
        found = results["relays"]
        yield row("home relay killed, longest time without an answer", found["gap_s"], None, "s",
                  4.0)
        for key, words in (("deaths", "false deaths"), ("lost", "acknowledged items lost"),
                           ("twice", "runs and calls delivered twice")):
            yield row(f"home relay killed, {words}", found[key], None, "count", 0)
    if "uplink" in results:
        found = results["uplink"]
        for key in ("mean", "p99"):
            yield row(f"control above idle while bulk fills the uplink, {key}",
                      found["ours"][f"above_{key}_ms"], found["ssh"][f"above_{key}_ms"], "ms", 20.0)


def measures():
    # Only inside: they look for the programs of the tests there.
    from recovery_relays import measure_relays  # noqa: PLC0415
    from recovery_uplink import measure_uplink  # noqa: PLC0415
    return {"restart": measure_restart, "blackhole": measure_blackhole, "uplink": measure_uplink,
            "relays": measure_relays}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round of each")
    parser.add_argument("--only", default="restart,blackhole,uplink,relays")
    parser.add_argument("--json", metavar="FILE", help="also write the results there")
    options = parser.parse_args()
    if not netspace.entered():
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    netspace.run("mount", "-t", "tmpfs", "tmpfs", "/run")
    netspace.run("ip", "link", "set", "lo", "up")
    os.environ["AUTOSSH_GATETIME"] = "0"
    known = measures()
    results = {name: known[name](options.quick) for name in options.only.split(",")}
    found = list(rows_of(results))
    for one in found:
        print(f"{one['name']:52} ours {one['ours']} {one['unit']}, peer {one['peer'] or '-'}, "
              f"goal {one['goal']}: {'met' if one['met'] else 'MISSED'}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"schema": 1, "rows": found, "results": results}, file, indent=1)
    return 0 if all(one["met"] for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
