// Documents as people see them, compared with whole golden screens.
#include "node/ctl/render.h"

#include <gtest/gtest.h>

namespace riftbus::ctl {
namespace {

const char* const kStatus = R"({
  "schema": 1, "document": "status", "node": "n1", "cluster": "prod-a",
  "state": "degraded", "roster_version": 418,
  "members": {"alive": 41, "suspect": 1, "dead": 2, "left": 0, "unreachable": 0, "never_seen": 0},
  "voters": {"total": 5, "alive": 4}, "relays": {"total": 3, "alive": 3},
  "self": {"id": "n1", "uptime_ms": 11520000, "health": 0, "watching": 4,
           "watched_by": ["n2", "n3"]},
  "problems": [{"code": 1521, "subject": "n7", "what": "n7 is dead since 7.1s"}],
  "notes": [{"code": 1523, "subject": "n8", "what": "n8 is in the roster and was never seen"}]})";

TEST(Render, StatusFitsOnOneScreen) {
  EXPECT_EQ(render_status(Json::parse(kStatus), {}),
            "cluster prod-a  DEGRADED  roster 418  asked n1\n"
            "nodes   41 alive  1 suspect  2 dead  |  voters 4/5  |  relays 3/3\n"
            "node    n1  up 3h12m  health 0  watching 4  watched by n2 n3\n"
            "! n7 is dead since 7.1s  (F-1521)\n"
            "- n8 is in the roster and was never seen  (F-1523)\n");
}

TEST(Render, ColourAddsNothingButEscapes) {
  std::string colored = render_status(Json::parse(kStatus), {true, false});
  std::string plain;
  for (std::size_t i = 0; i < colored.size(); ++i) {
    if (colored[i] == '\x1b') i = colored.find('m', i) + 1;
    if (colored[i] == '\x1b') i = colored.find('m', i) + 1;
    plain += colored[i];
  }
  EXPECT_NE(colored, plain);
  EXPECT_EQ(plain, render_status(Json::parse(kStatus), {}));
}

const char* const kNodes = R"({"schema": 1, "nodes": [
  {"id": "hetzner-1", "self": true, "standing": "alive", "since": {"age_ms": 60000},
   "roles": ["node", "voter"], "resources": {"gpus": 0}, "watch": null,
   "addresses": [{"host": "192.0.2.1", "call_port": 7770}]},
  {"id": "vast-2891", "standing": "suspect", "since": {"age_ms": 400},
   "roles": ["node"], "resources": {"gpus": 4, "gpu_name": "RTX5090"},
   "watch": {"last_beat": {"age_ms": 7100}, "rtt_ms": 84.2},
   "addresses": [{"host": "2001:db8::1", "call_port": 7770}]}]})";

TEST(Render, NodeListIsAligned) {
  EXPECT_EQ(render_node_list(Json::parse(kNodes), {}),
            "NODE       STATE    SINCE  BEAT  RTT   ROLES       GPU        ADDRESS\n"
            "hetzner-1  alive    60.0s  self  -     node,voter  -          192.0.2.1:7770\n"
            "vast-2891  suspect  400ms  7.1s  84ms  node        4xRTX5090  [2001:db8::1]:7770\n");
}

const char* const kWhy = R"({"schema": 1, "document": "why", "subject": "n3", "asked": "n1",
  "views": [
    {"node": "n1", "subject": "n3", "known": true, "standing": "dead", "since": {"age_ms": 7100},
     "incarnation": 17, "verified": true, "own_health": 0,
     "history": [
       {"when": {"at": "2026-01-01T00:00:00.000Z", "age_ms": 90000}, "standing": "alive",
        "incarnation": 17, "accuser": "", "evidence": "none"},
       {"when": {"at": "2026-01-01T00:01:22.900Z", "age_ms": 7100}, "standing": "dead",
        "incarnation": 17, "accuser": "n2", "evidence": "refused"}],
     "watch": {"last_beat": {"age_ms": 8000}, "silence_limit_ms": 3000, "rtt_ms": 0.25,
               "accusers": ["n2", "n1"], "verdict_due_ms": null},
     "watched_by": null,
     "calls": {"up": false, "since": {"age_ms": 7900}, "failures": 3, "trouble": "refused",
               "address": {"host": "127.0.0.1", "call_port": 7790}},
     "beats": null,
     "paths": [{"for": "calls", "host": "127.0.0.1", "call_port": 7790, "breaker": "open",
                "last_success": {"age_ms": 9000}, "failures": 7, "last_error": "refused"}],
     "roster": {"version": 2, "entry": {"roles": ["node"], "expires_at": null}}},
    {"node": "n2", "subject": "n3", "known": true, "standing": "dead", "since": {"age_ms": 7300},
     "own_health": 1, "watch": null}],
  "silent": [{"node": "n3", "code": 1360, "what": "nobody listens there"}]})";

TEST(Render, WhyNamesAccusersPathsAgesAndHistory) {
  EXPECT_EQ(render_why(Json::parse(kWhy), {}),
            "n3 is dead since 7.1s, says n1 (incarnation 17, heard by itself)\n"
            "because n2 says so: refused, 7.1s ago\n"
            "accused by n2 n1; verdict in -\n"
            "watched by n1 (of those asked)\n"
            "roster 2: roles node\n"
            "\n"
            "history, as n1 saw it\n"
            "  WHEN                      AGO    STANDING  INCARNATION  BY  EVIDENCE\n"
            "  2026-01-01T00:00:00.000Z  90.0s  alive     17           -   none\n"
            "  2026-01-01T00:01:22.900Z  7.1s   dead      17           n2  refused\n"
            "\n"
            "who says what\n"
            "  NODE  SAYS  SINCE  WATCHES  LAST BEAT  LIMIT  RTT     ACCUSERS  OWN HEALTH\n"
            "  n1    dead  7.1s   yes      8.0s       3.0s   0.25ms  n2 n1     0\n"
            "  n2    dead  7.3s   no       -          -      -       -         1\n"
            "\n"
            "paths to it\n"
            "  FROM  FOR         ADDRESS         STATE         SINCE  RTT  FAILURES  TROUBLE\n"
            "  n1    calls       127.0.0.1:7790  down          7.9s   -    3         refused\n"
            "  n1    calls path  127.0.0.1:7790  breaker open  9.0s   -    7         refused\n"
            "\n"
            "not heard from\n"
            "  n3: nobody listens there (F-1360)\n");
}

TEST(Render, LinksShowWhatIsDown) {
  const Json list = Json::parse(R"({"links": [{"peer": "n2", "standing": "alive",
      "calls": {"up": true, "address": {"host": "127.0.0.1", "call_port": 7780}, "rtt_ms": 0.5},
      "beats": {"up": false, "since": {"age_ms": 1500}}, "watches_us": true,
      "paths": [{"for": "calls", "breaker": "closed"}, {"for": "beats", "breaker": "open"},
                {"for": "beats", "breaker": "half-open"}],
      "watch": {"last_beat": {"age_ms": 300}, "beats_missed": 2}}]})");
  EXPECT_EQ(render_link_list(list, {}),
            "PEER  STATE  CALLS  BEATS      LAST BEAT  RTT     WATCHES US  MISSED  "
            "BREAKERS                  ADDRESS\n"
            "n2    alive  up     down 1.5s  300ms      0.50ms  yes         2       "
            "1 open, 1 half-open of 3  127.0.0.1:7780\n");
}

TEST(Render, APingThatGotNoAnswerSaysSo) {
  const Json ping = Json::parse(
      R"({"node": "n1", "peer": "n2", "answered": false, "timeout_ms": 2000, "error": "no path"})");
  EXPECT_EQ(render_ping(ping, {}), "n1 > n2  no answer within 2.0s: no path\n");
}

TEST(Render, AnEventNamesItsSubjectOnce) {
  const Json cut =
      Json::parse(R"({"when": {"at": "t"}, "kind": "cut", "subject": "n3", "text": "2 closed"})");
  EXPECT_EQ(render_event(cut, {}), "t  cut  n3: 2 closed");
  const Json joined = Json::parse(
      R"({"when": {"at": "t"}, "kind": "joined", "subject": "n3", "text": "n3 joined"})");
  EXPECT_EQ(render_event(joined, {}), "t  joined  n3 joined");
}

TEST(Render, PeersCannotMoveTheCursor) {
  const Json event = Json::parse(
      "{\"when\": {\"at\": \"t\"}, \"kind\": \"joined\", \"text\": \"a\\u001b[2Jb\\nc\\u009b\"}");
  EXPECT_EQ(render_event(event, {}), "t  joined  a?[2Jb?c?");
}

TEST(Render, OddDocumentsDoNotCrash) {
  for (const char* text : {"{}", "[]", "null", "3", R"({"nodes": 5, "links": "x", "views": [1]})",
                           R"({"members": [], "self": null, "problems": {"a": 1}})",
                           R"({"views": [{"history": 3, "watch": [], "roster": {"entry": 1}}]})",
                           R"({"nodes": [null, 7, {"since": "x", "addresses": {"a": 1}}]})"}) {
    const Json odd = Json::parse(text);
    for (const bool wide : {false, true}) {
      const Style style{true, wide};
      EXPECT_FALSE(render_status(odd, style).empty());
      EXPECT_FALSE(render_node_list(odd, style).empty());
      EXPECT_FALSE(render_node_show(odd, style).empty());
      EXPECT_FALSE(render_why(odd, style).empty());
      EXPECT_FALSE(render_link_list(odd, style).empty());
      EXPECT_FALSE(render_ping(odd, style).empty());
      EXPECT_FALSE(render_event(odd, style).empty());
      EXPECT_FALSE(render_roster(odd, style).empty());
    }
  }
}

TEST(Document, OnlySchemaOneIsUnderstood) {
  EXPECT_TRUE(parse_document(R"({"schema": 1})", "n1").ok());
  for (const char* text : {"", "{", "[]", "{}", R"({"schema": 2})", R"({"schema": "1"})", "\xff"}) {
    const auto document = parse_document(text, "n1");
    ASSERT_FALSE(document.ok()) << text;
    EXPECT_EQ(document.error().code, 1507);
  }
}

TEST(Render, RelaysWithTheirNodesAndWhoIsAttached) {
  const Json list = Json::parse(R"({"node": "n3", "relays": [
    {"id": "r1", "domain": "ovh", "hosts": ["192.0.2.1"], "front_port": 7723, "pinned": true,
     "member": "alive", "draining": true, "attached": ["vast-1", "vast-2"], "homes": ["vast-1"],
     "used": [{"peer": "vast-1", "for": "calls"}], "rtt_ms": 12.4},
    {"id": "r2", "domain": "r2", "hosts": ["2001:db8::1"], "front_port": 7723, "pinned": false,
     "member": null, "draining": false, "attached": [], "homes": [], "used": [],
     "last_success": {"age_ms": 60000}, "last_failure": {"age_ms": 2000}}]})");
  EXPECT_EQ(render_relays(list, {}),
            "RELAY  FRONT               DOMAIN  NODE             SEEN             RTT   PIN    "
            "HOME OF  ATTACHED\n"
            "r1     192.0.2.1:7723      ovh     alive, draining  in use for 1     12ms  known  "
            "1        vast-1 vast-2\n"
            "r2     [2001:db8::1]:7723  r2      no node          failed 2.0s ago  -     -      "
            "0        -\n");
}

TEST(Render, TunnelsOneLineEachAndWhyOneIsDown) {
  const Json list = Json::parse(R"({"tunnels": [
    {"node": "vast-1", "relay": "r1", "role": "home", "running": true, "links": [
      {"state": "up", "since_s": 192, "server": "192.0.2.1:7722", "connections": 5,
       "bytes_to_server": 10, "bytes_from_server": 20,
       "forwards": [{"forward": "7770:127.0.0.1:7770"}], "error": null}]},
    {"node": "vast-1", "relay": "r2", "role": "warm", "running": true, "links": [
      {"state": "waiting", "since_s": 1, "server": "192.0.2.2:7722", "connections": 0,
       "bytes_to_server": 0, "bytes_from_server": 0, "forwards": [],
       "error": {"code": "F-1812", "what": "the server refused the tunnel's key"}}]},
    {"node": "vast-1", "relay": "r3", "role": "spare", "running": false, "links": [],
     "start_in_ms": 2000, "ended_by": "signal 9"}],
    "silent": [{"node": "vast-9", "what": "no answer through its relay"}]})");
  const std::string text = render_tunnels(list, {});
  EXPECT_NE(text.find("vast-1  r1     home   up"), std::string::npos) << text;
  EXPECT_NE(text.find("F-1812 the server refused the tunnel's key"), std::string::npos) << text;
  EXPECT_NE(text.find("starts in 2.0s"), std::string::npos) << text;
  EXPECT_NE(text.find("not heard from: vast-9: no answer through its relay\n"), std::string::npos);
}

TEST(Render, ATraceNamesWhatWasMeasuredByWhom) {
  const Json trace = Json::parse(R"({"from": "n4", "to": "n5", "relay": "r1",
    "path": {"kind": "relay", "host": "192.0.2.1", "call_port": 7723},
    "hops": [
      {"from": "n4", "to": "r1", "measured_by": "n4", "how": "TCP handshake", "rtt_ms": 0.5,
       "asked": 5, "answered": 5},
      {"from": "r1", "to": "n5", "measured_by": "n5", "how": "TCP handshake", "rtt_ms": null,
       "error": "n5 cannot be asked: no answer"}],
    "whole": {"how": "question and answer", "rtt_ms": 1.9, "asked": 5, "answered": 4},
    "rest_ms": null})");
  EXPECT_EQ(render_trace(trace, {}),
            "n4 > relay r1 > n5\n"
            "  n4 > r1  0.50ms  TCP handshake, by n4, 5 of 5\n"
            "  r1 > n5  -  TCP handshake, by n5: n5 cannot be asked: no answer\n"
            "  n4 > n5  1.90ms  question and answer, 4 of 5\n");
}

TEST(Render, APathIsToldFromBothEnds) {
  const Json path = Json::parse(R"({"views": [
    {"node": "n3", "subject": "vast-1", "reasons": [{"text": "calls: by relay r1 since 3m"}],
     "paths": [{"kind": "relay", "relay": "r1", "host": "192.0.2.1", "call_port": 7723,
                "for": "calls", "breaker": "closed", "in_use": true, "successes": 1, "failures": 0,
                "rtt_ms": 1.5, "verdict": "in use since 3m"}]}],
    "silent": [{"node": "vast-1", "what": "no answer"}]})");
  EXPECT_EQ(render_path(path, {}),
            "n3 > vast-1  calls: by relay r1 since 3m\n"
            "  PATH      ADDRESS           FOR    BREAKER  OK  FAILED  RTT     WHY\n"
            "  relay r1  192.0.2.1:7723 *  calls  closed   1   0       1.50ms  in use since 3m\n"
            "not heard from: vast-1: no answer\n");
}

TEST(Render, WhatWasThereAlreadyIsNotCountedAsAdded) {
  const auto said = [](int added, int known, const char* fresh, const char* there) {
    return render_work_added(
        {{"added", added}, {"known", known}, {"new_ids", fresh}, {"known_ids", there}}, {});
  };
  EXPECT_EQ(said(3, 0, "1-3", ""), "added 3: 1-3\n");
  EXPECT_EQ(said(3, 1, "2-3", "1"), "added 2: 2-3; 1 was there already: 1\n");
  EXPECT_EQ(said(2, 2, "", "7-8"), "added 0; 2 were there already: 7-8\n");
  EXPECT_EQ(said(0, 0, "", ""), "added 0\n");
}

TEST(Render, AGroupWithoutALimitSaysSo) {
  Json group{{"group", "film"}, {"leased", 2}, {"limit", 0}, {"weight", 3}};
  EXPECT_EQ(render_work_group(group, {}), "group film: 2 running, limit none, weight 3\n");
  group["limit"] = 4;
  EXPECT_EQ(render_work_group(group, {}), "group film: 2 running, limit 4, weight 3\n");
}

TEST(Render, NoOutputIsToldFromOutputThatIsNotThere) {
  Json logs{{"work", {{"state", "done"}}}};
  EXPECT_EQ(render_work_logs(logs, {}), "nothing was kept\n");
  logs["work"]["output"] = {{"stdout", ""}, {"stderr", ""}, {"wrote_nothing", true}};
  EXPECT_EQ(render_work_logs(logs, {}), "it wrote nothing\n");
  logs["work"]["state"] = "leased";
  EXPECT_EQ(render_work_logs(logs, {}), "it has written nothing yet\n");
}

}  // namespace
}  // namespace riftbus::ctl
