// Any bytes as a log of the work queue, [length u16][seconds u8][command] ..., and as a snapshot.
//
// Beyond not crashing: a command that reads can be written again and reads the same; its answer,
// too; after any commands, the queue's snapshot gives a queue with the same snapshot and the same
// next thing to do. Bytes that were never a snapshot give one of those, or an Error; bytes that
// were never an answer, likewise.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "config/check.h"
#include "node/work/codec.h"
#include "node/work/snapshot.h"

namespace {

namespace work = riftbus::work;

constexpr std::size_t kCommandsMax = 64;

void check_snapshot(const work::WorkQueue& queue) {
  const std::string snapshot = work::write_snapshot(queue);
  const auto restored = work::read_snapshot(snapshot);
  RIFTBUS_CHECK(restored.ok());
  RIFTBUS_CHECK(work::write_snapshot(*restored) == snapshot);
  RIFTBUS_CHECK(restored->next_due_ms() == queue.next_due_ms());
}

void play(std::string_view bytes) {
  work::WorkQueue queue;
  work::Stamp stamp{0, 1, 0};
  while (bytes.size() > 3 && stamp.index < kCommandsMax) {
    const auto low = static_cast<unsigned char>(bytes[0]);
    const auto high = static_cast<unsigned char>(bytes[1]);
    const std::size_t length = low + 256U * high;
    stamp.now_ms += work::LogMs{1000} * static_cast<unsigned char>(bytes[2]);
    const auto command = work::decode_command(bytes.substr(3, length));
    bytes.remove_prefix(std::min(bytes.size(), 3 + length));
    if (!command.ok()) continue;
    const std::string encoded = work::encode(command.value);
    const auto again = work::decode_command(encoded);
    RIFTBUS_CHECK(again.ok() && again.value == command.value);
    ++stamp.index;
    const work::Reply reply = queue.apply(stamp, command.value);
    const auto answer = work::decode_reply(work::encode(reply));
    RIFTBUS_CHECK(answer.ok() && answer.value == reply);
  }
  check_snapshot(queue);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  play(bytes);
  const auto told = work::decode_reply(bytes);  // what a client is told
  if (told.ok()) {
    const auto again = work::decode_reply(work::encode(told.value));
    RIFTBUS_CHECK(again.ok() && again.value == told.value);
  }
  const auto queue = work::read_snapshot(bytes);
  if (queue.ok()) check_snapshot(*queue);
  // Cut anywhere, it reads the same.
  work::SnapshotReader reader;
  bool is_sound = reader.feed(bytes.substr(0, size / 2)).ok();
  is_sound = reader.feed(bytes.substr(size / 2)).ok() && is_sound;
  RIFTBUS_CHECK((is_sound && reader.take().ok()) == queue.ok());
  return 0;
}
