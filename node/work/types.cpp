#include "node/work/types.h"

namespace riftbus::work {

const char* to_string(State state) {
  switch (state) {
    case State::delayed:
      return "delayed";
    case State::ready:
      return "ready";
    case State::leased:
      return "leased";
    case State::dead:
      return "dead";
    case State::done:
      return "done";
    case State::cancelled:
      return "cancelled";
  }
  return "?";
}

const char* to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::ok:
      return "ok";
    case Outcome::repeated:
      return "repeated";
    case Outcome::stale:
      return "stale";
    case Outcome::unknown:
      return "unknown";
    case Outcome::wrong_state:
      return "wrong_state";
    case Outcome::again:
      return "again";
    case Outcome::superseded:
      return "superseded";
    case Outcome::old_request:
      return "old_request";
    case Outcome::oversize:
      return "oversize";
    case Outcome::bad_needs:
      return "bad_needs";
    case Outcome::bad_value:
      return "bad_value";
    case Outcome::cycle:
      return "cycle";
    case Outcome::bad_dependency:
      return "bad_dependency";
    case Outcome::too_many:
      return "too_many";
  }
  return "?";
}

const char* to_string(Ending ending) {
  switch (ending) {
    case Ending::none:
      return "none";
    case Ending::completed:
      return "completed";
    case Ending::failed:
      return "failed";
    case Ending::buried:
      return "buried";
    case Ending::released:
      return "released";
    case Ending::lost:
      return "lost";
    case Ending::cancelled:
      return "cancelled";
  }
  return "?";
}

const char* to_string(Cause cause) {
  switch (cause) {
    case Cause::none:
      return "none";
    case Cause::asked:
      return "asked";
    case Cause::expired:
      return "expired";
    case Cause::deadline:
      return "deadline";
    case Cause::dependency:
      return "dependency";
    case Cause::gang:
      return "gang";
  }
  return "?";
}

}  // namespace riftbus::work
