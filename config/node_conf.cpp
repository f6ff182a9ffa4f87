#include <algorithm>
#include <utility>

#include "config/document.h"
#include "config/env.h"

namespace riftbus {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

bool is_name(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

// One pass over the text with a cursor; each function consumes one thing.
class NodeConfParser {
 public:
  NodeConfParser(std::string_view text, const std::string& file, Diagnostics& diagnostics)
      : text_(text), file_(file), diagnostics_(diagnostics) {}

  std::vector<Assignment> parse() {
    while (skip_to_key()) {
      if (peek() == '#' || peek() == ';') {
        skip_comment();
      } else {
        read_line();
      }
    }
    return std::move(assignments_);
  }

 private:
  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] char peek() const { return text_[at_]; }

  char take() {
    const char c = text_[at_++];
    if (c == '\n') ++line_;
    return c;
  }

  bool skip_to_key() {
    while (!at_end() && (is_blank(peek()) || peek() == '\n')) take();
    return !at_end();
  }

  // As in systemd, a backslash at its end continues a comment too.
  void skip_comment() {
    while (!at_end()) {
      const char c = take();
      if (c == '\\' && !at_end()) {
        take();
      } else if (c == '\n') {
        return;
      }
    }
  }

  void read_line() {
    const SourcePlace where{file_, line_, 1};
    std::string name;
    while (!at_end() && peek() != '=' && peek() != '\n') name += take();
    if (at_end() || peek() == '\n') {
      diagnostics_.error(1017, where, "not KEY=VALUE: \"" + name.substr(0, 40) + "\"",
                         "begin comments with # and write one KEY=VALUE to a line");
      return;
    }
    take();
    std::string value = read_value(where);
    while (!name.empty() && is_blank(name.back())) name.pop_back();
    if (name.starts_with("export ")) {
      diagnostics_.warning(1017, where, "\"export\" is shell, systemd ignores such a line",
                           "remove the word export");
      name.erase(0, name.find_first_not_of(' ', 6));
    }
    if (!is_name(name)) {
      diagnostics_.error(1017, where, "not a name: \"" + name.substr(0, 40) + "\"",
                         "use letters, digits and _ and begin with a letter");
      return;
    }
    assignments_.push_back({std::move(name), std::move(value), where});
  }

  // To the end of the line, joining quoted and unquoted parts.
  std::string read_value(const SourcePlace& where) {
    while (!at_end() && is_blank(peek())) take();
    std::string value;
    std::size_t keep = 0;  // blanks after this length are unquoted and trailing
    while (!at_end()) {
      const char c = take();
      if (c == '\n') break;
      if (c == '\'' || c == '"') {
        read_quoted(c, value, where);
        keep = value.size();
      } else if (c == '\\') {
        if (at_end()) break;
        const char escaped = take();
        if (escaped == '\n') continue;
        value += escaped;
        keep = value.size();
      } else {
        value += c;
        if (!is_blank(c)) keep = value.size();
      }
    }
    value.resize(keep);
    return value;
  }

  void read_quoted(char quote, std::string& value, const SourcePlace& where) {
    while (!at_end()) {
      char c = take();
      if (c == quote) return;
      if (c == '\\' && quote == '"' && !at_end()) {
        c = take();
        if (c == '\n') continue;
        const bool is_escapable = c == '"' || c == '\\' || c == '$' || c == '`';
        if (!is_escapable) value += '\\';
      }
      value += c;
    }
    diagnostics_.error(1017, where, std::string("quote ") + quote + " is not closed",
                       "close it on the line where the value ends");
  }

  std::string_view text_;
  const std::string& file_;
  Diagnostics& diagnostics_;
  std::vector<Assignment> assignments_;
  std::size_t at_ = 0;
  int line_ = 1;
};

}  // namespace

std::vector<Assignment> parse_node_conf(std::string_view text, const std::string& file,
                                        Diagnostics& diagnostics) {
  if (!is_config_text(text, file, diagnostics)) return {};
  return NodeConfParser(text, file, diagnostics).parse();
}

}  // namespace riftbus
