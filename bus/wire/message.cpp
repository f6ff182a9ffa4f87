#include "bus/wire/message.h"

namespace riftbus::wire {

namespace {

constexpr Kind kind_of_message(const Beat&) { return Kind::beat; }
constexpr Kind kind_of_message(const Gossip&) { return Kind::gossip; }
constexpr Kind kind_of_message(const Hello&) { return Kind::hello; }
constexpr Kind kind_of_message(const HelloAnswer&) { return Kind::hello_answer; }
constexpr Kind kind_of_message(const Join&) { return Kind::join; }
constexpr Kind kind_of_message(const JoinAnswer&) { return Kind::join_answer; }
constexpr Kind kind_of_message(const Watch&) { return Kind::watch; }
constexpr Kind kind_of_message(const WatchAnswer&) { return Kind::watch_answer; }
constexpr Kind kind_of_message(const Ping&) { return Kind::ping; }
constexpr Kind kind_of_message(const Pong&) { return Kind::pong; }
constexpr Kind kind_of_message(const AskHeard&) { return Kind::ask_heard; }
constexpr Kind kind_of_message(const Heard&) { return Kind::heard; }
constexpr Kind kind_of_message(const Resync&) { return Kind::resync; }
constexpr Kind kind_of_message(const Digest&) { return Kind::digest; }
constexpr Kind kind_of_message(const DigestAnswer&) { return Kind::digest_answer; }
constexpr Kind kind_of_message(const Fetch&) { return Kind::fetch; }
constexpr Kind kind_of_message(const RosterGet&) { return Kind::roster_get; }
constexpr Kind kind_of_message(const RosterDocument&) { return Kind::roster_document; }
constexpr Kind kind_of_message(const RosterPut&) { return Kind::roster_put; }
constexpr Kind kind_of_message(const Query&) { return Kind::query; }
constexpr Kind kind_of_message(const Answer&) { return Kind::answer; }
constexpr Kind kind_of_message(const Refusal&) { return Kind::refusal; }
constexpr Kind kind_of_message(const TapStart&) { return Kind::tap_start; }
constexpr Kind kind_of_message(const TapData&) { return Kind::tap_data; }
constexpr Kind kind_of_message(const Consensus&) { return Kind::consensus; }
constexpr Kind kind_of_message(const WorkRequest&) { return Kind::work_request; }
constexpr Kind kind_of_message(const WorkReply&) { return Kind::work_reply; }

}  // namespace

Kind kind_of(const Body& body) {
  return std::visit([](const auto& message) { return kind_of_message(message); }, body);
}

const char* to_string(Kind kind) {
  switch (kind) {
    case Kind::beat:
      return "beat";
    case Kind::gossip:
      return "gossip";
    case Kind::hello:
      return "hello";
    case Kind::hello_answer:
      return "hello.answer";
    case Kind::join:
      return "join";
    case Kind::join_answer:
      return "join.answer";
    case Kind::watch:
      return "watch";
    case Kind::watch_answer:
      return "watch.answer";
    case Kind::ping:
      return "ping";
    case Kind::pong:
      return "pong";
    case Kind::ask_heard:
      return "heard.ask";
    case Kind::heard:
      return "heard";
    case Kind::resync:
      return "resync";
    case Kind::digest:
      return "digest";
    case Kind::digest_answer:
      return "digest.answer";
    case Kind::fetch:
      return "fetch";
    case Kind::roster_get:
      return "roster.get";
    case Kind::roster_document:
      return "roster.document";
    case Kind::roster_put:
      return "roster.put";
    case Kind::query:
      return "query";
    case Kind::answer:
      return "answer";
    case Kind::refusal:
      return "refusal";
    case Kind::tap_start:
      return "tap.start";
    case Kind::tap_data:
      return "tap.data";
    case Kind::consensus:
      return "consensus";
    case Kind::work_request:
      return "work.request";
    case Kind::work_reply:
      return "work.reply";
  }
  return "unknown";
}

const char* to_string(Standing standing) {
  switch (standing) {
    case Standing::alive:
      return "alive";
    case Standing::suspect:
      return "suspect";
    case Standing::dead:
      return "dead";
    case Standing::left:
      return "left";
    case Standing::unreachable:
      return "unreachable";
  }
  return "unknown";
}

const char* to_string(Evidence evidence) {
  switch (evidence) {
    case Evidence::none:
      return "none";
    case Evidence::silence:
      return "silence";
    case Evidence::refused:
      return "refused";
    case Evidence::conflict:
      return "conflict";
    case Evidence::goodbye:
      return "goodbye";
  }
  return "unknown";
}

const char* to_string(AddressKind kind) {
  switch (kind) {
    case AddressKind::loopback:
      return "loopback";
    case AddressKind::lan:
      return "lan";
    case AddressKind::public_ip:
      return "public";
    case AddressKind::tailscale:
      return "tailscale";
    case AddressKind::relay:
      return "relay";
  }
  return "unknown";
}

}  // namespace riftbus::wire
