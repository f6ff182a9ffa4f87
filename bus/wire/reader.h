// Reader: walks fields.h over a Tape and fills a message, refusing what does not fit.
//
// The first refusal is kept and ends the walk: after it every read is a no-op, so the callers need
// no checks of their own. Lists grow as elements are read, and an element cannot be read that is
// not in the input, so a false count allocates nothing.
//
// codec.cpp reads the bus's own messages with it; cores with messages of their own (the replicated
// log, the work queue) read theirs the same way.
#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "bus/wire/fields.h"
#include "bus/wire/tape.h"

namespace riftbus::wire {

[[nodiscard]] bool is_utf8(std::string_view text);

class Reader {
 public:
  template <class T>
  using Ref = T&;

  explicit Reader(const Tape& tape)
      : next_(tape.tokens().data()), end_(next_ + tape.tokens().size()) {}

  [[nodiscard]] Reject reject() const { return reject_; }
  void refuse(Reject reason) {
    if (reject_ == Reject::accepted) reject_ = reason;
  }

  template <class... Fields>
  void operator()(Fields&&... all) {
    std::uint32_t left = open(Token::Type::array, kMessageBytesMax);
    (read_or_default(left, all), ...);
    for (; left > 0 && good(); --left) skip();
  }

  // Number of elements of the array or map that begins here; 0 after a refusal.
  std::uint32_t open(Token::Type type, std::size_t count_max) {
    const Token* token = take(type);
    if (token == nullptr) return 0;
    if (token->size > count_max) refuse(Reject::too_long);
    return good() ? token->size : 0;
  }
  void skip();

  template <class T>
  requires std::is_integral_v<T>
  void read(T& number);
  template <class T>
  requires std::is_enum_v<T>
  void read(T& choice) {
    if (!read_known(choice)) refuse(Reject::bad_value);
  }
  template <class Tag>
  void read(Strong<Tag, std::uint64_t>& number) {
    std::uint64_t value = 0;
    read(value);
    number = Strong<Tag, std::uint64_t>(value);
  }
  void read(NodeId& id);
  template <class S>
  void read(Text<S>& field) {
    read_text(field.value, field.bytes_max);
  }
  template <class S>
  void read(Bytes<S>& field) {
    const Token* token = take(Token::Type::bytes);
    if (token == nullptr) return;
    if (token->size > field.bytes_max) return refuse(Reject::too_long);
    field.value = S(token->data, token->size);
  }
  template <class I>
  void read(MaybeId<I>& field) {
    if (good() && next_ != end_ && next_->type == Token::Type::text && next_->size == 0) {
      ++next_;
      field.value = NodeId();
    } else {
      read(field.value);
    }
  }
  template <class L>
  void read(List<L>& field) {
    field.values.clear();
    auto left = open(Token::Type::array, field.count_max);
    field.values.reserve(std::min<std::size_t>(left, kReserveMax));
    for (; left > 0 && good(); --left) {
      read_element(field.values);
    }
  }
  template <class M>
  void read(TextMap<M>& field);
  template <class T, std::size_t N>
  void read(std::array<T, N>& values) {
    if (open(Token::Type::array, N) != N) return refuse(Reject::bad_value);
    for (auto& value : values) read(value);
  }
  template <class T>
  void read(std::optional<T>& value) {
    if (good() && next_ != end_ && next_->type == Token::Type::nil) {
      ++next_;
      value.reset();
    } else {
      read(value.emplace());
    }
  }
  template <class T>
  requires std::is_class_v<T> && requires(Reader& r, T& value) { fields(r, value); }
  void read(T& value) { fields(*this, value); }

 private:
  // Of a list, before its elements are known to be what they should.
  static constexpr std::size_t kReserveMax = 8;

  [[nodiscard]] bool good() const { return reject_ == Reject::accepted; }

  // The next token if it has this type; nullptr and a refusal otherwise.
  const Token* take(Token::Type type) {
    if (!good()) return nullptr;
    if (next_ == end_ || next_->type != type) {
      refuse(Reject::bad_type);
      return nullptr;
    }
    return next_++;
  }

  template <class Field>
  void read_or_default(std::uint32_t& left, Field& field) {
    if (left > 0) {
      --left;
      read(field);
    } else if constexpr (std::is_same_v<Field, NodeId>) {
      refuse(Reject::bad_id);  // the only kind of field without a default
    } else if constexpr (std::is_same_v<Field, Record>) {
      refuse(Reject::bad_id);  // its id is missing
    }
  }

  // False: a number that this version does not know.
  template <class T>
  bool read_known(T& choice) {
    std::underlying_type_t<T> number = 0;
    read(number);
    choice = static_cast<T>(number);
    return is_known(choice);
  }
  static bool is_known(Standing value) {
    return value >= Standing::alive && value <= Standing::unreachable;
  }
  static bool is_known(Evidence value) { return value <= Evidence::goodbye; }
  static bool is_known(AddressKind value) {
    return value >= AddressKind::loopback && value <= AddressKind::relay;
  }
  static bool is_known(Role value) { return value >= Role::node && value <= Role::admin; }
  static bool is_known(WorkAsk value) {
    return value >= WorkAsk::command && value <= WorkAsk::leader;
  }
  static bool is_known(WorkOutcome value) {
    return value >= WorkOutcome::done && value <= WorkOutcome::busy;
  }
  static bool is_known(CarryStep value) {
    return value >= CarryStep::open && value <= CarryStep::close;
  }
  static bool is_known(Direction value) {
    return value == Direction::in || value == Direction::out;
  }
  static bool is_known(Channel value) { return value == Channel::pub || value == Channel::call; }

  template <class T>
  void read_element(std::vector<T>& values) {
    read(values.emplace_back());
  }
  // A later version may know more roles and kinds of addresses: those are left out, the rest of
  // the record stays useful.
  void read_element(std::vector<Role>& roles);
  void read_element(std::vector<Address>& addresses);

  void read_text(std::string& text, std::size_t bytes_max) {
    const Token* token = take(Token::Type::text);
    if (token == nullptr) return;
    if (token->size > bytes_max) return refuse(Reject::too_long);
    const std::string_view view(token->data, token->size);
    if (!is_utf8(view)) return refuse(Reject::bad_text);
    text.assign(view);
  }

  const Token* next_;
  const Token* end_;
  Reject reject_ = Reject::accepted;
};

template <class T>
requires std::is_integral_v<T>
void Reader::read(T& number) {
  if (!good()) return;
  if (next_ == end_) return refuse(Reject::bad_type);
  const Token& token = *next_++;
  if constexpr (std::is_same_v<T, bool>) {
    if (token.type != Token::Type::boolean) return refuse(Reject::bad_type);
    number = token.number != 0;
  } else if (token.type == Token::Type::positive) {
    if (token.number > static_cast<std::uint64_t>(std::numeric_limits<T>::max())) {
      return refuse(Reject::bad_value);
    }
    number = static_cast<T>(token.number);
  } else if (token.type == Token::Type::negative) {
    if constexpr (!std::is_same_v<T, std::int64_t>) return refuse(Reject::bad_value);
    number = static_cast<T>(token.number);
  } else {
    refuse(Reject::bad_type);
  }
}

template <class M>
void Reader::read(TextMap<M>& field) {
  field.values.clear();
  for (auto left = open(Token::Type::map, field.count_max); left > 0 && good(); --left) {
    std::string key;
    std::string value;
    read_text(key, kNameBytesMax);
    read_text(value, field.value_bytes_max);
    if (good() && !field.values.emplace(std::move(key), std::move(value)).second) {
      refuse(Reject::bad_value);
    }
  }
}

}  // namespace riftbus::wire
