// Kinds: what the queue is told about work of a kind, derived from the cluster file's `jobs`.
//
// Whoever adds work by the name of its kind fills the terms from here, so that lease, retries and
// needs are the file's. Work whose needs reserve no CPU reserves one: a kind about which nobody
// thought must not be granted a hundred times to one machine.
//
// Pure functions.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/job_kind.h"
#include "node/work/command.h"

namespace riftbus::jobs {

[[nodiscard]] work::Terms terms_of(const JobKind& kind);
// With the kind's terms and priority.
[[nodiscard]] work::Spec spec_of(const JobKind& kind, std::string payload);
// What a grant with these terms holds of a node: the queue counts alike. Sorted by name.
[[nodiscard]] std::vector<work::Amount> reserved_by(const work::Terms& terms);

}  // namespace riftbus::jobs
