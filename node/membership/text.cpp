// Events and actions as one line each.
#include "node/membership/membership.h"

#include "config/overload.h"

namespace riftbus::membership {

namespace {

const char* to_string(DialOutcome outcome) {
  switch (outcome) {
    case DialOutcome::accepted:
      return "accepted";
    case DialOutcome::refused:
      return "refused";
    case DialOutcome::silent:
      return "silent";
    case DialOutcome::relay_lost:
      return "relay_lost";
  }
  return "?";
}

std::string number(std::uint64_t value) { return std::to_string(value); }

}  // namespace

const char* to_string(Happening happening) {
  switch (happening) {
    case Happening::joined:
      return "joined";
    case Happening::suspected:
      return "suspected";
    case Happening::refuted:
      return "refuted";
    case Happening::died:
      return "died";
    case Happening::left:
      return "left";
    case Happening::returned:
      return "returned";
    case Happening::unreachable:
      return "unreachable";
    case Happening::replaced:
      return "replaced";
    case Happening::conflict:
      return "conflict";
    case Happening::paused:
      return "paused";
    case Happening::link_fault:
      return "link_fault";
    case Happening::forgotten:
      return "forgotten";
    case Happening::accused_self:
      return "accused_self";
  }
  return "?";
}

std::string to_string(const Event& event) {
  return std::visit(
      Overload{
          [](const Received& e) {
            const bool pub = e.channel == wire::Channel::pub;
            return std::string(pub ? "heard " : "got ") + wire::to_string(e.envelope);
          },
          [](const LinkUp& e) { return "link up " + e.peer.value(); },
          [](const LinkDown& e) { return "link down " + e.peer.value(); },
          [](const Dialled& e) { return "dialled " + e.peer.value() + " " + to_string(e.outcome); },
          [](const IncarnationStored& e) { return "stored " + number(e.incarnation.value()); },
          [](const RosterAdopted& e) {
            return "roster " + number(e.version.value()) + " members=" + number(e.members.size());
          },
          [](const SelfChanged&) { return std::string("self changed"); },
          [](const LeaveRequested&) { return std::string("leave"); },
          [](const Tick&) { return std::string("tick"); }},
      event);
}

std::string to_string(const Action& action) {
  return std::visit(
      Overload{[](const Publish& a) { return "publish " + wire::to_string(a.body); },
               [](const Send& a) {
                 std::string text = "send " + a.to.value();
                 if (a.correlation.value() != 0) text += " #" + number(a.correlation.value());
                 return text + " " + wire::to_string(a.body);
               },
               [](const Reply& a) {
                 return "reply #" + number(a.correlation.value()) + " " + wire::to_string(a.body);
               },
               [](const Subscribe& a) { return "subscribe " + a.peer.value(); },
               [](const Unsubscribe& a) { return "unsubscribe " + a.peer.value(); },
               [](const Dial& a) { return "dial " + a.peer.value(); },
               [](const StoreIncarnation& a) { return "store " + number(a.incarnation.value()); },
               [](const Announce& a) {
                 std::string text = std::string("announce ") + to_string(a.happening) + " " +
                                    a.subject.value() + " inc=" + number(a.incarnation.value());
                 if (!a.accuser.empty()) text += " by=" + a.accuser.value();
                 if (a.evidence != wire::Evidence::none) {
                   text += std::string(" evidence=") + wire::to_string(a.evidence);
                 }
                 return text;
               }},
      action);
}

}  // namespace riftbus::membership
