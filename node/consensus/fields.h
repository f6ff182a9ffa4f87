// The order of the elements of every consensus struct on the wire and on disk, written once.
//
// As in bus/wire/fields.h: fields(visitor, struct) hands all elements to a Writer or a Reader. To
// extend, append at the end with a default; never insert, remove or reorder. Enumerations travel as
// numbers. What is read is checked in codec.cpp.
#pragma once

#include "bus/wire/fields.h"
#include "node/consensus/messages.h"

namespace riftbus::consensus {

// Plain forms of what has invariants, to be checked before it becomes one.
struct PlainServer {
  ServerId id;
  std::uint8_t standing = 0;
  std::uint32_t priority = 0;
};
struct PlainConfiguration {
  Generation generation;
  std::vector<PlainServer> servers;
  RecoveryMark mark;
};
struct PlainMeta {
  Index index;
  Term term;
  LogTime stamp;
  PlainConfiguration configuration;
};
struct PlainChunk {
  PlainMeta meta;
  std::uint64_t offset = 0;
  std::uint64_t total = 0;
  std::string bytes;
};

// Wrappers, as in bus/wire; how they are written and read stands in codec.cpp.
template <class E>
struct Kind {
  explicit Kind(E& kind) : value(kind) {}
  E& value;
};
template <class L>
struct EntryList {  // shared entries, at most kAppendEntriesMax
  explicit EntryList(L& list) : values(list) {}
  L& values;
};

template <class V, class T>
using Ref = typename V::template Ref<T>;

template <class V>
void fields(V& v, Ref<V, PlainServer> m) {
  v(m.id, m.standing, m.priority);
}
template <class V>
void fields(V& v, Ref<V, PlainConfiguration> m) {
  v(m.generation, wire::List(m.servers, kServersMax), m.mark);
}
template <class V>
void fields(V& v, Ref<V, PlainMeta> m) {
  v(m.index, m.term, m.stamp, m.configuration);
}
template <class V>
void fields(V& v, Ref<V, Entry> m) {
  v(m.index, m.term, Kind(m.kind), m.stamp, wire::Bytes(m.payload, kEntryBytesMax));
}
template <class V>
void fields(V& v, Ref<V, VoteRequest> m) {
  v(m.pre_vote, m.transfer, m.campaign, m.last_index, m.last_term);
}
template <class V>
void fields(V& v, Ref<V, VoteAnswer> m) {
  v(m.pre_vote, m.granted, m.campaign, m.removed_index, m.removed_term);
}
template <class V>
void fields(V& v, Ref<V, Append> m) {
  v(m.prev_index, m.prev_term, m.commit, m.last, m.round, EntryList(m.entries));
}
template <class V>
void fields(V& v, Ref<V, AppendAnswer> m) {
  v(m.match, m.round, m.refused, m.refused_index, m.hint_index, m.hint_term);
}
template <class V>
void fields(V& v, Ref<V, PlainChunk> m) {
  v(m.meta, m.offset, m.total, wire::Bytes(m.bytes, kChunkBytesMax));
}
template <class V>
void fields(V& v, Ref<V, SnapshotAnswer> m) {
  v(m.index, m.term, m.offset);
}
template <class V>
void fields(V& v, Ref<V, TimeoutNow>) {
  v();
}

}  // namespace riftbus::consensus
