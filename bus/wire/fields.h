// The order of the elements of every message: the format itself, written once.
//
// fields(visitor, message) hands all elements of a struct to a visitor in wire order; the visitor
// is a Writer (writer.h) or a Reader (reader.h), so the two cannot disagree. To extend a message,
// append at the end and give the member a default in message.h; never insert, remove or reorder.
//
// Wrappers say what a plain member cannot: text, bytes, lists and maps carry their limit, and a
// node id that may be absent is told from one that must be there.
#pragma once

#include <string>

#include "bus/wire/limits.h"
#include "bus/wire/message.h"

namespace riftbus::wire {

template <class S>
struct Text {  // msgpack str, UTF-8
  Text(S& text, std::size_t max) : value(text), bytes_max(max) {}
  S& value;
  std::size_t bytes_max;
};
template <class S>
struct Bytes {  // msgpack bin
  Bytes(S& bytes, std::size_t max) : value(bytes), bytes_max(max) {}
  S& value;
  std::size_t bytes_max;
};
template <class I>
struct MaybeId {  // as str; empty: no node
  explicit MaybeId(I& id) : value(id) {}
  I& value;
};
template <class L>
struct List {
  List(L& list, std::size_t max) : values(list), count_max(max) {}
  L& values;
  std::size_t count_max;
};
template <class M>
struct TextMap {  // msgpack map of str to str, each key once
  TextMap(M& map, std::size_t entries_max, std::size_t bytes_max)
      : values(map), count_max(entries_max), value_bytes_max(bytes_max) {}
  M& values;
  std::size_t count_max;
  std::size_t value_bytes_max;
};

// V::Ref<T> is `const T&` for a writer and `T&` for a reader.
template <class V, class T>
using Ref = typename V::template Ref<T>;

// ---- vocabulary ------------------------------------------------------------------------------

template <class V>
void fields(V& v, Ref<V, Address> m) {
  v(m.kind, Text(m.host, kHostBytesMax), m.call_port, m.pub_port);
}
template <class V>
void fields(V& v, Ref<V, Resources> m) {
  v(m.cpus, m.memory_mb, m.disk_free_mb, m.gpus, Text(m.gpu_name, kGpuNameBytesMax),
    m.gpu_memory_mb);
}
template <class V>
void fields(V& v, Ref<V, Record> m) {
  v(m.id, m.instance, m.incarnation, List(m.addresses, kAddressesMax), List(m.roles, kRolesMax),
    Text(m.failure_domain, kNameBytesMax), m.interval_ms, m.resources,
    TextMap(m.tags, kTagsMax, kTagValueBytesMax), Text(m.software, kSoftwareBytesMax));
}
template <class V>
void fields(V& v, Ref<V, Claim> m) {
  v(m.subject, m.incarnation, m.standing, MaybeId(m.accuser), m.evidence, m.record);
}
template <class V>
void fields(V& v, Ref<V, DigestEntry> m) {
  v(m.id, m.incarnation, m.standing);
}

// ---- PUB/SUB ---------------------------------------------------------------------------------

template <class V>
void fields(V& v, Ref<V, Beat> m) {
  v(m.incarnation, m.uptime_ms, m.health, m.interval_ms, m.digest, m.roster);
}
template <class V>
void fields(V& v, Ref<V, Gossip> m) {
  v(List(m.claims, kClaimsMax));
}

// ---- meeting ---------------------------------------------------------------------------------

template <class V>
void fields(V& v, Ref<V, Hello> m) {
  v(m.version_min, m.version_max, Text(m.software, kSoftwareBytesMax), m.bundles);
}
template <class V>
void fields(V& v, Ref<V, HelloAnswer> m) {
  v(m.version, Text(m.cluster, kNameBytesMax), Text(m.software, kSoftwareBytesMax), m.roster,
    m.bundles);
}
template <class V>
void fields(V& v, Ref<V, Join> m) {
  v(m.record, MaybeId(m.after));
}
template <class V>
void fields(V& v, Ref<V, JoinAnswer> m) {
  v(m.seen, List(m.claims, kClaimsMax), MaybeId(m.after));
}

// ---- watching --------------------------------------------------------------------------------

template <class V>
void fields(V& v, Ref<V, Watch> m) {
  v(m.lease_ms, m.recruit);
}
template <class V>
void fields(V& v, Ref<V, WatchAnswer> m) {
  v(m.incarnation);
}
template <class V>
void fields(V& v, Ref<V, Ping>) {
  v();
}
template <class V>
void fields(V& v, Ref<V, Pong> m) {
  v(m.incarnation, m.health, m.uptime_ms);
}
template <class V>
void fields(V& v, Ref<V, AskHeard> m) {
  v(m.subject, m.incarnation);
}
template <class V>
void fields(V& v, Ref<V, Heard> m) {
  v(m.subject, m.incarnation, m.watching, m.refused, m.age_ms, m.beat_seq, m.interval_ms);
}

// ---- repair ----------------------------------------------------------------------------------

template <class V>
void fields(V& v, Ref<V, Resync> m) {
  v(m.from, m.to);
}
template <class V>
void fields(V& v, Ref<V, Digest> m) {
  v(m.buckets);
}
template <class V>
void fields(V& v, Ref<V, DigestAnswer> m) {
  v(List(m.differing, kDigestBuckets), List(m.entries, kDigestEntriesMax));
}
template <class V>
void fields(V& v, Ref<V, Fetch> m) {
  v(List(m.ids, kIdsMax));
}

// ---- roster ----------------------------------------------------------------------------------

template <class V>
void fields(V& v, Ref<V, RosterGet> m) {
  v(m.have, m.digest);
}
template <class V>
void fields(V& v, Ref<V, RosterDocument> m) {
  v(m.version, Bytes(m.bytes, kRosterBytesMax));
}
template <class V>
void fields(V& v, Ref<V, RosterPut> m) {
  v(Bytes(m.bytes, kRosterBytesMax));
}

// ---- operators and tap -----------------------------------------------------------------------

template <class V>
void fields(V& v, Ref<V, Query> m) {
  v(Text(m.name, kNameBytesMax), TextMap(m.arguments, kArgumentsMax, kArgumentValueBytesMax));
}
template <class V>
void fields(V& v, Ref<V, Answer> m) {
  v(Text(m.json, kJsonBytesMax));
}
template <class V>
void fields(V& v, Ref<V, Refusal> m) {
  v(m.code, Text(m.what, kRefusalTextBytesMax), Text(m.next, kRefusalTextBytesMax));
}
template <class V>
void fields(V& v, Ref<V, TapStart> m) {
  v(m.lease_ms, m.payloads, Text(m.filter, kFilterBytesMax));
}
template <class V>
void fields(V& v, Ref<V, TapFrame> m) {
  v(m.wall_ms, m.direction, m.channel, MaybeId(m.peer), MaybeId(m.origin),
    Text(m.kind, kNameBytesMax), m.seq, m.correlation, m.bytes, Text(m.summary, kSummaryBytesMax),
    Bytes(m.payload, kPayloadBytesMax));
}
template <class V>
void fields(V& v, Ref<V, TapData> m) {
  v(List(m.frames, kTapFramesMax), m.matched, m.dropped);
}

// ---- leadership and work ---------------------------------------------------------------------

template <class V>
void fields(V& v, Ref<V, Consensus> m) {
  v(Bytes(m.bytes, kConsensusBytesMax));
}
template <class V>
void fields(V& v, Ref<V, WorkRequest> m) {
  v(m.ask, Bytes(m.body, kWorkBytesMax), m.wait_ms, MaybeId(m.client));
}
template <class V>
void fields(V& v, Ref<V, WorkReply> m) {
  v(m.outcome, Bytes(m.body, kWorkBytesMax), MaybeId(m.leader), m.term, m.stale);
}

// ---- carried streams -------------------------------------------------------------------------

template <class V>
void fields(V& v, Ref<V, Carry> m) {
  v(m.step, m.offset, m.granted, Bytes(m.bytes, kCarryBytesMax));
}

}  // namespace riftbus::wire
