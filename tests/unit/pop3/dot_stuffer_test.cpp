#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "postern/pop3/dot.hpp"
#include "postern/pop3/dot_stuffer.hpp"
#include "unit/pop3/dot_corpus.hpp"
#include "unit/pop3/dot_stuffer_reference.hpp"

namespace postern::pop3 {
namespace {

using Nul = DotStuffer::Nul;

constexpr std::size_t kRoomy = 65536;

struct Stuffed {
  std::string wire;
  std::size_t consumed = 0;
  bool complete = false;
};

/// Feeds `message` in chunks that end at `ends`, into a buffer of `room` octets.
Stuffed stuffed(DotStuffer stuffer, std::string_view message, const std::vector<std::size_t>& ends,
                std::size_t room = kRoomy) {
  Stuffed result;
  std::vector<char> out(room);
  for (const auto end : ends) {
    while (result.consumed < end && !stuffer.is_complete()) {
      const auto fed = stuffer.feed(message.substr(result.consumed, end - result.consumed), out);
      result.consumed += fed.consumed;
      result.wire.append(out.data(), fed.produced);
    }
  }
  result.wire += stuffer.tail();
  result.complete = stuffer.is_complete();
  return result;
}

Stuffed whole(DotStuffer stuffer, std::string_view message) {
  return stuffed(stuffer, message, {message.size()});
}

std::vector<std::size_t> every_octet(std::size_t size) {
  std::vector<std::size_t> ends;
  for (std::size_t end = 1; end <= size; ++end) ends.push_back(end);
  return ends;
}

const std::vector<std::string>& messages() {
  static const std::vector<std::string> kMessages = [] {
    auto all = difficult_answers();
    all.insert(all.end(), {"a\n.\nb\r.\rc\r\n.\r\nend", "Subject: x\r\n\r\nbody\r\n", "a: b\n\n1\n2\n\n3",
                           "\r", "\r\r", "\r\r\n\r\n", "a\r\n\r", "\n", "\r\n", "\n\n", "a\r\n\r\n.\n.\r\n..",
                           "no header line\r\n", std::string("n\0l\r\n.\0\n\0", 9)});
    return all;
  }();
  return kMessages;
}

class Row {
 public:
  std::string_view literal;
  std::string_view wire;
};

TEST(DotStuffer, WritesWireForm) {
  const std::vector<Row> rows = {
      {"a\n.\nb\r.\rc\r\n.\r\nend", "a\r\n..\r\nb\r.\rc\r\n..\r\nend\r\n"},
      {"a\r\n", "a\r\n"},
      {"a", "a\r\n"},
      {"a\r", "a\r\r\n"},
      {"a\n", "a\r\n"},
      {".", "..\r\n"},
      {"..\r\n.\r\n", "...\r\n..\r\n"},
      {"\n.\n", "\r\n..\r\n"},
      {"a.\r\n", "a.\r\n"},
      {"\r.\r\n", "\r.\r\n"},
      {"\r\r\n", "\r\r\n"},
      {"\n\r\n\n", "\r\n\r\n\r\n"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(whole(DotStuffer(Nul::pass), row.literal).wire, row.wire)
        << testing::PrintToString(row.literal);
  }
}

TEST(DotStuffer, WritesOneLineEndForNoOctets) {
  EXPECT_EQ(DotStuffer(Nul::pass).tail(), "\r\n");
}

TEST(DotStuffer, HoldsTheLastLineEndBack) {
  DotStuffer stuffer(Nul::pass);
  std::array<char, 16> out;
  EXPECT_EQ(stuffer.feed("a\r", out).produced, 1U);
  EXPECT_EQ(stuffer.feed("\n", out).produced, 0U);
  EXPECT_EQ(stuffer.feed("b", out).produced, 3U);
  EXPECT_EQ(std::string_view(out.data(), 3), "\r\nb");
}

TEST(DotStuffer, ReplacesNulsIfAsked) {
  const std::string_view literal("\0a\0\0\r\n\0", 7);
  EXPECT_EQ(whole(DotStuffer(Nul::replace), literal).wire,
            "\x80"
            "a\x80\x80\r\n\x80\r\n");
  EXPECT_EQ(whole(DotStuffer(Nul::pass), literal).wire, std::string("\0a\0\0\r\n\0\r\n", 9));
}

TEST(DotStuffer, AgreesWithReferenceInOneChunkAndInSingleOctets) {
  for (const auto& text : messages()) {
    for (const auto nul : {Nul::replace, Nul::pass}) {
      const auto expected = reference::retr(text, nul == Nul::replace);
      EXPECT_EQ(whole(DotStuffer(nul), text).wire, expected) << testing::PrintToString(text);
      EXPECT_EQ(stuffed(DotStuffer(nul), text, every_octet(text.size())).wire, expected)
          << testing::PrintToString(text);
    }
  }
}

TEST(DotStuffer, AgreesWithReferenceInThreeChunksAtEverySplit) {
  for (const auto& text : messages()) {
    const auto expected = reference::retr(text, true);
    for (std::size_t first = 0; first <= text.size(); ++first) {
      for (auto second = first; second <= text.size(); ++second) {
        EXPECT_EQ(stuffed(DotStuffer(Nul::replace), text, {first, second, text.size()}).wire, expected)
            << testing::PrintToString(text) << " at " << first << ", " << second;
      }
    }
  }
}

TEST(DotStuffer, NeedsNoMoreRoomThanTheLeast) {
  for (const auto& text : messages()) {
    const auto expected = reference::retr(text, true);
    for (auto room = DotStuffer::kLeastRoom; room < DotStuffer::kLeastRoom + 8; ++room) {
      EXPECT_EQ(stuffed(DotStuffer(Nul::replace), text, {text.size()}, room).wire, expected)
          << testing::PrintToString(text) << " with room for " << room;
    }
  }
}

TEST(DotStuffer, NeverWritesATerminator) {
  RandomAnswers random;
  for (int i = 0; i < 20'000; ++i) {
    const auto text = random.next();
    const auto wire = "+OK\r\n" + whole(DotStuffer(Nul::replace), text).wire;
    ASSERT_EQ(wire.find(kTerminator), std::string::npos) << testing::PrintToString(text);
    ASSERT_TRUE(wire.ends_with("\r\n"));
  }
}

TEST(DotStuffer, AgreesWithReferenceOnRandomMessages) {
  RandomAnswers random;
  for (int i = 0; i < 200'000; ++i) {
    const auto text = random.next();
    const auto lines = i % 5;
    std::vector<std::size_t> ends;
    for (auto end = random.chunk(); end < text.size(); end += random.chunk()) ends.push_back(end);
    ends.push_back(text.size());
    const auto room = DotStuffer::kLeastRoom + random.chunk() * 4;
    const auto top_lines = static_cast<std::uint64_t>(lines);
    ASSERT_EQ(stuffed(DotStuffer(Nul::replace), text, ends, room).wire, reference::retr(text, true))
        << testing::PrintToString(text);
    ASSERT_EQ(stuffed(DotStuffer(Nul::replace, top_lines), text, ends, room).wire,
              reference::top(text, top_lines, true))
        << testing::PrintToString(text) << " lines " << lines;
  }
}

class TopRow {
 public:
  std::string_view literal;
  std::uint64_t lines;
  std::string_view wire;
  std::size_t consumed;
  bool complete;
};

TEST(DotStufferTop, StopsBehindTheLinesThatWereAskedFor) {
  constexpr std::string_view kMessage = "A: b\r\n\r\n1\r\n.2\n\n4";
  const std::vector<TopRow> rows = {
      {kMessage, 0, "A: b\r\n\r\n", 8, true},
      {kMessage, 1, "A: b\r\n\r\n1\r\n", 11, true},
      {kMessage, 2, "A: b\r\n\r\n1\r\n..2\r\n", 14, true},
      {kMessage, 3, "A: b\r\n\r\n1\r\n..2\r\n\r\n", 15, true},
      {kMessage, 4, "A: b\r\n\r\n1\r\n..2\r\n\r\n4\r\n", 16, false},
      {kMessage, ~std::uint64_t{0}, "A: b\r\n\r\n1\r\n..2\r\n\r\n4\r\n", 16, false},
      {"A: b\n\nbody\n", 0, "A: b\r\n\r\n", 6, true},
      {"\r\nbody", 0, "\r\n", 2, true},
      {"no empty line\r\nat all", 0, "no empty line\r\nat all\r\n", 21, false},
      {"A: b\r\n\r\r\nx\r\n", 0, "A: b\r\n\r\r\nx\r\n", 12, false},
      {"A: b\r\n\r", 0, "A: b\r\n\r\r\n", 7, false},
      {"", 5, "\r\n", 0, false},
  };
  for (const auto& row : rows) {
    const auto result = whole(DotStuffer(Nul::pass, row.lines), row.literal);
    EXPECT_EQ(result.wire, row.wire) << testing::PrintToString(row.literal) << " lines " << row.lines;
    EXPECT_EQ(result.consumed, row.consumed) << testing::PrintToString(row.literal) << " lines " << row.lines;
    EXPECT_EQ(result.complete, row.complete) << testing::PrintToString(row.literal) << " lines " << row.lines;
  }
}

TEST(DotStufferTop, AgreesWithReferenceAtEverySplitForEveryNumberOfLines) {
  for (const auto& text : messages()) {
    for (std::uint64_t lines = 0; lines < 6; ++lines) {
      const auto expected = reference::top(text, lines, true);
      const auto length = reference::top_length(text, lines);
      for (std::size_t split = 0; split <= text.size(); ++split) {
        const auto result = stuffed(DotStuffer(Nul::replace, lines), text, {split, text.size()});
        EXPECT_EQ(result.wire, expected)
            << testing::PrintToString(text) << " lines " << lines << " at " << split;
        EXPECT_EQ(result.complete, length.has_value());
        EXPECT_EQ(result.consumed, length.value_or(text.size()));
      }
    }
  }
}

TEST(DotStufferTop, IsThePrefixOfRetrForEveryNumberOfLines) {
  std::string message = "From: a\r\nSubject: b\n\n";
  for (int line = 0; line < 40; ++line)
    message += std::string(static_cast<std::size_t>(line % 7), '.') + "x\r\n";
  const auto retr = whole(DotStuffer(Nul::replace), message).wire;
  std::size_t last = 0;
  for (std::uint64_t lines = 0; lines < 50; ++lines) {
    const auto top = whole(DotStuffer(Nul::replace, lines), message).wire;
    EXPECT_TRUE(retr.starts_with(top)) << lines;
    EXPECT_TRUE(top.size() > last || top == retr) << lines;
    last = top.size();
  }
  EXPECT_EQ(last, retr.size());
}

TEST(DotStuffer, AgreesWithReferenceOnLongMessages) {
  std::mt19937 random{4711};
  std::string message;
  while (message.size() < 300'000) {
    message += std::string(random() % 200, "ab.\r"[random() % 4]);
    message += random() % 5 == 0 ? "\n" : "\r\n";
  }
  std::vector<std::size_t> ends;
  for (std::size_t end = 0; end < message.size(); end += 1 + random() % 20'000) ends.push_back(end);
  ends.push_back(message.size());
  EXPECT_EQ(stuffed(DotStuffer(Nul::replace), message, ends).wire, reference::retr(message, true));
  EXPECT_EQ(stuffed(DotStuffer(Nul::replace), message, ends, 1000).wire, reference::retr(message, true));
}

}  // namespace
}  // namespace postern::pop3
