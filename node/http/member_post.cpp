// What members post to each other (node/mesh/http_path.h), as JSON around the sealed bytes.
#include "bus/seal.h"
#include "node/http/http_desk.h"

namespace riftbus::node {

namespace {

constexpr std::size_t kSealedBytesMax = 768 * 1024;

http::Trouble trouble_of(bus::SealRefusal refusal) {
  switch (refusal) {
    case bus::SealRefusal::malformed:
      return {400, "BAD_ARGUMENT", "`sealed` is not a member's post", {}};
    case bus::SealRefusal::no_session:
      return {409, "NO_SESSION", "this node knows no such session: say hello again", {}};
    case bus::SealRefusal::stranger:
    case bus::SealRefusal::forged:
    case bus::SealRefusal::replayed:
      break;
  }
  // Not why: who is listed is nobody's business who is not.
  return {403, "NOT_A_MEMBER", "not a post of a member of this cluster to this node", {}};
}

}  // namespace

void take_member_post(HttpDesk& desk, const HttpCallPtr& call) {
  const auto text = call->body.find("sealed");
  const bool is_text = text != call->body.end() && text->is_string();
  const auto sealed = is_text
                          ? bus::from_base64(text->get_ref<const std::string&>(), kSealedBytesMax)
                          : std::nullopt;
  if (!sealed) return reply_trouble(call, trouble_of(bus::SealRefusal::malformed));
  const auto outcome = desk.member_post(*sealed);
  if (const auto* answer = std::get_if<std::string>(&outcome)) {
    return reply_json(call, 200, {{"sealed", bus::to_base64(*answer)}});
  }
  if (const auto* refusal = std::get_if<bus::SealRefusal>(&outcome)) {
    return reply_trouble(call, trouble_of(*refusal));
  }
  if (std::holds_alternative<HttpPath::Flooded>(outcome)) {
    return reply_trouble(call, {429, "BACKPRESSURE", "too many posts of this member", {}});
  }
  reply_trouble(call, {409,
                       "REFUSED",
                       "membership of this node does not use HTTP",
                       {{"next", "set MEMBERSHIP_MODE to hybrid or http"}}});
}

}  // namespace riftbus::node
