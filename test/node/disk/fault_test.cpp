#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "test/node/disk/fault_vfs.h"
#include "test/node/disk/store_stand.h"

namespace riftbus::disk {
namespace {

void write_file(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

// The folder holds one of two states, whole.
void expect_either(const std::string& folder, const Model& model, const Model& attempt,
                   Model& found) {
  const Opened opened = reopen(folder);
  ASSERT_TRUE(opened.store);
  const std::string snapshot = read_all(*opened.store);
  for (const Model* one : {&attempt, &model}) {
    if (difference(one->memory, opened.memory).empty() && snapshot == one->snapshot) {
      found = *one;
      return;
    }
  }
  FAIL() << "neither before (" << difference(model.memory, opened.memory) << ") nor after ("
         << difference(attempt.memory, opened.memory) << ")";
}

TEST(LogStoreFaults, AfterAPowerCutEachWriteIsWholeOrAbsent) {
  FaultVfs vfs;
  int unacknowledged = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    TempFolder folder;
    Random random(seed);
    RandomRequests requests(seed + 100);
    Model model, attempt;
    { const Opened first = reopen(folder.path()); }
    for (int life = 0; life < 12; ++life) {
      std::vector<std::string> marks;
      {
        auto opened = open_store(folder.path());
        ASSERT_TRUE(opened);
        ASSERT_TRUE(opened->load().ok());
        attempt = model;
        vfs.die_after(1 + random.below(120));
        marks.push_back(read_file(folder.file("log.mark")));
        while (requests.step(*opened, model, attempt)) {
          marks.push_back(read_file(folder.file("log.mark")));
        }
      }
      ASSERT_TRUE(vfs.is_dead());
      vfs.cut_power(random);
      // The mark is never synced: any of its versions may be there.
      write_file(folder.file("log.mark"),
                 marks[static_cast<std::size_t>(random.below(marks.size()))]);
      Model found;
      ASSERT_NO_FATAL_FAILURE(expect_either(folder.path(), model, attempt, found));
      if (difference(model.memory, found.memory) != "") ++unacknowledged;
      model = found;
    }
  }
  EXPECT_GT(unacknowledged, 0) << "no cut fell between a write's sync and its acknowledgement";
}

TEST(LogStoreFaults, AFailedSyncEndsTheServiceForGood) {
  FaultVfs vfs;
  TempFolder folder;
  Model model;
  {
    const Opened opened = reopen(folder.path());
    const Persist first{WriteSeq(1), make_hard(1, 2), Index(), make_entries(1, 5, 1)};
    ASSERT_TRUE(write(*opened.store, first).ok());
    model.persist(first);
    vfs.fail_next_sync();
    const Persist second{WriteSeq(2), std::nullopt, Index(), make_entries(6, 9, 1)};
    const Status failed = write(*opened.store, second);
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().code, 1708);
    EXPECT_NE(failed.error().where.find("log.db"), std::string::npos);
    const std::uint64_t writes = vfs.writes();
    EXPECT_EQ(write(*opened.store, second).error(), failed.error());
    EXPECT_EQ(opened.store->tidy().error(), failed.error());
    EXPECT_EQ(opened.store->begin_snapshot(make_meta(3, 1)).error(), failed.error());
    EXPECT_EQ(opened.store->read_chunk({ServerId(1), 0, 10}).error(), failed.error());
    EXPECT_EQ(*opened.store->failure(), failed.error());
    EXPECT_EQ(vfs.writes(), writes) << "a failed disk was written to again";
  }
  // The kernel may show bytes that the disk does not have. A start writes and syncs them anew
  // before it vouches for them: a power cut right after it takes nothing back.
  Memory seen;
  {
    const std::uint64_t syncs = vfs.syncs();
    const Opened opened = reopen(folder.path());
    EXPECT_GT(vfs.syncs(), syncs);
    seen = opened.memory;
    vfs.die_after(1);
    EXPECT_FALSE(write(*opened.store, {WriteSeq(3), make_hard(9, 1), Index(), {}}).ok());
  }
  Random random(7);
  vfs.cut_power(random);
  EXPECT_EQ(difference(seen, reopen(folder.path()).memory), "");
}

// Writes until the disk is full; everything acknowledged is in `model`.
Status fill(SqliteLogStore& store, Model& model) {
  for (std::uint64_t i = model.last().value() + 1; i < 2000; ++i) {
    const Persist one{
        WriteSeq(i), std::nullopt, Index(), {make_entry(i, 1, std::string(20000, 'x'))}};
    if (Status written = write(store, one); !written.ok()) return written;
    model.persist(one);
  }
  return Ok{};
}

TEST(LogStoreFaults, AFullDiskLosesNothingAndAStartWithSpaceGoesOn) {
  TempFolder folder;
  if (::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=4m,mode=0700") != 0) {
    GTEST_SKIP() << "no right to mount a small disk; see the test with a limit";
  }
  Model model;
  {
    const Opened opened = reopen(folder.path());
    const Status full = fill(*opened.store, model);
    ASSERT_FALSE(full.ok());
    EXPECT_EQ(full.error().code, 1709);
    EXPECT_EQ(fill(*opened.store, model).error(), full.error());
  }
  EXPECT_GT(model.memory.entries.size(), 50U);
  EXPECT_EQ(::mount("tmpfs", folder.path().c_str(), "tmpfs", MS_REMOUNT, "size=64m"), 0);
  expect_model(folder.path(), model);
  {
    const Opened opened = reopen(folder.path());
    const Persist next{WriteSeq(1), make_hard(2, 2), Index(), {}};
    EXPECT_TRUE(write(*opened.store, next).ok());
    model.persist(next);
  }
  expect_model(folder.path(), model);
  EXPECT_EQ(::umount(folder.path().c_str()), 0);
}

TEST(LogStoreFaults, ALimitOfTheFileSizeLosesNothing) {
  TempFolder folder;
  Model model;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  {
    const Opened opened = reopen(folder.path());
    const rlimit small{3 * 1024 * 1024, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const Status failed = fill(*opened.store, model);
    EXPECT_FALSE(failed.ok());
    EXPECT_NE(opened.store->failure(), nullptr);
  }
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_GT(model.memory.entries.size(), 50U);
  expect_model(folder.path(), model);
}

// ---- kill -9 ---------------------------------------------------------------------------------

// Appends for ever, with snapshots and deletions; says each acknowledged index into the pipe.
[[noreturn]] void append_for_ever(const std::string& folder, int pipe) {
  auto opened = SqliteLogStore::open(folder, kOwner);
  const auto store = std::move(*opened);
  const Memory memory = store->load().value();
  std::uint64_t last =
      memory.entries.empty() ? memory.snapshot.index.value() : memory.entries.back()->index.value();
  for (std::uint64_t round = 1;; ++round) {
    const std::uint64_t count = 1 + round % 7;
    const Persist one{WriteSeq(round), std::nullopt, Index(),
                      make_entries(last + 1, last + count, 1)};
    if (!write(*store, one).ok()) ::_exit(1);
    last += count;
    if (::write(pipe, &last, sizeof last) != sizeof last) ::_exit(0);
    if (round % 50 == 0) {
      if (!take_snapshot(*store, make_meta(last - 20, 1), std::to_string(last - 20), 3).ok()) {
        ::_exit(1);
      }
      store->compact({Index(last - 30)});
    }
    if (round % 3 == 0 && !store->tidy().ok()) ::_exit(1);
  }
}

TEST(LogStoreFaults, WhatWasAcknowledgedOutlivesAKilledProcess) {
  TempFolder folder;
  for (const std::uint64_t acknowledged_min : {3U, 120U, 350U, 40U}) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) append_for_ever(folder.path(), ends[1]);
    ::close(ends[1]);
    std::uint64_t acknowledged = 0;
    std::uint64_t count = 0;
    while (count < acknowledged_min &&
           ::read(ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged) {
      ++count;
    }
    ::kill(child, SIGKILL);
    while (::read(ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged) ++count;
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself";
    EXPECT_GE(count, acknowledged_min);

    const Opened opened = reopen(folder.path());
    const std::uint64_t from = opened.memory.snapshot.index.value();
    const std::uint64_t last = from + opened.memory.entries.size();
    EXPECT_GE(last, acknowledged);
    Memory expected{opened.memory.hard, opened.memory.snapshot, make_entries(from + 1, last, 1)};
    EXPECT_EQ(difference(expected, opened.memory), "");
    if (from > 0) {
      EXPECT_EQ(read_all(*opened.store), std::to_string(from));
    }
  }
}

}  // namespace
}  // namespace riftbus::disk
