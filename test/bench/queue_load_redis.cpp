// Redis: a stream with a group of consumers, the queue that Redis itself offers.
//
// XADD on one connection, pipelined as the clients ask. Taking may wait, and a waiting connection
// does nothing else, so it has a second one: XREADGROUP with COUNT, then XACK and XDEL of the whole
// batch, pipelined with the next XREADGROUP.
#include <charconv>
#include <deque>
#include <vector>

#include "test/bench/queue_load.h"
#include "test/bench/queue_load_stream.h"

namespace riftbus::bench {

namespace {

struct Value {  // of the protocol RESP2
  bool is_error = false;
  std::string_view text;
  std::vector<Value> list;
};

// Reads one value at `at`; false: it has not come whole.
bool read_value(std::string_view bytes, std::size_t& at, Value& value) {
  const std::size_t end = bytes.find("\r\n", at);
  if (end == std::string_view::npos) return false;
  const char type = bytes[at];
  const std::string_view word = bytes.substr(at + 1, end - at - 1);
  at = end + 2;
  value.is_error = type == '-';
  value.text = word;
  if (type != '$' && type != '*') return true;
  long count = 0;
  std::from_chars(word.data(), word.data() + word.size(), count);
  if (count < 0) {
    value.text = {};
    return true;
  }
  const auto size = static_cast<std::size_t>(count);
  if (type == '$') {
    if (bytes.size() < at + size + 2) return false;
    value.text = bytes.substr(at, size);
    at += size + 2;
    return true;
  }
  value.list.resize(size);
  for (Value& one : value.list) {
    if (!read_value(bytes, at, one)) return false;
  }
  return true;
}

class RedisDriver : public LoadDriver {
 public:
  RedisDriver(const LoadOptions& options, std::size_t number)
      : adds_(options.port), takes_(options.port), name_("c" + std::to_string(number)) {}

  void add(std::uint32_t client, std::string_view payload) override {
    put(adds_, {"XADD", "wq", "*", "p", payload});
    asked_.push_back(client);
  }

  void consume(std::size_t batch) override {
    batch_ = batch;
    pull();
  }

  void turn(Millis patience, LoadTurn& out) override {
    adds_.flush();
    takes_.flush();
    wait_for_either(adds_, batch_ == 0 ? nullptr : &takes_, patience);
    adds_.fill(Millis(0));
    for (Value value; next(adds_, value); value = {}) {
      (value.is_error ? out.failed : out.added).push_back(asked_.front());
      asked_.pop_front();
    }
    if (batch_ == 0) return;
    takes_.fill(Millis(0));
    for (Value value; next(takes_, value); value = {}) take(value, out);
    takes_.flush();
  }

  void clean() override {
    put(adds_, {"XTRIM", "wq", "MAXLEN", "0"});
    adds_.flush();
    Value value;
    for (int i = 0; i < 100 && !next(adds_, value); ++i) adds_.fill(Millis(100));
    if (value.is_error || value.text.empty()) give_up("the stream was not trimmed");
  }

 private:
  static void put(Stream& stream, const std::vector<std::string_view>& words) {
    stream.put("*" + std::to_string(words.size()) + "\r\n");
    for (const std::string_view word : words) {
      stream.put("$" + std::to_string(word.size()) + "\r\n");
      stream.put(word);
      stream.put("\r\n");
    }
  }

  static bool next(Stream& stream, Value& value) {
    std::size_t at = 0;
    if (!read_value(stream.rest(), at, value)) return false;
    stream.take(at);
    return true;
  }

  void pull() {
    put(takes_, {"XREADGROUP", "GROUP", "g", name_, "COUNT", std::to_string(batch_), "BLOCK", "500",
                 "STREAMS", "wq", ">"});
  }

  // In the order asked: for each batch the answers to XACK and XDEL, then that to XREADGROUP.
  void take(const Value& value, LoadTurn& out) {
    if (value.is_error) give_up(std::string(value.text));
    if (!ending_.empty() && answers_ < 2) {
      if (++answers_ < 2) return;
      out.finished_ns.insert(out.finished_ns.end(), ending_.begin(), ending_.end());
      return;
    }
    answers_ = 0;
    ending_.clear();
    if (!value.list.empty()) finish(value.list[0].list[1].list);
    pull();
  }

  void finish(const std::vector<Value>& items) {
    std::vector<std::string_view> acknowledge = {"XACK", "wq", "g"};
    std::vector<std::string_view> forget = {"XDEL", "wq"};
    for (const Value& item : items) {
      acknowledge.push_back(item.list[0].text);
      forget.push_back(item.list[0].text);
      ending_.push_back(stamp_of(item.list[1].list[1].text));
    }
    put(takes_, acknowledge);
    put(takes_, forget);
  }

  Stream adds_;
  Stream takes_;
  std::string name_;
  std::deque<std::uint32_t> asked_;  // clients, in the order of their adds
  std::size_t batch_ = 0;
  std::vector<std::uint64_t> ending_;  // stamps of the batch whose end is being confirmed
  int answers_ = 0;
};

}  // namespace

std::unique_ptr<LoadDriver> make_redis(const LoadOptions& options, std::size_t number) {
  return std::make_unique<RedisDriver>(options, number);
}

}  // namespace riftbus::bench
