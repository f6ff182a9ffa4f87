#include "bus/wire/topic.h"

#include <algorithm>

#include "config/check.h"

namespace riftbus::wire {

namespace {

bool is_topic_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

}  // namespace

bool is_topic(std::string_view topic) {
  return !topic.empty() && topic.size() <= kTopicBytesMax &&
         std::all_of(topic.begin(), topic.end(), is_topic_character);
}

std::string make_pub_frame(std::string_view topic, std::string_view envelope) {
  RIFTBUS_CHECK(is_topic(topic));
  std::string frame;
  frame.reserve(topic.size() + 1 + envelope.size());
  frame += topic;
  frame += '\0';
  frame += envelope;
  return frame;
}

std::optional<PubFrame> split_pub_frame(std::string_view frame) {
  const auto zero = frame.substr(0, kTopicBytesMax + 1).find('\0');
  if (zero == std::string_view::npos) return std::nullopt;
  const PubFrame parts{frame.substr(0, zero), frame.substr(zero + 1)};
  if (!is_topic(parts.topic) || parts.envelope.empty()) return std::nullopt;
  return parts;
}

std::string subscription_for(std::string_view topic) {
  RIFTBUS_CHECK(is_topic(topic));
  std::string prefix(topic);
  prefix += '\0';
  return prefix;
}

std::optional<std::string_view> topic_of(Kind kind) {
  if (kind == Kind::beat) return kTopicBeat;
  if (kind == Kind::gossip) return kTopicGossip;
  return std::nullopt;
}

}  // namespace riftbus::wire
