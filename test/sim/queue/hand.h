// Hand: the client that a script writes out word by word: what it asks whom, and what it is told.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "test/sim/queue/world.h"
#include "test/sim/script.h"

namespace riftbus::consensus {

using sim::Words;

// "key=value" among the words; `otherwise` if it is not there.
[[nodiscard]] std::string value_of(const Words& words, const std::string& key,
                                   const std::string& otherwise);
[[nodiscard]] std::uint64_t number_of(const Words& words, const std::string& key,
                                      std::uint64_t otherwise);
[[nodiscard]] std::string name_of(ServerId id);

class Hand {
 public:
  static constexpr Port kPort = 300;

  Hand(World& world, std::function<void(const std::string&)> say)
      : world_(world), say_(std::move(say)) {}

  [[nodiscard]] static bool knows(const std::string& verb);
  // add|claim|attach|complete|renew|expire|read VOTER [key=value...]; repeat VOTER: the last one
  // again.
  void ask(Voter& voter, const Words& words);

 private:
  [[nodiscard]] Client::Request make(const Words& words);
  void check(const std::string& verb, const AnswerBody& body);

  World& world_;
  std::function<void(const std::string&)> say_;
  Client::Request last_;
  std::string last_verb_;
  std::uint64_t nonce_ = 1;
};

}  // namespace riftbus::consensus
