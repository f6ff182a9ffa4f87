#!/usr/bin/python3
"""Disks and files that fail: full, corrupt, readable by others, configured wrongly."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from cluster import PROGRAMS, free_ports
from clustertest import ClusterTest, wait_until


def run_node(arguments, seconds=20):
    return subprocess.run(arguments, capture_output=True, text=True, timeout=seconds, check=False)


class BadFiles(ClusterTest):
    def restart(self, name):
        self.cluster.signal(name, signal.SIGKILL)
        self.cluster.start(name)
        self.cluster.wait_standing(name, "n1", "alive", 20)

    def test_two_daemons_do_not_share_a_data_directory(self):
        port = free_ports(4)
        flags = []
        for offset, flag in enumerate(("router", "pub", "http", "health")):
            flags += [f"--{flag}-port", str(port + offset)]
        done = run_node(self.cluster.node_command("n2", *flags))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("F-1609", done.stderr)
        self.assertIn(self.cluster.data_dir("n2"), done.stderr)
        self.restart("n2")  # its lock ends with it, even so

    def path_of(self, name, part):
        """Of a file of the node; the peer cache is made by its first save, not by the start."""
        def find():
            beside = ("-wal", "-shm", "-journal")
            return [os.path.join(folder, file)
                    for folder, _, files in os.walk(self.cluster.data_dir(name))
                    for file in files if part in file and not file.endswith(beside)]
        return wait_until(find, 40, f"a file *{part}* in the data folder of {name}")[0]

    def test_a_corrupt_peer_cache_is_replaced_and_said(self):
        path = self.path_of("n2", "peer")
        self.cluster.signal("n2", signal.SIGKILL)
        with open(path, "r+b") as file:
            file.write(b"\x00not a database at all\xff" * 400)
        for suffix in ("-wal", "-shm", "-journal"):  # no healing from what was under way
            if os.path.exists(path + suffix):
                os.remove(path + suffix)
        self.cluster.start("n2")
        self.cluster.wait_standing("n2", "n1", "alive", 20)
        self.cluster.wait_log("n2", ["cache"])

    def test_a_corrupt_incarnation_file_does_not_bring_an_old_life_back(self):
        before = self.cluster.members("n1")["n3"]["incarnation"]
        path = self.path_of("n3", "incarnation")
        self.cluster.signal("n3", signal.SIGKILL)
        self.cluster.wait_standing("n1", "n3", "dead", 15)
        with open(path, "wb") as file:
            file.write(b"\xff\x00garbage")
        self.cluster.start("n3")
        self.cluster.wait_standing("n1", "n3", "alive", 20)
        self.assertGreater(self.cluster.members("n1")["n3"]["incarnation"], before)
        self.cluster.wait_log("n3", ["incarnation"])

    def test_a_corrupt_roster_falls_back_to_the_version_before_or_stops_the_start(self):
        path = self.path_of("n2", "roster")
        self.cluster.signal("n2", signal.SIGKILL)
        with open(path, "rb") as file:
            good = file.read()
        with open(path, "wb") as file:
            file.write(good[:-40] + b"\x00" * 40)
        done = subprocess.Popen(self.cluster.node_command("n2"), stderr=subprocess.PIPE, text=True)
        try:
            text = done.communicate(timeout=5)[1]
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("roster", text)
        except subprocess.TimeoutExpired:  # it runs: then from roster.prev, and another node's
            self.assertTrue(os.path.exists(path + ".prev"))
        finally:
            done.kill()
            done.communicate()
        with open(path, "wb") as file:
            file.write(good)
        self.cluster.start("n2")

    def test_a_secret_key_that_others_can_read_stops_the_start(self):
        self.cluster.signal("n2", signal.SIGKILL)
        path = self.cluster.file("n2", "keys", "node.key")
        os.chmod(path, 0o644)
        done = run_node(self.cluster.node_command("n2"))
        os.chmod(path, 0o600)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("1112", done.stderr)
        self.assertIn("node.key", done.stderr)
        self.cluster.start("n2")


class FullDisk(ClusterTest):
    """n3 lives on a file system of 8 MB."""

    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0:
            print("SKIPPED: a small file system of its own needs root", file=sys.stderr)
            raise unittest.SkipTest("needs root for a tmpfs")
        super().setUpClass()

    def tearDown(self):
        self.assertStillWhole()
        self.assertNobodyDied(since=1)  # n3 was killed once, on purpose

    def test_a_full_disk_is_said_and_loses_nothing_else(self):
        folder = self.cluster.data_dir("n3")
        self.cluster.signal("n3", signal.SIGKILL)
        self.cluster.wait_standing("n1", "n3", "dead", 15)
        with tempfile.TemporaryDirectory() as aside:
            subprocess.run(["cp", "-a", folder + "/.", aside], check=True)
            mount = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs", folder]
            if subprocess.run(mount, check=False).returncode != 0:
                self.cluster.start("n3")
                self.skipTest("mount is not permitted here")
            self.addCleanup(subprocess.run, ["umount", "-l", folder], check=False)
            subprocess.run(["cp", "-a", aside + "/.", folder], check=True)
        self.cluster.start("n3")
        self.cluster.wait_whole()
        fill = os.path.join(folder, "fill")
        with open(fill, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\x00" * 4096)
            except OSError:
                pass
        # A newer roster is something that a node must write.
        keys = self.cluster.file("visitor")
        self.cluster.operate("--yes", "key", "new", "visitor", "--dir", keys)
        began = time.monotonic()
        self.cluster.operate("--yes", "key", "approve", "visitor", "--public-key",
                             os.path.join(keys, "node.pub"))
        self.cluster.wait_log("n3", ["1114"], 15)
        print(f"a full disk was said after {time.monotonic() - began:.2f} s")
        self.assertTrue(self.cluster.events("n3", kind="disk"))
        # It has adopted the roster all the same, in memory, and stays a member.
        version = self.cluster.status("n1")["roster_version"]
        self.wait_roster(version)
        self.assertStillWhole()
        os.remove(fill)
        self.addCleanup(self.cluster.signal, "n3", signal.SIGKILL)


class Mistakes(unittest.TestCase):
    """Configurations with every kind of mistake: the daemon and `config check` name each."""

    BAD = """cluster: demo
authority: nonsense
voters: [a, ghost]
listen:
  router_port: 70000
  rooter_port: 7
nodes:
  a: {addresses: ["192.0.2.1"]}
  "../b": {addresses: ["not an address:x:y"]}
timing:
  profile: brisk
"""

    def test_every_mistake_is_named_with_its_line(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "cluster.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(self.BAD)
            done = run_node([os.path.join(PROGRAMS, "riftbus"), "config", "check", path])
            text = done.stdout + done.stderr
            self.assertNotEqual(done.returncode, 0)
            for line, word in ((2, "authority"), (3, "ghost"), (5, "70000"), (6, "rooter_port"),
                               (9, "../b"), (11, "brisk")):
                self.assertRegex(text, rf"cluster\.yaml:{line}:\d+[^\n]*", word)
                self.assertIn(word, text)
            daemon = run_node([os.path.join(PROGRAMS, "riftbus-node"), "--config", path,
                               "--node-id", "a", "--data-dir", folder])
            self.assertNotEqual(daemon.returncode, 0)
            self.assertIn("cluster.yaml:2", daemon.stdout + daemon.stderr)

    def test_bytes_that_are_no_yaml_are_refused(self):
        bombs = {
            "binary": os.urandom(2000),
            "deep": b"[" * 5000,
            "bomb": b"a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: &d [*c,*c]\n" +
                    b"".join(b"k%d: [*d,*d,*d,*d]\n" % number for number in range(5000)),
            "large": b"# " + b"x" * (2 << 20),
        }
        with tempfile.TemporaryDirectory() as folder:
            for name, content in bombs.items():
                with self.subTest(name):
                    path = os.path.join(folder, name + ".yaml")
                    with open(path, "wb") as file:
                        file.write(content)
                    done = run_node([os.path.join(PROGRAMS, "riftbus"), "config", "check", path])
                    self.assertGreater(done.returncode, 0, "accepted, or ended by a signal")
                    self.assertIn(name + ".yaml", done.stdout + done.stderr)

    def test_flags_that_make_no_sense_are_refused(self):
        for flags in (["--node-id", "../../etc"], ["--router-port", "0x50"], ["--no-such-flag"],
                      ["--insecure", "--listen-host", "0.0.0.0", "--node-id", "a"]):
            with self.subTest(flags), tempfile.TemporaryDirectory() as folder:
                done = run_node([os.path.join(PROGRAMS, "riftbus-node"), "--data-dir", folder,
                                 *flags])
                self.assertGreater(done.returncode, 0)
                self.assertIn("F-1", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
