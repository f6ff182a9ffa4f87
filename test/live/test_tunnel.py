#!/usr/bin/python3
"""riftbus-tunnel against the real OpenSSH server: bytes, bounds, failures and recoveries."""

import hashlib
import os
import signal
import socket
import threading
import time
import unittest

import sshd as sshd_module
from sshd import Sshd, free_ports, wait_until
from tunnelling import (PATIENT, TUNNEL, Echo, Tunnel, echoes, exchange, send_and_end, starved,
                        wait_unserved)


@unittest.skipUnless(os.path.exists(TUNNEL) and sshd_module.SSHD,
                     "NOT TESTED: riftbus-tunnel or sshd is missing; "
                     "deploy/install-packages.sh build test")
class TunnelTest(unittest.TestCase):
    def setUp(self):
        self.sshd = Sshd()
        self.addCleanup(self.sshd.close)
        self.sshd.start()
        self.echo = Echo()
        self.addCleanup(self.echo.close)

    def tunnel(self, *arguments, server=None, options="restrict,port-forwarding"):
        tunnel = Tunnel("--tunnel-servers", server or self.sshd.server(), *arguments)
        self.addCleanup(tunnel.close)
        self.sshd.allow(tunnel.key_line(), options)
        return tunnel

    def reverse(self, *arguments, **named):
        port = free_ports(1)[0]
        tunnel = self.tunnel("-R", f"{port}:127.0.0.1:{self.echo.port}", *arguments, **named)
        return tunnel, port

    def test_carries_bytes_unharmed_both_ways(self):
        tunnel, port = self.reverse()
        tunnel.start()
        tunnel.wait_up()
        data = os.urandom(16 << 20)
        self.assertEqual(hashlib.sha256(exchange(port, data)).digest(),
                         hashlib.sha256(data).digest())
        self.assertEqual(exchange(port, b""), b"")

    def test_a_port_that_the_server_chose_is_in_the_status(self):
        tunnel = self.tunnel("-R", f"0:127.0.0.1:{self.echo.port}")
        tunnel.start()
        tunnel.wait_up()
        forward = tunnel.status()["links"][0]["forwards"][0]
        self.assertGreater(forward["server_port"], 0)
        self.assertTrue(echoes(forward["server_port"]))
        shown = tunnel.run("--status")
        self.assertEqual(shown.returncode, 0, shown.stdout)
        self.assertIn(f"server port {forward['server_port']}", shown.stdout)

    def test_local_forwards_and_bulk_have_a_session_apart(self):
        local = free_ports(1)[0]
        tunnel, port = self.reverse("-L", f"{local}:127.0.0.1:{self.echo.port}@bulk")
        tunnel.start()
        tunnel.wait_up()
        self.assertEqual([link["class"] for link in tunnel.status()["links"]], ["control", "bulk"])
        data = os.urandom(4 << 20)
        self.assertEqual(exchange(local, data), data)
        self.assertTrue(echoes(port))

    def test_unix_sockets_at_both_ends_here(self):
        tunnel = Tunnel()
        self.addCleanup(tunnel.close)
        path = tunnel.path("in.sock")
        tunnel.arguments += ["--tunnel-servers", self.sshd.server(),
                             "-L", f"{path}:127.0.0.1:{self.echo.port}"]
        self.sshd.allow(tunnel.key_line())
        tunnel.start()
        tunnel.wait_up()
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(20)
            connection.connect(path)
            connection.sendall(b"ping")
            self.assertEqual(connection.recv(4), b"ping")

    def test_two_hundred_connections_at_once_each_with_its_own_bytes(self):
        tunnel, port = self.reverse()
        tunnel.start()
        tunnel.wait_up()
        wrong = []

        def one(number):
            data = os.urandom(64 << 10) + str(number).encode()
            try:
                if exchange(port, data) != data:
                    wrong.append(number)
            except OSError as problem:
                wrong.append((number, problem))
        threads = [threading.Thread(target=one, args=(i,)) for i in range(200)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        wait_until(lambda: tunnel.status()["links"][0]["connections_total"] == 200, "all counted")
        wait_until(lambda: tunnel.status()["links"][0]["connections"] == 0, "all gone")

    def test_each_half_of_a_connection_ends_by_itself(self):
        late = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(late.close)
        port = free_ports(1)[0]
        tunnel = self.tunnel("-R", f"{port}:127.0.0.1:{late.getsockname()[1]}")
        tunnel.start()
        tunnel.wait_up()
        with socket.create_connection(("127.0.0.1", port), timeout=20) as caller:
            answerer, _ = late.accept()
            with answerer:
                answerer.settimeout(20)
                caller.sendall(b"question")
                caller.shutdown(socket.SHUT_WR)
                asked = b"".join(iter(lambda: answerer.recv(100), b""))
                self.assertEqual(asked, b"question")
                answer = os.urandom(3 << 20)  # more than a window, after the caller's half ended
                sender = threading.Thread(target=send_and_end, args=(answerer, answer))
                sender.start()
                got = b"".join(iter(lambda: caller.recv(65536), b""))
                sender.join()
        self.assertEqual(got, answer)

    def test_keys_are_renewed_under_load(self):
        tunnel, port = self.reverse("--tunnel-rekey-mb", "1", *PATIENT)
        tunnel.start()
        tunnel.wait_up()
        data = os.urandom(8 << 20)
        for _ in range(2):
            self.assertEqual(exchange(port, data), data)
        self.assertEqual(tunnel.status()["links"][0]["rises"], 1)
        with open(self.sshd.path("log"), encoding="utf-8") as file:
            self.assertGreaterEqual(file.read().count("rekeying in"), 10)

    def test_a_reader_that_stalls_stops_its_sender_and_nobody_else(self):
        stuck = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(stuck.close)
        stuck_port = free_ports(1)[0]
        tunnel, port = self.reverse("-R", f"{stuck_port}:127.0.0.1:{stuck.getsockname()[1]}")
        tunnel.start()
        tunnel.wait_up()
        with socket.create_connection(("127.0.0.1", stuck_port)) as sender:
            reader, _ = stuck.accept()
            sender.settimeout(0.5)
            with self.assertRaises(TimeoutError), reader:
                while True:
                    sender.sendall(bytes(1 << 16))
        self.assertTrue(echoes(port))
        with open(f"/proc/{tunnel.process.pid}/status", encoding="utf-8") as file:
            rss_kb = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
        self.assertLess(rss_kb, 64 << 10)

    def test_sshd_that_was_killed_is_found_again(self):
        tunnel, port = self.reverse("--tunnel-backoff-max-ms", "1000")
        tunnel.start()
        tunnel.wait_up()
        for _ in range(3):
            self.sshd.stop()
            wait_until(lambda: not tunnel.is_up(), "it notices")
            self.sshd.start()
            back = time.monotonic()
            wait_until(lambda: echoes(port), f"service is back; {tunnel.log()}", 10)
            self.assertLess(time.monotonic() - back, 9.0)

    def test_a_frozen_server_is_noticed_in_time(self):
        tunnel, _ = self.reverse()
        tunnel.start()
        tunnel.wait_up()
        self.sshd.signal_all(signal.SIGSTOP)
        frozen = time.monotonic()
        tunnel.wait_log("F-1814")
        self.assertLess(time.monotonic() - frozen, 15.0)
        tunnel.wait_log("F-1816")  # the frozen server accepts, and says nothing
        self.sshd.signal_all(signal.SIGCONT)
        tunnel.wait_up()

    def test_a_wrong_host_key_gets_nothing_of_ours(self):
        tunnel, _ = self.reverse(server=self.sshd.server("SHA256:" + "A" * 43))
        ended = tunnel.run("--once")
        self.assertEqual(ended.returncode, 77, ended.stderr)
        self.assertIn("F-1811", ended.stderr)
        self.assertIn(self.sshd.pin(), ended.stderr)
        with open(self.sshd.path("log"), encoding="utf-8") as file:
            self.assertNotIn("Accepted key", file.read())

    def test_a_key_that_the_server_does_not_know_is_refused(self):
        tunnel, _ = self.reverse()
        self.sshd.allow("# nobody", "")
        ended = tunnel.run("--once")
        self.assertEqual(ended.returncode, 77, ended.stderr)
        self.assertIn("F-1812", ended.stderr)

    def test_a_taken_port_is_named_and_tried_until_it_is_free(self):
        tunnel, port = self.reverse()
        with socket.create_server(("127.0.0.1", port)):
            tunnel.start()
            tunnel.wait_log("F-1813")
            self.assertIn(f"127.0.0.1:{port}:", tunnel.log())
        wait_until(lambda: echoes(port), "it listens once the port is free")

    def test_a_forward_that_the_key_does_not_permit_is_refused(self):
        tunnel, _ = self.reverse(options='restrict,port-forwarding,permitlisten="127.0.0.1:1"')
        ended = tunnel.run("--once")
        self.assertEqual(ended.returncode, 77, ended.stderr)
        self.assertIn("F-1813", ended.stderr)

    def test_the_next_server_is_taken_when_one_is_dead(self):
        dead = f"x@127.0.0.1:{free_ports(1)[0]}#{self.sshd.pin()}"
        tunnel, port = self.reverse(server=f"{dead},{self.sshd.server()}")
        tunnel.start()
        tunnel.wait_up()
        self.assertTrue(echoes(port))
        self.assertIn("F-1810", tunnel.log())

    def test_a_target_that_is_down_costs_the_connection_and_not_the_tunnel(self):
        down, port = free_ports(2)
        tunnel = self.tunnel("-R", f"{port}:127.0.0.1:{down}")
        tunnel.start()
        tunnel.wait_up()
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            self.assertEqual(connection.recv(1), b"")
        tunnel.wait_log("F-1818")
        self.assertTrue(tunnel.is_up())

    def test_a_target_that_is_down_at_the_server_costs_the_connection_and_not_the_tunnel(self):
        down, port = free_ports(2)
        tunnel = self.tunnel("-L", f"{port}:127.0.0.1:{down}", *PATIENT)
        tunnel.start()
        tunnel.wait_up()
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
                self.assertEqual(connection.recv(1), b"")
        tunnel.wait_log("F-1818")
        wait_until(lambda: tunnel.status()["links"][0]["unreached"] == 3, "all are counted")
        self.assertEqual(tunnel.status()["links"][0]["dials"], 1)

    def test_a_target_whose_name_does_not_resolve_is_given_up(self):
        port = free_ports(1)[0]
        tunnel = self.tunnel("-R", f"{port}:nobody.invalid:1", "--tunnel-setup-timeout-ms", "2000")
        tunnel.start()
        tunnel.wait_up()
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            self.assertEqual(connection.recv(1), b"")
        tunnel.wait_log("no address for nobody.invalid")
        self.assertTrue(tunnel.is_up())

    def test_too_many_connections_are_refused_and_counted(self):
        tunnel, port = self.reverse("--tunnel-connections-max", "2")
        tunnel.start()
        tunnel.wait_up()
        held = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(2)]
        for each in held:
            each.sendall(b"x")
            self.assertEqual(each.recv(1), b"x")
        with socket.create_connection(("127.0.0.1", port), timeout=20) as one_more:
            self.assertEqual(one_more.recv(1), b"")
        tunnel.wait_log("F-1819")
        for each in held:
            each.close()
        wait_until(lambda: echoes(port), "there is room again")

    def test_without_descriptors_those_who_connect_wait_and_it_does_not_spin(self):
        local = free_ports(1)[0]
        tunnel, _ = self.reverse("-L", f"{local}:127.0.0.1:{self.echo.port}")
        tunnel.start()
        tunnel.wait_up()
        with socket.socket() as waiting:
            with starved(tunnel.process.pid):
                waiting.connect(("127.0.0.1", local))
                self.assertLess(wait_unserved(waiting, tunnel.process.pid), 0.5)
                tunnel.wait_log("F-1848")
            self.assertEqual(waiting.recv(1), b"x", "served once there is one")
        self.assertEqual(tunnel.log().count("F-1848"), 1, "told once")
        wait_until(lambda: tunnel.status()["links"][0]["exhausted"] > 0, "it is counted")

    def test_sessions_and_connections_leave_nothing_behind(self):
        tunnel, port = self.reverse("--tunnel-backoff-max-ms", "300")
        tunnel.start()
        tunnel.wait_up()

        def descriptors():
            return len(os.listdir(f"/proc/{tunnel.process.pid}/fd"))
        before = descriptors()
        for _ in range(5):
            rises = tunnel.status()["links"][0]["rises"]
            tunnel.process.send_signal(signal.SIGUSR1)
            wait_until(lambda: tunnel.status()["links"][0]["rises"] > rises, "a new session")
        for _ in range(5):
            self.sshd.stop()
            wait_until(lambda: not tunnel.is_up(), "it notices")
            self.sshd.start()
            wait_until(lambda: echoes(port), "service is back")
        for _ in range(50):
            self.assertTrue(echoes(port))
        wait_until(lambda: descriptors() <= before, f"{before} descriptors, as before")

    def test_term_ends_it_cleanly_and_usr1_makes_a_new_session(self):
        tunnel, port = self.reverse()
        tunnel.start()
        tunnel.wait_up()
        tunnel.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: tunnel.status()["links"][0]["dials"] > 1, "it dials again")
        wait_until(lambda: echoes(port), "and serves again")
        tunnel.process.send_signal(signal.SIGTERM)
        self.assertEqual(tunnel.process.wait(timeout=10), 0)
        self.assertEqual(tunnel.status()["state"], "stopped")
        self.assertEqual(tunnel.run("--status").returncode, 1)
        wait_until(lambda: not echoes(port), "the server's listener is gone")


if __name__ == "__main__":
    unittest.main()
