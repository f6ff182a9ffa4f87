// Parcel and its wrappings: what two members post to each other where a medium carries text only.
//
// Over HTTP nothing stays connected, so what a bus connection would carry piece by piece goes in
// parcels: every post brings what its sender has for the receiver, every answer the reverse. A
// Parcel holds whole envelopes (codec.h) and says from where on its sender wants to hear the
// receiver's publications. It travels sealed (bus/seal.h): a Post is what is sent, an Answer what
// comes back, and a Vow is what the two prove to each other before they share a key.
//
// All are msgpack arrays like everything else on the bus; elements may be appended. decode is
// total: any bytes give a value within limits, or nothing. Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/types.h"

namespace riftbus::wire {

inline constexpr std::size_t kParcelFramesMax = 96;
// Of all envelopes together: as base64, sealed, it stays below a megabyte.
inline constexpr std::size_t kParcelBytesMax = 640 * 1024;

// pub: a publication of the sender. call: answers are welcome. answer: to an earlier call.
enum class Way : std::uint8_t { pub = 1, call = 2, answer = 3 };

struct ParcelFrame {
  Way way = Way::pub;
  std::string envelope;
  bool operator==(const ParcelFrame&) const = default;
};

struct Parcel {
  bool listens = false;  // the sender watches the receiver
  Instance heard;        // which life of the receiver it heard last,
  Seq after;             // and up to which publication
  std::vector<ParcelFrame> frames;
  bool operator==(const Parcel&) const = default;
};

// hello: `box` holds a Vow under both members' own keys. sealed: `box` holds a Parcel under the
// session's key, and `vow` the proof of who began that session, until it was answered once.
enum class PostKind : std::uint8_t { hello = 1, sealed = 2 };

struct Post {
  PostKind kind = PostKind::hello;
  NodeId from;
  std::string session;       // the sender's key for this session only; 32 bytes
  std::uint64_t number = 0;  // of the post in its session; only rises
  std::string vow;           // nonce and box
  std::string box;           // hello: with its nonce in front
};

struct PostAnswer {
  PostKind kind = PostKind::hello;  // of the post that it answers
  std::uint64_t number = 0;         // likewise
  std::string box;                  // hello: a Vow, with its nonce in front; else a Parcel
};

struct Vow {
  std::uint8_t step = 0;  // 1: of a hello, 2: of its answer, 3: of the session's first posts
  NodeId from;
  NodeId to;
  std::string caller;       // the caller's key for this session; 32 bytes
  std::string host;         // the answerer's key of this life; 32 bytes, empty in step 1
  std::uint64_t epoch = 0;  // given by the answerer; each is good for one session
};

[[nodiscard]] std::string encode(const Parcel& parcel);
[[nodiscard]] std::string encode(const Post& post);
[[nodiscard]] std::string encode(const PostAnswer& answer);
[[nodiscard]] std::string encode(const Vow& vow);
[[nodiscard]] std::optional<Parcel> decode_parcel(std::string_view bytes);
[[nodiscard]] std::optional<Post> decode_post(std::string_view bytes);
[[nodiscard]] std::optional<PostAnswer> decode_answer(std::string_view bytes);
[[nodiscard]] std::optional<Vow> decode_vow(std::string_view bytes);

}  // namespace riftbus::wire
