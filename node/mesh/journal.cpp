#include "node/mesh/journal.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "config/check.h"

namespace riftbus::node {

namespace {

struct Cursor {
  std::uint64_t instance = 0;
  std::uint64_t seq = 0;  // the last entry that was read
};

// "9f3c...-17": the instance in 16 hexadecimal digits, then the sequence number.
std::optional<Cursor> parse_cursor(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  Cursor cursor;
  const char* const middle = text.data() + dash;
  const char* const end = text.data() + text.size();
  const auto instance = std::from_chars(text.data(), middle, cursor.instance, 16);
  const auto seq = std::from_chars(middle + 1, end, cursor.seq);
  if (instance.ec != std::errc() || instance.ptr != middle) return std::nullopt;
  if (seq.ec != std::errc() || seq.ptr != end) return std::nullopt;
  return cursor;
}

std::string by_whom(const membership::Announce& announce) {
  std::string text;
  if (!announce.accuser.empty()) text += " by " + announce.accuser.value();
  if (announce.evidence != wire::Evidence::none) {
    text += std::string(": ") + wire::to_string(announce.evidence);
  }
  return text;
}

}  // namespace

Journal::Journal(Instance instance, std::size_t entries_max)
    : instance_(instance), entries_max_(entries_max) {
  RIFTBUS_CHECK(entries_max > 0);
}

void Journal::note(std::string_view kind, const NodeId& subject, std::string text, Moment when) {
  JournalEntry entry;
  entry.kind = kind;
  entry.subject = subject;
  entry.text = std::move(text);
  entry.when = when;
  append(std::move(entry));
}

void Journal::announce(const membership::Announce& announce, Moment when) {
  JournalEntry entry;
  entry.kind = membership::to_string(announce.happening);
  entry.subject = announce.subject;
  entry.accuser = announce.accuser;
  entry.incarnation = announce.incarnation;
  entry.evidence = announce.evidence;
  entry.text = announce.subject.value() + " " + entry.kind + by_whom(announce);
  entry.when = when;
  append(std::move(entry));
}

void Journal::append(JournalEntry entry) {
  if (entry.text.size() > kJournalTextMax) entry.text.resize(kJournalTextMax);
  entry.seq = next_;
  next_ = next_.next();
  entries_.push_back(std::move(entry));
  if (entries_.size() > entries_max_) entries_.pop_front();
}

std::string Journal::cursor_after(Seq seq) const {
  char text[48];
  std::snprintf(text, sizeof text, "%016llx-%llu",
                static_cast<unsigned long long>(instance_.value()),
                static_cast<unsigned long long>(seq.value()));
  return text;
}

JournalPage Journal::page_from(Seq first, std::size_t limit) const {
  JournalPage page;
  Seq last(first.value() - 1);
  for (const auto& entry : entries_) {
    if (entry.seq < first) continue;
    if (page.entries.size() == limit) {
      page.more = true;
      break;
    }
    page.entries.push_back(&entry);
    last = entry.seq;
  }
  page.cursor = cursor_after(last);
  return page;
}

JournalPage Journal::read(std::string_view cursor, std::size_t limit) const {
  const Seq oldest = entries_.empty() ? next_ : entries_.front().seq;
  if (cursor.empty()) return page_from(oldest, limit);
  const auto parsed = parse_cursor(cursor);
  const bool ours = parsed && parsed->instance == instance_.value() && parsed->seq < next_.value();
  if (!ours) {
    JournalPage page = page_from(oldest, limit);
    page.restarted = true;
    return page;
  }
  const Seq wanted(parsed->seq + 1);
  JournalPage page = page_from(std::max(wanted, oldest), limit);
  page.lost = wanted < oldest ? oldest.value() - wanted.value() : 0;
  return page;
}

JournalPage Journal::read_last(std::size_t count) const {
  const std::size_t shown = std::min(count, entries_.size());
  return page_from(Seq(next_.value() - shown), shown);
}

}  // namespace riftbus::node
