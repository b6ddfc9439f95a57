#include "postern/loop/resolver.hpp"

#include <ares.h>

#include <map>
#include <utility>

#include "loop/resolver_servers.hpp"
#include "postern/base/assert.hpp"
#include "postern/coro/event.hpp"
#include "postern/loop/loop.hpp"

namespace postern::loop {
namespace {

constexpr int kQueryTimeoutMs =
    2000;  // of one question to one server; the caller's deadline bounds the whole
constexpr int kTries = 3;

/// One question under way; lives as long as somebody waits for its answer.
struct Query {
  Query(coro::Scheduler& scheduler, coro::CancelSource& scope) : done(scheduler, scope) {}
  coro::Event done;
  int status = ARES_SUCCESS;
  std::vector<SocketAddress> addresses;
};

/// What c-ares holds of a question; `query` is null once nobody waits for it, which may be before the answer.
struct Pending {
  Query* query;
};

class AresResolver final : public Resolver, private coro::Timer {
 public:
  explicit AresResolver(Loop& loop) : loop_(loop) {
    // Once for the process: the library counts without a lock, and loops start on threads of their own.
    static const int initialised = ares_library_init(ARES_LIB_INIT_ALL);
    POSTERN_ASSERT(initialised == ARES_SUCCESS);
    ares_options options{};
    options.sock_state_cb = [](void* self, ares_socket_t socket, int readable, int writable) {
      static_cast<AresResolver*>(self)->watch(socket, readable != 0, writable != 0);
    };
    options.sock_state_cb_data = this;
    options.timeout = kQueryTimeoutMs;
    options.tries = kTries;
    const int status =
        ares_init_options(&channel_, &options, ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
    POSTERN_ASSERT(status == ARES_SUCCESS);
  }

  ~AresResolver() override { ares_destroy(channel_); }

  void ask_only(const std::string& servers) {
    const int status = ares_set_servers_ports_csv(channel_, servers.c_str());
    POSTERN_ASSERT(status == ARES_SUCCESS);
  }

  coro::Task<Result<std::vector<SocketAddress>>> resolve(const std::string& host, std::uint16_t port,
                                                         coro::Deadline deadline,
                                                         coro::CancelSource& scope) override {
    if (const auto address = SocketAddress::parse(host, port)) {
      std::vector<SocketAddress> itself(1, *address);
      co_return itself;
    }
    if (const auto reason = scope.reason()) co_return Error(*reason, "cancelled before resolving " + host);
    Query query(loop_, scope);
    Pending* pending = ask(host, port, query);
    const coro::WaitResult waited = co_await query.done.wait(deadline);
    if (waited != coro::WaitResult::ready) {
      pending->query = nullptr;
      if (const auto reason = scope.reason()) co_return Error(*reason, "cancelled while resolving " + host);
      co_return Error(FailureKind::dns, host + ": no answer in time");
    }
    if (query.status != ARES_SUCCESS)
      co_return Error(FailureKind::dns, host + ": " + ares_strerror(query.status));
    if (query.addresses.empty()) co_return Error(FailureKind::dns, host + ": no address");
    co_return std::move(query.addresses);
  }

 private:
  /// Watches one of c-ares' sockets.
  class Socket final : public ReadinessWatcher {
   public:
    Socket(AresResolver& owner, ares_socket_t socket)
        : owner_(owner), socket_(socket), readiness_(owner.loop_.watch(socket)) {
      readiness_->watch(this);
    }
    void arm(bool read, bool write) { readiness_->arm(read, write); }
    void on_ready(bool readable, bool writable) override {
      // May close this socket, and so destroy this object: nothing of it is touched afterwards.
      owner_.process(readable ? socket_ : ARES_SOCKET_BAD, writable ? socket_ : ARES_SOCKET_BAD);
    }

   private:
    AresResolver& owner_;
    ares_socket_t socket_;
    std::unique_ptr<Readiness> readiness_;
  };

  Pending* ask(const std::string& host, std::uint16_t port, Query& query) {
    Pending* const pending = std::make_unique<Pending>(Pending{&query}).release();  // on_answer frees it
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    const std::string service = std::to_string(port);
    hints.ai_flags = ARES_AI_NUMERICSERV;
    ares_getaddrinfo(channel_, host.c_str(), service.c_str(), &hints, &AresResolver::on_answer, pending);
    rearm();
    return pending;
  }

  static void on_answer(void* argument, int status, int, ares_addrinfo* answer) {
    const std::unique_ptr<Pending> pending(static_cast<Pending*>(argument));
    if (Query* query = pending->query) {
      query->status = status;
      for (auto* node = answer != nullptr ? answer->nodes : nullptr; node != nullptr; node = node->ai_next) {
        query->addresses.emplace_back(node->ai_addr, node->ai_addrlen);
      }
      query->done.set();
    }
    if (answer != nullptr) ares_freeaddrinfo(answer);
  }

  void watch(ares_socket_t socket, bool read, bool write) {
    if (!read && !write) {
      sockets_.erase(socket);
      return;
    }
    auto& watched = sockets_[socket];
    if (!watched) watched = std::make_unique<Socket>(*this, socket);
    watched->arm(read, write);
  }

  void process(ares_socket_t readable, ares_socket_t writable) {
    ares_process_fd(channel_, readable, writable);
    rearm();
  }

  void on_timer() override { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }

  void rearm() {
    timeval wait{};
    if (ares_timeout(channel_, nullptr, &wait) == nullptr) {
      if (is_armed()) loop_.disarm(*this);
      return;
    }
    loop_.arm(*this,
              loop_.now() + std::chrono::seconds(wait.tv_sec) + std::chrono::microseconds(wait.tv_usec));
  }

  Loop& loop_;
  ares_channel channel_ = nullptr;
  std::map<ares_socket_t, std::unique_ptr<Socket>> sockets_;
};

}  // namespace

std::unique_ptr<Resolver> make_resolver(Loop& loop) {
  return std::make_unique<AresResolver>(loop);
}

std::unique_ptr<Resolver> make_resolver_asking(Loop& loop, const std::string& servers) {
  auto resolver = std::make_unique<AresResolver>(loop);
  resolver->ask_only(servers);
  return resolver;
}

}  // namespace postern::loop
