// Golden files of the configuration tests: data beside the tests, reports beside the data.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace riftbus {

inline std::string source_path(const std::string& name) {
  return std::string(RIFTBUS_SOURCE_DIR) + "/" + name;
}

inline std::string read_source(const std::string& name) {
  std::ifstream stream(source_path(name), std::ios::binary);
  EXPECT_TRUE(stream.is_open()) << name;
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// Compares, or rewrites the file if RIFTBUS_REWRITE_GOLDEN is set.
inline void expect_golden(const std::string& name, const std::string& actual) {
  if (std::getenv("RIFTBUS_REWRITE_GOLDEN") != nullptr) {
    std::ofstream(source_path(name), std::ios::binary) << actual;
    return;
  }
  EXPECT_EQ(read_source(name), actual) << "set RIFTBUS_REWRITE_GOLDEN=1 to rewrite " << name;
}

}  // namespace riftbus
