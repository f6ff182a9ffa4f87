"""A cluster of real riftbus-node processes with real keys on loopback, for one test.

    with Cluster(["n1", "n2", "n3"]) as cluster:
        cluster.start_all()
        cluster.wait_whole()
        cluster.signal("n3", signal.SIGKILL)
        cluster.wait_standing("n1", "n3", "dead", 10)

Everything is awaited through what the nodes themselves say (`riftbus -o json`), each wait with a
deadline. Leaving the block ends every process that was started, stopped ones too, and removes the
files; a failed test prints the end of each node's log first.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PROGRAMS = os.environ.get("RIFTBUS_BIN", os.path.join(ROOT, "build", "release", "bin"))
PORTS_PER_NODE = 10
PORTS_PER_BLOCK = 200
CRASHES = {-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS, -signal.SIGILL, -signal.SIGFPE}
FORM_S = 30  # a small cluster on a busy machine
_poll = threading.Event()  # never set: only waited on
_claims = {}


class Refused(Exception):
    """A command ended with an exit status that says no; .status and .text tell which and why."""

    def __init__(self, arguments, status, text):
        super().__init__(f"riftbus {' '.join(arguments)}: exit status {status}: {text.strip()}")
        self.status, self.text = status, text


def wait_until(condition, seconds, what):
    """The first true value of condition(); AssertionError with its last words otherwise."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            value, trouble = condition(), None
        except (Refused, OSError, KeyError, ValueError) as error:
            value, trouble = None, error
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}" +
                                 (f" ({trouble})" if trouble else ""))
        _poll.wait(0.05)


def free_ports(count):
    """First of `count` neighbouring ports below the kernel's own range, free and this process's.

    Blocks are claimed for as long as this process lives, for tests run side by side. One that is
    its own is given again only when there is no other.
    """
    blocks = -(-count // PORTS_PER_BLOCK)
    span = range(11000, 30000 - count, blocks * PORTS_PER_BLOCK)
    start = os.getpid() * 7
    for may_be_own in (False, True):
        for index in range(len(span)):
            first = span[(start + index) % len(span)]
            claimed = [_claim(first + n * PORTS_PER_BLOCK, may_be_own) for n in range(blocks)]
            if all(claimed) and all(is_free(port) for port in range(first, first + count)):
                return first
    raise OSError(f"no {count} neighbouring free ports between 11000 and 30000")


def _claim(block, may_be_own):
    """By a name without a file, which the kernel forgets with this process."""
    if block in _claims:
        return may_be_own
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0riftbus-test-ports-{block}")
    except OSError:
        claim.close()
        return False
    _claims[block] = claim
    return True


def own_environment():
    """This process's environment without the names that configure a daemon."""
    return {name: value for name, value in os.environ.items() if not name.startswith("RIFTBUS_")}


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Cluster:
    """See the module's text. `names` may be a number: n1, n2, ..."""

    init_options = ()

    def __init__(self, names=3, directory=None, keep=False):
        if isinstance(names, int):
            names = [f"n{number}" for number in range(1, names + 1)]
        self.names = list(names)
        self.keep = keep
        self.directory = directory or tempfile.mkdtemp(prefix="riftbus-live-")
        self.home = os.path.join(self.directory, "cluster")
        self.processes = {}
        self.insecure = False
        self.config_files = {}  # of nodes that have one of their own, in `home`

    # ---- life ----------------------------------------------------------------------------------

    def __enter__(self):
        self.port = free_ports(PORTS_PER_NODE * (len(self.names) + 2))
        try:
            self.command("init", "live", "--nodes", ",".join(self.names), "--dir", self.home,
                         "--port", str(self.port), *self.init_options)
        except BaseException as error:
            self.__exit__(type(error))
            raise
        return self

    def __exit__(self, kind, *_):
        crashed = [name for name in self.processes if self._has_crashed(name)]
        kind = kind or (AssertionError if crashed else None)
        for name in list(self.processes):
            self._end(name)
        if kind and kind is not KeyboardInterrupt:
            for name in self.processes:
                print(f"--- {name}\n" + "\n".join(self.log(name).splitlines()[-25:]),
                      file=sys.stderr)
        if not self.keep:
            shutil.rmtree(self.directory, ignore_errors=True)
        if crashed:
            raise AssertionError(f"crashed: {', '.join(crashed)}")

    def _has_crashed(self, name):
        """By itself: no test sends these signals."""
        return name in self.processes and self.processes[name].poll() in CRASHES

    def _end(self, name):
        process = self.processes[name]
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGKILL)
            process.wait()

    def start(self, name, *options, wrap=(), environment=None):
        """Starts one node; `wrap` is a command to run it under (prlimit and the like)."""
        if self._has_crashed(name):  # a restart must not hide it
            raise AssertionError(f"{name} crashed; see its log")
        with open(self.log_path(name), "ab") as log:
            self.processes[name] = subprocess.Popen(
                [*wrap, *self.node_command(name, *options)], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
                env={**own_environment(), **(environment or {})})
        return self.processes[name]

    def start_all(self, *options):
        self.insecure = "--insecure" in options
        for name in self.names:
            self.start(name, *options)

    def node_command(self, name, *options):
        config = self.file(self.config_files.get(name, "cluster.yaml"))
        return [os.path.join(PROGRAMS, "riftbus-node"), "--config", config, "--node-id", name,
                *options]

    def signal(self, name, number):
        """Sends a signal to one node; SIGKILL is waited for."""
        self.processes[name].send_signal(number)
        if number == signal.SIGKILL:
            self.processes[name].wait()

    def reconfigure(self, names, addition, *options):
        """Restarts some nodes with the cluster's file and this text after it."""
        with open(self.file("cluster.yaml"), encoding="utf-8") as file:
            text = file.read()
        with open(self.file("added.yaml"), "w", encoding="utf-8") as file:
            file.write(text + addition)
        for name in names:
            self.stop_gently(name)
            self.config_files[name] = "added.yaml"
            self.start(name, *options)
        self.wait_whole(seconds=60)

    def stop_gently(self, name, seconds=15):
        """SIGTERM: the node says goodbye. Its exit status."""
        self.processes[name].send_signal(signal.SIGTERM)
        return self.processes[name].wait(seconds)

    def is_running(self, name):
        return self.processes[name].poll() is None

    # ---- places --------------------------------------------------------------------------------

    def file(self, *parts):
        return os.path.join(self.home, *parts)

    def data_dir(self, name):
        return self.file(name)

    def log_path(self, name):
        return os.path.join(self.directory, name + ".log")

    def log(self, name):
        with open(self.log_path(name), encoding="utf-8", errors="replace") as file:
            return file.read()

    def call_port(self, name):
        return self.port + PORTS_PER_NODE * self.names.index(name)

    def call_endpoint(self, name):
        return f"tcp://127.0.0.1:{self.call_port(name)}"

    def pub_endpoint(self, name):
        return f"tcp://127.0.0.1:{self.call_port(name) + 1}"

    # ---- questions -----------------------------------------------------------------------------

    def command(self, *arguments, seconds=30, statuses=(0,), both=False):
        """Runs `riftbus ARGUMENTS`, gives its standard output; of both, also standard error."""
        done = subprocess.run([*self.operator(), *arguments], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds,
                              check=False)
        if done.returncode not in statuses:
            raise Refused(arguments, done.returncode, done.stderr + done.stdout)
        return (done.stdout, done.stderr) if both else done.stdout

    def operator(self):
        """The operator's program, as it is to be run."""
        return [os.path.join(PROGRAMS, "riftbus")]

    def operate(self, *arguments, node=None, **options):
        """A command with the operator's key, asked of one node."""
        who = ["--insecure"] if self.insecure else ["--key", self.file("operator")]
        where = [*who, "--config", self.file("cluster.yaml")]
        if node:
            where += ["--node", node]
        return self.command(*where, *arguments, **options)

    def ask(self, node, *arguments, **options):
        """The JSON document that a command gives. `status` of a sick cluster exits with 1."""
        return json.loads(self.operate("-o", "json", "--timeout", "5", *arguments, node=node,
                                       statuses=(0, 1), **options))

    def status(self, node):
        return self.ask(node, "status")

    def members(self, node):
        """{id: member} as one node sees them."""
        return {one["id"]: one for one in self.ask(node, "node", "list")["nodes"]}

    def standing(self, node, subject):
        member = self.members(node).get(subject)
        return member["standing"] if member else "unknown"

    def events(self, node, kind=None, subject=None):
        found = self.ask(node, "event", "list", "--lines", "1000")["events"]
        return [one for one in found if (kind is None or one["kind"] == kind)
                and (subject is None or one["subject"] == subject)]

    def leader_seen_by(self, node):
        return self.ask(node, "leader", "show")["leader"]

    def counter(self, node, name):
        counters = self.status(node)["counters"]
        exact = [value for key, value in counters.items()
                 if key == name or key.endswith("." + name)]
        if not exact:
            raise AssertionError(f"{node} has no counter {name}: {sorted(counters)}")
        return sum(exact)

    # ---- waits ---------------------------------------------------------------------------------

    def wait_standing(self, observer, subject, standing, seconds):
        return wait_until(lambda: self.standing(observer, subject) == standing, seconds,
                          f"{observer} sees {subject} {standing}")

    def wait_whole(self, names=None, seconds=FORM_S):
        """Until each of `names` sees exactly all of them alive, and all views have one digest."""
        names = list(names or self.names)

        def is_whole():
            digests = set()
            for name in names:
                alive = {one for one, member in self.members(name).items()
                         if member["standing"] == "alive"}
                if not alive.issuperset(names):
                    return False
                digests.add(self.status(name)["self"]["digest"])
            return len(digests) == 1

        return wait_until(is_whole, seconds, f"{names} agree that all are alive")

    def wait_leader(self, asked=None, among=None, but=None, seconds=30):
        """Until all that are asked (by default: that run) name one leader, not `but`; that one."""
        asked = list(asked or [one for one in self.names if self.is_running(one)])

        def agree():
            named = {self.leader_seen_by(one) for one in asked}
            leader = named.pop() if len(named) == 1 else None
            return leader if leader != but and leader in (among or self.names) else None

        return wait_until(agree, seconds, f"{asked} agree on a leader")

    def wait_counter(self, node, name, at_least, seconds=10):
        return wait_until(lambda: self.counter(node, name) >= at_least, seconds,
                          f"counter {name} of {node} reaches {at_least}")

    def wait_log(self, node, words, seconds=10):
        """Until one line of the node's log holds all of `words`; that line."""
        words = [words] if isinstance(words, str) else words

        def find():
            return next((line for line in self.log(node).splitlines()
                         if all(word in line for word in words)), None)

        return wait_until(find, seconds, f"log of {node} says {words}")
