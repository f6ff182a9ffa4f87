// A record read back, as `riftbus tap -r` does it; the live end is tested with real nodes.
#include "bus/tap/run.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "bus/tap/output.h"
#include "test/bus/tap/frames.h"

namespace riftbus::tap {
namespace {

namespace fs = std::filesystem;

class RunTest : public testing::Test {
 protected:
  RunTest() : path_(fs::temp_directory_path() / ("riftbus-run-" + std::to_string(::getpid()))) {
    std::ofstream file(path_);
    file << json_line(published("n1", "beat", 50, "inc=1")) << '\n'
         << json_line(Loss{id("n1"), 7, 2}) << '\n'
         << json_line(call_out("n1", "n2", "ping", 3, 40, "")) << '\n'
         << json_line(at(call_in("n1", "n2", "pong", 3, 44, "inc=4"), 12)) << '\n';
  }
  ~RunTest() override { fs::remove(path_); }

  int run(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"-r", path_});
    const auto options = parse_options(arguments);
    EXPECT_TRUE(options.ok());
    out_.str("");
    err_.str("");
    return run_recorded(*options, out_, err_);
  }

  std::string path_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(RunTest, ShowsARecordWithItsTotals) {
  EXPECT_EQ(run({}), 0);
  EXPECT_EQ(out_.str(),
            "12:00:00.000 [n1] beat n1>* seq=1 50B inc=1\n"
            "12:00:00.000 [n1] ping n1>n2 seq=1 corr=3 40B\n"
            "12:00:00.012 [n1] pong n2>n1 seq=1 corr=3 44B inc=4\n");
  EXPECT_EQ(err_.str(), "3 shown, 3 matched filter, 7 dropped by node, 2 by tap\n");
}

TEST_F(RunTest, FiltersCountsAndPicksFields) {
  EXPECT_EQ(run({"-Y", "channel=call", "-c", "1", "-o", "fields=kind,size"}), 0);
  EXPECT_EQ(out_.str(), "ping\t40\n");
  EXPECT_EQ(err_.str().substr(0, 26), "1 shown, 1 matched filter,");
}

TEST_F(RunTest, Summarizes) {
  EXPECT_EQ(run({"-z", "latency"}), 0);
  EXPECT_EQ(out_.str(),
            "  ANSWERED      P50      P99      MAX  request\n"
            "         1     12ms     12ms     12ms  ping asked\n");
}

TEST_F(RunTest, TellsDamageAndATornEnd) {
  std::ofstream(path_, std::ios::app) << "damage\n{\"schema\":1,";
  EXPECT_EQ(run({}), 65);
  EXPECT_NE(err_.str().find("ends within a line"), std::string::npos);
  EXPECT_NE(err_.str().find("1 damaged lines were skipped"), std::string::npos);
}

TEST_F(RunTest, AMissingRecordIsAnError) {
  fs::remove(path_);
  EXPECT_EQ(run({}), 65);
  EXPECT_NE(err_.str().find("F-1555"), std::string::npos);
}

TEST_F(RunTest, AnOutputRecordsLossesAndShowsNothing) {
  const std::string copy = path_ + ".copy";
  const auto options = parse_options({"-w", copy});
  {
    auto output = Output::open(*options, false, out_);
    ASSERT_TRUE(output.ok());
    ASSERT_TRUE(output->take(published("n1", "beat", 50, "")).ok());
    ASSERT_TRUE(output->take(Loss{id("n1"), 1, 0}).ok());
    ASSERT_TRUE(output->flush().ok());
    EXPECT_EQ(output->shown(), 1U);
  }
  EXPECT_EQ(out_.str(), "");
  std::ifstream file(copy);
  RecordReader reader(file);
  EXPECT_TRUE(std::holds_alternative<Seen>(*reader.next()));
  EXPECT_TRUE(std::holds_alternative<Loss>(*reader.next()));
  fs::remove(copy);
}

}  // namespace
}  // namespace riftbus::tap
