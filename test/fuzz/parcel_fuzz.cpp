// Any post and any parcel, by a stranger or by a member that lies: it is refused, or what it says
// is within bounds; and what was read is written again as it was.
// room: riftbus_node
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "bus/seal.h"
#include "bus/wire/parcel.h"
#include "config/check.h"
#include "node/mesh/http_path.h"

namespace riftbus::node {
namespace {

NodeId id_of(std::string_view text) { return NodeId::parse(text).value(); }

struct Stage {
  KeyPair host_keys = KeyPair::generate();
  KeyPair liar_keys = KeyPair::generate();
  TimePoint now{Seconds(1000)};
  HttpPath path{host_keys, id_of("host"), Instance(1), ground()};
  bus::SealCaller liar{liar_keys, id_of("liar"), id_of("host")};

  PathGround ground() {
    PathGround ground;
    ground.places = [](const NodeId&) { return std::vector<HttpPlace>{}; };
    ground.keys = [this](const NodeId& id) {
      return id == id_of("liar") ? std::vector<CurveKey>{liar_keys.public_key}
                                 : std::vector<CurveKey>{};
    };
    ground.interval = [](const NodeId&) { return Seconds(1); };
    ground.calls_up = [](const NodeId&) { return false; };
    ground.post = [](http::Errand) { return false; };
    ground.deliver = [](bus::Received& received) {
      RIFTBUS_CHECK(received.envelope.origin == id_of("liar"));
    };
    ground.link = [](const NodeId&, bool) {};
    ground.dialled = [](const bus::Dialled&) {};
    ground.used = [](const NodeId&, bool) {};
    return ground;
  }
  void meet() {
    path.set_mode(MembershipMode::hybrid, now);
    path.subscribe(id_of("liar"), now);
    const auto welcome = path.on_post(liar.hello(host_keys.public_key), now);
    RIFTBUS_CHECK(liar.on_welcome(std::get<std::string>(welcome)));
  }
};

void look_at(std::string_view bytes) {
  if (const auto parcel = wire::decode_parcel(bytes)) {
    RIFTBUS_CHECK(parcel->frames.size() <= wire::kParcelFramesMax);
    RIFTBUS_CHECK(wire::decode_parcel(encode(*parcel)) == *parcel);
  }
  if (const auto post = wire::decode_post(bytes)) {
    RIFTBUS_CHECK(wire::decode_post(encode(*post)).has_value());
  }
  static_cast<void>(wire::decode_answer(bytes));
  static_cast<void>(wire::decode_vow(bytes));
  static_cast<void>(bus::from_base64(bytes, bytes.size()));
}

}  // namespace
}  // namespace riftbus::node

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  riftbus::node::look_at(bytes);
  static auto& stage = *[] {
    auto* made = new riftbus::node::Stage;
    made->meet();
    return made;
  }();
  stage.now += riftbus::Seconds(1);  // within its rate
  static_cast<void>(stage.path.on_post(bytes, stage.now));
  static_cast<void>(stage.path.on_post(stage.liar.seal(bytes), stage.now));
  return 0;
}
