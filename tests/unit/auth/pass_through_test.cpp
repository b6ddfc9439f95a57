#include <gtest/gtest.h>

#include "postern/auth/authenticator.hpp"
#include "support/test_scheduler.hpp"

namespace postern::auth {
namespace {

TEST(PassThrough, ShowsTheClientsCredentialsToTheBackend) {
  test::TestScheduler scheduler;
  const std::unique_ptr<Authenticator> authenticator = make_pass_through();
  Attempt attempt("alice@example.org", Secret("secret"), SocketAddress::parse("192.0.2.7", 1).value());
  const Result<backend::Grant> grant = scheduler.run(authenticator->check(std::move(attempt)));
  ASSERT_TRUE(grant.has_value());
  EXPECT_EQ(grant->user, "alice@example.org");
  EXPECT_EQ(grant->credentials.user, "alice@example.org");
  EXPECT_EQ(grant->credentials.password.view(), "secret");
  EXPECT_EQ(grant->proof, backend::Grant::Proof::by_backend);  // a refusal is the user's
  EXPECT_FALSE(grant->hints.backend.has_value());
}

}  // namespace
}  // namespace postern::auth
