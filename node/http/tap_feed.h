// TapFeed: what one tap of a node's traffic has seen, as a stream of server-sent events.
//
// The loop gathers what the filter lets through, in a queue of bounded length (bus/tap/mirror.h),
// and the HTTP thread puts it into words. It asks the loop for more only when all it had is on its
// way to the reader: a slow reader therefore fills the queue, and nothing else. What the queue then
// drops is counted, and told in its place: `event: dropped`. A tap that nobody reads any more ends;
// should nobody say so, its lease does, and then nobody looks at what the bus carries.
//
//   data: {"schema":1,"type":"frame","node":"n1",...}      as riftbus-tap writes it into a record
//   event: dropped    data: {"dropped":3,"dropped_in_all":9,"matched":812}
//   event: trouble    data: {"error":"...","code":"F-1552"}
//
// Bounded: kTapPartBytes of frames at a time. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "bus/wire/message.h"
#include "config/result.h"

namespace riftbus::node {

inline constexpr std::size_t kTapPartBytes = 256 * 1024;

class TapFeed {
 public:
  explicit TapFeed(NodeId node) : node_(std::move(node)) {}

  void take(const Result<wire::TapData>& part);
  // All there is, as text of the stream.
  [[nodiscard]] std::string read();

 private:
  void add(const char* event, const std::string& data);

  NodeId node_;
  std::string text_;
  std::string trouble_;  // the last one said
  std::uint64_t dropped_ = 0;
};

// Somebody who reads a tap. The destructor says that nobody does any more.
struct TapReader {
  TapReader(std::uint64_t number_in, wire::TapStart wanted_in, NodeId node,
            std::function<void(std::uint64_t)> on_end)
      : number(number_in),
        wanted(std::move(wanted_in)),
        feed(std::move(node)),
        end(std::move(on_end)) {}
  ~TapReader() { end(number); }
  TapReader(const TapReader&) = delete;
  TapReader& operator=(const TapReader&) = delete;

  std::uint64_t number;
  wire::TapStart wanted;
  TapFeed feed;
  bool is_asked = false;  // the loop is, for more
  std::function<void(std::uint64_t)> end;
};

}  // namespace riftbus::node
