#!/usr/bin/python3
"""riftbus-relay-ssh against OpenSSH's client and raw sockets: what it refuses, and survives."""

import os
import pwd
import signal
import socket
import stat
import time
import unittest

from relay import RELAY, SSH, OpenSsh, Relay
from sshd import wait_until
from tunnelling import PATIENT, TUNNEL, Echo, Tunnel, connect_to, exchange_over


def echoes(path):
    try:
        return exchange_over(connect_to(path), b"ping") == b"ping"
    except OSError:
        return False


def is_closed(connection):
    """Whether the other side has hung up; reads what it said before."""
    connection.settimeout(0)
    try:
        while connection.recv(4096):
            pass
        return True
    except BlockingIOError:
        return False
    except OSError:
        return True


@unittest.skipUnless(os.path.exists(RELAY) and os.path.exists(TUNNEL) and SSH,
                     "NOT TESTED: riftbus-relay-ssh, riftbus-tunnel or ssh is missing; "
                     "deploy/install-packages.sh build test")
class RelayTest(unittest.TestCase):
    def setUp(self):
        self.echo = Echo()
        self.addCleanup(self.echo.close)

    def relay(self, *arguments):
        relay = Relay(*arguments)
        self.addCleanup(relay.close)
        return relay

    def ssh(self, node="n1"):
        ssh = OpenSsh(node)
        self.addCleanup(ssh.close)
        return ssh

    def tunnel(self, relay, *arguments, node="n1"):
        tunnel = Tunnel("--tunnel-servers", relay.server(), *arguments, "--node-id", node)
        self.addCleanup(tunnel.close)
        return tunnel

    def attach(self, relay, *arguments):
        """A tunnel whose number 21017 leads to the echo; answers it and its socket."""
        tunnel = self.tunnel(relay, "-R", f"21017:127.0.0.1:{self.echo.port}", *arguments)
        relay.allow(tunnel.key_line())
        relay.start()
        tunnel.start()
        tunnel.wait_up()
        return tunnel, relay.wait_socket("n1.21017")

    # ---- what it refuses ---------------------------------------------------------------------

    def test_it_forwards_and_does_nothing_else(self):
        relay, ssh = self.relay(), self.ssh()
        relay.allow(ssh.key_line())
        relay.start()
        for options, command in [((), ("true",)), (("-tt",), ()), (("-s",), ("sftp",)),
                                 (("-A",), ("true",)), (("-X",), ("true",))]:
            ended = ssh.run(relay.port, *options, command=command)
            self.assertEqual(ended.returncode, 255, (options, ended.stdout, ended.stderr))
        for forward in ("/tmp/riftbus-x.sock:127.0.0.1:1", "192.0.2.9:80:127.0.0.1:1",
                        "*:80:127.0.0.1:1"):
            ended = ssh.run(relay.port, "-N", "-R", forward)
            self.assertEqual(ended.returncode, 255, forward)
            self.assertIn("remote port forwarding failed", ended.stderr)
        relay.wait_log("F-1836")
        relay.wait_log("F-1837")
        wait_until(lambda: relay.status()["counters"]["requests_refused"] >= 5, "all are counted")
        self.assertTrue(relay.answers())

    def test_only_a_listed_key_under_its_own_name_gets_in(self):
        relay, ssh, other = self.relay(), self.ssh(), self.ssh("n2")
        relay.allow(ssh.key_line(), 'expiry-time="20200101" ' + other.key_line())
        relay.start()
        for who, user in [(ssh, "n2"), (ssh, "root"), (ssh, "n1+admin"), (other, "n2"),
                          (self.ssh("n3"), "n3")]:
            ended = who.run(relay.port, "-N", user=user)
            self.assertEqual(ended.returncode, 255, user)
            self.assertIn("Permission denied (publickey)", ended.stderr)
        relay.wait_log("F-1834")
        wait_until(lambda: relay.status()["counters"]["keys_refused"] >= 5, "all are counted")
        self.assertEqual(relay.status()["counters"]["admitted"], 0)

    def test_a_session_opens_only_what_its_key_permits(self):
        relay, ssh = self.relay(), self.ssh()
        relay.allow(f'permitopen="127.0.0.1:{self.echo.port}" ' + ssh.key_line())
        relay.start()
        sockets = [ssh.path("yes"), ssh.path("no"), ssh.path("unix")]
        ssh.start(relay.port, "-L", f"{sockets[0]}:127.0.0.1:{self.echo.port}",
                  "-L", f"{sockets[1]}:127.0.0.1:22", "-L", f"{sockets[2]}:/run/x.sock")
        wait_until(lambda: all(os.path.exists(each) for each in sockets), "ssh listens")
        self.assertTrue(echoes(sockets[0]))
        for refused in sockets[1:]:
            self.assertFalse(echoes(refused))
        relay.wait_log("F-1838")
        self.assertTrue(echoes(sockets[0]))

    def test_listeners_are_closed_to_others_and_bounded(self):
        relay, ssh = self.relay(), self.ssh()
        relay.allow(ssh.key_line())
        relay.start()
        ssh.start(relay.port, *[f"-R{port}:127.0.0.1:1" for port in (1, 2, 3, 4)])
        for port in (1, 2, 3, 4):
            mode = os.stat(relay.wait_socket(f"n1.{port}")).st_mode
            self.assertTrue(stat.S_ISSOCK(mode))
            self.assertEqual(stat.S_IMODE(mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(relay.socket("")).st_mode), 0o700)
        self.assertNotEqual(ssh.order("forward", "-R", "5:127.0.0.1:1").returncode, 0)
        self.assertEqual(ssh.order("cancel", "-R", "2:127.0.0.1:1").returncode, 0)
        wait_until(lambda: not os.path.exists(relay.socket("n1.2")), "it is gone")
        self.assertEqual(ssh.order("forward", "-R", "5:127.0.0.1:1").returncode, 0)
        relay.wait_socket("n1.5")

    # ---- the list of keys --------------------------------------------------------------------

    def test_a_key_that_leaves_the_list_ends_its_session(self):
        relay = self.relay()
        tunnel, path = self.attach(relay)
        line = tunnel.key_line()
        with connect_to(path) as held:
            held.sendall(b"x")
            self.assertEqual(held.recv(1), b"x")
            relay.allow("# nobody")
            self.assertEqual(held.recv(1), b"")
        relay.wait_log("F-1841")
        self.assertFalse(os.path.exists(path))
        tunnel.wait_log("F-1812")
        relay.allow(line)
        wait_until(lambda: echoes(path), "it is let in again", 30)

    def test_a_list_that_is_gone_or_broken_ends_nobody_else(self):
        relay = self.relay("--relay-keepalive-ms", "10000")
        tunnel, path = self.attach(relay, *PATIENT)
        os.remove(relay.path("relay_keys"))
        relay.wait_log("F-1831")
        self.assertTrue(echoes(path))
        relay.allow("nonsense", tunnel.key_line())
        relay.wait_log("relay_keys:1")
        self.assertTrue(echoes(path))
        self.assertEqual(tunnel.status()["links"][0]["rises"], 1)

    # ---- links that die ----------------------------------------------------------------------

    def test_a_newer_session_has_the_names_of_a_dead_one_at_once(self):
        relay, frozen, alive = self.relay("--relay-keepalive-ms", "60000"), self.ssh(), self.ssh()
        relay.allow(frozen.key_line(), alive.key_line())
        relay.start()
        frozen.start(relay.port, "-R", "21017:127.0.0.1:1")
        path = relay.wait_socket("n1.21017")
        wait_until(lambda: "remote forward success" in frozen.log(), "the first is up")
        frozen.process.send_signal(signal.SIGSTOP)
        self.addCleanup(frozen.process.send_signal, signal.SIGCONT)
        alive.start(relay.port, "-R", f"21017:127.0.0.1:{self.echo.port}")
        wait_until(lambda: echoes(path), f"the second has it; {alive.log()}")
        relay.wait_log("F-1839")
        wait_until(lambda: len(relay.nodes()) == 1, "one session is left")

    def test_control_and_bulk_stand_beside_each_other(self):
        relay = self.relay()
        tunnel, path = self.attach(relay, "-R", f"21018:127.0.0.1:{self.echo.port}@bulk")
        wait_until(lambda: relay.nodes() == [("n1", "control"), ("n1", "bulk")], "both are there")
        self.assertTrue(echoes(path) and echoes(relay.wait_socket("n1.21018")))
        tunnel.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: relay.status()["counters"]["admitted"] >= 4, "both were made anew")
        wait_until(lambda: echoes(path) and echoes(relay.socket("n1.21018")), "and serve")
        self.assertEqual(len(relay.nodes()), 2)

    def test_a_frozen_node_is_noticed_in_time(self):
        relay = self.relay()
        tunnel, path = self.attach(relay)
        tunnel.process.send_signal(signal.SIGSTOP)
        frozen = time.monotonic()
        relay.wait_log("F-1840")
        self.assertLess(time.monotonic() - frozen, 15.0)
        wait_until(lambda: not os.path.exists(path), "its socket is gone")
        tunnel.process.send_signal(signal.SIGCONT)
        wait_until(lambda: echoes(path), "it is back under its name")

    def test_a_killed_relay_is_found_again_within_two_seconds_of_its_return(self):
        relay = self.relay()
        tunnel, path = self.attach(relay, "--tunnel-backoff-max-ms", "1000")
        for _ in range(3):
            relay.stop()
            wait_until(lambda: not tunnel.is_up(), "the node notices")
            self.assertTrue(os.path.exists(path))  # left over
            relay.start()
            back = time.monotonic()
            wait_until(lambda: echoes(path), f"service is back; {tunnel.log()}", 10)
            self.assertLess(time.monotonic() - back, 9.0)

    # ---- strangers ---------------------------------------------------------------------------

    def test_silent_strangers_are_few_and_soon_gone(self):
        relay = self.relay("--relay-grace-ms", "1500", "--relay-strangers-per-address-max", "8")
        _, path = self.attach(relay)
        began = time.monotonic()
        strangers = [socket.create_connection(("127.0.0.1", relay.port)) for _ in range(40)]
        for each in strangers:
            self.addCleanup(each.close)
        wait_until(lambda: relay.status()["counters"]["turned_away"] >= 32, "most are turned away")
        relay.wait_log("F-1833")
        self.assertTrue(echoes(path))
        wait_until(lambda: all(is_closed(each) for each in strangers), "all are gone")
        self.assertGreater(time.monotonic() - began, 1.4)
        relay.wait_log("F-1835")
        wait_until(lambda: relay.status()["strangers"] == 0, "there is room again")

    def test_who_trickles_or_babbles_is_cut_off(self):
        relay = self.relay("--relay-grace-ms", "1500")
        _, path = self.attach(relay)
        before = relay.resident_kb()
        slow = socket.create_connection(("127.0.0.1", relay.port))
        self.addCleanup(slow.close)
        for said in (b"GET / HTTP/1.1\r\n\r\n", b"SSH-2.0-x\r\n" + b"\xff" * 100_000,
                     b"SSH-2.0-x\r\n" + os.urandom(100_000), os.urandom(100_000), b"\0" * 100_000):
            with socket.create_connection(("127.0.0.1", relay.port)) as babbler:
                try:
                    babbler.sendall(said)
                except OSError:
                    pass
                wait_until(lambda: is_closed(babbler), "it is cut off")
        trickle = iter(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3")

        def is_cut():
            try:
                slow.sendall(bytes([next(trickle, 0)]))
            except OSError:
                return True
            return is_closed(slow)
        wait_until(is_cut, "a byte at a time does not help")
        self.assertTrue(echoes(path))
        self.assertLess(relay.resident_kb() - before, 20 << 10)

    # ---- bounds ------------------------------------------------------------------------------

    def test_a_reader_that_stalls_stops_its_sender_and_nobody_else(self):
        relay = self.relay()
        flood = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(flood.close)
        _, path = self.attach(relay, "-R", f"21018:127.0.0.1:{flood.getsockname()[1]}")
        with connect_to(relay.wait_socket("n1.21018")):
            sender, _ = flood.accept()
            sender.settimeout(0.5)
            with self.assertRaises(TimeoutError), sender:
                while True:
                    sender.sendall(bytes(1 << 16))
            self.assertTrue(echoes(path))
            self.assertLess(relay.resident_kb(), 64 << 10)

    def test_what_stalled_readers_hold_is_bounded(self):
        relay = self.relay("--relay-held-mb-max", "2")
        flood = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(flood.close)
        _, path = self.attach(relay, "-R", f"21018:127.0.0.1:{flood.getsockname()[1]}")
        held = []
        for _ in range(4):
            held.append(connect_to(relay.wait_socket("n1.21018")))
            sender, _ = flood.accept()
            self.addCleanup(sender.close)
            self.addCleanup(held[-1].close)
            sender.settimeout(0.5)
            try:
                for _ in range(1000):
                    sender.sendall(bytes(1 << 16))
            except OSError:
                pass
        relay.wait_log("F-1843")
        self.assertTrue(echoes(path))

    def test_too_many_connections_are_refused_and_counted(self):
        relay = self.relay("--relay-connections-max", "2")
        _, path = self.attach(relay)
        held = [connect_to(path) for _ in range(2)]
        for each in held:
            each.sendall(b"x")
            self.assertEqual(each.recv(1), b"x")
        with connect_to(path) as one_more:
            self.assertEqual(one_more.recv(1), b"")
        relay.wait_log("F-1819")
        for each in held:
            each.close()
        wait_until(lambda: echoes(path), "there is room again")

    def test_a_target_that_is_down_costs_the_connection_and_not_the_session(self):
        relay, ssh = self.relay(), self.ssh()
        relay.allow(ssh.key_line())
        relay.start()
        ssh.start(relay.port, "-R", "21017:127.0.0.1:1")
        path = relay.wait_socket("n1.21017")
        for _ in range(3):
            with connect_to(path) as connection:
                self.assertEqual(connection.recv(1), b"")
        relay.wait_log("F-1818")
        wait_until(lambda: relay.status()["counters"]["unreached"] == 3, "all are counted")
        wait_until(lambda: relay.nodes() == [("n1", "control")], "the session stands")

    def test_sessions_and_connections_leave_nothing_behind(self):
        relay = self.relay("--relay-strangers-max", "200",
                           "--relay-strangers-per-address-max", "200")
        tunnel, path = self.attach(relay, "--tunnel-backoff-max-ms", "300")
        for _ in range(100):
            self.assertTrue(echoes(path))
        wait_until(lambda: relay.status()["strangers"] == 0, "only the node is there")
        before, memory = relay.descriptors(), relay.resident_kb()
        for _ in range(10):
            rises = tunnel.status()["links"][0]["rises"]
            tunnel.process.send_signal(signal.SIGUSR1)
            wait_until(lambda: tunnel.status()["links"][0]["rises"] > rises, "a new session")
        for _ in range(300):
            self.assertTrue(echoes(path))
        for _ in range(100):
            socket.create_connection(("127.0.0.1", relay.port)).close()
        wait_until(lambda: relay.descriptors() <= before, f"{before} descriptors, as before")
        self.assertLess(relay.resident_kb() - memory, 4 << 10)

    # ---- the process -------------------------------------------------------------------------

    def test_term_ends_it_cleanly_and_frees_its_folder(self):
        relay = self.relay()
        tunnel, path = self.attach(relay)
        second = Relay()
        self.addCleanup(second.close)
        refused = second.run("--relay-socket-dir", relay.path("relay"))
        self.assertEqual(refused.returncode, 78, refused.stderr)
        self.assertIn("F-1830", refused.stderr)
        self.assertEqual(relay.run("--status").returncode, 0)
        relay.process.send_signal(signal.SIGTERM)
        self.assertEqual(relay.process.wait(timeout=10), 0)
        self.assertFalse(os.path.exists(path))
        self.assertEqual(relay.status()["state"], "stopped")
        self.assertEqual(relay.run("--status").returncode, 1)
        wait_until(lambda: not tunnel.is_up(), "the node knows at once", 10)

    def test_mistakes_at_the_start_are_named(self):
        relay = self.relay()
        os.remove(relay.path("relay_keys"))
        self.assertIn("F-1831", relay.run().stderr)
        relay.allow()
        os.chmod(relay.path("relay_keys"), 0o622)
        self.assertIn("chmod go-w", relay.run().stderr)
        relay.allow("nonsense")
        checked = relay.run("--check-config")
        self.assertEqual(checked.returncode, 78)
        self.assertIn("F-1832", checked.stderr)
        self.assertIn("F-1845", relay.run("--relay-user", "nobody-of-that-name").stderr)
        long = relay.run("--relay-socket-dir", relay.path("x" * 60))
        self.assertIn("F-1830", long.stderr)
        with socket.create_server(("127.0.0.1", relay.port)):
            self.assertIn("F-1817", relay.run().stderr)

    @unittest.skipUnless(os.getuid() == 0, "NOT TESTED: only root becomes somebody else")
    def test_started_as_root_it_becomes_its_user_for_good(self):
        relay = self.relay("--relay-user", "nobody")
        os.chmod(relay.dir, 0o755)
        tunnel = self.tunnel(relay, "-R", f"21017:127.0.0.1:{self.echo.port}")
        relay.allow(tunnel.key_line())
        os.chmod(relay.path("relay_keys"), 0o644)
        relay.start()
        tunnel.start()
        path = relay.wait_socket("n1.21017")
        tunnel.wait_up()
        nobody = pwd.getpwnam("nobody").pw_uid
        self.assertEqual(os.stat(path).st_uid, nobody)
        with open(f"/proc/{relay.process.pid}/status", encoding="utf-8") as file:
            facts = dict(line.split(":", 1) for line in file)
        self.assertEqual(set(map(int, facts["Uid"].split())), {nobody})
        self.assertEqual(facts["NoNewPrivs"].strip(), "1")
        self.assertEqual(int(facts["CapEff"], 16), 0)
        self.assertTrue(echoes(path))
        wait_until(lambda: relay.nodes() == [("n1", "control")], "it writes its status")


if __name__ == "__main__":
    unittest.main()
