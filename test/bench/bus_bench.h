// What the two sides of bus_bench share: the shapes, the wiring of a pair of processes, and how a
// side's speed is measured, whichever side it is.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "bus/keys.h"
#include "bus/wire/message.h"
#include "config/types.h"

namespace riftbus::bench {

struct Shape {
  const char* name;
  bool publishes;
  bool large;          // about 200 bytes, otherwise the smallest of its kind
  std::size_t window;  // calls in flight
  std::size_t messages;
};

// What both processes know before they start.

struct Pair {
  KeyPair server = KeyPair::generate();
  KeyPair client = KeyPair::generate();
  int to_server[2] = {-1, -1};  // one byte per command of the client
  int to_client[2] = {-1, -1};  // the server's two ports
  int to_parent[2] = {-1, -1};  // the rate
};

[[nodiscard]] NodeId make_id(const char* text);
[[nodiscard]] wire::Body make_body(const Shape& shape);
// Of that body in its envelope, with its topic.
[[nodiscard]] std::size_t size_of(const Shape& shape);

void write_all(int fd, const void* data, std::size_t size);
void read_all(int fd, void* data, std::size_t size);

// Waits for messages at most that long and counts them.
using Turn = std::function<std::size_t(Millis)>;
// Messages per second.
[[nodiscard]] double measure_publications(const Pair& pair, const Shape& shape, const Turn& turn);
[[nodiscard]] double measure_calls(const Shape& shape, const std::function<void()>& ask,
                                   const Turn& turn);

// The server runs until it is told to quit; the client gives the rate.
void serve_ours(const Pair& pair, const Shape& shape);
[[nodiscard]] double ask_ours(const Pair& pair, const Shape& shape);
void serve_bare(const Pair& pair, const Shape& shape);
[[nodiscard]] double ask_bare(const Pair& pair, const Shape& shape);

}  // namespace riftbus::bench
