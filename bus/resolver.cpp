#include "bus/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "bus/wake_pipe.h"
#include "config/address.h"

namespace riftbus::bus {

struct Resolver::Shared {
  struct Answer {
    std::string host;
    std::vector<std::string> addresses;
  };
  std::mutex mutex;
  std::condition_variable asked;
  std::deque<std::string> questions;  // bounded: a name is asked once until it is answered
  std::vector<Answer> answers;
  bool started = false;
  bool stopped = false;
  WakePipe wake;
};

namespace {

std::vector<std::string> resolve_blocking(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  std::vector<std::string> addresses;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return addresses;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    if (addresses.size() >= Resolver::kAddressesMax) break;
    char text[NI_MAXHOST];
    if (::getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) ==
        0) {
      addresses.emplace_back(text);
    }
  }
  ::freeaddrinfo(found);
  return addresses;
}

}  // namespace

Resolver::Resolver() : shared_(std::make_shared<Shared>()) {}

Resolver::~Resolver() {
  const std::lock_guard<std::mutex> lock(shared_->mutex);
  shared_->stopped = true;
  shared_->asked.notify_all();
}

int Resolver::descriptor() const { return shared_->wake.descriptor(); }

std::vector<std::string> Resolver::lookup(const std::string& host, TimePoint now) {
  if (is_ip_literal(host)) return {host};
  auto found = names_.find(host);
  if (found == names_.end()) {
    if (names_.size() >= kNamesMax) return {};
    found = names_.emplace(host, Name{}).first;
  }
  Name& name = found->second;
  if (!name.asked && now >= name.stale_at) {
    name.asked = true;
    const std::lock_guard<std::mutex> lock(shared_->mutex);
    shared_->questions.push_back(host);
    if (!shared_->started) {
      shared_->started = true;
      std::thread(work, shared_).detach();
    }
    shared_->asked.notify_one();
  }
  return name.addresses;
}

std::size_t Resolver::collect(TimePoint now) {
  shared_->wake.clear();
  std::vector<Shared::Answer> answers;
  {
    const std::lock_guard<std::mutex> lock(shared_->mutex);
    answers.swap(shared_->answers);
  }
  std::size_t failures = 0;
  for (Shared::Answer& answer : answers) {
    Name& name = names_[answer.host];
    name.asked = false;
    if (answer.addresses.empty()) {
      ++failures;
      name.stale_at = now + kKeepFailureFor;
    } else {
      name.addresses = std::move(answer.addresses);
      name.stale_at = now + kKeepFor;
    }
  }
  return failures;
}

void Resolver::work(const std::shared_ptr<Shared>& shared) {
  std::unique_lock<std::mutex> lock(shared->mutex);
  for (;;) {
    shared->asked.wait(lock, [&] { return shared->stopped || !shared->questions.empty(); });
    if (shared->stopped) return;
    std::string host = std::move(shared->questions.front());
    shared->questions.pop_front();
    lock.unlock();
    std::vector<std::string> addresses = resolve_blocking(host);
    lock.lock();
    shared->answers.push_back({std::move(host), std::move(addresses)});
    shared->wake.wake();
  }
}

}  // namespace riftbus::bus
