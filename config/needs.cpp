#include "config/needs.h"

#include <algorithm>

namespace riftbus::work {

namespace {

constexpr int kWholeDigitsMax = 9;
constexpr int kPartDigits = 3;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
// Names after "tag." and "data." may look like node ids, model names and hashes.
bool is_label(char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == ':'; }

}  // namespace

class NeedsParser {
 public:
  explicit NeedsParser(std::string_view text) : text_(text) {}

  Result<Needs> parse() {
    if (text_.size() > kNeedsBytesMax) return fail_at(kNeedsBytesMax, "the text is too long");
    skip_space();
    if (at_ == text_.size()) return std::move(needs_);
    do {
      skip_space();
      const std::size_t begin = at_;
      const auto root = parse_clause(0);
      if (!error_.empty()) return fail_at(at_, error_);
      std::size_t end = at_;
      while (end > begin && text_[end - 1] == ' ') --end;
      needs_.clauses_.push_back({root, std::string(text_.substr(begin, end - begin))});
    } while (accept("&&"));
    if (at_ != text_.size()) return fail_at(at_, "expected &&, || or the end");
    needs_.collect_counted();
    return std::move(needs_);
  }

 private:
  using Kind = Needs::Kind;

  static Error fail_at(std::size_t column, const std::string& why) {
    return Error{kBadNeeds, "needs do not parse: " + why, "column " + std::to_string(column + 1),
                 "write clauses like: gpus>=1 && cuda>=12.1 && !tag.spot"};
  }
  std::uint32_t fail(const char* why) {
    if (error_.empty()) error_ = why;
    return 0;
  }
  void skip_space() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool accept(std::string_view symbol) {
    skip_space();
    if (text_.substr(at_, symbol.size()) != symbol) return false;
    at_ += symbol.size();
    return true;
  }
  std::uint32_t add(Needs::Node node) {
    needs_.nodes_.push_back(std::move(node));
    return static_cast<std::uint32_t>(needs_.nodes_.size() - 1);
  }

  std::uint32_t parse_all(int depth) {
    return parse_list(depth, "&&", Kind::all, &NeedsParser::parse_clause);
  }
  std::uint32_t parse_clause(int depth) {
    return parse_list(depth, "||", Kind::any, &NeedsParser::parse_term);
  }
  std::uint32_t parse_list(int depth, std::string_view symbol, Kind kind,
                           std::uint32_t (NeedsParser::*next)(int)) {
    std::vector<std::uint32_t> children;
    do {
      children.push_back((this->*next)(depth));
    } while (error_.empty() && accept(symbol));
    if (children.size() == 1) return children[0];
    return add({kind, {}, 0, std::move(children)});
  }

  std::uint32_t parse_term(int depth) {
    if (depth >= Needs::kDepthMax) return fail("nested too deeply");
    skip_space();
    if (at_ < text_.size() && text_[at_] == '!' && text_.substr(at_, 2) != "!=") {
      ++at_;
      const auto child = parse_term(depth + 1);
      return add({Kind::negate, {}, 0, {child}});
    }
    if (accept("(")) {
      const auto inside = parse_all(depth + 1);
      if (error_.empty() && !accept(")")) return fail("expected )");
      return inside;
    }
    if (accept("tag.")) return add({Kind::tag, take_name(is_label), 0, {}});
    if (accept("data.")) return add({Kind::data, take_name(is_label), 0, {}});
    return parse_comparison();
  }

  std::uint32_t parse_comparison() {
    if (at_ < text_.size() && !is_letter(text_[at_])) return fail("expected a name");
    std::string name = take_name([](char c) { return is_letter(c) || is_digit(c) || c == '.'; });
    struct Symbol {
      std::string_view text;
      Kind kind;
    };
    static constexpr Symbol kSymbols[] = {{">=", Kind::at_least}, {"<=", Kind::at_most},
                                          {"==", Kind::equal},    {"!=", Kind::differs},
                                          {">", Kind::above},     {"<", Kind::below}};
    for (const auto& symbol : kSymbols) {
      if (accept(symbol.text)) {
        const auto milli = take_number();
        return add({symbol.kind, std::move(name), milli, {}});
      }
    }
    return add({Kind::above, std::move(name), 0, {}});
  }

  template <class Allowed>
  std::string take_name(Allowed allowed) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && allowed(text_[at_])) ++at_;
    if (at_ == begin) fail("expected a name");
    if (at_ - begin > kKeyBytesMax) fail("the name is too long");
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::int64_t take_number() {
    skip_space();
    std::int64_t milli = 0;
    int digits = 0;
    for (; at_ < text_.size() && is_digit(text_[at_]); ++at_, ++digits) {
      if (digits >= kWholeDigitsMax) return fail("the number is too large");
      milli = milli * 10 + (text_[at_] - '0');
    }
    if (digits == 0) return fail("expected a number");
    int part = 0;
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      for (; at_ < text_.size() && is_digit(text_[at_]); ++at_, ++part) {
        if (part >= kPartDigits) return fail("at most three digits after the point");
        milli = milli * 10 + (text_[at_] - '0');
      }
      if (part == 0) return fail("expected digits after the point");
    }
    for (; part < kPartDigits; ++part) milli *= 10;
    return milli;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string error_;
  Needs needs_;
};

Result<Needs> Needs::parse(std::string_view text) { return NeedsParser(text).parse(); }

bool Needs::match(const Offer& offer) const {
  return std::all_of(clauses_.begin(), clauses_.end(),
                     [&](const Clause& clause) { return evaluate(clause.root, offer); });
}

bool Needs::match_clause(std::size_t clause, const Offer& offer) const {
  return evaluate(clauses_[clause].root, offer);
}

bool Needs::evaluate(std::uint32_t index, const Offer& offer) const {
  const Node& node = nodes_[index];
  const auto holds = [&](std::uint32_t child) { return evaluate(child, offer); };
  if (node.kind == Kind::all) {
    return std::all_of(node.children.begin(), node.children.end(), holds);
  }
  if (node.kind == Kind::any) {
    return std::any_of(node.children.begin(), node.children.end(), holds);
  }
  if (node.kind == Kind::negate) return !holds(node.children[0]);
  if (node.kind == Kind::tag) return offer.has_tag(node.name);
  if (node.kind == Kind::data) return offer.has_data(node.name);
  const std::int64_t* amount = offer.find_amount(node.name);
  if (amount == nullptr) return false;
  switch (node.kind) {
    case Kind::at_least:
      return *amount >= node.milli;
    case Kind::at_most:
      return *amount <= node.milli;
    case Kind::equal:
      return *amount == node.milli;
    case Kind::differs:
      return *amount != node.milli;
    case Kind::above:
      return *amount > node.milli;
    default:
      return *amount < node.milli;
  }
}

void Needs::collect_counted() {
  for (const auto& clause : clauses_) {
    const Node& node = nodes_[clause.root];
    if (node.kind == Kind::at_least && is_counted(node.name) && node.milli > 0) {
      counted_.push_back({node.name, node.milli});
    }
  }
  // Of two clauses about one resource, the larger amount counts.
  std::sort(counted_.begin(), counted_.end(), [](const Amount& a, const Amount& b) {
    return a.name != b.name ? a.name < b.name : a.milli > b.milli;
  });
  const auto same = [](const Amount& a, const Amount& b) { return a.name == b.name; };
  counted_.erase(std::unique(counted_.begin(), counted_.end(), same), counted_.end());
}

}  // namespace riftbus::work
