// Seal: what CURVE does for a connection, done for single posts over a medium that does neither.
//
// Two members know each other's public keys from the roster. The one that posts says hello with a
// fresh key of its own, boxed (NaCl crypto_box) with both members' long keys; the other answers
// likewise with the key of its present life and an epoch, a number it never gives twice. From then
// on both use the key that the two short-lived ones make. The first posts of a session carry a vow,
// boxed with the long keys again, that names both short-lived keys and the epoch.
//
// So a stranger can read nothing and forge nothing. Nothing can be replayed: a post's number only
// rises within its session, an epoch opens one session, and neither outlives the process; an
// answer is bound to the number of its post. What was recorded stays closed when a long key leaks
// later, once both processes have ended. Who is forbidden by the roster is refused with the next
// post, whatever session it has. A flood of recorded hellos costs a box each and ends no session.
//
// As with CURVE, whoever holds a member's own secret key can pose as others towards that member.
//
// Loop thread; the key pair outlives both classes.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "bus/keys.h"
#include "bus/wire/parcel.h"

namespace riftbus::bus {

using SharedKey = std::array<std::uint8_t, 32>;

// Why a post goes no further. malformed: not a post. forged: not by whom it says, or not for us.
// replayed: its number or its epoch was used. no_session: of an earlier life of one of the two; a
// hello helps.
enum class SealRefusal : std::uint8_t { malformed, stranger, forged, replayed, no_session };
inline constexpr std::size_t kSealRefusals = 5;
[[nodiscard]] const char* to_string(SealRefusal refusal);

// The side that is posted to; one for all who post.
class SealHost {
 public:
  struct Welcome {
    std::string answer;
  };
  struct Letter {
    std::uint64_t number = 0;
    std::string plain;
  };
  using Opened = std::variant<Welcome, Letter, SealRefusal>;

  SealHost(const KeyPair& own, NodeId self);

  // `keys`: of post.from, as the roster in force has them; empty: it may not speak.
  [[nodiscard]] Opened open(const wire::Post& post, std::span<const CurveKey> keys);
  // To the letter that was opened last of this member; once (CHECKed that there is a session).
  [[nodiscard]] std::string answer(const NodeId& to, std::uint64_t number,
                                   std::string_view plain) const;

 private:
  struct Session {
    CurveKey peer;
    std::string caller;
    SharedKey key{};
    std::uint64_t number = 0;
  };
  struct Caller {
    std::uint64_t issued = 0;
    std::uint64_t taken = 0;
    std::optional<Session> session;
  };

  [[nodiscard]] Opened greet(const wire::Post& post, std::span<const CurveKey> keys);
  [[nodiscard]] std::optional<SealRefusal> begin(const wire::Post& post,
                                                 std::span<const CurveKey> keys);
  [[nodiscard]] const SharedKey& shared_with(const CurveKey& peer);
  [[nodiscard]] std::optional<wire::Vow> open_vow(const wire::Post& post, std::string_view box,
                                                  std::uint8_t step, std::span<const CurveKey> keys,
                                                  CurveKey& by);

  const KeyPair& own_;
  NodeId self_;
  KeyPair life_;                          // short-lived: of this process
  std::map<CurveKey, SharedKey> shared_;  // of long keys: a forger costs no curve arithmetic
  std::map<NodeId, Caller> callers_;      // bounded by the rosters of this life
};

// The side that posts to one peer.
class SealCaller {
 public:
  SealCaller(const KeyPair& own, NodeId self, NodeId peer);

  // Begins anew; the answer to it goes to on_welcome().
  [[nodiscard]] std::string hello(const CurveKey& peer_key);
  // False: not by the peer, or not to the last hello.
  [[nodiscard]] bool on_welcome(std::string_view answer);
  [[nodiscard]] bool ready() const { return key_.has_value(); }
  // Of which key of the peer the session is.
  [[nodiscard]] const CurveKey& peer_key() const { return peer_key_; }
  // ready() is CHECKed.
  [[nodiscard]] std::string seal(std::string_view plain);
  // The answer to the last post.
  [[nodiscard]] std::optional<std::string> open(std::string_view answer);
  // The peer knows the session no more.
  void forget();

 private:
  const KeyPair& own_;
  NodeId self_;
  NodeId peer_;
  CurveKey peer_key_;
  KeyPair life_;
  std::optional<SharedKey> key_;
  std::string vow_;  // until it was answered
  std::uint64_t number_ = 0;
};

[[nodiscard]] std::string to_base64(std::string_view bytes);
// Nothing: not base64, or longer than `bytes_max`.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text, std::size_t bytes_max);

}  // namespace riftbus::bus
