#include "postern/config/served_uidls.hpp"

#include <gtest/gtest.h>

#include <string>

#include "unit/config/workspace.hpp"

namespace postern::config {
namespace {

const std::string kServed = "%{uid:08x}%{uidvalidity:08x}";

/// A configuration whose backend has that template; the default one if it is empty.
Config config_with(const std::string& uidl) {
  const std::string imap = uidl.empty() ? "" : "\n    imap:\n      uidl: \"" + uidl + "\"";
  const Workspace workspace;
  return workspace.load(replaced(kImapMinimal, "protocol: imap", "protocol: imap" + imap)).value();
}

/// The problems of a configuration behind one that served `before`, one a line.
std::string told(const Config& config, const ServedUidls& before) {
  std::string out;
  for (const UidlChange& change : uidl_changes(config, before)) out += change.to_problem().to_string() + "\n";
  return out;
}

TEST(ServedUidls, AreThoseOfImapBackends) {
  EXPECT_EQ(served_by(config_with("")), (ServedUidls{{"store", kServed}}));
  EXPECT_EQ(served_by(config_with("%{uid:01}")), (ServedUidls{{"store", "%{uid}"}}));
  const Workspace workspace;
  EXPECT_EQ(served_by(workspace.load(kMinimal).value()), ServedUidls());
}

TEST(ServedUidls, AChangeIsToldWithItsPlace) {
  EXPECT_EQ(
      told(config_with("%{uid}"), {{"store", kServed}}),
      "postern.yaml:16:13: backends[].imap.uidl: found '%{uid}' for 'store', expected "
      "'%{uid:08x}%{uidvalidity:08x}' as served before; start with --accept-uidl-change to change it\n");
}

TEST(ServedUidls, ATemplateThatWasTakenAwayIsToldWithItsBackend) {
  EXPECT_EQ(told(config_with(""), {{"store", "%{uid}"}}),
            "postern.yaml:13:5: backends[].imap.uidl: found '%{uid:08x}%{uidvalidity:08x}' for 'store', "
            "expected '%{uid}' as served before; start with --accept-uidl-change to change it\n");
}

TEST(ServedUidls, CaseWidthAndBaseAreChanges) {
  for (const char* before : {"B%{uid:08x}", "b%{uid:07x}", "b%{uid:08}", "b%{uid:x}"})
    EXPECT_NE(told(config_with("b%{uid:08x}"), {{"store", before}}), "") << before;
}

TEST(ServedUidls, WhatMakesTheSameIdsIsNoChange) {
  EXPECT_EQ(told(config_with("a%{uid:01x}"), {{"store", "a%{uid:x}"}}), "");
  EXPECT_EQ(told(config_with("%{header:X-UIDL}"), {{"store", "%{header:x-uidl}"}}), "");
  EXPECT_EQ(told(config_with(""), {{"store", kServed}}), "");
}

TEST(ServedUidls, BackendsThatServedNoneAreNoChange) {
  EXPECT_EQ(told(config_with("%{uid}"), {{"other", kServed}}), "");
  const Workspace workspace;
  EXPECT_EQ(told(workspace.load(kMinimal).value(), {{"store", kServed}}), "");
}

}  // namespace
}  // namespace postern::config
