// Names: texts that many items share, stored once and known by a small number.
//
// Numbers begin at 1 (0: none) and are the lowest free ones, so that replicas that saw the same
// commands use the same numbers, also after one of them was restored from a snapshot. With
// `counted`, a text lives as long as somebody refers to it; otherwise for ever, up to the bound.
//
// Pure; not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "config/check.h"

namespace riftbus::work {

using NameNumber = std::uint32_t;

class Names {
 public:
  explicit Names(std::size_t max) : max_(max) {}

  // 0: unknown.
  [[nodiscard]] NameNumber find(std::string_view text) const {
    const auto at = numbers_.find(text);
    return at == numbers_.end() ? 0 : at->second;
  }
  // 0: there are too many.
  NameNumber intern(std::string_view text) {
    const NameNumber known = find(text);
    if (known != 0) return known;
    if (texts_.size() >= max_) return 0;
    const NameNumber number = free_.empty() ? next_++ : free_.extract(free_.begin()).value();
    insert(number, text);
    return number;
  }
  [[nodiscard]] std::string_view text(NameNumber number) const {
    const auto at = texts_.find(number);
    return at == texts_.end() ? std::string_view() : std::string_view(at->second.text->first);
  }
  void refer(NameNumber number) { ++texts_.at(number).references; }
  // True: that was the last one, and the text is forgotten.
  bool release(NameNumber number) {
    const auto at = texts_.find(number);
    RIFTBUS_CHECK(at != texts_.end() && at->second.references > 0);
    if (--at->second.references > 0) return false;
    forget(number);
    return true;
  }
  // For what was interned and then not used.
  void forget_unused(NameNumber number) {
    const auto at = texts_.find(number);
    if (at != texts_.end() && at->second.references == 0) forget(number);
  }
  [[nodiscard]] std::uint32_t references(NameNumber number) const {
    const auto at = texts_.find(number);
    return at == texts_.end() ? 0 : at->second.references;
  }
  [[nodiscard]] std::size_t size() const { return texts_.size(); }

  // From a snapshot, in ascending order of numbers. False: it contradicts itself.
  bool restore(NameNumber number, std::string_view text) {
    if (number < next_ || number > max_ || find(text) != 0) return false;
    for (; next_ < number; ++next_) free_.insert(next_);
    ++next_;
    insert(number, text);
    return true;
  }
  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& [number, entry] : texts_) visit(number, std::string_view(entry.text->first));
  }

 private:
  using Numbers = std::map<std::string, NameNumber, std::less<>>;
  struct Entry {
    Numbers::const_iterator text;
    std::uint32_t references = 0;
  };
  void insert(NameNumber number, std::string_view text) {
    texts_[number] = {numbers_.emplace(text, number).first, 0};
  }
  void forget(NameNumber number) {
    numbers_.erase(texts_.at(number).text);
    texts_.erase(number);
    free_.insert(number);
    // Trailing gaps are no gaps: what remains must not depend on what once was.
    for (; !free_.empty() && *free_.rbegin() + 1 == next_; --next_) free_.erase(next_ - 1);
  }

  std::size_t max_;
  Numbers numbers_;
  std::map<NameNumber, Entry> texts_;
  std::set<NameNumber> free_;
  NameNumber next_ = 1;
};

}  // namespace riftbus::work
