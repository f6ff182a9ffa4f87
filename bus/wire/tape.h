// Tape: a msgpack document as a flat list of its values, in order.
//
// msgpack-cxx offers a tree of objects (one allocation zone per message, errors as exceptions) or
// callbacks. The tape takes the callbacks: the library reads the untrusted bytes, we keep 16 bytes
// per value and decide at each one whether to go on. Small documents need no allocation of ours;
// nothing is copied, text points into the input, which must outlive the tape.
//
// When load() succeeds the whole document is well-formed, within depth and count limits, and
// nothing follows it; a reader then only has to look at types.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <string_view>
#include <vector>

#include "bus/wire/codec.h"

namespace riftbus::wire {

struct Token {
  enum class Type : std::uint8_t {
    nil,
    boolean,
    positive,
    negative,
    real,
    text,
    bytes,
    ext,
    array,
    map
  };
  Type type = Type::nil;
  std::uint32_t size = 0;  // text, bytes: length; array: elements; map: pairs
  union {
    std::uint64_t number;  // boolean, positive; negative as two's complement
    const char* data;      // text, bytes
  };
};

class Tape {
 public:
  Tape() : pool_(room_.data(), room_.size()), tokens_(&pool_) {}
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  // Once per tape.
  [[nodiscard]] Reject load(std::string_view bytes);
  [[nodiscard]] const std::pmr::vector<Token>& tokens() const { return tokens_; }

 private:
  static constexpr std::size_t kTokensInPlace = 64;  // a Beat has 13

  alignas(Token) std::array<std::byte, kTokensInPlace * sizeof(Token)> room_;
  std::pmr::monotonic_buffer_resource pool_;
  std::pmr::vector<Token> tokens_;
};

}  // namespace riftbus::wire
