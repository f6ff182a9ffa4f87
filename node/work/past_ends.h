// PastEnds: how grants ended whose items have gone on since.
//
// An item knows how its last grant ended, and history who completed it. A report that is repeated
// later than that (its item was given back, granted to somebody else and ended again before the
// lost reply was missed) is recognised here, so that "no reply" may always be followed by the same
// question. The oldest give way, beyond kEndsKept; then a repetition is called stale, which is
// never untrue but does not tell whether the first try was heard.
//
// Pure; not thread-safe.
#pragma once

#include <deque>
#include <map>

#include "node/work/command.h"

namespace riftbus::work {

struct PastEnd {
  Hold hold;
  std::uint16_t node = 0;
  Ending how = Ending::none;
  bool operator==(const PastEnd&) const = default;
};

class PastEnds {
 public:
  // False: it is known already.
  bool add(const PastEnd& end) {
    if (!by_hold_.emplace(end.hold, end).second) return false;
    order_.push_back(end.hold);
    if (order_.size() > kEndsKept) {
      by_hold_.erase(order_.front());
      order_.pop_front();
    }
    return true;
  }
  [[nodiscard]] bool knows(const Hold& hold, std::uint16_t node, Ending how) const {
    const auto at = by_hold_.find(hold);
    return at != by_hold_.end() && at->second == PastEnd{hold, node, how};
  }
  [[nodiscard]] std::size_t size() const { return order_.size(); }
  // Of the oldest, 0; and so on.
  [[nodiscard]] const PastEnd& at(std::size_t place) const { return by_hold_.at(order_[place]); }

 private:
  std::map<Hold, PastEnd> by_hold_;
  std::deque<Hold> order_;
};

}  // namespace riftbus::work
