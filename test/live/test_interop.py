#!/usr/bin/python3
"""A stranger who knows only bus/wire/README.md joins in: greets, pings, lists, listens."""

import json
import os
import subprocess
import unittest

from clustertest import ClusterTest


class Interop(ClusterTest):
    def test_a_python_client_greets_pings_lists_and_hears_beats(self):
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "interop_client.py")
        done = subprocess.run(
            ["/usr/bin/python3", script,
             "--endpoint", self.cluster.call_endpoint("n1").removeprefix("tcp://"),
             "--pub-endpoint", self.cluster.pub_endpoint("n1").removeprefix("tcp://"),
             "--id", "operator", "--public-key", self.cluster.file("operator", "node.pub"),
             "--secret-key", self.cluster.file("operator", "node.key"),
             "--server-key", self.cluster.file("n1", "keys", "node.pub")],
            capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        seen = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(seen[-1]["saw"], "done")
        text = done.stdout
        for name in self.cluster.names:
            self.assertIn(name, text)


if __name__ == "__main__":
    unittest.main()
