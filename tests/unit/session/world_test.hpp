#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>

#include "postern/base/failure.hpp"
#include "support/tls_filters.hpp"
#include "support/world.hpp"

namespace postern::session {

using namespace std::chrono_literals;
using test::Client;
using test::Direction;
using test::Ending;
using test::Peer;
using test::Side;
using test::Store;
using test::World;
namespace step = test::step;

/// A world that has to be clean when a test is over.
class WorldTest : public testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(world.leftovers(), ""); }

  World world;
};

inline std::string at_login(FailureKind kind) {
  return "-ERR " + std::string(failure_row(kind).at_login) + "\r\n";
}
inline std::string in_transaction(FailureKind kind) {
  return "-ERR " + std::string(failure_row(kind).in_transaction) + "\r\n";
}

/// Status lines by what matters in them: "+OK", "-ERR", "-ERR [AUTH]", with a bar between them. Other lines
/// as they are.
inline std::string brief(std::string_view text) {
  std::string all;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find("\r\n"));
    text.remove_prefix(std::min(text.size(), line.size() + 2));
    if (!all.empty()) all += '|';
    const std::size_t code = line.find(']');
    if (line.starts_with("-ERR [")) {
      all += line.substr(0, code + 1);
    } else if (line.starts_with("-ERR")) {
      all += "-ERR";
    } else if (line.starts_with("+OK")) {
      all += "+OK";
    } else {
      all += line;
    }
  }
  return all;
}

/// A message of about so many octets.
inline std::string message_of(std::size_t octets) {
  std::string text = "Subject: long\r\n\r\n";
  while (text.size() < octets)
    text += "Seventy octets of text and two of line end, and so on until the size fits.\r\n";
  return text;
}

}  // namespace postern::session
