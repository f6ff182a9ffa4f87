#!/usr/bin/python3
"""HTTP of a real three-node cluster: the route table, tokens, attacks, old clients."""

import json
import os
import time
import unittest

from clustertest import ClusterTest, wait_until
from stopped import StoppedThread
from web import TOKEN, Stream, Web

CASES = {"id": "n1", "node_id": "n1", "mode": "resume"}


class Http(ClusterTest):
    options = ("--http-token", TOKEN)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster.wait_leader()

    def web(self, node="n1", token=TOKEN):
        return Web(self.cluster, node, token)

    # ---- the table -----------------------------------------------------------------------------

    def test_every_documented_route_is_served_by_every_node(self):
        """A client that knows nothing but /openapi.json."""
        table = self.web().get("/openapi.json")
        self.assertGreater(len(table["paths"]), 50)
        for node in self.cluster.names:
            web = self.web(node)
            for path, methods in table["paths"].items():
                for method, operation in methods.items():
                    if path in ("/events", "/tap"):
                        continue  # never ends
                    takes = {one["name"]: one for one in operation.get("parameters", [])}
                    is_work = path.startswith("/work/") or "jobs" in path
                    target = path.replace("{id}", "999999" if is_work and "node" not in path
                                          else "n1")
                    named = "&".join(f"{name}={CASES[name]}" for name, one in takes.items()
                                     if one["in"] == "query" and one["required"])
                    if named:
                        target += "?" + named
                    needed = operation.get("requestBody", {}).get("content", {}).get(
                        "application/json", {}).get("schema", {}).get("required", [])
                    if path in ("/election/start", "/election/trigger", "/election/reset",
                                "/election/force_leader", "/leader/transfer"):
                        needed = ["leader_id"]
                    body = {name: CASES.get(name, "999999") for name in needed}
                    if "leader_id" in body:
                        body["leader_id"] = "nobody-by-this-name"
                    status, answer, _ = web.request(
                        method.upper(), target, body if method == "post" else None)
                    with self.subTest(node=node, route=f"{method} {path}", answer=answer):
                        self.assertNotEqual(status, 405)
                        self.assertLess(status, 500)
                        if status == 404:
                            self.assertNotEqual(answer["code"], "NO_SUCH_PATH")

    def test_an_unknown_path_is_404_and_a_wrong_method_405(self):
        self.assertEqual(self.web().get("/nothing", 404)["code"], "NO_SUCH_PATH")
        status, body, answer = self.web().request("DELETE", "/status")
        self.assertEqual((status, body["code"]), (405, "WRONG_METHOD"))
        self.assertEqual(answer.getheader("Allow"), "GET, HEAD")
        self.assertEqual(self.web().request("OPTIONS", "/work/add")[0], 405)

    def test_head_answers_like_get_without_a_body(self):
        status, body, answer = self.web().request("HEAD", "/health")
        self.assertEqual((status, body), (200, ""))
        self.assertGreater(int(answer.getheader("Content-Length")), 100)

    # ---- health and status ---------------------------------------------------------------------

    def test_health_says_what_supervisors_read(self):
        wait_until(lambda: self.web().get("/health")["active_peers"] == 2, 10, "two peers")
        health = wait_until(lambda: (seen := self.web().get("/health"))["leader_id"] and seen, 10,
                            "it knows who leads")
        self.assertIs(health["healthy"], True)
        self.assertEqual(health["status"], "healthy")
        self.assertEqual(health["node_id"], "n1")
        self.assertIn(health["leader_id"], self.cluster.names)
        for name in ("cpu_percent", "memory_percent", "disk_percent", "uptime_seconds"):
            self.assertIsInstance(health[name], (int, float))
        isolated = self.web().get("/health", port=self.web().health_port)
        self.assertIs(isolated["alive"], True)
        self.assertEqual(isolated["main_port"], self.web().port)
        for path in ("/status", "/", "/events", "/tap"):
            self.web().get(path, 404, port=self.web().health_port)
        self.assertIs(self.web().get("/ready")["ready"], True)

    def test_status_has_the_former_keys_and_types(self):
        wait_until(lambda: self.web().get("/status")["alive_peers"] == 2, 10, "two peers")
        status = wait_until(lambda: (seen := self.web().get("/status"))["leader_id"] ==
                            self.cluster.wait_leader() and seen, 15, "it knows who leads")
        kinds = {"node_id": str, "role": str, "status": str, "is_leader": bool, "peers": dict,
                 "all_peers": dict, "alive_peers": int, "voter_node_ids": list,
                 "voter_quorum_size": int, "voters_alive": int, "voter_quorum_ok": bool,
                 "voter_health": dict, "self": dict, "selfplay_jobs": int, "swim_raft": dict,
                 "uptime_seconds": float, "version": str, "work_queue_size": int}
        for name, kind in kinds.items():
            self.assertIsInstance(status[name], kind, name)
        self.assertEqual(status["effective_leader_id"], status["leader_id"])
        self.assertEqual((status["voters_alive"], status["voter_quorum_size"]), (3, 2))
        self.assertEqual(set(status["peers"]), {"n2", "n3"})
        peer = status["peers"]["n2"]
        self.assertIs(peer["is_alive"], True)
        self.assertLess(abs(time.time() - peer["last_heartbeat"]), 60)
        self.assertEqual(status["all_peers"]["n3"]["status"], "alive")
        self.assertEqual(set(status["swim_raft"]),
                         {"membership_mode", "consensus_mode", "flags", "swim", "raft"})
        self.assertEqual(status["riftbus"]["document"], "status")
        self.assertEqual({one["status"] for one in
                          self.web().get("/api/cluster/status")["peers"]}, {"online"})

    def test_metrics_are_prometheus_text_with_bounded_labels(self):
        text = self.web().get("/metrics/prometheus")
        for name in ('riftbus_members{state="alive"}', "riftbus_has_leader", "riftbus_epoch",
                     "riftbus_build_info", "riftbus_log_fsync_seconds_count",
                     'riftbus_work_items{state="ready"}', "riftbus_http_requests_total",
                     "riftbus_loop_lag_seconds_count", "riftbus_loop_lag_seconds_max",
                     "riftbus_commit_seconds_sum", "riftbus_work_claim_seconds_count",
                     "riftbus_lease_remaining_seconds"):
            self.assertIn("\n" + name, "\n" + text)
        for line in text.splitlines():
            if not line.startswith("#"):
                float(line.rsplit(" ", 1)[1])

    # ---- who may -------------------------------------------------------------------------------

    def test_changes_take_the_token(self):
        item = {"work_type": "selfplay", "config": {}}
        for token in (None, "wrong-token-of-mine", TOKEN[:-1], TOKEN + "x"):
            refused = self.web(token=token).post("/work/add", item, 401)
            self.assertEqual(refused["error"], "unauthorized")
        self.web(token=None).get("/work/claim?node_id=n1", 401)
        self.web(token=None).get("/election/grant", 401)
        self.web(token=None).get("/relay/peers", 401)
        by_header = self.web(token=None).post("/work/add", item, headers={"X-RingRift-Auth": TOKEN})
        self.web().post("/work/cancel", {"work_id": by_header["work_id"]})

    def test_pages_of_others_are_refused(self):
        for headers in ({"Host": "evil.example"}, {"Host": "127.0.0.1.evil.example:80"},
                        {"Origin": "http://evil.example"}, {"Origin": "null"}):
            status, _, answer = self.web().request("POST", "/work/add", {"work_type": "selfplay"},
                                                   headers)
            self.assertEqual(status, 403)
            self.assertIsNone(answer.getheader("Access-Control-Allow-Origin"))

    def test_a_page_that_the_browser_has_is_not_sent_again(self):
        first, page, answer = self.web().request("GET", "/app.js")
        tag = {"If-None-Match": answer.getheader("ETag")}
        self.assertEqual((first, len(page) > 1000), (200, True))
        again, nothing, answer = self.web().request("GET", "/app.js", headers=tag)
        self.assertEqual((again, nothing), (304, ""))
        self.assertIsNone(answer.getheader("Content-Length"))

    # ---- attacks -------------------------------------------------------------------------------

    def resident_kb(self, node="n1"):
        with open(f"/proc/{self.cluster.processes[node].pid}/status", encoding="utf-8") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))

    def health_ms(self, count=50, port=None):
        """The longest but one of so many questions, each on a connection of its own."""
        spans = []
        for _ in range(count):
            begun = time.monotonic()
            self.web().get("/health", port=port)
            spans.append(1000 * (time.monotonic() - begun))
        return sorted(spans)[-2]

    def test_half_open_and_slow_connections_hold_nobody_up(self):
        before = self.resident_kb()
        crowd = []
        try:
            for index in range(400):  # more than there are places
                crowd.append(self.web().connect())
                if index % 2:
                    crowd[-1].sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
            self.assertLess(self.health_ms(), 1000)  # each while the machine may be busy
            for one in crowd[-50:]:
                try:
                    one.sendall(b"a")
                except OSError:
                    pass  # it gave way
            self.assertLess(self.health_ms(10, self.web().health_port), 1000)
            self.assertLess(self.resident_kb() - before, 20 * 1024)
            # An answer may be half a second old.
            wait_until(lambda: self.web().get("/metrics")["counters"]["http.evicted"] > 0, 10,
                       "some have given way")
        finally:
            for one in crowd:
                one.close()

    def test_what_is_too_large_is_refused_unread(self):
        before = self.resident_kb()
        head = b"POST /work/add HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        token = f"Authorization: Bearer {TOKEN}\r\n".encode()
        long = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * (1 << 20)
        self.assertTrue(self.web().raw(long).startswith("HTTP/1.1 431"))
        declared = head + token + b"Content-Length: 1073741824\r\n\r\n{"
        self.assertTrue(self.web().raw(declared).startswith("HTTP/1.1 413"))
        chunk = b"100000\r\n" + b" " * (1 << 20) + b"\r\n"
        chunked = head + token + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 4
        self.assertTrue(self.web().raw(chunked).startswith("HTTP/1.1 413"))
        strange = head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk
        self.assertTrue(self.web().raw(strange).startswith("HTTP/1.1 401"))
        self.assertLess(self.resident_kb() - before, 20 * 1024)

    def test_bad_requests_are_answered_and_end(self):
        for data, status in ((b"nonsense\r\n\r\n", 400), (b"GET / HTTP/9.9\r\n\r\n", 400),
                             (b"GET /../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                              b"Connection: close\r\n\r\n", 400),
                             (b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n", 403)):
            self.assertTrue(self.web().raw(data).startswith(f"HTTP/1.1 {status}"), data)
        for body in ("{", "[]", "17", '{"a":' * 100, b"\xff\xfe"):
            self.assertEqual(self.web().post("/work/add", body, 400)["code"], "BAD_JSON")

    # ---- the loop stands still -----------------------------------------------------------------

    def test_health_answers_while_the_loop_stands_still(self):
        web = self.web("n3")
        web.get("/status")
        pid = self.cluster.processes["n3"].pid
        loop = f"/proc/{pid}/task/{pid}/stat"
        tracer = os.path.join("/proc", str(pid))
        self.assertTrue(os.path.exists(tracer))
        held = StoppedThread(pid)
        try:
            with open(loop, encoding="utf-8") as file:
                self.assertIn(file.read().rsplit(")", 1)[1].split()[0], "tT")
            wait_until(lambda: web.get("/health")["loop_age_ms"] > 3000, 10, "the loop is old")
            self.assertIs(web.get("/health")["healthy"], True)
            web.get("/ready", 503)
            status, body, answer = web.request("GET", "/status")
            self.assertEqual((status, body["node_id"]), (200, "n3"))
            self.assertIsNotNone(answer.getheader("Warning"))
            self.assertEqual(web.get("/links?after=never-asked", 503)["code"], "LOOP_STOPPED")
        finally:
            held.release()
        wait_until(lambda: web.get("/health")["loop_age_ms"] < 3000, 10, "it turns again")

    # ---- work ----------------------------------------------------------------------------------

    def test_work_of_the_former_orchestrator_runs_its_course(self):
        for node in self.cluster.names:  # each passes on what the leader must do
            web = self.web(node)
            added = web.post("/work/add", {"work_type": "selfplay", "priority": 70,
                                           "config": {"board": "hex8"}, "timeout_seconds": 900})
            self.assertEqual((added["status"], added["job_id"]), ("added", added["work_id"]))
            claimed = web.get("/work/claim?node_id=n2&capabilities=selfplay,gauntlet")
            self.assertEqual(claimed["status"], "claimed")
            work = claimed["work"]
            self.assertEqual((work["work_id"], work["config"]), (added["work_id"],
                                                                {"board": "hex8"}))
            name = {"work_id": work["work_id"]}
            self.assertEqual(web.post("/work/start", name)["status"], "started")
            held = web.get("/work/node/n2")
            self.assertIn(work["work_id"], [one["work_id"] for one in held["work_items"]])
            stale = dict(name, fence=work["fence"] - 1)
            self.assertEqual(web.post("/work/complete", stale)["status"], "failed")
            other = dict(name, node_id="n3")
            self.assertEqual(web.post("/work/complete", other)["status"], "failed")
            done = dict(name, result={"games": 12})
            self.assertEqual(web.post("/work/complete", done)["status"], "completed")
            self.assertEqual(web.post("/work/complete", done)["status"], "failed")  # never twice
            shown = web.get("/work/status/" + work["work_id"])
            self.assertEqual((shown["status"], shown["result"]), ("completed", {"games": 12}))

    def test_what_comes_twice_and_what_stands_beside_the_path(self):
        web = self.web("n2")
        item = {"work_type": "hyperparam_sweep", "idempotency_key": "a-1"}
        first = web.post("/work/add", item)["work_id"]
        self.assertEqual(web.post("/work/add", item)["work_id"], first)
        second = web.post("/work/add", dict(item, idempotency_key="a-2"))["work_id"]
        self.assertNotEqual(second, first)
        self.assertEqual(web.get(f"/work/status/{first}?work_id={second}")["work_id"], first)
        self.assertEqual(web.post(f"/jobs/{first}/cancel", {"job_id": second})["work_id"], first)
        self.assertEqual(web.get(f"/jobs/{second}")["status"], "pending")
        self.assertEqual(web.get("/work/history?limit=007&status=cancelled")["limit"], 7)
        self.assertEqual(web.get("/work/history?status=odd", 400)["code"], "BAD_ARGUMENT")
        web.post("/work/cancel", {"work_id": second})

    def test_failed_and_cancelled_work(self):
        web = self.web("n2")
        batch = web.post("/work/add_batch", {"items": [
            {"work_type": "gauntlet", "max_attempts": 1}, {"work_type": "gauntlet"}]})
        self.assertEqual((batch["count"], len(batch["results"])), (2, 2))
        first, second = batch["work_ids"]
        items = web.get("/work/claim_batch?node_id=n3&capabilities=gauntlet&max_items=1")["items"]
        self.assertEqual([one["work_id"] for one in items], [first])
        failed = web.post("/work/fail", {"work_id": first, "error": "board missing"})
        self.assertEqual(failed["status"], "failed")
        wait_until(lambda: web.get("/jobs/" + first)["status"] == "failed", 5, "dead letter")
        self.assertEqual(web.get("/jobs/" + first)["error"], "board missing")
        dead = web.get("/work/history?status=failed")["history"]
        self.assertIn(first, [one["work_id"] for one in dead])
        self.assertEqual(web.post(f"/jobs/{second}/cancel")["status"], "cancelled")
        self.assertEqual(web.get("/work/claim?node_id=n3&capabilities=gauntlet")["status"],
                         "no_work_available")
        self.assertEqual(web.get("/work/claim?node_id=stranger", 403)["code"], "REJECTED")
        self.assertEqual(web.post("/work/add", {"work_type": "unheard-of"}, 400)["code"],
                         "UNKNOWN_KIND")
        self.assertEqual(web.post("/work/retry", {"work_id": first})["status"], "pending")
        self.assertEqual(web.post("/work/retry", {"work_id": first})["status"], "failed")
        self.assertEqual(web.post("/work/cancel", {"work_id": first})["status"], "cancelled")

    def test_jobs_of_the_former_client(self):
        web = self.web("n3")
        job = web.post("/jobs", {"job_type": "training", "config_key": "hex8_2p", "num_games": 40,
                                 "priority": 60, "metadata": {"run": "a"}})
        wait_until(lambda: job["job_id"] in [one["job_id"] for one in web.get("/jobs")["jobs"]], 5,
                   "the job is listed")
        shown = web.get("/api/jobs/" + job["job_id"])["job"]
        self.assertEqual((shown["config_key"], shown["num_games"], shown["status"]),
                         ("hex8_2p", 40, "pending"))
        self.assertIs(web.post("/stop_job", {"job_id": job["job_id"]})["success"], True)
        self.assertIs(web.post("/register", {"node_id": "n2", "host": "x"})["success"], True)
        self.assertEqual(web.post("/register", {"node_id": "stranger"}, 403)["code"],
                         "NOT_IN_ROSTER")

    # ---- events --------------------------------------------------------------------------------

    def test_events_come_in_order_and_resume(self):
        stream = Stream(self.web("n2"))
        seen = [stream.next() for _ in range(3)]
        stream.close()
        numbers = [json.loads(one["data"])["seq"] for one in seen]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + 3)))
        again = Stream(self.web("n2"), seen[0]["id"])
        self.assertEqual(again.next(), seen[1])
        again.close()
        lost = Stream(self.web("n2"), "0123456789abcdef-7")
        self.assertEqual(lost.next()["event"], "lost")
        lost.close()


class HttpOff(ClusterTest):
    options = ("--http-port", "0")

    def test_nobody_listens(self):
        for port in (Web(self.cluster, "n1").port, Web(self.cluster, "n1").health_port):
            with self.assertRaises(OSError):
                Web(self.cluster, "n1").connect(port)


class HttpWithoutToken(ClusterTest):
    def test_nothing_is_changed(self):
        web = Web(self.cluster, "n1", TOKEN)
        self.assertEqual(web.post("/work/add", {"work_type": "selfplay"}, 403)["code"],
                         "NO_TOKEN_SET")
        self.assertEqual(web.get("/status")["node_id"], "n1")


if __name__ == "__main__":
    unittest.main()
