// Client: posts to other nodes' HTTP servers, from a thread of its own.
//
// One errand is one connection: resolve, connect, write, read, close, all within its own time; what
// took longer is over. So many may be under way at once; one more is refused at once, and the
// caller, who repeats such things anyway, comes again later. Nothing that a server answers is
// believed: an answer is bounded, and whatever does not read is `silent`, as is no answer at all.
//
// Who waits for the results is told through a pipe. post(), take() and the destructor: owner's
// thread. The destructor abandons what is under way.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/types.h"

namespace riftbus::http {

struct Errand {
  std::uint64_t number = 0;  // of the owner's choice; comes back with the result
  std::string host;
  std::uint16_t port = 0;
  std::string path;
  std::string body;  // JSON
  Millis within{};
};

// refused: the host says that nobody listens there. silent: no answer, or none that reads.
enum class Fate : std::uint8_t { answered, refused, silent };

struct Fetched {
  std::uint64_t number = 0;
  Fate fate = Fate::silent;
  unsigned status = 0;  // if answered
  std::string body;
  std::string trouble;  // for people, if not answered
};

class Client {
 public:
  static constexpr std::size_t kUnderWayMax = 64;
  static constexpr std::size_t kAnswerBytesMax = 1024 * 1024;

  Client();
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // False: too many are under way.
  [[nodiscard]] bool post(Errand errand);
  // Readable when there is something to take.
  [[nodiscard]] int wake_fd() const;
  [[nodiscard]] std::vector<Fetched> take();

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace riftbus::http
