// The order of the elements of every consensus struct on the wire and on disk, written once.
//
// As in bus/wire/fields.h: fields(visitor, struct) hands all elements to a Writer or a Reader. To
// extend, append at the end with a default; never insert, remove or reorder. Enumerations travel as
// numbers and are checked after reading, in codec.cpp.
#pragma once

#include "bus/wire/fields.h"
#include "node/consensus/messages.h"

namespace riftbus::consensus {

// A plain form of Server, Configuration and Entry, to be checked before it becomes one.
struct PlainServer {
  ServerId id;
  std::uint8_t standing = 0;
  std::uint32_t priority = 0;
};
struct PlainConfiguration {
  Generation generation;
  std::vector<PlainServer> servers;
};
struct PlainMeta {
  Index index;
  Term term;
  LogTime stamp;
  PlainConfiguration configuration;
};
struct PlainEntry {
  Index index;
  Term term;
  std::uint8_t kind = 0;
  LogTime stamp;
  std::string payload;
};
struct PlainAppend {
  Append head;  // without its entries
  std::vector<PlainEntry> entries;
};
struct PlainChunk {
  PlainMeta meta;
  std::uint64_t offset = 0;
  std::uint64_t total = 0;
  std::string bytes;
};

template <class V, class T>
using Ref = typename V::template Ref<T>;

template <class V>
void fields(V& v, Ref<V, PlainServer> m) {
  v(m.id, m.standing, m.priority);
}
template <class V>
void fields(V& v, Ref<V, PlainConfiguration> m) {
  v(m.generation, wire::List(m.servers, kServersMax));
}
template <class V>
void fields(V& v, Ref<V, PlainMeta> m) {
  v(m.index, m.term, m.stamp, m.configuration);
}
template <class V>
void fields(V& v, Ref<V, PlainEntry> m) {
  v(m.index, m.term, m.kind, m.stamp, wire::Bytes(m.payload, kEntryBytesMax));
}
template <class V>
void fields(V& v, Ref<V, VoteRequest> m) {
  v(m.pre_vote, m.transfer, m.campaign, m.last_index, m.last_term);
}
template <class V>
void fields(V& v, Ref<V, VoteAnswer> m) {
  v(m.pre_vote, m.granted, m.campaign);
}
template <class V>
void fields(V& v, Ref<V, PlainAppend> m) {
  v(m.head.prev_index, m.head.prev_term, m.head.commit, m.head.last, m.head.round,
    wire::List(m.entries, kAppendEntriesMax));
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
