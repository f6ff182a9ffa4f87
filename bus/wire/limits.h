// Every bound on what a peer may send, in one place.
//
// A bound exists so that no frame, however hostile, makes a reader allocate more than a small
// multiple of the frame itself, and so that a stranger who implements the protocol knows what is
// accepted. They are generous: an honest program reaches them only by mistake. README.md beside
// this file repeats them field by field; test/bus/wire compares the two.
#pragma once

#include <cstddef>

#include "config/roster.h"

namespace riftbus::wire {

inline constexpr std::size_t kMessageBytesMax = 1024 * 1024;  // also the sockets' MAXMSGSIZE
inline constexpr std::size_t kDepthMax = 16;                  // nested arrays and maps
// msgpack values in one message. One takes a byte on the wire and 16 while it is being decoded.
inline constexpr std::size_t kValuesMax = 256 * 1024;

inline constexpr std::size_t kClaimsMax = 4096;
inline constexpr std::size_t kIdsMax = 4096;  // node ids in a Fetch
inline constexpr std::size_t kDigestEntriesMax = 4096;
inline constexpr std::size_t kTapFramesMax = 4096;
inline constexpr std::size_t kAddressesMax = 16;
inline constexpr std::size_t kRolesMax = 16;
inline constexpr std::size_t kTagsMax = 64;
inline constexpr std::size_t kArgumentsMax = 32;

inline constexpr std::size_t kNodeIdBytesMax = 64;
inline constexpr std::size_t kHostBytesMax = 255;
inline constexpr std::size_t kNameBytesMax = 64;  // cluster, failure domain, query, tag, kind
inline constexpr std::size_t kSoftwareBytesMax = 128;
inline constexpr std::size_t kGpuNameBytesMax = 128;
inline constexpr std::size_t kTagValueBytesMax = 256;
inline constexpr std::size_t kArgumentValueBytesMax = 4096;
inline constexpr std::size_t kRefusalTextBytesMax = 1024;
inline constexpr std::size_t kFilterBytesMax = 1024;
inline constexpr std::size_t kSummaryBytesMax = 512;
inline constexpr std::size_t kJsonBytesMax = kMessageBytesMax - 4096;
inline constexpr std::size_t kPayloadBytesMax = kMessageBytesMax - 4096;
inline constexpr std::size_t kTopicBytesMax = 128;
inline constexpr std::size_t kConsensusBytesMax = 256 * 1024;  // what its codec allows, too
inline constexpr std::size_t kWorkBytesMax = kMessageBytesMax - 4096;
inline constexpr std::size_t kCarryBytesMax = 16 * 1024;  // calls do not wait long behind one

}  // namespace riftbus::wire
