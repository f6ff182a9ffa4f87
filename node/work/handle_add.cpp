#include "node/work/batch.h"
#include "node/work/handlers.h"

namespace riftbus::work {

Added handle(Ledger& ledger, const Stamp&, Add& command) {
  if (command.nonce != 0) {
    if (const auto* known = ledger.past_adds.find(command.nonce)) {
      Added again;
      again.outcome = Outcome::repeated;
      again.ids = *known;
      again.known.assign(again.ids.size(), 1);
      return again;
    }
  }
  if (command.items.size() > kBatchMax) {
    Added refused;
    refused.outcome = Outcome::oversize;
    return refused;
  }
  Added added = Batch(ledger, command).run();
  if (command.nonce != 0 && added.outcome == Outcome::ok) {
    ledger.past_adds.add(command.nonce, added.ids);
  }
  return added;
}

}  // namespace riftbus::work
