#!/usr/bin/python3
"""Every client with every server: {riftbus-tunnel, ssh} x {riftbus-relay-ssh, sshd}."""

import hashlib
import os
import socket
import threading
import unittest

import sshd as sshd_module
from relay import RELAY, SSH, OpenSsh, Relay
from sshd import Sshd, free_ports, wait_until
from tunnelling import TUNNEL, Echo, Tunnel, connect_to, exchange_over, send_and_end

REKEY_MB = "1"


class RelayServer:
    """Listeners are Unix sockets named by the node."""

    def __init__(self, *options):
        self.server = Relay("--relay-listeners-max", "16", *options)
        self.pin_text = self.server.server()
        self.port = self.server.port

    def allow(self, line):
        self.server.allow(line)

    def where(self, listener):
        return self.server.socket(f"n1.{listener}")

    def connect(self, listener):
        return connect_to(self.where(listener))

    def user(self):
        return "n1"

    def start(self):
        self.server.start()

    def close(self):
        self.server.close()

    def log(self):
        return self.server.log()


class StockServer:
    """Listeners are TCP ports of loopback."""

    def __init__(self, *options):
        self.server = Sshd(options)
        self.pin_text = self.server.server()
        self.port = self.server.port

    def allow(self, line):
        self.server.allow(line)

    def connect(self, listener):
        return socket.create_connection(("127.0.0.1", listener), timeout=30)

    def user(self):
        return self.server.user

    def start(self):
        self.server.start()

    def close(self):
        self.server.close()

    def log(self):
        with open(self.server.path("log"), encoding="utf-8", errors="replace") as file:
            return file.read()


class OurClient:
    def __init__(self, server):
        self.server = server
        self.client = Tunnel("--tunnel-servers", server.pin_text)
        server.allow(self.client.key_line())

    def start(self, forwards, rekeys=False):
        for listener, port in forwards:
            self.client.arguments += ["-R", f"{listener}:127.0.0.1:{port}"]
        if rekeys:
            self.client.arguments += ["--tunnel-rekey-mb", REKEY_MB]
        self.client.start()
        self.client.wait_up()

    def chosen_port(self):
        return self.client.status()["links"][0]["forwards"][0]["server_port"]

    def sessions(self):
        return self.client.status()["links"][0]["rises"]

    def cancel(self, _listener, _port):
        """All of them: a tunnel's forwards are those it was started with."""
        self.client.process.terminate()
        assert self.client.process.wait(timeout=10) == 0

    def close(self):
        self.client.close()


class StockClient:
    def __init__(self, server):
        self.server = server
        self.client = OpenSsh("n1")
        server.allow(self.client.key_line())

    def start(self, forwards, rekeys=False):
        options = [f"-oRekeyLimit={REKEY_MB}M"] if rekeys else []
        for listener, port in forwards:
            options += ["-R", f"{listener}:127.0.0.1:{port}"]
        self.client.start(self.server.port, *options, user=self.server.user())
        wait_until(lambda: self.client.log().count("remote forward success") == len(forwards),
                   f"ssh is up; {self.client.log()}")

    def chosen_port(self):
        # It says so just after it has said that the forward is there.
        line = wait_until(lambda: next((line for line in self.client.log().splitlines()
                                        if "Allocated port" in line), None), "ssh tells the port")
        return int(line.split()[2])

    def sessions(self):
        return self.client.log().count("Authenticated to")

    def cancel(self, listener, port):
        ended = self.client.order("cancel", "-R", f"{listener}:127.0.0.1:{port}")
        assert ended.returncode == 0, ended.stderr

    def close(self):
        self.client.close()


@unittest.skipUnless(os.path.exists(TUNNEL) and os.path.exists(RELAY) and SSH and sshd_module.SSHD,
                     "NOT TESTED: riftbus-tunnel, riftbus-relay-ssh or OpenSSH is missing; "
                     "deploy/install-packages.sh build test")
class Cell:
    client_kind = None
    server_kind = None

    def bring_up(self, rekeys=False, server_options=(), listener=None, target=None):
        self.echo = Echo()
        self.addCleanup(self.echo.close)
        self.server = self.server_kind(*server_options)
        self.addCleanup(self.server.close)
        self.client = self.client_kind(self.server)
        self.addCleanup(self.client.close)
        self.server.start()
        self.listener = free_ports(1)[0] if listener is None else listener
        self.target = target or self.echo.port
        self.client.start([(self.listener, self.target)], rekeys)

    def exchange(self, data):
        return exchange_over(self.server.connect(self.listener), data)

    def together(self, count, work):
        """`work` in so many threads; answers what went wrong."""
        wrong = []

        def one(number):
            try:
                if not work(number):
                    wrong.append(number)
            except OSError as problem:
                wrong.append((number, problem))
        threads = [threading.Thread(target=one, args=(i,)) for i in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return wrong

    def test_many_megabytes_both_ways_in_eight_connections(self):
        self.bring_up()

        def work(_):
            data = os.urandom(8 << 20)
            back = self.exchange(data)
            return hashlib.sha256(back).digest() == hashlib.sha256(data).digest()
        self.assertEqual(self.together(8, work), [])
        self.assertEqual(self.exchange(b""), b"")

    def test_two_hundred_connections_at_once(self):
        self.bring_up()
        held = threading.Barrier(200, timeout=60)

        def work(number):
            data = os.urandom(32 << 10) + str(number).encode()
            with self.server.connect(self.listener) as connection:
                connection.sendall(b"x")
                first = connection.recv(1)
                held.wait()  # all of them are open now
                return first == b"x" and exchange_over(connection, data) == data
        self.assertEqual(self.together(200, work), [])

    def test_each_half_ends_by_itself(self):
        late = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(late.close)
        self.bring_up(target=late.getsockname()[1])
        with self.server.connect(self.listener) as caller:
            answerer, _ = late.accept()
            with answerer:
                answerer.settimeout(30)
                caller.sendall(b"question")
                caller.shutdown(socket.SHUT_WR)
                self.assertEqual(b"".join(iter(lambda: answerer.recv(100), b"")), b"question")
                answer = os.urandom(3 << 20)  # more than a window
                sender = threading.Thread(target=send_and_end, args=(answerer, answer))
                sender.start()
                self.assertEqual(b"".join(iter(lambda: caller.recv(65536), b"")), answer)
                sender.join()
        with self.server.connect(self.listener) as caller:  # the other half first
            answerer, _ = late.accept()
            with answerer:
                answerer.settimeout(30)
                answerer.shutdown(socket.SHUT_WR)
                self.assertEqual(caller.recv(1), b"")
                caller.sendall(b"still here")
                caller.shutdown(socket.SHUT_WR)
                self.assertEqual(b"".join(iter(lambda: answerer.recv(100), b"")), b"still here")

    def check_rekeying(self):
        data = os.urandom(8 << 20)
        for _ in range(2):
            self.assertEqual(self.exchange(data), data)
        self.assertEqual(self.client.sessions(), 1)

    def test_the_client_renews_keys_under_load(self):
        self.bring_up(rekeys=True)
        self.check_rekeying()

    def test_the_server_renews_keys_under_load(self):
        self.bring_up(server_options=self.server_rekeys)
        self.check_rekeying()

    def test_a_listener_that_the_server_chooses(self):
        self.bring_up(listener=0)
        self.listener = self.client.chosen_port()
        self.assertEqual(self.exchange(b"ping"), b"ping")

    def test_a_cancelled_listener_is_gone(self):
        self.bring_up()
        self.assertEqual(self.exchange(b"ping"), b"ping")
        self.client.cancel(self.listener, self.target)

        def is_gone():
            try:
                self.server.connect(self.listener).close()
            except (ConnectionRefusedError, FileNotFoundError):
                return True
            return False
        wait_until(is_gone, "nobody listens there")


class OursWithRelay(Cell, unittest.TestCase):
    client_kind, server_kind = OurClient, RelayServer
    server_rekeys = ("--relay-rekey-mb", REKEY_MB)


class OursWithSshd(Cell, unittest.TestCase):
    client_kind, server_kind = OurClient, StockServer
    server_rekeys = (f"RekeyLimit {REKEY_MB}M",)

    def check_rekeying(self):
        super().check_rekeying()
        self.assertGreaterEqual(self.server.log().count("rekeying in"), 10)


class SshWithRelay(Cell, unittest.TestCase):
    client_kind, server_kind = StockClient, RelayServer
    server_rekeys = ("--relay-rekey-mb", REKEY_MB)

    def check_rekeying(self):
        super().check_rekeying()
        self.assertGreaterEqual(self.client.client.log().count("rekeying in"), 10)


class SshWithSshd(Cell, unittest.TestCase):
    """What the other cells are compared with: a failure here is the test's own."""
    client_kind, server_kind = StockClient, StockServer
    server_rekeys = (f"RekeyLimit {REKEY_MB}M",)


if __name__ == "__main__":
    unittest.main()
