#!/usr/bin/python3
"""The dashboard of a real three-node cluster, looked at with a real browser.

Screenshots go to RIFTBUS_SCREENSHOTS, if it is set.
"""

import os
import signal
import unittest

from browser import CHROMIUM, DRIVER, Browser
from clustertest import ClusterTest, wait_until
from web import TOKEN, Web

# What a row of the table of members says: its id, then its standing.
ROWS = """const card = document.querySelector('section[aria-label="Members"]');
    const rows = [...card.querySelectorAll('tbody tr')];
    return Object.fromEntries(rows.map((row) => [row.querySelector('th button').innerText,
        row.querySelector('.standing').innerText.trim()]))"""


class Dashboard(ClusterTest):
    options = ("--http-token", TOKEN)

    @classmethod
    def setUpClass(cls):
        if not (CHROMIUM and DRIVER):
            print("SKIPPED, NOTHING WAS TESTED: chromium and chromium-driver are not installed")
            raise unittest.SkipTest("no browser")
        super().setUpClass()
        cls.cluster.wait_leader()
        cls.browser = cls.enterClassContext(Browser())
        cls.web = Web(cls.cluster, "n1", TOKEN)
        cls.address = f"http://127.0.0.1:{cls.web.port}/"

    def setUp(self):
        self.browser.go(self.address)
        self.browser.run("sessionStorage.clear()")  # the token that another test gave
        wait_until(lambda: len(self.rows()) == 3, 30, "three members are shown")

    def tearDown(self):
        super().tearDown()
        self.assertEqual(self.browser.complaints(), [])
        for address in self.browser.requests():
            self.assertTrue(address.startswith((self.address, "data:", "chrome:")), address)

    def rows(self):
        return self.browser.run(ROWS)

    def shoot(self, name):
        folder = os.environ.get("RIFTBUS_SCREENSHOTS")
        if folder:
            os.makedirs(folder, exist_ok=True)
            self.browser.screenshot(os.path.join(folder, name + ".png"))

    def test_every_node_and_the_leader_are_shown(self):
        self.assertEqual(set(self.rows()), set(self.cluster.names))
        wait_until(lambda: set(self.rows().values()) == {"alive"}, 20, "all are alive")
        leader = self.cluster.wait_leader()
        wait_until(lambda: f"Leader\n{leader}" in self.browser.text(".tiles"), 10, "who leads")
        self.assertIn("Voters\n3/3", self.browser.text(".tiles"))
        wait_until(lambda: "leads in term" in self.browser.text(".feed") or
                   "is followed in term" in self.browser.text(".feed"), 20, "events stream in")
        self.shoot("overview")

    def test_a_kill_and_a_recovery_are_followed_without_reload(self):
        self.browser.run("window.before = true")
        self.cluster.signal("n3", signal.SIGKILL)
        wait_until(lambda: self.rows().get("n3") == "dead", 40, "n3 is shown dead")
        wait_until(lambda: "degraded" in self.browser.text(".bar"), 20, "the cluster is degraded")
        self.assertIn("n3", self.browser.text(".problems"))
        self.shoot("killed")
        self.cluster.start("n3", *self.options)
        wait_until(lambda: self.rows().get("n3") == "alive", 40, "n3 is shown alive")
        self.assertIs(self.browser.run("return window.before"), True)

    def test_a_member_opens_with_its_reasons_and_closes_by_escape(self):
        self.browser.click('section[aria-label="Members"] tbody tr:nth-child(2) button.link')
        wait_until(lambda: "connected for calls" in self.browser.text(".drawer") or
                   "It answers you" in self.browser.text(".drawer"), 20, "the drawer says why")
        self.shoot("member")
        self.browser.run("""document.activeElement.dispatchEvent(
            new KeyboardEvent('keydown', {key: 'Escape', bubbles: true}))""")
        wait_until(lambda: self.browser.text(".drawer") == "", 10, "the drawer is closed")

    def test_work_is_cancelled_after_asking_and_with_the_token_only(self):
        added = self.web.post("/work/add", {"work_type": "selfplay", "config": {"board": 8}})
        self.browser.go(self.address + "#/work")
        cancel = 'section[aria-label="Work"] tbody .buttons button'
        wait_until(lambda: str(added["work_id"]) in self.browser.text('section[aria-label="Work"]'),
                   20, "the work is shown")
        self.browser.click(cancel)
        self.browser.type("dialog input", "not-the-token")
        self.browser.click("dialog button.harm")
        wait_until(lambda: "unauthorized" in self.browser.text("dialog"), 10, "it is refused")
        refused = self.browser.complaints()  # the browser itself notes every 401
        self.assertEqual([text for text in refused if "401" not in text], [])
        self.browser.run("document.querySelector('dialog input').value = ''")
        self.browser.type("dialog input", TOKEN)
        self.shoot("ask_first")
        self.browser.click("dialog button.harm")
        wait_until(lambda: self.browser.run("return !document.querySelector('dialog').open"),
                   10, "the question is gone")
        wait_until(lambda: self.web.get("/work/stats")["items"]["ready"] == 0, 20,
                   "the work is cancelled")
        wait_until(lambda: "No work of that" in self.browser.text('section[aria-label="Work"]'),
                   20, "it is shown no more")

    def test_the_tap_is_filtered_paused_and_looked_into(self):
        self.browser.go(self.address + "#/tap")
        field, tap = 'form.ask input[type="search"]', 'section[aria-label="Tap"]'
        self.browser.type(field, "size>>big")
        self.browser.click("form.ask button")
        self.browser.type("dialog input", TOKEN)
        self.browser.click("dialog button.main")
        wait_until(lambda: "column" in self.browser.text("p.trouble"), 10, "what is wrong, where")
        self.assertEqual([text for text in self.browser.complaints()
                          if "401" not in text and "400" not in text], [])
        self.browser.run("document.querySelector(arguments[0]).select()", field)
        self.browser.type(field, "kind=beat and from=n2")
        self.browser.click("form.ask button")
        wait_until(lambda: self.browser.text(tap).count("n2 ▸ n1") >= 3, 20, "beats of n2 pass by")
        lines = self.browser.run("return [...document.querySelectorAll('.taps li')].map("
                                 "(one) => one.innerText.replace(/\\s+/g, ' '))")
        self.assertEqual({tuple(one.split(" ")[1:4]) for one in lines}, {("beat", "n2", "▸")})
        self.assertEqual(self.cluster.counter("n1", "tap.taps"), 1)
        self.shoot("tap")
        self.browser.click(tap + " .tools button")  # pause
        wait_until(lambda: "waiting" in self.browser.text(tap + " .tools"), 20, "it is paused")
        before = self.browser.text(".taps")
        wait_until(lambda: "(0 waiting" not in self.browser.text(tap + " .tools"), 20,
                   "more have come")
        self.assertEqual(self.browser.text(".taps"), before)
        self.browser.click(".taps button.link")
        wait_until(lambda: "up_ms=" in self.browser.text('section[aria-label="Message"]'), 10,
                   "the message in detail")
        self.browser.click(tap + " .tools button[aria-pressed=false]")  # as a table
        self.assertIn("n2", self.browser.text(tap + " tbody tr"))
        self.browser.go(self.address + "#/")
        wait_until(lambda: self.cluster.counter("n1", "tap.taps") == 0, 10, "nobody taps")

    def test_it_may_load_from_its_node_only_and_run_nothing_inline(self):
        _, _, answer = self.web.request("GET", "/")
        self.assertIn("default-src 'self'", answer.getheader("Content-Security-Policy"))
        self.assertEqual(answer.getheader("X-Content-Type-Options"), "nosniff")
        ran = self.browser.run("""const script = document.createElement('script');
            script.textContent = 'window.inline = true'; document.head.append(script);
            return window.inline === true""")
        self.assertIs(ran, False)
        self.assertTrue(any("Content Security Policy" in text
                            for text in self.browser.complaints()))


if __name__ == "__main__":
    unittest.main()
