// Any bytes as a renewal of leases, its answer, or a question passed on to the leader.
//
// Beyond not crashing: what reads is within its bounds, can be written again, and reads the same;
// and a leader's book of leases can judge any renewal: once per element, and nothing is renewed
// that the worker does not hold.
#include <cstdint>
#include <string_view>

#include "config/check.h"
#include "node/replica/protocol.h"
#include "node/work/lease_book.h"

namespace {

namespace replica = riftbus::replica;
namespace work = riftbus::work;
using riftbus::Millis;
using riftbus::TimePoint;

const riftbus::NodeId& holder() {
  static const riftbus::NodeId id = *riftbus::NodeId::parse("w1");
  return id;
}

// Three items; the first two are leased to w1.
work::WorkQueue make_queue() {
  work::WorkQueue queue;
  work::Add add{1, {}};
  add.items.resize(3);
  for (auto& spec : add.items) spec.kind = "k";
  queue.apply({1, 1, 0}, add);
  work::Claim claim{holder(), riftbus::Instance(1), 1, 2, {}};
  claim.offer.amounts = {{"cpus", 64'000}};
  queue.apply({2, 1, 0}, claim);
  return queue;
}

void judge(const work::Renewal& renewal) {
  static const work::WorkQueue queue = make_queue();
  work::LeaseBook book;
  book.begin(queue, 1, TimePoint());
  const TimePoint before = book.next_deadline();
  const auto answers = book.renew(queue, renewal, TimePoint(Millis(1000)));
  RIFTBUS_CHECK(answers.size() == renewal.works.size());
  bool renewed = false;
  for (const auto& answer : answers) renewed |= answer.judged.outcome == work::Outcome::ok;
  RIFTBUS_CHECK(!renewed || renewal.worker == holder());
  RIFTBUS_CHECK(renewed || book.next_deadline() == before);
  const auto again = replica::decode_renewed(replica::encode_renewed(answers));
  RIFTBUS_CHECK(again.has_value() && again->size() == answers.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto renewal = replica::decode_renewal(bytes)) {
    RIFTBUS_CHECK(renewal->works.size() <= replica::kRenewalMax);
    const auto again = replica::decode_renewal(replica::encode_renewal(*renewal));
    RIFTBUS_CHECK(again.has_value() && *again == *renewal);
    judge(*renewal);
  }
  if (const auto answers = replica::decode_renewed(bytes)) {
    const std::string encoded = replica::encode_renewed(*answers);
    const auto again = replica::decode_renewed(encoded);
    RIFTBUS_CHECK(again.has_value() && replica::encode_renewed(*again) == encoded);
  }
  if (const auto question = replica::decode_question(bytes)) {
    const std::string encoded = replica::encode_question(*question);
    const auto again = replica::decode_question(encoded);
    RIFTBUS_CHECK(again.has_value() && replica::encode_question(*again) == encoded);
  }
  return 0;
}
