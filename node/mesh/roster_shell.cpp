#include "node/mesh/roster_shell.h"

#include <utility>

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/roster_file.h"
#include "node/mesh/http_path.h"
#include "node/mesh/member_shell.h"

namespace riftbus::node {

namespace {

// One fetch is under way at a time, so one number serves all.
constexpr Correlation kFetchCorrelation{kOwnerCorrelation};

}  // namespace

Roster without_expired(const Roster& roster, std::int64_t wall_s) {
  Roster valid = roster;
  std::erase_if(valid.entries, [wall_s](const auto& item) {
    return item.second.expires_at_s && *item.second.expires_at_s <= wall_s;
  });
  return valid;
}

RosterShell::RosterShell(RosterKeeper keeper, std::string path, bus::ZapHandler& zap, bus::Bus& bus,
                         DiskThread& disk, Journal& journal)
    : keeper_(std::move(keeper)),
      path_(std::move(path)),
      zap_(zap),
      bus_(bus),
      disk_(disk),
      journal_(journal),
      in_force_(
          std::make_shared<Roster>(without_expired(keeper_.current(), bus::wall_now_ms() / 1000))) {
}

void RosterShell::start() { bus_.set_roster(in_force_); }

void RosterShell::on_version(const NodeId& peer, RosterVersion version, TimePoint now) {
  if (const auto request = keeper_.on_version(peer, version, now)) {
    const auto outcome = bus_.send(peer, kFetchCorrelation, *request);
    if (http_ != nullptr) http_->sent(peer, kFetchCorrelation, *request, outcome, now);
  }
}

void RosterShell::on_get(const bus::Received& request, TimePoint now) {
  const auto document = keeper_.on_get(std::get<wire::RosterGet>(request.envelope.body));
  const auto correlation = request.envelope.correlation;
  if (http_ != nullptr && http_->reply(request.reply_to, correlation, document, now)) return;
  bus_.reply(request.reply_to, correlation, document);
}

void RosterShell::on_document(const bus::Received& answer, MemberShell& members, TimePoint now) {
  const auto& from = answer.envelope.origin;
  const auto adopted =
      keeper_.on_document(from, std::get<wire::RosterDocument>(answer.envelope.body));
  settle(from, adopted, members, now);
}

void RosterShell::on_put(const bus::Received& request, MemberShell& members, TimePoint now) {
  const auto& put = std::get<wire::RosterPut>(request.envelope.body);
  const auto taken = keeper_.offer(put.bytes);
  settle(request.envelope.origin, taken, members, now);
  if (taken) {
    bus_.reply(request.reply_to, request.envelope.correlation,
               wire::RosterDocument{keeper_.current().version, {}});
    return;
  }
  const auto& error = taken.error();
  bus_.reply(request.reply_to, request.envelope.correlation,
             wire::Refusal{error.code, error.what, error.next});
}

void RosterShell::tick(MemberShell& members, TimePoint now) {
  auto valid = without_expired(keeper_.current(), bus::wall_now_ms() / 1000);
  if (valid == *in_force_) return;
  for (const auto& [id, entry] : in_force_->entries) {
    if (valid.find(id) != nullptr) continue;
    bus::log_warn("key expired: connections of this node are closed", {{"node", id.value()}});
    journal_.note("expired", id, "its key's expiry date has passed", {now, bus::wall_now_ms()});
  }
  enforce();
  members.on_roster(*in_force_, now);
}

void RosterShell::settle(const NodeId& from, const Result<bool>& adopted, MemberShell& members,
                         TimePoint now) {
  if (!adopted) {
    Error refused = adopted.error();
    refused.where += (refused.where.empty() ? "from " : ", from ") + from.value();
    bus::write_error(refused);
    journal_.note("roster", from, "refused: " + refused.what, {now, bus::wall_now_ms()});
    return;
  }
  if (!*adopted) return;
  const std::string version = std::to_string(keeper_.current().version.value());
  bus::log_info("roster adopted", {{"version", version}, {"from", from.value()}});
  journal_.note("roster", from, "version " + version + " adopted", {now, bus::wall_now_ms()});
  enforce();
  members.on_roster(*in_force_, now);
  save();
}

void RosterShell::enforce() {
  in_force_ =
      std::make_shared<Roster>(without_expired(keeper_.current(), bus::wall_now_ms() / 1000));
  zap_.replace(std::make_shared<Roster>(keeper_.current()));  // knows expiry dates itself
  bus_.set_roster(in_force_);
}

void RosterShell::save() {
  const bool taken = disk_.post({[path = path_, document = keeper_.signed_roster()] {
                                   return save_roster_file(path, document);
                                 },
                                 [this](const Status& outcome) {
                                   if (outcome.ok()) return;
                                   bus::write_error(outcome.error());
                                   journal_.note("disk", {}, outcome.error().to_string(),
                                                 {bus::boot_now(), bus::wall_now_ms()});
                                 }});
  if (!taken) bus::log_warn("roster not saved: the disk is stuck", {{"path", path_}});
}

}  // namespace riftbus::node
