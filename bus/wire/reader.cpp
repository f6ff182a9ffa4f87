#include "bus/wire/reader.h"

#include <algorithm>

namespace riftbus::wire {

namespace {

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80U; }

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// Length of the UTF-8 sequence at the front of `text`, by RFC 3629 (no overlong forms, no
// surrogates, nothing above U+10FFFF); 0 if there is none.
std::size_t sequence_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80U) return 1;
  const std::size_t length = first >= 0xF0U ? 4 : first >= 0xE0U ? 3 : 2;
  if (first < 0xC2U || first > 0xF4U || text.size() < length) return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  const unsigned low = first == 0xE0U ? 0xA0U : first == 0xF0U ? 0x90U : 0x80U;
  const unsigned high = first == 0xEDU ? 0x9FU : first == 0xF4U ? 0x8FU : 0xBFU;
  if (second < low || second > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (!is_continuation(text[i])) return 0;
  }
  return length;
}

}  // namespace

bool is_utf8(std::string_view text) {
  if (std::all_of(text.begin(), text.end(), is_ascii)) return true;  // nearly always
  while (!text.empty()) {
    const auto length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

void Reader::skip() {
  std::uint64_t left = 1;
  for (; left > 0 && next_ != end_; --left, ++next_) {
    if (next_->type == Token::Type::array) left += next_->size;
    if (next_->type == Token::Type::map) left += 2 * std::uint64_t{next_->size};
  }
}

void Reader::read(NodeId& id) {
  const Token* token = take(Token::Type::text);
  if (token == nullptr) return;
  const std::string_view text(token->data, token->size);
  if (!NodeId::is_valid(text)) return refuse(Reject::bad_id);
  id = NodeId::parse(text).value();
}

void Reader::read_element(std::vector<Role>& roles) {
  Role role{};
  const bool known = read_known(role);
  if (good() && known) roles.push_back(role);
}

void Reader::read_element(std::vector<Address>& addresses) {
  if (good() && next_ != end_ && next_->type == Token::Type::array && next_->size > 0) {
    const Token& kind = next_[1];  // there is one: the tape is well-formed
    const bool later = kind.type == Token::Type::positive &&
                       kind.number > static_cast<std::uint64_t>(AddressKind::relay);
    if (later) return skip();
  }
  read(addresses.emplace_back());
}

}  // namespace riftbus::wire
