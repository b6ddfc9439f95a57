#include "maildrop/relay/single_spaces.hpp"

#include <gtest/gtest.h>

#include <string>

namespace postern::maildrop {
namespace {

std::string squeeze(SingleSpaces& spaces, std::string_view octets) {
  std::string room;
  return std::string(spaces.apply(octets, room));
}

TEST(SingleSpaces, LeavesUntouchedWhatHasNone) {
  SingleSpaces spaces;
  const std::string listing = "1 abc\r\n2 def\r\n";
  std::string room;
  EXPECT_EQ(spaces.apply(listing, room).data(), listing.data());
}

TEST(SingleSpaces, MakesOneOfMany) {
  SingleSpaces spaces;
  EXPECT_EQ(squeeze(spaces, "1   abc\r\n2  def \r\n"), "1 abc\r\n2 def \r\n");
}

TEST(SingleSpaces, GoesOnAcrossChunks) {
  const std::string listing = "1   abc\r\n2  d\r\n";
  for (std::size_t cut = 0; cut <= listing.size(); ++cut) {
    SingleSpaces spaces;
    const std::string first = squeeze(spaces, listing.substr(0, cut));
    EXPECT_EQ(first + squeeze(spaces, listing.substr(cut)), "1 abc\r\n2 d\r\n") << cut;
  }
}

}  // namespace
}  // namespace postern::maildrop
