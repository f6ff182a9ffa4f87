// Metrics: what a scraper may ask a node about every few seconds, for ever.
//
// Base units, `_total` for what only grows, and label sets that are bounded by the cluster, never
// by its work: no id of a job is a label, and of peers only those are named that this node watches,
// kPeersMax at most. Every counter that the node keeps is there, also those without a name of its
// own here: `bus.sent_bytes` is riftbus_bus_sent_bytes_total.
//
// Pure: reads the view, which is lent for the call.
#pragma once

#include <string>

#include "node/api/api.h"
#include "node/http/glance.h"

namespace riftbus::node {

inline constexpr std::size_t kPeersMax = 64;  // with a series of their own

// Prometheus' text format, version 0.0.4.
[[nodiscard]] std::string prometheus_text(const NodeView& view, const Glance& seen);

}  // namespace riftbus::node
