// work logs: all that is kept of what a job wrote, page after page.
#include <algorithm>
#include <optional>
#include <utility>

#include "node/ctl/commands.h"
#include "node/ctl/output.h"
#include "node/ctl/session.h"
#include "node/ctl/work_input.h"

namespace riftbus::ctl {

namespace {

constexpr Shape kLogs{nullptr, "work", render_work_logs};
constexpr std::uint64_t kStreamMiB = 64;  // what is shown of one at most: its end
constexpr std::uint64_t kStreamBytes = kStreamMiB * 1024 * 1024;

// One stream of the newest attempt that the node keeps.
struct Stream {
  std::string text;
  std::uint64_t left_out = 0;  // bytes that were written and are not in `text`
  std::uint64_t end = 0;       // bytes there were when reading began
  std::uint64_t fence = 0;
  std::optional<Error> trouble;  // it ended the reading
};

std::uint64_t number_in(const Json& json, const char* key) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(integer(json, {key}).value_or(0), 0));
}

// To where it went when reading began: a job may write faster than this reads. What goes on the
// node's disk between two pages, because the job wrote more, is counted as left out.
Stream read_stream(Session& session, const std::string& id, const char* name) {
  Stream whole;
  std::uint64_t at = 0;
  bool is_first = true;
  do {
    auto page =
        session.ask("job.output", {{"id", id}, {"stream", name}, {"offset", std::to_string(at)}});
    if (!page.ok()) {
      whole.trouble = page.error();
      break;
    }
    const std::uint64_t begins = number_in(*page, "offset");
    const std::uint64_t next = number_in(*page, "next");
    if (std::exchange(is_first, false)) {
      whole.end = number_in(*page, "end");
      whole.fence = number_in(*page, "fence");
      if (whole.end > begins + kStreamBytes) {
        at = whole.left_out = whole.end - kStreamBytes;
        continue;
      }
    }
    // Another attempt began there meanwhile, or the file on the disk is shorter than it was.
    if (number_in(*page, "fence") != whole.fence || begins < at || next <= begins) break;
    whole.left_out += begins - at;
    const Json& text = get(*page, {"text"});
    if (text.is_string()) whole.text += text.get_ref<const std::string&>();
    at = next;
  } while (at < whole.end);
  if (at < whole.end) whole.left_out += whole.end - at;
  return whole;
}

// What the node that had it still holds, beside what the queue keeps. The session moves there: a
// connection for each page would take longer than the pages.
void add_output(Context& context, Session& session, const std::string& id, Json& work) {
  auto node = NodeId::parse(text(work, {"node"}));
  if (!node.ok()) return;
  const auto complain = [&](const std::string& what, const Error& error) {
    say(context, node->value() + " does not give " + what + ": " + error.what);
  };
  const Status moved = session.move_to(*node);
  if (!moved.ok()) return complain("its output", moved.error());
  bool wrote_nothing = true;
  for (const char* name : {"stdout", "stderr"}) {
    Stream stream = read_stream(session, id, name);
    if (stream.trouble) complain(std::string("all of its ") + name, *stream.trouble);
    if (stream.left_out > 0) {
      say(context, "of " + std::to_string(stream.end) + " bytes of " + name + ", " +
                       std::to_string(stream.left_out) + " are not shown: " + node->value() +
                       " keeps the last `output_mb_max` of the kind, and " +
                       std::to_string(kStreamMiB) + " MiB are shown at most");
    }
    wrote_nothing = wrote_nothing && !stream.trouble && stream.end == 0 &&
                    stream.fence == number_in(work, "token");
    work["output"][name] = std::move(stream.text);
    work["output"]["left_out"][name] = stream.left_out;
  }
  work["output"]["wrote_nothing"] = wrote_nothing;
}

}  // namespace

int run_work_logs(Context& context) {
  auto id = read_id(context.invocation.arguments);
  if (!id.ok()) return report(context, id.error());
  auto session = Session::open(context);
  if (!session.ok()) return report(context, session.error());
  const std::string number = std::to_string(*id);
  auto document = (*session)->ask("work.show", {{"id", number}});
  if (!document.ok()) return report(context, document.error());
  (*document)["document"] = "work.logs";
  if (document->contains("work")) add_output(context, **session, number, (*document)["work"]);
  print_document(context, *document, kLogs);
  return kExitOk;
}

}  // namespace riftbus::ctl
