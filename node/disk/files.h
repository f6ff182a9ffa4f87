// The few file idioms that this daemon repeats: a descriptor that closes itself, and an Error that
// carries errno, the path and what to do.
#pragma once

#include <string>
#include <string_view>

#include "config/result.h"

namespace riftbus::node {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor();
  [[nodiscard]] bool ok() const { return fd_ >= 0; }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

// From errno, which it reads first: "what: No space left on device" with a next step for the usual
// causes (full disk, permissions, missing folder).
[[nodiscard]] Error system_error(std::uint16_t code, std::string_view what,
                                 const std::string& path);

}  // namespace riftbus::node
