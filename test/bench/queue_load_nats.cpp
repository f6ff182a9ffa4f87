// NATS JetStream: one connection; publish with an acknowledgement, pull in batches, confirmed acks.
//
// The stream WQ (work queue, three replicas) and the pull consumer C were made by queue_bench.py. A
// pull stays open until its batch is full, and every message is acknowledged as it comes, without
// waiting for the batch: the way a NATS client is fastest. The acknowledgement is one that the
// server confirms, as all other systems confirm the end of an item; the item's time of adding
// travels in the subject of the confirmation.
#include <charconv>
#include <vector>

#include "test/bench/queue_load.h"
#include "test/bench/queue_load_stream.h"

namespace riftbus::bench {

namespace {

std::uint64_t number_of(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

struct Message {
  std::string_view subject, reply, payload;
};

class NatsDriver : public LoadDriver {
 public:
  NatsDriver(const LoadOptions& options, std::size_t number)
      : stream_(options.port), own_("_B." + std::to_string(now_ns()) + std::to_string(number)) {
    stream_.put(
        "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,"
        "\"no_responders\":true}\r\n");
    stream_.put("SUB " + own_ + ".> 1\r\nPING\r\n");
    stream_.flush();
  }

  void add(std::uint32_t client, std::string_view payload) override {
    publish("wq", own_ + ".a." + std::to_string(client), payload);
  }

  void consume(std::size_t batch) override {
    batch_ = batch;
    pull();
  }

  void turn(Millis patience, LoadTurn& out) override {
    stream_.flush();
    if (!stream_.fill(patience)) return;
    for (Message message; next(message);) take(message, out);
    stream_.flush();
  }

  void clean() override {
    publish("$JS.API.STREAM.PURGE.WQ", own_ + ".p", "");
    stream_.flush();
    for (int i = 0; i < 100; ++i) {
      stream_.fill(Millis(100));
      for (Message message; next(message);) {
        if (message.subject.ends_with(".p")) return;
      }
    }
    give_up("the stream was not purged");
  }

 private:
  void publish(std::string_view subject, std::string_view reply, std::string_view payload) {
    line_.assign("PUB ").append(subject).append(" ").append(reply).append(" ");
    line_.append(std::to_string(payload.size())).append("\r\n").append(payload).append("\r\n");
    stream_.put(line_);
  }

  void pull() {
    left_ = batch_;
    publish("$JS.API.CONSUMER.MSG.NEXT.WQ.C", own_ + ".d",
            "{\"batch\":" + std::to_string(batch_) + ",\"expires\":500000000}");
  }

  void take(const Message& message, LoadTurn& out) {
    if (message.subject == "wq") return finish(message);
    std::string_view kind = message.subject.substr(own_.size() + 1);
    const char letter = kind.front();
    kind.remove_prefix(std::min<std::size_t>(2, kind.size()));
    if (letter == 'a') {
      const bool is_stored = message.payload.find("\"seq\"") != std::string_view::npos;
      const auto client = static_cast<std::uint32_t>(number_of(kind));
      (is_stored ? out.added : out.failed).push_back(client);
    } else if (letter == 'k') {
      out.finished_ns.push_back(number_of(kind));
    } else if (letter == 'd') {
      pull();  // a status: the pull has expired
    }
  }

  void finish(const Message& message) {
    publish(message.reply, own_ + ".k." + std::to_string(stamp_of(message.payload)), "+ACK");
    if (--left_ == 0) pull();
  }

  // MSG subject sid [reply] bytes, or HMSG subject sid [reply] header-bytes bytes.
  bool next(Message& message) {
    for (std::string_view line; stream_.line(line);) {
      const bool has_headers = line.starts_with("HMSG ");
      if (!has_headers && !line.starts_with("MSG ")) {
        if (line.starts_with("PING")) stream_.put("PONG\r\n");
        if (line.starts_with("-ERR")) give_up(std::string(line));
        stream_.take(line.size() + 2);
        continue;
      }
      split(line);
      const std::size_t bytes = number_of(words_.back());
      if (stream_.rest().size() < line.size() + 2 + bytes + 2) return false;
      const std::size_t words_without_reply = has_headers ? 5 : 4;
      message.subject = words_[1];
      message.reply = words_.size() > words_without_reply ? words_[3] : std::string_view();
      message.payload = stream_.rest().substr(line.size() + 2, bytes);
      stream_.take(line.size() + 2 + bytes + 2);
      return true;
    }
    return false;
  }

  void split(std::string_view line) {
    words_.clear();
    while (!line.empty()) {
      const std::size_t end = std::min(line.find(' '), line.size());
      if (end > 0) words_.push_back(line.substr(0, end));
      line.remove_prefix(std::min(end + 1, line.size()));
    }
  }

  Stream stream_;
  std::string own_;  // all that is meant for this connection begins with it
  std::string line_;
  std::vector<std::string_view> words_;
  std::size_t batch_ = 0;
  std::size_t left_ = 0;
};

}  // namespace

std::unique_ptr<LoadDriver> make_nats(const LoadOptions& options, std::size_t number) {
  return std::make_unique<NatsDriver>(options, number);
}

}  // namespace riftbus::bench
