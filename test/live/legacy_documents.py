"""Fields and types of the documents that the former orchestrator answered with."""

NUMBER = (int, float)
MAYBE = type(None)
HEALTH = {
    "healthy": bool, "status": str, "node_id": str, "role": str, "disk_percent": NUMBER,
    "memory_percent": NUMBER, "cpu_percent": NUMBER, "gpu_percent": NUMBER,
    "gpu_memory_percent": NUMBER, "selfplay_jobs": int, "training_jobs": int, "leader_id": str,
    "leader_last_seen_seconds": (*NUMBER, MAYBE), "active_peers": int, "total_peers": int,
    "uptime_seconds": NUMBER, "timestamp": str, "accepting_work": bool}
ISOLATED = {"alive": bool, "node_id": str, "role": str, "uptime_seconds": NUMBER, "main_port": int,
            "isolated_health_server": bool, "timestamp": str}
STATUS = {
    "node_id": str, "role": str, "leader_id": str, "effective_leader_id": str, "is_leader": bool,
    "forced_leader_override": bool, "is_provisional_leader": bool, "leaders_reported": list,
    "leaders_eligible": list, "voter_node_ids": list, "voter_quorum_size": int,
    "voters_alive": int, "voter_quorum_ok": bool, "voter_config_version": int,
    "voter_health": dict, "self": dict, "peers": dict, "all_peers": dict, "alive_peers": int,
    "local_jobs": int, "active_jobs": int, "selfplay_jobs": int, "training_jobs": int,
    "work_queue_size": int, "gossip_metrics": dict, "swim_raft": dict, "network": dict,
    "partition": dict, "background_loops": dict, "config_version": int,
    "peer_health_summary": dict,
    # Read by clients, and never there:
    "uptime_seconds": NUMBER, "version": str, "total_peers": int, "status": str, "voters": list,
    "cluster_health": str, "suspect_peers": int, "dead_peers": int}
NODE_INFO = {
    "node_id": str, "host": str, "port": int, "scheme": str, "role": str, "last_heartbeat": NUMBER,
    "leader_id": str, "leader_term": int, "cpu_count": int, "gpu_percent": NUMBER,
    "gpu_memory_percent": NUMBER, "selfplay_jobs": int, "training_jobs": int, "has_gpu": bool,
    "gpu_name": str, "memory_gb": NUMBER, "capabilities": list, "version": str,
    "reported_host": str, "reported_port": int, "consecutive_failures": int, "nat_blocked": bool,
    "relay_via": (str, MAYBE), "retired": bool, "alternate_ips": list, "addresses": list,
    "tailscale_ip": (str, MAYBE), "disk_free_gb": NUMBER, "load_score": NUMBER}
OF_SELF = {"cpu_percent": NUMBER, "memory_percent": NUMBER, "disk_percent": NUMBER,
           "visible_peers": int}
OF_PEER = {"is_alive": bool, "seconds_since_heartbeat": NUMBER, "leader_eligible": bool,
           "endpoint_conflict": bool}
ALL_PEERS = {"node_id": str, "host": str, "port": int, "role": str, "capabilities": list,
             "load_score": NUMBER, "status": str, "is_alive": bool, "last_heartbeat": NUMBER,
             "state": str, "last_seen_seconds": NUMBER}
WORK_STATUS = {"total_items": int, "by_status": dict, "by_type": dict, "pending": list,
               "running": list, "stats": dict, "is_leader": bool, "leader_id": str,
               "timed_out_this_check": int, "backpressure": dict}
BACKPRESSURE = {"active": bool, "pending_count": int, "soft_limit": int, "hard_limit": int,
                "recovery_threshold": int, "utilization_pct": NUMBER}
WORK_ITEM = {"work_id": str, "work_type": str, "priority": int, "config": dict,
             "created_at": (*NUMBER, MAYBE), "claimed_at": (*NUMBER, MAYBE),
             "started_at": (*NUMBER, MAYBE), "completed_at": (*NUMBER, MAYBE), "status": str,
             "claimed_by": (str, MAYBE), "attempts": int, "result": dict, "error": (str, MAYBE)}
JOB = {"job_id": str, "job_type": str, "status": str, "assigned_to": (str, MAYBE),
       "created_at": str, "board_type": (str, MAYBE), "num_players": (int, MAYBE)}
KINDS = ["training", "gpu_cmaes", "cpu_cmaes", "tournament", "gauntlet", "selfplay", "data_merge",
         "data_sync", "validation", "hyperparam_sweep"]
