// The thread behind a voter, with a real store: snapshots of our own and of a leader's.
#include "node/quorum/log_disk.h"

#include <gtest/gtest.h>
#include <poll.h>

#include "node/disk/sqlite_log_store.h"
#include "node/work/codec.h"
#include "node/work/snapshot.h"
#include "test/node/temp_folder.h"

namespace riftbus::node {
namespace {

constexpr disk::LogOwner kOwner{consensus::ClusterKey(1), consensus::ServerId(1)};

consensus::Memory first_memory() {
  return consensus::bootstrap(consensus::Configuration(
      consensus::Generation(1), {{consensus::ServerId(1), consensus::Standing::voter, 0}}));
}

// An Add of `items` items at this place in the log.
consensus::EntryPtr add_entry(std::uint64_t index, std::size_t items) {
  work::Add add;
  add.nonce = index;
  add.items.resize(items);
  for (auto& item : add.items) {
    item.kind = "job";
    item.payload.assign(2000, 'x');
  }
  return consensus::keep(consensus::Entry{consensus::Index(index), consensus::Term(1),
                                          consensus::EntryKind::command, consensus::LogTime(index),
                                          work::encode(work::Command(add))});
}

consensus::SnapshotMeta meta_at(std::uint64_t index) {
  return {consensus::Index(index), consensus::Term(1), consensus::LogTime(index),
          consensus::Configuration(consensus::Generation(1),
                                   {{consensus::ServerId(1), consensus::Standing::voter, 0}})};
}

void apply(work::WorkQueue& queue, const consensus::Entry& entry) {
  const work::Stamp stamp{entry.index.value(), entry.term.value(),
                          static_cast<work::LogMs>(entry.stamp.value())};
  queue.apply(stamp, work::decode_command(entry.payload).value);
}

// A voter's disk in a folder of its own.
class Disk {
 public:
  explicit Disk(const std::string& folder) {
    auto store = disk::SqliteLogStore::open(folder, kOwner);
    EXPECT_TRUE(store.ok());
    const auto first = first_memory();
    auto loaded = LogDisk::load(**store, &first);
    EXPECT_TRUE(loaded.ok());
    start.emplace(std::move(*loaded));
    disk = std::make_unique<LogDisk>(std::move(*store));
  }

  // Entries of 50 items each, in one write.
  consensus::Entries write(std::uint64_t from, std::uint64_t to) {
    consensus::Persist persist;
    persist.seq = consensus::WriteSeq(++written);
    for (std::uint64_t i = from; i <= to; ++i) persist.entries.push_back(add_entry(i, 50));
    const auto entries = persist.entries;
    disk->post(std::move(persist));
    disk->commit();
    return entries;
  }

  // Of the queue as it is now.
  void snapshot(std::uint64_t index, const work::WorkQueue& queue) {
    bool is_first = true;
    for (work::SnapshotWriter writer(queue); !writer.done();) {
      replica::SnapshotPiece piece{meta_at(index), writer.next_piece(100'000), is_first, false};
      piece.is_last = writer.done();
      if (piece.bytes.empty()) continue;
      disk->post(std::move(piece));
      is_first = false;
    }
    disk->commit();
  }

  template <class Wanted>
  std::optional<Wanted> await() {
    for (int waits = 0; waits < 300; ++waits) {
      while (!done.empty()) {
        DiskDone one = std::move(done.front());
        done.erase(done.begin());
        if (auto found = pick<Wanted>(one)) return found;
      }
      pollfd wake{disk->wake_fd(), POLLIN, 0};
      poll(&wake, 1, 100);
      disk->collect(done);
    }
    return std::nullopt;
  }

  template <class Wanted>
  static std::optional<Wanted> pick(DiskDone& one) {
    if constexpr (std::is_constructible_v<DiskDone, Wanted> &&
                  !std::is_constructible_v<consensus::Event, Wanted>) {
      if (auto* found = std::get_if<Wanted>(&one)) return std::move(*found);
    } else if (auto* event = std::get_if<consensus::Event>(&one)) {
      if (auto* found = std::get_if<Wanted>(event)) return std::move(*found);
    }
    return std::nullopt;
  }

  std::optional<LogStart> start;
  std::unique_ptr<LogDisk> disk;
  std::vector<DiskDone> done;
  std::uint64_t written = 0;
};

TEST(LogDisk, WritesWhatGatheredAndReportsTheLastOne) {
  const TempFolder folder;
  Disk voter(folder.path());
  voter.write(2, 3);
  voter.write(4, 5);
  std::optional<consensus::Persisted> persisted;
  do {
    persisted = voter.await<consensus::Persisted>();
    ASSERT_TRUE(persisted.has_value());
  } while (persisted->seq != consensus::WriteSeq(2));
  EXPECT_LE(voter.disk->figures().writes, 2U);
}

TEST(LogDisk, ASnapshotInPiecesIsThereAtTheNextStart) {
  const TempFolder folder;
  work::WorkQueue queue;
  {
    Disk voter(folder.path());
    for (const auto& entry : voter.write(2, 21)) apply(queue, *entry);
    voter.snapshot(21, queue);
    const auto taken = voter.await<consensus::SnapshotTaken>();
    ASSERT_TRUE(taken.has_value());
    EXPECT_TRUE(taken->ok);
    EXPECT_EQ(taken->index, consensus::Index(21));
    EXPECT_EQ(voter.disk->figures().snapshot_bytes, work::write_snapshot(queue).size());
    for (const auto& entry : voter.write(22, 25)) apply(queue, *entry);
    voter.snapshot(25, queue);
    ASSERT_TRUE(voter.await<consensus::SnapshotTaken>().has_value());
    voter.disk->post(consensus::Compact{consensus::Index(20)});
    voter.disk->commit();
  }
  Disk again(folder.path());
  EXPECT_EQ(again.start->memory.snapshot.index, consensus::Index(25));
  EXPECT_EQ(work::write_snapshot(again.start->queue), work::write_snapshot(queue));
}

TEST(LogDisk, EachPieceIsReported) {
  const TempFolder folder;
  Disk voter(folder.path());
  voter.disk->post(replica::SnapshotPiece{meta_at(1), "some", true, false});
  voter.disk->post(replica::SnapshotPiece{meta_at(1), "more", false, false});
  voter.disk->commit();
  EXPECT_TRUE(voter.await<PieceWritten>().has_value());
  EXPECT_TRUE(voter.await<PieceWritten>().has_value());
}

TEST(LogDisk, AReceivedSnapshotIsFollowedByOneOfOurOwn) {
  work::WorkQueue sent;
  for (std::uint64_t i = 2; i <= 11; ++i) apply(sent, *add_entry(i, 50));
  const std::string bytes = work::write_snapshot(sent);
  const TempFolder folder;
  Disk voter(folder.path());
  for (std::size_t at = 0; at < bytes.size(); at += 100'000) {
    voter.disk->post(
        consensus::StoreChunk{meta_at(11), at, bytes.size(), bytes.substr(at, 100'000)});
  }
  voter.disk->post(consensus::InstallSnapshot{meta_at(11)});
  voter.disk->commit();
  const auto installed = voter.await<Installed>();
  ASSERT_TRUE(installed.has_value());
  EXPECT_EQ(work::write_snapshot(installed->queue), bytes);

  for (const auto& entry : voter.write(12, 13)) apply(sent, *entry);
  voter.snapshot(13, sent);
  const auto taken = voter.await<consensus::SnapshotTaken>();
  ASSERT_TRUE(taken.has_value());
  EXPECT_TRUE(taken->ok);
  // And it can be read again, for a follower.
  voter.disk->post(consensus::ReadSnapshot{consensus::ServerId(2), 0, 64 * 1024});
  voter.disk->commit();
  const auto chunk = voter.await<consensus::SnapshotBytes>();
  ASSERT_TRUE(chunk.has_value());
  EXPECT_EQ(chunk->total, work::write_snapshot(sent).size());
  EXPECT_EQ(chunk->bytes, work::write_snapshot(sent).substr(0, chunk->bytes.size()));
}

TEST(LogDisk, ADamagedSnapshotIsRefusedAndNothingIsLost) {
  work::WorkQueue sent;
  apply(sent, *add_entry(2, 5));
  std::string bytes = work::write_snapshot(sent);
  bytes[bytes.size() / 2] ^= 1;
  const TempFolder folder;
  Disk voter(folder.path());
  voter.disk->post(consensus::StoreChunk{meta_at(11), 0, bytes.size(), bytes});
  voter.disk->post(consensus::InstallSnapshot{meta_at(11)});
  voter.disk->commit();
  const auto answered = voter.await<consensus::SnapshotInstalled>();
  ASSERT_TRUE(answered.has_value());
  EXPECT_FALSE(answered->ok);
  voter.write(2, 2);
  EXPECT_TRUE(voter.await<consensus::Persisted>().has_value());
}

}  // namespace
}  // namespace riftbus::node
