#!/usr/bin/python3
"""Network namespaces for a live test: each node on a machine of its own, as far as it can see.

    if netspace.entered():           # runs this script again inside; needs root
        with NetCluster(7) as cluster: ...

entered() starts the script once more in new network, mount and process namespaces. In there the
test makes a bridge and one namespace per node; of all that nothing exists outside, and the kernel
removes it, and ends every process in it, when the script ends, however that happens: at its end,
by ^C, or killed with -9. Only cluster.py's directory is left to the script itself, as everywhere.

Cuts are one-way: `cut(node, "in")` drops whatever arrives at the node, "out" whatever leaves it;
`part(node, others)` is both ways. Connections stay as they are, and know nothing, as on a broken
switch.
"""

import os
import shutil
import signal
import subprocess
import sys

from cluster import Cluster

INSIDE = "RIFTBUS_NETSPACE"
NEW_SPACES = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
PREFIX = "192.0.2."
HUB = PREFIX + "254"


def why_not():
    """Why this machine cannot; None if it can."""
    missing = [one for one in ("unshare", "nsenter", "ip", "nft") if not shutil.which(one)]
    if missing:
        return f"needs {', '.join(missing)} (util-linux, iproute2, nftables)"
    if os.geteuid() != 0:
        return "network namespaces need root"
    probe = subprocess.run(["unshare", "--net", "--mount", "sh", "-c",
                            "ip link add riftbus0 type bridge && nft add table inet riftbus"],
                           capture_output=True, text=True, check=False)
    return f"refused by this machine: {probe.stderr.strip()}" if probe.returncode else None


def entered():
    """True inside. Outside it runs this script again and never returns, or says why it cannot."""
    if os.environ.get(INSIDE):
        return True
    reason = why_not()
    if reason:
        print(f"SKIPPED, NOTHING WAS TESTED: {reason}", file=sys.stderr)
        return False
    os.execvpe(NEW_SPACES[0], [*NEW_SPACES, sys.executable, os.path.abspath(__file__),
                               sys.executable, *sys.argv], {**os.environ, INSIDE: "1"})
    return False


def be_first_process(command):
    """Process 1 of the namespace: runs the command and buries whoever becomes an orphan."""
    child = subprocess.Popen(command)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal tells the child itself
    signal.signal(signal.SIGTERM, lambda *_: child.send_signal(signal.SIGINT))
    while True:
        pid, status = os.wait()
        if pid == child.pid:
            return os.waitstatus_to_exitcode(status) & 0xFF


def run(*words):
    subprocess.run(words, check=True, capture_output=True)


class NetCluster(Cluster):
    """A Cluster whose nodes live at 192.0.2.1, .2, ...; this process is at 192.0.2.254."""

    init_options = ("--voters", "3")

    def __enter__(self):
        run("mount", "-t", "tmpfs", "tmpfs", "/run")  # where the namespaces' names are kept
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "hub", "type", "bridge")
        run("ip", "addr", "add", f"{self.hub()}/24", "dev", "hub")
        run("ip", "link", "set", "hub", "up")
        for name in self.names:
            self._add_machine(name)
        super().__enter__()
        self._rewrite_cluster_file()
        return self

    def _add_machine(self, name):
        self._plug_in(name, self.host(name), "eth0")

    @staticmethod
    def _plug_in(name, address, device):
        """A new machine with one cable, to the hub."""
        port = "to-" + name
        run("ip", "netns", "add", name)
        run("ip", "link", "add", port, "type", "veth", "peer", "name", device, "netns", name)
        run("ip", "link", "set", port, "master", "hub", "up")
        run("ip", "-n", name, "addr", "add", f"{address}/24", "dev", device)
        run("ip", "-n", name, "link", "set", device, "up")
        run("ip", "-n", name, "link", "set", "lo", "up")

    def _rewrite_cluster_file(self):
        with open(self.file("cluster.yaml"), encoding="utf-8") as file:
            lines = file.read().splitlines()
        for index, line in enumerate(lines):
            for name in self.names:
                if f'"127.0.0.1:{self.call_port(name)}"' in line:
                    lines[index] = line.replace("127.0.0.1", self.host(name))
        with open(self.file("cluster.yaml"), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def hub(self):
        return HUB

    def host(self, name):
        return PREFIX + str(self.names.index(name) + 1)

    def call_endpoint(self, name):
        return f"tcp://{self.host(name)}:{self.call_port(name)}"

    def pub_endpoint(self, name):
        return f"tcp://{self.host(name)}:{self.call_port(name) + 1}"

    def node_command(self, name, *options):
        return ["nsenter", f"--net=/run/netns/{name}", *super().node_command(name, *options)]

    # ---- cuts ------------------------------------------------------------------------------------

    def cut(self, name, direction, others=None):
        """Drops what comes "in" to, or goes "out" of, one node: everything, or some nodes' only."""
        hook, loopback, peer = {"in": ("input", "iif", "saddr"),
                                "out": ("output", "oif", "daddr")}[direction]
        hosts = "0.0.0.0/0" if others is None else ", ".join(self.host(one) for one in others)
        run("nsenter", f"--net=/run/netns/{name}", "nft",
            f"add table inet cut; "
            f"add chain inet cut {hook} {{ type filter hook {hook} priority 0; policy accept; }}; "
            f"add rule inet cut {hook} {loopback} lo accept; "
            f"add rule inet cut {hook} ip {peer} {{ {hosts} }} drop")

    def part(self, name, others=None):
        """Both ways; this process is not among the others unless they are everybody."""
        for direction in ("in", "out"):
            self.cut(name, direction, others)

    def heal(self, name):
        subprocess.run(["nsenter", f"--net=/run/netns/{name}", "nft", "delete table inet cut"],
                       check=False, capture_output=True)


if __name__ == "__main__":
    sys.exit(be_first_process(sys.argv[1:]))
