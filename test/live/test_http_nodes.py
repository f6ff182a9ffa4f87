#!/usr/bin/python3
"""What lies on one node, asked of any over HTTP: a job's output, drain, flags; and ended work."""

import unittest

from clustertest import ClusterTest, Gate, wait_until
from web import TOKEN, Web

JOBS = """
jobs:
  count:
    command: [sh, -c, 'seq 1 $(cat | tr -cd 0-9); echo loud >&2; {gate}; echo end of $RIFTBUS_NODE']
    needs: cpus>=0.1
  flood:
    command: [sh, -c, 'yes flood | head -c 3000000; echo last']
    needs: cpus>=0.1
    output_mb_max: 1
  broken: {{command: [sh, -c, 'exit 3'], needs: cpus>=0.1, attempts_max: 1}}
"""


class HttpOfNodes(ClusterTest):
    options = ("--http-token", TOKEN)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gate = Gate(cls.cluster.file("gate"))
        cls.cluster.reconfigure(cls.cluster.names, JOBS.format(gate=cls.gate), *cls.options)
        cls.cluster.wait_leader()

    def web(self, node="n1"):
        return Web(self.cluster, node, TOKEN)

    def add(self, kind, **config):
        return self.web().post("/work/add", {"work_type": kind, "config": config})["work_id"]

    def wait_status(self, job, status):
        wait_until(lambda: self.web().get(f"/jobs/{job}")["status"] == status, 60,
                   f"{job} is {status}")
        return self.web().get(f"/jobs/{job}")

    def output(self, node, job, query=""):
        return self.web(node).get(f"/jobs/{job}/output?{query}")

    def test_a_jobs_output_is_read_from_any_node_and_from_where_one_was(self):
        self.gate.shut()
        self.addCleanup(self.gate.open)
        job = self.add("count", upto=3000)
        wait_until(lambda: self.web().get(f"/jobs/{job}")["status"] == "running", 60, "it runs")
        whole = "".join(f"{number}\n" for number in range(1, 3001))
        wait_until(lambda: self.output("n1", job)["text"] == whole, 30, "its output so far")
        first = self.output("n2", job, "offset=0&bytes=1000")
        self.assertEqual((first["text"], first["next"], first["end"]),
                         (whole[:1000], 1000, len(whole)))
        second = self.output("n3", job, f"offset={first['next']}&bytes=1000")
        self.assertEqual(second["text"], whole[1000:2000])
        wait_until(lambda: self.output("n1", job, "stream=stderr")["text"] == "loud\n", 30,
                   "and its other stream")
        self.gate.open()
        self.wait_status(job, "completed")
        for node in self.cluster.names:
            rest = self.output(node, job, f"offset={len(whole)}")
            self.assertEqual(rest["text"], f"end of {rest['node']}\n")
            self.assertEqual(rest["next"], rest["end"])

    def test_bytes_are_counted_from_the_beginning_that_is_kept_no_longer(self):
        job = self.add("flood")
        self.wait_status(job, "completed")
        found = self.output("n2", job, "offset=0&bytes=600")
        self.assertEqual(found["end"], 3000005)
        self.assertEqual(found["offset"], found["begin"])
        self.assertGreater(found["begin"], 1900000)
        shift = found["begin"] % 6
        self.assertEqual(found["text"], ("flood\n" * 101)[shift:shift + 600])
        self.assertEqual(self.output("n1", job, "bytes=5")["text"], "last\n")

    def test_an_output_that_nobody_has_is_said_so(self):
        self.assertEqual(self.web().get("/jobs/999999/output", 404)["code"], "NO_SUCH_WORK")
        self.assertEqual(self.web().get("/jobs/1/output?node=stranger", 404)["code"],
                         "NO_SUCH_NODE")
        waiting = self.web().post("/work/add", {"work_type": "selfplay"})["work_id"]
        self.assertEqual(self.web().get(f"/jobs/{waiting}/output", 404)["code"], "NO_OUTPUT")
        self.web().post("/work/cancel", {"work_id": waiting})

    def test_any_node_drains_any_other_in_the_operators_name(self):
        for node in ("n1", "n2"):
            drained = self.web(node).post("/drain", {"mode": "drain", "node_id": "n3"})
            self.assertEqual((drained["node"], drained["draining"]), ("n3", True))
            self.assertIs(self.cluster.status("n3")["jobs"]["draining"], True)
            self.assertIs(self.cluster.status(node)["jobs"]["draining"], False)
            wait_until(lambda one=node: self.web(one).get("/executor?node_id=n3")["draining"], 5,
                       "it shows")
            resumed = self.web(node).post("/drain", {"mode": "resume", "node_id": "n3"})
            self.assertIs(resumed["draining"], False)
        self.assertEqual(self.web().post("/drain", {"mode": "drain", "node_id": "stranger"}, 404)
                         ["code"], "NO_SUCH_NODE")
        anonymous = Web(self.cluster, "n1")
        anonymous.post("/drain", {"mode": "drain", "node_id": "n3"}, 401)

    def test_flags_are_shown_and_changed_live_on_any_node(self):
        def shown(node):
            return self.web(node).get("/status")["swim_raft"]["flags"]
        self.assertEqual(shown("n2"), {"MEMBERSHIP_MODE": "swim", "RINGRIFT_SWIM_ENABLED": True,
                                       "CONSENSUS_MODE": "raft", "RAFT_ENABLED": True})
        for flags, mode in (({"CONSENSUS_MODE": "hybrid"}, "hybrid"), ({"RAFT_ENABLED": "false"},
                            "bully"), ({"CONSENSUS_MODE": "configured"}, "raft")):
            changed = self.web("n1").post("/flags", dict(flags, node_id="n2"))
            self.assertEqual((changed["node_id"], changed["flags"]["CONSENSUS_MODE"]), ("n2", mode))
            wait_until(lambda wanted=mode: shown("n2")["CONSENSUS_MODE"] == wanted, 5, "it shows")
        self.assertEqual(shown("n1")["CONSENSUS_MODE"], "raft")
        self.assertEqual(self.web().post("/flags", {"RINGRIFT_SWIM_ENABLED": "false"}, 409)["code"],
                         "REFUSED")
        self.web().post("/flags", {"MEMBERSHIP_MODE": "none"}, 400)
        both = {"MEMBERSHIP_MODE": "hybrid", "CONSENSUS_MODE": "hybrid", "node_id": "n2"}
        self.web("n1").post("/flags", both)
        wait_until(lambda: (shown("n2")["MEMBERSHIP_MODE"], shown("n2")["CONSENSUS_MODE"]) ==
                   ("hybrid", "hybrid"), 5, "both show")
        self.assertEqual(shown("n3")["MEMBERSHIP_MODE"], "swim")
        self.cluster.stop_gently("n2")
        self.cluster.start("n2", *self.options)
        self.cluster.wait_whole(seconds=60)
        wait_until(lambda: shown("n2")["MEMBERSHIP_MODE"] == "hybrid", 10, "over a restart")
        everywhere = self.web("n3").post("/flags", {"MEMBERSHIP_MODE": "http", "all": True})
        self.assertIs(everywhere["success"], True)
        self.assertEqual({name: one["flags"]["MEMBERSHIP_MODE"]
                          for name, one in everywhere["nodes"].items()},
                         dict.fromkeys(self.cluster.names, "http"))
        self.assertEqual(
            {one["node"]: one["membership"] for one in self.cluster.ask(
                "n1", "flag", "set", "--membership", "configured")["nodes"]},
            dict.fromkeys(self.cluster.names, "swim"))
        listed = self.cluster.ask("n1", "flag", "list")["nodes"]
        self.assertEqual({one["node"]: one["policy"] for one in listed},
                         {"n1": "raft", "n2": "hybrid", "n3": "raft"})
        self.web("n2").post("/flags", dict.fromkeys(both, "configured") | {"node_id": "n2"})
        wait_until(lambda: shown("n2")["MEMBERSHIP_MODE"] == "swim", 5, "as configured")
        self.web().post("/flags", {"CONSENSUS_MODE": "paxos"}, 400)
        self.web().post("/flags", {}, 400)

    def test_what_has_ended_is_listed(self):
        failed = self.add("broken")
        self.wait_status(failed, "failed")
        cancelled = self.web().post("/work/add", {"work_type": "selfplay"})["work_id"]
        self.web().post("/work/cancel", {"work_id": cancelled})
        done = self.add("flood")
        self.wait_status(done, "completed")

        def ended(status, node="n2"):
            return {one["job_id"]: one["status"]
                    for one in self.web(node).get(f"/jobs?status={status}")["jobs"]}
        every = ended("ended")
        self.assertEqual([every.get(one) for one in (failed, cancelled, done)],
                         ["failed", "cancelled", "completed"])
        self.assertEqual(set(ended("completed").values()), {"completed"})
        self.assertEqual(set(ended("failed").values()), {"failed"})
        newest = self.web("n3").get("/work/ended?limit=1")["works"]
        self.assertEqual([(str(one["id"]), one["state"]) for one in newest], [(done, "done")])


if __name__ == "__main__":
    unittest.main()
