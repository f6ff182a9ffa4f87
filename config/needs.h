// Needs: what work asks of a worker, as a condition that people write.
//
//   gpus>=1 && vram_gb>=40 && cuda>=12.1 && !tag.spot
//
//   needs   = clause { "&&" clause }            all clauses must hold; empty text: always
//   clause  = term { "||" term }                binds tighter than &&: no surprise in a list of
//   term    = { "!" } ( "(" needs ")" | "tag." name | "data." name | name [ op number ] )
//   op      = >= <= == != > <                   a bare name asks for more than 0
//   number  = up to 9 digits, optionally "." and up to 3 more
//
// A worker that does not state an amount meets no comparison about it, not even `!=`: silence is
// not evidence. (`!(cuda>=12)` holds for it.) Clauses are judged one by one, so that work that
// fits nowhere can say which of them nobody meets.
//
// The parser is total: any text gives Needs or an Error 1740 with the column; its depth is bounded
// by kDepthMax, its size by kNeedsBytesMax. Pure values, immutable after parse(), ordered data.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/offer.h"
#include "config/result.h"

namespace riftbus::work {

inline constexpr std::uint16_t kBadNeeds = 1740;

class Needs {
 public:
  static constexpr int kDepthMax = 16;

  [[nodiscard]] static Result<Needs> parse(std::string_view text);

  [[nodiscard]] bool match(const Offer& offer) const;
  [[nodiscard]] std::size_t clause_count() const { return clauses_.size(); }
  [[nodiscard]] bool match_clause(std::size_t clause, const Offer& offer) const;
  // As written, for people.
  [[nodiscard]] const std::string& clause_text(std::size_t clause) const {
    return clauses_[clause].text;
  }
  // Amounts of counted resources that clauses of the form `name>=number` ask for; sorted by name.
  [[nodiscard]] const std::vector<Amount>& counted() const { return counted_; }

 private:
  friend class NeedsParser;
  enum class Kind : std::uint8_t {
    all,
    any,
    negate,
    tag,
    data,
    at_least,
    at_most,
    equal,
    differs,
    above,
    below
  };
  // Nodes lie in one vector, children before their parent, linked by index: no recursion on the
  // heap, one allocation.
  struct Node {
    Kind kind = Kind::all;
    std::string name;
    std::int64_t milli = 0;
    std::vector<std::uint32_t> children;
  };
  struct Clause {
    std::uint32_t root = 0;
    std::string text;
  };
  [[nodiscard]] bool evaluate(std::uint32_t node, const Offer& offer) const;
  void collect_counted();

  std::vector<Node> nodes_;
  std::vector<Clause> clauses_;
  std::vector<Amount> counted_;
};

}  // namespace riftbus::work
