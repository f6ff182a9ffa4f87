// Prover: can a peer be reached at these addresses? Tried in earnest, and thrown away.
//
// An open port is no proof: behind a router somebody else may listen there. So each address is
// dialled as if it were to be used, the ROUTER's port and the publisher's, and proven when both
// have completed the CURVE handshake with a key that the roster has for the peer. Nothing is said
// over these connections, and none is kept.
//
// Whoever asks for such a proof chooses the addresses, so: never one of this host itself (loopback,
// or none at all) unless it listens there only, at most kAddressesMax, for kPeersMax peers at once.
// A name that is not resolved yet is left out of the answer; it is known the next time.
//
// Contract: loop thread; never blocks. A proof ends within attempt_max for each key of the peer and
// the pauses between.
#pragma once

#include <functional>
#include <list>
#include <string>
#include <vector>

#include "bus/bus.h"
#include "bus/link.h"

namespace riftbus::bus {

class Prover {
 public:
  static constexpr std::size_t kAddressesMax = 4;  // of one peer
  static constexpr std::size_t kPeersMax = 8;      // at once

  // `may_loop`: addresses of this host itself count as others do.
  Prover(LinkWorld& world, bool may_loop) : world_(world), may_loop_(may_loop) {}

  // One Proved follows. False: too many are under way, or one of this peer.
  [[nodiscard]] bool start(const NodeId& peer, const std::vector<wire::Address>& addresses,
                           const std::vector<CurveKey>& keys, TimePoint now);
  // Those that are not over: nobody reads what the others' monitors say.
  void collect_links(const std::function<void(Link&)>& take);
  [[nodiscard]] TimePoint next_deadline() const;
  void step(TimePoint now, std::vector<Event>& out);

 private:
  // One socket of the peer at one address.
  struct Way {
    Way(LinkWorld& world, const NodeId& peer, wire::Channel channel) : link(world, peer, channel) {}
    Link link;
    bool is_over = false;
    std::string trouble;  // once it is over; empty: it works
  };
  struct Place {
    Place(LinkWorld& world, const NodeId& peer)
        : calls(world, peer, wire::Channel::call), beats(world, peer, wire::Channel::pub) {}
    wire::Address address;
    std::optional<Nanos> rtt;
    Way calls;
    Way beats;
  };
  struct Proof {
    NodeId peer;
    int rounds = 1;  // one for each key
    std::list<Place> places;
  };
  void add_place(Proof& proof, const wire::Address& address, const std::vector<CurveKey>& keys,
                 TimePoint now);
  // True: it is over.
  bool look(Way& way, int rounds, TimePoint now);
  static AddressProof report(const Place& place);

  LinkWorld& world_;
  const bool may_loop_;
  std::list<Proof> proofs_;
};

// Whether connecting to this numeric address ends on this host itself, or nowhere in particular.
[[nodiscard]] bool is_own_host(const std::string& numeric);

}  // namespace riftbus::bus
