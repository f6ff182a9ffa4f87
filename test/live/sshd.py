"""A real OpenSSH server on a loopback port, with keys, configuration and log of its own."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile

import cluster

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/bin:/usr/local/sbin")
DEADLINE_S = 20.0
_block = []


def free_ports(count):
    """Ports that are free now, in turn, of a block that no other process is given."""
    if not _block:
        first = cluster.free_ports(cluster.PORTS_PER_BLOCK)
        _block.extend(range(first, first + cluster.PORTS_PER_BLOCK))
    free = [port for port in _block if cluster.is_free(port)][:count]
    assert len(free) == count, f"{count} free ports of {_block[0]}..{_block[-1]}"
    for port in free:  # to the end of the queue
        _block.remove(port)
        _block.append(port)
    return free


def wait_until(condition, what, deadline_s=DEADLINE_S):
    return cluster.wait_until(condition, deadline_s, what)


class Sshd:
    host, wrap = "127.0.0.1", []  # where it listens, and a command to run it under

    def __init__(self, options=()):
        self.dir = tempfile.mkdtemp(prefix="riftbus-sshd-")
        self.port = free_ports(1)[0]
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self.process = None
        self.make_key("host")
        self.authorized = os.path.join(self.dir, "authorized_keys")
        open(self.authorized, "w", encoding="utf-8").close()
        os.chmod(self.authorized, 0o600)
        with open(self.path("config"), "w", encoding="utf-8") as file:
            file.write("\n".join([
                f"Port {self.port}", f"ListenAddress {self.host}", f"HostKey {self.path('host')}",
                f"AuthorizedKeysFile {self.authorized}", "PidFile none", "UsePAM no",
                "StrictModes no", "PasswordAuthentication no", "KbdInteractiveAuthentication no",
                "PermitRootLogin prohibit-password", "AllowTcpForwarding yes", "MaxSessions 0",
                "MaxStartups 50:30:200", "LogLevel DEBUG1", *options, ""]))
        if os.getuid() == 0:  # where sshd as root keeps its empty folder
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)

    def path(self, name):
        return os.path.join(self.dir, name)

    def make_key(self, name):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.path(name)],
                       check=True)

    def pin(self):
        line = subprocess.run(["ssh-keygen", "-lf", self.path("host.pub")], check=True,
                              capture_output=True, text=True).stdout
        return line.split()[1]

    def server(self, pin=None):
        return f"{self.user}@{self.host}:{self.port}#{pin or self.pin()}"

    def allow(self, line, options="restrict,port-forwarding"):
        with open(self.authorized, "w", encoding="utf-8") as file:
            file.write(f"{options} {line}\n")

    def start(self):
        log = open(self.path("log"), "ab")
        self.process = subprocess.Popen([*self.wrap, SSHD, "-D", "-e", "-f", self.path("config")],
                                        stdout=log, stderr=log, start_new_session=True)
        log.close()
        wait_until(self.answers, "sshd listens")

    def answers(self):
        with socket.socket() as probe:
            return probe.connect_ex((self.host, self.port)) == 0

    def family(self):
        """The listener and the processes of its sessions."""
        found = [self.process.pid]
        for pid in found:
            for child in subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)],
                                        capture_output=True, text=True, check=False).stdout.split():
                found.append(int(child))
        return found

    def signal_all(self, number):
        for pid in self.family():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def stop(self):
        if self.process is not None:
            self.signal_all(signal.SIGCONT)
            self.signal_all(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def close(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)
