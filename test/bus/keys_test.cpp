#include "bus/keys.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "bus/durable_file.h"
#include "bus/key_files.h"
#include "bus/roster_file.h"
#include "test/bus/temporary_directory.h"
#include "test/bus/vocabulary.h"

namespace riftbus {
namespace {

using test::id_of;

mode_t mode_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

std::string read_all(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_all(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::trunc) << text;
}

std::size_t count_files(const std::string& directory) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator(directory)) ++count;
  return count;
}

TEST(KeyPair, AgreesWithZeroMqsOwnGenerator) {
  char shown[41];
  char secret[41];
  ASSERT_EQ(zmq_curve_keypair(shown, secret), 0);
  const auto pair = KeyPair::from_secret(CurveSecret(CurveKey::from_z85(secret)->bytes));
  EXPECT_EQ(pair.public_key.z85(), shown);
}

TEST(KeyPair, IsNewEachTime) {
  EXPECT_NE(KeyPair::generate().public_key, KeyPair::generate().public_key);
}

TEST(CurveSecret, IsWipedWhenMovedFrom) {
  KeyPair pair = KeyPair::generate();
  const CurveSecret taken = std::move(pair.secret);
  EXPECT_EQ(pair.secret.bytes(),
            (std::array<std::uint8_t, 32>{}));  // NOLINT(bugprone-use-after-move)
  EXPECT_NE(taken.bytes(), (std::array<std::uint8_t, 32>{}));
}

class KeyFiles : public testing::Test {
 protected:
  test::TemporaryDirectory place_;
  std::string keys_ = place_ / "keys";
};

TEST_F(KeyFiles, OfANodeLoadAsTheyWereMade) {
  const auto made = create_node_key(keys_, id_of("gpu-1"));
  ASSERT_TRUE(made.ok()) << made.error().to_string();
  const auto loaded = load_node_key(keys_);
  ASSERT_TRUE(loaded.ok()) << loaded.error().to_string();
  EXPECT_EQ(loaded->id, id_of("gpu-1"));
  EXPECT_EQ(loaded->keys.public_key, made->key);
  const auto shown = load_public_identity(keys_ + "/node.pub");
  ASSERT_TRUE(shown.ok()) << shown.error().to_string();
  EXPECT_EQ(shown->key, made->key);
}

TEST_F(KeyFiles, OfAnAuthoritySignForIt) {
  const auto made = create_authority(keys_, "kitchen");
  ASSERT_TRUE(made.ok()) << made.error().to_string();
  const auto secret = load_authority(keys_);
  ASSERT_TRUE(secret.ok()) << secret.error().to_string();
  const auto shown = load_public_authority(keys_ + "/authority.pub");
  ASSERT_TRUE(shown.ok()) << shown.error().to_string();
  Roster roster;
  roster.cluster = "kitchen";
  roster.version = RosterVersion(1);
  const auto signed_roster = sign_roster(roster, secret->secret);
  EXPECT_TRUE(verify_roster(signed_roster.bytes, shown->key, shown->cluster).ok());
}

TEST_F(KeyFiles, HoldTheSecretWhereOnlyTheOwnerReads) {
  const mode_t before = ::umask(0);
  ASSERT_TRUE(create_node_key(keys_, id_of("gpu-1")).ok());
  ::umask(before);
  EXPECT_EQ(mode_of(keys_), 0700U);
  EXPECT_EQ(mode_of(keys_ + "/node.key"), 0600U);
  EXPECT_EQ(mode_of(keys_ + "/node.pub"), 0644U);
  EXPECT_EQ(count_files(keys_), 2U) << "a temporary file was left behind";
  const std::string secret_word = "secret=";
  const std::string text = read_all(keys_ + "/node.key");
  const std::string secret = text.substr(text.find(secret_word) + secret_word.size(), 40);
  EXPECT_EQ(read_all(keys_ + "/node.pub").find(secret), std::string::npos);
}

TEST_F(KeyFiles, AreNeverOverwritten) {
  ASSERT_TRUE(create_node_key(keys_, id_of("gpu-1")).ok());
  const std::string before = read_all(keys_ + "/node.key") + read_all(keys_ + "/node.pub");
  const auto again = create_node_key(keys_, id_of("gpu-1"));
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, 1110);
  EXPECT_EQ(again.error().where, keys_ + "/node.key");
  EXPECT_EQ(read_all(keys_ + "/node.key") + read_all(keys_ + "/node.pub"), before);
  EXPECT_EQ(count_files(keys_), 2U);
}

TEST_F(KeyFiles, AreNotWrittenThroughAPlantedLink) {
  ASSERT_TRUE(make_private_directory(keys_).ok());
  const std::string elsewhere = place_ / "elsewhere";
  ASSERT_EQ(::symlink(elsewhere.c_str(), (keys_ + "/node.key").c_str()), 0);
  EXPECT_EQ(create_node_key(keys_, id_of("gpu-1")).error().code, 1110);
  EXPECT_FALSE(std::filesystem::exists(elsewhere));
}

TEST_F(KeyFiles, ThatOthersCanReachAreRefused) {
  ASSERT_TRUE(create_node_key(keys_, id_of("gpu-1")).ok());
  const std::string path = keys_ + "/node.key";
  for (const mode_t mode : {0640U, 0604U, 0620U}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    const auto loaded = load_node_key(keys_);
    ASSERT_FALSE(loaded.ok()) << mode;
    EXPECT_EQ(loaded.error().code, 1112);
    EXPECT_EQ(loaded.error().where, path);
    EXPECT_NE(loaded.error().next.find("chmod 600 " + path), std::string::npos);
  }
}

TEST_F(KeyFiles, AreNotMadeWhereOthersCanWrite) {
  ASSERT_TRUE(make_private_directory(keys_).ok());
  ASSERT_EQ(::chmod(keys_.c_str(), 0777), 0);
  EXPECT_EQ(create_node_key(keys_, id_of("gpu-1")).error().code, 1115);
}

TEST_F(KeyFiles, ThatWereDamagedAreRefused) {
  ASSERT_TRUE(create_node_key(keys_, id_of("gpu-1")).ok());
  const std::string path = keys_ + "/node.key";
  const std::string whole = read_all(path);
  const std::string other_key = KeyPair::generate().public_key.z85();
  std::string swapped = whole;
  swapped.replace(swapped.find("public=") + 7, 40, other_key);
  const std::vector<std::string> damages{"",       whole.substr(0, whole.size() / 2),
                                         "junk\n", std::string(5000, '#'),
                                         swapped,  std::string(100, '\0')};
  for (const auto& damage : damages) {
    write_all(path, damage);
    const auto loaded = load_node_key(keys_);
    ASSERT_FALSE(loaded.ok());
    EXPECT_EQ(loaded.error().where, path);
  }
}

TEST_F(KeyFiles, OfAnAuthorityWithMixedHalvesAreRefused) {
  ASSERT_TRUE(create_authority(keys_, "kitchen").ok());
  const std::string path = keys_ + "/authority.key";
  std::string text = read_all(path);
  const auto digit = text.size() - 2;  // in the half of the secret that repeats the public key
  text[digit] = text[digit] == '0' ? '1' : '0';
  write_all(path, text);
  EXPECT_EQ(load_authority(keys_).error().code, 1113);
}

TEST_F(KeyFiles, ThatAreMissingAreNamed) {
  const auto loaded = load_node_key(keys_);
  EXPECT_EQ(loaded.error().code, 1111);
  EXPECT_EQ(loaded.error().where, keys_ + "/node.key");
}

TEST_F(KeyFiles, ReplacedByAPipeDoNotHangTheReader) {
  ASSERT_TRUE(make_private_directory(keys_).ok());
  ASSERT_EQ(::mkfifo((keys_ + "/node.key").c_str(), 0600), 0);
  EXPECT_EQ(load_node_key(keys_).error().code, 1111);
}

class RosterFiles : public testing::Test {
 protected:
  SignedRoster make_version(std::uint64_t version) {
    Roster roster;
    roster.cluster = "kitchen";
    roster.version = RosterVersion(version);
    return sign_roster(roster, secret_);
  }
  Result<LoadedRoster> load() { return load_roster_file(path_, secret_.public_key(), "kitchen"); }

  test::TemporaryDirectory place_;
  std::string path_ = place_ / "roster";
  AuthoritySecret secret_ = AuthoritySecret::generate();
};

TEST_F(RosterFiles, KeepTheNewestAndTheOneBefore) {
  for (const std::uint64_t version : {1U, 2U, 3U}) {
    ASSERT_TRUE(save_roster_file(path_, make_version(version)).ok());
  }
  EXPECT_EQ(load().value().roster.roster.version, RosterVersion(3));
  EXPECT_EQ(read_all(path_ + ".prev"), make_version(2).bytes);
}

TEST_F(RosterFiles, SavedTwiceKeepTheOneBefore) {
  for (const std::uint64_t version : {1U, 2U, 2U}) {
    ASSERT_TRUE(save_roster_file(path_, make_version(version)).ok());
  }
  EXPECT_EQ(read_all(path_ + ".prev"), make_version(1).bytes);
}

TEST_F(RosterFiles, FallBackToThePreviousOneAndSayWhy) {
  ASSERT_TRUE(save_roster_file(path_, make_version(1)).ok());
  ASSERT_TRUE(save_roster_file(path_, make_version(2)).ok());
  write_all(path_, "riftbus-roster 1\nclus");
  const auto loaded = load();
  ASSERT_TRUE(loaded.ok()) << loaded.error().to_string();
  EXPECT_EQ(loaded->roster.roster.version, RosterVersion(1));
  ASSERT_TRUE(loaded->fallback_reason.has_value());
  EXPECT_EQ(loaded->fallback_reason->code, 1116);
  EXPECT_EQ(loaded->fallback_reason->where, path_);
}

TEST_F(RosterFiles, ThatAreDamagedNeverReplaceAGoodPreviousOne) {
  ASSERT_TRUE(save_roster_file(path_, make_version(1)).ok());
  ASSERT_TRUE(save_roster_file(path_, make_version(2)).ok());
  write_all(path_, "damaged");
  ASSERT_TRUE(save_roster_file(path_, make_version(3)).ok());
  EXPECT_EQ(read_all(path_ + ".prev"), make_version(1).bytes);
}

TEST_F(RosterFiles, DamagedTogetherAreAnErrorWithThePath) {
  write_all(path_, "damaged\n");
  write_all(path_ + ".prev", "damaged\n");
  const auto loaded = load();
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().where, path_);
}

TEST_F(RosterFiles, SignedByAnotherAuthorityAreRefused) {
  ASSERT_TRUE(save_roster_file(path_, make_version(1)).ok());
  const auto stranger = AuthoritySecret::generate().public_key();
  EXPECT_EQ(load_roster_file(path_, stranger, "kitchen").error().code, 1102);
}

TEST(DurableFile, ReportsADirectoryThatDoesNotExist) {
  const test::TemporaryDirectory place;
  const auto status = create_file(place / "no/such/file", "x", FilePrivacy::shared);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, 1114);
}

TEST(Loopback, IsJudgedByLiteralAddressesOnly) {
  for (const auto* host : {"127.0.0.1", "127.8.9.10", "::1", "[::1]"}) {
    EXPECT_TRUE(is_loopback_only(host)) << host;
  }
  for (const auto* host : {"", "*", "0.0.0.0", "::", "[::]", "192.0.2.1", "localhost", "128.0.0.1",
                           "127.1", "127.0.0.1.example", "::ffff:192.0.2.1", "lo", "[]", "["}) {
    EXPECT_FALSE(is_loopback_only(host)) << host;
  }
}

TEST(Loopback, EndpointsAreJudgedByTheirHost) {
  for (const auto* endpoint : {"inproc://a", "ipc:///run/a", "tcp://127.0.0.1:7770",
                               "tcp://127.0.0.1:*", "tcp://[::1]:7770"}) {
    EXPECT_TRUE(is_loopback_endpoint(endpoint)) << endpoint;
  }
  for (const auto* endpoint :
       {"tcp://*:7770", "tcp://0.0.0.0:7770", "tcp://[::]:7770", "tcp://192.0.2.1:7770",
        "tcp://127.0.0.1", "ws://127.0.0.1:1", "udp://127.0.0.1:1", "127.0.0.1:7770", "",
        "tcp://0.0.0.0:0;127.0.0.1:7770"}) {
    EXPECT_FALSE(is_loopback_endpoint(endpoint)) << endpoint;
  }
}

}  // namespace
}  // namespace riftbus
