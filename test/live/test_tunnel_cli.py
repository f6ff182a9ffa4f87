#!/usr/bin/python3
"""riftbus-tunnel's command line, settings and key, before anything is dialled."""

import os
import socket
import unittest

from tunnelling import TUNNEL, Tunnel


class CommandLineTest(unittest.TestCase):
    def setUp(self):
        if not os.path.exists(TUNNEL):
            self.skipTest("NOT TESTED: riftbus-tunnel is not built")
        self.tunnel = Tunnel()
        self.addCleanup(self.tunnel.close)

    def test_mistakes_are_named_before_anything_is_dialled(self):
        pinned = "h#SHA256:" + "A" * 43
        for arguments, code in ((["-R", "x:y"], "F-1800"),
                                (["--tunnel-servers", "h:22"], "F-1802"),
                                (["--tunnel-servers", "h#MD5:1"], "F-1801"),
                                (["--tunnel-servers", pinned], "F-1803"),
                                (["-R", "1:h:1"], "F-1803"),
                                (["--tunnel-servers", pinned, "-R", "1:h:1", "-R", "1:h:2"],
                                 "F-1010"),
                                (["--tunnel-backoff-min-ms", "9000"], "F-1008")):
            ended = self.tunnel.run("--check-config", *arguments)
            self.assertEqual(ended.returncode, 78, (arguments, ended.stderr))
            self.assertIn(code, ended.stderr)
        good = self.tunnel.run("--check-config", "--tunnel-servers", pinned, "-R1:h:1",
                               "-L", "2:h:2")
        self.assertEqual(good.returncode, 0, good.stderr)
        self.assertEqual(good.stdout, "1 servers, 1 reverse forwards, 1 local forwards\n")

    def test_the_file_and_the_environment_count_as_everywhere(self):
        path = self.tunnel.path("cluster.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write("tunnel:\n  servers: ['h#SHA256:" + "A" * 43 + "']\n"
                       "  reverse: [1:127.0.0.1:2, 3:127.0.0.1]\n")
        ended = self.tunnel.run("--check-config", "--config", path)
        self.assertEqual(ended.returncode, 78)
        self.assertIn(f"{path}:3:", ended.stderr)
        self.assertIn("at column 12", ended.stderr)

    def test_help_names_its_own_flags_and_no_others(self):
        shown = self.tunnel.run("--help")
        self.assertEqual(shown.returncode, 0)
        self.assertIn("--tunnel-keepalive-ms", shown.stdout)
        self.assertIn("--show-key", shown.stdout)
        self.assertNotIn("--executor-slots", shown.stdout)

    def test_its_key_is_made_once_closed_to_others_and_refused_open(self):
        line = self.tunnel.key_line()
        self.assertTrue(line.startswith("ssh-ed25519 AAAA") and line.endswith(" n1"), line)
        self.assertEqual(self.tunnel.key_line(), line)
        key = self.tunnel.path("keys/tunnel_ed25519")
        self.assertEqual(os.stat(key).st_mode & 0o777, 0o600)
        os.chmod(key, 0o644)
        self.assertEqual(self.tunnel.run("--show-key").returncode, 78)

    def test_a_taken_local_port_ends_it_with_a_clear_line(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            ended = self.tunnel.run("--tunnel-servers", "127.0.0.1:1#SHA256:" + "A" * 43,
                                    "-L", f"{taken.getsockname()[1]}:127.0.0.1:1")
        self.assertEqual(ended.returncode, 78)
        self.assertIn("F-1817", ended.stderr)


if __name__ == "__main__":
    unittest.main()
