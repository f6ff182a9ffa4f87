#include "node/mesh/tunnel_keeper.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "bus/clock.h"
#include "test/node/temp_folder.h"
#include "test/node/vocabulary.h"

namespace riftbus::node {
namespace {

const NodeId kRelay = id("relay-1");

// A program that writes down its arguments, tells what signals it gets, and ends when it is told.
constexpr const char* kScript = R"(#!/usr/bin/python3
import os, signal, sys, time
def note(name, text):
    with open(os.path.join(sys.argv[3], name), "a") as file:
        file.write(text + "\n")
def end(*_):
    note("signals", "term")
    os._exit(0)
signal.signal(signal.SIGUSR1, lambda *_: note("signals", "usr1"))
signal.signal(signal.SIGTERM, signal.SIG_IGN if os.path.exists(sys.argv[3] + "/deaf") else end)
note("started", " ".join(sys.argv[1:]))
note("ready", "")
while True:  # pause() would sleep over a signal that came just before it
    time.sleep(0.05)
)";

class TunnelKeeperTest : public ::testing::Test {
 protected:
  TunnelKeeperTest() {
    write("program", kScript);
    ::chmod(path("program").c_str(), 0755);
  }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_.file(name); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream file(path(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  [[nodiscard]] Moment now() const { return {bus::boot_now() + skipped_, 1}; }

  // Tends it until something is so; the deadline is far away.
  template <class Condition>
  void tend_until(TunnelKeeper& keeper, const std::vector<NodeId>& wished, Condition condition) {
    const TimePoint deadline = bus::boot_now() + Seconds{20};
    while (!condition() && bus::boot_now() < deadline) {
      keeper.tend(wished, now());
      ::poll(nullptr, 0, 5);
    }
    EXPECT_TRUE(condition());
  }
  void start(TunnelKeeper& keeper) {
    std::filesystem::remove(path("ready"));
    tend_until(keeper, {kRelay}, [&] { return std::filesystem::exists(path("ready")); });
  }
  static int pid_of(const TunnelKeeper& keeper) { return keeper.runs().at(kRelay).pid; }

  TempFolder folder_;
  Nanos skipped_{};
  Journal journal_{Instance(1)};
};

TEST_F(TunnelKeeperTest, StartsATunnelWithItsRelayAndTheNodesOwnArguments) {
  TunnelKeeper keeper(path("program"), {folder_.file("")}, folder_.file(""), journal_);
  start(keeper);
  EXPECT_EQ(read("started"), "--attach relay-1 " + folder_.file("") + "\n");
  EXPECT_EQ(keeper.runs().at(kRelay).starts, 1u);
}

TEST_F(TunnelKeeperTest, AStateOfAFormerLifeIsRemovedBeforeAnythingElse) {
  write("tunnel-relay-1.json", "{}");
  TunnelKeeper keeper(path("program"), {folder_.file("")}, folder_.file(""), journal_);
  start(keeper);
  EXPECT_FALSE(std::filesystem::exists(path("tunnel-relay-1.json")));
}

TEST_F(TunnelKeeperTest, StartsItAgainAfterAPause) {
  TunnelKeeper keeper(path("program"), {folder_.file("")}, folder_.file(""), journal_);
  start(keeper);
  const int first = pid_of(keeper);
  ::kill(first, SIGKILL);
  tend_until(keeper, {kRelay}, [&] { return pid_of(keeper) == 0; });
  EXPECT_EQ(keeper.runs().at(kRelay).ended_by, "signal 9");
  EXPECT_GT(keeper.runs().at(kRelay).due, now().at);
  EXPECT_EQ(journal_.size(), 1u);
  skipped_ = TunnelKeeper::kPauseMin;
  start(keeper);
  EXPECT_NE(pid_of(keeper), first);
  EXPECT_EQ(keeper.runs().at(kRelay).pause, 2 * TunnelKeeper::kPauseMin);
}

TEST_F(TunnelKeeperTest, EndsOneThatIsNotWishedForAnyMore) {
  TunnelKeeper keeper(path("program"), {folder_.file("")}, folder_.file(""), journal_);
  start(keeper);
  tend_until(keeper, {}, [&] { return pid_of(keeper) == 0; });
  EXPECT_EQ(read("signals"), "term\n") << "told once";
  EXPECT_EQ(journal_.size(), 0u) << "no news: it was told to";
  start(keeper);
}

TEST_F(TunnelKeeperTest, KillsOneThatDoesNotListen) {
  write("deaf", "");
  TunnelKeeper keeper(path("program"), {folder_.file("")}, folder_.file(""), journal_);
  start(keeper);
  keeper.tend({}, now());
  skipped_ = TunnelKeeper::kEndMax;
  tend_until(keeper, {}, [&] { return pid_of(keeper) == 0; });
}

TEST_F(TunnelKeeperTest, AReconnectIsASignalToTheOneThatRuns) {
  TunnelKeeper keeper(path("program"), {folder_.file("")}, folder_.file(""), journal_);
  EXPECT_FALSE(keeper.reconnect(kRelay, now().at)) << "there is none";
  start(keeper);
  EXPECT_TRUE(keeper.reconnect(kRelay, now().at));
  tend_until(keeper, {kRelay}, [&] { return read("signals") == "usr1\n"; });
}

TEST_F(TunnelKeeperTest, AProgramThatIsNotThereIsTriedAgainAndSaidSo) {
  TunnelKeeper keeper(path("nowhere"), {}, folder_.file(""), journal_);
  tend_until(keeper, {kRelay}, [&] {
    const auto run = keeper.runs().find(kRelay);
    return run != keeper.runs().end() && !run->second.ended_by.empty();
  });
  EXPECT_NE(keeper.runs().at(kRelay).ended_by.find("does not start"), std::string::npos);
}

TEST_F(TunnelKeeperTest, NobodyIsLeftBehind) {
  int pid = 0;
  {
    TunnelKeeper keeper(path("program"), {folder_.file("")}, folder_.file(""), journal_);
    start(keeper);
    pid = pid_of(keeper);
  }
  EXPECT_NE(::kill(pid, 0), 0);
  EXPECT_EQ(read("signals"), "term\n");
}

}  // namespace
}  // namespace riftbus::node
