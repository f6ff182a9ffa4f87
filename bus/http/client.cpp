#include "bus/http/client.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <mutex>
#include <thread>
#include <utility>

#include "bus/wake_pipe.h"

namespace riftbus::http {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bh = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kAnswerHeaderBytesMax = 16 * 1024;

}  // namespace

class Client::Core {
 public:
  Core() : guard_(asio::make_work_guard(io_)), thread_([this] { io_.run(); }) {}
  ~Core() {
    io_.stop();
    thread_.join();
  }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  bool post(Errand errand);
  void done(Fetched fetched) {
    {
      const std::lock_guard lock(mutex_);
      done_.push_back(std::move(fetched));
    }
    wake_.wake();
  }
  std::vector<Fetched> take() {
    wake_.clear();
    std::vector<Fetched> taken;
    const std::lock_guard lock(mutex_);
    taken.swap(done_);
    under_way_ -= taken.size();
    return taken;
  }
  [[nodiscard]] int wake_fd() const { return wake_.descriptor(); }

 private:
  bus::WakePipe wake_;
  std::mutex mutex_;
  std::vector<Fetched> done_;
  std::size_t under_way_ = 0;  // or not taken yet; owner's thread
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_;
  std::thread thread_;
  class Trip;
};

// One errand, on the client's thread. Its steps keep it alive; the stream's own clock ends it.
class Client::Core::Trip : public std::enable_shared_from_this<Trip> {
 public:
  Trip(Core& core, asio::io_context& io, Errand errand)
      : core_(core), resolver_(io), stream_(io), timer_(io), errand_(std::move(errand)) {}

  void start() {
    // Looking up a name has no clock of its own.
    timer_.expires_after(errand_.within);
    timer_.async_wait([self = shared_from_this()](const error_code& error) {
      if (error) return;
      self->resolver_.cancel();
      self->stream_.cancel();
      self->end(Fate::silent, "no answer in time");
    });
    resolver_.async_resolve(errand_.host, std::to_string(errand_.port),
                            [self = shared_from_this()](const error_code& error,
                                                        const tcp::resolver::results_type& found) {
                              if (error) return self->end(Fate::silent, error.message());
                              self->connect(found);
                            });
  }

 private:
  void connect(const tcp::resolver::results_type& places) {
    if (is_over_) return;
    stream_.async_connect(
        places, [self = shared_from_this()](const error_code& error, const tcp::endpoint& place) {
          if (error == asio::error::connection_refused) {
            return self->end(Fate::refused, error.message());
          }
          if (error) return self->end(Fate::silent, error.message());
          self->write(place);
        });
  }

  // Asked for by its address: a name would have to be in the other node's list.
  void write(const tcp::endpoint& place) {
    if (is_over_) return;
    const std::string address = place.address().to_string();
    const std::string host = place.address().is_v6() ? "[" + address + "]" : address;
    request_.method(bh::verb::post);
    request_.target(errand_.path);
    request_.version(11);
    request_.set(bh::field::host, host + ":" + std::to_string(place.port()));
    request_.set(bh::field::content_type, "application/json");
    request_.keep_alive(false);
    request_.body() = std::move(errand_.body);
    request_.prepare_payload();
    bh::async_write(stream_, request_,
                    [self = shared_from_this()](const error_code& error, std::size_t) {
                      if (error) return self->end(Fate::silent, error.message());
                      self->read();
                    });
  }

  void read() {
    if (is_over_) return;
    parser_.header_limit(kAnswerHeaderBytesMax);
    parser_.body_limit(kAnswerBytesMax);
    bh::async_read(stream_, buffer_, parser_,
                   [self = shared_from_this()](const error_code& error, std::size_t) {
                     if (error) return self->end(Fate::silent, error.message());
                     self->end(Fate::answered, "");
                   });
  }

  void end(Fate fate, std::string trouble) {
    if (std::exchange(is_over_, true)) return;
    timer_.cancel();
    Fetched fetched{errand_.number, fate, 0, "", std::move(trouble)};
    if (fate == Fate::answered) {
      fetched.status = parser_.get().result_int();
      fetched.body = std::move(parser_.get().body());
    }
    error_code ignored;
    stream_.socket().close(ignored);
    core_.done(std::move(fetched));
  }

  Core& core_;
  tcp::resolver resolver_;
  beast::tcp_stream stream_;
  asio::steady_timer timer_;
  Errand errand_;
  beast::flat_buffer buffer_{kAnswerHeaderBytesMax + kAnswerBytesMax};
  bh::request<bh::string_body> request_;
  bh::response_parser<bh::string_body> parser_;
  bool is_over_ = false;
};

bool Client::Core::post(Errand errand) {
  if (under_way_ >= kUnderWayMax) return false;
  ++under_way_;
  asio::post(io_, [this, errand = std::move(errand)]() mutable {
    std::make_shared<Trip>(*this, io_, std::move(errand))->start();
  });
  return true;
}

Client::Client() : core_(std::make_unique<Core>()) {}
Client::~Client() = default;
bool Client::post(Errand errand) { return core_->post(std::move(errand)); }
int Client::wake_fd() const { return core_->wake_fd(); }
std::vector<Fetched> Client::take() { return core_->take(); }

}  // namespace riftbus::http
