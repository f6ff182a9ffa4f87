"""The clients of the former orchestrator, as they read its answers: same paths and keys, same care.

Each takes a base address ("http://127.0.0.1:PORT") and does what the script of that name did, with
`curl` where that one used curl. None knows anything of what answers here now.
"""

import datetime
import json
import subprocess
import time
import urllib.error
import urllib.request

TIMEOUT_S = 30


def call(method, url, body=None, token=None):
    """(status, parsed answer)"""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    if token:
        headers["X-RingRift-Auth"] = token
    asked = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=TIMEOUT_S) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def curl(*arguments):
    return subprocess.run(["curl", "-s", "--max-time", "10", *arguments], text=True,
                          capture_output=True, check=True).stdout


class P2PClient:
    """The library: P2PClient("http://localhost:8770")."""

    def __init__(self, base, token):
        self.base, self.token = base, token

    def is_healthy(self):
        return call("GET", self.base + "/health")[1]["status"] == "healthy"

    def get_status(self):
        """{node_id, role, online, total, uptime, version}"""
        seen = call("GET", self.base + "/status")[1]
        online = [node for node, info in seen["peers"].items()
                  if time.time() - info["last_heartbeat"] < 180]
        return {"node_id": seen["node_id"], "role": seen["role"], "online": online,
                "total": len(seen["peers"]), "uptime": float(seen["uptime_seconds"]),
                "version": seen["version"]}

    def list_jobs(self):
        return call("GET", self.base + "/jobs")[1]["jobs"]

    def submit(self, job_type, **fields):
        body = {"job_type": job_type, **fields}
        return call("POST", self.base + "/jobs", body, self.token)[1]["job_id"]

    def get_job(self, job_id):
        seen = call("GET", f"{self.base}/jobs/{job_id}")[1]
        for key in ("started_at", "completed_at"):
            if seen[key] is not None:
                seen[key] = datetime.datetime.fromisoformat(seen[key].replace("Z", "+00:00"))
        return {key: seen[key] for key in ("status", "node_id", "started_at", "completed_at",
                                           "output_path", "error", "metrics")}

    def cancel(self, job_id):
        return call("POST", f"{self.base}/jobs/{job_id}/cancel", {}, self.token)[0] == 200


def check_p2p_status(base):
    """One line per node, from what ssh and curl brought."""
    seen = json.loads(curl(base + "/status"))
    leader = seen.get("leader_id") or seen.get("effective_leader_id")
    own = seen["self"]
    return {"role": seen["role"], "leader": leader, "uptime_h": seen["uptime_seconds"] / 3600,
            "alive": seen["alive_peers"], "selfplay": own["selfplay_jobs"],
            "gpu": f"{own['gpu_name']} {own['gpu_percent']:.0f}%"}


def check_p2p_all_nodes(base):
    return bool(curl(base + "/status").strip())


def check_p2p_cluster_status(base):
    seen = json.loads(curl(base + "/health"))
    word = "OK" if seen["healthy"] else "SICK"
    return word, seen["role"], seen["leader_id"], seen["active_peers"]


def check_p2p_comprehensive(base):
    """{node: trouble, or None}"""
    seen = json.loads(curl(base + "/status"))
    found = {}
    for node, info in {seen["node_id"]: seen["self"], **seen["peers"]}.items():
        if info["retired"]:
            found[node] = "retired"
        elif time.time() - info["last_heartbeat"] > 120:
            found[node] = "silent"
        elif info.get("disk_percent", 0) > 90:
            found[node] = "disk"
        elif info["nat_blocked"]:
            found[node] = "behind NAT"
        else:
            found[node] = None
        assert isinstance(info["gpu_name"], str)
    return found


def monitor_p2p_cluster(base):
    """(voters alive, of how many, whether they are enough, nodes that are not alive)"""
    assert json.loads(curl(base + "/health"))["status"] == "healthy"
    seen = json.loads(curl(base + "/status"))
    voters = seen["voter_health"]
    up = sum(1 for alive in voters["voter_status"].values() if alive)
    assert up == voters["voters_alive"]
    away = [node for node, info in seen["all_peers"].items() if info["status"] != "alive"]
    return up, voters["voters_total"], voters["quorum_ok"], away


class NodeResilience:
    """The supervisor of a node, and what it tells the coordinator."""

    def __init__(self, base, token):
        self.base, self.token = base, token

    def is_alive(self):
        seen = call("GET", self.base + "/health")[1]
        return bool(seen.get("healthy")) or seen.get("status") == "ok"

    def is_connected(self):
        seen = call("GET", self.base + "/status")[1]
        return int(seen["alive_peers"]) > 0 and bool(seen["effective_leader_id"])

    def local_jobs(self):
        seen = call("GET", self.base + "/api/jobs?local=1")[1]
        return {one["job_id"]: one["job_type"] for one in seen["jobs"]}

    def start_job(self, job_type, **fields):
        body = {"job_type": job_type, **fields}
        return call("POST", self.base + "/start_job", body, self.token)[1]

    def stop_job(self, job_id):
        return call("POST", self.base + "/stop_job", {"job_id": job_id}, self.token)[1]["success"]

    def restart_stuck_jobs(self):
        return call("POST", self.base + "/restart_stuck_jobs", {}, self.token)[1]["success"]

    def register(self, node_id):
        body = {"node_id": node_id, "host": "192.0.2.7", "port": 22, "tailscale_ip": "100.64.0.7",
                "vast_instance_id": "123"}
        return call("POST", self.base + "/register", body, self.token)[1].get("success", False)


def p2p_watchdog(base):
    """Nodes that are online."""
    seen = call("GET", base + "/api/cluster/status")[1]
    return sorted(one["node_id"] for one in seen["peers"] if one["status"] == "online")


def setup_script(base):
    """Waits for the node: curl ... | grep -q '"node_id"'."""
    done = subprocess.run(f"curl -s {base}/health | grep -q '\"node_id\"'", shell=True, check=False)
    return done.returncode == 0


class Worker:
    """A worker of the queue: claims by GET, reports without a fence."""

    def __init__(self, base, token, node):
        self.base, self.token, self.node = base, token, node

    def get(self, path):
        return call("GET", self.base + path, token=self.token)

    def post(self, path, **body):
        return call("POST", self.base + path, body, self.token)

    def claim(self, *capabilities):
        status, seen = self.get(f"/work/claim?node_id={self.node}&capabilities="
                                + ",".join(capabilities))
        if status == 200 and seen["status"] == "claimed":
            return seen["work"]
        assert (status, seen["status"]) == (200, "no_work_available"), (status, seen)
        return None
