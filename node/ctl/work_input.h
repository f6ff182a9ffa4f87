// WorkInput: what an operator writes about work, understood: items to add, and ids.
//
// An item is one JSON object on one line:
//
//   {"kind":"render","params":{"scene":"7"},"args":["--fast"],"group":"film","priority":80,
//    "delay_s":5,"expires_s":600,"deadline_s":3600,"dedupe":"scene-7","after":[17],
//    "needs":"gpus>=1","data":["scene-7.blend"]}
//
// or with "payload":"text" in place of params and args. Params and args become the payload
// {"params":{...},"args":[...]}, which the job reads from standard input. The kind decides the rest
// (lease, timeout, retries, needs); "needs" replaces the kind's.
//
// Everything wrong with a line is one Error 1560 that says what and where; nothing is guessed, and
// an unknown key is an error. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "node/ctl/json_view.h"
#include "node/work/command.h"

namespace riftbus::ctl {

inline constexpr std::size_t kWorkLineBytesMax = 256 * 1024;

// What a kind contributes to its items, by the node that was asked (work.kinds).
struct KindTerms {
  work::Terms terms;
  std::uint8_t priority = 50;
};
using Kinds = std::map<std::string, KindTerms, std::less<>>;
// Of a work.kinds document.
[[nodiscard]] Kinds read_kinds(const Json& document);

// 1561: no such kind; the nearest one is named.
[[nodiscard]] Result<work::Spec> read_item(const Json& item, const Kinds& kinds);
[[nodiscard]] Result<work::Spec> read_item_line(std::string_view line, const Kinds& kinds);

// First and last of each: "17-20,23" or several words of that form. At most 100,000 ids.
using IdRanges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
[[nodiscard]] Result<IdRanges> read_ids(const std::vector<std::string>& words);
// Just one: "17".
[[nodiscard]] Result<std::uint64_t> read_id(const std::vector<std::string>& words);
// Ascending ids, as few ranges as possible.
[[nodiscard]] IdRanges ranges_of(std::vector<std::uint64_t> ids);
[[nodiscard]] std::string text_of(const IdRanges& ranges);
// As text_of(), in parts that fit into one argument of a question.
[[nodiscard]] std::vector<std::string> argument_texts(const IdRanges& ranges);
[[nodiscard]] std::vector<work::WorkId> list_ids(const IdRanges& ranges);

}  // namespace riftbus::ctl
