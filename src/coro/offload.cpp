#include "postern/coro/offload.hpp"

#include "postern/base/assert.hpp"

namespace postern::coro {

Offload::~Offload() {
  POSTERN_ASSERT(running_ == 0);
}

void Offload::dispatch(std::function<void()> work, std::function<void()> done) {
  ++running_;
  start(std::move(work), [this, done = std::move(done)] {
    done();  // it may ask for more
    if (--running_ == 0 && waiter_ != nullptr) std::exchange(waiter_, nullptr)->set();
  });
}

Task<void> Offload::idle(Scheduler& scheduler) {
  CancelSource scope;  // of nobody: threads cannot be told to stop
  Event nothing_runs(scheduler, scope);
  while (running_ != 0) {
    POSTERN_ASSERT(waiter_ == nullptr);
    waiter_ = &nothing_runs;
    nothing_runs.reset();
    co_await nothing_runs.wait(Deadline::never());
  }
}

}  // namespace postern::coro
