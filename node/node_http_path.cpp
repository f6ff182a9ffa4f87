// How membership over HTTP is built into a node, and node.flags, by which an operator turns it on.
#include <algorithm>

#include "bus/clock.h"
#include "bus/log.h"
#include "config/address.h"
#include "node/api/api_leader.h"
#include "node/api/leader_questions.h"
#include "node/node_state.h"

namespace riftbus::node {

namespace {

constexpr Millis kLinksFor{100};  // what the bus says of its connections is good for so long

}  // namespace

// Without keys nothing could be sealed.
void Node::State::open_http_path() {
  if (!roster) return;
  PathGround ground;
  ground.places = [this](const NodeId& peer) { return http_places_of(peer); };
  ground.keys = [this](const NodeId& peer) { return member_keys(peer); };
  ground.interval = [this](const NodeId& peer) -> Nanos {
    const auto* member = members->core().find(peer);
    return member == nullptr ? prepared.timing.interval : Millis(member->record.interval_ms);
  };
  ground.calls_up = [this](const NodeId& peer) {
    if (now - called_at >= kLinksFor) {
      called_at = now;
      called.clear();
      for (const auto& link : bus->links()) {
        if (link.channel == wire::Channel::call && link.up) called.insert(link.peer);
      }
    }
    return called.contains(peer);
  };
  ground.post = [this](http::Errand errand) { return poster && poster->post(std::move(errand)); };
  ground.deliver = [this](bus::Received& received) { on_posted(received); };
  ground.link = [this](const NodeId& peer, bool up) { members->on_joint_link(peer, up, now); };
  ground.dialled = [this](const bus::Dialled& dialled) { members->on_joint_dialled(dialled, now); };
  ground.used = [this](const NodeId& peer, bool is_used) {
    const char* text = is_used ? "heard over HTTP only: its beats stay out on the bus"
                               : "no longer heard over HTTP only";
    journal.note("http", peer, text, {now, bus::wall_now_ms()});
    bus::log_warn(text, {{"node", peer.value()}});
  };
  http_path = std::make_unique<HttpPath>(prepared.identity->keys, prepared.settings.node_id,
                                         instance, std::move(ground));
  members->use(http_path.get());
  roster->use(http_path.get());
}

MembershipMode Node::State::configured_membership() const {
  return parse_membership_mode(prepared.settings.http.membership).value_or(MembershipMode::swim);
}

void Node::State::choose_membership(MembershipMode mode) {
  if (!http_path) {
    if (mode != MembershipMode::swim) {
      bus::log_warn("membership stays off HTTP: --insecure has no keys to seal it with");
    }
    return;
  }
  if (mode == http_path->mode()) return;
  if (mode != MembershipMode::swim && !poster) {
    poster = std::make_unique<http::Client>();
    poster_wake = bus->add_wakeup(poster->wake_fd());
  }
  bus::log_info("membership mode", {{"mode", to_string(mode)}});
  http_path->set_mode(mode, now);
  self_check_due = now;  // where we listen is for everybody to know, or no longer
}

// What is told to everybody. Nothing while others could not reach it.
std::optional<std::string> Node::State::own_http_tag() const {
  const auto& settings = prepared.settings;
  const auto& listen = settings.listen;
  if (!http_path || !http_path->is_on() || !http) return std::nullopt;
  const auto port = settings.advertise.http_port != 0 ? settings.advertise.http_port : http->port();
  const std::string text = std::to_string(port);
  if (is_wildcard_host(listen.http_host) || !settings.advertise.host.empty()) return text;
  const auto& addresses = self_record.addresses;
  const bool is_here = std::all_of(addresses.begin(), addresses.end(), [](const auto& address) {
    return is_loopback_host(address.host);
  });
  if (is_loopback_host(listen.http_host) && !is_here) return std::nullopt;
  const bool is_v6 = listen.http_host.find(':') != std::string::npos;
  return (is_v6 ? "[" + listen.http_host + "]" : listen.http_host) + ":" + text;
}

// Of whom nothing was heard yet: as this node listens, at the addresses that are configured. A
// wrong guess costs a post that nobody can read.
std::vector<HttpPlace> Node::State::http_places_of(const NodeId& peer) const {
  const auto addresses = members->addresses_of(peer);
  const auto* member = members->core().find(peer);
  if (member == nullptr || member->record.addresses.empty()) {
    return http_places(std::to_string(prepared.settings.listen.http_port), addresses);
  }
  const auto found = member->record.tags.find(kHttpTag);
  if (found == member->record.tags.end()) return {};
  return http_places(found->second, addresses);
}

std::vector<CurveKey> Node::State::member_keys(const NodeId& peer) const {
  return posting_keys(roster->in_force(), peer, bus::wall_now_ms() / 1000);
}

void Node::State::on_posted(bus::Received& received) {
  const auto kind = wire::kind_of(received.envelope.body);
  if (kind == wire::Kind::roster_get) return roster->on_get(received, now);
  if (kind == wire::Kind::roster_document) return roster->on_document(received, *members, now);
  take_member_words(received);
}

// node.flags: what the former orchestrator called so. All of what is asked for, or nothing.
Result<std::string> Node::State::answer_flags(const wire::Query& query,
                                              const std::set<Role>& roles) {
  const auto wanted = query.arguments.find("membership");
  const auto policy = query.arguments.find("policy");
  const auto none = query.arguments.end();
  const bool sets = wanted != none || policy != none;
  if (roles.empty()) return Error{1304, "asking takes a role", "", "ask for one"};
  if (sets && !roles.contains(Role::admin)) {
    return Error{1304, "setting flags takes the admin role", "", "use the admin key"};
  }
  MembershipMode mode = http_path ? http_path->mode() : MembershipMode::swim;
  if (wanted != none) {
    const bool is_back = wanted->second == kConfigured;
    const auto parsed = is_back ? configured_membership() : parse_membership_mode(wanted->second);
    if (!parsed) {
      return Error{1503, "no such membership mode", wanted->second,
                   "swim, hybrid, http or configured"};
    }
    if (*parsed != MembershipMode::swim && !http_path) {
      return Error{kOrderRefused, "membership over HTTP takes keys",
                   prepared.settings.node_id.value(), "start the node without --insecure"};
    }
    mode = *parsed;
  }
  if (policy != none) {
    const auto set =
        leader_questions->answer({"leader.policy", {{"policy", policy->second}}}, roles, false);
    if (!set) return set.error();
  }
  if (wanted != none) {
    orders.membership = wanted->second == kConfigured ? "" : to_string(mode);
    save_orders();
    choose_membership(mode);
  }
  Json json = begin_document("node.flags", view());
  json["membership"] = to_string(mode);
  json["membership_configured"] = to_string(configured_membership());
  json["policy"] = voter ? consensus::to_string(voter->replica().log().status().policy)
                         : prepared.settings.leadership.policy;
  json["votes"] = voter != nullptr;
  return dump(json);
}

}  // namespace riftbus::node
