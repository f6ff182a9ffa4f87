// The commands of golden scripts, one small function each.
#include <functional>
#include <map>
#include <sstream>

#include "test/sim/cluster.h"
#include "test/sim/script.h"

namespace riftbus::sim {

namespace {

class Player {
 public:
  std::string play(const ScriptBlock& block) {
    output_.clear();
    for (const std::string& command : block.commands) obey(split_words(command));
    if (cluster_) {
      for (; complained_ < cluster_->violations().size(); ++complained_) {
        say("!! " + cluster_->violations()[complained_]);
      }
    }
    return output_;
  }

 private:
  void say(const std::string& line) { output_ += line + "\n"; }
  void refuse(const std::string& why) { say("?? " + why); }

  void obey(const Words& words) {
    if (words[0] == "nodes") return build(words);
    if (!cluster_) return refuse("the first command is: nodes COUNT");
    if (words[0] == "at") return later(words);
    if (words[0] == "run") return run(words);
    if (words[0] == "log") return set_log(words);
    if (words[0] == "trace") return set_trace(words);
    if (words[0] == "until") return until(words);
    if (words[0] == "expect") return expect(words);
    if (words[0] == "show") return show(words);
    if (words[0] == "why") return why(words);
    act(words);
  }

  void build(const Words& words) {
    ClusterOptions options;
    options.nodes = std::stoul(words.at(1));
    options.link.delay_min = options.link.delay_max = Millis(10);
    options.link.jitter = Millis(1);
    options.drift_ppm_max = 0;
    for (std::size_t i = 2; i < words.size(); ++i) {
      const auto equals = words[i].find('=');
      const std::string value = equals == std::string::npos ? "" : words[i].substr(equals + 1);
      if (!set(options, words[i].substr(0, equals), value)) refuse("cannot use " + words[i]);
    }
    cluster_ = std::make_unique<Cluster>(options);
    for (HostIndex i = 0; i < cluster_->size(); ++i) names_[name_of(i).value()] = i;
    cluster_->set_listener([this](const MemberHost& host, const membership::Announce& said) {
      if (log_) say(stamp() + label(host) + " " + membership::to_string(membership::Action(said)));
    });
    cluster_->trace().set_sink([this](const std::string& line) { trace_line(line); });
  }

  static bool set(ClusterOptions& options, const std::string& name, const std::string& value) {
    if (name == "profile") {
      options.timing = value == "lan"     ? membership::lan_timing()
                       : value == "flaky" ? membership::flaky_timing()
                                          : membership::wan_timing();
    } else if (name == "latency") {
      options.link.delay_min = options.link.delay_max = read_span(value).value_or(Millis(10));
    } else if (name == "jitter") {
      options.link.jitter = read_span(value).value_or(Millis(1));
    } else if (name == "loss") {
      options.link.loss = std::stod(value);
    } else if (name == "duplicate") {
      options.link.duplicate = std::stod(value);
    } else if (name == "fsync") {
      options.disk.fsync_min = options.disk.fsync_max = read_span(value).value_or(Millis(5));
    } else if (name == "seed") {
      options.seed = std::stoull(value);
    } else {
      return false;
    }
    return true;
  }

  // ---- time

  void later(const Words& words) {
    const auto span = words.size() > 2 ? read_span(words[1]) : std::nullopt;
    if (!span) return refuse("at SPAN COMMAND");
    const Words rest(words.begin() + 2, words.end());
    cluster_->at(*span, [this, rest] { obey(rest); });
  }

  void run(const Words& words) {
    const auto span = words.size() > 1 ? read_span(words[1]) : std::nullopt;
    if (!span) return refuse("run SPAN");
    cluster_->run(*span);
  }

  void until(const Words& words) {
    const auto limit = words.size() > 2 ? read_span(words[2]) : std::nullopt;
    if (!limit || words[1] != "agreement") return refuse("until agreement SPAN");
    const auto took = cluster_->run_until_agreement(*limit);
    say(took ? "all agree" : "NO: " + cluster_->find_disagreement());
  }

  // ---- what is printed

  void set_log(const Words& words) { log_ = words.size() < 2 || words[1] != "off"; }
  void set_trace(const Words& words) { traced_ = words.size() > 1 ? words[1] : ""; }

  void trace_line(const std::string& line) {
    if (traced_.empty() || traced_ == "off") return;
    if (line.find(" " + traced_ + " ") == std::string::npos) return;
    if (line.find("beat") != std::string::npos || line.find("tick") != std::string::npos) return;
    say(line);
  }

  std::string stamp() const { return format_time(cluster_->now()).substr(0, 8) + "s "; }
  std::string label(const MemberHost& host) const {
    for (const auto& [name, index] : names_) {
      if (index == host.index()) return name;
    }
    return host.id().value();
  }

  // ---- doing

  HostIndex index(const Words& words, std::size_t position) {
    const auto found = position < words.size() ? names_.find(words[position]) : names_.end();
    if (found != names_.end()) return found->second;
    refuse("no such node in: " + words[0]);
    return 0;
  }

  void act(const Words& words) {
    const std::string& verb = words[0];
    if (verb == "start" && (words.size() < 2 || words[1] == "all")) {
      for (HostIndex i = 0; i < cluster_->size(); ++i) cluster_->start(i);
      return;
    }
    if (verb == "heal") return cluster_->heal();
    const HostIndex host = index(words, 1);
    const std::string argument = words.size() > 2 ? words[2] : "";
    if (verb == "start") return start(words);
    if (verb == "crash") return cluster_->crash(host);
    if (verb == "vanish") return cluster_->vanish(host);
    if (verb == "leave") return cluster_->leave(host);
    if (verb == "restart") return cluster_->restart(host, argument == "wiped");
    if (verb == "pause") return cluster_->pause(host, read_span(argument).value_or(Seconds(1)));
    if (verb == "freeze") return cluster_->freeze(host, read_span(argument).value_or(Seconds(1)));
    if (verb == "change") return cluster_->change_record(host, argument);
    if (verb == "cut") return cluster_->cut(host, index(words, 2));
    if (verb == "mend") return cluster_->mend(host, index(words, 2));
    if (verb == "skew") {
      return cluster_->host(host).set_wall_skew(read_span(argument).value_or(Seconds(0)));
    }
    if (verb == "partition") return partition(words);
    if (verb == "hide") return hide(words);
    if (verb == "revoke") return revoke(host);
    if (verb == "twin" || verb == "move") return add_machine(words, host);
    if (verb == "refuse") return refuse_link(host, index(words, 2));
    refuse("no such command: " + verb);
  }

  void start(const Words& words) {
    for (std::size_t i = 1; i < words.size(); ++i) cluster_->start(index(words, i));
  }

  void partition(const Words& words) {
    std::vector<HostIndex> island;
    for (std::size_t i = 1; i < words.size(); ++i) island.push_back(index(words, i));
    cluster_->partition(island);
  }

  void hide(const Words& words) {
    std::vector<HostIndex> relays;
    for (std::size_t i = 2; i < words.size(); ++i) relays.push_back(index(words, i));
    cluster_->hide(index(words, 1), relays);
  }

  void revoke(HostIndex host) {
    auto members = cluster_->roster();
    members.erase(cluster_->host(host).id());
    cluster_->set_roster(members);
  }

  // Another machine with the same id, as a second process or as its new home.
  void add_machine(const Words& words, HostIndex host) {
    const NodeId id = cluster_->host(host).id();
    const HostIndex made = cluster_->add_host(id).index();
    names_[words[1] + "'"] = made;
    if (words[0] == "move") cluster_->move_configured(id, made);
    cluster_->start(made);
  }

  void refuse_link(HostIndex watcher, HostIndex subject) {
    const NodeId id = cluster_->host(subject).id();
    cluster_->host(watcher).step(membership::LinkDown{id});
    cluster_->host(watcher).step(membership::Dialled{id, membership::DialOutcome::refused});
  }

  // ---- asking

  void expect(const Words& words) {
    if (words.size() == 2 && words[1] == "agreement") {
      const std::string disagreement = cluster_->find_disagreement();
      return say(disagreement.empty() ? "ok" : "NO: " + disagreement);
    }
    if (words.size() < 5 || words[2] != "sees") return refuse("expect NODE sees NODE STANDING");
    std::string answer;
    for (const std::string& who : observers(words[1])) {
      const std::string seen = standing(names_[who], words[3]);
      if (seen != words[4]) answer += (answer.empty() ? "NO: " : ", ") + who + " sees it " + seen;
    }
    say(answer.empty() ? "ok" : answer);
  }

  Words observers(const std::string& word) {
    if (word != "all") return {word};
    Words all;
    for (const auto& [name, host] : names_) {
      if (cluster_->host(host).is_running()) all.push_back(name);
    }
    return all;
  }

  std::string standing(HostIndex observer, const std::string& subject) {
    if (!cluster_->host(observer).is_running()) return "nothing, it does not run";
    const auto id = NodeId::parse(subject);
    const auto* member = id ? cluster_->host(observer).core().find(*id) : nullptr;
    return member == nullptr ? "absent" : wire::to_string(member->standing);
  }

  void show(const Words& words) {
    const MemberHost& host = cluster_->host(index(words, 1));
    if (!host.is_running()) return say("not running");
    for (const membership::Member* member : host.core().members()) {
      say(member->record.id.value() + " " + wire::to_string(member->standing) + " incarnation " +
          std::to_string(member->incarnation.value()) + (member->verified ? "" : " unverified"));
    }
    say("health " + std::to_string(host.core().health()));
  }

  void why(const Words& words) {
    const MemberHost& host = cluster_->host(index(words, 1));
    const auto id = NodeId::parse(words.size() > 2 ? words[2] : "");
    const auto* member = host.is_running() && id ? host.core().find(*id) : nullptr;
    if (member == nullptr) return say("unknown");
    for (const membership::VerdictStep& step : member->history) {
      const Nanos ago = host.local_now() - step.at;
      std::string line = format_span(Millis(to_ms(ago))) + " ago " + wire::to_string(step.standing);
      if (!step.accuser.empty()) line += " by " + step.accuser.value();
      if (step.evidence != wire::Evidence::none) {
        line += std::string(" (") + wire::to_string(step.evidence) + ")";
      }
      say(line);
    }
  }

  std::unique_ptr<Cluster> cluster_;
  std::map<std::string, HostIndex> names_;
  std::string output_;
  std::string traced_;
  bool log_ = true;
  std::size_t complained_ = 0;
};

}  // namespace

std::vector<std::string> play_script(const std::vector<ScriptBlock>& blocks) {
  Player player;
  std::vector<std::string> outputs;
  for (const ScriptBlock& block : blocks) {
    outputs.push_back(block.commands.empty() ? "" : player.play(block));
  }
  return outputs;
}

}  // namespace riftbus::sim
