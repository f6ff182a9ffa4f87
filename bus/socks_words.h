// SocksWords: what is said to a relay's front and what it answers (RFC 1928, without
// authentication): whether it leads to a node, and the way there.
//
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace riftbus::bus {

inline constexpr std::size_t kSocksAnswerBytes = 2 + 10;  // to the greeting and to the request

// Greeting and request in one: nobody but a SOCKS server is meant to read either. `name`: at most
// 255 bytes.
[[nodiscard]] std::string socks_question(std::string_view name, std::uint16_t number);

enum class SocksVerdict : std::uint8_t {
  open,      // bytes from here on are the node's
  closed,    // it speaks, and leads nowhere
  nonsense,  // not such a server, or not all of its answer
};
[[nodiscard]] SocksVerdict read_socks_answer(std::string_view answer);

}  // namespace riftbus::bus
