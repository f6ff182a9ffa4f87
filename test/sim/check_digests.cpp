#include <map>
#include <string>

#include "test/sim/checkers.h"
#include "test/sim/cluster.h"

namespace riftbus::sim {

namespace {

class DigestChecker : public Checker {
 public:
  void on_interval(Cluster& cluster) override {
    if (++seconds_ % kSecondsBetweenLooks != 0 || cluster.size() > kNodesMax) return;
    std::map<std::string, std::uint32_t> by_view;
    for (const HostIndex index : cluster.running()) {
      const auto& core = cluster.host(index).core();
      const auto [found, is_new] = by_view.try_emplace(view_of(core), core.digest());
      if (!is_new && found->second != core.digest()) {
        cluster.fail("digest: " + cluster.host(index).id().value() +
                     " has another digest than a node with the same view: " + found->first);
      }
    }
    std::map<std::uint32_t, std::string> by_digest;
    for (const auto& [view, digest] : by_view) {
      const auto [found, is_new] = by_digest.try_emplace(digest, view);
      if (!is_new) cluster.fail("digest: the same for " + view + " and for " + found->second);
    }
  }

 private:
  static constexpr int kSecondsBetweenLooks = 5;
  static constexpr std::size_t kNodesMax = 200;

  // Who lives, and which life of it. A suspicion is on its way to something else, and the dead are
  // remembered for different times: neither is part of what digests compare.
  static std::string view_of(const membership::Membership& core) {
    std::string view;
    for (const membership::Member* member : core.members()) {
      if (member->standing == wire::Standing::dead || member->standing == wire::Standing::left) {
        continue;
      }
      view += member->record.id.value() + ":" + std::to_string(member->incarnation.value()) + " ";
    }
    return view;
  }

  int seconds_ = 0;
};

}  // namespace

std::unique_ptr<Checker> make_digest_checker() { return std::make_unique<DigestChecker>(); }

}  // namespace riftbus::sim
