// With client.cpp the only file that reads Boost.Beast's headers: they take longer than everything
// else here.
#include "bus/http/server.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <thread>
#include <utility>
#include <vector>

#include "bus/http/session.h"

namespace riftbus::http {

namespace {

constexpr std::size_t kLingerBytesMax = 256 * 1024;
constexpr Seconds kLinger{1};
constexpr Seconds kStreamWriteWithin{30};
constexpr Millis kAcceptPause{100};

std::string text_of(boost::string_view text) { return {text.data(), text.size()}; }

Response refuse(unsigned status, std::string code, std::string what) {
  return make_error({status, std::move(code), std::move(what), {}});
}

Response describe_bad_input(const error_code& error) {
  if (error == bh::error::header_limit || error == bh::error::buffer_overflow) {
    return refuse(431, "HEADER_TOO_LARGE", "the header is larger than 16 KiB");
  }
  if (error == bh::error::body_limit) {
    return refuse(413, "BODY_TOO_LARGE", "the body is larger than this route takes");
  }
  return refuse(400, "BAD_REQUEST", "this is not HTTP/1.1: " + error.message());
}

}  // namespace

Session::Session(Floor& floor, tcp::socket socket, bool is_health)
    : floor_(floor),
      stream_(std::move(socket)),
      timer_(stream_.get_executor()),
      buffer_(kHeaderBytesMax + kSparePerRead),
      is_health_(is_health),
      place_(floor.sessions.insert(floor.sessions.end(), this)) {
  ++floor_.counters.open;
}

Session::~Session() {
  floor_.sessions.erase(place_);
  --floor_.counters.open;
  if (response_.pull) --floor_.counters.streams;
}

void Session::close() {
  error_code ignored;
  stream_.socket().close(ignored);
}

// ---- reading -----------------------------------------------------------------------------------

void Session::read_header(Seconds within) {
  parser_.emplace();
  parser_->header_limit(kHeaderBytesMax);
  parser_->body_limit(kBodyBytesMax);
  is_reading_ = true;
  stream_.expires_after(within);
  bh::async_read_header(stream_, buffer_, *parser_,
                        [self = shared_from_this()](const error_code& error, std::size_t) {
                          self->on_header(error);
                        });
}

void Session::on_header(const error_code& error) {
  if (error == bh::error::end_of_stream || error == beast::error::timeout ||
      error == asio::error::operation_aborted || error == asio::error::connection_reset) {
    return close();
  }
  if (error) return refuse_input(error);
  const auto& head = parser_->get();
  keeps_alive_ = head.keep_alive();
  request_ = {};
  request_.method = text_of(head.method_string());
  request_.target = text_of(head.target());
  request_.host = text_of(head[bh::field::host]);
  request_.origin = text_of(head[bh::field::origin]);
  request_.authorization = text_of(head[bh::field::authorization]);
  request_.shared_token = text_of(head["X-RingRift-Auth"]);
  request_.last_event_id = text_of(head["Last-Event-ID"]);
  request_.if_none_match = text_of(head[bh::field::if_none_match]);
  request_.on_health_port = is_health_;
  ++floor_.counters.requests;
  ++number_;
  if (head.count(bh::field::host) > 1) return refuse_input(bh::error::bad_field);  // RFC 9112, 3.2
  if (auto refused = floor_.callbacks.admit(request_)) {
    is_reading_ = false;
    // Its body, if there is one, is not read: the next request could not be found behind it.
    const bool has_body = parser_->chunked() || parser_->content_length().value_or(0) > 0;
    return write(std::move(*refused), has_body || !keeps_alive_);
  }
  if (parser_->is_done()) return serve();
  if (const auto bytes_max = request_.body_bytes_max; bytes_max != 0) {
    if (parser_->content_length().value_or(0) > bytes_max)
      return refuse_input(bh::error::body_limit);
    parser_->body_limit(bytes_max);  // in chunks, its length is not known beforehand
  }
  read_body();
}

void Session::read_body() {
  stream_.expires_after(kBodyWithin);
  bh::async_read(stream_, buffer_, *parser_,
                 [self = shared_from_this()](const error_code& error, std::size_t) {
                   if (error == beast::error::timeout) return self->close();
                   if (error) return self->refuse_input(error);
                   self->serve();
                 });
}

void Session::refuse_input(const error_code& error) {
  ++floor_.counters.malformed;
  is_reading_ = false;
  request_ = {};
  write(describe_bad_input(error), true);
}

void Session::serve() {
  is_reading_ = false;
  touch();
  request_.body = std::move(parser_->get().body());
  stream_.expires_never();
  const std::uint64_t number = number_;
  timer_.expires_after(kAnswerWithin);
  timer_.async_wait([self = shared_from_this(), number](const error_code& error) {
    if (error || self->number_ != number) return;
    ++self->floor_.counters.late;
    self->answer(number, refuse(504, "NO_ANSWER", "the node has not answered in time"));
  });
  std::weak_ptr<Session> weak = weak_from_this();
  Reply reply([gate = floor_.gate, weak, number](Response response) {
    const std::lock_guard lock(gate->mutex);
    if (gate->io == nullptr) return;
    asio::post(*gate->io, [weak, number, response = std::move(response)]() mutable {
      if (const auto self = weak.lock()) self->answer(number, std::move(response));
    });
  });
  floor_.callbacks.serve(request_, std::move(reply));
}

// ---- writing -----------------------------------------------------------------------------------

void Session::answer(std::uint64_t number, Response response) {
  if (number != number_ || is_reading_ || head_) return;  // late, or twice
  timer_.cancel();
  if (response.pull && floor_.counters.streams >= kStreamsMax) {
    response = refuse(503, "TOO_MANY_STREAMS", "enough streams are open");
  }
  write(std::move(response), !keeps_alive_);
}

void Session::write(Response response, bool ends) {
  if (!response.body) response.body = std::make_shared<const std::string>();
  response_ = std::move(response);
  if (request_.method == "HEAD") response_.pull = nullptr;
  const bool is_stream = static_cast<bool>(response_.pull);
  if (is_stream) ++floor_.counters.streams;
  auto& head = head_.emplace();
  head.version(11);
  head.result(response_.status);
  head.keep_alive(!ends && !is_stream);
  head.set(bh::field::content_type, response_.content_type);
  head.set(bh::field::cache_control, "no-store");
  head.set("X-Content-Type-Options", "nosniff");
  head.set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  for (const auto& [name, value] : response_.headers) head.set(name, value);
  // RFC 9110, 8.6: what a 304 would say of its length is that of the page that is not sent.
  if (!is_stream && response_.status != 304) head.content_length(response_.body->size());
  if (request_.method != "HEAD" && !is_stream) {
    head.body() = {response_.body->data(), response_.body->size()};
  }
  stream_.expires_after(kWriteWithin);
  bh::async_write(stream_, head,
                  [self = shared_from_this(), ends](const error_code& error, std::size_t) {
                    if (error) return self->close();
                    self->on_written(ends);
                  });
}

void Session::on_written(bool ends) {
  head_.reset();
  if (response_.pull) return begin_stream();
  response_ = {};
  if (!ends) {
    touch();
    return read_header(kIdleMax);
  }
  error_code ignored;
  stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  linger(0);
}

// A connection that is closed while bytes arrive is reset, and the answer is lost with it: what is
// still on its way is read for a moment, and thrown away.
void Session::linger(std::size_t so_far) {
  if (so_far > kLingerBytesMax) return close();
  if (so_far == 0) stream_.expires_after(kLinger);
  is_reading_ = true;
  stream_.async_read_some(asio::buffer(scrap_), [self = shared_from_this(), so_far](
                                                    const error_code& error, std::size_t bytes) {
    if (error) return self->close();
    self->linger(so_far + bytes);
  });
}

// ---- streams -----------------------------------------------------------------------------------

void Session::begin_stream() {
  stream_.expires_never();
  watch_reader();
  pull();
}

// Whatever the reader says is thrown away; that it leaves is how we learn that it has left.
void Session::watch_reader() {
  stream_.async_read_some(asio::buffer(scrap_),
                          [self = shared_from_this()](const error_code& error, std::size_t) {
                            if (!error) return self->watch_reader();
                            self->timer_.cancel();
                            self->close();
                          });
}

void Session::wait_to_pull() {
  timer_.expires_after(kPullEvery);
  timer_.async_wait([self = shared_from_this()](const error_code& error) {
    if (!error) self->pull();
  });
}

void Session::pull() {
  if (!stream_.socket().is_open()) return;
  chunk_ = response_.pull();
  quiet_ = chunk_.empty() ? quiet_ + kPullEvery : Nanos{};
  if (quiet_ >= kSignOfLife) {
    chunk_ = ": here\n\n";
    quiet_ = {};
  }
  if (chunk_.empty()) return wait_to_pull();
  stream_.expires_after(kStreamWriteWithin);
  asio::async_write(stream_, asio::buffer(chunk_),
                    [self = shared_from_this()](const error_code& error, std::size_t) {
                      if (error) return self->close();
                      self->stream_.expires_never();
                      self->wait_to_pull();
                    });
}

// ---- the server --------------------------------------------------------------------------------

class Server::Core : public Floor {
 public:
  explicit Core(ServerCallbacks given) {
    callbacks = std::move(given);
    gate->io = &io_;
  }

  Status listen(const ServerSettings& settings);
  void run() {
    thread_ = std::thread([this] { io_.run(); });
  }
  void stop();
  [[nodiscard]] std::uint16_t port() const {
    error_code ignored;
    return doors_.front().acceptor.local_endpoint(ignored).port();
  }
  void post(std::function<void()> work) { asio::post(io_, std::move(work)); }

 private:
  struct Door {
    tcp::acceptor acceptor;
    asio::steady_timer pause;
  };

  [[nodiscard]] error_code open_door(const std::string& host, std::uint16_t port);
  void accept(std::size_t which);
  void let_in(std::size_t which, tcp::socket socket);
  // All places are taken: whoever has waited longest goes. False: nobody waits.
  bool evict();

  std::size_t connections_max_ = 1;
  asio::io_context io_{1};
  std::vector<Door> doors_;  // the second one is the health port's
  std::thread thread_;
};

error_code Server::Core::open_door(const std::string& host, std::uint16_t port) {
  error_code error;
  const auto found =
      tcp::resolver(io_).resolve(host, std::to_string(port), tcp::resolver::passive, error);
  if (error) return error;
  if (found.empty()) return asio::error::host_not_found;
  const tcp::endpoint endpoint = found.begin()->endpoint();
  Door door{tcp::acceptor(io_), asio::steady_timer(io_)};
  door.acceptor.open(endpoint.protocol(), error);
  if (!error) door.acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) door.acceptor.bind(endpoint, error);
  if (!error) door.acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (!error) doors_.push_back(std::move(door));
  return error;
}

Status Server::Core::listen(const ServerSettings& settings) {
  connections_max_ = std::max<std::size_t>(settings.connections_max, 1);
  std::vector<std::uint16_t> ports{settings.port};
  if (settings.health_port != 0) ports.push_back(settings.health_port);
  for (const auto port : ports) {
    if (const auto error = open_door(settings.host, port)) {
      return Error{kCannotListen, "HTTP cannot listen: " + error.message(),
                   settings.host + ":" + std::to_string(port),
                   "choose another listen.http_port or http.health_port; 0 is off"};
    }
  }
  for (std::size_t which = 0; which < doors_.size(); ++which) accept(which);
  return Ok{};
}

void Server::Core::accept(std::size_t which) {
  doors_[which].acceptor.async_accept([this, which](const error_code& error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) {
      let_in(which, std::move(socket));
      return accept(which);
    }
    // Out of descriptors: somebody must go first.
    evict();
    doors_[which].pause.expires_after(kAcceptPause);
    doors_[which].pause.async_wait([this, which](const error_code& stopped) {
      if (!stopped) accept(which);
    });
  });
}

void Server::Core::let_in(std::size_t which, tcp::socket socket) {
  ++counters.connections;
  if (sessions.size() >= connections_max_ && !evict()) return;
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  std::make_shared<Session>(*this, std::move(socket), which == 1)->read_header(kHeaderWithin);
}

bool Server::Core::evict() {
  const auto found = std::find_if(sessions.begin(), sessions.end(),
                                  [](const Session* one) { return one->may_be_evicted(); });
  if (found == sessions.end()) return false;
  ++counters.evicted;
  (*found)->evict();
  return true;
}

void Server::Core::stop() {
  {
    const std::lock_guard lock(gate->mutex);
    gate->io = nullptr;
  }
  io_.stop();
  if (thread_.joinable()) thread_.join();
}

Server::Server(std::unique_ptr<Core> core) : core_(std::move(core)) {}

Server::~Server() { core_->stop(); }

Result<std::unique_ptr<Server>> Server::start(const ServerSettings& settings,
                                              ServerCallbacks callbacks) {
  auto core = std::make_unique<Core>(std::move(callbacks));
  if (auto status = core->listen(settings); !status) return status.error();
  core->run();
  return std::unique_ptr<Server>(new Server(std::move(core)));
}

std::uint16_t Server::port() const { return core_->port(); }

const ServerCounters& Server::counters() const { return core_->counters; }

void Server::run_soon(std::function<void()> work) { core_->post(std::move(work)); }

}  // namespace riftbus::http
