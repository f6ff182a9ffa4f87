#include "node/api/dial_backs.h"

#include <algorithm>
#include <utility>

#include "node/api/api_json.h"
#include "node/mesh/reach.h"

namespace riftbus::node {

namespace {

constexpr std::size_t kTroubleBytesMax = 200;
constexpr double kRttMsMax = 60'000;

bool names(const Json& json, const wire::Address& address) {
  const auto is_port = [&](const char* name, std::uint16_t port) {
    const auto found = json.find(name);
    return found != json.end() && found->is_number_unsigned() &&
           found->get<std::uint64_t>() == port;
  };
  return text_in(json, "host") == address.host && is_port("call_port", address.call_port) &&
         is_port("pub_port", address.pub_port);
}

DialTry read_try(const Json& json, const wire::Address& address) {
  DialTry one{address, false, text_in(json, "trouble").substr(0, kTroubleBytesMax), {}};
  const auto worked = json.find("worked");
  one.worked = worked != json.end() && worked->is_boolean() && worked->get<bool>();
  if (one.worked) one.trouble.clear();
  const auto rtt = json.find("rtt_ms");
  const bool has_rtt = rtt != json.end() && rtt->is_number() && rtt->get<double>() >= 0 &&
                       rtt->get<double>() <= kRttMsMax;
  if (has_rtt) one.rtt = Nanos(static_cast<std::int64_t>(rtt->get<double>() * 1e6));
  return one;
}

}  // namespace

std::string DialBacks::begin(const bus::Received& received, const NodeView& view) {
  const NodeId& asker = received.envelope.origin;
  const auto* member = view.membership->find(asker);
  if (member == nullptr || asker == view.self) return "this node has no record of the asker";
  std::erase_if(asked_, [&](const auto& one) {
    return view.now.at >= one.second.at + kEvery && one.second.correlation.value() == 0;
  });
  if (asked_.contains(asker) || asked_.size() >= kAskersMax) return "asked too often";
  if (!bus_.prove(asker, member->record.addresses)) return "too many are being dialled";
  asked_[asker] = {received.reply_to, received.envelope.correlation, view.now.at};
  return "";
}

void DialBacks::on_query(const bus::Received& received, bool is_member, const NodeView& view) {
  const auto correlation = received.envelope.correlation;
  if (correlation.value() == 0) return;  // nobody awaits an answer
  if (!is_member) {
    bus_.reply(received.reply_to, correlation,
               wire::Refusal{1304, "only members are dialled back", "ask for the node role"});
    return;
  }
  if (const auto why = begin(received, view); !why.empty()) {
    bus_.reply(received.reply_to, correlation,
               wire::Refusal{1305, why, "try again in a few seconds"});
  }
}

void DialBacks::on_proved(const bus::Proved& proved, const NodeView& view) {
  const auto found = asked_.find(proved.peer);
  if (found == asked_.end()) return;
  bus_.reply(found->second.asker, found->second.correlation,
             wire::Answer{dial_back_document(proved, view)});
  found->second.correlation = Correlation(0);  // answered; kept for the pause
}

std::string dial_back_document(const bus::Proved& proved, const NodeView& view) {
  Json json = begin_document(DialBacks::kQuery, view);
  json["subject"] = proved.peer.value();
  Json tries = Json::array();
  for (const auto& proof : proved.proofs) {
    Json one = address_json(proof.address);
    one["worked"] = proof.is_proven;
    one["trouble"] = proof.trouble;
    one["rtt_ms"] = span_json(proof.rtt);
    tries.push_back(std::move(one));
  }
  json["tries"] = std::move(tries);
  return dump(json);
}

std::vector<DialTry> read_dial_back(const std::string& document,
                                    const std::vector<wire::Address>& addresses) {
  std::vector<DialTry> read;
  const Json json = Json::parse(document, nullptr, false);
  if (!json.is_object()) return read;
  const auto tries = json.find("tries");
  if (tries == json.end() || !tries->is_array()) return read;
  for (const auto& address : addresses) {
    const auto found = std::find_if(tries->begin(), tries->end(), [&](const Json& one) {
      return one.is_object() && names(one, address);
    });
    if (found != tries->end()) read.push_back(read_try(*found, address));
  }
  return read;
}

}  // namespace riftbus::node
