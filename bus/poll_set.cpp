#include "bus/poll_set.h"

#include <zmq.h>

#include <algorithm>
#include <limits>

#include "bus/uninterrupted.h"
#include "config/check.h"

namespace riftbus::bus {

namespace {

int int_option(void* socket, int option) {
  int value = 0;
  std::size_t size = sizeof value;
  RIFTBUS_CHECK(uninterrupted([&] { return ::zmq_getsockopt(socket, option, &value, &size); }) ==
                0);
  return value;
}

}  // namespace

void PollSet::clear() {
  items_.clear();
  descriptors_.clear();
}

void PollSet::add_socket(void* zmq_socket) {
  items_.push_back({zmq_socket});
  descriptors_.push_back({int_option(zmq_socket, ZMQ_FD), POLLIN, 0});
}

void PollSet::add_descriptor(int descriptor, short events) {
  items_.push_back({nullptr, false});
  descriptors_.push_back({descriptor, events, 0});
}

int PollSet::ask(Item& item) {
  item.is_ready = (int_option(item.socket, ZMQ_EVENTS) & ZMQ_POLLIN) != 0;
  // Whoever is ready may not be read to its end.
  item.is_used = item.is_ready;
  return item.is_ready ? 1 : 0;
}

int PollSet::wait(long timeout_ms) {
  int count = 0;
  for (Item& item : items_) {
    item.is_ready = false;
    if (item.is_used) count += ask(item);
  }
  constexpr long kLongest = std::numeric_limits<int>::max();
  const int timeout = count > 0 ? 0 : static_cast<int>(std::min(timeout_ms, kLongest));
  const int changed = ::poll(descriptors_.data(), descriptors_.size(), timeout);
  if (changed < 0) return count > 0 ? count : -1;
  for (std::size_t i = 0; changed > 0 && i < items_.size(); ++i) {
    Item& item = items_[i];
    if (descriptors_[i].revents == 0 || item.is_ready) continue;
    if (item.socket == nullptr) item.is_ready = true;
    count += item.socket == nullptr ? 1 : ask(item);
  }
  return count;
}

}  // namespace riftbus::bus
