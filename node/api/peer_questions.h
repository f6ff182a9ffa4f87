// PeerQuestions: what this node asks another one in an operator's stead.
//
// Some answers lie on one node only: what a job has written, what its executor is told. Whoever
// asks for them over HTTP asks any node, so that node goes and asks. One question, one message: it
// is not repeated, for an operator sees that there was no answer and may ask again.
//
// Bounds: kAskedMax under way; each ends by its deadline. Errors: the peer's own; 1730 without an
// answer. Loop thread only; everything passed by reference outlives this object.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "bus/bus.h"
#include "node/mesh/member_shell.h"

namespace riftbus::node {

class PeerQuestions {
 public:
  static constexpr std::size_t kAskedMax = 64;
  static constexpr std::uint16_t kNoAnswer = 1730;
  using OnDocument = std::function<void(const Result<std::string>&)>;

  PeerQuestions(bus::Bus& bus, MemberShell& members) : bus_(bus), members_(members) {}

  void ask(const NodeId& peer, const wire::Query& query, TimePoint deadline, OnDocument done);
  // True: an Answer or a Refusal to one of ours, or to one that has ended.
  bool on_answer(const bus::Received& received);
  void tick(TimePoint now);
  [[nodiscard]] TimePoint next_deadline() const;

 private:
  struct Asked {
    NodeId peer;
    TimePoint deadline;
    OnDocument done;
  };
  bus::Bus& bus_;
  MemberShell& members_;
  std::map<std::uint64_t, Asked> asked_;
  std::uint64_t next_ = 0;
};

}  // namespace riftbus::node
