#!/usr/bin/python3
"""deploy/demo.sh, as its reader would run it: it must see what it promises, and leave nothing."""

import os
import signal
import subprocess
import sys
import tempfile
import unittest

from cluster import PROGRAMS, ROOT, own_environment, wait_until

DEMO = os.path.join(ROOT, "deploy", "demo.sh")
# Adds a byte in the hands of the local run, so that no result can be equal.
FALSE_GZIP = """#!/bin/sh
/usr/bin/gzip "$@" || exit 1
test -n "$RIFTBUS_WORK_ID" || printf x
"""


class Demo(unittest.TestCase):

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory(prefix="riftbus-live-"))
        self.files = os.path.join(self.folder, "what to pack")
        os.mkdir(self.files)
        os.mkdir(os.path.join(self.folder, "tmp"))

    def write_files(self, count, size):
        for i in range(count):
            with open(os.path.join(self.files, f'{i} "of" \\ ä'), "wb") as file:
                file.write(os.urandom(size))
        os.symlink("/etc/passwd", os.path.join(self.files, "link"))
        for name in (b"line\nfeed", b"not \xff utf-8"):
            with open(os.path.join(os.fsencode(self.files), name), "wb"):
                pass

    def start(self, *arguments, path=None):
        environment = own_environment()
        environment.update(RIFTBUS_BIN=PROGRAMS, TMPDIR=os.path.join(self.folder, "tmp"))
        if path:
            environment["PATH"] = path + ":" + environment["PATH"]
        log = open(os.path.join(self.folder, "said"), "w", encoding="utf-8")
        self.addCleanup(log.close)
        return subprocess.Popen([DEMO, self.files, "--no-build", *arguments], env=environment,
                                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                start_new_session=True)

    def said(self):
        with open(os.path.join(self.folder, "said"), encoding="utf-8") as file:
            return file.read()

    def finish(self, demo, status, seconds):
        try:
            got = demo.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            demo.send_signal(signal.SIGTERM)
            demo.wait(timeout=30)
            got = "too late"
        if got != status:
            print(self.said(), file=sys.stderr)
        self.assertEqual(got, status)
        self.assertNothingLeft()

    def assertNothingLeft(self):
        self.assertEqual(os.listdir(os.path.join(self.folder, "tmp")), [])
        mark = self.folder.encode()
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid():
                continue
            for what in ("cmdline", "environ"):
                try:
                    with open(f"/proc/{entry}/{what}", "rb") as file:
                        self.assertNotIn(mark, file.read(), f"process {entry} is left")
                except OSError:
                    pass

    def test_check_sees_every_job_done_once_past_two_deaths(self):
        self.write_files(24, 400_000)
        self.finish(self.start("--check"), 0, 180)
        said = self.said()
        self.assertIn("24 files of", said)
        self.assertIn("killed with -9", said)
        self.assertIn("all 24 done exactly once, results equal", said)
        self.assertRegex(said, "it listens at home; neither|not shown: a router")
        self.assertRegex(said, r"the relay on n[12] is dead; n3 reached n6 through the other one")
        self.assertIn("nobody was called dead", said)

    def test_where_there_are_no_namespaces_it_says_so_and_goes_on(self):
        self.write_files(2, 100)
        unshare = os.path.join(self.folder, "unshare")
        with open(unshare, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho unshare: Operation not permitted >&2\nexit 1\n")
        os.chmod(unshare, 0o755)
        self.finish(self.start("--check", path=self.folder), 0, 120)
        self.assertIn("not shown: a router that lets nothing in", self.said())
        self.assertRegex(self.said(), r"the relay on n[12] is dead")

    def test_a_result_that_differs_is_found(self):
        self.write_files(2, 100)
        gzip = os.path.join(self.folder, "gzip")
        with open(gzip, "w", encoding="utf-8") as file:
            file.write(FALSE_GZIP)
        os.chmod(gzip, 0o755)
        self.finish(self.start(path=self.folder), 1, 90)
        self.assertIn("results differ from the local run", self.said())

    def test_an_interrupt_leaves_nothing_behind(self):
        self.write_files(24, 400_000)
        demo = self.start()
        wait_until(lambda: "running" in self.said(), 60, "jobs run")
        os.killpg(demo.pid, signal.SIGINT)  # as Ctrl-C does
        self.finish(demo, 130, 30)

    def test_wrong_usage_is_refused(self):
        self.finish(self.start("--nodes", "4"), 64, 10)
        self.finish(self.start("another"), 64, 10)
        self.finish(self.start("--files"), 64, 10)


if __name__ == "__main__":
    unittest.main()
