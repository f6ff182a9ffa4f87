// Server: HTTP/1.1 on a thread of its own.
//
// Everything here assumes that the other side means harm or has died. A request's header must come
// within kHeaderWithin, in kHeaderBytesMax; a body is read only after the owner has admitted its
// header, so a stranger's gigabyte is never read at all. When connections_max are open, the one
// that has waited longest without a request under way gives way to the newest: a thousand half-open
// connections do not keep anybody out. A reader that does not read is dropped. Nothing waits for
// the loop thread: what it is asked comes back through a Reply, whenever it does, and an answer
// that is not there after kAnswerWithin is 504.
//
// The thread serves all connections by turns and never blocks; what callbacks do on it counts
// against everybody, so they do little. Limits: no TLS (bind to loopback and come through ssh), no
// HTTP/2, no compression.
//
// Contract: start() and the destructor by the owner; callbacks run on the server's thread; a Reply
// may be used by any thread, once, also after its server is gone. Error 1607: a port cannot be
// listened on.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "bus/http/message.h"
#include "config/result.h"
#include "config/types.h"

namespace riftbus::http {

inline constexpr std::uint16_t kCannotListen = 1607;

inline constexpr std::size_t kHeaderBytesMax = 16 * 1024;
inline constexpr std::size_t kBodyBytesMax = 1024 * 1024;
inline constexpr std::size_t kStreamsMax = 32;
inline constexpr Seconds kHeaderWithin{5};
inline constexpr Seconds kBodyWithin{10};
inline constexpr Seconds kIdleMax{60};  // between two requests of one connection
inline constexpr Seconds kAnswerWithin{15};
inline constexpr Seconds kWriteWithin{15};
inline constexpr Millis kPullEvery{250};
inline constexpr Seconds kSignOfLife{15};  // a comment, when a stream has nothing to say

struct ServerSettings {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;         // 0: chosen by the system
  std::uint16_t health_port = 0;  // 0: none
  std::size_t connections_max = 256;
};

struct ServerCounters {
  std::atomic<std::uint64_t> connections{0};  // accepted so far
  std::atomic<std::uint64_t> open{0};
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> malformed{0};  // headers or bodies that do not read
  std::atomic<std::uint64_t> evicted{0};    // waited longest when all places were taken
  std::atomic<std::uint64_t> late{0};       // requests without an answer in time
  std::atomic<std::uint64_t> streams{0};
};

class Reply {
 public:
  using Send = std::function<void(Response)>;
  explicit Reply(Send send) : send_(std::move(send)) {}
  void operator()(Response response) const { send_(std::move(response)); }

 private:
  Send send_;
};

struct ServerCallbacks {
  // The header is there, the body is not. A Response: that is the answer, nothing more is read.
  // May fill in what serve() wants to find (`captured`).
  std::function<std::optional<Response>(Request&)> admit;
  std::function<void(Request, Reply)> serve;
};

class Server {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(const ServerSettings& settings,
                                                             ServerCallbacks callbacks);
  // Joins; Replies that come later go nowhere.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] const ServerCounters& counters() const;
  // Any thread: runs `work` on the server's thread, soon.
  void run_soon(std::function<void()> work);

  class Core;

 private:
  explicit Server(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace riftbus::http
