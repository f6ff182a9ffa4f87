// Everything that can happen, at random, for a while; then peace, and everybody agrees.
//
// The number of seeds can be raised by RIFTBUS_CONSENSUS_SEEDS. Random chaos misses several of the
// bugs that the directed stories catch; it finds those that nobody thought of.
#include <cstdlib>

#include "test/node/consensus/cluster.h"

namespace riftbus::consensus {

namespace {

class Storm {
 public:
  explicit Storm(std::uint64_t seed) : cluster_(seed), dice_(seed * 7919) {
    cluster_.limits.snapshot_entries = 20;
    cluster_.limits.trailing_entries = 5;
    cluster_.limits.chunk_bytes = 64;
    cluster_.limits.chunk_window = 3;
    cluster_.start_voters(3 + 2 * static_cast<int>(seed % 2), static_cast<Policy>(1 + seed % 3));
    cluster_.start_newcomer(server(6));
    cluster_.start_newcomer(server(7));
    cluster_.loss = 0.02;
    cluster_.repeats = 0.02;
  }

  void rage(int turns) {
    for (int turn = 0; turn < turns; ++turn) {
      const auto ids = cluster_.ids();
      const ServerId id = ids[dice_.below(ids.size())];
      trouble_world(id, ids[dice_.below(ids.size())]);
      if (cluster_.node(id).is_up() && !cluster_.node(id).paused) trouble_server(id);
      propose(std::to_string(turn));
      cluster_.run(Millis(dice_.between(10, 200)));
      collect();
    }
  }

  [[nodiscard]] std::string describe() {
    std::string text;
    for (const ServerId id : cluster_.ids()) {
      const Status s = cluster_.core(id).status();
      text += "\n" + std::to_string(id.value()) + " " + to_string(s.role) + " term " +
              std::to_string(s.term.value()) + " leader " + std::to_string(s.leader.value()) +
              " commit " + std::to_string(s.commit.value()) + " last " +
              std::to_string(s.last.value()) + " " + cluster_.core(id).configuration().to_string();
    }
    return text;
  }

  void calm_down() {
    cluster_.heal();
    cluster_.loss = cluster_.repeats = 0;
    for (const ServerId id : cluster_.ids()) {
      Node& node = cluster_.node(id);
      if (!node.is_up()) cluster_.restart(id);
      if (node.paused) cluster_.resume(id);
      node.disk.delay = Millis(1);
    }
    cluster_.run(Seconds(20));  // what was begun before (transfers, campaigns) comes to its end
    cluster_.commit("the end");
    cluster_.run_until([&] { return cluster_.agree(); });
  }

 private:
  void trouble_world(ServerId id, ServerId other) {
    Node& node = cluster_.node(id);
    switch (dice_.below(15)) {
      case 0:
        if (node.is_up()) cluster_.crash(id, dice_.below(4));
        break;
      case 1:
      case 2:
        if (!node.is_up()) cluster_.restart(id);
        break;
      case 3:
        cluster_.cut(id, other);
        break;
      case 4:
        cluster_.heal();
        break;
      case 5:
        if (node.is_up()) cluster_.pause(id);
        break;
      case 6:
        if (node.is_up() && node.paused) cluster_.resume(id);
        break;
      case 7:
        node.disk.delay = Millis(dice_.between(1, 150));
        break;
      default:
        break;
    }
  }

  void trouble_server(ServerId id) {
    switch (dice_.below(15)) {
      case 0:
        cluster_.step(id, PolicyChosen{static_cast<Policy>(1 + dice_.below(3))});
        break;
      case 1:
        cluster_.request(id, [&](Consensus& core) {
          static_cast<void>(core.transfer(ServerId(), cluster_.now()));
        });
        break;
      case 2:
        cluster_.request(id, [&](Consensus& core) {
          const auto kind = static_cast<Change::Kind>(dice_.below(5));
          static_cast<void>(core.change({kind, server(1 + dice_.below(7)), 3}, cluster_.now()));
        });
        break;
      case 3:
        cluster_.step(id, Hint{{server(1 + dice_.below(7)), server(1 + dice_.below(7)), id}});
        break;
      default:
        break;
    }
  }

  void propose(const std::string& command) {
    const ServerId leader = cluster_.leader();
    if (leader == ServerId()) return;
    const Proposal proposal = cluster_.propose(leader, command);
    if (proposal.ok()) open_[command] = {leader, proposal};
  }
  // What its leader has applied was acknowledged, and must stay.
  void collect() {
    std::erase_if(open_, [&](const auto& each) {
      const auto& [to, proposal] = each.second;
      if (!cluster_.node(to).is_up() || !cluster_.has_applied(to, each.first)) return false;
      cluster_.acknowledge(proposal, each.first);
      return true;
    });
  }

  Cluster cluster_;
  Random dice_;
  std::map<std::string, std::pair<ServerId, Proposal>> open_;
};

TEST(Chaos, LosesNothingAndComesToRest) {
  const char* seeds = std::getenv("RIFTBUS_CONSENSUS_SEEDS");
  const std::uint64_t count = seeds == nullptr ? 40 : std::strtoull(seeds, nullptr, 10);
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    Storm storm(seed);
    storm.rage(600);
    storm.calm_down();
    ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed << storm.describe();
  }
}

}  // namespace

}  // namespace riftbus::consensus
