#include "postern/backend/backend.hpp"

#include <gtest/gtest.h>

#include <string>

namespace postern::backend {
namespace {

class OrderTest : public testing::Test {
 protected:
  OrderTest() {
    settings.servers = {config::Server{"a", 1, {}}, config::Server{"b", 2, {}},
                        config::Server{"2001:db8::1", 3, {}}};
  }

  Backend make() { return Backend(nullptr, settings, nullptr, std::make_shared<metrics::BackendMetrics>()); }
  std::string names(Backend& backend) {
    std::string all;
    for (const Server* server : backend.order(now)) all += server->name() + " ";
    return all;
  }

  config::Backend settings;
  TimePoint now{std::chrono::hours(1)};
};

TEST_F(OrderTest, EachServerIsFirstInItsTurn) {
  Backend backend = make();
  EXPECT_EQ(names(backend), "a:1 b:2 [2001:db8::1]:3 ");
  EXPECT_EQ(names(backend), "b:2 [2001:db8::1]:3 a:1 ");
  EXPECT_EQ(names(backend), "[2001:db8::1]:3 a:1 b:2 ");
  EXPECT_EQ(names(backend), "a:1 b:2 [2001:db8::1]:3 ");
}

TEST_F(OrderTest, ServerThatFailedIsLastForTenSeconds) {
  Backend backend = make();
  backend.order(now)[0]->failed(now);  // a
  EXPECT_EQ(names(backend), "b:2 [2001:db8::1]:3 a:1 ");
  EXPECT_EQ(names(backend), "[2001:db8::1]:3 b:2 a:1 ");
  EXPECT_EQ(names(backend), "b:2 [2001:db8::1]:3 a:1 ");
  now += std::chrono::seconds(10);
  backend.order(now);
  EXPECT_EQ(names(backend), "[2001:db8::1]:3 a:1 b:2 ");
}

TEST_F(OrderTest, ServerThatWorkedIsBackAtOnce) {
  Backend backend = make();
  Server* const a = backend.order(now)[0];
  a->failed(now);
  a->worked();
  EXPECT_EQ(names(backend), "b:2 [2001:db8::1]:3 a:1 ");
  EXPECT_EQ(names(backend), "[2001:db8::1]:3 a:1 b:2 ");
}

TEST_F(OrderTest, AllAreTriedThoughAllFailed) {
  Backend backend = make();
  for (Server* server : backend.order(now)) server->failed(now);
  EXPECT_EQ(backend.order(now).size(), 3U);
}

}  // namespace
}  // namespace postern::backend
