#include "node/work/codec.h"

#include <utility>

#include "bus/wire/tape.h"
#include "node/work/fields.h"

namespace riftbus::work {

namespace {

template <class Choices, std::size_t Index = 0>
void read_alternative(std::size_t wanted, Reader& reader, Choices& choices) {
  if constexpr (Index < std::variant_size_v<Choices>) {
    if (wanted == Index) return reader.read(choices.template emplace<Index>());
    read_alternative<Choices, Index + 1>(wanted, reader, choices);
  } else {
    reader.refuse(wire::Reject::unknown_kind);
  }
}

template <class Choices>
std::string encode_choice(const Choices& choices) {
  constexpr std::size_t kUsualBytes = 64;  // most answers without a second allocation
  std::string out;
  out.reserve(kUsualBytes);
  Writer writer(out);
  writer.array(2);
  writer.write(static_cast<std::uint8_t>(choices.index()));
  std::visit([&](const auto& body) { writer.write(body); }, choices);
  return out;
}

template <class Choices>
Decoded<Choices> decode_choice(std::string_view bytes) {
  Decoded<Choices> decoded;
  wire::Tape tape;
  decoded.reject = tape.load(bytes);
  if (!decoded.ok()) return decoded;
  Reader reader(tape);
  const auto elements = reader.open(wire::Token::Type::array, wire::kMessageBytesMax);
  if (reader.reject() == wire::Reject::accepted && elements < 2) {
    reader.refuse(wire::Reject::missing_header);
  }
  std::uint8_t number = 0;
  reader.read(number);
  if (reader.reject() == wire::Reject::accepted) read_alternative(number, reader, decoded.value);
  decoded.reject = reader.reject();
  return decoded;
}

constexpr const char* kNames[] = {"add",     "claim", "attach", "complete",  "fail",   "bury",
                                  "release", "note",  "expire", "tick",      "cancel", "preempt",
                                  "kick",    "purge", "group",  "configure", "recover"};
static_assert(std::size(kNames) == kCommandKinds);

}  // namespace

const char* command_name(const Command& command) { return kNames[command.index()]; }

std::string encode(const Command& command) { return encode_choice(command); }
Decoded<Command> decode_command(std::string_view bytes) { return decode_choice<Command>(bytes); }
std::string encode(const Reply& reply) { return encode_choice(reply); }
Decoded<Reply> decode_reply(std::string_view bytes) { return decode_choice<Reply>(bytes); }

}  // namespace riftbus::work
