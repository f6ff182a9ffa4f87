"""The queues that queue_bench.py measures, each brought up on loopback with its files in one place.

Every one has start(), load_arguments() (for queue_load: how to reach the leader), restore() (an
empty queue on a leader, before each run) and end(). All data lie on the same disk.
"""

import json
import os
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))
from cluster import Cluster, free_ports, wait_until  # noqa: E402
from peer import read_key  # noqa: E402

START_S = 30
CONNECTIONS_MAX = 8


class Processes:
    """What one system consists of."""

    def __init__(self):
        self.running = []

    def start(self, command, log_path):
        with open(log_path, "ab") as log:
            self.running.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                                 stderr=log, start_new_session=True))

    def end(self):
        for process in self.running:
            process.kill()
        for process in self.running:
            process.wait()

    def pids(self):
        return [process.pid for process in self.running]


class Riftbus:
    """Three voters with real keys, and a key of its own for each connection of the load."""

    name = "ours"
    title = "riftbus"
    trips = True

    def __init__(self, directory):
        self.cluster = Cluster(3, directory=os.path.join(directory, "riftbus"), keep=True)

    def start(self):
        os.makedirs(self.cluster.directory)
        self.cluster.__enter__()
        self.cluster.start_all()
        self.cluster.wait_whole()
        for number in range(1, CONNECTIONS_MAX + 1):
            key = self.cluster.file(f"load{number}")
            self.cluster.command("key", "new", f"load{number}", "--dir", key)
            public = read_key(os.path.join(key, "node.pub"))["public"]
            self.cluster.operate("--yes", "key", "approve", f"load{number}", "--public-key", public,
                                 "--roles", "node,admin")
        wait_until(self.everybody_knows, START_S, "all nodes know the keys of the load")

    def everybody_knows(self):
        return len({self.cluster.status(name)["roster_version"]
                    for name in self.cluster.names}) == 1

    def leader(self):
        return wait_until(lambda: self.cluster.ask("n1", "leader", "show").get("leader"), START_S,
                          "somebody leads")

    def load_arguments(self):
        leader = self.leader()
        public = read_key(self.cluster.file(leader, "keys", "node.pub"))["public"]
        return ["--port", str(self.cluster.call_port(leader)), "--node", leader,
                "--server-key", public, "--keys", self.cluster.file("load")]

    def pids(self):
        return [process.pid for process in self.cluster.processes.values()]

    def end(self):
        self.cluster.__exit__(None, None, None)


class Etcd(Processes):
    """Three nodes as Debian packages them; only log lines and paths are set."""

    name = title = "etcd"
    trips = False

    def __init__(self, directory):
        super().__init__()
        self.directory = os.path.join(directory, "etcd")

    def start(self):
        os.makedirs(self.directory)
        self.port = free_ports(6)
        names = [f"e{number}" for number in range(3)]
        peers = {name: f"http://127.0.0.1:{self.port + 3 + at}" for at, name in enumerate(names)}
        for at, name in enumerate(names):
            client = f"http://127.0.0.1:{self.port + at}"
            Processes.start(self, [
                "etcd", "--name", name, "--data-dir", os.path.join(self.directory, name),
                "--listen-client-urls", client, "--advertise-client-urls", client,
                "--listen-peer-urls", peers[name], "--initial-advertise-peer-urls", peers[name],
                "--initial-cluster", ",".join(f"{one}={url}" for one, url in peers.items()),
                "--quota-backend-bytes", str(8 << 30), "--log-level", "error"],
                os.path.join(self.directory, name + ".log"))
        wait_until(self.leader_port, START_S, "etcd has a leader")

    def leader_port(self):
        endpoints = ",".join(f"127.0.0.1:{self.port + at}" for at in range(3))
        told = subprocess.run(["etcdctl", "--endpoints", endpoints, "endpoint", "status", "-w",
                               "json"], env={**os.environ, "ETCDCTL_API": "3"}, text=True,
                              capture_output=True, check=False, timeout=10)
        for one in json.loads(told.stdout or "[]"):
            status = one["Status"]
            if status.get("leader") and status["leader"] == status["header"]["member_id"]:
                return int(one["Endpoint"].rpartition(":")[2])
        return None

    def load_arguments(self):
        return ["--port", str(wait_until(self.leader_port, START_S, "etcd has a leader"))]


class Nats(Processes):
    """Three servers, the stream WQ with three replicas in files, the pull consumer C."""

    name = "nats"
    title = "NATS JetStream"
    trips = True
    backlog = 4096

    def __init__(self, directory):
        super().__init__()
        self.directory = os.path.join(directory, "nats")

    def start(self):
        os.makedirs(self.directory, exist_ok=True)
        self.port = free_ports(6)
        routes = ", ".join(f"nats://127.0.0.1:{self.port + 3 + at}" for at in range(3))
        for at in range(3):
            base = os.path.join(self.directory, f"s{at}")
            with open(base + ".conf", "w", encoding="utf-8") as file:
                file.write(f"server_name: s{at}\nlisten: 127.0.0.1:{self.port + at}\n"
                           f"jetstream {{ store_dir: {base} }}\n"
                           f"cluster {{ name: c, listen: 127.0.0.1:{self.port + 3 + at},"
                           f" routes: [{routes}] }}\n")
            Processes.start(self, ["nats-server", "-c", base + ".conf"], base + ".log")
        wait_until(self.make_stream, START_S, "NATS has the stream")
        consumer = {"stream_name": "WQ", "config": {
            "durable_name": "C", "ack_policy": "explicit", "ack_wait": 10 * 10**9,
            "deliver_policy": "all", "max_ack_pending": 100_000}}
        wait_until(lambda: "error" not in self.ask("CONSUMER.DURABLE.CREATE.WQ.C", consumer),
                   START_S, "NATS has the consumer")

    def make_stream(self):
        answer = self.ask("STREAM.CREATE.WQ", {
            "name": "WQ", "subjects": ["wq"], "retention": "workqueue", "storage": "file",
            "num_replicas": 3, "max_msgs": -1, "max_bytes": -1, "discard": "old",
            "max_consumers": -1, "max_age": 0, "duplicate_window": 0})
        return "error" not in answer

    def ask(self, what, document=None):
        """One question to JetStream's own interface."""
        body = json.dumps(document) if document else ""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(
                'CONNECT {"verbose":false}\r\nSUB _I.x 1\r\n'
                f"PUB $JS.API.{what} _I.x {len(body)}\r\n{body}\r\n".encode())
            came = b""
            while True:
                came += connection.recv(65536) or b"-ERR closed\r\n"
                head, _, rest = came.partition(b"MSG _I.x 1 ")[2].partition(b"\r\n")
                if head and len(rest) >= int(head):
                    return json.loads(rest[:int(head)])
                if b"-ERR" in came:
                    raise OSError(came.decode(errors="replace"))

    def load_arguments(self):
        leader = wait_until(lambda: self.ask("STREAM.INFO.WQ")["cluster"].get("leader"), START_S,
                            "the stream has a leader")
        return ["--port", str(self.port + int(leader[1:])), "--backlog", str(self.backlog)]


class NatsThrough(Nats):
    """The same, and nothing it writes is left to the page cache.

    Its files have the attribute S (chattr): the kernel returns from each write() when the disk has
    it. That is what `sync_interval: always` of version 2.10 does; this one has no such setting.
    """

    name = "nats-fsync"
    load = "nats"
    title = "NATS, with fsync"
    backlog = 256

    def __init__(self, directory):
        super().__init__(directory)
        self.directory = os.path.join(directory, self.name)

    def start(self):
        os.makedirs(self.directory)
        # What is made in it inherits.
        done = subprocess.run(["chattr", "+S", self.directory], text=True, capture_output=True,
                              check=False)
        if done.returncode != 0:
            raise RuntimeError(f"no {self.title}: {done.stderr.strip()}; --directory on ext4 helps,"
                               f" or --only without {self.name}")
        super().start()


class Redis(Processes):
    """One server that writes each batch of commands through to the disk before it answers."""

    name = "redis"
    title = "Redis, one node"
    trips = True

    def __init__(self, directory):
        super().__init__()
        self.directory = os.path.join(directory, "redis")

    def start(self):
        os.makedirs(self.directory)
        self.port = free_ports(1)
        Processes.start(self, [
            "redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--dir",
            self.directory, "--appendonly", "yes", "--appendfsync", "always", "--save", "",
            "--daemonize", "no"], os.path.join(self.directory, "redis.log"))
        wait_until(self.make_group, START_S, "Redis answers")

    def make_group(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(b"XGROUP CREATE wq g 0 MKSTREAM\r\n")
            return connection.recv(1000).startswith((b"+OK", b"-BUSYGROUP"))

    def load_arguments(self):
        return ["--port", str(self.port)]


class Load:
    """Runs queue_load against a system."""

    def __init__(self, program, threads, payload):
        self.program, self.threads, self.payload = program, threads, payload

    def run(self, system, shape, clients, seconds):
        command = [self.program, getattr(system, "load", system.name), shape,
                   *system.load_arguments(), "--clients", str(clients),
                   "--threads", str(self.threads), "--seconds", str(seconds),
                   "--payload", str(self.payload)]
        before = processor_s(system.pids())
        began = time.monotonic()
        done = subprocess.run(command, text=True, capture_output=True, timeout=seconds + 180,
                              check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{system.title}, {shape}, {clients} clients: {done.stderr}")
        result = json.loads(done.stdout)
        result["processor_s"] = processor_s(system.pids()) - before
        result["took_s"] = time.monotonic() - began
        return result


def processor_s(pids):
    """Processor time that these processes have used."""
    ticks = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
