#include "bus/socks_words.h"

namespace riftbus::bus {

namespace {

constexpr char kSocksVersion = 5;
constexpr char kAddressV4 = 1;  // of the answer, which has the server's own address

}  // namespace

std::string socks_question(std::string_view name, std::uint16_t number) {
  std::string bytes{kSocksVersion, 1, 0, kSocksVersion, 1, 0, 3, static_cast<char>(name.size())};
  bytes += name;
  bytes += static_cast<char>(number >> 8U);
  bytes += static_cast<char>(number & 0xFFU);
  return bytes;
}

SocksVerdict read_socks_answer(std::string_view answer) {
  const bool speaks = answer.size() == kSocksAnswerBytes && answer[0] == kSocksVersion &&
                      answer[1] == 0 && answer[2] == kSocksVersion && answer[5] == kAddressV4;
  if (!speaks) return SocksVerdict::nonsense;
  return answer[3] == 0 ? SocksVerdict::open : SocksVerdict::closed;
}

}  // namespace riftbus::bus
