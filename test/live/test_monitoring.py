#!/usr/bin/python3
"""deploy/monitoring: rules checked by promtool, every name by a live node, all of it by Prometheus.

A real Prometheus on loopback scrapes a real cluster of three; every expression of the dashboards
and the rules is asked of it, and alerts are raised by killing a node.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import unittest
import urllib.parse
import urllib.request

from cluster import PROGRAMS, ROOT, free_ports
from clustertest import ClusterTest, wait_until
from web import TOKEN, Web

PLACE = os.path.join(ROOT, "deploy", "monitoring")
DASHBOARDS = ("overview", "consensus", "queue", "transport")
NAME = re.compile(r"\briftbus_[a-z0-9_]+")
RECORDED = re.compile(r"\briftbus:[a-z0-9_:]+")
NEEDED = ("prometheus", "promtool")


def read(name):
    with open(os.path.join(PLACE, name), encoding="utf-8") as file:
        return file.read()


def dashboard_expressions():
    """[(dashboard and panel, expression)] as Grafana would send it."""
    found = []
    for name in DASHBOARDS:
        for panel in json.loads(read(name + ".json"))["panels"]:
            for target in panel["targets"]:
                sent = target["expr"].replace("$__rate_interval", "1m").replace("$node", ".*")
                found.append((f"{name}: {panel['title']}", sent))
    return found


def promtool(*arguments, **options):
    return subprocess.run(["promtool", *arguments], cwd=PLACE, text=True, capture_output=True,
                          check=False, timeout=60, **options)


class Prometheus:
    """A server of its own on loopback, with the rules as they are delivered."""

    def __init__(self, directory, targets):
        self.port = free_ports(1)
        os.makedirs(directory)
        config = read("prometheus.yml").replace("15s", "1s").replace(
            "rules.yml", os.path.join(PLACE, "rules.yml")).replace(
            "          - 127.0.0.1:8770\n", "".join(f"          - {one}\n" for one in targets))
        path = os.path.join(directory, "prometheus.yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(config)
        self.log = os.path.join(directory, "log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={path}", f"--storage.tsdb.path={directory}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}"], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)

    def get(self, path, **arguments):
        query = urllib.parse.urlencode(arguments)
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}?{query}",
                                    timeout=10) as answer:
            return json.load(answer)["data"]

    def ask(self, expression):
        """[(labels, value)]; ValueError if it does not read."""
        try:
            return [(one["metric"], float(one["value"][1]))
                    for one in self.get("query", query=expression)["result"]]
        except urllib.error.HTTPError as error:
            raise ValueError(error.read().decode()) from error

    def end(self):
        self.process.kill()
        self.process.wait()


class Files(unittest.TestCase):
    def setUp(self):
        if not shutil.which("promtool"):
            print("SKIPPED, NOTHING WAS TESTED: needs Debian's prometheus", file=sys.stderr)
            self.skipTest("needs promtool")

    def test_promtool_finds_nothing_wrong(self):
        for arguments in (("check", "rules", "rules.yml"), ("check", "config", "prometheus.yml"),
                          ("test", "rules", "rules_test.yml")):
            done = promtool(*arguments)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_every_alert_is_tested_and_has_a_runbook(self):
        alerts = re.findall(r"- alert: (\w+)", read("rules.yml"))
        self.assertGreater(len(alerts), 10)
        for alert in alerts:
            self.assertIn(f"\n### {alert}\n", read("README.md"))
            self.assertIn(f"README.md#{alert.lower()}\n", read("rules.yml"))
            self.assertIn(f"alertname: {alert}\n        exp_alerts:\n", read("rules_test.yml"))

    def test_the_runbook_names_commands_that_exist(self):
        help_text = subprocess.run([os.path.join(PROGRAMS, "riftbus"), "--help"], text=True,
                                   capture_output=True, check=True).stdout
        known = set(re.findall(r"^  ([a-z]+(?: [a-z]+)?)  ", help_text, re.M))
        named = re.findall(r"`riftbus\s([a-z]+)(?:\s([a-z]+))?", read("README.md"))
        self.assertGreater(len(named), 10)
        for first, second in named:
            what = f"{first} {second}".strip().removeprefix("help ")
            self.assertTrue(what in known or any(one.startswith(what + " ") for one in known), what)

    def test_the_dashboards_are_what_their_program_writes(self):
        done = subprocess.run([os.path.join(PLACE, "dashboards.py"), "--check"], text=True,
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)


class Scraped(ClusterTest):
    options = ("--http-token", TOKEN)

    @classmethod
    def setUpClass(cls):
        missing = [name for name in NEEDED if not shutil.which(name)]
        if missing:
            print("SKIPPED, NOTHING WAS TESTED: needs Debian's prometheus", file=sys.stderr)
            raise unittest.SkipTest("needs prometheus")
        super().setUpClass()
        cls.cluster.wait_leader()
        Web(cls.cluster, "n1", TOKEN).post("/work/add", {"work_type": "selfplay"})
        cls.targets = [f"127.0.0.1:{Web(cls.cluster, name).port}" for name in cls.cluster.names]
        cls.prometheus = Prometheus(cls.cluster.file("prometheus"), cls.targets)
        cls.addClassCleanup(cls.prometheus.end)
        wait_until(lambda: len(cls.prometheus.ask("riftbus:members:max")) == 5, 60,
                   "Prometheus has scraped, and worked out its rules")
        wait_until(lambda: cls.prometheus.ask("sum(count_over_time(riftbus_epoch[1m]))")[0][1] > 9,
                   60, "and scraped again")

    def test_every_name_is_one_that_a_voter_has(self):
        text = Web(self.cluster, "n1").get("/metrics/prometheus")
        there = set(NAME.findall(re.sub(r"^#.*$", "", text, flags=re.M)))
        recorded = set(re.findall(r"record: (\S+)", read("rules.yml")))
        for where in ("rules.yml", *(f"{name}.json" for name in DASHBOARDS)):
            named = set(NAME.findall(read(where)))
            self.assertGreater(len(named), 3, where)
            self.assertEqual(named - there, set(), where)
            self.assertEqual(set(RECORDED.findall(read(where))) - recorded, set(), where)

    def test_what_a_node_says_is_what_promtool_reads(self):
        text = Web(self.cluster, "n1").get("/metrics/prometheus")
        done = promtool("check", "metrics", input=text)
        self.assertNotIn("error while linting", done.stderr + done.stdout)
        self.assertNotIn("parsing error", (done.stderr + done.stdout).lower())

    def test_every_panel_shows_something(self):
        found, web = dashboard_expressions(), Web(self.cluster, "n1", TOKEN)
        self.assertGreater(len(found), 36)

        def writes():  # an idle log has no mean
            web.post("/work/add", {"work_type": "selfplay"})
            return self.prometheus.ask("riftbus:log_fsync_seconds:mean5m")

        wait_until(writes, 30, "the log is written")
        for where, expression in found:
            with self.subTest(panel=where, expression=expression):
                wait_until(lambda one=expression: self.prometheus.ask(one), 20, "it has data")

    def test_rules_are_loaded_and_a_death_is_told(self):
        rules = [rule for group in self.prometheus.get("rules")["groups"]
                 for rule in group["rules"]]
        self.assertEqual([one["name"] for one in rules if one["health"] == "err"], [])
        self.assertEqual(len(rules), read("rules.yml").count("- alert:") +
                         read("rules.yml").count("- record:"))
        wait_until(lambda: self.prometheus.ask('sum(up{job="riftbus"})')[0][1] == 3, 30,
                   "all three are asked")
        self.cluster.signal("n3", signal.SIGKILL)
        try:
            wait_until(lambda: {"RiftbusNodeDown", "RiftbusMembersDead"} <= {
                one["labels"]["alertname"] for one in self.prometheus.get("alerts")["alerts"]}, 30,
                "both alerts wait for their time")
            down = next(one for one in self.prometheus.get("alerts")["alerts"]
                        if one["labels"]["alertname"] == "RiftbusNodeDown" and
                        one["labels"]["instance"] == self.targets[2])
            self.assertIn("does not answer", down["annotations"]["summary"])
        finally:
            self.cluster.start("n3", *self.options)
            self.cluster.wait_standing("n1", "n3", "alive", 20)


if __name__ == "__main__":
    unittest.main()
