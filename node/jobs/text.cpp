#include "node/jobs/events.h"
#include "node/jobs/executor.h"

namespace riftbus::jobs {

const char* to_string(Cause cause) {
  switch (cause) {
    case Cause::itself:
      return "itself";
    case Cause::cancel:
      return "cancelled";
    case Cause::preempt:
      return "preempted";
    case Cause::evict:
      return "evicted";
    case Cause::lease:
      return "lease over";
    case Cause::stale:
      return "granted to another";
    case Cause::timeout:
      return "timeout";
    case Cause::disk:
      return "disk limit";
    case Cause::runner_failed:
      return "runner failed";
    case Cause::no_gpu:
      return "no GPU is free";
    case Cause::node_trouble:
      return "this node could not start it";
  }
  return "?";
}

const char* to_string(Phase phase) {
  switch (phase) {
    case Phase::held:
      return "held";
    case Phase::starting:
      return "starting";
    case Phase::running:
      return "running";
    case Phase::stopping:
      return "stopping";
    case Phase::reporting:
      return "reporting";
  }
  return "?";
}

}  // namespace riftbus::jobs
