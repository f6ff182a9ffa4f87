// Samples: messages for tests, from a seed or written by hand.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "bus/wire/codec.h"
#include "config/random.h"

namespace riftbus::wire {

inline constexpr std::size_t kBodies = std::variant_size_v<Body>;

NodeId id(std::string_view text);
NodeId random_id(Random& random);
// The alternative of Body with this index, every field drawn at random within its limits.
Body random_body(std::size_t index, Random& random);
Envelope random_envelope(std::size_t index, Random& random);

// One small message of each kind with readable values: what the golden bytes are made from.
std::vector<Envelope> plain_messages();

std::string to_hex(std::string_view bytes);
std::string from_hex(std::string_view hex);

}  // namespace riftbus::wire
