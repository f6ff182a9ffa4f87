// Front: the relay's public side, where members come to reach the nodes that are attached to it.
//
// It speaks SOCKS5 (relay/front/socks.h) and leads to the Unix sockets that the SSH half makes for
// the nodes' tunnels. Nothing is believed and nothing is read: members and nodes speak CURVE with
// each other, end to end. So anybody may come; how many, and for how long without a request, is
// bounded, in all and per address.
//
// Contract: one thread, the loop's. open() once; sweep() after each round of the loop, and not
// later than next_deadline().
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <string>
#include <vector>

#include "bus/loop.h"
#include "config/relay_config.h"
#include "config/result.h"
#include "config/types.h"
#include "relay/front/passage.h"

namespace riftbus::relay {

struct FrontCounters {
  std::uint64_t accepted = 0;
  std::uint64_t turned_away = 0;  // too many
  std::uint64_t opened = 0;       // led to a node
  std::uint64_t unreachable = 0;  // to one that is not attached, or does not listen there
  std::uint64_t refused = 0;      // no proper request, or none in time
  std::uint64_t bytes = 0;        // both ways
};

class Front : private bus::Watcher, private Passage::Owner {
 public:
  static constexpr Seconds kAcceptPause{1};  // without a free descriptor

  Front(bus::Loop& loop, const RelayConfig& config);
  ~Front() override;
  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;

  [[nodiscard]] Status open();  // 1817
  void sweep(TimePoint now);
  [[nodiscard]] TimePoint next_deadline() const;

  [[nodiscard]] FrontCounters counters() const;
  // Grows with whatever a status would show, bytes apart.
  [[nodiscard]] std::uint64_t changes() const { return changes_; }
  [[nodiscard]] std::size_t size() const { return strangers_.size() + open_.size(); }

 private:
  struct Visit : Passage {
    using Passage::Passage;
    std::string address;
    TimePoint due{};  // for its request
    bool is_stranger = true;
    std::list<Visit>::iterator place;
  };

  void on_ready(bus::Readiness what) override;
  void on_change(Passage& passage) override { changed_.push_back(static_cast<Visit*>(&passage)); }
  void let_in(int accepted, const std::string& address, TimePoint now);
  void see_out(Visit& visit);

  bus::Loop& loop_;
  const RelayConfig& config_;
  int listener_ = -1;
  std::list<Visit> strangers_;  // without a node yet; oldest first, as their deadlines
  std::list<Visit> open_;
  std::vector<Visit*> changed_;  // since the last sweep
  std::map<std::string, std::size_t> addresses_;
  std::uint64_t changes_ = 0;
  FrontCounters counters_;  // `bytes` of those that are gone
  TimePoint accept_due_ = TimePoint::max();
};

}  // namespace riftbus::relay
