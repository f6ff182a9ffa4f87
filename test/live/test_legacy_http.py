#!/usr/bin/python3
"""Scripts that were written for the former orchestrator, run against this one as they are."""

import re
import shutil
import subprocess
import unittest

import legacy_clients as old
from cluster import Cluster
from clustertest import ClusterTest, wait_until
from legacy_documents import (ALL_PEERS, BACKPRESSURE, HEALTH, ISOLATED, JOB, KINDS, NODE_INFO,
                              OF_PEER, OF_SELF, STATUS, WORK_ITEM, WORK_STATUS)
from web import TOKEN, Web

# Word for word from the instructions that operators had; only where they ask is another place.
ONE_LINERS = {
    "is it up": ("curl http://localhost:8770/health", r'"healthy": ?true'),
    "leader and nodes": ("""\
curl -s http://localhost:8770/status | python3 -c '
import sys,json; d=json.load(sys.stdin)
print(f"Leader: {d[\\"leader_id\\"]}, Alive: {d[\\"alive_peers\\"]} nodes")
'""", r"^Leader: n[1-4], Alive: 3 nodes$"),
    "wait for a leader": ("""\
LEADER=$(curl -s http://localhost:8770/status | python3 -c "import sys,json; \
print(json.load(sys.stdin).get('leader_id','NONE'))")
echo "Leader: $LEADER"

if [ "$LEADER" == "NONE" ]; then
    echo "ERROR: No leader elected"
    exit 1
fi""", r"^Leader: n[1-4]$"),
    "verification": ("""\
curl -s http://localhost:8770/status | python3 -c "
import sys,json
d = json.load(sys.stdin)
print(f'Leader: {d.get(\\"leader_id\\")}')
print(f'Voters alive: {d.get(\\"voters_alive\\")}/10')
print(f'Alive peers: {d.get(\\"alive_peers\\")}')
\"""", r"^Leader: n[1-4]\nVoters alive: 3/10\nAlive peers: 3$"),
    "health": ("curl -s http://localhost:8770/health", r'"node_id": ?"n[1-4]"'),
    "all of it": ("curl -s http://localhost:8770/status | python3 -m json.tool",
                  r'^    "voter_quorum_ok": true,$'),
    "summary": ("""\
curl -s http://localhost:8770/status | python3 -c '
import sys,json
d = json.load(sys.stdin)
print(f"Leader: {d.get(\\"leader_id\\")}")
print(f"Alive peers: {d.get(\\"alive_peers\\")}")
print(f"Role: {d.get(\\"role\\")}")
'""", r"^Leader: n[1-4]\nAlive peers: 3\nRole: (leader|follower)$"),
}


def for_this_python(line):
    """The shell leaves \\" within '...' as it is; Python takes that in an f-string since 3.12."""
    asked = "import sys; sys.exit(sys.version_info < (3, 12))"
    if "-c '" not in line or subprocess.run(["python3", "-c", asked], check=False).returncode == 0:
        return line
    return line.replace('\\"', "'\\''")


class FormerCluster(Cluster):
    init_options = ("--voters", "3")


class LegacyHttp(ClusterTest):
    """Three voters, and n4 which is none."""

    options = ("--http-token", TOKEN)

    @classmethod
    def make_cluster(cls):
        return FormerCluster(4)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in cls.cluster.names:
            web = Web(cls.cluster, name)
            wait_until(lambda one=web: one.get("/health")["active_peers"] == 3, 10, "three peers")
            wait_until(lambda one=web: one.get("/status")["alive_peers"] == 3, 10, "here, too")

    def setUp(self):
        for name in self.cluster.names:
            self.wait_named(lambda leader, one: one.get("/health")["leader_id"] == leader,
                            Web(self.cluster, name))

    def wait_named(self, is_so, *more):
        """Until is_so(leader, *more): who leads may change between two looks."""
        wait_until(lambda: is_so(self.cluster.wait_leader(), *more), 15, "it names who leads")

    @staticmethod
    def role(name, leader):
        return "leader" if name == leader else "follower"

    def base(self, node="n1", port=None):
        web = Web(self.cluster, node)
        return f"http://127.0.0.1:{port or web.port}"

    def each_node(self, names=None):
        for name in names or self.cluster.names:
            with self.subTest(node=name):
                yield name, self.base(name)

    def assertTyped(self, document, kinds, where):
        for key, kind in kinds.items():
            self.assertIn(key, document, where)
            value = document[key]
            is_right = isinstance(value, kind)
            if isinstance(value, bool):
                is_right = kind is bool or (isinstance(kind, tuple) and bool in kind)
            self.assertTrue(is_right, f"{where}: {key} is {value!r}")

    # ---- documents -----------------------------------------------------------------------------

    def test_health_has_every_former_field(self):
        for name, base in self.each_node():
            status, health = old.call("GET", base + "/health")
            self.assertEqual(status, 200)
            self.assertTyped(health, HEALTH, "/health")
            self.assertEqual((health["node_id"], health["status"]), (name, "healthy"))
            self.wait_named(lambda leader, node, at: old.call("GET", at + "/health")[1]["role"] ==
                            self.role(node, leader), name, base)
            own = self.base(name, Web(self.cluster, name).health_port)
            self.assertTyped(old.call("GET", own + "/health")[1], ISOLATED, "health port")
            self.assertEqual(old.call("GET", own + "/ready")[0], 200)

    def test_status_has_every_former_field(self):
        for name, base in self.each_node():
            seen = old.call("GET", base + "/status?no_cache=1&include_stale_jobs=1")[1]
            self.assertTyped(seen, STATUS, "/status")
            self.assertTyped(seen["self"], {**NODE_INFO, **OF_SELF}, "self")
            self.assertEqual(set(seen["peers"]), set(self.cluster.names) - {name})
            for peer, info in seen["peers"].items():
                self.assertTyped(info, {**NODE_INFO, **OF_PEER}, "peer")
                self.assertEqual(info["leader_eligible"], peer != "n4")
                self.assertTyped(seen["all_peers"][peer], ALL_PEERS, "all_peers")
                self.assertEqual(seen["all_peers"][peer]["status"], "alive")
            self.assertEqual(sorted(seen["voter_node_ids"]), ["n1", "n2", "n3"])
            self.assertEqual((seen["voter_quorum_size"], seen["voters_alive"]), (2, 3))
            self.assertEqual(seen["status"], seen["role"])
            self.assertIs(seen["swim_raft"]["swim"]["started"], True)
            self.assertEqual(seen["swim_raft"]["swim"]["alive_count"], 4)
            self.assertIsInstance(seen["swim_raft"]["raft"]["available"], bool)
            alive = old.call("GET", base + "/status?alive_only=true")[1]
            self.assertEqual(set(alive["peers"]), set(seen["peers"]))

    # ---- clients -------------------------------------------------------------------------------

    def test_the_client_library(self):
        for name, base in self.each_node(["n1", "n2", "n3"]):
            client = old.P2PClient(base, TOKEN)
            self.assertTrue(client.is_healthy())
            status = client.get_status()
            self.assertEqual((status["node_id"], len(status["online"]), status["total"]),
                             (name, 3, 3))
            self.assertGreater(status["uptime"], 0)
            job = client.submit("training", config_key="hex8_2p", num_games=40, priority=60,
                                metadata={"run": "a"}, node_id="n2")
            wait_until(lambda who=client, one=job: one in [seen["job_id"] for seen in
                                                           who.list_jobs()], 5, "it is listed")
            self.assertEqual(client.get_job(job)["status"], "pending")
            self.assertTrue(client.cancel(job))
            wait_until(lambda who=client, one=job: who.get_job(one)["status"] == "cancelled", 5,
                       "it is cancelled")
            self.assertIsNotNone(client.get_job(job)["completed_at"])

    def test_the_scripts_that_look(self):
        for name, base in self.each_node():
            line = old.check_p2p_status(base)
            self.assertEqual(line["alive"], 3)
            self.wait_named(lambda leader, at: old.check_p2p_status(at)["leader"] == leader, base)
            self.assertRegex(line["gpu"], r"^.*\d+%$")
            self.assertTrue(old.check_p2p_all_nodes(base))
            self.wait_named(lambda leader, node, at: old.check_p2p_cluster_status(at) ==
                            ("OK", self.role(node, leader), leader, 3), name, base)
            self.assertEqual(old.check_p2p_comprehensive(base),
                             {one: self.disk_trouble() for one in self.cluster.names})
            self.assertEqual(old.monitor_p2p_cluster(base), (3, 3, True, []))
            self.assertEqual(old.p2p_watchdog(base), self.cluster.names)
            self.assertTrue(old.setup_script(base))

    def disk_trouble(self):
        """What all nodes on this machine say of their disk."""
        disk = shutil.disk_usage(self.cluster.directory)
        return "disk" if disk.used > 0.9 * (disk.used + disk.free) else None

    def test_the_supervisor_of_a_node(self):
        for name, base in self.each_node(["n1", "n2", "n3"]):
            node = old.NodeResilience(base, TOKEN)
            self.assertTrue(node.is_alive())
            self.assertTrue(node.is_connected())
            self.assertEqual(node.local_jobs(), {})
            started = node.start_job("selfplay", board_type="hex8", num_players=2)
            self.assertIs(started["success"], True)
            self.assertEqual(started["job"]["job_type"], "selfplay")
            job = started["job"]["job_id"]
            # The leader lists it; what it holds is read from the node's own log, a moment later.
            listed = wait_until(lambda where=base, one=job: [
                seen for seen in old.call("GET", where + "/api/jobs")[1]["jobs"]
                if seen["job_id"] == one and seen["board_type"]], 10, "it is listed")[0]
            self.assertTyped(listed, JOB, "/api/jobs")
            self.assertEqual((listed["board_type"], listed["num_players"]), ("hex8", 2))
            worker = old.Worker(base, TOKEN, name)
            self.assertEqual(worker.claim("selfplay")["work_id"], job)
            wait_until(lambda who=node, one=job: who.local_jobs() == {one: "selfplay"}, 5,
                       "what the node has claimed is its own")
            self.assertTrue(node.stop_job(job))
            self.assertTrue(node.restart_stuck_jobs())
            self.assertTrue(node.register(name))
            self.assertFalse(node.register("stranger"))
            wait_until(lambda who=node: who.local_jobs() == {}, 5, "it is gone")

    # ---- work ----------------------------------------------------------------------------------

    def test_work_of_every_kind_from_add_to_history(self):
        worker = old.Worker(self.base("n2"), TOKEN, "n2")
        for kind in KINDS:
            with self.subTest(kind=kind):
                status, added = worker.post("/work/add", work_type=kind, priority=70, config={
                    "board": "hex8", "players": 2, "nested": {"a": [1, 2]}}, timeout_seconds=900)
                self.assertEqual((status, added["status"], added["work_type"], added["priority"]),
                                 (200, "added", kind, 70))
                self.assertTyped(added, {"work_id": str, "job_id": str, "success": bool}, "add")
                work = worker.claim(kind)
                self.assertEqual(work["work_id"], added["work_id"])
                self.assertEqual(work["config"], {"board": "hex8", "players": 2,
                                                  "nested": {"a": [1, 2]}})
                self.assertEqual((work["status"], work["claimed_by"], work["timeout_seconds"]),
                                 ("claimed", "n2", 900))
                one = {"work_id": work["work_id"]}
                self.assertEqual(worker.post("/work/start", **one)[1],
                                 {"status": "started", "success": True, **one})
                held = worker.get("/work/node/n2")[1]
                self.assertEqual((held["node_id"], held["count"]), ("n2", len(held["work_items"])))
                self.assertEqual(worker.post("/work/complete", result={"games": 3}, **one)[1],
                                 {"status": "completed", "success": True, **one})
                again = worker.post("/work/complete", result={"games": 4}, **one)[1]
                self.assertEqual((again["status"], again["success"]), ("failed", False))
                shown = worker.get("/work/status/" + work["work_id"])[1]
                self.assertTyped(shown, WORK_ITEM, "/work/status/{id}")
                self.assertEqual((shown["status"], shown["result"]), ("completed", {"games": 3}))
                self.assertLessEqual(shown["started_at"], shown["completed_at"])
        history = worker.get("/work/history?limit=10&status=completed")[1]
        self.assertEqual((history["count"], history["limit"], history["status_filter"]),
                         (10, 10, "completed"))
        for one in history["history"]:
            self.assertTyped(one, WORK_ITEM, "history")

    def test_batches_failures_and_the_state_of_the_queue(self):
        worker = old.Worker(self.base("n3"), TOKEN, "n3")
        batch = worker.post("/work/add_batch", items=[
            {"work_type": "gauntlet", "max_attempts": 1} for _ in range(3)])[1]
        self.assertTyped(batch, {"status": str, "count": int, "work_ids": list, "errors": list,
                                 "results": list, "success": bool}, "add_batch")
        self.assertEqual((batch["status"], batch["count"], batch["errors"]), ("added", 3, []))
        first, second, third = batch["work_ids"]
        later = worker.post("/work/add", work_type="validation", depends_on=[third])[1]["work_id"]
        wait_until(lambda: worker.get("/work/status")[1]["by_type"].get("gauntlet") == 3, 5,
                   "three are queued")
        seen = worker.get("/work/status")[1]
        self.assertTyped(seen, WORK_STATUS, "/work/status")
        self.assertTyped(seen["backpressure"], BACKPRESSURE, "backpressure")
        self.assertLessEqual(len(seen["pending"]), 10)
        for one in seen["pending"]:
            self.assertTyped(one, WORK_ITEM, "pending")
        taken = worker.get("/work/claim_batch?node_id=n3&capabilities=gauntlet&max_items=2")[1]
        self.assertEqual((taken["status"], taken["count"]), ("claimed", 2))
        self.assertEqual([one["work_id"] for one in taken["items"]], [first, second])
        self.assertEqual(worker.post("/work/fail", work_id=first, error="no board")[1]["status"],
                         "failed")
        wait_until(lambda: worker.get("/work/status/" + first)[1]["error"] == "no board", 5, "why")
        self.assertEqual(worker.post("/work/fail", work_id=first, error="x")[1]["status"],
                         "not_found")
        self.assertEqual(worker.post("/work/cancel", work_id=second)[1]["status"], "cancelled")
        other = worker.post("/work/complete", work_id=second)[1]  # it was claimed; no longer
        self.assertEqual((other["status"], other["success"]), ("failed", False))
        self.assertIsNone(worker.claim("validation"))  # it depends on another
        self.assertEqual(worker.get("/work/claim_training?node_id=n3&capabilities=training")[1],
                         {"status": "no_work_available"})
        peer = worker.post("/work/peer_claim", node_id="n3", capabilities="gauntlet")[1]
        self.assertEqual(peer["work"]["work_id"], third)
        worker.post("/work/complete", work_id=third)
        self.assertEqual(worker.claim("validation")["work_id"], later)
        worker.post("/work/complete", work_id=later)
        self.assertEqual(worker.post("/work/cancel", work_id=first)[1]["status"], "cancelled")
        self.assertEqual(worker.get("/work/claim?node_id=unknown")[0], 403)
        self.assertIs(worker.get("/work/populator")[1]["enabled"], False)
        listed = worker.get("/work/list")[1]["works"]
        self.assertNotIn(third, [str(one["id"]) for one in listed])

    def test_who_may_not_vote_names_the_leader(self):
        def ask():
            return old.Worker(self.base("n4"), TOKEN, "n4").post("/work/cancel", work_id="1")

        status, answer = ask()
        self.assertEqual((status, answer["code"]), (403, "NOT_LEADER"))
        self.wait_named(lambda leader: ask()[1]["leader_id"] == leader)
        self.assertTyped(answer, {"error": str, "status": int, "details": dict}, "error")

    def test_a_token_in_either_header_and_no_other_way(self):
        for base in (self.base("n1"), self.base("n4")):
            for path in ("/work/add", "/start_job", "/register", "/sync/start", "/cleanup"):
                status, answer = old.call("POST", base + path, {"work_type": "selfplay"})
                self.assertEqual((status, answer["error"]), (401, "unauthorized"), path)
            for path in ("/sync/file?path=x", "/relay/peers", "/election/grant"):
                self.assertEqual(old.call("GET", base + path)[0], 401, path)

    # ---- the rest ------------------------------------------------------------------------------

    def test_protocols_and_elections(self):
        for name, base in self.each_node():
            swim = old.call("GET", base + "/swim/status")[1]
            self.assertTyped(swim, {"enabled": bool, "started": bool, "alive_count": int}, "swim")
            raft = old.call("GET", base + "/raft/status")[1]
            self.assertTyped(raft, {"enabled": bool, "available": bool, "is_leader": bool,
                                    "leader_id": str, "term": int}, "raft")
            def granted(leader, at):
                grant = old.call("GET", at + "/election/grant", token=TOKEN)[1]
                return (grant["granted"], grant["leader_id"]) == (True, leader)

            self.wait_named(granted, base)
            peers = old.call("GET", base + "/relay/peers", token=TOKEN)[1]
            self.assertIs(peers["success"], True)
            self.assertEqual(set(peers["peers"]), set(self.cluster.names) - {name})
            self.assertIn("total_items", old.call("GET", base + "/raft/work")[1])
            self.assertIn("jobs", old.call("GET", base + "/raft/jobs")[1])

    def test_triggers_of_training_add_work(self):
        base = self.base("n1")
        for path, kind in (("/training/nnue/start", "training"),
                           ("/training/cmaes/start", "gpu_cmaes")):
            answer = old.call("POST", base + path, {"config_key": "hex8_2p"}, TOKEN)[1]
            self.assertEqual((answer["success"], answer["job"]["job_type"]), (True, kind))
            shown = old.call("GET", f"{base}/jobs/{answer['job_id']}")[1]
            self.assertEqual((shown["job_type"], shown["config_key"]), (kind, "hex8_2p"))
            old.call("POST", base + "/job/kill", {"job_id": answer["job_id"]}, TOKEN)

    def test_what_is_not_done_any_more_says_so(self):
        base = self.base("n2")
        for method, path in (("GET", "/sync/file?path=data/a.npz"), ("GET", "/data_manifest"),
                             ("POST", "/sync/start"), ("POST", "/sync/training"),
                             ("POST", "/cleanup"), ("POST", "/cleanup/files"),
                             ("POST", "/admin/add_peer"), ("GET", "/raft/lock/games"),
                             ("POST", "/raft/lock/games")):
            status, answer = old.call(method, base + path, {} if method == "POST" else None, TOKEN)
            self.assertEqual((status, answer["code"]), (410, "GONE"), path)
            self.assertGreater(len(answer["error"]), 10, path)
            self.assertGreater(len(answer["next"]), 10, path)
        for method, path in (("GET", "/admin/purge_stale"), ("POST", "/admin/clear_nat_blocked")):
            status, answer = old.call(method, base + path, {} if method == "POST" else None, TOKEN)
            self.assertEqual((status, answer["success"]), (200, True), path)
        answer = old.call("POST", base + "/admin/unretire", {"node_id": "n3"}, TOKEN)[1]
        self.assertEqual((answer["success"], answer["retired"]), (True, False))
        stranger = old.call("POST", base + "/admin/unretire", {"node_id": "x"}, TOKEN)
        self.assertEqual(stranger[0], 404)

    def test_the_one_liners(self):
        for name, base in self.each_node():
            for what, (line, expected) in ONE_LINERS.items():
                here = for_this_python(line.replace("http://localhost:8770", base))
                done = subprocess.run(["bash", "-c", here], text=True, capture_output=True,
                                      check=False, timeout=30)
                with self.subTest(line=what, errors=done.stderr[-300:]):
                    self.assertEqual(done.returncode, 0)
                    self.assertRegex(done.stdout.strip(), re.compile(expected, re.M))


if __name__ == "__main__":
    unittest.main()
