#include "postern/loop/loop.hpp"

#include <uv.h>

#include <atomic>
#include <mutex>
#include <utility>

#include "postern/base/assert.hpp"

namespace postern::loop {
namespace {

/// Iterations that libuv may need to call the close callbacks: one, and one more for a signal that is on its
/// way.
constexpr int kClosingIterations = 4;

uv_handle_t* handle_of(void* handle) {
  return static_cast<uv_handle_t*>(handle);
}

/// libuv needs a handle until its close callback, which frees it.
struct ClosePoll {
  void operator()(uv_poll_t* poll) const noexcept {
    poll->data = nullptr;
    uv_close(handle_of(poll), [](uv_handle_t* handle) {
      const std::unique_ptr<uv_poll_t> closed(reinterpret_cast<uv_poll_t*>(handle));
    });
  }
};

/// A descriptor's uv_poll_t.
class DescriptorReadiness final : public Readiness {
 public:
  DescriptorReadiness(uv_loop_t* loop, int descriptor) {
    auto poll = std::make_unique<uv_poll_t>();
    POSTERN_ASSERT(uv_poll_init(loop, poll.get(), descriptor) == 0);
    poll_.reset(poll.release());
    poll_->data = this;
  }

  void watch(ReadinessWatcher* watcher) override {
    watcher_ = watcher;
    if (watcher == nullptr) arm(false, false);
  }

  void arm(bool read, bool write) override {
    const int events = (read ? UV_READABLE : 0) | (write ? UV_WRITABLE : 0);
    if (events == armed_) return;  // each change costs system calls
    armed_ = events;
    if (events == 0) {
      uv_poll_stop(poll_.get());
    } else {
      uv_poll_start(poll_.get(), events, on_event);
    }
  }

 private:
  static void on_event(uv_poll_t* poll, int status, int events) {
    auto* self = static_cast<DescriptorReadiness*>(poll->data);
    if (self == nullptr || self->watcher_ == nullptr) return;
    if (status < 0) {
      // On a reset or a refused connect libuv 1.44 reports an error without events and stops watching, while
      // there may be octets to read: ready both ways, and the system call tells.
      self->armed_ = 0;
      uv_poll_stop(poll);
      self->watcher_->on_ready(true, true);
      return;
    }
    self->watcher_->on_ready((events & UV_READABLE) != 0, (events & UV_WRITABLE) != 0);
  }

  std::unique_ptr<uv_poll_t, ClosePoll> poll_;
  ReadinessWatcher* watcher_ = nullptr;
  int armed_ = 0;
};

/// Work on its way through libuv's threads, which all loops share.
struct Work : uv_work_t {
  std::function<void()> work;
  std::function<void()> done;
  /// What one thread wrote the other one sees. libuv's queue sees to that; said once more for
  /// ThreadSanitizer, which is told not to look into libuv.
  std::atomic<bool> handed_over{false};

  static Work& of(uv_work_t* request) { return *static_cast<Work*>(request); }
  void hand_over() noexcept { handed_over.store(true, std::memory_order_release); }
  void take_over() const noexcept { static_cast<void>(handed_over.load(std::memory_order_acquire)); }
};

struct SignalWatch {
  uv_signal_t handle;
  std::function<void()> function;
};

}  // namespace

struct Loop::Handles {
  explicit Handles(Loop& owner) : self(owner) {
    POSTERN_ASSERT(uv_loop_init(&loop) == 0);
    uv_timer_init(&loop, &timer);
    uv_prepare_init(&loop, &prepare);
    uv_check_init(&loop, &check);
    uv_idle_init(&loop, &idle);
    POSTERN_ASSERT(uv_async_init(&loop, &async, [](uv_async_t* a) { of(a->data)->run_posted(); }) == 0);
    timer.data = prepare.data = check.data = idle.data = async.data = this;
    uv_prepare_start(&prepare, [](uv_prepare_t* p) { ++of(p->data)->self.turn_; });
    uv_check_start(&check, [](uv_check_t* c) { of(c->data)->self.run_batch(); });
  }

  ~Handles() {
    for (auto& watch : signals) uv_close(handle_of(&watch->handle), nullptr);
    for (void* handle : {static_cast<void*>(&timer), static_cast<void*>(&prepare), static_cast<void*>(&check),
                         static_cast<void*>(&idle), static_cast<void*>(&async)}) {
      uv_close(handle_of(handle), nullptr);
    }
    // Not until nothing is left: a descriptor that is still watched would keep it here for ever.
    for (int i = 0; i < kClosingIterations && uv_run(&loop, UV_RUN_NOWAIT) != 0; ++i) continue;
    POSTERN_ASSERT(uv_loop_close(&loop) == 0);
  }

  static Handles* of(void* data) { return static_cast<Handles*>(data); }

  void run_posted() {
    std::vector<std::function<void()>> functions;
    {
      const std::lock_guard lock(mutex);
      functions.swap(posted);
    }
    for (auto& function : functions) function();
  }

  /// An active idle handle makes the next poll return at once.
  void poll_without_waiting(bool on) {
    if (on) {
      uv_idle_start(&idle, [](uv_idle_t*) {});
    } else {
      uv_idle_stop(&idle);
    }
  }

  Loop& self;
  uv_loop_t loop{};
  uv_timer_t timer{};
  uv_prepare_t prepare{};
  uv_check_t check{};
  uv_idle_t idle{};
  uv_async_t async{};
  std::vector<std::unique_ptr<SignalWatch>> signals;
  std::mutex mutex;
  std::vector<std::function<void()>> posted;
};

Loop::Loop(const Clock& clock) : clock_(clock), handles_(std::make_unique<Handles>(*this)) {}

Loop::~Loop() {
  POSTERN_ASSERT(ready_.empty() && timers_.empty() && running() == 0);
}

void Loop::enqueue(std::coroutine_handle<> coroutine) {
  if (ready_.empty()) handles_->poll_without_waiting(true);
  ready_.push_back(coroutine);
}

void Loop::arm(coro::Timer& timer, TimePoint when) {
  const bool first = timers_.empty() || when < timers_.earliest();
  timers_.arm(*this, timer, when);
  if (first) rearm_timer();
}

void Loop::disarm(coro::Timer& timer) noexcept {
  timers_.disarm(timer);  // the uv timer fires once for nothing, which is cheaper than moving it
}

void Loop::rearm_timer() {
  if (timers_.empty()) {
    uv_timer_stop(&handles_->timer);
    return;
  }
  uv_update_time(&handles_->loop);
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(timers_.earliest() - now()).count();
  uv_timer_start(
      &handles_->timer,
      [](uv_timer_t* t) {
        Loop& self = Handles::of(t->data)->self;
        self.timers_.fire(self.now());
        self.rearm_timer();
      },
      wait > 0 ? static_cast<std::uint64_t>(wait) : 0, 0);
}

void Loop::run_batch() {
  batch_.swap(ready_);
  for (const auto coroutine : batch_) coroutine.resume();
  batch_.clear();
  if (ready_.empty()) handles_->poll_without_waiting(false);
}

void Loop::run() {
  uv_run(&handles_->loop, UV_RUN_DEFAULT);
}

void Loop::stop() noexcept {
  uv_stop(&handles_->loop);
}

void Loop::post(std::function<void()> function) {
  {
    const std::lock_guard lock(handles_->mutex);
    handles_->posted.push_back(std::move(function));
  }
  uv_async_send(&handles_->async);
}

void Loop::start(std::function<void()> work, std::function<void()> done) {
  Work* const item = std::make_unique<Work>().release();  // its second callback frees it
  item->work = std::move(work);
  item->done = std::move(done);
  item->hand_over();
  const auto on_thread = [](uv_work_t* request) {
    Work::of(request).take_over();
    Work::of(request).work();
    Work::of(request).hand_over();
  };
  const auto on_loop = [](uv_work_t* request, int) {  // never cancelled: the status tells nothing
    Work::of(request).take_over();
    const std::unique_ptr<Work> finished(&Work::of(request));
    finished->done();
  };
  POSTERN_ASSERT(uv_queue_work(&handles_->loop, item, on_thread, on_loop) == 0);
}

std::unique_ptr<Readiness> Loop::watch(int descriptor) {
  return std::make_unique<DescriptorReadiness>(&handles_->loop, descriptor);
}

void Loop::on_signal(int signal, std::function<void()> function) {
  auto watch = std::make_unique<SignalWatch>();
  watch->function = std::move(function);
  POSTERN_ASSERT(uv_signal_init(&handles_->loop, &watch->handle) == 0);
  watch->handle.data = watch.get();
  uv_signal_start(
      &watch->handle, [](uv_signal_t* s, int) { static_cast<SignalWatch*>(s->data)->function(); }, signal);
  handles_->signals.push_back(std::move(watch));
}

const char* libuv_version() noexcept {
  return uv_version_string();
}

}  // namespace postern::loop
