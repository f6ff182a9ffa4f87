#include "config/check.h"

#include <cstdio>
#include <cstdlib>

namespace riftbus {

void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "riftbus: broken invariant at %s:%d: %s\n", file, line, expression);
  std::abort();
}

}  // namespace riftbus
