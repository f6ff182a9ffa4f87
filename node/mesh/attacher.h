// Attacher: how a node that nobody can dial stays attached to relays.
//
// Each look reads what its tunnels say of themselves, lets the plan (node/mesh/tunnel_plan.h)
// decide to which relays there shall be some, and the keeper (node/mesh/tunnel_keeper.h) see to it.
// What leads here now is what addresses() names, home first; while nothing does, what led here
// last, for there others must look again, and see that it is the relay that is lost. Tunnels that
// somebody else keeps are read, too, and counted as ways here; they are never started or ended.
//
// It attaches by itself to relays whose pin it knows, to as many as it is told to at the moment: a
// node that others can dial (node/mesh/reach.h) needs none, or one for the day when that ends.
// Without any pin, or when it was told not to, it only reads.
//
// Loop thread only; files are read on the disk thread. Everything passed by reference outlives it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/cluster.h"
#include "node/disk/disk_thread.h"
#include "node/mesh/attachments.h"
#include "node/mesh/journal.h"
#include "node/mesh/tunnel_keeper.h"
#include "node/mesh/tunnel_plan.h"

namespace riftbus::node {

class Attacher {
 public:
  struct Setup {
    std::string folder;                  // where the tunnels' states are
    std::vector<RelayPlace> relays;      // in the order in which this node wants them
    std::uint16_t front_port = 0;        // of relays that are not among these
    bool attaches = true;                // else it only reads
    bool is_told = true;                 // it was set up as one that nobody can dial
    std::string program;                 // riftbus-tunnel
    std::vector<std::string> arguments;  // for it, after --attach RELAY
  };
  Attacher(Setup setup, DiskThread& disk, Journal& journal);

  // Once a second. `drained`: relays that are being emptied. `wanted`: how many shall lead here.
  void tick(const std::set<NodeId>& drained, std::size_t wanted, Moment now);
  // Of the last look that came back.
  [[nodiscard]] const std::vector<wire::Address>& addresses() const { return addresses_; }
  // Whether those have changed since the last call.
  [[nodiscard]] bool take_change() { return std::exchange(has_changed_, false); }

  // New sessions, with one relay or with all, those of tunnels that others keep, too: whose. They
  // are made a moment later, for whoever asks may have come through one of them.
  [[nodiscard]] std::vector<std::string> restart(const std::optional<NodeId>& relay, TimePoint now);
  void pass_on(int number) { keeper_.pass_on(number); }
  // Ends the tunnels: blocks for some seconds at most.
  void stop() { keeper_.stop(); }

  [[nodiscard]] bool attaches() const { return setup_.attaches; }
  [[nodiscard]] bool is_told() const { return setup_.is_told; }
  // Why it does not attach by itself; empty: it does, or was told not to.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  [[nodiscard]] const std::vector<TunnelReport>& reports() const { return reports_; }
  [[nodiscard]] const TunnelPlan& plan() const { return plan_; }
  [[nodiscard]] const TunnelKeeper& keeper() const { return keeper_; }
  // Since when no relay has led here; empty: one does, or none is wanted.
  [[nodiscard]] std::optional<TimePoint> alone_since() const { return alone_since_; }

 private:
  static constexpr Millis kAnswerFirst{300};
  struct Restart {
    std::optional<NodeId> relay;
    TimePoint due{};
  };
  void carry_out(const Restart& restart, TimePoint now);
  [[nodiscard]] bool is_meant(const TunnelReport& report, const std::optional<NodeId>& relay) const;
  void look();
  void take(std::vector<TunnelReport> reports, Moment now);
  void tell_changes(const std::set<std::string>& ways, Moment now);
  [[nodiscard]] std::string relay_name(const std::string& host) const;
  [[nodiscard]] bool is_ours(const TunnelReport& report) const;

  const Setup setup_;
  DiskThread& disk_;
  Journal& journal_;
  TunnelPlan plan_;
  TunnelKeeper keeper_;
  std::string trouble_;
  std::vector<TunnelReport> reports_;
  std::vector<wire::Address> addresses_;
  std::set<std::string> ways_;  // hosts
  std::optional<Restart> restart_;
  std::optional<TimePoint> alone_since_;
  std::size_t wanted_ = TunnelPlan::kWanted;
  Moment now_{};
  bool is_looking_ = false;
  bool has_looked_ = false;
  bool has_changed_ = false;
};

}  // namespace riftbus::node
