#include "bus/detour.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <list>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "bus/clock.h"
#include "bus/pump.h"
#include "bus/socket_address.h"
#include "bus/socks_words.h"
#include "bus/wake_pipe.h"

namespace riftbus::bus {

namespace {

// -1, and errno. `name` without the zero byte that makes it an abstract one.
int listen_abstract(const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  if (::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
      ::listen(descriptor, 1) == 0) {
    return descriptor;
  }
  const int why = errno;
  ::close(descriptor);
  errno = why;
  return -1;
}

bool is_own(int descriptor) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         peer.pid == ::getpid();
}

}  // namespace

// One connection: taken here, made there, then pumped.
class Detours::Detour : private Watcher, private Pump::Owner {
 public:
  Detour(Loop& loop, int listener, DetourTarget target, TimePoint due)
      : loop_(loop),
        listener_(listener),
        target_(std::move(target)),
        due_(due),
        pump_(loop, *this) {
    loop.watch(listener, *this, true, false);
  }
  ~Detour() override {
    drop(listener_);
    drop(here_);
    drop(there_);
  }
  Detour(const Detour&) = delete;
  Detour& operator=(const Detour&) = delete;

  [[nodiscard]] bool is_done() const { return is_done_; }
  [[nodiscard]] bool is_pumping() const { return is_pumping_; }
  [[nodiscard]] TimePoint due() const { return due_; }

 private:
  void drop(int& descriptor) {
    if (descriptor < 0) return;
    loop_.forget(descriptor);
    ::close(std::exchange(descriptor, -1));
  }
  void on_pump_done() override { is_done_ = true; }
  void on_ready(Readiness) override {
    if (listener_ >= 0) return take();
    if (!has_asked_) return ask();
    read_answer();
  }
  void take();
  void ask();
  void read_answer();

  Loop& loop_;
  int listener_;
  const DetourTarget target_;
  const TimePoint due_;
  int here_ = -1;
  int there_ = -1;
  bool has_asked_ = false;
  bool is_pumping_ = false;
  bool is_done_ = false;
  std::string answer_;
  Pump pump_;
};

void Detours::Detour::take() {
  here_ = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (here_ < 0) return;
  if (!is_own(here_)) {  // somebody reads the list of abstract names
    ::close(std::exchange(here_, -1));
    return;
  }
  drop(listener_);
  const auto address = tcp_address(target_.relay, target_.port);
  if (address.size > 0) {
    there_ = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  }
  if (there_ < 0) {
    is_done_ = true;
    return;
  }
  const int on = 1;
  ::setsockopt(there_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  is_done_ = ::connect(there_, address.get(), address.size) != 0 && errno != EINPROGRESS;
  if (!is_done_) loop_.watch(there_, *this, false, true);
}

void Detours::Detour::ask() {
  has_asked_ = true;
  const std::string words = socks_question(target_.name, target_.number);
  const auto sent = ::send(there_, words.data(), words.size(), MSG_NOSIGNAL);
  is_done_ = sent != static_cast<ssize_t>(words.size());  // fresh: it fits, or it did not connect
  loop_.watch(there_, *this, true, false);
}

void Detours::Detour::read_answer() {
  char bytes[kSocksAnswerBytes];
  const auto size = ::recv(there_, bytes, kSocksAnswerBytes - answer_.size(), 0);
  if (size < 0 && must_wait()) return;
  is_done_ = size <= 0;
  if (is_done_) return;
  answer_.append(bytes, static_cast<std::size_t>(size));
  if (answer_.size() < kSocksAnswerBytes) return;
  is_done_ = read_socks_answer(answer_) != SocksVerdict::open;
  if (is_done_) return;
  is_pumping_ = true;
  loop_.forget(there_);
  pump_.start(std::exchange(here_, -1), std::exchange(there_, -1));
}

struct Detours::Shared {
  // An object of its own: this one's destructor begins while the thread still rings.
  struct Bell : Watcher {
    void on_ready(Readiness) override { pipe.clear(); }
    WakePipe pipe;
  };
  struct Order {
    int listener = -1;
    DetourTarget target;
  };

  Shared() : thread([this] { run(); }) {}
  ~Shared() {
    stopping = true;
    bell.pipe.wake();
    thread.join();
    for (const Order& order : orders) ::close(order.listener);
  }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  void run();
  void take_orders(Loop& loop, TimePoint now);

  std::atomic<bool> stopping = false;
  std::atomic<std::size_t> count = 0;
  Bell bell;
  std::mutex mutex;
  std::vector<Order> orders;
  std::list<Detour> detours;  // the thread's; oldest first, as their deadlines
  std::thread thread;         // last: it uses the others
};

void Detours::Shared::take_orders(Loop& loop, TimePoint now) {
  std::vector<Order> taken;
  {
    const std::lock_guard lock(mutex);
    taken.swap(orders);
  }
  for (Order& order : taken) {
    detours.emplace_back(loop, order.listener, std::move(order.target), now + Millis(kPatienceMs));
  }
}

void Detours::Shared::run() {
  Loop loop;
  loop.watch(bell.pipe.descriptor(), bell, true, false);
  while (!stopping) {
    TimePoint now = boot_now();
    take_orders(loop, now);
    auto due = TimePoint::max();
    for (auto detour = detours.begin(); detour != detours.end();) {
      const bool is_late = !detour->is_pumping() && now >= detour->due();
      if (detour->is_done() || is_late) {
        detour = detours.erase(detour);
        --count;
        continue;
      }
      if (!detour->is_pumping()) due = std::min(due, detour->due());
      ++detour;
    }
    loop.run_once(due, now);
  }
  detours.clear();
}

Detours::Detours() = default;
Detours::~Detours() = default;

Result<std::string> Detours::open(const DetourTarget& target) {
  if (!shared_) shared_ = std::make_unique<Shared>();
  const auto refuse = [&](const std::string& why) {
    return Error{1357, "no way to a relay: " + why, target.name, "raise the limit of open files"};
  };
  if (shared_->count >= kDetoursMax) return refuse("too many at once");
  unsigned char noise[16];
  randombytes_buf(noise, sizeof noise);
  char text[2 * sizeof noise + 1];
  const std::string name =
      std::string("riftbus-") + sodium_bin2hex(text, sizeof text, noise, sizeof noise);
  const int listener = listen_abstract(name);
  if (listener < 0) return refuse(std::strerror(errno));
  ++shared_->count;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->orders.push_back({listener, target});
  }
  shared_->bell.pipe.wake();
  return "ipc://@" + name;
}

}  // namespace riftbus::bus
