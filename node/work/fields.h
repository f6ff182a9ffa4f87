// The order of the elements of every command and of every record of a snapshot: the format, once.
//
// Works like bus/wire/fields.h, with the same readers and writers: msgpack arrays, to be extended
// by appending an element whose default stands in command.h. Three more wrappers: a list of texts,
// an enumeration with its last known value, and a vector of flags.
#pragma once

#include <string>
#include <type_traits>
#include <vector>

#include "bus/wire/fields.h"
#include "bus/wire/reader.h"
#include "bus/wire/writer.h"
#include "node/work/command.h"

namespace riftbus::work {

using wire::Bytes;
using wire::List;
using wire::Reader;
using wire::Ref;
using wire::Text;
using wire::Writer;

template <class L>
struct Texts {
  Texts(L& list, std::size_t count, std::size_t bytes)
      : values(list), count_max(count), bytes_max(bytes) {}
  L& values;
  std::size_t count_max;
  std::size_t bytes_max;
};
template <class E>
struct Choice {
  Choice(E& choice, std::remove_const_t<E> last_known) : value(choice), last(last_known) {}
  E& value;
  std::remove_const_t<E> last;
};

template <class L>
void fields(Writer& v, const Texts<L>& m) {
  v.array(m.values.size());
  for (const auto& text : m.values) v.write(Text(text, m.bytes_max));
}
template <class L>
void fields(Reader& v, Texts<L>& m) {
  m.values.clear();
  auto left = v.open(wire::Token::Type::array, m.count_max);
  for (; left > 0 && v.reject() == wire::Reject::accepted; --left) {
    Text text(m.values.emplace_back(), m.bytes_max);
    v.read(text);
  }
}
template <class E>
void fields(Writer& v, const Choice<E>& m) {
  v.write(static_cast<std::uint8_t>(m.value));
}
template <class E>
void fields(Reader& v, Choice<E>& m) {
  std::uint8_t number = 0;
  v.read(number);
  if (number > static_cast<std::uint8_t>(m.last)) return v.refuse(wire::Reject::bad_value);
  m.value = static_cast<E>(number);
}

// ---- vocabulary ------------------------------------------------------------------------------

template <class V>
void fields(V& v, Ref<V, Amount> m) {
  v(Text(m.name, kNameBytesMax), m.milli);
}
template <class V>
void fields(V& v, Ref<V, Offer> m) {
  v(List(m.amounts, kAmountsMax), Texts(m.tags, kAmountsMax, kKeyBytesMax),
    Texts(m.data, kOfferDataMax, kKeyBytesMax), Texts(m.kinds, kAmountsMax, kNameBytesMax));
}
template <class V>
void fields(V& v, Ref<V, Terms> m) {
  v(Text(m.needs, kNeedsBytesMax), List(m.reserve, kAmountsMax), m.lease_ms, m.timeout_ms,
    m.backoff_base_ms, m.backoff_cap_ms, m.attempts_max, m.losses_max,
    Choice(m.on_disconnect, OnDisconnect::finish), m.overlap_ok);
}
template <class V>
void fields(V& v, Ref<V, Spec> m) {
  v(Text(m.kind, kNameBytesMax), Bytes(m.payload, kPayloadBytesMax), Text(m.group, kNameBytesMax),
    m.priority, m.terms, m.delay_ms, m.expires_ms, m.deadline_ms, Text(m.dedupe, kKeyBytesMax),
    m.dedupe_window_ms, List(m.after, kAfterMax), List(m.after_here, kAfterMax), m.gang,
    m.gang_timeout_ms, Texts(m.data, kDataMax, kKeyBytesMax));
}
template <class V>
void fields(V& v, Ref<V, Hold> m) {
  v(m.id, m.fence);
}
template <class V>
void fields(V& v, Ref<V, Finish> m) {
  v(m.hold, Bytes(m.result, kResultBytesMax));
}
template <class V>
void fields(V& v, Ref<V, Failure> m) {
  v(m.hold, m.retryable, m.exit_code, m.signal, Bytes(m.tail, kTailBytesMax),
    Bytes(m.checkpoint, kCheckpointBytesMax));
}
template <class V>
void fields(V& v, Ref<V, Return> m) {
  v(m.hold, m.delay_ms, m.percent, Bytes(m.checkpoint, kCheckpointBytesMax), m.lost);
}
template <class V>
void fields(V& v, Ref<V, Settings> m) {
  v(m.soft_max, m.hard_max, m.payload_bytes_max, m.history_max, m.results_max, m.dead_max,
    m.dedupe_max, m.aging_ms, m.share_ms, m.affinity_ms, m.worker_fresh_ms);
}

// ---- commands --------------------------------------------------------------------------------

template <class V>
void fields(V& v, Ref<V, Add> m) {
  v(m.nonce, List(m.items, kBatchMax));
}
template <class V>
void fields(V& v, Ref<V, Claim> m) {
  v(m.worker, m.instance, m.request, m.max, m.offer);
}
template <class V>
void fields(V& v, Ref<V, Attach> m) {
  v(m.worker, m.instance, List(m.holds, kBatchMax), m.leaving, m.replaces);
}
template <class V>
void fields(V& v, Ref<V, Complete> m) {
  v(m.worker, List(m.works, kBatchMax));
}
template <class V>
void fields(V& v, Ref<V, Fail> m) {
  v(m.worker, List(m.works, kBatchMax));
}
template <class V>
void fields(V& v, Ref<V, Bury> m) {
  v(m.worker, List(m.works, kBatchMax));
}
template <class V>
void fields(V& v, Ref<V, Release> m) {
  v(m.worker, List(m.works, kBatchMax));
}
template <class V>
void fields(V& v, Ref<V, Note> m) {
  v(m.worker, List(m.works, kBatchMax));
}
template <class V>
void fields(V& v, Ref<V, Expire> m) {
  v(m.term, Choice(m.lapse, Lapse::dead), List(m.works, kBatchMax));
}
template <class V>
void fields(V& v, Ref<V, Tick>) {
  v();
}
template <class V>
void fields(V& v, Ref<V, Cancel> m) {
  v(List(m.ids, kBatchMax));
}
template <class V>
void fields(V& v, Ref<V, Preempt> m) {
  v(List(m.ids, kBatchMax));
}
template <class V>
void fields(V& v, Ref<V, Kick> m) {
  v(List(m.ids, kBatchMax));
}
template <class V>
void fields(V& v, Ref<V, Purge> m) {
  v(List(m.ids, kBatchMax));
}
template <class V>
void fields(V& v, Ref<V, SetGroup> m) {
  v(Text(m.group, kNameBytesMax), m.limit, m.weight);
}
template <class V>
void fields(V& v, Ref<V, Configure> m) {
  v(m.settings);
}
template <class V>
void fields(V& v, Ref<V, Recover> m) {
  v(m.generation);
}

// ---- answers ---------------------------------------------------------------------------------

template <class V>
void fields(V& v, Ref<V, Grant> m) {
  v(m.id, m.held, Text(m.kind, kNameBytesMax), Bytes(m.payload, kPayloadBytesMax), m.terms,
    m.attempt, m.percent, Bytes(m.checkpoint, kCheckpointBytesMax), m.gang, m.gang_size, m.hold);
}
template <class V>
void fields(V& v, Ref<V, Added> m) {
  v(Choice(m.outcome, kLastOutcome), List(m.ids, kBatchMax), List(m.known, kBatchMax), m.bad_item,
    Text(m.why, kNeedsBytesMax), m.slow_down);
}
template <class V>
void fields(V& v, Ref<V, Claimed> m) {
  v(Choice(m.outcome, kLastOutcome), m.fence, List(m.grants, kClaimMax));
}
template <class V>
void fields(V& v, Ref<V, Judged> m) {
  v(m.id, Choice(m.outcome, kLastOutcome), Choice(m.state, kLastState));
}
template <class V>
void fields(V& v, Ref<V, Verdicts> m) {
  v(Choice(m.outcome, kLastOutcome), List(m.works, kBatchMax), m.holder);
}

}  // namespace riftbus::work
