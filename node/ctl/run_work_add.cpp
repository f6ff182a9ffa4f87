// work add: one item, a line's worth each, or JSON lines; and waiting until they have ended.
#include <sodium.h>
#include <xxhash.h>

#include <algorithm>
#include <fstream>
#include <ostream>
#include <sstream>
#include <thread>

#include "bus/clock.h"
#include "node/ctl/commands.h"
#include "node/ctl/output.h"
#include "node/ctl/work_input.h"
#include "node/ctl/work_sender.h"
#include "node/ctl/work_watch.h"
#include "node/work/codec.h"

namespace riftbus::ctl {

namespace {

constexpr Shape kAdded{"items", "id", render_work_added};
constexpr Millis kPatience{60'000};
constexpr Millis kFullPause{500};
constexpr std::size_t kBatchItems = 256;
constexpr std::size_t kPayloadFileMax = work::kPayloadBytesMax;

// Adds what it is given in batches, in order; remembers what came of each line.
class Adder {
 public:
  Adder(Context& context, std::string request, bool is_named)
      : context_(context),
        patience_(context.globals().timeout_given ? context.globals().timeout : kPatience),
        sender_(context, patience_),
        request_(std::move(request)),
        is_named_(is_named) {
    sender_.on_delay([this](const std::string& text) { say(context_, text); });
  }

  [[nodiscard]] WorkSender& sender() { return sender_; }
  // 1: the first line. False: nothing more can be done; see error().
  bool take(std::uint64_t line, Result<work::Spec> item) {
    if (!item.ok()) {
      refuse(line, item.error());
      return true;
    }
    // Alone in a batch: a little more than what it adds to one.
    const std::size_t size = work::encode(work::Add{0, {*item}}).size();
    if (batch_.size() == kBatchItems || bytes_ + size > work::kCommandBytesAim) {
      if (!flush()) return false;
    }
    bytes_ += size;
    batch_.push_back({line, std::move(*item)});
    return true;
  }
  bool flush();

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  [[nodiscard]] const std::vector<std::uint64_t>& ids() const { return ids_; }
  [[nodiscard]] Json document() const {
    return {{"schema", 1},
            {"document", "work.add"},
            {"request_id", request_},
            {"added", ids_.size()},
            {"known", known_ids_.size()},
            {"refused", refused_},
            {"ids", text_of(ranges_of(ids_))},
            {"new_ids", text_of(ranges_of(new_ids_))},
            {"known_ids", text_of(ranges_of(known_ids_))},
            {"items", items_}};
  }

 private:
  struct Numbered {
    std::uint64_t line = 0;
    work::Spec item;
  };

  void refuse(std::uint64_t line, const Error& error) {
    ++refused_;
    items_.push_back({{"line", line}, {"id", nullptr}, {"code", error.code}, {"what", error.what}});
    Error located = error;
    located.where = "line " + std::to_string(line);
    (void)report(context_, located);
  }
  // The same for the same request, batch and contents, so that a repetition is recognised.
  [[nodiscard]] std::uint64_t nonce() const {
    const std::string text = request_ + "/" + std::to_string(batches_) + "/" +
                             std::to_string(batch_.size()) + "/" + std::to_string(refused_);
    return std::max<std::uint64_t>(XXH3_64bits(text.data(), text.size()), 1);
  }
  void record(const work::Added& added);
  bool fail(Error error);

  Context& context_;
  Millis patience_;
  WorkSender sender_;
  std::string request_;
  bool is_named_;  // by its user, perhaps after a run that was cut off
  std::vector<Numbered> batch_;
  std::size_t bytes_ = 0;
  std::uint64_t batches_ = 0;
  std::uint64_t refused_ = 0;
  std::vector<std::uint64_t> ids_;
  std::vector<std::uint64_t> new_ids_;    // of these, what was added
  std::vector<std::uint64_t> known_ids_;  // and what was there already
  Json items_ = Json::array();
  std::optional<Error> error_;
};

// A batch that was there before was sent by this very run, whose first answer was lost, unless the
// request was named by its user. Which of its items had been there before that, nobody says then.
void Adder::record(const work::Added& added) {
  const bool is_own = added.outcome == work::Outcome::repeated && !is_named_;
  for (std::size_t i = 0; i < batch_.size() && i < added.ids.size(); ++i) {
    const bool is_known = !is_own && i < added.known.size() && added.known[i] != 0;
    (is_known ? known_ids_ : new_ids_).push_back(added.ids[i].value());
    ids_.push_back(added.ids[i].value());
    items_.push_back({{"line", batch_[i].line}, {"id", added.ids[i].value()}, {"known", is_known}});
  }
}

bool Adder::fail(Error error) {
  error_ = std::move(error);
  say(context_, "whether lines " + std::to_string(batch_.front().line) + " to " +
                    std::to_string(batch_.back().line) +
                    " were added is unknown; repeat with --request-id " + request_ +
                    ": what was added is not added again");
  return false;
}

bool Adder::flush() {
  TimePoint full_since{};
  while (!batch_.empty()) {
    work::Add add{nonce(), {}};
    for (const Numbered& one : batch_) add.items.push_back(one.item);
    auto reply = sender_.send(add);
    if (!reply.ok()) return fail(reply.error());
    const auto* added = std::get_if<work::Added>(&*reply);
    if (added == nullptr) return fail({1507, "the answer is not one to an add", "", ""});
    if (added->outcome == work::Outcome::ok || added->outcome == work::Outcome::repeated) {
      record(*added);
      batch_.clear();
    } else if (added->outcome == work::Outcome::again) {
      const TimePoint now = bus::boot_now();
      if (full_since == TimePoint()) {
        full_since = now;
        say(context_, "the queue is full; waiting");
      }
      if (now - full_since >= patience_) {
        return fail({kQueueRefused, "the queue is full", "", "wait until work has been done"});
      }
      std::this_thread::sleep_for(kFullPause);
    } else {
      // All or nothing: without the one that is wrong, the others are welcome.
      const auto bad = std::min<std::size_t>(added->bad_item, batch_.size() - 1);
      std::string why = work::to_string(added->outcome);
      if (!added->why.empty()) why += ": " + added->why;
      refuse(batch_[bad].line, {kQueueRefused, why, "", ""});
      batch_.erase(batch_.begin() + static_cast<std::ptrdiff_t>(bad));
    }
  }
  ++batches_;
  bytes_ = 0;
  return true;
}

// ---- what to add -----------------------------------------------------------------------------

// A list option as JSON; spans as whole seconds, rounded up.
Status set_span(const Invocation& invocation, const char* option, const char* key, Json& item) {
  const auto given = invocation.find(option);
  if (!given) return Ok{};
  auto span = parse_duration(*given, std::string("--") + option);
  if (!span.ok()) return span.error();
  item[key] = static_cast<std::uint64_t>((span->count() + 999) / 1000);
  return Ok{};
}

Result<std::string> read_payload_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{1501, "the file cannot be read", path, ""};
  std::string content(kPayloadFileMax + 1, '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  content.resize(static_cast<std::size_t>(file.gcount()));
  if (content.size() <= kPayloadFileMax) return content;
  return Error{1501, "the file is longer than a payload may be", path,
               "put it where the job can fetch it, and pass its name"};
}

Status set_payload(const Invocation& invocation, Json& item) {
  if (const auto payload = invocation.find("payload")) item["payload"] = *payload;
  if (const auto file = invocation.find("payload-file")) {
    auto content = read_payload_file(*file);
    if (!content.ok()) return content.error();
    item["payload"] = std::move(*content);
  }
  const auto params = invocation.repeated.find("param");
  if (params != invocation.repeated.end()) {
    for (const std::string& param : params->second) {
      const auto equals = param.find('=');
      if (equals == 0 || equals == std::string::npos) {
        return Error{1501, "--param \"" + printable(param.substr(0, 64)) + "\" is not KEY=VALUE",
                     "", ""};
      }
      item["params"][param.substr(0, equals)] = param.substr(equals + 1);
    }
  }
  for (std::size_t i = 1; i < invocation.arguments.size(); ++i) {
    item["args"].push_back(invocation.arguments[i]);
  }
  return Ok{};
}

// The item that the command line describes.
Result<Json> item_of(const Invocation& invocation) {
  Json item{{"kind", invocation.arguments.front()}};
  if (auto set = set_payload(invocation, item); !set.ok()) return set.error();
  for (const char* key : {"group", "needs", "dedupe"}) {
    if (const auto value = invocation.find(key)) item[key] = *value;
  }
  if (const auto priority = invocation.find("priority")) {
    auto number = parse_count(*priority, "--priority", 0, 255);
    if (!number.ok()) return number.error();
    item["priority"] = *number;
  }
  if (const auto after = invocation.find("after")) {
    auto ids = read_ids({*after});
    if (!ids.ok()) return ids.error();
    for (const auto id : list_ids(*ids)) item["after"].push_back(id.value());
  }
  for (const auto& [option, key] :
       {std::pair{"delay", "delay_s"}, std::pair{"expires", "expires_s"},
        std::pair{"deadline", "deadline_s"}}) {
    if (auto set = set_span(invocation, option, key, item); !set.ok()) return set.error();
  }
  return item;
}

Status check_usage(const Invocation& invocation) {
  const bool has_kind = !invocation.arguments.empty();
  const bool has_from = invocation.has("from");
  if (has_kind == has_from) {
    return Error{1501, has_kind ? "either KIND or --from" : "add what?", "",
                 "name a kind of work, or give --from FILE; see riftbus work add --help"};
  }
  if (has_from && (invocation.has("each") || invocation.has("param") || invocation.has("payload") ||
                   invocation.has("payload-file"))) {
    return Error{1501, "with --from, the lines say everything", "", "leave the other options out"};
  }
  return Ok{};
}

// Each line, with its number; until `take` returns false. Empty lines are passed over.
Status read_lines(Context& context, const std::string& path,
                  const std::function<bool(std::uint64_t, const std::string&)>& take) {
  std::ifstream file;
  if (path != "-") file.open(path);
  if (path != "-" && !file) return Error{1501, "the file cannot be read", path, ""};
  std::istream& in = path == "-" ? context.in : file;
  std::string line;
  for (std::uint64_t number = 1; std::getline(in, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.find_first_not_of(" \t") == std::string::npos) continue;
    if (!take(number, line)) return Ok{};
  }
  if (in.bad()) return Error{1501, "reading has failed", path, ""};
  return Ok{};
}

Status add_all(Context& context, const Kinds& kinds, Adder& adder) {
  const Invocation& invocation = context.invocation;
  if (const auto from = invocation.find("from")) {
    return read_lines(context, *from, [&](std::uint64_t number, const std::string& line) {
      return adder.take(number, read_item_line(line, kinds));
    });
  }
  auto item = item_of(invocation);
  if (!item.ok()) return item.error();
  if (const auto each = invocation.find("each")) {
    return read_lines(context, *each, [&](std::uint64_t number, const std::string& line) {
      Json one = *item;
      one["args"].push_back(line);
      return adder.take(number, read_item(one, kinds));
    });
  }
  auto spec = read_item(*item, kinds);
  if (!spec.ok()) return spec.error();
  adder.take(1, std::move(spec));
  return Ok{};
}

std::string new_request_id() {
  char text[17];
  std::snprintf(text, sizeof text, "%08x%08x", static_cast<unsigned>(randombytes_random()),
                static_cast<unsigned>(randombytes_random()));
  return text;
}

}  // namespace

int run_work_add(Context& context) {
  if (auto usage = check_usage(context.invocation); !usage.ok()) {
    return report(context, usage.error());
  }
  const auto named = context.invocation.find("request-id");
  Adder adder(context, named.value_or(new_request_id()), named.has_value());
  auto document = adder.sender().ask("work.kinds", {});
  if (!document.ok()) return report(context, document.error());
  const Status read = add_all(context, read_kinds(*document), adder);
  if (!read.ok()) (void)report(context, read.error());
  const bool is_whole = !adder.error() && adder.flush();
  print_document(context, adder.document(), kAdded);
  if (!is_whole) return report(context, *adder.error());
  if (!read.ok()) return exit_status_of(read.error());
  const int waited = context.invocation.has("wait") && !adder.ids().empty()
                         ? wait_for_works(context, adder.sender(), adder.ids())
                         : kExitOk;
  return adder.refused() > 0 ? kExitData : waited;
}

}  // namespace riftbus::ctl
