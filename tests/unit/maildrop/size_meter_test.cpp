#include "maildrop/translate/size_meter.hpp"

#include <gtest/gtest.h>

namespace postern::maildrop {
namespace {

imap::Body body_of(Bytes size, imap::BodyForm form = imap::BodyForm::literal) {
  imap::Body body;
  body.form = form;
  body.section = imap::Section::message;
  body.size = size;
  return body;
}

imap::Response end_of(std::uint32_t uid) {
  imap::Response response;
  response.kind = imap::ResponseKind::fetch;
  response.fetch.uid = uid;
  return response;
}

/// In two pieces, cut there.
Bytes measure(std::string_view text, std::size_t cut) {
  SizeMeter meter;
  meter.on_body(body_of(text.size()));
  if (cut != 0) meter.on_octets(text.substr(0, cut));
  if (cut != text.size()) meter.on_octets(text.substr(cut));
  meter.on_response(end_of(1));
  return meter.sizes().at(1);
}

TEST(SizeMeter, CountsWhatPop3Counts) {
  using namespace std::string_view_literals;
  const std::pair<std::string_view, Bytes> texts[] = {
      {"a\r\nb\r\n"sv, 6}, {"a\nb\n"sv, 6},      {"a\r\nb"sv, 6}, {""sv, 2},        {"\n"sv, 2},
      {"\r\n"sv, 2},       {"a\rb\r\n"sv, 5},    {"a\r"sv, 4},    {"a\r\r\n"sv, 4}, {"a\n\n\nb"sv, 10},
      {"a\0b\n"sv, 5},     {".\r\n..\r\n"sv, 7}, {"\r"sv, 3},     {"\n\r"sv, 5},
  };
  for (const auto& [text, size] : texts) {
    for (std::size_t cut = 0; cut <= text.size(); ++cut) EXPECT_EQ(measure(text, cut), size) << text << cut;
  }
}

TEST(SizeMeter, CountsOnlyWholeMessages) {
  SizeMeter meter;
  imap::Body part = body_of(3);
  part.origin = 0;
  imap::Body header = body_of(3);
  header.section = imap::Section::header;
  for (const imap::Body& other :
       {part, header, body_of(0, imap::BodyForm::nil), body_of(0, imap::BodyForm::absent)}) {
    meter.on_body(other);
    if (other.size != 0) meter.on_octets("a\r\n");
    meter.on_response(end_of(1));
  }
  EXPECT_TRUE(meter.sizes().empty());
  meter.on_body(body_of(0, imap::BodyForm::quoted));
  meter.on_response(end_of(1));
  EXPECT_EQ(meter.sizes().at(1), 2U);
}

TEST(SizeMeter, OneMessageDoesNotCountForAnother) {
  SizeMeter meter;
  meter.on_body(body_of(3));
  meter.on_octets("a\n");
  meter.on_response(end_of(1));
  meter.on_response(end_of(2));  // FLAGS
  meter.on_body(body_of(1));
  meter.on_octets("\n");
  meter.on_response(imap::Response());  // something else
  meter.on_response(end_of(3));
  EXPECT_EQ(meter.sizes().at(1), 3U);
  EXPECT_EQ(meter.sizes().at(3), 2U);
  EXPECT_EQ(meter.sizes().size(), 2U);
}

TEST(SizeMeter, WhatTheServerInventedDoesNotCount) {
  const std::string_view texts[] = {"From: root\r\nSubject: gone\r\n\r\n", "From: root\r\n",
                                    "From: joe\r\n\r\n"};
  for (std::size_t cut = 1; cut < texts[1].size(); ++cut) {
    SizeMeter meter("From: root\r\nSubject");
    for (std::uint32_t uid = 1; uid <= 3; ++uid) {
      const std::string_view text = texts[uid - 1];
      meter.on_body(body_of(text.size()));
      meter.on_octets(text.substr(0, cut));
      meter.on_octets(text.substr(std::min(cut, text.size())));
      meter.on_response(end_of(uid));
    }
    EXPECT_FALSE(meter.sizes().contains(1)) << cut;
    EXPECT_EQ(meter.sizes().at(2), 12U) << cut;
    EXPECT_EQ(meter.sizes().at(3), 13U) << cut;
  }
}

TEST(SizeMeter, TellsWhatIsRead) {
  SizeMeter meter;
  imap::Body body = body_of(3);
  body.uid = 7;
  meter.on_body(body);
  EXPECT_EQ(meter.reading(), 7U);
  meter.on_response(end_of(7));
  EXPECT_FALSE(meter.reading().has_value());
}

}  // namespace
}  // namespace postern::maildrop
