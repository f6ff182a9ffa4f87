// The commands of the queue's golden scripts, one small function each.
#include "test/sim/queue/script.h"

#include <algorithm>
#include <array>

#include "test/sim/queue/hand.h"
#include "test/sim/queue/number.h"

namespace riftbus::consensus {

namespace {

bool is_kind(const Message& message, const std::string& kind) {
  if (kind == "vote") return std::holds_alternative<VoteRequest>(message.body);
  if (kind == "vote-answer") return std::holds_alternative<VoteAnswer>(message.body);
  if (kind == "append") return std::holds_alternative<Append>(message.body);
  if (kind == "append-answer") return std::holds_alternative<AppendAnswer>(message.body);
  if (kind == "chunk") return std::holds_alternative<SnapshotChunk>(message.body);
  if (kind == "timeout-now") return std::holds_alternative<TimeoutNow>(message.body);
  const auto* append = std::get_if<Append>(&message.body);
  if (append == nullptr) return false;
  const auto is_noop = [](const EntryPtr& entry) { return entry->kind == EntryKind::noop; };
  const Entries& entries = append->entries;
  if (kind == "entries") return !entries.empty();
  return kind == "noop" && entries.size() > 1 &&
         std::any_of(entries.begin(), entries.end(), is_noop);
}

class Player {
 public:
  std::string play(const sim::ScriptBlock& block) {
    output_.clear();
    for (const std::string& command : block.commands) obey(sim::split_words(command));
    if (world_) {
      for (; complained_ < world_->violations().size(); ++complained_) {
        say("!! " + world_->violations()[complained_]);
      }
    }
    return output_;
  }

 private:
  void say(const std::string& line) { output_ += line + "\n"; }
  void refuse(const std::string& why) { say("?? " + why); }
  [[nodiscard]] std::string stamp() const {
    char text[32];
    std::snprintf(text, sizeof text, "%7.3fs ",
                  static_cast<double>(to_ms(world_->elapsed())) / 1000);
    return text;
  }

  void obey(const Words& words) {
    const std::string& verb = words[0];
    if (verb == "voters") return build(words);
    if (!world_) return refuse("the first command is: voters COUNT");
    if (verb == "at") return later(words);
    if (verb == "run") return world_->run(span(words, 1));
    if (verb == "until") return until(words);
    if (verb == "lead") return lead(words);
    if (verb == "log") {
      log_ = words.size() < 2 || words[1] != "off";
      return;
    }
    if (verb == "show") return show();
    if (verb == "entries") return show_entries(words);
    if (verb == "items") return show_items(words);
    if (verb == "expect") return expect(words);
    if (verb == "lose") return lose(words);
    if (verb == "mend" && words.size() == 1) return world_->links().mend_all();
    if (verb == "hint") return hint(words);
    if (verb == "cut" || verb == "mend") return link(words);
    act(words);
  }

  // ---- the world

  void build(const Words& words) {
    Scene scene;
    scene.voters = std::stoul(words.at(1));
    scene.spares = number_of(words, "spares", 0);
    scene.workers = number_of(words, "workers", 0);
    scene.links.delay_min = scene.links.delay_max = Millis(1);
    scene.disks.fsync_min = scene.disks.fsync_max = Millis(1);
    scene.work.lease_ms = static_cast<std::uint32_t>(number_of(words, "lease_ms", 4000));
    scene.work.run_min = scene.work.run_max = Millis(number_of(words, "run_ms", 500));
    scene.work.lasts = scene.work.fails = scene.work.finishes = 0;
    if (const auto entries = number_of(words, "snapshot", 0)) {
      scene.limits.snapshot_entries = scene.limits.log_entries = entries;
      scene.limits.trailing_entries = 0;
      scene.limits.chunk_bytes = 256;
    }
    sim::Args args;
    args.seed = number_of(words, "seed", 1);
    hand_.reset();
    world_ = std::make_unique<World>(args, scene);
    hand_ =
        std::make_unique<Hand>(*world_, [this](const std::string& line) { say(stamp() + line); });
    complained_ = 0;
    world_->on_news = [this](const Voter& voter, const Announce& news) { tell(voter, news); };
    world_->on_program = [this](const Worker& worker, const std::string& text) {
      say(stamp() + "w" + number(worker.port() - world_->workers().front()->port() + 1) + " " +
          text);
    };
    if (const auto policy = parse_policy(value_of(words, "policy", "raft"))) {
      for (const auto& voter : world_->voters()) voter->set_policy(*policy);
    }
    world_->start(true);
  }

  void tell(const Voter& voter, const Announce& news) {
    if (!log_) return;
    std::string line = stamp() + name_of(voter.id()) + " " + to_string(news.happening);
    if (news.subject != ServerId() && news.subject != voter.id()) {
      line += " " + name_of(news.subject);
    }
    if (news.reason != Reason::none) line += std::string(" (") + to_string(news.reason) + ")";
    say(line + ", term " + number(news.term.value()));
  }

  // ---- time

  Nanos span(const Words& words, std::size_t place) {
    const auto read = place < words.size() ? sim::read_span(words[place]) : std::nullopt;
    if (!read) refuse("a span like 200ms or 5s is missing in: " + words[0]);
    return read.value_or(Nanos(0));
  }
  void later(const Words& words) {
    const Words rest(words.begin() + 2, words.end());
    world_->schedule().after(span(words, 1), [this, rest] { obey(rest); });
  }
  bool await(const std::function<bool()>& what, Nanos limit) {
    const TimePoint end = world_->schedule().now() + limit;
    while (!what() && world_->ok() && world_->schedule().now() < end) world_->run(Millis(1));
    return what();
  }
  void until(const Words& words) {
    const Nanos limit = span(words, 2);
    if (words[1] == "rest") {
      const bool calm = await([&] { return world_->find_unrest().empty(); }, limit);
      return say(calm ? "at rest" : "NO: " + world_->find_unrest());
    }
    if (words[1] != "leader") return refuse("until leader|rest SPAN");
    // A leader that only believes in itself would do for a moment.
    const bool led = await([&] { return world_->leader() != nullptr; }, limit);
    say(stamp() + (led ? name_of(world_->leader()->id()) + " leads" : "NO: nobody leads"));
  }
  // Quietly: the story begins with this leader.
  void lead(const Words& words) {
    Voter* wanted = voter(words, 1);
    if (wanted == nullptr) return;
    const bool was = std::exchange(log_, false);
    const bool done = await(
        [&] {
          Voter* leader = world_->leader();
          if (leader == nullptr || leader == wanted) return leader == wanted;
          if (leader->status().transfer_to == ServerId()) {
            leader->operate([&](replica::QueueReplica& replica, TimePoint now) {
              static_cast<void>(replica.transfer(wanted->id(), now));
            });
          }
          return false;
        },
        Seconds(10));
    world_->run(Millis(150));
    log_ = was;
    if (!done) say("NO: " + words[1] + " does not lead");
  }

  // ---- who is meant

  Voter* voter(const Words& words, std::size_t place) {
    const std::string word = place < words.size() ? words[place] : "";
    if (word.size() > 1 && word[0] == 'v') {
      if (Voter* found = world_->find(ServerId(std::stoull(word.substr(1))))) return found;
    }
    refuse("no such voter in: " + words[0]);
    return nullptr;
  }
  Worker* worker(const std::string& word) {
    const auto place = word.size() > 1 && word[0] == 'w' ? std::stoul(word.substr(1)) : 0;
    return place == 0 || place > world_->workers().size() ? nullptr
                                                          : world_->workers()[place - 1].get();
  }
  std::optional<Port> port(const std::string& word) {
    if (word == "hand") return Hand::kPort;
    if (Worker* found = worker(word)) return found->port();
    if (word.size() > 1 && word[0] == 'v') return std::stoull(word.substr(1));
    return std::nullopt;
  }

  // ---- links

  void link(const Words& words) {
    const auto from = port(words.at(1));
    const auto to = port(words.at(2));
    if (!from || !to) return refuse("cut|mend FROM TO");
    words[0] == "cut" ? world_->links().cut(*from, *to) : world_->links().mend(*from, *to);
  }
  void lose(const Words& words) {
    if (words.at(1) == "nothing") {
      lost_.clear();
    } else {
      lost_.push_back(words);
    }
    world_->loses = [this](const Message& message) {
      return std::any_of(lost_.begin(), lost_.end(), [&](const Words& rule) {
        const bool from = rule[2] == "any" || rule[2] == name_of(message.from);
        const bool to = rule[3] == "any" || rule[3] == name_of(message.to);
        return from && to && is_kind(message, rule[1]);
      });
    };
  }
  void hint(const Words& words) {
    Hint hint;
    for (std::size_t i = 1; i < words.size(); ++i) {
      if (Voter* one = voter(words, i)) hint.alive.insert(one->id());
    }
    for (const auto& one : world_->voters()) one->take(hint);
  }

  // ---- doing

  void act(const Words& words) {
    if (words.size() > 1 && words[1][0] == 'w') return act_on_worker(words);
    if (words[0] == "policy" && words.at(1) == "all") {
      for (const auto& one : world_->voters()) set_policy(*one, words);
      return;
    }
    Voter* it = voter(words, 1);
    if (it == nullptr) return;
    const std::string& verb = words[0];
    if (verb == "start") return it->start();
    if (verb == "crash") return it->crash(words.size() > 2 ? std::stoul(words[2]) : 0);
    if (verb == "pause") return it->pause();
    if (verb == "resume") return it->resume();
    if (verb == "wipe") return it->disk().wipe();
    if (verb == "isolate") return world_->isolate(it->id().value());
    if (verb == "policy") return set_policy(*it, words);
    if (verb == "disk") return set_disk(*it, words);
    if (Hand::knows(verb)) return hand_->ask(*it, words);
    operate(*it, words);
  }

  void act_on_worker(const Words& words) {
    Worker* it = worker(words[1]);
    if (it == nullptr) return refuse("no such worker: " + words[1]);
    const bool machine = words.size() > 2 && words[2] == "machine";
    if (words[0] == "start") return it->start();
    if (words[0] == "crash") return it->crash(machine);
    if (words[0] == "pause") return it->pause(machine);
    if (words[0] == "resume") return it->resume();
    if (words[0].ends_with("drain")) return it->drain(words[0] == "drain", false);
    if (words[0] == "isolate") return world_->isolate(it->port());
    refuse("no such command for a worker: " + words[0]);
  }

  void set_policy(Voter& it, const Words& words) {
    if (const auto policy = parse_policy(words.at(2))) return it.set_policy(*policy);
    refuse("policy VOTER raft|bully|hybrid");
  }
  void set_disk(Voter& it, const Words& words) {
    const std::string& how = words.at(2);
    it.disk().set_hanging(how == "hangs");
    it.disk().set_refusing(how == "fails");
    if (how == "slow") it.disk().set_pace({span(words, 3), span(words, 3)});
    if (how == "works") it.disk().set_pace(world_->scene().disks);
  }

  void operate(Voter& it, const Words& words) {
    it.operate([&](replica::QueueReplica& replica, TimePoint now) {
      Refusal refusal = Refusal::none;
      if (words[0] == "transfer") {
        const Voter* to = words.size() > 2 ? voter(words, 2) : nullptr;
        refusal = replica.transfer(to == nullptr ? ServerId() : to->id(), now);
      } else if (words[0] == "change") {
        refusal = change(replica, words, now);
      } else if (words[0] == "recover") {
        refusal = replica.recover(now);
      } else {
        return refuse("no such command: " + words[0]);
      }
      if (refusal != Refusal::none) say("refused: " + std::string(to_string(refusal)));
    });
  }
  Refusal change(replica::QueueReplica& replica, const Words& words, TimePoint now) {
    static const Words kinds = {"add", "promote", "demote", "remove", "priority"};
    const Voter* subject = voter(words, 3);
    const auto kind = std::find(kinds.begin(), kinds.end(), words.at(2));
    if (subject == nullptr || kind == kinds.end()) return Refusal::unknown_server;
    const auto which =
        std::array{Change::Kind::add_learner, Change::Kind::promote, Change::Kind::demote,
                   Change::Kind::remove, Change::Kind::set_priority};
    const auto place = static_cast<std::size_t>(kind - kinds.begin());
    const auto priority = words.size() > 4 ? std::stoul(words[4]) : 0;
    return replica
        .change({which.at(place), subject->id(), static_cast<std::uint32_t>(priority)}, now)
        .refusal;
  }

  // ---- asking

  void show() {
    for (const auto& one : world_->voters()) {
      if (!one->is_up()) {
        say(name_of(one->id()) + " is down");
        continue;
      }
      const Status status = one->status();
      say(name_of(one->id()) + " " + to_string(status.role) + ", term " +
          number(status.term.value()) + ", follows " + name_of(status.leader) + ", last " +
          number(status.last.value()) + ", committed " + number(status.commit.value()) +
          ", applied " + number(status.applied.value()));
    }
  }
  void show_entries(const Words& words) {
    const Voter* it = voter(words, 1);
    if (it == nullptr) return;
    std::string line = name_of(it->id()) + " has";
    const LogImage& disk = it->disk().image();
    if (disk.snapshot.index != Index()) {
      line += " snapshot " + number(disk.snapshot.index.value()) + "/" +
              number(disk.snapshot.term.value());
    }
    for (const auto& entry : disk.entries) {
      line += " " + number(entry->index.value()) + "/" + number(entry->term.value());
    }
    say(line);
  }
  void show_items(const Words& words) {
    const Voter* it = voter(words, 1);
    if (it == nullptr || !it->is_up()) return;
    const auto& ledger = it->replica().queue().ledger();
    if (ledger.items.empty()) say("nothing is waiting or running");
    for (const auto& [id, item] : ledger.items) {
      say("#" + number(id.value()) + " " + to_string(item.state) + " losses " +
          number(item.losses) + " failures " + number(item.failures));
    }
  }
  void expect(const Words& words) {
    if (words.at(1) == "rest") {
      world_->expect_rest(Seconds(60));
      return say(world_->ok() ? "ok" : "NO");
    }
    if (words.at(1) == "members") {
      const Voter* leader = world_->leader();
      return say(leader == nullptr ? "nobody leads"
                                   : leader->replica().log().configuration().to_string());
    }
    refuse("expect rest|members");
  }

  std::unique_ptr<World> world_;
  std::unique_ptr<Hand> hand_;
  std::vector<Words> lost_;
  std::string output_;
  bool log_ = true;
  std::size_t complained_ = 0;
};

}  // namespace

std::vector<std::string> play_queue_script(const std::vector<sim::ScriptBlock>& blocks) {
  Player player;
  std::vector<std::string> outputs;
  for (const sim::ScriptBlock& block : blocks) {
    outputs.push_back(block.commands.empty() ? "" : player.play(block));
  }
  return outputs;
}

}  // namespace riftbus::consensus
