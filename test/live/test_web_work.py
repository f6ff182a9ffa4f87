#!/usr/bin/python3
"""What the dashboard shows of real jobs: their log as they run, how they ended, who is drained."""

import unittest

from browser import CHROMIUM, DRIVER, Browser
from clustertest import ClusterTest, Gate, wait_until
from web import TOKEN, Web

JOBS = """
jobs:
  talk: {{command: [sh, -c, 'echo first words; {gate}; echo last words'], needs: cpus>=0.1}}
"""


class DashboardOfWork(ClusterTest):
    options = ("--http-token", TOKEN)

    @classmethod
    def setUpClass(cls):
        if not (CHROMIUM and DRIVER):
            print("SKIPPED, NOTHING WAS TESTED: chromium and chromium-driver are not installed")
            raise unittest.SkipTest("no browser")
        super().setUpClass()
        cls.gate = Gate(cls.cluster.file("gate"))
        cls.cluster.reconfigure(cls.cluster.names, JOBS.format(gate=cls.gate), *cls.options)
        cls.cluster.wait_leader()
        cls.browser = cls.enterClassContext(Browser())
        cls.web = Web(cls.cluster, "n1", TOKEN)
        cls.address = f"http://127.0.0.1:{cls.web.port}/"

    def log(self):
        return self.browser.text("pre.log").split()

    def text(self, card):
        return self.browser.text(f'section[aria-label="{card}"]')

    def test_a_job_is_followed_in_its_log_and_listed_when_it_has_ended(self):
        self.gate.shut()
        self.addCleanup(self.gate.open)
        added = self.web.post("/work/add", {"work_type": "talk", "config": {}})["work_id"]
        self.browser.go(self.address + "#/work")
        wait_until(lambda: "running" in self.browser.text('section[aria-label="Work"] tbody'), 60,
                   "it is shown running")
        self.browser.click('section[aria-label="Work"] tbody th button.link')
        wait_until(lambda: self.log() == ["first", "words"], 20, "what it has said")
        self.browser.run("window.before = document.querySelector('pre.log')")
        self.gate.open()
        wait_until(lambda: self.log() == ["first", "words", "last", "words"], 20, "and the rest")
        self.assertIs(self.browser.run(
            "return window.before === document.querySelector('pre.log')"), True)
        wait_until(lambda: f"{added}\tdone\ttalk" in self.text("Ended").replace("\n", "\t")
                   .replace("\t\t", "\t"), 20, "it is listed as done")
        self.assertEqual(self.browser.complaints(), [])

    def test_another_node_is_drained_and_resumed_from_the_page(self):
        self.browser.go(self.address)
        row = 'section[aria-label="Members"] tbody tr:nth-child(3) button.link'
        wait_until(lambda: self.browser.text(row) == "n3", 30, "n3 is shown")
        self.browser.click(row)
        for verb, draining in (("Drain", True), ("Resume", False)):
            wait_until(lambda word=verb: self.browser.text(".drawer .buttons").startswith(word), 20,
                       f"{verb} is offered")
            self.browser.click(".drawer .buttons button")
            if draining:
                self.browser.type("dialog input", TOKEN)
            self.browser.click("dialog button[type=submit]")
            wait_until(lambda on=draining: self.cluster.status("n3")["jobs"]["draining"] is on, 20,
                       f"{verb}: n3 has heard it")
        self.assertEqual(self.browser.complaints(), [])


if __name__ == "__main__":
    unittest.main()
