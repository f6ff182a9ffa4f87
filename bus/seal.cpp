#include "bus/seal.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "config/check.h"

namespace riftbus::bus {

namespace {

constexpr std::size_t kNonceBytes = crypto_box_NONCEBYTES;
constexpr std::size_t kMacBytes = crypto_box_MACBYTES;
constexpr std::size_t kSharedMax = 8192;  // two keys for each entry of the largest roster

using Nonce = std::array<std::uint8_t, kNonceBytes>;

const std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}
std::uint8_t* bytes_of(std::string& text) { return reinterpret_cast<std::uint8_t*>(text.data()); }

std::string text_of(const CurveKey& key) {
  return {reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size()};
}

// Nothing: a key that leads to a secret everybody knows.
std::optional<SharedKey> agree(std::string_view theirs, const CurveSecret& ours) {
  SharedKey shared{};
  if (theirs.size() != shared.size()) return std::nullopt;
  if (crypto_box_beforenm(shared.data(), bytes_of(theirs), ours.bytes().data()) != 0) {
    return std::nullopt;
  }
  return shared;
}

std::string box(std::string_view plain, const Nonce& nonce, const SharedKey& key) {
  std::string out(plain.size() + kMacBytes, '\0');
  RIFTBUS_CHECK(crypto_box_easy_afternm(bytes_of(out), bytes_of(plain), plain.size(), nonce.data(),
                                        key.data()) == 0);
  return out;
}

std::optional<std::string> unbox(std::string_view boxed, const Nonce& nonce, const SharedKey& key) {
  if (boxed.size() < kMacBytes) return std::nullopt;
  std::string out(boxed.size() - kMacBytes, '\0');
  if (crypto_box_open_easy_afternm(bytes_of(out), bytes_of(boxed), boxed.size(), nonce.data(),
                                   key.data()) != 0) {
    return std::nullopt;
  }
  return out;
}

// Under long keys, which many sessions share: the nonce is drawn, and travels in front.
std::string box_vow(const wire::Vow& vow, const SharedKey& key) {
  Nonce nonce{};
  randombytes_buf(nonce.data(), nonce.size());
  return std::string(reinterpret_cast<const char*>(nonce.data()), nonce.size()) +
         box(encode(vow), nonce, key);
}

std::optional<wire::Vow> unbox_vow(std::string_view boxed, const SharedKey& key) {
  if (boxed.size() < kNonceBytes) return std::nullopt;
  Nonce nonce{};
  std::memcpy(nonce.data(), boxed.data(), nonce.size());
  const auto plain = unbox(boxed.substr(kNonceBytes), nonce, key);
  return plain ? wire::decode_vow(*plain) : std::nullopt;
}

// Under a session's key each number is used once in each direction.
enum class Direction : std::uint8_t { post = 1, answer = 2 };
Nonce nonce_of(Direction direction, std::uint64_t number) {
  Nonce nonce{};
  nonce[0] = static_cast<std::uint8_t>(direction);
  for (std::size_t i = 0; i < 8; ++i) {
    nonce[i + 1] = static_cast<std::uint8_t>(number >> (8U * i));
  }
  return nonce;
}

}  // namespace

const char* to_string(SealRefusal refusal) {
  switch (refusal) {
    case SealRefusal::malformed:
      return "malformed";
    case SealRefusal::stranger:
      return "stranger";
    case SealRefusal::forged:
      return "forged";
    case SealRefusal::replayed:
      return "replayed";
    case SealRefusal::no_session:
      return "no_session";
  }
  return "?";
}

// ---- the side that is posted to ----------------------------------------------------------------

SealHost::SealHost(const KeyPair& own, NodeId self)
    : own_(own), self_(std::move(self)), life_(KeyPair::generate()) {}

const SharedKey& SealHost::shared_with(const CurveKey& peer) {
  if (const auto found = shared_.find(peer); found != shared_.end()) return found->second;
  if (shared_.size() >= kSharedMax) shared_.clear();
  // A key on the roster with which nothing can be agreed opens nothing: random instead.
  auto shared = agree(text_of(peer), own_.secret);
  if (!shared) randombytes_buf(shared.emplace().data(), sizeof(SharedKey));
  return shared_.emplace(peer, *shared).first->second;
}

std::optional<wire::Vow> SealHost::open_vow(const wire::Post& post, std::string_view boxed,
                                            std::uint8_t step, std::span<const CurveKey> keys,
                                            CurveKey& by) {
  for (const auto& key : keys) {
    auto vow = unbox_vow(boxed, shared_with(key));
    if (!vow) continue;
    // What this node said itself opens, too, when somebody sends it back: hence the names.
    const bool is_ours = vow->step == step && vow->from == post.from && vow->to == self_ &&
                         vow->caller == post.session;
    if (!is_ours) return std::nullopt;
    by = key;
    return vow;
  }
  return std::nullopt;
}

SealHost::Opened SealHost::open(const wire::Post& post, std::span<const CurveKey> keys) {
  if (keys.empty()) {
    // Its epochs stay: listed again with the same key, its old posts must open nothing.
    if (const auto known = callers_.find(post.from); known != callers_.end()) {
      known->second.session.reset();
    }
    return SealRefusal::stranger;
  }
  if (post.kind == wire::PostKind::hello) return greet(post, keys);
  auto& caller = callers_[post.from];
  auto& session = caller.session;
  const bool is_listed =
      session && std::find(keys.begin(), keys.end(), session->peer) != keys.end();
  if (session && !is_listed) session.reset();
  if (!session || session->caller != post.session) {
    if (const auto refusal = begin(post, keys)) return *refusal;
  }
  auto plain = unbox(post.box, nonce_of(Direction::post, post.number), session->key);
  if (!plain) return SealRefusal::forged;
  if (post.number <= session->number) return SealRefusal::replayed;
  session->number = post.number;
  return Letter{post.number, std::move(*plain)};
}

SealHost::Opened SealHost::greet(const wire::Post& post, std::span<const CurveKey> keys) {
  CurveKey by;
  const auto hello = open_vow(post, post.box, 1, keys, by);
  if (!hello) return SealRefusal::forged;
  wire::Vow vow{
      2, self_, post.from, post.session, text_of(life_.public_key), ++callers_[post.from].issued};
  wire::PostAnswer answer;
  answer.kind = wire::PostKind::hello;
  answer.box = box_vow(vow, shared_with(by));
  return Welcome{encode(answer)};
}

// A session that nobody has used yet: its vow shows that this member began it, in this life.
std::optional<SealRefusal> SealHost::begin(const wire::Post& post, std::span<const CurveKey> keys) {
  if (post.vow.empty()) return SealRefusal::no_session;
  CurveKey by;
  const auto vow = open_vow(post, post.vow, 3, keys, by);
  if (!vow) return SealRefusal::forged;
  if (vow->host != text_of(life_.public_key)) return SealRefusal::no_session;
  auto& caller = callers_[post.from];
  if (vow->epoch > caller.issued) return SealRefusal::no_session;
  if (vow->epoch <= caller.taken) return SealRefusal::replayed;
  const auto key = agree(post.session, life_.secret);
  if (!key || !unbox(post.box, nonce_of(Direction::post, post.number), *key)) {
    return SealRefusal::forged;
  }
  caller.taken = vow->epoch;
  caller.session = Session{by, post.session, *key, 0};
  return std::nullopt;
}

std::string SealHost::answer(const NodeId& to, std::uint64_t number, std::string_view plain) const {
  const auto found = callers_.find(to);
  RIFTBUS_CHECK(found != callers_.end() && found->second.session);
  wire::PostAnswer answer;
  answer.kind = wire::PostKind::sealed;
  answer.number = number;
  answer.box = box(plain, nonce_of(Direction::answer, number), found->second.session->key);
  return encode(answer);
}

// ---- the side that posts -----------------------------------------------------------------------

SealCaller::SealCaller(const KeyPair& own, NodeId self, NodeId peer)
    : own_(own), self_(std::move(self)), peer_(std::move(peer)), life_(KeyPair::generate()) {}

std::string SealCaller::hello(const CurveKey& peer_key) {
  forget();
  peer_key_ = peer_key;
  life_ = KeyPair::generate();
  wire::Post post;
  post.kind = wire::PostKind::hello;
  post.from = self_;
  post.session = text_of(life_.public_key);
  if (const auto shared = agree(text_of(peer_key), own_.secret)) {
    post.box = box_vow({1, self_, peer_, post.session, {}, 0}, *shared);
  }
  return encode(post);
}

bool SealCaller::on_welcome(std::string_view bytes) {
  const auto answer = wire::decode_answer(bytes);
  const auto shared = agree(text_of(peer_key_), own_.secret);
  if (!answer || answer->kind != wire::PostKind::hello || !shared) return false;
  const auto vow = unbox_vow(answer->box, *shared);
  const std::string session = text_of(life_.public_key);
  if (!vow || vow->step != 2 || vow->from != peer_ || vow->to != self_ || vow->caller != session) {
    return false;
  }
  const auto key = agree(vow->host, life_.secret);
  if (!key) return false;
  key_ = *key;
  number_ = 0;
  vow_ = box_vow({3, self_, peer_, session, vow->host, vow->epoch}, *shared);
  return true;
}

std::string SealCaller::seal(std::string_view plain) {
  RIFTBUS_CHECK(key_.has_value());
  wire::Post post;
  post.kind = wire::PostKind::sealed;
  post.from = self_;
  post.session = text_of(life_.public_key);
  post.number = ++number_;
  post.vow = vow_;
  post.box = box(plain, nonce_of(Direction::post, number_), *key_);
  return encode(post);
}

std::optional<std::string> SealCaller::open(std::string_view bytes) {
  const auto answer = wire::decode_answer(bytes);
  if (!key_ || !answer || answer->kind != wire::PostKind::sealed || answer->number != number_) {
    return std::nullopt;
  }
  auto plain = unbox(answer->box, nonce_of(Direction::answer, number_), *key_);
  if (plain) vow_.clear();
  return plain;
}

void SealCaller::forget() {
  if (key_) sodium_memzero(key_->data(), key_->size());
  key_.reset();
  vow_.clear();
}

// ---- as text -----------------------------------------------------------------------------------

std::string to_base64(std::string_view bytes) {
  constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL;
  std::string text(sodium_base64_encoded_len(bytes.size(), kVariant), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes_of(bytes), bytes.size(), kVariant);
  text.pop_back();  // its final zero
  return text;
}

std::optional<std::string> from_base64(std::string_view text, std::size_t bytes_max) {
  std::string bytes(std::min(bytes_max, text.size() / 4 * 3), '\0');
  std::size_t size = 0;
  const char* end = nullptr;
  if (sodium_base642bin(bytes_of(bytes), bytes.size(), text.data(), text.size(), nullptr, &size,
                        &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
      end != text.data() + text.size()) {
    return std::nullopt;
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace riftbus::bus
