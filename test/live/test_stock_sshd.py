#!/usr/bin/python3
"""The real sshd with the files of deploy/ssh in their places, and what nodes and others ask of it.

Needs root: in namespaces of its own it has an /etc/ssh, a user `mesh` and a port 22, of which
nothing exists outside.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import netspace
from cluster import ROOT, wait_until
from relay import SSH, OpenSsh
from sshd import SSHD, free_ports
from tunnelling import TUNNEL, Echo, Tunnel, echoes

FILES = os.path.join(ROOT, "deploy", "ssh")
DEBIANS = "/usr/share/openssh/sshd_config"
KEYS = "/etc/ssh/riftbus_keys/mesh"
USER = "mesh:x:64999:64999::/nonexistent:/usr/sbin/nologin\n"
PORT, SECOND_PORT, OPEN = 21017, 21018, 7100  # as in the example


def read(*parts):
    with open(os.path.join(*parts), encoding="utf-8") as file:
        return file.read()


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def furnish(folder):
    """As deploy/ssh/README.md says, in this mount namespace only."""
    for name, line in (("passwd", USER), ("group", "mesh:x:64999:\n"),
                       ("shadow", "mesh:*:19000:0:99999:7:::\n")):
        copy = os.path.join(folder, name)
        write(copy, read("/etc", name) + line, os.stat("/etc/" + name).st_mode & 0o777)
        netspace.run("mount", "--bind", copy, "/etc/" + name)
    for place in ("/etc/ssh", "/run"):
        netspace.run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", place)
    for made in ("/etc/ssh/sshd_config.d", os.path.dirname(KEYS), "/run/sshd"):
        os.mkdir(made, 0o755)
    shutil.copy(DEBIANS, "/etc/ssh/sshd_config")
    shutil.copy(os.path.join(FILES, "riftbus.conf"), "/etc/ssh/sshd_config.d/riftbus.conf")
    netspace.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                 "/etc/ssh/ssh_host_ed25519_key")
    netspace.run("ip", "link", "set", "lo", "up")


def allow(*key_lines, expiry=None):
    """The example's line for each key."""
    text = read(FILES, "authorized_keys")
    example = text.splitlines()[-1]
    lines = [example.replace("ssh-ed25519 KEY vast-1", line) for line in key_lines]
    text = text.replace(example, "\n".join(lines))
    assert all(line in text for line in key_lines), text
    write(KEYS, text.replace("20371231", expiry) if expiry else text)


def is_listened_on(port):
    """Without a connection: each one would keep sshd from looking whether its client lives."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        lines = [line.split() for line in file.readlines()[1:]]
    return any(line[1].endswith(f":{port:04X}") and line[3] == "0A" for line in lines)


class StockSshd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not netspace.entered():
            raise unittest.SkipTest("needs namespaces")
        for needed in (SSHD, SSH, TUNNEL, DEBIANS):
            if not needed or not os.path.exists(needed):
                raise AssertionError(f"missing: {needed}; deploy/install-packages.sh build test")
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="riftbus-sshd-"))
        furnish(cls.folder)

    def setUp(self):
        self.echo = Echo()
        self.addCleanup(self.echo.close)
        log = self.enterContext(open(os.path.join(self.folder, "log"), "ab"))
        # PAM is the machine's own affair.
        self.sshd = subprocess.Popen([SSHD, "-D", "-e", "-o", "UsePAM=no", "-o", "LogLevel=DEBUG1"],
                                     stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.addCleanup(self.stop)
        wait_until(lambda: not self.refuses(22), 20, "sshd listens")

    def stop(self):
        self.sshd.kill()
        self.sshd.wait()

    @staticmethod
    def refuses(port, host="127.0.0.1"):
        with socket.socket() as probe:
            return probe.connect_ex((host, port)) != 0

    def ssh(self):
        ssh = OpenSsh("mesh")
        self.addCleanup(ssh.close)
        return ssh

    def reverse(self, port=PORT, host="127.0.0.1"):
        return "-R", f"{host}:{port}:127.0.0.1:{self.echo.port}"

    def refused(self, ssh, *options, command=(), user=None):
        """What ssh said as it failed."""
        ended = ssh.run(22, *options, command=command, user=user)
        self.assertEqual(ended.returncode, 255, (options, command, ended.stdout, ended.stderr))
        return ended.stderr

    # ---- what it does ------------------------------------------------------------------------

    def test_our_tunnel_listens_where_its_key_says(self):
        pin = subprocess.run(["ssh-keygen", "-lf", "/etc/ssh/ssh_host_ed25519_key.pub"], check=True,
                             capture_output=True, text=True).stdout.split()[1]
        tunnel = Tunnel("--tunnel-servers", f"mesh@127.0.0.1:22#{pin}", *self.reverse(),
                        *self.reverse(SECOND_PORT))
        self.addCleanup(tunnel.close)
        allow(tunnel.key_line())
        tunnel.start()
        tunnel.wait_up()
        self.assertTrue(echoes(PORT) and echoes(SECOND_PORT))

    def test_ssh_listens_where_its_key_says_and_reaches_what_it_permits(self):
        ssh, path = self.ssh(), os.path.join(self.folder, "local")
        allow(ssh.key_line())
        target = socket.create_server(("127.0.0.1", OPEN))
        self.addCleanup(target.close)
        ssh.start(22, *self.reverse(), "-L", f"{path}:127.0.0.1:{OPEN}")
        wait_until(lambda: echoes(PORT), 20, "ssh listens")
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)
            reached, _ = target.accept()
            reached.close()

    def test_a_port_of_a_frozen_node_is_soon_free(self):
        frozen, other = self.ssh(), self.ssh()
        allow(frozen.key_line(), other.key_line())
        frozen.start(22, *self.reverse())
        wait_until(lambda: echoes(PORT), 20, "it is up")
        frozen.process.send_signal(signal.SIGSTOP)
        self.addCleanup(frozen.process.send_signal, signal.SIGCONT)
        began = time.monotonic()
        self.assertIn("remote port forwarding failed", self.refused(other, "-N", *self.reverse()))
        wait_until(lambda: not is_listened_on(PORT), 30, "sshd has given it up")
        print(f"free after {time.monotonic() - began:.1f} s")
        other.start(22, *self.reverse())
        wait_until(lambda: echoes(PORT), 20, "another session has it")

    # ---- what it refuses ---------------------------------------------------------------------

    def test_shells_commands_and_the_like(self):
        ssh = self.ssh()
        allow(ssh.key_line())
        for options, command in (((), ("true",)), (("-tt",), ()), (("-s",), ("sftp",)),
                                 (("-A",), ("true",)), (("-X",), ("true",))):
            self.refused(ssh, *options, command=command)

    def test_listeners_that_the_key_does_not_name(self):
        ssh = self.ssh()
        allow(ssh.key_line())
        socket_path = os.path.join(self.folder, "listener")
        for forward in (self.reverse(PORT + 2), self.reverse(0), self.reverse(host="*"),
                        self.reverse(host="localhost"),
                        ("-R", f"{socket_path}:127.0.0.1:{self.echo.port}")):
            self.assertIn("forwarding failed", self.refused(ssh, "-N", *forward), forward)
        self.assertFalse(os.path.exists(socket_path))

    def test_targets_that_the_key_does_not_name(self):
        ssh, port = self.ssh(), free_ports(1)[0]
        allow(ssh.key_line())
        ssh.start(22, "-L", f"{port}:127.0.0.1:{self.echo.port}", *self.reverse())
        wait_until(lambda: echoes(PORT), 20, "it is up")
        self.assertFalse(echoes(port))
        self.assertIn("administratively prohibited", ssh.log())

    def test_other_keys_other_users_expired_keys_and_passwords(self):
        ssh, stranger = self.ssh(), self.ssh()
        allow(ssh.key_line())
        for who, user in ((stranger, "mesh"), (ssh, "root")):
            self.assertIn("Permission denied", self.refused(who, "-N", user=user))
        said = self.refused(stranger, "-N", "-o", "PreferredAuthentications=password")
        self.assertIn("Permission denied (publickey)", said)
        allow(ssh.key_line(), expiry="20200101")
        self.assertIn("Permission denied", self.refused(ssh, "-N", *self.reverse()))

    # ---- the files ---------------------------------------------------------------------------

    def test_other_users_keep_their_settings(self):
        def effective(user):
            shown = subprocess.run([SSHD, "-T", "-C", f"user={user},host=h,addr=192.0.2.1"],
                                   check=True, capture_output=True, text=True).stdout
            return dict(line.split(" ", 1) for line in shown.splitlines())

        theirs, ours = effective("root"), effective("mesh")
        self.assertEqual((ours["maxsessions"], ours["permittty"], ours["gatewayports"]),
                         ("0", "no", "no"))
        self.assertEqual((ours["clientaliveinterval"], ours["clientalivecountmax"]), ("2", "2"))
        self.assertEqual((theirs["maxsessions"], theirs["permittty"]), ("10", "yes"))
        self.assertEqual(theirs["authorizedkeysfile"].split()[0], ".ssh/authorized_keys")
        self.assertEqual((theirs["maxstartups"], theirs["maxauthtries"]), ("50:30:200", "3"))

    def test_the_kernel_takes_its_settings(self):
        path = os.path.join(FILES, "riftbus-sysctl.conf")
        netspace.run("sysctl", "-q", "-p", path)
        self.assertEqual(read("/proc/sys/net/ipv4/tcp_retries2").strip(), "6")


if __name__ == "__main__":
    netspace.entered()
    unittest.main()
