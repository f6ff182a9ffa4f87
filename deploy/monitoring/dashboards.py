#!/usr/bin/python3
"""Writes the Grafana dashboards beside it: dashboards.py [--check]

Four pages, each a list of panels in rows of three; everything else about a dashboard is the same
for all. --check writes nothing, and exits with 1 if a file is not what would be written.
"""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
NODE = 'instance=~"$node"'
RATE = "[$__rate_interval]"


def rate(name, labels=NODE):
    return f"rate({name}{{{labels}}}{RATE})"


# title, unit, [(expression, legend)]; a stat if the title ends with "!", else a graph.
PAGES = {
    "overview": ("Riftbus: overview", [
        ("Nodes that answer!", "short", [('sum(up{job="riftbus"})', "")]),
        ("Members by standing!", "short", [("riftbus:members:max", "{{state}}")]),
        ("Somebody leads!", "short", [("max(riftbus_has_leader)", "")]),
        ("Members by standing", "short", [("riftbus:members:max", "{{state}}")]),
        ("Deaths pronounced", "short",
         [("sum(increase(riftbus_deaths_total[5m]))", "deaths"),
          ("sum(increase(riftbus_suspicions_total[5m]))", "suspicions"),
          ("sum(increase(riftbus_suspicion_refuted_total[5m]))", "refuted")]),
        ("Trouble of each node's own (0 to 7)", "short",
         [(f"riftbus_local_health_score{{{NODE}}}", "{{instance}}")]),
        ("Round trips to watched members", "s",
         [("max by (peer) (riftbus_heartbeat_rtt_seconds)", "{{peer}}")]),
        ("Disk", "percentunit", [(f"riftbus_disk_used_ratio{{{NODE}}}", "{{instance}}")]),
        ("Since the start", "s", [(f"riftbus_uptime_seconds{{{NODE}}}", "{{instance}}")]),
    ]),
    "consensus": ("Riftbus: leadership and the log", [
        ("Leader!", "short", [("riftbus_is_leader == 1", "{{instance}}")]),
        ("Term!", "short", [("max(riftbus_epoch)", "")]),
        ("Changes in an hour!", "short", [("max(increase(riftbus_leader_changes_total[1h]))", "")]),
        ("Who leads", "short", [(f"riftbus_is_leader{{{NODE}}}", "{{instance}}")]),
        ("Term, as each node knows it", "short", [(f"riftbus_epoch{{{NODE}}}", "{{instance}}")]),
        ("Elections", "short", [("sum(increase(riftbus_log_campaigns_total[5m]))", "begun"),
                                ("sum(increase(riftbus_log_elections_won_total[5m]))", "won"),
                                ("sum(increase(riftbus_log_step_downs_total[5m]))", "given up")]),
        ("One write of the log, mean", "s",
         [("riftbus:log_fsync_seconds:mean5m", "{{instance}}")]),
        ("Writes of the log", "wps", [(rate("riftbus_log_writes_total"), "{{instance}}")]),
        ("Messages between voters", "pps",
         [(rate("riftbus_log_messages_sent_total"), "{{instance}} sent"),
          (rate("riftbus_log_messages_lost_total"), "{{instance}} lost")]),
        ("From an entry to its decision, mean", "s",
         [(f"{rate('riftbus_commit_seconds_sum')} / {rate('riftbus_commit_seconds_count')}",
           "{{instance}}")]),
        ("Until a voter gives its leader up", "s",
         [(f"riftbus_lease_remaining_seconds{{{NODE}}}", "{{instance}}")]),
        ("Longest turn of the loop", "s",
         [(f"riftbus_loop_lag_seconds_max{{{NODE}}}", "{{instance}}")]),
    ]),
    "queue": ("Riftbus: work", [
        ("Waiting!", "short", [('riftbus:work_items:max{state="ready"}', "")]),
        ("Running!", "short", [('riftbus:work_items:max{state="leased"}', "")]),
        ("Dead letters!", "short", [('riftbus:work_items:max{state="dead"}', "")]),
        ("Items by state", "short", [("riftbus:work_items:max", "{{state}}")]),
        ("Changes of the queue", "ops", [("max(rate(riftbus_work_applied_total[5m]))", "applied")]),
        ("Slots for jobs", "short", [(f"riftbus_jobs_slots{{{NODE}}}", "{{instance}}")]),
        ("Renewals of leases", "ops", [(rate("riftbus_work_renewals_total"), "{{instance}}")]),
        ("Requests passed on or put off", "ops",
         [(rate("riftbus_work_moved_total"), "{{instance}} passed on"),
          (rate("riftbus_work_busy_total"), "{{instance}} put off")]),
        ("Claims that wait for work", "short",
         [(f"riftbus_work_parked{{{NODE}}}", "{{instance}}")]),
        ("Work waited to be claimed, mean", "s",
         [("max(rate(riftbus_work_claim_seconds_sum[5m]) / "
           "rate(riftbus_work_claim_seconds_count[5m]))", "")]),
    ]),
    "transport": ("Riftbus: connections and messages", [
        ("Connections that stand!", "short", [("sum by (via) (riftbus_link_up)", "{{via}}")]),
        ("Connections that are missing!", "short",
         [("sum(riftbus_links) - sum(riftbus_link_up)", "")]),
        ("Keys refused in an hour!", "short",
         [("sum(increase(riftbus_gate_refused_unknown_key_total[1h]))", "unknown"),
          ("sum(increase(riftbus_gate_refused_revoked_key_total[1h]))", "revoked"),
          ("sum(increase(riftbus_gate_refused_expired_key_total[1h]))", "expired")]),
        ("Bytes", "Bps", [(rate("riftbus_traffic_out_bytes_total"), "{{instance}} out"),
                          (rate("riftbus_traffic_in_bytes_total"), "{{instance}} in")]),
        ("Messages", "pps", [(rate("riftbus_traffic_out_messages_total"), "{{instance}} out"),
                             (rate("riftbus_traffic_in_messages_total"), "{{instance}} in")]),
        ("Not sent", "pps", [(rate("riftbus_bus_sent_queue_full_total"), "{{instance}} queue full"),
                             (rate("riftbus_bus_sent_slow_peer_total"), "{{instance}} slow peer"),
                             (rate("riftbus_bus_sent_expired_total"), "{{instance}} too late")]),
        ("Connections lost and made", "short",
         [(rate("riftbus_bus_links_down_total"), "{{instance}} lost"),
          (rate("riftbus_bus_links_up_total"), "{{instance}} made")]),
        ("HTTP requests", "reqps", [(rate("riftbus_http_requests_total"), "{{instance}}")]),
        ("HTTP clients turned away", "short",
         [(rate("riftbus_http_evicted_total"), "{{instance}} held a place too long"),
          (rate("riftbus_http_malformed_total"), "{{instance}} was no HTTP")]),
    ]),
}


def panel(number, title, unit, targets):
    is_stat = title.endswith("!")
    row, column = divmod(number, 3)
    return {
        "id": number + 1, "type": "stat" if is_stat else "timeseries", "title": title.rstrip("!"),
        "datasource": {"type": "prometheus", "uid": "${source}"},
        "gridPos": {"x": 8 * column, "y": 8 * row, "w": 8, "h": 8},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "targets": [{"refId": chr(ord("A") + at), "expr": expression, "legendFormat": legend}
                    for at, (expression, legend) in enumerate(targets)]}


def dashboard(name, title, panels):
    return {
        "uid": f"riftbus-{name}", "title": title, "tags": ["riftbus"], "schemaVersion": 38,
        "editable": True, "refresh": "15s", "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [
            {"name": "source", "type": "datasource", "query": "prometheus", "label": "Source"},
            {"name": "node", "type": "query", "label": "Node", "multi": True, "includeAll": True,
             "allValue": ".*", "current": {"text": "All", "value": "$__all"}, "refresh": 2,
             "datasource": {"type": "prometheus", "uid": "${source}"},
             "query": "label_values(riftbus_build_info, instance)"}]},
        "panels": [panel(number, *each) for number, each in enumerate(panels)]}


def main():
    stale = []
    for name, (title, panels) in PAGES.items():
        path = os.path.join(HERE, f"{name}.json")
        text = json.dumps(dashboard(name, title, panels), indent=1) + "\n"
        if "--check" not in sys.argv:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            continue
        with open(path, encoding="utf-8") as file:
            if file.read() != text:
                stale.append(path)
    for path in stale:
        print(f"{path} is not what dashboards.py writes: run it", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
