#include <sys/stat.h>

#include <filesystem>

#include "test/node/disk/store_stand.h"

namespace riftbus::disk {
namespace {

class LogStoreTest : public ::testing::Test {
 protected:
  void SetUp() override { begin(); }
  void begin() { store_ = reopen(folder_.path()).store; }
  void expect_kept() {
    store_.reset();
    expect_model(folder_.path(), model_);
    begin();
  }
  void persist(const Persist& request) {
    ASSERT_TRUE(write(*store_, request).ok());
    model_.persist(request);
  }

  TempFolder folder_;
  Model model_;
  std::unique_ptr<SqliteLogStore> store_;
};

TEST_F(LogStoreTest, ANewOneIsEmpty) { expect_kept(); }

TEST_F(LogStoreTest, KeepsWhatTheFirstVotersBeginWith) {
  const Memory memory = consensus::bootstrap(make_meta(1, 1).configuration);
  ASSERT_TRUE(store_->bootstrap(memory).ok());
  model_.memory = memory;
  expect_kept();
}

TEST_F(LogStoreTest, KeepsHardStateAndEntriesOfOneWrite) {
  persist({WriteSeq(1), make_hard(2, 3), Index(), make_entries(1, 5, 2)});
  expect_kept();
  persist({WriteSeq(2), std::nullopt, Index(), make_entries(6, 6, 2)});
  expect_kept();
  persist({WriteSeq(3), make_hard(3, 1), Index(), {}});
  expect_kept();
}

TEST_F(LogStoreTest, KeepsWhichRecoveryBeganItsGenerationAndThatALaterOneCame) {
  HardState hard = make_hard(2, 3);
  hard.mark = consensus::RecoveryMark(77);
  persist({WriteSeq(1), hard, Index(), make_entries(1, 5, 2)});
  expect_kept();
  hard.successor = consensus::Generation(4);
  persist({WriteSeq(2), hard, Index(), {}});
  expect_kept();
}

TEST_F(LogStoreTest, CutsInTheMiddleOfABatch) {
  persist({WriteSeq(1), make_hard(1, 0), Index(), make_entries(1, 10, 1)});
  persist({WriteSeq(2), std::nullopt, Index(), make_entries(11, 20, 1)});
  persist({WriteSeq(3), std::nullopt, Index(6), make_entries(6, 7, 2)});
  expect_kept();
  persist({WriteSeq(4), std::nullopt, Index(7), {}});
  expect_kept();
  persist({WriteSeq(5), std::nullopt, Index(1), make_entries(1, 1, 3)});
  expect_kept();
}

TEST_F(LogStoreTest, CutsWhatAnEarlierWriteOfTheSameTransactionAppended) {
  const std::vector<Persist> writes = {
      {WriteSeq(1), make_hard(1, 0), Index(), make_entries(1, 9, 1)},
      {WriteSeq(2), make_hard(2, 0), Index(4), make_entries(4, 5, 2)},
      {WriteSeq(3), std::nullopt, Index(5), {}}};
  ASSERT_TRUE(store_->persist(writes).ok());
  for (const Persist& one : writes) model_.persist(one);
  expect_kept();
}

TEST_F(LogStoreTest, SplitsWhatIsTooLongForOneBatch) {
  Persist large{WriteSeq(1), std::nullopt, Index(), {}};
  for (std::uint64_t i = 1; i <= 30; ++i) {
    large.entries.push_back(make_entry(i, 1, std::string(150 * 1024, 'x')));
  }
  persist(large);
  persist({WriteSeq(2), std::nullopt, Index(), make_entries(31, 9500, 1)});
  persist({WriteSeq(3), std::nullopt, Index(20), make_entries(20, 20, 2)});
  expect_kept();
}

TEST_F(LogStoreTest, ItsOwnSnapshotReplacesTheEntriesBeforeIt) {
  persist({WriteSeq(1), make_hard(1, 0), Index(), make_entries(1, 10, 1)});
  const auto taken = take_snapshot(*store_, make_meta(7, 1), "the state at seven", 5);
  ASSERT_TRUE(taken.ok() && *taken);
  model_.put_snapshot(make_meta(7, 1), "the state at seven");
  store_->compact({Index(7)});
  expect_kept();
  persist({WriteSeq(2), std::nullopt, Index(), make_entries(11, 12, 1)});
  expect_kept();
}

TEST_F(LogStoreTest, AnUnfinishedSnapshotCountsForNothing) {
  persist({WriteSeq(1), make_hard(1, 0), Index(), make_entries(1, 10, 1)});
  ASSERT_TRUE(store_->begin_snapshot(make_meta(7, 1)).ok());
  ASSERT_TRUE(store_->add_to_snapshot("half").ok());
  ASSERT_TRUE(store_->store_chunk({make_meta(9, 1), 0, 10, "half"}).ok());
  expect_kept();
  const auto finished = store_->finish_snapshot();
  EXPECT_TRUE(finished.ok() && !*finished);
}

TEST_F(LogStoreTest, AnInstalledSnapshotEmptiesTheLog) {
  persist({WriteSeq(1), make_hard(1, 0), Index(), make_entries(1, 10, 1)});
  for (const std::uint64_t at : {5U, 30U}) {
    const auto done = receive_snapshot(*store_, make_meta(at, 1), "from the leader", 4);
    ASSERT_TRUE(done.ok() && *done);
    model_.install_snapshot(make_meta(at, 1), "from the leader");
    expect_kept();
  }
  persist({WriteSeq(2), std::nullopt, Index(), make_entries(31, 40, 1)});
  persist({WriteSeq(3), std::nullopt, Index(31), make_entries(31, 33, 2)});
  expect_kept();
}

TEST_F(LogStoreTest, RefusesToInstallWhatIsIncompleteOrNotAccepted) {
  persist({WriteSeq(1), make_hard(1, 0), Index(), make_entries(1, 10, 1)});
  const SnapshotMeta meta = make_meta(20, 1);
  const auto accept = [](std::string_view) -> Status { return Ok{}; };
  const auto installs = [&](const PieceSink& sink) {
    const auto done = store_->install_snapshot({meta}, sink);
    return done.ok() && *done;
  };
  EXPECT_FALSE(installs(accept));
  ASSERT_TRUE(store_->store_chunk({meta, 0, 8, "half"}).ok());
  EXPECT_FALSE(installs(accept));
  ASSERT_TRUE(store_->store_chunk({meta, 0, 8, "half"}).ok());
  ASSERT_TRUE(store_->store_chunk({meta, 5, 8, "gap"}).ok());
  EXPECT_FALSE(installs(accept));
  ASSERT_TRUE(store_->store_chunk({meta, 0, 4, "full"}).ok());
  EXPECT_FALSE(installs([](std::string_view) -> Status { return Error{1741, "no", "", ""}; }));
  EXPECT_EQ(store_->failure(), nullptr);
  expect_kept();
}

TEST_F(LogStoreTest, AnInstallationEndsASnapshotOfTheOldState) {
  persist({WriteSeq(1), make_hard(1, 0), Index(), make_entries(1, 10, 1)});
  ASSERT_TRUE(store_->begin_snapshot(make_meta(10, 1)).ok());
  const auto done = receive_snapshot(*store_, make_meta(20, 1), "newer", 4);
  ASSERT_TRUE(done.ok() && *done);
  ASSERT_TRUE(store_->add_to_snapshot("older").ok());
  const auto finished = store_->finish_snapshot();
  EXPECT_TRUE(finished.ok() && !*finished);
  model_.install_snapshot(make_meta(20, 1), "newer");
  model_.memory.hard = make_hard(1, 0);
  expect_kept();
}

TEST_F(LogStoreTest, GivesASnapshotToFollowersFromAnyPlace) {
  persist({WriteSeq(1), make_hard(1, 0), Index(), make_entries(1, 10, 1)});
  EXPECT_EQ(store_->read_chunk({ServerId(9), 0, 100})->total, 0U);
  const std::string content = "0123456789abcdefghij";
  const auto taken = take_snapshot(*store_, make_meta(10, 1), content, 7);
  ASSERT_TRUE(taken.ok() && *taken);
  for (std::size_t at = 0; at <= content.size(); ++at) {
    for (const std::size_t most : {1U, 6U, 8U, 100U}) {
      const auto chunk = store_->read_chunk({ServerId(9), at, most});
      ASSERT_TRUE(chunk.ok());
      EXPECT_EQ(chunk->bytes, content.substr(at, most));
      EXPECT_EQ(chunk->total, content.size());
      EXPECT_EQ(chunk->meta, make_meta(10, 1));
      EXPECT_EQ(chunk->to, ServerId(9));
    }
  }
  EXPECT_EQ(store_->read_chunk({ServerId(9), 21, 5})->bytes, "");
}

TEST_F(LogStoreTest, DeletesInBitsAndNothingThatCounts) {
  for (std::uint64_t i = 0; i < 30; ++i) {
    persist(
        {WriteSeq(i + 1), std::nullopt, Index(), make_entries(i * 1000 + 1, i * 1000 + 1000, 1)});
  }
  const std::string content(6 * 1024 * 1024, 's');
  for (const std::uint64_t at : {25000U, 29500U}) {
    const auto taken = take_snapshot(*store_, make_meta(at, 1), content, kPieceBytesMax);
    ASSERT_TRUE(taken.ok() && *taken);
    model_.put_snapshot(make_meta(at, 1), content);
  }
  store_->compact({Index(29500)});
  int rounds = 0;
  for (bool is_more = true; is_more && rounds < 100; ++rounds) {
    const auto more = store_->tidy();
    ASSERT_TRUE(more.ok());
    is_more = *more;
  }
  // 29 batches of 1,000 entries, five at a time; 6 pieces, three at a time; perhaps a checkpoint.
  EXPECT_GE(rounds, 6 + 2);
  EXPECT_LT(rounds, 20);
  expect_kept();
}

TEST_F(LogStoreTest, IsPrivateAndForOneDaemonOnly) {
  for (const char* name : {"log.db", "log.db-wal", "log.mark"}) {
    struct stat found {};
    ASSERT_EQ(::stat(folder_.file(name).c_str(), &found), 0) << name;
    EXPECT_EQ(found.st_mode & 0777U, 0600U) << name;
  }
  const auto second = SqliteLogStore::open(folder_.path(), kOwner);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, 1701);
}

TEST_F(LogStoreTest, RefusesTheLogOfAnotherNodeOrCluster) {
  store_.reset();
  for (const LogOwner& other :
       {LogOwner{kOwner.cluster, ServerId(4)}, LogOwner{consensus::ClusterKey(78), kOwner.self}}) {
    const auto opened = SqliteLogStore::open(folder_.path(), other);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, 1702);
  }
  begin();
}

TEST_F(LogStoreTest, RefusesADatabaseOfAnotherNodeBehindItsOwnMark) {
  store_.reset();
  TempFolder other;
  {
    const auto made = SqliteLogStore::open(other.path(), {kOwner.cluster, ServerId(4)});
    ASSERT_TRUE(made.ok());
    ASSERT_TRUE((*made)->load().ok());
  }
  for (const char* name : {"log.db", "log.db-wal"}) {
    std::filesystem::copy_file(other.file(name), folder_.file(name),
                               std::filesystem::copy_options::overwrite_existing);
  }
  const auto opened = open_store(folder_.path());
  ASSERT_TRUE(opened);
  const auto loaded = opened->load();
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().code, 1702);
}

TEST_F(LogStoreTest, AMissingFileIsNotAnEmptyLog) {
  persist({WriteSeq(1), make_hard(1, 0), Index(), make_entries(1, 10, 1)});
  store_.reset();
  std::filesystem::rename(folder_.file("log.mark"), folder_.file("kept"));
  auto opened = SqliteLogStore::open(folder_.path(), kOwner);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, 1707);
  std::filesystem::rename(folder_.file("kept"), folder_.file("log.mark"));
  for (const char* name : {"log.db", "log.db-wal"}) std::filesystem::remove(folder_.file(name));
  opened = SqliteLogStore::open(folder_.path(), kOwner);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, 1707);
  EXPECT_FALSE(std::filesystem::exists(folder_.file("log.db")));
}

TEST(LogStoreRandom, KeepsWhateverWasAskedAcrossReopening) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    TempFolder folder;
    Model model, attempt;
    RandomRequests requests(seed);
    for (int life = 0; life < 5; ++life) {
      const Opened opened = reopen(folder.path());
      ASSERT_TRUE(opened.store);
      ASSERT_EQ(difference(model.memory, opened.memory), "");
      ASSERT_EQ(read_all(*opened.store), model.snapshot);
      for (int i = 0; i < 40; ++i) ASSERT_TRUE(requests.step(*opened.store, model, attempt));
    }
    expect_model(folder.path(), model);
  }
}

}  // namespace
}  // namespace riftbus::disk
