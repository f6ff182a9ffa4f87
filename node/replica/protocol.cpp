#include "node/replica/protocol.h"

#include <xxhash.h>

#include "bus/wire/codec.h"
#include "bus/wire/tape.h"
#include "node/work/fields.h"

namespace riftbus::work {

template <class V>
void fields(V& v, wire::Ref<V, Renewed> m) {
  v(m.hold, m.percent, wire::Bytes(m.checkpoint, kCheckpointBytesMax));
}
template <class V>
void fields(V& v, wire::Ref<V, Renewal> m) {
  v(m.worker, wire::List(m.works, replica::kRenewalMax));
}
template <class V>
void fields(V& v, wire::Ref<V, RenewedAnswer> m) {
  v(m.judged.id, Choice(m.judged.outcome, kLastOutcome), Choice(m.judged.state, kLastState),
    Choice(m.order, Order::preempt));
}

}  // namespace riftbus::work

namespace riftbus::replica {

namespace {

struct RenewedList {
  std::vector<work::RenewedAnswer> answers;
};
template <class V>
void fields(V& v, wire::Ref<V, RenewedList> m) {
  v(wire::List(m.answers, kRenewalMax));
}

template <class T>
std::string pack(const T& value) {
  std::string out;
  wire::Writer(out).write(value);
  return out;
}

template <class T>
std::optional<T> unpack(std::string_view bytes) {
  wire::Tape tape;
  if (tape.load(bytes) != wire::Reject::accepted) return std::nullopt;
  wire::Reader reader(tape);
  T value;
  reader.read(value);
  if (reader.reject() != wire::Reject::accepted) return std::nullopt;
  return value;
}

}  // namespace

std::string encode_renewal(const work::Renewal& renewal) { return pack(renewal); }
std::optional<work::Renewal> decode_renewal(std::string_view bytes) {
  return unpack<work::Renewal>(bytes);
}

std::string encode_renewed(const std::vector<work::RenewedAnswer>& answers) {
  return pack(RenewedList{answers});
}
std::optional<std::vector<work::RenewedAnswer>> decode_renewed(std::string_view bytes) {
  auto list = unpack<RenewedList>(bytes);
  if (!list) return std::nullopt;
  return std::move(list->answers);
}

std::string encode_question(const wire::Query& query) { return pack(query); }
std::optional<wire::Query> decode_question(std::string_view bytes) {
  return unpack<wire::Query>(bytes);
}

consensus::ServerId server_id_of(const NodeId& node) {
  const std::uint64_t hash = XXH3_64bits(node.value().data(), node.value().size());
  return consensus::ServerId(hash == 0 ? 1 : hash);
}

}  // namespace riftbus::replica
