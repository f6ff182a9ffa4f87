#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "bus/wire/tape.h"
#include "node/work/records.h"
#include "node/work/snapshot.h"

namespace riftbus::work {

namespace {

constexpr std::size_t kFrameBytesMax = 512 * 1024;

// msgpack of one record; false: refused.
template <class Record>
bool parse(std::string_view bytes, Record& record) {
  wire::Tape tape;
  if (tape.load(bytes) != wire::Reject::accepted) return false;
  Reader reader(tape);
  reader.read(record);
  return reader.reject() == wire::Reject::accepted;
}

}  // namespace

// Far from overflow in any sum: 285,000 years.
bool is_time(LogMs time) {
  constexpr LogMs kTimeMax = LogMs{1} << 53U;
  return time >= 0 && time <= kTimeMax;
}

// Fills a ledger frame by frame; false from any function: the snapshot contradicts itself.
class SnapshotReader::Loader {
 public:
  bool take_frame(std::string_view frame) {
    const auto tag = static_cast<std::uint8_t>(frame[4]);
    if (ended_ || tag < last_tag_ || (last_tag_ == 0 && tag != 1)) return false;
    last_tag_ = tag;
    const std::string_view body = frame.substr(kFrameHead);
    const bool good = static_cast<Tag>(tag) == Tag::end ? load_end(body) : load(tag, body);
    checksum_ = XXH3_64bits_withSeed(frame.data(), frame.size(), checksum_);
    return good;
  }

  // Everything refers to something that is there.
  [[nodiscard]] bool is_whole() const {
    if (!ended_) return false;
    for (const auto& [id, waiting] : ledger_->dependants) {
      if (ledger_->find(id) == nullptr) return false;
    }
    for (const auto& [id, gang] : ledger_->gangs) {
      for (const WorkId member : gang.members) {
        const Item* item = ledger_->find(member);
        if (item == nullptr || item->more().gang != id) return false;
      }
    }
    bool used = true;
    const auto check = [&](const Names& names) {
      names.for_each([&](NameNumber number, std::string_view) {
        used = used && names.references(number) > 0;
      });
    };
    check(ledger_->groups);
    check(ledger_->terms_names);
    return used;
  }
  std::unique_ptr<Ledger> release() { return std::move(ledger_); }

 private:
  bool load(std::uint8_t tag, std::string_view body) {
    switch (static_cast<Tag>(tag)) {
      case Tag::base:
        return load_base(body);
      case Tag::kind:
        return load_name(body, ledger_->kinds, true);
      case Tag::group_name:
        return load_name(body, ledger_->groups, false);
      case Tag::node:
        return load_name(body, ledger_->nodes, false);
      case Tag::terms:
        return load_terms(body);
      case Tag::group:
        return load_group(body);
      case Tag::worker:
        return load_worker(body);
      case Tag::gang:
        return load_gang(body);
      case Tag::item:
        return load_item(body);
      case Tag::key:
        return load_key(body);
      case Tag::finished:
        return load_finished(body);
      case Tag::result:
        return load_result(body);
      case Tag::kind_tally:
        return load_tally(body, ledger_->kind_tally);
      case Tag::node_tally:
        return load_tally(body, ledger_->node_tally);
      case Tag::orphan:
        return load_orphan(body);
      case Tag::add:
        return load_add(body);
      case Tag::past_end:
        return load_past_end(body);
      default:
        return false;
    }
  }

  bool load_base(std::string_view body) {
    BaseRecord record;
    if (based_ || !parse(body, record) || record.format != kSnapshotFormat) return false;
    based_ = true;
    const Settings& settings = record.settings;
    if (settings.aging_ms == 0 || settings.hard_max == 0) return false;
    if (!is_time(record.now_ms)) return false;
    ledger_->applied_index = record.applied_index;
    ledger_->now_ms = record.now_ms;
    ledger_->generation = record.generation;
    ledger_->next_id = record.next_id;
    ledger_->dead_evicted = record.dead_evicted;
    ledger_->settings = settings;
    return true;
  }

  static bool load_name(std::string_view body, Names& names, bool refer) {
    NameRecord record;
    if (!parse(body, record) || !names.restore(record.number, record.text)) return false;
    if (refer) names.refer(record.number);
    return true;
  }

  bool load_terms(std::string_view body) {
    TermsRecord record;
    if (!parse(body, record)) return false;
    for (const auto& amount : record.terms.reserve) {
      if (amount.milli < 0 || amount.milli > kAmountMax) return false;
    }
    auto needs = Needs::parse(record.terms.needs);
    std::string key;
    Writer(key).write(record.terms);
    if (!needs.ok() || !ledger_->terms_names.restore(record.number, key)) return false;
    ledger_->adopt_terms(static_cast<std::uint16_t>(record.number), std::move(record.terms),
                         std::move(needs).value());
    return true;
  }

  bool load_group(std::string_view body) {
    GroupRecord record;
    if (!parse(body, record) || ledger_->groups.text(record.number).data() == nullptr) return false;
    if (record.weight == 0 || (record.limit == 0 && record.weight == 1)) return false;
    ledger_->set_group(record.number, record.limit, record.weight);
    return true;
  }

  bool load_worker(std::string_view body) {
    WorkerRecord record;
    if (!parse(body, record) || ledger_->nodes.text(record.node).empty()) return false;
    if (ledger_->workers.find(record.node) != nullptr) return false;
    Worker* worker = ledger_->workers.admit(record.node);
    worker->instance = record.instance;
    worker->seen_ms = record.seen_ms;
    worker->away = record.away;
    worker->offer = std::move(record.offer);
    worker->offer.normalize();
    worker->answers = std::move(record.answers);
    return true;
  }

  bool load_gang(std::string_view body) {
    GangRecord record;
    if (!parse(body, record) || record.members.empty()) return false;
    const auto [at, fresh] = ledger_->gangs.try_emplace(record.id);
    Gang& gang = at->second;
    gang.members.insert(record.members.begin(), record.members.end());
    gang.size = record.size;
    gang.timeout_ms = record.timeout_ms;
    gang.until_ms = record.until_ms;
    gang.started = record.started;
    if (gang.until_ms != 0) ledger_->gang_alarms.emplace(gang.until_ms, record.id);
    return fresh;
  }

  bool load_item(std::string_view body) {
    Item item;
    if (!parse(body, item)) return false;
    if (item.id >= ledger_->next_id || ledger_->find(item.id) != nullptr) return false;
    if (ledger_->kinds.text(item.kind).empty() || ledger_->terms_of.count(item.terms) == 0) {
      return false;
    }
    if (ledger_->groups.text(item.group).data() == nullptr) return false;
    const bool leased = item.state == State::leased;
    if (leased && ledger_->workers.find(item.worker) == nullptr) return false;
    if (leased != (item.fence != Fence())) return false;
    for (const LogMs time : {item.added_ms, item.since_ms, item.due_ms, item.leased_ms}) {
      if (!is_time(time)) return false;
    }
    const Extra& more = item.more();
    if (!std::is_sorted(more.excluded.begin(), more.excluded.end())) return false;
    if (more.gang != WorkId()) {
      const auto gang = ledger_->gangs.find(more.gang);
      if (gang == ledger_->gangs.end() || gang->second.members.count(item.id) == 0) return false;
    }
    if (!more.dedupe.empty()) {
      if (ledger_->dedupe.count(more.dedupe) > 0) return false;
      ledger_->set_dedupe(more.dedupe, {item.id, 0});
    }
    ledger_->group_of[item.group];
    ledger_->adopt(std::move(item));
    return true;
  }

  bool load_key(std::string_view body) {
    KeyRecord record;
    if (!parse(body, record) || record.until_ms <= 0) return false;
    if (ledger_->dedupe.count(record.key) > 0) return false;
    ledger_->set_dedupe(record.key, {record.id, record.until_ms});
    return true;
  }

  bool load_finished(std::string_view body) {
    if (body.size() % sizeof(FinishedRow) != 0) return false;
    if (body.empty() || body.size() > kRunMax * sizeof(FinishedRow)) return false;
    for (; !body.empty(); body.remove_prefix(sizeof(FinishedRow))) {
      FinishedRow row;
      std::memcpy(&row, body.data(), sizeof row);
      const WorkId id(row.id.value());
      if (!is_time(row.finished_ms.value())) return false;
      if (id >= ledger_->next_id || row.state > static_cast<std::uint8_t>(kLastState)) return false;
      if (row.cause > static_cast<std::uint8_t>(kLastCause)) return false;
      if (ledger_->find(id) != nullptr || ledger_->history.find(id) != nullptr) return false;
      ledger_->history.add({id, Fence(row.fence.value()), row.finished_ms.value(),
                            row.waited_ms.value(), row.ran_ms.value(), row.kind.value(),
                            row.node.value(), static_cast<State>(row.state),
                            static_cast<Cause>(row.cause), row.failures, row.losses});
    }
    return true;
  }

  bool load_result(std::string_view body) {
    ResultRecord record;
    return parse(body, record) && !record.result.empty() &&
           ledger_->history.add_result(record.place, std::move(record.result));
  }

  static bool load_tally(std::string_view body, std::map<std::uint16_t, Tally>& tallies) {
    TallyRecord record;
    return parse(body, record) && tallies.emplace(record.number, record.tally).second;
  }

  bool load_orphan(std::string_view body) {
    return ledger_->orphans.size() < kOrphansMax && parse(body, ledger_->orphans.emplace_back());
  }

  bool load_add(std::string_view body) {
    PastAdds::Past record;
    PastAdds& past = ledger_->past_adds;
    if (!parse(body, record) || past.find(record.nonce) != nullptr) return false;
    past.add(record.nonce, record.ids);
    return true;
  }

  bool load_past_end(std::string_view body) {
    PastEnd record;
    return ledger_->past_ends.size() < kEndsKept && parse(body, record) &&
           ledger_->past_ends.add(record);
  }

  bool load_end(std::string_view body) {
    EndRecord record;
    ended_ = parse(body, record) && record.checksum == checksum_;
    return ended_;
  }

  std::unique_ptr<Ledger> ledger_ = std::make_unique<Ledger>();
  std::uint8_t last_tag_ = 0;
  std::uint64_t checksum_ = 0;
  bool based_ = false;
  bool ended_ = false;
};

SnapshotReader::SnapshotReader() : loader_(std::make_unique<Loader>()) {}
SnapshotReader::~SnapshotReader() = default;

Status SnapshotReader::fail(std::string what) {
  if (error_.empty()) error_ = std::move(what);
  return Error{kBadSnapshot, "the queue's snapshot is not usable: " + error_, "",
               "the copy of another voter is taken instead; check this node's disk"};
}

Status SnapshotReader::feed(std::string_view piece) {
  if (!error_.empty()) return fail({});
  rest_ += piece;
  std::size_t at = 0;
  while (rest_.size() - at >= kFrameHead) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      size |= std::size_t{static_cast<unsigned char>(rest_[at + i])} << (8 * i);
    }
    if (size > kFrameBytesMax) return fail("a frame is too long");
    if (rest_.size() - at < kFrameHead + size) break;
    if (!loader_->take_frame(std::string_view(rest_).substr(at, kFrameHead + size))) {
      return fail("a record is damaged or contradicts another");
    }
    at += kFrameHead + size;
  }
  rest_.erase(0, at);
  return Ok{};
}

Result<WorkQueue> SnapshotReader::take() {
  if (error_.empty() && (!rest_.empty() || !loader_->is_whole())) {
    return fail("its end is missing").error();
  }
  if (!error_.empty()) return fail({}).error();
  return WorkQueue(loader_->release());
}

Result<WorkQueue> read_snapshot(std::string_view bytes) {
  SnapshotReader reader;
  const Status status = reader.feed(bytes);
  if (!status.ok()) return status.error();
  return reader.take();
}

}  // namespace riftbus::work
