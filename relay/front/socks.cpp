#include "relay/front/socks.h"

#include <utility>

namespace riftbus::relay {

namespace {

constexpr char kVersion = 5;
constexpr char kNoAuthentication = 0;
constexpr char kConnect = 1;
constexpr char kName = 3;

std::size_t byte(const std::string& bytes, std::size_t place) {
  return static_cast<unsigned char>(bytes[place]);
}

}  // namespace

std::string encode_reply(SocksReply reply) {
  std::string bytes{kVersion, static_cast<char>(reply), 0, 1};
  bytes.append(6, '\0');  // the address we connected from: nobody's business
  return bytes;
}

SocksRequest::Step SocksRequest::take(std::string_view bytes) {
  if (buffer_.size() + bytes.size() > kRequestBytesMax) return hang_up("");
  buffer_ += bytes;
  switch (stage_) {
    case Stage::greeting:
      return take_greeting();
    case Stage::request:
      return take_request();
    case Stage::over:
      break;
  }
  return hang_up("");
}

SocksRequest::Step SocksRequest::take_greeting() {
  if (!buffer_.empty() && buffer_[0] != kVersion) return hang_up("");
  if (buffer_.size() < 2) return Step::more;
  const std::size_t end = 2 + byte(buffer_, 1);
  if (buffer_.size() < end) return Step::more;
  const bool is_open = buffer_.find(kNoAuthentication, 2) < end;
  if (!is_open) return hang_up({kVersion, static_cast<char>(0xFF)});
  buffer_.erase(0, end);
  stage_ = Stage::request;
  answer_ = {kVersion, kNoAuthentication};
  return Step::greet;
}

SocksRequest::Step SocksRequest::take_request() {
  if (!buffer_.empty() && buffer_[0] != kVersion) return hang_up("");
  if (buffer_.size() < 5) return Step::more;
  if (buffer_[1] != kConnect) return hang_up(encode_reply(SocksReply::no_such_command));
  if (buffer_[3] != kName) return hang_up(encode_reply(SocksReply::no_such_address_type));
  const std::size_t name_end = 5 + byte(buffer_, 4);
  if (buffer_.size() < name_end + 2) return Step::more;
  if (buffer_.size() > name_end + 2) return hang_up(encode_reply(SocksReply::failure));
  std::string name = buffer_.substr(5, name_end - 5);
  if (!name.ends_with(kNodeSuffix)) return hang_up(encode_reply(SocksReply::unreachable));
  name.resize(name.size() - kNodeSuffix.size());
  auto node = NodeId::parse(name);
  const std::size_t number = byte(buffer_, name_end) << 8U | byte(buffer_, name_end + 1);
  if (!node || number == 0) return hang_up(encode_reply(SocksReply::unreachable));
  target_ = {std::move(*node), static_cast<std::uint16_t>(number)};
  stage_ = Stage::over;
  buffer_.clear();
  return Step::ask;
}

SocksRequest::Step SocksRequest::hang_up(std::string answer) {
  stage_ = Stage::over;
  buffer_.clear();
  answer_ = std::move(answer);
  return Step::hang_up;
}

}  // namespace riftbus::relay
