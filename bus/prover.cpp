#include "bus/prover.h"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

namespace riftbus::bus {

bool is_own_host(const std::string& numeric) {
  in6_addr v6{};
  in_addr v4{};
  if (::inet_pton(AF_INET6, numeric.c_str(), &v6) == 1) {
    if (!IN6_IS_ADDR_V4MAPPED(&v6))
      return IN6_IS_ADDR_LOOPBACK(&v6) || IN6_IS_ADDR_UNSPECIFIED(&v6);
    std::copy_n(v6.s6_addr + 12, 4, reinterpret_cast<std::uint8_t*>(&v4.s_addr));
  } else if (::inet_pton(AF_INET, numeric.c_str(), &v4) != 1) {
    return true;  // no address at all: nothing to dial
  }
  const auto first = ntohl(v4.s_addr) >> 24U;
  return first == 127 || first == 0;
}

bool Prover::start(const NodeId& peer, const std::vector<wire::Address>& addresses,
                   const std::vector<CurveKey>& keys, TimePoint now) {
  const bool is_known = std::any_of(proofs_.begin(), proofs_.end(),
                                    [&](const Proof& one) { return one.peer == peer; });
  if (is_known || proofs_.size() >= kPeersMax) return false;
  Proof& proof = proofs_.emplace_back();
  proof.peer = peer;
  proof.rounds = std::max(1, static_cast<int>(keys.size()));
  for (const auto& address : addresses) {
    if (proof.places.size() < kAddressesMax) add_place(proof, address, keys, now);
  }
  return true;
}

void Prover::add_place(Proof& proof, const wire::Address& address,
                       const std::vector<CurveKey>& keys, TimePoint now) {
  if (address.kind == wire::AddressKind::relay || address.call_port == 0 || address.pub_port == 0) {
    return;
  }
  const auto hosts = world_.resolver.lookup(address.host, now);
  if (hosts.empty() || (!may_loop_ && is_own_host(hosts.front()))) return;
  Place& place = proof.places.emplace_back(world_, proof.peer);
  place.address = address;
  wire::Address numeric = address;
  numeric.host = hosts.front();
  for (Way* way : {&place.calls, &place.beats}) {
    way->link.set_keys(keys, now);
    way->link.set_addresses({numeric}, now);
  }
}

void Prover::collect_links(const std::function<void(Link&)>& take) {
  for (Proof& proof : proofs_) {
    for (Place& place : proof.places) {
      for (Way* way : {&place.calls, &place.beats}) {
        if (!way->is_over) take(way->link);
      }
    }
  }
}

TimePoint Prover::next_deadline() const {
  TimePoint next = TimePoint::max();
  for (const Proof& proof : proofs_) {
    if (proof.places.empty()) return TimePoint{};
    for (const Place& place : proof.places) {
      for (const Way* way : {&place.calls, &place.beats}) {
        if (!way->is_over) next = std::min(next, way->link.next_deadline());
      }
    }
  }
  return next;
}

bool Prover::look(Way& way, int rounds, TimePoint now) {
  if (way.is_over) return true;
  if (way.link.is_due(now)) static_cast<void>(way.link.step(now));
  const bool has_failed = way.link.rounds_failed() >= rounds;
  way.is_over = way.link.up() || has_failed || !way.link.reachable();
  if (!way.is_over) return false;
  ++world_.poll_generation;
  if (!way.link.up()) way.trouble = has_failed ? way.link.trouble() : "no key of it is known";
  return true;
}

AddressProof Prover::report(const Place& place) {
  AddressProof proof{place.address, false, "", place.calls.link.rtt()};
  const auto& calls = place.calls.trouble;
  const auto& beats = place.beats.trouble;
  proof.is_proven = calls.empty() && beats.empty();
  if (proof.is_proven) return proof;
  if (calls.empty()) {
    proof.trouble = "calls get through, publications do not: " + beats;
  } else if (beats.empty()) {
    proof.trouble = "publications get through, calls do not: " + calls;
  } else {
    proof.trouble = calls;
  }
  return proof;
}

void Prover::step(TimePoint now, std::vector<Event>& out) {
  for (auto proof = proofs_.begin(); proof != proofs_.end();) {
    bool is_over = true;
    for (Place& place : proof->places) {
      is_over = look(place.calls, proof->rounds, now) && is_over;
      is_over = look(place.beats, proof->rounds, now) && is_over;
    }
    if (!is_over) {
      ++proof;
      continue;
    }
    Proved proved{proof->peer, {}};
    for (const Place& place : proof->places) proved.proofs.push_back(report(place));
    out.push_back(std::move(proved));
    proof = proofs_.erase(proof);
    ++world_.poll_generation;
  }
}

}  // namespace riftbus::bus
