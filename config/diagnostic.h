// Diagnostics: everything that is wrong with a configuration, gathered before anything is said.
//
// An operator who mends one mistake and meets the next on every start loses an evening, so no
// reader stops at the first problem: each adds a Diagnostic, with the place and a hint, and goes
// on. An error means "do not run with this"; a warning means "this runs, but probably not as you
// meant"; a note is an observation, such as a legacy key that has no effect.
//
// Bounded: after kDiagnosticsMax entries further ones are only counted, so a hostile file cannot
// grow the report. Texts are made printable on the way in. Values; not thread-safe.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/result.h"

namespace riftbus {

inline constexpr std::size_t kDiagnosticsMax = 200;

// Where a value or a mistake stands. Lines and columns count from 1; 0: unknown or not a file.
struct SourcePlace {
  std::string file;  // as the user named it; or "flag --port", "env NODE_ID", "default"
  int line = 0;
  int column = 0;

  // "cluster.yaml:12:5", "node.conf:3", "env NODE_ID"
  [[nodiscard]] std::string to_string() const;
  auto operator<=>(const SourcePlace&) const = default;
};

enum class Severity : std::uint8_t { error, warning, note };
[[nodiscard]] std::string_view to_string(Severity severity);

struct Diagnostic {
  Severity severity = Severity::error;
  std::uint16_t code = 0;  // a row of the error catalogue
  SourcePlace where;
  std::string what;
  std::string hint;  // may be empty

  // "cluster.yaml:12:5: error F-1005: unknown key "ndoes"; did you mean "nodes"?"
  [[nodiscard]] std::string to_string() const;
  bool operator==(const Diagnostic&) const = default;
};

class Diagnostics {
 public:
  void error(std::uint16_t code, SourcePlace where, std::string what, std::string hint = "");
  void warning(std::uint16_t code, SourcePlace where, std::string what, std::string hint = "");
  void note(std::uint16_t code, SourcePlace where, std::string what, std::string hint = "");
  void add(Diagnostic diagnostic);
  void append(const Diagnostics& other);

  [[nodiscard]] bool has_errors() const { return errors_ > 0; }
  [[nodiscard]] std::size_t error_count() const { return errors_; }
  [[nodiscard]] std::size_t warning_count() const { return warnings_; }
  // Found but not kept, because the report was full.
  [[nodiscard]] std::size_t dropped() const { return dropped_; }
  // In the order found; sorted() orders by file, line and column.
  [[nodiscard]] const std::vector<Diagnostic>& all() const { return all_; }
  [[nodiscard]] std::vector<Diagnostic> sorted() const;
  // The first error as an Error, with the count of the others; CHECKs has_errors().
  [[nodiscard]] Error to_error() const;

 private:
  std::vector<Diagnostic> all_;
  std::size_t errors_ = 0;
  std::size_t warnings_ = 0;
  std::size_t dropped_ = 0;
};

}  // namespace riftbus
