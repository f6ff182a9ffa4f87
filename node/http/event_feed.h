// EventFeed: the journal's newest entries, kept for streams of server-sent events.
//
// However many streams there are, the loop is asked once for all of them, and only while somebody
// reads. Each stream has a place of its own in the feed. An id is the journal's cursor, so a reader
// that comes back (Last-Event-ID) goes on where it was, and one that comes back to a node started
// anew, or too late, is told so: `event: lost`, with the number of entries or null.
//
// Bounded: kEventsKept entries; a part of a stream has about kPartBytes. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace riftbus::node {

inline constexpr std::size_t kEventsKept = 1024;
inline constexpr std::size_t kPartBytes = 64 * 1024;

class EventFeed {
 public:
  struct Place {
    std::uint64_t next = 0;  // seq; 0: not yet begun
    std::string last_id;     // what the reader said when it came
  };

  // An event.list document.
  void take(const std::string& document);
  // What the loop is to be asked for: entries after this; empty: the newest there are.
  [[nodiscard]] const std::string& cursor() const { return cursor_; }
  // What is new for this reader, as text of the stream; moves its place.
  [[nodiscard]] std::string read(Place& place) const;

 private:
  struct Entry {
    std::uint64_t seq = 0;
    std::string json;
  };
  void begin(Place& place, std::string& text) const;
  [[nodiscard]] std::string id_of(std::uint64_t seq) const;

  std::deque<Entry> entries_;
  std::string cursor_;
  std::string life_;  // of the node: the part of a cursor before its number
};

}  // namespace riftbus::node
