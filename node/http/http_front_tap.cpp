// Taps over HTTP: the filter is read, and frames are put into words, on the HTTP thread; the loop
// only gathers them.
#include "bus/clock.h"
#include "bus/tap/filter.h"
#include "node/http/http_front.h"

namespace riftbus::node {

namespace {

// Longer than a stream may take to write what it was given; then whoever read it is gone.
constexpr Seconds kTapLease{40};
constexpr Millis kGatherWithin{2000};

http::Response refuse_tap(const Error& error) {
  constexpr std::uint16_t kBadFilter = 1550;
  const bool is_filter = error.code == kBadFilter;
  http::Trouble trouble{is_filter ? 400U : 503U,
                        is_filter ? "BAD_FILTER" : "TOO_MANY_TAPS",
                        error.what,
                        {{"fault", error.code_text()}, {"next", error.next}}};
  if (!error.where.empty()) trouble.details["where"] = error.where;
  return http::make_error(trouble);
}

std::string parameter_in(const http::Request& request, const char* name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? "" : found->second;
}

}  // namespace

void HttpFront::serve_tap(const http::Request& request, const http::Reply& reply) {
  wire::TapStart wanted;
  wanted.filter = parameter_in(request, "filter");
  wanted.payloads = parameter_in(request, "payloads") == "1";
  if (wanted.payloads && request.is_tap_only) {
    return reply(http::make_error({403,
                                   "NOT_ALLOWED",
                                   "this token shows messages, not what is in them",
                                   {{"next", "leave payloads out, or use the node's token"}}}));
  }
  wanted.lease_ms = static_cast<std::uint32_t>(to_ms(kTapLease));
  if (const auto filter = tap::Filter::parse(wanted.filter); !filter) {
    return reply(refuse_tap(filter.error()));
  }
  const auto busy = http::make_error({503, "BUSY", "the node has too much to answer now", {}});
  const std::uint64_t number = ++taps_begun_;
  const auto begin = [this, number, wanted, reply](bool is_late) {
    // Nobody waits for it any more: it must not begin.
    if (is_late) return;
    const auto first = desk_.tap(number, wanted);
    if (!first) return reply(refuse_tap(first.error()));
    auto reader = std::make_shared<TapReader>(number, wanted, desk_.settings().node_id,
                                              [this](std::uint64_t which) { end_tap(which); });
    reader->feed.take(first);
    http::Response response;
    response.content_type = "text/event-stream";
    response.pull = [this, reader = std::move(reader)] { return read_tap(reader); };
    reply(std::move(response));
  };
  if (!mailbox_.post(bus::boot_now() + http::kAnswerWithin, begin)) reply(busy);
}

// What came since the last time; and the loop is asked for more.
std::string HttpFront::read_tap(const std::shared_ptr<TapReader>& reader) {
  std::string text = reader->feed.read();
  if (reader->is_asked) return text;
  // Weak: a letter that nobody opens must not keep a tap alive.
  const std::weak_ptr<TapReader> weak = reader;
  const auto gather = [this, weak, number = reader->number, wanted = reader->wanted](bool is_late) {
    using Part = Result<wire::TapData>;
    auto part = is_late ? Part(wire::TapData{}) : desk_.tap(number, wanted);
    server_->run_soon([weak, is_late, part = std::move(part)] {
      const auto open = weak.lock();
      if (!open) return;
      open->is_asked = false;
      if (!is_late) open->feed.take(part);
    });
  };
  reader->is_asked = mailbox_.post(bus::boot_now() + kGatherWithin, gather);
  return text;
}

// Any thread. A full mailbox: its lease ends it.
void HttpFront::end_tap(std::uint64_t number) {
  static_cast<void>(mailbox_.post(TimePoint::max(), [this, number](bool) {
    static_cast<void>(desk_.tap(number, wire::TapStart{}));
  }));
}

}  // namespace riftbus::node
