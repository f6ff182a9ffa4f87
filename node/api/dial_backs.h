// DialBacks: dials members that want to know whether they can be dialled (node/mesh/reach.h).
//
// `dial.back` is a question of one member to another about itself, and takes no argument: tried are
// the addresses of the asker's own record, as this node knows it, and nothing else. The answer is a
// document (dial_back_document), some seconds later. A member of an older version refuses the
// question as one that it does not know, which is no evidence either way.
//
// So that nobody is made to knock at strangers' doors: each asker once in kEvery, few at once
// (bus/prover.h, which also refuses addresses of this host itself). Loop thread only.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "bus/bus.h"
#include "node/api/api.h"

namespace riftbus::node {

struct DialTry;

class DialBacks {
 public:
  static constexpr Seconds kEvery{4};  // less than Reach::kFirst
  static constexpr std::size_t kAskersMax = 1024;
  static constexpr const char* kQuery = "dial.back";

  explicit DialBacks(bus::Bus& bus) : bus_(bus) {}

  // `is_member`: the asker's key has a member's role.
  void on_query(const bus::Received& received, bool is_member, const NodeView& view);
  void on_proved(const bus::Proved& proved, const NodeView& view);

 private:
  struct Asked {
    bus::ReplyTo asker;
    Correlation correlation;
    TimePoint at{};
  };
  // Why not; empty: it is tried.
  [[nodiscard]] std::string begin(const bus::Received& received, const NodeView& view);

  bus::Bus& bus_;
  std::map<NodeId, Asked> asked_;
};

[[nodiscard]] std::string dial_back_document(const bus::Proved& proved, const NodeView& view);
// What it says of these addresses; of others, nothing. Total: any text.
[[nodiscard]] std::vector<DialTry> read_dial_back(const std::string& document,
                                                  const std::vector<wire::Address>& addresses);

}  // namespace riftbus::node
