// SignalWatch: signals as something to read, so that no handler runs in the midst of anything.
//
// The signals stay blocked for the rest of the process, and for programs it starts unless these
// unblock them. Contract: one thread, before any other was started.
#pragma once

#include <initializer_list>

namespace riftbus::bus {

class SignalWatch {
 public:
  explicit SignalWatch(std::initializer_list<int> numbers);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  // Readable when one came. Poll it, never read it.
  [[nodiscard]] int descriptor() const { return descriptor_; }
  // The next one that came; 0: none.
  [[nodiscard]] int take();

 private:
  int descriptor_;
};

}  // namespace riftbus::bus
