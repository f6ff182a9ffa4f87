// uninterrupted(): a call of libzmq, again if a signal came in the middle.
//
// Any call on a socket may look into its mailbox, by poll(), which fails with EINTR even if it does
// not wait and whatever SA_RESTART says. Nothing was done then. Signals are heeded elsewhere.
#pragma once

#include <zmq.h>

#include <cerrno>

namespace riftbus::bus {

// `call` gives a negative number for a failure.
template <class Call>
int uninterrupted(Call call) {
  for (;;) {
    const int result = call();
    if (result >= 0 || ::zmq_errno() != EINTR) return result;
  }
}

}  // namespace riftbus::bus
