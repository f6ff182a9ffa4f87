// Session: one connection of the HTTP server. Private to server.cpp, which alone may read Beast.
//
// A session lives as long as one of its operations is under way, and is listed on the floor as long
// as it lives: those that did nothing for longest stand in front. It reads a request, asks the
// owner whether to go on, hands it over, writes what comes back, and begins anew; or it turns into
// a stream and only writes. Server's thread only.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "bus/http/server.h"

namespace riftbus::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bh = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

inline constexpr std::size_t kSparePerRead = 4 * 1024;  // read ahead, beyond a header

// A Reply must know whether its server still stands: any thread may use it, at any time.
struct Gate {
  std::mutex mutex;
  asio::io_context* io = nullptr;
};

class Session;

// What all sessions of a server share. Outlives them.
struct Floor {
  ServerCallbacks callbacks;
  ServerCounters counters;
  std::list<Session*> sessions;
  std::shared_ptr<Gate> gate = std::make_shared<Gate>();
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Floor& floor, tcp::socket socket, bool is_health);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void read_header(Seconds within);
  // It waits for a request, or for the rest of one.
  [[nodiscard]] bool may_be_evicted() const { return is_reading_; }
  // It leaves the floor when its operation has ended, in a moment; nobody chooses it again.
  void evict() {
    is_reading_ = false;
    close();
  }

 private:
  using Parser = bh::request_parser<bh::string_body>;

  void close();
  void on_header(const error_code& error);
  void read_body();
  void serve();
  void answer(std::uint64_t number, Response response);
  void write(Response response, bool ends);
  void on_written(bool ends);
  void refuse_input(const error_code& error);
  void linger(std::size_t so_far);
  void begin_stream();
  void watch_reader();
  void wait_to_pull();
  void pull();
  void touch() { floor_.sessions.splice(floor_.sessions.end(), floor_.sessions, place_); }

  Floor& floor_;
  beast::tcp_stream stream_;
  asio::steady_timer timer_;  // of an answer; of a stream's next part
  beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  Request request_;
  Response response_;
  std::optional<bh::response<bh::span_body<const char>>> head_;  // while it is written
  std::string chunk_;                                            // of a stream, under way
  Nanos quiet_{};  // of a stream: since it last said something
  std::array<char, 1024> scrap_{};
  bool is_health_;
  bool is_reading_ = true;  // a request is not complete, or not begun
  bool keeps_alive_ = false;
  std::uint64_t number_ = 0;  // of the request: an answer to an earlier one is none
  std::list<Session*>::iterator place_;
};

}  // namespace riftbus::http
