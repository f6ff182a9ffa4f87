"""riftbus-relay-ssh as a test runs it, and OpenSSH's client as one of its nodes."""

import json
import os
import shutil
import socket
import subprocess
import tempfile

from sshd import free_ports, wait_until

RELAY = os.path.join(os.environ.get("RIFTBUS_BIN", "build/bin"), "riftbus-relay-ssh")
SSH = shutil.which("ssh")


class Relay:
    program = RELAY
    host, wrap = "127.0.0.1", []  # where it listens, and a command to run it under

    def __init__(self, *arguments):
        self.dir = tempfile.mkdtemp(prefix="riftbus-relay-")
        self.port = free_ports(1)[0]
        self.process = None
        self.arguments = ["--node-id", "relay", "--data-dir", self.dir,
                          "--relay-ssh-host", self.host, "--relay-ssh-port", str(self.port),
                          *arguments]
        self.allow()

    def path(self, name):
        return os.path.join(self.dir, name)

    def socket(self, name):
        return self.path("relay/" + name)

    def allow(self, *lines):
        """The whole list of keys, replaced in one step."""
        with open(self.path("keys.new"), "w", encoding="utf-8") as file:
            file.write("\n".join([*lines, ""]))
        os.chmod(self.path("keys.new"), 0o600)
        os.rename(self.path("keys.new"), self.path("relay_keys"))

    def run(self, *more):
        return subprocess.run([*self.wrap, self.program, *self.arguments, *more], text=True,
                              capture_output=True, timeout=30, check=False)

    def pin(self):
        shown = self.run("--show-pin")
        assert shown.returncode == 0, shown.stderr
        return shown.stdout.strip()

    def server(self):
        """For riftbus-tunnel."""
        return f"{self.host}:{self.port}#{self.pin()}"

    def start(self):
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen([*self.wrap, self.program, *self.arguments], stderr=log)
        wait_until(self.answers, "the relay listens")

    def answers(self):
        assert self.process.poll() is None, self.log()
        with socket.socket() as probe:
            return probe.connect_ex((self.host, self.port)) == 0

    def log(self):
        with open(self.path("log"), encoding="utf-8") as file:
            return file.read()

    def wait_log(self, text, deadline_s=20.0):
        wait_until(lambda: text in self.log(), f"{text} in {self.log()}", deadline_s)

    def status(self):
        try:
            with open(self.socket("relay.json"), encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return {"sessions": [], "counters": {}}

    def nodes(self):
        return [(each["node"], each["class"]) for each in self.status()["sessions"]]

    def wait_socket(self, name):
        wait_until(lambda: os.path.exists(self.socket(name)), f"{name}; log: {self.log()}")
        return self.socket(name)

    def resident_kb(self):
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def close(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)


class OpenSsh:
    """`ssh -N` with a key of its own, strict about the server's, with a control socket."""

    host = "127.0.0.1"

    def __init__(self, node="n1"):
        self.dir = tempfile.mkdtemp(prefix="riftbus-ssh-")
        self.node = node
        self.process = None
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.path("key")],
                       check=True)

    def path(self, name):
        return os.path.join(self.dir, name)

    def key_line(self, node=None):
        with open(self.path("key.pub"), encoding="utf-8") as file:
            kind, key, *_ = file.read().split()
        return f"{kind} {key} {node or self.node}"

    def command(self, port, *options, user=None):
        return [SSH, "-F", "none", "-p", str(port), "-i", self.path("key"),
                "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "BatchMode=yes",
                "-o", "StrictHostKeyChecking=accept-new",
                "-o", f"UserKnownHostsFile={self.path('known')}", "-o", "GlobalKnownHostsFile=none",
                "-o", "ExitOnForwardFailure=yes", "-o", "ControlMaster=auto",
                "-o", f"ControlPath={self.path('control')}", *options,
                f"{user or self.node}@{self.host}"]

    def start(self, port, *options, user=None):
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen(self.command(port, "-v", "-N", *options, user=user),
                                            stdin=subprocess.DEVNULL, stderr=log)

    def run(self, port, *options, user=None, command=()):
        return subprocess.run([*self.command(port, *options, user=user), *command],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
                              check=False)

    def order(self, order, *options):
        """`ssh -O` to the running one."""
        return subprocess.run([SSH, "-F", "none", "-o", f"ControlPath={self.path('control')}",
                               "-O", order, *options, "127.0.0.1"],
                              capture_output=True, text=True, timeout=30, check=False)

    def log(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)
