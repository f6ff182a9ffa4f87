// Codec: envelopes to bytes and back.
//
// An envelope is one msgpack array, [version, kind, origin, instance, seq, correlation, body], and
// every body is an array too: positions instead of names keep a Beat near 50 bytes. fields.h holds
// the order of the elements once, for both directions; writer.h and reader.h walk it.
//
// decode() is total: any bytes give an envelope or a reason, never an exception, and never more
// memory than a small multiple of the input (limits.h). Rejecting is as cheap as accepting: a
// reason is a number, no text is built. What it accepts is well-formed and within limits, not yet
// true: whether the origin owns the connection, and whether the roles allow the message, is for the
// owner.
//
// Versions: elements beyond those known are skipped, absent ones keep the defaults of message.h, so
// programs one version apart understand each other. A number this program cannot read at all is
// Reject::bad_version or unknown_kind; the header has the same shape in all versions, so that even
// then a request can be refused politely (DecodeOutcome::header_known).
//
// Pure functions, safe from any thread. Format: msgpack specification (2013 revision, with
// str/bin).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bus/wire/limits.h"
#include "bus/wire/message.h"

namespace riftbus::wire {

// Why bytes are not a message. Counted per reason; to_string() gives metric label values.
enum class Reject : std::uint8_t {
  accepted = 0,
  oversize,          // longer than kMessageBytesMax
  truncated,         // the bytes end inside a value
  trailing_garbage,  // bytes after the envelope
  not_msgpack,       // a byte that msgpack never uses
  too_deep,          // nested beyond kDepthMax
  too_many_values,   // more than kValuesMax values
  bad_type,          // another msgpack type than the field's
  bad_value,         // a number out of range, an unknown standing, a map key twice
  bad_text,          // text that is not UTF-8
  bad_id,            // not a node id, or a required one is missing
  too_long,          // text, list or map above its own limit
  missing_header,    // fewer than the envelope's seven elements
  bad_version,       // outside [kVersionMin, kVersion]
  unknown_kind,      // a message of a later version
};
inline constexpr std::size_t kRejects = 15;
[[nodiscard]] const char* to_string(Reject reject);

struct DecodeOutcome {
  Reject reject = Reject::accepted;
  // The fields of `envelope` before `body` are valid although the message was rejected: enough to
  // answer a request with a Refusal.
  bool header_known = false;
  Envelope envelope;  // whole only when accepted

  [[nodiscard]] bool ok() const { return reject == Reject::accepted; }
  explicit operator bool() const { return ok(); }
};
[[nodiscard]] DecodeOutcome decode(std::string_view bytes);

// The writer does not enforce limits.h: whoever builds a message keeps within them (encoded_size
// helps), or every reader will refuse it. Text must be UTF-8.
[[nodiscard]] std::string encode(const Envelope& envelope);

// Bytes that one claim takes inside Gossip or JoinAnswer: to fill a page without exceeding it.
[[nodiscard]] std::size_t encoded_size(const Claim& claim);

}  // namespace riftbus::wire
