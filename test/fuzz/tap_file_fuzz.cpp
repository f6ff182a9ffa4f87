// Any bytes as a record: read to the end, and each entry survives being written and read again.
// room: riftbus_tap
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>

#include "bus/tap/record.h"
#include "bus/tap/summary.h"
#include "config/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace riftbus;
  std::istringstream in(std::string(reinterpret_cast<const char*>(data), size));
  tap::RecordReader reader(in);
  tap::Summary rate{tap::RateSpec{}};
  tap::Summary top{tap::TopSpec{tap::Field::from}};
  tap::Summary latency{tap::LatencySpec{}};
  std::string out;
  while (const auto entry = reader.next()) {
    if (const auto* loss = std::get_if<tap::Loss>(&*entry)) {
      RIFTBUS_CHECK(std::get<tap::Loss>(tap::parse_json_line(tap::json_line(*loss)).value()) ==
                    *loss);
      continue;
    }
    const auto& seen = std::get<tap::Seen>(*entry);
    RIFTBUS_CHECK(std::get<tap::Seen>(tap::parse_json_line(tap::json_line(seen)).value()) == seen);
    const auto line = tap::format_line(tap::TextFormat{true}, seen);
    RIFTBUS_CHECK(line.find_first_of("\n\r\x1B") == std::string::npos);
    for (auto* summary : {&rate, &top, &latency}) summary->add(seen, out);
  }
  for (auto* summary : {&rate, &top, &latency}) out += summary->finish();
  return 0;
}
