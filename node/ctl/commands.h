// The functions behind the command table: one per command, found in the run_*.cpp beside this file.
//
// Each takes the parsed line and the terminal (context.h), prints data to the one and complaints
// to the other, and returns the exit status. They block, at most as long as --timeout says per
// question asked; `--watch` and `event tail` run until they are interrupted.
#pragma once

namespace riftbus::ctl {

struct Context;

int run_status(Context& context);
int run_node_list(Context& context);
int run_node_show(Context& context);
int run_node_run(Context& context);
int run_why_node(Context& context);
int run_event_list(Context& context);
int run_event_tail(Context& context);
int run_link_list(Context& context);
int run_link_ping(Context& context);
int run_wait(Context& context);
int run_explain(Context& context);
int run_config_check(Context& context);
int run_config_show(Context& context);
int run_key_new(Context& context);
int run_key_approve(Context& context);
int run_key_revoke(Context& context);
int run_key_list(Context& context);
int run_key_rotate(Context& context);
int run_roster_show(Context& context);
int run_roster_verify(Context& context);
int run_roster_push(Context& context);
int run_init(Context& context);
int run_tap(Context& context);
int run_leader_show(Context& context);
int run_leader_transfer(Context& context);
int run_leader_policy(Context& context);
int run_flag_list(Context& context);
int run_flag_set(Context& context);
int run_leader_recover(Context& context);
int run_voter_list(Context& context);
int run_voter_add(Context& context);
int run_voter_remove(Context& context);
int run_why_leader(Context& context);
int run_why_path(Context& context);
int run_link_trace(Context& context);
int run_relay_list(Context& context);
int run_relay_show(Context& context);
int run_relay_drain(Context& context);
int run_relay_resume(Context& context);
int run_tunnel_list(Context& context);
int run_tunnel_restart(Context& context);
int run_work_add(Context& context);
int run_work_list(Context& context);
int run_work_show(Context& context);
int run_work_logs(Context& context);
int run_work_cancel(Context& context);
int run_work_retry(Context& context);
int run_work_history(Context& context);
int run_work_stats(Context& context);
int run_work_group(Context& context);
int run_why_work(Context& context);
int run_node_drain(Context& context);
int run_node_resume(Context& context);
int run_version(Context& context);
int run_help(Context& context);
int run_completion(Context& context);
int run_complete(Context& context);
int run_man(Context& context);

}  // namespace riftbus::ctl
