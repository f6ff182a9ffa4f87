// Filter: which tapped messages to keep, as an expression.
//
//   kind=gossip                          one kind of message; topic= is the same
//   kind=beat or kind=gossip             `and` binds tighter than `or`; `not` binds tightest
//   from=vast-* and not to=n1            * is any text, ? any character
//   topic=^roster. and size>1k           =^ begins with; 1k is 1000, 1M a million, 1Ki 1024
//   summary=~refused                     =~ contains
//   (standing=suspect or standing=dead) and subject=n3
//   dir=out channel=call                 two terms side by side: both
//   corr=77 && seq>=5 || !(inc<3)        && || ! if you like them better
//   subject="n 3"                        quotes keep spaces and parentheses together
//
// Names: the fields of bus/tap/field.h (kind from to peer node dir channel seq corr size summary)
// and the words of summaries (standing subject by evidence inc health roster code name ...), which
// are true if any word of that name in the message fits; a message without the word never fits,
// also for != . Operators: = != =^ =~ < <= > >= ; numbers compare as numbers.
// An empty expression keeps everything. Matching is case-sensitive.
//
// The node matches before it decodes anything for show: a filter that needs no summary costs no
// summary. A summary shows the first six claims of a gossip; further ones are not seen.
//
// Bounds: 1 KiB of text, kTermsMax terms, kDepthMax parentheses. Parsing is total: any text gives a
// filter or an Error 1550 whose `where` is the column. Immutable once built, safe to share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/tap/field.h"
#include "bus/wire/limits.h"
#include "config/result.h"

namespace riftbus::tap {

class Filter {
 public:
  static constexpr std::size_t kBytesMax = wire::kFilterBytesMax;
  static constexpr std::size_t kTermsMax = 64;
  static constexpr std::size_t kDepthMax = 16;

  Filter() = default;  // keeps everything
  [[nodiscard]] static Result<Filter> parse(std::string_view text);

  [[nodiscard]] bool empty() const { return steps_.empty(); }
  // False: matches() does not look at frame.summary, which may still be empty.
  [[nodiscard]] bool needs_summary() const { return needs_summary_; }
  [[nodiscard]] bool matches(const NodeId& node, const wire::TapFrame& frame) const;

 private:
  friend class FilterParser;

  enum class Operator : std::uint8_t {
    equal,
    unequal,
    begins,
    contains,
    less,
    less_equal,
    greater,
    greater_equal
  };
  struct Term {
    bool of_summary = false;
    Field field = Field::kind;  // unless of_summary
    std::string word;           // if of_summary
    Operator op = Operator::equal;
    std::string text;
    std::uint64_t number = 0;
    bool numeric = false;  // `text` is a number
  };
  // The expression in postfix order: each step pushes a term's truth, or combines what was pushed.
  enum class Step : std::uint8_t { term, negate, both, either };

  [[nodiscard]] static bool fits(const Term& term, const NodeId& node, const wire::TapFrame& frame);
  [[nodiscard]] static bool fits_text(const Term& term, std::string_view text);
  [[nodiscard]] static bool fits_number(const Term& term, std::uint64_t number);

  std::vector<Step> steps_;
  std::vector<Term> terms_;  // in the order in which steps_ meets them
  bool needs_summary_ = false;
};

// `*` any text, `?` any one byte, in time O(pattern * text).
[[nodiscard]] bool matches_glob(std::string_view pattern, std::string_view text);
// "12", "1k", "3M", "2Ki", "1Mi"; nothing: not a number, or above 64 bits.
[[nodiscard]] std::optional<std::uint64_t> parse_quantity(std::string_view text);

}  // namespace riftbus::tap
