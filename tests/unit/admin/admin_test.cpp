#include "postern/admin/admin.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace postern::admin {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class Admin : public testing::Test {
 protected:
  Admin() {
    sources_.allow_from = {Network::parse("192.0.2.0/24").value(), Network::parse("2001:db8::/32").value()};
    sources_.metrics = &registry_;
    sources_.unhealthy = [this] { return problem_with("unhealthy", health_); };
    sources_.unready = [this] { return problem_with("unready", readiness_); };
  }

  http::Response get(const std::string& path, const std::string& from = "192.0.2.1") {
    const http::Handler handler = make_handler(sources_);
    return handler(http::Request("GET", path, SocketAddress::parse(from, 40000).value()));
  }

  Sources sources_;
  std::string health_;
  std::string readiness_;
  std::string asked_;

 private:
  std::string problem_with(const std::string& what, const std::string& answer) {
    asked_ += what;
    return answer;
  }

  metrics::Registry registry_{1, {"1.2.3", "3.0", "1.44"}};
};

TEST_F(Admin, ServesMetricsAsPrometheusText) {
  const http::Response response = get("/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(response.body, HasSubstr("# TYPE postern_build_info gauge\n"));
  EXPECT_THAT(response.body, HasSubstr("1.2.3"));
}

TEST_F(Admin, SaysOkWhenHealthy) {
  readiness_ = "draining";
  const http::Response response = get("/healthz");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(response.body, "ok\n");
}

TEST_F(Admin, TellsWhyItIsUnhealthy) {
  health_ = "loop 1 has not ticked for 12 s";
  const http::Response response = get("/healthz");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body, "loop 1 has not ticked for 12 s\n");
}

TEST_F(Admin, SaysOkWhenReady) {
  health_ = "a loop hangs";
  const http::Response response = get("/readyz");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "ok\n");
}

TEST_F(Admin, TellsWhyItIsUnready) {
  readiness_ = "draining";
  const http::Response response = get("/readyz");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body, "draining\n");
}

TEST_F(Admin, AsksAgainForEachRequest) {
  EXPECT_EQ(get("/readyz").status, 200);
  readiness_ = "draining";
  EXPECT_EQ(get("/readyz").status, 503);
}

TEST_F(Admin, ListsThePathsThatItServes) {
  const http::Response index = get("/");
  EXPECT_EQ(index.status, 200);
  EXPECT_EQ(index.content_type, "text/plain; charset=utf-8");
  for (const char* path : {"/metrics", "/healthz", "/readyz"}) {
    EXPECT_THAT(index.body, HasSubstr(path));
  }
}

TEST_F(Admin, KnowsNothingElse) {
  for (const char* path :
       {"/metrics/", "/Metrics", "//metrics", "/%6detrics", "/a/../metrics", "/index.html"}) {
    EXPECT_EQ(get(path).status, 404) << path;
  }
}

TEST_F(Admin, KnowsIpv6Peers) {
  EXPECT_EQ(get("/healthz", "2001:db8::7").status, 200);
  EXPECT_EQ(get("/healthz", "2001:db9::7").status, 403);
}

TEST_F(Admin, RefusesStrangersWhateverTheyAskFor) {
  health_ = readiness_ = "secret";
  for (const char* path : {"/", "/metrics", "/healthz", "/readyz", "/nothing"}) {
    const http::Response response = get(path, "198.51.100.1");
    EXPECT_EQ(response.status, 403) << path;
    EXPECT_EQ(response.body, "forbidden\n") << path;
  }
  EXPECT_THAT(asked_, IsEmpty());
}

TEST_F(Admin, RefusesEverybodyWhenNobodyIsAllowed) {
  sources_.allow_from.clear();
  EXPECT_EQ(get("/healthz", "192.0.2.1").status, 403);
}

}  // namespace
}  // namespace postern::admin
