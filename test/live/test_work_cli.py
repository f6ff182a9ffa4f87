#!/usr/bin/python3
"""The operator's commands about work, against real daemons that run real jobs."""

import json
import re
import unittest

from clustertest import ClusterTest, Gate, wait_until

JOBS = """
jobs:
  echo:
    command: [sh, -c, 'cat; echo " ran on $RIFTBUS_NODE"']
    needs: cpus>=0.1
  broken:
    command: [sh, -c, 'echo "no luck" >&2; exit 3']
    needs: cpus>=0.1
    attempts_max: 1
  gated: {{command: [sh, -c, '{gate}'], needs: cpus>=0.01}}
  long: {{command: [seq, '200000'], needs: cpus>=0.1}}
  flood:
    command: [sh, -c, 'yes flood | head -c 3000000; echo last']
    needs: cpus>=0.1
    output_mb_max: 1
  silent: {{command: ['true'], needs: cpus>=0.1}}
  nap:
    command: [sleep, "60"]
    needs: cpus>=0.1
"""


class WorkCommands(ClusterTest):
    nodes = 3

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gate = Gate(cls.cluster.file("gate"))
        with open(cls.cluster.file("cluster.yaml"), "a", encoding="utf-8") as file:
            file.write(JOBS.format(gate=cls.gate))
        for name in cls.cluster.names:
            cls.cluster.stop_gently(name)
            cls.cluster.start(name)
        cls.cluster.wait_whole(seconds=60)

    def work(self, *arguments, **options):
        return self.cluster.operate(*arguments, node="n1", **options)

    def ask(self, *arguments):
        return self.cluster.ask("n1", *arguments)

    def add(self, *arguments, status=0):
        return json.loads(self.work("work", "add", "-o", "json", *arguments, statuses=(status,)))

    def write(self, name, text):
        path = self.cluster.file(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def state(self, number):
        return self.ask("work", "show", str(number))["work"]["state"]

    def test_work_that_is_waited_for_is_done_and_its_output_can_be_read(self):
        added = self.add("echo", "--param", "scene=7", "--wait", "--", "--fast", "in")
        number = added["items"][0]["id"]
        shown = self.ask("work", "show", str(number))["work"]
        self.assertEqual(shown["state"], "done")
        logs = self.work("work", "logs", str(number))
        self.assertIn('{"params":{"scene":"7"},"args":["--fast","in"]}', logs)
        self.assertIn(f" ran on {shown['node']}", logs)
        history = self.ask("work", "history")["works"]
        self.assertIn(number, [one["id"] for one in history])

    def test_wrong_lines_are_named_and_all_others_are_added(self):
        path = self.write("items.jsonl", '{"kind":"echo"}\nnonsense\n\n'
                                         '{"kind":"ecko"}\n{"kind":"echo","after":[999999]}\n'
                                         '{"kind":"echo","priority":9}\n')
        added = self.add("--from", path, status=65)
        self.assertEqual(added["added"], 2)
        said = {one["line"]: one.get("code") for one in added["items"]}
        self.assertEqual(said, {1: None, 2: 1560, 4: 1561, 5: 1562, 6: None})

    def test_a_repeated_request_adds_nothing_twice(self):
        path = self.write("names.txt", "".join(f"file {i}\n" for i in range(600)))
        first = self.add("echo", "--each", path, "--request-id", "again", "--delay", "1h")
        again = self.add("echo", "--each", path, "--request-id", "again", "--delay", "1h")
        self.assertEqual(first["added"], 600)
        self.assertEqual(first["ids"], again["ids"])
        listed = self.ask("work", "list", "--state", "delayed", "--lines", "5000")["works"]
        self.assertEqual(len(listed), 600)
        self.work("--yes", "work", "cancel", first["ids"])
        self.assertEqual(self.ask("work", "list", "--state", "delayed")["works"], [])

    def test_why_work_counts_the_nodes_that_do_not_fit(self):
        number = self.add("echo", "--needs", "gpus>=9")["items"][0]["id"]
        wait_until(lambda: "gpus>=9" in self.work("why", "work", str(number)), 10,
                   "the clause is named")
        self.work("work", "cancel", str(number))
        self.assertEqual(self.state(number), "cancelled")
        self.work("work", "cancel", str(number + 1000), statuses=(1,))

    def test_a_group_runs_no_more_than_its_limit(self):
        def group(*options):
            shown = self.ask("work", "group", "film", *options)
            return shown["leased"], shown["limit"], shown["weight"]
        self.addCleanup(self.gate.open)
        self.gate.shut()
        self.assertEqual(group(), (0, 0, 1))
        self.assertEqual(group("--weight", "3"), (0, 0, 3))
        self.assertEqual(group("--limit", "1"), (0, 1, 3), "the weight stays")
        first, second = (self.add("gated", "--group", "film")["items"][0]["id"] for _ in range(2))
        wait_until(lambda: self.state(first) == "leased", 30, "the first runs")
        wait_until(lambda: "its group runs 1 of at most 1" in self.work("why", "work", str(second)),
                   10, "it is said why the second does not")
        self.assertEqual(self.work("work", "group", "film"),
                         "group film: 1 running, limit 1, weight 3\n")
        self.work("work", "group", "film", "--limit", "2")
        wait_until(lambda: self.state(second) == "leased", 30, "now the second runs, too")
        self.gate.open()
        wait_until(lambda: self.state(first) == self.state(second) == "done", 30, "both are done")
        self.assertEqual(group("--limit", "0"), (0, 0, 3))
        self.assertEqual(group("--weight", "1"), (0, 0, 1))
        self.assertNotIn("film", [one["group"] for one in self.ask("work", "stats")["groups"]])
        for wrong in (("--limit", "many"), ("--weight", "0"), ("--limit", "-1")):
            self.work("work", "group", "film", *wrong, statuses=(64,))
        self.work("work", "group", "", "--limit", "1", statuses=(64,))

    def test_all_output_that_is_kept_is_shown_and_the_rest_is_counted(self):
        def logs(kind):
            number = self.add(kind, "--wait")["items"][0]["id"]
            return number, self.work("work", "logs", str(number), both=True)
        _, (out, said) = logs("long")
        self.assertEqual(out.splitlines()[1:], [str(number) for number in range(1, 200001)])
        self.assertEqual(said, "")
        number, (out, said) = logs("flood")
        self.assertTrue(out.endswith("flood\nlast\n"))
        output = self.ask("work", "logs", str(number))["work"]["output"]
        lost = output["left_out"]["stdout"]
        self.assertEqual(len(output["stdout"]) + lost, 3000005)
        self.assertGreater(lost, 1900000)
        self.assertIn(f"of 3000005 bytes of stdout, {lost} are not shown", said)
        _, (out, said) = logs("silent")
        self.assertEqual((out, said), ("it wrote nothing\n", ""))

    def test_ended_work_has_no_values_that_history_does_not_keep(self):
        number = self.add("echo", "--priority", "80", "--wait")["items"][0]["id"]
        shown = self.ask("work", "show", str(number))["work"]
        self.assertEqual([shown[key] for key in ("priority", "group", "percent", "payload_bytes")],
                         [None] * 4)
        self.assertNotIn("priority", self.work("work", "show", str(number)))

    def test_what_was_there_already_is_told_from_what_was_added(self):
        path = self.write("twice.jsonl", '{"kind":"echo","dedupe":"a"}\n{"kind":"echo"}\n'
                                         '{"kind":"echo","dedupe":"a"}\n')
        said = self.work("work", "add", "--from", path)
        found = re.fullmatch(r"added 2: (\d+)-(\d+); 1 was there already: (\d+)\n", said)
        self.assertIsNotNone(found, said)
        self.assertEqual(found[3], found[1])
        self.assertEqual(self.work("work", "add", "echo", "--dedupe", "a"),
                         f"added 0; 1 was there already: {found[1]}\n")

    def test_what_runs_is_soon_stopped_when_it_is_cancelled_or_past_its_deadline(self):
        path = self.write("late.jsonl", '{"kind":"nap","deadline_s":2}\n')
        late, cancelled = (self.add(*what)["items"][0]["id"]
                           for what in (("--from", path), ("nap",)))
        wait_until(lambda: self.state(cancelled) == "leased", 20, "it runs")
        self.work("work", "cancel", str(cancelled))
        # Well before the job's own end, and before a lease of ten minutes needs a renewal.
        wait_until(lambda: self.state(cancelled) == "cancelled", 15, "its node has stopped it")
        wait_until(lambda: self.state(late) == "cancelled", 15, "so is what is late")
        self.assertIn("cancelled (deadline)", self.work("work", "show", str(late)))
        self.assertIn("an operator cancelled it", self.work("why", "work", str(cancelled)))

    def test_a_dead_letter_is_reported_and_may_be_tried_again(self):
        added = self.add("broken", "--wait", status=1)
        number = added["items"][0]["id"]
        self.assertEqual(self.state(number), "dead")
        self.assertIn("no luck", self.work("work", "logs", str(number)))
        self.work("work", "retry", str(number))
        wait_until(lambda: len(self.ask("work", "show", str(number))["work"]["attempts"]) == 2, 30,
                   "it was tried again")
        self.assertEqual(self.ask("work", "stats")["items"]["ready"], 0)

    def test_a_drained_node_takes_nothing_until_it_is_resumed(self):
        for name in self.cluster.names:
            self.addCleanup(self.work, "node", "resume", name)
            self.assertIn("takes no more work", self.work("node", "drain", name))
        number = self.add("echo")["items"][0]["id"]
        # A claim that was waiting at the leader is still granted, and given back.
        wait_until(lambda: "takes no more work" in self.work("node", "drain", "n1") and
                   self.state(number) in ("ready", "delayed"), 20, "nobody keeps it")
        self.assertEqual(self.ask("work", "show", str(number))["work"]["result"], "")
        every = len(self.cluster.names)
        wait_until(lambda: self.ask("why", "work", str(number))["workers"]["drained"] == every, 20,
                   "the leader knows who is drained")
        said = self.work("why", "work", str(number))
        self.assertIn(f"{every} workers could run it, if not drained", said)
        self.assertNotIn("could take it now", said)
        wait_until(lambda: self.work("node", "list").count("alive, drained") == every, 20,
                   "everybody knows")
        for name in self.cluster.names:
            self.assertIn("takes work", self.work("node", "resume", name))
        wait_until(lambda: self.state(number) == "done", 30, "it is done")
        wait_until(lambda: "drained" not in self.work("node", "list"), 20, "all are told")


if __name__ == "__main__":
    unittest.main()
