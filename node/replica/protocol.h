// Protocol: what travels inside a WorkRequest and a WorkReply beside commands (node/work/codec.h):
// renewals, their answers, and questions.
//
// msgpack arrays in the manner of bus/wire/fields.h, to be extended by appending. A renewal is
// [worker, [[[id, fence], percent, checkpoint], ...]]; its answer is [[id, outcome, state, order],
// ...], in the order asked. A question is the body of a Query, [name, {argument: value}].
//
// decode_* are total. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/wire/message.h"
#include "node/consensus/types.h"
#include "node/work/lease_book.h"

namespace riftbus::replica {

inline constexpr std::size_t kRenewalMax = 4096;  // grants in one renewal

[[nodiscard]] std::string encode_renewal(const work::Renewal& renewal);
[[nodiscard]] std::optional<work::Renewal> decode_renewal(std::string_view bytes);

[[nodiscard]] std::string encode_renewed(const std::vector<work::RenewedAnswer>& answers);
[[nodiscard]] std::optional<std::vector<work::RenewedAnswer>> decode_renewed(
    std::string_view bytes);

[[nodiscard]] std::string encode_question(const wire::Query& query);
[[nodiscard]] std::optional<wire::Query> decode_question(std::string_view bytes);

// The log's name for a node: 64 bits of a hash of the operators' name. Whoever admits names must
// refuse two that collide.
[[nodiscard]] consensus::ServerId server_id_of(const NodeId& node);

}  // namespace riftbus::replica
