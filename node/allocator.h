// The allocator under a busy leader, and in a daemon whose many connections mostly rest.
//
// A turn of a leader takes in hundreds of requests, and frees what belongs to them a turn later.
// glibc keeps seven freed pieces of a size at hand for each thread and sorts the rest into its
// heap, piece by piece: a quarter of the leader's time. With a thousand at hand, the daemons take a
// fifth less time per item, and an idle one 0.1 MB more. jemalloc gains no more than that,
// takes 1.5 MB for itself, and hangs under libfaketime.
//
// Each connection of libzmq has pipes of 16 KiB pieces, four of them with their ZAP pipe, of which
// a resting one touches the first page. Where neither its bins nor the top of its heap can serve
// such a piece, glibc gives it a mapping of its own here: untouched pages cost nothing, and a
// connection that ends leaves no hole. 2 MB less in a voter of 200 nodes. The number of mappings is
// bounded, for the kernel's is; beyond it the heap serves. What the heap may keep at its end has to
// be said, too, or it would be given back and taken anew all the time. Under load, though, each
// batch would be mapped, touched page by page and unmapped at every hand it goes through, a sixth
// of all time per item: the first long batch ends that for good.
//
// glibc reads the rest once, when a program starts.
#pragma once

#include "config/types.h"

namespace riftbus::node {

// Starts this program anew, under the same pid and with the same arguments, if that changes
// anything; returns otherwise, and when it cannot. An operator's own GLIBC_TUNABLES stays as it is.
// First thing in main(): one thread, nothing open. Linux with glibc only; nothing elsewhere, and
// under sanitizers.
void tune_allocator(char** argv);

// From now on the heap serves pieces of up to 4 MiB, and keeps what becomes free at its end until
// give_memory_back(). Call it for each long batch. Any thread; cheap after the first time. Nothing
// where tune_allocator() does nothing.
void expect_long_batches();

// To the machine: what closed connections leave in the heap (50 kB each), and what a load left.
// Call it every half minute; while long batches come, it acts every ten minutes only: what it took
// would be needed at once, and taking a page anew is dear on a virtual machine. One thread.
void give_memory_back(TimePoint now);

}  // namespace riftbus::node
