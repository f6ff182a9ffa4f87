#include "bus/wire/parcel.h"

#include "bus/wire/reader.h"
#include "bus/wire/tape.h"
#include "bus/wire/writer.h"

namespace riftbus::wire {

namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kVowBytesMax = 1024;
constexpr std::size_t kBoxBytesMax = kParcelBytesMax + 16 * 1024;

template <class Choice>
bool is_between(Choice value, Choice first, Choice last) {
  return value >= first && value <= last;
}

// Enumerations travel as numbers, and a number of a later version is refused as a whole.
template <class V>
void write_fields(V& v, const ParcelFrame& m) {
  v(static_cast<std::uint8_t>(m.way), Bytes(m.envelope, kParcelBytesMax));
}

template <class Message, class Fill>
std::optional<Message> read_all(std::string_view bytes, Fill fill) {
  Tape tape;
  if (tape.load(bytes) != Reject::accepted) return std::nullopt;
  Reader reader(tape);
  std::optional<Message> message{Message{}};
  const bool is_good = fill(reader, *message);
  if (!is_good || reader.reject() != Reject::accepted) return std::nullopt;
  return message;
}

}  // namespace

std::string encode(const Parcel& parcel) {
  std::string out;
  Writer writer(out);
  writer.array(4);
  writer.write(parcel.listens);
  writer.write(parcel.heard);
  writer.write(parcel.after);
  writer.array(parcel.frames.size());
  for (const auto& frame : parcel.frames) write_fields(writer, frame);
  return out;
}

std::string encode(const Post& post) {
  std::string out;
  Writer writer(out);
  writer(static_cast<std::uint8_t>(post.kind), post.from, Bytes(post.session, kKeyBytes),
         post.number, Bytes(post.vow, kVowBytesMax), Bytes(post.box, kBoxBytesMax));
  return out;
}

std::string encode(const PostAnswer& answer) {
  std::string out;
  Writer writer(out);
  writer(static_cast<std::uint8_t>(answer.kind), answer.number, Bytes(answer.box, kBoxBytesMax));
  return out;
}

std::string encode(const Vow& vow) {
  std::string out;
  Writer writer(out);
  writer(vow.step, vow.from, vow.to, Bytes(vow.caller, kKeyBytes), Bytes(vow.host, kKeyBytes),
         vow.epoch);
  return out;
}

std::optional<Parcel> decode_parcel(std::string_view bytes) {
  return read_all<Parcel>(bytes, [](Reader& reader, Parcel& parcel) {
    auto left = reader.open(Token::Type::array, kMessageBytesMax);
    if (left < 4) return false;
    reader.read(parcel.listens);
    reader.read(parcel.heard);
    reader.read(parcel.after);
    auto frames = reader.open(Token::Type::array, kParcelFramesMax);
    for (; frames > 0 && reader.reject() == Reject::accepted; --frames) {
      auto& frame = parcel.frames.emplace_back();
      std::uint8_t way = 0;
      Bytes envelope(frame.envelope, kParcelBytesMax);
      reader(way, envelope);
      frame.way = static_cast<Way>(way);
      if (!is_between(frame.way, Way::pub, Way::answer)) return false;
    }
    return true;
  });
}

std::optional<Post> decode_post(std::string_view bytes) {
  return read_all<Post>(bytes, [](Reader& reader, Post& post) {
    std::uint8_t kind = 0;
    Bytes session(post.session, kKeyBytes);
    Bytes vow(post.vow, kVowBytesMax);
    Bytes box(post.box, kBoxBytesMax);
    reader(kind, post.from, session, post.number, vow, box);
    post.kind = static_cast<PostKind>(kind);
    return is_between(post.kind, PostKind::hello, PostKind::sealed);
  });
}

std::optional<PostAnswer> decode_answer(std::string_view bytes) {
  return read_all<PostAnswer>(bytes, [](Reader& reader, PostAnswer& answer) {
    std::uint8_t kind = 0;
    Bytes box(answer.box, kBoxBytesMax);
    reader(kind, answer.number, box);
    answer.kind = static_cast<PostKind>(kind);
    return is_between(answer.kind, PostKind::hello, PostKind::sealed);
  });
}

std::optional<Vow> decode_vow(std::string_view bytes) {
  return read_all<Vow>(bytes, [](Reader& reader, Vow& vow) {
    Bytes caller(vow.caller, kKeyBytes);
    Bytes host(vow.host, kKeyBytes);
    reader(vow.step, vow.from, vow.to, caller, host, vow.epoch);
    return vow.caller.size() == kKeyBytes && (vow.host.empty() || vow.host.size() == kKeyBytes);
  });
}

}  // namespace riftbus::wire
