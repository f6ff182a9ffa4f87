"""Headless Chromium, driven over WebDriver (chromium and chromium-driver of Debian)."""

import base64
import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

from cluster import wait_until

DRIVER = shutil.which("chromedriver")
CHROMIUM = shutil.which("chromium")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
START_S = 60
SETTLE_S = 20


class Browser:
    """A window of its own; names are not resolved, so that only addresses can be reached."""

    def __init__(self, width=1440, height=1000):
        self.directory = tempfile.mkdtemp(prefix="riftbus-browser-")
        self.output = open(os.path.join(self.directory, "driver"), "w+", encoding="utf-8")
        self.driver = subprocess.Popen([DRIVER, "--port=0"], stdout=self.output,
                                       stderr=subprocess.STDOUT)
        self.session = None
        try:
            self.base = wait_until(self._port, START_S, "chromedriver listens")
            options = {"binary": CHROMIUM, "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                f"--window-size={width},{height}",
                f"--user-data-dir={os.path.join(self.directory, 'profile')}"]}
            self.session = self._call("POST", "/session", {"capabilities": {"alwaysMatch": {
                "browserName": "chrome", "goog:chromeOptions": options,
                "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}}})["sessionId"]
        except BaseException:
            self.close()
            raise

    def _port(self):
        with open(self.output.name, encoding="utf-8") as file:
            found = re.search(r"successfully on port (\d+)", file.read())
        return found and f"http://127.0.0.1:{found.group(1)}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            if self.session:
                self._call("DELETE", f"/session/{self.session}")
        finally:
            self.driver.terminate()
            self.driver.wait(timeout=20)
            self.output.close()
            shutil.rmtree(self.directory, ignore_errors=True)

    def _call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=START_S) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise ValueError(f"{path}: {value['error']}: {value['message'][:300]}") from None

    def _ask(self, path, body=None):
        return self._call("GET" if body is None else "POST", f"/session/{self.session}{path}", body)

    def go(self, address):
        self._ask("/url", {"url": address})

    def run(self, script, *arguments):
        """The value of a script's `return`."""
        return self._ask("/execute/sync", {"script": script, "args": list(arguments)})

    def text(self, selector="body"):
        return self.run("return document.querySelector(arguments[0])?.innerText || ''", selector)

    def _act(self, selector, action, body):
        """When the thing is there and can be used, as a user would: a page shows what comes next
        only when its node has answered, and may just be drawing it anew."""
        def done():
            found = self._ask("/element", {"using": "css selector", "value": selector})[ELEMENT]
            self._ask(f"/element/{found}/{action}", body)
            return True
        wait_until(done, SETTLE_S, f"{action} of {selector}")

    def click(self, selector):
        self._act(selector, "click", {})

    def type(self, selector, text):
        self._act(selector, "value", {"text": text})

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self._ask("/screenshot")))

    def devtools(self, command, parameters):
        """Chromium's own protocol."""
        return self._ask("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def complaints(self):
        """What the page or the browser complained about since the last call."""
        return [entry["message"] for entry in self._ask("/se/log", {"type": "browser"})
                if entry["level"] in ("SEVERE", "WARNING")]

    def requests(self):
        """Addresses that were asked for since the last call."""
        messages = [json.loads(entry["message"])["message"]
                    for entry in self._ask("/se/log", {"type": "performance"})]
        return [message["params"]["request"]["url"] for message in messages
                if message["method"] == "Network.requestWillBeSent"]
