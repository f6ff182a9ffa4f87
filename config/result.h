// Result<T>: a value, or an Error that an operator can act on.
//
// Operating errors travel as values: the compiler sees that they are looked at ([[nodiscard]]),
// and no exception crosses a module. An Error says what happened, where (file:line, node, path)
// and what to do next, and carries a stable code that `riftbus explain CODE` describes.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include "config/check.h"

namespace riftbus {

struct Error {
  std::uint16_t code = 0;  // the number in "F-1203"; config/error_catalog.h lists them all
  std::string what;        // what happened, in one sentence without a final stop
  std::string where;       // file:line:column, node id, path or address; may be empty
  std::string next;        // what the reader can do about it; may be empty

  // "F-1203: what (where); next"
  [[nodiscard]] std::string to_string() const;
  // "F-1203"
  [[nodiscard]] std::string code_text() const;

  bool operator==(const Error&) const = default;
};

template <class T>
class [[nodiscard]] Result {
 public:
  // `return value;` and `return Error{...};` both read well: implicit on purpose.
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // CHECKed: the caller has looked at ok() first.
  [[nodiscard]] T& value() & {
    RIFTBUS_CHECK(ok());
    return std::get<0>(state_);
  }
  [[nodiscard]] const T& value() const& {
    RIFTBUS_CHECK(ok());
    return std::get<0>(state_);
  }
  [[nodiscard]] T&& value() && {
    RIFTBUS_CHECK(ok());
    return std::get<0>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  [[nodiscard]] const Error& error() const {
    RIFTBUS_CHECK(!ok());
    return std::get<1>(state_);
  }

 private:
  std::variant<T, Error> state_;
};

// For operations that succeed without a value: `return Ok{};`
struct Ok {
  bool operator==(const Ok&) const = default;
};
using Status = Result<Ok>;

}  // namespace riftbus
