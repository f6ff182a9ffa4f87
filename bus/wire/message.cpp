#include "bus/wire/message.h"

#include <array>
#include <utility>

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
constexpr Kind kind_of_message(const Carry&) { return Kind::carry; }

constexpr auto kNames =
    std::to_array<std::pair<Kind, const char*>>({{Kind::beat, "beat"},
                                                 {Kind::gossip, "gossip"},
                                                 {Kind::hello, "hello"},
                                                 {Kind::hello_answer, "hello.answer"},
                                                 {Kind::join, "join"},
                                                 {Kind::join_answer, "join.answer"},
                                                 {Kind::watch, "watch"},
                                                 {Kind::watch_answer, "watch.answer"},
                                                 {Kind::ping, "ping"},
                                                 {Kind::pong, "pong"},
                                                 {Kind::ask_heard, "heard.ask"},
                                                 {Kind::heard, "heard"},
                                                 {Kind::resync, "resync"},
                                                 {Kind::digest, "digest"},
                                                 {Kind::digest_answer, "digest.answer"},
                                                 {Kind::fetch, "fetch"},
                                                 {Kind::roster_get, "roster.get"},
                                                 {Kind::roster_document, "roster.document"},
                                                 {Kind::roster_put, "roster.put"},
                                                 {Kind::query, "query"},
                                                 {Kind::answer, "answer"},
                                                 {Kind::refusal, "refusal"},
                                                 {Kind::tap_start, "tap.start"},
                                                 {Kind::tap_data, "tap.data"},
                                                 {Kind::consensus, "consensus"},
                                                 {Kind::work_request, "work.request"},
                                                 {Kind::work_reply, "work.reply"},
                                                 {Kind::carry, "carry"}});
static_assert(kNames.size() == std::variant_size_v<Body>, "each kind has its name");

}  // namespace

Kind kind_of(const Body& body) {
  return std::visit([](const auto& message) { return kind_of_message(message); }, body);
}

const char* to_string(Kind kind) {
  for (const auto& [each, name] : kNames) {
    if (each == kind) return name;
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

const char* to_string(CarryStep step) {
  switch (step) {
    case CarryStep::open:
      return "open";
    case CarryStep::data:
      return "data";
    case CarryStep::end:
      return "end";
    case CarryStep::close:
      return "close";
  }
  return "unknown";
}

}  // namespace riftbus::wire
