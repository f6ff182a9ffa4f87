// How a node's ways through relays are built into it: those that lead here, and being a relay.
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/wire/relayed.h"
#include "config/address.h"
#include "node/api/api_relays.h"
#include "node/mesh/relay_choice.h"
#include "node/node_state.h"

namespace riftbus::node {

namespace {

constexpr std::uint16_t kNothingToRestart = 1823;
constexpr std::uint16_t kNoRelay = 1826;

std::string find_tunnel_program() {
  std::error_code trouble;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", trouble);
  return (self.parent_path() / "riftbus-tunnel").string();
}

}  // namespace

// A relay whose key was revoked is nobody's relay any more, whatever the cluster file says.
void Node::State::open_attacher() {
  const auto& settings = prepared.settings;
  if (!settings.nat_blocked && (!settings.tunnel.attach || is_relay())) return;
  auto relays = prepared.relays;
  std::erase_if(relays, [&](const RelayPlace& relay) {
    return relay.id == settings.node_id ||
           (roster && roster->in_force().revoked.contains(relay.id));
  });
  // Whom nobody told that it needs one finds out, as far as there is something to choose.
  const bool has_pins = std::any_of(relays.begin(), relays.end(),
                                    [](const RelayPlace& relay) { return !relay.pins.empty(); });
  if (!settings.nat_blocked && !has_pins) return;
  Attacher::Setup setup;
  setup.is_told = settings.nat_blocked;
  setup.folder = settings.paths.data_dir;
  setup.relays = rank_relays(settings.node_id, std::move(relays), settings.prefers_relays);
  setup.front_port = settings.relay.front_port;
  setup.attaches = settings.tunnel.attach;
  setup.program = find_tunnel_program();
  setup.arguments = prepared.arguments;
  attacher = std::make_unique<Attacher>(std::move(setup), disk, journal);
  if (attacher->trouble().empty()) return;
  bus::write_error({1822, "this node does not attach by itself: " + attacher->trouble(), "",
                    "name relays with their pins, or start riftbus-tunnel for it"});
}

// Both ends of it: to the relays that we may need, and from those who need the one on this host.
void Node::State::open_carrier() {
  const auto& settings = prepared.settings;
  Carrier::Setup setup;
  for (const auto& relay : prepared.relays) {
    if (!attacher || relay.id == settings.node_id || relay.pins.empty() || !relay.carries) continue;
    if (auto path = carry_socket_of(settings.paths.data_dir, relay.id)) {
      setup.sockets.emplace(relay.id, std::move(*path));
    }
  }
  const auto& relays = prepared.all_relays;
  setup.is_relay = std::any_of(relays.begin(), relays.end(), [&](const RelayPlace& relay) {
    return relay.id == settings.node_id;
  });
  const std::string& host = settings.relay.ssh_host;
  if (setup.is_relay && settings.relay.carry) {
    const bool is_here = is_wildcard_host(host) || host == "localhost";
    setup.port = {is_here ? "127.0.0.1" : host, settings.relay.ssh_port, ""};
  }
  carrier = std::make_unique<Carrier>(std::move(setup), *bus,
                                      [this](const NodeId& relay) { members->make_known(relay); });
  carry_wake = bus->add_wakeup(carrier->descriptor());
  if (const auto status = carrier->listen(); !status) bus::write_error(status.error());
}

bool Node::State::is_relay() const {
  const NodeId& self = prepared.settings.node_id;
  const auto is_it = [&](const RelayPlace& relay) { return relay.id == self; };
  if (std::any_of(prepared.all_relays.begin(), prepared.all_relays.end(), is_it)) return true;
  if (!roster) return false;
  const auto& listed = roster->in_force().relays;
  return std::find(listed.begin(), listed.end(), self) != listed.end();
}

// What everybody is to know of us besides what the settings say.
std::map<std::string, std::string> Node::State::own_tags() const {
  auto tags = prepared.settings.tags;
  for (const char* ours : {kRelayTag, kWorkTag}) tags.erase(ours);  // orders, not settings
  if (orders.relay_draining) tags[kRelayTag] = kDraining;
  if (orders.draining && executor) tags[kWorkTag] = kDraining;
  const auto verdict = reach ? reach->verdict() : Reachability::unknown;
  if (verdict == Reachability::direct) tags[wire::kDialledTag] = wire::kDialledYes;
  const bool is_told = prepared.settings.nat_blocked && verdict == Reachability::unknown;
  if (verdict == Reachability::blocked || is_told) tags[wire::kDialledTag] = wire::kDialledNo;
  // What the settings say holds: who listens behind something else knows best where.
  if (const auto place = own_http_tag()) tags.try_emplace(kHttpTag, *place);
  return tags;
}

// Once a second.
void Node::State::tend_relays() {
  if (is_relay()) look_at_relay();
  if (self_record.tags != own_tags()) self_check_due = now;  // an order of a former life
  if (!attacher) return;
  std::set<NodeId> drained;
  for (const auto* member : members->core().members()) {
    if (is_draining(*member, kRelayTag)) drained.insert(member->record.id);
  }
  tend_reach();
  attacher->tick(drained, relays_wanted(), {now, bus::wall_now_ms()});
  if (attacher->take_change()) self_check_due = now;
}

// The relay of this host writes down who is attached to it.
void Node::State::look_at_relay() {
  if (is_reading_relay) return;
  const auto found = std::make_shared<std::string>();
  const auto read = [found, path = prepared.settings.relay.status_file] {
    *found = read_relay(path);
    return Status(Ok{});
  };
  const auto keep = [this, found](const Status&) {
    is_reading_relay = false;
    relay_status = std::move(*found);
  };
  is_reading_relay = disk.post({read, keep});
}

void Node::State::add_relays(NodeView& seen) const {
  RelayView relays;
  relays.relays = &prepared.all_relays;
  relays.attacher = attacher.get();
  relays.reach = reach.get();
  relays.carrier = carrier.get();
  relays.is_relay = is_relay();
  relays.is_draining = orders.relay_draining;
  relays.status = &relay_status;
  seen.relays = std::make_shared<const RelayView>(relays);
}

// Whom an operator lets us ping may be somebody to whom we never had anything to say.
void Node::State::know_subject(const wire::Query& query) {
  const auto* text = query.name == "link.ping" ? find_argument(query, "id") : nullptr;
  if (text == nullptr) return;
  const auto id = NodeId::parse(*text);
  if (id && members->core().find(*id) != nullptr) members->make_known(*id);
}

// True: it was an order about tunnels or relays.
bool Node::State::on_relay_order(const bus::Received& received, const std::set<Role>& roles) {
  const auto& query = std::get<wire::Query>(received.envelope.body);
  if (query.name != "tunnel.restart" && query.name != "relay.drain") return false;
  const auto refuse = [&](std::uint16_t code, std::string what, std::string next) {
    bus->reply(received.reply_to, received.envelope.correlation,
               wire::Refusal{code, std::move(what), std::move(next)});
    return true;
  };
  if (!roles.contains(Role::admin)) {
    return refuse(1505, query.name + " takes the admin role", "use the admin key");
  }
  const auto answer = query.name == "relay.drain" ? drain_relay(query) : restart_tunnels(query);
  if (!answer) {
    const Error& error = answer.error();
    return refuse(error.code, error.what, error.next);
  }
  bus->reply(received.reply_to, received.envelope.correlation, wire::Answer{*answer});
  return true;
}

Result<std::string> Node::State::restart_tunnels(const wire::Query& query) {
  std::optional<NodeId> relay;
  if (const auto* text = find_argument(query, "relay")) {
    const auto id = NodeId::parse(*text);
    if (!id) return Error{1503, id.error().what, "", id.error().next};
    relay = *id;
  }
  const auto told = attacher ? attacher->restart(relay, now) : std::vector<std::string>{};
  if (told.empty()) {
    return Error{kNothingToRestart, "this node has no tunnel" + std::string(relay ? " to it" : ""),
                 "", "see riftbus tunnel list"};
  }
  auto document = tunnel_list_document(view());
  document["document"] = "tunnel.restart";
  document["restarted"] = told;
  return dump(document);
}

Result<std::string> Node::State::drain_relay(const wire::Query& query) {
  const auto* mode = find_argument(query, "mode");
  const bool drains = mode == nullptr || *mode == "drain";
  if (!drains && *mode != "resume") {
    return Error{1503, "mode is neither drain nor resume", "", "give one of them"};
  }
  if (!is_relay()) {
    return Error{kNoRelay, prepared.settings.node_id.value() + " is no relay", "",
                 "name the node of a relay: riftbus relay list"};
  }
  if (orders.relay_draining != drains) {
    orders.relay_draining = drains;
    save_orders();
    self_check_due = now;
    journal.note("relay", prepared.settings.node_id,
                 drains ? "is being emptied: nodes go elsewhere" : "takes nodes again",
                 {now, bus::wall_now_ms()});
    check_self();
  }
  auto document = relay_show_document(prepared.settings.node_id.value(), view());
  Json json = document ? std::move(*document) : begin_document("relay.drain", view());
  json["document"] = "relay.drain";
  json["draining"] = drains;
  // Everybody hears so in a moment, this node's own view too.
  if (json.contains("relay")) json["relay"]["draining"] = drains;
  return dump(json);
}

}  // namespace riftbus::node
