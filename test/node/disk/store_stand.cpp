#include "test/node/disk/store_stand.h"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace riftbus::disk {

EntryPtr make_entry(std::uint64_t index, std::uint64_t term, const std::string& payload) {
  return consensus::keep(consensus::Entry{Index(index), Term(term), consensus::EntryKind::command,
                                          consensus::LogTime(index * 10), payload});
}

Entries make_entries(std::uint64_t first, std::uint64_t last, std::uint64_t term) {
  Entries entries;
  for (std::uint64_t i = first; i <= last; ++i) {
    entries.push_back(make_entry(i, term, "p" + std::to_string(i) + "." + std::to_string(term)));
  }
  return entries;
}

SnapshotMeta make_meta(std::uint64_t index, std::uint64_t term) {
  const consensus::Server voter{ServerId(3), consensus::Standing::voter, 0};
  return {Index(index), Term(term), consensus::LogTime(index * 10),
          consensus::Configuration(consensus::Generation(1), {voter})};
}

HardState make_hard(std::uint64_t term, std::uint64_t vote) {
  return {Term(term), ServerId(vote), consensus::Generation(1)};
}

// ---- model -----------------------------------------------------------------------------------

void Model::persist(const Persist& write) {
  if (write.hard) memory.hard = *write.hard;
  if (write.cut_from != Index()) {
    std::erase_if(memory.entries, [&](const EntryPtr& e) { return e->index >= write.cut_from; });
  }
  memory.entries.insert(memory.entries.end(), write.entries.begin(), write.entries.end());
}

void Model::put_snapshot(const SnapshotMeta& meta, std::string bytes) {
  memory.snapshot = meta;
  snapshot = std::move(bytes);
  std::erase_if(memory.entries, [&](const EntryPtr& e) { return e->index <= meta.index; });
}

void Model::install_snapshot(const SnapshotMeta& meta, std::string bytes) {
  put_snapshot(meta, std::move(bytes));
  memory.entries.clear();
}

Index Model::last() const {
  return memory.entries.empty() ? memory.snapshot.index : memory.entries.back()->index;
}

std::string difference(const Memory& expected, const Memory& found) {
  if (expected.hard != found.hard) {
    return "hard state: term " + std::to_string(found.hard.term.value()) + " instead of " +
           std::to_string(expected.hard.term.value());
  }
  if (expected.snapshot != found.snapshot) {
    return "snapshot at " + std::to_string(found.snapshot.index.value()) + " instead of " +
           std::to_string(expected.snapshot.index.value());
  }
  if (expected.entries.size() != found.entries.size()) {
    return std::to_string(found.entries.size()) + " entries instead of " +
           std::to_string(expected.entries.size());
  }
  for (std::size_t i = 0; i < expected.entries.size(); ++i) {
    if (*expected.entries[i] != *found.entries[i]) {
      return "entry " + std::to_string(expected.entries[i]->index.value());
    }
  }
  return "";
}

// ---- store -----------------------------------------------------------------------------------

std::unique_ptr<SqliteLogStore> open_store(const std::string& folder) {
  auto opened = SqliteLogStore::open(folder, kOwner);
  EXPECT_TRUE(opened.ok()) << opened.error().to_string();
  return opened.ok() ? std::move(*opened) : nullptr;
}

Opened reopen(const std::string& folder) {
  Opened result{open_store(folder), {}};
  if (!result.store) return result;
  auto memory = result.store->load();
  EXPECT_TRUE(memory.ok()) << memory.error().to_string();
  if (memory.ok()) result.memory = std::move(*memory);
  return result;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string read_all(SqliteLogStore& store) {
  std::string all;
  bool has_ended = false;
  const Status read = store.read_snapshot([&](std::string_view piece) -> Status {
    EXPECT_FALSE(has_ended);
    has_ended = piece.empty();
    all += piece;
    return Ok{};
  });
  EXPECT_TRUE(read.ok());
  EXPECT_TRUE(has_ended);
  return all;
}

void expect_model(const std::string& folder, const Model& model) {
  const Opened found = reopen(folder);
  ASSERT_TRUE(found.store);
  EXPECT_EQ(difference(model.memory, found.memory), "");
  EXPECT_EQ(read_all(*found.store), model.snapshot);
  EXPECT_EQ(found.memory.snapshot_bytes, model.snapshot.size());
}

Status write(SqliteLogStore& store, const Persist& request) { return store.persist({&request, 1}); }

Result<bool> take_snapshot(SqliteLogStore& store, const SnapshotMeta& meta,
                           const std::string& bytes, std::size_t piece) {
  if (const Status begun = store.begin_snapshot(meta); !begun.ok()) return begun.error();
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const Status added = store.add_to_snapshot(std::string_view(bytes).substr(at, piece));
    if (!added.ok()) return added.error();
  }
  return store.finish_snapshot();
}

Result<bool> receive_snapshot(SqliteLogStore& store, const SnapshotMeta& meta,
                              const std::string& bytes, std::size_t piece) {
  std::size_t at = 0;
  do {
    const Status stored = store.store_chunk({meta, at, bytes.size(), bytes.substr(at, piece)});
    if (!stored.ok()) return stored.error();
    at += piece;
  } while (at < bytes.size());
  std::string restored;
  auto installed = store.install_snapshot({meta}, [&restored](std::string_view part) -> Status {
    restored += part;
    return Ok{};
  });
  if (installed.ok() && *installed) {
    EXPECT_EQ(restored, bytes);
  }
  return installed;
}

// ---- random requests -------------------------------------------------------------------------

std::string RandomRequests::bytes(std::size_t max) {
  std::string text(static_cast<std::size_t>(random_.below(max)), ' ');
  for (char& c : text) c = static_cast<char>(random_.below(256));
  return text;
}

Persist RandomRequests::next_write(const Model& model) {
  Persist write;
  const Memory& memory = model.memory;
  const std::uint64_t term = memory.hard.term.value() + random_.below(2);
  if (term != memory.hard.term.value() || random_.chance(0.1)) {
    write.hard = make_hard(term, random_.below(4));
  }
  std::uint64_t next = model.last().value() + 1;
  const std::uint64_t open = next - 1 - memory.snapshot.index.value();
  if (open > 0 && random_.chance(0.2)) {
    next -= 1 + random_.below(std::min<std::uint64_t>(open, 40));
    write.cut_from = Index(next);
  }
  const std::uint64_t count = random_.chance(0.1) ? random_.below(300) : random_.below(6);
  const std::size_t size = random_.chance(0.03) ? 60000 : 200;
  for (std::uint64_t i = 0; i < count; ++i) {
    write.entries.push_back(make_entry(next + i, std::max<std::uint64_t>(term, 1), bytes(size)));
  }
  return write;
}

bool RandomRequests::snapshot_step(SqliteLogStore& store, Model& model, Model& attempt) {
  const std::uint64_t from = model.memory.snapshot.index.value();
  const std::uint64_t last = model.last().value();
  const bool is_received = random_.chance(0.4);
  const std::uint64_t at = is_received
                               ? from + 1 + random_.below(60)
                               : from + 1 + random_.below(std::max<std::uint64_t>(last - from, 1));
  if (!is_received && at > last) return true;
  const SnapshotMeta meta = make_meta(at, 1);
  const std::string content = bytes(40000);
  const std::size_t piece = 1 + static_cast<std::size_t>(random_.below(9000)) + content.size() / 20;
  if (is_received) {
    attempt.install_snapshot(meta, content);
    const auto installed = receive_snapshot(store, meta, content, piece);
    if (!installed.ok()) return false;
    EXPECT_TRUE(*installed);
  } else {
    attempt.put_snapshot(meta, content);
    const auto taken = take_snapshot(store, meta, content, piece);
    if (!taken.ok()) return false;
    EXPECT_TRUE(*taken);
    store.compact({Index(at - random_.below(std::min<std::uint64_t>(at, 5)))});
  }
  model = attempt;
  return true;
}

bool RandomRequests::step(SqliteLogStore& store, Model& model, Model& attempt) {
  attempt = model;
  if (random_.chance(0.1)) return snapshot_step(store, model, attempt);
  if (random_.chance(0.2)) return store.tidy().ok();
  std::vector<Persist> writes;
  do {
    writes.push_back(next_write(attempt));
    attempt.persist(writes.back());
  } while (random_.chance(0.2));
  if (!store.persist(writes).ok()) return false;
  model = attempt;
  return true;
}

}  // namespace riftbus::disk
