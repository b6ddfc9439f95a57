#include "maildrop/translate/contents.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postern::maildrop {
namespace {

using testing::ElementsAre;

/// UIDs from 1 on, of which some are shown.
Folder folder_of(std::initializer_list<Bytes> sizes, std::optional<std::vector<std::uint32_t>> shown = {}) {
  auto snapshot = std::make_shared<store::Snapshot>();
  for (const Bytes size : sizes) snapshot->append(static_cast<std::uint32_t>(snapshot->count() + 1), size);
  Folder folder;
  folder.snapshot = std::move(snapshot);
  folder.shown = std::move(shown);
  return folder;
}

TEST(Contents, NumbersGoOnThroughFolders) {
  Contents contents;
  contents.add(folder_of({}));
  contents.add(folder_of({10, 20}));
  contents.add(folder_of({}));
  contents.add(folder_of({30}));
  contents.add(folder_of({}));
  EXPECT_EQ(contents.count(), 3U);
  EXPECT_EQ(contents.octets_left(), 60U);
  EXPECT_EQ(contents.find(2)->folder, 1U);
  EXPECT_EQ(contents.uid(*contents.find(2)), 2U);
  EXPECT_EQ(contents.find(3)->folder, 3U);
  EXPECT_EQ(contents.size(*contents.find(3)), 30U);
}

TEST(Contents, HasNoOtherMessages) {
  Contents contents;
  EXPECT_FALSE(contents.find(1).has_value());
  contents.add(folder_of({10}));
  EXPECT_FALSE(contents.find(0).has_value());
  EXPECT_FALSE(contents.find(2).has_value());
  EXPECT_FALSE(contents.find(UINT32_MAX).has_value());
}

TEST(Contents, HiddenMessagesHaveNoNumberAndAreNeverChosen) {
  Contents contents;
  contents.add(folder_of({1, 2, 4, 8}, std::vector<std::uint32_t>{1, 3}));
  EXPECT_EQ(contents.count(), 2U);
  EXPECT_EQ(contents.octets_left(), 10U);
  EXPECT_EQ(contents.uid(*contents.find(1)), 2U);
  contents.mark(1);
  contents.mark(2);
  EXPECT_THAT(contents.marked_in(0), ElementsAre(false, true, false, true));
}

TEST(Contents, MarkedMessagesAreGoneUntilReset) {
  Contents contents;
  contents.add(folder_of({10, 20}));
  contents.mark(1);
  EXPECT_FALSE(contents.find(1).has_value());
  EXPECT_EQ(contents.left(), 1U);
  EXPECT_EQ(contents.octets_left(), 20U);
  EXPECT_EQ(contents.uid(*contents.find(2)), 2U);  // numbers stay
  contents.reset();
  EXPECT_EQ(contents.left(), 2U);
  EXPECT_EQ(contents.octets_left(), 30U);
  EXPECT_EQ(contents.marks(), 0U);
}

TEST(Contents, RetrievedCountsUnlessMarkedOrReset) {
  Contents contents;
  contents.add(folder_of({10}));
  contents.add(folder_of({10, 20}));
  contents.set_retrieved(2);
  contents.set_retrieved(3);
  contents.mark(3);
  EXPECT_THAT(contents.retrieved_in(0), ElementsAre(false));
  EXPECT_THAT(contents.retrieved_in(1), ElementsAre(true, false));
  EXPECT_THAT(contents.marked_in(1), ElementsAre(false, true));
  contents.reset();
  EXPECT_THAT(contents.retrieved_in(1), ElementsAre(false, false));
}

}  // namespace
}  // namespace postern::maildrop
