// Secure buffers: a pool for what libzmq allocates with libsodium's guarded memory.
//
// libzmq with CURVE takes two or three buffers from sodium_allocarray() for every handshake command
// and every message. Each of them costs libsodium six system calls (map, two protections, lock,
// unlock, unmap): a third of all the processor time of fifty daemons that join. A buffer lives for
// some microseconds, so a few dozen slots are enough.
//
// This file defines sodium_malloc(), sodium_allocarray() and sodium_free() for the whole program;
// the linker lets a program's own symbols go before those of its libraries. Until
// pool_secure_buffers() is called they hand on to libsodium, so that bare libzmq stays what it is;
// afterwards small buffers come from slots.
//
// Kept: slots are locked in memory, left out of core dumps, and wiped when they are given back.
// Given up: guard pages and canaries around these buffers. The plaintext of every message lies in
// ordinary memory anyway, before libzmq encrypts and after it decrypts it. Long-lived keys of ours
// are not kept here.
//
// Any thread may allocate and free; no locks. A buffer that does not fit, or comes when all slots
// are taken, is libsodium's own.
#pragma once

#include <cstddef>
#include <cstdint>

namespace riftbus::bus {

inline constexpr std::size_t kSmallBufferBytes = 512;
inline constexpr std::size_t kSmallBuffers = 64;
inline constexpr std::size_t kLargeBufferBytes = 8192;
inline constexpr std::size_t kLargeBuffers = 4;

// From now on, for the rest of the process. May be called again. Without memory for the pool
// everything stays with libsodium.
void pool_secure_buffers();

struct SecureBufferCounts {
  std::uint64_t pooled = 0;     // served from a slot
  std::uint64_t handed_on = 0;  // served by libsodium
  std::size_t in_use = 0;       // slots taken now
};
[[nodiscard]] SecureBufferCounts count_secure_buffers();

}  // namespace riftbus::bus
