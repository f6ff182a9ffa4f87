// What the four drivers of queue_load have in common: ours, etcd, NATS and Redis, asked alike.
//
// A run has T threads, each with one connection to the leader, and N logical clients spread over
// them. A client is a closed loop: it adds one item, waits for the acknowledgement, adds the next;
// it costs no thread and no connection. So all N have one request under way at any time, whoever
// is asked. In a "trip" each connection also takes work in batches and reports it done, as fast as
// it comes, and the clients wait when too much lies in the queue.
//
// Each item's payload begins with the time of its add, so that the way of an item through the
// queue can be measured where its completion is acknowledged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/types.h"

namespace riftbus::bench {

struct LoadOptions {
  std::string system;  // ours, etcd, nats, redis
  std::string shape = "add";
  std::uint16_t port = 0;  // the leader's, on loopback
  std::size_t clients = 64;
  std::size_t threads = 4;
  std::size_t batch = 256;  // items taken at once
  std::size_t payload_bytes = 128;
  std::size_t backlog = 4096;  // in a trip: items that may wait for their end
  double seconds = 3;
  std::string node;        // ours: the leader's name,
  std::string server_key;  // its public key,
  std::string key_prefix;  // and our own keys: directories PREFIX1, PREFIX2, ...
};

// What one turn of a driver has brought.
struct LoadTurn {
  std::vector<std::uint32_t> added;        // clients whose add was acknowledged
  std::vector<std::uint64_t> finished_ns;  // items whose end was acknowledged: time of their add
  std::vector<std::uint32_t> failed;       // clients whose add was refused; they try again
};

class LoadDriver {
 public:
  virtual ~LoadDriver() = default;
  // Only gathers; turn() sends. One add per client at a time.
  virtual void add(std::uint32_t client, std::string_view payload) = 0;
  // From now on work is taken, up to `batch` at once, and reported done.
  virtual void consume(std::size_t batch) = 0;
  // Sends what was gathered, waits for something to come and takes in all that has come.
  virtual void turn(Millis patience, LoadTurn& out) = 0;
  // Nothing is under way any more: what still lies in the queue is thrown away.
  virtual void clean() = 0;
};

// Connected and ready; a failure ends the program with a word on standard error.
[[nodiscard]] std::unique_ptr<LoadDriver> make_ours(const LoadOptions& options, std::size_t number);
[[nodiscard]] std::unique_ptr<LoadDriver> make_etcd(const LoadOptions& options, std::size_t number);
[[nodiscard]] std::unique_ptr<LoadDriver> make_nats(const LoadOptions& options, std::size_t number);
[[nodiscard]] std::unique_ptr<LoadDriver> make_redis(const LoadOptions& options,
                                                     std::size_t number);

[[noreturn]] void give_up(const std::string& why);
[[nodiscard]] std::uint64_t now_ns();
// The time of the add, from an item's payload.
[[nodiscard]] std::uint64_t stamp_of(std::string_view payload);

}  // namespace riftbus::bench
