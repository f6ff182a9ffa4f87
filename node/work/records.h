// The records of a snapshot: what stands in it beside commands' own structs, and in which order.
//
// A snapshot is a row of frames, `length (4 bytes, little-endian) | tag (1 byte) | msgpack`, in
// ascending order of tags and, within a tag, of keys; the last frame holds the checksum. Only what
// cannot be derived is written: no index, no count. Equal queues give equal bytes. Records of
// finished items, of which there may be a million, are not msgpack but lie as FinishedRow, up to
// kRunMax in a frame.
#pragma once

#include <array>
#include <boost/endian/buffers.hpp>
#include <optional>
#include <string>
#include <vector>

#include "node/work/fields.h"
#include "node/work/ledger.h"

namespace riftbus::work {

inline constexpr std::uint32_t kSnapshotFormat = 5;
inline constexpr std::size_t kFrameHead = 5;  // length and tag
inline constexpr std::size_t kRunMax = 256;

// Each table may refer to those before it.
enum class Tag : std::uint8_t {
  base = 1,
  kind,
  group_name,
  node,
  terms,
  group,
  worker,
  gang,
  item,
  key,
  finished,
  result,
  kind_tally,
  node_tally,
  orphan,
  add,
  past_end,
  end,
};

struct BaseRecord {
  std::uint32_t format = kSnapshotFormat;
  std::uint64_t applied_index = 0;
  LogMs now_ms = 0;
  std::uint16_t generation = 0;
  WorkId next_id;
  std::uint64_t dead_evicted = 0;
  Settings settings;
};
struct NameRecord {
  std::uint32_t number = 0;
  std::string text;
};
struct TermsRecord {
  std::uint32_t number = 0;
  Terms terms;
};
struct GroupRecord {
  std::uint16_t number = 0;
  std::uint32_t limit = 0;
  std::uint32_t weight = 1;
};
struct WorkerRecord {
  std::uint16_t node = 0;
  Instance instance;
  LogMs seen_ms = 0;
  bool away = false;
  Offer offer;
  std::vector<Answer> answers;
};
struct GangRecord {
  WorkId id;
  std::vector<WorkId> members;
  std::uint16_t size = 0;
  std::uint32_t timeout_ms = 0;
  LogMs until_ms = 0;
  bool started = false;
};
struct KeyRecord {
  std::string key;
  WorkId id;
  LogMs until_ms = 0;
};
struct FinishedRow {
  boost::endian::little_uint64_buf_t id, fence;
  boost::endian::little_int64_buf_t finished_ms;
  boost::endian::little_uint32_buf_t waited_ms, ran_ms;
  boost::endian::little_uint16_buf_t kind, node;
  std::uint8_t state = 0, cause = 0, failures = 0, losses = 0;
};
static_assert(sizeof(FinishedRow) == 40);
struct ResultRecord {
  std::uint64_t place = 0;  // of its item among the finished ones
  std::string result;
};
struct TallyRecord {
  std::uint16_t number = 0;
  Tally tally;
};
struct EndRecord {
  std::uint64_t checksum = 0;
};

// A past that is empty is written like none at all.
template <class P>
struct MaybeExtra {
  explicit MaybeExtra(P& pointer) : value(pointer) {}
  P& value;
};
template <class P>
void fields(Writer& v, const MaybeExtra<P>& m) {
  if (m.value && !(*m.value == Extra())) return v.write(*m.value);
  v.write(std::optional<bool>());
}
template <class P>
void fields(Reader& v, MaybeExtra<P>& m) {
  std::optional<Extra> extra;
  v.read(extra);
  if (extra) m.value = std::make_unique<Extra>(std::move(*extra));
}

template <class V>
void fields(V& v, Ref<V, Attempt> m) {
  v(m.fence, m.node, m.begun_ms, m.ended_ms, Choice(m.ending, kLastEnding), m.exit_code, m.signal,
    Bytes(m.tail, kTailBytesMax));
}
template <class V>
void fields(V& v, Ref<V, Extra> m) {
  v(List(m.after, kBatchMax), Texts(m.data, kDataMax, kKeyBytesMax),
    List(m.attempts, kAttemptsKept), List(m.excluded, kAmountsMax), Text(m.dedupe, kKeyBytesMax),
    m.dedupe_window_ms, Bytes(m.checkpoint, kCheckpointBytesMax), m.percent, m.gang);
}
template <class V>
void fields(V& v, Ref<V, Item> m) {
  v(m.id, Choice(m.state, State::dead), m.priority, m.failures, m.losses,
    Choice(m.cancelling, kLastCause), m.preempting, Choice(m.ended_how, kLastEnding), m.kind,
    m.group, m.terms, m.worker, m.fence, m.ended_fence, m.ended_worker, m.added_ms, m.since_ms,
    m.due_ms, m.leased_ms, m.expires_ms, m.deadline_ms, Bytes(m.payload, kPayloadBytesMax),
    MaybeExtra(m.extra));
}
template <class V>
void fields(V& v, Ref<V, Answer> m) {
  v(m.request, m.fence, List(m.ids, kClaimMax));
}
template <class V>
void fields(V& v, Ref<V, Tally> m) {
  v(m.added, m.granted, m.completed, m.failed, m.lost, m.released, m.died, m.cancelled, m.waited_ms,
    m.ran_ms);
}
template <class V>
void fields(V& v, Ref<V, Orphan> m) {
  v(m.id, m.fence, m.node, m.at_ms, Bytes(m.result, kResultBytesMax));
}
template <class V>
void fields(V& v, Ref<V, BaseRecord> m) {
  v(m.format, m.applied_index, m.now_ms, m.generation, m.next_id, m.dead_evicted, m.settings);
}
template <class V>
void fields(V& v, Ref<V, NameRecord> m) {
  v(m.number, Text(m.text, kNameBytesMax));
}
template <class V>
void fields(V& v, Ref<V, TermsRecord> m) {
  v(m.number, m.terms);
}
template <class V>
void fields(V& v, Ref<V, GroupRecord> m) {
  v(m.number, m.limit, m.weight);
}
template <class V>
void fields(V& v, Ref<V, WorkerRecord> m) {
  v(m.node, m.instance, m.seen_ms, m.away, m.offer, List(m.answers, kAnswersKept));
}
template <class V>
void fields(V& v, Ref<V, GangRecord> m) {
  v(m.id, List(m.members, kBatchMax), m.size, m.timeout_ms, m.until_ms, m.started);
}
template <class V>
void fields(V& v, Ref<V, KeyRecord> m) {
  v(Text(m.key, kKeyBytesMax), m.id, m.until_ms);
}
template <class V>
void fields(V& v, Ref<V, ResultRecord> m) {
  v(m.place, Bytes(m.result, kResultBytesMax));
}
template <class V>
void fields(V& v, Ref<V, TallyRecord> m) {
  v(m.number, m.tally);
}
template <class V>
void fields(V& v, Ref<V, PastAdds::Past> m) {
  v(m.nonce, List(m.ids, kBatchMax));
}
template <class V>
void fields(V& v, Ref<V, PastEnd> m) {
  v(m.hold, m.node, Choice(m.how, kLastEnding));
}
template <class V>
void fields(V& v, Ref<V, EndRecord> m) {
  v(m.checksum);
}

}  // namespace riftbus::work
