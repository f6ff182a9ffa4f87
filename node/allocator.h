// The allocator under a busy leader.
//
// A turn of a leader takes in hundreds of requests, and frees what belongs to them a turn later.
// glibc keeps seven freed pieces of a size at hand for each thread and sorts the rest into its
// heap, piece by piece: a quarter of the leader's time. With a thousand at hand, the daemons take a
// fifth less time per item, and an idle one 0.1 MB more. jemalloc gains no more than that,
// takes 1.5 MB for itself, and hangs under libfaketime. glibc reads the number once, when a program
// starts.
#pragma once

namespace riftbus::node {

// Starts this program anew, under the same pid and with the same arguments, if that changes the
// number; returns otherwise, and when it cannot. An operator's own GLIBC_TUNABLES stays as it is.
// First thing in main(): one thread, nothing open. Linux with glibc only; nothing elsewhere, and
// under sanitizers.
void tune_allocator(char** argv);

}  // namespace riftbus::node
