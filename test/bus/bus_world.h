// A small cluster of Bus objects in one process, over real sockets on loopback.
//
// World holds the ZeroMQ context, the gatekeeper and the roster; Peer is one Bus with its key.
// Everything runs on the test's thread: until() polls all peers in turn, with a deadline, until an
// observed condition holds, so no test sleeps.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "bus/bus.h"
#include "bus/clock.h"
#include "bus/socket.h"
#include "bus/zap.h"
#include "test/bus/vocabulary.h"

namespace riftbus::bus {

using test::id_of;

struct Peer {
  NodeId id;
  KeyPair keys;
  std::unique_ptr<Bus> bus;
  std::vector<Event> events;

  template <class T>
  [[nodiscard]] std::vector<const T*> all() const {
    std::vector<const T*> found;
    for (const Event& event : events) {
      if (const auto* item = std::get_if<T>(&event)) found.push_back(item);
    }
    return found;
  }
  [[nodiscard]] const wire::Envelope* received(wire::Kind kind) const {
    for (const Received* item : all<Received>()) {
      if (wire::kind_of(item->envelope.body) == kind) return &item->envelope;
    }
    return nullptr;
  }
  [[nodiscard]] std::size_t count(wire::Kind kind) const {
    std::size_t count = 0;
    for (const Received* item : all<Received>())
      count += wire::kind_of(item->envelope.body) == kind;
    return count;
  }
  [[nodiscard]] ReplyTo asker(wire::Kind kind) const {
    for (const Received* item : all<Received>()) {
      if (wire::kind_of(item->envelope.body) == kind) return item->reply_to;
    }
    return {};
  }
};

class World {
 public:
  explicit World(bool insecure = false) : insecure_(insecure) {
    prepare_context(context_, Limits{});
    roster_ = std::make_shared<Roster>();
    roster_->cluster = "test";
    roster_->version = RosterVersion(1);
    if (!insecure_) {
      auto started = ZapHandler::start(context_, roster_);
      EXPECT_TRUE(started.ok());
      zap_ = std::move(*started);
    }
  }

  // A listed peer, bound; every peer knows every other's address.
  Peer& add(const std::string& name, Limits limits = {}) {
    Peer& peer = *peers_.emplace_back(new Peer{id_of(name), KeyPair::generate(), nullptr, {}});
    Settings settings;
    settings.self = peer.id;
    settings.instance = Instance(1000 + peers_.size());
    settings.cluster = "test";
    settings.software = "riftbus test";
    settings.host = "127.0.0.1";
    settings.insecure = insecure_;
    settings.limits = limits;
    peer.bus = std::make_unique<Bus>(context_, &peer.keys, settings);
    const Status bound = peer.bus->bind();
    EXPECT_TRUE(bound.ok());
    list(peer.id, peer.keys.public_key);
    for (auto& a : peers_) {
      for (auto& b : peers_) {
        if (a != b && b->bus) a->bus->set_addresses(b->id, {address_of(*b)});
      }
    }
    return peer;
  }
  static wire::Address address_of(const Peer& peer) {
    return {wire::AddressKind::loopback, "127.0.0.1", peer.bus->call_port(), peer.bus->pub_port()};
  }

  void list(const NodeId& id, const CurveKey& key) {
    change([&](Roster& roster) {
      roster.entries[id] = RosterEntry{id, key, std::nullopt, {Role::node}, std::nullopt, ""};
    });
  }
  void revoke(const NodeId& id) {
    change([&](Roster& roster) { roster.entries.erase(id); });
  }
  void change(const std::function<void(Roster&)>& edit) {
    auto next = std::make_shared<Roster>(*roster_);
    next->version = next->version.next();
    edit(*next);
    roster_ = next;
    if (zap_) zap_->replace(roster_);
    for (auto& peer : peers_) {
      if (peer->bus) peer->bus->set_roster(roster_);
    }
  }

  // Polls everybody until `holds` or the deadline.
  [[nodiscard]] bool until(const std::function<bool()>& holds, Millis limit = Millis(8000)) {
    const TimePoint deadline = boot_now() + limit;
    while (!holds()) {
      if (boot_now() >= deadline) return false;
      for (auto& peer : peers_) {
        if (peer->bus) (void)peer->bus->poll(boot_now() + Millis(1), peer->events);
      }
    }
    return true;
  }

  zmq::context_t& context() { return context_; }

 private:
  bool insecure_;
  zmq::context_t context_;
  std::unique_ptr<ZapHandler> zap_;
  std::shared_ptr<Roster> roster_;
  std::vector<std::unique_ptr<Peer>> peers_;  // last: their sockets go first
};

inline wire::Address at(std::uint16_t call_port, std::uint16_t pub_port,
                        wire::AddressKind kind = wire::AddressKind::loopback) {
  return {kind, "127.0.0.1", call_port, pub_port};
}

// Bound and closed again: nobody listens there.
inline std::uint16_t free_port() {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::router);
  return *bind_tcp(socket, "127.0.0.1", 0);
}

}  // namespace riftbus::bus
