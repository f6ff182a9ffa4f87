// RIFTBUS_CHECK: an invariant of our own code that, broken, makes going on unsafe.
//
// Three kinds of failure exist and are never mixed: an operating error (full disk, wrong flag)
// is a Result; bad input from a peer is dropped, counted and survived; a broken invariant ends
// the process at once, because a member that is wrong about itself harms the whole cluster.
// Always on, in release builds too. Never use it on anything that came from outside.
#pragma once

namespace riftbus {

[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace riftbus

#define RIFTBUS_CHECK(expression) \
  ((expression) ? static_cast<void>(0) : ::riftbus::check_failed(#expression, __FILE__, __LINE__))
