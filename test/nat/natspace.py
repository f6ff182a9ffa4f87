"""Hosts on a small Internet, and hosts behind routers that masquerade, each a network namespace.

    198.51.100.254  hub: a bridge, and this process
    198.51.100.1 .. public hosts, one node each; some are relay hosts as well
    198.51.100.101  a router, and 10.1.0.2 behind it; .102 and 10.2.0.2, and so on

The routers masquerade what goes out and drop whatever comes in unasked, as a provider's do. Nothing
but the private host itself can reach 10.x.0.2: cluster questions about it are asked in there.
"""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

from cluster import PROGRAMS, wait_until  # noqa: E402
from netspace import NetCluster, run  # noqa: E402

NET = "198.51.100."
HUB = NET + "254"
ROUTER_RULES = """
table ip nat {
  chain post { type nat hook postrouting priority 100; oifname "wan0" masquerade; }
}
table ip flt {
  chain forw { type filter hook forward priority 0; policy drop;
    iifname "lan0" ct state new,established,related accept
    iifname "wan0" ct state established,related accept
  }
  chain inpt { type filter hook input priority 0; policy accept; iifname "wan0" ct state new drop; }
}
"""
CALL_NUMBER, PUB_NUMBER = 7770, 7771


class NatCluster(NetCluster):
    """`private` nodes have a router each; `relays` are public hosts that run riftbus-relay."""

    def __init__(self, names, private, relays):
        super().__init__(names)
        self.private, self.relays = list(private), list(relays)
        self.asked = None  # whom the operator asks now: a private node is asked at home

    # ---- places --------------------------------------------------------------------------------

    def hub(self):
        return HUB

    def host(self, name):
        if name in self.private:
            return f"10.{self.private.index(name) + 1}.0.2"
        return NET + str(self.names.index(name) + 1)

    def router(self, name):
        """What the Internet sees of a private node."""
        return NET + str(101 + self.private.index(name))

    def _add_machine(self, name):
        if name not in self.private:
            return self._plug_in(name, self.host(name), "eth0")
        number = self.private.index(name) + 1
        router = "router-" + name
        self._plug_in(router, f"{NET}{100 + number}", "wan0")
        run("ip", "netns", "add", name)
        run("ip", "-n", router, "link", "add", "lan0", "type", "veth", "peer", "name", "eth0",
            "netns", name)
        run("ip", "-n", router, "addr", "add", f"10.{number}.0.1/24", "dev", "lan0")
        run("ip", "-n", router, "link", "set", "lan0", "up")
        run("ip", "-n", name, "addr", "add", f"10.{number}.0.2/24", "dev", "eth0")
        for device in ("eth0", "lo"):
            run("ip", "-n", name, "link", "set", device, "up")
        run("ip", "-n", name, "route", "add", "default", "via", f"10.{number}.0.1")
        run("nsenter", f"--net=/run/netns/{router}", "sysctl", "-qw", "net.ipv4.ip_forward=1")
        subprocess.run(["nsenter", f"--net=/run/netns/{router}", "nft", "-f", "-"], check=True,
                       input=ROUTER_RULES, text=True, capture_output=True)
        return None

    def open_way(self, source, name):
        """From one public host a private node can be dialled from now on, at its own address."""
        number = self.private.index(name) + 1
        run("ip", "-n", source, "route", "add", f"10.{number}.0.0/24", "via", self.router(name))
        run("nsenter", f"--net=/run/netns/router-{name}", "nft", "insert", "rule", "ip", "flt",
            "forw", "accept")

    def close_way(self, source, name):
        number = self.private.index(name) + 1
        run("ip", "-n", source, "route", "del", f"10.{number}.0.0/24")

    def _rewrite_cluster_file(self):
        super()._rewrite_cluster_file()
        with open(self.file("cluster.yaml"), encoding="utf-8") as file:
            lines = file.read().splitlines()
        text = []
        for line in lines:
            text.append(line)
            if line.strip().removesuffix(":") in self.private and line.endswith(":"):
                text.append("    nat_blocked: true")
        text.append(f"relays: [{', '.join(self.relays)}]")
        with open(self.file("cluster.yaml"), "w", encoding="utf-8") as file:
            file.write("\n".join(text) + "\n")

    # ---- questions -----------------------------------------------------------------------------

    def operate(self, *arguments, node=None, **options):
        self.asked = node
        try:
            return super().operate(*arguments, node=node, **options)
        finally:
            self.asked = None

    def operator(self):
        return [*(self.enter(self.asked) if self.asked in self.private else []),
                *super().operator()]

    @staticmethod
    def enter(name):
        return ["nsenter", f"--net=/run/netns/{name}"]

    # ---- relays and tunnels --------------------------------------------------------------------

    def start_relay(self, name):
        """riftbus-relay on a public host, beside its node."""
        folder = self.relay_dir(name)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        status = os.path.join(self.socket_dir(name), "relay.json")
        if os.path.exists(status):
            os.remove(status)
        with open(os.path.join(folder, "log"), "ab") as log:
            self.processes["relay-" + name] = subprocess.Popen(
                [*self.enter(name), os.path.join(PROGRAMS, "riftbus-relay"),
                 *self._relay_options(name)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        wait_until(lambda: os.path.exists(status), 20, f"the relay on {name} runs")

    def relay_dir(self, name):
        return os.path.join(self.directory, "relay-" + name)

    def _relay_options(self, name):
        return ["--node-id", name, "--data-dir", self.relay_dir(name),
                "--relay-socket-dir", self.socket_dir(name)]

    @staticmethod
    def socket_dir(name):
        return f"/run/relay-{name}"  # short: paths of Unix sockets are

    def relay_pin(self, name):
        os.makedirs(self.relay_dir(name), mode=0o700, exist_ok=True)
        return self._shown([os.path.join(PROGRAMS, "riftbus-relay"), *self._relay_options(name),
                            "--show-pin"])

    def _shown(self, command):
        return subprocess.run(command, check=True, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL).stdout.strip()

    def allow(self, relay):
        """Lets the keys of all private nodes tunnel to one relay."""
        lines = [self._shown([*self._tunnel_command(name, relay), "--show-key"])
                 for name in self.private]
        path = os.path.join(self.relay_dir(relay), "relay_keys")
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write("\n".join([*lines, ""]))
        os.chmod(path + ".new", 0o600)
        os.rename(path + ".new", path)

    def _tunnel_command(self, name, relay):
        port, data = self.call_port(name), self.data_dir(name)
        return [os.path.join(PROGRAMS, "riftbus-tunnel"), "--node-id", name, "--data-dir", data,
                "--tunnel-servers", f"{name}@{self.host(relay)}:7722#{self.relay_pin(relay)}",
                "--tunnel-status-file", os.path.join(data, f"tunnel-{relay}.json"),
                "-R", f"{CALL_NUMBER}:127.0.0.1:{port}",
                "-R", f"{PUB_NUMBER}:127.0.0.1:{port + 1}"]

    def start_tunnel(self, name, relay):
        key = f"tunnel-{name}-{relay}"
        with open(self.log_path(key), "ab") as log:
            self.processes[key] = subprocess.Popen(
                [*self.enter(name), *self._tunnel_command(name, relay)], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True)

    def log_path(self, name):
        if name.startswith("relay-"):
            return os.path.join(self.directory, name, "log")
        return super().log_path(name)
