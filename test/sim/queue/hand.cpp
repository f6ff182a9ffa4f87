#include "test/sim/queue/hand.h"

#include <algorithm>

#include "test/sim/queue/number.h"

namespace riftbus::consensus {

namespace {

std::string describe(const work::Claimed& claimed) {
  if (claimed.grants.empty()) {
    return std::string("granted nothing (") + to_string(claimed.outcome) + ")";
  }
  std::string text = "granted";
  for (const auto& grant : claimed.grants) {
    text += " #" + number(grant.id.value()) + (grant.held ? "" : " (gone)");
  }
  // As generation and place in the log.
  const std::uint64_t fence = claimed.fence.value();
  const std::uint64_t place = fence & ((std::uint64_t{1} << work::kFenceIndexBits) - 1);
  return text + " with fence " + number(fence >> work::kFenceIndexBits) + "/" + number(place);
}

// "1/7": generation and place in the log.
work::Fence read_fence(const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos) return work::Fence(std::stoull(text));
  return work::Fence((std::stoull(text) << work::kFenceIndexBits) |
                     std::stoull(text.substr(slash + 1)));
}

std::string describe(const work::Verdicts& verdicts) {
  std::string text = to_string(verdicts.outcome);
  for (const auto& each : verdicts.works) {
    text += ", #" + number(each.id.value()) + " " + to_string(each.outcome);
  }
  return text;
}

std::string describe(const AnswerBody& body) {
  if (const auto* moved = std::get_if<replica::Moved>(&body)) {
    return "ask " + name_of(moved->leader);
  }
  if (std::holds_alternative<replica::Busy>(body)) return "busy";
  if (std::holds_alternative<replica::ReadNow>(body)) return "read";
  if (const auto* answers = std::get_if<replica::RenewedAnswers>(&body)) {
    std::string text = "renewed";
    for (const auto& each : *answers) {
      text += " #" + number(each.judged.id.value()) + " " + to_string(each.judged.outcome);
    }
    return text;
  }
  const auto& reply = std::get<work::Reply>(body);
  if (const auto* claimed = std::get_if<work::Claimed>(&reply)) return describe(*claimed);
  if (const auto* verdicts = std::get_if<work::Verdicts>(&reply)) return describe(*verdicts);
  std::string text = "added";
  for (const auto id : std::get<work::Added>(reply).ids) text += " #" + number(id.value());
  return text;
}

work::Command make_add(const Words& words, std::uint64_t nonce) {
  work::Add add{number_of(words, "nonce", nonce), {}};
  for (std::uint64_t i = 0; i < number_of(words, "items", 1); ++i) {
    work::Spec& spec = add.items.emplace_back();
    spec.kind = "k0";
    spec.payload = std::string(number_of(words, "bytes", 1), 'x');
    spec.dedupe = value_of(words, "dedupe", "");
    spec.terms.lease_ms = static_cast<std::uint32_t>(number_of(words, "lease_ms", 4000));
  }
  return add;
}

}  // namespace

std::string value_of(const Words& words, const std::string& key, const std::string& otherwise) {
  for (const auto& word : words) {
    if (word.starts_with(key + "=")) return word.substr(key.size() + 1);
  }
  return otherwise;
}

std::uint64_t number_of(const Words& words, const std::string& key, std::uint64_t otherwise) {
  const std::string text = value_of(words, key, "");
  return text.empty() ? otherwise : std::stoull(text);
}

std::string name_of(ServerId id) { return id == ServerId() ? "nobody" : "v" + number(id.value()); }

bool Hand::knows(const std::string& verb) {
  static const Words verbs = {"add",   "claim",  "attach", "complete",
                              "renew", "expire", "read",   "repeat"};
  return std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
}

Client::Request Hand::make(const Words& words) {
  const NodeId who = *NodeId::parse(value_of(words, "as", "hand"));
  const Instance instance(number_of(words, "instance", 1));
  const work::Hold hold{work::WorkId(number_of(words, "item", 1)),
                        read_fence(value_of(words, "fence", "0"))};
  const std::string& verb = words[0];
  if (verb == "add") return make_add(words, ++nonce_);
  if (verb == "read") return replica::Read{};
  if (verb == "renew") return work::Renewal{who, {{hold, 0, ""}}};
  if (verb == "complete") return work::Command(work::Complete{who, {{hold, "result"}}});
  if (verb == "expire") {  // as only a leader may; the desk refuses it from anybody else
    return work::Command(
        work::Expire{number_of(words, "term", 0), work::Lapse::silence, {{hold, 0, 0, ""}}});
  }
  if (verb == "attach") {
    return work::Command(
        work::Attach{who, instance, {}, false, Instance(number_of(words, "replaces", 0))});
  }
  work::Claim claim{who,
                    instance,
                    number_of(words, "request", 1),
                    static_cast<std::uint32_t>(number_of(words, "max", 1)),
                    {}};
  claim.offer.amounts = {{"cpus", 64'000}};
  return work::Command(std::move(claim));
}

void Hand::ask(Voter& voter, const Words& words) {
  if (words[0] != "repeat") {
    last_ = make(words);
    last_verb_ = words[0];
  }
  const ServerId to = voter.id();
  const Reply reply = [this, to, verb = last_verb_](const AnswerBody& body) {
    world_.links().send(to.value(), kPort, [this, to, verb, body] {
      check(verb, body);
      say_(name_of(to) + " answers " + verb + ": " + describe(body));
    });
  };
  world_.links().send(kPort, to.value(), [this, to, body = last_, reply] {
    const replica::Ticket ticket = world_.next_ticket();
    replica::Request request = replica::Read{ticket};
    if (const auto* command = std::get_if<work::Command>(&body)) {
      request = replica::Submit{ticket, *command, "", Nanos(0)};
    } else if (const auto* renewal = std::get_if<work::Renewal>(&body)) {
      request = replica::Renew{ticket, *renewal};
    }
    world_.find(to)->ask(request, ticket, reply);
  });
}

void Hand::check(const std::string& verb, const AnswerBody& body) {
  const auto* reply = std::get_if<work::Reply>(&body);
  if (reply == nullptr) return;
  if (const auto* added = std::get_if<work::Added>(reply)) {
    world_.witness().acknowledged_add(*added);
  } else if (verb == "complete") {
    for (const auto& each : std::get<work::Verdicts>(*reply).works) {
      if (each.outcome == work::Outcome::ok) world_.witness().acknowledged_end(each.id);
    }
  }
}

}  // namespace riftbus::consensus
