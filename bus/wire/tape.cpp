#include "bus/wire/tape.h"

#include <msgpack.hpp>

namespace riftbus::wire {

namespace {

// The library calls these for each value; returning false stops it at once.
class Recorder : public msgpack::null_visitor {
 public:
  Recorder(std::pmr::vector<Token>& tokens, std::size_t bytes) : tokens_(tokens), bytes_(bytes) {}

  [[nodiscard]] Reject reject() const { return reject_; }

  bool visit_nil() { return add(Token::Type::nil, 0, 0); }
  bool visit_boolean(bool value) { return add(Token::Type::boolean, 0, value ? 1 : 0); }
  bool visit_positive_integer(std::uint64_t value) { return add(Token::Type::positive, 0, value); }
  bool visit_negative_integer(std::int64_t value) {
    return add(Token::Type::negative, 0, static_cast<std::uint64_t>(value));
  }
  bool visit_float32(float) { return add(Token::Type::real, 0, 0); }
  bool visit_float64(double) { return add(Token::Type::real, 0, 0); }
  bool visit_str(const char* data, std::uint32_t size) {
    return add_data(Token::Type::text, data, size);
  }
  bool visit_bin(const char* data, std::uint32_t size) {
    return add_data(Token::Type::bytes, data, size);
  }
  bool visit_ext(const char*, std::uint32_t) { return add(Token::Type::ext, 0, 0); }
  bool start_array(std::uint32_t count) { return open(Token::Type::array, count); }
  bool start_map(std::uint32_t count) { return open(Token::Type::map, count); }
  bool end_array() { return close(); }
  bool end_map() { return close(); }
  void parse_error(std::size_t, std::size_t) { reject_ = Reject::not_msgpack; }

 private:
  bool stop(Reject reason) {
    reject_ = reason;
    return false;
  }
  bool add(Token::Type type, std::uint32_t size, std::uint64_t number) {
    if (tokens_.size() >= kValuesMax) return stop(Reject::too_many_values);
    Token token;
    token.type = type;
    token.size = size;
    token.number = number;
    tokens_.push_back(token);
    return true;
  }
  bool add_data(Token::Type type, const char* data, std::uint32_t size) {
    if (!add(type, size, 0)) return false;
    tokens_.back().data = data;
    return true;
  }
  bool open(Token::Type type, std::uint32_t count) {
    // Each element takes at least a byte: a larger count is a lie, whatever follows.
    if (count > bytes_) return stop(Reject::truncated);
    if (++depth_ > kDepthMax) return stop(Reject::too_deep);
    return add(type, count, 0);
  }
  bool close() {
    --depth_;
    return true;
  }

  std::pmr::vector<Token>& tokens_;
  std::size_t bytes_;
  std::size_t depth_ = 0;
  Reject reject_ = Reject::accepted;
};

}  // namespace

Reject Tape::load(std::string_view bytes) {
  if (bytes.empty()) return Reject::truncated;
  if (bytes.size() > kMessageBytesMax) return Reject::oversize;
  tokens_.reserve(kTokensInPlace);
  Recorder recorder(tokens_, bytes.size());
  std::size_t used = 0;
  const bool whole = msgpack::parse(bytes.data(), bytes.size(), used, recorder);
  if (recorder.reject() != Reject::accepted) return recorder.reject();
  if (!whole) return Reject::truncated;
  return used == bytes.size() ? Reject::accepted : Reject::trailing_garbage;
}

}  // namespace riftbus::wire
