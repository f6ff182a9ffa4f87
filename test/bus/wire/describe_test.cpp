#include <gtest/gtest.h>

#include "test/bus/wire/samples.h"

namespace riftbus::wire {
namespace {

TEST(Describe, SaysEachMessageInAFewStableWords) {
  std::string all;
  for (const Envelope& message : plain_messages()) all += to_string(message) + "\n";
  EXPECT_EQ(
      all,
      R"(beat from=n1 seq=300 corr=7 inc=3 up_ms=65000 health=1 every_ms=1000 digest=3735928559 roster=5
gossip from=n1 seq=300 corr=7 standing=suspect subject=n3 inc=2 by=n1 evidence=silence; standing=alive subject=n2 inc=3 record
hello from=n1 seq=300 corr=7 version_min=1 version_max=1 software=py
hello.answer from=n1 seq=300 corr=7 version=1 cluster=demo software=0.1.0 roster=5
join from=n1 seq=300 corr=7 id=n2 inc=3
join.answer from=n1 seq=300 corr=7 seen=2 claims=1 after=n3
watch from=n1 seq=300 corr=7 lease_ms=15000
watch.answer from=n1 seq=300 corr=7 inc=3
ping from=n1 seq=300 corr=7
pong from=n1 seq=300 corr=7 inc=3 health=0 up_ms=65000
heard.ask from=n1 seq=300 corr=7 subject=n3 inc=2
heard from=n1 seq=300 corr=7 subject=n3 inc=2 age_ms=1200 beat=99 every_ms=1000
resync from=n1 seq=300 corr=7 from=5 to=8
digest from=n1 seq=300 corr=7
digest.answer from=n1 seq=300 corr=7 differing=2 entries=1
fetch from=n1 seq=300 corr=7 ids=2
roster.get from=n1 seq=300 corr=7 have=5
roster.document from=n1 seq=300 corr=7 version=6 bytes=6
roster.put from=n1 seq=300 corr=7 bytes=6
query from=n1 seq=300 corr=7 name=why.node arguments=1
answer from=n1 seq=300 corr=7 bytes=12
refusal from=n1 seq=300 corr=7 code=F-1301
tap.start from=n1 seq=300 corr=7 lease_ms=10000 filter=kind=beat
tap.data from=n1 seq=300 corr=7 frames=1 matched=12 dropped=1
consensus from=n1 seq=300 corr=7 bytes=6
work.request from=n1 seq=300 corr=7 ask=1 bytes=5 wait_ms=5000 for=n2
work.reply from=n1 seq=300 corr=7 outcome=2 bytes=0 leader=n3 term=7
carry from=n1 seq=300 corr=7 step=data offset=1029 granted=262144 bytes=7
)");
}

TEST(Describe, NeverPassesOnControlCharactersOrEndlessText) {
  const std::string hostile = "\x1B[2J\r\n" + std::string(5000, 'x');
  const std::string text = to_string(Body(Hello{1, 1, hostile}));
  EXPECT_LT(text.size(), 200U);
  EXPECT_EQ(text.find_first_of("\x1B\r\n"), std::string::npos);
  const Gossip flood{std::vector<Claim>(4000, Claim{id("n2"), {}, {}, {}, {}, {}})};
  EXPECT_LT(to_string(Body(flood)).size(), 1000U);
}

}  // namespace
}  // namespace riftbus::wire
