// The grammar of filter.h, by recursive descent into postfix steps:
//   either = both {("or" | "||") both}
//   both   = unary {["and" | "&&"] unary}
//   unary  = ("not" | "!") unary | "(" either ")" | term
//   term   = name operator value
#include <algorithm>
#include <array>

#include "bus/tap/filter.h"

namespace riftbus::tap {

namespace {

// Words that summaries hold; a test compares the list with what messages really say.
constexpr auto kSummaryWords = std::to_array<std::string_view>(
    {"after",        "age_ms", "arguments", "ask",         "beat",        "by",      "claims",
     "cluster",      "code",   "differing", "digest",      "dropped",     "entries", "every_ms",
     "evidence",     "filter", "for",       "frames",      "granted",     "have",    "health",
     "id",           "ids",    "inc",       "leader",      "lease_ms",    "matched", "name",
     "not-watching", "offset", "outcome",   "payloads",    "record",      "recruit", "refused",
     "roster",       "seen",   "software",  "stale",       "standing",    "step",    "subject",
     "term",         "up_ms",  "version",   "version_max", "version_min", "wait_ms"});

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
// Ends a value that has no quotes.
bool is_sign(char c) { return c == '(' || c == ')' || c == '|' || c == '&'; }
bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

}  // namespace

class FilterParser {
 public:
  explicit FilterParser(std::string_view text) : text_(text) {}

  Result<Filter> parse() {
    if (text_.size() > Filter::kBytesMax) {
      return Error{1550, "the filter is longer than 1 KiB", "", "shorten it; * and ? can help"};
    }
    skip_space();
    if (at_ == text_.size()) return Filter();
    either(0);
    if (!failed_ && at_ < text_.size()) fail("unexpected \"" + rest() + "\"");
    if (failed_) return error_;
    return std::move(filter_);
  }

 private:
  using Operator = Filter::Operator;
  using Step = Filter::Step;

  void either(std::size_t depth) {
    both(depth);
    while (!failed_ && (take_word("or") || take("||"))) {
      both(depth);
      filter_.steps_.push_back(Step::either);
    }
  }

  void both(std::size_t depth) {
    unary(depth);
    while (!failed_) {
      const bool said = take_word("and") || take("&&");
      if (!said && !at_operand()) return;
      unary(depth);
      filter_.steps_.push_back(Step::both);
    }
  }

  void unary(std::size_t depth) {
    if (depth > Filter::kDepthMax) return fail("nested too deeply");
    bool negated = false;
    while (take_word("not") || take_exclamation()) negated = !negated;
    if (take("(")) {
      either(depth + 1);
      if (!failed_ && !take(")")) return fail("a closing parenthesis is missing");
    } else {
      term();
    }
    if (negated) filter_.steps_.push_back(Step::negate);
  }

  void term() {
    if (failed_) return;
    if (filter_.terms_.size() >= Filter::kTermsMax) return fail("more than 64 comparisons");
    Filter::Term term;
    if (!name(term) || !operation(term) || !value(term)) return;
    filter_.terms_.push_back(std::move(term));
    filter_.steps_.push_back(Step::term);
  }

  bool name(Filter::Term& term) {
    const std::size_t start = at_;
    while (at_ < text_.size() && is_name_character(text_[at_])) ++at_;
    const std::string_view name = text_.substr(start, at_ - start);
    if (name.empty()) {
      fail(at_ == text_.size() ? "it ends where a comparison should follow"
                               : "a name is expected at \"" + rest() + "\"");
      return false;
    }
    if (const auto field = find_field(name); field && is_filterable(*field)) {
      term.field = *field;
      filter_.needs_summary_ |= *field == Field::summary;
    } else if (std::find(kSummaryWords.begin(), kSummaryWords.end(), name) != kSummaryWords.end()) {
      term.of_summary = true;
      term.word = name;
      filter_.needs_summary_ = true;
    } else {
      at_ = start;
      fail("\"" + std::string(name) + "\" is no field");
      return false;
    }
    skip_space();
    return true;
  }

  static bool is_filterable(Field field) { return field != Field::time && field != Field::payload; }

  bool operation(Filter::Term& term) {
    struct Sign {
      std::string_view text;
      Operator op;
    };
    static constexpr auto kSigns = std::to_array<Sign>({{"==", Operator::equal},
                                                        {"=^", Operator::begins},
                                                        {"=~", Operator::contains},
                                                        {"=", Operator::equal},
                                                        {"!=", Operator::unequal},
                                                        {"<=", Operator::less_equal},
                                                        {">=", Operator::greater_equal},
                                                        {"<", Operator::less},
                                                        {">", Operator::greater}});
    for (const auto& sign : kSigns) {
      if (!take(sign.text)) continue;
      term.op = sign.op;
      return true;
    }
    fail("after a name comes one of = != =^ =~ < <= > >=");
    return false;
  }

  bool value(Filter::Term& term) {
    const std::size_t start = at_;
    if (!read_value(term.text)) return false;
    const auto number = parse_quantity(term.text);
    term.numeric = number.has_value();
    term.number = number.value_or(0);
    const bool textual = term.op == Operator::begins || term.op == Operator::contains;
    const bool ordered = !textual && term.op != Operator::equal && term.op != Operator::unequal;
    const bool number_field = !term.of_summary && is_number(term.field);
    if (!textual && (ordered || number_field) && !term.numeric) {
      at_ = start;
      fail("a number is expected here, such as 200, 1k or 2Mi");
      return false;
    }
    if (ordered && !term.of_summary && !number_field) {
      at_ = start;
      fail("this field is text and has no order: use = != =^ =~");
      return false;
    }
    skip_space();
    return true;
  }

  bool read_value(std::string& out) {
    if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) {
      const std::size_t end = text_.find(text_[at_], at_ + 1);
      if (end == std::string_view::npos) {
        fail("a closing quote is missing");
        return false;
      }
      out = text_.substr(at_ + 1, end - at_ - 1);
      at_ = end + 1;
      return true;
    }
    const std::size_t start = at_;
    while (at_ < text_.size() && !is_space(text_[at_]) && !is_sign(text_[at_])) ++at_;
    out = text_.substr(start, at_ - start);
    if (out.empty()) fail("a value is expected; for an empty one write \"\"");
    return !out.empty();
  }

  // Something that can stand beside another operand without "and" between them.
  [[nodiscard]] bool at_operand() const {
    if (at_ == text_.size()) return false;
    const std::string_view left = text_.substr(at_);
    if (left.starts_with("or") && (left.size() == 2 || !is_name_character(left[2]))) return false;
    return left[0] == '(' || left[0] == '!' || is_name_character(left[0]);
  }

  bool take(std::string_view sign) {
    if (failed_ || !text_.substr(at_).starts_with(sign)) return false;
    at_ += sign.size();
    skip_space();
    return true;
  }
  bool take_word(std::string_view word) {
    const std::string_view left = text_.substr(at_);
    if (!left.starts_with(word)) return false;
    if (left.size() > word.size() && is_name_character(left[word.size()])) return false;
    return take(word);
  }
  bool take_exclamation() { return !text_.substr(at_).starts_with("!=") && take("!"); }

  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  [[nodiscard]] std::string rest() const {
    constexpr std::size_t kShown = 20;
    std::string shown(text_.substr(at_, kShown));
    for (char& c : shown) {
      if (c < ' ' || c > '~') c = '?';
    }
    return shown;
  }
  void fail(const std::string& what) {
    if (failed_) return;
    failed_ = true;
    error_ = {
        1550, "the filter does not read: " + what, "column " + std::to_string(at_ + 1),
        "for example: kind=gossip and (from=n1* or size>1k); names are kind from to peer node "
        "dir channel seq corr size summary standing subject by evidence"};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Filter filter_;
  bool failed_ = false;
  Error error_;
};

Result<Filter> Filter::parse(std::string_view text) { return FilterParser(text).parse(); }

}  // namespace riftbus::tap
