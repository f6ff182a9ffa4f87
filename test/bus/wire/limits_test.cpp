// What the codec refuses, with the reason, and what it costs; frames made by hand with msgpack-cxx.
#include "bus/wire/limits.h"

#include <gtest/gtest.h>

#include <functional>
#include <msgpack.hpp>

#include "bus/wire/codec.h"
#include "test/bus/wire/samples.h"

namespace riftbus::wire {
namespace {

using Packer = msgpack::packer<msgpack::sbuffer>;

std::string pack(const std::function<void(Packer&)>& write) {
  msgpack::sbuffer buffer;
  Packer packer(buffer);
  write(packer);
  return {buffer.data(), buffer.size()};
}

// An envelope of this kind, its body written by `body`.
std::string frame(int kind, const std::function<void(Packer&)>& body, int version = kVersion) {
  return pack([&](Packer& p) {
    p.pack_array(7);
    p.pack(version);
    p.pack(kind);
    p.pack("n1");
    p.pack(1U);
    p.pack(2U);
    p.pack(3U);
    body(p);
  });
}

Reject reason(std::string_view bytes) { return decode(bytes).reject; }

void pack_claim(Packer& p, const std::string& subject) {
  p.pack_array(3);
  p.pack(subject);
  p.pack(1);
  p.pack(1);
}

TEST(Limits, RefuseAMessageAboveOneMebibyte) {
  std::string bytes(kMessageBytesMax + 1, '\0');
  EXPECT_EQ(reason(bytes), Reject::oversize);
}

TEST(Limits, RefuseDeepNestingAtOnce) {
  EXPECT_EQ(reason(std::string(kMessageBytesMax, '\x91')), Reject::too_deep);
  const auto nested = [](std::size_t depth) {
    return frame(22, [&](Packer& p) {
      p.pack_array(1);  // an element that a Ping does not have: skipped
      for (std::size_t i = 2; i < depth; ++i) p.pack_array(1);
      p.pack(0);
    });
  };
  EXPECT_EQ(reason(nested(kDepthMax)), Reject::accepted);
  EXPECT_EQ(reason(nested(kDepthMax + 1)), Reject::too_deep);
}

TEST(Limits, RefuseMoreValuesThanAMessageCanNeed) {
  const auto many = [](std::size_t count) {
    return frame(22, [&](Packer& p) {
      p.pack_array(1);
      p.pack_array(static_cast<std::uint32_t>(count));
      for (std::size_t i = 0; i < count; ++i) p.pack(0);
    });
  };
  EXPECT_EQ(reason(many(kValuesMax - 9)), Reject::accepted);
  EXPECT_EQ(reason(many(kValuesMax - 8)), Reject::too_many_values);
}

TEST(Limits, DoNotBelieveAFalseCount) {
  // array of 4 billion, then nothing; the same as map; text of 4 GB
  EXPECT_EQ(reason(from_hex("ddffffffff")), Reject::truncated);
  EXPECT_EQ(reason(from_hex("dfffffffff")), Reject::truncated);
  EXPECT_EQ(reason(from_hex("dbffffffff")), Reject::truncated);
}

TEST(Limits, BoundEveryList) {
  const auto gossip = [](std::size_t count) {
    return frame(2, [&](Packer& p) {
      p.pack_array(1);
      p.pack_array(static_cast<std::uint32_t>(count));
      for (std::size_t i = 0; i < count; ++i) pack_claim(p, "n2");
    });
  };
  EXPECT_EQ(reason(gossip(kClaimsMax)), Reject::accepted);
  EXPECT_EQ(reason(gossip(kClaimsMax + 1)), Reject::too_long);

  Envelope fetch{id("n1"), Instance(1), Seq(1), Correlation(1), Fetch{}};
  std::get<Fetch>(fetch.body).ids.resize(kIdsMax + 1, id("x"));
  EXPECT_EQ(reason(encode(fetch)), Reject::too_long);

  Record record;
  record.id = id("n2");
  record.addresses.resize(kAddressesMax + 1);
  EXPECT_EQ(reason(encode({id("n1"), {}, {}, {}, Join{record, {}}})), Reject::too_long);
  record.addresses.clear();
  record.roles.resize(kRolesMax + 1, Role::node);
  EXPECT_EQ(reason(encode({id("n1"), {}, {}, {}, Join{record, {}}})), Reject::too_long);
  record.roles.clear();
  for (std::size_t i = 0; i <= kTagsMax; ++i) record.tags[std::to_string(i)];
  EXPECT_EQ(reason(encode({id("n1"), {}, {}, {}, Join{record, {}}})), Reject::too_long);
}

TEST(Limits, BoundEveryText) {
  const auto answer_to = [](Body body) {
    return reason(encode({id("n1"), Instance(1), Seq(1), Correlation(1), std::move(body)}));
  };
  EXPECT_EQ(answer_to(Hello{1, 1, std::string(kSoftwareBytesMax, 'x')}), Reject::accepted);
  EXPECT_EQ(answer_to(Hello{1, 1, std::string(kSoftwareBytesMax + 1, 'x')}), Reject::too_long);
  EXPECT_EQ(answer_to(Query{std::string(kNameBytesMax + 1, 'x'), {}}), Reject::too_long);
  EXPECT_EQ(answer_to(TapStart{1, false, std::string(kFilterBytesMax + 1, 'x')}), Reject::too_long);
  EXPECT_EQ(answer_to(RosterPut{std::string(kRosterBytesMax, 'x')}), Reject::accepted);
  EXPECT_EQ(answer_to(RosterPut{std::string(kRosterBytesMax + 1, 'x')}), Reject::too_long);
  EXPECT_EQ(answer_to(Answer{std::string(kJsonBytesMax, 'x')}), Reject::accepted);
  EXPECT_EQ(answer_to(Answer{std::string(kJsonBytesMax + 1, 'x')}), Reject::too_long);
  EXPECT_EQ(answer_to(Consensus{std::string(kConsensusBytesMax, 'x')}), Reject::accepted);
  EXPECT_EQ(answer_to(Consensus{std::string(kConsensusBytesMax + 1, 'x')}), Reject::too_long);
  WorkRequest request;
  request.body.assign(kWorkBytesMax, 'x');
  EXPECT_EQ(answer_to(request), Reject::accepted);
  request.body += 'x';
  EXPECT_EQ(answer_to(request), Reject::too_long);
  WorkReply reply;
  reply.body.assign(kWorkBytesMax + 1, 'x');
  EXPECT_EQ(answer_to(reply), Reject::too_long);
  Carry carry;
  carry.bytes.assign(kCarryBytesMax, 'x');
  EXPECT_EQ(answer_to(carry), Reject::accepted);
  carry.bytes += 'x';
  EXPECT_EQ(answer_to(carry), Reject::too_long);
}

TEST(Limits, RefuseNumbersThatDoNotFitTheirField) {
  const auto watch = [](const std::function<void(Packer&)>& lease) {
    return reason(frame(20, [&](Packer& p) {
      p.pack_array(1);
      lease(p);
    }));
  };
  EXPECT_EQ(watch([](Packer& p) { p.pack(std::uint64_t{0xFFFFFFFF}); }), Reject::accepted);
  EXPECT_EQ(watch([](Packer& p) { p.pack(std::uint64_t{0x100000000}); }), Reject::bad_value);
  EXPECT_EQ(watch([](Packer& p) { p.pack(-1); }), Reject::bad_value);
  EXPECT_EQ(watch([](Packer& p) { p.pack(1.5); }), Reject::bad_type);
  EXPECT_EQ(watch([](Packer& p) { p.pack_nil(); }), Reject::bad_type);
  EXPECT_EQ(watch([](Packer& p) { p.pack("1"); }), Reject::bad_type);
  EXPECT_EQ(watch([](Packer& p) { p.pack(true); }), Reject::bad_type);
}

TEST(Limits, RefuseAMapKeyGivenTwice) {
  EXPECT_EQ(reason(frame(50,
                         [](Packer& p) {
                           p.pack_array(2);
                           p.pack("status");
                           p.pack_map(2);
                           p.pack("id");
                           p.pack("n1");
                           p.pack("id");
                           p.pack("n2");
                         })),
            Reject::bad_value);
}

TEST(Limits, RefuseTextThatIsNotUtf8) {
  const auto hello = [](std::string_view software) {
    return reason(frame(10, [&](Packer& p) {
      p.pack_array(3);
      p.pack(1);
      p.pack(1);
      p.pack_str(static_cast<std::uint32_t>(software.size()));
      p.pack_str_body(software.data(), static_cast<std::uint32_t>(software.size()));
    }));
  };
  for (const auto* good : {"", "plain", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x9A\x8C",
                           "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(hello(good), Reject::accepted) << good;
  }
  for (const auto* bad : {"\x80", "\xC3", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80",
                          "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82"}) {
    EXPECT_EQ(hello(bad), Reject::bad_text);
  }
}

TEST(Limits, RefuseIdsThatAreNone) {
  const auto origin = [](const std::string& text) {
    return reason(pack([&](Packer& p) {
      p.pack_array(7);
      for (int i = 0; i < 2; ++i) p.pack(i == 0 ? 1 : 22);
      p.pack(text);
      for (int i = 0; i < 3; ++i) p.pack(1);
      p.pack_array(0);
    }));
  };
  EXPECT_EQ(origin("n1"), Reject::accepted);
  for (const auto* bad : {"", ".n", "-n", "n 1", "n/1", "n\n"}) {
    EXPECT_EQ(origin(bad), Reject::bad_id) << bad;
  }
  EXPECT_EQ(origin(std::string(kNodeIdBytesMax, 'n')), Reject::accepted);
  EXPECT_EQ(origin(std::string(kNodeIdBytesMax + 1, 'n')), Reject::bad_id);
}

TEST(Limits, RefuseWhatIsNoEnvelope) {
  EXPECT_EQ(reason(""), Reject::truncated);
  EXPECT_EQ(reason("\xC1"), Reject::not_msgpack);
  EXPECT_EQ(reason(pack([](Packer& p) { p.pack(1); })), Reject::bad_type);
  EXPECT_EQ(reason(pack([](Packer& p) { p.pack_array(0); })), Reject::missing_header);
  EXPECT_EQ(reason(pack([](Packer& p) { p.pack_map(0); })), Reject::bad_type);
  const std::string ping = encode({id("n1"), Instance(1), Seq(1), Correlation(1), Ping{}});
  EXPECT_EQ(reason(ping + '\0'), Reject::trailing_garbage);
  EXPECT_EQ(reason(ping + ping), Reject::trailing_garbage);
}

}  // namespace
}  // namespace riftbus::wire
