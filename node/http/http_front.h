// HttpFront: the HTTP thread's half of a node. It judges requests, answers what needs no loop, and
// passes the rest on.
//
// What it answers itself (`/health` above all) comes from the Glance that the loop publishes, so it
// comes within a millisecond whatever the loop and the disks do. What the loop must say is asked
// for through a bounded mailbox. Reading costs the loop little: of one question asked by many at
// once the loop hears once, and its answer is good for kFreshFor. While the loop stands still the
// last answer is given again, marked as old, or 503 if there is none.
//
// `healthy` says that the process lives and its loop turns; how busy the machine is says
// `accepting_work`. A supervisor that restarts what is only busy made the former system's outages.
//
// open(), publish(), beat(), run_asked() and the destructor: loop thread. Everything else here runs
// on the server's thread; the desk is touched by the loop thread only, inside run_asked().
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bus/http/guard.h"
#include "bus/http/mailbox.h"
#include "bus/http/router.h"
#include "bus/http/server.h"
#include "node/http/event_feed.h"
#include "node/http/glance.h"
#include "node/http/http_desk.h"
#include "node/http/machine_meter.h"
#include "node/http/tap_feed.h"
#include "node/http/tokens.h"

namespace riftbus::node {

// A request's body: a JSON object of at most 32 levels, or nothing for an empty one. Else none.
[[nodiscard]] std::optional<Json> read_body(const std::string& text);

class HttpFront {
 public:
  static constexpr std::size_t kLettersMax = 256;
  static constexpr std::size_t kKeptMax = 64;  // answers that may be given again
  // Of members' posts, which are read before it is known whose they are.
  static constexpr std::size_t kSealedBodyMax = 64 * 1024;
  static constexpr Millis kFreshFor{500};
  static constexpr Seconds kStoppedAfter{3};  // the loop turns at least once a second
  static constexpr Seconds kDeadAfter{30};    // then it will hardly turn again: not healthy

  [[nodiscard]] static Result<std::unique_ptr<HttpFront>> open(const NodeSettings& settings,
                                                               HttpDesk& desk);
  ~HttpFront();

  void publish(Glance glance);
  void beat(TimePoint now);
  [[nodiscard]] int wake_fd() const { return mailbox_.wake_fd(); }
  void run_asked(TimePoint now) { static_cast<void>(mailbox_.run(now)); }
  void add_counters(std::map<std::string, std::uint64_t>& counters) const;
  [[nodiscard]] std::uint16_t port() const { return server_->port(); }

 private:
  // An answer that several wait for, or may be given again.
  struct Kept {
    http::Response response;  // of status 200; none: body is null
    TimePoint at{};
    bool is_asked = false;
    std::vector<http::Reply> waiting;
  };

  HttpFront(const NodeSettings& settings, const Tokens& tokens, HttpDesk& desk);

  [[nodiscard]] std::optional<http::Response> admit(http::Request& request) const;
  void serve(http::Request request, http::Reply reply);
  void serve_own(const http::Request& request, const http::Reply& reply);
  void serve_shared(http::Request request, http::Reply reply);
  void on_shared(const std::string& key, http::Response response);
  // False: the loop has too much to do.
  [[nodiscard]] bool ask_loop(http::Request request, Json body, http::Reply reply);
  [[nodiscard]] http::Response health();
  [[nodiscard]] http::Response health_of_port();
  [[nodiscard]] http::Response ready();
  [[nodiscard]] http::Response stream(const http::Request& request);
  void refresh_feed();
  // http_front_tap.cpp
  void serve_tap(const http::Request& request, const http::Reply& reply);
  [[nodiscard]] std::string read_tap(const std::shared_ptr<TapReader>& reader);
  void end_tap(std::uint64_t number);
  void make_room();
  [[nodiscard]] std::shared_ptr<const Glance> glance() const;
  [[nodiscard]] Nanos loop_age() const;

  HttpDesk& desk_;
  http::Router router_;
  http::Guard guard_;
  http::Mailbox mailbox_{kLettersMax};
  MachineMeter meter_;
  std::map<std::string, Kept> kept_;
  EventFeed feed_;
  TimePoint feed_asked_{};
  std::uint64_t taps_begun_ = 0;
  mutable std::mutex mutex_;
  std::shared_ptr<const Glance> glance_;
  std::atomic<std::int64_t> beat_ns_{0};
  std::unique_ptr<http::Server> server_;  // last: its thread ends before all this goes
};

}  // namespace riftbus::node
