#!/usr/bin/python3
"""Who a node is, and how it finds its cluster again: the peer cache, and two lives with one id."""

import os
import shutil
import signal
import unittest

from clustertest import ClusterTest, wait_until


def read_bytes(path):
    with open(path, "rb") as file:
        return file.read()


class PeerCache(ClusterTest):
    nodes = 4

    def write_config(self, name, known):
        """A cluster file for `name` that names only `known` and itself."""
        with open(self.cluster.file("cluster.yaml"), encoding="utf-8") as file:
            authority = next(line for line in file if line.startswith("authority:"))
        lines = ["cluster: live", authority.strip(), f"voters: [{', '.join(known)}]", "nodes:"]
        for one in [*known, name]:
            lines += [f"  {one}:",
                      f'    addresses: ["127.0.0.1:{self.cluster.call_port(one)}"]',
                      f'    paths: {{data_dir: "{self.cluster.data_dir(one)}"}}']
        path = self.cluster.file(f"{name}-only.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        return path

    def test_finds_the_cluster_when_every_seed_is_down(self):
        cluster = self.cluster
        config = self.write_config("n4", ["n1"])
        cluster.signal("n4", signal.SIGKILL)
        cluster.start("n4", "--config", config)
        cluster.wait_whole()
        # Its cache is on disk once a peer beyond the cluster file is in it.
        cache = os.path.join(cluster.data_dir("n4"), "peers.db-wal")
        wait_until(lambda: b"n3" in read_bytes(cache), 60, "n4 has remembered n3")
        cluster.signal("n4", signal.SIGKILL)
        cluster.signal("n1", signal.SIGKILL)
        cluster.wait_standing("n2", "n4", "dead", 20)
        cluster.wait_standing("n2", "n1", "dead", 20)
        cluster.start("n4", "--config", config)
        for observer in ("n2", "n3"):
            cluster.wait_standing(observer, "n4", "alive", 30)
        cluster.wait_standing("n4", "n3", "alive", 30)
        cluster.start("n1")


class TwoLives(ClusterTest):
    nodes = 4

    def test_the_newer_of_two_processes_with_one_id_wins_and_the_conflict_is_said(self):
        cluster = self.cluster
        before = cluster.members("n1")["n3"]["incarnation"]
        port = cluster.port + 10 * len(cluster.names)  # the harness keeps spare ports
        older = cluster.processes["n3"]
        copy = cluster.file("n3-copy")
        shutil.copytree(cluster.data_dir("n3"), copy,
                        ignore=shutil.ignore_patterns("peers.db*"))  # may be under way
        cluster.start("n3", "--data-dir", copy, "--listen-host", "127.0.0.1",
                      "--router-port", str(port), "--pub-port", str(port + 1),
                      "--http-port", str(port + 2), "--advertise-host", "127.0.0.1",
                      "--advertise-router-port", str(port), "--advertise-pub-port", str(port + 1))
        try:
            wait_until(lambda: cluster.members("n1")["n3"]["incarnation"] > before, 20,
                       "the newer life of n3 is known")
            cluster.wait_standing("n1", "n3", "alive", 20)
            cluster.wait_log("n3", "member conflict", 20)  # said by the older life itself
            self.assertIsNone(older.poll(), "the older process is silent, not dead")
        finally:
            older.kill()
            older.wait()
        for name in ("n1", "n2", "n4"):
            cluster.wait_standing(name, "n3", "alive", 20)
        cluster.stop_gently("n3")
        cluster.start("n3")


if __name__ == "__main__":
    unittest.main()
