// Handlers: what each command does to the ledger. One function per command, one file per family:
// handle_add.cpp, handle_claim.cpp, handle_end.cpp, handle_operator.cpp.
//
// Each is total: a command of a peer can be refused, never fail a CHECK. Called by
// WorkQueue::apply() with the ledger's time already set to the stamp's.
#pragma once

#include "node/work/ledger.h"

namespace riftbus::work {

// Takes its payloads.
[[nodiscard]] Added handle(Ledger& ledger, const Stamp& stamp, Add& command);
[[nodiscard]] Claimed handle(Ledger& ledger, const Stamp& stamp, const Claim& command);
[[nodiscard]] Verdicts handle(Ledger& ledger, const Stamp& stamp, const Attach& command);
[[nodiscard]] Verdicts handle(Ledger& ledger, const Stamp& stamp, const Complete& command);
[[nodiscard]] Verdicts handle(Ledger& ledger, const Stamp& stamp, const Fail& command);
[[nodiscard]] Verdicts handle(Ledger& ledger, const Stamp& stamp, const Bury& command);
[[nodiscard]] Verdicts handle(Ledger& ledger, const Stamp& stamp, const Release& command);
[[nodiscard]] Verdicts handle(Ledger& ledger, const Stamp& stamp, const Note& command);
[[nodiscard]] Verdicts handle(Ledger& ledger, const Stamp& stamp, const Expire& command);
[[nodiscard]] Verdicts handle(Ledger& ledger, const Stamp& stamp, const Tick& command);
[[nodiscard]] Verdicts handle(Ledger& ledger, const Stamp& stamp, const Cancel& command);
[[nodiscard]] Verdicts handle(Ledger& ledger, const Stamp& stamp, const Preempt& command);
[[nodiscard]] Verdicts handle(Ledger& ledger, const Stamp& stamp, const Kick& command);
[[nodiscard]] Verdicts handle(Ledger& ledger, const Stamp& stamp, const Purge& command);
[[nodiscard]] Verdicts handle(Ledger& ledger, const Stamp& stamp, const SetGroup& command);
[[nodiscard]] Verdicts handle(Ledger& ledger, const Stamp& stamp, const Configure& command);
[[nodiscard]] Verdicts handle(Ledger& ledger, const Stamp& stamp, const Recover& command);

// How the queue stands towards a grant that somebody names.
[[nodiscard]] Judged judge(const Ledger& ledger, std::uint16_t node, const Hold& hold,
                           Ending ending);

// Is there a worker, not on this list and heard of lately, that could run it if it were idle?
[[nodiscard]] bool fits_elsewhere(const Ledger& ledger, const ClassKey& key);
[[nodiscard]] bool is_fresh(const Ledger& ledger, const Worker& worker);
// Could this worker run it with nothing else on it?
[[nodiscard]] bool fits_idle(const CompiledTerms& terms, std::string_view kind, const Offer& offer);

}  // namespace riftbus::work
