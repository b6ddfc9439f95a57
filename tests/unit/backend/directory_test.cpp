#include "postern/backend/directory.hpp"

#include <gtest/gtest.h>

#include <string>

namespace postern::backend {
namespace {

using config::Route;

class DirectoryTest : public testing::Test {
 protected:
  DirectoryTest() {
    for (const char* name : {"first", "second", "third"}) {
      config::Backend backend;
      backend.name = name;
      config->backends.push_back(backend);
    }
  }

  void route(Route::Match match, const std::string& value, const std::string& backend) {
    config->routes.push_back(Route{match, value, backend, "", {}});
  }
  Directory directory() {
    std::vector<std::shared_ptr<Backend>> backends;
    for (const config::Backend& settings : config->backends) {
      backends.push_back(std::make_shared<Backend>(config, settings, nullptr, nullptr));
    }
    return Directory(config, std::move(backends));
  }
  /// The backend's name, or the failure.
  std::string find(const std::string& user, const RouteHints& hints = RouteHints()) {
    const auto found = directory().route(user, hints);
    return found ? found->backend->name() : std::string(label(found.error().kind()));
  }

  std::shared_ptr<config::Config> config = std::make_shared<config::Config>();
};

TEST_F(DirectoryTest, FirstRouteThatMatchesDecides) {
  route(Route::Match::user, "alice@example.org", "first");
  route(Route::Match::domain, "example.org", "second");
  route(Route::Match::any, "", "third");
  EXPECT_EQ(find("alice@example.org"), "first");
  EXPECT_EQ(find("bob@example.org"), "second");
  EXPECT_EQ(find("alice@example.com"), "third");
  EXPECT_EQ(find("alice"), "third");
}

TEST_F(DirectoryTest, RegardsNoCase) {
  route(Route::Match::user, "alice@example.org", "first");
  route(Route::Match::domain, "example.org", "second");
  EXPECT_EQ(find("Alice@EXAMPLE.Org"), "first");
  EXPECT_EQ(find("Bob@EXAMPLE.Org"), "second");
}

TEST_F(DirectoryTest, DomainStandsBehindTheLastAt) {
  route(Route::Match::domain, "example.org", "first");
  EXPECT_EQ(find("a@b@example.org"), "first");
  EXPECT_EQ(find("a@example.org@evil.example"), "no_route");
  EXPECT_EQ(find("a@sub.example.org"), "no_route");
  EXPECT_EQ(find("example.org"), "no_route");
  EXPECT_EQ(find("a@"), "no_route");
}

TEST_F(DirectoryTest, FailsClosed) {
  EXPECT_EQ(find("alice"), "no_route");
  route(Route::Match::user, "alice", "first");
  EXPECT_EQ(find("alic"), "no_route");
  EXPECT_EQ(find(""), "no_route");
}

TEST_F(DirectoryTest, HintsComeBeforeRoutes) {
  route(Route::Match::any, "", "first");
  RouteHints hints;
  hints.backend = "third";
  EXPECT_EQ(find("alice", hints), "third");
}

TEST_F(DirectoryTest, UnknownHintNeverFallsThroughToARoute) {
  route(Route::Match::any, "", "first");
  RouteHints hints;
  hints.backend = "other";
  EXPECT_EQ(find("alice", hints), "route_failed");
}

TEST_F(DirectoryTest, NameIsTakenApartWhereTheBackendHasASeparator) {
  struct Row {
    const char* name;
    const char* parts;
  };
  const Row rows[] = {
      {"alice", "alice||"},
      {"alice+Junk", "alice|Junk|"},
      {"alice+Junk@example.org", "alice@example.org|Junk|"},
      {"alice+INBOX#phone@example.org", "alice@example.org|INBOX|phone"},
      {"alice+#phone", "alice||phone"},
      {"alice+a+b", "alice|a+b|"},
      {"+Junk", "+Junk||"},
      {"alice@example.org+Junk", "alice@example.org+Junk||"},
      {"alice+", "alice||"},
  };
  config->backends[0].imap.login_separator = "+";
  route(Route::Match::any, "", "first");
  for (const Row& row : rows) {
    const LoginName name = directory().take_apart(row.name);
    EXPECT_EQ(name.user + "|" + name.folder.value_or("") + "|" + name.view.value_or(""), row.parts);
  }
}

TEST_F(DirectoryTest, NameStaysWholeWithoutASeparator) {
  config->backends[0].imap.login_separator = "+";
  route(Route::Match::domain, "example.org", "second");
  EXPECT_EQ(directory().take_apart("alice+Junk@example.org").user, "alice+Junk@example.org");
  EXPECT_EQ(directory().take_apart("alice+Junk").user, "alice+Junk");
}

TEST_F(DirectoryTest, RouteNamesTheView) {
  config->routes.push_back(Route{Route::Match::any, "", "first", "phone", {}});
  EXPECT_EQ(directory().route("alice", RouteHints())->view, "phone");
  EXPECT_NE(directory().find_view("default"), nullptr);
  EXPECT_EQ(directory().find_view("phone"), nullptr);
}

}  // namespace
}  // namespace postern::backend
