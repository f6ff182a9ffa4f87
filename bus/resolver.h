// Resolver: host names to addresses, beside the loop.
//
// libzmq would resolve names on its I/O thread, where one dead name server stops every connection
// for ten seconds, and all our peers would seem dead. So sockets are only ever given numeric
// addresses, and names are looked up by one thread of their own. lookup() answers from memory and
// starts what is missing; descriptor() becomes readable when answers arrived.
//
// Answers are kept for a minute, failures for ten seconds; an expired answer is used until the new
// one is there, because an old address is better than none. Bounds: kNamesMax names, kAddressesMax
// addresses each.
//
// Contract: one thread, except for its own worker. The worker starts with the first name. It is
// not waited for on destruction, because a name server cannot be hurried.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/types.h"

namespace riftbus::bus {

class Resolver {
 public:
  static constexpr std::size_t kNamesMax = 1024;
  static constexpr std::size_t kAddressesMax = 3;
  static constexpr Seconds kKeepFor{60};
  static constexpr Seconds kKeepFailureFor{10};

  Resolver();
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Numeric addresses; `host` itself if it is one. Empty: not known (yet).
  [[nodiscard]] std::vector<std::string> lookup(const std::string& host, TimePoint now);
  // Readable while collect() has something.
  [[nodiscard]] int descriptor() const;
  // Takes in what the worker found. Gives the number of names that have no address.
  std::size_t collect(TimePoint now);

 private:
  struct Shared;
  struct Name {
    std::vector<std::string> addresses;
    TimePoint stale_at{};
    bool asked = false;
  };
  static void work(const std::shared_ptr<Shared>& shared);

  std::shared_ptr<Shared> shared_;
  std::map<std::string, Name> names_;
};

}  // namespace riftbus::bus
