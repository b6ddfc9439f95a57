#include "config/report.hpp"

#include <gtest/gtest.h>

#include <string>

namespace postern::config {
namespace {

TEST(Report, OrdersByPlaceAndKeepsOrderWithinPlace) {
  Report report("f");
  report.add({2, 1}, "c");
  report.add({1, 9}, "b");
  report.add({2, 1}, "a");
  report.add({1, 10}, "b");
  std::string told;
  for (const Problem& problem : report.take()) told += problem.to_string() + " ";
  EXPECT_EQ(told, "f:1:9: b f:1:10: b f:2:1: c f:2:1: a ");
  EXPECT_EQ(report.size(), 0U);
}

TEST(Report, TellsEqualProblemsOnce) {
  Report report("f");
  report.add({1, 1}, "a");
  report.add({1, 1}, "a");
  report.add({1, 2}, "a");
  EXPECT_EQ(report.take().size(), 2U);
}

TEST(Report, LeavesOutPlaceWhereThereIsNone) {
  EXPECT_EQ((Problem{{"f", 0, 0}, "m"}.to_string()), "f: m");
}

TEST(Report, QuotesWithoutControlCharacters) {
  EXPECT_EQ(in_quotes(""), "''");
  EXPECT_EQ(in_quotes("a\nb\x1b[m\x7f"), "'a\\x0ab\\x1b[m\\x7f'");
  EXPECT_EQ(in_quotes("\xc3\xbc"), "'\xc3\xbc'");
}

TEST(Report, CutsLongQuoteBetweenCharacters) {
  EXPECT_EQ(in_quotes(std::string(80, 'a')), "'" + std::string(80, 'a') + "'");
  EXPECT_EQ(in_quotes(std::string(81, 'a')), "'" + std::string(80, 'a') + "...'");
  EXPECT_EQ(in_quotes(std::string(79, 'a') + "\xc3\xbc"), "'" + std::string(79, 'a') + "...'");
}

}  // namespace
}  // namespace postern::config
