#include "bus/tap/format.h"

#include <gtest/gtest.h>

#include "test/bus/tap/frames.h"

namespace riftbus::tap {
namespace {

TEST(Format, PrintsOneLineForPeople) {
  EXPECT_EQ(format_line(TextFormat{}, at(call_out("n1", "n2", "ping", 7, 36, ""), 84)),
            "12:00:00.084 ping n1>n2 seq=1 corr=7 36B");
  EXPECT_EQ(format_line(TextFormat{true}, published("n2", "beat", 52, "inc=3")),
            "12:00:00.000 [n2] beat n2>* seq=1 52B inc=3");
  Seen with_payload = call_in("n1", "n3", "ping", 0, 2, "");
  with_payload.frame.payload = "\x01\xAB";
  EXPECT_EQ(format_line(TextFormat{}, with_payload),
            "12:00:00.000 ping n3>n1 seq=1 2B payload=01ab");
}

TEST(Format, PrintsJsonWithASchema) {
  EXPECT_EQ(format_line(JsonFormat{}, call_out("n1", "n2", "ping", 7, 36, "a \"b\"")),
            R"({"schema":1,"type":"frame","node":"n1","wall_ms":1699963200000,"dir":"out",)"
            R"("channel":"call","kind":"ping","from":"n1","to":"n2","peer":"n2","seq":1,"corr":7,)"
            R"("bytes":36,"summary":"a \"b\""})");
  EXPECT_EQ(json_line(Loss{id("n1"), 2, 3}),
            R"({"schema":1,"type":"loss","node":"n1","by_node":2,"by_tap":3})");
}

TEST(Format, PrintsTheFieldsAskedFor) {
  const auto format = parse_format("fields=kind,from,to,size,peer,time");
  ASSERT_TRUE(format.ok());
  EXPECT_EQ(format_line(*format, published("n2", "beat", 52, "")),
            "beat\tn2\t\t52\t\t12:00:00.000");
  const auto blank_first = parse_format("fields=peer,kind");
  EXPECT_EQ(format_line(*blank_first, published("n2", "beat", 52, "")), "\tbeat");
}

TEST(Format, RefusesFormatsThatDoNotExist) {
  for (const auto* bad : {"", "xml", "fields=", "fields=kind,", "fields=kind,colour"}) {
    const auto format = parse_format(bad);
    ASSERT_FALSE(format.ok()) << bad;
    EXPECT_EQ(format.error().code, 1553);
  }
}

TEST(Format, NeverPrintsControlCharactersOfAPeer) {
  Seen seen = call_in("n1", "n2", "ping", 0, 1, "\x1B[2Jx\r\n");
  seen.frame.kind = "p\ning";
  for (const auto* name : {"text", "json", "fields=kind,summary"}) {
    const auto line = format_line(*parse_format(name), seen);
    EXPECT_EQ(line.find_first_of("\x1B\r\n"), std::string::npos) << line;
  }
}

TEST(Format, ReadsBackTheJsonThatItWrites) {
  Seen seen = call_in("n1", "n2", "gossip", 12, 99, "summary with – UTF-8");
  seen.frame.payload = std::string("\0\xFF\x97", 3);
  seen.frame.seq = 0xFFFFFFFFFFFFFFFF;
  seen.frame.wall_ms = -5;
  EXPECT_EQ(std::get<Seen>(parse_json_line(json_line(seen)).value()), seen);
  const Loss loss{id("n1"), 5, 0};
  EXPECT_EQ(std::get<Loss>(parse_json_line(json_line(loss)).value()), loss);
}

TEST(Format, SkipsLinesOfALaterVersionAndRefusesOtherBytes) {
  const auto later = parse_json_line(R"({"schema":1,"type":"weather","sun":true})");
  ASSERT_TRUE(later.has_value());
  EXPECT_TRUE(std::holds_alternative<std::monostate>(*later));
  for (const auto* bad :
       {"", "x", "[]", "{}", R"({"schema":2,"type":"loss"})", R"({"schema":1})",
        R"({"schema":1,"type":7})", R"({"schema":1,"type":"loss","by_node":-1})",
        R"({"schema":1,"type":"frame","dir":"in","channel":"call","node":"n 1"})",
        R"({"schema":1,"type":"frame","dir":"up","channel":"call"})",
        R"({"schema":1,"type":"frame","dir":"in","channel":"call","bytes":4294967296})",
        R"({"schema":1,"type":"frame","dir":"in","channel":"call","wall_ms":18446744073709551615})",
        R"({"schema":1,"type":"frame","dir":"in","channel":"call","payload":"abc"})",
        R"({"schema":1,"type":"frame","dir":"in","channel":"call","payload":"xy"})",
        R"({"schema":1,"type":"loss","x":[[[[[[1]]]]]]})"}) {
    EXPECT_FALSE(parse_json_line(bad).has_value()) << bad;
  }
  EXPECT_FALSE(parse_json_line(std::string(100'000, '[')).has_value());
}

}  // namespace
}  // namespace riftbus::tap
