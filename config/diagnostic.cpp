#include "config/diagnostic.h"

#include <algorithm>
#include <utility>

#include "config/printable.h"

namespace riftbus {

std::string SourcePlace::to_string() const {
  std::string text = file;
  if (line > 0) text += ":" + std::to_string(line);
  if (line > 0 && column > 0) text += ":" + std::to_string(column);
  return text;
}

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::note:
      return "note";
  }
  return "?";
}

std::string Diagnostic::to_string() const {
  std::string text = where.to_string();
  if (!text.empty()) text += ": ";
  text += std::string(riftbus::to_string(severity)) + " ";
  text += Error{code, "", "", ""}.code_text() + ": " + what;
  if (!hint.empty()) text += "; " + hint;
  return text;
}

void Diagnostics::error(std::uint16_t code, SourcePlace where, std::string what, std::string hint) {
  add({Severity::error, code, std::move(where), std::move(what), std::move(hint)});
}

void Diagnostics::warning(std::uint16_t code, SourcePlace where, std::string what,
                          std::string hint) {
  add({Severity::warning, code, std::move(where), std::move(what), std::move(hint)});
}

void Diagnostics::note(std::uint16_t code, SourcePlace where, std::string what, std::string hint) {
  add({Severity::note, code, std::move(where), std::move(what), std::move(hint)});
}

void Diagnostics::add(Diagnostic diagnostic) {
  if (diagnostic.severity == Severity::error) ++errors_;
  if (diagnostic.severity == Severity::warning) ++warnings_;
  if (all_.size() >= kDiagnosticsMax) {
    ++dropped_;
    return;
  }
  diagnostic.where.file = make_printable(diagnostic.where.file);
  diagnostic.what = make_printable(diagnostic.what);
  diagnostic.hint = make_printable(diagnostic.hint);
  all_.push_back(std::move(diagnostic));
}

void Diagnostics::append(const Diagnostics& other) {
  for (const auto& diagnostic : other.all_) add(diagnostic);
  dropped_ += other.dropped_;
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  std::vector<Diagnostic> result = all_;
  std::stable_sort(result.begin(), result.end(),
                   [](const Diagnostic& a, const Diagnostic& b) { return a.where < b.where; });
  return result;
}

Error Diagnostics::to_error() const {
  RIFTBUS_CHECK(has_errors());
  const auto first = std::find_if(all_.begin(), all_.end(), [](const Diagnostic& diagnostic) {
    return diagnostic.severity == Severity::error;
  });
  if (first == all_.end()) return {1023, "too many problems to list", "", ""};
  Error error{first->code, first->what, first->where.to_string(), first->hint};
  if (errors_ > 1) error.what += " (and " + std::to_string(errors_ - 1) + " more errors)";
  return error;
}

}  // namespace riftbus
