// Stream: a TCP connection to a peer on this machine that speaks a protocol of lines and lengths.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/types.h"

namespace riftbus::bench {

class Stream {
 public:
  // A failure ends the program, here and below.
  explicit Stream(std::uint16_t port);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void put(std::string_view bytes) { out_ += bytes; }
  void flush();
  // Waits for bytes, reads what there is. False: none came.
  bool fill(Millis patience);
  [[nodiscard]] int descriptor() const { return descriptor_; }

  // What has come and was not yet taken.
  [[nodiscard]] std::string_view rest() const { return std::string_view(in_).substr(at_); }
  void take(std::size_t bytes) { at_ += bytes; }
  // The next line without its end, not yet taken; nothing: it has not come whole.
  [[nodiscard]] bool line(std::string_view& line) const;

 private:
  int descriptor_ = -1;
  std::string in_;
  std::string out_;
  std::size_t at_ = 0;
};

// Waits until one of the two has something; -1: only the first.
void wait_for_either(const Stream& first, const Stream* second, Millis patience);

}  // namespace riftbus::bench
