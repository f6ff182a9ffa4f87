#include <sodium.h>

#include <algorithm>
#include <cstring>

#include "config/roster.h"

namespace riftbus {

namespace {

struct RoleName {
  Role role;
  std::string_view name;
};
constexpr std::array<RoleName, 5> kRoleNames{{{Role::node, "node"},
                                              {Role::voter, "voter"},
                                              {Role::relay, "relay"},
                                              {Role::tap, "tap"},
                                              {Role::admin, "admin"}}};

// ZeroMQ RFC 32.
constexpr std::string_view kZ85Digits =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
constexpr std::size_t kKeyZ85Length = 40;

// Five digits hold four bytes; groups above 2^32-1 have no bytes and are refused.
std::optional<std::uint32_t> decode_z85_group(std::string_view digits) {
  std::uint64_t value = 0;
  for (const char digit : digits) {
    const auto position = kZ85Digits.find(digit);
    if (position == std::string_view::npos) return std::nullopt;
    value = value * 85 + position;
  }
  if (value > 0xffffffffU) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

}  // namespace

std::string_view to_string(Role role) {
  for (const auto& known : kRoleNames) {
    if (known.role == role) return known.name;
  }
  return "unknown";
}

Result<Role> parse_role(std::string_view text) {
  for (const auto& known : kRoleNames) {
    if (known.name == text) return known.role;
  }
  return Error{1106, "not a role: \"" + std::string(text.substr(0, 20)) + "\"", "",
               "use node, voter, relay, tap or admin"};
}

std::string CurveKey::z85() const {
  std::string text;
  text.reserve(kKeyZ85Length);
  for (std::size_t i = 0; i < bytes.size(); i += 4) {
    std::uint32_t value = 0;
    for (std::size_t j = 0; j < 4; ++j) value = value << 8 | bytes[i + j];
    std::array<char, 5> group{};
    for (std::size_t j = group.size(); j > 0; --j, value /= 85) {
      group[j - 1] = kZ85Digits[value % 85];
    }
    text.append(group.data(), group.size());
  }
  return text;
}

Result<CurveKey> CurveKey::from_z85(std::string_view text) {
  const Error malformed{1107, "not a public key", "",
                        "expected the 40 Z85 characters that `riftbus key new` printed"};
  if (text.size() != kKeyZ85Length) return malformed;
  CurveKey key;
  for (std::size_t i = 0; i < key.bytes.size(); i += 4) {
    const auto value = decode_z85_group(text.substr(i / 4 * 5, 5));
    if (!value) return malformed;
    for (std::size_t j = 0; j < 4; ++j) {
      key.bytes[i + j] = static_cast<std::uint8_t>(*value >> (24 - 8 * j));
    }
  }
  if (key == CurveKey{}) return malformed;
  return key;
}

std::string AuthorityKey::hex() const {
  std::array<char, 65> text{};
  sodium_bin2hex(text.data(), text.size(), bytes.data(), bytes.size());
  return text.data();
}

Result<AuthorityKey> AuthorityKey::from_hex(std::string_view text) {
  AuthorityKey key;
  std::size_t written = 0;
  const bool read = sodium_hex2bin(key.bytes.data(), key.bytes.size(), text.data(), text.size(),
                                   nullptr, &written, nullptr) == 0;
  // hex() of the result: upper case is refused, because a key has one text form.
  if (read && written == key.bytes.size() && key.hex() == text) return key;
  return Error{1108, "not an authority key", "",
               "expected the 64 lower-case hexadecimal digits of authority.pub"};
}

AuthoritySecret::AuthoritySecret(AuthoritySecret&& other) noexcept : bytes_(other.bytes_) {
  sodium_memzero(other.bytes_.data(), other.bytes_.size());
}

AuthoritySecret::~AuthoritySecret() { sodium_memzero(bytes_.data(), bytes_.size()); }

AuthoritySecret AuthoritySecret::generate() {
  RIFTBUS_CHECK(sodium_init() >= 0);
  std::array<std::uint8_t, crypto_sign_PUBLICKEYBYTES> public_bytes{};
  std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> secret_bytes{};
  RIFTBUS_CHECK(crypto_sign_keypair(public_bytes.data(), secret_bytes.data()) == 0);
  AuthoritySecret secret(secret_bytes);
  sodium_memzero(secret_bytes.data(), secret_bytes.size());
  return secret;
}

AuthorityKey AuthoritySecret::public_key() const {
  AuthorityKey key;
  crypto_sign_ed25519_sk_to_pk(key.bytes.data(), bytes_.data());
  return key;
}

}  // namespace riftbus
